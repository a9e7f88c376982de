/* sim/event_wheel.h: a hierarchical timing wheel in front of a small exact heap. Private to the
 * engine.
 *
 * Ticks are 1,024 ns. Seven levels of 256 slots cover all of sim_time; a slot of level n is 256^n
 * ticks wide. Slots are unordered lists, so to put an event there, and to move it to a later
 * instant, costs next to nothing. Only what is about to happen is sorted: when the heap runs dry,
 * the next slot is emptied into it, or, if it is wide and full, spread over the levels below.
 *
 *   invariant: every event whose tick is <= `tick` is in the heap, every other in the slot of the
 *   highest digit (base 256) in which its tick differs from `tick`, or, after it was moved to a
 * later instant, in the slot of an earlier one. So the lowest level in use holds the next events,
 * and its lowest slot the very next ones.
 *
 * What is cancelled is marked and swept up when it outnumbers the living, which costs O(1) per
 * cancelled event; taking it out of a doubly linked list at once was measured to cost more, because
 * every insertion then writes to a neighbour's cold line.
 *
 * The functions that every event passes through are inline. */
#ifndef SIM_EVENT_WHEEL_H
#define SIM_EVENT_WHEEL_H

#include "sim/event_heap.h"
#include "sim/event_queue.h"

#define WHEEL_TICK_BITS  10u
#define WHEEL_DIGIT_BITS 8u
#define WHEEL_SLOTS      (1u << WHEEL_DIGIT_BITS)
#define WHEEL_LEVELS     7u
#define NEAR_ARITY       4u

/* 16 bytes, so that four children share a cache line. Ties are broken by the records. */
struct near {
    sim_time at;
    uint32_t index;
    uint32_t unused;
};

struct event_wheel {
    struct near *near; /* shape [near_capacity] */
    uint32_t near_count;
    uint32_t near_capacity;
    uint32_t levels;    /* bit per level in use */
    uint32_t cancelled; /* in slots and heap */
    uint64_t tick;      /* counts from 1; see the invariant */
    uint64_t occupied[WHEEL_LEVELS][WHEEL_SLOTS / 64];
    uint32_t first[WHEEL_LEVELS * WHEEL_SLOTS];
    uint32_t count[WHEEL_LEVELS * WHEEL_SLOTS]; /* with the cancelled ones */
    struct memory *memory;
};

struct event_wheel *event_wheel_new(struct memory *memory);
void event_wheel_grow_near(struct event_wheel *wheel);
/* Empties the next slot, if it begins by `until`, into the heap or the levels below. False when
 * there is none. */
bool event_wheel_advance(struct event_wheel *wheel, struct event_queue *queue, sim_time until);
void event_wheel_cancel(struct event_wheel *wheel, struct event_queue *queue, uint32_t index);

static inline uint64_t wheel_tick(sim_time at)
{
    return ((uint64_t)at >> WHEEL_TICK_BITS) + 1;
}

static inline bool near_before(const struct event *events, const struct near *a,
                               const struct near *b)
{
    if (a->at != b->at) return a->at < b->at;
    return event_before(&events[a->index], &events[b->index]);
}

static inline void near_sift_down(struct near *near, uint32_t count, const struct event *events,
                                  uint32_t position, struct near entry)
{
    for (;;) {
        uint32_t first = position * NEAR_ARITY + 1;
        if (first >= count) break;
        uint32_t end = first + NEAR_ARITY < count ? first + NEAR_ARITY : count;
        uint32_t least = first;
        for (uint32_t child = first + 1; child < end; child++) {
            if (near_before(events, &near[child], &near[least])) least = child;
        }
        if (!near_before(events, &near[least], &entry)) break;
        near[position] = near[least];
        position = least;
    }
    near[position] = entry;
}

static inline void near_push(struct event_wheel *wheel, struct event *events, uint32_t index)
{
    if (wheel->near_count == wheel->near_capacity) event_wheel_grow_near(wheel);
    events[index].place = EVENT_NEAR;
    struct near entry = {.at = events[index].at, .index = index};
    struct near *near = wheel->near;
    uint32_t position = wheel->near_count++;
    while (position > 0) {
        uint32_t parent = (position - 1) / NEAR_ARITY;
        if (!near_before(events, &entry, &near[parent])) break;
        near[position] = near[parent];
        position = parent;
    }
    near[position] = entry;
}

static inline void wheel_insert(struct event_wheel *wheel, struct event *events, uint32_t index)
{
    struct event *event = &events[index];
    uint64_t tick = wheel_tick(event->at);
    if (tick <= wheel->tick) {
        near_push(wheel, events, index);
        return;
    }
    uint32_t level = (63u - (uint32_t)__builtin_clzll(tick ^ wheel->tick)) / WHEEL_DIGIT_BITS;
    uint32_t digit = (uint32_t)(tick >> (level * WHEEL_DIGIT_BITS)) % WHEEL_SLOTS;
    uint32_t slot = level * WHEEL_SLOTS + digit;
    event->place = EVENT_SLOT;
    event->next = wheel->first[slot];
    wheel->first[slot] = index;
    wheel->count[slot]++;
    wheel->occupied[level][digit / 64] |= UINT64_C(1) << digit % 64;
    wheel->levels |= 1u << level;
}

static inline void event_queue_insert(struct event_queue *queue, uint32_t index)
{
    if (++queue->pending > queue->pending_max) queue->pending_max = queue->pending;
    if (queue->heap != NULL) {
        event_heap_push(queue->heap, queue->event, index);
    } else {
        wheel_insert(queue->wheel, queue->event, index);
    }
}

static inline uint32_t wheel_pop(struct event_wheel *wheel, struct event_queue *queue,
                                 sim_time until)
{
    for (;;) {
        while (wheel->near_count > 0) {
            struct near first = wheel->near[0];
            struct event *event = &queue->event[first.index];
            bool is_cancelled = event->place == EVENT_CANCELLED;
            if (!is_cancelled && first.at > until) return 0;
            struct near last = wheel->near[--wheel->near_count];
            near_sift_down(wheel->near, wheel->near_count, queue->event, 0, last);
            if (!is_cancelled) {
                event->place = EVENT_LOOSE;
                return first.index;
            }
            wheel->cancelled--;
            event_queue_give(queue, first.index);
        }
        if (!event_wheel_advance(wheel, queue, until)) return 0;
    }
}

/* The earliest record with at <= until, loose; 0 when there is none. */
static inline uint32_t event_queue_pop(struct event_queue *queue, sim_time until)
{
    uint32_t index = queue->heap != NULL ? event_heap_pop(queue->heap, queue->event, until)
                                         : wheel_pop(queue->wheel, queue, until);
    if (index != 0) queue->pending--;
    return index;
}

#endif
