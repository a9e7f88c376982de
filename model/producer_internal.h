/* model/producer_internal.h: the insides of a producer.
 *
 *   producer.c              what the application calls; batches (RecordAccumulator)
 *   producer_sender.c       what the sender thread does: requests, outcomes, retries
 *   producer_sticky.c       partitions without keys (KIP-794)
 *   producer_identity.c     producer id, epochs, sequence numbers (TransactionManager)
 *   producer_transaction.c  transactions (TransactionManager)
 *   producer_blocked.c      send() calls that wait
 *   producer_losses.c       what failed, or died with the process */
#ifndef MODEL_PRODUCER_INTERNAL_H
#define MODEL_PRODUCER_INTERNAL_H

#include "model/client/backoff.h"
#include "model/client/client_metadata.h"
#include "model/client/network_client.h"
#include "model/partition_load.h"
#include "model/producer.h"
#include "sim/prefetch.h"

struct producer_queue;

struct producer_send_batch {
    struct producer_queue *queue;
    struct producer_send_batch *next;  /* in the queue */
    struct producer_send_batch *newer; /* of all live batches, by age */
    struct producer_send_batch *older;
    struct producer_flight *flight; /* NULL = queued */
    int32_t flight_index;
    int32_t count;
    int64_t bytes;
    sim_time first_at;
    sim_time last_at;
    sim_time created_at;
    sim_time retry_at; /* not before this */
    int32_t attempts;
    int32_t base_sequence; /* -1 = none yet */
    int32_t topic_id;      /* of the topic it was sent to, as far as is known */
    int16_t epoch;
    bool full;
    uint64_t tag;
    int64_t number; /* of its first record */
    char unused[8];
};

_Static_assert(sizeof(struct producer_send_batch) == 128, "a batch is two cache lines");

/* One partition. */
struct producer_queue {
    struct producer *producer;
    struct partition_load *load; /* to be told of `count`; NULL = nobody asks */
    partition_id partition;
    int32_t node;                     /* whose list it is in; -1 = none */
    struct producer_send_batch *head; /* oldest; queued ones only */
    struct producer_send_batch *tail;
    int32_t count; /* see producer_count_queued */
    int32_t in_flight;
    int32_t next_sequence;
    int32_t acked_sequence; /* last one acknowledged; -1 = none of this epoch */
    int16_t epoch;          /* that its sequences belong to */
    bool renumber;          /* what is queued gets new sequence numbers */
    bool unresolved;     /* a batch expired in flight: nothing is sent until the others are back */
    bool in_transaction; /* the coordinator knows that the transaction writes here */
    bool adding;         /* it is being told */
    bool listed;
    bool used; /* had a batch since the process started */
};

_Static_assert(sizeof(struct producer_queue) == 64, "a queue is one cache line");

struct producer_topic {
    name_id name;
    int32_t index; /* of PARTITION_ID; -1 = not known yet */
    int32_t queue_count;
    int32_t used_count;             /* partitions that had a batch since the process started */
    struct producer_queue **queues; /* by partition; NULL = never used */
    struct partition_load *load;    /* NULL = records without keys were never sent */
    uint64_t load_version;          /* of the metadata it was made from; 0 = stale */
    int32_t sticky_partition;       /* -1 = to be chosen */
    int64_t sticky_bytes;
    uint64_t sticky_draws;
};

/* A produce request under way. */
struct producer_flight {
    uint32_t slot;
    uint32_t next_free;
    int32_t node;
    int32_t count;
    int32_t capacity;
    struct producer_send_batch **batches; /* request order; NULL = expired meanwhile */
};

struct producer_node {
    struct producer_queue **queues; /* with something queued, this broker leading them */
    int32_t queue_count;
    int32_t queue_capacity;
    int32_t start; /* where draining goes on, so that no partition starves */
    int32_t in_flight;
    sim_time ready_at;
    /* RecordAccumulator.NodeLatencyStats, when partitioner.availability.timeout.ms is set: when the
     * sender last found something ready for it, and when it could also send it. */
    bool has_latency;
    sim_time seen_ready_at;
    sim_time drained_at;
};

/* Records for which there was no room in buffer.memory: their send() blocks. */
struct producer_blocked {
    partition_id partition;
    bool sticky;
    name_id topic;
    struct producer_records records;
    sim_time since;
};

