#include "model/producer_internal.h"
#include "model/producer_reactions.h"

#include "sim/check.h"

#include <string.h>

/* The sender thread (Sender, RecordAccumulator.ready and .drain). */

#define NO_SLOT UINT32_MAX

/* ---- requests under way ------------------------------------------------------------------ */

static struct producer_flight *take_flight(struct producer *producer)
{
    uint32_t slot = producer->flight_free;
    if (slot != NO_SLOT) {
        producer->flight_free = producer->flights[slot]->next_free;
        return producer->flights[slot];
    }
    slot = producer->flight_count;
    if (slot == producer->flight_capacity) {
        uint32_t grown = slot == 0 ? 8 : slot * 2;
        producer->flights =
            (struct producer_flight **)memory_resize(producer->memory, producer->flights,
                                                     slot * sizeof(void *), grown * sizeof(void *));
        producer->flight_capacity = grown;
    }
    struct producer_flight *flight = memory_keep(producer->memory, sizeof *flight);
    flight->slot = slot;
    producer->flights[slot] = flight;
    producer->flight_count++;
    return flight;
}

static void free_flight(struct producer *producer, struct producer_flight *flight)
{
    flight->count = 0;
    flight->next_free = producer->flight_free;
    producer->flight_free = flight->slot;
}

static void add_to_flight(struct producer *producer, struct producer_flight *flight,
                          struct producer_send_batch *batch)
{
    if (flight->count == flight->capacity) {
        int32_t grown = flight->capacity == 0 ? 8 : flight->capacity * 2;
        flight->batches =
            (struct producer_send_batch **)memory_resize(producer->memory, flight->batches,
                                                         (size_t)flight->capacity * sizeof(void *),
                                                         (size_t)grown * sizeof(void *));
        flight->capacity = grown;
    }
    batch->flight = flight;
    batch->flight_index = flight->count;
    flight->batches[flight->count++] = batch;
}

/* ---- outcomes ---------------------------------------------------------------------------- */

/* Thousands of batches take turns, each in memory of its own: so many rounds ahead they are asked
 * for, a batch first and then its queue, or the other way round. */
#define FETCH_BATCH 8
#define FETCH_QUEUE 4
static void prefetch_batch(const struct producer_send_batch *batch)
{
    if (batch == NULL) return;
    prefetch_lines(batch, 2);
}
static void prefetch_queue(const struct producer_queue *queue)
{
    prefetch_line(queue);
}

/* Back into the queue: by sequence if it has one, else at the front
 * (RecordAccumulator.insertInSequenceOrder). */
static void requeue(struct producer *producer, struct producer_send_batch *batch)
{
    struct producer_queue *queue = batch->queue;
    batch->flight->batches[batch->flight_index] = NULL;
    batch->flight = NULL;
    batch->full = true;
    queue->in_flight--;
    struct producer_send_batch **at = &queue->head;
    while (batch->base_sequence >= 0 && *at != NULL && (*at)->base_sequence >= 0 &&
           (*at)->base_sequence < batch->base_sequence) {
        at = &(*at)->next;
    }
    batch->next = *at;
    *at = batch;
    if (batch->next == NULL) queue->tail = batch;
    producer_count_queued(queue, 1);
    producer_list_queue(queue);
    if (queue->node >= 0) {
        struct producer_node *node = &producer->nodes[queue->node];
        node->ready_at = earlier(node->ready_at, batch->retry_at);
    }
    producer_wake(producer, batch->retry_at);
}

