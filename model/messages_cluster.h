/* model/messages_cluster.h: what brokers say to each other and to the controller.
 *
 * Replication is Kafka's Fetch with a session per pair of brokers, thinned to what carries news: a
 * request says "I have appended all your last response gave me, except …", and lists partitions
 * only when they join the session or their position changed otherwise. The metadata log is pushed
 * in order instead of fetched; the entries are kept once (cluster_internal.h), a message names a
 * range. */
#ifndef MODEL_MESSAGES_CLUSTER_H
#define MODEL_MESSAGES_CLUSTER_H

#include "model/kafka_types.h"
#include "model/message.h"
#include "model/trace_kinds.h"

struct replica;
struct replica_fetched;

struct replica_fetch_partition {
    partition_id partition;
    int32_t topic_id;
    int32_t leader_epoch;
    int64_t fetch_offset;
};
struct replica_fetch_request {
    struct message head;
    int32_t broker;                  /* the follower */
    uint32_t session;                /* counts up: late requests of older ones are void */
    bool full;                       /* a new session: `partitions` are all it follows */
    struct replica_fetched *applied; /* the last response's entries, the same array */
    int32_t applied_count;
    struct replica_fetch_partition *partitions; /* new in the session, or at another offset */
    int32_t partition_count;
    partition_id *forgotten; /* no longer followed, or not appended: not to be taken as fetched */
    int32_t forgotten_count;
};
/* The replicas stand for the partition: thousands of entries are to be worked off without a look-up
 * each. Their brokers may have died and come back since; the replicas outlive that. */
struct replica_fetched {
    struct replica *leader; /* NULL = the sender has none */
    struct replica *follower;
    int32_t leader_epoch;
    int16_t error;      /* enum kafka_error */
    bool truncate;      /* the logs part at end_offset: truncate there, then go on */
    bool complete;      /* all that the leader had when it answered */
    int64_t end_offset; /* the follower has everything below it after appending */
    int64_t high_watermark;
};
struct replica_fetch_response {
    struct message head;
    struct replica_fetched *partitions;
    int32_t partition_count;
};

struct alter_partition_entry {
    partition_id partition;
    int32_t topic_id;
    int32_t leader_epoch;
    int32_t partition_epoch;
    uint64_t isr;
};
struct alter_partition_request {
    struct message head;
    int32_t broker;
    struct alter_partition_entry *partitions;
    int32_t partition_count;
};
/* Accepted ones also come with the next metadata update. */
struct alter_partition_response {
    struct message head;
    partition_id *refused; /* stale epochs, or a replica that may not join */
    int32_t refused_count;
};

struct broker_registration_request {
    struct message head;
    int32_t broker;
    uint32_t incarnation;
    uint64_t metadata_version; /* what it knows already */
};
struct broker_registration_response {
    struct message head;
    bool accepted; /* DUPLICATE_BROKER_REGISTRATION while the last incarnation's session lives */
};
struct broker_heartbeat_request {
    struct message head;
    int32_t broker;
    uint32_t incarnation;
    uint64_t metadata_version;
    bool want_shut_down;
};
struct broker_heartbeat_response {
    struct message head;
    bool registered; /* false: it was fenced or forgotten and must register again */
    bool should_shut_down;
};

/* From the controller, unasked. */
struct metadata_update {
    struct message head;
    uint64_t from_version; /* entries [from, to) of the metadata log */
    uint64_t to_version;
};

#endif
