/* sim/gamma.h: the gamma draw, from which sums, Poisson and binomial counts are made. Private to
 * the engine. */
#ifndef SIM_GAMMA_H
#define SIM_GAMMA_H

#include "sim/fixed.h"
#include "sim/rng.h"

/* A gamma of this shape (in thousandths, > 0) divided by its mean: 1.0 on average. */
uint64_t gamma_ratio_q48(struct rng *rng, uint128 shape_milli);

#endif
