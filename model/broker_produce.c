#include "model/broker_internal.h"
#include "model/undelivered.h"

#include "model/batch_keys.h"
#include "sim/check.h"

/* Produce. A batch is appended to the leader's log at once; with acks=all the answer waits until
 * the high watermark has passed the whole request (DelayedProduce). */

#define RESPONSE_BYTES       60
#define RESPONSE_ENTRY_BYTES 40
#define MARKER_BYTES         78
#define NO_SLOT              UINT32_MAX

/* One batch of a parked request. */
struct produce_wait {
    struct produce_pending *pending; /* NULL = over */
    struct replica *replica;
    int64_t end_offset;
    int32_t number; /* in the request */
    struct produce_wait *next;
};

struct produce_pending {
    struct broker *broker;
    uint32_t slot;
    uint32_t next_free;
    uint32_t generation;                  /* counts the uses of the slot */
    struct broker_connection *connection; /* NULL = the client has gone */
    bool own_markers;                     /* of this broker's transaction coordinator */
    struct message *response;             /* Produce or WriteTxnMarkers */
    struct produce_wait *waits;
    int32_t wait_count;
    int32_t remaining;
    struct sim_timer timer;
};

/* ---- appending --------------------------------------------------------------------------- */

/* `duplicate`: an idempotent producer's batch that is in the log already, and is not appended. */
static void emit_append(const struct replica *replica, const struct produce_request *request,
                        const struct produce_batch *batch, int64_t base_offset, bool duplicate)
{
    const struct partition *partition = replica->partition;
    /* What a deposed leader appends behind the back of the new one never becomes the log. */
    if (partition->log.owner != &replica->log) {
        TRACE(replica->broker->sim, TRACE_BATCH_DIVERGED, partition_traced(partition),
              replica->broker->id, replica->leader_epoch, base_offset, batch->count, batch->bytes,
              batch->first_at, batch->last_at, request->producer);
        return;
    }
    TRACE(replica->broker->sim, TRACE_BATCH_APPENDED, partition_traced(partition),
          replica->broker->id, replica->leader_epoch, base_offset, batch->count, batch->bytes,
          batch->first_at, batch->last_at, request->producer, duplicate);
}

/* The first batch of a transaction: is there one? (ReplicaManager, KIP-890). */
static enum kafka_error verify(const struct replica *replica,
                               const struct producer_states *producers,
                               const struct sequenced_batch *batch)
{
    if (batch->transactional_id == NAME_NONE || producer_states_is_open(producers, batch))
        return KAFKA_NONE;
    enum kafka_error error =
        broker_verify_transaction(replica->broker, batch->transactional_id, batch->producer_id,
                                  batch->producer_epoch, replica->partition->id);
    switch ((int)error) {
    case KAFKA_CONCURRENT_TRANSACTIONS:
    case KAFKA_NETWORK_EXCEPTION:
    case KAFKA_COORDINATOR_NOT_AVAILABLE: return KAFKA_NOT_ENOUGH_REPLICAS; /* try again */
    default: return error;
    }
}

static void append(struct replica *replica, const struct produce_request *request,
                   const struct produce_batch *batch, struct produced_partition *out)
{
    struct broker *broker = replica->broker;
    struct log_append record = {
        .count = batch->count,
        .bytes = batch->bytes,
        .first_at = batch->first_at,
        .last_at = batch->last_at,
        .leader_epoch = replica->leader_epoch,
        .producer = -1,
    };
    if (request->producer_id >= 0) {
        struct producer_states *producers = replica_producers(replica);
        const struct sequenced_batch sequenced = {request->producer_id, batch->producer_epoch,
                                                  batch->base_sequence, batch->count,
                                                  request->transactional_id};
        int64_t duplicate = -1;
        out->error = producer_states_check(producers, &sequenced, &duplicate);
        out->base_offset = duplicate;
        if (out->error == KAFKA_NONE && duplicate < 0) {
            out->error = verify(replica, producers, &sequenced);
        }
        if (out->error != KAFKA_NONE) return;
        if (duplicate >= 0) {
            emit_append(replica, request, batch, duplicate, true);
            return;
        }
        record.producer = producer_states_append(producers, &sequenced, replica->log.end_offset,
                                                 sim_now(broker->sim));
        if (request->transactional_id != NAME_NONE) record.flags = LOG_TRANSACTIONAL;
    }
    if (request->keys != NULL) {
        record.payload =
            batch_keys_new(broker->memory, request->keys, PARTITION_NUMBER(batch->partition),
                           batch->number, replica->log.end_offset);
    }
    /* Told first: where the leader is alone, the records become visible as they are appended. */
    emit_append(replica, request, batch, replica->log.end_offset, false);
    out->base_offset = replica_append(replica, &record);
}

