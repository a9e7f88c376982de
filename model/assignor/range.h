/* model/assignor/range.h: what both range assignors share. */
#ifndef MODEL_ASSIGNOR_RANGE_H
#define MODEL_ASSIGNOR_RANGE_H

#include <stdint.h>

/* Deals a topic's partitions to its subscribers in their order: consecutive ones, lowest first, the
 * first (partitions mod subscribers) members one more than the others. */
void range_deal(const int32_t *subscriber, int32_t subscriber_count, int32_t *owner,
                int32_t partition_count);

#endif
