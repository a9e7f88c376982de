/* model/transaction_log.h: what a transaction coordinator writes to __transaction_state.
 *
 * One record per transactional id and change of state; the latest of an id is its state
 * (TransactionLogValue.json). Records are immutable and shared by counting. */
#ifndef MODEL_TRANSACTION_LOG_H
#define MODEL_TRANSACTION_LOG_H

#include "model/kafka_types.h"
#include "model/trace_kinds.h"
#include "sim/memory.h"
#include "sim/time.h"

/* Empty ──▶ Ongoing ──▶ PrepareCommit | PrepareAbort ──▶ CompleteCommit | CompleteAbort ──▶ Ongoing
 * … Source: TransactionState, TransactionMetadata. */
enum transaction_state {
    TRANSACTION_STATE_EMPTY,
    TRANSACTION_STATE_ONGOING,
    TRANSACTION_STATE_PREPARE_COMMIT,
    TRANSACTION_STATE_PREPARE_ABORT,
    TRANSACTION_STATE_COMPLETE_COMMIT,
    TRANSACTION_STATE_COMPLETE_ABORT,
    TRANSACTION_STATE_COUNT
};

struct transaction_record {
    uint32_t references;
    uint32_t size; /* of the whole block */
    name_id id;
    enum transaction_state state;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t timeout_ms;
    sim_time started_at;
    int32_t partition_count;
    partition_id partitions[];
};

/* With room for `partition_count` partitions; one holder. */
struct transaction_record *transaction_record_new(struct memory *memory, int32_t partition_count);
struct transaction_record *transaction_record_hold(struct transaction_record *record);
void transaction_record_release(struct memory *memory, struct transaction_record *record);
static inline bool transaction_record_same_id(const struct transaction_record *a,
                                              const struct transaction_record *b)
{
    return a->id == b->id;
}

#endif
