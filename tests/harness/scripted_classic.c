#include "tests/harness/scripted_classic.h"

#include "model/consumer_protocol.h"
#include "sim/check.h"

#include <string.h>

#define REQUEST_TIMEOUT SECONDS(8)

struct scripted_classic scripted_classic_make(struct shard_host *host, const char *group,
                                              const char *client_id, const char *instance,
                                              const char *topic)
{
    return (struct scripted_classic){
        .host = host,
        .group = shard_host_name(host, group),
        .client_id = shard_host_name(host, client_id),
        .instance = instance == NULL ? NAME_NONE : shard_host_name(host, instance),
        .topic = shard_host_name(host, topic),
        .rebalance_timeout_ms = 8000,
        .member = NAME_EMPTY,
    };
}

static void give_up_all(struct scripted_classic *client)
{
    memset(client->owned, 0, sizeof client->owned);
    client->owned_count = 0;
}

static void forget_led(struct scripted_classic *client)
{
    memory_give(client->host->memory, client->led, sizeof *client->led * (size_t)client->led_count);
    client->led = NULL;
    client->led_count = 0;
}

static void rejoin(struct scripted_classic *client)
{
    client->phase = CLASSIC_UNJOINED;
    give_up_all(client);
    forget_led(client);
}

static void start_again(struct scripted_classic *client)
{
    rejoin(client);
    client->member = NAME_EMPTY;
    client->generation = -1;
}

static struct bytes hand_over(struct shard_host *host, struct message *message, struct bytes bytes)
{
    uint8_t *copy = message_alloc(host->memory, message, bytes.length);
    memcpy(copy, bytes.data, bytes.length);
    struct bytes owned = {.data = copy, .length = bytes.length};
    consumer_protocol_give(host->memory, bytes);
    return owned;
}

static struct message *new_join(struct scripted_classic *client)
{
    struct shard_host *host = client->host;
    struct join_group_request *request =
        MESSAGE_NEW(host->memory, API_JOIN_GROUP, struct join_group_request);
    request->version = 9;
    request->group = client->group;
    request->member = client->member;
    request->instance = client->instance;
    request->client_id = client->client_id;
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = client->rebalance_timeout_ms;
    request->protocol_type = shard_host_name(host, "consumer");
    request->protocols = MESSAGE_ARRAY(host->memory, &request->head, struct group_protocol, 1);
    request->protocol_count = 1;
    request->protocols[0].name = shard_host_name(host, "range");
    const struct subscription subscription = {.topics = &client->topic,
                                              .topic_count = 1,
                                              .user_data_is_null = true,
                                              .generation = client->generation};
    request->protocols[0].metadata =
        hand_over(host, &request->head,
                  subscription_encode(host->memory, host->names, &subscription, 2));
    return &request->head;
}

/* Partition p of the topic goes to member p modulo their number. */
static struct bytes plan_for(struct scripted_classic *client, struct message *message,
                             int32_t place)
{
    struct topic_partition partitions[64];
    struct assignment assignment = {.partitions = partitions, .user_data_is_null = true};
    for (int32_t p = place; p < client->topic_partitions; p += client->led_count) {
        partitions[assignment.partition_count++] =
            (struct topic_partition){.topic = client->topic, .partition = p};
    }
    return hand_over(client->host, message,
                     assignment_encode(client->host->memory, client->host->names, &assignment, 2));
}

static struct message *new_sync(struct scripted_classic *client)
{
    struct shard_host *host = client->host;
    struct sync_group_request *request =
        MESSAGE_NEW(host->memory, API_SYNC_GROUP, struct sync_group_request);
    request->group = client->group;
    request->member = client->member;
    request->instance = client->instance;
    request->generation = client->generation;
    request->assignments = MESSAGE_ARRAY(host->memory, &request->head, struct sync_group_assignment,
                                         client->led_count);
    request->assignment_count = client->led_count;
    for (int32_t i = 0; i < client->led_count; i++) {
        request->assignments[i].member = client->led[i];
        request->assignments[i].assignment = plan_for(client, &request->head, i);
    }
    return &request->head;
}

static struct message *new_heartbeat(struct scripted_classic *client)
{
    struct heartbeat_request *request =
        MESSAGE_NEW(client->host->memory, API_HEARTBEAT, struct heartbeat_request);
    request->group = client->group;
    request->member = client->member;
    request->instance = client->instance;
    request->generation = client->generation;
    return &request->head;
}

