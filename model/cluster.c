#include "model/cluster.h"

#include "model/broker_internal.h"
#include "model/cluster_internal.h"
#include "model/controller.h"
#include "model/group_partition.h"
#include "model/group_trace.h"
#include "sim/check.h"

#include <string.h>

/* Batches kept in all partition logs together before old ones are merged: 64 bytes each. Few, as
 * every append goes on where memory was not touched for longest; in a topic of 10,000 partitions
 * it is the latest dozen batches of each that are kept as they came. */
#define BATCHES_IN_ALL         (UINT32_C(1) << 18)
#define BATCHES_MAX_MOST       4096u
#define BATCHES_MAX_LEAST      24u
#define INTERNAL_SEGMENT_BYTES (INT64_C(100) << 20) /* offsets.topic.segment.bytes */

/* ---- building ---------------------------------------------------------------------------- */

/* Brokers in an order in which neighbours are in different racks as far as possible: the first of
 * each rack, then the second of each, and so on (AdminUtils.getRackAlternatedBrokerList). */
static void order_by_rack(struct cluster *cluster)
{
    int32_t count = cluster->broker_count;
    uint64_t taken = 0;
    for (int32_t filled = 0; filled < count;) {
        uint64_t racks_in_round = 0; /* each named by its first broker */
        for (int32_t b = 0; b < count; b++) {
            int32_t first = b;
            if (cluster->racks[b] != NAME_NONE) {
                first = 0;
                while (cluster->racks[first] != cluster->racks[b])
                    first++;
            }
            if (((taken & BROKER_BIT(b)) | (racks_in_round & BROKER_BIT(first))) != 0) continue;
            racks_in_round |= BROKER_BIT(first);
            taken |= BROKER_BIT(b);
            cluster->by_rack[filled++] = b;
        }
    }
}

/* Replica lists as AdminUtils deals them: the leaders go round, and the followers' distance from
 * the leader grows each time they have gone round. */
static void assign_replicas(const struct cluster *cluster, struct partition *partition,
                            int32_t start, int32_t number)
{
    int32_t n = cluster->broker_count;
    int32_t first = (start + number) % n;
    partition->brokers[0] = cluster->by_rack[first];
    for (int32_t j = 1; j < partition->replica_count; j++) {
        int32_t shift = 1 + (number / n + j - 1) % (n - 1);
        partition->brokers[j] = cluster->by_rack[(first + shift) % n];
    }
}

/* A partition and its replicas lie in one piece, each from a cache line on. */
static size_t replicas_begin(int32_t replica_count)
{
    size_t count = (size_t)replica_count;
    size_t lists = count * sizeof(struct replica *) + count * sizeof(int32_t);
    return whole_lines(sizeof(struct partition) + lists);
}

static struct partition *partition_new(struct cluster *cluster, struct topic *topic, int32_t number,
                                       char *place)
{
    struct memory *memory = cluster->memory;
    void *start = place;
    struct partition *partition = start;
    partition->id = PARTITION_ID(topic->index, number);
    partition->topic = topic->index;
    partition->topic_id = topic->id;
    partition->replica_count = topic->replication;
    void *lists = partition + 1;
    partition->replicas = lists;
    lists = partition->replicas + topic->replication;
    partition->brokers = lists;
    for (int32_t i = 0; i < topic->replication; i++) {
        size_t before = (size_t)i * replica_size(topic->replication);
        void *replica = place + replicas_begin(topic->replication) + before;
        partition->replicas[i] = replica;
    }
    assign_replicas(cluster, partition, topic->index, number);
    partition->leader = partition->brokers[0];
    for (int32_t i = 0; i < topic->replication; i++) {
        partition->isr |= BROKER_BIT(partition->brokers[i]);
    }
    partition_log_init(&partition->log, &topic->log_options);
    producer_states_init(&partition->producers, memory);
    return partition;
}

