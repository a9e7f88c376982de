#include "model/producer_internal.h"

#include "sim/check.h"

#include <string.h>

enum producer_event { PRODUCER_SENDER = 1 };

/* ---- topics and queues ------------------------------------------------------------------- */

static void on_metadata(void *context);

struct producer_topic *producer_topic_of(struct producer *producer, name_id name)
{
    for (int32_t i = 0; i < producer->topic_count; i++) {
        if (producer->topics[i].name == name) return &producer->topics[i];
    }
    if (producer->topic_count == producer->topic_capacity) {
        int32_t grown = producer->topic_capacity == 0 ? 2 : producer->topic_capacity * 2;
        producer->topics =
            memory_resize(producer->memory, producer->topics,
                          (size_t)producer->topic_capacity * sizeof *producer->topics,
                          (size_t)grown * sizeof *producer->topics);
        producer->topic_capacity = grown;
    }
    struct producer_topic *topic = &producer->topics[producer->topic_count++];
    *topic = (struct producer_topic){.name = name,
                                     .index = cluster_topic_find(producer->options.cluster, name),
                                     .sticky_partition = -1};
    client_metadata_add_topic(producer->metadata, name);
    return topic;
}

static struct producer_topic *topic_by_index(struct producer *producer, int32_t index)
{
    for (int32_t i = 0; i < producer->topic_count; i++) {
        if (producer->topics[i].index == index) return &producer->topics[i];
    }
    return producer_topic_of(producer, cluster_topic_name(producer->options.cluster, index));
}

/* A stale load is told of nothing: it is made anew before it is used. */
static struct producer_queue
unused_queue(struct producer *producer, const struct producer_topic *topic, partition_id partition)
{
    return (struct producer_queue){.producer = producer,
                                   .load = topic->load_version == 0 ? NULL : topic->load,
                                   .partition = partition,
                                   .node = -1,
                                   .acked_sequence = -1,
                                   .epoch = -1};
}

struct producer_queue *producer_queue_of(struct producer *producer, partition_id partition)
{
    struct producer_topic *topic = topic_by_index(producer, PARTITION_TOPIC(partition));
    int32_t number = PARTITION_NUMBER(partition);
    if (number >= topic->queue_count) {
        int32_t grown = topic->queue_count == 0 ? 16 : topic->queue_count;
        while (grown <= number)
            grown *= 2;
        topic->queues =
            (struct producer_queue **)memory_resize(producer->memory, topic->queues,
                                                    (size_t)topic->queue_count * sizeof(void *),
                                                    (size_t)grown * sizeof(void *));
        topic->queue_count = grown;
    }
    struct producer_queue *queue = topic->queues[number];
    if (queue == NULL) {
        queue = memory_keep(producer->memory, sizeof *queue);
        *queue = unused_queue(producer, topic, partition);
        topic->queues[number] = queue;
    }
    if (!queue->used) {
        queue->used = true;
        topic->used_count++;
    }
    return queue;
}

int32_t producer_partition_count(struct producer *producer, name_id name)
{
    producer_topic_of(producer, name);
    const struct client_topic *topic = client_metadata_topic(producer->metadata, name);
    if (topic != NULL && topic->partition_count > 0) return topic->partition_count;
    client_metadata_request_update(producer->metadata); /* KafkaProducer.waitOnMetadata */
    return 0;
}

/* ---- the nodes' lists -------------------------------------------------------------------- */

static struct producer_node *node_of(struct producer *producer, int32_t node)
{
    return node < 0 ? &producer->homeless : &producer->nodes[node];
}

void producer_list_queue(struct producer_queue *queue)
{
    struct producer *producer = queue->producer;
    if (queue->listed) return;
    queue->node = client_metadata_partition(producer->metadata, queue->partition).leader;
    if (queue->node >= producer->node_count) queue->node = -1;
    struct producer_node *node = node_of(producer, queue->node);
    if (node->queue_count == node->queue_capacity) {
        int32_t grown = node->queue_capacity == 0 ? 8 : node->queue_capacity * 2;
        node->queues =
            (struct producer_queue **)memory_resize(producer->memory, node->queues,
                                                    (size_t)node->queue_capacity * sizeof(void *),
                                                    (size_t)grown * sizeof(void *));
        node->queue_capacity = grown;
    }
    node->queues[node->queue_count++] = queue;
    queue->listed = true;
}

void producer_unlist_queue(struct producer_queue *queue)
{
    if (!queue->listed) return;
    struct producer_node *node = node_of(queue->producer, queue->node);
    for (int32_t i = 0; i < node->queue_count; i++) {
        if (node->queues[i] != queue) continue;
        memmove(node->queues + i, node->queues + i + 1,
                (size_t)(node->queue_count - i - 1) * sizeof(void *));
        node->queue_count--;
        break;
    }
    queue->listed = false;
}

