/* tools/source.c: reads a file that people wrote, as UTF-8 text of bounded size. */
#include "tools/source.h"

#include "tools/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A file of unknown size (a pipe) is read until it ends or exceeds the bound. */
static bool read_all(FILE *file, size_t size_max, struct text *content)
{
    char block[16384];
    size_t count;
    while ((count = fread(block, 1, sizeof block, file)) > 0) {
        text_append_bytes(content, block, count);
        if (content->length > size_max) break;
    }
    return ferror(file) == 0;
}

/* The code point at `at` and its bytes; 0 bytes when this is not UTF-8 (RFC 3629). */
static size_t decode(const unsigned char *at, size_t left, uint32_t *point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned lead = at[0];
    size_t length = lead < 0x80   ? 1
                    : lead < 0xc0 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf8 ? 4
                                  : 0;
    if (length == 0 || length > left) return 0;
    *point = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
        *point = *point << 6 | (at[i] & 0x3fu);
    }
    if (length > 1 && *point < smallest[length]) return 0;
    if (*point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000)) return 0;
    return length;
}

static bool is_printable(uint32_t point)
{
    if (point == '\t' || point == '\n' || point == '\r' || point == 0x85) return true;
    return point >= 0x20 && point != 0x7f && !(point >= 0x80 && point < 0xa0) && point != 0xfffe &&
           point != 0xffff;
}

/* Reports the first byte that is not text; one is enough, the rest follow from it. */
static bool check_text(struct diagnostics *diagnostics, const struct source_text *text)
{
    const unsigned char *at = (const unsigned char *)text->data;
    struct position position = {.source = text->source, .line = 1, .column = 1};
    for (size_t i = 0; i < text->length;) {
        uint32_t point = 0;
        size_t bytes = decode(at + i, text->length - i, &point);
        if (bytes == 0) {
            diagnostic_error(diagnostics, position, "byte 0x%02x is not UTF-8", (unsigned)at[i]);
            diagnostic_hint(diagnostics, "save the file as UTF-8");
            return false;
        }
        if (!is_printable(point)) {
            diagnostic_error(diagnostics, position, "control character U+%04X in a text file",
                             (unsigned)point);
            return false;
        }
        i += bytes;
        position.column++;
        if (point == '\n') {
            position.line++;
            position.column = 1;
        }
    }
    return true;
}

static void refuse(struct diagnostics *diagnostics, const char *name, const char *why)
{
    int32_t source = diagnostics_add_source(diagnostics, name, NULL, 0);
    diagnostic_error(diagnostics, (struct position){.source = source}, "%s", why);
}

static void refuse_size(struct diagnostics *diagnostics, const char *name, size_t size_max)
{
    struct text why = {0};
    text_format(&why, "larger than %zu KiB, the most such a file may have", size_max / 1024);
    refuse(diagnostics, name, text_data(&why));
    text_free(&why);
}

bool source_read(struct diagnostics *diagnostics, const char *path, size_t size_max,
                 struct source_text *text)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    struct stat status;
    if (!is_stdin && stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode)) {
            refuse(diagnostics, name, "is a directory, not a file");
            return false;
        }
        /* Before reading: nobody waits for 100 MB to be told that it is too much. */
        if (S_ISREG(status.st_mode) && (uintmax_t)status.st_size > size_max) {
            refuse_size(diagnostics, name, size_max);
            return false;
        }
    }
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (file == NULL) {
        refuse(diagnostics, name, strerror(errno));
        return false;
    }
    struct text content = {0};
    bool complete = read_all(file, size_max, &content);
    int error = errno;
    if (!is_stdin) fclose(file);
    if (!complete || content.length > size_max) {
        if (complete) {
            refuse_size(diagnostics, name, size_max);
        } else {
            refuse(diagnostics, name, strerror(error));
        }
        text_free(&content);
        return false;
    }
    text_append(&content, "");
    *text = (struct source_text){.data = content.data,
                                 .length = content.length,
                                 .source = diagnostics_add_source(diagnostics, name, content.data,
                                                                  content.length)};
    if (check_text(diagnostics, text)) return true;
    free(text->data);
    text->data = NULL;
    return false;
}
