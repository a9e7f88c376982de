#include "model/broker_internal.h"

#include "model/group_partition.h"
#include "model/transaction_coordinator.h"
#include "sim/check.h"

#include <string.h>

/* The transaction coordinator's home: one shard per __transaction_state partition this broker
 * leads, and the markers it has to get written (TransactionMarkerChannelManager). */

#define RESPONSE_BYTES    60
#define RECORD_BYTES      120
#define MARKER_BYTES      60
#define MARKER_RETRY_NS   MILLISECONDS(100)
#define MARKER_TIMEOUT_NS SECONDS(30)

struct transaction_shard {
    struct broker *broker;
    struct replica *replica;
    struct transaction_coordinator coordinator;
    struct sim_timer load_timer; /* set while the log is being read */
};

/* A marker that some leader has to write. */
struct marker_task {
    struct txn_marker_entry marker;
    int32_t state_partition; /* the shard that asked */
    int32_t sent_to;         /* broker; -1 = to be sent */
    bool waits;              /* for the retry timer: its broker could not write it just now */
    struct marker_task *next;
};

struct marker_link {
    struct broker_link link;
    struct marker_task **sent; /* request order */
    int32_t sent_count;
    int32_t sent_capacity;
};

struct transaction_host {
    struct transaction_shard **shards; /* by partition of __transaction_state */
    int32_t count;
    struct marker_link *links; /* by broker */
    struct marker_task *tasks; /* oldest first */
    struct marker_task *last_task;
    struct sim_timer sweep;
    struct sim_timer retry;
};

/* It has read its log, and its broker leads the partition. */
static bool is_serving(const struct transaction_shard *shard)
{
    return shard != NULL && shard->replica->is_leader && !sim_timer_is_set(&shard->load_timer);
}

/* ---- what a shard asks for --------------------------------------------------------------- */

static int64_t append(void *self, struct transaction_record *record)
{
    struct transaction_shard *shard = self;
    struct replica *replica = shard->replica;
    if (!replica->is_leader || bit_count(replica->isr) < replica_min_isr(replica)) {
        transaction_record_release(shard->broker->memory, record);
        return -1;
    }
    sim_time now = sim_now(shard->broker->sim);
    const struct log_append what = {
        .count = 1,
        .bytes = RECORD_BYTES + (int64_t)record->partition_count * 8,
        .first_at = now,
        .last_at = now,
        .leader_epoch = replica->leader_epoch,
        .producer = -1,
        .payload = record,
    };
    replica_append(replica, &what);
    internal_log_appended(replica);
    return replica->log.end_offset;
}

static void reply(void *self, uint64_t token, struct message *response)
{
    struct broker *broker = ((struct transaction_shard *)self)->broker;
    struct broker_connection *connection = broker_connection_find(broker, (connection_id)token);
    if (connection == NULL || connection->request == NULL) {
        message_free(broker->memory, response);
        return;
    }
    broker_respond(broker, connection, response, RESPONSE_BYTES);
}

static void write_marker(void *self, const struct txn_marker_entry *marker)
{
    struct transaction_shard *shard = self;
    struct broker *broker = shard->broker;
    struct transaction_host *host = broker->transactions;
    struct marker_task *task = memory_take(broker->memory, sizeof *task);
    task->marker = *marker;
    task->state_partition = PARTITION_NUMBER(shard->replica->partition->id);
    task->sent_to = -1;
    if (host->tasks == NULL) {
        host->tasks = task;
    } else {
        host->last_task->next = task;
    }
    host->last_task = task;
    broker->markers_waiting = true; /* sent at the end of the event */
}

static int64_t new_producer_id(void *self)
{
    return ((struct transaction_shard *)self)->broker->cluster->next_producer_id++;
}

static partition_id offsets_partition(void *self, name_id group)
{
    return cluster_offsets_partition(((struct transaction_shard *)self)->broker->cluster, group);
}

/* ---- markers ----------------------------------------------------------------------------- */

static void remove_task(struct broker *broker, struct marker_task *task)
{
    struct transaction_host *host = broker->transactions;
    struct marker_task *before = NULL;
    for (struct marker_task *t = host->tasks; t != NULL; before = t, t = t->next) {
        if (t != task) continue;
        if (before == NULL) {
            host->tasks = t->next;
        } else {
            before->next = t->next;
        }
        if (host->last_task == t) host->last_task = before;
        memory_give(broker->memory, t, sizeof *t);
        return;
    }
}

static void retry_later(struct broker *broker)
{
    struct transaction_host *host = broker->transactions;
    if (sim_timer_is_set(&host->retry)) return;
    sim_timer_set(broker->sim, &host->retry, sim_now(broker->sim) + MARKER_RETRY_NS);
}