void cluster_grow_topic(struct cluster *cluster, struct topic *topic, int32_t partitions)
{
    if (partitions > topic->partition_capacity) {
        struct partition **grown = memory_keep(cluster->memory, (size_t)partitions * sizeof *grown);
        if (topic->partition_count > 0) {
            memcpy(grown, topic->partitions, (size_t)topic->partition_count * sizeof *grown);
        }
        topic->partitions = grown;
        topic->partition_capacity = partitions;
    }
    topic->log_options = (struct partition_log_options){
        .memory = cluster->memory,
        .batches_max = topic->internal || topic->compact ? UINT32_MAX : cluster->batches_max,
        .segment_bytes = topic->segment_bytes,
        .segment_ms = topic->segment_ms,
        .payloads = broker_log_payloads(cluster, topic),
    };
    size_t size = replicas_begin(topic->replication) +
                  (size_t)topic->replication * replica_size(topic->replication);
    char *place =
        memory_keep(cluster->memory, (size_t)(partitions - topic->partition_count) * size);
    for (int32_t number = topic->partition_count; number < partitions; number++, place += size) {
        struct partition *partition = partition_new(cluster, topic, number, place);
        topic->partitions[number] = partition;
        for (int32_t i = 0; i < partition->replica_count; i++) {
            broker_add_replica(cluster->brokers[partition->brokers[i]], partition, i);
        }
        partition->log.owner = replica_log_of(partition->replicas[0]);
        partition_log_begin_epoch(&partition->log, 0);
    }
    topic->partition_count = partitions;
}

static int32_t at_most(int32_t value, int32_t limit)
{
    return value < limit ? value : limit;
}

static void add_scenario_topic(struct cluster *cluster, const struct scenario_topic *from)
{
    struct topic *topic = &cluster->topics[cluster->topic_count];
    *topic = (struct topic){
        .name = names_intern(sim_names(cluster->sim), from->name),
        .index = cluster->topic_count,
        .exists = !from->created_later,
        .id = from->created_later ? -1 : 0,
        .compact = from->compact,
        .replication = at_most(from->replication, cluster->broker_count),
        .min_insync_replicas = from->min_insync_replicas,
        .unclean_leader_election = from->unclean_leader_election,
        .retention_ms = from->retention_ms,
        .retention_bytes = from->retention_bytes,
        .segment_bytes = from->segment_bytes,
        .segment_ms = from->segment_ms,
        .compact_and_delete = from->compact_and_delete,
        .compaction = {.min_dirty_milli = from->min_cleanable_dirty_milli,
                       .min_lag_ns = MILLISECONDS(from->min_compaction_lag_ms),
                       .max_lag_ms = from->max_compaction_lag_ms,
                       .delete_retention_ns = MILLISECONDS(from->delete_retention_ms),
                       .segment_bytes = from->segment_bytes},
    };
    /* A segment becomes no older than it may stay dirty (LogConfig.maxSegmentMs). */
    if (topic->compact && from->max_compaction_lag_ms > 0 &&
        from->max_compaction_lag_ms < topic->segment_ms) {
        topic->segment_ms = from->max_compaction_lag_ms;
    }
    cluster->topic_count++;
    if (topic->exists) cluster_grow_topic(cluster, topic, from->partitions);
}

static int32_t add_internal_topic(struct cluster *cluster, const char *name, int32_t partitions,
                                  int32_t replication, int32_t min_insync_replicas)
{
    struct topic *topic = &cluster->topics[cluster->topic_count];
    *topic = (struct topic){
        .name = names_intern(sim_names(cluster->sim), name),
        .index = cluster->topic_count,
        .exists = true,
        .internal = true,
        .compact = true,
        .replication = at_most(replication, cluster->broker_count),
        .min_insync_replicas = min_insync_replicas,
        .unclean_leader_election = cluster->config->unclean_leader_election_enable,
        .retention_ms = -1,
        .retention_bytes = -1,
        .segment_bytes = INTERNAL_SEGMENT_BYTES,
        .segment_ms = cluster->config->log_segment_ms,
    };
    cluster->topic_count++;
    cluster_grow_topic(cluster, topic, partitions);
    return topic->index;
}