void producer_wake(struct producer *producer, sim_time at)
{
    sim_time now = sim_now(producer->sim);
    if (at < now) at = now;
    if (sim_timer_is_set(&producer->sender) && sim_timer_at(&producer->sender) <= at) return;
    sim_timer_set(producer->sim, &producer->sender, at);
}

/* Leaders may have moved: every queue with records finds its place anew. */
void producer_requeue_all(struct producer *producer)
{
    producer->homeless.queue_count = 0;
    for (int32_t n = 0; n < producer->node_count; n++)
        producer->nodes[n].queue_count = 0;
    for (int32_t t = 0; t < producer->topic_count; t++) {
        for (int32_t q = 0; q < producer->topics[t].queue_count; q++) {
            struct producer_queue *queue = producer->topics[t].queues[q];
            if (queue == NULL) continue;
            queue->listed = false;
            if (queue->count > 0) producer_list_queue(queue);
        }
    }
    for (int32_t n = 0; n < producer->node_count; n++) {
        producer->nodes[n].ready_at = sim_now(producer->sim);
    }
    producer_wake(producer, sim_now(producer->sim));
}

static void on_metadata(void *context)
{
    struct producer *producer = context;
    for (int32_t t = 0; t < producer->topic_count; t++) {
        struct producer_topic *topic = &producer->topics[t];
        const struct client_topic *known = client_metadata_topic(producer->metadata, topic->name);
        bool is_gone =
            known->partition_count > 0 && topic->sticky_partition >= known->partition_count;
        if (is_gone) topic->sticky_partition = -1;
    }
    producer_requeue_all(producer);
    if (producer->options.on_progress != NULL)
        producer->options.on_progress(producer->options.self);
}

/* ---- batches ----------------------------------------------------------------------------- */

static struct producer_send_batch *new_batch(struct producer_queue *queue)
{
    struct producer *producer = queue->producer;
    struct producer_send_batch *batch = memory_take(producer->memory, sizeof *batch);
    batch->queue = queue;
    batch->base_sequence = -1;
    batch->created_at = sim_now(producer->sim);
    batch->topic_id = client_metadata_topic_id(producer->metadata, queue->partition);
    batch->older = producer->newest;
    if (producer->newest != NULL) producer->newest->newer = batch;
    producer->newest = batch;
    if (producer->oldest == NULL) {
        producer->oldest = batch;
        producer_wake(producer,
                      batch->created_at + MILLISECONDS(producer->config.delivery_timeout_ms));
    }
    if (queue->tail != NULL) {
        queue->tail->next = batch;
    } else {
        queue->head = batch;
    }
    queue->tail = batch;
    producer_count_queued(queue, 1);
    return batch;
}

static void fill(struct producer_send_batch *batch, const struct producer_records *records)
{
    if (batch->count == 0 || records->first_at < batch->first_at) {
        batch->first_at = records->first_at;
    }
    if (batch->count == 0 || records->last_at > batch->last_at) batch->last_at = records->last_at;
    batch->count += records->count;
    batch->bytes += records->bytes;
    batch->tag = records->tag;
}

/* When the sender is to look at the queue: at once if its first batch may leave. */
static sim_time ready_at(const struct producer *producer, const struct producer_queue *queue)
{
    const struct producer_send_batch *head = queue->head;
    sim_time linger = MILLISECONDS(producer->config.linger_ms);
    sim_time at = head->created_at + linger;
    if (head->full || queue->count > 1 || producer->flushing || producer->blocked_count > 0) {
        at = head->created_at;
    }
    return head->retry_at > at ? head->retry_at : at;
}

/* The usual case: the last batch takes them all. */
static bool fits_into(const struct producer_send_batch *batch,
                      const struct producer_records *records, int64_t limit)
{
    return batch != NULL && !batch->full && batch->attempts == 0 && batch->tag == records->tag &&
           batch->bytes + records->bytes < limit;
}

/* Into the last batch as far as there is room, and new ones. */
static void spread(struct producer_queue *queue, struct producer_records rest, int64_t limit)
{
    while (rest.count > 0) {
        struct producer_send_batch *batch = queue->tail;
        if (batch == NULL || batch->full || batch->attempts > 0 || batch->tag != rest.tag) {
            if (batch != NULL) batch->full = true;
            batch = new_batch(queue);
            batch->number = rest.number;
        }
        int64_t room = limit - batch->bytes;
        int64_t fits = rest.count;
        if (rest.bytes > room) fits = room * rest.count / rest.bytes;
        if (fits == 0 && batch->count > 0) {
            batch->full = true; /* the next record begins another one */
            continue;
        }
        struct producer_records part = producer_split(&rest, fits > 0 ? (int32_t)fits : 1);
        fill(batch, &part);
        if (batch->bytes >= limit) batch->full = true;
    }
}

