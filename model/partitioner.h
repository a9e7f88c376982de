/* model/partitioner.h: which partition a producer chooses.
 *
 * By key (murmur2), adaptively without key (KIP-794), or round-robin. Pure functions: the random
 * number, the counter and the load come from the caller. */
#ifndef MODEL_PARTITIONER_H
#define MODEL_PARTITIONER_H

#include <stddef.h>
#include <stdint.h>

/* 32-bit MurmurHash2 with Kafka's seed (Utils.murmur2): little-endian words, unsigned bytes. */
int32_t murmur2(const uint8_t *data, size_t length);
/* BuiltInPartitioner.partitionForKey. partition_count > 0. */
int32_t partition_for_key(const uint8_t *key, size_t length, int32_t partition_count);

/* What the producer knows about a topic when it must choose its next sticky partition. */
struct partition_choice {
    int32_t partition_count;
    const int32_t *available; /* those with a leader, shape [available_count] */
    int32_t available_count;
    /* Batches waiting, of the partitions that have a leader and are not excluded for being slow
     * (partitioner.availability.timeout.ms). queue_sizes NULL = no statistics yet, or
     * partitioner.adaptive.partitioning.enable=false. Shape [queue_count]. */
    const int32_t *queue_sizes;
    const int32_t *queue_partitions;
    int32_t queue_count;
};

/* BuiltInPartitioner.nextPartition: shorter queues are chosen more often. `random` is any number;
 * its lower 31 bits are used. */
int32_t partition_adaptive(const struct partition_choice *choice, uint32_t random);

/* RoundRobinPartitioner: `counter` counts the calls for this topic from 0. */
int32_t partition_round_robin(int32_t partition_count, const int32_t *available,
                              int32_t available_count, uint32_t counter);

#endif
