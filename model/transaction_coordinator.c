#include "model/transaction_coordinator.h"

#include "sim/check.h"

#include <string.h>

struct transaction {
    struct transaction_record *now;     /* as written and replicated; NULL = nothing yet */
    struct transaction_record *pending; /* written, waiting for the high watermark */
    int64_t pending_end;
    uint64_t token; /* of the request that waits with it; 0 = none */
    enum kafka_api api;
    enum kafka_error answer; /* to that request, when the write is done */
    name_id id;
    bool *written; /* markers written, shape [now->partition_count], in PREPARE states */
    int32_t written_size;
    int32_t markers_left;
};

/* ---- the table --------------------------------------------------------------------------- */

static struct transaction *find(const struct transaction_coordinator *c, name_id id)
{
    for (int32_t i = 0; i < c->count; i++) {
        if (c->items[i]->id == id) return c->items[i];
    }
    return NULL;
}

static struct transaction *find_or_add(struct transaction_coordinator *c, name_id id)
{
    struct transaction *t = find(c, id);
    if (t != NULL) return t;
    if (c->count == c->capacity) {
        int32_t grown = c->capacity == 0 ? 4 : c->capacity * 2;
        c->items = (struct transaction **)memory_resize(c->memory, c->items,
                                                        (size_t)c->capacity * sizeof(void *),
                                                        (size_t)grown * sizeof(void *));
        c->capacity = grown;
    }
    t = memory_take(c->memory, sizeof *t);
    t->id = id;
    c->items[c->count++] = t;
    return t;
}

static void drop_markers(struct transaction_coordinator *c, struct transaction *t)
{
    memory_give(c->memory, t->written, (size_t)t->written_size * sizeof *t->written);
    t->written = NULL;
    t->written_size = 0;
    t->markers_left = 0;
}

void transactions_open(struct transaction_coordinator *c, struct memory *memory,
                       const struct transaction_host_calls *host, int32_t max_timeout_ms,
                       int32_t epoch)
{
    *c = (struct transaction_coordinator){.memory = memory,
                                          .host = *host,
                                          .max_timeout_ms = max_timeout_ms,
                                          .epoch = epoch};
}

void transactions_close(struct transaction_coordinator *c)
{
    for (int32_t i = 0; i < c->count; i++) {
        struct transaction *t = c->items[i];
        drop_markers(c, t);
        if (t->now != NULL) transaction_record_release(c->memory, t->now);
        if (t->pending != NULL) transaction_record_release(c->memory, t->pending);
        memory_give(c->memory, t, sizeof *t);
    }
    memory_give(c->memory, c->items, (size_t)c->capacity * sizeof(void *));
    c->items = NULL;
    c->count = 0;
    c->capacity = 0;
}

/* ---- answers ----------------------------------------------------------------------------- */

struct message *transactions_error(struct memory *memory, const struct message *request,
                                   enum kafka_error error)
{
    if (request->api == API_INIT_PRODUCER_ID) {
        struct init_producer_id_response *response =
            MESSAGE_NEW(memory, API_INIT_PRODUCER_ID, struct init_producer_id_response);
        response->error = error;
        response->producer_id = -1;
        response->producer_epoch = -1;
        return &response->head;
    }
    struct txn_response *response = MESSAGE_NEW(memory, request->api, struct txn_response);
    response->error = error;
    return &response->head;
}

static void answer(struct transaction_coordinator *c, const struct transaction *t)
{
    if (t->token == 0) return;
    struct message head = {.api = t->api};
    struct message *response = transactions_error(c->memory, &head, t->answer);
    if (t->api == API_INIT_PRODUCER_ID && t->answer == KAFKA_NONE) {
        void *body = response;
        struct init_producer_id_response *r = body;
        r->producer_id = t->now->producer_id;
        r->producer_epoch = t->now->producer_epoch;
    }
    c->host.reply(c->host.self, t->token, response);
}

/* ---- writing ----------------------------------------------------------------------------- */

