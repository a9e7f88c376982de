/* model/coordinator/partition_epochs.h: who holds which partition, as an epoch.
 *
 * The number of a partition is the member epoch of the one member that has it assigned or still has
 * to give it up, PARTITION_FREE if there is none. A partition may be given out only while it is
 * free: this index is what keeps two members from holding one partition. It is derived from the
 * members' current assignments and rebuilt by replaying them (Kafka's ConsumerGroup,
 * currentPartitionEpoch). Kept dense per topic, so that a look-up costs nothing to speak of.
 *
 * Giving a partition twice, or taking it back at another epoch than it was given at, is our bug. */
#ifndef MODEL_COORDINATOR_PARTITION_EPOCHS_H
#define MODEL_COORDINATOR_PARTITION_EPOCHS_H

#include "model/coordinator/partition_set.h"

#define PARTITION_FREE (-1)

struct partition_epochs_topic; /* private */

struct partition_epochs {
    struct memory *memory;
    struct partition_epochs_topic *topics; /* ascending by topic; shape [count] */
    uint32_t count;
    uint32_t capacity;
    uint32_t held; /* partitions that are not free */
};

void partition_epochs_init(struct partition_epochs *epochs, struct memory *memory);
void partition_epochs_release(struct partition_epochs *epochs);

int32_t partition_epochs_get(const struct partition_epochs *epochs, partition_key key);
void partition_epochs_add(struct partition_epochs *epochs, struct partition_set set, int32_t epoch);
void partition_epochs_remove(struct partition_epochs *epochs, struct partition_set set,
                             int32_t epoch);

#endif
