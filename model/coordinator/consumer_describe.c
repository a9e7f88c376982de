/* model/coordinator/consumer_describe.c: ConsumerGroupDescribe, as of the high watermark. */
#include "model/coordinator/consumer_committed.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_topics.h"

#include <string.h>

/* Topics that are gone are left out (ConsumerGroupMember.topicPartitionsFromMap). */
static struct topic_partition *describe_partitions(const struct coordinator *coordinator,
                                                   struct message *message,
                                                   struct partition_set set, int32_t *count)
{
    struct partition_list existing;
    partition_list_init(&existing, coordinator->memory);
    for (uint32_t i = 0; i < set.count; i++) {
        name_id id = partition_key_topic(set.items[i]);
        name_id name = consumer_topic_name(coordinator, id);
        if (coordinator_find_topic(coordinator, name) == NULL) continue;
        if (consumer_topic_id(coordinator, name) == id) partition_list_add(&existing, set.items[i]);
    }
    *count = (int32_t)existing.count;
    struct topic_partition *partitions =
        consumer_partitions_write(coordinator, message, partition_list_view(&existing));
    partition_list_release(&existing);
    return partitions;
}

static void describe_member(const struct coordinator *coordinator, struct message *message,
                            const struct consumer_member *member, struct described_member *out)
{
    *out = (struct described_member){
        .member = member->id,
        .instance = member->instance,
        .client_id = member->client_id,
        .client_host = member->client_host,
        .member_epoch = member->epoch,
        .rack = member->rack,
        .assignor = member->assignor,
        .topic_count = member->topic_count,
        .topics = MESSAGE_ARRAY(coordinator->memory, message, name_id, member->topic_count),
    };
    if (member->topic_count > 0) {
        memcpy(out->topics, member->topics, sizeof(name_id) * (size_t)member->topic_count);
    }
    out->assigned =
        describe_partitions(coordinator, message, member->assigned, &out->assigned_count);
    out->target = describe_partitions(coordinator, message, member->target, &out->target_count);
}

static void describe(struct operation *operation)
{
    struct coordinator *coordinator = operation->coordinator;
    const struct describe_groups_request *request =
        (const struct describe_groups_request *)operation->request;
    struct describe_groups_response *response =
        OPERATION_RESPOND(operation, struct describe_groups_response);
    response->group = request->group;
    const struct group *group = coordinator_find_group(coordinator, request->group);
    struct consumer_group *made = NULL;
    const struct consumer_group *state =
        group == NULL ? NULL : consumer_committed_group(coordinator, group, &made);
    if (state == NULL) {
        response->error = KAFKA_GROUP_ID_NOT_FOUND;
        return;
    }
    response->state =
        names_intern(coordinator->names, group_state_name(consumer_group_state(state)));
    response->protocol_type = names_intern(coordinator->names, "consumer");
    response->protocol_name =
        consumer_group_assignor(state, coordinator->config->group_consumer_assignors[0]);
    response->group_epoch = state->epoch;
    response->assignment_epoch = state->assignment_epoch;
    response->members = MESSAGE_ARRAY(coordinator->memory, &response->head, struct described_member,
                                      state->member_count);
    for (uint32_t i = 0; i < state->entry_count; i++) {
        if (!state->members[i]->is_member) continue;
        describe_member(coordinator, &response->head, state->members[i],
                        &response->members[response->member_count++]);
    }
    consumer_group_free(made);
}

void consumer_on_group_describe(struct operation *operation)
{
    describe(operation);
    /* A read operation: unlike one that could write it waits for nothing. */
    coordinator_reply(operation->coordinator, operation->token, operation->response);
    operation->response = NULL;
}
