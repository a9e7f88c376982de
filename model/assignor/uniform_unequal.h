/* model/assignor/uniform_unequal.h: the uniform assignor for unequal subscriptions. */
#ifndef MODEL_ASSIGNOR_UNIFORM_UNEQUAL_H
#define MODEL_ASSIGNOR_UNIFORM_UNEQUAL_H

#include "model/assignor/order.h"

/* `members` by id, `topics` by topic id; every subscribed topic exists. */
void uniform_assign_unequal(const struct assign_input *input, const int32_t *members,
                            const int32_t *topics, const struct subscribers *subscribers,
                            struct scratch *scratch, struct assign_output *output);

#endif
