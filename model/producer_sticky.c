#include "model/producer_internal.h"

#include "model/partitioner.h"

/* BuiltInPartitioner (KIP-794): a topic's records without keys all go to one partition until it has
 * had batch.size bytes, then to another, chosen by how little waits there. */

/* Partitions with a leader, and how many batches wait in each; true if the lengths say anything. */
static bool queue_lengths(struct producer *producer, const struct producer_topic *topic,
                          const struct client_topic *known, struct partition_choice *choice,
                          int32_t *available, int32_t *sizes)
{
    bool differ = false;
    bool all_used = true;
    choice->available = available;
    for (int32_t p = 0; p < known->partition_count; p++) {
        if (known->partitions[p].leader < 0) continue;
        const struct producer_queue *queue = p < topic->queue_count ? topic->queues[p] : NULL;
        if (queue == NULL) all_used = false;
        sizes[choice->available_count] = queue == NULL ? 0 : queue->count;
        if (choice->available_count > 0 && sizes[choice->available_count] != sizes[0]) {
            differ = true;
        }
        available[choice->available_count++] = p;
    }
    return producer->config.partitioner_adaptive_partitioning_enable && all_used && differ &&
           choice->available_count > 1;
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
    size_t bytes = (size_t)known->partition_count * sizeof(int32_t);
    int32_t *available = memory_take(producer->memory, bytes);
    int32_t *sizes = memory_take(producer->memory, bytes);
    struct partition_choice choice = {.partition_count = known->partition_count};
    if (queue_lengths(producer, topic, known, &choice, available, sizes)) {
        choice.queue_sizes = sizes;
        choice.queue_partitions = available;
        choice.queue_count = choice.available_count;
    }
    int32_t chosen = partition_adaptive(&choice, random);
    memory_give(producer->memory, available, bytes);
    memory_give(producer->memory, sizes, bytes);
    return chosen;
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
