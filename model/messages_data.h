/* model/messages_data.h: the requests and responses of records, metadata and transactions.
 *
 * Fields are Kafka's (clients/src/main/resources/common/message) with two differences. Partitions
 * go by partition_id, which stands for topic name and number: the numbers come with the Metadata
 * response; where Kafka's requests carry the topic id (KIP-516), so do these. And records travel as
 * batch slices, which say how many there are, how many bytes and when they came into being, and for
 * compacted topics where their keys are drawn. Times are sim_time instants of the producer's clock
 * (CreateTime). Arrays belong to the message. */
#ifndef MODEL_MESSAGES_DATA_H
#define MODEL_MESSAGES_DATA_H

#include "model/config.h"
#include "model/kafka_types.h"
#include "model/message.h"
#include "model/trace_kinds.h"
#include "sim/time.h"

/* ---- Metadata (API_METADATA) ------------------------------------------------------------- */

struct metadata_request {
    struct message head;
    name_id *topics;
    int32_t topic_count; /* -1 = all */
};
struct metadata_partition {
    int32_t leader;       /* broker id, -1 = none (LEADER_NOT_AVAILABLE) */
    int32_t leader_epoch; /* of the last leader */
};
struct metadata_topic {
    name_id name;
    enum kafka_error error; /* UNKNOWN_TOPIC_OR_PARTITION: nothing below is filled */
    int32_t index;          /* the topic of PARTITION_ID(index, partition) */
    int32_t topic_id;       /* tells it from other topics of that name (KIP-516) */
    bool internal;
    int32_t partition_count;
    int32_t replication;
    struct metadata_partition *partitions; /* shape [partition_count] */
    /* Broker ids in assignment order, the preferred leader first: shape
     * [partition_count][replication]. Racks of the replicas follow from the brokers' (KIP-881). */
    const int32_t *replicas;
};
struct metadata_broker {
    int32_t id;
    name_id rack; /* NAME_NONE = none */
};
struct metadata_response {
    struct message head;
    struct metadata_broker *brokers; /* those alive */
    int32_t broker_count;
    struct metadata_topic *topics;
    int32_t topic_count;
};

/* ---- Produce (API_PRODUCE) --------------------------------------------------------------- */

struct record_keys;

/* At most one batch of a partition in a request. */
struct produce_batch {
    partition_id partition;
    int32_t count;
    int64_t bytes;
    sim_time first_at; /* create times of its first and last record */
    sim_time last_at;
    int32_t base_sequence; /* -1 = the producer is not idempotent */
    int16_t producer_epoch;
    int64_t number; /* of its first record: see record_keys.h */
};
struct produce_request {
    struct message head;
    int16_t acks; /* 0 (nobody answers), 1, -1 = all */
    int32_t timeout_ms;
    name_id producer;         /* scenario name, for the trace */
    name_id transactional_id; /* NAME_NONE = none */
    int64_t producer_id;      /* -1 = none */
    struct produce_batch *batches;
    int32_t batch_count;
    const struct record_keys *keys; /* of the records; NULL = nobody asks for them */
};
struct produced_partition {
    partition_id partition;
    enum kafka_error error;
    int32_t topic_id;         /* whose log took it; Kafka does not say so: for the trace */
    int64_t base_offset;      /* -1 with an error */
    int64_t log_start_offset; /* -1 with an error */
    int32_t current_leader;   /* with NOT_LEADER_OR_FOLLOWER (KIP-951); -1 = not known */
    int32_t current_leader_epoch;
};
struct produce_response {
    struct message head;
    struct produced_partition *partitions; /* request order */
    int32_t partition_count;
};

/* ---- Fetch (API_FETCH) ------------------------------------------------------------------- */

/* Sessions (KIP-227): session_epoch 0 asks for a new session and lists every partition; later
 * requests count the epoch up and list only what changed: partitions that are new or have another
 * fetch offset, and `forgotten` ones. session_id 0 with epoch -1 is a fetch without a session.
 * FETCH_SESSION_ID_NOT_FOUND and INVALID_FETCH_SESSION_EPOCH come as the response's error. */
#define FETCH_SESSION_NONE     0
#define FETCH_EPOCH_INITIAL    0
#define FETCH_EPOCH_NO_SESSION (-1)

struct fetch_partition {
    partition_id partition;
    int32_t topic_id;
    int32_t max_bytes; /* max.partition.fetch.bytes */
    int64_t fetch_offset;
    int32_t current_leader_epoch; /* -1 = unknown */
};
struct fetch_request {
    struct message head;
    int32_t max_wait_ms;
    int32_t min_bytes;
    int32_t max_bytes;
    enum isolation_level isolation;
    int32_t session_id;
    int32_t session_epoch;
    /* The broker need not answer an expired wait that has nothing to tell: see broker_fetch_settle
     * in broker.h. Only for a client that would send the same request again at once. */
    bool may_idle;
    struct fetch_partition *partitions;
    int32_t partition_count;
    partition_id *forgotten;
    int32_t forgotten_count;
};
/* A run of records of one partition with nothing between them. The broker cuts batches where a
 * limit falls (Kafka would send the whole batch and the client drop what does not fit). */
