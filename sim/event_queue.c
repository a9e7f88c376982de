#include "sim/event_queue.h"

#include "sim/check.h"
#include "sim/event_wheel.h"

#include <assert.h>

static_assert(sizeof(struct event) == 64, "an event fills one cache line");

#define FIRST_CAPACITY 1024u

void event_queue_init(struct event_queue *queue, struct memory *memory, bool reference)
{
    *queue = (struct event_queue){.memory = memory, .capacity = FIRST_CAPACITY, .used = 1};
    queue->event = memory_take(memory, FIRST_CAPACITY * sizeof *queue->event);
    if (reference) {
        queue->heap = event_heap_new(memory);
    } else {
        queue->wheel = event_wheel_new(memory);
    }
}

void event_queue_grow(struct event_queue *queue)
{
    CHECK(queue->capacity <= UINT32_MAX / 2);
    size_t size = queue->capacity * sizeof *queue->event;
    queue->event = memory_resize(queue->memory, queue->event, size, 2 * size);
    queue->capacity *= 2;
}

void event_queue_cancel(struct event_queue *queue, uint32_t index)
{
    queue->pending--;
    if (queue->wheel != NULL) {
        event_wheel_cancel(queue->wheel, queue, index);
    } else {
        event_heap_remove(queue->heap, queue->event, index);
        event_queue_give(queue, index);
    }
}
