#include "model/assignor/scratch.h"

#include "sim/check.h"

struct scratch scratch_new(struct memory *memory)
{
    return (struct scratch){.memory = memory};
}

void *scratch_take(struct scratch *scratch, size_t size)
{
    CHECK(scratch->count < SCRATCH_BLOCKS);
    void *block = memory_take(scratch->memory, size);
    scratch->blocks[scratch->count++] = (struct scratch_block){.block = block, .size = size};
    return block;
}

void scratch_release(struct scratch *scratch)
{
    while (scratch->count > 0) {
        const struct scratch_block *last = &scratch->blocks[--scratch->count];
        memory_give(scratch->memory, last->block, last->size);
    }
}