void scripted_classic_act(struct scripted_classic *client)
{
    struct shard_host *host = client->host;
    if (client->token != 0) {
        sim_time patience = client->phase == CLASSIC_UNJOINED
                                ? MILLISECONDS(client->rebalance_timeout_ms) + SECONDS(5)
                                : REQUEST_TIMEOUT;
        if (host->now - client->sent_at < patience) return;
        client->token = 0;
        rejoin(client);
    }
    struct message *request = NULL;
    switch (client->phase) {
    case CLASSIC_UNJOINED: request = new_join(client); break;
    case CLASSIC_JOINED: request = new_sync(client); break;
    case CLASSIC_SYNCED: request = new_heartbeat(client); break;
    }
    client->sent_at = host->now;
    client->token = shard_host_send(host, request);
}

static void refused(struct scripted_classic *client, enum kafka_error error)
{
    switch ((int)error) {
    case KAFKA_UNKNOWN_MEMBER_ID: start_again(client); return;
    case KAFKA_FENCED_INSTANCE_ID:
        start_again(client);
        client->alive = false; /* fatal to a real client */
        return;
    case KAFKA_REBALANCE_IN_PROGRESS:
    case KAFKA_ILLEGAL_GENERATION: rejoin(client); return;
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_NOT_COORDINATOR:
    case KAFKA_COORDINATOR_LOAD_IN_PROGRESS:
        if (client->phase != CLASSIC_SYNCED) rejoin(client);
        return;
    default: CHECK(false); /* an answer that this client never causes */
    }
}

static void joined(struct scripted_classic *client, const struct join_group_response *response)
{
    client->member = response->member;
    if (response->error == KAFKA_MEMBER_ID_REQUIRED) return; /* joins with this id next */
    client->generation = response->generation;
    client->phase = CLASSIC_JOINED;
    forget_led(client);
    if (response->member_count == 0) return;
    client->led_count = response->member_count;
    client->led =
        memory_take(client->host->memory, sizeof *client->led * (size_t)client->led_count);
    for (int32_t i = 0; i < client->led_count; i++)
        client->led[i] = response->members[i].member;
}

static void synced(struct scripted_classic *client, const struct sync_group_response *response)
{
    struct shard_host *host = client->host;
    struct assignment assignment;
    client->phase = CLASSIC_SYNCED;
    give_up_all(client);
    if (!assignment_decode(host->memory, host->names, response->assignment, &assignment)) return;
    for (int32_t i = 0; i < assignment.partition_count; i++) {
        CHECK(assignment.partitions[i].partition < 64);
        client->owned[assignment.partitions[i].partition] = true;
        client->owned_count++;
    }
    assignment_free(host->memory, &assignment);
}

void scripted_classic_read(struct scripted_classic *client, bool lost)
{
    if (client->token == 0) return;
    const struct message *message = shard_host_response(client->host, client->token);
    if (message == NULL) return;
    client->token = 0;
    if (lost) {
        if (client->phase != CLASSIC_SYNCED) rejoin(client);
        return;
    }
    switch ((int)message->api) {
    case API_JOIN_GROUP: {
        const struct join_group_response *response = (const struct join_group_response *)message;
        if (response->error == KAFKA_NONE || response->error == KAFKA_MEMBER_ID_REQUIRED) {
            joined(client, response);
        } else {
            refused(client, response->error);
        }
        return;
    }
    case API_SYNC_GROUP: {
        const struct sync_group_response *response = (const struct sync_group_response *)message;
        if (response->error == KAFKA_NONE) {
            synced(client, response);
        } else {
            refused(client, response->error);
        }
        return;
    }
    default: {
        const struct heartbeat_response *response = (const struct heartbeat_response *)message;
        if (response->error != KAFKA_NONE) refused(client, response->error);
    }
    }
}

void scripted_classic_leave(struct scripted_classic *client)
{
    struct leave_group_request *request =
        MESSAGE_NEW(client->host->memory, API_LEAVE_GROUP, struct leave_group_request);
    request->group = client->group;
    request->members =
        MESSAGE_ARRAY(client->host->memory, &request->head, struct leave_group_member, 1);
    request->member_count = 1;
    request->members[0].member = client->member;
    request->members[0].instance = client->instance;
    shard_host_send(client->host, &request->head);
    scripted_classic_crash(client);
}

void scripted_classic_crash(struct scripted_classic *client)
{
    start_again(client);
    client->alive = false;
    client->token = 0;
}
