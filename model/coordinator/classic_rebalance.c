/* model/coordinator/classic_rebalance.c: the join phase and the timers of a classic group.
 *
 * GroupMetadataManager: prepareRebalance, completeClassicGroupJoin, tryCompleteInitialRebalance…,
 * expireClassicGroupMemberHeartbeat, expirePendingSync. KIP-134 is the initial delay. */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

#include <string.h>

/* --- responses ------------------------------------------------------------------------------- */

/* With the list of members, for the leader. Their metadata is one block of the message. */
static void list_members(struct coordinator *coordinator, const struct classic_group *classic,
                         struct join_group_response *response)
{
    size_t bytes_size = 0;
    for (int32_t i = 0; i < classic->member_count; i++) {
        bytes_size += classic_metadata(classic->members[i], classic->protocol_name).length;
    }
    response->member_count = classic->member_count;
    response->members = MESSAGE_ARRAY(coordinator->memory, &response->head,
                                      struct join_group_member, classic->member_count);
    uint8_t *bytes = message_alloc(coordinator->memory, &response->head, bytes_size);
    for (int32_t i = 0; i < classic->member_count; i++) {
        const struct classic_member *member = classic->members[i];
        struct bytes metadata = classic_metadata(member, classic->protocol_name);
        if (metadata.length > 0) memcpy(bytes, metadata.data, metadata.length);
        response->members[i] = (struct join_group_member){
            .member = member->id,
            .instance = member->instance,
            .metadata = {.data = bytes, .length = metadata.length},
        };
        bytes += metadata.length;
    }
}

struct join_group_response *classic_join_response(struct coordinator *coordinator,
                                                  const struct classic_group *classic,
                                                  name_id member, enum kafka_error error)
{
    struct join_group_response *response =
        MESSAGE_NEW(coordinator->memory, API_JOIN_GROUP, struct join_group_response);
    response->error = error;
    response->member = member;
    response->generation = -1;
    if (error != KAFKA_NONE) return response;
    response->generation = classic->generation;
    response->protocol_type = classic->protocol_type;
    response->protocol_name = classic->protocol_name;
    response->leader = classic->leader;
    if (classic->leader == member) list_members(coordinator, classic, response);
    return response;
}

struct sync_group_response *classic_sync_response(struct coordinator *coordinator,
                                                  const struct classic_group *classic,
                                                  const struct classic_member *member,
                                                  enum kafka_error error)
{
    struct sync_group_response *response =
        MESSAGE_NEW(coordinator->memory, API_SYNC_GROUP, struct sync_group_response);
    response->error = error;
    if (error != KAFKA_NONE) return response;
    response->protocol_type = classic->protocol_type;
    response->protocol_name = classic->protocol_name;
    uint32_t length = member->assignment.length;
    uint8_t *bytes = message_alloc(coordinator->memory, &response->head, length);
    if (length > 0) memcpy(bytes, member->assignment.data, length);
    response->assignment = (struct bytes){.data = bytes, .length = length};
    return response;
}

/* --- small steps ----------------------------------------------------------------------------- */

void classic_restart_session(struct coordinator *coordinator, struct classic_member *member)
{
    coordinator_arm(coordinator, &member->session, member->session_timeout_ms);
}

void classic_member_left(struct coordinator *coordinator, const struct classic_member *member,
                         enum member_removal removal)
{
    coordinator_note(coordinator,
                     (struct group_note){.kind = NOTE_MEMBER_REMOVED,
                                         .group = member->group->id,
                                         .member = member->id,
                                         .instance = member->instance,
                                         .client_id = member->client_id,
                                         .generation = member->group->classic->generation,
                                         .removal = removal});
}

/* Answers every parked SyncGroup. Each answered member's session starts anew: an expiry while it
 * was parked was swallowed, and nothing would have re-armed it. */
void classic_propagate_assignment(struct coordinator *coordinator, struct classic_group *classic,
                                  enum kafka_error error)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct classic_member *member = classic->members[i];
        if (member->sync == NULL) continue;
        classic_answer_sync(coordinator, member,
                            classic_sync_response(coordinator, classic, member, error));
        classic_restart_session(coordinator, member);
    }
}

/* --- the join phase -------------------------------------------------------------------------- */

void classic_trigger(struct operation *operation, struct classic_group *classic,
                     const struct rebalance_cause *cause)
{
    if (classic->state == GROUP_PREPARING_REBALANCE) {
        classic_try_complete_join(operation, classic);
    } else {
        classic_prepare_rebalance(operation, classic, cause);
    }
}

/* During the initial delay nobody completes early through this path. */
void classic_try_complete_join(struct operation *operation, struct classic_group *classic)
{
    if (classic->state != GROUP_PREPARING_REBALANCE || classic->previous_state == GROUP_EMPTY ||
        !classic_all_joined(classic))
        return;
    classic_complete_join(operation, classic);
}

