#include "sim/event_wheel.h"

#include "sim/check.h"
#include "sim/prefetch.h"

/* A slot of at most this many events goes straight into the heap, if it is not so wide that the
 * heap would collect what is posted for the next while as well. */
#define STRAIGHT_COUNT 64u
#define STRAIGHT_LEVEL 1u

/* Fewer cancelled events than this are not worth a sweep. */
#define SWEEP_LEAST 256u

#define SLOT_FIRST_CAPACITY 8u
#define SLOT_KEPT_CAPACITY  256u /* larger arrays are given back when their slot is empty */

struct event_wheel *event_wheel_new(struct memory *memory)
{
    struct event_wheel *wheel = memory_keep(memory, sizeof *wheel);
    wheel->memory = memory;
    wheel->near_capacity = 256;
    wheel->near = memory_take(memory, wheel->near_capacity * sizeof *wheel->near);
    for (uint32_t i = 0; i < WHEEL_LEVELS * WHEEL_SLOTS; i++) {
        struct wheel_slot *slot = &wheel->slot[i];
        slot->capacity = SLOT_FIRST_CAPACITY;
        slot->entry = memory_take(memory, SLOT_FIRST_CAPACITY * sizeof *slot->entry);
    }
    return wheel;
}

void event_wheel_grow_slot(struct event_wheel *wheel, struct wheel_slot *slot)
{
    size_t size = slot->capacity * sizeof *slot->entry;
    slot->entry = memory_resize(wheel->memory, slot->entry, size, 2 * size);
    slot->capacity *= 2;
}

void event_wheel_push_near(struct event_wheel *wheel, const struct event *events, uint32_t index)
{
    if (wheel->near_count == wheel->near_capacity) {
        size_t size = wheel->near_capacity * sizeof *wheel->near;
        wheel->near = memory_resize(wheel->memory, wheel->near, size, 2 * size);
        wheel->near_capacity *= 2;
    }
    struct wheel_entry entry = {.at = events[index].at, .index = index};
    struct wheel_entry *near = wheel->near;
    uint32_t position = wheel->near_count++;
    while (position > 0) {
        uint32_t parent = (position - 1) / NEAR_ARITY;
        if (!near_before(events, &entry, &near[parent])) break;
        near[position] = near[parent];
        position = parent;
    }
    near[position] = entry;
}

static inline void mark_empty(struct event_wheel *wheel, uint32_t level, uint32_t digit)
{
    uint64_t *occupied = wheel->occupied[level];
    occupied[digit / 64] &= ~(UINT64_C(1) << digit % 64);
    if ((occupied[0] | occupied[1] | occupied[2] | occupied[3]) == 0) {
        wheel->levels &= ~(1u << level);
    }
}

/* What is near is executed soon: its entity and its timer, or its message and connection, are
 * fetched meanwhile. */
static inline void prefetch_destination(const struct event_queue *queue, const struct event *event)
{
    prefetch_line((const char *)queue->entities + (size_t)event->to * ENTITY_BYTES);
    prefetch_line(event->pointer);
    if (event->kind < EVENT_KIND_NETWORK) return;
    size_t connection = (size_t)event->number & CONNECTION_INDEX_MASK;
    prefetch_line((const char *)queue->connections + connection * CONNECTION_BYTES);
}

/* An entry comes up. Its record tells whether it is still true; if not, it is put right. */
static inline bool is_still_true(struct event_wheel *wheel, struct event_queue *queue,
                                 struct wheel_entry entry)
{
    const struct event *event = &queue->event[entry.index];
    if ((event->flags & EVENT_CANCELLED) != 0) {
        wheel->cancelled--;
        event_queue_give(queue, entry.index);
        return false;
    }
    if (event->at != entry.at) {
        wheel_insert(wheel, queue->event, entry.index);
        return false;
    }
    prefetch_destination(queue, event);
    return true;
}

/* A handful of entries in order. */
static inline void bring_run(struct event_wheel *wheel, struct event_queue *queue,
                             const struct wheel_entry *entry, uint32_t count)
{
    struct wheel_entry *run = wheel->run;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct wheel_entry next = {.at = entry[i].at, .index = entry[i].index};
        if (!is_still_true(wheel, queue, next)) continue;
        uint32_t place = kept++;
        for (; place > 0 && near_before(queue->event, &next, &run[place - 1]); place--) {
            run[place].at = run[place - 1].at;
            run[place].index = run[place - 1].index;
        }
        run[place].at = next.at;
        run[place].index = next.index;
    }
    wheel->run_next = 0;
    wheel->run_count = kept;
}

