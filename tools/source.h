/* tools/source.h: reads a file that people wrote, as UTF-8 text of bounded size.
 *
 * A directory, a missing or unreadable file, one that is too large and bytes that are not UTF-8
 * text are each reported to the diagnostics, the last with line and column. */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include "tools/diagnostic.h"

struct source_text {
    char *data; /* terminated; the caller frees it */
    size_t length;
    int32_t source; /* its number in the diagnostics */
};

/* "-" is standard input. False when something was reported; then there is nothing to free. */
bool source_read(struct diagnostics *diagnostics, const char *path, size_t size_max,
                 struct source_text *text);

#endif
