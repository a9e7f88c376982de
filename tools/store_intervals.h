/* tools/store_intervals.h: from records to intervals: who owned what, and when a group rebalanced.
 *
 * Ownership is the consumer's own view, from OWNED to DISOWNED; what is open at the end of the run
 * ends there with the detail OPEN. A rebalance is the time from leaving Stable to the next Stable
 * (the ledger's definition); `forming` is a group's first way there, from its first member on. */
#ifndef TOOLS_STORE_INTERVALS_H
#define TOOLS_STORE_INTERVALS_H

#include "sim/trace.h"

struct store;
struct store_intervals;

struct store_intervals *store_intervals_new(struct store *store);
void store_intervals_observe(struct store_intervals *intervals, const struct trace_record *record);
void store_intervals_finish(struct store_intervals *intervals, sim_time at);
void store_intervals_free(struct store_intervals *intervals);

#endif
