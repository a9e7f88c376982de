/* tools/writer.h: a struct written back as YAML with every value explicit, as the schema says. */
#ifndef TOOLS_WRITER_H
#define TOOLS_WRITER_H

#include "tools/schema.h"

struct writer {
    struct text *out;
    size_t indent;                   /* spaces */
    const struct scenario *scenario; /* to look up what a part refers to */
};

/* The fields of an object as block map, one per line at the writer's indent. */
void writer_object(struct writer *writer, const struct schema_object *object, const void *base);
/* One field's value, without its key. */
void writer_value(struct writer *writer, const struct schema_field *field, const void *base);

/* For hooks: flow values on the current line. */
void writer_text(struct writer *writer, const char *text); /* quoted where YAML needs it */
void writer_quantity(struct writer *writer, enum quantity quantity, int64_t value);
void writer_distribution(struct writer *writer, enum quantity quantity,
                         const struct distribution *distribution);
/* A new line at the writer's indent. */
void writer_line(struct writer *writer);

#endif
