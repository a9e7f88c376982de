#include "tools/group_tables.h"

#include "tools/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_COLUMNS_MAX 12

struct column {
    const char *title;
    size_t width_min;
};

/* Cells are collected first, for a column is as wide as its longest. */
struct table {
    const struct column *columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    char **cells; /* row after row */
    size_t cell_count;
};

static void add_column(struct table *table, const struct column *column)
{
    table->columns[table->column_count++] = column;
}

/* NULL or "" is shown as "-". */
static void add_cell(struct table *table, const char *text)
{
    table->cells = tool_resize(table->cells, (table->cell_count + 1) * sizeof *table->cells);
    table->cells[table->cell_count++] = tool_copy(text == NULL || *text == '\0' ? "-" : text);
}

/* Below 0: unknown. */
static void add_number(struct table *table, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    add_cell(table, number < 0 ? NULL : digits);
}

/* A lag may be negative and known. */
static void add_difference(struct table *table, bool known, int64_t number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    add_cell(table, known ? digits : NULL);
}

static size_t column_width(const struct table *table, size_t column)
{
    size_t width = table->columns[column]->width_min;
    if (strlen(table->columns[column]->title) > width)
        width = strlen(table->columns[column]->title);
    for (size_t i = column; i < table->cell_count; i += table->column_count) {
        size_t length = strlen(table->cells[i]);
        if (length > width) width = length;
    }
    return width;
}

/* Prints and frees. */
static void print_table(struct table *table, FILE *stream)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t i = 0; i + 1 < table->column_count; i++)
        widths[i] = column_width(table, i);
    for (size_t i = 0; i < table->column_count; i++) {
        fprintf(stream, "%s%-*s", i == 0 ? "\n" : " ", (int)widths[i], table->columns[i]->title);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;
        fprintf(stream, "%s%-*s", column == 0 ? "\n" : " ", (int)widths[column], table->cells[i]);
        free(table->cells[i]);
    }
    fputc('\n', stream);
    free(table->cells);
}

/* ConsumerGroupCommand.shouldPrintMemberState: what is said before a table, and whether there is
 * one. */
static bool announce(const struct group_view *view, int32_t rows, FILE *stream, FILE *warnings)
{
    if (!view->exists || view->state == GROUP_TRACE_Dead) {
        fprintf(stream, "\nError: Consumer group '%s' does not exist.\n", view->group);
        return false;
    }
    switch (view->state) {
    case GROUP_TRACE_Empty:
        fprintf(warnings, "\nConsumer group '%s' has no active members.\n", view->group);
        break;
    case GROUP_TRACE_PreparingRebalance:
    case GROUP_TRACE_CompletingRebalance:
    case GROUP_TRACE_Assigning:
    case GROUP_TRACE_Reconciling:
        fprintf(warnings, "\nWarning: Consumer group '%s' is rebalancing.\n", view->group);
        break;
    case GROUP_TRACE_Stable:
    case GROUP_TRACE_Dead: break;
    }
    return rows > 0;
}

static const struct column column_group = {"GROUP", 15};
static const struct column column_topic = {"TOPIC", 15};
static const struct column column_partition = {"PARTITION", 10};
static const struct column column_leader_epoch = {"LEADER-EPOCH", 15};
static const struct column column_current_offset = {"CURRENT-OFFSET", 15};
static const struct column column_log_end_offset = {"LOG-END-OFFSET", 15};
static const struct column column_lag = {"LAG", 15};
static const struct column column_consumer_id = {"CONSUMER-ID", 15};
static const struct column column_instance_id = {"GROUP-INSTANCE-ID", 17};
static const struct column column_host = {"HOST", 15};
static const struct column column_client_id = {"CLIENT-ID", 15};
static const struct column column_partitions = {"#PARTITIONS", 15};
static const struct column column_current_epoch = {"CURRENT-EPOCH", 15};
static const struct column column_current_assignment = {"CURRENT-ASSIGNMENT", 20};
static const struct column column_target_epoch = {"TARGET-EPOCH", 15};
static const struct column column_target_assignment = {"TARGET-ASSIGNMENT", 20};
static const struct column column_coordinator = {"COORDINATOR (ID)", 25};
static const struct column column_strategy = {"ASSIGNMENT-STRATEGY", 20};
static const struct column column_state = {"STATE", 20};
static const struct column column_group_epoch = {"GROUP-EPOCH", 15};
static const struct column column_target_assignment_epoch = {"TARGET-ASSIGNMENT-EPOCH", 25};
static const struct column column_members = {"#MEMBERS", 0};

