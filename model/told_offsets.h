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
};

/* -1 = there is none. False when that was told already. */
bool told_offsets_set(struct told_offsets *told, struct memory *memory, partition_id partition,
                      int64_t offset);

#endif
