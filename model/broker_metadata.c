#include "model/broker_internal.h"

#include "model/group_partition.h"
#include "model/messages_group.h"
#include "sim/check.h"

#include <string.h>

/* What this broker knows of the cluster, and the requests that ask for it. */

#define RESPONSE_BYTES      60
#define TOPIC_BYTES         40
#define PARTITION_BYTES     40
#define LISTED_OFFSET_BYTES 40

/* ---- the view ---------------------------------------------------------------------------- */

static void know_partitions(struct broker *broker, int32_t topic, int32_t count)
{
    int32_t known = broker->view_counts[topic];
    if (count <= known) return;
    broker->view_topic_ids[topic] = broker->cluster->topics[topic].id;
    struct partition_view *grown = memory_keep(broker->memory, (size_t)count * sizeof *grown);
    if (known > 0) memcpy(grown, broker->views[topic], (size_t)known * sizeof *grown);
    for (int32_t p = known; p < count; p++) {
        const struct partition *partition = broker->cluster->topics[topic].partitions[p];
        grown[p] = (struct partition_view){
            .replica = cluster_replica(broker->cluster, partition, broker->id),
            .leader = -1,
            .leader_epoch = -1,
        };
    }
    broker->views[topic] = grown;
    broker->view_counts[topic] = count;
}

/* The topic is gone, up to this topic id: its replicas here are stopped, known ones or not. */
static void forget_topic(struct broker *broker, int32_t topic, int32_t topic_id)
{
    if (broker->view_topic_ids[topic] <= topic_id) broker->view_counts[topic] = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        const struct partition *partition = replica->partition;
        if (partition->topic == topic && partition->topic_id <= topic_id) {
            replica_delete(replica);
        } else {
            broker->replicas.items[kept++] = replica;
        }
    }
    broker->replicas.count = kept;
}

static bool is_of_known_topic(const struct broker *broker, const struct metadata_entry *entry)
{
    return broker_view_place(broker, entry->partition) != NULL &&
           broker->view_topic_ids[PARTITION_TOPIC(entry->partition)] == entry->topic_id;
}

static void apply_partition(struct broker *broker, const struct metadata_entry *entry)
{
    if (!is_of_known_topic(broker, entry)) return;
    struct partition_view *view =
        &broker->views[PARTITION_TOPIC(entry->partition)][PARTITION_NUMBER(entry->partition)];
    view->leader = entry->leader;
    view->leader_epoch = entry->leader_epoch;
    struct replica *replica = view->replica;
    if (replica != NULL && entry->partition_epoch > replica->partition_epoch) {
        replica_become(replica, entry);
    }
}

static void apply(struct broker *broker, const struct metadata_entry *entry)
{
    int32_t topic = PARTITION_TOPIC(entry->partition);
    switch (entry->kind) {
    case METADATA_PARTITION: apply_partition(broker, entry); return;
    case METADATA_BROKERS:
        broker->alive = entry->isr;
        replica_retry_joins(broker); /* somebody may join now, or is not waited for any more */
        return;
    case METADATA_PARTITION_COUNT:
        /* Of a topic that is deleted further on in the log there is nothing left to be known. */
        if (entry->topic_id != broker->cluster->topics[topic].id) return;
        if (!broker->cluster->topics[topic].exists) return;
        know_partitions(broker, topic, entry->count);
        groups_on_topics(broker);
        return;
    case METADATA_TOPIC_DELETED:
        forget_topic(broker, topic, entry->topic_id);
        groups_on_topics(broker);
        return;
    }
    CHECK(false);
}

void broker_apply_metadata(struct broker *broker, uint64_t to_version)
{
    const struct cluster *cluster = broker->cluster;
    /* What comes together is applied as one change: of several entries of a partition the last
     * counts (MetadataDelta). */
    for (uint64_t v = broker->version; v < to_version; v++) {
        const struct metadata_entry *entry = &cluster->entries[v];
        if (entry->kind != METADATA_PARTITION || !is_of_known_topic(broker, entry)) continue;
        broker->views[PARTITION_TOPIC(entry->partition)][PARTITION_NUMBER(entry->partition)]
            .last_entry = v;
    }
    while (broker->version < to_version) {
        uint64_t v = broker->version++;
        struct metadata_entry entry = cluster->entries[v];
        bool superseded = entry.kind == METADATA_PARTITION && is_of_known_topic(broker, &entry) &&
                          broker_view(broker, entry.partition).last_entry > v;
        if (!superseded) apply(broker, &entry);
    }
}

