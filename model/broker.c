#include "model/broker_internal.h"

#include "model/messages_group.h"
#include "model/undelivered.h"
#include "sim/check.h"

#include <string.h>

#define RETENTION_FIRST_NS SECONDS(30) /* LogManager.initialTaskDelayMs */

/* ---- connections ------------------------------------------------------------------------- */

static void grow_buckets(struct broker *broker)
{
    uint32_t old_count = broker->bucket_count;
    uint32_t count = old_count == 0 ? 64 : old_count * 2;
    struct broker_connection **buckets = memory_take(broker->memory, count * sizeof *buckets);
    for (uint32_t i = 0; i < old_count; i++) {
        for (struct broker_connection *c = broker->buckets[i]; c != NULL;) {
            struct broker_connection *next = c->hash_next;
            c->hash_next = buckets[c->id & (count - 1)];
            buckets[c->id & (count - 1)] = c;
            c = next;
        }
    }
    memory_give(broker->memory, broker->buckets, old_count * sizeof *buckets);
    broker->buckets = buckets;
    broker->bucket_count = count;
}

struct broker_connection *broker_connection_find(struct broker *broker, connection_id id)
{
    if (broker->bucket_count == 0) return NULL;
    struct broker_connection *c = broker->buckets[id & (broker->bucket_count - 1)];
    while (c != NULL && c->id != id)
        c = c->hash_next;
    return c;
}

struct broker_connection *broker_connection_add(struct broker *broker, connection_id id,
                                                entity_id peer)
{
    if (broker->connection_count >= broker->bucket_count) grow_buckets(broker);
    struct broker_connection *c = memory_take(broker->memory, sizeof *c);
    c->id = id;
    c->peer = peer;
    c->hash_next = broker->buckets[id & (broker->bucket_count - 1)];
    broker->buckets[id & (broker->bucket_count - 1)] = c;
    broker->connection_count++;
    return c;
}

static void free_connection(struct broker *broker, struct broker_connection *c)
{
    for (uint32_t i = 0; i < c->waiting_count; i++) {
        message_drop(broker->sim, c->waiting[c->waiting_first + i]);
    }
    if (c->is_served) {
        message_drop(broker->sim, c->request);
    } else {
        message_free(broker->memory, c->request);
    }
    memory_give(broker->memory, c->waiting, c->waiting_capacity * sizeof *c->waiting);
    memory_give(broker->memory, c, sizeof *c);
}

void broker_connection_remove(struct broker *broker, struct broker_connection *connection)
{
    struct broker_connection **at = &broker->buckets[connection->id & (broker->bucket_count - 1)];
    while (*at != connection)
        at = &(*at)->hash_next;
    *at = connection->hash_next;
    broker->connection_count--;
    for (uint32_t i = 0; i < broker->ready_connections.count; i++) {
        if (broker->ready_connections.items[i] == connection) {
            broker->ready_connections.items[i] = NULL;
        }
    }
    free_connection(broker, connection);
}

/* ---- requests ---------------------------------------------------------------------------- */

sim_time broker_disk_ns(struct broker *broker)
{
    const struct distribution *disk = &broker->cluster->scenario->cluster.disk_ns;
    sim_time ns = distribution_draw(disk, &broker->disk_key, broker->appends++);
    sim_time now = sim_now(broker->sim);
    if (now + ns < broker->disk_stalled_until) ns = broker->disk_stalled_until - now;
    return ns;
}

/* When a request that arrives now has been worked on, by the io thread that is free first. */
static sim_time service_ends_at(struct broker *broker, const struct broker_connection *connection,
                                const struct message *request)
{
    const struct distribution *service = &broker->cluster->scenario->cluster.request_service_ns;
    name_id peer = sim_entity_name(broker->sim, connection->peer);
    uint64_t index = rng_index(names_hash(sim_names(broker->sim), peer) ^ (uint64_t)request->api,
                               request->correlation);
    sim_time now = sim_now(broker->sim);
    sim_time work = process_cpu_ns(broker->sim, broker->process,
                                   distribution_draw(service, &broker->service_key, index));
    if (request->api == API_PRODUCE) work += broker_disk_ns(broker);
    if (work == 0) return now;
    uint32_t thread = 0;
    for (uint32_t i = 1; i < BROKER_IO_THREADS; i++) {
        if (broker->io_free_at[i] < broker->io_free_at[thread]) thread = i;
    }
    sim_time begin = broker->io_free_at[thread] > now ? broker->io_free_at[thread] : now;
    broker->io_free_at[thread] = begin + work;
    return begin + work;
}

