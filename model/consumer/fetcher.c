#include "model/broker.h"
#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "sim/check.h"

/* Fetch requests and sessions (AbstractFetch.prepareFetchRequests, FetchSessionHandler). At most
 * one request per broker is under way; it asks for every partition the broker leads that may be
 * fetched and has nothing buffered. A request that asks for what the last one asked for is sent
 * without looking at any partition. */

#define FETCH_REQUEST_BYTES   96 /* about */
#define FETCH_PARTITION_BYTES 32

static bool is_fetchable(const struct owned_partition *owned)
{
    return owned->state == POSITION_FETCHING && !owned->is_paused &&
           !owned->is_pending_revocation && !owned->is_pending_callback && !owned->is_buffered;
}

static void settle(struct consumer *consumer, int32_t node)
{
    struct broker_fetch *broker = &consumer->fetcher.brokers[node];
    if (!broker->in_flight || !broker->may_idle) return;
    broker->may_idle = false;
    network_client_settle(consumer->network, CHANNEL_DATA(node));
}

void fetcher_settle(struct consumer *consumer)
{
    for (int32_t i = 0; i < consumer->fetcher.broker_count; i++)
        settle(consumer, i);
}

void fetcher_mark_dirty(struct consumer *consumer, int32_t node)
{
    consumer->fetcher.brokers[node].is_dirty = true;
    settle(consumer, node);
}

/* ---- what a request says ---- */

struct request_size {
    int32_t wanted;
    int32_t listed;
    int32_t forgotten;
};

static bool is_listed(const struct owned_partition *owned, int32_t node, bool is_full)
{
    return is_full || owned->session_node != node || owned->session_offset != owned->position ||
           owned->session_epoch != owned->leader_epoch ||
           owned->session_topic_id != owned->topic_id;
}

static struct request_size measure(const struct consumer *consumer, int32_t node, bool is_full)
{
    const struct owned_partitions *subscription = &consumer->subscription;
    struct request_size size = {.forgotten = consumer->fetcher.brokers[node].forgotten_count};
    for (int32_t i = 0; i < subscription->count; i++) {
        const struct owned_partition *owned = subscription->owned[i];
        if (owned->leader == node && is_fetchable(owned)) {
            size.wanted++;
            if (is_listed(owned, node, is_full)) size.listed++;
        } else if (owned->session_node == node) {
            size.forgotten++;
        }
    }
    return size;
}

static void list(struct consumer *consumer, int32_t node, bool is_full,
                 struct fetch_request *request)
{
    struct broker_fetch *broker = &consumer->fetcher.brokers[node];
    for (int32_t i = 0; !is_full && i < broker->forgotten_count; i++) {
        request->forgotten[request->forgotten_count++] = broker->forgotten[i];
    }
    broker->forgotten_count = 0;
    for (int32_t i = 0; i < consumer->subscription.count; i++) {
        struct owned_partition *owned = consumer->subscription.owned[i];
        if (owned->leader == node && is_fetchable(owned)) {
            if (!is_listed(owned, node, is_full)) continue;
            owned->session_node = node;
            owned->session_offset = owned->position;
            owned->session_epoch = owned->leader_epoch;
            owned->session_topic_id = owned->topic_id;
            request->partitions[request->partition_count++] = (struct fetch_partition){
                .partition = owned->id,
                .topic_id = owned->topic_id,
                .max_bytes = consumer->config->max_partition_fetch_bytes,
                .fetch_offset = owned->position,
                .current_leader_epoch = owned->leader_epoch,
            };
        } else if (owned->session_node == node) {
            owned->session_node = -1;
            if (!is_full) request->forgotten[request->forgotten_count++] = owned->id;
        }
    }
}

/* NULL when there is nothing to ask this broker for. */
static struct fetch_request *build(struct consumer *consumer, int32_t node)
{
    struct broker_fetch *broker = &consumer->fetcher.brokers[node];
    bool is_full = broker->session_epoch == FETCH_EPOCH_INITIAL;
    struct request_size size = {.wanted = broker->wanted};
    if (broker->is_dirty || is_full) {
        size = measure(consumer, node, is_full);
        broker->wanted = size.wanted;
    }
    broker->is_dirty = false;
    if (size.wanted == 0) return NULL;
    const struct consumer_config *config = consumer->config;
    struct fetch_request *request = MESSAGE_NEW(consumer->memory, API_FETCH, struct fetch_request);
    request->max_wait_ms = config->fetch_max_wait_ms;
    request->min_bytes = config->fetch_min_bytes;
    request->max_bytes = config->fetch_max_bytes;
    request->isolation = config->isolation_level;
    request->session_id = broker->session_id;
    request->session_epoch = broker->session_epoch;
    if (size.listed > 0 || size.forgotten > 0) {
        request->partitions =
            MESSAGE_ARRAY(consumer->memory, &request->head, struct fetch_partition, size.listed);
        request->forgotten =
            MESSAGE_ARRAY(consumer->memory, &request->head, partition_id, size.forgotten);
        list(consumer, node, is_full, request);
    }
    return request;
}

