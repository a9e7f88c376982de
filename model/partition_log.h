/* model/partition_log.h: the log of one partition, with all its replicas.
 *
 * Replicas that agree share one list of batches: the *main* list, which is the log of its `owner`
 * (the leader). A follower is an offset into it. Only where logs really differ (an old leader kept
 * what the new one never had, an isolated leader goes on writing) does a replica have a *branch*:
 * its own batches from the point where it left the main list.
 *
 *     main    0 ───────────────── 800 ═══ new leader's batches ═══ 950
 *     branch of broker 1           └── 800 … 1000 (to be truncated)
 *
 * When a replica takes over, the main list becomes its log and everybody else's difference moves
 * into branches. Divergence is found exactly; Kafka finds the same point by comparing leader epochs
 * (KIP-101, KIP-279), since an offset and its epoch name one batch.
 *
 * Old batches are merged in pairs when a list grows past `batches_max`, oldest first, so memory is
 * bounded: offsets, counts and bytes stay exact, the times inside a merged range lie on a straight
 * line. Batches with a payload (__consumer_offsets, __transaction_state) are never merged. */
#ifndef MODEL_PARTITION_LOG_H
#define MODEL_PARTITION_LOG_H

#include "model/log_batches.h"
#include "sim/memory.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stdint.h>

struct log_epoch {
    int32_t epoch;
    int64_t start_offset;
};
struct log_segment {
    int64_t base_offset;
    int64_t position;
    sim_time first_at; /* of its first record: segment.ms counts from here */
    sim_time max_at;   /* largest create time: retention.ms counts from here */
};

struct partition_log_options {
    struct log_payloads payloads;
    struct memory *memory;
    uint32_t batches_max; /* soft limit of the main list */
    int64_t segment_bytes;
    int64_t segment_ms;
};

struct replica_log;

/* What appending touches lies together. */
struct partition_log {
    const struct partition_log_options *options;
    struct log_batches main;
    struct log_segment *segments;
    uint32_t segment_count;
    uint32_t segment_capacity;
    int64_t start_offset; /* retention deleted what is below (shared by the replicas) */
    int64_t start_position;

    struct replica_log *owner; /* whose log the main list is */
    struct log_epoch *epochs;  /* of the main list, ascending */
    uint32_t epoch_count;
    uint32_t epoch_capacity;
};

struct log_branch {
    int64_t from_offset;
    int64_t from_position;
    struct log_batches batches;
};

/* One replica's log. */
struct replica_log {
    struct partition_log *log;
    struct log_branch *branch; /* NULL = agrees with the main list up to `end_offset` */
    int64_t end_offset;
    int64_t end_position;
};

/* The options are kept, not copied: the partitions of a topic share them. */
void partition_log_init(struct partition_log *log, const struct partition_log_options *options);
void replica_log_init(struct replica_log *replica, struct partition_log *log);

struct log_append {
    int32_t count;
    int64_t bytes;
    sim_time first_at;
    sim_time last_at;
    int32_t leader_epoch;
    int32_t producer;
    uint32_t flags;
    void *payload; /* ownership passes on */
};
/* Appends at the end of this replica's log, as a leader; returns the base offset. */
int64_t replica_log_append(struct replica_log *replica, const struct log_append *append,
                           sim_time now);

/* Copies from another replica's log, as a follower: afterwards `replica` has what `leader` has
 * below `to_offset`. Both must agree up to replica->end_offset. */
void replica_log_follow(struct replica_log *replica, const struct replica_log *leader,
                        int64_t to_offset);
/* The first offset at which the two logs differ, or the smaller end. */
int64_t replica_log_divergence(const struct replica_log *replica, const struct replica_log *other);
/* Cuts off everything from `offset` on. Not for the owner of the main list. */
void replica_log_truncate(struct replica_log *replica, int64_t offset);
/* Gives up the branch if all of it is also on the main list. */
void replica_log_rejoin(struct replica_log *replica);
/* Becomes the owner of the main list. `all` are the partition's replicas, shape [count]. */
void replica_log_take_over(struct replica_log *replica, struct replica_log *const *all,
                           int32_t count);
/* A new leader's epoch begins at its log's end. The owner only. */
void partition_log_begin_epoch(struct partition_log *log, int32_t epoch);
/* The last epoch not above `epoch` and where it ends in this replica's log; -1, -1
 * when there is none (LeaderEpochFileCache.endOffsetFor). */
struct log_epoch replica_log_epoch_end(const struct replica_log *replica, int32_t epoch);

/* Bytes ever written before this offset, inside a batch in proportion. */
int64_t replica_log_position(const struct replica_log *replica, int64_t offset);
/* The largest offset at most `bytes` after `offset`, at least one batch or record further on. */
int64_t replica_log_advance(const struct replica_log *replica, int64_t offset, int64_t bytes);
/* The batch that holds `offset`, or the next one if it lies in a gap; NULL at the end. */
const struct log_batch *replica_log_find(const struct replica_log *replica, int64_t offset);
/* The batch after this one; NULL at the end. Valid until the log changes. */
const struct log_batch *replica_log_next(const struct replica_log *replica,
                                         const struct log_batch *batch);
/* The first offset whose record is not older; the end offset when there is none. */
int64_t replica_log_offset_at(const struct replica_log *replica, sim_time at);

/* Deletes whole old segments: by age of their youngest record, or while the rest is at least
 * `retention_bytes`; nothing beyond the high watermark. Negative = no such limit. True when the
 * log start moved. */
struct log_retention {
    int64_t retention_ms;
    int64_t retention_bytes;
    int64_t high_watermark;
};
bool partition_log_retain(struct partition_log *log, const struct log_retention *retention,
                          sim_time now);
/* Drops batches with a payload for which keep() says no, below `end_offset`. */
void partition_log_compact(struct partition_log *log, int64_t end_offset,
                           bool (*keep)(void *self, const struct log_batch *batch), void *self);
/* A transaction ended: its batches in [from, to) are ordinary or aborted ones from now on; of the
 * latter `taken_back` is told. */
void partition_log_decide(struct partition_log *log, int32_t producer, int64_t from, int64_t to,
                          bool aborted,
                          void (*taken_back)(void *self, int64_t offset, int64_t count),
                          void *self);

bool partition_log_is_consistent(const struct partition_log *log);

#endif
