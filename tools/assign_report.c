#include "tools/assign_report.h"

#include "model/java_string.h"
#include "sim/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Wider tables are printed member by member. */
#define TABLE_WIDTH_MAX 160

const struct strategy strategies[] = {
    {"range", &assignors[0], "eager"},      {"roundrobin", &assignors[1], "eager"},
    {"sticky", &assignors[2], "eager"},     {"cooperative-sticky", &assignors[3], "cooperative"},
    {"uniform", &assignors[4], "consumer"}, {"server-range", &assignors[5], "consumer"},
};
const int32_t strategy_count = ARRAY_LEN(strategies);

struct strategy_result strategy_run(struct assign_group *group, const struct strategy *strategy)
{
    const bool server = strategy->assignor->side == ASSIGNOR_SERVER;
    const struct assign_input *input = server ? &group->server : &group->client;
    struct strategy_result result = {.strategy = strategy,
                                     .output = assign_output_new(group->memory, input)};
    const enum assign_result done =
        strategy->assignor->assign(input, group->memory, &result.output);
    CHECK(done == ASSIGN_DONE); /* every topic exists */
    const struct measure_options options = {.weight = group->weight,
                                            .with_best = !group->best_is_known};
    result.measure = measure_assignment(&group->client, &result.output, &options, group->memory);
    if (!group->best_is_known) {
        group->best_is_known = true;
        group->best_sum_of_squares = result.measure.best_sum_of_squares;
        group->best_kept = result.measure.best_kept;
    }
    measure_compare(&result.measure, group->best_sum_of_squares, group->best_kept);
    const bool eager = strcmp(strategy->protocol, "eager") == 0;
    result.stopped = eager ? result.measure.had_owner : result.measure.moved;
    result.rebalances = eager ? 1 : server ? 0 : result.measure.withheld > 0 ? 2 : 1;
    return result;
}

static bool topic_before(const struct assign_group *group, int32_t a, int32_t b)
{
    return java_string_compare(group->topics[a].name, group->topics[b].name) < 0;
}

int32_t *assign_report_topics(const struct assign_group *group)
{
    int32_t *order = memory_keep(group->memory, sizeof(int32_t) * ((size_t)group->topic_count + 1));
    for (int32_t t = 0; t < group->topic_count; t++) {
        int32_t i = t;
        for (; i > 0 && topic_before(group, t, order[i - 1]); i--)
            order[i] = order[i - 1];
        order[i] = t;
    }
    return order;
}

/* How a slot stands in a member's cell. */
enum mark {
    MARK_ABSENT,
    MARK_KEPT,
    MARK_NEW,  /* +3: it had somebody else or nobody */
    MARK_LATE, /* (3): handed over in the second rebalance */
};

static enum mark mark_of(const struct assign_output *output, const int32_t *previous, bool marks,
                         int32_t slot, int32_t member)
{
    if (output->withheld_for[slot] == member) return MARK_LATE;
    if (output->owner[slot] != member) return MARK_ABSENT;
    return !marks || previous[slot] == member ? MARK_KEPT : MARK_NEW;
}

static void append_run(struct text *text, enum mark mark, int32_t first, int32_t last)
{
    text_append(text, mark == MARK_NEW ? "+" : mark == MARK_LATE ? "(" : "");
    text_format(text, "%" PRId32, first);
    if (last > first) text_format(text, "-%" PRId32, last);
    if (mark == MARK_LATE) text_append(text, ")");
}

struct cells {
    const struct assign_group *group;
    const int32_t *topics;   /* by name */
    const int32_t *previous; /* by slot */
    bool marks;              /* somebody owned something */
};

/* "orders:0-2,+5 payments:(1)" */
static void append_cell(struct text *text, const struct cells *cells,
                        const struct assign_output *output, int32_t member)
{
    const size_t start = text->length;
    for (int32_t i = 0; i < cells->group->topic_count; i++) {
        const int32_t t = cells->topics[i];
        const int32_t base = output->first_slot[t];
        bool named = false;
        for (int32_t slot = base; slot < output->first_slot[t + 1]; slot++) {
            const enum mark mark = mark_of(output, cells->previous, cells->marks, slot, member);
            if (mark == MARK_ABSENT) continue;
            const int32_t first = slot;
            while (slot + 1 < output->first_slot[t + 1] &&
                   mark_of(output, cells->previous, cells->marks, slot + 1, member) == mark) {
                slot++;
            }
            if (named) {
                text_append(text, ",");
            } else {
                text_format(text, "%s%s:", text->length > start ? " " : "",
                            cells->group->topics[t].name);
            }
            named = true;
            append_run(text, mark, first - base, slot - base);
        }
    }
    if (text->length == start) text_append(text, "-");
}

static void pad(struct text *text, const char *cell, size_t width)
{
    text_append(text, cell);
    for (size_t i = strlen(cell); i < width; i++)
        text_append(text, " ");
}

static void append_number(struct text *text, int64_t number, int width)
{
    if (number < 0) {
        text_format(text, " %*s", width, "-");
    } else {
        text_format(text, " %*" PRId64, width, number);
    }
}

