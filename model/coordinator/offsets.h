/* model/coordinator/offsets.h: the committed offsets of a group.
 *
 * A slot per partition that was ever committed holds two versions: as applied, and as of the high
 * watermark, which is what a fetch that does not require stable offsets may see. Offsets of open
 * transactions are kept aside per producer (transactions.h) and only counted here. */
#ifndef MODEL_COORDINATOR_OFFSETS_H
#define MODEL_COORDINATOR_OFFSETS_H

#include "model/kafka_types.h"
#include "sim/memory.h"

struct stored_offset {
    bool present;
    int64_t offset;
    int32_t leader_epoch;
    name_id metadata;
    int64_t commit_timestamp_ms;
    int64_t expire_timestamp_ms; /* -1 = by the broker's retention */
    int64_t record_offset; /* where in the shard's log: decides between plain and transactional */
};

struct offset_slot {
    struct topic_partition partition;
    struct stored_offset value;
    struct stored_offset committed;
    int32_t pending_count; /* open transactions with an offset for this partition */
};

struct group_offsets {
    struct offset_slot **slots; /* by topic name, then partition; shape [count] */
    uint32_t count;
    uint32_t capacity;
    uint32_t present_count; /* slots with value.present */
    uint32_t *table;        /* hash of partition -> index into `by_age` + 1; 0 = free */
    uint32_t table_capacity;
    struct offset_slot **by_age; /* in order of first commit; shape [count] */
    int64_t *open_producers;     /* ascending: transactions that committed offsets of this group */
    uint32_t open_producer_count;
    uint32_t open_producer_capacity;
};

/* NULL when the partition was never committed. */
struct offset_slot *group_offsets_find(const struct group_offsets *offsets,
                                       struct topic_partition partition);

#endif
