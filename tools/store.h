/* tools/store.h: the run store, run.db: writing.
 *
 * One SQLite file holds what reports read: they never look at the model. It is an observer of the
 * trace, and every table says in the file itself what it holds (`select * from schema_notes`).
 *
 *   run           one row: scenario text, seed, version, duration, fingerprints, counts
 *   kinds, kind_fields, enum_values, errors    what the columns of `events` mean
 *   names, partitions                          numbers in `events` -> text
 *   events        number, at_ns, kind, f0..f9: the trace records that were kept
 *   event_KIND    a view per kind: named columns, names, partitions and enums as text
 *   series        per sample step, group and partition: offsets, lag, owner
 *   intervals     ownership and rebalances, with begin and end
 *   anomalies     what the ledger found and attributed: duplicates, skipped, lost, zombie work, …
 *   summary       every figure of summary.json, one per row
 *   checkpoints   the three fingerprints every 2^16 records, for `replay`
 *
 * Which kinds are kept is a choice that no fingerprint depends on. Bulk kinds (requests, batches,
 * polls: the number grows with traffic) are by default kept up to a limit per kind; `kinds` says
 * how many there were, how many are kept and until when, so a report can tell. What a report needs
 * beyond that limit is in `series`.
 *
 * Memory does not grow with the run. The first error (disk full …) is kept, later records are
 * dropped, and store_error tells. */
#ifndef TOOLS_STORE_H
#define TOOLS_STORE_H

#include "model/trace_kinds.h"
#include "sim/names.h"
#include "sim/sim.h"
#include "sim/trace.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_FORMAT            2
#define STORE_CHECKPOINT_EVERY  (UINT64_C(1) << 16)
#define STORE_BULK_LIMIT        UINT64_C(20000)
#define STORE_PARTITION_UNKNOWN INT64_C(-1)

#define STORE_EVENTS(X)                                                                            \
    X(BOUNDED, "bounded") /* all of the groups' story, bulk kinds up to STORE_BULK_LIMIT each */   \
    X(ALL, "all")                                                                                  \
    X(GROUPS, "groups") /* no bulk kinds */                                                        \
    X(NONE, "none")

enum store_events {
#define X(name, text) STORE_EVENTS_##name,
    STORE_EVENTS(X)
#undef X
        STORE_EVENTS_COUNT
};
const char *store_events_name(enum store_events events);
bool store_events_find(const char *name, enum store_events *events);

struct store_options {
    const char *path; /* of a file that does not exist yet */
    enum store_events events;
    const struct names *names;
    /* Text of a PARTITION_ID ("payments-0"); NULL: no partition is named. */
    name_id (*partition_name)(void *self, uint32_t partition);
    void *partition_name_self;
    const struct sim *sim; /* whose fingerprints the checkpoints take; NULL: no checkpoints */
};

struct store;

/* NULL, and the reason in `error` (to be freed by free()), when the file cannot be made. */
struct store *store_create(const struct store_options *options, char **error);
/* A trace_observer. */
void store_observe(void *store, const struct trace_record *record);
/* NULL while all is well; otherwise what went wrong, in words. Valid as long as the store. */
const char *store_error(const struct store *store);

/* Which records are kept; `replay` walks along a store with one of these. Zero-initialised but for
 * `events`; ask once per record, in order. */
struct store_filter {
    enum store_events events;
    uint64_t emitted[TRACE_KIND_COUNT];
    uint64_t kept[TRACE_KIND_COUNT];
    uint64_t errors_kept[TRACE_KIND_COUNT]; /* of bulk kinds: failures have a bound of their own */
};
bool store_filter_keeps(struct store_filter *filter, const struct trace_record *record);

/* One line of the time series. -1 = unknown or none, NAME_NONE = nobody. */
struct store_sample {
    int64_t step;
    sim_time at;
    name_id group;
    uint32_t partition;
    int64_t log_start_offset;
    int64_t log_end_offset;
    int64_t next_offset;
    int64_t committed_offset;
    int64_t lag_records;
    sim_time lag_ns;
    name_id owner;
};
void store_add_sample(struct store *store, const struct store_sample *sample);

/* `what`: ownership, rebalance (the group is not Stable), forming (its first way there). */
struct store_interval {
    const char *what;
    name_id group;
    int64_t partition; /* PARTITION_ID or STORE_PARTITION_UNKNOWN */
    name_id member;
    sim_time begin_at;
    sim_time end_at;
    int64_t generation;
    const char *detail; /* cause; NULL = none */
};
void store_add_interval(struct store *store, const struct store_interval *interval);

struct store_anomaly {
    const char *what; /* duplicate, skipped, lost, zombie, … (model/findings.h) */
    name_id group;
    int64_t partition; /* PARTITION_ID or STORE_PARTITION_UNKNOWN */
    int64_t begin_offset;
    int64_t end_offset; /* exclusive */
    sim_time at;
    name_id member; /* who did it */
    name_id other;  /* who had it before; NAME_NONE = nobody */
    const char *detail;
    int64_t records; /* partitions of unnecessary move and imbalance, 1 of cascade */
};
void store_add_anomaly(struct store *store, const struct store_anomaly *anomaly);

/* "groups.payments.rebalances" -> "15" (text as in summary.json). */
void store_add_summary(struct store *store, const char *path, const char *value);

/* What `run` holds. Strings are borrowed. */
struct store_run {
    const char *version;
    const char *scenario_name;
    const char *scenario_text; /* resolved: running it again needs nothing else */
    uint64_t seed;
    const char *tie_order; /* as --tie-order takes it */
    sim_time duration_ns;  /* reached: less than the scenario's when a run was cut short */
    sim_time sample_ns;
    uint64_t engine_events;
    uint64_t records; /* trace records emitted */
    struct fingerprints fingerprints;
};
/* Closes open intervals, indexes, writes `run`, closes the file. False: the reason in `error` (to
 * be freed by free()). Frees the store either way. */
bool store_finish(struct store *store, const struct store_run *run, char **error);
/* Closes without finishing and frees; the file is of no use. */
void store_abandon(struct store *store);

#endif
