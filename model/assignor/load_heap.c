#include "model/assignor/load_heap.h"

#include <stdbool.h>

static bool before(const struct load_heap *heap, int32_t a, int32_t b)
{
    if (heap->load[a] != heap->load[b]) return heap->load[a] < heap->load[b];
    return heap->rank[a] < heap->rank[b];
}

static void put(struct load_heap *heap, int32_t place, int32_t member)
{
    heap->member[place] = member;
    heap->place[member] = place;
}

static void sink(struct load_heap *heap, int32_t place)
{
    const int32_t member = heap->member[place];
    for (;;) {
        int32_t child = 2 * place + 1;
        if (child >= heap->count) break;
        if (child + 1 < heap->count && before(heap, heap->member[child + 1], heap->member[child])) {
            child++;
        }
        if (before(heap, member, heap->member[child])) break;
        put(heap, place, heap->member[child]);
        place = child;
    }
    put(heap, place, member);
}

static void rise(struct load_heap *heap, int32_t place)
{
    const int32_t member = heap->member[place];
    while (place > 0) {
        const int32_t parent = (place - 1) / 2;
        if (before(heap, heap->member[parent], member)) break;
        put(heap, place, heap->member[parent]);
        place = parent;
    }
    put(heap, place, member);
}

void load_heap_fill(struct load_heap *heap, const int32_t *members, int32_t count)
{
    heap->count = count;
    for (int32_t i = 0; i < count; i++)
        put(heap, i, members[i]);
    for (int32_t i = count / 2 - 1; i >= 0; i--)
        sink(heap, i);
}

void load_heap_changed(struct load_heap *heap, int32_t member)
{
    rise(heap, heap->place[member]);
    sink(heap, heap->place[member]);
}
