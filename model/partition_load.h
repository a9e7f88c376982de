/* model/partition_load.h: how many batches wait in each partition of a topic, for choosing the next
 * one without a key.
 *
 * The choice is that of partition_adaptive over the same numbers. Kafka sums up all queues in each
 * pass of the sender (RecordAccumulator.partitionReady) and searches the sums
 * (BuiltInPartitioner.nextPartition); here the sums are kept as a tree, so that a batch more or
 * less, and a choice, cost the logarithm of the partitions. */
#ifndef MODEL_PARTITION_LOAD_H
#define MODEL_PARTITION_LOAD_H

#include "sim/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct partition_load {
    struct memory *memory;
    int32_t partition_count;
    int32_t available_count;
    int32_t *available; /* partitions with a leader, ascending */
    int32_t *place_of;  /* by partition: place in `available`; -1 = no leader */
    int32_t *sums;      /* of queue lengths by place, a binary indexed tree: shape [count + 1] */
    int32_t *having;    /* by length: how many available partitions have such a queue */
    int32_t length_capacity;
    int32_t longest;
};

/* An empty one, of no partitions. */
void partition_load_init(struct partition_load *load, struct memory *memory);
/* Begins anew: partitions 0 to partition_count - 1, those with has_leader[p] with queue_lengths[p]
 * batches. */
void partition_load_set(struct partition_load *load, int32_t partition_count,
                        const bool *has_leader, const int32_t *queue_lengths);
/* A queue that had `from` batches has `to`. Partitions beyond the count are passed over. */
void partition_load_change(struct partition_load *load, int32_t partition, int32_t from,
                           int32_t to);
/* As partition_adaptive; adaptive = false: without regard to the queues. */
int32_t partition_load_choose(const struct partition_load *load, uint32_t random, bool adaptive);

#endif
