/* tools/diagnostic.h: every mistake in an input, told in one go.
 *
 *     bad.yaml:18:14: error: members: expected a whole number, found text
 *        18 |     members: fifteen
 *           |              ^~~~~~~
 *           = a whole number from 1 to 100000
 *
 * Mistakes are collected while the input is read and printed at the end, ordered by source, line
 * and column. Lines and columns count from 1; columns count characters (UTF-8), as editors do.
 * A source is any text that people wrote: a YAML or JSON file, a properties file, an option. */
#ifndef TOOLS_DIAGNOSTIC_H
#define TOOLS_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where something was written. line 0: the source as a whole; source 0: nowhere in particular. */
struct position {
    int32_t source;
    int32_t line;
    int32_t column;
    int32_t width; /* characters underlined; 0 or 1 = a single caret */
};

struct diagnostics;

struct diagnostics *diagnostics_new(void);
void diagnostics_free(struct diagnostics *diagnostics);

/* Name and text are copied. `text` may be NULL when there is nothing to show (a directory). */
int32_t diagnostics_add_source(struct diagnostics *diagnostics, const char *name, const char *text,
                               size_t length);
const char *diagnostics_source_name(const struct diagnostics *diagnostics, int32_t source);

void diagnostic_error(struct diagnostics *diagnostics, struct position at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diagnostic_warning(struct diagnostics *diagnostics, struct position at, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
/* These two belong to the error or warning reported last, and are printed below it. A hint is one
 * line: what was expected, the nearest valid name. A note points to another place. */
void diagnostic_hint(struct diagnostics *diagnostics, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void diagnostic_note(struct diagnostics *diagnostics, struct position at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t diagnostics_errors(const struct diagnostics *diagnostics);
size_t diagnostics_warnings(const struct diagnostics *diagnostics);

/* Everything, and if there were errors a closing line that counts them. Past 100 errors or
 * warnings the rest are only counted. Colours as tools/terminal.h decides for the stream. */
void diagnostics_print(struct diagnostics *diagnostics, FILE *stream);

/* The candidate nearest to `word` by typing distance (swapped neighbours count once, case half), or
 * NULL when none is near enough to be worth suggesting. Ties go to the first. */
const char *nearest_name(const char *word, const char *const *candidates, size_t count);

#endif
