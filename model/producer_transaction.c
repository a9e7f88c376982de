#include "model/producer_internal.h"
#include "model/producer_reactions.h"

#include "model/messages_group.h"
#include "sim/check.h"

#include <string.h>

/* TransactionManager: one request to a coordinator at a time, repeated until it succeeds or the
 * transaction has failed. */

#define REQUEST_BYTES 80
#define ENTRY_BYTES   20

struct producer_transaction_state {
    enum producer_transaction state;
    enum kafka_error error;
    name_id id;
    int32_t node;       /* the transaction coordinator; -1 = to be found */
    int32_t group_node; /* the group's */
    bool waiting;       /* a request is under way */
    bool has_participants;
    bool needs_epoch; /* InitProducerId again before the next transaction */
    uint32_t attempts;
    sim_time retry_at;
    struct producer_group group; /* sendOffsetsToTransaction */
    struct offset_entry *offsets;
    int32_t offset_count;
    bool group_added;
    uint64_t session; /* makes answers from before a reset void */
};

static void set_state(struct producer *producer, enum producer_transaction state)
{
    producer->transaction->state = state;
    if (producer->options.on_progress != NULL)
        producer->options.on_progress(producer->options.self);
}

static void fail(struct producer *producer, enum producer_transaction state, enum kafka_error error)
{
    enum producer_transaction now = producer->transaction->state;
    if (now == TRANSACTION_FATAL_ERROR) return;
    /* It is being taken back anyway. */
    if (now == TRANSACTION_ABORTING && state == TRANSACTION_ABORTABLE_ERROR) return;
    producer->transaction->error = error;
    set_state(producer, state);
}

enum producer_transaction producer_transaction_state(const struct producer *producer)
{
    return producer->transaction == NULL ? TRANSACTION_UNINITIALIZED : producer->transaction->state;
}

enum kafka_error producer_transaction_error(const struct producer *producer)
{
    return producer->transaction == NULL ? KAFKA_NONE : producer->transaction->error;
}

