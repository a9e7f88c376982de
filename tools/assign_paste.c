#include "tools/assign_paste.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 16

enum column {
    COLUMN_OTHER,
    COLUMN_GROUP,
    COLUMN_MEMBER,
    COLUMN_INSTANCE,
    COLUMN_COUNT,
    COLUMN_ASSIGNMENT,
};

static const struct {
    const char *heading;
    enum column column;
} headings[] = {
    {"GROUP", COLUMN_GROUP},
    {"CONSUMER-ID", COLUMN_MEMBER},
    {"GROUP-INSTANCE-ID", COLUMN_INSTANCE},
    {"#PARTITIONS", COLUMN_COUNT},
    {"ASSIGNMENT", COLUMN_ASSIGNMENT},
    {"CURRENT-ASSIGNMENT", COLUMN_ASSIGNMENT},
};

struct word {
    const char *start;
    size_t length;
};

struct table {
    struct assign_group *group;
    int32_t source;
    int32_t line;
    const char *line_start;
    enum column columns[COLUMNS_MAX];
    int32_t column_count;
    int32_t assignment; /* its place among the columns, -1 = this is not --verbose */
    const char *group_id;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line; its length is 0 at the end. */
static struct word next_word(const char **at, const char *end)
{
    while (*at < end && is_space(**at))
        (*at)++;
    struct word word = {.start = *at};
    while (*at < end && !is_space(**at))
        (*at)++;
    word.length = (size_t)(*at - word.start);
    return word;
}

static bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length && memcmp(word.start, text, word.length) == 0;
}

static const char *keep_word(struct assign_group *group, struct word word)
{
    char *text = memory_keep(group->memory, word.length + 1);
    memcpy(text, word.start, word.length);
    return text;
}

static struct position place(const struct table *table, struct word word)
{
    return (struct position){.source = table->source,
                             .line = table->line,
                             .column = (int32_t)(word.start - table->line_start) + 1,
                             .width = (int32_t)word.length};
}

static bool is_header(const char *start, const char *end)
{
    bool member = false;
    bool count = false;
    for (;;) {
        const struct word word = next_word(&start, end);
        if (word.length == 0) return member && count;
        member |= word_is(word, "CONSUMER-ID");
        count |= word_is(word, "#PARTITIONS");
    }
}

bool assign_paste_applies(const char *text)
{
    while (*text != '\0') {
        const char *end = strchr(text, '\n');
        if (end == NULL) end = text + strlen(text);
        if (is_header(text, end)) return true;
        text = *end == '\n' ? end + 1 : end;
    }
    return false;
}

static void read_header(struct table *table, const char *start, const char *end)
{
    table->column_count = 0;
    table->assignment = -1;
    for (struct word word = next_word(&start, end);
         word.length > 0 && table->column_count < COLUMNS_MAX; word = next_word(&start, end)) {
        enum column column = COLUMN_OTHER;
        for (size_t i = 0; i < ARRAY_LEN(headings); i++) {
            if (word_is(word, headings[i].heading)) column = headings[i].column;
        }
        if (column == COLUMN_ASSIGNMENT) table->assignment = table->column_count;
        table->columns[table->column_count++] = column;
    }
    if (table->assignment >= 0) return;
    const struct word whole = {.start = table->line_start, .length = 1};
    diagnostic_error(table->group->diagnostics, place(table, whole),
                     "this table does not say who owns what");
    diagnostic_hint(table->group->diagnostics, "kafka-consumer-groups.sh … --describe --members "
                                               "--verbose prints the assignments");
}

static int32_t topic_of(struct table *table, struct word word)
{
    const char *name = keep_word(table->group, word);
    const int32_t known = assign_group_find_topic(table->group, name);
    if (known >= 0) return known;
    assign_group_add_topic(table->group, name, -1, place(table, word));
    return table->group->topic_count - 1;
}

static void bad_assignment(struct table *table, struct word cell)
{
    diagnostic_error(table->group->diagnostics, place(table, cell),
                     "this is no list of partitions");
    diagnostic_hint(table->group->diagnostics,
                    "such as orders:0,1;payments:2 or orders(0,1), payments(2)");
}

/* Numbers up to one that is not followed by a comma; returns where they end, NULL if there is none.
 */
static const char *read_numbers(struct table *table, struct group_member *member, int32_t topic,
                                const char *at, const char *end)
{
    for (;;) {
        const struct word word = {.start = at};
        int64_t number = 0;
        while (at < end && *at >= '0' && *at <= '9' && number < ASSIGN_PARTITIONS_MAX) {
            number = number * 10 + (*at++ - '0');
        }
        const struct word digits = {.start = word.start, .length = (size_t)(at - word.start)};
        if (digits.length == 0 || number >= ASSIGN_PARTITIONS_MAX) return NULL;
        const struct assign_partition partition = {.topic = topic, .partition = (int32_t)number};
        assign_group_claim(table->group, member, partition, place(table, digits));
        if (at == end || *at != ',') return at;
        at++;
    }
}

