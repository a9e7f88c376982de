/* model/log_batches.h: a list of record batches, in offset order.
 *
 * A batch is a run of records that came together: how many, how many bytes, when. Lists grow at the
 * end, are cut at either side, and merge old neighbours when they get long: offsets, counts and
 * bytes stay exact, the create times inside a merged range lie on a straight line. Batches with a
 * payload (records of __consumer_offsets and __transaction_state) are never merged. */
#ifndef MODEL_LOG_BATCHES_H
#define MODEL_LOG_BATCHES_H

#include "sim/memory.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stdint.h>

enum log_batch_flag {
    LOG_CONTROL = 1,       /* a transaction marker */
    LOG_TRANSACTIONAL = 2, /* fate still open */
    LOG_ABORTED = 4,
    LOG_SEGMENT_START = 8, /* first of a segment: never merged into the one before */
    LOG_EMPTY = 16,        /* offsets of a batch, or of its end, whose records compaction removed */
};

struct log_batch {
    int64_t base_offset;
    int64_t position; /* bytes of the log before it, ever written */
    int64_t bytes;
    sim_time first_at; /* create times of its first and last record */
    sim_time last_at;
    void *payload; /* internal topics: owned by the log */
    int32_t count;
    int32_t leader_epoch;
    int32_t producer; /* index in the producer table while LOG_TRANSACTIONAL; -1 = none */
    uint32_t flags;
};

struct log_batches {
    struct log_batch *items; /* live ones: items[first .. first + count) */
    uint32_t first;
    uint32_t count;
    uint32_t capacity;
};

/* Create time of record `index` of a batch. */
sim_time log_batch_record_at(const struct log_batch *batch, int64_t index);
/* Part of a batch: records [from, to) as offsets. */
struct log_batch log_batch_slice(const struct log_batch *batch, int64_t from, int64_t to);
/* Bytes of the records of a batch before its record `index`. */
int64_t log_batch_bytes_before(const struct log_batch *batch, int64_t index);

/* NULL when empty. */
struct log_batch *log_batches_last(const struct log_batches *list);
/* A new last batch, to be filled. Above `soft_limit` old neighbours are merged before the list
 * grows. Pointers into the list become invalid. */
struct log_batch *log_batches_push(struct memory *memory, struct log_batches *list,
                                   uint32_t soft_limit);
/* Index (from `first`) of the batch that holds the offset, or of the next one. */
uint32_t log_batches_search(const struct log_batches *list, int64_t offset);
/* A payload that leaves the list goes to `release`. */
struct log_payloads {
    void (*release)(void *context, void *payload); /* NULL = batches carry no payload */
    void *(*hold)(void *context, void *payload);   /* one more owner of the same payload */
    void *context;
};
void log_batches_release(const struct log_payloads *payloads, struct log_batch *batch);
/* Cuts the list at an offset; a batch in the middle keeps its part below it. */
void log_batches_truncate(struct log_batches *list, const struct log_payloads *payloads,
                          int64_t offset);
/* Drops the batches that begin below `offset`. */
void log_batches_trim(struct log_batches *list, const struct log_payloads *payloads,
                      int64_t offset);
void log_batches_free(struct memory *memory, struct log_batches *list,
                      const struct log_payloads *payloads);

#endif
