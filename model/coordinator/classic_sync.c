/* model/coordinator/classic_sync.c: SyncGroup for a classic group.
 *
 * Followers wait; the leader brings the assignment, which is written to the log. Only when it is
 * replicated is the group Stable and everybody answered. */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

/* Only assignments of members count; what the leader leaves out is an empty assignment. */
static void receive_assignments(const struct classic_group *classic,
                                const struct sync_group_request *request)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        classic->members[i]->received_assignment = (struct bytes){0};
    }
    for (int32_t i = 0; i < request->assignment_count; i++) {
        struct classic_member *member =
            classic_find_member(classic, request->assignments[i].member);
        if (member != NULL) member->received_assignment = request->assignments[i].assignment;
    }
}

/* Takes the assignments out of the record that was written. Members come in ascending ids on both
 * sides; the generation is the same, so nobody has joined since. */
static void store_assignments(struct coordinator *coordinator, struct classic_group *classic,
                              const struct classic_group_value *value)
{
    int32_t next = 0;
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct classic_member *member = classic->members[i];
        while (next < value->member_count &&
               names_compare(coordinator->names, value->members[next].id, member->id) < 0)
            next++;
        bool found = next < value->member_count && value->members[next].id == member->id;
        classic_set_assignment(coordinator, member,
                               found ? value->members[next].assignment : (struct bytes){0});
    }
}

/* What the leader's SyncGroup was about. */
struct sync_context {
    struct group *group;
    int32_t generation;
    name_id leader;
};

static void on_assignment_failed(struct operation *operation, struct classic_group *classic,
                                 name_id leader, enum kafka_error error)
{
    struct coordinator *coordinator = operation->coordinator;
    for (int32_t i = 0; i < classic->member_count; i++) {
        classic_set_assignment(coordinator, classic->members[i], (struct bytes){0});
    }
    classic_propagate_assignment(coordinator, classic, coordinator_write_error(error));
    classic_trigger(operation, classic,
                    &(struct rebalance_cause){.reason = REBALANCE_ASSIGNMENT_NOT_STORED,
                                              .member = leader});
}

static void on_assignment_written(struct coordinator *coordinator, struct operation *operation,
                                  enum kafka_error error, sim_time now)
{
    coordinator->now = now;
    const struct sync_context *context = operation->context;
    struct classic_group *classic = context->group->classic;
    /* Somebody may have joined or left meanwhile. The record stays in the log all the same. */
    if (classic == NULL || classic->state != GROUP_COMPLETING_REBALANCE ||
        classic->generation != context->generation)
        return;
    if (error != KAFKA_NONE) {
        on_assignment_failed(operation, classic, context->leader, error);
        return;
    }
    store_assignments(coordinator, classic,
                      operation->batch->records[operation->first_record].classic);
    classic_propagate_assignment(coordinator, classic, KAFKA_NONE);
    classic_set_state(coordinator, classic, GROUP_STABLE);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_ASSIGNMENT_STORED,
                                                      .group = classic->group->id,
                                                      .member = classic->leader,
                                                      .generation = classic->generation,
                                                      .count = classic->member_count});
    CHECK(classic_group_is_consistent_in_depth(classic));
}

static void sync_leader(struct operation *operation, struct classic_group *classic,
                        const struct sync_group_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    receive_assignments(classic, request);
    operation_add(operation, classic_group_record(coordinator, classic, true));
    operation->already_applied = true;
    operation->done = on_assignment_written;
    struct sync_context *context = memory_take(coordinator->memory, sizeof(*context));
    *context = (struct sync_context){.group = classic->group,
                                     .generation = request->generation,
                                     .leader = request->member};
    operation->context = context;
    operation->context_size = sizeof(*context);
    coordinator_note(coordinator,
                     (struct group_note){.kind = NOTE_ASSIGNMENT_RECEIVED,
                                         .group = classic->group->id,
                                         .member = request->member,
                                         .generation = classic->generation,
                                         .count = classic->member_count,
                                         .detail = (int32_t)classic->members_by_instance.count});
}

static void member_synced(struct coordinator *coordinator, struct classic_group *classic,
                          struct classic_member *member)
{
    classic_set_pending_sync(classic, member, false);
    if (classic->pending_sync_count == 0) coordinator_disarm(coordinator, &classic->sync_timer);
}

/* Not given, or not known yet, goes with everything. */
static bool is_other(name_id given, name_id known)
{
    return given != NAME_NONE && known != NAME_NONE && given != known;
}

static void answer(struct operation *operation, const struct classic_group *classic,
                   const struct classic_member *member, enum kafka_error error)
{
    coordinator_reply(operation->coordinator, operation->token,
                      &classic_sync_response(operation->coordinator, classic, member, error)->head);
}

void classic_on_sync(struct operation *operation, const struct sync_group_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct group *group = coordinator_find_group(coordinator, request->group);
    if (group == NULL || group->type == GROUP_ABSENT || group->classic->state == GROUP_EMPTY) {
        answer(operation, NULL, NULL, KAFKA_UNKNOWN_MEMBER_ID);
        return;
    }
    struct classic_group *classic = group->classic;
    enum kafka_error error = KAFKA_NONE;
    struct classic_member *member =
        classic_validate_member(classic, request->member, request->instance, &error);
    if (error == KAFKA_NONE && request->generation != classic->generation) {
        error = KAFKA_ILLEGAL_GENERATION;
    } else if (error == KAFKA_NONE && (is_other(request->protocol_type, classic->protocol_type) ||
                                       is_other(request->protocol_name, classic->protocol_name))) {
        error = KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    } else if (error == KAFKA_NONE && classic->state == GROUP_PREPARING_REBALANCE) {
        error = KAFKA_REBALANCE_IN_PROGRESS;
    }
    if (error != KAFKA_NONE) {
        answer(operation, classic, NULL, error);
        return;
    }
    if (classic->state == GROUP_COMPLETING_REBALANCE) {
        classic_park_sync(coordinator, member, operation_park(operation));
        member_synced(coordinator, classic, member);
        if (classic->leader == member->id) sync_leader(operation, classic, request);
    } else {
        CHECK(classic->state == GROUP_STABLE);
        member_synced(coordinator, classic, member);
        answer(operation, classic, member, KAFKA_NONE);
    }
    CHECK(classic_group_is_consistent(classic));
}
