/* sim/rng.h: keyed randomness.
 *
 * A draw is a function of (seed, entity name, purpose, index), not of how often anybody has drawn
 * before: deleting a member or a fault moves nobody else's draws. `index` names the thing drawn for
 * (partition and offset, the n-th fault), never "the next draw of this consumer".
 * The key is hashed (xxHash) into state and stream of a PCG generator (rng.cc wraps
 * pcg_random.hpp); its first outputs are the draw. See ../shared/spec/determinism.md. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

/* Purposes keep streams of one entity apart. Engine-private ones come first; strategies have their
 * own so that a randomised assignor cannot disturb the workload. Append only: the numbers are part
 * of every fingerprint. */
#define RNG_PURPOSES(X)                                                                            \
    X(TIE, "tie order of the engine")                                                              \
    X(NETWORK_LATENCY, "latency of one message")                                                   \
    X(NETWORK_LOSS, "loss of one message")                                                         \
    X(ARRIVAL, "when records arrive")                                                              \
    X(KEY, "which key a record has")                                                               \
    X(RECORD_SIZE, "how large a record is")                                                        \
    X(SERVICE, "how long processing takes")                                                        \
    X(BACKOFF, "jitter of a retry back-off")                                                       \
    X(MEMBER_ID, "the uuid in a member id")                                                        \
    X(FAULT_TIME, "when a random fault strikes")                                                   \
    X(FAULT_TARGET, "whom a fault strikes")                                                        \
    X(FAULT_LENGTH, "how long a fault lasts")                                                      \
    X(STARTUP, "how long a process takes to start")                                                \
    X(BROKER_CHOICE, "which broker a client asks first")                                           \
    X(REQUEST_SERVICE, "how long a broker works on a request")                                     \
    X(DISK, "how long a disk takes")                                                               \
    X(PARTITIONER, "the producer's partition without a key")                                       \
    X(SINK, "how long a sink takes")                                                               \
    X(ASSIGNOR, "strategies")                                                                      \
    X(PHASE, "offset of a periodic thing")                                                         \
    X(TEST, "tests only")                                                                          \
    X(RECORD_KEY, "which key a record of a compacted topic has")                                   \
    X(TOMBSTONE, "whether a record has no value")

enum rng_purpose {
#define X(name, help) RNG_##name,
    RNG_PURPOSES(X)
#undef X
        RNG_PURPOSE_COUNT
};

/* The part of the key that stays the same for one entity and purpose; cheap to keep. */
struct rng_key {
    uint64_t seed;
    uint64_t entity; /* names_hash of the entity's scenario name */
    uint64_t purpose;
};

struct rng_key rng_key(uint64_t seed, uint64_t entity_hash, enum rng_purpose purpose);

/* Two-part indexes (partition and offset) are packed by rng_index. */
uint64_t rng_index(uint64_t a, uint64_t b);

/* One draw. */
uint64_t rng_u64(const struct rng_key *key, uint64_t index);
/* Uniform in [0, bound), unbiased; bound > 0. */
uint64_t rng_below(const struct rng_key *key, uint64_t index, uint64_t bound);
/* True with ppm / 1,000,000. */
bool rng_chance_ppm(const struct rng_key *key, uint64_t index, uint32_t ppm);

/* Several outputs for one thing (a rejection loop, a shuffle). */
struct rng {
    uint64_t state;
    uint64_t increment;
};
struct rng rng_start(const struct rng_key *key, uint64_t index);
uint64_t rng_next_u64(struct rng *rng);
uint64_t rng_next_below(struct rng *rng, uint64_t bound);

#endif