static inline void bring_near(struct event_wheel *wheel, struct event_queue *queue,
                              struct wheel_entry entry)
{
    if (is_still_true(wheel, queue, entry)) event_wheel_push_near(wheel, queue->event, entry.index);
}

/* The digit of the first slot in use of a level that has one. */
static inline uint32_t first_digit(const struct event_wheel *wheel, uint32_t level)
{
    uint32_t word = 0;
    while (wheel->occupied[level][word] == 0)
        word++;
    return word * 64 + (uint32_t)__builtin_ctzll(wheel->occupied[level][word]);
}

bool event_wheel_advance(struct event_wheel *wheel, struct event_queue *queue, sim_time until)
{
    if (wheel->levels == 0) return false;
    uint32_t level = (uint32_t)__builtin_ctz(wheel->levels);
    uint32_t digit = first_digit(wheel, level);
    uint64_t width = UINT64_C(1) << (level * WHEEL_DIGIT_BITS);
    uint64_t begin = (wheel->tick & ~(width * WHEEL_SLOTS - 1)) + digit * width;
    if (begin > wheel_tick(until)) return false;

    struct wheel_slot *slot = &wheel->slot[level * WHEEL_SLOTS + digit];
    struct wheel_entry *entry = slot->entry;
    uint32_t count = slot->count;
    slot->count = 0; /* nothing below can come into this slot again */
    mark_empty(wheel, level, digit);
    if (level == 0 || (level <= STRAIGHT_LEVEL && count <= STRAIGHT_COUNT)) {
        wheel->tick = begin + width - 1;
        if (count <= WHEEL_RUN) {
            bring_run(wheel, queue, entry, count);
        } else {
            for (uint32_t i = 0; i < count; i++) {
                bring_near(wheel, queue, entry[i]);
            }
        }
    } else {
        wheel->tick = begin;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t tick = wheel_tick(entry[i].at);
            if (tick <= wheel->tick) {
                bring_near(wheel, queue, entry[i]);
            } else {
                slot_push(wheel, tick, entry[i].at, entry[i].index);
            }
        }
        if (slot->capacity > SLOT_KEPT_CAPACITY) {
            memory_give(wheel->memory, slot->entry, slot->capacity * sizeof *slot->entry);
            slot->capacity = SLOT_FIRST_CAPACITY;
            slot->entry = memory_take(wheel->memory, SLOT_FIRST_CAPACITY * sizeof *slot->entry);
        }
    }
    return true;
}

/* Gives back the cancelled ones among the entries; returns how many are left. */
static uint32_t sweep_entries(struct event_queue *queue, struct wheel_entry *entry, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if ((queue->event[entry[i].index].flags & EVENT_CANCELLED) != 0) {
            queue->wheel->cancelled--;
            event_queue_give(queue, entry[i].index);
        } else {
            entry[kept++] = entry[i];
        }
    }
    return kept;
}

static void sweep(struct event_wheel *wheel, struct event_queue *queue)
{
    wheel->run_count = wheel->run_next + sweep_entries(queue, &wheel->run[wheel->run_next],
                                                       wheel->run_count - wheel->run_next);
    wheel->near_count = sweep_entries(queue, wheel->near, wheel->near_count);
    for (uint32_t i = wheel->near_count; i-- > 0;) {
        near_sift_down(wheel->near, wheel->near_count, queue->event, i, wheel->near[i]);
    }
    for (uint32_t i = 0; i < WHEEL_LEVELS * WHEEL_SLOTS; i++) {
        struct wheel_slot *slot = &wheel->slot[i];
        if (slot->count == 0) continue;
        slot->count = sweep_entries(queue, slot->entry, slot->count);
        if (slot->count == 0) mark_empty(wheel, i / WHEEL_SLOTS, i % WHEEL_SLOTS);
    }
    CHECK(wheel->cancelled == 0);
}

void event_wheel_cancel(struct event_wheel *wheel, struct event_queue *queue, uint32_t index)
{
    struct event *event = &queue->event[index];
    CHECK((event->flags & (EVENT_CANCELLED | EVENT_HELD)) == 0);
    event->flags |= EVENT_CANCELLED;
    if (++wheel->cancelled > SWEEP_LEAST && wheel->cancelled > queue->pending) {
        sweep(wheel, queue);
    }
}
