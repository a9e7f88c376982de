#include "sim/distribution.h"

#include "sim/check.h"
#include "sim/fixed.h"
#include "sim/gamma.h"

#define MILLI INT64_C(1000)

/* 1 / z, with 60 fraction bits, of the z = 2.32635 below which 99 % of a standard normal lie */
#define INVERSE_Z99_Q60 INT64_C(495592906577740151)

/* log2 of the lognormal's spread: x = median * 2^(z * spread). */
static int64_t lognormal_spread_q48(const struct distribution *distribution)
{
    CHECK(distribution->a > 0 && distribution->b >= distribution->a);
    int64_t p99_q48 =
        fixed_log2_q48((uint64_t)distribution->b) - fixed_log2_q48((uint64_t)distribution->a);
    return fixed_multiply(p99_q48, INVERSE_Z99_Q60, 60);
}

void distribution_prepare(struct distribution *distribution)
{
    if (distribution->kind != DISTRIBUTION_LOGNORMAL) return;
    distribution->prepared = lognormal_spread_q48(distribution);
}

static int64_t draw_lognormal(const struct distribution *distribution, uint64_t random)
{
    int64_t spread_q48 =
        distribution->prepared != 0 ? distribution->prepared : lognormal_spread_q48(distribution);
    int64_t z_q28 = fixed_normal_q28(random);
    return fixed_scale(distribution->a, fixed_multiply(spread_q48, z_q28, 28));
}

/* minimum * u^(-1/alpha) */
static int64_t draw_pareto(const struct distribution *distribution, uint64_t random)
{
    CHECK(distribution->b > 0);
    int64_t halvings_q48 = ((int64_t)64 << 48) - fixed_log2_q48(random == 0 ? 1 : random);
    int128 exponent_q48 = (int128)halvings_q48 * MILLI / distribution->b;
    if (exponent_q48 > (int128)ONE_Q48 * 64) exponent_q48 = (int128)ONE_Q48 * 64;
    return fixed_scale(distribution->a, (int64_t)exponent_q48);
}

/* The sum of `count` gammas of this mean and shape is a gamma of `count` times both. */
static int64_t draw_gamma(int64_t mean, uint64_t shape_milli, uint64_t count,
                          const struct rng_key *key, uint64_t index)
{
    struct rng rng = rng_start(key, index);
    uint64_t ratio_q48 = gamma_ratio_q48(&rng, (uint128)shape_milli * count);
    uint128 total_mean = (uint128)(uint64_t)mean * count;
    if (total_mean > FIXED_LARGEST) total_mean = FIXED_LARGEST;
    return fixed_clamp((int128)(total_mean * ratio_q48 >> 48));
}

int64_t distribution_draw(const struct distribution *distribution, const struct rng_key *key,
                          uint64_t index)
{
    int64_t a = distribution->a;
    int64_t b = distribution->b;
    switch (distribution->kind) {
    case DISTRIBUTION_CONSTANT: return a;
    case DISTRIBUTION_UNIFORM:
        CHECK(a <= b && a >= 0);
        return a + (int64_t)rng_below(key, index, (uint64_t)(b - a) + 1);
    case DISTRIBUTION_EXPONENTIAL:
        return fixed_clamp((int128)a * fixed_exponential_q48(rng_u64(key, index)) >> 48);
    case DISTRIBUTION_NORMAL:
        return fixed_clamp(a + ((int128)b * fixed_normal_q28(rng_u64(key, index)) >> 28));
    case DISTRIBUTION_LOGNORMAL: return draw_lognormal(distribution, rng_u64(key, index));
    case DISTRIBUTION_GAMMA: return draw_gamma(a, (uint64_t)b, 1, key, index);
    case DISTRIBUTION_PARETO: return draw_pareto(distribution, rng_u64(key, index));
    case DISTRIBUTION_EMPIRICAL:
        return distribution->values[alias_table_draw(distribution->table, rng_u64(key, index))];
    }
    CHECK(false && "a distribution has one of the kinds above");
    return 0;
}

bool distribution_sum_is_closed(const struct distribution *distribution)
{
    return distribution->kind == DISTRIBUTION_CONSTANT ||
           distribution->kind == DISTRIBUTION_EXPONENTIAL ||
           distribution->kind == DISTRIBUTION_GAMMA;
}

int64_t distribution_draw_sum(const struct distribution *distribution, const struct rng_key *key,
                              uint64_t first_index, uint64_t count)
{
    if (count == 0) return 0;
    if (distribution->kind == DISTRIBUTION_CONSTANT) {
        return fixed_clamp((int128)distribution->a * (int128)count);
    }
    if (count > 1 && distribution->kind == DISTRIBUTION_EXPONENTIAL) {
        return draw_gamma(distribution->a, MILLI, count, key, first_index);
    }
    if (distribution->kind == DISTRIBUTION_GAMMA) {
        return draw_gamma(distribution->a, (uint64_t)distribution->b, count, key, first_index);
    }
    int128 sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        sum += distribution_draw(distribution, key, first_index + i);
    }
    return fixed_clamp(sum);
}

/* median * exp(s^2 / 2) with s in natural units: 2^(spread^2 ln 2 / 2). */
static int64_t lognormal_mean(const struct distribution *distribution)
{
    int64_t spread_q48 = lognormal_spread_q48(distribution);
    int64_t squared_q48 = fixed_multiply(spread_q48, spread_q48, 48);
    return fixed_scale(distribution->a, fixed_multiply(squared_q48, LN2_Q48, 49));
}

static int64_t empirical_mean(const struct distribution *distribution)
{
    int128 sum = 0;
    size_t count = alias_table_count(distribution->table);
    for (size_t i = 0; i < count; i++) {
        sum +=
            (int128)distribution->values[i] * (int128)alias_table_share_q48(distribution->table, i);
    }
    return fixed_clamp(sum >> 48);
}

int64_t distribution_mean(const struct distribution *distribution)
{
    int64_t a = distribution->a;
    int64_t b = distribution->b;
    switch (distribution->kind) {
    case DISTRIBUTION_CONSTANT:
    case DISTRIBUTION_EXPONENTIAL:
    case DISTRIBUTION_NORMAL: /* the cut at 0 is left out */
    case DISTRIBUTION_GAMMA: return a;
    case DISTRIBUTION_UNIFORM: return a + (b - a) / 2;
    case DISTRIBUTION_LOGNORMAL: return lognormal_mean(distribution);
    case DISTRIBUTION_PARETO:
        return b <= MILLI ? FIXED_LARGEST : fixed_clamp((int128)a * b / (b - MILLI));
    case DISTRIBUTION_EMPIRICAL: return empirical_mean(distribution);
    }
    CHECK(false && "a distribution has one of the kinds above");
    return 0;
}
