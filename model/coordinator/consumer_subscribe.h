/* model/coordinator/consumer_subscribe.h: small parts of joining a consumer group. */
#ifndef MODEL_COORDINATOR_CONSUMER_SUBSCRIBE_H
#define MODEL_COORDINATOR_CONSUMER_SUBSCRIBE_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

/* Subscribed names ascending and without doubles into `out`, which has room for `count`. How many
 * there are. */
int32_t consumer_sort_topics(const struct names *names, const name_id *topics, int32_t count,
                             name_id *out);

/* A static member comes back under another id: adds the tombstones of the former and the records of
 * the new one, a copy with its target and partitions at epoch 0. Returns that copy, which borrows
 * the holder's arrays. The former's timers are left to fire and find nobody. Client id and host are
 * who asks, and will be the member's. */
struct consumer_member consumer_replace_member(struct operation *operation,
                                               const struct consumer_group *group,
                                               const struct consumer_member *holder, name_id new_id,
                                               name_id client_id, name_id client_host);

#endif
