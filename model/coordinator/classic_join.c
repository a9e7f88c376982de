/* model/coordinator/classic_join.c: JoinGroup for a classic group.
 *
 *   admission by size ─▶ supported protocol ─▶ who is it?
 *     unknown, dynamic    version 4 and later: MEMBER_ID_REQUIRED (KIP-394), else a new member
 *     unknown, static     a new member, or it replaces the holder of its instance id (KIP-345)
 *     pending             a new member
 *     member              by state: park, answer with the present generation, or rebalance
 *
 * Source: GroupMetadataManager.classicGroupJoinToClassicGroup and what it calls. */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

#include <string.h>

#define VERSION_KNOWN_MEMBER_ID 4 /* JoinGroupRequest.requiresKnownMemberId */
#define VERSION_SKIP_ASSIGNMENT 9 /* JoinGroupRequest.supportsSkippingAssignment */

static void answer_error(struct operation *operation, name_id member, enum kafka_error error)
{
    coordinator_reply(operation->coordinator, operation->token,
                      &classic_join_response(operation->coordinator, NULL, member, error)->head);
}

static struct rebalance_cause cause_of(const struct join_group_request *request, name_id member,
                                       enum rebalance_reason reason)
{
    return (struct rebalance_cause){.reason = reason,
                                    .member = member,
                                    .instance = request->instance,
                                    .text = request->reason};
}

static void add_member(struct operation *operation, struct classic_group *classic,
                       const struct join_group_request *request, name_id id)
{
    struct coordinator *coordinator = operation->coordinator;
    if (classic->state == GROUP_PREPARING_REBALANCE && classic->previous_state == GROUP_EMPTY) {
        classic->new_member_added = true; /* extends the initial delay */
    }
    struct classic_member *member =
        classic_add_member(coordinator, classic,
                           &(struct member_details){
                               .id = id,
                               .instance = request->instance,
                               .client_id = request->client_id,
                               .client_host = request->client_host,
                               .rebalance_timeout_ms = request->rebalance_timeout_ms,
                               .session_timeout_ms = request->session_timeout_ms,
                               .protocol_type = request->protocol_type,
                               .protocols = request->protocols,
                               .protocol_count = request->protocol_count,
                           });
    member->is_new = true;
    classic_park_join(coordinator, classic, member, operation_park(operation));
    /* It cannot send heartbeats before it has its answer, and we would not see it disconnect. */
    coordinator_arm(coordinator, &member->session, coordinator->config->new_member_join_timeout_ms);
    struct rebalance_cause cause = cause_of(request, id, REBALANCE_NEW_MEMBER);
    classic_trigger(operation, classic, &cause);
}

static void update_member(struct operation *operation, struct classic_group *classic,
                          struct classic_member *member, const struct join_group_request *request,
                          enum rebalance_reason reason)
{
    struct coordinator *coordinator = operation->coordinator;
    classic_set_protocols(coordinator, classic, member, request->protocols,
                          request->protocol_count);
    member->rebalance_timeout_ms = request->rebalance_timeout_ms;
    member->session_timeout_ms = request->session_timeout_ms;
    classic_park_join(coordinator, classic, member, operation_park(operation));
    struct rebalance_cause cause = cause_of(request, member->id, reason);
    classic_trigger(operation, classic, &cause);
}

/* --- a static member comes back under a new id ----------------------------------------------- */

/* What to go back to when the replacement could not be written, and how to answer when it was. */
struct replacement {
    struct group *group;
    name_id old_id;
    name_id new_id;
    name_id former_leader;
    int16_t version;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    int32_t protocol_count;
    uint32_t protocols_size;
    struct group_protocol *protocols; /* a block like the member's */
};

static void revert_replacement(struct coordinator *coordinator, struct classic_group *classic,
                               struct classic_member *member, const struct replacement *saved,
                               enum kafka_error error)
{
    struct join_group_response *response =
        classic_join_response(coordinator, classic, NAME_EMPTY, coordinator_write_error(error));
    classic_answer_join(coordinator, classic, member, response);
    classic_set_protocols(coordinator, classic, member, saved->protocols, saved->protocol_count);
    member->rebalance_timeout_ms = saved->rebalance_timeout_ms;
    member->session_timeout_ms = saved->session_timeout_ms;
    classic_rename_member(coordinator, classic, member, saved->old_id, NAME_NONE);
    classic_restart_session(coordinator, member);
}

static void on_replacement_written(struct coordinator *coordinator, struct operation *operation,
                                   enum kafka_error error, sim_time now)
{
    coordinator->now = now;
    struct replacement *saved = operation->context;
    struct classic_group *classic = saved->group->classic;
    struct classic_member *member =
        classic == NULL ? NULL : classic_find_member(classic, saved->new_id);
    if (member != NULL && error != KAFKA_NONE) {
        revert_replacement(coordinator, classic, member, saved, error);
    } else if (member != NULL && member->join != NULL) {
        struct join_group_response *response =
            classic_join_response(coordinator, classic, member->id, KAFKA_NONE);
        if (saved->version >= VERSION_SKIP_ASSIGNMENT) {
            response->skip_assignment = classic->leader == member->id;
        } else {
            /* It is told the leader from before, so it does not act as one. */
            response->leader = saved->former_leader;
            response->member_count = 0;
        }
        classic_answer_join(coordinator, classic, member, response);
    }
    memory_give(coordinator->memory, saved->protocols, saved->protocols_size);
    saved->protocols = NULL;
}

