#include "sim/event_queue.h"

#include "sim/check.h"
#include "sim/event_heap.h"
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

static void insert(struct event_queue *queue, uint32_t index)
{
    if (queue->wheel != NULL) {
        event_wheel_insert(queue->wheel, queue->event, index);
    } else {
        event_heap_push(queue->heap, queue->event, index);
    }
}

void event_queue_insert(struct event_queue *queue, uint32_t index)
{
    if (++queue->pending > queue->pending_max) queue->pending_max = queue->pending;
    insert(queue, index);
}

/* True when the record is loose now, false when it stays behind and is not the caller's any more.
 */
static bool withdraw(struct event_queue *queue, uint32_t index)
{
    if (queue->wheel != NULL) return event_wheel_remove(queue->wheel, queue, index);
    event_heap_remove(queue->heap, queue->event, index);
    return true;
}

void event_queue_cancel(struct event_queue *queue, uint32_t index)
{
    queue->pending--;
    if (withdraw(queue, index)) event_queue_give(queue, index);
}

uint32_t event_queue_move(struct event_queue *queue, uint32_t index, sim_time at, uint64_t tie,
                          uint64_t sequence)
{
    struct event *event = &queue->event[index];
    /* Soft re-arm: a slot keeps no order, so an event that moves to a later instant may stay until
     * its slot is emptied, and finds its new place then. Session timers move with every heartbeat.
     */
    bool stays = queue->wheel != NULL && event->place < EVENT_FREE && at >= event->at;
    if (!stays && !withdraw(queue, index)) {
        uint32_t fresh = event_queue_take(queue);
        event = &queue->event[fresh];
        uint32_t generation = event->generation;
        *event = queue->event[index];
        event->generation = generation;
        event->place = EVENT_LOOSE;
        index = fresh;
    }
    event->at = at;
    event->tie = tie;
    event->sequence = sequence;
    if (!stays) insert(queue, index);
    return index;
}

uint32_t event_queue_pop(struct event_queue *queue, sim_time until)
{
    uint32_t index = queue->wheel != NULL ? event_wheel_pop(queue->wheel, queue, until)
                                          : event_heap_pop(queue->heap, queue->event, until);
    if (index != 0) queue->pending--;
    return index;
}
