#include "model/client/client_metadata.h"

#include "model/client/backoff.h"
#include "sim/check.h"

#include <string.h>

#define REQUEST_SIZE_BYTES 64

struct client_metadata {
    struct client_metadata_options options;
    struct memory *memory;
    struct client_topic *topics;
    int32_t topic_count;
    name_id racks[BROKERS_MAX];
    uint64_t version;
    sim_time updated_at;
    bool update_is_requested;
    bool is_in_flight;
    uint32_t attempts; /* without success */
    sim_time retry_at;
    struct backoff backoff;
    uint64_t backoff_draws;
};

static sim_time maintain(void *context);

static void forget_partitions(struct client_metadata *metadata, struct client_topic *topic)
{
    size_t count = (size_t)topic->partition_count;
    memory_give(metadata->memory, topic->partitions, count * sizeof *topic->partitions);
    memory_give(metadata->memory, topic->replicas,
                count * (size_t)topic->replication * sizeof *topic->replicas);
    topic->partitions = NULL;
    topic->replicas = NULL;
    topic->partition_count = 0;
    topic->replication = 0;
}

/* ---- what a response says ---- */

static struct client_topic *find(const struct client_metadata *metadata, name_id name)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        if (metadata->topics[i].name == name) return &metadata->topics[i];
    }
    return NULL;
}

/* An epoch that is older than the one known comes from a broker that is behind
 * (Metadata.updateLatestMetadata). */
static struct metadata_partition newer(struct metadata_partition known,
                                       struct metadata_partition told)
{
    return told.leader_epoch >= known.leader_epoch ? told : known;
}

static void take_topic(struct client_metadata *metadata, const struct metadata_topic *told)
{
    struct client_topic *topic = find(metadata, told->name);
    if (topic == NULL) return;
    topic->error = told->error;
    topic->is_missing = told->error != KAFKA_NONE;
    if (told->error != KAFKA_NONE) {
        forget_partitions(metadata, topic);
        return;
    }
    /* Leader epochs of another topic of that name say nothing (Metadata.updateLatestMetadata). */
    if (topic->topic_id != told->topic_id) forget_partitions(metadata, topic);
    topic->index = told->index;
    topic->topic_id = told->topic_id;
    if (topic->partition_count != told->partition_count ||
        topic->replication != told->replication) {
        size_t count = (size_t)told->partition_count;
        struct metadata_partition *partitions =
            memory_take(metadata->memory, count * sizeof *partitions);
        for (int32_t p = 0; p < told->partition_count; p++) {
            partitions[p] = p < topic->partition_count ? topic->partitions[p]
                                                       : (struct metadata_partition){-1, -1};
        }
        forget_partitions(metadata, topic);
        topic->partitions = partitions;
        topic->replicas = memory_take(metadata->memory,
                                      count * (size_t)told->replication * sizeof *topic->replicas);
        topic->partition_count = told->partition_count;
        topic->replication = told->replication;
    }
    for (int32_t p = 0; p < told->partition_count; p++) {
        topic->partitions[p] = newer(topic->partitions[p], told->partitions[p]);
    }
    memcpy(topic->replicas, told->replicas,
           (size_t)(topic->partition_count * topic->replication) * sizeof *topic->replicas);
}

/* Before an answer that lists all topics: those it leaves out are gone. */
static void forget_all(struct client_metadata *metadata)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        metadata->topics[i].error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        metadata->topics[i].is_missing = true;
    }
}

static void forget_missing(struct client_metadata *metadata)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        if (metadata->topics[i].is_missing) forget_partitions(metadata, &metadata->topics[i]);
    }
}

