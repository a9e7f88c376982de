/* bench/scenario_text.h: scenarios that a benchmark writes as text. */
#ifndef BENCH_SCENARIO_TEXT_H
#define BENCH_SCENARIO_TEXT_H

#include "model/scenario.h"

struct scenario_document;

/* Ends the program when the text is not a scenario. Freed with scenario_document_free. */
struct scenario_document *scenario_text_load(const char *text);

/* Three brokers, one topic of 60 partitions that gets `rate` records a second, and 200 groups of 60
 * members with `group_keys` in each group's braces. Freed by the caller. */
char *scenario_text_groups(sim_time duration, int32_t rate, const char *group_keys);
#define SCENARIO_GROUPS        200
#define SCENARIO_GROUP_MEMBERS 60

#endif
