#include "model/producer_internal.h"

#include "model/partitioner.h"

/* BuiltInPartitioner (KIP-794): a topic's records without keys all go to one partition until it has
 * had batch.size bytes, then to another, chosen by how little waits there.
 *
 * Kafka's sender counts what waits in each of its passes (RecordAccumulator.partitionReady). It
 * passes whenever a batch is begun or full, and once more right after it has sent something, so its
 * numbers are at most one pass old; here they are those of the moment. */

struct producer_records producer_split(struct producer_records *records, int32_t count)
{
    struct producer_records first = *records;
    if (count >= records->count) {
        records->count = 0;
        return first;
    }
    sim_time span = records->last_at - records->first_at;
    sim_time step = records->count > 1 ? span / (records->count - 1) : 0;
    first.count = count;
    first.bytes = records->bytes * count / records->count;
    first.last_at = records->first_at + step * (count - 1);
    records->first_at += step * count;
    records->number += count;
    records->count -= count;
    records->bytes -= first.bytes;
    return first;
}

/* NULL when the partition never had a batch. */
static struct producer_queue *queue_at(const struct producer_topic *topic, int32_t partition)
{
    return partition < topic->queue_count ? topic->queues[partition] : NULL;
}

/* Queues and leaders as they are, after something else than a queue changed. */
static void refresh_load(struct producer *producer, struct producer_topic *topic,
                         const struct client_topic *known)
{
    uint64_t version = client_metadata_version(producer->metadata);
    if (topic->load != NULL && topic->load_version == version) return;
    if (topic->load == NULL) {
        topic->load = memory_keep(producer->memory, sizeof *topic->load);
        partition_load_init(topic->load, producer->memory);
    }
    topic->load_version = version;
    size_t count = (size_t)known->partition_count;
    bool *has_leader = memory_take(producer->memory, count * sizeof *has_leader);
    int32_t *lengths = memory_take(producer->memory, count * sizeof *lengths);
    for (int32_t p = 0; p < known->partition_count; p++) {
        has_leader[p] = known->partitions[p].leader >= 0;
        struct producer_queue *queue = queue_at(topic, p);
        if (queue == NULL) continue;
        lengths[p] = queue->count;
        queue->load = topic->load;
    }
    partition_load_set(topic->load, known->partition_count, has_leader, lengths);
    memory_give(producer->memory, has_leader, count * sizeof *has_leader);
    memory_give(producer->memory, lengths, count * sizeof *lengths);
}

/* It has had something to send to this broker for longer than it would wait. */
static bool is_late(const struct producer *producer, int32_t node)
{
    const struct producer_node *late = &producer->nodes[node];
    sim_time limit = MILLISECONDS(producer->config.partitioner_availability_timeout_ms);
    return limit > 0 && late->has_latency && late->seen_ready_at - late->drained_at > limit;
}

static bool any_is_late(const struct producer *producer)
{
    for (int32_t n = 0; n < producer->node_count; n++) {
        if (is_late(producer, n)) return true;
    }
    return false;
}

/* partitioner.availability.timeout.ms: partitions where something waits for a late broker are left
 * out. As in Kafka's code, the length of such a queue stays where it was written, and counts for
 * the next partition if nothing waits there. */
static int32_t choose_without_late(struct producer *producer, const struct producer_topic *topic,
                                   const struct client_topic *known, uint32_t random)
{
    const struct partition_load *load = topic->load;
    size_t bytes = ((size_t)load->available_count + 1) * sizeof(int32_t);
    int32_t *partitions = memory_take(producer->memory, bytes);
    int32_t *lengths = memory_take(producer->memory, bytes);
    int32_t count = 0;
    for (int32_t i = 0; i < load->available_count; i++) {
        int32_t partition = load->available[i];
        const struct producer_queue *queue = queue_at(topic, partition);
        /* Those that were used may have been others, of a larger topic of that name. */
        if (queue == NULL) continue;
        partitions[count] = partition;
        if (queue->count > 0) lengths[count] = queue->count;
        if (queue->count > 0 && is_late(producer, known->partitions[partition].leader)) continue;
        count++;
    }
    const struct partition_choice choice = {.partition_count = known->partition_count,
                                            .available = load->available,
                                            .available_count = load->available_count,
                                            .queue_sizes = lengths,
                                            .queue_partitions = partitions,
                                            .queue_count = count};
    int32_t chosen = partition_adaptive(&choice, random);
    memory_give(producer->memory, partitions, bytes);
    memory_give(producer->memory, lengths, bytes);
    return chosen;
}

static int32_t choose(struct producer *producer, struct producer_topic *topic)
{
    const struct client_topic *known = client_metadata_topic(producer->metadata, topic->name);
    uint32_t random = (uint32_t)rng_u64(&producer->partitioner_key,
                                        rng_index((uint64_t)topic->index, topic->sticky_draws++));
    if (known == NULL || known->partition_count == 0) {
        /* Kafka's send() waits for metadata; the cluster's own count is what it will learn. */
        int32_t count = cluster_partition_count(producer->options.cluster, topic->index);
        return (int32_t)((random & 0x7fffffff) % (uint32_t)count);
    }
    refresh_load(producer, topic, known);
    /* As long as some partition never had a batch, its queue is not among those counted. */
    bool adaptive = producer->config.partitioner_adaptive_partitioning_enable &&
                    topic->used_count >= known->partition_count;
    if (adaptive && any_is_late(producer)) {
        return choose_without_late(producer, topic, known, random);
    }
    return partition_load_choose(topic->load, random, adaptive);
}

/* After an append: the partition changes when it has had batch.size bytes and no half-filled batch
 * stays behind, or twice as much in any case. */
static void maybe_switch(struct producer *producer, struct producer_topic *topic)
{
    int64_t limit = producer->config.batch_size;
    if (topic->sticky_bytes < limit) return;
    const struct producer_queue *queue = topic->queues[topic->sticky_partition];
    bool partial = queue->tail != NULL && !queue->tail->full;
    if (partial && topic->sticky_bytes < 2 * limit) return;
    topic->sticky_partition = -1;
    topic->sticky_bytes = 0;
}

void producer_accumulate_sticky(struct producer *producer, name_id name,
                                const struct producer_records *records)
{
    struct producer_topic *topic = producer_topic_of(producer, name);
    struct producer_records rest = *records;
    int64_t limit = producer->config.batch_size > 0 ? producer->config.batch_size : 1;
    while (rest.count > 0) {
        if (topic->sticky_partition < 0) topic->sticky_partition = choose(producer, topic);
        partition_id partition = PARTITION_ID(topic->index, topic->sticky_partition);
        /* As many as fill what is left of the byte count, so that each step is one decision. */
        int64_t room = topic->sticky_bytes < limit ? limit - topic->sticky_bytes
                                                   : 2 * limit - topic->sticky_bytes;
        int64_t fits = rest.count;
        if (rest.bytes > room) fits = (room * rest.count + rest.bytes - 1) / rest.bytes;
        if (fits < 1) fits = 1;
        struct producer_records part = producer_split(&rest, (int32_t)fits);
        producer_accumulate(producer, partition, &part);
        topic->sticky_bytes += part.bytes;
        maybe_switch(producer, topic);
    }
}
