/* model/coordinator/consumer_replay.h: records 3 to 8 of the group log, both ways.
 *
 * The only place where the persistent state of a consumer group changes: a live operation writes
 * records and then replays them, a load replays what it finds in the log. Kafka:
 * GroupMetadataManager.replay; the tombstones it ignores are ignored here.
 *
 * A state is the fold of its records, the latest of each key: consumer_record_now gives the record
 * that would make a key what it is now, so an operation that could not be written is taken back by
 * replaying, in reverse order, what its keys were before. */
#ifndef MODEL_COORDINATOR_CONSUMER_REPLAY_H
#define MODEL_COORDINATOR_CONSUMER_REPLAY_H

#include "model/coordinator/consumer_group.h"

/* True for records that are about consumer groups. */
bool consumer_record_is(const struct group_record *record);

/* Applies a record about this group. False when it deletes the group: the caller frees it. */
bool consumer_group_replay(struct consumer_group *group, const struct group_record *record);

/* What the log would have to say for the record's key to be as it is now; a tombstone for what is
 * not there, also when `group` is NULL. The caller frees it. */
struct group_record consumer_record_now(struct memory *memory, const struct consumer_group *group,
                                        const struct group_record *record);

/* Another group with the same persistent state, made by replaying its records. */
struct consumer_group *consumer_group_copy(const struct consumer_group *from);

/* Makers on top of those of group_log.h. */
struct group_record consumer_record_of_member(struct memory *memory, name_id group,
                                              const struct consumer_member *member);
struct group_record consumer_record_of_target(struct memory *memory, name_id group, name_id member,
                                              struct partition_set target);
struct consumer_current { /* a member's current assignment */
    enum consumer_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct partition_set assigned;
    struct partition_set revoking;
};
struct group_record consumer_record_of_current(struct memory *memory, name_id group, name_id member,
                                               const struct consumer_current *current);
struct group_record consumer_record_of_epoch(struct memory *memory, name_id group, int32_t epoch);
struct group_record consumer_record_of_assignment_epoch(struct memory *memory, name_id group,
                                                        int32_t epoch);
struct group_record consumer_record_of_topics(struct memory *memory, name_id group,
                                              const struct consumer_topic *topics, int32_t count);
/* `type` is 3 to 8; `member` is NAME_NONE for those of the group. */
struct group_record consumer_record_tombstone(struct memory *memory, enum group_record_type type,
                                              name_id group, name_id member);

#endif
