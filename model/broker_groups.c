#include "model/broker_internal.h"

#include "model/coordinator/coordinator.h"
#include "model/coordinator/member_id.h"
#include "model/coordinator/shard.h"
#include "model/group_partition.h"
#include "model/group_trace.h"
#include "model/group_watch.h"
#include "model/messages_group.h"
#include "sim/check.h"

#include <string.h>

/* The group coordinator's home: one shard per __consumer_offsets partition this broker leads. */

#define RESPONSE_BYTES        120
#define RECORD_OVERHEAD_BYTES 70

struct group_shard {
    struct broker *broker;
    struct replica *replica;
    struct coordinator *coordinator;
    struct sim_timer timer;
    struct sim_timer load_timer;
    sim_time load_began_at;
    bool is_ready;             /* in the broker's list: the high watermark moved */
    struct group_watch *watch; /* NULL = nobody looks */
};

struct group_host {
    struct group_shard **shards; /* by partition, shape [count] */
    int32_t count;
    struct coordinator_config config;
    struct member_ids member_ids;
    struct coordinator_topic *topics;
    int32_t topic_count;
};

/* Before a step, if somebody looks; worlds begin to be looked at after their brokers are built. */
static void look(struct group_shard *shard)
{
    const struct group_watcher *watcher = &shard->broker->cluster->group_watcher;
    if (watcher->tell == NULL) return;
    if (shard->watch == NULL) {
        shard->watch =
            group_watch_new(watcher, shard->broker->memory, sim_names(shard->broker->sim));
        group_watch_loaded(shard->watch, shard->coordinator);
    }
    group_watch_before(shard->watch, shard->coordinator);
}

/* ---- effects ----------------------------------------------------------------------------- */

static void reply(struct group_shard *shard, uint64_t token, struct message *response)
{
    struct broker *broker = shard->broker;
    if ((token & MARKER_TOKEN) != 0) {
        const void *body = response;
        const struct txn_marker_response *marker = body;
        produce_marker_written(broker, token, marker == NULL ? KAFKA_NONE : marker->error);
        message_free(broker->memory, response);
        return;
    }
    struct broker_connection *connection = broker_connection_find(broker, (connection_id)token);
    if (connection == NULL || connection->request == NULL) {
        message_free(broker->memory, response); /* the client has gone */
        return;
    }
    if (response == NULL) return; /* replaced by a newer one: this connection stays muted */
    if (response->api == API_OFFSET_COMMIT || response->api == API_TXN_OFFSET_COMMIT)
        response = commit_whole_response(broker, connection->request, response);
    group_trace_response(broker->cluster->group_trace, broker->id, connection->request, response);
    broker_respond(broker, connection, response, RESPONSE_BYTES);
}

static void append_batch(struct group_shard *shard, struct group_log_batch *batch)
{
    struct replica *replica = shard->replica;
    sim_time now = sim_now(shard->broker->sim);
    if (!replica->is_leader) {
        group_log_batch_release(batch);
        coordinator_appended(shard->coordinator, -1, KAFKA_NOT_LEADER_OR_FOLLOWER, now);
        return;
    }
    const struct log_append record = {
        .count = (int32_t)group_log_batch_offsets(batch),
        .bytes = (int64_t)batch->size_bytes + RECORD_OVERHEAD_BYTES,
        .first_at = now,
        .last_at = now,
        .leader_epoch = replica->leader_epoch,
        .producer = -1,
        .payload = batch,
    };
    replica_append(replica, &record);
    internal_log_appended(replica);
    look(shard);
    coordinator_appended(shard->coordinator, replica->log.end_offset, KAFKA_NONE, now);
    group_watch_after(shard->watch, shard->coordinator, NULL, NULL);
}

