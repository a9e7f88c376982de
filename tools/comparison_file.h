/* tools/comparison_file.h: the results of a comparison as CSV, and read back to be extended.
 *
 *   runs.csv   a line per run, arm and group: fingerprints and every metric, in whole nanoseconds
 *              and records. Its first line says which comparison it belongs to.
 *   lag.csv    a line per arm, group and point of the lag curve: the sum over all runs */
#ifndef TOOLS_COMPARISON_FILE_H
#define TOOLS_COMPARISON_FILE_H

#include "tools/comparison.h"
#include "tools/text.h"

void comparison_write_runs(const struct comparison *comparison, struct text *csv);
void comparison_write_lag(const struct comparison *comparison, struct text *csv);

/* Takes over the runs that DIRECTORY holds; the rest stay to be made. False, and the reason in
 * `error` (to be freed by free()), when it holds another comparison or is damaged. */
bool comparison_read(struct comparison *comparison, const char *directory, char **error);

#endif