static void handle_request(struct broker *broker, struct broker_connection *connection)
{
    const struct message *request = connection->request;
    const void *body = request;
    switch (request->api) {
    case API_PRODUCE: produce_handle(broker, connection, body); return;
    case API_FETCH: fetch_handle(broker, connection, body); return;
    case API_REPLICA_FETCH: replication_on_fetch(broker, connection, body); return;
    case API_METADATA: metadata_handle(broker, connection, body); return;
    case API_LIST_OFFSETS: list_offsets_handle(broker, connection, body); return;
    case API_OFFSET_FOR_LEADER_EPOCH: epoch_handle(broker, connection, body); return;
    case API_FIND_COORDINATOR: find_coordinator_handle(broker, connection, body); return;
    case API_JOIN_GROUP:
    case API_SYNC_GROUP:
    case API_HEARTBEAT:
    case API_LEAVE_GROUP:
    case API_OFFSET_COMMIT:
    case API_OFFSET_FETCH:
    case API_OFFSET_DELETE:
    case API_TXN_OFFSET_COMMIT:
    case API_DELETE_GROUPS:
    case API_DESCRIBE_GROUPS:
    case API_LIST_GROUPS:
    case API_CONSUMER_GROUP_HEARTBEAT:
    case API_CONSUMER_GROUP_DESCRIBE: groups_handle(broker, connection, request); return;
    case API_INIT_PRODUCER_ID:
    case API_ADD_PARTITIONS_TO_TXN:
    case API_ADD_OFFSETS_TO_TXN:
    case API_END_TXN: transactions_handle(broker, connection, request); return;
    case API_WRITE_TXN_MARKERS: produce_write_markers(broker, connection, request); return;
    case API_ALTER_PARTITION:
    case API_BROKER_REGISTRATION:
    case API_BROKER_HEARTBEAT:
    case API_METADATA_UPDATE: break; /* for and from the controller only */
    }
    CHECK(false);
}

static void begin_request(struct broker *broker, struct broker_connection *connection,
                          struct message *request)
{
    connection->request = request;
    sim_time ends_at = service_ends_at(broker, connection, request);
    if (ends_at == sim_now(broker->sim)) {
        handle_request(broker, connection);
        return;
    }
    connection->is_served = true;
    sim_post(broker->sim, ends_at, PHASE_INTERNAL, broker->entity, broker->entity, BROKER_EXECUTE,
             connection->id, NULL);
}

static void on_request(struct broker *broker, struct broker_connection *c, struct message *request)
{
    if (c->request == NULL && c->waiting_count == 0) {
        begin_request(broker, c, request);
        return;
    }
    if (c->waiting_first + c->waiting_count == c->waiting_capacity) {
        if (c->waiting_first > 0) {
            memmove(c->waiting, c->waiting + c->waiting_first,
                    c->waiting_count * sizeof *c->waiting);
        }
        c->waiting_first = 0;
        if (c->waiting_count == c->waiting_capacity) {
            uint32_t grown = c->waiting_capacity == 0 ? 4 : c->waiting_capacity * 2;
            c->waiting = (struct message **)memory_resize(broker->memory, c->waiting,
                                                          c->waiting_capacity * sizeof *c->waiting,
                                                          grown * sizeof *c->waiting);
            c->waiting_capacity = grown;
        }
    }
    c->waiting[c->waiting_first + c->waiting_count++] = request;
}

void broker_respond(struct broker *broker, struct broker_connection *connection,
                    struct message *response, int64_t size_bytes)
{
    struct message *request = connection->request;
    if (response != NULL && connection->is_closing) {
        message_free(broker->memory, response);
        connection->send_failed = true;
    } else if (response != NULL) {
        response->correlation = request->correlation;
        network_send(broker->cluster->network, connection->id, broker->entity, response,
                     size_bytes);
    }
    connection->request = NULL;
    message_free(broker->memory, request);
    bool is_done = connection->waiting_count == 0 && !connection->is_closing;
    if (is_done || connection->is_readable) return;
    connection->is_readable = true;
    pointer_list_push(broker->memory, &broker->ready_connections, connection);
}

/* Nobody waits for answers here any more. */
static void forget_connection(struct broker *broker, struct broker_connection *connection)
{
    produce_connection_gone(broker, connection);
    fetch_connection_gone(broker, connection);
    replication_connection_gone(broker, connection);
    broker_connection_remove(broker, connection);
}