static void on_outcome(struct producer *producer, struct producer_send_batch *batch,
                       enum kafka_error error, int64_t base_offset)
{
    struct producer_queue *queue = batch->queue;
    if (error == KAFKA_DUPLICATE_SEQUENCE_NUMBER) {
        error = KAFKA_NONE;
        base_offset = -1;
    }
    if (error == KAFKA_NONE) {
        producer_identity_on_success(producer, queue, batch);
        producer_finish_batch(producer, batch, base_offset, KAFKA_NONE);
        return;
    }
    if (produce_error_asks_for_metadata(error)) client_metadata_request_update(producer->metadata);
    sim_time now = sim_now(producer->sim);
    bool too_old = now - batch->created_at >= MILLISECONDS(producer->config.delivery_timeout_ms);
    if (produce_error_is_retriable(error) && batch->attempts <= producer->config.retries &&
        !too_old) {
        producer_identity_on_retry(producer, queue, batch, error);
        batch->retry_at = now + backoff_ns(&producer->backoff, BACKOFF_PRODUCE,
                                           (uint32_t)batch->attempts - 1, producer->draws++);
        requeue(producer, batch);
        return;
    }
    producer_identity_on_give_up(producer, queue, batch, error);
    producer_finish_batch(producer, batch, -1, error);
}

static void on_response(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    struct producer_flight *flight = producer->flights[result->tag];
    struct producer_node *node = &producer->nodes[flight->node];
    const void *body = result->response;
    const struct produce_response *response = body;
    node->in_flight--;
    for (int32_t i = 0; i < flight->count; i++) {
        struct producer_send_batch *batch = flight->batches[i];
        if (i + FETCH_BATCH < flight->count) prefetch_batch(flight->batches[i + FETCH_BATCH]);
        if (i + FETCH_QUEUE < flight->count && flight->batches[i + FETCH_QUEUE] != NULL) {
            prefetch_queue(flight->batches[i + FETCH_QUEUE]->queue);
        }
        if (batch == NULL) continue; /* expired meanwhile */
        enum kafka_error error = KAFKA_NETWORK_EXCEPTION;
        int64_t base_offset = -1;
        if (result->outcome == REQUEST_ANSWERED) {
            error = KAFKA_NONE; /* acks=0: nobody says anything else */
            if (response != NULL) {
                const struct produced_partition *out = &response->partitions[i];
                error = out->error;
                base_offset = out->base_offset;
                if (base_offset >= 0) batch->topic_id = out->topic_id;
                if (out->current_leader >= 0) {
                    client_metadata_set_leader(producer->metadata, out->partition,
                                               out->current_leader, out->current_leader_epoch);
                }
            }
        }
        on_outcome(producer, batch, error, base_offset);
    }
    free_flight(producer, flight);
    node->ready_at = earlier(node->ready_at, sim_now(producer->sim));
    producer_wake(producer, sim_now(producer->sim));
}

/* ---- draining ---------------------------------------------------------------------------- */

static bool is_in_order(const struct producer *producer, const struct producer_queue *queue)
{
    const struct producer_send_batch *batch = queue->head;
    if (queue->in_flight == 0) return true;
    if (producer->config.max_in_flight_requests_per_connection == 1) return false;
    if (!producer->idempotent) return true;
    /* A batch that is tried again waits for those sent after it, so that it cannot arrive behind a
     * later sequence number once more (Kafka lets it go when it is the lowest under way). */
    return batch->attempts == 0;
}

static bool may_drain(const struct producer *producer, const struct producer_queue *queue,
                      sim_time now)
{
    return queue->head != NULL && queue->head->retry_at <= now && !queue->unresolved &&
           is_in_order(producer, queue) && producer_may_send(producer, queue);
}

static struct producer_send_batch *pop(struct producer_queue *queue)
{
    struct producer_send_batch *batch = queue->head;
    queue->head = batch->next;
    if (queue->head == NULL) queue->tail = NULL;
    producer_count_queued(queue, -1);
    batch->next = NULL;
    return batch;
}

