/* tools/paired.h: two arms of an experiment, compared seed by seed.
 *
 * With the same seed both arms see the same arrivals, service times and faults (keyed draws), so
 * the difference per seed carries far less noise than either arm. The interval is Student's t on
 * the differences; values are integers (records, nanoseconds), so sums are exact and a strategy
 * compared with itself differs by exactly zero. See ../shared/spec/comparison.md. */
#ifndef TOOLS_PAIRED_H
#define TOOLS_PAIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct paired {
    size_t n;
    double mean_a;
    double mean_b;
    double difference; /* mean of b - a */
    double low;        /* 95 % interval of the difference */
    double high;
    double deviation;   /* of the differences */
    double correlation; /* between the arms; 0 when either does not vary */
    /* How many times more runs an unpaired comparison would need for the same width; 0 = unknown
     * (the differences do not vary). */
    double runs_saved;
    size_t wins; /* seeds where b is lower */
    size_t ties;
    size_t losses;
    double skewness;       /* of the differences */
    bool interval_is_void; /* fewer than two pairs */
};

/* shape [n] each, in the order of the seeds. */
struct paired paired_compare(const int64_t *a, const int64_t *b, size_t n);

/* Arms that do not share their workload: Welch's interval. n may differ. */
struct paired unpaired_compare(const int64_t *a, size_t n_a, const int64_t *b, size_t n_b);

/* Pairs needed so that half the interval's width is `fraction` of mean_a, judging by these. */
size_t paired_runs_needed(const struct paired *paired, double fraction);

#endif
