/* model/producer.h: a producer client (KafkaProducer).
 *
 * The application gives it records, counted per partition; it gathers them into batches, sends one
 * request per broker with a batch of each ready partition, and sees each batch through to its end:
 * retries, delivery timeout, ordering by sequence numbers, transactions. Its thread is the sender
 * thread; buffer.memory limits what waits in it.
 *
 *   a batch: FILLING ─linger, full or flush─▶ READY ─drained─▶ IN_FLIGHT ─▶ done (PRODUCE_DONE)
 *                                              ▲                   │
 *                                              └─── retriable ─────┘
 *
 * The scenario's producers are driven by a workload (workload.h). A consumer that writes (retries,
 * dead letters, transactions) makes its own with producer_new. */
#ifndef MODEL_PRODUCER_H
#define MODEL_PRODUCER_H

#include "model/cluster.h"
#include "model/config.h"

struct producer;
struct record_keys;

/* Records that the application hands over in one go. */
struct producer_records {
    int32_t count;
    int64_t bytes;
    sim_time first_at; /* create times */
    sim_time last_at;
    /* Comes back with the outcome, so that an application can tell whose records these are; a batch
     * never mixes two tags other than 0. */
    uint64_t tag;
    int64_t number; /* of the first, where records have keys (record_keys.h) */
};

struct producer_outcome {
    partition_id partition;
    int32_t count;
    int64_t base_offset; /* -1 = not known */
    enum kafka_error error;
    uint64_t tag;
    int64_t bytes;
    sim_time first_at; /* create times, as given */
    sim_time last_at;
    int64_t number;
};

struct producer_options {
    struct sim *sim;
    struct network *network;
    struct cluster *cluster; /* addresses only; what it knows comes from Metadata responses */
    process_id process;
    name_id name;
    const struct producer_config *config;
    const struct record_keys *keys; /* of records for a compacted topic; NULL = nobody asks */
    /* A batch is done, one way or the other. NULL = nobody asks. */
    void (*on_done)(void *self, const struct producer_outcome *outcome);
    /* Something that was waited for happened: see the functions below. NULL = nobody waits. */
    void (*on_progress)(void *self);
    void *self;
};

/* Records for these two partitions of one topic will come soon, and sooner: a hint to fetch memory.
 */
void producer_expect(struct producer *producer, partition_id far, partition_id near);

struct producer *producer_new(const struct producer_options *options);
/* Forgets everything, as when the process died; what it had not sent is gone. */
void producer_reset(struct producer *producer);

/* Its process was killed: what it held is reported, and forgotten. */
void producer_died(struct producer *producer);

/* Partitions of a topic as this producer knows them; 0 = not known yet (a Metadata request is sent
 * and on_progress called when it is answered). */
int32_t producer_partition_count(struct producer *producer, name_id topic);

/* send() to a chosen partition (by key, or the application's choice). */
void producer_send(struct producer *producer, partition_id partition,
                   const struct producer_records *records);
/* send() without key: KIP-794 chooses partitions, and changes them as batches fill. */
void producer_send_sticky(struct producer *producer, name_id topic,
                          const struct producer_records *records);
/* Everything given so far leaves without waiting for linger. */
void producer_flush(struct producer *producer);
bool producer_is_flushed(const struct producer *producer);
/* Records accepted and not yet done. */
int64_t producer_pending(const struct producer *producer);

/* Transactions (config.transactional_id given). Each call starts something that takes requests;
 * on_progress is called when producer_transaction_state changes. Records sent between begin and
 * commit belong to the transaction; a commit flushes first. */
enum producer_transaction {
    TRANSACTION_UNINITIALIZED, /* producer_init_transactions → INITIALIZING → READY */
    TRANSACTION_INITIALIZING,
    TRANSACTION_READY, /* producer_begin_transaction → IN_TRANSACTION */
    TRANSACTION_IN_TRANSACTION,
    TRANSACTION_SENDING_OFFSETS, /* → IN_TRANSACTION, or ABORTABLE_ERROR */
    TRANSACTION_COMMITTING,      /* → READY */
    TRANSACTION_ABORTING,        /* → READY */
    TRANSACTION_ABORTABLE_ERROR, /* the application must abort */
    TRANSACTION_FATAL_ERROR,     /* fenced: close and make another */
};
enum producer_transaction producer_transaction_state(const struct producer *producer);
enum kafka_error producer_transaction_error(const struct producer *producer);
void producer_init_transactions(struct producer *producer);
void producer_begin_transaction(struct producer *producer);
/* sendOffsetsToTransaction (KIP-447). AddOffsetsToTxn to the transaction coordinator, then
 * TxnOffsetCommit to the group's. */
struct producer_group {
    name_id group;
    name_id member; /* NAME_EMPTY and generation -1 = only the group id is known */
    name_id instance;
    int32_t generation;
};
struct offset_entry; /* messages_group.h */
void producer_send_offsets(struct producer *producer, const struct producer_group *group,
                           const struct offset_entry *offsets, int32_t offset_count);
void producer_commit_transaction(struct producer *producer);
void producer_abort_transaction(struct producer *producer);

#endif
