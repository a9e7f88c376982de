/* Draws of counts and of indexes: alias tables, Zipf weights, Poisson, binomial. */
#include "sim/check.h"
#include "sim/distribution.h"
#include "sim/gamma.h"

struct alias_column {
    uint64_t threshold; /* a fraction below this, out of 2^64, stays in the column */
    uint64_t share_q48; /* of the column's own index, for means */
    size_t alias;       /* else it is this one */
};

struct alias_table {
    size_t count;
    struct alias_column column[];
};

/* Vose's method in integers: a column is full at `total`, so that weights times count fill all
 * columns exactly. Indexes wait in ascending order, so equal weights give equal tables. */
struct alias_table *alias_table_new(struct memory *memory, const uint64_t *weights, size_t count)
{
    CHECK(count > 0 && count <= UINT32_MAX);
    struct alias_table *table =
        memory_keep(memory, sizeof *table + count * sizeof table->column[0]);
    uint128 *height = memory_take(memory, count * sizeof *height);
    size_t *small = memory_take(memory, count * sizeof *small);
    size_t *large = memory_take(memory, count * sizeof *large);
    size_t small_count = 0;
    size_t large_count = 0;
    uint128 total = 0;
    for (size_t i = 0; i < count; i++)
        total += weights[i];
    CHECK(total > 0);
    table->count = count;
    for (size_t i = 0; i < count; i++) {
        height[i] = (uint128)weights[i] * count;
        table->column[i] = (struct alias_column){
            .threshold = UINT64_MAX,
            .share_q48 = (uint64_t)(((uint128)weights[i] << 48) / total),
            .alias = i,
        };
        if (height[i] < total) {
            small[small_count++] = i;
        } else {
            large[large_count++] = i;
        }
    }
    while (small_count > 0 && large_count > 0) {
        size_t low = small[--small_count];
        size_t high = large[large_count - 1];
        /* total has up to 96 bits, so both lose the same low bits until the shift fits. */
        uint128 part = height[low];
        uint128 whole = total;
        while (whole >> 64 != 0) {
            whole >>= 1;
            part >>= 1;
        }
        table->column[low].threshold = (uint64_t)((part << 64) / whole);
        table->column[low].alias = high;
        height[high] -= total - height[low];
        if (height[high] < total) {
            large_count--;
            small[small_count++] = high;
        }
    }
    memory_give(memory, height, count * sizeof *height);
    memory_give(memory, small, count * sizeof *small);
    memory_give(memory, large, count * sizeof *large);
    return table;
}

size_t alias_table_draw(const struct alias_table *table, uint64_t random)
{
    uint128 product = (uint128)random * table->count;
    size_t i = (size_t)(product >> 64);
    const struct alias_column *column = &table->column[i];
    return (uint64_t)product < column->threshold ? i : column->alias;
}

size_t alias_table_count(const struct alias_table *table)
{
    return table->count;
}

uint64_t alias_table_share_q48(const struct alias_table *table, size_t index)
{
    CHECK(index < table->count);
    return table->column[index].share_q48;
}

void zipf_weights(uint64_t *weights, size_t count, uint32_t exponent_milli)
{
    CHECK(count < (UINT64_C(1) << 23));
    for (size_t k = 0; k < count; k++) {
        int128 exponent_q48 = -(int128)fixed_log2_q48(k + 1) * exponent_milli / 1000;
        if (exponent_q48 < -(int128)ONE_Q48 * 64) exponent_q48 = -(int128)ONE_Q48 * 64;
        int64_t weight = fixed_scale(INT64_C(1) << 40, (int64_t)exponent_q48);
        weights[k] = weight > 0 ? (uint64_t)weight : 1;
    }
}

/* As fractions of 2^64. numerator < denominator */
static uint64_t fraction_q64(uint128 numerator, uint128 denominator)
{
    while (denominator >> 64 != 0) {
        numerator >>= 1;
        denominator >>= 1;
    }
    uint128 fraction = (numerator << 64) / denominator;
    return fraction > UINT64_MAX ? UINT64_MAX : (uint64_t)fraction;
}

