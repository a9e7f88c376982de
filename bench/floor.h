/* bench/floor.h: the floor the engine is measured against.
 *
 * A timing wheel before a small heap and nothing else: order by instant and by who came first, no
 * entities, no processes, no phases, no fingerprints, no handles, no growth. Cancelling is left
 * out; a timer that moves to a later instant stays in its slot (soft re-arm), as in the engine. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdint.h>
#include <stdlib.h>

#define FLOOR_LEVELS   7u
#define FLOOR_STRAIGHT 64u

struct floor_event {
    int64_t at;
    uint64_t sequence;
    uint64_t number;
    uint32_t who;
    uint32_t next;
    uint32_t kind;
    uint32_t unused[7];
};

struct floor_near {
    int64_t at;
    uint32_t index;
    uint32_t unused;
};

struct floor {
    struct floor_event *event;
    uint32_t used, free;
    uint64_t sequence;
    struct floor_near *near;
    uint32_t near_count;
    uint32_t levels;
    uint64_t tick;
    uint64_t occupied[FLOOR_LEVELS][4];
    uint32_t first[FLOOR_LEVELS * 256];
    uint32_t count[FLOOR_LEVELS * 256];
};

static inline void floor_init(struct floor *floor, uint32_t capacity)
{
    *floor = (struct floor){.used = 1};
    floor->event = aligned_alloc(64, (size_t)(capacity + 1) * sizeof *floor->event);
    floor->near = malloc((capacity + 1) * sizeof *floor->near);
}

static inline void floor_free(struct floor *floor)
{
    free(floor->event);
    free(floor->near);
}

static inline uint64_t floor_tick(int64_t at)
{
    return ((uint64_t)at >> 10) + 1;
}

static inline int floor_before(const struct floor *floor, struct floor_near a, struct floor_near b)
{
    if (a.at != b.at) return a.at < b.at;
    return floor->event[a.index].sequence < floor->event[b.index].sequence;
}

static inline void floor_insert(struct floor *floor, uint32_t index)
{
    struct floor_event *event = &floor->event[index];
    uint64_t tick = floor_tick(event->at);
    if (tick <= floor->tick) {
        struct floor_near entry = {.at = event->at, .index = index};
        uint32_t position = floor->near_count++;
        while (position > 0) {
            uint32_t parent = (position - 1) / 4;
            if (!floor_before(floor, entry, floor->near[parent])) break;
            floor->near[position] = floor->near[parent];
            position = parent;
        }
        floor->near[position] = entry;
        return;
    }
    uint32_t level = (63u - (uint32_t)__builtin_clzll(tick ^ floor->tick)) / 8;
    uint32_t digit = (uint32_t)(tick >> (level * 8)) % 256;
    uint32_t slot = level * 256 + digit;
    event->next = floor->first[slot];
    floor->first[slot] = index;
    floor->count[slot]++;
    floor->occupied[level][digit / 64] |= UINT64_C(1) << digit % 64;
    floor->levels |= 1u << level;
}

static inline uint32_t floor_post(struct floor *floor, int64_t at, uint32_t who, uint32_t kind,
                                  uint64_t number)
{
    uint32_t index = floor->free;
    if (index != 0) {
        floor->free = floor->event[index].next;
    } else {
        index = floor->used++;
    }
    struct floor_event *event = &floor->event[index];
    event->at = at;
    event->sequence = floor->sequence++;
    event->number = number;
    event->who = who;
    event->kind = kind;
    floor_insert(floor, index);
    return index;
}

/* To a later instant; only for events that cannot be near, which the workloads make sure of. */
static inline void floor_move(struct floor *floor, uint32_t index, int64_t at)
{
    floor->event[index].at = at;
    floor->event[index].sequence = floor->sequence++;
}

static inline void floor_advance(struct floor *floor)
{
    uint32_t level = (uint32_t)__builtin_ctz(floor->levels);
    uint64_t *occupied = floor->occupied[level];
    uint32_t word = 0;
    while (occupied[word] == 0)
        word++;
    uint32_t digit = word * 64 + (uint32_t)__builtin_ctzll(occupied[word]);
    uint32_t slot = level * 256 + digit;
    uint64_t width = UINT64_C(1) << (level * 8);
    uint64_t begin = (floor->tick & ~(width * 256 - 1)) + digit * width;
    int straight = level == 0 || (level <= 2 && floor->count[slot] <= FLOOR_STRAIGHT);
    floor->tick = straight ? begin + width - 1 : begin;
    uint32_t index = floor->first[slot];
    floor->first[slot] = 0;
    floor->count[slot] = 0;
    occupied[word] &= ~(UINT64_C(1) << digit % 64);
    if ((occupied[0] | occupied[1] | occupied[2] | occupied[3]) == 0)
        floor->levels &= ~(1u << level);
    while (index != 0) {
        uint32_t next = floor->event[index].next;
        floor_insert(floor, index);
        index = next;
    }
}

/* The next event's index, taken out and free for reuse: its contents stay until the next post. 0
 * when there is none up to `until`. */
static inline uint32_t floor_pop(struct floor *floor, int64_t until)
{
    while (floor->near_count == 0) {
        if (floor->levels == 0) return 0;
        floor_advance(floor);
    }
    if (floor->near[0].at > until) return 0;
    uint32_t index = floor->near[0].index;
    struct floor_near last = floor->near[--floor->near_count];
    uint32_t position = 0;
    for (;;) {
        uint32_t first = position * 4 + 1;
        if (first >= floor->near_count) break;
        uint32_t end = first + 4 < floor->near_count ? first + 4 : floor->near_count;
        uint32_t least = first;
        for (uint32_t child = first + 1; child < end; child++) {
            if (floor_before(floor, floor->near[child], floor->near[least])) least = child;
        }
        if (!floor_before(floor, floor->near[least], last)) break;
        floor->near[position] = floor->near[least];
        position = least;
    }
    floor->near[position] = last;
    floor->event[index].next = floor->free;
    floor->free = index;
    return index;
}

#endif
