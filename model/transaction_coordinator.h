/* model/transaction_coordinator.h: the transaction coordinator, one shard, without I/O.
 *
 * A shard serves the transactional ids that hash to one partition of __transaction_state. Its state
 * is the log: every change is a record that takes effect when the high watermark passes it.
 *
 *           first partition           EndTxn, timeout,                 all markers
 *             is added                InitProducerId                   are written
 *   EMPTY ───────────────▶ ONGOING ──────────────────▶ PREPARE_COMMIT ────────────▶ COMPLETE_COMMIT
 *     ▲                      ▲  ▲                      PREPARE_ABORT                COMPLETE_ABORT
 *     │ InitProducerId       │  └──────────── first partition is added ──────────────────┘
 *
 * While a change of an id waits for its replication, other requests about the id are answered
 * CONCURRENT_TRANSACTIONS. EndTxn is answered when the decision is written; the markers follow.
 * Sources: TransactionCoordinator, TransactionStateManager, TransactionMetadata (transaction
 * version 1). */
#ifndef MODEL_TRANSACTION_COORDINATOR_H
#define MODEL_TRANSACTION_COORDINATOR_H

#include "model/messages_data.h"
#include "model/transaction_log.h"

struct transaction;

/* What the host does for the shard. */
struct transaction_host_calls {
    /* Appends the record (ownership passes on); returns the log end offset after it, or -1 when it
     * cannot be written now. */
    int64_t (*append)(void *self, struct transaction_record *record);
    /* Answers the request that came under this token; the shard made the response. */
    void (*reply)(void *self, uint64_t token, struct message *response);
    /* Has a marker written by the partition's leader, then calls transactions_marker_written. */
    void (*write_marker)(void *self, const struct txn_marker_entry *marker);
    int64_t (*new_producer_id)(void *self);
    /* The partition of __consumer_offsets that holds a group. */
    partition_id (*offsets_partition)(void *self, name_id group);
    void *self;
};

struct transaction_coordinator {
    struct memory *memory;
    struct transaction_host_calls host;
    int32_t max_timeout_ms; /* transaction.max.timeout.ms */
    int32_t epoch;          /* of the leader of the log partition */
    struct transaction **items;
    int32_t count;
    int32_t capacity;
};

/* Empty, for the leader of this epoch. */
void transactions_open(struct transaction_coordinator *coordinator, struct memory *memory,
                       const struct transaction_host_calls *host, int32_t max_timeout_ms,
                       int32_t epoch);
void transactions_close(struct transaction_coordinator *coordinator);
/* One record of the log, in order; then the markers of undecided ends are sent (again). */
void transactions_load(struct transaction_coordinator *coordinator,
                       const struct transaction_record *record);
void transactions_loaded(struct transaction_coordinator *coordinator);

/* InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn. Answered now or when written. */
void transactions_request(struct transaction_coordinator *coordinator,
                          const struct message *request, uint64_t token, sim_time now);
/* Whether the producer has an open transaction in which this partition takes part (verifyOnly of
 * AddPartitionsToTxn, KIP-890): NONE, TRANSACTION_ABORTABLE if not, PRODUCER_FENCED,
 * CONCURRENT_TRANSACTIONS while it is being ended, INVALID_PRODUCER_ID_MAPPING. */
enum kafka_error transactions_verify(const struct transaction_coordinator *coordinator, name_id id,
                                     int64_t producer_id, int16_t epoch, partition_id partition);
void transactions_committed(struct transaction_coordinator *coordinator, int64_t high_watermark);
void transactions_marker_written(struct transaction_coordinator *coordinator, name_id id,
                                 partition_id partition);
/* Aborts what has been open for longer than its timeout, fencing its producer. */
void transactions_sweep(struct transaction_coordinator *coordinator, sim_time now);

/* A response of the request's API that says only this. */
struct message *transactions_error(struct memory *memory, const struct message *request,
                                   enum kafka_error error);

#endif
