/* sim/sim.h: the engine. One struct sim is one world's clock, future, entities and trace.
 *
 * An *entity* is a thread of control with a handler: a broker, an application thread, a heartbeat
 * thread. It belongs to a *process* (which can be frozen or killed) or to none (the workload, the
 * timeline, observers of time).
 *
 * Events leave in a total order that does not depend on who scheduled first:
 * (at, phase, destination, source, sequence at that source). Destination and source count by
 * the entity's registration order, which the scenario decides. --tie-order permutes destination and
 * source at equal (at, phase); phases keep their meaning.
 *
 * A handler runs to its end; it may post events, set timers, send messages and emit records. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "sim/memory.h"
#include "sim/names.h"
#include "sim/rng.h"
#include "sim/time.h"
#include "sim/trace.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t entity_id;
typedef uint32_t process_id;
#define ENTITY_NONE  ((entity_id)0)
#define PROCESS_NONE ((process_id)0)

/* What happens first at one instant. A message that arrives exactly at a deadline beats it. */
enum sim_phase {
    PHASE_FAULT,    /* the timeline acts on the world as it stood before this instant */
    PHASE_ARRIVAL,  /* records come into being */
    PHASE_MESSAGE,  /* bytes reach a process */
    PHASE_INTERNAL, /* what a handler posted to itself or to a neighbour in its process */
    PHASE_TIMER,    /* deadlines */
    PHASE_SAMPLE,   /* observers look at the settled instant */
    PHASE_COUNT
};

/* What a handler is given. Kinds are numbered by the entity's own enum. */
struct sim_event {
    sim_time at;
    entity_id to;
    entity_id from;
    uint16_t kind;
    uint64_t number; /* meaning by kind */
    void *pointer;   /* meaning by kind; ownership passes to the handler */
};

typedef void sim_handler(struct sim *sim, void *self, const struct sim_event *event);

enum tie_order { TIE_CANONICAL, TIE_REVERSE, TIE_RANDOM };

struct sim_options {
    uint64_t seed;
    enum tie_order tie_order;
    uint64_t tie_seed;    /* TIE_RANDOM */
    bool reference_queue; /* tests: the plain heap behind the same interface */
};

struct sim *sim_new(const struct sim_options *options);
void sim_free(struct sim *sim);

struct memory *sim_memory(struct sim *sim);
struct names *sim_names(struct sim *sim);
struct trace *sim_trace(struct sim *sim);
uint64_t sim_seed(const struct sim *sim);
sim_time sim_now(const struct sim *sim);
/* rng_key(sim_seed, names_hash(name), purpose) */
struct rng_key sim_rng_key(const struct sim *sim, name_id entity, enum rng_purpose purpose);

entity_id sim_add_entity(struct sim *sim, name_id name, process_id process, sim_handler *handler,
                         void *self);
name_id sim_entity_name(const struct sim *sim, entity_id entity);
process_id sim_entity_process(const struct sim *sim, entity_id entity);

/* Fire and forget. `at` >= now; equal is allowed if `phase` is not before the running one. */
void sim_post(struct sim *sim, sim_time at, enum sim_phase phase, entity_id from, entity_id to,
              uint16_t kind, uint64_t number, void *pointer);

/* Timers. Re-arming to a later instant is cheap (heartbeats re-arm a session timer each time) and
 * leaves nothing behind. The struct lives in its owner and must be initialised once; its owner's
 * handler gets an event of `kind` with `number`. A running_time timer counts only while its
 * process runs: a GC pause in the middle of 2 s of work moves the end of the work. */
struct sim_timer {
    entity_id owner;
    uint16_t kind;
    bool running_time;
    uint64_t number;
    /* private to the engine */
    uint32_t handle;
    uint32_t generation;
    sim_time at;
    sim_time frozen_before_ns;
};

void sim_timer_init(struct sim_timer *timer, entity_id owner, uint16_t kind, uint64_t number);
void sim_timer_init_running_time(struct sim_timer *timer, entity_id owner, uint16_t kind,
                                 uint64_t number);
void sim_timer_set(struct sim *sim, struct sim_timer *timer, sim_time at);
void sim_timer_cancel(struct sim *sim, struct sim_timer *timer);
bool sim_timer_is_set(const struct sim_timer *timer);
/* SIM_TIME_NEVER when not set. */
sim_time sim_timer_at(const struct sim_timer *timer);

/* Runs events with at <= until; now is `until` afterwards. False when the future is empty. */
bool sim_run_until(struct sim *sim, sim_time until);
/* Runs at most `count` events; for progress displays and replay. Returns how many ran. */
uint64_t sim_run_events(struct sim *sim, sim_time until, uint64_t count);

struct sim_statistics {
    uint64_t events; /* executed */
    uint64_t ties;   /* executed at the same (at, phase) as the one before, other destination */
    uint64_t pending;
    uint64_t pending_max;
};
struct sim_statistics sim_statistics(const struct sim *sim);

#endif
