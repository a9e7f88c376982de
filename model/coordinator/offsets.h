/* model/coordinator/offsets.h: the committed offsets of a group.
 *
 * A slot per partition that was ever committed holds two versions: as applied, and as of the high
 * watermark, which is what a fetch that does not require stable offsets may see. Offsets of open
 * transactions are kept aside per producer (transactions.h) and only counted here. */
#ifndef MODEL_COORDINATOR_OFFSETS_H
#define MODEL_COORDINATOR_OFFSETS_H

#include "model/kafka_types.h"
#include "sim/memory.h"

struct coordinator;
struct group;
struct group_record;
struct operation;

struct stored_offset {
    bool present;
    int64_t offset;
    int32_t leader_epoch;
    name_id metadata;
    int64_t commit_timestamp_ms;
    int64_t expire_timestamp_ms; /* -1 = by the broker's retention */
    int64_t record_offset;       /* in the shard's log: decides between plain and transactional */
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
    uint32_t present_count;     /* slots with value.present */
    struct offset_slot **table; /* open addressing by partition; NULL = free */
    uint32_t table_capacity;    /* power of two, or 0 */
    int64_t *open_producers;    /* ascending: transactions that committed offsets of this group */
    uint32_t open_producer_count;
    uint32_t open_producer_capacity;
};

/* NULL when the partition was never committed. */
struct offset_slot *group_offsets_find(const struct group_offsets *offsets,
                                       struct topic_partition partition);
struct offset_slot *group_offsets_slot(struct group_offsets *offsets, struct memory *memory,
                                       const struct names *names,
                                       struct topic_partition partition); /* makes it */
/* The only way a slot's value changes. */
void offsets_set(struct group_offsets *offsets, struct offset_slot *slot,
                 const struct stored_offset *value);
/* Who committed an offset, for the notes. */
struct offset_author {
    name_id member;
    int32_t generation;
    bool transactional;
};
/* The same with an entry in the journal; `offset` is that of the record that causes it. */
void offsets_store(struct coordinator *coordinator, struct group *group, struct offset_slot *slot,
                   const struct stored_offset *value, const struct offset_author *author,
                   int64_t offset);
void group_offsets_release(struct group_offsets *offsets, struct memory *memory);

/* Applies an offset record (coordinator_apply). */
void offsets_apply(struct coordinator *coordinator, const struct group_record *record,
                   int64_t offset, int64_t producer_id);
/* Tombstones for all offsets of the group, those in open transactions included. */
void offsets_add_tombstones(struct operation *operation, struct group *group);

#endif
