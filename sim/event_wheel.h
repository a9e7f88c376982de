/* sim/event_wheel.h: a hierarchical timing wheel in front of a small exact heap. Private to the
 * engine.
 *
 * Ticks are 1,024 ns. Seven levels of 256 slots cover all of sim_time; a slot of level n is 256^n
 * ticks wide. Slots are unordered arrays of (instant, record), so to put an event there costs next
 * to nothing and to spread a slot over the levels below touches no record. Only what is about to
 * happen is sorted: when the heap runs dry, the next slot is emptied into it, or, if it is wide and
 * full, spread.
 *
 * A slot of a handful becomes the run, a short sorted array; the heap takes larger ones and
 * whatever is posted for an instant that has come near already.
 *
 *   invariant: every entry whose tick is <= `tick` is in run or heap, every other in the slot of
 * the highest digit (base 256) in which its tick differs from `tick`. So the lowest level in use
 * holds the next events, and its lowest slot the very next ones.
 *
 * An entry in a slot may be out of date: its record was moved to a later instant (soft re-arm:
 * session timers move with every heartbeat), or cancelled. Both are seen when the entry is due to
 * enter the heap. Cancelled ones are swept up when they outnumber the living, which costs O(1) for
 * each; taking them out of doubly linked lists at once was measured to cost more, because then
 * every insertion writes to a neighbour's cold line.
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
#define WHEEL_RUN        16u
#define NEAR_ARITY       4u

/* 16 bytes, so that four children share a cache line. Ties are broken by the records. */
struct wheel_entry {
    sim_time at;
    uint32_t index;
    uint32_t unused;
};

struct wheel_slot {
    struct wheel_entry *entry; /* shape [capacity] */
    uint32_t count;
    uint32_t capacity;
};

struct event_wheel {
    struct wheel_entry run[WHEEL_RUN]; /* a small slot in order, shape [run_count] */
    uint32_t run_next;
    uint32_t run_count;
    struct wheel_entry *near; /* the heap, shape [near_capacity] */
    uint32_t near_count;
    uint32_t near_capacity;
    uint32_t levels;    /* bit per level in use */
    uint32_t cancelled; /* in slots and heap */
    uint64_t tick;      /* counts from 1; see the invariant */
    uint64_t occupied[WHEEL_LEVELS][WHEEL_SLOTS / 64];
    struct wheel_slot slot[WHEEL_LEVELS * WHEEL_SLOTS];
    struct memory *memory;
};

struct event_wheel *event_wheel_new(struct memory *memory);
void event_wheel_grow_slot(struct event_wheel *wheel, struct wheel_slot *slot);
void event_wheel_push_near(struct event_wheel *wheel, const struct event *events, uint32_t index);
/* Empties the next slot, if it begins by `until`, into the run, the heap or the levels below. False
 * when there is none. */
bool event_wheel_advance(struct event_wheel *wheel, struct event_queue *queue, sim_time until);
void event_wheel_cancel(struct event_wheel *wheel, struct event_queue *queue, uint32_t index);

static inline uint64_t wheel_tick(sim_time at)
{
    return ((uint64_t)at >> WHEEL_TICK_BITS) + 1;
}

/* An entry is in the run or the heap only with the instant of its record, and after a look at it. A
 * record that has left the wheel (a frozen process holds it) is of a past tick as well. */
static inline bool wheel_is_in_slot(const struct event_wheel *wheel, const struct event *event)
{
    return wheel_tick(event->at) > wheel->tick;
}

static inline bool near_before(const struct event *events, const struct wheel_entry *a,
                               const struct wheel_entry *b)
{
    if (a->at != b->at) return a->at < b->at;
    return event_before(&events[a->index], &events[b->index]);
}

static inline void near_sift_down(struct wheel_entry *near, uint32_t count,
                                  const struct event *events, uint32_t position,
                                  struct wheel_entry entry)
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

/* Into the slot of this tick, which is later than the wheel's. A slot always has room for one more.
 */
static inline void slot_push(struct event_wheel *wheel, uint64_t tick, sim_time at, uint32_t index)
{
    uint32_t level = (63u - (uint32_t)__builtin_clzll(tick ^ wheel->tick)) / WHEEL_DIGIT_BITS;
    uint32_t digit = (uint32_t)(tick >> (level * WHEEL_DIGIT_BITS)) % WHEEL_SLOTS;
    struct wheel_slot *slot = &wheel->slot[level * WHEEL_SLOTS + digit];
    struct wheel_entry *entry = &slot->entry[slot->count++];
    entry->at = at;
    entry->index = index;
    wheel->occupied[level][digit / 64] |= UINT64_C(1) << digit % 64;
    wheel->levels |= 1u << level;
    if (slot->count == slot->capacity) event_wheel_grow_slot(wheel, slot);
}

static inline void wheel_insert(struct event_wheel *wheel, const struct event *events,
                                uint32_t index)
{
    sim_time at = events[index].at;
    uint64_t tick = wheel_tick(at);
    if (tick > wheel->tick) {
        slot_push(wheel, tick, at, index);
    } else {
        event_wheel_push_near(wheel, events, index);
    }
}

/* Every call below is the last thing done, so that a caller whose last act this is saves no
 * register. */
static inline void event_queue_insert(struct event_queue *queue, uint32_t index)
{
    if (++queue->pending > queue->pending_max) queue->pending_max = queue->pending;
    if (queue->heap == NULL) {
        wheel_insert(queue->wheel, queue->event, index);
    } else {
        event_heap_push(queue->heap, queue->event, index);
    }
}

/* The run and the heap hold what is near; true when the first of all is the run's. */
static inline bool wheel_run_is_first(const struct event_wheel *wheel, const struct event *events)
{
    if (wheel->run_next == wheel->run_count) return false;
    return wheel->near_count == 0 ||
           near_before(events, &wheel->run[wheel->run_next], &wheel->near[0]);
}

static inline uint32_t wheel_pop(struct event_wheel *wheel, struct event_queue *queue,
                                 sim_time until)
{
    for (;;) {
        struct wheel_entry first;
        if (wheel_run_is_first(wheel, queue->event)) {
            first = wheel->run[wheel->run_next];
            if (first.at > until) return 0;
            wheel->run_next++;
        } else if (wheel->near_count > 0) {
            first = wheel->near[0];
            if (first.at > until) return 0;
            struct wheel_entry last = wheel->near[--wheel->near_count];
            near_sift_down(wheel->near, wheel->near_count, queue->event, 0, last);
        } else {
            if (!event_wheel_advance(wheel, queue, until)) return 0;
            continue;
        }
        if ((queue->event[first.index].flags & EVENT_CANCELLED) == 0) return first.index;
        wheel->cancelled--;
        event_queue_give(queue, first.index);
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