#define ENUM_TEXT(member) #member,
static const char *const state_names[] = {TRACE_ENUM_GROUP_STATE(ENUM_TEXT)};
#undef ENUM_TEXT

static void add_offset_row(struct table *table, const struct group_view *view,
                           const struct view_partition *partition, bool verbose)
{
    bool has_commit = partition->committed >= 0;
    add_cell(table, view->group);
    add_cell(table, partition->partition->topic);
    add_number(table, partition->partition->number);
    if (verbose) add_number(table, has_commit ? partition->committed_epoch : -1);
    add_number(table, partition->committed);
    add_number(table, partition->log_end);
    add_difference(table, has_commit && partition->log_end >= 0,
                   partition->log_end - partition->committed);
    const struct view_member *owner =
        partition->owner >= 0 ? &view->members[partition->owner] : NULL;
    add_cell(table, owner != NULL ? owner->id : NULL);
    add_cell(table, owner != NULL ? owner->client_host : NULL);
    add_cell(table, owner != NULL ? owner->client_id : NULL);
}

void group_print_offsets(const struct group_view *view, bool verbose, FILE *stream, FILE *warnings)
{
    if (!announce(view, view->partition_count, stream, warnings)) return;
    struct table table = {0};
    add_column(&table, &column_group);
    add_column(&table, &column_topic);
    add_column(&table, &column_partition);
    if (verbose) add_column(&table, &column_leader_epoch);
    add_column(&table, &column_current_offset);
    add_column(&table, &column_log_end_offset);
    add_column(&table, &column_lag);
    add_column(&table, &column_consumer_id);
    add_column(&table, &column_host);
    add_column(&table, &column_client_id);
    /* Member by member, and last the partitions that nobody owns. */
    for (int32_t member = 0; member <= view->member_count; member++) {
        int32_t owner = member < view->member_count ? member : -1;
        for (int32_t i = 0; i < view->partition_count; i++) {
            if (view->partitions[i].owner != owner) continue;
            add_offset_row(&table, view, &view->partitions[i], verbose);
        }
    }
    print_table(&table, stream);
}

/* "topic:0,1,10;other:2": topics in order, partitions in numeric order. `topic` is the last one. */
static void add_partition(struct text *text, const char **topic,
                          const struct store_partition *partition)
{
    bool same_topic = *topic != NULL && strcmp(*topic, partition->topic) == 0;
    if (!same_topic) text_format(text, "%s%s:", *topic != NULL ? ";" : "", partition->topic);
    text_format(text, "%s%d", same_topic ? "," : "", partition->number);
    *topic = partition->topic;
}

static void assignment_text(const struct group_view *view, int32_t member, struct text *text)
{
    const char *topic = NULL;
    text_clear(text);
    for (int32_t i = 0; i < view->partition_count; i++) {
        if (view->partitions[i].owner != member) continue;
        add_partition(text, &topic, view->partitions[i].partition);
    }
}

static void target_text(const struct group_view *view, int32_t member, struct text *text)
{
    const char *topic = NULL;
    text_clear(text);
    for (int32_t i = 0; i < view->target_count; i++) {
        if (view->targets[i].member != member) continue;
        add_partition(text, &topic, view->targets[i].partition);
    }
}

void group_print_members(const struct group_view *view, bool verbose, FILE *stream, FILE *warnings)
{
    if (!announce(view, view->member_count, stream, warnings)) return;
    bool any_static = false;
    for (int32_t i = 0; i < view->member_count; i++) {
        if (*view->members[i].instance != '\0') any_static = true;
    }
    struct table table = {0};
    add_column(&table, &column_group);
    add_column(&table, &column_consumer_id);
    if (any_static) add_column(&table, &column_instance_id);
    add_column(&table, &column_host);
    add_column(&table, &column_client_id);
    add_column(&table, &column_partitions);
    if (verbose) {
        add_column(&table, &column_current_epoch);
        add_column(&table, &column_current_assignment);
        add_column(&table, &column_target_epoch);
        add_column(&table, &column_target_assignment);
    }
    struct text assignment = {0};
    for (int32_t i = 0; i < view->member_count; i++) {
        const struct view_member *member = &view->members[i];
        add_cell(&table, view->group);
        add_cell(&table, member->id);
        if (any_static) add_cell(&table, member->instance);
        add_cell(&table, member->client_host);
        add_cell(&table, member->client_id);
        add_number(&table, member->partition_count);
        if (!verbose) continue;
        assignment_text(view, i, &assignment);
        add_number(&table, view->is_consumer_protocol ? member->epoch : -1);
        add_cell(&table, text_data(&assignment));
        add_number(&table, view->is_consumer_protocol ? view->generation : -1);
        target_text(view, i, &assignment);
        add_cell(&table, view->is_consumer_protocol ? text_data(&assignment) : NULL);
    }
    text_free(&assignment);
    print_table(&table, stream);
}

