#include "sim/event_wheel.h"

#include "sim/check.h"

#define TICK_BITS   10u
#define DIGIT_BITS  8u
#define SLOTS       (1u << DIGIT_BITS)
#define LEVELS      7u
#define LEVEL_WORDS (SLOTS / 64)

/* A slot of at most this many events goes straight into the heap, if it is not so wide that the
 * heap would collect what is posted for the next while as well. */
#define STRAIGHT_COUNT 64u
#define STRAIGHT_LEVEL 2u

#define ARITY 4u

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
    uint32_t cancelled; /* of those in the heap */
    uint32_t levels;    /* bit per level in use */
    uint64_t tick;      /* counts from 1; see the invariant */
    uint64_t occupied[LEVELS][LEVEL_WORDS];
    uint32_t first[LEVELS * SLOTS];
    uint32_t count[LEVELS * SLOTS];
    struct memory *memory;
};

struct event_wheel *event_wheel_new(struct memory *memory)
{
    struct event_wheel *wheel = memory_keep(memory, sizeof *wheel);
    wheel->memory = memory;
    wheel->near_capacity = 256;
    wheel->near = memory_take(memory, wheel->near_capacity * sizeof *wheel->near);
    return wheel;
}

static uint64_t tick_of(sim_time at)
{
    return ((uint64_t)at >> TICK_BITS) + 1;
}

static inline bool near_before(const struct event *events, const struct near *a,
                               const struct near *b)
{
    if (a->at != b->at) return a->at < b->at;
    return event_before(&events[a->index], &events[b->index]);
}

static void sift_up(struct event_wheel *wheel, const struct event *events, uint32_t position,
                    struct near entry)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / ARITY;
        if (!near_before(events, &entry, &wheel->near[parent])) break;
        wheel->near[position] = wheel->near[parent];
        position = parent;
    }
    wheel->near[position] = entry;
}

static void sift_down(struct event_wheel *wheel, const struct event *events, uint32_t position,
                      struct near entry)
{
    struct near *near = wheel->near;
    uint32_t count = wheel->near_count;
    for (;;) {
        uint32_t first = position * ARITY + 1;
        if (first >= count) break;
        uint32_t end = first + ARITY < count ? first + ARITY : count;
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

static void near_push(struct event_wheel *wheel, struct event *events, uint32_t index)
{
    if (wheel->near_count == wheel->near_capacity) {
        size_t size = wheel->near_capacity * sizeof *wheel->near;
        wheel->near = memory_resize(wheel->memory, wheel->near, size, 2 * size);
        wheel->near_capacity *= 2;
    }
    events[index].place = EVENT_NEAR;
    sift_up(wheel, events, wheel->near_count++,
            (struct near){.at = events[index].at, .index = index});
}

static void near_remove_first(struct event_wheel *wheel, const struct event *events)
{
    struct near last = wheel->near[--wheel->near_count];
    if (wheel->near_count > 0) sift_down(wheel, events, 0, last);
}

void event_wheel_insert(struct event_wheel *wheel, struct event *events, uint32_t index)
{
    struct event *event = &events[index];
    uint64_t tick = tick_of(event->at);
    if (tick <= wheel->tick) {
        near_push(wheel, events, index);
        return;
    }
    uint32_t level = (63u - (uint32_t)__builtin_clzll(tick ^ wheel->tick)) / DIGIT_BITS;
    uint32_t digit = (uint32_t)(tick >> (level * DIGIT_BITS)) % SLOTS;
    uint32_t slot = level * SLOTS + digit;
    event->place = slot & 0x7fff;
    event->prev = 0;
    event->next = wheel->first[slot];
    if (event->next != 0) events[event->next].prev = index;
    wheel->first[slot] = index;
    wheel->count[slot]++;
    wheel->occupied[level][digit / 64] |= UINT64_C(1) << digit % 64;
    wheel->levels |= 1u << level;
}

static void mark_empty(struct event_wheel *wheel, uint32_t slot)
{
    uint32_t level = slot / SLOTS;
    uint64_t *occupied = wheel->occupied[level];
    occupied[slot % SLOTS / 64] &= ~(UINT64_C(1) << slot % 64);
    if ((occupied[0] | occupied[1] | occupied[2] | occupied[3]) == 0) {
        wheel->levels &= ~(1u << level);
    }
}

/* Drops what was cancelled from the heap and restores its order from the bottom up. */
static void near_compact(struct event_wheel *wheel, struct event_queue *queue)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < wheel->near_count; i++) {
        uint32_t index = wheel->near[i].index;
        if (queue->event[index].place == EVENT_CANCELLED) {
            event_queue_give(queue, index);
        } else {
            wheel->near[kept++] = wheel->near[i];
        }
    }
    wheel->near_count = kept;
    wheel->cancelled = 0;
    for (uint32_t i = kept / ARITY + 1; i-- > 0;) {
        if (i < kept) sift_down(wheel, queue->event, i, wheel->near[i]);
    }
}

