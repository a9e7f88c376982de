/* model/scale.h: value * numerator / denominator without overflow in between, rounded down. */
#ifndef MODEL_SCALE_H
#define MODEL_SCALE_H

#include "sim/wide.h"

#include <stdint.h>

/* All non-negative, denominator positive; the result must fit. */
static inline int64_t scale_int64(int64_t value, int64_t numerator, int64_t denominator)
{
    if (((value | numerator) >> 31) == 0) return value * numerator / denominator;
    return (int64_t)((int128)value * numerator / denominator);
}

#endif