static void transmit(struct producer *producer, int32_t number, struct producer_flight *flight)
{
    struct produce_request *request =
        MESSAGE_NEW(producer->memory, API_PRODUCE, struct produce_request);
    request->acks = (int16_t)producer->config.acks;
    request->timeout_ms = producer->config.request_timeout_ms;
    request->producer = producer->options.name;
    request->transactional_id = producer_transactional_id(producer);
    request->producer_id = producer->idempotent ? producer->producer_id : -1;
    request->keys = producer->options.keys;
    request->batch_count = flight->count;
    request->batches =
        MESSAGE_ARRAY_UNSET(producer->memory, &request->head, struct produce_batch, flight->count);
    for (int32_t i = 0; i < flight->count; i++) {
        const struct producer_send_batch *batch = flight->batches[i];
        request->batches[i] = (struct produce_batch){
            .partition = batch->queue->partition,
            .count = batch->count,
            .bytes = batch->bytes,
            .first_at = batch->first_at,
            .last_at = batch->last_at,
            .base_sequence = batch->base_sequence,
            .producer_epoch = batch->epoch,
            .number = batch->number,
        };
    }
    producer->nodes[number].in_flight++;
    const struct outgoing_request outgoing = {
        .channel = CHANNEL_DATA(number),
        .message = &request->head,
        .size_bytes = produce_request_size_bytes(request),
        .timeout_ns = MILLISECONDS(producer->config.request_timeout_ms),
        .handler = on_response,
        .context = producer,
        .tag = flight->slot,
        .no_response = request->acks == 0,
    };
    network_client_send(producer->client, &outgoing);
}

/* One request with the first batch of each partition that has one, as far as it may leave, whether
 * or not that batch has lingered long enough. False when there was nothing to send. */
static bool drain(struct producer *producer, int32_t number)
{
    struct producer_node *node = &producer->nodes[number];
    sim_time now = sim_now(producer->sim);
    struct producer_flight *flight = NULL;
    int64_t size = 0;
    int32_t count = node->queue_count;
    int32_t start = count > 0 ? node->start % count : 0;
    int32_t next = start;
    for (int32_t i = 0, place = start; i < count; i++, place = place + 1 == count ? 0 : place + 1) {
        struct producer_queue *queue = node->queues[place];
        if (place + FETCH_BATCH < count) prefetch_queue(node->queues[place + FETCH_BATCH]);
        if (place + FETCH_QUEUE < count) prefetch_batch(node->queues[place + FETCH_QUEUE]->head);
        if (!may_drain(producer, queue, now)) continue;
        if (flight != NULL && size + queue->head->bytes > producer->config.max_request_size) {
            next = place;
            break;
        }
        if (flight == NULL) {
            flight = take_flight(producer);
            flight->node = number;
        }
        struct producer_send_batch *batch = pop(queue);
        if (producer->idempotent) producer_sequence(producer, queue, batch);
        batch->attempts++;
        queue->in_flight++;
        size += batch->bytes;
        add_to_flight(producer, flight, batch);
    }
    if (flight == NULL) return false;
    /* Emptied queues leave the list; the others keep their order. */
    int32_t left = 0;
    const struct producer_queue *resume = node->queues[next];
    node->start = 0;
    for (int32_t i = 0; i < count; i++) {
        struct producer_queue *queue = node->queues[i];
        if (queue == resume) node->start = left;
        if (queue->head == NULL) {
            queue->listed = false;
        } else {
            node->queues[left++] = queue;
        }
    }
    node->queue_count = left;
    transmit(producer, number, flight);
    return true;
}

/* When the first of the node's queues may be sent; `now` or earlier = ready. */
static sim_time node_ready_at(const struct producer *producer, const struct producer_node *node,
                              sim_time now)
{
    sim_time at = SIM_TIME_NEVER;
    sim_time linger = MILLISECONDS(producer->config.linger_ms);
    bool all_ready = producer->flushing || producer->blocked_count > 0;
    for (int32_t i = 0; i < node->queue_count; i++) {
        const struct producer_queue *queue = node->queues[i];
        const struct producer_send_batch *head = queue->head;
        if (i + FETCH_BATCH < node->queue_count) prefetch_queue(node->queues[i + FETCH_BATCH]);
        if (i + FETCH_QUEUE < node->queue_count) {
            prefetch_batch(node->queues[i + FETCH_QUEUE]->head);
        }
        if (head == NULL || queue->unresolved || !producer_may_send(producer, queue) ||
            !is_in_order(producer, queue)) {
            continue;
        }
        sim_time ready = head->created_at;
        if (!all_ready && !head->full && queue->count == 1) ready += linger;
        if (head->retry_at > ready) ready = head->retry_at;
        at = earlier(at, ready);
        if (at <= now) return at;
    }
    return at;
}