void producer_accumulate(struct producer *producer, partition_id partition,
                         const struct producer_records *records)
{
    struct producer_queue *queue = producer_queue_of(producer, partition);
    int64_t limit = producer->config.batch_size > 0 ? producer->config.batch_size : 1;
    if (fits_into(queue->tail, records, limit)) {
        fill(queue->tail, records);
    } else {
        spread(queue, *records, limit);
    }
    producer->buffered_bytes += records->bytes;
    if (!queue->listed) producer_list_queue(queue);
    struct producer_node *node = node_of(producer, queue->node);
    sim_time at = ready_at(producer, queue);
    if (at < node->ready_at || node->queue_count == 1) node->ready_at = at;
    if (queue->node < 0) {
        client_metadata_request_update(producer->metadata);
    } else {
        producer_wake(producer, node->ready_at);
    }
}

void producer_finish_batch(struct producer *producer, struct producer_send_batch *batch,
                           int64_t base_offset, enum kafka_error error)
{
    struct producer_queue *queue = batch->queue;
    if (batch->older != NULL) {
        batch->older->newer = batch->newer;
    } else {
        producer->oldest = batch->newer;
    }
    if (batch->newer != NULL) {
        batch->newer->older = batch->older;
    } else {
        producer->newest = batch->older;
    }
    if (batch->flight != NULL) {
        batch->flight->batches[batch->flight_index] = NULL;
        queue->in_flight--;
    }
    producer->buffered_bytes -= batch->bytes;
    producer->pending_records -= batch->count;
    TRACE(producer->sim, TRACE_PRODUCE_DONE, producer->options.name,
          PARTITION_IN(batch->topic_id, queue->partition), base_offset, batch->count, error,
          batch->attempts, batch->first_at, batch->last_at);
    if (error != KAFKA_NONE) producer_tell_failed_batch(producer, batch, error);
    const struct producer_outcome outcome = {queue->partition, batch->count,
                                             base_offset,      error,
                                             batch->tag,       batch->bytes,
                                             batch->first_at,  batch->last_at,
                                             batch->number};
    memory_give(producer->memory, batch, sizeof *batch);
    producer_identity_on_batch_done(producer, queue);
    if (producer->options.on_done != NULL) {
        producer->options.on_done(producer->options.self, &outcome);
    }
    if (producer->blocked_count > 0) producer_wake(producer, sim_now(producer->sim));
    if (producer->flushing && producer->pending_records == 0) producer->flushing = false;
}

/* ---- the application's calls ------------------------------------------------------------- */

/* KafkaProducer.waitOnMetadata: a topic of which brokers say that it does not exist is waited for,
 * and one of which they have not spoken yet if that is what they will say. */
bool producer_lacks_topic(const struct producer *producer, name_id name)
{
    const struct client_topic *topic = client_metadata_topic(producer->metadata, name);
    if (topic->is_missing || topic->partition_count > 0) return topic->is_missing;
    const struct cluster *cluster = producer->options.cluster;
    return cluster_partition_count(cluster, cluster_topic_find(cluster, name)) == 0;
}

static bool has_room(struct producer *producer, const struct producer_records *records,
                     const struct producer_topic *topic)
{
    CHECK(records->count > 0 && records->bytes >= 0);
    producer->pending_records += records->count;
    return producer->blocked_count == 0 &&
           producer->buffered_bytes < producer->config.buffer_memory &&
           !producer_lacks_topic(producer, topic->name);
}

void producer_send(struct producer *producer, partition_id partition,
                   const struct producer_records *records)
{
    const struct producer_topic *topic = topic_by_index(producer, PARTITION_TOPIC(partition));
    if (has_room(producer, records, topic)) {
        producer_accumulate(producer, partition, records);
        return;
    }
    const struct producer_blocked what = {.partition = partition,
                                          .topic = topic->name,
                                          .records = *records,
                                          .since = sim_now(producer->sim)};
    producer_block(producer, &what);
}

void producer_expect(struct producer *producer, partition_id far, partition_id near)
{
    const struct producer_topic *topic = topic_by_index(producer, PARTITION_TOPIC(far));
    int32_t number = PARTITION_NUMBER(far);
    if (number < topic->queue_count) prefetch_line(topic->queues[number]);
    number = PARTITION_NUMBER(near);
    if (number >= topic->queue_count || topic->queues[number] == NULL) return;
    prefetch_lines(topic->queues[number]->tail, 2);
}

void producer_send_sticky(struct producer *producer, name_id topic,
                          const struct producer_records *records)
{
    const struct producer_topic *known = producer_topic_of(producer, topic);
    if (has_room(producer, records, known)) {
        producer_accumulate_sticky(producer, topic, records);
        return;
    }
    const struct producer_blocked what = {.partition =
                                              PARTITION_ID(known->index, PARTITION_NUMBER_UNKNOWN),
                                          .sticky = true,
                                          .topic = topic,
                                          .records = *records,
                                          .since = sim_now(producer->sim)};
    producer_block(producer, &what);
}