#define BINOMIAL_SMALL 32u

/* Devroye, "Non-uniform random variate generation", X.4.3: the median-like order statistic of
 * `count` uniforms is a beta, which is two gammas; it halves the problem. */
static uint64_t binomial(struct rng *rng, uint64_t count, uint64_t probability_q64)
{
    uint64_t hits = 0;
    while (count > BINOMIAL_SMALL) {
        uint64_t below = count / 2 + 1; /* the order statistic, and those below or at it */
        uint64_t above = count + 1 - below;
        uint128 left = (uint128)below * gamma_ratio_q48(rng, (uint128)below * 1000);
        uint128 right = (uint128)above * gamma_ratio_q48(rng, (uint128)above * 1000);
        uint64_t split_q64 = fraction_q64(left, left + right);
        if (split_q64 >= probability_q64) {
            count = below - 1;
            probability_q64 = split_q64 == 0 ? 0 : fraction_q64(probability_q64, split_q64);
        } else {
            hits += below;
            count = above - 1;
            probability_q64 =
                fraction_q64(probability_q64 - split_q64, (uint128)UINT64_MAX + 1 - split_q64);
        }
    }
    for (uint64_t i = 0; i < count; i++)
        hits += rng_next_u64(rng) < probability_q64;
    return hits;
}

uint64_t binomial_draw(uint64_t count, uint64_t numerator, uint64_t denominator,
                       const struct rng_key *key, uint64_t index)
{
    CHECK(denominator > 0);
    if (count == 0 || numerator == 0) return 0;
    if (numerator >= denominator) return count;
    struct rng rng = rng_start(key, index);
    return binomial(&rng, count, fraction_q64(numerator, denominator));
}

#define MICRO           UINT64_C(1000000)
#define POISSON_SMALL   (16 * MICRO)
#define POISSON_LARGEST 256u /* a mean below 16 reaches this once in 10^200 draws */

/* Adds up the probabilities until they pass a uniform number. */
static uint64_t poisson_small(struct rng *rng, uint64_t mean_micro)
{
    int64_t mean_q48 = (int64_t)((uint128)mean_micro * (uint64_t)ONE_Q48 / MICRO);
    int64_t exponent_q48 = (int64_t)((int128)mean_q48 * ONE_Q48 / LN2_Q48);
    uint64_t probability_q62 = (uint64_t)fixed_scale(INT64_C(1) << 61, ONE_Q48 - exponent_q48);
    uint64_t uniform_q62 = rng_next_u64(rng) >> 2;
    uint64_t count = 0;
    while (uniform_q62 >= probability_q62 && count < POISSON_LARGEST) {
        uniform_q62 -= probability_q62;
        count++;
        probability_q62 = (uint64_t)((uint128)probability_q62 * (uint64_t)mean_q48 >> 48) / count;
    }
    return count;
}

/* Ahrens and Dieter, "Computer methods for sampling from gamma, beta, Poisson and binomial
 * distributions" (1974): the waiting time for the n-th event is a gamma; if it ends after the
 * window, the n - 1 events before it are spread evenly, else the rest of the window is drawn anew.
 */
uint64_t poisson_draw(uint64_t mean_micro, const struct rng_key *key, uint64_t index)
{
    if (mean_micro == 0) return 0;
    struct rng rng = rng_start(key, index);
    uint64_t total = 0;
    while (mean_micro >= POISSON_SMALL) {
        uint64_t events = mean_micro / MICRO - mean_micro / MICRO / 8;
        uint64_t ratio_q48 = gamma_ratio_q48(&rng, (uint128)events * 1000);
        uint128 waited_micro = (uint128)events * MICRO * ratio_q48 >> 48;
        if (waited_micro > mean_micro) {
            return total + binomial(&rng, events - 1, fraction_q64(mean_micro, waited_micro));
        }
        total += events;
        mean_micro -= (uint64_t)waited_micro;
    }
    return total + poisson_small(&rng, mean_micro);
}
