/* model/cluster_internal.h: the insides of cluster.h, for the controller and the brokers. */
#ifndef MODEL_CLUSTER_INTERNAL_H
#define MODEL_CLUSTER_INTERNAL_H

#include "model/cluster.h"
#include "model/group_watch.h"
#include "model/log_cleaner.h"
#include "model/partition_log.h"
#include "model/producer_state.h"
#include "sim/prefetch.h"

struct broker;
struct controller;
struct group_trace;
struct replica;

/* One entry of the metadata log. */
enum metadata_entry_kind {
    METADATA_PARTITION,       /* leader, epochs, ISR of one partition */
    METADATA_BROKERS,         /* who is alive */
    METADATA_PARTITION_COUNT, /* a topic has grown, or is new; `partition` is the first new one */
    METADATA_TOPIC_DELETED    /* `partition` is the first one */
};
struct metadata_entry {
    enum metadata_entry_kind kind;
    partition_id partition;
    int32_t topic_id; /* of the topic of that name that it is about */
    int32_t leader;
    int32_t leader_epoch;
    int32_t partition_epoch;
    bool unclean;
    uint64_t isr;  /* or the brokers alive */
    int32_t count; /* of the topic's partitions */
};

/* What appends read comes first, by cache lines: see struct replica. */
struct partition {
    /* the log, shared by the replicas as far as they agree */
    struct partition_log log;
    partition_id id;
    int32_t topic;
    int32_t topic_id;
    struct producer_states producers;
    int32_t replica_count;
    struct replica **replicas; /* in assignment order */
    int32_t *brokers;          /* same order, the preferred leader first */
    /* what the controller knows */
    int32_t leader;
    int32_t leader_epoch;
    int32_t partition_epoch;
    uint64_t isr;
};

/* One of these for each name. A topic that is deleted has no partitions; when it is created again
 * it gets new ones, and the next topic id. What still points to the old ones finds replicas that
 * neither lead nor follow. */
struct topic {
    name_id name;
    int32_t index;
    bool exists;
    int32_t id; /* see PARTITION_IN; -1 = never created yet */
    bool internal;
    bool compact;
    bool compact_and_delete;
    int32_t replication;
    int32_t min_insync_replicas;
    bool unclean_leader_election;
    int64_t retention_ms;
    int64_t retention_bytes;
    int64_t segment_bytes;
    int64_t segment_ms;
    struct log_compaction compaction; /* of ordinary topics */
    int32_t partition_count;
    int32_t partition_capacity;
    struct partition **partitions;
    struct partition_log_options log_options;
};

struct cluster {
    struct group_watcher group_watcher;
    struct sim *sim;
    struct network *network;
    struct memory *memory;
    const struct scenario *scenario;
    const struct broker_config *config;
    int32_t broker_count;
    entity_id *entities;
    process_id *processes;
    name_id *racks;
    int32_t *by_rack; /* broker ids, racks alternating: replicas are dealt in this order */
    struct broker **brokers;
    int32_t topic_count;
    struct topic *topics;
    int32_t offsets_topic;
    int32_t transaction_topic;
    uint64_t alive; /* brokers that are not fenced, as the controller knows */
    struct controller *controller;
    struct group_trace *group_trace;
    struct metadata_entry *entries; /* the metadata log */
    uint64_t version;               /* entries in it */
    uint64_t entry_capacity;
    uint32_t batches_max; /* per partition log */
    int64_t next_producer_id;
    int32_t plain_fetches; /* above zero: no fetch idles */
};

static inline struct topic *cluster_topic(const struct cluster *cluster, partition_id id)
{
    int32_t topic = PARTITION_TOPIC(id);
    return topic < cluster->topic_count ? &cluster->topics[topic] : NULL;
}
/* The partition as records tell of it. */
static inline int64_t partition_traced(const struct partition *partition)
{
    return PARTITION_IN(partition->topic_id, partition->id);
}
/* NULL when there is no such partition. */
static inline struct partition *cluster_partition(const struct cluster *cluster, partition_id id)
{
    const struct topic *topic = cluster_topic(cluster, id);
    if (topic == NULL || PARTITION_NUMBER(id) >= topic->partition_count) return NULL;
    return topic->partitions[PARTITION_NUMBER(id)];
}
/* Requests touch thousands of partitions one after the other, each in memory of its own: loops say
 * some rounds ahead what they will need. First the partition, a few rounds later (when that has
 * come) what it points to. */
#define PREFETCH_PARTITION 10 /* rounds ahead */
#define PREFETCH_REPLICA   5
#define PREFETCH_COPY      24 /* these rounds are short */
#define PREFETCH_READER    2
static inline size_t whole_lines(size_t size)
{
    return (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}
/* What moving the high watermark reads of a partition. */
static inline void prefetch_partition(const struct partition *partition)
{
    prefetch_line(&partition->log.owner);
}
static inline void prefetch_log_end(const struct partition_log *log)
{
    const struct log_batches *list = &log->main;
    if (list->count > 0) prefetch_line(&list->items[list->first + list->count]);
    if (log->segment_count > 0) prefetch_lines(&log->segments[log->segment_count - 1], 1);
}

/* The replica of a partition at a broker; NULL when it has none there. */
struct replica *cluster_replica(const struct cluster *cluster, const struct partition *partition,
                                int32_t broker);

/* Appends to the metadata log; the controller then pushes it. */
void cluster_log_entry(struct cluster *cluster, const struct metadata_entry *entry);
/* Partitions [topic->partition_count, partitions) come into being. */
void cluster_grow_topic(struct cluster *cluster, struct topic *topic, int32_t partitions);

static inline int32_t bit_count(uint64_t bits)
{
    int32_t count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}
#define BROKER_BIT(broker) (UINT64_C(1) << (uint32_t)(broker))

#endif