/* `orders:0,1;payments:2` and `orders(0,1), payments(2)`, as far as `end`. */
static void read_assignment(struct table *table, struct group_member *member, struct word cell)
{
    const char *at = cell.start;
    const char *end = cell.start + cell.length;
    while (end > at && is_space(end[-1]))
        end--;
    if (end - at == 1 && *at == '-') return; /* nothing */
    while (at < end) {
        struct word name = {.start = at};
        while (at < end && *at != ':' && *at != '(')
            at++;
        name.length = (size_t)(at - name.start);
        if (at == end || name.length == 0) {
            bad_assignment(table, cell);
            return;
        }
        const bool old = *at == '(';
        at = read_numbers(table, member, topic_of(table, name), at + 1, end);
        if (at == NULL || (old && (at == end || *at != ')'))) {
            bad_assignment(table, cell);
            return;
        }
        if (old) at++;
        while (at < end && (*at == ',' || *at == ';' || is_space(*at)))
            at++;
    }
}

/* The group of the first row counts; --all-groups prints several. */
static bool same_group(struct table *table, struct word word)
{
    if (table->group_id == NULL) table->group_id = keep_word(table->group, word);
    if (word_is(word, table->group_id)) return true;
    diagnostic_error(table->group->diagnostics, place(table, word),
                     "a second group begins here, after %s", table->group_id);
    diagnostic_hint(table->group->diagnostics, "one group at a time: paste only its lines");
    return false;
}

static void read_row(struct table *table, const char *start, const char *end)
{
    const char *at = start;
    struct word member_id = {0};
    struct word instance = {0};
    struct word assignment = {0};
    for (int32_t i = 0; i < table->column_count; i++) {
        const char *before = at;
        const struct word word = next_word(&at, end);
        if (word.length == 0) break;
        if (table->columns[i] == COLUMN_GROUP && !same_group(table, word)) return;
        if (table->columns[i] == COLUMN_MEMBER) member_id = word;
        if (table->columns[i] == COLUMN_INSTANCE) instance = word;
        if (i != table->assignment) continue;
        assignment = word;
        if (i + 1 == table->column_count) {
            /* The last column may hold spaces. */
            const char *from = before;
            while (from < end && is_space(*from))
                from++;
            assignment = (struct word){.start = from, .length = (size_t)(end - from)};
        }
    }
    if (assignment.length == 0) {
        const struct word row = {.start = start, .length = (size_t)(end - start)};
        diagnostic_error(table->group->diagnostics, place(table, row),
                         "this line has fewer columns than the heading");
        return;
    }
    struct group_member *member =
        assign_group_add_member(table->group, keep_word(table->group, member_id),
                                place(table, member_id));
    if (member == NULL) return;
    if (instance.length > 0 && !word_is(instance, "-")) {
        member->instance = keep_word(table->group, instance);
        member->instance_at = place(table, instance);
    }
    read_assignment(table, member, assignment);
}

/* What the text does not say: all subscribe to all, topics end where ownership ends. */
static void assume(struct assign_group *group)
{
    bool counted = false;
    for (int32_t t = 0; t < group->topic_count; t++) {
        struct group_topic *topic = &group->topics[t];
        if (topic->partition_count >= 0) continue;
        counted = true;
        topic->partition_count = 1;
        for (int32_t m = 0; m < group->member_count; m++) {
            for (int32_t i = 0; i < group->members[m].claim_count; i++) {
                const struct assign_partition partition = group->members[m].claims[i].partition;
                if (partition.topic != t || partition.partition < topic->partition_count) continue;
                topic->partition_count = partition.partition + 1;
            }
        }
    }
    for (int32_t m = 0; m < group->member_count; m++) {
        group->members[m].generation = 1;
        for (int32_t t = 0; t < group->topic_count; t++) {
            assign_group_subscribe(group, &group->members[m], t);
        }
    }
    group->assumption =
        counted ? "every member subscribes to every topic, and a topic ends with the highest "
                  "partition owned (--topic NAME=COUNT says otherwise)"
                : "every member subscribes to every topic";
}

void assign_paste_read(struct assign_group *group, int32_t source, const char *text, size_t length)
{
    struct table table = {.group = group, .source = source, .assignment = -1};
    const char *const end_of_text = text + length;
    while (text < end_of_text) {
        const char *end = memchr(text, '\n', (size_t)(end_of_text - text));
        if (end == NULL) end = end_of_text;
        table.line++;
        table.line_start = text;
        const char *at = text;
        const bool blank = next_word(&at, end).length == 0;
        if (is_header(text, end)) {
            read_header(&table, text, end);
        } else if (!blank && table.assignment >= 0) {
            read_row(&table, text, end);
        }
        text = end == end_of_text ? end : end + 1;
    }
    assume(group);
}
