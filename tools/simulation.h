/* tools/simulation.h: one run of a scenario, from its world to its figures.
 *
 * What `run`, `test`, `compare`, `replay` and the tests have in common: a world with its checkers
 * and ledger, a series of samples per group, and the judgement of `expect:` lines. Whoever wants
 * more of the run (the store) observes the trace. */
#ifndef TOOLS_SIMULATION_H
#define TOOLS_SIMULATION_H

#include "model/checkers.h"
#include "model/world.h"
#include "tools/expect.h"

struct simulation;

struct simulation_options {
    uint64_t seed;
    enum tie_order tie_order;
    uint64_t tie_seed;
    /* expect: lines are only judged if samples are kept. */
    bool keep_samples;
};

/* The scenario must outlive the simulation. */
struct simulation *simulation_new(const struct scenario *scenario,
                                  const struct simulation_options *options);
void simulation_free(struct simulation *simulation);

struct world *simulation_world(struct simulation *simulation);
struct ledger *simulation_ledger(struct simulation *simulation);
struct checkers *simulation_checkers(struct simulation *simulation);

/* Runs to the end of the scenario, or until `go_on` says no; it is asked now and then (NULL = run
 * through). True when the end was reached; the figures are final then. */
typedef bool simulation_progress(void *context, struct simulation *simulation);
bool simulation_run(struct simulation *simulation, simulation_progress *go_on, void *context);

struct fingerprints simulation_fingerprints(struct simulation *simulation);
struct sim_statistics simulation_statistics(struct simulation *simulation);

/* What a group looked like at each step of the time series. */
struct group_sample {
    sim_time at;
    int64_t lag_records;
    sim_time lag_ns; /* of the partition furthest behind */
    int64_t members;
};
const struct group_sample *simulation_samples(const struct simulation *simulation, int32_t group,
                                              size_t *count);

/* The value of a metric of `expect:` after the run; an expect_lookup with the simulation as
 * context. */
bool simulation_lookup(void *simulation, const struct expect_term *term, double *value);

#endif
