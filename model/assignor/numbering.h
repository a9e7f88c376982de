/* model/assignor/numbering.h: names to the numbers 0, 1, 2, … in order of first use. */
#ifndef MODEL_ASSIGNOR_NUMBERING_H
#define MODEL_ASSIGNOR_NUMBERING_H

#include "sim/memory.h"
#include "sim/names.h"

struct numbering {
    struct memory *memory;
    struct numbering_entry *entry; /* open addressing; shape [mask + 1] */
    uint32_t mask;
    int32_t count;
};

struct numbering numbering_new(struct memory *memory);
void numbering_free(struct numbering *numbering);
/* The number of a name, a new one if it has none yet. NAME_NONE is not a name. */
int32_t numbering_add(struct numbering *numbering, name_id name);
/* -1 if it has none. */
int32_t numbering_find(const struct numbering *numbering, name_id name);

#endif
