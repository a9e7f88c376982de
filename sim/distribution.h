/* sim/distribution.h: integer-only distributions.
 *
 * Values are non-negative int64 in the unit of their parameters (nanoseconds, bytes, counts).
 * Tables and fixed point only: the same value on every machine. Each kind has a statistical test.
 * Kinds whose sum over n draws has a closed form (constant; gamma and exponential, whose sum is a
 * gamma) are summed in one draw, so a batch of records costs one draw. */
#ifndef SIM_DISTRIBUTION_H
#define SIM_DISTRIBUTION_H

#include "sim/memory.h"
#include "sim/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum distribution_kind {
    DISTRIBUTION_CONSTANT,    /* value */
    DISTRIBUTION_UNIFORM,     /* [low, high], both included */
    DISTRIBUTION_EXPONENTIAL, /* mean */
    DISTRIBUTION_NORMAL,      /* mean, deviation; cut off at 0 */
    DISTRIBUTION_LOGNORMAL,   /* median, p99 */
    DISTRIBUTION_GAMMA,       /* mean, shape_milli (shape 1.0 = 1,000) */
    DISTRIBUTION_PARETO,      /* minimum, alpha_milli */
    DISTRIBUTION_EMPIRICAL,   /* values with integer weights (alias table) */
};

struct alias_table; /* shape [count]: integer weights, one draw, O(1) */
struct alias_table *alias_table_new(struct memory *memory, const uint64_t *weights, size_t count);
size_t alias_table_draw(const struct alias_table *table, uint64_t random);
size_t alias_table_count(const struct alias_table *table);
/* The probability of an index, 48 fraction bits. */
uint64_t alias_table_share_q48(const struct alias_table *table, size_t index);

/* Zipf weights 1/(k+1)^s for k in [0, count), scaled to integers; exponent in thousandths. */
void zipf_weights(uint64_t *weights, size_t count, uint32_t exponent_milli);

struct distribution {
    enum distribution_kind kind;
    int64_t a;                       /* value | low | mean | median | minimum */
    int64_t b;                       /* high | deviation | p99 | shape_milli | alpha_milli */
    const int64_t *values;           /* EMPIRICAL, shape [alias_table_count(table)] */
    const struct alias_table *table; /* EMPIRICAL */
    int64_t prepared;                /* private; 0 until distribution_prepare */
};

/* Optional: works out once what every draw would work out again (lognormal: its deviation). Draws
 * are the same with and without. */
void distribution_prepare(struct distribution *distribution);

int64_t distribution_draw(const struct distribution *distribution, const struct rng_key *key,
                          uint64_t index);
/* Sum of `count` independent draws, of which the first has index `first_index`. One draw where the
 * sum has a closed form, `count` draws otherwise. */
int64_t distribution_draw_sum(const struct distribution *distribution, const struct rng_key *key,
                              uint64_t first_index, uint64_t count);
bool distribution_sum_is_closed(const struct distribution *distribution);
/* Rounded down; for warnings and capacity estimates, not for events. */
int64_t distribution_mean(const struct distribution *distribution);

/* None of the draws exceeds 2^62 (146 years in nanoseconds): the far tails end there. */

/* Number of events of a Poisson process with this mean (in millionths) in one window. */
uint64_t poisson_draw(uint64_t mean_micro, const struct rng_key *key, uint64_t index);
/* How many of `count` fall into the first of two bins with probability numerator/denominator. */
uint64_t binomial_draw(uint64_t count, uint64_t numerator, uint64_t denominator,
                       const struct rng_key *key, uint64_t index);

#endif
