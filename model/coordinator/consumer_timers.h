/* model/coordinator/consumer_timers.h: the deadlines of a consumer group's members.
 *
 *   session    silence: every good heartbeat arms it anew            → the member is removed
 *   rebalance  revocation asked for, not confirmed at this epoch     → the member is removed
 *   join       a classic member was told to rejoin and did not       → the member is removed
 *   sync       a classic member joined and did not sync              → the member is removed
 *
 * Timers belong to a group id and a member id, whether such a member exists or not: they are armed
 * before the records of a join are applied, and those of a replaced static member are left to fire
 * and find nobody (Kafka keys its timers by strings of the same parts). They are not persisted. */
#ifndef MODEL_COORDINATOR_CONSUMER_TIMERS_H
#define MODEL_COORDINATOR_CONSUMER_TIMERS_H

#include "model/coordinator/shard.h"

/* What the consumer protocol uses for this group. */
int32_t consumer_session_timeout_ms(const struct coordinator *coordinator,
                                    const struct group *group);
int32_t consumer_heartbeat_interval_ms(const struct coordinator *coordinator,
                                       const struct group *group);

void consumer_arm_session(struct coordinator *coordinator, struct group *group, name_id member,
                          int32_t timeout_ms);
/* Fires for nothing once the member has left `epoch`. */
void consumer_arm_rebalance(struct coordinator *coordinator, struct group *group, name_id member,
                            int32_t epoch, int32_t timeout_ms);
void consumer_cancel_rebalance(struct coordinator *coordinator, struct group *group,
                               name_id member);
/* Leaves a running one alone. */
void consumer_arm_join_if_absent(struct coordinator *coordinator, struct group *group,
                                 name_id member, int32_t timeout_ms);
void consumer_cancel_join(struct coordinator *coordinator, struct group *group, name_id member);
void consumer_arm_sync(struct coordinator *coordinator, struct group *group, name_id member,
                       int32_t timeout_ms);
void consumer_cancel_sync(struct coordinator *coordinator, struct group *group, name_id member);
/* All four. */
void consumer_cancel_timers(struct coordinator *coordinator, struct group *group, name_id member);

#endif