void broker_learn_everything(struct broker *broker)
{
    struct cluster *cluster = broker->cluster;
    size_t topics = (size_t)cluster->topic_count;
    if (broker->views == NULL) {
        broker->views = memory_keep(broker->memory, topics * sizeof(void *));
        broker->view_counts = memory_keep(broker->memory, topics * sizeof(int32_t));
        broker->view_topic_ids = memory_keep(broker->memory, topics * sizeof(int32_t));
    }
    broker->has_learned = true;
    broker->version = cluster->version;
    broker->alive = cluster->alive;
    for (int32_t t = 0; t < cluster->topic_count; t++) {
        const struct topic *topic = &cluster->topics[t];
        int32_t gone = topic->exists ? topic->id - 1 : topic->id;
        if (gone >= 0) forget_topic(broker, t, gone); /* deleted while the process was down */
        know_partitions(broker, t, topic->partition_count);
        for (int32_t p = 0; p < topic->partition_count; p++) {
            const struct partition *partition = topic->partitions[p];
            const struct metadata_entry entry = {
                .kind = METADATA_PARTITION,
                .partition = partition->id,
                .topic_id = partition->topic_id,
                .leader = partition->leader,
                .leader_epoch = partition->leader_epoch,
                .partition_epoch = partition->partition_epoch,
                .isr = partition->isr,
            };
            apply_partition(broker, &entry);
        }
    }
    groups_on_topics(broker);
}

enum kafka_error broker_leader_replica(struct broker *broker, partition_id id, int32_t epoch,
                                       struct replica **replica)
{
    *replica = NULL;
    const struct partition_view *view = broker_view_place(broker, id);
    if (view == NULL) return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    struct replica *here = view->replica;
    if (here == NULL || !here->is_leader) return KAFKA_NOT_LEADER_OR_FOLLOWER;
    if (epoch >= 0 && epoch < here->leader_epoch) return KAFKA_FENCED_LEADER_EPOCH;
    if (epoch > here->leader_epoch) return KAFKA_UNKNOWN_LEADER_EPOCH;
    *replica = here;
    return KAFKA_NONE;
}

/* ---- Metadata ---------------------------------------------------------------------------- */

static void fill_topic(struct broker *broker, struct message *response, int32_t index,
                       struct metadata_topic *out)
{
    const struct topic *topic = &broker->cluster->topics[index];
    int32_t count = broker->view_counts[index];
    int32_t replication = topic->replication;
    out->name = topic->name;
    out->index = index;
    out->topic_id = broker->view_topic_ids[index];
    out->internal = topic->internal;
    out->partition_count = count;
    out->replication = replication;
    out->partitions = MESSAGE_ARRAY(broker->memory, response, struct metadata_partition, count);
    int32_t *replicas =
        MESSAGE_ARRAY(broker->memory, response, int32_t, (size_t)count * (size_t)replication);
    for (int32_t p = 0; p < count; p++) {
        const struct partition_view view = broker->views[index][p];
        out->partitions[p] = (struct metadata_partition){view.leader, view.leader_epoch};
        memcpy(replicas + (size_t)p * (size_t)replication, topic->partitions[p]->brokers,
               (size_t)replication * sizeof *replicas);
    }
    out->replicas = replicas;
}

void metadata_handle(struct broker *broker, struct broker_connection *connection,
                     const struct metadata_request *request)
{
    const struct cluster *cluster = broker->cluster;
    struct metadata_response *response =
        MESSAGE_NEW(broker->memory, API_METADATA, struct metadata_response);
    response->brokers = MESSAGE_ARRAY(broker->memory, &response->head, struct metadata_broker,
                                      cluster->broker_count);
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        if ((broker->alive & BROKER_BIT(b)) == 0) continue;
        response->brokers[response->broker_count++] =
            (struct metadata_broker){b, cluster->racks[b]};
    }
    bool all = request->topic_count < 0;
    int32_t count = all ? cluster->topic_count : request->topic_count;
    response->topics = MESSAGE_ARRAY(broker->memory, &response->head, struct metadata_topic, count);
    int64_t size = RESPONSE_BYTES;
    for (int32_t i = 0; i < count; i++) {
        int32_t index = all ? i : cluster_topic_find(cluster, request->topics[i]);
        bool is_there = index >= 0 && broker->view_counts != NULL && broker->view_counts[index] > 0;
        if (all && !is_there) continue;
        struct metadata_topic *topic = &response->topics[response->topic_count++];
        if (!is_there) {
            topic->name = request->topics[i];
            topic->error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            topic->index = -1;
        } else {
            fill_topic(broker, &response->head, index, topic);
        }
        size += TOPIC_BYTES + (int64_t)topic->partition_count * PARTITION_BYTES;
    }
    broker_respond(broker, connection, &response->head, size);
}