static struct replacement *save_member(struct operation *operation,
                                       const struct classic_group *classic,
                                       struct classic_member *member)
{
    struct memory *memory = operation->coordinator->memory;
    struct replacement *saved = memory_take(memory, sizeof(*saved));
    *saved = (struct replacement){
        .group = classic->group,
        .old_id = member->id,
        .former_leader = classic->leader,
        .rebalance_timeout_ms = member->rebalance_timeout_ms,
        .session_timeout_ms = member->session_timeout_ms,
        .protocol_count = member->protocol_count,
        .protocols_size = member->protocols_size,
    };
    if (saved->protocols_size > 0) {
        saved->protocols = memory_take(memory, saved->protocols_size);
        memcpy(saved->protocols, member->protocols, saved->protocols_size);
        const uint8_t *bytes = (const uint8_t *)(saved->protocols + saved->protocol_count);
        for (int32_t i = 0; i < saved->protocol_count; i++) {
            saved->protocols[i].metadata.data = bytes;
            bytes += saved->protocols[i].metadata.length;
        }
    }
    operation->context = saved;
    operation->context_size = sizeof(*saved);
    return saved;
}

static void forget_saved(struct operation *operation, struct replacement *saved)
{
    struct memory *memory = operation->coordinator->memory;
    memory_give(memory, saved->protocols, saved->protocols_size);
    memory_give(memory, saved, sizeof(*saved));
    operation->context = NULL;
    operation->context_size = 0;
}

static void replace_static_member(struct operation *operation, struct classic_group *classic,
                                  struct classic_member *member, name_id new_id,
                                  const struct join_group_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct replacement *saved = save_member(operation, classic, member);
    saved->new_id = new_id;
    saved->version = request->version;
    classic_rename_member(coordinator, classic, member, new_id, request->client_id);
    member->is_new = false;
    classic_restart_session(coordinator, member); /* still with the former timeout */
    classic_set_protocols(coordinator, classic, member, request->protocols,
                          request->protocol_count);
    member->rebalance_timeout_ms = request->rebalance_timeout_ms;
    member->session_timeout_ms = request->session_timeout_ms;
    classic_park_join(coordinator, classic, member, operation_park(operation));

    if (classic->state == GROUP_STABLE &&
        classic_vote(coordinator, classic) == classic->protocol_name) {
        /* No rebalance, even if the subscription is another one. */
        operation_add(operation, classic_group_record(coordinator, classic, false));
        operation->already_applied = true;
        operation->done = on_replacement_written;
        return;
    }
    forget_saved(operation, saved);
    struct rebalance_cause cause = cause_of(request, new_id, REBALANCE_STATIC_PROTOCOL_CHANGED);
    if (classic->state == GROUP_PREPARING_REBALANCE) {
        classic_try_complete_join(operation, classic);
    } else {
        /* In CompletingRebalance the leader may be assigning to the old id already. */
        if (classic->state == GROUP_COMPLETING_REBALANCE) {
            cause.reason = REBALANCE_STATIC_MEMBER_CHANGED;
        }
        classic_prepare_rebalance(operation, classic, &cause);
    }
}

/* --- by kind of member ----------------------------------------------------------------------- */

static void join_unknown(struct operation *operation, struct classic_group *classic,
                         const struct join_group_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    if (!classic_supports(classic, request->protocol_type, request->protocols,
                          request->protocol_count)) {
        answer_error(operation, NAME_EMPTY, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
        return;
    }
    bool is_static = request->instance != NAME_NONE;
    name_id id = coordinator_make_member_id(coordinator, classic->group,
                                            is_static ? request->instance : request->client_id);
    struct classic_member *holder = classic_find_static(classic, request->instance);
    if (is_static && holder != NULL) {
        replace_static_member(operation, classic, holder, id, request);
    } else if (!is_static && request->version >= VERSION_KNOWN_MEMBER_ID) {
        classic_add_pending(coordinator, classic, id, request->session_timeout_ms);
        coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_ID_ISSUED,
                                                          .group = classic->group->id,
                                                          .member = id,
                                                          .client_id = request->client_id,
                                                          .state = classic->state,
                                                          .generation = classic->generation});
        answer_error(operation, id, KAFKA_MEMBER_ID_REQUIRED);
    } else {
        add_member(operation, classic, request, id);
    }
}

