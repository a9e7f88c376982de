/* tools/schema_hooks_lists.c: seeds, names and lists. */
#include "tools/schema_hooks.h"

#include "sim/check.h"
#include "tools/seed.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 10000

static void read_seed(struct reader *reader, const struct schema_field *field,
                      const struct node *node, void *base)
{
    struct scenario *scenario = base;
    if (!reader_is(reader, field->key, node, NODE_SCALAR, field->hooks->grammar)) return;
    if (seed_parse(node->text, &scenario->seed)) return;
    diagnostic_error(reader->diagnostics, node->at, "%s: expected %s", field->key,
                     field->hooks->grammar);
}

static void write_seed(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    const struct scenario *scenario = base;
    text_format(writer->out, " %" PRIu64, scenario->seed);
}

static json_t *seed_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:[{s:s, s:i}, {s:s, s:s}]}", "anyOf", "type", "integer", "minimum", 0,
                     "type", "string", "pattern", "^(auto|[0-9a-f]{40})$");
}

const struct schema_hooks hooks_seed = {
    .read = read_seed,
    .write = write_seed,
    .json = seed_json,
    .grammar = "a whole number, auto, or the 40 hex digits of a commit",
};

/* Names between brackets, on the line of the key. */
static void write_names(struct writer *writer, const char *const *names, int32_t count)
{
    text_append(writer->out, " [");
    for (int32_t i = 0; i < count; i++) {
        if (i > 0) text_append(writer->out, ", ");
        writer_text(writer, names[i]);
    }
    text_append(writer->out, "]");
}

static json_t *names_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:[{s:s, s:{s:s}, s:i}, {s:s}]}", "anyOf", "type", "array", "items", "type",
                     "string", "minItems", 1, "type", "string");
}

/* `none`, or names that are dealt to the brokers in turn. */
static void read_racks(struct reader *reader, const struct schema_field *field,
                       const struct node *node, void *base)
{
    struct scenario_cluster *cluster = base;
    cluster->racks = NULL;
    if (node->kind == NODE_SCALAR && node->plain && strcmp(node->text, "none") == 0) return;
    const struct node **items;
    size_t count;
    if (!reader_scalars(reader, field->key, node, true, &items, &count) || count == 0) return;
    if (count > (size_t)cluster->brokers) {
        diagnostic_error(reader->diagnostics, node->at, "%s: %zu racks for %" PRId32 " brokers",
                         field->key, count, cluster->brokers);
        return;
    }
    const char **racks = memory_keep(reader->memory, (size_t)cluster->brokers * sizeof *racks);
    for (size_t i = 0; i < (size_t)cluster->brokers; i++)
        racks[i] = reader_keep(reader, items[i % count]->text);
    cluster->racks = racks;
}

static void write_racks(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    const struct scenario_cluster *cluster = base;
    if (cluster->racks == NULL) {
        text_append(writer->out, " none");
    } else {
        write_names(writer, cluster->racks, cluster->brokers);
    }
}

const struct schema_hooks hooks_racks = {
    .read = read_racks,
    .write = write_racks,
    .json = names_json,
    .grammar = "none, or a list of rack names, dealt to the brokers in turn",
};

const struct scenario_topic *scenario_find_topic(const struct scenario *scenario, const char *name)
{
    for (int32_t i = 0; i < scenario->topic_count; i++) {
        if (strcmp(scenario->topics[i].name, name) == 0) return &scenario->topics[i];
    }
    return NULL;
}

