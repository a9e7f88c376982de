#include "tests/harness/classic_calls.h"

#include "model/consumer_protocol.h"

#include <string.h>

static name_id name_of(struct shard_host *host, const char *text)
{
    return text == NULL ? NAME_NONE : shard_host_name(host, text);
}

static name_id member_of(struct shard_host *host, const struct classic_call *call)
{
    return call->member == NULL ? NAME_EMPTY : shard_host_name(host, call->member);
}

static struct bytes copy_into(struct shard_host *host, struct message *message, struct bytes bytes)
{
    uint8_t *copy = message_alloc(host->memory, message, bytes.length);
    if (bytes.length > 0) memcpy(copy, bytes.data, bytes.length);
    struct bytes owned = {.data = copy, .length = bytes.length};
    consumer_protocol_give(host->memory, bytes);
    return owned;
}

uint64_t classic_call_join(struct shard_host *host, const struct classic_call *call)
{
    struct join_group_request *request =
        MESSAGE_NEW(host->memory, API_JOIN_GROUP, struct join_group_request);
    request->version = call->version == 0 ? 9 : call->version;
    request->group = shard_host_name(host, call->group);
    request->member = member_of(host, call);
    request->instance = name_of(host, call->instance);
    request->client_id = shard_host_name(host, "classic");
    request->session_timeout_ms = call->session_timeout_ms == 0 ? 10000 : call->session_timeout_ms;
    request->rebalance_timeout_ms =
        call->rebalance_timeout_ms == 0 ? 30000 : call->rebalance_timeout_ms;
    request->protocol_type = shard_host_name(host, "consumer");
    request->protocols = MESSAGE_ARRAY(host->memory, &request->head, struct group_protocol, 1);
    request->protocol_count = 1;
    request->protocols[0].name =
        shard_host_name(host, call->protocol == NULL ? "range" : call->protocol);
    name_id topic = name_of(host, call->topic);
    struct topic_partition owned[8];
    for (int32_t i = 0; i < call->owned_count; i++)
        owned[i] = (struct topic_partition){.topic = topic, .partition = call->owned[i]};
    const struct subscription subscription = {.topics = &topic,
                                              .topic_count = topic == NAME_NONE ? 0 : 1,
                                              .user_data_is_null = true,
                                              .owned = owned,
                                              .owned_count = call->owned_count,
                                              .generation = call->generation};
    request->protocols[0].metadata =
        copy_into(host, &request->head,
                  subscription_encode(host->memory, host->names, &subscription, 3));
    return shard_host_send(host, &request->head);
}

static struct sync_group_request *new_sync(struct shard_host *host, const struct classic_call *call)
{
    struct sync_group_request *request =
        MESSAGE_NEW(host->memory, API_SYNC_GROUP, struct sync_group_request);
    request->group = shard_host_name(host, call->group);
    request->member = member_of(host, call);
    request->instance = name_of(host, call->instance);
    request->generation = call->generation;
    request->protocol_type = shard_host_name(host, "consumer");
    request->protocol_name =
        shard_host_name(host, call->protocol == NULL ? "range" : call->protocol);
    return request;
}

uint64_t classic_call_sync(struct shard_host *host, const struct classic_call *call)
{
    return shard_host_send(host, &new_sync(host, call)->head);
}

uint64_t classic_call_lead(struct shard_host *host, const struct classic_call *call,
                           const char *const *members, const int32_t *assigned, int32_t count)
{
    struct sync_group_request *request = new_sync(host, call);
    request->assignments =
        MESSAGE_ARRAY(host->memory, &request->head, struct sync_group_assignment, count);
    request->assignment_count = count;
    int32_t next = 0;
    for (int32_t i = 0; i < count; i++) {
        struct topic_partition partitions[8];
        for (int32_t p = 0; p < assigned[i]; p++) {
            partitions[p] =
                (struct topic_partition){.topic = name_of(host, call->topic), .partition = next++};
        }
        const struct assignment assignment = {.partitions = partitions,
                                              .partition_count = assigned[i],
                                              .user_data_is_null = true};
        request->assignments[i].member = shard_host_name(host, members[i]);
        request->assignments[i].assignment =
            copy_into(host, &request->head,
                      assignment_encode(host->memory, host->names, &assignment, 3));
    }
    return shard_host_send(host, &request->head);
}

uint64_t classic_call_heartbeat(struct shard_host *host, const struct classic_call *call)
{
    struct heartbeat_request *request =
        MESSAGE_NEW(host->memory, API_HEARTBEAT, struct heartbeat_request);
    request->group = shard_host_name(host, call->group);
    request->member = member_of(host, call);
    request->instance = name_of(host, call->instance);
    request->generation = call->generation;
    return shard_host_send(host, &request->head);
}

uint64_t classic_call_leave(struct shard_host *host, const struct classic_call *call)
{
    struct leave_group_request *request =
        MESSAGE_NEW(host->memory, API_LEAVE_GROUP, struct leave_group_request);
    request->group = shard_host_name(host, call->group);
    request->members = MESSAGE_ARRAY(host->memory, &request->head, struct leave_group_member, 1);
    request->member_count = 1;
    request->members[0].member = member_of(host, call);
    request->members[0].instance = name_of(host, call->instance);
    return shard_host_send(host, &request->head);
}

int32_t classic_call_assigned(struct shard_host *host, uint64_t token)
{
    const struct sync_group_response *response =
        (const struct sync_group_response *)shard_host_response(host, token);
    struct assignment assignment;
    if (!assignment_decode(host->memory, host->names, response->assignment, &assignment)) return -1;
    int32_t count = assignment.partition_count;
    assignment_free(host->memory, &assignment);
    return count;
}
