#include "bench/scripted_member.h"

#include "model/consumer_protocol.h"
#include "model/messages_group.h"
#include "sim/check.h"

#include <string.h>

#define REQUEST_BYTES 120

enum { EVENT_START = 1, EVENT_HEARTBEAT, EVENT_COMMIT };

struct scripted_member {
    struct script *script;
    entity_id entity;
    name_id name;
    name_id group;
    connection_id connection;
    name_id member;
    int32_t generation;
    int32_t partition; /* -1 = none */
    bool is_member;
    struct sim_timer heartbeat;
    struct sim_timer commit;
};

static void send(struct scripted_member *member, struct message *request)
{
    request->correlation = (uint32_t)++member->script->requests;
    network_send(member->script->network, member->connection, member->entity, request,
                 REQUEST_BYTES);
}

/* Into the message, which owns it from now on. */
static struct bytes hand_over(struct memory *memory, struct message *message, struct bytes bytes)
{
    uint8_t *copy = message_alloc(memory, message, bytes.length);
    memcpy(copy, bytes.data, bytes.length);
    struct bytes owned = {.data = copy, .length = bytes.length};
    consumer_protocol_give(memory, bytes);
    return owned;
}

static void send_join(struct scripted_member *member)
{
    struct script *script = member->script;
    struct names *names = sim_names(script->sim);
    struct join_group_request *request =
        MESSAGE_NEW(script->memory, API_JOIN_GROUP, struct join_group_request);
    const struct subscription subscription = {.topics = &script->topic_name,
                                              .topic_count = 1,
                                              .user_data_is_null = true,
                                              .generation = -1};
    request->version = 9;
    request->group = member->group;
    request->member = member->member;
    request->client_id = member->name;
    request->client_host = member->name;
    request->session_timeout_ms = 45000;
    request->rebalance_timeout_ms = 300000;
    request->protocol_type = names_intern(names, "consumer");
    request->protocols = MESSAGE_ARRAY(script->memory, &request->head, struct group_protocol, 1);
    request->protocol_count = 1;
    request->protocols[0].name = names_intern(names, "range");
    request->protocols[0].metadata =
        hand_over(script->memory, &request->head,
                  subscription_encode(script->memory, names, &subscription, 3));
    member->is_member = false;
    send(member, &request->head);
}

/* The leader, from `joined`, deals partition i to the i-th member; the others send nothing. */
static void send_sync(struct scripted_member *member, const struct join_group_response *joined)
{
    struct script *script = member->script;
    struct sync_group_request *request =
        MESSAGE_NEW(script->memory, API_SYNC_GROUP, struct sync_group_request);
    request->group = member->group;
    request->member = member->member;
    request->generation = member->generation;
    request->protocol_type = joined->protocol_type;
    request->protocol_name = joined->protocol_name;
    request->assignment_count = joined->member_count;
    request->assignments = MESSAGE_ARRAY(script->memory, &request->head,
                                         struct sync_group_assignment, joined->member_count);
    for (int32_t i = 0; i < joined->member_count; i++) {
        struct topic_partition partition = {.topic = script->topic_name, .partition = i};
        const struct assignment assignment = {.partitions = &partition,
                                              .partition_count = 1,
                                              .user_data_is_null = true};
        request->assignments[i].member = joined->members[i].member;
        request->assignments[i].assignment =
            hand_over(script->memory, &request->head,
                      assignment_encode(script->memory, sim_names(script->sim), &assignment, 3));
    }
    send(member, &request->head);
}

static void send_heartbeat(struct scripted_member *member)
{
    struct heartbeat_request *request =
        MESSAGE_NEW(member->script->memory, API_HEARTBEAT, struct heartbeat_request);
    request->group = member->group;
    request->member = member->member;
    request->generation = member->generation;
    send(member, &request->head);
}

