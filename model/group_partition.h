/* model/group_partition.h: which partition of __consumer_offsets holds a group.
 *
 * And so which broker coordinates it. Java's hash of the group id, its absolute value (with
 * Integer.MIN_VALUE as 0, Utils.abs), modulo the partition count. Transactional ids are mapped to
 * __transaction_state in the same way. */
#ifndef MODEL_GROUP_PARTITION_H
#define MODEL_GROUP_PARTITION_H

#include <stdint.h>

#define OFFSETS_TOPIC_PARTITIONS 50 /* offsets.topic.num.partitions */

int32_t group_partition(const char *group, int32_t partition_count);

#endif
