/* model/client/backoff.h: exponential back-off with jitter (ExponentialBackoff).
 *
 * min(max, floor(U(0.8, 1.2) * base * 2^attempt)) milliseconds; constant min(base, max) when max is
 * not above base. */
#ifndef MODEL_CLIENT_BACKOFF_H
#define MODEL_CLIENT_BACKOFF_H

#include "sim/rng.h"
#include "sim/time.h"

struct backoff {
    int64_t base_ms;
    int64_t max_ms;
    struct rng_key key; /* RNG_BACKOFF of the client */
};

/* What is backed off from: keeps the draws of one client apart. Append only. */
enum backoff_subject {
    BACKOFF_RECONNECT,
    BACKOFF_CONNECTION_SETUP,
    BACKOFF_METADATA,
    BACKOFF_COORDINATOR_LOOKUP,
    BACKOFF_HEARTBEAT,
    BACKOFF_COMMIT,
    BACKOFF_OFFSET_FETCH,
    BACKOFF_PRODUCE,
    BACKOFF_TRANSACTION,
    BACKOFF_CONSUMER_HEARTBEAT,
};

/* attempt counts from 0; `draw` numbers the draws of one subject. */
sim_time backoff_ns(const struct backoff *backoff, enum backoff_subject subject, uint32_t attempt,
                    uint64_t draw);

#endif