static void answered(void *context, const struct request_result *result)
{
    struct client_metadata *metadata = context;
    sim_time now = sim_now(metadata->options.sim);
    metadata->is_in_flight = false;
    if (result->outcome != REQUEST_ANSWERED) {
        metadata->retry_at = now + backoff_ns(&metadata->backoff, BACKOFF_METADATA,
                                              metadata->attempts++, metadata->backoff_draws++);
        network_client_wake_at(metadata->options.network, maintain(metadata));
        return;
    }
    const struct metadata_response *response = (const void *)result->response;
    for (int32_t i = 0; i < response->broker_count; i++) {
        metadata->racks[response->brokers[i].id] = response->brokers[i].rack;
    }
    if (metadata->options.all_topics) forget_all(metadata);
    for (int32_t i = 0; i < response->topic_count; i++)
        take_topic(metadata, &response->topics[i]);
    forget_missing(metadata);
    bool all_known = true; /* one may have been added while this was under way */
    for (int32_t i = 0; i < metadata->topic_count && !metadata->options.all_topics; i++)
        all_known = all_known && metadata->topics[i].error == KAFKA_NONE;
    metadata->version++;
    metadata->updated_at = now;
    metadata->attempts = all_known ? 0 : metadata->attempts + 1;
    /* Two refreshes are never closer than retry.backoff.ms (Metadata.timeToAllowUpdate). A topic
     * that is unknown, perhaps just being created, is asked for again. */
    metadata->retry_at =
        now + backoff_ns(&metadata->backoff, BACKOFF_METADATA,
                         all_known ? 0 : metadata->attempts - 1, metadata->backoff_draws++);
    metadata->update_is_requested = !all_known;
    network_client_wake_at(metadata->options.network, maintain(metadata));
    if (metadata->options.on_update != NULL) metadata->options.on_update(metadata->options.context);
}

/* ---- asking ---- */

static void send_request(struct client_metadata *metadata, int32_t channel)
{
    struct metadata_request *request =
        MESSAGE_NEW(metadata->memory, API_METADATA, struct metadata_request);
    request->topic_count = metadata->options.all_topics ? -1 : metadata->topic_count;
    request->topics =
        MESSAGE_ARRAY(metadata->memory, &request->head, name_id, metadata->topic_count);
    for (int32_t i = 0; i < request->topic_count; i++) {
        request->topics[i] = metadata->topics[i].name;
    }
    metadata->is_in_flight = true;
    network_client_send(metadata->options.network,
                        &(struct outgoing_request){
                            .channel = channel,
                            .message = &request->head,
                            .size_bytes = REQUEST_SIZE_BYTES,
                            .timeout_ns = MILLISECONDS(metadata->options.request_timeout_ms),
                            .handler = answered,
                            .context = metadata,
                        });
}

/* Does what is due and says when to look again. */
static sim_time maintain(void *context)
{
    struct client_metadata *metadata = context;
    if (metadata->is_in_flight || metadata->topic_count == 0) return SIM_TIME_NEVER;
    sim_time now = sim_now(metadata->options.sim);
    sim_time due = metadata->updated_at + MILLISECONDS(metadata->options.metadata_max_age_ms);
    if (metadata->update_is_requested || metadata->version == 0) due = 0;
    if (due < metadata->retry_at) due = metadata->retry_at;
    if (due > now) return due;
    int32_t channel = network_client_least_loaded(metadata->options.network);
    if (channel != CHANNEL_NONE) {
        send_request(metadata, channel);
        return SIM_TIME_NEVER;
    }
    sim_time soonest = SIM_TIME_NEVER;
    for (int32_t i = 0; i < network_client_node_count(metadata->options.network); i++) {
        sim_time at = network_client_backoff_ends_at(metadata->options.network, CHANNEL_DATA(i));
        if (at < soonest) soonest = at;
    }
    return soonest;
}

void client_metadata_request_update(struct client_metadata *metadata)
{
    if (metadata->update_is_requested) return;
    metadata->update_is_requested = true;
    sim_time now = sim_now(metadata->options.sim);
    network_client_wake_at(metadata->options.network,
                           metadata->retry_at > now ? metadata->retry_at : now);
}

static void doubt(void *context)
{
    client_metadata_request_update(context);
}