static void arm_timer(struct group_shard *shard)
{
    sim_time at = coordinator_next_timer_at(shard->coordinator);
    sim_time now = sim_now(shard->broker->sim);
    if (at == SIM_TIME_NEVER) {
        sim_timer_cancel(shard->broker->sim, &shard->timer);
    } else {
        sim_timer_set(shard->broker->sim, &shard->timer, at > now ? at : now);
    }
}

/* Carries out what a call into the coordinator left to be done. */
static void carry_out(struct group_shard *shard)
{
    struct coordinator_effect effect;
    while (coordinator_take_effect(shard->coordinator, &effect)) {
        if (effect.kind == COORDINATOR_REPLY) {
            reply(shard, effect.token, effect.response);
        } else {
            append_batch(shard, effect.batch);
        }
    }
    arm_timer(shard);
}

void groups_on_high_watermark(struct replica *replica)
{
    struct group_shard *shard = replica->group_shard;
    if (shard->is_ready) return;
    shard->is_ready = true;
    pointer_list_push(shard->broker->memory, &shard->broker->ready_shards, shard);
}

void groups_run_shard(struct broker *broker, struct group_shard *shard)
{
    shard->is_ready = false;
    if (!shard->replica->is_leader) return;
    look(shard);
    coordinator_on_high_watermark(shard->coordinator, shard->replica->high_watermark,
                                  sim_now(broker->sim));
    group_watch_after(shard->watch, shard->coordinator, NULL, NULL);
    carry_out(shard);
}

