/* tools/distribution_yaml.c: distributions in scenario files.
 *
 *     2ms   {uniform: {low: 1ms, high: 3ms}}   {empirical: [[1ms, 90], [50ms, 10]]} */
#include "tools/reader.h"
#include "tools/writer.h"

#include "sim/check.h"

#include <inttypes.h>
#include <string.h>

#define EMPIRICAL_MAX 1000

/* What the two numbers of struct distribution are called. */
struct parameter {
    const char *key;
    bool is_number; /* in thousandths; otherwise in the distribution's own unit */
    int64_t minimum;
};

static const struct shape {
    const char *word;
    enum distribution_kind kind;
    struct parameter a;
    struct parameter b; /* key NULL = none */
} shapes[] = {
    {"uniform", DISTRIBUTION_UNIFORM, {"low", false, 0}, {"high", false, 0}},
    {"exponential", DISTRIBUTION_EXPONENTIAL, {"mean", false, 0}, {NULL, false, 0}},
    {"normal", DISTRIBUTION_NORMAL, {"mean", false, 0}, {"deviation", false, 0}},
    {"lognormal", DISTRIBUTION_LOGNORMAL, {"median", false, 1}, {"p99", false, 1}},
    {"gamma", DISTRIBUTION_GAMMA, {"mean", false, 0}, {"shape", true, 1}},
    {"pareto", DISTRIBUTION_PARETO, {"minimum", false, 1}, {"alpha", true, 1}},
    {"empirical", DISTRIBUTION_EMPIRICAL, {NULL, false, 0}, {NULL, false, 0}},
    {"constant", DISTRIBUTION_CONSTANT, {NULL, false, 0}, {NULL, false, 0}},
};

static const struct shape *shape_of(enum distribution_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (shapes[i].kind == kind) return &shapes[i];
    }
    CHECK(false);
    return NULL;
}

/* What a distribution of a label is read with. */
struct place {
    struct reader *reader;
    const char *label;
    const struct schema_field *field;
};

static bool read_value(const struct place *place, const struct node *node, int64_t minimum,
                       int64_t *value)
{
    const struct schema_field field = {.key = place->label,
                                       .type = SCHEMA_QUANTITY,
                                       .quantity = place->field->quantity,
                                       .width = sizeof(int64_t),
                                       .suggest = place->field->suggest,
                                       .minimum = minimum,
                                       .maximum = place->field->maximum};
    int64_t read = -1;
    reader_field(place->reader, &field, node, &read);
    if (read < 0) return false;
    *value = read;
    return true;
}

static bool read_parameter(const struct place *place, const struct node *map,
                           const struct parameter *parameter, int64_t *value)
{
    if (parameter->key == NULL) return true;
    const struct node *node = reader_written(map, parameter->key);
    if (node == NULL) {
        diagnostic_error(place->reader->diagnostics, map->at, "%s: %s is missing", place->label,
                         parameter->key);
        return false;
    }
    if (parameter->is_number)
        return reader_quantity(place->reader, parameter->key, node, QUANTITY_DECIMAL,
                               parameter->minimum, 1000000, value);
    return read_value(place, node, parameter->minimum, value);
}

static void check_keys(const struct place *place, const struct node *map, const struct shape *shape)
{
    const char *names[2];
    size_t count = 0;
    names[count++] = shape->a.key;
    if (shape->b.key != NULL) names[count++] = shape->b.key;
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        bool known = false;
        for (size_t n = 0; n < count; n++)
            known = known || strcmp(entry->key, names[n]) == 0;
        if (known) continue;
        diagnostic_error(place->reader->diagnostics, entry->key_at, "%s: %s has no %s",
                         place->label, shape->word, entry->key);
        reader_suggest(place->reader, entry->key, names, count);
    }
}

static bool read_empirical(const struct place *place, const struct node *node,
                           struct distribution *value)
{
    struct reader *reader = place->reader;
    if (!reader_is(reader, place->label, node, NODE_LIST, "a list of [value, weight]"))
        return false;
    if (node->count == 0 || node->count > EMPIRICAL_MAX) {
        diagnostic_error(reader->diagnostics, node->at,
                         "%s: empirical has 1 to %d pairs of [value, weight]", place->label,
                         EMPIRICAL_MAX);
        return false;
    }
    /* The weights stay behind the values: the alias table cannot give them back, and a resolved
     * scenario needs them. */
    int64_t *values = memory_keep(reader->memory, 2 * node->count * sizeof *values);
    uint64_t *weights = memory_keep(reader->memory, node->count * sizeof *weights);
    int64_t total = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *pair = node->items[i];
        if (!reader_is(reader, place->label, pair, NODE_LIST, "a pair [value, weight]"))
            return false;
        if (pair->count != 2) {
            diagnostic_error(reader->diagnostics, pair->at, "%s: expected [value, weight]",
                             place->label);
            return false;
        }
        int64_t *weight = &values[node->count + i];
        if (!read_value(place, pair->items[0], 0, &values[i])) return false;
        if (!reader_quantity(reader, "weight", pair->items[1], QUANTITY_COUNT, 0, 1000000000,
                             weight))
            return false;
        weights[i] = (uint64_t)*weight;
        total += *weight;
    }
    if (total == 0) {
        diagnostic_error(reader->diagnostics, node->at, "%s: every weight is 0", place->label);
        return false;
    }
    value->values = values;
    value->table = alias_table_new(reader->memory, weights, node->count);
    return true;
}