struct producer {
    struct producer_options options;
    struct producer_config config;
    struct sim *sim;
    struct memory *memory;
    entity_id entity;
    struct network_client *client;
    struct client_metadata *metadata;
    struct backoff backoff;
    uint64_t draws;
    struct sim_timer sender; /* when the sender thread has something to do */
    struct producer_topic *topics;
    int32_t topic_count;
    int32_t topic_capacity;
    struct producer_node *nodes; /* by broker */
    int32_t node_count;
    struct producer_node homeless; /* queues whose leader is not known */
    struct producer_flight **flights;
    uint32_t flight_count;
    uint32_t flight_capacity;
    uint32_t flight_free; /* UINT32_MAX = none */
    struct producer_send_batch *oldest;
    struct producer_send_batch *newest;
    int64_t buffered_bytes;
    int64_t pending_records;
    bool flushing;
    struct producer_blocked *blocked; /* ring, oldest at blocked_first */
    uint32_t blocked_first;
    uint32_t blocked_count;
    uint32_t blocked_capacity;
    struct rng_key partitioner_key;

    /* identity and transactions */
    bool idempotent;
    bool has_id;
    bool id_requested;
    int64_t producer_id;
    int16_t epoch;
    uint32_t id_attempts;
    sim_time id_retry_at;
    struct producer_transaction_state *transaction; /* NULL = not transactional */
};

/* Comparing seconds for the earliest thing to do. */
static inline sim_time earlier(sim_time a, sim_time b)
{
    return a < b ? a : b;
}

/* producer.c */
struct producer_topic *producer_topic_of(struct producer *producer, name_id name);
struct producer_queue *producer_queue_of(struct producer *producer, partition_id partition);
/* Puts records into the partition's last batch, or new ones. */
void producer_accumulate(struct producer *producer, partition_id partition,
                         const struct producer_records *records);
void producer_list_queue(struct producer_queue *queue);
void producer_unlist_queue(struct producer_queue *queue);
/* So many batches more (or fewer) wait in the queue. */
static inline void producer_count_queued(struct producer_queue *queue, int32_t change)
{
    queue->count += change;
    if (queue->load == NULL) return;
    partition_load_change(queue->load, PARTITION_NUMBER(queue->partition), queue->count - change,
                          queue->count);
}
/* Wakes the sender thread at this instant, or earlier if it is to wake earlier anyway. */
void producer_wake(struct producer *producer, sim_time at);
/* The batch is over; it is freed. */
void producer_finish_batch(struct producer *producer, struct producer_send_batch *batch,
                           int64_t base_offset, enum kafka_error error);

/* An abort: what has not left yet fails. */
void producer_drop_queued(struct producer *producer);

/* producer_sender.c */
void producer_run_sender(struct producer *producer);
void producer_requeue_all(struct producer *producer);

/* producer_sticky.c */
/* Takes records apart: returns the first `count`, leaves the rest. */
struct producer_records producer_split(struct producer_records *records, int32_t count);
void producer_accumulate_sticky(struct producer *producer, name_id topic,
                                const struct producer_records *records);

/* producer_identity.c */
void producer_identity_init(struct producer *producer);
void producer_identity_reset(struct producer *producer);
/* Asks for what is missing: a producer id, the coordinator, the next step of the transaction. */
void producer_identity_run(struct producer *producer);
/* May batches of this partition leave now? */
bool producer_may_send(const struct producer *producer, const struct producer_queue *queue);
/* Sequence numbers for a batch that has none. */
void producer_sequence(struct producer *producer, struct producer_queue *queue,
                       struct producer_send_batch *batch);
/* The broker refused a batch that is to be tried again. */
void producer_identity_on_retry(struct producer *producer, struct producer_queue *queue,
                                const struct producer_send_batch *batch, enum kafka_error error);
/* A batch fails for good. */
void producer_identity_on_give_up(struct producer *producer, struct producer_queue *queue,
                                  const struct producer_send_batch *batch, enum kafka_error error);
void producer_identity_on_success(struct producer *producer, struct producer_queue *queue,
                                  const struct producer_send_batch *batch);
void producer_identity_on_batch_done(struct producer *producer, struct producer_queue *queue);

/* producer_blocked.c */
void producer_block(struct producer *producer, const struct producer_blocked *send);
/* send() calls that wait for room or for their topic go on, or fail after max.block.ms. */
void producer_unblock(struct producer *producer);
/* producer.c: a send() to this topic would wait for it. */
bool producer_lacks_topic(const struct producer *producer, name_id name);

/* producer_losses.c: reports (SEND_FAILED) */
void producer_tell_failed_batch(const struct producer *producer,
                                const struct producer_send_batch *batch, enum kafka_error error);
void producer_tell_failed_send(const struct producer *producer, const struct producer_blocked *send,
                               enum kafka_error error);

/* producer_transaction.c */
void producer_transaction_init(struct producer *producer);
void producer_transaction_reset(struct producer *producer);
void producer_transaction_run(struct producer *producer);
/* Sequence numbers were lost: a new epoch is needed before the next transaction. */
void producer_transaction_bump(struct producer *producer);
/* A batch of the transaction failed for good. */
void producer_transaction_fail(struct producer *producer, enum kafka_error error);
name_id producer_transactional_id(const struct producer *producer);

#endif
