/* tools/expect.c: one line of `expect:`, parsed and judged. */
#include "tools/expect.h"

#include "sim/check.h"
#include "sim/time.h"
#include "tools/selector_yaml.h"

#include <stdlib.h>
#include <string.h>

const char *const expect_aggregate_names[EXPECT_AGGREGATE_COUNT] = {
    [EXPECT_PLAIN] = "",      [EXPECT_MAX] = "max", [EXPECT_MIN] = "min", [EXPECT_MEAN] = "mean",
    [EXPECT_TOTAL] = "total", [EXPECT_P50] = "p50", [EXPECT_P95] = "p95", [EXPECT_P99] = "p99",
    [EXPECT_LAST] = "last",   [EXPECT_AT] = "at",
};

#define PLAIN  (1u << EXPECT_PLAIN)
#define SPREAD (1u << EXPECT_MAX | 1u << EXPECT_MEAN | 1u << EXPECT_TOTAL)
#define SERIES                                                                                     \
    (1u << EXPECT_MAX | 1u << EXPECT_MIN | 1u << EXPECT_MEAN | 1u << EXPECT_LAST | 1u << EXPECT_AT)
#define QUANTILES (1u << EXPECT_P50 | 1u << EXPECT_P95 | 1u << EXPECT_P99 | 1u << EXPECT_MAX)

const struct expect_metric expect_metrics[] = {
    {"rebalances", EXPECT_NUMBER, true, PLAIN, "rebalances after the group's first"},
    {"rebalance_time", EXPECT_DURATION, true, SPREAD, "from the start of a rebalance to its end"},
    {"stopped_partition_time", EXPECT_DURATION, true, PLAIN,
     "time that partitions had nobody to process them, summed over partitions"},
    {"lag_records", EXPECT_NUMBER, true, SERIES, "records not yet processed"},
    {"lag_time", EXPECT_DURATION, true, SERIES, "age of the oldest record not yet processed"},
    {"members", EXPECT_NUMBER, true, SERIES, "members the coordinator knows"},
    {"latency", EXPECT_DURATION, true, QUANTILES, "from production to the end of processing"},
    {"produced", EXPECT_NUMBER, true, PLAIN, "records in the group's topics"},
    {"processed", EXPECT_NUMBER, true, PLAIN, "records processed, each counted once"},
    {"duplicates", EXPECT_NUMBER, true, PLAIN, "processings of a record after its first"},
    {"effective_duplicates", EXPECT_NUMBER, true, PLAIN,
     "duplicates that an idempotent or transactional sink did not absorb"},
    {"skipped", EXPECT_NUMBER, true, PLAIN, "records committed but never processed"},
    {"lost", EXPECT_NUMBER, true, PLAIN, "records deleted or lost before they were processed"},
    {"compacted", EXPECT_NUMBER, true, PLAIN,
     "records that compaction removed before the group came to them"},
    {"zombie", EXPECT_NUMBER, true, PLAIN,
     "records processed by a member that no longer owned them"},
    {"taken_back", EXPECT_NUMBER, true, PLAIN,
     "acknowledged records that an election took from the log again, read or not"},
    {"copies", EXPECT_NUMBER, true, PLAIN, "records that their producer wrote to the log again"},
    {"out_of_order", EXPECT_NUMBER, true, PLAIN,
     "records processed after one produced later, over all partitions"},
    {"overtaken", EXPECT_NUMBER, true, PLAIN,
     "records of an added partition processed while older ones waited where their keys were"},
    {"commits_attempted", EXPECT_NUMBER, true, PLAIN, "commit requests"},
    {"commits_failed", EXPECT_NUMBER, true, PLAIN, "commit requests that failed"},
    {"session_timeouts", EXPECT_NUMBER, true, PLAIN, "members expelled for want of heartbeats"},
    {"poll_timeouts", EXPECT_NUMBER, true, PLAIN,
     "members that left because max.poll.interval.ms went by without poll()"},
    {"cascaded_rebalances", EXPECT_NUMBER, true, PLAIN,
     "rebalances that the one before brought about"},
    {"generations_reused", EXPECT_NUMBER, true, PLAIN,
     "join phases that ended with a generation given out before"},
    {"moves", EXPECT_NUMBER, true, PLAIN,
     "partitions that changed hands between rests of the group"},
    {"unnecessary_moves", EXPECT_NUMBER, true, PLAIN,
     "moves that a balanced assignment could have done without"},
    {"imbalance", EXPECT_NUMBER, true, PLAIN,
     "most less fewest partitions of a member, with the group at rest, at its worst"},
    {"rejected_commits", EXPECT_NUMBER, true, PLAIN,
     "partitions of commits that the coordinator refused"},
    {"commit_rewinds", EXPECT_NUMBER, true, PLAIN, "times that a committed offset went down"},
    {"offset_resets", EXPECT_NUMBER, true, PLAIN,
     "positions set without a valid committed offset, first starts included"},
    {"poll_skips", EXPECT_NUMBER, true, PLAIN,
     "times that a consumer's polls left out records that others had taken"},
    {"poll_rewinds", EXPECT_NUMBER, true, PLAIN,
     "times that a consumer's polls went back in a partition"},
    {"reordered", EXPECT_NUMBER, true, PLAIN,
     "records processed after later ones of their partition"},
    {"forming_time", EXPECT_DURATION, true, PLAIN,
     "from a group's first join until it is stable for the first time"},
    {"fatal_errors", EXPECT_NUMBER, true, PLAIN,
     "consumers that ended with an exception out of poll() or a commit"},
    {"exceptions_caught", EXPECT_NUMBER, true, PLAIN,
     "exceptions out of poll() that the application caught"},
    {"waiting", EXPECT_NUMBER, true, PLAIN, "records nobody had processed when the run ended"},
    {"violations", EXPECT_NUMBER, false, PLAIN, "invariants that did not hold: always a bug"},
};
const size_t expect_metric_count = ARRAY_LEN(expect_metrics);