static void task_done(struct broker *broker, struct marker_task *task, enum kafka_error error)
{
    if (error == KAFKA_NOT_LEADER_OR_FOLLOWER || error == KAFKA_NOT_COORDINATOR ||
        error == KAFKA_COORDINATOR_LOAD_IN_PROGRESS || error == KAFKA_COORDINATOR_NOT_AVAILABLE ||
        error == KAFKA_UNKNOWN_TOPIC_OR_PARTITION || error == KAFKA_NOT_ENOUGH_REPLICAS ||
        error == KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND || error == KAFKA_NETWORK_EXCEPTION) {
        task->sent_to = -1;
        task->waits = true;
        retry_later(broker);
        return;
    }
    /* Written, or a newer coordinator or producer has taken care of it. */
    struct transaction_shard *shard = broker->transactions->shards[task->state_partition];
    const struct txn_marker_entry marker = task->marker;
    remove_task(broker, task);
    if (!is_serving(shard)) return;
    transactions_marker_written(&shard->coordinator, marker.transactional_id, marker.partition);
}

static struct message *request_for(struct broker *broker, struct marker_link *link)
{
    struct write_txn_markers_request *request =
        MESSAGE_NEW(broker->memory, API_WRITE_TXN_MARKERS, struct write_txn_markers_request);
    request->marker_count = link->sent_count;
    request->markers =
        MESSAGE_ARRAY(broker->memory, &request->head, struct txn_marker_entry, link->sent_count);
    for (int32_t i = 0; i < link->sent_count; i++)
        request->markers[i] = link->sent[i]->marker;
    return &request->head;
}

static void collect(struct broker *broker, struct marker_link *link, int32_t to)
{
    for (struct marker_task *task = broker->transactions->tasks; task != NULL; task = task->next) {
        if (task->sent_to >= 0 || task->waits) continue;
        if (broker_view(broker, task->marker.partition).leader != to) continue;
        if (link->sent_count == link->sent_capacity) {
            int32_t grown = link->sent_capacity == 0 ? 8 : link->sent_capacity * 2;
            link->sent =
                (struct marker_task **)memory_resize(broker->memory, link->sent,
                                                     (size_t)link->sent_capacity * sizeof(void *),
                                                     (size_t)grown * sizeof(void *));
            link->sent_capacity = grown;
        }
        task->sent_to = to;
        link->sent[link->sent_count++] = task;
    }
}

static struct marker_task *first_without_partition(struct broker *broker)
{
    struct marker_task *task = broker->transactions->tasks;
    for (; task != NULL; task = task->next) {
        if (task->sent_to >= 0 || task->waits) continue;
        partition_id partition = task->marker.partition;
        /* One that was added this instant will be known soon: AddPartitionsToTxn is not refused
         * for it here, as it is in Kafka. */
        bool is_new = cluster_partition(broker->cluster, partition) != NULL;
        if (broker_view_place(broker, partition) == NULL && !is_new) return task;
    }
    return NULL;
}

/* A partition that is not known has been deleted: the transaction ends without it
 * (TransactionMarkerChannelManager.addTxnMarkersToBrokerQueue). */
static void drop_deleted(struct broker *broker)
{
    struct marker_task *task;
    while ((task = first_without_partition(broker)) != NULL)
        task_done(broker, task, KAFKA_NONE);
}

void transactions_flush(struct broker *broker)
{
    struct transaction_host *host = broker->transactions;
    broker->markers_waiting = false;
    drop_deleted(broker);
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        struct marker_link *link = &host->links[b];
        if (link->sent_count > 0) continue; /* one request at a time */
        collect(broker, link, b);
        if (link->sent_count == 0) continue;
        if (b == broker->id) {
            struct message *request = request_for(broker, link);
            produce_write_markers(broker, NULL, request);
            message_free(broker->memory, request);
        } else {
            broker_link_send(&link->link, request_for(broker, link),
                             RESPONSE_BYTES + (int64_t)link->sent_count * MARKER_BYTES,
                             MARKER_TIMEOUT_NS);
        }
    }
    for (const struct marker_task *task = host->tasks; task != NULL; task = task->next) {
        if (task->sent_to < 0) retry_later(broker); /* its leader is not known or is busy */
    }
}

static void markers_answered(struct broker *broker, struct marker_link *link,
                             const struct write_txn_markers_response *response)
{
    int32_t count = link->sent_count;
    link->sent_count = 0;
    for (int32_t i = 0; i < count; i++) {
        task_done(broker, link->sent[i],
                  response == NULL ? KAFKA_NETWORK_EXCEPTION : response->errors[i]);
    }
    broker->markers_waiting = broker->transactions->tasks != NULL;
}

void transactions_markers_done(struct broker *broker, struct message *response)
{
    const void *body = response;
    markers_answered(broker, &broker->transactions->links[broker->id], body);
    message_free(broker->memory, response);
}