void broker_disconnect(struct broker *broker, struct broker_connection *connection)
{
    network_close(broker->cluster->network, connection->id, broker->entity);
    forget_connection(broker, connection);
}

static void read_on(struct broker *broker, struct broker_connection *c)
{
    c->is_readable = false;
    if (c->is_closing && (c->send_failed || c->waiting_count == 0)) {
        forget_connection(broker, c);
        return;
    }
    if (c->request != NULL || c->waiting_count == 0) return;
    struct message *request = c->waiting[c->waiting_first++];
    c->waiting_count--;
    if (c->waiting_count == 0) c->waiting_first = 0;
    begin_request(broker, c, request);
}

/* ---- the end of an event ----------------------------------------------------------------- */

/* Runs every collected piece of work, in the order collected, until nothing is left. Work may
 * collect more; each list is read by index because it can grow meanwhile. */
void broker_finish(struct broker *broker)
{
    bool worked = true;
    while (worked && broker->running) {
        worked = false;
#define WORK_OFF(list, type, call)                                                                 \
    for (uint32_t i = 0; i < broker->list.count; i++) {                                            \
        type *item = broker->list.items[i];                                                        \
        worked = true;                                                                             \
        if (item != NULL) call;                                                                    \
    }                                                                                              \
    broker->list.count = 0;
        WORK_OFF(ready_shards, struct group_shard, groups_run_shard(broker, item))
        WORK_OFF(ready_transactions, struct transaction_shard, transactions_run_shard(broker, item))
        if (broker->markers_waiting) transactions_flush(broker);
        WORK_OFF(ready_produces, struct produce_pending, produce_complete(broker, item))
        WORK_OFF(ready_sessions, struct replica_session, replication_session_flush(item))
        WORK_OFF(ready_fetches, struct fetch_session, fetch_answer(broker, item))
        WORK_OFF(ready_fetchers, struct replica_fetcher, replication_fetcher_flush(item))
        WORK_OFF(ready_connections, struct broker_connection, read_on(broker, item))
#undef WORK_OFF
    }
    membership_flush(broker);
}

/* ---- events ------------------------------------------------------------------------------ */

/* The requests that came before the close are served one after the other as long as none of them
 * has an answer, which could not be sent any more: so producers with acks=0 may write and go
 * (Selector.close, CloseMode.GRACEFUL: closingChannels). */
static void on_closed(struct broker *broker, struct broker_connection *connection)
{
    network_close(broker->cluster->network, connection->id, broker->entity);
    if (connection->is_served) {
        connection->is_closing = true;
    } else {
        forget_connection(broker, connection);
    }
}

/* True if the event is about a connection that this broker opened. */
static bool link_event(struct broker *broker, const struct sim_event *event)
{
    connection_id id = (connection_id)event->number;
    if (broker->controller_link.connection == id) {
        broker_link_on_event(&broker->controller_link, event);
        return true;
    }
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        struct broker_link *links[] = {&broker->fetchers[b].link, transactions_link(broker, b)};
        for (size_t i = 0; i < ARRAY_LEN(links); i++) {
            if (links[i]->connection != id) continue;
            broker_link_on_event(links[i], event);
            return true;
        }
    }
    return false;
}

static void on_network(struct broker *broker, const struct sim_event *event)
{
    connection_id id = (connection_id)event->number;
    struct broker_connection *connection = broker_connection_find(broker, id);
    if (event->kind == NETWORK_ACCEPTED) {
        broker_connection_add(broker, id, event->from);
    } else if (connection != NULL && event->kind == NETWORK_MESSAGE) {
        on_request(broker, connection, event->pointer);
    } else if (connection != NULL && event->kind == NETWORK_CLOSED) {
        on_closed(broker, connection);
    } else if (!link_event(broker, event) && event->kind == NETWORK_MESSAGE) {
        message_drop(broker->sim, event->pointer); /* of a connection given up here */
    }
}

static void on_execute(struct broker *broker, connection_id id)
{
    struct broker_connection *connection = broker_connection_find(broker, id);
    if (connection == NULL || !connection->is_served) return;
    connection->is_served = false;
    handle_request(broker, connection);
    connection = broker_connection_find(broker, id);
    bool waits_for_answer = connection != NULL && connection->request != NULL;
    if (waits_for_answer && connection->is_closing) forget_connection(broker, connection);
}

