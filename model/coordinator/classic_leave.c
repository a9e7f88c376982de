/* model/coordinator/classic_leave.c: LeaveGroup for a classic group.
 *
 * A list of members (KIP-345), each judged by itself; one rebalance for all that were removed. */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

static void remove_member(struct coordinator *coordinator, struct classic_group *classic,
                          struct classic_member *member, enum member_removal removal)
{
    classic_answer_join(coordinator, classic, member,
                        classic_join_response(coordinator, classic, NAME_EMPTY,
                                              KAFKA_UNKNOWN_MEMBER_ID));
    classic_member_left(coordinator, member, removal);
    classic_remove_member(coordinator, classic, member);
}

static enum kafka_error leave_one(struct coordinator *coordinator, struct classic_group *classic,
                                  const struct leave_group_member *leaving)
{
    if (leaving->member == NAME_EMPTY || leaving->member == NAME_NONE) {
        /* An administrator names the instance only. */
        struct classic_member *member = classic_find_static(classic, leaving->instance);
        if (member == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
        remove_member(coordinator, classic, member, REMOVED_BY_ADMIN);
        return KAFKA_NONE;
    }
    if (classic_is_pending(classic, leaving->member)) {
        classic_remove_pending(coordinator, classic, leaving->member);
        return KAFKA_NONE;
    }
    enum kafka_error error = KAFKA_NONE;
    struct classic_member *member =
        classic_validate_member(classic, leaving->member, leaving->instance, &error);
    if (member != NULL) remove_member(coordinator, classic, member, REMOVED_LEFT);
    return error;
}

void classic_on_leave(struct operation *operation, const struct leave_group_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct leave_group_response *response =
        OPERATION_RESPOND(operation, struct leave_group_response);
    response->member_count = request->member_count;
    response->members = MESSAGE_ARRAY(coordinator->memory, &response->head,
                                      struct leave_group_member, request->member_count);
    struct group *group = coordinator_find_group(coordinator, request->group);
    bool is_absent = group == NULL || group->type == GROUP_ABSENT;

    struct rebalance_cause cause = {.reason = REBALANCE_MEMBER_LEFT};
    bool any = false;
    for (int32_t i = 0; i < request->member_count; i++) {
        const struct leave_group_member *leaving = &request->members[i];
        response->members[i] =
            (struct leave_group_member){.member = leaving->member, .instance = leaving->instance};
        enum kafka_error error =
            is_absent ? KAFKA_UNKNOWN_MEMBER_ID : leave_one(coordinator, group->classic, leaving);
        response->members[i].error = error;
        if (error != KAFKA_NONE || any) continue;
        any = true;
        cause.member = leaving->member;
        cause.instance = leaving->instance;
        cause.text = leaving->reason;
    }
    if (is_absent) {
        /* An exception in Kafka, turned into an answer per member: it does not wait. */
        coordinator_reply(coordinator, operation->token, operation->response);
        operation->response = NULL;
        return;
    }
    if (any && group->classic->state != GROUP_EMPTY) {
        classic_trigger(operation, group->classic, &cause);
    }
    CHECK(classic_group_is_consistent(group->classic));
}
