#include "model/assignor/leader.h"
#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "model/group_watch.h"
#include "sim/check.h"

#include <string.h>

/* JoinGroup and SyncGroup: what is sent, what is made of the answers, and the leader's work in
 * between (ConsumerCoordinator.metadata, onLeaderElected). */

#define JOIN_TIMEOUT_EXTRA_MS 5000 /* AbstractCoordinator.JOIN_GROUP_TIMEOUT_LAPSE */

static void synced(void *context, const struct request_result *result);

/* Bytes that live as long as the message. */
static struct bytes keep(struct consumer *consumer, struct message *message, struct bytes encoded)
{
    uint8_t *copy = MESSAGE_ARRAY(consumer->memory, message, uint8_t, encoded.length);
    if (encoded.length > 0) memcpy(copy, encoded.data, encoded.length);
    struct bytes kept = {copy, encoded.length};
    consumer_protocol_give(consumer->memory, encoded);
    return kept;
}

static struct topic_partition named(const struct consumer *consumer, partition_id id)
{
    return (
        struct topic_partition){cluster_topic_name(consumer->options.cluster, PARTITION_TOPIC(id)),
                                PARTITION_NUMBER(id)};
}

/* ---- JoinGroup ---- */

static struct bytes user_data(struct consumer *consumer, const char *strategy)
{
    const struct classic_member *classic = &consumer->classic;
    if (strcmp(strategy, "cooperative-sticky") == 0) {
        return cooperative_sticky_user_data_encode(consumer->memory,
                                                   classic->remembered_generation);
    }
    if (strcmp(strategy, "sticky") != 0 || classic->remembered == NULL) return (struct bytes){0};
    struct topic_partition *owned =
        memory_take(consumer->memory, sizeof *owned * (size_t)classic->remembered_count);
    for (int32_t i = 0; i < classic->remembered_count; i++) {
        owned[i] = named(consumer, classic->remembered[i]);
    }
    struct sticky_user_data data = {owned, classic->remembered_count,
                                    classic->remembered_generation};
    struct bytes encoded = sticky_user_data_encode(consumer->memory, consumer->names, &data);
    memory_give(consumer->memory, owned, sizeof *owned * (size_t)classic->remembered_count);
    return encoded;
}

static void add_protocols(struct consumer *consumer, struct join_group_request *request)
{
    const struct consumer_config *config = consumer->config;
    const struct owned_partitions *subscription = &consumer->subscription;
    size_t owned_size = sizeof(struct topic_partition) * (size_t)subscription->count;
    struct topic_partition *owned = NULL;
    if (owned_size > 0) owned = memory_take(consumer->memory, owned_size);
    for (int32_t i = 0; i < subscription->count; i++) {
        owned[i] = named(consumer, subscription->owned[i]->id);
    }
    request->protocol_count = config->partition_assignment_strategy_count;
    request->protocols = MESSAGE_ARRAY(consumer->memory, &request->head, struct group_protocol,
                                       request->protocol_count);
    for (int32_t i = 0; i < request->protocol_count; i++) {
        const char *strategy = config->partition_assignment_strategy[i];
        struct bytes data = user_data(consumer, strategy);
        struct subscription content = {
            .topics = consumer->topics,
            .topic_count = consumer->topic_count,
            .user_data = data,
            .user_data_is_null = data.length == 0,
            .owned = owned,
            .owned_count = subscription->count,
            .generation = consumer->classic.generation.id,
            .rack = config->client_rack == NULL
                        ? NAME_NONE
                        : names_intern(consumer->names, config->client_rack),
        };
        struct bytes encoded = subscription_encode(consumer->memory, consumer->names, &content,
                                                   SUBSCRIPTION_VERSION_NEWEST);
        request->protocols[i] = (struct group_protocol){names_intern(consumer->names, strategy),
                                                        keep(consumer, &request->head, encoded)};
        consumer_protocol_give(consumer->memory, data);
    }
    memory_give(consumer->memory, owned, owned_size);
}