const struct scenario_topic *reader_topic(struct reader *reader, const char *label,
                                          const struct node *node)
{
    if (!reader_is(reader, label, node, NODE_SCALAR, "the name of a topic")) return NULL;
    const struct scenario *scenario = reader->scenario;
    const struct scenario_topic *topic = scenario_find_topic(scenario, node->text);
    if (topic != NULL) return topic;
    struct text quoted = {0};
    value_quote(&quoted, node->text);
    diagnostic_error(reader->diagnostics, node->at, "%s: there is no topic %s", label,
                     text_data(&quoted));
    text_free(&quoted);
    size_t count = (size_t)scenario->topic_count;
    const char **names = tool_allocate((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = scenario->topics[i].name;
    reader_suggest(reader, node->text, names, count);
    free(names);
    return NULL;
}

/* A list of topics, in the order written, none twice. */
static void read_group_topics(struct reader *reader, const struct schema_field *field,
                              const struct node *node, void *base)
{
    struct scenario_group *group = base;
    const struct node **items;
    size_t count;
    if (!reader_scalars(reader, field->key, node, false, &items, &count)) return;
    if (count == 0) {
        diagnostic_error(reader->diagnostics, node->at, "%s: a group needs at least one topic",
                         field->key);
        return;
    }
    const char **topics = memory_keep(reader->memory, count * sizeof *topics);
    for (size_t i = 0; i < count; i++) {
        const struct scenario_topic *topic = reader_topic(reader, field->key, items[i]);
        if (topic == NULL) continue;
        bool is_second = false;
        for (int32_t before = 0; before < group->topic_count; before++)
            is_second = is_second || topics[before] == topic->name;
        if (is_second) {
            diagnostic_error(reader->diagnostics, items[i]->at, "%s: %s stands here twice",
                             field->key, topic->name);
            continue;
        }
        topics[group->topic_count++] = topic->name;
    }
    group->topics = topics;
}

static void write_group_topics(struct writer *writer, const struct schema_field *field,
                               const void *base)
{
    (void)field;
    const struct scenario_group *group = base;
    write_names(writer, group->topics, group->topic_count);
}

const struct schema_hooks hooks_group_topics = {
    .read = read_group_topics,
    .write = write_group_topics,
    .json = names_json,
    .grammar = "a list of topics of this scenario",
};

static void read_topic(struct reader *reader, const struct schema_field *field,
                       const struct node *node, void *base)
{
    const struct scenario_topic *topic = reader_topic(reader, field->key, node);
    if (topic != NULL) memcpy((char *)base + field->offset, &topic->name, sizeof topic->name);
}

static void write_topic(struct writer *writer, const struct schema_field *field, const void *base)
{
    const char *name;
    memcpy(&name, (const char *)base + field->offset, sizeof name);
    text_append(writer->out, " ");
    writer_text(writer, name);
}

static json_t *topic_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:s}", "type", "string");
}

const struct schema_hooks hooks_topic = {
    .read = read_topic,
    .write = write_topic,
    .json = topic_json,
    .grammar = "a topic of this scenario",
};

static void read_optional_topic(struct reader *reader, const struct schema_field *field,
                                const struct node *node, void *base)
{
    const char *none = NULL;
    memcpy((char *)base + field->offset, &none, sizeof none);
    if (node->kind == NODE_SCALAR && node->plain && strcmp(node->text, "none") == 0) return;
    read_topic(reader, field, node, base);
}

static void write_optional_topic(struct writer *writer, const struct schema_field *field,
                                 const void *base)
{
    const char *name;
    memcpy(&name, (const char *)base + field->offset, sizeof name);
    if (name == NULL) {
        text_append(writer->out, " none");
    } else {
        write_topic(writer, field, base);
    }
}

const struct schema_hooks hooks_optional_topic = {
    .read = read_optional_topic,
    .write = write_optional_topic,
    .json = topic_json,
    .grammar = "a topic of this scenario, or none",
};

static const struct schema_field hot_key_fields[] = {
    {.key = "key", .type = SCHEMA_TEXT, FIELD(hot_key, key), .help = "the key of these records"},
    {.key = "share",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_SHARE,
     FIELD(hot_key, share_ppm),
     .minimum = 1,
     .maximum = 1000000,
     .help = "their share of all records"},
    {.key = "salt",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_COUNT,
     FIELD(hot_key, salt),
     .preset = "1",
     .minimum = 1,
     .maximum = 10000,
     .help = "spread over this many salted keys"},
};
const struct schema_object schema_hot_key = {
    .name = "hot key",
    .help = "A key that more records have than chance would give it.",
    .fields = hot_key_fields,
    .field_count = ARRAY_LEN(hot_key_fields),
};

