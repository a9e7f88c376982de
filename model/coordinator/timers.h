/* model/coordinator/timers.h: the deadlines of one shard.
 *
 * Due timers fire in order of (instant, armed), where `armed` counts armings: equal instants leave
 * in the order in which they were armed. Re-arming to a later instant only notes the new deadline;
 * the queued entry is put right when it surfaces, so a heartbeat costs two stores. A 4-ary heap of
 * (instant, armed) keys; a timer knows its place in it, so cancelling leaves nothing behind. */
#ifndef MODEL_COORDINATOR_TIMERS_H
#define MODEL_COORDINATOR_TIMERS_H

#include "sim/memory.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stdint.h>

struct coordinator;
struct coordinator_timer;
/* `now` is the instant the timer was due. The timer is no longer armed. */
typedef void coordinator_timer_fire(struct coordinator *coordinator,
                                    struct coordinator_timer *timer, sim_time now);

/* Lives in its owner. */
struct coordinator_timer {
    coordinator_timer_fire *fire;
    void *owner;
    sim_time at; /* SIM_TIME_NEVER = not armed */
    uint64_t armed;
    uint32_t place; /* in the heap, plus one; 0 = not in it */
};

struct timer_entry {
    sim_time at;
    uint64_t armed;
    struct coordinator_timer *timer;
};
struct timers {
    struct memory *memory;
    struct timer_entry *heap;
    uint32_t count;
    uint32_t capacity;
    uint64_t armings;
};

void timers_init(struct timers *timers, struct memory *memory);
void timers_release(struct timers *timers);

static inline void coordinator_timer_init(struct coordinator_timer *timer,
                                          coordinator_timer_fire *fire, void *owner)
{
    *timer = (struct coordinator_timer){.fire = fire, .owner = owner, .at = SIM_TIME_NEVER};
}
static inline bool coordinator_timer_is_armed(const struct coordinator_timer *timer)
{
    return timer->at != SIM_TIME_NEVER;
}
void timers_arm(struct timers *timers, struct coordinator_timer *timer, sim_time at);
void timers_cancel(struct timers *timers, struct coordinator_timer *timer);
void timers_cancel_all(struct timers *timers);
/* Not later than the first due timer; SIM_TIME_NEVER when none is armed. */
sim_time timers_next_at(const struct timers *timers);
/* Takes the first timer due at or before `until` out; NULL when there is none. `*at` is when it was
 * due. */
struct coordinator_timer *timers_pop(struct timers *timers, sim_time until, sim_time *at);

#endif