/* A copy of the present state, to be changed; `extra` more partitions fit. */
static struct transaction_record *next_record(struct transaction_coordinator *c,
                                              const struct transaction *t, int32_t extra)
{
    int32_t count = t->now == NULL ? 0 : t->now->partition_count;
    struct transaction_record *record = transaction_record_new(c->memory, count + extra);
    record->id = t->id;
    record->partition_count = count;
    if (t->now == NULL) return record;
    record->state = t->now->state;
    record->producer_id = t->now->producer_id;
    record->producer_epoch = t->now->producer_epoch;
    record->timeout_ms = t->now->timeout_ms;
    record->started_at = t->now->started_at;
    if (count > 0)
        memcpy(record->partitions, t->now->partitions, (size_t)count * sizeof(partition_id));
    return record;
}

static void write(struct transaction_coordinator *c, struct transaction *t,
                  struct transaction_record *record, const struct message *request, uint64_t token,
                  enum kafka_error answer_when_done)
{
    int64_t end = c->host.append(c->host.self, transaction_record_hold(record));
    if (end < 0) {
        transaction_record_release(c->memory, record);
        if (token != 0) {
            c->host.reply(c->host.self, token,
                          transactions_error(c->memory, request, KAFKA_COORDINATOR_NOT_AVAILABLE));
        }
        return;
    }
    t->pending = record;
    t->pending_end = end;
    t->token = token;
    t->api = request == NULL ? API_END_TXN : request->api;
    t->answer = answer_when_done;
}

static bool is_prepared(const struct transaction_record *record)
{
    return record->state == TRANSACTION_STATE_PREPARE_COMMIT ||
           record->state == TRANSACTION_STATE_PREPARE_ABORT;
}

static void complete(struct transaction_coordinator *c, struct transaction *t)
{
    struct transaction_record *record = next_record(c, t, 0);
    record->state = t->now->state == TRANSACTION_STATE_PREPARE_COMMIT
                        ? TRANSACTION_STATE_COMPLETE_COMMIT
                        : TRANSACTION_STATE_COMPLETE_ABORT;
    record->partition_count = 0;
    write(c, t, record, NULL, 0, KAFKA_NONE);
}

static void send_markers(struct transaction_coordinator *c, struct transaction *t)
{
    const struct transaction_record *record = t->now;
    drop_markers(c, t);
    t->written_size = record->partition_count;
    t->markers_left = record->partition_count;
    t->written = memory_take(c->memory, (size_t)t->written_size * sizeof *t->written);
    if (t->markers_left == 0) {
        complete(c, t);
        return;
    }
    for (int32_t i = 0; i < record->partition_count; i++) {
        const struct txn_marker_entry marker = {
            .producer_id = record->producer_id,
            .producer_epoch = record->producer_epoch,
            .coordinator_epoch = c->epoch,
            .committed = record->state == TRANSACTION_STATE_PREPARE_COMMIT,
            .transactional_id = t->id,
            .partition = record->partitions[i],
        };
        c->host.write_marker(c->host.self, &marker);
    }
}

void transactions_marker_written(struct transaction_coordinator *c, name_id id,
                                 partition_id partition)
{
    struct transaction *t = find(c, id);
    if (t == NULL || t->now == NULL || !is_prepared(t->now) || t->pending != NULL) return;
    for (int32_t i = 0; i < t->written_size; i++) {
        if (t->now->partitions[i] != partition || t->written[i]) continue;
        t->written[i] = true;
        t->markers_left--;
        if (t->markers_left == 0) complete(c, t);
        return;
    }
}

void transactions_committed(struct transaction_coordinator *c, int64_t high_watermark)
{
    for (int32_t i = 0; i < c->count; i++) {
        struct transaction *t = c->items[i];
        if (t->pending == NULL || t->pending_end > high_watermark) continue;
        if (t->now != NULL) transaction_record_release(c->memory, t->now);
        t->now = t->pending;
        t->pending = NULL;
        answer(c, t);
        t->token = 0;
        if (is_prepared(t->now)) send_markers(c, t);
    }
}

/* ---- requests ---------------------------------------------------------------------------- */

static void refuse(struct transaction_coordinator *c, const struct message *request, uint64_t token,
                   enum kafka_error error)
{
    c->host.reply(c->host.self, token, transactions_error(c->memory, request, error));
}

