/* model/coordinator/classic_group.h: a classic group (JoinGroup, SyncGroup, generations).
 *
 *   EMPTY ──first member──▶ PREPARING_REBALANCE ──join phase ends, members──▶ COMPLETING_REBALANCE
 *     ▲                        │     ▲      ▲                                     │          │
 *     └──join phase ends, none─┘     │      └── join with change, leave, expiry ──┘          │
 *                                    │                              leader's assignment written
 *                                    └── the same, or the leader rejoins ── STABLE ◀─────────┘
 *
 *   any ──shard unloaded, group deleted──▶ gone (DescribeGroups says DEAD)
 *
 * PREPARING: the coordinator waits for members to (re)join; their JoinGroups are parked.
 * COMPLETING: every member has the new generation; SyncGroups are parked until the leader's
 * assignment is replicated. Source: Kafka's ClassicGroup, ClassicGroupMember.
 *
 * The object is soft state but for what its last written record says; see classic_group_record.c.
 */
#ifndef MODEL_COORDINATOR_CLASSIC_GROUP_H
#define MODEL_COORDINATOR_CLASSIC_GROUP_H

#include "model/coordinator/shard.h"

struct classic_member {
    struct group *group;
    name_id id;
    name_id instance; /* NAME_NONE = dynamic */
    name_id client_id;
    name_id client_host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    struct group_protocol *protocols; /* in order of preference; one block with their bytes */
    int32_t protocol_count;
    uint32_t protocols_size;     /* of that block */
    struct bytes assignment;     /* empty = none */
    uint8_t *assignment_block;   /* its memory */
    struct parked_request *join; /* NULL = not waiting */
    struct parked_request *sync;
    bool is_new;                      /* until the first join phase completes */
    bool pending_sync;                /* has not sent SyncGroup in this generation */
    struct bytes received_assignment; /* scratch of SyncGroup */
    struct coordinator_timer session;
};

/* An id handed out with MEMBER_ID_REQUIRED that has not come back yet. */
struct pending_member {
    struct group *group;
    name_id id;
    int32_t session_timeout_ms;
    struct coordinator_timer session;
};

struct protocol_support {
    name_id name;
    int32_t members; /* how many list it */
};

struct classic_group {
    struct group *group;
    enum group_state state;
    enum group_state previous_state; /* EMPTY marks an initial rebalance */
    int64_t state_timestamp_ms;      /* -1 = unknown */
    int32_t generation;
    name_id protocol_type; /* NAME_NONE: a simple group, which only has offsets */
    name_id protocol_name;
    name_id leader;

    struct classic_member **members; /* ascending ids; shape [member_count] */
    int32_t member_count;
    int32_t member_capacity;
    struct id_map members_by_id;
    struct id_map members_by_instance;
    struct id_map pending_by_id;
    struct pending_member **pending; /* ascending ids */
    int32_t pending_count;
    int32_t pending_capacity;

    int32_t awaiting_join_count;
    int32_t pending_sync_count; /* members that owe a SyncGroup, and ghosts */
    /* Old ids of static members replaced while they owed a SyncGroup: Kafka forgets to take them
     * out, so the sync timer still fires for them (ClassicGroup.replaceStaticMember). */
    name_id *ghost_syncs;
    int32_t ghost_sync_count;
    int32_t ghost_sync_capacity;
    struct protocol_support *support;
    int32_t support_count;
    int32_t support_capacity;

    bool topics_known; /* all metadata could be read */
    name_id *topics;   /* subscribed by anybody; ascending names; shape [topic_count] */
    int32_t topic_count;
    int32_t topic_capacity;

    bool new_member_added; /* during the present stretch of the initial delay */
    struct coordinator_timer join_timer;
    int64_t initial_delay_ms; /* of the running stretch; -1 = not an initial rebalance */
    int64_t initial_remaining_ms;
    struct coordinator_timer sync_timer;
    int32_t sync_generation; /* the sync timer was armed in */
};

/* Made and destroyed. A new group is EMPTY, generation 0. NULL may be freed. */
struct classic_group *classic_group_new(struct coordinator *coordinator, struct group *group);
void classic_group_free(struct coordinator *coordinator, struct classic_group *classic);

/* The object is being replaced and may come back: no timer of it may fire meanwhile. Back again,
 * sessions start anew. */
void classic_group_suspend(struct coordinator *coordinator, struct classic_group *classic);
void classic_group_resume(struct coordinator *coordinator, struct classic_group *classic);

/* What must hold between operations; handlers CHECK it on their way out. */
bool classic_group_is_consistent(const struct classic_group *classic);
/* The same and every member looked at: O(members). */
bool classic_group_is_consistent_in_depth(const struct classic_group *classic);

/* The only way the state changes. */
void classic_set_state(struct coordinator *coordinator, struct classic_group *classic,
                       enum group_state state);

struct classic_member *classic_find_member(const struct classic_group *classic, name_id id);
struct classic_member *classic_find_static(const struct classic_group *classic, name_id instance);
bool classic_is_pending(const struct classic_group *classic, name_id id);

/* The member of the request, or why not (ClassicGroup.validateMember). */
struct classic_member *classic_validate_member(const struct classic_group *classic, name_id id,
                                               name_id instance, enum kafka_error *error);

/* Adds a member that parks its join (or none: `parked` NULL). Takes the protocols from there. */
struct member_details {
    name_id id;
    name_id instance;
    name_id client_id;
    name_id client_host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    name_id protocol_type;
    const struct group_protocol *protocols;
    int32_t protocol_count;
};
struct classic_member *classic_add_member(struct coordinator *coordinator,
                                          struct classic_group *classic,
                                          const struct member_details *details);