static bool check_order(const struct place *place, const struct node *map,
                        const struct shape *shape, const struct distribution *value)
{
    bool ordered = shape->kind == DISTRIBUTION_UNIFORM || shape->kind == DISTRIBUTION_LOGNORMAL;
    if (!ordered || value->a <= value->b) return true;
    diagnostic_error(place->reader->diagnostics, map->at, "%s: %s is above %s", place->label,
                     shape->a.key, shape->b.key);
    return false;
}

bool reader_distribution(struct reader *reader, const struct schema_field *field,
                         const struct node *node, struct distribution *value)
{
    const char *label = field->key;
    struct place place = {reader, label, field};
    struct distribution read = {.kind = DISTRIBUTION_CONSTANT};
    if (node->kind == NODE_SCALAR) {
        if (!read_value(&place, node, 0, &read.a)) return false;
        *value = read;
        return true;
    }
    if (!reader_is(reader, label, node, NODE_MAP, "a value or a distribution")) return false;
    const char *words[ARRAY_LEN(shapes)];
    const struct shape *shape = NULL;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        words[i] = shapes[i].word;
        if (node->count == 1 && strcmp(node->entries[0].key, words[i]) == 0) shape = &shapes[i];
    }
    if (node->count != 1) {
        diagnostic_error(reader->diagnostics, node->at, "%s: a distribution is a map of one key",
                         label);
        diagnostic_hint(reader->diagnostics, "for example {uniform: {low: …, high: …}}");
        return false;
    }
    if (shape == NULL) {
        diagnostic_error(reader->diagnostics, node->entries[0].key_at,
                         "%s: no distribution is called %s", label, node->entries[0].key);
        reader_suggest(reader, node->entries[0].key, words, ARRAY_LEN(words));
        return false;
    }
    const struct node *inner = node->entries[0].value;
    read.kind = shape->kind;
    bool good;
    if (shape->kind == DISTRIBUTION_EMPIRICAL) {
        good = read_empirical(&place, inner, &read);
    } else if (shape->kind == DISTRIBUTION_CONSTANT) {
        good = read_value(&place, inner, 0, &read.a);
    } else {
        if (!reader_is(reader, label, inner, NODE_MAP, "a map of parameters")) return false;
        check_keys(&place, inner, shape);
        good = read_parameter(&place, inner, &shape->a, &read.a);
        good = read_parameter(&place, inner, &shape->b, &read.b) && good;
        good = good && check_order(&place, inner, shape, &read);
    }
    if (good) *value = read;
    return good;
}

static void write_parameter(struct writer *writer, const struct parameter *parameter,
                            enum quantity quantity, int64_t value)
{
    text_format(writer->out, "%s: ", parameter->key);
    writer_quantity(writer, parameter->is_number ? QUANTITY_DECIMAL : quantity, value);
}

void writer_distribution(struct writer *writer, enum quantity quantity,
                         const struct distribution *distribution)
{
    const struct shape *shape = shape_of(distribution->kind);
    if (shape->kind == DISTRIBUTION_CONSTANT) {
        writer_quantity(writer, quantity, distribution->a);
        return;
    }
    text_format(writer->out, "{%s: ", shape->word);
    if (shape->kind == DISTRIBUTION_EMPIRICAL) {
        size_t count = alias_table_count(distribution->table);
        for (size_t i = 0; i < count; i++) {
            text_append(writer->out, i == 0 ? "[[" : "], [");
            writer_quantity(writer, quantity, distribution->values[i]);
            text_format(writer->out, ", %" PRId64, distribution->values[count + i]);
        }
        text_append(writer->out, "]]}");
        return;
    }
    text_append(writer->out, "{");
    write_parameter(writer, &shape->a, quantity, distribution->a);
    if (shape->b.key != NULL) {
        text_append(writer->out, ", ");
        write_parameter(writer, &shape->b, quantity, distribution->b);
    }
    text_append(writer->out, "}}");
}
