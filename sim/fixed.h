/* sim/fixed.h: logarithm, power and normal quantile in fixed point. Private to the engine.
 *
 * The suffix is the number of fraction bits: 1.0 is 1 << 48 in a value `_q48`. Errors are below
 * 1e-11 for the logarithm and the power, and below 6e-5 for the quantile (linear between table
 * entries). */
#ifndef SIM_FIXED_H
#define SIM_FIXED_H

#include <stdint.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#define ONE_Q48 (INT64_C(1) << 48)
/* ln 2 */
#define LN2_Q48 INT64_C(0xb17217f7d1cf)

/* No draw is larger: 146 years, far from the end of sim_time. */
#define FIXED_LARGEST (INT64_MAX / 2)

/* value > 0 */
int64_t fixed_log2_q48(uint64_t value);
/* value * 2^exponent, rounded down, at most FIXED_LARGEST; value >= 0. */
int64_t fixed_scale(int64_t value, int64_t exponent_q48);
/* A standard normal from 64 random bits. */
int64_t fixed_normal_q28(uint64_t random);
/* An exponential of mean 1 from 64 random bits. */
int64_t fixed_exponential_q48(uint64_t random);

/* a * b / 2^shift, rounded down. */
static inline int64_t fixed_multiply(int64_t a, int64_t b, unsigned shift)
{
    return (int64_t)((int128)a * b >> shift);
}

/* 0 when negative, FIXED_LARGEST when larger. */
static inline int64_t fixed_clamp(int128 value)
{
    if (value < 0) return 0;
    return value > FIXED_LARGEST ? FIXED_LARGEST : (int64_t)value;
}

#endif
