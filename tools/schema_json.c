/* tools/schema_json.c: the schema as JSON Schema draft-07. */
#include "tools/schema_json.h"

#include "sim/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *object_json(const struct schema_object *object);

/* One schema, or a choice of several; takes the array over. */
static json_t *one_of(json_t *choices)
{
    if (json_array_size(choices) == 1) {
        json_t *only = json_incref(json_array_get(choices, 0));
        json_decref(choices);
        return only;
    }
    return json_pack("{s:o}", "anyOf", choices);
}

static void add_words(json_t *choices, const struct schema_field *field)
{
    if (field->word_count == 0) return;
    json_t *words = json_array();
    for (size_t i = 0; i < field->word_count; i++)
        json_array_append_new(words, json_string(field->words[i].word));
    json_array_append_new(choices, json_pack("{s:o}", "enum", words));
}

static json_t *number_json(const struct schema_field *field, const char *type)
{
    json_t *number = json_pack("{s:s}", "type", type);
    /* Bounds are in the stored unit; thousandths and units other than Kafka's own have none here.
     */
    bool same_unit = field->quantity == QUANTITY_COUNT || field->bare == field->scale;
    if (same_unit && field->maximum != 0) {
        json_object_set_new(number, "minimum", json_integer(field->minimum));
        bool is_capped = field->maximum < (field->width == 4 ? INT32_MAX : INT64_MAX / 1000000);
        if (is_capped) json_object_set_new(number, "maximum", json_integer(field->maximum));
    }
    return number;
}

static json_t *quantity_json(const struct schema_field *field, bool is_kafka)
{
    json_t *choices = json_array();
    const char *pattern = value_pattern(field->quantity);
    if (pattern == NULL || field->bare != 0) {
        const char *type = field->quantity == QUANTITY_DECIMAL ? "number" : "integer";
        json_array_append_new(choices, number_json(field, type));
    }
    if (is_kafka) /* Helm charts quote every value */
        json_array_append_new(choices,
                              json_pack("{s:s, s:s}", "type", "string", "pattern", "^-?[0-9]+$"));
    if (pattern != NULL)
        json_array_append_new(choices,
                              json_pack("{s:s, s:s}", "type", "string", "pattern", pattern));
    add_words(choices, field);
    return one_of(choices);
}

static json_t *distribution_json(const struct schema_field *field)
{
    static const char *const kinds[] = {"constant",  "uniform", "exponential", "normal",
                                        "lognormal", "gamma",   "pareto",      "empirical"};
    json_t *properties = json_object();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        json_object_set_new(properties, kinds[i], json_object());
    return json_pack("{s:[{s:s, s:s}, {s:s, s:o, s:b, s:i, s:i}]}", "anyOf", "type", "string",
                     "pattern", value_pattern(field->quantity), "type", "object", "properties",
                     properties, "additionalProperties", 0, "minProperties", 1, "maxProperties", 1);
}

static json_t *type_json(const struct schema_field *field, bool is_kafka)
{
    json_t *choices;
    switch (field->type) {
    case SCHEMA_FLAG:
        if (!is_kafka) return json_pack("{s:s}", "type", "boolean");
        return json_pack("{s:[b, b, s, s]}", "enum", 1, 0, "true", "false");
    case SCHEMA_TEXT: return json_pack("{s:s}", "type", "string");
    case SCHEMA_ENUM:
        choices = json_array();
        add_words(choices, field);
        return one_of(choices);
    case SCHEMA_QUANTITY: return quantity_json(field, is_kafka);
    case SCHEMA_DISTRIBUTION: return distribution_json(field);
    case SCHEMA_OBJECT: return object_json(field->object);
    case SCHEMA_MAP:
        return json_pack("{s:s, s:{s:[o, {s:s}]}}", "type", "object", "additionalProperties",
                         "anyOf", object_json(field->object), "type", "null");
    case SCHEMA_CUSTOM: return field->hooks->json(field);
    }
    return NULL;
}

/* What an editor shows beside the key. */
static json_t *description_json(const struct schema_field *field)
{
    struct text text = {0};
    text_append(&text, field->help);
    if (field->source != NULL) text_format(&text, " (%s)", field->source);
    if (field->preset != NULL && strcmp(field->preset, PRESET_PREPARED) != 0)
        text_format(&text, "; default %s", field->preset);
    json_t *description = json_string(text_data(&text));
    text_free(&text);
    return description;
}

/* Kafka's settings without effect here: "ssl.*" is a prefix, the others are names. */
static void add_unused(const struct schema_object *object, json_t *properties, json_t *patterns)
{
    for (size_t i = 0; i < object->unused_count; i++) {
        const char *name = object->unused[i];
        size_t length = strlen(name);
        json_t *property = json_pack("{s:s}", "description", "has no effect in Cohort");
        if (name[length - 1] != '*') {
            json_object_set_new(properties, name, property);
            continue;
        }
        struct text pattern = {0};
        text_append(&pattern, "^");
        for (size_t c = 0; c + 1 < length; c++)
            text_format(&pattern, "%s%c", name[c] == '.' ? "\\" : "", name[c]);
        json_object_set_new(patterns, text_data(&pattern), property);
        text_free(&pattern);
    }
}

static json_t *object_json(const struct schema_object *object)
{
    json_t *properties = json_object();
    json_t *patterns = json_object();
    json_t *required = json_array();
    for (size_t i = 0; i < object->field_count; i++) {
        const struct schema_field *field = &object->fields[i];
        json_t *property = type_json(field, object->unused != NULL);
        json_object_set_new(property, "description", description_json(field));
        json_object_set_new(properties, field->key, property);
        if (field->preset == NULL && field->stands_for == NULL)
            json_array_append_new(required, json_string(field->key));
    }
    add_unused(object, properties, patterns);
    if (object->unused != NULL)
        json_object_set_new(properties, "file",
                            json_pack("{s:s, s:s}", "type", "string", "description",
                                      "a properties file with these settings"));
    json_t *result = json_pack("{s:s, s:s, s:o, s:b}", "type", "object", "description",
                               object->help, "properties", properties, "additionalProperties", 0);
    if (json_object_size(patterns) > 0) {
        json_object_set(result, "patternProperties", patterns);
    }
    if (json_array_size(required) > 0) json_object_set(result, "required", required);
    json_decref(patterns);
    json_decref(required);
    return result;
}

void schema_write_json(struct text *text)
{
    json_t *schema = object_json(&schema_scenario);
    json_object_set_new(schema, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
    json_object_set_new(schema, "title", json_string("Cohort scenario"));
    char *dumped = json_dumps(schema, JSON_INDENT(2) | JSON_SORT_KEYS);
    CHECK(dumped != NULL);
    text_append(text, dumped);
    text_append(text, "\n");
    free(dumped);
    json_decref(schema);
}
