/* tools/scenario_check.h: what hangs on several keys at once.
 *
 * Contradictions are errors: more replicas than brokers, a session timeout that the brokers refuse,
 * one name for two things. Settings that work but that nobody wants are warnings. */
#ifndef TOOLS_SCENARIO_CHECK_H
#define TOOLS_SCENARIO_CHECK_H

#include "tools/reader.h"

/* `root` is the tree the reader's scenario was read from: it tells where things stand. */
void scenario_check(struct reader *reader, const struct node *root);

#endif
