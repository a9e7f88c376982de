/* model/coordinator/consumer_checks_target.h: I12, a target made twice. */
#ifndef MODEL_COORDINATOR_CONSUMER_CHECKS_TARGET_H
#define MODEL_COORDINATOR_CONSUMER_CHECKS_TARGET_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

/* If the step made a target, makes it once more from the state of before, with members and topics
 * in descending order, and compares. */
bool consumer_target_is_orderless(const struct coordinator *coordinator,
                                  const struct consumer_group *before,
                                  const struct consumer_group *after);

#endif
