/* sim/trace.h: the one stream of records, and those who watch it.
 *
 * Everything that happens is emitted once as a typed record. Fingerprints, ledger, invariants, time
 * series and the run store are observers and nothing else. The kinds belong to the model
 * (model/trace_kinds.h); the engine knows only their shape: up to TRACE_FIELDS integers whose
 * meaning (name, partition, offset, …) a table declares, so that any record can be printed,
 * stored and hashed without knowing its kind. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim/names.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_FIELDS 10

struct sim; /* the world's engine, sim/sim.h */

/* Which running hash a kind belongs to, besides `full`, which takes all. */
enum trace_class {
    TRACE_FULL = 0,
    TRACE_WORKLOAD = 1, /* arrivals, and nothing that a group or a fault can influence */
    TRACE_PROTOCOL = 2, /* group messages, states, generations, assignments */
};

enum trace_field_type {
    FIELD_NONE,
    FIELD_NAME,      /* name_id; hashed as names_hash */
    FIELD_PARTITION, /* dense partition number of the model; hashed as a count */
    FIELD_COUNT,     /* any number, -1 = unknown */
    FIELD_OFFSET,
    FIELD_TIME,     /* sim_time instant */
    FIELD_DURATION, /* nanoseconds */
    FIELD_BYTES,
    FIELD_FLAG,
    FIELD_ERROR, /* Kafka's wire value */
    FIELD_ENUM,  /* names in the kind's enum table */
    FIELD_LINE,  /* of a file; not hashed: a resolved scenario has other lines than its source */
};

struct trace_field {
    const char *name; /* as it appears in exports and in the store's documentation */
    enum trace_field_type type;
    const char *const *enum_names; /* FIELD_ENUM, shape [enum_count] */
    uint32_t enum_count;
};

struct trace_kind {
    const char *name;
    enum trace_class class;
    const char *help;
    struct trace_field fields[TRACE_FIELDS];
    uint32_t field_count;
};

/* Laid out as it is hashed: instant, kind, fields. */
struct trace_record {
    sim_time at;
    uint64_t kind_hash; /* the engine's; observers go by `kind` */
    int64_t field[TRACE_FIELDS];
    uint64_t number; /* counts records from 0 */
    uint16_t kind;
};

typedef void trace_observer(void *self, const struct trace_record *record);

struct trace;

/* `kinds` is a static table, shape [kind_count]. Before this the engine emits nothing. */
void trace_set_kinds(struct trace *trace, const struct trace_kind *kinds, uint32_t kind_count);
const struct trace_kind *trace_kind(const struct trace *trace, uint16_t kind);

/* `interest`: shape [kind_count], NULL = every kind; kept, not copied. Observers run in the order
 * added. */
void trace_observe(struct trace *trace, trace_observer *observer, void *self, const bool *interest);
/* True when somebody besides the fingerprints wants this kind. */
bool trace_is_watched(const struct trace *trace, uint16_t kind);

/* The caller brings the fields, those beyond `field_count` being zero; the rest is filled in here,
 * and the time is now. Nothing is copied: records are many and most of their cost would be that. */
void trace_emit(struct sim *sim, uint16_t kind, struct trace_record *record, uint32_t field_count);

/* TRACE(sim, KIND, a, b, c): the usual way to emit. */
#define TRACE(sim, kind_number, ...)                                                               \
    trace_emit((sim), (kind_number), &(struct trace_record){.field = {__VA_ARGS__}},               \
               (uint32_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

struct fingerprints {
    uint64_t workload;
    uint64_t protocol;
    uint64_t full;
};
/* Over everything so far. `full` covers each record and each executed event (at, phase, to, from,
 * kind). Entities, names and kinds enter by the hash of their names, so numbering is in no
 * fingerprint, and a kind that is added at the end of the table and not emitted changes nothing. */
struct fingerprints trace_fingerprints(const struct sim *sim);

#endif
