/* model/assignor/leader.h: what the leader of a classic group does between JoinGroup and SyncGroup.
 *
 * It decodes what the members subscribe to, looks the topics up in its metadata, runs the assignor
 * the coordinator chose, and encodes one assignment per member (ConsumerCoordinator
 * .onLeaderElected). This is the middle part, from decoded subscriptions to lists of partitions. */
#ifndef MODEL_ASSIGNOR_LEADER_H
#define MODEL_ASSIGNOR_LEADER_H

#include "model/assignor/assignor.h"
#include "model/consumer_protocol.h"

struct leader_member {
    name_id id;
    name_id instance; /* NAME_NONE or NAME_EMPTY = dynamic */
    const struct subscription *subscription;
};

struct leader_assignment {
    /* Member m gets partitions[first[m]] up to before partitions[first[m + 1]], by topic name and
     * number. Shapes [partition_count] and [member_count + 1]. */
    struct topic_partition *partitions;
    int32_t partition_count;
    int32_t *first;
    int32_t member_count;
    int32_t withheld_count; /* cooperative-sticky: a second rebalance will hand out so many */
};

/* `topics` is the leader's metadata: names, counts and racks. Topics that a member lists and that
 * are missing there do not exist. Unreadable user data is no user data, as in Kafka. */
struct leader_assignment leader_assign(struct memory *memory, struct names *names,
                                       const struct assignor *assignor,
                                       const struct leader_member *members, int32_t member_count,
                                       const struct assign_topic *topics, int32_t topic_count);
/* I12: the assignment is the same when it is made once more, with the members in reverse order. For
 * tests. */
bool leader_is_orderless(struct memory *memory, struct names *names,
                         const struct assignor *assignor, const struct leader_member *members,
                         int32_t member_count, const struct assign_topic *topics,
                         int32_t topic_count, const struct leader_assignment *made);
void leader_assignment_free(struct memory *memory, struct leader_assignment *assignment);

#endif