/* Something is ready for the node: what the partitioner will know of it
 * (RecordAccumulator.updateNodeLatencyStats). */
static void note_latency(const struct producer *producer, int32_t number)
{
    if (producer->config.partitioner_availability_timeout_ms == 0) return;
    struct producer_node *node = &producer->nodes[number];
    bool can_send = network_client_is_ready(producer->client, CHANNEL_DATA(number)) &&
                    node->in_flight < producer->config.max_in_flight_requests_per_connection;
    node->seen_ready_at = sim_now(producer->sim);
    if (can_send || !node->has_latency) node->drained_at = node->seen_ready_at;
    node->has_latency = true;
}

static void serve_node(struct producer *producer, int32_t number)
{
    struct producer_node *node = &producer->nodes[number];
    sim_time now = sim_now(producer->sim);
    int32_t limit = producer->config.max_in_flight_requests_per_connection;
    while (node->queue_count > 0 && node->ready_at <= now) {
        note_latency(producer, number);
        if (node->in_flight >= limit) return; /* a response wakes the sender */
        int32_t channel = CHANNEL_DATA(number);
        if (network_client_is_unavailable(producer->client, channel)) {
            node->ready_at = network_client_backoff_ends_at(producer->client, channel);
            break;
        }
        node->ready_at = node_ready_at(producer, node, now);
        if (node->ready_at > now || !drain(producer, number)) break;
        node->ready_at = node_ready_at(producer, node, now);
    }
    if (node->queue_count > 0 && node->ready_at != SIM_TIME_NEVER) {
        producer_wake(producer, node->ready_at);
    }
}

/* Takes a queued batch out of its queue. */
static void dequeue(struct producer_send_batch *batch)
{
    struct producer_queue *queue = batch->queue;
    struct producer_send_batch **at = &queue->head;
    struct producer_send_batch *before = NULL;
    while (*at != batch) {
        before = *at;
        at = &(*at)->next;
    }
    *at = batch->next;
    if (queue->tail == batch) queue->tail = before;
    producer_count_queued(queue, -1);
    if (queue->count == 0) producer_unlist_queue(queue);
}

void producer_drop_queued(struct producer *producer)
{
    struct producer_send_batch *newer = NULL;
    for (struct producer_send_batch *batch = producer->oldest; batch != NULL; batch = newer) {
        newer = batch->newer;
        if (batch->flight != NULL) continue;
        dequeue(batch);
        producer_identity_on_give_up(producer, batch->queue, batch, KAFKA_INVALID_TXN_STATE);
        producer_finish_batch(producer, batch, -1, KAFKA_INVALID_TXN_STATE);
    }
}

/* delivery.timeout.ms, counted from the creation of a batch: it fails wherever it is. */
static void expire(struct producer *producer)
{
    sim_time now = sim_now(producer->sim);
    sim_time limit = MILLISECONDS(producer->config.delivery_timeout_ms);
    while (producer->oldest != NULL) {
        struct producer_send_batch *batch = producer->oldest;
        if (now - batch->created_at < limit) {
            producer_wake(producer, batch->created_at + limit);
            return;
        }
        struct producer_queue *queue = batch->queue;
        if (batch->flight == NULL) dequeue(batch);
        producer_identity_on_give_up(producer, queue, batch, KAFKA_REQUEST_TIMED_OUT);
        producer_finish_batch(producer, batch, -1, KAFKA_REQUEST_TIMED_OUT);
    }
}

void producer_run_sender(struct producer *producer)
{
    if (producer->oldest != NULL) expire(producer);
    if (producer->blocked_count > 0) producer_unblock(producer);
    producer_identity_run(producer);
    for (int32_t n = 0; n < producer->node_count; n++)
        serve_node(producer, n);
    if (producer->homeless.queue_count > 0) client_metadata_request_update(producer->metadata);
}