static void on_response(struct broker_link *link, struct message *message)
{
    const void *body = message;
    markers_answered(link->broker, link->owner, body);
    message_free(link->broker->memory, message);
}

static void on_ready(struct broker_link *link)
{
    link->broker->markers_waiting = link->broker->transactions->tasks != NULL;
}

struct broker_link *transactions_link(struct broker *broker, int32_t peer)
{
    return &broker->transactions->links[peer].link;
}

/* ---- requests and events ----------------------------------------------------------------- */

static name_id transactional_id_of(const struct message *request)
{
    const void *body = request;
    switch ((int)request->api) {
    case API_INIT_PRODUCER_ID:
        return ((const struct init_producer_id_request *)body)->transactional_id;
    case API_ADD_PARTITIONS_TO_TXN:
        return ((const struct add_partitions_to_txn_request *)body)->transactional_id;
    case API_ADD_OFFSETS_TO_TXN:
        return ((const struct add_offsets_to_txn_request *)body)->transactional_id;
    default: return ((const struct end_txn_request *)body)->transactional_id;
    }
}

void transactions_handle(struct broker *broker, struct broker_connection *connection,
                         const struct message *request)
{
    struct transaction_host *host = broker->transactions;
    name_id id = transactional_id_of(request);
    if (id == NAME_NONE) {
        /* Idempotence only: any broker gives out ids (each from a block of its own). */
        struct init_producer_id_response *response =
            MESSAGE_NEW(broker->memory, API_INIT_PRODUCER_ID, struct init_producer_id_response);
        response->producer_id = broker->cluster->next_producer_id++;
        broker_respond(broker, connection, &response->head, RESPONSE_BYTES);
        return;
    }
    const char *text = names_text(sim_names(broker->sim), id);
    struct transaction_shard *shard = host->shards[group_partition(text, host->count)];
    if (!is_serving(shard)) {
        /* TransactionStateManager: a partition it leads and still loads is told apart. */
        bool loads = shard != NULL && shard->replica->is_leader;
        enum kafka_error error = loads ? KAFKA_COORDINATOR_LOAD_IN_PROGRESS : KAFKA_NOT_COORDINATOR;
        broker_respond(broker, connection, transactions_error(broker->memory, request, error),
                       RESPONSE_BYTES);
        return;
    }
    transactions_request(&shard->coordinator, request, connection->id, sim_now(broker->sim));
}

/* Kafka's brokers ask the coordinator with a request of their own and keep the answer while the
 * transaction is open in the log; here the asking takes no time, and does not fail unless the
 * coordinator is away (AddPartitionsToTxnManager, ReplicaManager). */
enum kafka_error broker_verify_transaction(struct broker *broker, name_id id, int64_t producer_id,
                                           int16_t epoch, partition_id partition)
{
    struct cluster *cluster = broker->cluster;
    const struct topic *topic = &cluster->topics[cluster->transaction_topic];
    const char *text = names_text(sim_names(broker->sim), id);
    int32_t number = group_partition(text, topic->partition_count);
    int32_t leader = broker_view(broker, PARTITION_ID(topic->index, number)).leader;
    if (leader < 0) return KAFKA_COORDINATOR_NOT_AVAILABLE;
    const struct broker *host = cluster->brokers[leader];
    const struct transaction_shard *shard = host->transactions->shards[number];
    bool answers = process_state(broker->sim, host->process) == PROCESS_RUNNING;
    if (!answers || !is_serving(shard)) return KAFKA_NETWORK_EXCEPTION;
    enum kafka_error error =
        transactions_verify(&shard->coordinator, id, producer_id, epoch, partition);
    /* Producers know what to do with that one. */
    return error == KAFKA_PRODUCER_FENCED ? KAFKA_INVALID_PRODUCER_EPOCH : error;
}

void transactions_on_high_watermark(struct replica *replica)
{
    struct transaction_shard *shard = replica->transaction_shard;
    if (shard->broker->has_learned) {
        pointer_list_push(shard->broker->memory, &shard->broker->ready_transactions, shard);
    }
}

void transactions_run_shard(struct broker *broker, struct transaction_shard *shard)
{
    (void)broker;
    if (!is_serving(shard)) return;
    transactions_committed(&shard->coordinator, shard->replica->high_watermark);
}

void transactions_timer(struct broker *broker, uint64_t number)
{
    struct transaction_host *host = broker->transactions;
    sim_time now = sim_now(broker->sim);
    if (number == TRANSACTION_TIMER_RETRY) {
        for (struct marker_task *task = host->tasks; task != NULL; task = task->next)
            task->waits = false;
        broker->markers_waiting = true;
        return;
    }
    for (int32_t i = 0; i < host->count; i++) {
        if (!is_serving(host->shards[i])) continue;
        transactions_sweep(&host->shards[i]->coordinator, now);
    }
    int32_t interval =
        broker->cluster->config->transaction_abort_timed_out_transaction_cleanup_interval_ms;
    sim_timer_set(broker->sim, &host->sweep, now + MILLISECONDS(interval));
}