/* ---- answers ---- */

static void renew_session(struct broker_fetch *broker)
{
    broker->session_id = FETCH_SESSION_NONE;
    broker->session_epoch = FETCH_EPOCH_INITIAL;
    broker->is_dirty = true;
}

static void continue_session(struct broker_fetch *broker, const struct fetch_response *response)
{
    if (response->session_id == FETCH_SESSION_NONE) {
        renew_session(broker); /* no session was granted: the next request is a full one again */
        return;
    }
    broker->session_id = response->session_id;
    broker->session_epoch = broker->session_epoch == INT32_MAX ? 1 : broker->session_epoch + 1;
}

static void answered(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    int32_t node = CHANNEL_NODE(result->channel);
    struct broker_fetch *broker = &consumer->fetcher.brokers[node];
    broker->in_flight = false;
    broker->may_idle = false;
    if (result->outcome != REQUEST_ANSWERED) {
        renew_session(broker);
        return;
    }
    const struct fetch_response *response = (const void *)result->response;
    if (reaction_to(&fetch_session_reactions, response->error) & REACT_NEW_SESSION) {
        renew_session(broker);
        return;
    }
    continue_session(broker, response);
    for (int32_t i = 0; i < response->partition_count; i++) {
        const struct fetched_partition *fetched = &response->partitions[i];
        if (fetched->error != KAFKA_NONE && fetched->current_leader >= 0) {
            client_metadata_set_leader(consumer->metadata, fetched->partition,
                                       fetched->current_leader, fetched->current_leader_epoch);
        }
        struct owned_partition *owned = owned_find(consumer, fetched->partition);
        if (owned == NULL || owned->session_node != node) continue;
        fetch_buffer_add(consumer, response, fetched, owned);
    }
}

/* ---- sending ---- */

static void send(struct consumer *consumer, int32_t node, bool idle)
{
    struct broker_fetch *broker = &consumer->fetcher.brokers[node];
    struct fetch_request *request = build(consumer, node);
    if (request == NULL) return;
    request->may_idle = idle;
    broker->in_flight = true;
    broker->may_idle = idle;
    network_client_send(consumer->network,
                        &(struct outgoing_request){
                            .channel = CHANNEL_DATA(node),
                            .message = &request->head,
                            .size_bytes = FETCH_REQUEST_BYTES +
                                          FETCH_PARTITION_BYTES * (int64_t)request->partition_count,
                            .timeout_ns = MILLISECONDS(consumer->config->request_timeout_ms),
                            .handler = answered,
                            .context = consumer,
                            .may_idle = idle,
                        });
}

void fetcher_send(struct consumer *consumer, bool idle)
{
    struct fetcher *fetcher = &consumer->fetcher;
    fetcher->retry_at = SIM_TIME_NEVER;
    if (consumer->subscription.leaderless > 0) client_metadata_request_update(consumer->metadata);
    for (int32_t node = 0; node < fetcher->broker_count; node++) {
        const struct broker_fetch *broker = &fetcher->brokers[node];
        if (broker->in_flight || (broker->wanted == 0 && !broker->is_dirty)) continue;
        if (network_client_is_unavailable(consumer->network, CHANNEL_DATA(node))) {
            sim_time at = network_client_backoff_ends_at(consumer->network, CHANNEL_DATA(node));
            if (at < fetcher->retry_at) fetcher->retry_at = at;
            continue;
        }
        send(consumer, node, idle);
    }
}

/* ---- life ---- */

void fetcher_forget(struct consumer *consumer, const struct owned_partition *owned)
{
    if (owned->leader >= 0) fetcher_mark_dirty(consumer, owned->leader);
    if (owned->session_node < 0) return;
    struct broker_fetch *broker = &consumer->fetcher.brokers[owned->session_node];
    broker->is_dirty = true;
    if (broker->forgotten_count == broker->forgotten_capacity) {
        int32_t capacity = broker->forgotten_capacity == 0 ? 8 : 2 * broker->forgotten_capacity;
        broker->forgotten = memory_resize(consumer->memory, broker->forgotten,
                                          sizeof(partition_id) * (size_t)broker->forgotten_capacity,
                                          sizeof(partition_id) * (size_t)capacity);
        broker->forgotten_capacity = capacity;
    }
    broker->forgotten[broker->forgotten_count++] = owned->id;
}

void fetcher_reset(struct consumer *consumer)
{
    fetch_buffer_clear(consumer);
    for (int32_t i = 0; i < consumer->fetcher.broker_count; i++) {
        struct broker_fetch *broker = &consumer->fetcher.brokers[i];
        broker->in_flight = false;
        broker->may_idle = false;
        broker->wanted = 0;
        broker->forgotten_count = 0;
        renew_session(broker);
    }
    consumer->fetcher.retry_at = SIM_TIME_NEVER;
}
