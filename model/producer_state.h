/* model/producer_state.h: what a partition remembers of its idempotent producers
 * (ProducerStateManager).
 *
 * Per producer id: its epoch, its last five batches by sequence number, and its open transaction. A
 * batch that is one of the five is acknowledged again and not appended; a gap is refused. The
 * transactions decide how far read_committed consumers may read (the last stable offset).
 *
 * The state belongs to a log. A replica whose log has left the main one keeps a copy as of then,
 * and brings it back if it should lead again before it has truncated. */
#ifndef MODEL_PRODUCER_STATE_H
#define MODEL_PRODUCER_STATE_H

#include "model/kafka_types.h"
#include "sim/memory.h"
#include "sim/time.h"

#define PRODUCER_BATCHES 5 /* ProducerStateEntry.NUM_BATCHES_TO_RETAIN */

struct producer_batch {
    int32_t first_sequence;
    int32_t last_sequence;
    int64_t base_offset;
};

/* Two cache lines. */
struct producer_entry {
    int64_t producer_id;
    int64_t open_offset; /* first offset of its open transaction; -1 = none */
    name_id transactional_id;
    int32_t coordinator_epoch; /* of the last marker */
    sim_time last_at;
    int16_t epoch;
    int16_t batch_count;
    int32_t newest;                                  /* place of the newest batch */
    struct producer_batch batches[PRODUCER_BATCHES]; /* a ring */
    char unused[8];
};

/* A transaction that is decided, but whose marker the high watermark has not passed yet. */
struct closed_transaction {
    int64_t first_offset;
    int64_t marker_offset;
};

struct producer_states {
    struct producer_entry *entries; /* by first appearance; indexes stay valid */
    uint32_t count;
    uint32_t capacity;
    uint32_t open_count; /* entries with an open transaction */
    uint32_t closed_count;
    struct closed_transaction *closed;
    uint32_t closed_capacity;
    struct memory *memory;
};

void producer_states_init(struct producer_states *states, struct memory *memory);
/* A copy of its own, and its end. */
struct producer_states *producer_states_copy(const struct producer_states *states);
void producer_states_free(struct producer_states *states);
/* Takes over the contents of a copy and frees it. */
void producer_states_replace(struct producer_states *states, struct producer_states *copy);

struct sequenced_batch {
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t base_sequence;
    int32_t count;
    name_id transactional_id; /* NAME_NONE = outside transactions */
};
/* Whether the batch may be appended. KAFKA_NONE with *duplicate_offset >= 0: it is already there,
 * at that offset. OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH: refused. */
enum kafka_error producer_states_check(const struct producer_states *states,
                                       const struct sequenced_batch *batch,
                                       int64_t *duplicate_offset);
/* Whether the producer has a transaction open in this log. */
bool producer_states_is_open(const struct producer_states *states,
                             const struct sequenced_batch *batch);
/* It was appended; returns the producer's index. */
int32_t producer_states_append(struct producer_states *states, const struct sequenced_batch *batch,
                               int64_t base_offset, sim_time now);

/* A marker is about to be appended: INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED if a
 * newer producer or coordinator has been here. */
enum kafka_error producer_states_check_marker(const struct producer_states *states,
                                              int64_t producer_id, int16_t producer_epoch,
                                              int32_t coordinator_epoch);
struct ended_transaction {
    int32_t producer;     /* index */
    int64_t first_offset; /* -1 = it had written nothing here */
};
struct ended_transaction producer_states_end(struct producer_states *states, int64_t producer_id,
                                             int16_t producer_epoch, int32_t coordinator_epoch,
                                             int64_t marker_offset, sim_time now);

/* The first offset that read_committed must not pass; the high watermark if there is none. */
int64_t producer_states_last_stable(struct producer_states *states, int64_t high_watermark);
static inline bool producer_states_all_stable(const struct producer_states *states)
{
    return states->open_count == 0 && states->closed_count == 0;
}

/* Whether the last batch of some producer ends here. */
bool producer_states_ends_at(const struct producer_states *states, int64_t end_offset);

/* The log lost everything from `offset` on. */
void producer_states_truncate(struct producer_states *states, int64_t offset);
/* Forgets producers silent since before `before` (producer.id.expiration.ms). */
void producer_states_expire(struct producer_states *states, sim_time before);

/* The sequence number `count` after this one; it wraps at 2^31 - 1 (DefaultRecordBatch). */
int32_t sequence_after(int32_t sequence, int32_t count);

#endif