void producer_flush(struct producer *producer)
{
    if (producer->pending_records == 0) return;
    producer->flushing = true;
    for (int32_t n = 0; n < producer->node_count; n++) {
        producer->nodes[n].ready_at = sim_now(producer->sim);
    }
    producer_wake(producer, sim_now(producer->sim));
}

bool producer_is_flushed(const struct producer *producer)
{
    return producer->pending_records == 0;
}

int64_t producer_pending(const struct producer *producer)
{
    return producer->pending_records;
}

/* ---- life -------------------------------------------------------------------------------- */

static void producer_handler(struct sim *sim, void *self, const struct sim_event *event)
{
    struct producer *producer = self;
    (void)sim;
    CHECK(event->kind == PRODUCER_SENDER);
    producer_run_sender(producer);
}

struct producer *producer_new(const struct producer_options *options)
{
    struct sim *sim = options->sim;
    struct memory *memory = sim_memory(sim);
    struct producer *producer = memory_keep(memory, sizeof *producer);
    *producer = (struct producer){.options = *options,
                                  .config = *options->config,
                                  .sim = sim,
                                  .memory = memory,
                                  .flight_free = UINT32_MAX,
                                  .producer_id = -1,
                                  .epoch = -1};
    const struct producer_config *config = options->config;
    producer->entity =
        sim_add_entity(sim, options->name, options->process, producer_handler, producer);
    sim_timer_init(&producer->sender, producer->entity, PRODUCER_SENDER, 0);
    producer->backoff = (struct backoff){config->retry_backoff_ms, config->retry_backoff_max_ms,
                                         sim_rng_key(sim, options->name, RNG_BACKOFF)};
    producer->partitioner_key = sim_rng_key(sim, options->name, RNG_PARTITIONER);
    producer->node_count = cluster_broker_count(options->cluster);
    producer->nodes = memory_keep(memory, (size_t)producer->node_count * sizeof *producer->nodes);
    const struct network_client_options network = {
        .sim = sim,
        .network = options->network,
        .process = options->process,
        .name = options->name,
        .cluster = options->cluster,
        .reconnect_backoff_ms = config->reconnect_backoff_ms,
        .reconnect_backoff_max_ms = config->reconnect_backoff_max_ms,
        .connection_setup_timeout_ms = 10000, /* socket.connection.setup.timeout.ms */
        .connection_setup_timeout_max_ms = 30000,
        .always_polling = true,
        .context = producer,
    };
    producer->client = network_client_new(&network);
    const struct client_metadata_options metadata = {
        .sim = sim,
        .network = producer->client,
        .name = options->name,
        .metadata_max_age_ms = config->metadata_max_age_ms,
        .retry_backoff_ms = config->retry_backoff_ms,
        .retry_backoff_max_ms = config->retry_backoff_max_ms,
        .request_timeout_ms = config->request_timeout_ms,
        .on_update = on_metadata,
        .context = producer,
    };
    producer->metadata = client_metadata_new(&metadata);
    producer_identity_init(producer);
    return producer;
}

void producer_reset(struct producer *producer)
{
    while (producer->oldest != NULL) {
        struct producer_send_batch *batch = producer->oldest;
        producer->oldest = batch->newer;
        memory_give(producer->memory, batch, sizeof *batch);
    }
    producer->newest = NULL;
    producer->homeless.queue_count = 0;
    for (int32_t n = 0; n < producer->node_count; n++) {
        producer->nodes[n].queue_count = 0;
        producer->nodes[n].in_flight = 0;
        producer->nodes[n].has_latency = false;
    }
    for (int32_t t = 0; t < producer->topic_count; t++) {
        struct producer_topic *topic = &producer->topics[t];
        topic->used_count = 0;
        topic->load_version = 0;
        topic->sticky_partition = -1;
        topic->sticky_bytes = 0;
        for (int32_t q = 0; q < topic->queue_count; q++) {
            struct producer_queue *queue = topic->queues[q];
            if (queue == NULL) continue;
            *queue = unused_queue(producer, topic, queue->partition);
        }
    }
    producer->flight_free = UINT32_MAX;
    for (uint32_t i = 0; i < producer->flight_count; i++) {
        producer->flights[i]->count = 0;
        producer->flights[i]->next_free = producer->flight_free;
        producer->flight_free = i;
    }
    producer->buffered_bytes = 0;
    producer->pending_records = 0;
    producer->flushing = false;
    producer->blocked_first = 0;
    producer->blocked_count = 0;
    sim_timer_cancel(producer->sim, &producer->sender);
    network_client_reset(producer->client);
    client_metadata_reset(producer->metadata);
    producer_identity_reset(producer);
}
