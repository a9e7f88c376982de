#include "sim/event_queue.h"

#include "sim/check.h"
#include "sim/event_heap.h"

#include <assert.h>

static_assert(sizeof(struct event) == 64, "an event fills one cache line");

#define FIRST_CAPACITY 1024u

void event_queue_init(struct event_queue *queue, struct memory *memory, bool reference)
{
    *queue = (struct event_queue){.memory = memory, .capacity = FIRST_CAPACITY, .used = 1};
    queue->event = memory_take(memory, FIRST_CAPACITY * sizeof *queue->event);
    (void)reference;
    queue->heap = event_heap_new(memory);
}

uint32_t event_queue_take(struct event_queue *queue)
{
    uint32_t index = queue->free;
    if (index != 0) {
        queue->free = queue->event[index].next;
    } else {
        if (queue->used == queue->capacity) {
            CHECK(queue->capacity <= UINT32_MAX / 2);
            queue->event =
                memory_resize(queue->memory, queue->event, queue->capacity * sizeof *queue->event,
                              2 * (size_t)queue->capacity * sizeof *queue->event);
            queue->capacity *= 2;
        }
        index = queue->used++;
    }
    queue->event[index].place = EVENT_LOOSE;
    return index;
}

void event_queue_give(struct event_queue *queue, uint32_t index)
{
    struct event *event = &queue->event[index];
    event->place = EVENT_FREE;
    event->generation++;
    event->next = queue->free;
    queue->free = index;
}

void event_queue_insert(struct event_queue *queue, uint32_t index)
{
    if (++queue->pending > queue->pending_max) queue->pending_max = queue->pending;
    event_heap_push(queue->heap, queue->event, index);
}

void event_queue_cancel(struct event_queue *queue, uint32_t index)
{
    queue->pending--;
    event_heap_remove(queue->heap, queue->event, index);
    event_queue_give(queue, index);
}

uint32_t event_queue_move(struct event_queue *queue, uint32_t index, sim_time at, uint64_t tie,
                          uint64_t sequence)
{
    event_heap_remove(queue->heap, queue->event, index);
    queue->event[index].at = at;
    queue->event[index].tie = tie;
    queue->event[index].sequence = sequence;
    event_heap_push(queue->heap, queue->event, index);
    return index;
}

uint32_t event_queue_pop(struct event_queue *queue, sim_time until)
{
    uint32_t index = event_heap_pop(queue->heap, queue->event, until);
    if (index != 0) queue->pending--;
    return index;
}
