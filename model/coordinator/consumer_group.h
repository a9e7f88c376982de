/* model/coordinator/consumer_group.h: the state of one consumer group (KIP-848).
 *
 *            first member             target computed
 *     EMPTY ─────────────▶ ASSIGNING ─────────────────▶ RECONCILING ──everybody there──▶ STABLE
 *       ▲                     ▲  group epoch bumped         │  ▲                           │
 *       └── last member gone ─┴─────────────────────────────┘  └───────────────────────────┘
 *
 * The state is not set but follows, in this order: no members: Empty; group epoch ahead of the
 * assignment epoch: Assigning; a member that is not STABLE at the assignment epoch: Reconciling;
 * else Stable.
 *
 * Everything here changes only by replaying a record of the log (consumer_replay.h), live and on
 * load alike; the exception is the refresh deadline, which is not persisted. Kafka: ConsumerGroup,
 * ModernGroup, ConsumerGroupMember. */
#ifndef MODEL_COORDINATOR_CONSUMER_GROUP_H
#define MODEL_COORDINATOR_CONSUMER_GROUP_H

#include "model/coordinator/consumer_reconcile.h"
#include "model/coordinator/group_events.h"
#include "model/coordinator/group_log.h"
#include "model/coordinator/name_counts.h"
#include "model/messages_group.h"
#include "model/coordinator/id_map.h"
#include "sim/time.h"

#define CONSUMER_EPOCH_LEAVE        (-1) /* the member left or is about to be removed */
#define CONSUMER_EPOCH_STATIC_LEAVE (-2) /* the static member will be back */

struct consumer_member {
    name_id id;
    /* From the member record (type 5), all zero before the first one. */
    bool is_member; /* a member or current assignment record is there, not only a target */
    name_id instance;
    name_id rack;
    name_id client_id;
    name_id client_host;
    name_id assignor;
    int32_t rebalance_timeout_ms; /* -1 = never told */
    name_id *topics;              /* subscription: ascending names; shape [topic_count] */
    int32_t topic_count;
    bool is_classic; /* speaks the classic protocol */
    int32_t session_timeout_ms;
    struct classic_protocol_value *protocols; /* in order of preference; shape [protocol_count] */
    int32_t protocol_count;
    uint8_t *protocol_bytes; /* what their metadata points into */
    uint32_t protocol_bytes_size;
    /* From the current assignment record (type 8). */
    int32_t epoch;          /* 0 before the first one */
    int32_t previous_epoch; /* -1 before the first one */
    enum consumer_member_state state;
    struct partition_set assigned;
    struct partition_set revoking;
    /* From the target record (type 7). */
    bool has_target;
    struct partition_set target;
};

struct consumer_topic { /* what the group knows of a subscribed topic that exists */
    name_id name;
    name_id id;
    int32_t partitions;
};

struct consumer_group {
    struct memory *memory;
    const struct names *names;
    name_id id;
    int32_t epoch;
    int32_t assignment_epoch; /* -1 after its tombstone */

    struct id_map by_id;              /* member id -> struct consumer_member */
    struct id_map by_instance;        /* instance id -> struct consumer_member */
    struct consumer_member **members; /* ascending ids; shape [entry_count] */
    uint32_t entry_count;             /* with those that have only a target (while loading) */
    uint32_t member_capacity;
    uint32_t member_count;

    struct consumer_topic *topics; /* subscription metadata: ascending names; [topic_count] */
    int32_t topic_count;
    /* Derived from the members. */
    struct name_counts subscribed; /* topic names, also of topics that do not exist */
    struct name_counts assignors;
    struct name_counts protocols; /* of the classic members */
    uint32_t classic_count;
    uint32_t settled_count; /* members STABLE at the assignment epoch */
    uint32_t target_count;
    struct partition_epochs partition_epochs;

    /* Soft: when the subscription metadata is to be looked at again, and the group epoch it was
     * set under (an append that failed afterwards leaves a higher one behind: look again). */
    sim_time refresh_at;
    int32_t refresh_epoch;
    enum group_state noted_state; /* what observers were last told */
};

struct consumer_group *consumer_group_new(struct memory *memory, const struct names *names,
                                          name_id id);
void consumer_group_free(struct consumer_group *group);

/* NULL when there is no such member. */
struct consumer_member *consumer_group_member(const struct consumer_group *group, name_id member);
struct consumer_member *consumer_group_static(const struct consumer_group *group, name_id instance);
const struct consumer_topic *consumer_group_topic(const struct consumer_group *group, name_id name);
enum group_state consumer_group_state(const struct consumer_group *group);
bool consumer_group_is_empty(const struct consumer_group *group);
bool consumer_group_subscribes(const struct consumer_group *group, name_id topic);
/* All members subscribe the same topics (those that do not exist count too). */
bool consumer_subscription_is_homogeneous(const struct name_counts *subscribed,
                                          uint32_t member_count);
/* The assignor the group would use now. */
name_id consumer_group_assignor(const struct consumer_group *group, name_id by_default);
/* May a member with these classic protocols join: there are any, and some protocol is spoken by
 * every classic member. */
bool consumer_group_supports(const struct consumer_group *group,
                             const struct group_protocol *protocols, int32_t count);
bool consumer_group_all_classic_except(const struct consumer_group *group,
                                       const struct consumer_member *member);
/* Something that the member should get is still held by another. */
bool consumer_group_waits_for_release(const struct consumer_group *group,
                                      const struct consumer_member *member);

/* Everything derived agrees with the members. O(group): for tests and checkers. */
bool consumer_group_is_consistent(const struct consumer_group *group);
/* The member records (type 5) of the two would be the same. */
bool consumer_member_same_record(const struct consumer_member *a, const struct consumer_member *b);
/* Same persistent state. */
bool consumer_group_equal(const struct consumer_group *a, const struct consumer_group *b);

/* Changes by replay only (consumer_replay.c). */
struct consumer_member *consumer_group_entry(struct consumer_group *group, name_id member);
/* Drops the entry if nothing is left of it. */
void consumer_group_drop_entry(struct consumer_group *group, struct consumer_member *entry);
/* Around every change of a member: takes it out of what is derived, puts it back in. */
void consumer_group_uncount(struct consumer_group *group, const struct consumer_member *member);
void consumer_group_count(struct consumer_group *group, struct consumer_member *member);
void consumer_group_set_assignment_epoch(struct consumer_group *group, int32_t epoch);
void consumer_member_clear_record(struct consumer_group *group, struct consumer_member *member);

#endif
