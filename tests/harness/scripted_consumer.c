#include "tests/harness/scripted_consumer.h"

#include "sim/check.h"

#include <string.h>

/* How long a client waits for an answer before it asks again. */
#define REQUEST_TIMEOUT SECONDS(8)

struct scripted_consumer scripted_consumer_make(struct shard_host *host, const char *group,
                                                const char *client_id, const char *instance)
{
    return (struct scripted_consumer){
        .host = host,
        .group = shard_host_name(host, group),
        .client_id = shard_host_name(host, client_id),
        .instance = instance == NULL ? NAME_NONE : shard_host_name(host, instance),
        .rebalance_timeout_ms = 30000,
        .member = NAME_EMPTY,
    };
}

void scripted_consumer_subscribe(struct scripted_consumer *consumer, const char *const *topics,
                                 int32_t count)
{
    CHECK(count <= SCRIPTED_TOPICS_MAX);
    for (int32_t i = 0; i < count; i++)
        consumer->topics[i] = shard_host_name(consumer->host, topics[i]);
    consumer->topic_count = count;
    consumer->topics_changed = true;
}

bool scripted_set_contains(const struct scripted_set *set, struct topic_partition partition)
{
    for (int32_t i = 0; i < set->count; i++) {
        if (set->items[i].topic == partition.topic &&
            set->items[i].partition == partition.partition) {
            return true;
        }
    }
    return false;
}

static void forget_membership(struct scripted_consumer *consumer)
{
    consumer->joined = false;
    consumer->epoch = 0;
    consumer->owned.count = 0;
    consumer->assigned.count = 0;
    consumer->say_all = false;
    consumer->report_owned = false;
}

static struct consumer_group_heartbeat_request *new_request(struct scripted_consumer *consumer)
{
    struct consumer_group_heartbeat_request *request =
        MESSAGE_NEW(consumer->host->memory, API_CONSUMER_GROUP_HEARTBEAT,
                    struct consumer_group_heartbeat_request);
    request->group = consumer->group;
    request->member = consumer->member;
    request->member_epoch = consumer->epoch;
    request->instance = consumer->instance;
    request->client_id = consumer->client_id;
    request->rebalance_timeout_ms = -1;
    request->topic_count = -1;
    request->owned_count = -1;
    return request;
}

static void add_topics(struct scripted_consumer *consumer,
                       struct consumer_group_heartbeat_request *request)
{
    request->topic_count = consumer->topic_count;
    request->topics =
        MESSAGE_ARRAY(consumer->host->memory, &request->head, name_id, consumer->topic_count);
    memcpy(request->topics, consumer->topics, sizeof(name_id) * (size_t)consumer->topic_count);
}

static void add_owned(struct scripted_consumer *consumer,
                      struct consumer_group_heartbeat_request *request)
{
    request->owned_count = consumer->owned.count;
    if (consumer->owned.count == 0) return;
    request->owned = MESSAGE_ARRAY(consumer->host->memory, &request->head, struct topic_partition,
                                   consumer->owned.count);
    memcpy(request->owned, consumer->owned.items,
           sizeof *request->owned * (size_t)consumer->owned.count);
}

void scripted_consumer_beat(struct scripted_consumer *consumer)
{
    struct shard_host *host = consumer->host;
    if (consumer->token != 0) {
        if (host->now - consumer->sent_at < REQUEST_TIMEOUT) return;
        consumer->say_all = true; /* the answer is lost: it is not listened for any more */
        consumer->token = 0;
    }
    struct consumer_group_heartbeat_request *request = new_request(consumer);
    bool full = !consumer->joined || consumer->say_all;
    if (full) request->rebalance_timeout_ms = consumer->rebalance_timeout_ms;
    if (full || consumer->topics_changed) add_topics(consumer, request);
    if (full || consumer->report_owned) add_owned(consumer, request);
    request->assignor = consumer->assignor;
    consumer->topics_changed = false;
    consumer->report_owned = false;
    consumer->sent_at = host->now;
    consumer->token = shard_host_send(host, &request->head);
}

static void take_assignment(struct scripted_consumer *consumer,
                            const struct consumer_group_heartbeat_response *response)
{
    CHECK(response->assignment_count <= SCRIPTED_PARTITIONS_MAX);
    consumer->assigned.count = response->assignment_count;
    for (int32_t i = 0; i < response->assignment_count; i++)
        consumer->assigned.items[i] = response->assignment[i];
}

static void refused(struct scripted_consumer *consumer, enum kafka_error error)
{
    switch ((int)error) {
    case KAFKA_FENCED_MEMBER_EPOCH:
    case KAFKA_UNKNOWN_MEMBER_ID: forget_membership(consumer); return;
    case KAFKA_FENCED_INSTANCE_ID: /* fatal to a real client, as is the next */
    case KAFKA_GROUP_ID_NOT_FOUND:
        forget_membership(consumer);
        consumer->alive = false;
        return;
    case KAFKA_NOT_COORDINATOR:
    case KAFKA_COORDINATOR_LOAD_IN_PROGRESS:
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_UNRELEASED_INSTANCE_ID:
    case KAFKA_GROUP_MAX_SIZE_REACHED:
    case KAFKA_UNKNOWN_SERVER_ERROR: consumer->say_all = true; return;
    default: CHECK(false); /* an answer that this client never causes */
    }
}

void scripted_consumer_read(struct scripted_consumer *consumer, bool lost)
{
    if (consumer->token == 0) return;
    const struct consumer_group_heartbeat_response *response =
        (const struct consumer_group_heartbeat_response *)shard_host_response(consumer->host,
                                                                              consumer->token);
    if (response == NULL) return;
    consumer->token = 0;
    if (lost) {
        consumer->say_all = true;
        return;
    }
    if (response->error != KAFKA_NONE) {
        refused(consumer, response->error);
        return;
    }
    consumer->say_all = false;
    consumer->joined = true;
    consumer->member = response->member;
    consumer->epoch = response->member_epoch;
    if (response->assignment_count >= 0) take_assignment(consumer, response);
}

void scripted_consumer_give_up(struct scripted_consumer *consumer)
{
    if (consumer->owned.count == consumer->assigned.count &&
        memcmp(consumer->owned.items, consumer->assigned.items,
               sizeof *consumer->owned.items * (size_t)consumer->owned.count) == 0) {
        return;
    }
    consumer->owned = consumer->assigned;
    consumer->report_owned = true;
}

void scripted_consumer_leave(struct scripted_consumer *consumer, bool for_good)
{
    if (!consumer->joined) return;
    struct consumer_group_heartbeat_request *request = new_request(consumer);
    request->member_epoch = consumer->instance != NAME_NONE && !for_good ? -2 : -1;
    shard_host_send(consumer->host, &request->head);
    scripted_consumer_crash(consumer);
}

void scripted_consumer_crash(struct scripted_consumer *consumer)
{
    forget_membership(consumer);
    consumer->alive = false;
    consumer->token = 0;
    consumer->member = NAME_EMPTY; /* the next incarnation has a new id */
}
