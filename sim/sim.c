#include "sim/internal.h"

#include <assert.h>

static_assert(sizeof(struct entity) == ENTITY_BYTES, "an entity fills one cache line");

#define FIRST_ENTITY_CAPACITY  512u
#define FIRST_PROCESS_CAPACITY 64u

struct sim *sim_new(const struct sim_options *options)
{
    struct memory *memory = memory_new();
    struct sim *sim = memory_keep(memory, sizeof *sim);
    sim->options = *options;
    sim->memory = memory;
    sim->names = names_new(memory);
    sim->tie_key = rng_key(options->tie_seed, 0, RNG_TIE);
    event_queue_init(&sim->queue, memory, options->reference_queue);
    trace_init(&sim->trace, memory, sim->names);

    sim->entity_capacity = FIRST_ENTITY_CAPACITY;
    sim->entity = memory_take(memory, sim->entity_capacity * sizeof *sim->entity);
    sim->queue.entities = sim->entity;
    sim->entity_count = 1;
    sim->process_capacity = FIRST_PROCESS_CAPACITY;
    sim->process = memory_take(memory, sim->process_capacity * sizeof *sim->process);
    sim->process[PROCESS_NONE] = (struct process){.state = PROCESS_RUNNING, .slowdown_milli = 1000};
    sim->process_count = 1;
    sim->host_count = 1; /* 0: of processes that have none */
    sim->host_capacity = 16;
    sim->host = memory_take(memory, sim->host_capacity * sizeof *sim->host);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim != NULL) memory_free_all(sim->memory);
}

struct memory *sim_memory(struct sim *sim)
{
    return sim->memory;
}

struct names *sim_names(struct sim *sim)
{
    return sim->names;
}

struct trace *sim_trace(struct sim *sim)
{
    return &sim->trace;
}

uint64_t sim_seed(const struct sim *sim)
{
    return sim->options.seed;
}

sim_time sim_now(const struct sim *sim)
{
    return sim->now;
}

struct rng_key sim_rng_key(const struct sim *sim, name_id entity, enum rng_purpose purpose)
{
    return rng_key(sim->options.seed, names_hash(sim->names, entity), purpose);
}

entity_id sim_add_entity(struct sim *sim, name_id name, process_id process, sim_handler *handler,
                         void *self)
{
    CHECK(process < sim->process_count && handler != NULL);
    CHECK(sim->entity_count < TIE_ENTITY_MASK);
    if (sim->entity_count == sim->entity_capacity) {
        size_t size = sim->entity_capacity * sizeof *sim->entity;
        sim->entity = memory_resize(sim->memory, sim->entity, size, 2 * size);
        sim->entity_capacity *= 2;
        sim->queue.entities = sim->entity;
    }
    struct process *home = &sim->process[process];
    entity_id id = sim->entity_count++;
    sim->entity[id] = (struct entity){
        .handler = handler,
        .self = self,
        .name_hash = names_hash(sim->names, name),
        .name = name,
        .process = process,
        .epoch = home->epoch,
        .state = (uint8_t)home->state,
    };
    if (home->first_entity == ENTITY_NONE) {
        home->first_entity = id;
    } else {
        sim->entity[home->last_entity].next_in_process = id;
    }
    home->last_entity = id;
    return id;
}

name_id sim_entity_name(const struct sim *sim, entity_id entity)
{
    CHECK(entity < sim->entity_count);
    return sim->entity[entity].name;
}

process_id sim_entity_process(const struct sim *sim, entity_id entity)
{
    CHECK(entity < sim->entity_count);
    return sim->entity[entity].process;
}

/* A permutation of the entity numbers, another one for each word: every step can be undone. */
static uint64_t permuted(uint64_t entity, uint64_t word)
{
    entity = (entity * (word | 1) + (word >> 32)) & TIE_ENTITY_MASK;
    entity ^= entity >> 15;
    entity = (entity * ((word >> 16) | 1)) & TIE_ENTITY_MASK;
    return entity ^ entity >> 13;
}

uint64_t sim_permuted_tie(const struct sim *sim, sim_time at, enum sim_phase phase, entity_id to,
                          entity_id from)
{
    uint64_t destination = TIE_ENTITY_MASK - to;
    uint64_t source = TIE_ENTITY_MASK - from;
    if (sim->options.tie_order == TIE_RANDOM) {
        uint64_t word = rng_u64(&sim->tie_key, (uint64_t)at);
        destination = permuted(to, word);
        source = permuted(from, word);
    }
    return (uint64_t)phase << TIE_PHASE_SHIFT | TIE_FRESH | destination << TIE_ENTITY_BITS | source;
}

static inline void post(struct sim *sim, uint32_t index, uint64_t tie, sim_time at, entity_id from,
                        entity_id to, uint16_t kind, uint64_t number, void *pointer)
{
    struct event *event = &sim->queue.event[index];
    event->at = at;
    event->tie = tie;
    event->sequence = sim_sequence(sim, from, to);
    event->number = number;
    event->pointer = pointer;
    event->to = to;
    event->from = from;
    event->kind = kind;
    event->flags = 0;
    event_queue_insert(&sim->queue, index);
}

/* When a record has to be made first or ties are permuted. Apart, so that the usual way is a leaf.
 */
