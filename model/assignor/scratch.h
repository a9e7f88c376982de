/* model/assignor/scratch.h: memory that an assignor gives back before it returns. */
#ifndef MODEL_ASSIGNOR_SCRATCH_H
#define MODEL_ASSIGNOR_SCRATCH_H

#include "sim/memory.h"

#define SCRATCH_BLOCKS 64

struct scratch {
    struct memory *memory;
    struct scratch_block {
        void *block;
        size_t size;
    } blocks[SCRATCH_BLOCKS];
    int count;
};

struct scratch scratch_new(struct memory *memory);
/* Zeroed; never NULL, also for size 0. */
void *scratch_take(struct scratch *scratch, size_t size);
#define SCRATCH_ARRAY(scratch, type, count)                                                        \
    ((type *)scratch_take((scratch), sizeof(type) * (size_t)(count)))
/* Gives everything back. */
void scratch_release(struct scratch *scratch);

#endif
