/* model/consumer/offsets.h: offsets to be committed, by partition. Private to the consumer. */
#ifndef MODEL_CONSUMER_OFFSETS_H
#define MODEL_CONSUMER_OFFSETS_H

#include "model/trace_kinds.h"

struct consumer;

typedef void continuation(struct consumer *consumer);

struct commit_entry {
    partition_id partition;
    int64_t offset;
    int32_t epoch; /* leader epoch of the record before it; -1 = unknown */
};

/* What a commit is about; owned by the commit once it is sent. */
struct offsets {
    struct commit_entry *entries;
    int32_t count;
    int32_t capacity;
};

/* Positions of all owned partitions that have one. */
void offsets_of_positions(struct consumer *consumer, struct offsets *offsets);
void offsets_add(struct consumer *consumer, struct offsets *offsets, partition_id partition,
                 int64_t offset, int32_t epoch);
void offsets_give(struct consumer *consumer, struct offsets *offsets);

#endif