/* Returns the replica that took the batch, or NULL with the error filled in. */
static struct replica *take_batch(struct broker *broker, const struct produce_request *request,
                                  const struct produce_batch *batch, struct produced_partition *out)
{
    struct replica *replica = NULL;
    *out = (struct produced_partition){.partition = batch->partition,
                                       .base_offset = -1,
                                       .log_start_offset = -1,
                                       .current_leader = -1,
                                       .current_leader_epoch = -1};
    out->error = broker_leader_replica(broker, batch->partition, -1, &replica);
    if (out->error != KAFKA_NONE) {
        const struct partition_view view = broker_view(broker, batch->partition);
        out->current_leader = view.leader;
        out->current_leader_epoch = view.leader_epoch;
        return NULL;
    }
    if (request->acks < 0 && bit_count(replica->isr) < replica_min_isr(replica)) {
        out->error = KAFKA_NOT_ENOUGH_REPLICAS;
        return NULL;
    }
    out->topic_id = replica->partition->topic_id;
    append(replica, request, batch, out);
    if (out->error != KAFKA_NONE) return NULL;
    out->log_start_offset = replica->partition->log.start_offset;
    return replica;
}

/* ---- waiting ----------------------------------------------------------------------------- */

static struct produce_pending *take_slot(struct broker *broker)
{
    if (broker->pending_count == 0) broker->pending_free = NO_SLOT;
    uint32_t slot = broker->pending_free;
    if (slot != NO_SLOT) {
        broker->pending_free = broker->pending[slot]->next_free;
        return broker->pending[slot];
    }
    slot = broker->pending_count;
    if (slot == broker->pending_capacity) {
        uint32_t grown = slot == 0 ? 16 : slot * 2;
        broker->pending = (struct produce_pending **)memory_resize(broker->memory, broker->pending,
                                                                   slot * sizeof *broker->pending,
                                                                   grown * sizeof *broker->pending);
        broker->pending_capacity = grown;
    }
    struct produce_pending *pending = memory_keep(broker->memory, sizeof *pending);
    pending->slot = slot;
    pending->broker = broker;
    sim_timer_init(&pending->timer, broker->entity, BROKER_PRODUCE_EXPIRED, slot);
    broker->pending[slot] = pending;
    broker->pending_count++;
    return pending;
}

static void free_slot(struct broker *broker, struct produce_pending *pending)
{
    sim_timer_cancel(broker->sim, &pending->timer);
    memory_give(broker->memory, pending->waits,
                (size_t)pending->wait_count * sizeof *pending->waits);
    pending->waits = NULL;
    pending->wait_count = 0;
    pending->connection = NULL;
    pending->response = NULL;
    pending->own_markers = false;
    pending->generation++;
    pending->next_free = broker->pending_free;
    broker->pending_free = pending->slot;
}

static void wait_for(struct produce_pending *pending, struct replica *replica, int32_t number,
                     int64_t end_offset)
{
    struct produce_wait *wait = &pending->waits[number];
    *wait = (struct produce_wait){pending, replica, end_offset, number, NULL};
    if (replica->waits == NULL) {
        replica->waits = wait;
    } else {
        replica->waits_last->next = wait;
    }
    replica->waits_last = wait;
    pending->remaining++;
}

static void set_error(struct message *response, int32_t number, enum kafka_error error)
{
    void *body = response;
    if (response->api == API_WRITE_TXN_MARKERS) {
        ((struct write_txn_markers_response *)body)->errors[number] = error;
        return;
    }
    struct produced_partition *out = &((struct produce_response *)body)->partitions[number];
    out->error = error;
    out->base_offset = -1;
    out->log_start_offset = -1;
}

