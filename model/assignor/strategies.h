/* model/assignor/strategies.h: the six assignors, each in the file of its name. */
#ifndef MODEL_ASSIGNOR_STRATEGIES_H
#define MODEL_ASSIGNOR_STRATEGIES_H

#include "model/assignor/assignor.h"

assign_fn range_assign;
assign_fn roundrobin_assign;
assign_fn sticky_assign;
assign_fn cooperative_sticky_assign;
assign_fn uniform_assign;
assign_fn server_range_assign;

#endif
