#include "sim/gamma.h"

#include "sim/check.h"

#define MILLI 1000u

/* From this shape on nearly every candidate is accepted (all but a few in 10,000), and those that
 * would not be differ too little to be seen: no test is made. */
#define ALWAYS_ACCEPT_SHAPE 256u

/* Shapes beyond this have a relative deviation below one in 10^6 and are treated as this one. */
#define LARGEST_SHAPE_MILLI (UINT64_C(1000000000000) * MILLI)

/* Marsaglia and Tsang, "A simple method for generating gamma variables" (2000), for shape >= 1:
 * d = shape - 1/3, v = (1 + z / sqrt(9 d))^3, gamma = d v if ln u < z^2 / 2 + d (1 - v + ln v). */
static uint64_t ratio_of_large_shape_q48(struct rng *rng, uint64_t shape_milli)
{
    uint64_t d_3000 = 3 * shape_milli - MILLI; /* d in 3,000ths */
    int64_t log2_9d_q48 = fixed_log2_q48(9 * d_3000) - fixed_log2_q48(3 * MILLI);
    int64_t c_q48 = fixed_scale(ONE_Q48, -log2_9d_q48 / 2);
    for (;;) {
        int64_t z_q28 = fixed_normal_q28(rng_next_u64(rng));
        int64_t root_q48 = ONE_Q48 + fixed_multiply(c_q48, z_q28, 28);
        if (root_q48 <= 0) continue;
        int64_t v_q48 = fixed_multiply(fixed_multiply(root_q48, root_q48, 48), root_q48, 48);
        if (v_q48 <= 0) continue;
        if (shape_milli < ALWAYS_ACCEPT_SHAPE * MILLI) {
            int64_t half_z2_q48 = (int64_t)((int128)z_q28 * z_q28 >> 9);
            int64_t ln_v_q48 =
                fixed_multiply(fixed_log2_q48((uint64_t)v_q48) - ((int64_t)48 << 48), LN2_Q48, 48);
            int64_t bend_q48 = ONE_Q48 - v_q48 + ln_v_q48;
            int64_t bound_q48 =
                half_z2_q48 + (int64_t)((int128)bend_q48 * (int64_t)d_3000 / (3 * (int64_t)MILLI));
            if (-fixed_exponential_q48(rng_next_u64(rng)) >= bound_q48) continue;
        }
        /* d v / shape */
        return (uint64_t)((uint128)(uint64_t)v_q48 * d_3000 / (3 * (uint128)shape_milli));
    }
}

uint64_t gamma_ratio_q48(struct rng *rng, uint128 shape_milli)
{
    CHECK(shape_milli > 0);
    if (shape_milli >= MILLI) {
        uint64_t shape =
            shape_milli > LARGEST_SHAPE_MILLI ? LARGEST_SHAPE_MILLI : (uint64_t)shape_milli;
        return ratio_of_large_shape_q48(rng, shape);
    }
    /* The same paper: a gamma of shape + 1, times u^(1 / shape). */
    uint64_t shape = (uint64_t)shape_milli;
    uint64_t larger_q48 = ratio_of_large_shape_q48(rng, shape + MILLI);
    int128 halvings_q48 = (int128)fixed_exponential_q48(rng_next_u64(rng)) * ONE_Q48 / LN2_Q48;
    int128 exponent_q48 = halvings_q48 * MILLI / (int64_t)shape;
    if (exponent_q48 > (int128)ONE_Q48 * 64) return 0;
    uint64_t gamma_q48 = (uint64_t)((uint128)larger_q48 * (shape + MILLI) / shape);
    return (uint64_t)fixed_scale((int64_t)gamma_q48, -(int64_t)exponent_q48);
}
