#include "sim/internal.h"

static void init(struct sim_timer *timer, entity_id owner, uint16_t kind, uint64_t number,
                 bool running_time)
{
    *timer = (struct sim_timer){
        .owner = owner,
        .kind = kind,
        .running_time = running_time,
        .number = number,
        .at = SIM_TIME_NEVER,
    };
}

void sim_timer_init(struct sim_timer *timer, entity_id owner, uint16_t kind, uint64_t number)
{
    init(timer, owner, kind, number, false);
}

void sim_timer_init_running_time(struct sim_timer *timer, entity_id owner, uint16_t kind,
                                 uint64_t number)
{
    init(timer, owner, kind, number, true);
}

/* The timer's record, or NULL when there is none any more (it belonged to a dead incarnation). */
static struct event *record(struct sim *sim, const struct sim_timer *timer)
{
    if (timer->handle == 0) return NULL;
    struct event *event = &sim->queue.event[timer->handle];
    return event->generation == timer->generation ? event : NULL;
}

static inline void insert(struct sim *sim, struct sim_timer *timer, uint32_t index, uint64_t tie,
                          uint64_t sequence)
{
    struct event *event = &sim->queue.event[index];
    timer->handle = index;
    timer->generation = event->generation;
    event->at = timer->at;
    event->tie = tie;
    event->sequence = sequence;
    event->number = timer->number;
    event->pointer = timer;
    event->to = timer->owner;
    event->from = timer->owner;
    event->kind = timer->kind;
    event->flags = timer->running_time ? EVENT_TIMER | EVENT_RUNNING_TIME : EVENT_TIMER;
    event_queue_insert(&sim->queue, index);
}

static void withdraw(struct sim *sim, uint32_t index)
{
    if ((sim->queue.event[index].flags & EVENT_HELD) != 0) {
        process_unhold(sim, index);
        event_queue_give(&sim->queue, index);
    } else {
        event_queue_cancel(&sim->queue, index);
    }
}

/* All that can be the case. Apart, so that the usual cases are a leaf. */
__attribute__((noinline)) static void set_rare(struct sim *sim, struct sim_timer *timer,
                                               sim_time at)
{
    if (at == SIM_TIME_NEVER) {
        sim_timer_cancel(sim, timer);
        return;
    }
    if (at < sim->now) at = sim->now; /* a deadline that has passed is due */
    entity_id owner = timer->owner;
    CHECK(owner != ENTITY_NONE && owner < sim->entity_count);
    CHECK(at > sim->now || sim->phase <= PHASE_TIMER);
    if (record(sim, timer) != NULL) withdraw(sim, timer->handle);
    timer->at = at;
    if (timer->running_time) {
        timer->frozen_before_ns = process_frozen_ns(sim, sim->entity[owner].process);
    }
    insert(sim, timer, event_queue_take(&sim->queue), sim_tie(sim, at, PHASE_TIMER, owner, owner),
           sim_sequence(sim, owner, owner));
}

void sim_timer_set(struct sim *sim, struct sim_timer *timer, sim_time at)
{
    struct event_queue *queue = &sim->queue;
    entity_id owner = timer->owner;
    bool is_rare = at <= sim->now || at == SIM_TIME_NEVER || owner - 1 >= sim->entity_count - 1 ||
                   timer->running_time || sim->options.tie_order != TIE_CANONICAL;
    uint32_t index = timer->handle;
    if (!is_rare && index == 0 && queue->free != 0) {
        index = queue->free;
        queue->free = queue->event[index].next;
        timer->at = at;
        insert(sim, timer, index, sim_canonical_tie(PHASE_TIMER, owner, owner),
               sim_sequence(sim, owner, owner));
        return;
    }
    /* Soft re-arm: a slot keeps no order, so an event that moves to a later instant may stay until
     * its slot is emptied, and finds its new place then. Session timers move with every heartbeat.
     */
    if (!is_rare && index != 0 && queue->wheel != NULL) {
        struct event *event = &queue->event[index];
        if (event->generation == timer->generation && at >= event->at &&
            wheel_is_in_slot(queue->wheel, event)) {
            timer->at = at;
            event->at = at;
            event->sequence = sim_sequence(sim, owner, owner);
            return;
        }
    }
    set_rare(sim, timer, at);
}

void sim_timer_cancel(struct sim *sim, struct sim_timer *timer)
{
    if (record(sim, timer) != NULL) withdraw(sim, timer->handle);
    timer->handle = 0;
    timer->at = SIM_TIME_NEVER;
}

bool sim_timer_is_set(const struct sim_timer *timer)
{
    return timer->handle != 0;
}

sim_time sim_timer_at(const struct sim_timer *timer)
{
    return timer->at;
}

sim_time timer_due(const struct sim *sim, const struct event *event)
{
    const struct sim_timer *timer = event->pointer;
    process_id process = sim->entity[event->to].process;
    return timer->at + (process_frozen_ns(sim, process) - timer->frozen_before_ns);
}
