/* tools/reader.c: from a YAML tree to structs, as the schema says. */
#include "tools/reader.h"

#include "sim/check.h"
#include "tools/properties.h"

#include <stdlib.h>
#include <string.h>

#define NAME_LENGTH_MAX 249 /* Kafka's bound on topic names (Topic.MAX_NAME_LENGTH) */

const char *reader_keep(struct reader *reader, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_keep(reader->memory, size);
    memcpy(copy, text, size);
    return copy;
}

void reader_path(const struct reader *reader, const char *name, struct text *path)
{
    bool is_elsewhere = name[0] != '/' && strcmp(reader->directory, ".") != 0;
    if (is_elsewhere) text_format(path, "%s/", reader->directory);
    text_append(path, name);
}

const struct node *reader_written(const struct node *map, const char *key)
{
    const struct entry *entry = yaml_find(map, key);
    return entry == NULL ? NULL : entry->value;
}

struct position reader_place(const struct node *map, const char *key)
{
    const struct entry *entry = yaml_find(map, key);
    if (entry != NULL) return entry->key_at;
    if (map == NULL) return (struct position){0};
    return map->at;
}

void reader_suggest(struct reader *reader, const char *word, const char *const *names, size_t count)
{
    const char *nearest = nearest_name(word, names, count);
    if (nearest != NULL) {
        diagnostic_hint(reader->diagnostics, "did you mean %s?", nearest);
        return;
    }
    if (count == 0) return;
    if (count > 32) {
        diagnostic_hint(reader->diagnostics, "cohort help scenario lists them all");
        return;
    }
    struct text list = {0};
    for (size_t i = 0; i < count; i++)
        text_format(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    diagnostic_hint(reader->diagnostics, "known: %s", text_data(&list));
    text_free(&list);
}

/* "members: expected a whole number such as 15, found text". */
static void refuse(struct reader *reader, const char *label, const struct node *node,
                   const char *expected)
{
    struct text found = {0};
    text_append(&found, yaml_describe(node));
    if (node->kind == NODE_SCALAR && !(node->plain && node->text[0] == '\0')) {
        text_append(&found, node->plain ? " " : " \"");
        value_quote(&found, node->text);
        if (!node->plain) text_append(&found, "\"");
    }
    diagnostic_error(reader->diagnostics, node->at, "%s: expected %s, found %s", label, expected,
                     text_data(&found));
    text_free(&found);
}

bool reader_is(struct reader *reader, const char *label, const struct node *node,
               enum node_kind kind, const char *expected)
{
    bool is_nothing = node->kind == NODE_SCALAR && node->plain && node->text[0] == '\0';
    if (node->kind == kind && !(kind == NODE_SCALAR && is_nothing)) return true;
    refuse(reader, label, node, expected);
    return false;
}

bool reader_quantity(struct reader *reader, const char *label, const struct node *node,
                     enum quantity quantity, int64_t minimum, int64_t maximum, int64_t *value)
{
    const struct schema_field field = {.key = label,
                                       .type = SCHEMA_QUANTITY,
                                       .quantity = quantity,
                                       .width = sizeof(int64_t),
                                       .minimum = minimum,
                                       .maximum = maximum};
    int64_t read = INT64_MIN;
    reader_field(reader, &field, node, &read);
    if (read == INT64_MIN) return false;
    *value = read;
    return true;
}

/* YAML 1.2 core schema; what YAML 1.1 also took for truth is named in the hint. */
static bool read_flag(struct reader *reader, const char *label, const struct node *node,
                      bool quoted_flags, bool *value)
{
    static const char *const truths[] = {"true", "True", "TRUE"};
    static const char *const lies[] = {"false", "False", "FALSE"};
    static const char *const old_truths[] = {"yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "1"};
    static const char *const old_lies[] = {"no", "No", "NO", "off", "Off", "OFF", "n", "N", "0"};
    if (node->kind == NODE_SCALAR && (node->plain || quoted_flags)) {
        for (size_t i = 0; i < ARRAY_LEN(truths); i++) {
            if (strcmp(node->text, truths[i]) == 0) {
                *value = true;
                return true;
            }
            if (strcmp(node->text, lies[i]) == 0) {
                *value = false;
                return true;
            }
        }
    }
    refuse(reader, label, node, "true or false");
    for (size_t i = 0; node->kind == NODE_SCALAR && i < ARRAY_LEN(old_truths); i++) {
        bool is_true = strcmp(node->text, old_truths[i]) == 0;
        if (!is_true && strcmp(node->text, old_lies[i]) != 0) continue;
        diagnostic_hint(reader->diagnostics, "did you mean %s?", is_true ? "true" : "false");
    }
    return false;
}

bool reader_flag(struct reader *reader, const char *label, const struct node *node, bool *value)
{
    return read_flag(reader, label, node, false, value);
}

bool reader_text(struct reader *reader, const char *label, const struct node *node,
                 const char **value)
{
    /* Quotes make a text of anything, even of nothing. */
    bool is_quoted = node->kind == NODE_SCALAR && !node->plain;
    if (!is_quoted && !reader_is(reader, label, node, NODE_SCALAR, "a text")) return false;
    *value = reader_keep(reader, node->text);
    return true;
}

static const struct node **keep_scalar(struct reader *reader, const struct node **items,
                                       size_t count, const struct node *node)
{
    /* Doubles at powers of two. */
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : count * 2;
        const struct node **larger = memory_keep(reader->memory, capacity * sizeof *larger);
        if (count > 0) memcpy(larger, items, count * sizeof *larger);
        items = larger;
    }
    items[count] = node;
    return items;
}

/* "range, cooperative-sticky": one node for each, at its own column. */
static void split_commas(struct reader *reader, const struct node *node, const struct node ***items,
                         size_t *count)
{
    const char *at = node->text;
    while (*at != '\0') {
        size_t skipped = strspn(at, ", ");
        at += skipped;
        size_t length = strcspn(at, ",");
        size_t trimmed = length;
        while (trimmed > 0 && at[trimmed - 1] == ' ')
            trimmed--;
        if (trimmed > 0) {
            struct position place = node->at;
            place.column += (int32_t)(at - node->text) + (node->plain ? 0 : 1);
            place.width = (int32_t)trimmed;
            char *word = memory_keep(reader->memory, trimmed + 1);
            memcpy(word, at, trimmed);
            *items =
                keep_scalar(reader, *items, *count, yaml_new_scalar(reader->memory, place, word));
            (*count)++;
        }
        at += length;
    }
}

bool reader_scalars(struct reader *reader, const char *label, const struct node *node, bool commas,
                    const struct node ***items, size_t *count)
{
    *items = NULL;
    *count = 0;
    if (node->kind == NODE_SCALAR) {
        if (!reader_is(reader, label, node, NODE_SCALAR, "a list of names")) return false;
        if (commas) {
            split_commas(reader, node, items, count);
        } else {
            *items = keep_scalar(reader, *items, (*count)++, node);
        }
        return true;
    }
    if (!reader_is(reader, label, node, NODE_LIST, "a list of names")) return false;
    bool complete = true;
    for (size_t i = 0; i < node->count; i++) {
        if (reader_is(reader, label, node->items[i], NODE_SCALAR, "a name")) {
            *items = keep_scalar(reader, *items, *count, node->items[i]);
            (*count)++;
        } else {
            complete = false;
        }
    }
    return complete;
}

static void store_integer(const struct schema_field *field, void *base, int64_t value)
{
    char *at = (char *)base + field->offset;
    if (field->width == sizeof(int32_t)) {
        int32_t narrow = (int32_t)value;
        memcpy(at, &narrow, sizeof narrow);
    } else {
        CHECK(field->width == sizeof(int64_t));
        memcpy(at, &value, sizeof value);
    }
}

static bool read_word(const struct schema_field *field, const struct node *node, int64_t *value)
{
    if (node->kind != NODE_SCALAR) return false;
    for (size_t i = 0; i < field->word_count; i++) {
        if (strcmp(node->text, field->words[i].word) != 0) continue;
        *value = field->words[i].value;
        return true;
    }
    return false;
}

static void refuse_field(struct reader *reader, const struct schema_field *field,
                         const struct node *node)
{
    struct text expected = {0};
    schema_expectation(&expected, field);
    refuse(reader, field->key, node, text_data(&expected));
    text_free(&expected);
}

static void read_quantity(struct reader *reader, const struct schema_field *field,
                          const struct node *node, bool quoted_numbers, void *base)
{
    int64_t value;
    if (read_word(field, node, &value)) {
        store_integer(field, base, value);
        return;
    }
    bool is_text = node->kind == NODE_SCALAR && !node->plain && !quoted_numbers;
    bool is_number = field->quantity == QUANTITY_COUNT || field->quantity == QUANTITY_DECIMAL;
    if (node->kind != NODE_SCALAR || node->text[0] == '\0' || (is_text && is_number)) {
        refuse_field(reader, field, node);
        return;
    }
    struct value_place place = {reader->diagnostics, node->at, field->key};
    if (!value_parse(&place, field->quantity, node->text, field->bare, field->suggest, &value))
        return;
    int64_t scale = field->scale == 0 ? 1 : field->scale;
    if (value % scale != 0) {
        struct text step = {0};
        value_format(&step, field->quantity, scale);
        diagnostic_error(reader->diagnostics, node->at, "%s: %s is finer than %s, its unit",
                         field->key, node->text, text_data(&step));
        text_free(&step);
        return;
    }
    value /= scale;
    if (value < field->minimum || value > field->maximum) {
        struct text expected = {0};
        schema_expectation(&expected, field);
        diagnostic_error(reader->diagnostics, node->at, "%s: %s is out of range", field->key,
                         node->text);
        diagnostic_hint(reader->diagnostics, "expected %s", text_data(&expected));
        text_free(&expected);
        return;
    }
    store_integer(field, base, value);
}

static void read_enum(struct reader *reader, const struct schema_field *field,
                      const struct node *node, void *base)
{
    int64_t value;
    if (read_word(field, node, &value)) {
        store_integer(field, base, value);
        return;
    }
    refuse_field(reader, field, node);
    if (node->kind != NODE_SCALAR) return;
    const char *words[32];
    CHECK(field->word_count <= ARRAY_LEN(words));
    for (size_t i = 0; i < field->word_count; i++)
        words[i] = field->words[i].word;
    const char *nearest = nearest_name(node->text, words, field->word_count);
    if (nearest != NULL) diagnostic_hint(reader->diagnostics, "did you mean %s?", nearest);
}

static bool check_name(struct reader *reader, const struct entry *entry)
{
    const char *name = entry->key;
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "._-");
    if (name[length] == '\0' && length > 0 && length <= NAME_LENGTH_MAX) return true;
    struct text quoted = {0};
    value_quote(&quoted, name);
    diagnostic_error(reader->diagnostics, entry->key_at, "\"%s\" cannot be a name",
                     text_data(&quoted));
    diagnostic_hint(reader->diagnostics, "a name has 1 to 249 of the characters a-z A-Z 0-9 . _ -");
    text_free(&quoted);
    return false;
}

