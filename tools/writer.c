/* tools/writer.c: a struct written back as YAML with every value explicit, as the schema says. */
#include "tools/writer.h"

#include "sim/check.h"

#include <string.h>

void writer_line(struct writer *writer)
{
    text_append(writer->out, "\n");
    text_append_repeated(writer->out, ' ', writer->indent);
}

/* Plain where no reader of YAML, old or new, could take it for anything but this text. */
static bool is_plain(const char *text)
{
    static const char *const taken[] = {"true", "false", "null", "yes",  "no", "on",
                                        "off",  "y",     "n",    "none", "~",  "infinity"};
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_-.");
    if (length == 0 || text[length] != '\0') return false;
    bool letter_first = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z');
    if (!letter_first) return false;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        if (strlen(taken[i]) != length) continue;
        size_t same = 0;
        while (same < length && (text[same] | 0x20) == (taken[i][same] | 0x20))
            same++;
        if (same == length) return false;
    }
    return true;
}

void writer_text(struct writer *writer, const char *text)
{
    if (is_plain(text)) {
        text_append(writer->out, text);
        return;
    }
    text_append(writer->out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            text_format(writer->out, "\\%c", byte);
        } else if (byte == '\n') {
            text_append(writer->out, "\\n");
        } else if (byte < 0x20 || byte == 0x7f) {
            text_format(writer->out, "\\x%02x", byte);
        } else {
            text_append_bytes(writer->out, at, 1);
        }
    }
    text_append(writer->out, "\"");
}

void writer_quantity(struct writer *writer, enum quantity quantity, int64_t value)
{
    value_format(writer->out, quantity, value);
}

static int64_t load_integer(const struct schema_field *field, const void *base)
{
    const char *at = (const char *)base + field->offset;
    if (field->width == sizeof(int32_t)) {
        int32_t narrow;
        memcpy(&narrow, at, sizeof narrow);
        return narrow;
    }
    int64_t value;
    CHECK(field->width == sizeof value);
    memcpy(&value, at, sizeof value);
    return value;
}

static bool write_word(struct writer *writer, const struct schema_field *field, int64_t value)
{
    for (size_t i = 0; i < field->word_count; i++) {
        if (field->words[i].value != value) continue;
        text_append(writer->out, field->words[i].word);
        return true;
    }
    return false;
}

static void write_quantity(struct writer *writer, const struct schema_field *field, int64_t value)
{
    if (write_word(writer, field, value)) return;
    int64_t scale = field->scale == 0 ? 1 : field->scale;
    /* Kafka's settings in Kafka's own unit, as they stand in its documentation. */
    if (field->bare != 0 && field->bare == scale) {
        value_format(writer->out, QUANTITY_COUNT, value);
    } else {
        value_format(writer->out, field->quantity, value * scale);
    }
}

static void write_map(struct writer *writer, const struct schema_field *field, const void *base)
{
    const char *elements;
    int32_t count;
    memcpy(&elements, (const char *)base + field->offset, sizeof elements);
    memcpy(&count, (const char *)base + field->count_offset, sizeof count);
    if (count == 0) {
        text_append(writer->out, " {}");
        return;
    }
    writer->indent += 2;
    for (int32_t i = 0; i < count; i++) {
        const char *element = elements + (size_t)i * field->element_size;
        const char *name;
        memcpy(&name, element, sizeof name);
        writer_line(writer);
        writer_text(writer, name);
        text_append(writer->out, ":");
        writer->indent += 2;
        writer_object(writer, field->object, element);
        writer->indent -= 2;
    }
    writer->indent -= 2;
}

void writer_value(struct writer *writer, const struct schema_field *field, const void *base)
{
    const char *at = (const char *)base + field->offset;
    switch (field->type) {
    case SCHEMA_FLAG: {
        bool value;
        memcpy(&value, at, sizeof value);
        text_append(writer->out, value ? "true" : "false");
        break;
    }
    case SCHEMA_TEXT: {
        const char *value;
        memcpy(&value, at, sizeof value);
        if (value == NULL) {
            text_append(writer->out, "none");
        } else {
            writer_text(writer, value);
        }
        break;
    }
    case SCHEMA_ENUM: {
        bool written = write_word(writer, field, load_integer(field, base));
        CHECK(written);
        break;
    }
    case SCHEMA_QUANTITY: write_quantity(writer, field, load_integer(field, base)); break;
    case SCHEMA_DISTRIBUTION: {
        struct distribution distribution;
        memcpy(&distribution, at, sizeof distribution);
        writer_distribution(writer, field->quantity, &distribution);
        break;
    }
    case SCHEMA_OBJECT:
        writer->indent += 2;
        writer_object(writer, field->object, at);
        writer->indent -= 2;
        break;
    case SCHEMA_MAP: write_map(writer, field, base); break;
    case SCHEMA_CUSTOM: field->hooks->write(writer, field, base); break;
    }
}

void writer_object(struct writer *writer, const struct schema_object *object, const void *base)
{
    for (size_t i = 0; i < object->field_count; i++) {
        const struct schema_field *field = &object->fields[i];
        if (field->stands_for != NULL) continue;
        writer_line(writer);
        text_format(writer->out, "%s:", field->key);
        /* These decide themselves between this line and lines below it. */
        bool is_block = field->type == SCHEMA_CUSTOM || field->type == SCHEMA_MAP ||
                        field->type == SCHEMA_OBJECT;
        if (!is_block) text_append(writer->out, " ");
        writer_value(writer, field, base);
    }
}
