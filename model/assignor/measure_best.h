/* model/assignor/measure_best.h: what the best assignment could do.
 *
 * Best means: the least sum of squared loads that any valid assignment can have, and among those
 * the most partitions that stay with their previous owner. Racks are ignored.
 *
 * With equal subscriptions this is arithmetic. With unequal ones it is a flow problem from topics
 * to members: loads are evened out along paths (a partition of one topic moves from a to b, one of
 * another from b to c), and then cycles that keep one partition more are looked for until there is
 * none. Both steps end at an optimum, not near one. */
#ifndef MODEL_ASSIGNOR_MEASURE_BEST_H
#define MODEL_ASSIGNOR_MEASURE_BEST_H

#include "model/assignor/order.h"

/* The flow is given up, with -1 for both answers, when subscriptions times partitions exceed this:
 * a report should take seconds, not minutes. */
#define MEASURE_BEST_LIMIT ((int64_t)400 * 1000 * 1000)

/* `previous` is by slot, see measure_previous_owners. */
void measure_best(const struct assign_input *input, const struct subscribers *subscribers,
                  const int32_t *previous, struct scratch *scratch, int64_t *sum_of_squares,
                  int32_t *kept);

#endif
