/* tests/harness/classic_calls.h: the classic protocol, one call at a time, as a consumer sends it.
 */
#ifndef TESTS_HARNESS_CLASSIC_CALLS_H
#define TESTS_HARNESS_CLASSIC_CALLS_H

#include "tests/harness/shard_host.h"

struct classic_call {
    const char *group;
    const char *member;   /* NULL = "" */
    const char *instance; /* NULL = dynamic */
    const char *topic;    /* the only one it subscribes to; NULL = none */
    const char *protocol; /* NULL = "range" */
    int32_t generation;
    int32_t owned[8]; /* partitions of the topic it owns */
    int32_t owned_count;
    int32_t session_timeout_ms;   /* 0 = 10,000 */
    int32_t rebalance_timeout_ms; /* 0 = 30,000 */
    int16_t version;              /* 0 = 9 */
};

/* Each returns the token of the request. */
uint64_t classic_call_join(struct shard_host *host, const struct classic_call *call);
/* A SyncGroup without assignments, as followers send it. */
uint64_t classic_call_sync(struct shard_host *host, const struct classic_call *call);
/* The leader's: `assigned[i]` partitions of the topic for `members[i]`, given out in order. */
uint64_t classic_call_lead(struct shard_host *host, const struct classic_call *call,
                           const char *const *members, const int32_t *assigned, int32_t count);
uint64_t classic_call_heartbeat(struct shard_host *host, const struct classic_call *call);
uint64_t classic_call_leave(struct shard_host *host, const struct classic_call *call);

/* How many partitions are in the answer to a SyncGroup; -1 if it cannot be read. */
int32_t classic_call_assigned(struct shard_host *host, uint64_t token);

#endif
