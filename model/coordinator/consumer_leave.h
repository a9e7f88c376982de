/* model/coordinator/consumer_leave.h: members of a consumer group going. */
#ifndef MODEL_COORDINATOR_CONSUMER_LEAVE_H
#define MODEL_COORDINATOR_CONSUMER_LEAVE_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

/* Adds what removes the member: its tombstones, the subscription metadata if they changed, the
 * bumped group epoch. No target is made: that is for the next heartbeat of any member. Or, if only
 * classic members remain and the migration policy allows, turns the group into a classic one. The
 * member's timers go. */
void consumer_remove_member(struct operation *operation, struct group *group,
                            const struct consumer_member *member, enum member_removal removal);

/* The same for several at once, without a look at downgrading (LeaveGroup of classic members). */
void consumer_remove_members(struct operation *operation, struct group *group,
                             const struct consumer_member *const *members, int32_t count,
                             enum member_removal removal);

/* Tombstones of one member, in the order that replay demands. */
void consumer_add_member_tombstones(struct operation *operation, name_id group, name_id member);

/* Epochs -1 and -2 of ConsumerGroupHeartbeat: the answer, or why it has to be refused. */
enum kafka_error consumer_leave(struct operation *operation,
                                const struct consumer_group_heartbeat_request *request);

#endif
