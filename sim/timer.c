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
    return event->generation == timer->generation && event->place != EVENT_FREE ? event : NULL;
}

void sim_timer_set(struct sim *sim, struct sim_timer *timer, sim_time at)
{
    if (at == SIM_TIME_NEVER) {
        sim_timer_cancel(sim, timer);
        return;
    }
    if (at < sim->now) at = sim->now; /* a deadline that has passed is due */
    entity_id owner = timer->owner;
    CHECK(owner != ENTITY_NONE && owner < sim->entity_count);
    CHECK(at > sim->now || sim->phase <= PHASE_TIMER);
    timer->at = at;
    if (timer->running_time) {
        timer->frozen_before_ns = process_frozen_ns(sim, sim->entity[owner].process);
    }
    uint64_t tie = sim_tie(sim, at, PHASE_TIMER, owner, owner);
    uint64_t sequence = sim_sequence(sim, owner, owner);

    struct event *event = record(sim, timer);
    uint32_t index = timer->handle;
    if (event != NULL && event->place != EVENT_HELD) {
        index = event_queue_move(&sim->queue, index, at, tie, sequence);
    } else {
        if (event != NULL) {
            process_unhold(sim, index);
        } else {
            index = event_queue_take(&sim->queue);
        }
        event = &sim->queue.event[index];
        event->at = at;
        event->tie = tie;
        event->sequence = sequence;
        event->number = timer->number;
        event->pointer = timer;
        event->to = owner;
        event->from = owner;
        event->kind = timer->kind;
        event->is_timer = true;
        event->is_running_time = timer->running_time;
        event_queue_insert(&sim->queue, index);
    }
    timer->handle = index;
    timer->generation = sim->queue.event[index].generation;
}

void sim_timer_cancel(struct sim *sim, struct sim_timer *timer)
{
    struct event *event = record(sim, timer);
    uint32_t index = timer->handle;
    timer->handle = 0;
    timer->at = SIM_TIME_NEVER;
    if (event == NULL) return;
    if (event->place == EVENT_HELD) {
        process_unhold(sim, index);
        event_queue_give(&sim->queue, index);
    } else {
        event_queue_cancel(&sim->queue, index);
    }
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
