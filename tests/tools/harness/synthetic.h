/* tests/tools/harness/synthetic.h: stored runs made by hand, without a world.
 *
 * An engine without entities: the test moves the clock and emits records, the store observes. The
 * rolling restart is a whole small incident of the size one asks for, for reports and pictures. */
#ifndef TESTS_TOOLS_SYNTHETIC_H
#define TESTS_TOOLS_SYNTHETIC_H

#include "model/trace_kinds.h"
#include "sim/sim.h"
#include "tools/store.h"

struct synthetic {
    struct sim *sim;
    struct store *store;
    char directory[256];
    sim_time duration_ns;
    uint64_t seed;
};

/* Makes an empty directory under the build tree, of that name; what was there goes. */
void synthetic_directory(const char *name, char directory[256]);

/* A run directory of that name, with an open store in it. Topics are t0, t1, …; `topic` may name
 * the first one otherwise. */
struct synthetic *synthetic_new(const char *name, const char *topic, enum store_events events);
/* Moves the clock; what is emitted next happens then. */
void synthetic_at(struct synthetic *synthetic, sim_time at);
name_id synthetic_name(struct synthetic *synthetic, const char *text);
/* Finishes the store and forgets the engine. The directory stays. */
void synthetic_finish(struct synthetic *synthetic);

/* `members` of group payments own `partitions` of topic payments and are restarted one after
 * another; the group stops for `stop_ns` each time. 100 records/s a partition, sampled each
 * second. Leaves the store finished. */
void synthetic_rolling_restart(const char *name, int members, int partitions, sim_time duration_ns,
                               sim_time stop_ns);

#endif