static void join_member(struct operation *operation, struct classic_group *classic,
                        struct classic_member *member, const struct join_group_request *request)
{
    bool same = classic_same_metadata(member, request->protocols, request->protocol_count);
    switch (classic->state) {
    case GROUP_PREPARING_REBALANCE:
        update_member(operation, classic, member, request, REBALANCE_MEMBER_JOINING);
        return;
    case GROUP_COMPLETING_REBALANCE:
        if (!same) {
            update_member(operation, classic, member, request, REBALANCE_MEMBER_REJOINED);
            return;
        }
        break; /* it lost the answer: give it again, the list of members too */
    case GROUP_STABLE:
        if (classic->leader == member->id) {
            /* The way for the leader to have partitions assigned anew. */
            update_member(operation, classic, member, request, REBALANCE_LEADER_REJOINED);
            return;
        }
        if (!same) {
            update_member(operation, classic, member, request, REBALANCE_MEMBER_REJOINED);
            return;
        }
        break;
    case GROUP_EMPTY:
    case GROUP_DEAD:
    case GROUP_ASSIGNING:
    case GROUP_RECONCILING:
    case GROUP_STATE_COUNT:
        answer_error(operation, request->member, KAFKA_UNKNOWN_MEMBER_ID);
        return;
    }
    coordinator_reply(
        operation->coordinator, operation->token,
        &classic_join_response(operation->coordinator, classic, member->id, KAFKA_NONE)->head);
}

static void join_with_id(struct operation *operation, struct classic_group *classic,
                         const struct join_group_request *request)
{
    if (!classic_supports(classic, request->protocol_type, request->protocols,
                          request->protocol_count)) {
        answer_error(operation, request->member, KAFKA_INCONSISTENT_GROUP_PROTOCOL);
        return;
    }
    if (classic_is_pending(classic, request->member)) {
        if (request->instance != NAME_NONE) {
            /* A pending member cannot be static: an IllegalStateException in Kafka. */
            operation_refuse(operation, KAFKA_UNKNOWN_SERVER_ERROR);
            return;
        }
        add_member(operation, classic, request, request->member);
        return;
    }
    enum kafka_error error = KAFKA_NONE;
    struct classic_member *member =
        classic_validate_member(classic, request->member, request->instance, &error);
    if (member == NULL) {
        answer_error(operation, request->member, error);
        return;
    }
    join_member(operation, classic, member, request);
}

/* Whether the group takes one more, or this one again. The cap counts who waits during the join
 * phase, so that the last to rejoin are those who fall out of a group that is too large. */
static bool is_admitted(const struct operation *operation, const struct classic_group *classic,
                        name_id id)
{
    int32_t max_size = operation->coordinator->config->group_max_size;
    const struct classic_member *member = classic_find_member(classic, id);
    switch (classic->state) {
    case GROUP_PREPARING_REBALANCE:
        return (member != NULL && member->join != NULL) || classic->awaiting_join_count < max_size;
    case GROUP_COMPLETING_REBALANCE:
    case GROUP_STABLE: return member != NULL || classic->member_count < max_size;
    case GROUP_EMPTY:
    case GROUP_DEAD:
    case GROUP_ASSIGNING:
    case GROUP_RECONCILING:
    case GROUP_STATE_COUNT: break;
    }
    return true;
}

static void turn_away(struct operation *operation, struct classic_group *classic, name_id id)
{
    struct coordinator *coordinator = operation->coordinator;
    struct classic_member *member = classic_find_member(classic, id);
    if (member != NULL) {
        classic_member_left(coordinator, member, REMOVED_GROUP_FULL);
        classic_remove_member(coordinator, classic, member);
    }
    classic_remove_pending(coordinator, classic, id);
    answer_error(operation, NAME_EMPTY, KAFKA_GROUP_MAX_SIZE_REACHED);
}

void classic_on_join(struct operation *operation, const struct join_group_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    bool is_unknown = request->member == NAME_EMPTY || request->member == NAME_NONE;
    struct group *group = coordinator_find_group(coordinator, request->group);
    bool is_new_group = group == NULL || group->type == GROUP_ABSENT;
    if (is_new_group) {
        if (!is_unknown) {
            answer_error(operation, request->member, KAFKA_UNKNOWN_MEMBER_ID);
            return;
        }
        group = coordinator_group(coordinator, request->group);
        group_become_classic(coordinator, group, classic_group_new(coordinator, group));
    }
    struct classic_group *classic = group->classic;
    uint32_t records_before = operation->record_count; /* tombstones of a consumer group */
    if (!is_admitted(operation, classic, request->member)) {
        turn_away(operation, classic, request->member);
    } else if (is_unknown) {
        join_unknown(operation, classic, request);
    } else {
        join_with_id(operation, classic, request);
    }
    if (is_new_group && operation->record_count == records_before) {
        /* Whatever the answer: the group exists from here on. */
        operation_add(operation, classic_empty_record(coordinator, classic));
        operation->already_applied = true;
    }
    CHECK(classic_group_is_consistent(classic));
}
