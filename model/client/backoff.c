#include "model/client/backoff.h"

sim_time backoff_ns(const struct backoff *backoff, enum backoff_subject subject, uint32_t attempt,
                    uint64_t draw)
{
    int64_t base = backoff->base_ms;
    int64_t max = backoff->max_ms;
    if (max <= base) return MILLISECONDS(base < max ? base : max);
    int64_t term = base;
    while (attempt > 0 && term < max) {
        term *= 2;
        attempt--;
    }
    if (term > max) term = max;
    uint64_t index = rng_index((uint64_t)subject, draw);
    int64_t ppm = 800000 + (int64_t)rng_below(&backoff->key, index, 400000);
    int64_t jittered = term * ppm / 1000000;
    return MILLISECONDS(jittered < max ? jittered : max);
}