struct batch_slice {
    int64_t base_offset;
    int32_t count;
    int32_t leader_epoch;
    int64_t bytes;
    sim_time first_at; /* create times; those between lie on a straight line */
    sim_time last_at;
    /* A transaction marker, or what compaction left of a batch without records: nothing for the
     * application, the offsets count. */
    bool control;
    bool aborted; /* of an aborted transaction: a read_committed client drops the records */
};
struct fetched_partition {
    partition_id partition;
    int32_t topic_id;
    enum kafka_error error;
    int64_t high_watermark; /* -1 with an error */
    int64_t last_stable_offset;
    int64_t log_start_offset;
    int32_t current_leader; /* with NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH; -1 = not known */
    int32_t current_leader_epoch;
    int32_t first_slice; /* in the response's slices */
    int32_t slice_count;
};
struct fetch_response {
    struct message head;
    enum kafka_error error; /* of the session */
    int32_t session_id;
    struct fetched_partition *partitions; /* with records, an error or other news */
    int32_t partition_count;
    struct batch_slice *slices; /* ascending offsets within a partition */
    int32_t slice_count;
    int64_t bytes; /* of all records */
};

/* ---- ListOffsets (API_LIST_OFFSETS) ------------------------------------------------------ */

#define LIST_OFFSETS_LATEST   ((sim_time)-1)
#define LIST_OFFSETS_EARLIEST ((sim_time)-2)

struct list_offsets_partition {
    partition_id partition;
    int32_t current_leader_epoch; /* -1 = unknown */
    sim_time at; /* one of the two above, or an instant: the first record not older (CreateTime) */
};
struct list_offsets_request {
    struct message head;
    enum isolation_level isolation;
    struct list_offsets_partition *partitions;
    int32_t partition_count;
};
struct listed_offset {
    partition_id partition;
    enum kafka_error error;
    int64_t offset; /* -1 = none (no record is that young) */
    int32_t leader_epoch;
    sim_time at; /* of the record found; -1 = unknown */
};
struct list_offsets_response {
    struct message head;
    struct listed_offset *offsets; /* request order */
    int32_t offset_count;
};

/* ---- OffsetForLeaderEpoch (API_OFFSET_FOR_LEADER_EPOCH) ---------------------------------- */

struct epoch_question {
    partition_id partition;
    int32_t current_leader_epoch; /* -1 = unknown */
    int32_t leader_epoch;         /* whose end is asked for */
};
struct offset_for_leader_epoch_request {
    struct message head;
    struct epoch_question *partitions;
    int32_t partition_count;
};
struct epoch_answer {
    partition_id partition;
    enum kafka_error error;
    int32_t leader_epoch; /* largest epoch not above the one asked for; -1 = undefined */
    int64_t end_offset;   /* first offset of the next epoch, or the log end; -1 = undefined */
};
struct offset_for_leader_epoch_response {
    struct message head;
    struct epoch_answer *partitions; /* request order */
    int32_t partition_count;
};

/* ---- Transactions ------------------------------------------------------------------------ */

struct init_producer_id_request {
    struct message head;
    name_id transactional_id; /* NAME_NONE = idempotence only */
    int32_t transaction_timeout_ms;
    int64_t producer_id; /* of a producer that bumps its epoch (KIP-360); -1 = new */
    int16_t producer_epoch;
};
struct init_producer_id_response {
    struct message head;
    enum kafka_error error;
    int64_t producer_id;
    int16_t producer_epoch;
};
struct add_partitions_to_txn_request {
    struct message head;
    name_id transactional_id;
    int64_t producer_id;
    int16_t producer_epoch;
    partition_id *partitions;
    int32_t partition_count;
};
struct add_offsets_to_txn_request {
    struct message head;
    name_id transactional_id;
    int64_t producer_id;
    int16_t producer_epoch;
    name_id group;
};
struct end_txn_request {
    struct message head;
    name_id transactional_id;
    int64_t producer_id;
    int16_t producer_epoch;
    bool committed;
};
/* Answers AddPartitionsToTxn, AddOffsetsToTxn and EndTxn, with the request's api. */
struct txn_response {
    struct message head;
    enum kafka_error error;
};

/* API_WRITE_TXN_MARKERS, from a transaction coordinator to a partition leader. */
struct txn_marker_entry {
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch;
    bool committed;
    name_id transactional_id; /* for the trace */
    partition_id partition;
};
struct write_txn_markers_request {
    struct message head;
    struct txn_marker_entry *markers;
    int32_t marker_count;
};
struct write_txn_markers_response {
    struct message head;
    enum kafka_error *errors; /* request order */
    int32_t marker_count;
};

/* Bytes on the wire, about: what bandwidth is charged for. */
int64_t fetch_response_size_bytes(const struct fetch_response *response);
int64_t produce_request_size_bytes(const struct produce_request *request);

#endif