static void settle(struct produce_wait *wait, enum kafka_error error)
{
    struct produce_pending *pending = wait->pending;
    struct broker *broker = pending->broker;
    wait->pending = NULL;
    if (error != KAFKA_NONE) set_error(pending->response, wait->number, error);
    if (--pending->remaining > 0) return;
    pointer_list_push(broker->memory, &broker->ready_produces, pending);
}

void produce_on_high_watermark(struct replica *replica)
{
    bool short_of_replicas = bit_count(replica->isr) < replica_min_isr(replica);
    while (replica->waits != NULL && replica->waits->end_offset <= replica->high_watermark) {
        struct produce_wait *wait = replica->waits;
        replica->waits = wait->next;
        settle(wait, short_of_replicas ? KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND : KAFKA_NONE);
    }
}

void produce_fail_waits(struct replica *replica, enum kafka_error error)
{
    while (replica->waits != NULL) {
        struct produce_wait *wait = replica->waits;
        replica->waits = wait->next;
        settle(wait, error);
    }
}

static void unlink_wait(const struct produce_wait *wait)
{
    struct replica *replica = wait->replica;
    struct produce_wait *before = NULL;
    for (struct produce_wait *w = replica->waits; w != NULL; before = w, w = w->next) {
        if (w != wait) continue;
        if (before == NULL) {
            replica->waits = w->next;
        } else {
            before->next = w->next;
        }
        if (replica->waits_last == w) replica->waits_last = before;
        return;
    }
}

static void respond(struct broker *broker, struct broker_connection *connection,
                    struct message *response)
{
    const void *body = response;
    int32_t entries = response->api == API_PRODUCE
                          ? ((const struct produce_response *)body)->partition_count
                          : ((const struct write_txn_markers_response *)body)->marker_count;
    broker_respond(broker, connection, response,
                   RESPONSE_BYTES + (int64_t)entries * RESPONSE_ENTRY_BYTES);
}

void produce_complete(struct broker *broker, struct produce_pending *pending)
{
    if (pending->response == NULL) return;
    if (pending->own_markers) {
        transactions_markers_done(broker, pending->response);
    } else if (pending->connection == NULL) {
        message_free(broker->memory, pending->response);
    } else {
        respond(broker, pending->connection, pending->response);
    }
    free_slot(broker, pending);
}

/* The request's own timeout: what has not been replicated yet is answered REQUEST_TIMED_OUT, and
 * stays in the log. */
void produce_expired(struct broker *broker, uint32_t slot)
{
    struct produce_pending *pending = broker->pending[slot];
    if (pending->response == NULL || pending->remaining == 0) return;
    for (int32_t i = 0; i < pending->wait_count; i++) {
        struct produce_wait *wait = &pending->waits[i];
        if (wait->pending == NULL) continue;
        unlink_wait(wait);
        settle(wait, KAFKA_REQUEST_TIMED_OUT);
    }
}

void produce_connection_gone(struct broker *broker, struct broker_connection *connection)
{
    for (uint32_t i = 0; i < broker->pending_count; i++) {
        if (broker->pending[i]->connection == connection) broker->pending[i]->connection = NULL;
    }
}

void produce_reset(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        replica->waits = NULL;
        replica->waits_last = NULL;
    }
    for (uint32_t i = 0; i < broker->pending_count; i++) {
        struct produce_pending *pending = broker->pending[i];
        if (pending->response == NULL) continue;
        message_free(broker->memory, pending->response);
        pending->remaining = 0;
        free_slot(broker, pending);
    }
}

/* ---- the request ------------------------------------------------------------------------- */

static struct produce_pending *begin_wait(struct broker *broker, struct message *response,
                                          struct broker_connection *connection, int32_t count)
{
    struct produce_pending *pending = take_slot(broker);
    pending->response = response;
    pending->connection = connection;
    pending->wait_count = count;
    pending->remaining = 0;
    pending->waits = memory_take_unset(broker->memory, (size_t)count * sizeof *pending->waits);
    return pending;
}

