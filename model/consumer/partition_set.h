/* model/consumer/partition_set.h: sets of partitions as ascending arrays. */
#ifndef MODEL_CONSUMER_PARTITION_SET_H
#define MODEL_CONSUMER_PARTITION_SET_H

#include "model/trace_kinds.h"

struct consumer; /* whose memory the sets live in */

/* For qsort. */
int partition_by_id(const void *a, const void *b);
/* Those in `a` and not in `b`; shape [count], NULL if there are none. */
partition_id *partition_set_minus(struct consumer *consumer, const partition_id *a, int32_t a_count,
                                  const partition_id *b, int32_t b_count, int32_t *count);
/* Gives the array back; the set is empty then. */
void partition_set_give(struct consumer *consumer, partition_id **ids, int32_t *count);

#endif
