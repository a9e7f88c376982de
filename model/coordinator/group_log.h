/* model/coordinator/group_log.h: what a coordinator writes to its __consumer_offsets partition.
 *
 * The state of groups and offsets is the fold of these records (GroupCoordinatorRecordHelpers and
 * the schemas under group-coordinator/src/main/resources). A record has a key, by which the log is
 * compacted (the latest of a key survives), and a value; no value is a tombstone. The numbers of
 * the types are Kafka's key versions.
 *
 * A record's value is one block of memory with everything it points to inside, so it is freed in
 * one go. Batches are what is appended to the log: immutable once handed to the host (but for
 * compaction), shared by counting, since every replica of the partition may hold the same one. */
#ifndef MODEL_COORDINATOR_GROUP_LOG_H
#define MODEL_COORDINATOR_GROUP_LOG_H

#include "model/kafka_types.h"
#include "sim/memory.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum group_record_type {
    RECORD_ERASED = 0,         /* the place of a record that compaction took out; says nothing */
    RECORD_OFFSET_COMMIT = 1,  /* group, partition -> struct offset_value */
    RECORD_GROUP_METADATA = 2, /* group -> struct classic_group_value */
    RECORD_CONSUMER_GROUP_EPOCH = 3,       /* group -> struct epoch_value */
    RECORD_CONSUMER_TOPICS = 4,            /* group -> struct topics_value */
    RECORD_CONSUMER_MEMBER = 5,            /* group, member -> struct consumer_member_value */
    RECORD_CONSUMER_ASSIGNMENT_EPOCH = 6,  /* group -> struct epoch_value */
    RECORD_CONSUMER_TARGET = 7,            /* group, member -> struct target_value */
    RECORD_CONSUMER_CURRENT_ASSIGNMENT = 8 /* group, member -> struct current_assignment_value */
};

struct offset_value {
    int64_t offset;
    int32_t leader_epoch; /* -1 = unknown */
    name_id metadata;
    int64_t commit_timestamp_ms;
    int64_t expire_timestamp_ms; /* -1 = by the broker's retention */
};

struct classic_member_value {
    name_id id;
    name_id instance;
    name_id client_id;
    name_id client_host;
    int32_t rebalance_timeout_ms;
    int32_t session_timeout_ms;
    struct bytes subscription; /* metadata of the chosen protocol only */
    struct bytes assignment;
};
struct classic_group_value {
    name_id protocol_type;
    name_id protocol_name;
    name_id leader;
    int32_t generation;
    int64_t state_timestamp_ms; /* -1 = unknown */
    int32_t member_count;
    struct classic_member_value *members; /* ascending ids */
};

struct epoch_value {
    int32_t epoch;
};
/* What the group's subscription looked like. As in Kafka, the values of types 7 and 8 name topics
 * by their id (the `topic` of a topic_partition is coordinator_topic.id); this value has both. */
struct topics_value {
    int32_t count;
    struct {
        name_id topic;
        int32_t partitions;
        name_id id;
    } topics[];
};
struct classic_protocol_value {
    name_id name;
    struct bytes metadata;
};
struct consumer_member_value {
    name_id instance;
    name_id rack;
    name_id client_id;
    name_id client_host;
    name_id assignor;
    int32_t rebalance_timeout_ms;
    int32_t topic_count;
    name_id *topics; /* ascending names */
    bool is_classic; /* joined with the classic protocol (online migration) */
    int32_t session_timeout_ms;
    int32_t protocol_count;
    struct classic_protocol_value *protocols;
};
struct target_value {
    int32_t count;
    struct topic_partition partitions[];
};
struct current_assignment_value {
    int32_t epoch;
    int32_t previous_epoch;
    int32_t state; /* enum consumer_member_state */
    int32_t assigned_count;
    struct topic_partition *assigned;
    int32_t revoking_count;
    struct topic_partition *revoking;
};