static void on_init(struct transaction_coordinator *c, const struct init_producer_id_request *r,
                    uint64_t token)
{
    struct transaction *t = find_or_add(c, r->transactional_id);
    if (r->transaction_timeout_ms <= 0 || r->transaction_timeout_ms > c->max_timeout_ms) {
        refuse(c, &r->head, token, KAFKA_INVALID_REQUEST); /* INVALID_TRANSACTION_TIMEOUT */
        return;
    }
    if (t->pending != NULL || (t->now != NULL && is_prepared(t->now))) {
        refuse(c, &r->head, token, KAFKA_CONCURRENT_TRANSACTIONS);
        return;
    }
    struct transaction_record *record = next_record(c, t, 0);
    record->timeout_ms = r->transaction_timeout_ms;
    if (t->now == NULL) {
        record->producer_id = c->host.new_producer_id(c->host.self);
    } else if (t->now->producer_epoch == INT16_MAX - 1) {
        record->producer_id = c->host.new_producer_id(c->host.self);
        record->producer_epoch = 0;
    } else {
        record->producer_epoch++;
    }
    if (t->now != NULL && t->now->state == TRANSACTION_STATE_ONGOING) {
        /* The old instance is fenced and its transaction aborted first; this one comes again. */
        record->state = TRANSACTION_STATE_PREPARE_ABORT;
        write(c, t, record, &r->head, token, KAFKA_CONCURRENT_TRANSACTIONS);
        return;
    }
    record->state = TRANSACTION_STATE_EMPTY;
    record->partition_count = 0;
    write(c, t, record, &r->head, token, KAFKA_NONE);
}

/* The transaction a request is about, or NULL and the reason. */
static struct transaction *of_producer(const struct transaction_coordinator *c, name_id id,
                                       int64_t producer_id, int16_t epoch, enum kafka_error *error)
{
    struct transaction *t = find(c, id);
    *error = KAFKA_NONE;
    if (t == NULL || t->now == NULL || t->now->producer_id != producer_id) {
        *error = KAFKA_INVALID_PRODUCER_ID_MAPPING;
    } else if (t->now->producer_epoch != epoch) {
        *error = KAFKA_PRODUCER_FENCED;
    } else if (t->pending != NULL || is_prepared(t->now)) {
        *error = KAFKA_CONCURRENT_TRANSACTIONS;
    }
    return *error == KAFKA_NONE ? t : NULL;
}

static bool has_partition(const struct transaction_record *record, partition_id partition)
{
    for (int32_t i = 0; i < record->partition_count; i++) {
        if (record->partitions[i] == partition) return true;
    }
    return false;
}

/* A change that is pending does not matter here: the append is checked against markers anyway
 * (TransactionCoordinator.handleVerifyPartitionsInTransaction). */
enum kafka_error transactions_verify(const struct transaction_coordinator *c, name_id id,
                                     int64_t producer_id, int16_t epoch, partition_id partition)
{
    const struct transaction *t = find(c, id);
    if (t == NULL || t->now == NULL || t->now->producer_id != producer_id)
        return KAFKA_INVALID_PRODUCER_ID_MAPPING;
    if (t->now->producer_epoch != epoch) return KAFKA_PRODUCER_FENCED;
    if (is_prepared(t->now)) return KAFKA_CONCURRENT_TRANSACTIONS;
    bool takes_part =
        t->now->state == TRANSACTION_STATE_ONGOING && has_partition(t->now, partition);
    return takes_part ? KAFKA_NONE : KAFKA_TRANSACTION_ABORTABLE;
}

static void add_partitions(struct transaction_coordinator *c, const struct message *request,
                           struct transaction *t, const partition_id *partitions, int32_t count,
                           uint64_t token, sim_time now)
{
    bool ongoing = t->now->state == TRANSACTION_STATE_ONGOING;
    bool known = ongoing;
    for (int32_t i = 0; i < count; i++)
        known = known && has_partition(t->now, partitions[i]);
    if (known) {
        refuse(c, request, token, KAFKA_NONE);
        return;
    }
    struct transaction_record *record = next_record(c, t, count);
    if (!ongoing) record->started_at = now;
    record->state = TRANSACTION_STATE_ONGOING;
    for (int32_t i = 0; i < count; i++) {
        if (has_partition(record, partitions[i])) continue;
        record->partitions[record->partition_count++] = partitions[i];
    }
    write(c, t, record, request, token, KAFKA_NONE);
}