static void append_summary(struct text *text, const struct assign_group *group,
                           const struct strategy_result *results, int32_t count)
{
    pad(text, "STRATEGY", 20);
    pad(text, "PROTOCOL", 12);
    text_append(text, "LEAST   MOST  MOVED  NEEDLESS  STOPPED  REBALANCES");
    if (group->weight != NULL) text_append(text, "     LIGHTEST     HEAVIEST");
    text_append(text, "\n");
    for (int32_t i = 0; i < count; i++) {
        const struct assign_measure *measure = &results[i].measure;
        pad(text, results[i].strategy->name, 20);
        pad(text, results[i].strategy->protocol, 11);
        append_number(text, measure->least, 5);
        append_number(text, measure->most, 6);
        append_number(text, measure->moved, 6);
        append_number(text, measure->moved_needlessly, 9);
        append_number(text, results[i].stopped, 8);
        append_number(text, results[i].rebalances > 0 ? results[i].rebalances : -1, 11);
        if (group->weight != NULL) {
            append_number(text, measure->least_weight, 12);
            append_number(text, measure->most_weight, 12);
        }
        text_append(text, "\n");
    }
    text_append(text,
                "\nLEAST, MOST: partitions of the members with fewest and most. MOVED: partitions "
                "that get another\nowner; NEEDLESS of them could have stayed at the best balance. "
                "STOPPED: partitions nobody reads\nwhile the group rebalances.");
    if (group->weight != NULL) {
        text_append(text, " LIGHTEST, HEAVIEST: the members' loads by weight.");
    }
    text_append(text, "\n");
}

struct table {
    char **cells; /* [row][column]; row 0 is the heading */
    size_t rows;
    size_t columns;
};

static void set_cell(struct table *table, size_t row, size_t column, struct text *text)
{
    table->cells[row * table->columns + column] = tool_copy(text_data(text));
    text_clear(text);
}

static struct table fill_table(const struct cells *cells, const struct strategy_result *results,
                               int32_t count, const struct assign_output *now)
{
    const struct assign_group *group = cells->group;
    const size_t before = cells->marks ? 2 : 1; /* columns left of the strategies */
    struct table table = {.rows = (size_t)group->member_count + 1,
                          .columns = (size_t)count + before};
    table.cells = tool_allocate(table.rows * table.columns * sizeof(*table.cells));
    struct text text = {0};
    text_append(&text, "MEMBER");
    set_cell(&table, 0, 0, &text);
    if (cells->marks) {
        text_append(&text, "NOW");
        set_cell(&table, 0, 1, &text);
    }
    for (int32_t i = 0; i < count; i++) {
        text_append(&text, results[i].strategy->name);
        set_cell(&table, 0, before + (size_t)i, &text);
    }
    const struct cells plain = {.group = group,
                                .topics = cells->topics,
                                .previous = cells->previous};
    for (int32_t m = 0; m < group->member_count; m++) {
        const size_t row = (size_t)m + 1;
        text_append(&text, group->members[m].id);
        set_cell(&table, row, 0, &text);
        if (cells->marks) {
            append_cell(&text, &plain, now, m);
            set_cell(&table, row, 1, &text);
        }
        for (int32_t i = 0; i < count; i++) {
            append_cell(&text, cells, &results[i].output, m);
            set_cell(&table, row, before + (size_t)i, &text);
        }
    }
    text_free(&text);
    return table;
}

static void append_table(struct text *text, const struct table *table)
{
    size_t *width = tool_allocate(table->columns * sizeof(*width));
    size_t total = 0;
    for (size_t c = 0; c < table->columns; c++) {
        for (size_t r = 0; r < table->rows; r++) {
            const size_t length = strlen(table->cells[r * table->columns + c]);
            if (length > width[c]) width[c] = length;
        }
        total += width[c] + 2;
    }
    const bool wide = total > TABLE_WIDTH_MAX;
    for (size_t r = wide ? 1 : 0; r < table->rows; r++) {
        char **row = table->cells + r * table->columns;
        if (wide) text_format(text, "%s\n", row[0]);
        for (size_t c = wide ? 1 : 0; c < table->columns; c++) {
            if (wide) {
                text_append(text, "  ");
                pad(text, table->cells[c], 20);
            }
            const bool last = wide || c + 1 == table->columns;
            pad(text, row[c], last ? 0 : width[c] + 2);
            if (last) text_append(text, "\n");
        }
    }
    free(width);
}

void assign_report_text(struct text *text, const struct assign_group *group,
                        const struct strategy_result *results, int32_t count)
{
    struct assign_output now = assign_output_new(group->memory, &group->client);
    measure_previous_owners(&group->client, &now, MEASURE_OWNED, now.owner, group->memory);
    struct cells cells = {.group = group,
                          .topics = assign_report_topics(group),
                          .previous = now.owner};
    int32_t owned = 0;
    for (int32_t slot = 0; slot < now.slot_count; slot++) {
        if (now.owner[slot] != ASSIGN_NOBODY) owned++;
    }
    cells.marks = owned > 0;
    text_format(text, "%" PRId32 " member%s, %" PRId32 " topic%s, %" PRId32 " partition%s; ",
                group->member_count, group->member_count == 1 ? "" : "s", group->topic_count,
                group->topic_count == 1 ? "" : "s", now.slot_count, now.slot_count == 1 ? "" : "s");
    text_format(text, owned == 0 ? "nobody owns anything yet\n" : "%" PRId32 " have an owner\n",
                owned);
    if (group->assumption != NULL) text_format(text, "assumed: %s\n", group->assumption);
    text_append(text, "\n");
    append_summary(text, group, results, count);
    text_append(text, "\n");
    struct table table = fill_table(&cells, results, count, &now);
    append_table(text, &table);
    if (cells.marks) {
        text_append(text, "\n+3: comes from another member, or had none. (3): the same, handed "
                          "over in the second rebalance.\n");
    }
    for (size_t i = 0; i < table.rows * table.columns; i++)
        free(table.cells[i]);
    free(table.cells);
    assign_output_free(group->memory, &now);
}