void classic_prepare_rebalance(struct operation *operation, struct classic_group *classic,
                               const struct rebalance_cause *cause)
{
    struct coordinator *coordinator = operation->coordinator;
    if (classic->state == GROUP_COMPLETING_REBALANCE) {
        for (int32_t i = 0; i < classic->member_count; i++) {
            classic_set_assignment(coordinator, classic->members[i], (struct bytes){0});
        }
        classic_propagate_assignment(coordinator, classic, KAFKA_REBALANCE_IN_PROGRESS);
    }
    classic_clear_pending_syncs(classic);
    coordinator_disarm(coordinator, &classic->sync_timer);

    bool is_initial = classic->state == GROUP_EMPTY;
    classic->initial_delay_ms = -1;
    if (is_initial) {
        int64_t delay_ms = coordinator->config->group_initial_rebalance_delay_ms;
        int64_t remaining_ms = classic_rebalance_timeout_ms(classic) - delay_ms;
        classic->initial_delay_ms = delay_ms;
        classic->initial_remaining_ms = remaining_ms > 0 ? remaining_ms : 0;
        coordinator_arm(coordinator, &classic->join_timer, delay_ms);
    }
    classic_set_state(coordinator, classic, GROUP_PREPARING_REBALANCE);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_REBALANCE,
                                                      .group = classic->group->id,
                                                      .member = cause->member,
                                                      .instance = cause->instance,
                                                      .text = cause->text,
                                                      .reason = cause->reason,
                                                      .old_state = classic->previous_state,
                                                      .state = classic->state,
                                                      .generation = classic->generation,
                                                      .count = classic->member_count});
    if (is_initial) return;
    if (classic_all_joined(classic)) {
        classic_complete_join(operation, classic);
    } else {
        coordinator_arm(coordinator, &classic->join_timer, classic_rebalance_timeout_ms(classic));
    }
}

static void remove_absent_dynamic_members(struct coordinator *coordinator,
                                          struct classic_group *classic)
{
    int32_t i = 0;
    while (i < classic->member_count) {
        struct classic_member *member = classic->members[i];
        if (member->join != NULL || member->instance != NAME_NONE) {
            i++;
            continue;
        }
        classic_member_left(coordinator, member, REMOVED_JOIN_EXPIRED);
        classic_remove_member(coordinator, classic, member);
    }
}

/* The leader stays if it has rejoined; else the lowest id that has. False: nobody has. */
static bool elect_joined_leader(struct classic_group *classic)
{
    if (classic->leader == NAME_NONE) return false;
    if (classic_find_member(classic, classic->leader)->join != NULL) return true;
    for (int32_t i = 0; i < classic->member_count; i++) {
        if (classic->members[i]->join == NULL) continue;
        classic->leader = classic->members[i]->id;
        return true;
    }
    return false;
}

static void begin_completing(struct coordinator *coordinator, struct classic_group *classic)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct classic_member *member = classic->members[i];
        if (member->join != NULL) {
            classic_answer_join(coordinator, classic, member,
                                classic_join_response(coordinator, classic, member->id,
                                                      KAFKA_NONE));
        }
        classic_restart_session(coordinator, member);
        member->is_new = false;
        classic_set_pending_sync(classic, member, true);
    }
    classic->sync_generation = classic->generation;
    coordinator_arm(coordinator, &classic->sync_timer, classic_rebalance_timeout_ms(classic));
}

void classic_complete_join(struct operation *operation, struct classic_group *classic)
{
    struct coordinator *coordinator = operation->coordinator;
    coordinator_disarm(coordinator, &classic->join_timer);
    remove_absent_dynamic_members(coordinator, classic);
    if (!elect_joined_leader(classic) && classic->member_count > 0) {
        /* Only absent static members: their sessions end this, or one of them comes back. */
        classic->initial_delay_ms = -1;
        coordinator_arm(coordinator, &classic->join_timer, classic_rebalance_timeout_ms(classic));
        return;
    }
    classic->generation++;
    if (classic->member_count > 0) {
        classic->protocol_name = classic_vote(coordinator, classic);
        classic_compute_topics(coordinator, classic);
        classic_set_state(coordinator, classic, GROUP_COMPLETING_REBALANCE);
        classic_clear_pending_syncs(classic);
        begin_completing(coordinator, classic);
    } else {
        classic->protocol_name = NAME_NONE;
        classic_compute_topics(coordinator, classic);
        classic_set_state(coordinator, classic, GROUP_EMPTY);
        classic_clear_pending_syncs(classic);
        /* A write that fails is only logged by Kafka: the older generation stays in the log. */
        operation->already_applied = true;
        operation_add(operation, classic_group_record(coordinator, classic, false));
    }
    coordinator_note(coordinator,
                     (struct group_note){.kind = NOTE_JOIN_COMPLETED,
                                         .group = classic->group->id,
                                         .member = classic->leader,
                                         .other = classic->protocol_name,
                                         .generation = classic->generation,
                                         .count = classic->member_count,
                                         .detail = (int32_t)classic->members_by_instance.count});
    CHECK(classic_group_is_consistent_in_depth(classic));
}

/* --- timers ---------------------------------------------------------------------------------- */

