/* tools/rate_yaml.c: how fast a producer sends, in scenario files.
 *
 *     900/s
 *     {points: [[0s, 100/s], [1m, 500/s]], linear: true, repeat: 10m}
 *     {ramp: {from: 100/s, to: 1000/s, over: 5m}}
 *     {burst: {base: 100/s, peak: 1000/s, every: 10m, for: 30s}}
 *     {daily: {low: 100/s, high: 900/s, peak_at: 14h}}
 *     {csv: traffic.csv}         lines of time,rate; times as 90s, bare ones in seconds
 *
 * All become points joined by steps or lines, which is also how a resolved scenario has them. */
#include "tools/schema_hooks.h"
#include "tools/source.h"

#include "sim/check.h"
#include "sim/time.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX   20000
#define CSV_SIZE_MAX (1024 * 1024)
#define RATE_MAX     INT64_C(1000000000000) /* 10^9 records a second, in thousandths */

/* (1 + cos(2 pi h / 24)) / 2 in thousandths: the share of the swing h hours away from the peak. */
static const int64_t daily_swing[24] = {1000, 983, 933, 854, 750, 629, 500, 371,
                                        250,  146, 67,  17,  0,   17,  67,  146,
                                        250,  371, 500, 629, 750, 854, 933, 983};

struct rate_reader {
    struct reader *reader;
    const char *label;
    struct scenario_rate rate;
    bool good;
};

static int64_t quantity_of(struct rate_reader *rate, const struct node *node, const char *key,
                           enum quantity quantity, int64_t minimum)
{
    int64_t value = minimum;
    int64_t maximum = quantity == QUANTITY_RATE ? RATE_MAX : DAYS(366);
    if (!reader_quantity(rate->reader, key, node, quantity, minimum, maximum, &value))
        rate->good = false;
    return value;
}

/* A parameter of a shape: `preset` NULL = required. */
static int64_t parameter(struct rate_reader *rate, const struct node *map, const char *key,
                         enum quantity quantity, int64_t minimum, const char *preset)
{
    const struct node *node = reader_written(map, key);
    if (node == NULL && preset != NULL)
        node = yaml_new_scalar(rate->reader->memory, map->at, preset);
    if (node != NULL) return quantity_of(rate, node, key, quantity, minimum);
    diagnostic_error(rate->reader->diagnostics, map->at, "%s: %s is missing", rate->label, key);
    rate->good = false;
    return minimum;
}

static void check_keys(struct rate_reader *rate, const struct node *map, const char *const *keys,
                       size_t count)
{
    for (size_t i = 0; i < map->count; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known = known || strcmp(map->entries[i].key, keys[k]) == 0;
        if (known) continue;
        diagnostic_error(rate->reader->diagnostics, map->entries[i].key_at, "unknown key %s in %s",
                         map->entries[i].key, rate->label);
        reader_suggest(rate->reader, map->entries[i].key, keys, count);
        rate->good = false;
    }
}

static struct rate_point *keep_points(struct rate_reader *rate, size_t count)
{
    struct rate_point *points = memory_keep(rate->reader->memory, count * sizeof *points);
    rate->rate.points = points;
    rate->rate.point_count = (int32_t)count;
    return points;
}

static void check_points(struct rate_reader *rate, struct position at)
{
    const struct rate_point *points = rate->rate.points;
    const char *why = NULL;
    if (points[0].at != 0) why = "the first point must be at 0s";
    for (int32_t i = 1; i < rate->rate.point_count; i++) {
        if (points[i].at <= points[i - 1].at) why = "the times must ascend";
    }
    sim_time last = points[rate->rate.point_count - 1].at;
    if (rate->rate.period_ns != 0 && rate->rate.period_ns <= last)
        why = "repeat must come after the last point";
    if (why == NULL) return;
    diagnostic_error(rate->reader->diagnostics, at, "%s: %s", rate->label, why);
    rate->good = false;
}

static void read_points(struct rate_reader *rate, const struct node *map)
{
    static const char *const keys[] = {"points", "linear", "repeat"};
    check_keys(rate, map, keys, ARRAY_LEN(keys));
    const struct node *list = reader_written(map, "points");
    if (!reader_is(rate->reader, "points", list, NODE_LIST, "a list of [time, rate]") ||
        list->count == 0 || list->count > POINTS_MAX) {
        if (list->kind == NODE_LIST)
            diagnostic_error(rate->reader->diagnostics, list->at, "points: expected 1 to %d points",
                             POINTS_MAX);
        rate->good = false;
        return;
    }
    struct rate_point *points = keep_points(rate, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct node *pair = list->items[i];
        if (!reader_is(rate->reader, "points", pair, NODE_LIST, "a pair [time, rate]") ||
            pair->count != 2) {
            if (pair->kind == NODE_LIST)
                diagnostic_error(rate->reader->diagnostics, pair->at,
                                 "points: expected [time, rate]");
            rate->good = false;
            return;
        }
        points[i].at = quantity_of(rate, pair->items[0], "time", QUANTITY_DURATION, 0);
        points[i].per_second_milli = quantity_of(rate, pair->items[1], "rate", QUANTITY_RATE, 0);
    }
    const struct node *linear = reader_written(map, "linear");
    if (linear != NULL && !reader_flag(rate->reader, "linear", linear, &rate->rate.linear))
        rate->good = false;
    const struct node *repeat = reader_written(map, "repeat");
    if (repeat != NULL)
        rate->rate.period_ns = quantity_of(rate, repeat, "repeat", QUANTITY_DURATION, 1);
    if (rate->good) check_points(rate, list->at);
}

