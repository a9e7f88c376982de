/* tools/group_tables.h: a group's view in the tables of kafka-consumer-groups.sh, and as JSON.
 *
 * Columns are left-justified with one space between, as wide as the longest value but at least the
 * tool's width; the last is not padded; what is missing is "-". A table begins with an empty line.
 * Warnings go to `warnings` (the tool's stderr), as does nothing else. */
#ifndef TOOLS_GROUP_TABLES_H
#define TOOLS_GROUP_TABLES_H

#include "tools/group_view.h"

#include <jansson.h>
#include <stdio.h>

void group_print_offsets(const struct group_view *view, bool verbose, FILE *stream, FILE *warnings);
void group_print_members(const struct group_view *view, bool verbose, FILE *stream, FILE *warnings);
void group_print_state(const struct group_view *view, bool verbose, FILE *stream, FILE *warnings);
json_t *group_view_json(const struct group_view *view);

#endif