/* Those whose records have a cause, which may follow the group. */
static const struct {
    const char *metric;
    enum finding_kind finding;
} caused[] = {
    {"duplicates", FINDING_DUPLICATE},
    {"skipped", FINDING_SKIPPED},
    {"lost", FINDING_LOST},
    {"zombie", FINDING_ZOMBIE},
    {"copies", FINDING_COPY},
    {"reordered", FINDING_REORDERED},
    {"overtaken", FINDING_OVERTAKEN},
};

static bool find_finding(const struct expect_metric *metric, enum finding_kind *finding)
{
    for (size_t i = 0; i < ARRAY_LEN(caused); i++) {
        if (strcmp(caused[i].metric, metric->name) != 0) continue;
        *finding = caused[i].finding;
        return true;
    }
    return false;
}

struct parse {
    const struct value_place *place;
    const struct scenario *scenario;
    const char *text;
    const char *at;
};

static struct position position_of(const struct parse *parse, const char *at, size_t width)
{
    struct position position = parse->place->at;
    for (const char *c = parse->text; c < at; c++) {
        if (((unsigned char)*c & 0xc0) != 0x80) position.column++;
    }
    position.width = (int32_t)width;
    return position;
}

static void skip_blanks(struct parse *parse)
{
    parse->at += strspn(parse->at, " \n");
}

static bool refuse(const struct parse *parse, const char *at, size_t width, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static bool refuse(const struct parse *parse, const char *at, size_t width, const char *format, ...)
{
    struct text said = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&said, format, arguments);
    va_end(arguments);
    diagnostic_error(parse->place->diagnostics, position_of(parse, at, width), "%s: %s",
                     parse->place->label, text_data(&said));
    text_free(&said);
    return false;
}

/* A copy of the next bytes, for messages and look-ups; the caller frees it. */
static char *copy_word(const char *at, size_t length)
{
    char *word = tool_allocate(length + 1);
    memcpy(word, at, length);
    return word;
}

