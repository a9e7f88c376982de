/* tools/comparison_report.h: a comparison told: in sentences, in a table, as JSON and in pictures.
 */
#ifndef TOOLS_COMPARISON_REPORT_H
#define TOOLS_COMPARISON_REPORT_H

#include "tools/comparison.h"
#include "tools/report_draw.h"

#include <jansson.h>
#include <stdio.h>

void comparison_print(const struct comparison *comparison, FILE *stream);
json_t *comparison_json(const struct comparison *comparison);
/* "cooperative-sticky stops partitions for 31 s less than range (95 % CI 28 to 34 s, 50 seeds)." */
void comparison_sentence(const struct comparison *comparison, size_t arm, size_t group,
                         enum comparison_metric metric, struct text *text);

/* Draws DIRECTORY/differences.GROUP.png and lag.GROUP.png with their .gp files. */
bool comparison_draw(const struct comparison *comparison, enum picture_format format,
                     const char *directory, char **error);

#endif
