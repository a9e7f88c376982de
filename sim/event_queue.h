/* sim/event_queue.h: the future, in order. Private to the engine.
 *
 * Events leave in the total order (at, tie, sequence). Two queues stand behind this interface: the
 * timing wheel, which runs are made with, and a plain 4-ary heap, which tests compare it with.
 *
 * A record fills one cache line and is named by a 32-bit index; 0 is none. Records are recycled
 * last in, first out, so a busy engine works in warm lines. */
#ifndef SIM_EVENT_QUEUE_H
#define SIM_EVENT_QUEUE_H

#include "sim/memory.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stdint.h>

enum event_flag {
    EVENT_TIMER = 1,        /* `pointer` is the struct sim_timer */
    EVENT_RUNNING_TIME = 2, /* of the timer */
    EVENT_CANCELLED = 4,    /* somewhere in the wheel; to be skipped and given back */
    EVENT_HELD = 8,         /* waits in a frozen process, in no queue */
};

struct event {
    sim_time at;
    uint64_t tie;      /* phase, destination and source, packed by sim.c */
    uint64_t sequence; /* at the source, and below it the destination's epoch */
    uint64_t number;
    void *pointer;
    uint32_t to;
    uint32_t from;
    uint32_t next;       /* list of the frozen process, or of free records */
    uint32_t prev;       /* list of the frozen process; in the reference heap, the position */
    uint32_t generation; /* rises when it is given back */
    uint16_t kind;
    uint16_t flags; /* enum event_flag */
};

static inline bool event_before(const struct event *a, const struct event *b)
{
    if (a->at != b->at) return a->at < b->at;
    if (a->tie != b->tie) return a->tie < b->tie;
    return a->sequence < b->sequence;
}

struct event_queue {
    struct event *event; /* shape [capacity], by index; moves when it grows */
    uint32_t capacity;
    uint32_t used; /* records at and above were never taken */
    uint32_t free;
    uint32_t pending;
    uint32_t pending_max;
    struct event_wheel *wheel; /* one of the two */
    struct event_heap *heap;
    struct memory *memory;
    /* What events will touch, by `to` and by the low bits of the number of a network event: arrays
     * of whole cache lines, only to be fetched in time. */
    const void *entities;
    const void *connections;
};

#define ENTITY_BYTES          64u
#define CONNECTION_BYTES      64u
#define CONNECTION_INDEX_BITS 22u
#define CONNECTION_INDEX_MASK ((1u << CONNECTION_INDEX_BITS) - 1)
#define EVENT_KIND_NETWORK    0xff00u /* kinds from here up belong to the network */

void event_queue_init(struct event_queue *queue, struct memory *memory, bool reference);
void event_queue_grow(struct event_queue *queue);

/* A record that is in no queue. Its generation is set, the rest is the caller's to fill. */
static inline uint32_t event_queue_take(struct event_queue *queue)
{
    uint32_t index = queue->free;
    if (index != 0) {
        queue->free = queue->event[index].next;
        return index;
    }
    if (queue->used == queue->capacity) event_queue_grow(queue);
    return queue->used++;
}

static inline void event_queue_give(struct event_queue *queue, uint32_t index)
{
    struct event *event = &queue->event[index];
    event->generation++;
    event->next = queue->free;
    queue->free = index;
}

/* A queued record will not leave. It is given back now or later. */
void event_queue_cancel(struct event_queue *queue, uint32_t index);
#endif