static void read_map(struct reader *reader, const struct schema_field *field,
                     const struct node *node, void *base)
{
    if (!reader_is(reader, field->key, node, NODE_MAP, "a map of names")) return;
    char *elements = NULL;
    if (node->count > 0) elements = memory_keep(reader->memory, node->count * field->element_size);
    int32_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct entry *entry = &node->entries[i];
        if (!check_name(reader, entry)) continue;
        char *element = elements + (size_t)count * field->element_size;
        const char *name = reader_keep(reader, entry->key);
        memcpy(element, &name, sizeof name);
        /* Published one by one, so that a later one can look up an earlier one. */
        count++;
        memcpy((char *)base + field->offset, &elements, sizeof elements);
        memcpy((char *)base + field->count_offset, &count, sizeof count);
        bool is_nothing = entry->value->kind == NODE_SCALAR && entry->value->text[0] == '\0';
        reader_object(reader, field->object,
                      is_nothing ? yaml_new_map(reader->memory, entry->key_at) : entry->value, name,
                      element);
    }
}

/* Text that `none` turns into NULL, if the field allows it. */
static void read_text(struct reader *reader, const struct schema_field *field,
                      const struct node *node, void *base)
{
    const char *value = NULL;
    bool is_none = field->optional && node->kind == NODE_SCALAR && node->plain &&
                   strcmp(node->text, "none") == 0;
    if (!is_none && !reader_text(reader, field->key, node, &value)) return;
    memcpy((char *)base + field->offset, &value, sizeof value);
}