static void prefetch(const struct broker *broker, const struct produce_request *request, int32_t i)
{
    if (i + PREFETCH_PARTITION < request->batch_count) {
        partition_id next = request->batches[i + PREFETCH_PARTITION].partition;
        const struct replica *replica = broker_view(broker, next).replica;
        if (replica != NULL) {
            prefetch_leader(replica);
            prefetch_lines(cluster_partition(broker->cluster, next), 2);
        }
    }
    if (i + PREFETCH_REPLICA >= request->batch_count) return;
    const struct partition *partition =
        cluster_partition(broker->cluster, request->batches[i + PREFETCH_REPLICA].partition);
    if (partition == NULL) return;
    prefetch_log_end(&partition->log);
    prefetch_lines(partition->producers.entries, 2);
}

/* No answer can tell a producer with acks=0 of an error; a lost connection makes it ask where the
 * leaders are, and costs it what stands behind on this one (KafkaApis.handleProduceRequest,
 * Selector.close, CloseMode.DISCARD_NO_NOTIFY). */
static void refuse_silently(struct broker *broker, struct broker_connection *connection,
                            struct message *response)
{
    message_free(broker->memory, response);
    message_free(broker->memory, connection->request);
    connection->request = NULL;
    broker_disconnect(broker, connection);
}

void produce_handle(struct broker *broker, struct broker_connection *connection,
                    const struct produce_request *request)
{
    int32_t count = request->batch_count;
    struct produce_response *response =
        MESSAGE_NEW(broker->memory, API_PRODUCE, struct produce_response);
    response->partition_count = count;
    response->partitions =
        MESSAGE_ARRAY_UNSET(broker->memory, &response->head, struct produced_partition, count);
    struct produce_pending *pending = NULL;
    bool is_refused = false;
    for (int32_t i = 0; i < count; i++) {
        if (pending != NULL) pending->waits[i].pending = NULL;
        struct produced_partition *out = &response->partitions[i];
        prefetch(broker, request, i);
        struct replica *replica = take_batch(broker, request, &request->batches[i], out);
        if (out->error != KAFKA_NONE && request->acks == 0) {
            report_dropped_batch(broker->sim, request, &request->batches[i], out->error);
            is_refused = true;
        }
        if (replica == NULL || request->acks >= 0) continue;
        int64_t end_offset = out->base_offset + request->batches[i].count;
        if (end_offset <= replica->high_watermark) continue;
        if (pending == NULL) {
            pending = begin_wait(broker, &response->head, connection, count);
            for (int32_t before = 0; before < i; before++)
                pending->waits[before].pending = NULL;
        }
        wait_for(pending, replica, i, end_offset);
    }
    if (pending != NULL) {
        sim_timer_set(broker->sim, &pending->timer,
                      sim_now(broker->sim) + MILLISECONDS(request->timeout_ms));
    } else if (is_refused) {
        refuse_silently(broker, connection, &response->head);
    } else if (request->acks == 0) {
        message_free(broker->memory, &response->head);
        broker_respond(broker, connection, NULL, 0);
    } else {
        respond(broker, connection, &response->head);
    }
}

/* ---- transaction markers ----------------------------------------------------------------- */

static void note_aborted(void *self, int64_t offset, int64_t count)
{
    const struct replica *replica = self;
    TRACE(replica->broker->sim, TRACE_UNREADABLE, partition_traced(replica->partition), offset,
          count, UNREADABLE_ABORTED);
}