static void fail_join(struct consumer *consumer, enum join_result result, enum kafka_error error)
{
    consumer->classic.join = result;
    consumer->classic.join_error = error;
}

/* Both answers fail in the same ways. */
static void act_on_failure(struct consumer *consumer, uint32_t reaction, enum kafka_error error,
                           bool generation_is_unchanged)
{
    if (reaction & REACT_COORDINATOR_UNKNOWN) coordinator_mark_unknown(consumer, error);
    if ((reaction & (REACT_FORGET_MEMBER | REACT_FORGET_GENERATION)) && generation_is_unchanged) {
        classic_forget_generation(consumer, (reaction & REACT_FORGET_GENERATION) != 0);
    }
    if (reaction & REACT_THROW) {
        fail_join(consumer, JOIN_FAILED_FATAL, error);
    } else if (reaction & REACT_RETRY_AT_ONCE) {
        fail_join(consumer, JOIN_FAILED_RETRY_NOW, error);
    } else {
        fail_join(consumer, JOIN_FAILED_RETRY_LATER, error);
    }
}

static void send_sync(struct consumer *consumer, struct sync_group_request *request)
{
    const struct classic_member *classic = &consumer->classic;
    request->group = consumer->group;
    request->member = classic->generation.member_id;
    request->instance = consumer->instance;
    request->generation = classic->generation.id;
    request->protocol_type = names_intern(consumer->names, "consumer");
    request->protocol_name = classic->generation.protocol;
    if (!coordinator_is_known(consumer)) {
        message_free(consumer->memory, &request->head);
        fail_join(consumer, JOIN_FAILED_RETRY_LATER, KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    coordinator_send(consumer, &request->head, consumer->config->request_timeout_ms, synced,
                     classic_generation_tag(consumer));
}

static struct sync_group_request *new_sync(struct consumer *consumer)
{
    return MESSAGE_NEW(consumer->memory, API_SYNC_GROUP, struct sync_group_request);
}

static void take_generation(struct consumer *consumer, const struct join_group_response *response)
{
    struct classic_member *classic = &consumer->classic;
    classic->state = MEMBER_COMPLETING_REBALANCE;
    classic->generation = (struct generation){
        .id = response->generation,
        .member_id = response->member,
        .protocol = response->protocol_name,
    };
    classic->is_leader = response->leader == response->member;
    heartbeat_thread_enable(consumer);
    consumer_note(consumer, CLIENT_JOINED, classic->is_leader, KAFKA_NONE,
                  names_text(consumer->names, response->protocol_name));
}

/* A copy of what the leader needs, for when its metadata is not fresh yet. */
static struct join_group_response *copy_response(struct consumer *consumer,
                                                 const struct join_group_response *response)
{
    struct join_group_response *copy =
        MESSAGE_NEW(consumer->memory, API_JOIN_GROUP, struct join_group_response);
    copy->skip_assignment = response->skip_assignment;
    copy->protocol_name = response->protocol_name;
    copy->member_count = response->member_count;
    copy->members = MESSAGE_ARRAY(consumer->memory, &copy->head, struct join_group_member,
                                  response->member_count);
    for (int32_t i = 0; i < response->member_count; i++) {
        const struct join_group_member *from = &response->members[i];
        uint8_t *data =
            MESSAGE_ARRAY(consumer->memory, &copy->head, uint8_t, from->metadata.length);
        if (from->metadata.length > 0) memcpy(data, from->metadata.data, from->metadata.length);
        copy->members[i] =
            (struct join_group_member){from->member, from->instance, {data, from->metadata.length}};
    }
    return copy;
}

static void joined(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    struct classic_member *classic = &consumer->classic;
    if (result->outcome != REQUEST_ANSWERED) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
        fail_join(consumer, JOIN_FAILED_RETRY_LATER, KAFKA_NETWORK_EXCEPTION);
        return;
    }
    const struct join_group_response *response = (const void *)result->response;
    uint32_t reaction = reaction_to(&join_group_reactions, response->error);
    if (!(reaction & REACT_SUCCEED)) {
        if (reaction & REACT_TAKE_MEMBER_ID) {
            classic->generation = (struct generation){.id = -1, .member_id = response->member};
            classic_request_rejoin(consumer, "need to re-join with the given member-id");
        }
        act_on_failure(consumer, reaction, response->error,
                       result->tag == classic_generation_tag(consumer));
        return;
    }
    if (classic->state != MEMBER_PREPARING_REBALANCE) {
        fail_join(consumer, JOIN_FAILED_RETRY_LATER, KAFKA_NONE); /* left meanwhile */
        return;
    }
    take_generation(consumer, response);
    if (!classic->is_leader) {
        send_sync(consumer, new_sync(consumer));
        return;
    }
    classic->leading = copy_response(consumer, response);
    join_lead_if_possible(consumer);
}

void join_send(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    const struct consumer_config *config = consumer->config;
    classic->state = MEMBER_PREPARING_REBALANCE;
    classic->join = JOIN_PENDING;
    heartbeat_thread_disable(consumer);
    struct join_group_request *request =
        MESSAGE_NEW(consumer->memory, API_JOIN_GROUP, struct join_group_request);
    request->version = 9;
    request->group = consumer->group;
    request->member = classic->generation.member_id;
    request->instance = consumer->instance;
    request->client_id = consumer->client_id;
    request->client_host =
        names_format(consumer->names, "/%s", names_text(consumer->names, consumer->member));
    request->session_timeout_ms = config->session_timeout_ms;
    request->rebalance_timeout_ms = config->max_poll_interval_ms;
    request->protocol_type = names_intern(consumer->names, "consumer");
    request->reason = classic->rejoin_reason;
    add_protocols(consumer, request);
    consumer_note(consumer, CLIENT_JOINING, 0, KAFKA_NONE,
                  names_text(consumer->names, classic->rejoin_reason));
    int64_t timeout_ms = (int64_t)config->max_poll_interval_ms + JOIN_TIMEOUT_EXTRA_MS;
    if (timeout_ms < config->request_timeout_ms) timeout_ms = config->request_timeout_ms;
    coordinator_send(consumer, &request->head, timeout_ms, joined,
                     classic_generation_tag(consumer));
}

/* ---- the leader ---- */

static uint64_t mix(uint64_t digest, uint64_t value)
{
    return (digest ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (digest >> 29);
}

uint64_t leader_snapshot(const struct consumer *consumer)
{
    uint64_t digest = 1;
    for (int32_t i = 0; i < client_metadata_topic_count(consumer->metadata); i++) {
        const struct client_topic *topic = client_metadata_topic_at(consumer->metadata, i);
        digest = mix(digest, (uint64_t)topic->name);
        digest = mix(digest, (uint64_t)(uint32_t)topic->partition_count);
        if (consumer->config->client_rack == NULL) continue;
        for (int32_t r = 0; r < topic->partition_count * topic->replication; r++) {
            digest = mix(digest, client_metadata_rack(consumer->metadata, topic->replicas[r]));
        }
    }
    return digest;
}

/* What the leader knows of topics, in the assignors' form. */
struct known_topics {
    struct assign_topic *topics;
    int32_t count;
    name_id *racks;
    size_t racks_size;
};

static struct known_topics known_topics(struct consumer *consumer)
{
    int32_t count = client_metadata_topic_count(consumer->metadata);
    size_t slots_of_all = 0;
    for (int32_t i = 0; i < count; i++) {
        const struct client_topic *known = client_metadata_topic_at(consumer->metadata, i);
        slots_of_all += (size_t)(known->partition_count * known->replication);
    }
    struct known_topics result = {.count = count, .racks_size = slots_of_all * sizeof(name_id)};
    result.topics = memory_take(consumer->memory, sizeof *result.topics * (size_t)count);
    result.racks = memory_take(consumer->memory, result.racks_size + sizeof(name_id));
    name_id *racks = result.racks;
    for (int32_t i = 0; i < count; i++) {
        const struct client_topic *known = client_metadata_topic_at(consumer->metadata, i);
        int32_t slots = known->partition_count * known->replication;
        for (int32_t r = 0; r < slots; r++) {
            racks[r] = client_metadata_rack(consumer->metadata, known->replicas[r]);
        }
        result.topics[i] = (struct assign_topic){
            .name = known->name,
            .partition_count = known->error == KAFKA_NONE ? known->partition_count : -1,
            .racks = racks,
            .rack_slots = known->replication,
        };
        racks += slots;
    }
    return result;
}

static void give_topics(struct consumer *consumer, struct known_topics *known)
{
    memory_give(consumer->memory, known->racks, known->racks_size + sizeof(name_id));
    memory_give(consumer->memory, known->topics, sizeof *known->topics * (size_t)known->count);
}

static void add_assignments(struct consumer *consumer, struct sync_group_request *request,
                            const struct join_group_response *response,
                            const struct leader_assignment *result)
{
    request->assignment_count = response->member_count;
    request->assignments = MESSAGE_ARRAY(consumer->memory, &request->head,
                                         struct sync_group_assignment, response->member_count);
    for (int32_t i = 0; i < response->member_count; i++) {
        struct assignment content = {
            .partitions = &result->partitions[result->first[i]],
            .partition_count = result->first[i + 1] - result->first[i],
            .user_data_is_null = true,
        };
        struct bytes encoded = assignment_encode(consumer->memory, consumer->names, &content,
                                                 ASSIGNMENT_VERSION_NEWEST);
        request->assignments[i] =
            (struct sync_group_assignment){response->members[i].member,
                                           keep(consumer, &request->head, encoded)};
    }
}

/* Decodes what the members subscribe to, and sees to it that the metadata covers all of it. */
static struct subscription *decode_members(struct consumer *consumer,
                                           const struct join_group_response *response)
{
    size_t size = sizeof(struct subscription) * (size_t)response->member_count;
    struct subscription *subscriptions = memory_take(consumer->memory, size);
    for (int32_t i = 0; i < response->member_count; i++) {
        bool is_sound = subscription_decode(consumer->memory, consumer->names,
                                            response->members[i].metadata, &subscriptions[i]);
        CHECK(is_sound);
        for (int32_t t = 0; t < subscriptions[i].topic_count; t++) {
            client_metadata_add_topic(consumer->metadata, subscriptions[i].topics[t]);
        }
    }
    return subscriptions;
}

static void lead(struct consumer *consumer, const struct join_group_response *response,
                 const struct subscription *subscriptions)
{
    struct classic_member *classic = &consumer->classic;
    const struct assignor *assignor =
        assignor_find(names_text(consumer->names, response->protocol_name), ASSIGNOR_CLIENT);
    CHECK(assignor != NULL);
    size_t size = sizeof(struct leader_member) * (size_t)response->member_count;
    struct leader_member *members = memory_take(consumer->memory, size);
    for (int32_t i = 0; i < response->member_count; i++) {
        members[i] = (struct leader_member){response->members[i].member,
                                            response->members[i].instance, &subscriptions[i]};
    }
    struct known_topics known = known_topics(consumer);
    struct leader_assignment result =
        leader_assign(consumer->memory, consumer->names, assignor, members, response->member_count,
                      known.topics, known.count);
    const struct group_watcher *watcher = cluster_group_watcher(consumer->options.cluster);
    if (watcher->tell != NULL &&
        !leader_is_orderless(consumer->memory, consumer->names, assignor, members,
                             response->member_count, known.topics, known.count, &result))
        watcher->tell(watcher->self, "I12", consumer->group,
                      "the assignment hangs on the order of the members");
    classic->snapshot = leader_snapshot(consumer);
    classic->snapshot_is_set = true;
    struct sync_group_request *request = new_sync(consumer);
    add_assignments(consumer, request, response, &result);
    leader_assignment_free(consumer->memory, &result);
    give_topics(consumer, &known);
    memory_give(consumer->memory, members, size);
    send_sync(consumer, request);
}

/* ConsumerNetworkClient.ensureFreshMetadata: metadata that is not fresh is asked for once; topics
 * that are missing from the answer are assigned to nobody. */
static bool knows_enough_to_lead(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    uint64_t version = client_metadata_version(consumer->metadata);
    if (client_metadata_is_fresh(consumer->metadata)) return true;
    if (!classic->leading_waits) {
        classic->leading_waits = true;
        classic->leading_version = version;
        return false;
    }
    return version > classic->leading_version && client_metadata_is_complete(consumer->metadata);
}

void join_lead_if_possible(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    struct join_group_response *response = classic->leading;
    if (response == NULL) return;
    if (response->skip_assignment) {
        /* A static leader that came back: it watches from the present metadata on, so partitions
         * that were added while it was away go unnoticed (ConsumerCoordinator.onLeaderElected). */
        classic->leading = NULL;
        classic->snapshot = leader_snapshot(consumer);
        classic->snapshot_is_set = true;
        message_free(consumer->memory, &response->head);
        send_sync(consumer, new_sync(consumer));
        return;
    }
    if (consumer->listener.throwing[THROW_IN_ASSIGNOR] > 0) {
        /* onLeaderElected fails the join: no SyncGroup, so the others wait in theirs. */
        classic->leading = NULL;
        message_free(consumer->memory, &response->head);
        classic->assignor_has_thrown = true;
        fail_join(consumer, JOIN_FAILED_FATAL, KAFKA_NONE);
        return;
    }
    struct subscription *subscriptions = decode_members(consumer, response);
    if (knows_enough_to_lead(consumer)) {
        classic->leading = NULL;
        classic->leading_waits = false;
        lead(consumer, response, subscriptions);
    }
    for (int32_t i = 0; i < response->member_count; i++) {
        subscription_free(consumer->memory, &subscriptions[i]);
    }
    memory_give(consumer->memory, subscriptions,
                sizeof *subscriptions * (size_t)response->member_count);
    if (classic->leading == NULL) {
        message_free(consumer->memory, &response->head);
    }
}

/* ---- SyncGroup ---- */

void join_forget_assignment(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    memory_give(consumer->memory, classic->assignment, classic->assignment_length);
    classic->assignment = NULL;
    classic->assignment_length = 0;
}

static void synced(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    struct classic_member *classic = &consumer->classic;
    if (result->outcome != REQUEST_ANSWERED) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
        fail_join(consumer, JOIN_FAILED_RETRY_LATER, KAFKA_NETWORK_EXCEPTION);
        return;
    }
    const struct sync_group_response *response = (const void *)result->response;
    uint32_t reaction = reaction_to(&sync_group_reactions, response->error);
    if (!(reaction & REACT_SUCCEED)) {
        act_on_failure(consumer, reaction, response->error,
                       result->tag == classic_generation_tag(consumer));
        return;
    }
    if (!classic_has_generation(consumer) || classic->state != MEMBER_COMPLETING_REBALANCE) {
        fail_join(consumer, JOIN_FAILED_RETRY_NOW, KAFKA_ILLEGAL_GENERATION);
        return;
    }
    classic->state = MEMBER_STABLE;
    classic->rejoin_is_needed = false;
    classic->join = JOIN_SUCCEEDED;
    classic->assignment_length = response->assignment.length;
    if (response->assignment.length > 0) {
        classic->assignment = memory_take(consumer->memory, response->assignment.length);
        memcpy(classic->assignment, response->assignment.data, response->assignment.length);
    }
    consumer_note(consumer, CLIENT_SYNCED, 0, KAFKA_NONE, NULL);
}