static void read_ramp(struct rate_reader *rate, const struct node *map)
{
    static const char *const keys[] = {"from", "to", "over"};
    check_keys(rate, map, keys, ARRAY_LEN(keys));
    struct rate_point *points = keep_points(rate, 2);
    points[0].per_second_milli = parameter(rate, map, "from", QUANTITY_RATE, 0, NULL);
    points[1].per_second_milli = parameter(rate, map, "to", QUANTITY_RATE, 0, NULL);
    points[1].at = parameter(rate, map, "over", QUANTITY_DURATION, 1, NULL);
    rate->rate.linear = true;
}

static void read_burst(struct rate_reader *rate, const struct node *map)
{
    static const char *const keys[] = {"base", "peak", "every", "for"};
    check_keys(rate, map, keys, ARRAY_LEN(keys));
    struct rate_point *points = keep_points(rate, 2);
    points[0].per_second_milli = parameter(rate, map, "base", QUANTITY_RATE, 0, NULL);
    points[1].per_second_milli = parameter(rate, map, "peak", QUANTITY_RATE, 0, NULL);
    rate->rate.period_ns = parameter(rate, map, "every", QUANTITY_DURATION, 2, NULL);
    sim_time length = parameter(rate, map, "for", QUANTITY_DURATION, 1, NULL);
    /* The burst ends each period, so that a run does not begin with one. */
    points[1].at = rate->rate.period_ns - length;
    if (rate->good && points[1].at <= 0) {
        diagnostic_error(rate->reader->diagnostics, map->at, "%s: for must be shorter than every",
                         rate->label);
        rate->good = false;
    }
}

static void read_daily(struct rate_reader *rate, const struct node *map)
{
    static const char *const keys[] = {"low", "high", "peak_at"};
    check_keys(rate, map, keys, ARRAY_LEN(keys));
    int64_t low = parameter(rate, map, "low", QUANTITY_RATE, 0, NULL);
    int64_t high = parameter(rate, map, "high", QUANTITY_RATE, 0, NULL);
    sim_time peak_at = parameter(rate, map, "peak_at", QUANTITY_DURATION, 0, "14h");
    if (rate->good && (high < low || peak_at >= DAYS(1))) {
        diagnostic_error(rate->reader->diagnostics, map->at, "%s: %s", rate->label,
                         high < low ? "low is above high" : "peak_at is not within a day");
        rate->good = false;
    }
    struct rate_point *points = keep_points(rate, 24);
    int32_t peak_hour = (int32_t)(peak_at / HOURS(1)) % 24;
    for (int32_t hour = 0; hour < 24; hour++) {
        int32_t away = (hour - peak_hour + 24) % 24;
        points[hour].at = HOURS(hour);
        points[hour].per_second_milli = low + (high - low) / 1000 * daily_swing[away];
    }
    rate->rate.linear = true;
    rate->rate.period_ns = DAYS(1);
}

/* One line of the file, cut at its comma. False at the end of the text. */
static bool next_line(char **at, char **time, char **value)
{
    if (**at == '\0') return false;
    *time = *at;
    size_t length = strcspn(*at, "\n");
    *at += length;
    if (**at == '\n') *(*at)++ = '\0';
    (*time)[strcspn(*time, "\r")] = '\0';
    *value = strchr(*time, ',');
    if (*value != NULL) *(*value)++ = '\0';
    return true;
}

static void read_csv_points(struct rate_reader *rate, const struct source_text *source)
{
    struct rate_point *points =
        memory_keep(rate->reader->memory, POINTS_MAX * sizeof(struct rate_point));
    size_t count = 0;
    char *at = source->data;
    char *time;
    char *value;
    for (int32_t line = 1; rate->good && next_line(&at, &time, &value); line++) {
        struct value_place place = {rate->reader->diagnostics,
                                    {.source = source->source, .line = line, .column = 1},
                                    "time"};
        bool is_header = line == 1 && (time[0] < '0' || time[0] > '9');
        if (is_header || time[0] == '\0' || time[0] == '#') continue;
        if (value == NULL || count == POINTS_MAX) {
            diagnostic_error(place.diagnostics, place.at, "%s",
                             value == NULL ? "expected time,rate" : "more than 20000 points");
            rate->good = false;
            break;
        }
        rate->good =
            value_parse(&place, QUANTITY_DURATION, time, SECONDS(1), NULL, &points[count].at);
        place.label = "rate";
        place.at.column += (int32_t)strlen(time) + 1;
        rate->good = rate->good && value_parse(&place, QUANTITY_RATE, value, 1000, NULL,
                                               &points[count].per_second_milli);
        count++;
    }
    rate->rate.points = points;
    rate->rate.point_count = (int32_t)count;
    rate->rate.linear = true;
    struct position start = {.source = source->source, .line = 1, .column = 1};
    if (rate->good && count == 0) {
        diagnostic_error(rate->reader->diagnostics, start, "no line with time,rate");
        rate->good = false;
    }
    if (rate->good) check_points(rate, start);
}

