/* tools/text.h: text that grows.
 *
 * What the tools print, quote and write is put together here, so nothing is cut off at a buffer's
 * end. Zero-initialise a struct text, append to it, free it. `data` is always terminated once
 * something was appended; use text_data for a text that may be empty. No locale is involved:
 * numbers are formatted by printf in the "C" locale, which the tools never leave. */
#ifndef TOOLS_TEXT_H
#define TOOLS_TEXT_H

#include <stdarg.h>
#include <stddef.h>

struct text {
    char *data;
    size_t length;
    size_t capacity;
};

void text_append(struct text *text, const char *string);
void text_append_bytes(struct text *text, const char *bytes, size_t length);
void text_append_repeated(struct text *text, char byte, size_t count);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_format_list(struct text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Terminated; "" when empty. Valid until the next change. */
const char *text_data(const struct text *text);
void text_clear(struct text *text);
void text_free(struct text *text);

/* malloc and friends that never return NULL: a tool without memory cannot go on. */
void *tool_allocate(size_t size); /* zeroed */
void *tool_resize(void *block, size_t size);
char *tool_copy(const char *string);

#endif
