/* tools/seed.h: seeds as people give them, in a scenario or behind --seed. */
#ifndef TOOLS_SEED_H
#define TOOLS_SEED_H

#include <stdbool.h>
#include <stdint.h>

/* A whole number; `auto`, drawn from the host's entropy; or the 40 hex digits of a commit, whose
 * first 16 count: each commit of a repository tests its own seed, and the same again tomorrow. */
bool seed_parse(const char *text, uint64_t *seed);

#endif
