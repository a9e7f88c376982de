/* tools/scenario_set.h: --set PATH=VALUE, applied to the tree before it is read. */
#ifndef TOOLS_SCENARIO_SET_H
#define TOOLS_SCENARIO_SET_H

#include "tools/reader.h"

/* The path goes down the schema: keys, names of topics and groups, positions in lists (from 0).
 * Keys and names may have dots themselves: the longest one that fits is taken. Maps on the way are
 * made when they are not there. Returns the root to go on with; errors are reported with the option
 * as their source. */
struct node *scenario_set(struct reader *reader, struct node *root, const char *option);

#endif
