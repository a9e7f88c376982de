#include "tools/record_text.h"

#include "model/kafka_types.h"
#include "tools/moment.h"

#include <inttypes.h>

static void append_field(struct text *text, const struct trace_field *field, int64_t value,
                         const struct record_names *names)
{
    switch (field->type) {
    case FIELD_NONE: return;
    case FIELD_NAME: text_append(text, names->name(names->self, value)); return;
    case FIELD_PARTITION: names->partition(names->self, value, text); return;
    case FIELD_TIME:
    case FIELD_DURATION: moment_format(text, value); return;
    case FIELD_FLAG: text_append(text, value != 0 ? "yes" : "no"); return;
    case FIELD_ERROR: text_append(text, kafka_error_name((int32_t)value)); return;
    case FIELD_ENUM:
        if (value >= 0 && value < (int64_t)field->enum_count) {
            text_append(text, field->enum_names[value]);
            return;
        }
        break;
    case FIELD_COUNT:
    case FIELD_OFFSET:
    case FIELD_BYTES:
    case FIELD_LINE: break;
    }
    text_format(text, "%" PRId64, value);
}

void record_text(struct text *text, const struct trace_record *record,
                 const struct record_names *names)
{
    const struct trace_kind *kind = &trace_kinds[record->kind];
    text_format(text, "#%" PRIu64 " ", record->number);
    moment_format(text, record->at);
    text_format(text, " %s", kind->name);
    for (uint32_t i = 0; i < kind->field_count; i++) {
        text_format(text, " %s=", kind->fields[i].name);
        append_field(text, &kind->fields[i], record->field[i], names);
    }
}
