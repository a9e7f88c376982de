/* model/assignor/measure_flow.h: the flow behind measure_best.h. */
#ifndef MODEL_ASSIGNOR_MEASURE_FLOW_H
#define MODEL_ASSIGNOR_MEASURE_FLOW_H

#include "model/assignor/order.h"

void measure_flow(const struct assign_input *input, const struct subscribers *subscribers,
                  const int32_t *previous, struct scratch *scratch, int64_t *sum_of_squares,
                  int32_t *kept);

#endif
