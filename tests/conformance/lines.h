/* tests/conformance/lines.h: the lines of a text file, gzip or plain. */
#ifndef TESTS_CONFORMANCE_LINES_H
#define TESTS_CONFORMANCE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines;

/* NULL when the file cannot be opened; errno says why. */
struct lines *lines_open(const char *path);
/* The next line without its line feed, valid until the next call; NULL at the end. */
const char *lines_next(struct lines *lines, size_t *length);
/* Closes. What went wrong on the way (a damaged or cut-off gzip file), or NULL if all was read. */
const char *lines_close(struct lines *lines);

#endif