/* Appends a marker to an ordinary log; the transaction's batches are decided with it. */
static enum kafka_error append_marker(struct replica *replica,
                                      const struct txn_marker_entry *marker)
{
    struct partition *partition = replica->partition;
    struct broker *broker = replica->broker;
    if (bit_count(replica->isr) < replica_min_isr(replica)) return KAFKA_NOT_ENOUGH_REPLICAS;
    if (partition->log.owner != &replica->log) return KAFKA_NOT_LEADER_OR_FOLLOWER;
    enum kafka_error error =
        producer_states_check_marker(&partition->producers, marker->producer_id,
                                     marker->producer_epoch, marker->coordinator_epoch);
    if (error != KAFKA_NONE) return error;
    sim_time now = sim_now(broker->sim);
    int64_t offset = replica->log.end_offset;
    const struct ended_transaction ended =
        producer_states_end(&partition->producers, marker->producer_id, marker->producer_epoch,
                            marker->coordinator_epoch, offset, now);
    if (ended.first_offset >= 0) {
        partition_log_decide(&partition->log, ended.producer, ended.first_offset, offset,
                             !marker->committed, note_aborted, replica);
        TRACE(broker->sim, TRACE_TRANSACTION, marker->transactional_id, partition_traced(partition),
              marker->committed, ended.first_offset, offset);
    }
    const struct log_append record = {
        .count = 1,
        .bytes = MARKER_BYTES,
        .first_at = now,
        .last_at = now,
        .leader_epoch = replica->leader_epoch,
        .producer = -1,
        .flags = LOG_CONTROL,
    };
    replica_append(replica, &record);
    TRACE(broker->sim, TRACE_UNREADABLE, partition_traced(partition), offset, 1, UNREADABLE_MARKER);
    return KAFKA_NONE;
}

static uint64_t marker_token(const struct produce_pending *pending, int32_t number)
{
    return MARKER_TOKEN | (uint64_t)(pending->generation & 0xffff) << 40 |
           (uint64_t)(pending->slot & 0xffffff) << 16 | (uint64_t)(number & 0xffff);
}

/* One marker: waits for its replication, or settles at once with an error. */
static void take_marker(struct produce_pending *pending, const struct txn_marker_entry *marker,
                        int32_t number)
{
    struct broker *broker = pending->broker;
    struct replica *replica = NULL;
    struct produce_wait *wait = &pending->waits[number];
    *wait = (struct produce_wait){.pending = pending, .number = number};
    pending->remaining++;
    enum kafka_error error = broker_leader_replica(broker, marker->partition, -1, &replica);
    if (error == KAFKA_NONE && replica->group_shard != NULL) {
        error = groups_write_marker(replica, marker, marker_token(pending, number));
        if (error == KAFKA_NONE) return; /* the group coordinator will say so */
    } else if (error == KAFKA_NONE) {
        error = append_marker(replica, marker);
        if (error == KAFKA_NONE && replica->log.end_offset > replica->high_watermark) {
            pending->remaining--;
            wait_for(pending, replica, number, replica->log.end_offset);
            return;
        }
    }
    settle(wait, error);
}

void produce_marker_written(struct broker *broker, uint64_t token, enum kafka_error error)
{
    struct produce_pending *pending = broker->pending[token >> 16 & 0xffffff];
    int32_t number = (int32_t)(token & 0xffff);
    if (pending->response == NULL || (pending->generation & 0xffff) != (token >> 40 & 0xffff)) {
        return; /* of before a restart */
    }
    if (pending->waits[number].pending != NULL) settle(&pending->waits[number], error);
}

void produce_write_markers(struct broker *broker, struct broker_connection *connection,
                           const struct message *message)
{
    const void *body = message;
    const struct write_txn_markers_request *request = body;
    int32_t count = request->marker_count;
    struct write_txn_markers_response *response =
        MESSAGE_NEW(broker->memory, API_WRITE_TXN_MARKERS, struct write_txn_markers_response);
    response->marker_count = count;
    response->errors = MESSAGE_ARRAY(broker->memory, &response->head, enum kafka_error, count);
    struct produce_pending *pending = begin_wait(broker, &response->head, connection, count);
    pending->own_markers = connection == NULL;
    pending->remaining = 1; /* so that it does not complete before all are taken */
    for (int32_t i = 0; i < count; i++)
        take_marker(pending, &request->markers[i], i);
    if (--pending->remaining == 0) {
        pointer_list_push(broker->memory, &broker->ready_produces, pending);
    }
}

int64_t produce_request_size_bytes(const struct produce_request *request)
{
    int64_t size = RESPONSE_BYTES;
    for (int32_t i = 0; i < request->batch_count; i++) {
        size += RESPONSE_ENTRY_BYTES + request->batches[i].bytes;
    }
    return size;
}
