/* model/coordinator/consumer_requests.h: what the shard calls for consumer groups (KIP-848).
 *
 * Handlers look at the state, add records and a response to their operation, or refuse it; the
 * state changes when the operation's records are applied. Each finds its group itself where the
 * request decides what kind of group is meant; where the shard has already looked, it is passed. */
#ifndef MODEL_COORDINATOR_CONSUMER_REQUESTS_H
#define MODEL_COORDINATOR_CONSUMER_REQUESTS_H

#include "model/coordinator/shard.h"

/* ConsumerGroupHeartbeat and ConsumerGroupDescribe. */
void consumer_on_group_heartbeat(struct operation *operation);
void consumer_on_group_describe(struct operation *operation);

/* The classic protocol spoken to a consumer group: JoinGroup only while the group has members (an
 * empty consumer group is deleted by consumer_add_tombstones and becomes a classic one); SyncGroup,
 * Heartbeat and LeaveGroup always. Source: GroupMetadataManager.classicGroup*ToConsumerGroup. */
void consumer_on_join_group(struct operation *operation, struct group *group);
void consumer_on_sync_group(struct operation *operation, struct group *group);
void consumer_on_heartbeat(struct operation *operation, struct group *group);
void consumer_on_leave_group(struct operation *operation, struct group *group);

/* May this member commit (KAFKA_NONE) under this epoch? `version` is that of the request. */
enum kafka_error consumer_validate_offset_commit(const struct group *group, name_id member,
                                                 int32_t epoch, bool transactional,
                                                 int16_t version);
/* `member` NAME_NONE with a negative epoch: nobody's member, allowed. Held against the committed
 * state, as reads are; a fetch of stable offsets is queued like a write and looks at the `latest`
 * (GroupCoordinatorService.fetchOffsets). */
enum kafka_error consumer_validate_offset_fetch(const struct coordinator *coordinator,
                                                const struct group *group, name_id member,
                                                int32_t epoch, bool latest);
bool consumer_is_subscribed(const struct group *group, name_id topic);

/* State by name, for DescribeGroups, ListGroups and notes. */
enum group_state consumer_state(const struct group *group);

/* Every record of the group as tombstones, in the order in which they can be replayed; for
 * DeleteGroups, expiry and JoinGroup on an empty group. */
void consumer_add_tombstones(struct operation *operation, const struct group *group);

/* The topic was created, changed or deleted: groups that subscribe to it look at their subscription
 * metadata at the next heartbeat of any member. */
void consumer_on_topic_changed(struct coordinator *coordinator, name_id topic);

/* After a load: full timers for every member. After an unload, and before the shard is freed: the
 * timers go (they are kept by group id, whatever the group is by then). */
void consumer_on_loaded(struct coordinator *coordinator, struct group *group);
void consumer_on_unloaded(struct coordinator *coordinator, struct group *group);

/* For coordinator_apply and its journal: see shard.h. */
struct group_record consumer_group_current_record(struct coordinator *coordinator,
                                                  const struct group_record *record);
void consumer_group_apply(struct coordinator *coordinator, const struct group_record *record);
/* After the last record of an operation: tells observers if the group is in another state now. What
 * it passed through in between lasted no time. */
void consumer_on_applied(struct coordinator *coordinator, const struct group_record *last);

/* Gives the group's memory back (consumer_group.h). */
void consumer_group_free(struct consumer_group *group);

#endif
