/* model/coordinator/consumer_committed.h: consumer groups as of the high watermark.
 *
 * Describing and unstable fetches see only what is committed. What is applied and not committed yet
 * lies in the shard's journal as the records that would take it back. */
#ifndef MODEL_COORDINATOR_CONSUMER_COMMITTED_H
#define MODEL_COORDINATOR_CONSUMER_COMMITTED_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

struct committed_member {
    bool exists;
    int32_t epoch;
    bool is_classic;
};

/* Comes filled with the member as it is, goes as it was. */
void consumer_committed_member(const struct coordinator *coordinator, const struct group *group,
                               name_id member, struct committed_member *committed);

/* NULL when there was no consumer group. If `*made` is not NULL the group was rebuilt and is to be
 * freed by the caller; else it is the shard's own. */
const struct consumer_group *consumer_committed_group(struct coordinator *coordinator,
                                                      const struct group *group,
                                                      struct consumer_group **made);

#endif
