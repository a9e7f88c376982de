/* tests/random/random_world.h: a scenario drawn from a seed, as the YAML that `cohort run` takes.
 *
 * A configuration within what Cohort promises something about (acks=all, two in-sync replicas of
 * three, no unclean election, no retention, capacity well above the load), a random timeline of
 * faults, `quiet`, and time enough to come to rest and work everything off. Each choice is keyed by
 * the seed and by what is chosen, so that one more kind of fault moves no other choice. */
#ifndef TESTS_RANDOM_RANDOM_WORLD_H
#define TESTS_RANDOM_RANDOM_WORLD_H

#include "tools/text.h"

#include <stdint.h>

/* Appends the scenario of this seed; one line each fault. */
void random_world_write(uint64_t seed, struct text *yaml);

#endif