void client_metadata_add_topic(struct client_metadata *metadata, name_id topic)
{
    if (find(metadata, topic) != NULL) return;
    size_t size = (size_t)metadata->topic_count * sizeof *metadata->topics;
    metadata->topics =
        memory_resize(metadata->memory, metadata->topics, size, size + sizeof *metadata->topics);
    metadata->topics[metadata->topic_count++] =
        (struct client_topic){.name = topic,
                              .error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                              .index = -1};
    metadata->update_is_requested = false; /* it was for other topics, or for none */
    client_metadata_request_update(metadata);
}

/* ---- what is known ---- */

bool client_metadata_is_fresh(const struct client_metadata *metadata)
{
    sim_time age = sim_now(metadata->options.sim) - metadata->updated_at;
    return metadata->version > 0 && !metadata->update_is_requested &&
           age < MILLISECONDS(metadata->options.metadata_max_age_ms);
}

bool client_metadata_is_complete(const struct client_metadata *metadata)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        const struct client_topic *topic = &metadata->topics[i];
        if (topic->error != KAFKA_NONE && !topic->is_missing) return false;
    }
    return true;
}

uint64_t client_metadata_version(const struct client_metadata *metadata)
{
    return metadata->version;
}

int32_t client_metadata_topic_count(const struct client_metadata *metadata)
{
    return metadata->topic_count;
}

const struct client_topic *client_metadata_topic_at(const struct client_metadata *metadata,
                                                    int32_t number)
{
    CHECK(number >= 0 && number < metadata->topic_count);
    return &metadata->topics[number];
}

const struct client_topic *client_metadata_topic(const struct client_metadata *metadata,
                                                 name_id topic)
{
    return find(metadata, topic);
}

static struct metadata_partition *known_partition(const struct client_metadata *metadata,
                                                  partition_id partition)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        const struct client_topic *topic = &metadata->topics[i];
        if (topic->index != PARTITION_TOPIC(partition)) continue;
        int32_t number = PARTITION_NUMBER(partition);
        return number < topic->partition_count ? &topic->partitions[number] : NULL;
    }
    return NULL;
}

int32_t client_metadata_topic_id(const struct client_metadata *metadata, partition_id partition)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        const struct client_topic *topic = &metadata->topics[i];
        if (topic->index == PARTITION_TOPIC(partition)) return topic->topic_id;
    }
    return 0;
}

struct metadata_partition client_metadata_partition(const struct client_metadata *metadata,
                                                    partition_id partition)
{
    const struct metadata_partition *known = known_partition(metadata, partition);
    return known != NULL ? *known : (struct metadata_partition){-1, -1};
}

bool client_metadata_set_leader(struct client_metadata *metadata, partition_id partition,
                                int32_t leader, int32_t leader_epoch)
{
    struct metadata_partition *known = known_partition(metadata, partition);
    if (known == NULL || leader < 0 || leader_epoch <= known->leader_epoch) return false;
    *known = (struct metadata_partition){leader, leader_epoch};
    metadata->version++;
    return true;
}

name_id client_metadata_rack(const struct client_metadata *metadata, int32_t broker)
{
    return broker >= 0 && broker < BROKERS_MAX ? metadata->racks[broker] : NAME_NONE;
}

/* ---- life ---- */

void client_metadata_reset(struct client_metadata *metadata)
{
    for (int32_t i = 0; i < metadata->topic_count; i++) {
        struct client_topic *topic = &metadata->topics[i];
        forget_partitions(metadata, topic);
        topic->error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        topic->is_missing = false;
        topic->topic_id = 0;
    }
    metadata->version = 0;
    metadata->updated_at = 0;
    metadata->update_is_requested = false;
    metadata->is_in_flight = false;
    metadata->attempts = 0;
    metadata->retry_at = 0;
}

struct client_metadata *client_metadata_new(const struct client_metadata_options *options)
{
    struct memory *memory = sim_memory(options->sim);
    struct client_metadata *metadata = memory_keep(memory, sizeof *metadata);
    *metadata = (struct client_metadata){
        .options = *options,
        .memory = memory,
        .backoff = {options->retry_backoff_ms, options->retry_backoff_max_ms,
                    sim_rng_key(options->sim, options->name, RNG_BACKOFF)},
    };
    network_client_set_maintenance(options->network, maintain, doubt, metadata);
    return metadata;
}
