/* model/coordinator/classic_heartbeat.c: Heartbeat for a classic group.
 *
 * O(1): the session timer is re-armed softly, nothing is written. The answer may have to wait for
 * earlier writes of the shard all the same (see shard.h). */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/answer_tables.h"

#include "sim/check.h"

const struct heartbeat_rule heartbeat_rules[GROUP_STATE_COUNT] = {
    [GROUP_EMPTY] = {KAFKA_UNKNOWN_MEMBER_ID, false},
    [GROUP_PREPARING_REBALANCE] = {KAFKA_REBALANCE_IN_PROGRESS, true},
    /* Not REBALANCE_IN_PROGRESS: the member is where it should be. */
    [GROUP_COMPLETING_REBALANCE] = {KAFKA_NONE, true},
    [GROUP_STABLE] = {KAFKA_NONE, true},
    [GROUP_DEAD] = {KAFKA_COORDINATOR_NOT_AVAILABLE, false},
    [GROUP_ASSIGNING] = {KAFKA_UNKNOWN_MEMBER_ID, false},
    [GROUP_RECONCILING] = {KAFKA_UNKNOWN_MEMBER_ID, false},
};

void classic_on_heartbeat(struct operation *operation, const struct heartbeat_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct group *group = coordinator_find_group(coordinator, request->group);
    if (group == NULL || group->type == GROUP_ABSENT) {
        operation_refuse(operation, KAFKA_UNKNOWN_MEMBER_ID);
        return;
    }
    struct classic_group *classic = group->classic;
    enum kafka_error error = KAFKA_NONE;
    struct classic_member *member =
        classic_validate_member(classic, request->member, request->instance, &error);
    if (error == KAFKA_NONE && request->generation != classic->generation) {
        error = KAFKA_ILLEGAL_GENERATION;
    }
    if (error != KAFKA_NONE) {
        operation_refuse(operation, error);
        return;
    }
    const struct heartbeat_rule *rule = &heartbeat_rules[classic->state];
    if (rule->counts) classic_restart_session(coordinator, member);
    OPERATION_RESPOND(operation, struct heartbeat_response)->error = rule->error;
}
