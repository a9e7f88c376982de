#include "sim/process.h"

#include "sim/internal.h"

struct process *process_get(const struct sim *sim, process_id process)
{
    CHECK(process != PROCESS_NONE && process < sim->process_count);
    return &sim->process[process];
}

/* The number of a host by its name, a new one at first sight. Processes without a host name each
 * have a nameless host of their own. */
static uint32_t host_number(struct sim *sim, name_id name)
{
    if (name != NAME_NONE && name < sim->host_by_name_count && sim->host_by_name[name] != 0) {
        return sim->host_by_name[name];
    }
    if (sim->host_count == sim->host_capacity) {
        size_t size = sim->host_capacity * sizeof *sim->host;
        sim->host = memory_resize(sim->memory, sim->host, size, 2 * size);
        sim->host_capacity *= 2;
    }
    uint32_t host = sim->host_count++;
    sim->host[host] = (struct host){.name = name};
    if (name >= sim->host_by_name_count) {
        uint32_t count = 2 * (name + 1);
        sim->host_by_name = memory_resize(sim->memory, sim->host_by_name,
                                          sim->host_by_name_count * sizeof *sim->host_by_name,
                                          count * sizeof *sim->host_by_name);
        sim->host_by_name_count = count;
    }
    if (name != NAME_NONE) sim->host_by_name[name] = host;
    return host;
}

process_id process_add(struct sim *sim, name_id name, name_id host)
{
    if (sim->process_count == sim->process_capacity) {
        size_t size = sim->process_capacity * sizeof *sim->process;
        sim->process = memory_resize(sim->memory, sim->process, size, 2 * size);
        sim->process_capacity *= 2;
    }
    process_id id = sim->process_count++;
    sim->process[id] = (struct process){
        .name = name,
        .host = host_number(sim, host),
        .state = PROCESS_DEAD,
        .slowdown_milli = 1000,
    };
    return id;
}

name_id process_name(const struct sim *sim, process_id process)
{
    return process_get(sim, process)->name;
}

enum process_state process_state(const struct sim *sim, process_id process)
{
    CHECK(process < sim->process_count);
    return sim->process[process].state;
}

uint32_t process_incarnation(const struct sim *sim, process_id process)
{
    return process_get(sim, process)->incarnation;
}

/* The one way to change a state: entities carry a copy, so that delivery looks at one line only. */
static void set_state(struct sim *sim, struct process *process, enum process_state state)
{
    process->state = state;
    for (entity_id id = process->first_entity; id != ENTITY_NONE;
         id = sim->entity[id].next_in_process) {
        sim->entity[id].state = (uint8_t)state;
        sim->entity[id].epoch = process->epoch;
    }
}

static void start_host(struct sim *sim, uint32_t host)
{
    if (!sim->host[host].is_down) return;
    sim->host[host].is_down = false;
    sim->hosts_down--;
    if (sim->network.network == NULL) return;
    for (process_id id = 1; id < sim->process_count; id++) {
        if (sim->process[id].host == host) sim->network.host_started(sim->network.network, id);
    }
}

void process_start(struct sim *sim, process_id process)
{
    struct process *started = process_get(sim, process);
    CHECK(started->state == PROCESS_DEAD);
    start_host(sim, started->host);
    started->incarnation++;
    set_state(sim, started, PROCESS_RUNNING);
}

static void kill_one(struct sim *sim, process_id id, bool with_host)
{
    struct process *process = process_get(sim, id);
    if (process->state == PROCESS_DEAD) return;
    if (process->state == PROCESS_FROZEN) {
        process->frozen_total_ns += sim->now - process->frozen_at;
        process->freeze_depth = 0;
    }
    process->epoch++;
    CHECK(process->epoch <= SEQUENCE_EPOCH_MASK);
    set_state(sim, process, PROCESS_DEAD);
    while (process->first_held != 0) {
        uint32_t index = process->first_held;
        struct event *event = &sim->queue.event[index];
        if (event->kind >= EVENT_KIND_NETWORK) sim->network.drop(sim->network.network, event);
        process_unhold(sim, index);
        event_queue_give(&sim->queue, index);
    }
    if (sim->network.network != NULL) {
        sim->network.process_died(sim->network.network, id, with_host);
    }
}

void process_kill(struct sim *sim, process_id process)
{
    kill_one(sim, process, false);
}

void host_kill(struct sim *sim, name_id host)
{
    uint32_t number = host_number(sim, host);
    CHECK(host != NAME_NONE);
    if (!sim->host[number].is_down) sim->hosts_down++;
    sim->host[number].is_down = true;
    for (process_id id = 1; id < sim->process_count; id++) {
        if (sim->process[id].host == number) kill_one(sim, id, true);
    }
}

void host_start(struct sim *sim, name_id host)
{
    CHECK(host != NAME_NONE);
    start_host(sim, host_number(sim, host));
}

