/* model/coordinator/timers.c: a 4-ary heap with soft re-arm. */
#include "model/coordinator/timers.h"

#include "sim/check.h"

#define ARITY            4
#define CAPACITY_INITIAL 64

static bool is_before(const struct timer_entry *a, const struct timer_entry *b)
{
    return a->at < b->at || (a->at == b->at && a->armed < b->armed);
}

static void place(struct timers *timers, uint32_t index, struct timer_entry entry)
{
    timers->heap[index] = entry;
    entry.timer->place = index + 1;
}

static void sift_up(struct timers *timers, uint32_t index, struct timer_entry entry)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / ARITY;
        if (!is_before(&entry, &timers->heap[parent])) break;
        place(timers, index, timers->heap[parent]);
        index = parent;
    }
    place(timers, index, entry);
}

static void sift_down(struct timers *timers, uint32_t index, struct timer_entry entry)
{
    for (;;) {
        uint32_t first = index * ARITY + 1;
        if (first >= timers->count) break;
        uint32_t last = first + ARITY < timers->count ? first + ARITY : timers->count;
        uint32_t least = first;
        for (uint32_t child = first + 1; child < last; child++) {
            if (is_before(&timers->heap[child], &timers->heap[least])) least = child;
        }
        if (!is_before(&timers->heap[least], &entry)) break;
        place(timers, index, timers->heap[least]);
        index = least;
    }
    place(timers, index, entry);
}

static void remove_at(struct timers *timers, uint32_t index)
{
    timers->heap[index].timer->place = 0;
    struct timer_entry last = timers->heap[--timers->count];
    if (index == timers->count) return;
    if (index > 0 && is_before(&last, &timers->heap[(index - 1) / ARITY])) {
        sift_up(timers, index, last);
    } else {
        sift_down(timers, index, last);
    }
}

void timers_init(struct timers *timers, struct memory *memory)
{
    *timers = (struct timers){.memory = memory};
}

void timers_release(struct timers *timers)
{
    timers_cancel_all(timers);
    memory_give(timers->memory, timers->heap, sizeof(*timers->heap) * timers->capacity);
    *timers = (struct timers){.memory = timers->memory, .armings = timers->armings};
}

void timers_arm(struct timers *timers, struct coordinator_timer *timer, sim_time at)
{
    CHECK(at != SIM_TIME_NEVER);
    timer->at = at;
    timer->armed = timers->armings++;
    if (timer->place != 0) {
        /* The queued key is earlier than the new one unless the deadline moved back. */
        if (timers->heap[timer->place - 1].at <= at) return;
        remove_at(timers, timer->place - 1);
    }
    if (timers->count == timers->capacity) {
        uint32_t capacity = timers->capacity == 0 ? CAPACITY_INITIAL : timers->capacity * 2;
        timers->heap =
            memory_resize(timers->memory, timers->heap, sizeof(*timers->heap) * timers->capacity,
                          sizeof(*timers->heap) * capacity);
        timers->capacity = capacity;
    }
    struct timer_entry entry = {.at = at, .armed = timer->armed, .timer = timer};
    sift_up(timers, timers->count++, entry);
}

void timers_cancel(struct timers *timers, struct coordinator_timer *timer)
{
    timer->at = SIM_TIME_NEVER;
    if (timer->place != 0) remove_at(timers, timer->place - 1);
}

void timers_cancel_all(struct timers *timers)
{
    for (uint32_t i = 0; i < timers->count; i++) {
        timers->heap[i].timer->at = SIM_TIME_NEVER;
        timers->heap[i].timer->place = 0;
    }
    timers->count = 0;
}

sim_time timers_next_at(const struct timers *timers)
{
    return timers->count == 0 ? SIM_TIME_NEVER : timers->heap[0].at;
}

struct coordinator_timer *timers_pop(struct timers *timers, sim_time until, sim_time *at)
{
    while (timers->count > 0 && timers->heap[0].at <= until) {
        struct timer_entry entry = timers->heap[0];
        struct coordinator_timer *timer = entry.timer;
        if (entry.at != timer->at || entry.armed != timer->armed) {
            entry.at = timer->at; /* re-armed since it was queued */
            entry.armed = timer->armed;
            sift_down(timers, 0, entry);
            continue;
        }
        remove_at(timers, 0);
        *at = timer->at;
        timer->at = SIM_TIME_NEVER;
        return timer;
    }
    return NULL;
}