/* ---- taking over and giving up ----------------------------------------------------------- */

static void drop_shard(struct broker *broker, struct transaction_shard *shard)
{
    struct transaction_host *host = broker->transactions;
    int32_t number = PARTITION_NUMBER(shard->replica->partition->id);
    for (uint32_t i = 0; i < broker->ready_transactions.count; i++) {
        if (broker->ready_transactions.items[i] == shard) {
            broker->ready_transactions.items[i] = NULL;
        }
    }
    sim_timer_cancel(broker->sim, &shard->load_timer);
    transactions_close(&shard->coordinator);
    shard->replica->transaction_shard = NULL;
    host->shards[number] = NULL;
    memory_give(broker->memory, shard, sizeof *shard);
}

void transactions_log_read(struct broker *broker, uint64_t partition)
{
    struct transaction_shard *shard = broker->transactions->shards[partition];
    struct replica *replica = shard->replica;
    if (!replica->is_leader) return;
    for (const struct log_batch *batch =
             replica_log_find(&replica->log, replica->partition->log.start_offset);
         batch != NULL; batch = replica_log_next(&replica->log, batch)) {
        transactions_load(&shard->coordinator, batch->payload);
    }
    transactions_loaded(&shard->coordinator);
}

static void take_up(struct replica *replica)
{
    struct broker *broker = replica->broker;
    uint64_t number = (uint64_t)PARTITION_NUMBER(replica->partition->id);
    struct transaction_shard *shard = memory_take(broker->memory, sizeof *shard);
    shard->broker = broker;
    shard->replica = replica;
    replica->transaction_shard = shard;
    broker->transactions->shards[number] = shard;
    const struct transaction_host_calls calls = {
        append, reply, write_marker, new_producer_id, offsets_partition, shard};
    transactions_open(&shard->coordinator, broker->memory, &calls,
                      broker->cluster->config->transaction_max_timeout_ms, replica->leader_epoch);
    sim_timer_init(&shard->load_timer, broker->entity, BROKER_TRANSACTIONS_LOADED, number);
    sim_time load_ns = internal_log_load_ns(replica);
    if (load_ns == 0) {
        transactions_log_read(broker, number);
    } else {
        sim_timer_set(broker->sim, &shard->load_timer, sim_now(broker->sim) + load_ns);
    }
}

void transactions_on_role_change(struct replica *replica)
{
    if (replica->partition->topic != replica->broker->cluster->transaction_topic) return;
    if (replica->transaction_shard != NULL) drop_shard(replica->broker, replica->transaction_shard);
    if (replica->is_leader) take_up(replica);
}

/* ---- life -------------------------------------------------------------------------------- */

void transactions_init(struct broker *broker)
{
    struct cluster *cluster = broker->cluster;
    struct transaction_host *host = broker->transactions;
    if (host == NULL) {
        host = memory_keep(broker->memory, sizeof *host);
        broker->transactions = host;
        host->count = cluster->topics[cluster->transaction_topic].partition_count;
        host->shards = memory_keep(broker->memory, (size_t)host->count * sizeof(void *));
        host->links =
            memory_keep(broker->memory, (size_t)cluster->broker_count * sizeof *host->links);
    }
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        struct marker_link *link = &host->links[b];
        broker_link_init(&link->link, broker, cluster->entities[b], LINK_NUMBER_MARKERS(b));
        link->link.owner = link;
        link->link.on_response = on_response;
        link->link.on_ready = on_ready;
    }
    sim_timer_init(&host->sweep, broker->entity, BROKER_TRANSACTION_TIMER, TRANSACTION_TIMER_SWEEP);
    sim_timer_init(&host->retry, broker->entity, BROKER_TRANSACTION_TIMER, TRANSACTION_TIMER_RETRY);
    int32_t interval = cluster->config->transaction_abort_timed_out_transaction_cleanup_interval_ms;
    sim_timer_set(broker->sim, &host->sweep, sim_now(broker->sim) + MILLISECONDS(interval));
}

void transactions_reset(struct broker *broker)
{
    struct transaction_host *host = broker->transactions;
    for (int32_t i = 0; i < host->count; i++) {
        if (host->shards[i] != NULL) drop_shard(broker, host->shards[i]);
    }
    while (host->tasks != NULL)
        remove_task(broker, host->tasks);
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        message_free(broker->memory, host->links[b].link.request);
        host->links[b].link.request = NULL;
        host->links[b].sent_count = 0;
    }
    broker->markers_waiting = false;
}