static void read_object(struct reader *reader, const struct schema_object *object,
                        const struct node *node, const char *label, void *base, bool keeps);

static void read_field(struct reader *reader, const struct schema_field *field,
                       const struct node *node, bool quoted_numbers, void *base)
{
    switch (field->type) {
    case SCHEMA_FLAG: {
        bool value;
        if (read_flag(reader, field->key, node, quoted_numbers, &value))
            memcpy((char *)base + field->offset, &value, sizeof value);
        break;
    }
    case SCHEMA_TEXT: read_text(reader, field, node, base); break;
    case SCHEMA_ENUM: read_enum(reader, field, node, base); break;
    case SCHEMA_QUANTITY: read_quantity(reader, field, node, quoted_numbers, base); break;
    case SCHEMA_DISTRIBUTION: {
        struct distribution *value = (void *)((char *)base + field->offset);
        reader_distribution(reader, field, node, value);
        break;
    }
    case SCHEMA_OBJECT:
        read_object(reader, field->object, node, field->key, (char *)base + field->offset,
                    field->keeps);
        break;
    case SCHEMA_MAP: read_map(reader, field, node, base); break;
    case SCHEMA_CUSTOM: field->hooks->read(reader, field, node, base); break;
    }
}

void reader_field(struct reader *reader, const struct schema_field *field, const struct node *node,
                  void *base)
{
    read_field(reader, field, node, false, base);
}

