/* model/coordinator/name_counts.h: how many members name something.
 *
 * Subscribed topics, voted assignors, supported protocols: names in ascending order, each with a
 * count above zero. */
#ifndef MODEL_COORDINATOR_NAME_COUNTS_H
#define MODEL_COORDINATOR_NAME_COUNTS_H

#include "sim/memory.h"
#include "sim/names.h"

struct name_count {
    name_id name;
    int32_t count;
};

struct name_counts {
    struct memory *memory;
    const struct names *names;
    struct name_count *items; /* ascending names; shape [count] */
    uint32_t count;
    uint32_t capacity;
};

void name_counts_init(struct name_counts *counts, struct memory *memory, const struct names *names);
void name_counts_release(struct name_counts *counts);
/* `counts` becomes equal to `from`. */
void name_counts_copy(struct name_counts *counts, const struct name_counts *from);

int32_t name_counts_get(const struct name_counts *counts, name_id name);
/* A count that reaches zero is dropped; none goes below. NAME_NONE counts for nothing. */
void name_counts_add(struct name_counts *counts, name_id name, int32_t change);
/* The name with the highest count, the first of them on a tie; NAME_NONE when there is none. */
name_id name_counts_most(const struct name_counts *counts);

#endif