static void read_hot_keys(struct reader *reader, const struct schema_field *field,
                          const struct node *node, void *base)
{
    struct scenario_keys *keys = base;
    if (!reader_is(reader, field->key, node, NODE_LIST, field->hooks->grammar)) return;
    if (node->count > 1000) {
        diagnostic_error(reader->diagnostics, node->at, "%s: at most 1000 hot keys", field->key);
        return;
    }
    struct hot_key *hot = memory_keep(reader->memory, (node->count + 1) * sizeof *hot);
    int64_t total = 0;
    for (size_t i = 0; i < node->count; i++) {
        reader_object(reader, &schema_hot_key, node->items[i], field->key, &hot[i]);
        total += hot[i].share_ppm;
    }
    if (total > 1000000)
        diagnostic_error(reader->diagnostics, node->at, "%s: the shares are more than 100%%",
                         field->key);
    keys->hot = hot;
    keys->hot_count = (int32_t)node->count;
}

static void write_hot_keys(struct writer *writer, const struct schema_field *field,
                           const void *base)
{
    (void)field;
    const struct scenario_keys *keys = base;
    text_append(writer->out, " [");
    for (int32_t i = 0; i < keys->hot_count; i++) {
        text_append(writer->out, i == 0 ? "{key: " : ", {key: ");
        writer_text(writer, keys->hot[i].key);
        text_append(writer->out, ", share: ");
        writer_quantity(writer, QUANTITY_SHARE, keys->hot[i].share_ppm);
        text_format(writer->out, ", salt: %" PRId32 "}", keys->hot[i].salt);
    }
    text_append(writer->out, "]");
}

static json_t *hot_keys_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:s, s:{s:s, s:[s, s], s:b, s:{s:{s:s}, s:{s:s}, s:{s:s, s:i}}}}", "type",
                     "array", "items", "type", "object", "required", "key", "share",
                     "additionalProperties", 0, "properties", "key", "type", "string", "share",
                     "type", "string", "salt", "type", "integer", "minimum", 1);
}

const struct schema_hooks hooks_hot_keys = {
    .read = read_hot_keys,
    .write = write_hot_keys,
    .json = hot_keys_json,
    .grammar = "a list of {key: …, share: 60%, salt: 1}",
};

/* One weight for each partition of the producer's topic, or `none`. */
static void read_weights(struct reader *reader, const struct schema_field *field,
                         const struct node *node, void *base)
{
    struct scenario_producer *producer = base;
    producer->partition_weights = NULL;
    if (node->kind == NODE_SCALAR && node->plain && strcmp(node->text, "none") == 0) return;
    if (!reader_is(reader, field->key, node, NODE_LIST, field->hooks->grammar)) return;
    const struct scenario_topic *topic =
        producer->topic == NULL ? NULL : scenario_find_topic(reader->scenario, producer->topic);
    if (topic == NULL) return; /* reported already */
    if (node->count != (size_t)topic->partitions || node->count > LIST_MAX) {
        diagnostic_error(reader->diagnostics, node->at,
                         "%s: %zu weights for the %" PRId32 " partitions of %s", field->key,
                         node->count, topic->partitions, topic->name);
        return;
    }
    int64_t *weights = memory_keep(reader->memory, node->count * sizeof *weights);
    int64_t total = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (!reader_quantity(reader, field->key, node->items[i], QUANTITY_COUNT, 0, 1000000000,
                             &weights[i]))
            return;
        total += weights[i];
    }
    if (total == 0) {
        diagnostic_error(reader->diagnostics, node->at, "%s: every weight is 0", field->key);
        return;
    }
    producer->partition_weights = weights;
}

static void write_weights(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    const struct scenario_producer *producer = base;
    if (producer->partition_weights == NULL) {
        text_append(writer->out, " none");
        return;
    }
    const struct scenario_topic *topic = scenario_find_topic(writer->scenario, producer->topic);
    CHECK(topic != NULL);
    for (int32_t i = 0; i < topic->partitions; i++)
        text_format(writer->out, "%s%" PRId64, i == 0 ? " [" : ", ",
                    producer->partition_weights[i]);
    text_append(writer->out, "]");
}

static json_t *weights_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:[{s:s, s:{s:s, s:i}}, {s:s}]}", "anyOf", "type", "array", "items", "type",
                     "integer", "minimum", 0, "const", "none");
}

const struct schema_hooks hooks_weights = {
    .read = read_weights,
    .write = write_weights,
    .json = weights_json,
    .grammar = "none, or a list with one weight for each partition",
};
