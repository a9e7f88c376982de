/* model/coordinator/consumer_convert.h: between classic and consumer groups (KIP-848, "Migration").
 *
 *   classic, empty ───── epoch 0 of the consumer protocol ────▶ tombstoned; a new consumer group
 *   classic, members ─── the same, policy upgrade ────────────▶ consumer group with classic members
 *   consumer ─── its last consumer-protocol member goes or is replaced by a classic one, policy
 *                downgrade ───────────────────────────────────▶ classic group, Stable
 *
 * Empty groups change sides under every policy. Kafka: GroupMetadataManager.convertToConsumerGroup,
 * convertToClassicGroup. */
#ifndef MODEL_COORDINATOR_CONSUMER_CONVERT_H
#define MODEL_COORDINATOR_CONSUMER_CONVERT_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

/* The group a heartbeat is for, which may not be a consumer group before its records are applied.
 */
struct consumer_target_group {
    struct group *group;
    struct consumer_group *state;
    struct consumer_group *made; /* = state, if it is not the group's own */
};

/* `joining`: the request has epoch 0 and may make the group. Adds the records of a conversion. */
enum kafka_error consumer_find_target_group(struct operation *operation,
                                            struct consumer_target_group *found, name_id id,
                                            bool joining);
void consumer_target_group_release(struct operation *operation,
                                   struct consumer_target_group *found);

/* Would the group consist of classic members only, and may it become classic then? */
bool consumer_may_downgrade_without(const struct coordinator *coordinator,
                                    const struct consumer_group *state,
                                    const struct consumer_member *leaving);
bool consumer_may_downgrade_replacing(const struct coordinator *coordinator,
                                      const struct consumer_group *state,
                                      const struct consumer_member *replaced);

/* Turns the group into a classic one without `leaving`. `joining`, unless NULL, is the classic
 * static member that takes its place; if nobody does, a rebalance of the classic group begins. The
 * state is changed here, the records only write it down. */
void consumer_downgrade(struct operation *operation, struct group *group,
                        const struct consumer_member *leaving,
                        const struct consumer_member *joining);

/* A set as the assignment bytes of the classic protocol, in the version of `subscription`, for
 * topics that exist. Give them back with consumer_protocol_give. */
struct bytes consumer_encode_assignment(const struct coordinator *coordinator,
                                        struct partition_set set, struct bytes subscription);

#endif