name_id producer_transactional_id(const struct producer *producer)
{
    return producer->transaction == NULL ? NAME_NONE : producer->transaction->id;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void retry_later(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    t->retry_at = sim_now(producer->sim) + backoff_ns(&producer->backoff, BACKOFF_TRANSACTION,
                                                      t->attempts++, producer->draws++);
    producer_wake(producer, t->retry_at);
}

/* True if the step is over. `node` is the coordinator that was asked; NULL = none. */
static bool settle(struct producer *producer, enum producer_answer answer, enum kafka_error error,
                   int32_t *node)
{
    switch (producer_reaction_to(answer, error)) {
    case PRODUCER_GOES_ON:
        producer->transaction->attempts = 0;
        producer_wake(producer, sim_now(producer->sim));
        return true;
    case PRODUCER_REDISCOVERS:
        if (node != NULL) *node = -1;
        retry_later(producer);
        return false;
    case PRODUCER_RETRIES: retry_later(producer); return false;
    case PRODUCER_RENEWS:
        producer->transaction->needs_epoch = true;
        fail(producer, TRANSACTION_ABORTABLE_ERROR, error);
        return false;
    case PRODUCER_ABORTS: fail(producer, TRANSACTION_ABORTABLE_ERROR, error); return false;
    case PRODUCER_DIES: fail(producer, TRANSACTION_FATAL_ERROR, error); return false;
    }
    CHECK(false);
    return false;
}

/* Common to all answers: false if it is void. */
static bool arrived(struct producer *producer, const struct request_result *result)
{
    if (result->tag != producer->transaction->session) return false;
    producer->transaction->waiting = false;
    return true;
}

static enum kafka_error error_of(const struct request_result *result)
{
    if (result->outcome != REQUEST_ANSWERED) return KAFKA_NETWORK_EXCEPTION;
    const void *body = result->response;
    return ((const struct txn_response *)body)->error;
}

static void on_coordinator(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    struct producer_transaction_state *t = producer->transaction;
    if (!arrived(producer, result)) return;
    const void *body = result->response;
    const struct find_coordinator_response *response = body;
    enum kafka_error error =
        result->outcome == REQUEST_ANSWERED ? response->error : KAFKA_NETWORK_EXCEPTION;
    if (error != KAFKA_NONE) {
        settle(producer, ANSWER_FIND_COORDINATOR, error, NULL);
        return;
    }
    bool of_group = t->node >= 0; /* the transaction's own is looked for first */
    if (of_group) {
        t->group_node = response->node;
    } else {
        t->node = response->node;
    }
    producer_wake(producer, sim_now(producer->sim));
}

static void on_initialized(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    struct producer_transaction_state *t = producer->transaction;
    if (!arrived(producer, result)) return;
    const void *body = result->response;
    const struct init_producer_id_response *response = body;
    enum kafka_error error =
        result->outcome == REQUEST_ANSWERED ? response->error : KAFKA_NETWORK_EXCEPTION;
    if (!settle(producer, ANSWER_INIT_PRODUCER_ID, error, &t->node)) return;
    producer->has_id = true;
    producer->producer_id = response->producer_id;
    producer->epoch = response->producer_epoch;
    t->needs_epoch = false;
    set_state(producer, TRANSACTION_READY);
}

static void on_partitions_added(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    struct producer_transaction_state *t = producer->transaction;
    if (!arrived(producer, result)) return;
    if (!settle(producer, ANSWER_ADD_PARTITIONS, error_of(result), &t->node)) {
        for (int32_t i = 0; i < producer->topic_count; i++) {
            for (int32_t q = 0; q < producer->topics[i].queue_count; q++) {
                struct producer_queue *queue = producer->topics[i].queues[q];
                if (queue != NULL) queue->adding = false;
            }
        }
        return;
    }
    t->has_participants = true;
    for (int32_t i = 0; i < producer->topic_count; i++) {
        for (int32_t q = 0; q < producer->topics[i].queue_count; q++) {
            struct producer_queue *queue = producer->topics[i].queues[q];
            if (queue == NULL || !queue->adding) continue;
            queue->adding = false;
            queue->in_transaction = true;
        }
    }
    for (int32_t n = 0; n < producer->node_count; n++) {
        producer->nodes[n].ready_at = sim_now(producer->sim);
    }
}

static void drop_offsets(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    memory_give(producer->memory, t->offsets, (size_t)t->offset_count * sizeof *t->offsets);
    t->offsets = NULL;
    t->offset_count = 0;
    t->group_added = false;
}

static void on_group_added(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    struct producer_transaction_state *t = producer->transaction;
    if (!arrived(producer, result)) return;
    if (!settle(producer, ANSWER_ADD_OFFSETS, error_of(result), &t->node)) return;
    t->group_added = true;
    t->has_participants = true;
}

static void on_offsets_committed(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    struct producer_transaction_state *t = producer->transaction;
    if (!arrived(producer, result)) return;
    enum kafka_error error = KAFKA_NETWORK_EXCEPTION;
    if (result->outcome == REQUEST_ANSWERED) {
        const void *body = result->response;
        const struct offset_commit_response *response = body;
        error = KAFKA_NONE;
        for (int32_t i = 0; i < response->offset_count && error == KAFKA_NONE; i++) {
            error = response->offsets[i].error;
        }
    }
    if (!settle(producer, ANSWER_TXN_OFFSET_COMMIT, error, &t->group_node)) return;
    drop_offsets(producer);
    if (t->state == TRANSACTION_SENDING_OFFSETS) set_state(producer, TRANSACTION_IN_TRANSACTION);
}

static void transaction_over(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    drop_offsets(producer);
    t->has_participants = false;
    t->error = KAFKA_NONE;
    for (int32_t i = 0; i < producer->topic_count; i++) {
        for (int32_t q = 0; q < producer->topics[i].queue_count; q++) {
            struct producer_queue *queue = producer->topics[i].queues[q];
            if (queue != NULL) queue->in_transaction = false;
        }
    }
    producer_wake(producer, sim_now(producer->sim));
    set_state(producer, t->needs_epoch ? TRANSACTION_INITIALIZING : TRANSACTION_READY);
}

static void on_ended(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    if (!arrived(producer, result)) return;
    if (!settle(producer, ANSWER_END_TXN, error_of(result), &producer->transaction->node)) return;
    transaction_over(producer);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void ask(struct producer *producer, int32_t channel, struct message *message,
                int64_t entries, request_handler *handler)
{
    producer->transaction->waiting = true;
    const struct outgoing_request outgoing = {
        .channel = channel,
        .message = message,
        .size_bytes = REQUEST_BYTES + entries * ENTRY_BYTES,
        .timeout_ns = MILLISECONDS(producer->config.request_timeout_ms),
        .handler = handler,
        .context = producer,
        .tag = producer->transaction->session,
    };
    network_client_send(producer->client, &outgoing);
}

static void find_coordinator(struct producer *producer, name_id key, bool transactional)
{
    int32_t channel = network_client_least_loaded(producer->client);
    if (channel == CHANNEL_NONE) {
        retry_later(producer);
        return;
    }
    struct find_coordinator_request *request =
        MESSAGE_NEW(producer->memory, API_FIND_COORDINATOR, struct find_coordinator_request);
    request->key = key;
    request->transactional = transactional;
    ask(producer, channel, &request->head, 0, on_coordinator);
}

static void initialize(struct producer *producer)
{
    struct init_producer_id_request *request =
        MESSAGE_NEW(producer->memory, API_INIT_PRODUCER_ID, struct init_producer_id_request);
    request->transactional_id = producer->transaction->id;
    request->transaction_timeout_ms = producer->config.transaction_timeout_ms;
    request->producer_id = producer->producer_id;
    request->producer_epoch = producer->epoch;
    ask(producer, CHANNEL_COORDINATOR(producer->transaction->node), &request->head, 0,
        on_initialized);
}

/* Partitions with records that the coordinator does not know of yet; false if there are none. */
static bool add_partitions(struct producer *producer)
{
    int32_t count = 0;
    for (int32_t pass = 0; pass < 2; pass++) {
        struct add_partitions_to_txn_request *request = NULL;
        if (pass == 1) {
            request = MESSAGE_NEW(producer->memory, API_ADD_PARTITIONS_TO_TXN,
                                  struct add_partitions_to_txn_request);
            request->transactional_id = producer->transaction->id;
            request->producer_id = producer->producer_id;
            request->producer_epoch = producer->epoch;
            request->partitions =
                MESSAGE_ARRAY(producer->memory, &request->head, partition_id, count);
        }
        for (int32_t i = 0; i < producer->topic_count; i++) {
            for (int32_t q = 0; q < producer->topics[i].queue_count; q++) {
                struct producer_queue *queue = producer->topics[i].queues[q];
                if (queue == NULL || queue->count == 0 || queue->in_transaction) continue;
                count += pass == 0;
                if (request == NULL) continue;
                queue->adding = true;
                request->partitions[request->partition_count++] = queue->partition;
            }
        }
        if (count == 0) return false;
        if (request != NULL) {
            ask(producer, CHANNEL_COORDINATOR(producer->transaction->node), &request->head, count,
                on_partitions_added);
        }
    }
    return true;
}

static void send_offsets(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    if (!t->group_added) {
        struct add_offsets_to_txn_request *request =
            MESSAGE_NEW(producer->memory, API_ADD_OFFSETS_TO_TXN,
                        struct add_offsets_to_txn_request);
        request->transactional_id = t->id;
        request->producer_id = producer->producer_id;
        request->producer_epoch = producer->epoch;
        request->group = t->group.group;
        ask(producer, CHANNEL_COORDINATOR(t->node), &request->head, 1, on_group_added);
        return;
    }
    if (t->group_node < 0) {
        find_coordinator(producer, t->group.group, false);
        return;
    }
    struct txn_offset_commit_request *request =
        MESSAGE_NEW(producer->memory, API_TXN_OFFSET_COMMIT, struct txn_offset_commit_request);
    request->group = t->group.group;
    request->member = t->group.member;
    request->instance = t->group.instance;
    request->generation = t->group.generation;
    request->transactional_id = t->id;
    request->producer_id = producer->producer_id;
    request->producer_epoch = producer->epoch;
    request->offset_count = t->offset_count;
    request->offsets =
        MESSAGE_ARRAY(producer->memory, &request->head, struct offset_entry, t->offset_count);
    memcpy(request->offsets, t->offsets, (size_t)t->offset_count * sizeof *t->offsets);
    ask(producer, CHANNEL_COORDINATOR(t->group_node), &request->head, t->offset_count,
        on_offsets_committed);
}

static void end(struct producer *producer, bool committed)
{
    struct producer_transaction_state *t = producer->transaction;
    if (producer->pending_records > 0) return; /* on_batch_done wakes us */
    if (!t->has_participants) {
        transaction_over(producer);
        return;
    }
    struct end_txn_request *request =
        MESSAGE_NEW(producer->memory, API_END_TXN, struct end_txn_request);
    request->transactional_id = t->id;
    request->producer_id = producer->producer_id;
    request->producer_epoch = producer->epoch;
    request->committed = committed;
    ask(producer, CHANNEL_COORDINATOR(t->node), &request->head, 0, on_ended);
}

void producer_transaction_run(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    if (t->waiting || t->state == TRANSACTION_UNINITIALIZED || t->state == TRANSACTION_READY ||
        t->state == TRANSACTION_ABORTABLE_ERROR || t->state == TRANSACTION_FATAL_ERROR) {
        return;
    }
    if (sim_now(producer->sim) < t->retry_at) {
        producer_wake(producer, t->retry_at);
        return;
    }
    if (t->node < 0) {
        find_coordinator(producer, t->id, true);
        return;
    }
    if (t->state == TRANSACTION_INITIALIZING) {
        initialize(producer);
    } else if (t->state == TRANSACTION_ABORTING) {
        end(producer, false);
    } else if (add_partitions(producer)) {
        return;
    } else if (t->state == TRANSACTION_SENDING_OFFSETS) {
        send_offsets(producer);
    } else if (t->state == TRANSACTION_COMMITTING) {
        end(producer, true);
    }
}

/* ---- failures ---------------------------------------------------------------------------- */

void producer_transaction_bump(struct producer *producer)
{
    producer->transaction->needs_epoch = true;
}

void producer_transaction_fail(struct producer *producer, enum kafka_error error)
{
    fail(producer, TRANSACTION_ABORTABLE_ERROR, error);
}

/* ---- the application's calls ------------------------------------------------------------- */

void producer_init_transactions(struct producer *producer)
{
    CHECK(producer->transaction != NULL);
    CHECK(producer->transaction->state == TRANSACTION_UNINITIALIZED);
    producer->transaction->state = TRANSACTION_INITIALIZING;
    producer_wake(producer, sim_now(producer->sim));
}

void producer_begin_transaction(struct producer *producer)
{
    CHECK(producer->transaction->state == TRANSACTION_READY);
    producer->transaction->state = TRANSACTION_IN_TRANSACTION;
}

void producer_send_offsets(struct producer *producer, const struct producer_group *group,
                           const struct offset_entry *offsets, int32_t offset_count)
{
    struct producer_transaction_state *t = producer->transaction;
    CHECK(t->state == TRANSACTION_IN_TRANSACTION && offset_count > 0);
    if (t->group.group != group->group) t->group_node = -1;
    t->group = *group;
    t->offset_count = offset_count;
    t->offsets = memory_take(producer->memory, (size_t)offset_count * sizeof *offsets);
    memcpy(t->offsets, offsets, (size_t)offset_count * sizeof *offsets);
    t->group_added = false;
    t->state = TRANSACTION_SENDING_OFFSETS;
    producer_wake(producer, sim_now(producer->sim));
}

void producer_commit_transaction(struct producer *producer)
{
    CHECK(producer->transaction->state == TRANSACTION_IN_TRANSACTION);
    producer->transaction->state = TRANSACTION_COMMITTING;
    producer_flush(producer);
    producer_wake(producer, sim_now(producer->sim));
}

void producer_abort_transaction(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    CHECK(t->state == TRANSACTION_IN_TRANSACTION || t->state == TRANSACTION_SENDING_OFFSETS ||
          t->state == TRANSACTION_ABORTABLE_ERROR);
    t->state = TRANSACTION_ABORTING;
    t->retry_at = 0;
    producer_drop_queued(producer);
    producer_wake(producer, sim_now(producer->sim));
}

/* ---- life -------------------------------------------------------------------------------- */

void producer_transaction_init(struct producer *producer)
{
    struct producer_transaction_state *t = memory_keep(producer->memory, sizeof *t);
    t->id = names_intern(sim_names(producer->sim), producer->config.transactional_id);
    t->node = -1;
    t->group_node = -1;
    producer->transaction = t;
    producer->idempotent = true;
}

void producer_transaction_reset(struct producer *producer)
{
    struct producer_transaction_state *t = producer->transaction;
    drop_offsets(producer);
    *t = (struct producer_transaction_state){.id = t->id,
                                             .node = -1,
                                             .group_node = -1,
                                             .session = t->session + 1};
}
