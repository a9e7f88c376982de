#include "sim/event_heap.h"

#include "sim/check.h"

#define ARITY 4u

struct event_heap {
    struct memory *memory;
    uint32_t *index; /* shape [capacity]; record index[i] has `prev` i */
    uint32_t count;
    uint32_t capacity;
};

struct event_heap *event_heap_new(struct memory *memory)
{
    struct event_heap *heap = memory_keep(memory, sizeof *heap);
    heap->memory = memory;
    return heap;
}

static void put(struct event_heap *heap, struct event *events, uint32_t position, uint32_t index)
{
    heap->index[position] = index;
    events[index].prev = position;
}

static void sift_up(struct event_heap *heap, struct event *events, uint32_t position,
                    uint32_t index)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / ARITY;
        if (!event_before(&events[index], &events[heap->index[parent]])) break;
        put(heap, events, position, heap->index[parent]);
        position = parent;
    }
    put(heap, events, position, index);
}

static void sift_down(struct event_heap *heap, struct event *events, uint32_t position,
                      uint32_t index)
{
    for (;;) {
        uint32_t first = position * ARITY + 1;
        if (first >= heap->count) break;
        uint32_t end = first + ARITY < heap->count ? first + ARITY : heap->count;
        uint32_t least = first;
        for (uint32_t child = first + 1; child < end; child++) {
            if (event_before(&events[heap->index[child]], &events[heap->index[least]])) {
                least = child;
            }
        }
        if (!event_before(&events[heap->index[least]], &events[index])) break;
        put(heap, events, position, heap->index[least]);
        position = least;
    }
    put(heap, events, position, index);
}

void event_heap_push(struct event_heap *heap, struct event *events, uint32_t index)
{
    if (heap->count == heap->capacity) {
        uint32_t capacity = heap->capacity == 0 ? 64 : heap->capacity * 2;
        heap->index = memory_resize(heap->memory, heap->index, heap->capacity * sizeof *heap->index,
                                    capacity * sizeof *heap->index);
        heap->capacity = capacity;
    }
    sift_up(heap, events, heap->count++, index);
}

void event_heap_remove(struct event_heap *heap, struct event *events, uint32_t index)
{
    uint32_t position = events[index].prev;
    CHECK(position < heap->count && heap->index[position] == index);
    uint32_t last = heap->index[--heap->count];
    if (last == index) return;
    if (position > 0 && event_before(&events[last], &events[heap->index[(position - 1) / ARITY]])) {
        sift_up(heap, events, position, last);
    } else {
        sift_down(heap, events, position, last);
    }
}

uint32_t event_heap_pop(struct event_heap *heap, struct event *events, sim_time until)
{
    if (heap->count == 0) return 0;
    uint32_t index = heap->index[0];
    if (events[index].at > until) return 0;
    event_heap_remove(heap, events, index);
    return index;
}