static void read_csv(struct rate_reader *rate, const struct node *node)
{
    const char *name;
    rate->good = reader_text(rate->reader, "csv", node, &name);
    if (!rate->good) return;
    struct text path = {0};
    reader_path(rate->reader, name, &path);
    struct source_text source;
    rate->good = source_read(rate->reader->diagnostics, text_data(&path), CSV_SIZE_MAX, &source);
    text_free(&path);
    if (!rate->good) {
        diagnostic_note(rate->reader->diagnostics, node->at, "named here");
        return;
    }
    read_csv_points(rate, &source);
    free(source.data);
}

static void read_shape(struct rate_reader *rate, const struct node *node)
{
    static const struct {
        const char *word;
        void (*read)(struct rate_reader *rate, const struct node *map);
    } shapes[] = {{"ramp", read_ramp}, {"burst", read_burst}, {"daily", read_daily}};
    static const char *const words[] = {"points", "ramp", "burst", "daily", "csv"};
    rate->good = false;
    if (reader_written(node, "points") != NULL) {
        rate->good = true;
        read_points(rate, node);
        return;
    }
    if (node->count != 1) {
        diagnostic_error(rate->reader->diagnostics, node->at, "%s: expected %s", rate->label,
                         hooks_rate.grammar);
        return;
    }
    const struct entry *entry = &node->entries[0];
    if (strcmp(entry->key, "csv") == 0) {
        read_csv(rate, entry->value);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (strcmp(entry->key, shapes[i].word) != 0) continue;
        rate->good = reader_is(rate->reader, entry->key, entry->value, NODE_MAP, "a map");
        if (rate->good) shapes[i].read(rate, entry->value);
        return;
    }
    diagnostic_error(rate->reader->diagnostics, entry->key_at, "%s: no shape is called %s",
                     rate->label, entry->key);
    reader_suggest(rate->reader, entry->key, words, ARRAY_LEN(words));
}

static void read_rate(struct reader *reader, const struct schema_field *field,
                      const struct node *node, void *base)
{
    struct scenario_producer *producer = base;
    struct rate_reader rate = {.reader = reader, .label = field->key, .good = true};
    if (node->kind == NODE_MAP) {
        read_shape(&rate, node);
    } else if (reader_is(reader, field->key, node, NODE_SCALAR, field->hooks->grammar)) {
        struct rate_point *points = keep_points(&rate, 1);
        points[0].per_second_milli = quantity_of(&rate, node, field->key, QUANTITY_RATE, 0);
    }
    if (rate.good) producer->rate = rate.rate;
}

static void write_rate(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    const struct scenario_producer *producer = base;
    const struct scenario_rate *rate = &producer->rate;
    text_append(writer->out, " ");
    if (rate->point_count == 1 && rate->period_ns == 0 && !rate->linear) {
        writer_quantity(writer, QUANTITY_RATE, rate->points[0].per_second_milli);
        return;
    }
    text_append(writer->out, "{points: [[");
    for (int32_t i = 0; i < rate->point_count; i++) {
        if (i > 0) text_append(writer->out, "], [");
        writer_quantity(writer, QUANTITY_DURATION, rate->points[i].at);
        text_append(writer->out, ", ");
        writer_quantity(writer, QUANTITY_RATE, rate->points[i].per_second_milli);
    }
    text_format(writer->out, "]], linear: %s", rate->linear ? "true" : "false");
    if (rate->period_ns != 0) {
        text_append(writer->out, ", repeat: ");
        writer_quantity(writer, QUANTITY_DURATION, rate->period_ns);
    }
    text_append(writer->out, "}");
}

static json_t *rate_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:[{s:s, s:s}, {s:s, s:i, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
                     "s:{s:s}, s:{s:s}}, s:b}]}",
                     "anyOf", "type", "string", "pattern", value_pattern(QUANTITY_RATE), "type",
                     "object", "minProperties", 1, "properties", "points", "type", "array",
                     "linear", "type", "boolean", "repeat", "type", "string", "ramp", "type",
                     "object", "burst", "type", "object", "daily", "type", "object", "csv", "type",
                     "string", "additionalProperties", 0);
}

const struct schema_hooks hooks_rate = {
    .read = read_rate,
    .write = write_rate,
    .json = rate_json,
    .grammar = "a rate such as 900/s, or one of {points: …}, {ramp: …}, {burst: …}, {daily: …}, "
               "{csv: …}",
};
