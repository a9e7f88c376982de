/* model/coordinator/offsets_delete.c: OffsetDelete, DeleteGroups, and topics that go. */
#include "model/coordinator/answer_tables.h"
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/offset_rules.h"

#include "sim/check.h"

const enum kafka_error delete_group_answers[GROUP_STATE_COUNT] = {
    [GROUP_EMPTY] = KAFKA_NONE,
    [GROUP_PREPARING_REBALANCE] = KAFKA_NON_EMPTY_GROUP,
    [GROUP_COMPLETING_REBALANCE] = KAFKA_NON_EMPTY_GROUP,
    [GROUP_STABLE] = KAFKA_NON_EMPTY_GROUP,
    [GROUP_DEAD] = KAFKA_GROUP_ID_NOT_FOUND,
    [GROUP_ASSIGNING] = KAFKA_NON_EMPTY_GROUP,
    [GROUP_RECONCILING] = KAFKA_NON_EMPTY_GROUP,
};

static bool is_subscribed(const struct coordinator *coordinator, const struct group *group,
                          name_id topic)
{
    return group->type == GROUP_CONSUMER
               ? consumer_is_subscribed(group, topic)
               : classic_is_subscribed(coordinator, group->classic, topic);
}

static enum kafka_error validate_delete(const struct coordinator *coordinator,
                                        const struct group *group)
{
    if (group == NULL || group->type == GROUP_ABSENT) return KAFKA_GROUP_ID_NOT_FOUND;
    if (group->type == GROUP_CONSUMER) return KAFKA_NONE;
    /* Of other protocols we cannot tell what they subscribe to. */
    bool may_be_subscribed = group->classic->state != GROUP_EMPTY &&
                             !classic_uses_consumer_protocol(coordinator, group->classic);
    return may_be_subscribed ? KAFKA_NON_EMPTY_GROUP : KAFKA_NONE;
}

void offsets_on_delete(struct operation *operation, const struct offset_delete_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct group *group = coordinator_find_group(coordinator, request->group);
    enum kafka_error error = validate_delete(coordinator, group);
    if (error != KAFKA_NONE) {
        operation_refuse(operation, error);
        return;
    }
    struct offset_delete_response *response =
        OPERATION_RESPOND(operation, struct offset_delete_response);
    response->offset_count = request->partition_count;
    response->offsets = MESSAGE_ARRAY(coordinator->memory, &response->head, struct offset_entry,
                                      request->partition_count);
    for (int32_t i = 0; i < request->partition_count; i++) {
        struct topic_partition partition = request->partitions[i];
        response->offsets[i].partition = partition;
        if (is_subscribed(coordinator, group, partition.topic)) {
            response->offsets[i].error = KAFKA_GROUP_SUBSCRIBED_TO_TOPIC;
            continue;
        }
        const struct offset_slot *slot = group_offsets_find(&group->offsets, partition);
        if (slot == NULL || (!slot->value.present && slot->pending_count == 0)) continue;
        operation_add(operation,
                      group_record_offset(coordinator->memory, group->id, partition, NULL));
    }
}

static enum group_state state_of(const struct group *group)
{
    if (group == NULL || group->type == GROUP_ABSENT) return GROUP_DEAD;
    return group->type == GROUP_CONSUMER ? consumer_state(group) : group->classic->state;
}

void offsets_on_delete_groups(struct operation *operation,
                              const struct delete_groups_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct delete_groups_response *response =
        OPERATION_RESPOND(operation, struct delete_groups_response);
    response->group_count = request->group_count;
    response->groups = MESSAGE_ARRAY(coordinator->memory, &response->head, struct deleted_group,
                                     request->group_count);
    for (int32_t i = 0; i < request->group_count; i++) {
        struct group *group = coordinator_find_group(coordinator, request->groups[i]);
        response->groups[i] =
            (struct deleted_group){.group = request->groups[i],
                                   .error = delete_group_answers[state_of(group)]};
        if (response->groups[i].error != KAFKA_NONE) continue;
        offsets_add_tombstones(operation, group);
        if (group->type == GROUP_CONSUMER) {
            consumer_add_tombstones(operation, group);
        } else {
            operation_add(operation, group_record_classic(coordinator->memory, group->id, NULL));
        }
    }
}

void offsets_on_topic_deleted(struct coordinator *coordinator, name_id topic,
                              int32_t partition_count)
{
    struct operation operation;
    operation_begin_timer(&operation, coordinator, coordinator->now);
    operation.not_atomic = true;
    for (uint32_t g = 0; g < coordinator->group_count; g++) {
        struct group *group = coordinator->groups[g];
        for (uint32_t i = 0; i < group->offsets.count; i++) {
            const struct offset_slot *slot = group->offsets.slots[i];
            if (slot->partition.topic != topic || slot->partition.partition >= partition_count)
                continue;
            if (!slot->value.present && slot->pending_count == 0) continue;
            operation_add(&operation, group_record_offset(coordinator->memory, group->id,
                                                          slot->partition, NULL));
        }
    }
    operation_finish(&operation);
}