/* ---- ListOffsets ------------------------------------------------------------------------- */

static void list_offset(struct broker *broker, const struct list_offsets_partition *asked,
                        enum isolation_level isolation, struct listed_offset *out)
{
    struct replica *replica = NULL;
    *out = (struct listed_offset){.partition = asked->partition, .offset = -1, .at = -1};
    out->error =
        broker_leader_replica(broker, asked->partition, asked->current_leader_epoch, &replica);
    if (out->error != KAFKA_NONE) return;
    out->leader_epoch = replica->leader_epoch;
    int64_t visible =
        isolation == READ_COMMITTED ? replica_last_stable(replica) : replica->high_watermark;
    if (asked->at == LIST_OFFSETS_EARLIEST) {
        out->offset = replica->partition->log.start_offset;
        return;
    }
    /* Right after an election the new leader may not know how far its predecessor had come. */
    if (replica->high_watermark < replica->epoch_start) {
        out->error = KAFKA_OFFSET_NOT_AVAILABLE;
        return;
    }
    if (asked->at == LIST_OFFSETS_LATEST) {
        out->offset = visible;
        return;
    }
    int64_t found = replica_log_offset_at(&replica->log, asked->at);
    if (found >= visible) return; /* nothing is that young */
    const struct log_batch *batch = replica_log_find(&replica->log, found);
    out->offset = found;
    out->at = log_batch_record_at(batch, found - batch->base_offset);
    out->leader_epoch = batch->leader_epoch;
}

void list_offsets_handle(struct broker *broker, struct broker_connection *connection,
                         const struct list_offsets_request *request)
{
    struct list_offsets_response *response =
        MESSAGE_NEW(broker->memory, API_LIST_OFFSETS, struct list_offsets_response);
    int32_t count = request->partition_count;
    response->offset_count = count;
    response->offsets = MESSAGE_ARRAY(broker->memory, &response->head, struct listed_offset, count);
    for (int32_t i = 0; i < count; i++) {
        list_offset(broker, &request->partitions[i], request->isolation, &response->offsets[i]);
    }
    broker_respond(broker, connection, &response->head,
                   RESPONSE_BYTES + (int64_t)count * LISTED_OFFSET_BYTES);
}

/* ---- OffsetForLeaderEpoch ---------------------------------------------------------------- */

void epoch_handle(struct broker *broker, struct broker_connection *connection,
                  const struct offset_for_leader_epoch_request *request)
{
    struct offset_for_leader_epoch_response *response =
        MESSAGE_NEW(broker->memory, API_OFFSET_FOR_LEADER_EPOCH,
                    struct offset_for_leader_epoch_response);
    int32_t count = request->partition_count;
    response->partition_count = count;
    response->partitions =
        MESSAGE_ARRAY(broker->memory, &response->head, struct epoch_answer, count);
    for (int32_t i = 0; i < count; i++) {
        const struct epoch_question *asked = &request->partitions[i];
        struct replica *replica = NULL;
        struct epoch_answer *answer = &response->partitions[i];
        *answer = (struct epoch_answer){asked->partition, KAFKA_NONE, -1, -1};
        answer->error =
            broker_leader_replica(broker, asked->partition, asked->current_leader_epoch, &replica);
        if (answer->error != KAFKA_NONE) continue;
        const struct log_epoch end = replica_log_epoch_end(&replica->log, asked->leader_epoch);
        answer->leader_epoch = end.epoch;
        answer->end_offset = end.start_offset;
    }
    broker_respond(broker, connection, &response->head,
                   RESPONSE_BYTES + (int64_t)count * LISTED_OFFSET_BYTES);
}

/* ---- FindCoordinator --------------------------------------------------------------------- */

void find_coordinator_handle(struct broker *broker, struct broker_connection *connection,
                             const struct find_coordinator_request *request)
{
    const struct cluster *cluster = broker->cluster;
    int32_t topic = request->transactional ? cluster->transaction_topic : cluster->offsets_topic;
    struct find_coordinator_response *response =
        MESSAGE_NEW(broker->memory, API_FIND_COORDINATOR, struct find_coordinator_response);
    response->node = -1;
    if (broker->view_counts != NULL) {
        const char *key = names_text(sim_names(broker->sim), request->key);
        int32_t number = group_partition(key, broker->view_counts[topic]);
        int32_t leader = broker->views[topic][number].leader;
        if (leader >= 0 && (broker->alive & BROKER_BIT(leader)) != 0) response->node = leader;
    }
    if (response->node < 0) response->error = KAFKA_COORDINATOR_NOT_AVAILABLE;
    broker_respond(broker, connection, &response->head, RESPONSE_BYTES);
}