static void read_preset(struct reader *reader, const struct schema_field *field, void *base)
{
    if (strcmp(field->preset, PRESET_PREPARED) == 0) return;
    struct node *node;
    if (strchr("[{\"", field->preset[0]) != NULL && field->preset[0] != '\0') {
        node = yaml_parse(reader->memory, reader->diagnostics, 0, field->preset,
                          strlen(field->preset), 1);
    } else {
        node = yaml_new_scalar(reader->memory, (struct position){0}, field->preset);
    }
    size_t errors = diagnostics_errors(reader->diagnostics);
    read_field(reader, field, node, true, base);
    CHECK(diagnostics_errors(reader->diagnostics) == errors); /* our own table is wrong */
}

/* Kafka's clients and brokers know hundreds of settings; those without a counterpart here. */
static bool is_unused(const struct schema_object *object, const char *key)
{
    for (size_t i = 0; i < object->unused_count; i++) {
        const char *name = object->unused[i];
        size_t length = strlen(name);
        if (name[length - 1] == '*' ? strncmp(name, key, length - 1) == 0 : strcmp(name, key) == 0)
            return true;
    }
    return false;
}

/* linger.ms under a group: Kafka knows it, but of producers. */
static bool hint_other_config(struct reader *reader, const char *key)
{
    static const struct {
        const struct schema_object *object;
        const char *place;
    } others[] = {{&schema_consumer_config, "groups.NAME.config"},
                  {&schema_producer_config, "producers.NAME.config"},
                  {&schema_broker_config, "cluster.config"},
                  {&schema_topic_config, "topics.NAME.config"}};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (schema_find(others[i].object, key) == NULL) continue;
        diagnostic_hint(reader->diagnostics, "it belongs under %s", others[i].place);
        return true;
    }
    return false;
}

