/* sim/internal.h: the engine's own records, shared by sim.c, timer.c, process.c, network.c,
 * trace.c. Nothing outside sim/ includes this. */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "sim/check.h"
#include "sim/event_wheel.h"
#include "sim/fingerprint.h"
#include "sim/process.h"
#include "sim/sim.h"

/* One cache line: executing an event touches this and the event's own record, nothing else. */
struct entity {
    sim_handler *handler;
    void *self;
    uint64_t sequence; /* of the next event from here */
    uint64_t name_hash;
    name_id name;
    process_id process;
    uint32_t epoch; /* of its process: rises at each kill; events of an older one are dropped */
    uint32_t next_in_process;
    uint8_t state; /* enum process_state of its process */
    uint8_t unused[15];
};

struct process {
    name_id name;
    uint32_t host;
    enum process_state state;
    uint32_t incarnation;
    uint32_t epoch;
    uint32_t freeze_depth;
    entity_id first_entity, last_entity;
    uint32_t first_held, last_held; /* events waiting for the thaw, in order */
    uint32_t first_connection;      /* the network's */
    uint32_t connection_count;
    uint32_t slowdown_milli;
    int32_t clock_drift_ppm;
    sim_time clock_offset_ns;
    sim_time clock_set_at;
    sim_time frozen_at;       /* while frozen */
    sim_time frozen_total_ns; /* of freezes that ended */
};

struct host {
    name_id name;
    bool is_down;
};

/* What the network does with events and deaths; all NULL while a world has no network. */
struct network_hooks {
    struct network *network;
    /* Bytes reach the host, whatever its process does. False: the event went no further. */
    bool (*arrive)(struct network *network, struct event *event);
    /* The process reads them. False: the event is void. */
    bool (*deliver)(struct network *network, struct event *event);
    /* An event will never be delivered. */
    void (*drop)(struct network *network, struct event *event);
    void (*process_died)(struct network *network, process_id process, bool with_host);
    void (*host_started)(struct network *network, process_id process);
};

struct trace {
    struct fingerprint full, workload, protocol;
    uint64_t record_count;
    const struct trace_kind *kinds;
    struct kind_watch *watch; /* shape [kind_count] */
    struct trace_watcher *watchers;
    uint32_t kind_count;
    uint32_t watcher_count;
    struct names *names;
    struct memory *memory;
};

struct sim {
    struct event_queue queue;
    sim_time now;
    enum sim_phase phase;  /* of the event being executed; PHASE_FAULT between runs */
    struct entity *entity; /* shape [entity_capacity] */
    struct trace trace;
    struct network_hooks network;
    struct sim_statistics statistics;
    sim_time last_at; /* of the event executed before, to count ties */
    enum sim_phase last_phase;
    entity_id last_to;
    struct process *process; /* shape [process_capacity]; 0 is "no process" and always runs */
    struct host *host;
    uint32_t *host_by_name; /* shape [host_by_name_count], by name_id; 0 = none */
    uint32_t host_by_name_count;
    uint32_t entity_count, entity_capacity;
    uint32_t process_count, process_capacity;
    uint32_t host_count, host_capacity;
    uint32_t hosts_down;
    struct sim_options options;
    struct rng_key tie_key;
    struct memory *memory;
    struct names *names;
};

/* tie: phase (3 bits), fresh (1), destination (30), source (30). Events held by a freeze are not
 * fresh: they go before what arrives at the instant of the thaw, as bytes in a socket do. */
#define TIE_ENTITY_BITS 30u
#define TIE_ENTITY_MASK ((UINT64_C(1) << TIE_ENTITY_BITS) - 1)
#define TIE_FRESH       (UINT64_C(1) << 60)
#define TIE_PHASE_SHIFT 61u

/* sequence: at the source (44 bits), epoch of the destination (20 bits). */
#define SEQUENCE_EPOCH_BITS 20u
#define SEQUENCE_EPOCH_MASK ((1u << SEQUENCE_EPOCH_BITS) - 1)

/* TIE_REVERSE and TIE_RANDOM. */
uint64_t sim_permuted_tie(const struct sim *sim, sim_time at, enum sim_phase phase, entity_id to,
                          entity_id from);
static inline uint64_t sim_canonical_tie(enum sim_phase phase, entity_id to, entity_id from)
{
    return (uint64_t)phase << TIE_PHASE_SHIFT | TIE_FRESH | (uint64_t)to << TIE_ENTITY_BITS | from;
}

static inline uint64_t sim_tie(const struct sim *sim, sim_time at, enum sim_phase phase,
                               entity_id to, entity_id from)
{
    if (sim->options.tie_order == TIE_CANONICAL) return sim_canonical_tie(phase, to, from);
    return sim_permuted_tie(sim, at, phase, to, from);
}

/* Takes the next number of `from`. */
static inline uint64_t sim_sequence(struct sim *sim, entity_id from, entity_id to)
{
    uint64_t number = sim->entity[from].sequence++;
    return number << SEQUENCE_EPOCH_BITS | sim->entity[to].epoch;
}

static inline enum sim_phase event_phase(const struct event *event)
{
    return (enum sim_phase)(event->tie >> TIE_PHASE_SHIFT);
}

/* When this running-time timer is really due: it waits for the time its process was frozen since it
 * was set. */
sim_time timer_due(const struct sim *sim, const struct event *event);

/* An event for a frozen process waits for the thaw. */
void process_hold(struct sim *sim, uint32_t index);
void process_unhold(struct sim *sim, uint32_t index);
struct process *process_get(const struct sim *sim, process_id process);

void trace_init(struct trace *trace, struct memory *memory, struct names *names);

#endif
