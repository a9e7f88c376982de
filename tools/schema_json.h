/* tools/schema_json.h: the schema for editors and for people. */
#ifndef TOOLS_SCHEMA_JSON_H
#define TOOLS_SCHEMA_JSON_H

#include "tools/schema.h"

/* JSON Schema draft-07, the newest that yaml-language-server takes; one object, with a newline. */
void schema_write_json(struct text *text);
/* The reference page, in Markdown (schema_page.c). */
void schema_write_page(struct text *text);

#endif