static size_t word_length(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool expect_byte(struct parse *parse, char byte)
{
    skip_blanks(parse);
    if (*parse->at == byte) {
        parse->at++;
        return true;
    }
    return refuse(parse, parse->at, 1, "expected '%c' here", byte);
}

static const struct expect_metric *find_metric(const char *word)
{
    for (size_t i = 0; i < expect_metric_count; i++) {
        if (strcmp(expect_metrics[i].name, word) == 0) return &expect_metrics[i];
    }
    return NULL;
}

static bool find_aggregate(const char *word, enum expect_aggregate *aggregate)
{
    for (int i = EXPECT_MAX; i < EXPECT_AGGREGATE_COUNT; i++) {
        if (strcmp(expect_aggregate_names[i], word) != 0) continue;
        *aggregate = (enum expect_aggregate)i;
        return true;
    }
    return false;
}

static void suggest(const struct parse *parse, const char *word, const char *const *names,
                    size_t count, const char *what)
{
    const char *nearest = nearest_name(word, names, count);
    if (nearest != NULL) {
        diagnostic_hint(parse->place->diagnostics, "did you mean %s?", nearest);
        return;
    }
    struct text list = {0};
    for (size_t i = 0; i < count; i++)
        text_format(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    if (count > 0) diagnostic_hint(parse->place->diagnostics, "%s: %s", what, text_data(&list));
    text_free(&list);
}

static bool unknown_word(const struct parse *parse, const char *at, const char *word)
{
    size_t most = expect_metric_count + EXPECT_AGGREGATE_COUNT;
    const char **names = tool_allocate(most * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < expect_metric_count; i++)
        names[count++] = expect_metrics[i].name;
    refuse(parse, at, strlen(word), "no metric is called %s", word);
    for (int i = EXPECT_MAX; i < EXPECT_AGGREGATE_COUNT; i++)
        names[count++] = expect_aggregate_names[i];
    suggest(parse, word, names, count, "known");
    free(names);
    return false;
}

static bool parse_group(struct parse *parse, struct expect_term *term)
{
    skip_blanks(parse);
    const char *start = parse->at;
    size_t length = strcspn(start, "), ");
    term->group = -1;
    if (!term->metric->per_group) return true;
    char *name = copy_word(start, length);
    parse->at += length;
    term->group = scenario_find_group(parse->scenario, name);
    if (term->group < 0) {
        size_t count = (size_t)parse->scenario->group_count;
        const char **names = tool_allocate((count + 1) * sizeof *names);
        for (size_t i = 0; i < count; i++)
            names[i] = parse->scenario->groups[i].name;
        refuse(parse, start, length == 0 ? 1 : length,
               length == 0 ? "%s needs the name of a group" : "%s: there is no group %s",
               term->metric->name, name);
        suggest(parse, name, names, count, "groups");
        free(names);
    }
    free(name);
    return term->group >= 0;
}

/* ", cause" behind the group, in the words of the summary. */
static bool parse_cause(struct parse *parse, struct expect_term *term)
{
    skip_blanks(parse);
    term->cause = -1;
    if (*parse->at != ',' || !find_finding(term->metric, &term->finding)) return true;
    parse->at++;
    skip_blanks(parse);
    const char *start = parse->at;
    size_t length = strcspn(start, ")");
    while (length > 0 && start[length - 1] == ' ')
        length--;
    char *word = copy_word(start, length);
    const char *names[FINDING_CAUSE_COUNT];
    for (int32_t i = 0; i < FINDING_CAUSE_COUNT; i++) {
        names[i] = finding_cause_name((enum finding_cause)i);
        if (strcmp(names[i], word) == 0) term->cause = i;
    }
    parse->at += length;
    if (term->cause < 0) {
        if (length == 0) {
            refuse(parse, start, 1, "expected a cause here");
        } else {
            refuse(parse, start, length, "no cause is called %s", word);
        }
        suggest(parse, word, names, FINDING_CAUSE_COUNT, "causes");
    }
    free(word);
    return term->cause >= 0;
}

static void list_aggregates(struct text *text, const struct expect_metric *metric)
{
    const char *separator = "";
    for (int i = EXPECT_PLAIN; i < EXPECT_AGGREGATE_COUNT; i++) {
        if ((metric->aggregates >> i & 1u) == 0) continue;
        if (i == EXPECT_PLAIN) {
            text_format(text, "%s%s(…)", separator, metric->name);
        } else {
            text_format(text, "%s%s(%s%s(…))", separator, expect_aggregate_names[i],
                        i == EXPECT_AT ? "60s, " : "", metric->name);
        }
        separator = ", ";
    }
}

static bool check_aggregate(const struct parse *parse, const char *at,
                            const struct expect_term *term)
{
    if ((term->metric->aggregates >> term->aggregate & 1u) != 0) return true;
    if (term->aggregate == EXPECT_PLAIN) {
        refuse(parse, at, strlen(term->metric->name), "%s has many values", term->metric->name);
    } else {
        refuse(parse, at, strlen(term->metric->name), "%s has no %s", term->metric->name,
               expect_aggregate_names[term->aggregate]);
    }
    struct text list = {0};
    list_aggregates(&list, term->metric);
    diagnostic_hint(parse->place->diagnostics, "expected %s", text_data(&list));
    text_free(&list);
    return false;
}

static bool parse_metric(struct parse *parse, struct expect_term *term)
{
    skip_blanks(parse);
    const char *start = parse->at;
    size_t length = word_length(start);
    if (length == 0) return refuse(parse, start, 1, "expected a metric here");
    char *word = copy_word(start, length);
    term->metric = find_metric(word);
    bool known = term->metric != NULL || unknown_word(parse, start, word);
    free(word);
    if (!known) return false;
    parse->at += length;
    return check_aggregate(parse, start, term) && expect_byte(parse, '(') &&
           parse_group(parse, term) && parse_cause(parse, term) && expect_byte(parse, ')');
}

/* "at(90s, …" up to the comma. */
static bool parse_instant(struct parse *parse, struct expect_term *term)
{
    skip_blanks(parse);
    size_t length = strcspn(parse->at, ",) ");
    char *word = copy_word(parse->at, length);
    struct value_place place = *parse->place;
    place.at = position_of(parse, parse->at, length);
    bool good = value_parse(&place, QUANTITY_DURATION, word, 0, NULL, &term->at);
    free(word);
    parse->at += length;
    if (good && term->at > parse->scenario->duration_ns)
        good = refuse(parse, parse->at - length, length, "the run ends before that");
    return good && expect_byte(parse, ',');
}

static bool parse_call(struct parse *parse, struct expect_term *term)
{
    const char *start = parse->at;
    size_t length = word_length(start);
    char *word = copy_word(start, length);
    bool is_aggregate = find_aggregate(word, &term->aggregate);
    free(word);
    if (!is_aggregate) {
        term->aggregate = EXPECT_PLAIN;
        return parse_metric(parse, term);
    }
    parse->at += length;
    if (!expect_byte(parse, '(')) return false;
    if (term->aggregate == EXPECT_AT && !parse_instant(parse, term)) return false;
    return parse_metric(parse, term) && expect_byte(parse, ')');
}

static bool parse_term(struct parse *parse, struct expect_term *term, const char **constant)
{
    *term = (struct expect_term){.group = -1, .cause = -1};
    *constant = NULL;
    skip_blanks(parse);
    if (*parse->at >= '0' && *parse->at <= '9') {
        /* What it is worth is known when the other side's unit is. */
        *constant = parse->at;
        parse->at += strcspn(parse->at, " <>=!\n");
        return true;
    }
    if (word_length(parse->at) == 0)
        return refuse(parse, parse->at, 1, "expected a metric or a number here");
    return parse_call(parse, term);
}

static bool parse_comparison(struct parse *parse, enum expect_comparison *comparison)
{
    static const struct {
        const char *sign;
        enum expect_comparison comparison;
    } signs[] = {{">=", EXPECT_AT_LEAST}, {"<=", EXPECT_AT_MOST}, {"==", EXPECT_EQUAL},
                 {"!=", EXPECT_UNEQUAL},  {">", EXPECT_MORE},     {"<", EXPECT_LESS}};
    skip_blanks(parse);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        size_t length = strlen(signs[i].sign);
        if (strncmp(parse->at, signs[i].sign, length) != 0) continue;
        parse->at += length;
        *comparison = signs[i].comparison;
        return true;
    }
    refuse(parse, parse->at, 1, "expected a comparison here");
    diagnostic_hint(parse->place->diagnostics, "one of >=, <=, >, <, ==, !=");
    return false;
}

/* The number of one side, in the unit of the other. */
static bool parse_constant(const struct parse *parse, const char *constant, enum expect_unit unit,
                           double *value)
{
    static const struct {
        enum quantity quantity;
        double scale;
    } units[] = {[EXPECT_NUMBER] = {QUANTITY_DECIMAL, 1e3},
                 [EXPECT_DURATION] = {QUANTITY_DURATION, 1e9},
                 [EXPECT_RATE] = {QUANTITY_RATE, 1e3}};
    size_t length = strcspn(constant, " <>=!\n");
    char *word = copy_word(constant, length);
    struct value_place place = *parse->place;
    place.at = position_of(parse, constant, length);
    int64_t parsed = 0;
    bool good = value_parse(&place, units[unit].quantity, word, 0, NULL, &parsed);
    free(word);
    *value = (double)parsed / units[unit].scale;
    return good;
}

bool expect_parse(const struct value_place *place, const struct scenario *scenario,
                  const char *text, struct expect *expect)
{
    struct parse parse = {place, scenario, text, text};
    const char *left;
    const char *right;
    if (!parse_term(&parse, &expect->left, &left) || !parse_comparison(&parse, &expect->comparison))
        return false;
    skip_blanks(&parse);
    const char *right_start = parse.at;
    if (!parse_term(&parse, &expect->right, &right)) return false;
    skip_blanks(&parse);
    if (*parse.at != '\0') {
        refuse(&parse, parse.at, strlen(parse.at), "nothing more is expected here");
        diagnostic_hint(place->diagnostics, "one comparison a line");
        return false;
    }
    if (left != NULL && right != NULL)
        return refuse(&parse, text, strlen(text), "two numbers; at least one side is a metric");
    if (left != NULL)
        return parse_constant(&parse, left, expect->right.metric->unit, &expect->left.constant);
    if (right != NULL)
        return parse_constant(&parse, right, expect->left.metric->unit, &expect->right.constant);
    if (expect->left.metric->unit != expect->right.metric->unit)
        return refuse(&parse, right_start, strlen(right_start), "%s and %s have different units",
                      expect->left.metric->name, expect->right.metric->name);
    return true;
}

static bool value_of(const struct expect_term *term, expect_lookup *lookup, void *context,
                     double *value)
{
    *value = term->constant;
    return term->metric == NULL || lookup(context, term, value);
}

static bool holds(enum expect_comparison comparison, double left, double right)
{
    switch (comparison) {
    case EXPECT_AT_LEAST: return left >= right;
    case EXPECT_AT_MOST: return left <= right;
    case EXPECT_MORE: return left > right;
    case EXPECT_LESS: return left < right;
    case EXPECT_EQUAL: return !(left < right) && !(left > right);
    case EXPECT_UNEQUAL: return left < right || left > right;
    }
    return false;
}

struct expect_result expect_judge(const struct expect *expect, expect_lookup *lookup, void *context)
{
    struct expect_result result = {0};
    bool left_known = value_of(&expect->left, lookup, context, &result.left);
    bool right_known = value_of(&expect->right, lookup, context, &result.right);
    result.known = left_known && right_known;
    result.passed = result.known && holds(expect->comparison, result.left, result.right);
    return result;
}

void expect_write_page(struct text *text)
{
    static const char *const units[] = {
        [EXPECT_NUMBER] = "number", [EXPECT_DURATION] = "duration", [EXPECT_RATE] = "rate"};
    text_append(text, "| metric | unit | written as | what it is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < expect_metric_count; i++) {
        const struct expect_metric *metric = &expect_metrics[i];
        enum finding_kind finding;
        text_format(text, "| `%s(%s%s)` | %s | ", metric->name, metric->per_group ? "GROUP" : "",
                    find_finding(metric, &finding) ? "[, CAUSE]" : "", units[metric->unit]);
        list_aggregates(text, metric);
        text_format(text, " | %s |\n", metric->help);
    }
}
