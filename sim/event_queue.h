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

/* Where a record is. Smaller values are slots of the wheel. */
enum event_place {
    EVENT_FREE = 0x3ff0,
    EVENT_LOOSE,     /* taken, in no queue */
    EVENT_NEAR,      /* in the near heap of the wheel */
    EVENT_CANCELLED, /* the same, to be skipped */
    EVENT_HEAP,      /* in the reference heap */
    EVENT_HELD,      /* waits in a frozen process */
};

struct event {
    sim_time at;
    uint64_t tie;      /* phase, destination and source, packed by sim.c */
    uint64_t sequence; /* at the source, and below it the destination's incarnation */
    uint64_t number;
    void *pointer;
    uint32_t to;
    uint32_t from;
    uint32_t next; /* list of the slot or of the frozen process, or of free records */
    uint32_t prev; /* the same list; in the reference heap, the position */
    uint32_t generation;
    uint16_t kind;
    uint16_t place : 15;
    uint16_t is_timer : 1; /* `pointer` is the struct sim_timer */
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
    struct event_heap *heap; /* one of the two */
    struct event_wheel *wheel;
    struct memory *memory;
};

void event_queue_init(struct event_queue *queue, struct memory *memory, bool reference);

/* A record that is in no queue. Its generation is set, the rest is the caller's to fill. */
uint32_t event_queue_take(struct event_queue *queue);
void event_queue_give(struct event_queue *queue, uint32_t index);

void event_queue_insert(struct event_queue *queue, uint32_t index);
/* A queued record will not leave. It is given back now or when it surfaces. */
void event_queue_cancel(struct event_queue *queue, uint32_t index);
/* A queued record gets a new key. Returns the index that holds it from now on. */
uint32_t event_queue_move(struct event_queue *queue, uint32_t index, sim_time at, uint64_t tie,
                          uint64_t sequence);
/* The earliest record with at <= until, loose; 0 when there is none. */
uint32_t event_queue_pop(struct event_queue *queue, sim_time until);

#endif