static void on_end(struct transaction_coordinator *c, const struct end_txn_request *r,
                   uint64_t token)
{
    enum kafka_error error;
    struct transaction *t =
        of_producer(c, r->transactional_id, r->producer_id, r->producer_epoch, &error);
    if (t == NULL) {
        refuse(c, &r->head, token, error);
        return;
    }
    if (t->now->state != TRANSACTION_STATE_ONGOING) {
        /* A retry of an answer that was lost. */
        bool same = t->now->state == (r->committed ? TRANSACTION_STATE_COMPLETE_COMMIT
                                                   : TRANSACTION_STATE_COMPLETE_ABORT);
        refuse(c, &r->head, token, same ? KAFKA_NONE : KAFKA_INVALID_TXN_STATE);
        return;
    }
    struct transaction_record *record = next_record(c, t, 0);
    record->state =
        r->committed ? TRANSACTION_STATE_PREPARE_COMMIT : TRANSACTION_STATE_PREPARE_ABORT;
    write(c, t, record, &r->head, token, KAFKA_NONE);
}

void transactions_request(struct transaction_coordinator *c, const struct message *request,
                          uint64_t token, sim_time now)
{
    const void *body = request;
    enum kafka_error error;
    if (request->api == API_INIT_PRODUCER_ID) {
        on_init(c, body, token);
    } else if (request->api == API_ADD_PARTITIONS_TO_TXN) {
        const struct add_partitions_to_txn_request *r = body;
        struct transaction *t =
            of_producer(c, r->transactional_id, r->producer_id, r->producer_epoch, &error);
        if (t == NULL) {
            refuse(c, request, token, error);
            return;
        }
        add_partitions(c, request, t, r->partitions, r->partition_count, token, now);
    } else if (request->api == API_ADD_OFFSETS_TO_TXN) {
        const struct add_offsets_to_txn_request *r = body;
        struct transaction *t =
            of_producer(c, r->transactional_id, r->producer_id, r->producer_epoch, &error);
        if (t == NULL) {
            refuse(c, request, token, error);
            return;
        }
        const partition_id partition = c->host.offsets_partition(c->host.self, r->group);
        add_partitions(c, request, t, &partition, 1, token, now);
    } else {
        CHECK(request->api == API_END_TXN);
        on_end(c, body, token);
    }
}

void transactions_sweep(struct transaction_coordinator *c, sim_time now)
{
    for (int32_t i = 0; i < c->count; i++) {
        struct transaction *t = c->items[i];
        if (t->now == NULL || t->pending != NULL) continue;
        /* Its markers are written, and that could not be noted for want of in-sync replicas.
         * Kafka's marker sender tries again whenever it wakes up (TransactionMarkerChannelManager,
         * txnLogAppendRetryQueue), which is within its request timeout. */
        if (is_prepared(t->now) && t->markers_left == 0) complete(c, t);
        if (t->now->state != TRANSACTION_STATE_ONGOING) continue;
        if (now - t->now->started_at <= MILLISECONDS(t->now->timeout_ms)) continue;
        struct transaction_record *record = next_record(c, t, 0);
        record->state = TRANSACTION_STATE_PREPARE_ABORT;
        if (record->producer_epoch < INT16_MAX - 1) record->producer_epoch++;
        write(c, t, record, NULL, 0, KAFKA_NONE);
    }
}

/* ---- loading ----------------------------------------------------------------------------- */

void transactions_load(struct transaction_coordinator *c, const struct transaction_record *record)
{
    struct transaction *t = find_or_add(c, record->id);
    struct transaction_record *copy = transaction_record_new(c->memory, record->partition_count);
    uint32_t size = copy->size;
    memcpy(copy, record, sizeof *record + (size_t)record->partition_count * sizeof(partition_id));
    copy->references = 1;
    copy->size = size;
    if (t->now != NULL) transaction_record_release(c->memory, t->now);
    t->now = copy;
}

void transactions_loaded(struct transaction_coordinator *c)
{
    for (int32_t i = 0; i < c->count; i++) {
        if (is_prepared(c->items[i]->now)) send_markers(c, c->items[i]);
    }
}