static uint32_t batches_max(const struct scenario *scenario)
{
    int64_t partitions = 1;
    for (int32_t t = 0; t < scenario->topic_count; t++) {
        partitions += scenario->topics[t].partitions;
    }
    int64_t share = BATCHES_IN_ALL / partitions;
    if (share > BATCHES_MAX_MOST) return BATCHES_MAX_MOST;
    return share < BATCHES_MAX_LEAST ? BATCHES_MAX_LEAST : (uint32_t)share;
}

static void add_brokers(struct cluster *cluster)
{
    struct names *names = sim_names(cluster->sim);
    const struct scenario_cluster *from = &cluster->scenario->cluster;
    size_t count = (size_t)cluster->broker_count;
    cluster->entities = memory_keep(cluster->memory, count * sizeof *cluster->entities);
    cluster->processes = memory_keep(cluster->memory, count * sizeof *cluster->processes);
    cluster->racks = memory_keep(cluster->memory, count * sizeof *cluster->racks);
    cluster->by_rack = memory_keep(cluster->memory, count * sizeof *cluster->by_rack);
    cluster->brokers = memory_keep(cluster->memory, count * sizeof(void *));
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        name_id name = names_format(names, "broker-%d", b);
        cluster->processes[b] = process_add(cluster->sim, name, name);
        if (from->racks != NULL && from->racks[b] != NULL) {
            cluster->racks[b] = names_intern(names, from->racks[b]);
        }
        cluster->alive |= BROKER_BIT(b);
    }
    order_by_rack(cluster);
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        cluster->brokers[b] = broker_new(cluster, b);
        cluster->entities[b] = broker_entity(cluster->brokers[b]);
    }
}

struct cluster *cluster_new(struct sim *sim, struct network *network,
                            const struct scenario *scenario)
{
    struct memory *memory = sim_memory(sim);
    struct cluster *cluster = memory_keep(memory, sizeof *cluster);
    CHECK(scenario->cluster.brokers > 0 && scenario->cluster.brokers <= BROKERS_MAX);
    *cluster = (struct cluster){
        .sim = sim,
        .network = network,
        .memory = memory,
        .scenario = scenario,
        .config = &scenario->cluster.config,
        .broker_count = scenario->cluster.brokers,
        .batches_max = batches_max(scenario),
    };
    add_brokers(cluster);
    size_t topics = (size_t)scenario->topic_count + 2;
    cluster->topics = memory_keep(memory, topics * sizeof *cluster->topics);
    cluster->offsets_topic = scenario->topic_count;
    cluster->transaction_topic = scenario->topic_count + 1;
    for (int32_t t = 0; t < scenario->topic_count; t++) {
        add_scenario_topic(cluster, &scenario->topics[t]);
    }
    const struct broker_config *config = cluster->config;
    add_internal_topic(cluster, OFFSETS_TOPIC, config->offsets_topic_num_partitions,
                       config->offsets_topic_replication_factor, config->min_insync_replicas);
    /* transaction.state.log.replication.factor 3, transaction.state.log.min.isr 2 */
    add_internal_topic(cluster, TRANSACTION_TOPIC, config->transaction_state_log_num_partitions, 3,
                       at_most(2, cluster->broker_count));
    cluster->group_trace = group_trace_new(sim, cluster);
    cluster->controller = controller_new(cluster);
    for (int32_t b = 0; b < cluster->broker_count; b++)
        broker_start(cluster->brokers[b]);
    return cluster;
}

/* ---- looking up -------------------------------------------------------------------------- */

int32_t cluster_broker_count(const struct cluster *cluster)
{
    return cluster->broker_count;
}

const entity_id *cluster_broker_entities(const struct cluster *cluster)
{
    return cluster->entities;
}

entity_id cluster_broker_entity(const struct cluster *cluster, int32_t broker)
{
    return cluster->entities[broker];
}

process_id cluster_broker_process(const struct cluster *cluster, int32_t broker)
{
    return cluster->processes[broker];
}

process_id cluster_controller_process(const struct cluster *cluster)
{
    return controller_process(cluster->controller);
}

int32_t cluster_topic_count(const struct cluster *cluster)
{
    return cluster->topic_count;
}

