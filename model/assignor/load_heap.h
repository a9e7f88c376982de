/* model/assignor/load_heap.h: members by (load, id), the least first.
 *
 * Kafka keeps all members of the group in one sorted set and looks for the first that subscribes to
 * a topic. Here each topic gets a heap of its own subscribers while its partitions are looked at:
 * nobody else's load changes meanwhile. */
#ifndef MODEL_ASSIGNOR_LOAD_HEAP_H
#define MODEL_ASSIGNOR_LOAD_HEAP_H

#include "model/assignor/scratch.h"

#include <stdint.h>

struct load_heap {
    const int32_t *load; /* by member; the caller changes it and then calls load_heap_changed */
    const int32_t *rank; /* by member: place in id order */
    int32_t *member;     /* the heap, shape [count] */
    int32_t *place;      /* by member: where it stands in the heap */
    int32_t count;
};

/* `member` has room for as many as will ever be in the heap; `place` is shared by heaps that have
 * no member in common. */
void load_heap_fill(struct load_heap *heap, const int32_t *members, int32_t count);
/* The member's load has changed. */
void load_heap_changed(struct load_heap *heap, int32_t member);

static inline int32_t load_heap_least(const struct load_heap *heap)
{
    return heap->member[0];
}

#endif