bool event_wheel_remove(struct event_wheel *wheel, struct event_queue *queue, uint32_t index)
{
    struct event *events = queue->event;
    struct event *event = &events[index];
    if (event->place == EVENT_NEAR) {
        event->place = EVENT_CANCELLED;
        /* What is set and cancelled over and over within one slot must not pile up. */
        if (++wheel->cancelled > 64 && wheel->cancelled > wheel->near_count / 2) {
            near_compact(wheel, queue);
        }
        return false;
    }
    uint32_t slot = event->place;
    CHECK(slot < LEVELS * SLOTS);
    if (event->next != 0) events[event->next].prev = event->prev;
    if (event->prev != 0) {
        events[event->prev].next = event->next;
    } else {
        wheel->first[slot] = event->next;
        if (event->next == 0) mark_empty(wheel, slot);
    }
    wheel->count[slot]--;
    event->place = EVENT_LOOSE;
    return true;
}

/* Empties the next slot, if it begins by `until`, into the heap or into the level below. False when
 * there is none. */
static bool advance(struct event_wheel *wheel, struct event *events, sim_time until)
{
    if (wheel->levels == 0) return false;
    uint32_t level = (uint32_t)__builtin_ctz(wheel->levels);
    uint32_t word = 0;
    while (wheel->occupied[level][word] == 0)
        word++;
    uint32_t digit = word * 64 + (uint32_t)__builtin_ctzll(wheel->occupied[level][word]);
    uint32_t slot = level * SLOTS + digit;

    uint64_t width = UINT64_C(1) << (level * DIGIT_BITS);
    uint64_t begin = (wheel->tick & ~(width * SLOTS - 1)) + digit * width;
    if (begin > tick_of(until)) return false;
    /* Either the whole slot goes into the heap, or its first tick and the rest is spread. */
    bool straight = level == 0 || (level <= STRAIGHT_LEVEL && wheel->count[slot] <= STRAIGHT_COUNT);
    wheel->tick = straight ? begin + width - 1 : begin;

    uint32_t index = wheel->first[slot];
    wheel->first[slot] = 0;
    wheel->count[slot] = 0;
    mark_empty(wheel, slot);
    while (index != 0) {
        uint32_t next = events[index].next;
        event_wheel_insert(wheel, events, index);
        index = next;
    }
    return true;
}

uint32_t event_wheel_pop(struct event_wheel *wheel, struct event_queue *queue, sim_time until)
{
    for (;;) {
        while (wheel->near_count > 0) {
            struct near first = wheel->near[0];
            struct event *event = &queue->event[first.index];
            if (event->place == EVENT_CANCELLED) {
                wheel->cancelled--;
                near_remove_first(wheel, queue->event);
                event_queue_give(queue, first.index);
                continue;
            }
            if (first.at > until) return 0;
            near_remove_first(wheel, queue->event);
            event->place = EVENT_LOOSE;
            return first.index;
        }
        if (!advance(wheel, queue->event, until)) return 0;
    }
}
