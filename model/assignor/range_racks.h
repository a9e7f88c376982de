/* model/assignor/range_racks.h: the rack-aware way of the range assignor. */
#ifndef MODEL_ASSIGNOR_RANGE_RACKS_H
#define MODEL_ASSIGNOR_RANGE_RACKS_H

#include "model/assignor/order.h"
#include "model/assignor/racks.h"

/* False, and nothing done, when no topic needs racks to be matched. */
bool range_assign_by_rack(const struct assign_input *input, const struct subscribers *subscribers,
                          struct racks *racks, struct scratch *scratch,
                          struct assign_output *output);

#endif
