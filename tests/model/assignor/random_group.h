/* tests/model/assignor/random_group.h: groups drawn from a seed. */
#ifndef TESTS_MODEL_ASSIGNOR_RANDOM_GROUP_H
#define TESTS_MODEL_ASSIGNOR_RANDOM_GROUP_H

#include "model/assignor/assignor.h"
#include "sim/rng.h"

enum random_previous {
    PREVIOUS_NONE,     /* nobody has anything */
    PREVIOUS_SETTLED,  /* some partitions have one owner each, all under one generation */
    PREVIOUS_DISPUTED, /* claims of several generations, twice, on numbers and topics that are gone
                        */
};

struct random_group {
    struct memory *memory;
    struct names *names;
    struct assign_input input;
    bool equal; /* all who subscribe to anything subscribe to the same */
    bool racks;
    enum random_previous previous;
};

struct random_size {
    int32_t members; /* at most */
    int32_t topics;
    int32_t partitions; /* per topic */
};

/* Members and topics come in random order. Every topic exists if `all_exist`. */
struct random_group random_group(uint64_t seed, struct random_size size, bool all_exist);
void random_group_free(struct random_group *group);

/* The same group with members and topics in another order; shares the group's memory. place[i] is
 * where member i of the original stands, topic_place[t] likewise. */
struct assign_input random_group_shuffled(struct random_group *group, struct rng *rng,
                                          int32_t *place, int32_t *topic_place);

/* Gives every member what the output gave it, under the next generation. */
void random_group_adopt(struct random_group *group, const struct assign_output *output);

#endif