static void unknown_key(struct reader *reader, const struct schema_object *object,
                        const char *label, const struct entry *entry)
{
    if (is_unused(object, entry->key)) {
        diagnostic_warning(reader->diagnostics, entry->key_at,
                           "%s has no effect here: Cohort does not model it", entry->key);
        return;
    }
    if (strcmp(entry->key, "<<") == 0) return; /* reported by the tree */
    struct text quoted = {0};
    value_quote(&quoted, entry->key);
    diagnostic_error(reader->diagnostics, entry->key_at, "unknown key %s in %s", text_data(&quoted),
                     label);
    text_free(&quoted);

    /* A Kafka setting one level too high. */
    const struct schema_field *config = schema_find(object, "config");
    if (config != NULL && config->type == SCHEMA_OBJECT &&
        schema_find(config->object, entry->key) != NULL) {
        diagnostic_hint(reader->diagnostics, "Kafka's settings stand under config: here");
        return;
    }
    if (object->unused != NULL && hint_other_config(reader, entry->key)) return;
    const char **names = tool_allocate((object->field_count + 1) * sizeof *names);
    for (size_t i = 0; i < object->field_count; i++)
        names[i] = object->fields[i].key;
    reader_suggest(reader, entry->key, names, object->field_count);
    free(names);
}

/* log.retention.hours and log.retention.ms are one setting. */
static void check_spellings(struct reader *reader, const struct schema_field *field,
                            const struct node *node)
{
    if (field->stands_for == NULL || reader_written(node, field->stands_for) == NULL) return;
    diagnostic_error(reader->diagnostics, reader_place(node, field->key),
                     "%s and %s are one setting, given twice", field->key, field->stands_for);
    diagnostic_note(reader->diagnostics, reader_place(node, field->stands_for),
                    "the other is here");
}

static bool is_spelt_otherwise(const struct schema_object *object, const struct schema_field *field,
                               const struct node *node)
{
    for (size_t i = 0; i < object->field_count; i++) {
        const struct schema_field *other = &object->fields[i];
        if (other->stands_for != NULL && strcmp(other->stands_for, field->key) == 0 &&
            reader_written(node, other->key) != NULL)
            return true;
    }
    return false;
}

/* `keeps`: keys that are not written stay as they are, instead of getting their defaults. */
static void read_object(struct reader *reader, const struct schema_object *object,
                        const struct node *node, const char *label, void *base, bool keeps)
{
    bool is_kafka = object->unused != NULL;
    if (node != NULL && !reader_is(reader, label, node, NODE_MAP, "a map")) return;
    if (node != NULL && is_kafka) node = properties_merge(reader, node);
    if (object->prepare != NULL) object->prepare(reader, node, base);
    for (size_t i = 0; i < object->field_count; i++) {
        const struct schema_field *field = &object->fields[i];
        const struct node *value = reader_written(node, field->key);
        if (value != NULL) {
            check_spellings(reader, field, node);
            read_field(reader, field, value, is_kafka, base);
        } else if (keeps || field->stands_for != NULL || is_spelt_otherwise(object, field, node)) {
            continue;
        } else if (field->preset != NULL) {
            read_preset(reader, field, base);
        } else if (node != NULL) {
            diagnostic_error(reader->diagnostics, node->at, "%s: %s is missing", label, field->key);
            diagnostic_hint(reader->diagnostics, "%s: %s", field->key, field->help);
        }
    }
    for (size_t i = 0; node != NULL && i < node->count; i++) {
        if (schema_find(object, node->entries[i].key) == NULL)
            unknown_key(reader, object, label, &node->entries[i]);
    }
    if (object->finish != NULL) object->finish(reader, node, base);
}

void reader_object(struct reader *reader, const struct schema_object *object,
                   const struct node *node, const char *label, void *base)
{
    read_object(reader, object, node, label, base, false);
}
