/* tools/text.c: text that grows. */
#include "tools/text.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *tool_allocate(size_t size)
{
    void *block = calloc(1, size == 0 ? 1 : size);
    CHECK(block != NULL);
    return block;
}

void *tool_resize(void *block, size_t size)
{
    void *resized = realloc(block, size == 0 ? 1 : size);
    CHECK(resized != NULL);
    return resized;
}

char *tool_copy(const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = tool_allocate(size);
    memcpy(copy, string, size);
    return copy;
}

static void reserve(struct text *text, size_t more)
{
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity) return;
    size_t capacity = text->capacity == 0 ? 64 : text->capacity;
    while (capacity < needed)
        capacity *= 2;
    text->data = tool_resize(text->data, capacity);
    text->capacity = capacity;
}

void text_append_bytes(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    if (length > 0) memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_append(struct text *text, const char *string)
{
    text_append_bytes(text, string, strlen(string));
}

void text_append_repeated(struct text *text, char byte, size_t count)
{
    reserve(text, count);
    memset(text->data + text->length, byte, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void text_format_list(struct text *text, const char *format, va_list arguments)
{
    va_list copy;
    va_copy(copy, arguments);
    int length = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    CHECK(length >= 0);
    reserve(text, (size_t)length);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, arguments);
    text->length += (size_t)length;
}

void text_format(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_format_list(text, format, arguments);
    va_end(arguments);
}

const char *text_data(const struct text *text)
{
    return text->data == NULL ? "" : text->data;
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->data != NULL) text->data[0] = '\0';
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){0};
}
