#include "sim/fixed.h"

#include "sim/check.h"
#include "sim/distribution_tables.h"

int64_t fixed_log2_q48(uint64_t value)
{
    CHECK(value > 0);
    unsigned leading = (unsigned)__builtin_clzll(value);
    uint64_t mantissa = value << leading; /* [1, 2) with 63 fraction bits */
    uint64_t segment = mantissa >> 55 & 255;
    uint64_t rest = mantissa & ((UINT64_C(1) << 55) - 1);
    /* mantissa = (1 + segment/256) * (1 + e), e < 1/256; ln(1 + e) by its series. */
    uint64_t e = rest * 256 / (256 + segment);
    uint64_t e2 = (uint64_t)((uint128)e * e >> 63);
    uint64_t e3 = (uint64_t)((uint128)e2 * e >> 63);
    uint64_t e4 = (uint64_t)((uint128)e3 * e >> 63);
    uint64_t natural_q63 = e - e2 / 2 + e3 / 3 - e4 / 4;
    /* 1 / ln 2 with 62 fraction bits; 63 + 62 - 48 = 77 */
    uint64_t binary_q48 = (uint64_t)((uint128)natural_q63 * UINT64_C(0x5c551d94ae0bf85e) >> 77);
    return ((int64_t)(63 - leading) << 48) + (int64_t)(log2_table[segment] + binary_q48);
}

int64_t fixed_scale(int64_t value, int64_t exponent_q48)
{
    CHECK(value >= 0);
    int64_t whole = exponent_q48 >> 48; /* rounded down, so the fraction is not negative */
    uint64_t fraction = (uint64_t)exponent_q48 & ((UINT64_C(1) << 48) - 1);
    uint64_t segment = fraction >> 40;
    uint64_t rest_q48 = fraction & ((UINT64_C(1) << 40) - 1);
    /* 2^rest = e^(rest ln 2) by its series, 62 fraction bits */
    uint64_t t = (uint64_t)((uint128)rest_q48 * (uint64_t)LN2_Q48 >> 34);
    uint64_t t2 = (uint64_t)((uint128)t * t >> 62);
    uint64_t t3 = (uint64_t)((uint128)t2 * t >> 62);
    uint64_t series = (UINT64_C(1) << 62) + t + t2 / 2 + t3 / 6;
    uint64_t mantissa_q62 = (uint64_t)((uint128)exp2_table[segment] * series >> 62);

    uint128 product = (uint128)(uint64_t)value * mantissa_q62;
    if (whole < -64 || value == 0) return 0;
    if (whole > 62) return FIXED_LARGEST;
    uint128 scaled = product >> (62 - whole);
    return scaled > FIXED_LARGEST ? FIXED_LARGEST : (int64_t)scaled;
}

int64_t fixed_normal_q28(uint64_t random)
{
    /* One bit is the sign, 63 the probability of the tail beyond |z|: tail / 2^64 in (0, 1/2]. */
    uint64_t tail = (random & INT64_MAX) + 1;
    unsigned octave = (unsigned)__builtin_clzll(tail);
    /* Octaves hold (2^k, 2^(k+1)]: an exact power of two ends the octave below. */
    if ((tail & (tail - 1)) == 0) octave++;
    int64_t z;
    if (octave > QUANTILE_OCTAVES) {
        z = quantile_table[(QUANTILE_OCTAVES - 1) * (QUANTILE_SEGMENTS + 1)]; /* one in 10^11 */
    } else {
        uint64_t within = tail - (UINT64_C(1) << (63 - octave)); /* (0, 2^(63 - octave)] */
        within = (within - 1) << octave;                         /* 63 bits */
        uint64_t segment = within >> 58;
        int64_t rest_q32 = (int64_t)(within >> 26 & UINT32_MAX);
        const int32_t *entry =
            &quantile_table[(octave - 1) * (QUANTILE_SEGMENTS + 1) + (unsigned)segment];
        z = entry[0] + ((entry[1] - (int64_t)entry[0]) * rest_q32 >> 32);
    }
    return random >> 63 ? -z : z;
}

int64_t fixed_exponential_q48(uint64_t random)
{
    /* -ln(u), u = random / 2^64 without 0 */
    int64_t halvings_q48 = ((int64_t)64 << 48) - fixed_log2_q48(random == 0 ? 1 : random);
    return fixed_multiply(halvings_q48, LN2_Q48, 48);
}