void broker_retain(struct replica *replica, const struct topic *topic)
{
    const struct broker *broker = replica->broker;
    struct partition_log *log = &replica->partition->log;
    const struct log_retention retention = {topic->retention_ms, topic->retention_bytes,
                                            replica->high_watermark};
    if (!partition_log_retain(log, &retention, sim_now(broker->sim))) return;
    TRACE(broker->sim, TRACE_LOG_START, partition_traced(replica->partition), log->start_offset,
          broker->id);
}

static void on_retention(struct broker *broker)
{
    const struct cluster *cluster = broker->cluster;
    sim_time now = sim_now(broker->sim);
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        if (!replica->is_leader || replica->partition->log.owner != &replica->log) continue;
        const struct topic *topic = &cluster->topics[replica->partition->topic];
        producer_states_expire(&replica->partition->producers,
                               now - MILLISECONDS(cluster->config->producer_id_expiration_ms));
        if (topic->internal) {
            internal_log_clean(replica);
            continue;
        }
        if (!topic->compact) broker_retain(replica, topic);
    }
    sim_timer_set(broker->sim, &broker->retention,
                  now + MILLISECONDS(cluster->config->log_retention_check_interval_ms));
}

static void on_lag_check(struct broker *broker)
{
    replication_check_lag(broker);
    sim_timer_set(broker->sim, &broker->lag_check,
                  sim_now(broker->sim) +
                      MILLISECONDS(broker->cluster->config->replica_lag_time_max_ms) / 2);
}

static void broker_handler(struct sim *sim, void *self, const struct sim_event *event)
{
    struct broker *broker = self;
    (void)sim;
    if (event->kind >= NETWORK_OPENED) {
        on_network(broker, event);
        broker_finish(broker);
        /* Here, where nothing of its former life is under way any more. */
        if (!broker->running && broker->starts_again) broker_start(broker);
        return;
    }
    switch ((enum broker_event)event->kind) {
    case BROKER_EXECUTE: on_execute(broker, (connection_id)event->number); break;
    case BROKER_LINK_TIMER:
        broker_link_on_timer(broker_link_numbered(broker, event->number));
        break;
    case BROKER_REPLICA_APPLY: replication_apply(&broker->fetchers[event->number]); break;
    case BROKER_REPLICA_RETRY: replication_retry(&broker->fetchers[event->number]); break;
    case BROKER_REPLICA_LAG: on_lag_check(broker); break;
    case BROKER_JOIN_RETRY: replica_check_joins(broker); break;
    case BROKER_HEARTBEAT_DUE: membership_heartbeat(broker); break;
    case BROKER_CLEANER: cleaner_run(broker); break;
    case BROKER_RETENTION: on_retention(broker); break;
    case BROKER_FETCH_EXPIRED: fetch_expired(broker, (uint32_t)event->number); break;
    case BROKER_PRODUCE_EXPIRED: produce_expired(broker, (uint32_t)event->number); break;
    case BROKER_SHARD_TIMER: groups_timer(broker, event->number); break;
    case BROKER_SHARD_LOADED: groups_loaded(broker, event->number); break;
    case BROKER_TRANSACTION_TIMER: transactions_timer(broker, event->number); break;
    case BROKER_TRANSACTIONS_LOADED: transactions_log_read(broker, event->number); break;
    }
    broker_finish(broker);
}

/* ---- life -------------------------------------------------------------------------------- */

struct broker *broker_new(struct cluster *cluster, int32_t id)
{
    struct broker *broker = memory_keep(cluster->memory, sizeof *broker);
    broker->cluster = cluster;
    broker->sim = cluster->sim;
    broker->memory = cluster->memory;
    broker->id = id;
    broker->process = cluster->processes[id];
    broker->group_config = cluster->config;
    broker->name = process_name(cluster->sim, broker->process);
    broker->entity =
        sim_add_entity(cluster->sim, broker->name, broker->process, broker_handler, broker);
    broker->service_key = sim_rng_key(cluster->sim, broker->name, RNG_REQUEST_SERVICE);
    broker->disk_key = sim_rng_key(cluster->sim, broker->name, RNG_DISK);
    broker->alive = UINT64_MAX >> (64 - (uint32_t)cluster->broker_count);
    return broker;
}

entity_id broker_entity(const struct broker *broker)
{
    return broker->entity;
}