void classic_set_protocols(struct coordinator *coordinator, struct classic_group *classic,
                           struct classic_member *member, const struct group_protocol *protocols,
                           int32_t count);
void classic_set_assignment(struct coordinator *coordinator, struct classic_member *member,
                            struct bytes assignment);
/* Parks the request in the member; one parked before is never answered. */
void classic_park_join(struct coordinator *coordinator, struct classic_group *classic,
                       struct classic_member *member, struct parked_request *parked);
void classic_park_sync(struct coordinator *coordinator, struct classic_member *member,
                       struct parked_request *parked);
/* Nothing happens when no join (sync) is parked; `response` is then freed. True if it was. */
bool classic_answer_join(struct coordinator *coordinator, struct classic_group *classic,
                         struct classic_member *member, struct join_group_response *response);
bool classic_answer_sync(struct coordinator *coordinator, struct classic_member *member,
                         struct sync_group_response *response);

/* Member or pending id; tells nobody. A parked SyncGroup is never answered, as in Kafka. The leader
 * passes to the lowest id that is left. */
void classic_remove_member(struct coordinator *coordinator, struct classic_group *classic,
                           struct classic_member *member);
void classic_add_pending(struct coordinator *coordinator, struct classic_group *classic, name_id id,
                         int32_t session_timeout_ms);
void classic_remove_pending(struct coordinator *coordinator, struct classic_group *classic,
                            name_id id);
/* The member goes on under another id (KIP-345): parked requests are answered FENCED_INSTANCE_ID.
 * `caller` is the client id of who asks, for the note; the member keeps client id and host of its
 * first process (ClassicGroup.replaceStaticMember), and kafka-consumer-groups.sh goes on showing
 * them. */
void classic_rename_member(struct coordinator *coordinator, struct classic_group *classic,
                           struct classic_member *member, name_id new_id, name_id caller);

bool classic_all_joined(const struct classic_group *classic);
bool classic_supports(const struct classic_group *classic, name_id protocol_type,
                      const struct group_protocol *protocols, int32_t count);
/* Same protocols, same order, same bytes. */
bool classic_same_metadata(const struct classic_member *member,
                           const struct group_protocol *protocols, int32_t count);
/* The protocol most members would choose of those that all support. */
name_id classic_vote(const struct coordinator *coordinator, const struct classic_group *classic);
int32_t classic_rebalance_timeout_ms(const struct classic_group *classic);
struct bytes classic_metadata(const struct classic_member *member, name_id protocol);
void classic_compute_topics(struct coordinator *coordinator, struct classic_group *classic);
bool classic_is_subscribed(const struct coordinator *coordinator,
                           const struct classic_group *classic, name_id topic);
bool classic_uses_consumer_protocol(const struct coordinator *coordinator,
                                    const struct classic_group *classic);
void classic_set_pending_sync(struct classic_group *classic, struct classic_member *member,
                              bool pending);
void classic_clear_pending_syncs(struct classic_group *classic);

/* The log (classic_group_record.c). `received`: the assignments are those of the SyncGroup under
 * way, not the stored ones. */
struct group_record classic_group_record(struct coordinator *coordinator,
                                         const struct classic_group *classic, bool received);
/* An id without members: created, or just become empty. */
struct group_record classic_empty_record(struct coordinator *coordinator,
                                         const struct classic_group *classic);
void classic_group_apply(struct coordinator *coordinator, const struct group_record *record);

/* Rebalances (classic_rebalance.c). Records go to `operation`. */
struct rebalance_cause {
    enum rebalance_reason reason;
    name_id member;
    name_id instance;
    name_id text; /* the client's reason */
};
void classic_trigger(struct operation *operation, struct classic_group *classic,
                     const struct rebalance_cause *cause);
void classic_prepare_rebalance(struct operation *operation, struct classic_group *classic,
                               const struct rebalance_cause *cause);
void classic_try_complete_join(struct operation *operation, struct classic_group *classic);
void classic_complete_join(struct operation *operation, struct classic_group *classic);
/* (Re)starts the member's session with its own timeout. */
void classic_restart_session(struct coordinator *coordinator, struct classic_member *member);
void classic_propagate_assignment(struct coordinator *coordinator, struct classic_group *classic,
                                  enum kafka_error error);
void classic_member_left(struct coordinator *coordinator, const struct classic_member *member,
                         enum member_removal removal);
struct join_group_response *classic_join_response(struct coordinator *coordinator,
                                                  const struct classic_group *classic,
                                                  name_id member, enum kafka_error error);
struct sync_group_response *classic_sync_response(struct coordinator *coordinator,
                                                  const struct classic_group *classic,
                                                  const struct classic_member *member,
                                                  enum kafka_error error);
coordinator_timer_fire classic_on_join_timer, classic_on_sync_timer, classic_on_session_timer,
    classic_on_pending_timer;
/* Sessions of all members, once the shard has loaded. */
void classic_group_loaded(struct coordinator *coordinator, struct classic_group *classic);
void classic_group_unloaded(struct coordinator *coordinator, struct classic_group *classic);

/* One API each. */
void classic_on_join(struct operation *operation, const struct join_group_request *request);
void classic_on_sync(struct operation *operation, const struct sync_group_request *request);
void classic_on_heartbeat(struct operation *operation, const struct heartbeat_request *request);
void classic_on_leave(struct operation *operation, const struct leave_group_request *request);

#endif