bool host_is_up(const struct sim *sim, name_id host)
{
    if (host >= sim->host_by_name_count) return true;
    return !sim->host[sim->host_by_name[host]].is_down;
}

void process_freeze(struct sim *sim, process_id process)
{
    struct process *frozen = process_get(sim, process);
    if (frozen->state == PROCESS_DEAD) return;
    if (frozen->freeze_depth++ > 0) return;
    frozen->frozen_at = sim->now;
    set_state(sim, frozen, PROCESS_FROZEN);
}

/* Appends; what is held stays in the order in which it would have been executed. */
void process_hold(struct sim *sim, uint32_t index)
{
    struct event *event = &sim->queue.event[index];
    struct process *process = &sim->process[sim->entity[event->to].process];
    event->flags |= EVENT_HELD;
    event->next = 0;
    event->prev = process->last_held;
    if (process->last_held == 0) {
        process->first_held = index;
    } else {
        sim->queue.event[process->last_held].next = index;
    }
    process->last_held = index;
}

void process_unhold(struct sim *sim, uint32_t index)
{
    struct event *event = &sim->queue.event[index];
    struct process *process = &sim->process[sim->entity[event->to].process];
    CHECK((event->flags & EVENT_HELD) != 0);
    event->flags &= (uint16_t)~EVENT_HELD;
    if (event->prev == 0) {
        process->first_held = event->next;
    } else {
        sim->queue.event[event->prev].next = event->next;
    }
    if (event->next == 0) {
        process->last_held = event->prev;
    } else {
        sim->queue.event[event->next].prev = event->prev;
    }
}

/* Puts a held event back into the future. What was due is due now, in the order it was held: as if
 * the process's first entity had posted it to itself, before anything that arrives now. */
static void release(struct sim *sim, const struct process *process, uint32_t index)
{
    process_unhold(sim, index);
    struct event *event = &sim->queue.event[index];
    sim_time due = (event->flags & EVENT_RUNNING_TIME) != 0 ? timer_due(sim, event) : event->at;
    if (due > sim->now) {
        event->at = due;
        event->tie = sim_tie(sim, due, PHASE_TIMER, event->to, event->from);
    } else {
        enum sim_phase phase = event_phase(event);
        if (phase < PHASE_TIMER) phase = PHASE_MESSAGE;
        if (phase < sim->phase) phase = sim->phase;
        event->at = sim->now;
        event->tie = sim_tie(sim, sim->now, phase, process->first_entity, process->first_entity) &
                     ~TIE_FRESH;
        event->sequence = sim_sequence(sim, process->first_entity, event->to);
    }
    event_queue_insert(&sim->queue, index);
}

void process_thaw(struct sim *sim, process_id id)
{
    struct process *process = process_get(sim, id);
    if (process->state != PROCESS_FROZEN || --process->freeze_depth > 0) return;
    process->frozen_total_ns += sim->now - process->frozen_at;
    set_state(sim, process, PROCESS_RUNNING);
    uint32_t next;
    for (uint32_t index = process->first_held; index != 0; index = next) {
        next = sim->queue.event[index].next;
        if (event_phase(&sim->queue.event[index]) < PHASE_TIMER) release(sim, process, index);
    }
    while (process->first_held != 0)
        release(sim, process, process->first_held);
}

sim_time process_frozen_ns(const struct sim *sim, process_id id)
{
    const struct process *process = &sim->process[id];
    sim_time frozen_ns = process->frozen_total_ns;
    if (process->state == PROCESS_FROZEN) frozen_ns += sim->now - process->frozen_at;
    return frozen_ns;
}

void process_set_slowdown_milli(struct sim *sim, process_id process, uint32_t slowdown_milli)
{
    process_get(sim, process)->slowdown_milli = slowdown_milli;
}

/* value * numerator / denominator, rounded to zero, without overflow on the way. */
static sim_time scaled(sim_time value, int64_t numerator, int64_t denominator)
{
    return value / denominator * numerator + value % denominator * numerator / denominator;
}

sim_time process_cpu_ns(const struct sim *sim, process_id process, sim_time work_ns)
{
    CHECK(process < sim->process_count && work_ns >= 0);
    uint32_t slowdown_milli = sim->process[process].slowdown_milli;
    return slowdown_milli == 1000 ? work_ns : scaled(work_ns, slowdown_milli, 1000);
}

void process_set_clock(struct sim *sim, process_id process, sim_time offset_ns, int32_t drift_ppm)
{
    struct process *clock = process_get(sim, process);
    clock->clock_offset_ns = offset_ns;
    clock->clock_drift_ppm = drift_ppm;
    clock->clock_set_at = sim->now;
}

sim_time process_clock(const struct sim *sim, process_id process, sim_time at)
{
    CHECK(process < sim->process_count);
    const struct process *clock = &sim->process[process];
    if (clock->clock_drift_ppm == 0) return at + clock->clock_offset_ns;
    return at + clock->clock_offset_ns +
           scaled(at - clock->clock_set_at, clock->clock_drift_ppm, 1000000);
}
