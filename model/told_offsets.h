/* model/told_offsets.h: which committed offset of each partition onlookers were told last. */
#ifndef MODEL_TOLD_OFFSETS_H
#define MODEL_TOLD_OFFSETS_H

#include "model/trace_kinds.h"
#include "sim/memory.h"

/* Zero-initialise. */
struct told_offsets {
    struct told_offset *items; /* ascending partitions */
    int32_t count;
    int32_t capacity;
    int32_t checked; /* of the roll call */
};

/* -1 = there is none. False when that was told already. */
bool told_offsets_set(struct told_offsets *told, struct memory *memory, partition_id partition,
                      int64_t offset);

/* A roll call: begin, set those that are there, then ask for one after the other of those that were
 * told and are not there; they are set to -1. False when there are no more. */
void told_offsets_begin_roll_call(struct told_offsets *told);
bool told_offsets_next_absent(struct told_offsets *told, partition_id *partition, int64_t *offset);

#endif
