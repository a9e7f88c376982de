/* tests/random/random_world.h: a scenario drawn from a seed, as the YAML that `cohort run` takes.
 *
 * A configuration that Cohort promises something about, mostly acks=all with two in-sync replicas
 * of three, and records that are kept and can be processed; in some worlds unclean elections, short
 * retention, compaction, deleted topics, topics found by a pattern, poison, dead letters, readers
 * by assign(), operators, each with a promise of its own (test_random_worlds.c). Capacity is well
 * above the load. Then a random timeline of faults, `quiet`, and time enough to come to rest and
 * work everything off. Each choice is keyed by the seed and by what is chosen, so that one more
 * kind of fault moves no other choice. */
#ifndef TESTS_RANDOM_RANDOM_WORLD_H
#define TESTS_RANDOM_RANDOM_WORLD_H

#include "tools/text.h"

#include <stdint.h>

/* Appends the scenario of this seed; one line each fault. */
void random_world_write(uint64_t seed, struct text *yaml);

#endif