void classic_on_join_timer(struct coordinator *coordinator, struct coordinator_timer *timer,
                           sim_time now)
{
    struct classic_group *classic = timer->owner;
    struct operation operation;
    operation_begin_timer(&operation, coordinator, now);
    if (classic->initial_delay_ms >= 0 && classic->new_member_added &&
        classic->initial_remaining_ms != 0) {
        /* KIP-134: wait once more if anyone joined during the delay. What is left afterwards is
         * reckoned with the delay that has just passed, not with the one that begins. */
        int64_t passed_ms = classic->initial_delay_ms;
        int64_t remaining_ms = classic->initial_remaining_ms;
        int64_t delay_ms = coordinator->config->group_initial_rebalance_delay_ms;
        classic->new_member_added = false;
        classic->initial_delay_ms = delay_ms < remaining_ms ? delay_ms : remaining_ms;
        classic->initial_remaining_ms = remaining_ms > passed_ms ? remaining_ms - passed_ms : 0;
        coordinator_arm(coordinator, &classic->join_timer, classic->initial_delay_ms);
    } else {
        classic_complete_join(&operation, classic);
    }
    operation_finish(&operation);
}

void classic_on_pending_timer(struct coordinator *coordinator, struct coordinator_timer *timer,
                              sim_time now)
{
    struct pending_member *pending = timer->owner;
    struct classic_group *classic = pending->group->classic;
    struct operation operation;
    operation_begin_timer(&operation, coordinator, now);
    classic_remove_pending(coordinator, classic, pending->id);
    /* Also in an initial rebalance, whose delay it ends early. */
    if (classic->state == GROUP_PREPARING_REBALANCE && classic_all_joined(classic)) {
        classic_complete_join(&operation, classic);
    }
    operation_finish(&operation);
}

void classic_on_session_timer(struct coordinator *coordinator, struct coordinator_timer *timer,
                              sim_time now)
{
    struct classic_member *member = timer->owner;
    struct classic_group *classic = member->group->classic;
    /* A member that waits in the coordinator is alive; its answer re-arms the timer. A new one is
     * held to account all the same, or its abandoned joins would pile up. */
    if (!member->is_new && (member->join != NULL || member->sync != NULL)) return;

    struct operation operation;
    operation_begin_timer(&operation, coordinator, now);
    struct rebalance_cause cause = {.reason = REBALANCE_HEARTBEAT_EXPIRED,
                                    .member = member->id,
                                    .instance = member->instance};
    if (member->join != NULL) {
        classic_answer_join(coordinator, classic, member,
                            classic_join_response(coordinator, classic, NAME_EMPTY,
                                                  KAFKA_UNKNOWN_MEMBER_ID));
    }
    classic_member_left(coordinator, member, REMOVED_SESSION_EXPIRED);
    classic_remove_member(coordinator, classic, member);
    if (classic->state == GROUP_STABLE || classic->state == GROUP_COMPLETING_REBALANCE) {
        classic_prepare_rebalance(&operation, classic, &cause);
    } else if (classic->state == GROUP_PREPARING_REBALANCE && classic_all_joined(classic)) {
        classic_complete_join(&operation, classic);
    }
    operation_finish(&operation);
}

void classic_on_sync_timer(struct coordinator *coordinator, struct coordinator_timer *timer,
                           sim_time now)
{
    struct classic_group *classic = timer->owner;
    if (classic->sync_generation != classic->generation) return;
    if (classic->state != GROUP_COMPLETING_REBALANCE && classic->state != GROUP_STABLE) return;
    if (classic->pending_sync_count == 0) return;

    struct operation operation;
    operation_begin_timer(&operation, coordinator, now);
    struct rebalance_cause cause = {.reason = REBALANCE_SYNC_EXPIRED};
    int32_t i = 0;
    while (i < classic->member_count) {
        struct classic_member *member = classic->members[i];
        if (!member->pending_sync) {
            i++;
            continue;
        }
        if (cause.member == NAME_NONE) {
            cause.member = member->id;
            cause.instance = member->instance;
        }
        classic_member_left(coordinator, member, REMOVED_SYNC_EXPIRED);
        classic_remove_member(coordinator, classic, member);
    }
    classic_prepare_rebalance(&operation, classic, &cause);
    operation_finish(&operation);
}

/* --- taking over and giving up a shard ------------------------------------------------------- */

void classic_group_loaded(struct coordinator *coordinator, struct classic_group *classic)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        classic_restart_session(coordinator, classic->members[i]);
    }
    if (classic->member_count <= coordinator->config->group_max_size) return;
    struct operation operation;
    operation_begin_timer(&operation, coordinator, coordinator->now);
    classic_prepare_rebalance(&operation, classic,
                              &(struct rebalance_cause){.reason = REBALANCE_OVER_CAPACITY});
    operation_finish(&operation);
}

void classic_group_unloaded(struct coordinator *coordinator, struct classic_group *classic)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct classic_member *member = classic->members[i];
        if (member->join != NULL) {
            classic_answer_join(coordinator, classic, member,
                                classic_join_response(coordinator, classic, member->id,
                                                      KAFKA_NOT_COORDINATOR));
        }
        if (member->sync != NULL) {
            classic_answer_sync(coordinator, member,
                                classic_sync_response(coordinator, classic, member,
                                                      KAFKA_NOT_COORDINATOR));
        }
    }
}