void group_print_state(const struct group_view *view, bool verbose, FILE *stream, FILE *warnings)
{
    if (!announce(view, 1, stream, warnings)) return;
    struct table table = {0};
    add_column(&table, &column_group);
    add_column(&table, &column_coordinator);
    add_column(&table, &column_strategy);
    add_column(&table, &column_state);
    if (verbose) {
        add_column(&table, &column_group_epoch);
        add_column(&table, &column_target_assignment_epoch);
    }
    add_column(&table, &column_members);
    add_cell(&table, view->group);
    char coordinator[64] = "";
    if (view->coordinator >= 0) {
        snprintf(coordinator, sizeof coordinator, "broker-%" PRId64 ":9092  (%" PRId64 ")",
                 view->coordinator, view->coordinator);
    }
    add_cell(&table, coordinator);
    add_cell(&table, view->strategy);
    add_cell(&table, state_names[view->state]);
    if (verbose) {
        add_number(&table, view->is_consumer_protocol ? view->generation : -1);
        add_number(&table, view->is_consumer_protocol ? view->generation : -1);
    }
    add_number(&table, view->member_count);
    print_table(&table, stream);
}

static json_t *text_or_null(const char *text)
{
    return *text != '\0' ? json_string(text) : json_null();
}

static json_t *number_or_null(int64_t number)
{
    return number >= 0 ? json_integer(number) : json_null();
}

json_t *group_view_json(const struct group_view *view)
{
    json_t *group = json_object();
    bool exists = view->exists && view->state != GROUP_TRACE_Dead;
    json_object_set_new(group, "group", json_string(view->group));
    json_object_set_new(group, "state", json_string(exists ? state_names[view->state] : "Dead"));
    json_object_set_new(group, "generation", json_integer(view->generation));
    json_object_set_new(group, "coordinator", number_or_null(view->coordinator));
    json_object_set_new(group, "assignment_strategy", text_or_null(view->strategy));
    json_t *members = json_array();
    for (int32_t i = 0; i < view->member_count; i++) {
        const struct view_member *member = &view->members[i];
        json_t *object = json_object();
        json_object_set_new(object, "consumer_id", json_string(member->id));
        json_object_set_new(object, "member", text_or_null(member->member));
        json_object_set_new(object, "group_instance_id", text_or_null(member->instance));
        json_object_set_new(object, "host", text_or_null(member->client_host));
        json_object_set_new(object, "client_id", text_or_null(member->client_id));
        json_object_set_new(object, "partitions", json_integer(member->partition_count));
        json_array_append_new(members, object);
    }
    json_object_set_new(group, "members", members);
    json_t *offsets = json_array();
    for (int32_t i = 0; i < view->partition_count; i++) {
        const struct view_partition *partition = &view->partitions[i];
        bool has_lag = partition->committed >= 0 && partition->log_end >= 0;
        json_t *object = json_object();
        json_object_set_new(object, "topic", json_string(partition->partition->topic));
        json_object_set_new(object, "partition", json_integer(partition->partition->number));
        json_object_set_new(object, "current_offset", number_or_null(partition->committed));
        json_object_set_new(object, "log_end_offset", number_or_null(partition->log_end));
        json_object_set_new(object, "lag",
                            has_lag ? json_integer(partition->log_end - partition->committed)
                                    : json_null());
        json_object_set_new(object, "consumer_id",
                            partition->owner >= 0 ? json_string(view->members[partition->owner].id)
                                                  : json_null());
        json_array_append_new(offsets, object);
    }
    json_object_set_new(group, "offsets", offsets);
    return group;
}
