/* model/world.h: one self-contained world, built from a scenario, run on a clock of its own.
 *
 * No globals: many worlds can run in one process. A world touches no file; what happens in it
 * leaves by its trace. Build it, add observers, run it, free it. */
#ifndef MODEL_WORLD_H
#define MODEL_WORLD_H

#include "model/scenario.h"
#include "sim/sim.h"

struct world;

struct world_options {
    uint64_t seed; /* of this run; scenario.seed unless overridden */
    enum tie_order tie_order;
    uint64_t tie_seed;
};

/* The scenario must outlive the world. */
struct world *world_new(const struct scenario *scenario, const struct world_options *options);
void world_free(struct world *world);

struct sim *world_sim(struct world *world);
const struct scenario *world_scenario(const struct world *world);

/* Runs to `until` (at most the scenario's duration). */
void world_run_until(struct world *world, sim_time until);
/* Runs at most `events` events; false when the scenario's duration is reached. For progress. */
bool world_run_events(struct world *world, uint64_t events);

/* Checks every step of the group coordinators (group_watch.h): for tests. Before the world runs. */
struct group_watcher;
void world_watch_groups(struct world *world, const struct group_watcher *watcher);

/* "payments-0" of a PARTITION_ID, interned. */
name_id world_partition_name(struct world *world, uint32_t partition);

#endif
