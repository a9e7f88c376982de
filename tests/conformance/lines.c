#include "tests/conformance/lines.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct lines {
    gzFile file; /* zlib reads plain files as they are */
    char *text;
    size_t capacity;
    char error[128];
};

static void remember_error(struct lines *lines)
{
    int code = Z_OK;
    const char *message = gzerror(lines->file, &code);
    if (code == Z_OK || code == Z_STREAM_END) return;
    /* gzgets reports a gzip file without its end only as Z_BUF_ERROR, with an empty message. */
    const bool cut_off = code == Z_BUF_ERROR;
    snprintf(lines->error, sizeof(lines->error), "%s",
             cut_off ? "unexpected end of file" : message);
}

struct lines *lines_open(const char *path)
{
    gzFile file = gzopen(path, "rb");
    if (file == NULL) return NULL;
    gzbuffer(file, 1U << 17);
    struct lines *lines = calloc(1, sizeof(*lines));
    CHECK(lines != NULL);
    lines->file = file;
    lines->capacity = 1U << 16;
    lines->text = malloc(lines->capacity);
    CHECK(lines->text != NULL);
    return lines;
}

const char *lines_next(struct lines *lines, size_t *length)
{
    size_t used = 0;
    for (;;) {
        if (gzgets(lines->file, lines->text + used, (int)(lines->capacity - used)) == NULL) {
            remember_error(lines);
            if (used == 0) return NULL;
            break;
        }
        used += strlen(lines->text + used);
        if (used > 0 && lines->text[used - 1] == '\n') {
            lines->text[--used] = '\0';
            break;
        }
        if (used + 1 < lines->capacity) break; /* last line, without a line feed */
        lines->capacity *= 2;
        lines->text = realloc(lines->text, lines->capacity);
        CHECK(lines->text != NULL);
    }
    *length = used;
    return lines->text;
}

const char *lines_close(struct lines *lines)
{
    static char error[sizeof(lines->error)];
    memcpy(error, lines->error, sizeof(error));
    gzclose(lines->file);
    free(lines->text);
    free(lines);
    return error[0] == '\0' ? NULL : error;
}
