/* model/interval_set.h: a set of offsets as disjoint ascending ranges [from, to).
 *
 * Offsets are mostly processed in order, so sets are short: one range, and a few islands. The one
 * range costs no memory beside the set, and no look at it. */
#ifndef MODEL_INTERVAL_SET_H
#define MODEL_INTERVAL_SET_H

#include "sim/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct interval {
    int64_t from;
    int64_t to; /* not included */
};

struct interval_set {
    union {
        struct interval one;
        struct interval *many; /* shape [capacity] */
    };
    uint32_t count;
    uint32_t capacity; /* 0: the only range, if there is one, is `one` */
};
static inline const struct interval *interval_set_ranges(const struct interval_set *set)
{
    return set->capacity == 0 ? &set->one : set->many;
}

/* A zeroed struct is the empty set. Each returns how many offsets changed sides. */
int64_t interval_set_add(struct interval_set *set, struct memory *memory, int64_t from, int64_t to);
/* The same for many ranges, ascending and apart, in one go. */
void interval_set_add_all(struct interval_set *set, struct memory *memory,
                          const struct interval *ranges, uint32_t count);
int64_t interval_set_remove(struct interval_set *set, struct memory *memory, int64_t from,
                            int64_t to);
/* How many offsets of [from, to) are in the set. */
int64_t interval_set_covered(const struct interval_set *set, int64_t from, int64_t to);
bool interval_set_contains(const struct interval_set *set, int64_t offset);
/* The first part of [from, to) that is not in the set; false when all of it is. */
bool interval_set_first_gap(const struct interval_set *set, int64_t from, int64_t to,
                            struct interval *gap);
/* Index of the first range that ends after `offset`; count when there is none. */
uint32_t interval_set_ending_after(const struct interval_set *set, int64_t offset);
/* Where the first range begins that begins after `offset`; INT64_MAX when none does. */
int64_t interval_set_next(const struct interval_set *set, int64_t offset);
bool interval_set_is_consistent(const struct interval_set *set);

#endif
