/* tools/schema.c: look-ups in the schema. */
#include "tools/schema.h"

#include "sim/time.h"

#include <string.h>

const struct schema_field *schema_find(const struct schema_object *object, const char *key)
{
    for (size_t i = 0; i < object->field_count; i++) {
        if (strcmp(object->fields[i].key, key) == 0) return &object->fields[i];
    }
    return NULL;
}

static void append_words(struct text *text, const struct schema_field *field)
{
    for (size_t i = 0; i < field->word_count; i++)
        text_format(text, "%s%s", i == 0 ? "" : ", ", field->words[i].word);
}

/* Bounds that are the type's own, or beyond what anybody would write, say nothing. */
static void append_range(struct text *text, const struct schema_field *field)
{
    int64_t scale = field->scale == 0 ? 1 : field->scale;
    bool is_capped = field->maximum < (field->width == 4 ? INT32_MAX : INT64_MAX / scale) &&
                     !(field->quantity == QUANTITY_DURATION && field->maximum * scale >= DAYS(366));
    bool is_raised = field->minimum > 1 || (field->minimum == 1 && scale > 1) ||
                     (field->minimum == 1 && field->quantity == QUANTITY_COUNT);
    if (field->maximum == 0 && field->minimum == 0) return;
    if (is_capped) {
        text_append(text, ", from ");
        value_format(text, field->quantity, (field->minimum < 0 ? 0 : field->minimum) * scale);
        text_append(text, " to ");
        value_format(text, field->quantity, field->maximum * scale);
    } else if (is_raised) {
        text_append(text, ", at least ");
        value_format(text, field->quantity, field->minimum * scale);
    } else if (field->minimum == 1 && field->quantity == QUANTITY_DURATION) {
        text_append(text, ", more than 0s");
    }
}

/* Kafka's own unit, for settings that take a bare number. */
static const char *bare_unit(const struct schema_field *field)
{
    if (field->quantity == QUANTITY_BYTES) return "bytes";
    if (field->quantity != QUANTITY_DURATION) return NULL;
    switch (field->bare) {
    case MILLISECONDS(1): return "milliseconds";
    case SECONDS(1): return "seconds";
    case MINUTES(1): return "minutes";
    case HOURS(1): return "hours";
    }
    return NULL;
}

static void append_quantity(struct text *text, const struct schema_field *field)
{
    const char *unit = bare_unit(field);
    if (field->bare != 0 && unit != NULL) text_format(text, "a number of %s, or ", unit);
    text_format(text, "%s %s", value_name(field->quantity), value_example(field->quantity));
    append_range(text, field);
    if (field->word_count == 0) return;
    text_append(text, ", or ");
    append_words(text, field);
}

void schema_expectation(struct text *text, const struct schema_field *field)
{
    switch (field->type) {
    case SCHEMA_FLAG: text_append(text, "true or false"); break;
    case SCHEMA_TEXT: text_append(text, field->optional ? "a text, or none" : "a text"); break;
    case SCHEMA_ENUM:
        text_append(text, "one of ");
        append_words(text, field);
        break;
    case SCHEMA_QUANTITY: append_quantity(text, field); break;
    case SCHEMA_DISTRIBUTION:
        text_format(text, "%s %s, or a distribution such as {uniform: {low: …, high: …}}",
                    value_name(field->quantity), value_example(field->quantity));
        break;
    case SCHEMA_OBJECT: text_append(text, "a map"); break;
    case SCHEMA_MAP: text_append(text, "a map of names"); break;
    case SCHEMA_CUSTOM: text_append(text, field->hooks->grammar); break;
    }
}
