/* model/latency_histogram.h: weighted, log-linear counts of durations.
 *
 * 128 buckets to every doubling: a value is known to better than 1 %. Whole ranges of records are
 * added at once, their durations running evenly from the first record's to the last one's. */
#ifndef MODEL_LATENCY_HISTOGRAM_H
#define MODEL_LATENCY_HISTOGRAM_H

#include "sim/memory.h"
#include "sim/time.h"

#include <stdint.h>

struct latency_histogram;

struct latency_histogram *latency_histogram_new(struct memory *memory);
void latency_histogram_add(struct latency_histogram *histogram, sim_time duration_ns,
                           int64_t weight);
/* `count` durations evenly spaced from `first_ns` to `last_ns`, both included. */
void latency_histogram_add_range(struct latency_histogram *histogram, sim_time first_ns,
                                 sim_time last_ns, int64_t count);
int64_t latency_histogram_count(const struct latency_histogram *histogram);
/* The smallest bucket's upper end that `permille` of all values do not exceed; 0 when empty. */
sim_time latency_histogram_quantile(const struct latency_histogram *histogram, int32_t permille);
/* Exact, rounded down; 0 when empty. */
sim_time latency_histogram_mean(const struct latency_histogram *histogram);
/* Exact. */
sim_time latency_histogram_max(const struct latency_histogram *histogram);

#endif