void groups_timer(struct broker *broker, uint64_t partition)
{
    struct group_shard *shard = broker->groups->shards[partition];
    for (;;) {
        look(shard);
        bool has_fired = coordinator_run_timer(shard->coordinator, sim_now(broker->sim));
        group_watch_after(shard->watch, shard->coordinator, NULL, NULL);
        if (!has_fired) break;
        carry_out(shard);
    }
    arm_timer(shard);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void refuse(struct broker *broker, struct broker_connection *connection,
                   enum kafka_error error)
{
    struct message *response =
        coordinator_error_response(broker->memory, connection->request, error);
    group_trace_response(broker->cluster->group_trace, broker->id, connection->request, response);
    broker_respond(broker, connection, response, RESPONSE_BYTES);
}

static void take_request(struct group_shard *shard, const struct message *request, uint64_t token)
{
    look(shard);
    coordinator_handle(shard->coordinator, request, token, sim_now(shard->broker->sim));
    if (shard->watch == NULL) return;
    group_watch_after(shard->watch, shard->coordinator, request,
                      coordinator_answer_to(shard->coordinator, token));
}

/* ListGroups goes to every shard here; each answers at once. */
static void list_groups(struct broker *broker, struct broker_connection *connection)
{
    struct list_groups_response *all =
        MESSAGE_NEW(broker->memory, API_LIST_GROUPS, struct list_groups_response);
    int32_t capacity = 0;
    struct listed_group *groups = NULL;
    for (int32_t i = 0; i < broker->groups->count; i++) {
        struct group_shard *shard = broker->groups->shards[i];
        if (shard == NULL || !shard->replica->is_leader) continue;
        take_request(shard, connection->request, connection->id);
        struct coordinator_effect effect;
        while (coordinator_take_effect(shard->coordinator, &effect)) {
            if (effect.kind == COORDINATOR_APPEND) {
                append_batch(shard, effect.batch);
                continue;
            }
            const void *body = effect.response;
            const struct list_groups_response *part = body;
            if (part->error != KAFKA_NONE) all->error = part->error;
            if (part->group_count > 0) {
                int32_t grown = all->group_count + part->group_count;
                groups = memory_resize(broker->memory, groups, (size_t)capacity * sizeof *groups,
                                       (size_t)grown * sizeof *groups);
                memcpy(groups + all->group_count, part->groups,
                       (size_t)part->group_count * sizeof *groups);
                all->group_count = capacity = grown;
            }
            message_free(broker->memory, effect.response);
        }
    }
    all->groups = MESSAGE_ARRAY(broker->memory, &all->head, struct listed_group, all->group_count);
    if (all->group_count > 0) {
        memcpy(all->groups, groups, (size_t)all->group_count * sizeof *groups);
    }
    memory_give(broker->memory, groups, (size_t)capacity * sizeof *groups);
    broker_respond(broker, connection, &all->head, RESPONSE_BYTES);
}

/* Offsets that arrive when their transaction is over would stay pending for good (KIP-890). */
static enum kafka_error verify(struct group_shard *shard, const struct message *request)
{
    if (request->api != API_TXN_OFFSET_COMMIT) return KAFKA_NONE;
    if (coordinator_state(shard->coordinator) != COORDINATOR_ACTIVE) return KAFKA_NONE;
    const struct txn_offset_commit_request *commit = (const void *)request;
    enum kafka_error error =
        broker_verify_transaction(shard->broker, commit->transactional_id, commit->producer_id,
                                  commit->producer_epoch, shard->replica->partition->id);
    /* GroupCoordinatorService.commitTransactionalOffsets */
    return error == KAFKA_NETWORK_EXCEPTION ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : error;
}

void groups_handle(struct broker *broker, struct broker_connection *connection,
                   const struct message *request)
{
    struct group_host *host = broker->groups;
    group_trace_request(broker->cluster->group_trace, broker->id, request);
    if (request->api == API_LIST_GROUPS) {
        list_groups(broker, connection);
        return;
    }
    name_id group = group_request_group(request);
    const char *text = names_text(sim_names(broker->sim), group);
    struct group_shard *shard = NULL;
    if (broker->has_learned) shard = host->shards[group_partition(text, host->count)];
    if (shard == NULL || !shard->replica->is_leader) {
        refuse(broker, connection, KAFKA_NOT_COORDINATOR);
        return;
    }
    enum kafka_error error = verify(shard, request);
    if (error != KAFKA_NONE) {
        refuse(broker, connection, error);
        return;
    }
    struct message *known = commit_known_part(broker, request);
    if (known != NULL && commit_offset_count(known) == 0) {
        struct message *response = commit_whole_response(broker, request, NULL);
        group_trace_response(broker->cluster->group_trace, broker->id, request, response);
        broker_respond(broker, connection, response, RESPONSE_BYTES);
    } else {
        take_request(shard, known == NULL ? request : known, connection->id);
    }
    message_free(broker->memory, known);
    carry_out(shard);
}

enum kafka_error groups_write_marker(struct replica *replica, const struct txn_marker_entry *marker,
                                     uint64_t token)
{
    struct group_shard *shard = replica->group_shard;
    if (shard == NULL || coordinator_state(shard->coordinator) != COORDINATOR_ACTIVE) {
        return KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    }
    const struct txn_marker_request request = {.head = {.api = API_WRITE_TXN_MARKERS},
                                               .producer_id = marker->producer_id,
                                               .producer_epoch = marker->producer_epoch,
                                               .coordinator_epoch = marker->coordinator_epoch,
                                               .commit = marker->committed};
    take_request(shard, &request.head, token);
    carry_out(shard);
    return KAFKA_NONE;
}

/* ---- taking over and giving up ----------------------------------------------------------- */

static void set_topics(struct group_shard *shard)
{
    const struct group_host *host = shard->broker->groups;
    look(shard);
    coordinator_set_topics(shard->coordinator, host->topics, host->topic_count,
                           sim_now(shard->broker->sim));
    group_watch_after(shard->watch, shard->coordinator, NULL, NULL);
}

void groups_on_topics(struct broker *broker)
{
    struct group_host *host = broker->groups;
    const struct cluster *cluster = broker->cluster;
    if (host->topics == NULL) {
        host->topics =
            memory_keep(broker->memory, (size_t)cluster->topic_count * sizeof *host->topics);
    }
    host->topic_count = 0;
    for (int32_t t = 0; t < cluster->topic_count; t++) {
        if (broker->view_counts[t] == 0) continue;
        name_id name = cluster->topics[t].name;
        struct names *names = sim_names(broker->sim);
        int32_t id = broker->view_topic_ids[t];
        host->topics[host->topic_count++] = (struct coordinator_topic){
            .name = name,
            .partitions = broker->view_counts[t],
            .id = id == 0 ? NAME_NONE : names_format(names, "%s#%d", names_text(names, name), id),
        };
    }
    for (int32_t i = 0; i < host->count; i++) {
        if (host->shards[i] == NULL) continue;
        set_topics(host->shards[i]);
        carry_out(host->shards[i]);
    }
}

static void observe(void *self, const struct coordinator *coordinator,
                    const struct group_note *note)
{
    const struct group_shard *shard = self;
    group_trace_note(shard->broker->cluster->group_trace, shard->broker->id, coordinator, note);
}

static struct group_shard *shard_new(struct replica *replica)
{
    struct broker *broker = replica->broker;
    int32_t partition = PARTITION_NUMBER(replica->partition->id);
    struct group_shard *shard = memory_take(broker->memory, sizeof *shard);
    shard->broker = broker;
    shard->replica = replica;
    const struct coordinator_options options = {
        .memory = broker->memory,
        .names = sim_names(broker->sim),
        .config = &broker->groups->config,
        .partition = partition,
        .make_member_id = member_id_make,
        .make_member_id_self = &broker->groups->member_ids,
    };
    shard->coordinator = coordinator_new(&options);
    coordinator_observe(shard->coordinator, observe, shard);
    sim_timer_init(&shard->timer, broker->entity, BROKER_SHARD_TIMER, (uint64_t)partition);
    sim_timer_init(&shard->load_timer, broker->entity, BROKER_SHARD_LOADED, (uint64_t)partition);
    broker->groups->shards[partition] = shard;
    replica->group_shard = shard;
    return shard;
}

static void take_up(struct replica *replica)
{
    struct broker *broker = replica->broker;
    struct group_shard *shard = broker->groups->shards[PARTITION_NUMBER(replica->partition->id)];
    if (shard == NULL) shard = shard_new(replica);
    sim_time now = sim_now(broker->sim);
    if (coordinator_state(shard->coordinator) != COORDINATOR_NOT_OWNED) {
        coordinator_unload(shard->coordinator, now);
        carry_out(shard);
    }
    coordinator_start_loading(shard->coordinator, replica->leader_epoch, now);
    set_topics(shard);
    carry_out(shard);
    shard->load_began_at = now;
    sim_time load_ns = internal_log_load_ns(replica);
    if (load_ns == 0) {
        groups_loaded(broker, (uint64_t)PARTITION_NUMBER(replica->partition->id));
    } else {
        sim_timer_set(broker->sim, &shard->load_timer, now + load_ns);
    }
}

void groups_loaded(struct broker *broker, uint64_t partition)
{
    struct group_shard *shard = broker->groups->shards[partition];
    struct replica *replica = shard->replica;
    if (!replica->is_leader) return;
    sim_time now = sim_now(broker->sim);
    for (const struct log_batch *batch =
             replica_log_find(&replica->log, replica->partition->log.start_offset);
         batch != NULL; batch = replica_log_next(&replica->log, batch)) {
        coordinator_load_batch(shard->coordinator, batch->payload, batch->base_offset);
    }
    coordinator_finish_loading(shard->coordinator, replica->log.end_offset, replica->high_watermark,
                               now);
    group_watch_loaded(shard->watch, shard->coordinator);
    carry_out(shard);
    TRACE(broker->sim, TRACE_COORDINATOR, (int64_t)partition, broker->id, true,
          (int64_t)coordinator_group_count(shard->coordinator), now - shard->load_began_at);
}

static void give_up(struct replica *replica)
{
    struct group_shard *shard = replica->group_shard;
    struct broker *broker = replica->broker;
    if (shard == NULL || coordinator_state(shard->coordinator) == COORDINATOR_NOT_OWNED) return;
    TRACE(broker->sim, TRACE_COORDINATOR, PARTITION_NUMBER(replica->partition->id), broker->id,
          false, (int64_t)coordinator_group_count(shard->coordinator), 0);
    sim_timer_cancel(broker->sim, &shard->load_timer);
    coordinator_unload(shard->coordinator, sim_now(broker->sim));
    carry_out(shard);
}

void groups_on_role_change(struct replica *replica)
{
    if (replica->partition->topic != replica->broker->cluster->offsets_topic) return;
    if (replica->is_leader) {
        take_up(replica);
    } else {
        give_up(replica);
    }
}

/* ---- life -------------------------------------------------------------------------------- */

static void fill_config(const struct broker *broker, struct coordinator_config *config)
{
    struct names *names = sim_names(broker->sim);
    const struct broker_config *from = broker->group_config;
    *config = coordinator_config_default(names);
    config->group_min_session_timeout_ms = from->group_min_session_timeout_ms;
    config->group_max_session_timeout_ms = from->group_max_session_timeout_ms;
    config->group_initial_rebalance_delay_ms = from->group_initial_rebalance_delay_ms;
    config->group_max_size = from->group_max_size;
    config->offsets_commit_timeout_ms = from->offsets_commit_timeout_ms;
    config->group_coordinator_append_linger_ms = from->group_coordinator_append_linger_ms;
    config->offsets_retention_ms = (int64_t)from->offsets_retention_minutes * 60000;
    config->offsets_retention_check_interval_ms = from->offsets_retention_check_interval_ms;
    config->offset_metadata_max_bytes = from->offset_metadata_max_bytes;
    config->group_consumer_session_timeout_ms = from->group_consumer_session_timeout_ms;
    config->group_consumer_heartbeat_interval_ms = from->group_consumer_heartbeat_interval_ms;
    config->group_consumer_max_size = from->group_consumer_max_size;
    config->group_consumer_assignor_count = from->group_consumer_assignor_count;
    for (int32_t i = 0; i < from->group_consumer_assignor_count; i++) {
        config->group_consumer_assignors[i] =
            names_intern(names, from->group_consumer_assignors[i]);
    }
    const char *policy = from->group_consumer_migration_policy;
    if (policy == NULL) return;
    config->group_consumer_migration_policy = MIGRATION_BIDIRECTIONAL;
    if (strcmp(policy, "upgrade") == 0) config->group_consumer_migration_policy = MIGRATION_UPGRADE;
    if (strcmp(policy, "downgrade") == 0) {
        config->group_consumer_migration_policy = MIGRATION_DOWNGRADE;
    }
    if (strcmp(policy, "disabled") == 0) {
        config->group_consumer_migration_policy = MIGRATION_DISABLED;
    }
}

void groups_init(struct broker *broker)
{
    struct group_host *host = broker->groups;
    if (host != NULL) { /* shards of its former life are gone */
        fill_config(broker, &host->config);
        return;
    }
    host = memory_keep(broker->memory, sizeof *host);
    broker->groups = host;
    host->count = broker->cluster->topics[broker->cluster->offsets_topic].partition_count;
    host->shards = memory_keep(broker->memory, (size_t)host->count * sizeof(void *));
    host->member_ids = (struct member_ids){sim_names(broker->sim), sim_seed(broker->sim)};
    fill_config(broker, &host->config);
}

void groups_reset(struct broker *broker)
{
    struct group_host *host = broker->groups;
    for (int32_t i = 0; i < host->count; i++) {
        struct group_shard *shard = host->shards[i];
        if (shard == NULL) continue;
        host->shards[i] = NULL;
        shard->replica->group_shard = NULL;
        group_watch_free(shard->watch, broker->memory);
        coordinator_free(shard->coordinator);
        memory_give(broker->memory, shard, sizeof *shard);
    }
}