name_id cluster_topic_name(const struct cluster *cluster, int32_t topic)
{
    return cluster->topics[topic].name;
}

int32_t cluster_topic_find(const struct cluster *cluster, name_id name)
{
    for (int32_t t = 0; t < cluster->topic_count; t++) {
        if (cluster->topics[t].name == name) return t;
    }
    return -1;
}

bool cluster_topic_is_internal(const struct cluster *cluster, int32_t topic)
{
    return cluster->topics[topic].internal;
}

int32_t cluster_partition_count(const struct cluster *cluster, int32_t topic)
{
    return cluster->topics[topic].partition_count;
}

int32_t cluster_leader(const struct cluster *cluster, partition_id partition)
{
    const struct partition *known = cluster_partition(cluster, partition);
    return known == NULL ? -1 : known->leader;
}

int32_t cluster_leader_epoch(const struct cluster *cluster, partition_id partition)
{
    const struct partition *known = cluster_partition(cluster, partition);
    return known == NULL ? -1 : known->leader_epoch;
}

uint64_t cluster_isr(const struct cluster *cluster, partition_id partition)
{
    const struct partition *known = cluster_partition(cluster, partition);
    return known == NULL ? 0 : known->isr;
}

partition_id cluster_offsets_partition(const struct cluster *cluster, name_id group)
{
    const struct topic *topic = &cluster->topics[cluster->offsets_topic];
    const char *text = names_text(sim_names(cluster->sim), group);
    return PARTITION_ID(topic->index, group_partition(text, topic->partition_count));
}

int32_t cluster_coordinator(const struct cluster *cluster, name_id group)
{
    return cluster_leader(cluster, cluster_offsets_partition(cluster, group));
}

struct replica *cluster_replica(const struct cluster *cluster, const struct partition *partition,
                                int32_t broker)
{
    (void)cluster;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (partition->brokers[i] == broker) return partition->replicas[i];
    }
    return NULL;
}

struct partition_offsets cluster_offsets(const struct cluster *cluster, partition_id id)
{
    struct partition *partition = cluster_partition(cluster, id);
    const struct replica *leader = NULL;
    if (partition == NULL) return (struct partition_offsets){0};
    if (partition->leader >= 0) leader = cluster_replica(cluster, partition, partition->leader);
    /* Without a leader, or with one that has not taken over yet: the last one. */
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (&partition->replicas[i]->log == partition->log.owner) leader = partition->replicas[i];
    }
    return (struct partition_offsets){
        .log_start = partition->log.start_offset,
        .high_watermark = leader->high_watermark,
        .last_stable = producer_states_last_stable(&partition->producers, leader->high_watermark),
        .log_end = leader->log.end_offset,
        .bytes = leader->log.end_position - partition->log.start_position,
    };
}

sim_time cluster_record_at(const struct cluster *cluster, partition_id id, int64_t offset)
{
    const struct partition *partition = cluster_partition(cluster, id);
    if (partition == NULL) return -1;
    const struct log_batch *batch = replica_log_find(partition->log.owner, offset);
    if (batch == NULL || offset < batch->base_offset || (batch->flags & LOG_EMPTY) != 0) return -1;
    return log_batch_record_at(batch, offset - batch->base_offset);
}

void cluster_log_entry(struct cluster *cluster, const struct metadata_entry *entry)
{
    if (cluster->version == cluster->entry_capacity) {
        uint64_t grown = cluster->entry_capacity == 0 ? 64 : cluster->entry_capacity * 2;
        cluster->entries = memory_resize(cluster->memory, cluster->entries,
                                         (size_t)cluster->entry_capacity * sizeof *cluster->entries,
                                         (size_t)grown * sizeof *cluster->entries);
        cluster->entry_capacity = grown;
    }
    cluster->entries[cluster->version++] = *entry;
}

void cluster_watch_groups(struct cluster *cluster, const struct group_watcher *watcher)
{
    cluster->group_watcher = *watcher;
}

const struct group_watcher *cluster_group_watcher(const struct cluster *cluster)
{
    return &cluster->group_watcher;
}