__attribute__((noinline)) static void post_rare(struct sim *sim, sim_time at, enum sim_phase phase,
                                                entity_id from, entity_id to, uint16_t kind,
                                                uint64_t number, void *pointer)
{
    uint32_t index = event_queue_take(&sim->queue);
    post(sim, index, sim_tie(sim, at, phase, to, from), at, from, to, kind, number, pointer);
}

void sim_post(struct sim *sim, sim_time at, enum sim_phase phase, entity_id from, entity_id to,
              uint16_t kind, uint64_t number, void *pointer)
{
    CHECK(at > sim->now || (at == sim->now && phase >= sim->phase));
    CHECK(from < sim->entity_count && to - 1 < sim->entity_count - 1);
    uint32_t index = sim->queue.free;
    if (index == 0 || sim->options.tie_order != TIE_CANONICAL) {
        post_rare(sim, at, phase, from, to, kind, number, pointer);
        return;
    }
    sim->queue.free = sim->queue.event[index].next;
    post(sim, index, sim_canonical_tie(phase, to, from), at, from, to, kind, number, pointer);
}

/* Hands a loose record to its handler. The record is free before the handler runs, so that what the
 * handler posts lies in the warm line. */
__attribute__((always_inline)) static inline void execute(struct sim *sim, uint32_t index,
                                                          const struct event *event)
{
    const struct entity *to = &sim->entity[event->to];
    enum sim_phase phase = event_phase(event);
    bool is_timer = (event->flags & EVENT_TIMER) != 0;
    fingerprint_add(&sim->trace.full, (uint64_t)event->at, to->name_hash,
                    sim->entity[event->from].name_hash, (uint64_t)phase << 16 | event->kind);
    if (event->at == sim->last_at && phase == sim->last_phase && event->to != sim->last_to) {
        sim->statistics.ties++;
    }
    sim->last_at = event->at;
    sim->last_phase = phase;
    sim->last_to = event->to;
    sim->statistics.events++;

    struct sim_event handed = {
        .at = event->at,
        .to = event->to,
        .from = event->from,
        .kind = event->kind,
        .number = event->number,
        .pointer = is_timer ? NULL : event->pointer,
    };
    if (is_timer) {
        struct sim_timer *timer = event->pointer;
        CHECK(timer->handle == index && timer->generation == event->generation);
        timer->handle = 0;
        timer->at = SIM_TIME_NEVER;
    }
    event_queue_give(&sim->queue, index);
    to->handler(sim, to->self, &handed);
}

/* Network events go by the state of host and connection, not by the epoch they were sent in: what
 * was sent to the old incarnation may knock at the new one's host. */
__attribute__((noinline)) static bool step_network(struct sim *sim, uint32_t index)
{
    struct event event = sim->queue.event[index]; /* the hooks may post and so move the records */
    struct network_hooks *hooks = &sim->network;
    CHECK(hooks->network != NULL);
    if (!hooks->arrive(hooks->network, &event)) {
        event_queue_give(&sim->queue, index);
        return false;
    }
    if (sim->entity[event.to].state == PROCESS_FROZEN) {
        sim->queue.event[index].kind = event.kind;
        sim->queue.event[index].number = event.number;
        process_hold(sim, index);
        return false;
    }
    if (!hooks->deliver(hooks->network, &event)) {
        event_queue_give(&sim->queue, index);
        return false;
    }
    execute(sim, index, &event);
    return true;
}

/* True when a handler ran. */
static inline bool step(struct sim *sim, uint32_t index)
{
    struct event *event = &sim->queue.event[index];
    const struct entity *to = &sim->entity[event->to];
    sim->now = event->at;
    sim->phase = event_phase(event);
    if (event->kind >= EVENT_KIND_NETWORK) return step_network(sim, index);

    if ((event->sequence & SEQUENCE_EPOCH_MASK) != to->epoch || to->state == PROCESS_DEAD) {
        event_queue_give(&sim->queue, index);
        return false;
    }
    if (to->state == PROCESS_FROZEN) {
        process_hold(sim, index);
        return false;
    }
    if ((event->flags & EVENT_RUNNING_TIME) != 0) {
        sim_time due = timer_due(sim, event);
        if (due > event->at) {
            event->at = due;
            event->tie = sim_tie(sim, due, PHASE_TIMER, event->to, event->from);
            event_queue_insert(&sim->queue, index);
            return false;
        }
    }
    execute(sim, index, event);
    return true;
}

uint64_t sim_run_events(struct sim *sim, sim_time until, uint64_t count)
{
    CHECK(until >= sim->now);
    uint64_t ran = 0;
    while (ran < count) {
        uint32_t index = event_queue_pop(&sim->queue, until);
        if (index == 0) {
            /* Whoever stands outside may act at `until` in any phase. */
            sim->now = until;
            sim->phase = PHASE_FAULT;
            break;
        }
        ran += step(sim, index);
    }
    return ran;
}

bool sim_run_until(struct sim *sim, sim_time until)
{
    sim_run_events(sim, until, UINT64_MAX);
    return sim->queue.pending > 0;
}

struct sim_statistics sim_statistics(const struct sim *sim)
{
    struct sim_statistics statistics = sim->statistics;
    statistics.pending = sim->queue.pending;
    statistics.pending_max = sim->queue.pending_max;
    return statistics;
}
