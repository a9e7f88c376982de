/* model/assignor/measure.h: how good an assignment is.
 *
 * Everything is counted on the balanced target: what cooperative-sticky holds back counts for the
 * member that will get it. */
#ifndef MODEL_ASSIGNOR_MEASURE_H
#define MODEL_ASSIGNOR_MEASURE_H

#include "model/assignor/assignor.h"

/* Where a member says what it had. */
enum measure_claims {
    MEASURE_OWNED,     /* owned and generation; the previous target on the server side */
    MEASURE_USER_DATA, /* sticky: user_data_owned and user_data_generation */
};

struct measure_options {
    enum measure_claims claims;
    const int64_t *weight; /* by slot: what a partition is worth (records per second); NULL = 1 */
    /* Compute what the best assignment could have kept. It costs a min-cost flow when subscriptions
     * are unequal. */
    bool with_best;
};

struct assign_measure {
    int32_t unassigned; /* partitions without owner although somebody subscribes */
    int32_t least;      /* partitions of the members with fewest and most */
    int32_t most;
    int64_t sum_of_squares; /* over members, of their number of partitions: less is more even */
    int64_t least_weight;   /* load by weight of the lightest and the heaviest member */
    int64_t most_weight;
    int64_t total_weight;
    /* A partition had an owner if exactly one member claims it under the newest generation claimed,
     * and this member still subscribes. */
    int32_t had_owner;
    int32_t kept;     /* and stays with it */
    int32_t moved;    /* or goes to another member */
    int32_t withheld; /* handed out only in the next rebalance */

    /* Filled with options.with_best; -1 if the group is too large for the flow (see
     * measure_best.h). best_sum_of_squares is the least any valid assignment can have, best_kept
     * the most partitions that can stay in one that has it. */
    int64_t best_sum_of_squares;
    int32_t best_kept;
    /* Moves that need not have been: best_kept - kept, at least 0. An assignment less even than the
     * best may keep more than best_kept. */
    int32_t moved_needlessly;
};

struct assign_measure measure_assignment(const struct assign_input *input,
                                         const struct assign_output *output,
                                         const struct measure_options *options,
                                         struct memory *memory);

/* Fills in what is best for this input when it is known already, from another assignment's measure.
 */
void measure_compare(struct assign_measure *measure, int64_t best_sum_of_squares,
                     int32_t best_kept);

/* By slot, whom it belonged to before, or ASSIGN_NOBODY; the shape is that of the output. */
void measure_previous_owners(const struct assign_input *input, const struct assign_output *shape,
                             enum measure_claims claims, int32_t *previous, struct memory *memory);

#endif