struct group_record {
    enum group_record_type type;
    name_id group;
    name_id member;                   /* types 5, 7, 8 */
    struct topic_partition partition; /* type 1 */
    uint32_t value_size;              /* of the block behind `value`; 0 = tombstone */
    uint32_t size_bytes;              /* filled in by group_record_measure */
    union {
        void *value; /* NULL = tombstone */
        const struct offset_value *offset;
        const struct classic_group_value *classic;
        const struct epoch_value *epoch;
        const struct topics_value *topics;
        const struct consumer_member_value *consumer_member;
        const struct target_value *target;
        const struct current_assignment_value *current;
    };
};

/* Same key: the later one replaces the earlier in a compacted log. */
bool group_record_same_key(const struct group_record *a, const struct group_record *b);
uint64_t group_record_key_hash(const struct group_record *record);
/* Equal keys and values. */
bool group_record_equal(const struct group_record *a, const struct group_record *b);
/* A record with its own copy of everything. */
struct group_record group_record_copy(struct memory *memory, const struct group_record *record);
void group_record_free(struct memory *memory, struct group_record *record);

/* Size of the record in Kafka's log format: schemas of version 3 for offsets and classic groups, of
 * version 0 for consumer groups, with the overhead of a record in a batch. */
void group_record_measure(const struct names *names, struct group_record *record);
#define GROUP_LOG_BATCH_OVERHEAD_BYTES 61

/* Makers. Each copies what it is given; `value` arguments may point anywhere. A NULL value makes
 * the tombstone. */
struct group_record group_record_offset(struct memory *memory, name_id group,
                                        struct topic_partition partition,
                                        const struct offset_value *value);
struct group_record group_record_classic(struct memory *memory, name_id group,
                                         const struct classic_group_value *value);
struct group_record group_record_epoch(struct memory *memory, enum group_record_type type,
                                       name_id group, const struct epoch_value *value);
/* `value` has `count` topics behind it. */
struct group_record group_record_topics(struct memory *memory, name_id group,
                                        const struct topics_value *value);
struct group_record group_record_consumer_member(struct memory *memory, name_id group,
                                                 name_id member,
                                                 const struct consumer_member_value *value);
struct group_record group_record_target(struct memory *memory, name_id group, name_id member,
                                        const struct topic_partition *partitions, int32_t count);
struct group_record group_record_target_tombstone(name_id group, name_id member);
struct group_record group_record_current(struct memory *memory, name_id group, name_id member,
                                         const struct current_assignment_value *value);

enum group_log_marker { MARKER_NONE, MARKER_COMMIT, MARKER_ABORT };

/* One append. It takes `offset_count` offsets of the log: one per record, or one for a marker. */
struct group_log_batch {
    uint32_t references;
    struct memory *memory;
    int64_t producer_id; /* -1 = not transactional */
    int16_t producer_epoch;
    enum group_log_marker marker;
    int32_t coordinator_epoch; /* of the marker */
    int64_t timestamp_ms;
    sim_time delete_horizon; /* when its tombstones may go; 0 = it has not been cleaned yet */
    struct group_record *records;
    uint32_t record_count;
    uint32_t record_capacity;
    uint32_t size_bytes;
};

struct group_log_batch *group_log_batch_new(struct memory *memory);
/* Takes over the record's value. */
void group_log_batch_add(struct group_log_batch *batch, const struct group_record *record);
static inline int64_t group_log_batch_offsets(const struct group_log_batch *batch)
{
    return batch->marker == MARKER_NONE ? batch->record_count : 1;
}
/* Compaction takes a record out, for every holder; its place, and so the offsets of the others,
 * stay. */
void group_log_batch_erase(struct group_log_batch *batch, uint32_t index);
struct group_log_batch *group_log_batch_hold(struct group_log_batch *batch);
/* The last holder frees it. NULL is ignored. */
void group_log_batch_release(struct group_log_batch *batch);

#endif
