/* model/coordinator/group_events.h: what a coordinator tells those who watch it.
 *
 * Notes are facts, in the order in which they happened; they change nothing. The broker makes trace
 * records of them, the checkers hold them against the invariants. The words are those of Kafka's
 * broker log (../shared/spec/operator-views.md, section 3.3). */
#ifndef MODEL_COORDINATOR_GROUP_EVENTS_H
#define MODEL_COORDINATOR_GROUP_EVENTS_H

#include "model/kafka_types.h"
#include "sim/time.h"

/* Of both kinds of groups; names as Kafka prints them. */
#define GROUP_STATES(X)                                                                            \
    X(EMPTY, "Empty")                                                                              \
    X(PREPARING_REBALANCE, "PreparingRebalance")                                                   \
    X(COMPLETING_REBALANCE, "CompletingRebalance")                                                 \
    X(STABLE, "Stable")                                                                            \
    X(DEAD, "Dead")                                                                                \
    X(ASSIGNING, "Assigning")     /* consumer groups */                                            \
    X(RECONCILING, "Reconciling") /* consumer groups */

enum group_state {
#define X(name, text) GROUP_##name,
    GROUP_STATES(X)
#undef X
        GROUP_STATE_COUNT
};
const char *group_state_name(enum group_state state);

/* Why a rebalance began: the closed set of GroupMetadataManager. */
#define REBALANCE_REASONS(X)                                                                       \
    X(NONE, "")                                                                                    \
    X(NEW_MEMBER, "Adding new member")                                                             \
    X(MEMBER_REJOINED, "Updating metadata for member")                                             \
    X(MEMBER_JOINING, "Member joining group during rebalance")                                     \
    X(LEADER_REJOINED, "Leader re-joining group")                                                  \
    X(MEMBER_LEFT, "explicit `LeaveGroup` request")                                                \
    X(HEARTBEAT_EXPIRED, "removing member on heartbeat expiration")                                \
    X(STATIC_MEMBER_CHANGED, "Updating metadata for static member")                                \
    X(STATIC_PROTOCOL_CHANGED, "Group's selectedProtocol will change because static member")       \
    X(SYNC_EXPIRED, "Removing members on pending sync request expiration")                         \
    X(ASSIGNMENT_NOT_STORED, "Error when storing group assignment during SyncGroup")               \
    X(OVER_CAPACITY, "Freshly-loaded group is over capacity")                                      \
    X(DOWNGRADE, "Downgrade group from consumer to classic")                                       \
    X(SUBSCRIPTION_CHANGED, "Member updated its subscribed topics")                                \
    X(TOPICS_CHANGED, "Metadata of subscribed topics changed")                                     \
    X(REBALANCE_EXPIRED, "Member failed to revoke in time")

enum rebalance_reason {
#define X(name, text) REBALANCE_##name,
    REBALANCE_REASONS(X)
#undef X
        REBALANCE_REASON_COUNT
};
const char *rebalance_reason_text(enum rebalance_reason reason);

enum member_removal {
    REMOVED_LEFT,              /* LeaveGroup, or epoch -1 */
    REMOVED_BY_ADMIN,          /* LeaveGroup with the instance id only */
    REMOVED_SESSION_EXPIRED,   /* heartbeats stopped */
    REMOVED_JOIN_EXPIRED,      /* dynamic member that did not rejoin in time */
    REMOVED_SYNC_EXPIRED,      /* no SyncGroup in time */
    REMOVED_REBALANCE_EXPIRED, /* consumer protocol: did not revoke in time */
    REMOVED_GROUP_FULL,        /* group.max.size */
    REMOVED_REPLACED,          /* static member came back under a new id */
    REMOVED_TEMPORARILY,       /* consumer protocol: static member left with -2 (stays a member) */
    MEMBER_REMOVAL_COUNT
};
const char *member_removal_name(enum member_removal removal);

enum group_note_kind {
    NOTE_GROUP_CREATED, /* detail: enum group_type */
    NOTE_GROUP_DELETED,
    NOTE_GROUP_STATE,      /* old_state, state, generation */
    NOTE_GROUP_CONVERTED,  /* detail: the new enum group_type */
    NOTE_REBALANCE,        /* reason, text (the client's reason), member, instance; generation is
                              still the old one (classic) or the bumped group epoch (consumer) */
    NOTE_MEMBER_ID_ISSUED, /* member: MEMBER_ID_REQUIRED was answered */
    NOTE_MEMBER_ADDED,     /* member, instance, client_id, client_host */
    NOTE_MEMBER_REPLACED,  /* static: member (new), other (old), instance, client_id and client_host
                              as  others will see them, caller */
    NOTE_MEMBER_REMOVED,   /* member, instance, client_id, removal */
    NOTE_JOIN_COMPLETED,   /* generation (new), member = leader, other = protocol, count = members,
                              detail = static members */
    NOTE_ASSIGNMENT_RECEIVED, /* classic: the leader's SyncGroup; member = leader, count */
    NOTE_ASSIGNMENT_STORED,   /* classic: replicated, syncs are answered; generation, count */
    NOTE_TARGET_COMPUTED,     /* consumer: generation = assignment epoch, other = assignor, count */
    NOTE_MEMBER_ASSIGNED,     /* consumer: member's current assignment changed; generation = member
                                 epoch, count = assigned, detail = still to be revoked */
    NOTE_MEMBER_FENCED,       /* a request was refused; member, error, generation = what it said */
    NOTE_COMMIT,            /* one partition of OffsetCommit or TxnOffsetCommit; member, generation,
                               partition, offset, previous_offset (-1 none), error, detail = 1 if
                               transactional. Accepted ones are told when they are applied */
    NOTE_COMMIT_DURABLE,    /* as NOTE_COMMIT, once the high watermark has passed it (or, for a
                               transaction, its marker) */
    NOTE_OFFSET_REMOVED,    /* partition, previous_offset, once the high watermark has passed the
                               tombstone */
    NOTE_TRANSACTION_ENDED, /* offset = producer id, detail = 1 committed, 0 aborted */
    NOTE_SHARD_LOADING,     /* generation = leader epoch */
    NOTE_SHARD_LOADED,      /* count = records read, offset = log end offset */
    NOTE_SHARD_UNLOADED,    /* error when the load failed */
    NOTE_WRITE_FAILED,      /* error; count = operations that were waiting for it */
    NOTE_MEMBER_TARGET,     /* consumer: member's target assignment changed; generation = group
                               epoch, count */
    GROUP_NOTE_KIND_COUNT
};

/* Fields that a kind does not name are 0 (names: NAME_NONE). */
struct group_note {
    enum group_note_kind kind;
    sim_time at;
    name_id group;
    name_id member;
    name_id other;
    name_id instance;
    name_id client_id;
    name_id client_host;
    name_id caller; /* client id of who asks */
    name_id text;
    int32_t generation;
    enum group_state old_state;
    enum group_state state;
    enum rebalance_reason reason;
    enum member_removal removal;
    enum kafka_error error;
    int32_t count;
    int32_t detail;
    struct topic_partition partition;
    int64_t offset;
    int64_t previous_offset;
};

struct coordinator;
/* Called in the middle of the coordinator's work: it may read the shard's groups, never call in. */
typedef void group_observer(void *self, const struct coordinator *coordinator,
                            const struct group_note *note);

#endif
