/* tools/run.h: one run of a scenario, in steps, and the figures that come out of it.
 *
 * Builds the world and what watches it: checkers, ledger, the series of each group and, when there
 * is one, the store. `cohort run` shows it, `replay` compares it, `compare` makes many. */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "model/checkers.h"
#include "model/scenario.h"
#include "model/world.h"
#include "tools/store.h"

struct run;

struct run_options {
    uint64_t seed;
    enum tie_order tie_order;
    uint64_t tie_seed;
    bool watch_groups; /* checks inside the coordinators: slower, for tests */
};

/* "canonical", "reverse", "random:7"; false when it is none of these. */
bool run_tie_order_parse(const char *text, struct run_options *options);
/* The same text back, in a buffer of at least 32 bytes. */
void run_tie_order_format(const struct run_options *options, char *text);

/* The scenario must outlive the run. */
struct run *run_new(const struct scenario *scenario, const struct run_options *options);
void run_free(struct run *run);

/* What a store of this run needs to know; the path is the caller's. */
struct store_options run_store_options(struct run *run, const char *path, enum store_events events);
/* From here on the store is told everything; call it before the first step. */
void run_attach_store(struct run *run, struct store *store);

struct sim *run_sim(struct run *run);

/* Runs at most `events` events. False: the end is reached. */
bool run_step(struct run *run, uint64_t events);

/* For the progress display: the group that needs attention most, and how it is. */
struct run_glimpse {
    sim_time now;
    uint64_t events;
    const char *group; /* NULL = there are no groups */
    const char *state;
    int64_t lag_records; /* of all groups */
};
struct run_glimpse run_glimpse(const struct run *run);

struct run_point {
    sim_time at;
    int64_t lag_records; /* summed over the group's partitions */
    sim_time lag_ns;     /* of the partition furthest behind */
    int64_t members;     /* whom the coordinator knows */
};

struct run_group {
    const char *name;
    struct ledger_group ledger;
    struct ledger_anomalies anomalies;
    const struct finding_totals *findings;
    int64_t processed_once; /* distinct records: the ledger's processings less the repeats */
    const struct run_point *points; /* shape [point_count], one per sample step */
    size_t point_count;
};

/* Closes the books; figures are final afterwards. Writes findings into the store. */
void run_finish(struct run *run);
/* `group` counts as in the scenario. The pointers live as long as the run. */
void run_group(const struct run *run, int32_t group, struct run_group *out);

/* Likewise. */
void run_producer(const struct run *run, int32_t producer, struct ledger_producer *out);

const struct scenario *run_scenario(const struct run *run);
const struct run_options *run_options(const struct run *run);
const struct checkers *run_checkers(const struct run *run);
const struct ledger *run_ledger(const struct run *run);
struct fingerprints run_fingerprints(const struct run *run);
struct sim_statistics run_statistics(const struct run *run);
uint64_t run_records(const struct run *run);
/* Text of a name of this run's world. */
const char *run_name(const struct run *run, name_id name);

/* The metric of the `expect:` line or term by name: false when the run does not tell it.
 * An expect_lookup (tools/expect.h) whose context is a const struct run. */
struct expect_term;
bool run_lookup(void *run, const struct expect_term *term, double *value);

#endif