static void send_commit(struct scripted_member *member)
{
    struct script *script = member->script;
    partition_id partition = script->topic + (partition_id)member->partition;
    struct offset_commit_request *request =
        MESSAGE_NEW(script->memory, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = 8;
    request->group = member->group;
    request->member = member->member;
    request->generation = member->generation;
    request->retention_time_ms = -1;
    request->offset_count = 1;
    request->offsets = MESSAGE_ARRAY(script->memory, &request->head, struct offset_entry, 1);
    request->offsets[0] = (struct offset_entry){
        .partition = {.topic = script->topic_name, .partition = member->partition},
        .offset = cluster_offsets(script->cluster, partition).high_watermark,
        .leader_epoch = -1,
        .metadata = NAME_EMPTY,
    };
    send(member, &request->head);
}

static void on_joined(struct scripted_member *member, const struct join_group_response *response)
{
    member->member = response->member;
    if (response->error == KAFKA_MEMBER_ID_REQUIRED) {
        send_join(member);
        return;
    }
    CHECK(response->error == KAFKA_NONE);
    member->generation = response->generation;
    send_sync(member, response);
}

static void on_synced(struct scripted_member *member, const struct sync_group_response *response)
{
    struct script *script = member->script;
    struct assignment assignment;
    if (response->error == KAFKA_REBALANCE_IN_PROGRESS) {
        send_join(member);
        return;
    }
    CHECK(response->error == KAFKA_NONE);
    CHECK(assignment_decode(script->memory, sim_names(script->sim), response->assignment,
                            &assignment));
    member->partition = assignment.partition_count > 0 ? assignment.partitions[0].partition : -1;
    assignment_free(script->memory, &assignment);
    member->is_member = true;
    sim_time now = sim_now(script->sim);
    sim_timer_set(script->sim, &member->heartbeat, now + script->heartbeat_ns);
    sim_timer_set(script->sim, &member->commit, now + script->commit_ns);
}

static void on_response(struct scripted_member *member, struct message *response)
{
    const void *body = response;
    enum kafka_error error = KAFKA_NONE;
    switch ((int)response->api) {
    case API_JOIN_GROUP: on_joined(member, body); break;
    case API_SYNC_GROUP: on_synced(member, body); break;
    case API_HEARTBEAT: error = ((const struct heartbeat_response *)body)->error; break;
    case API_OFFSET_COMMIT:
        error = ((const struct offset_commit_response *)body)->offsets[0].error;
        break;
    default: CHECK(false);
    }
    if (error == KAFKA_REBALANCE_IN_PROGRESS) {
        if (member->is_member) send_join(member);
    } else {
        CHECK(error == KAFKA_NONE);
        member->script->answers++;
    }
    message_free(member->script->memory, response);
}

static void on_start(struct scripted_member *member)
{
    struct script *script = member->script;
    int32_t broker = cluster_coordinator(script->cluster, member->group);
    CHECK(broker >= 0);
    member->connection = network_connect(script->network, member->entity,
                                         cluster_broker_entity(script->cluster, broker));
}

static void on_event(struct sim *sim, void *self, const struct sim_event *event)
{
    struct scripted_member *member = self;
    const struct script *script = member->script;
    switch (event->kind) {
    case EVENT_START: on_start(member); return;
    case NETWORK_OPENED: send_join(member); return;
    case NETWORK_MESSAGE: on_response(member, event->pointer); return;
    case EVENT_HEARTBEAT:
        if (!member->is_member) return;
        sim_timer_set(sim, &member->heartbeat, event->at + script->heartbeat_ns);
        send_heartbeat(member);
        return;
    case EVENT_COMMIT:
        if (!member->is_member) return;
        sim_timer_set(sim, &member->commit, event->at + script->commit_ns);
        if (member->partition >= 0) send_commit(member);
        return;
    default: CHECK(false && "a connection failed, and nothing here breaks connections");
    }
}

struct scripted_member *scripted_member_new(struct script *script, name_id name, name_id group,
                                            sim_time at)
{
    struct sim *sim = script->sim;
    struct scripted_member *member = memory_keep(script->memory, sizeof *member);
    process_id process = process_add(sim, name, name);
    process_start(sim, process);
    member->script = script;
    member->name = name;
    member->group = group;
    member->member = NAME_EMPTY;
    member->partition = -1;
    member->entity = sim_add_entity(sim, name, process, on_event, member);
    sim_timer_init(&member->heartbeat, member->entity, EVENT_HEARTBEAT, 0);
    sim_timer_init(&member->commit, member->entity, EVENT_COMMIT, 0);
    sim_post(sim, at, PHASE_INTERNAL, member->entity, member->entity, EVENT_START, 0, NULL);
    return member;
}