void broker_add_replica(struct broker *broker, struct partition *partition, int32_t number)
{
    struct replica *replica = partition->replicas[number];
    replica_log_init(&replica->log, &partition->log);
    replica->partition = partition;
    replica->broker = broker;
    replica->number = (int16_t)number;
    replica->replica_count = (int16_t)partition->replica_count;
    replica->leader = -1;
    replica->leader_epoch = -1;
    replica->partition_epoch = -1;
    replica->isr = partition->isr;
    for (int32_t i = 0; i < partition->replica_count; i++)
        replica->followers[i].broker = partition->brokers[i];
    pointer_list_push(broker->memory, &broker->replicas, replica);
}

/* The process begins, for the first time or anew: nothing is left of before but the logs. */
void broker_start(struct broker *broker)
{
    process_start(broker->sim, broker->process);
    broker->incarnation = process_incarnation(broker->sim, broker->process);
    broker->running = true;
    broker->shutting_down = false;
    broker->starts_again = false;
    TRACE(broker->sim, TRACE_PROCESS, broker->name, PROCESS_TRACE_RUNNING, broker->incarnation);
    memset(broker->io_free_at, 0, sizeof broker->io_free_at);
    replication_init(broker);
    groups_init(broker);
    transactions_init(broker);
    membership_init(broker);
    sim_timer_init(&broker->lag_check, broker->entity, BROKER_REPLICA_LAG, 0);
    sim_timer_init(&broker->join_retry, broker->entity, BROKER_JOIN_RETRY, 0);
    sim_timer_init(&broker->retention, broker->entity, BROKER_RETENTION, 0);
    sim_timer_init(&broker->cleaner, broker->entity, BROKER_CLEANER, 0);
    sim_time now = sim_now(broker->sim);
    sim_timer_set(broker->sim, &broker->retention, now + RETENTION_FIRST_NS);
    cleaner_start(broker);
    sim_timer_set(broker->sim, &broker->lag_check,
                  now + MILLISECONDS(broker->cluster->config->replica_lag_time_max_ms) / 2);
    membership_start(broker);
    broker_finish(broker);
}

/* What a dead process no longer has. */
static void forget_everything(struct broker *broker)
{
    fetch_reset(broker);
    produce_reset(broker);
    replication_reset(broker);
    groups_reset(broker);
    transactions_reset(broker);
    for (uint32_t i = 0; i < broker->bucket_count; i++) {
        for (struct broker_connection *c = broker->buckets[i]; c != NULL;) {
            struct broker_connection *next = c->hash_next;
            free_connection(broker, c);
            c = next;
        }
        broker->buckets[i] = NULL;
    }
    broker->connection_count = 0;
    struct pointer_list *lists[] = {&broker->ready_connections,  &broker->ready_sessions,
                                    &broker->ready_fetchers,     &broker->ready_fetches,
                                    &broker->ready_produces,     &broker->ready_shards,
                                    &broker->ready_transactions, &broker->altering};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        lists[i]->count = 0;
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        replica->is_leader = false;
        replica->altering = false;
        replica->joining = 0;
        replica->leader = -1;
        replica->leader_epoch = -1;
        replica->partition_epoch = -1;
    }
}

static void stop(struct broker *broker)
{
    broker->running = false;
    broker->died_at = sim_now(broker->sim);
    forget_everything(broker);
    TRACE(broker->sim, TRACE_PROCESS, broker->name, PROCESS_TRACE_DEAD, broker->incarnation);
}

void broker_stopped(struct broker *broker)
{
    process_kill(broker->sim, broker->process);
    stop(broker);
}

void broker_crash(struct cluster *cluster, int32_t id, bool host)
{
    struct broker *broker = cluster->brokers[id];
    broker->starts_again = false;
    if (!broker->running) return;
    if (host) {
        host_kill(cluster->sim, broker->name);
    } else {
        process_kill(cluster->sim, broker->process);
    }
    stop(broker);
}

void broker_restart(struct cluster *cluster, int32_t id)
{
    struct broker *broker = cluster->brokers[id];
    if (!broker->running) broker_start(broker);
    if (broker->shutting_down) broker->starts_again = true;
}

void broker_shutdown(struct cluster *cluster, int32_t id)
{
    struct broker *broker = cluster->brokers[id];
    if (!broker->running || broker->shutting_down) return;
    broker->shutting_down = true;
    membership_heartbeat(broker);
}

void broker_set_config(struct cluster *cluster, int32_t id, const struct broker_config *config)
{
    cluster->brokers[id]->group_config = config;
}

void broker_disk_stall(struct cluster *cluster, int32_t id, sim_time until)
{
    struct broker *broker = cluster->brokers[id];
    if (until > broker->disk_stalled_until) broker->disk_stalled_until = until;
}
