/* model/coordinator/describe.h: what administrators ask for. Reads: answered at once, from what the
 * high watermark has passed as far as the existence of groups is concerned (a classic group's
 * object is not versioned, in Kafka neither). */
#ifndef MODEL_COORDINATOR_DESCRIBE_H
#define MODEL_COORDINATOR_DESCRIBE_H

#include "model/coordinator/shard.h"

void describe_on_describe_groups(struct operation *operation,
                                 const struct describe_groups_request *request);
void describe_on_list_groups(struct operation *operation,
                             const struct list_groups_request *request);

#endif
