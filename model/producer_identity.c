#include "model/producer_internal.h"

#include "model/producer_state.h"

/* TransactionManager, the part that every idempotent producer needs: the producer id, epochs and
 * sequence numbers. */

#define REQUEST_BYTES 80

/* ---- the producer id --------------------------------------------------------------------- */

void producer_identity_init(struct producer *producer)
{
    producer->idempotent = producer->config.enable_idempotence;
    if (producer->config.transactional_id != NULL) producer_transaction_init(producer);
}

void producer_identity_reset(struct producer *producer)
{
    producer->has_id = false;
    producer->id_requested = false;
    producer->producer_id = -1;
    producer->epoch = -1;
    producer->id_attempts = 0;
    producer->id_retry_at = 0;
    if (producer->transaction != NULL) producer_transaction_reset(producer);
}

static void on_producer_id(void *context, const struct request_result *result)
{
    struct producer *producer = context;
    const void *body = result->response;
    const struct init_producer_id_response *response = body;
    producer->id_requested = false;
    if (result->outcome == REQUEST_ANSWERED && response->error == KAFKA_NONE) {
        producer->has_id = true;
        producer->producer_id = response->producer_id;
        producer->epoch = response->producer_epoch;
        for (int32_t n = 0; n < producer->node_count; n++) {
            producer->nodes[n].ready_at = sim_now(producer->sim);
        }
        producer_wake(producer, sim_now(producer->sim));
        return;
    }
    producer->id_retry_at =
        sim_now(producer->sim) + backoff_ns(&producer->backoff, BACKOFF_TRANSACTION,
                                            producer->id_attempts++, producer->draws++);
    producer_wake(producer, producer->id_retry_at);
}

static void ask_for_id(struct producer *producer)
{
    sim_time now = sim_now(producer->sim);
    if (producer->has_id || producer->id_requested || producer->oldest == NULL) return;
    int32_t channel = CHANNEL_NONE;
    if (now >= producer->id_retry_at) channel = network_client_least_loaded(producer->client);
    if (channel == CHANNEL_NONE) {
        producer_wake(producer, now >= producer->id_retry_at
                                    ? now + MILLISECONDS(producer->config.retry_backoff_ms)
                                    : producer->id_retry_at);
        return;
    }
    struct init_producer_id_request *request =
        MESSAGE_NEW(producer->memory, API_INIT_PRODUCER_ID, struct init_producer_id_request);
    request->producer_id = -1;
    request->producer_epoch = -1;
    producer->id_requested = true;
    const struct outgoing_request outgoing = {
        .channel = channel,
        .message = &request->head,
        .size_bytes = REQUEST_BYTES,
        .timeout_ns = MILLISECONDS(producer->config.request_timeout_ms),
        .handler = on_producer_id,
        .context = producer,
    };
    network_client_send(producer->client, &outgoing);
}

void producer_identity_run(struct producer *producer)
{
    if (producer->transaction != NULL) {
        producer_transaction_run(producer);
    } else if (producer->idempotent) {
        ask_for_id(producer);
    }
}

/* ---- sequence numbers -------------------------------------------------------------------- */

bool producer_may_send(const struct producer *producer, const struct producer_queue *queue)
{
    if (!producer->idempotent) return true;
    if (!producer->has_id) return false;
    if (producer->transaction != NULL && !queue->in_transaction) return false;
    /* A new epoch begins at sequence 0, when nothing of the old one is under way; what was numbered
     * before is tried again under its old numbers, so that the broker can recognise it. */
    return queue->epoch == producer->epoch || queue->in_flight == 0 ||
           (queue->head->base_sequence >= 0 && !queue->renumber);
}

void producer_sequence(struct producer *producer, struct producer_queue *queue,
                       struct producer_send_batch *batch)
{
    if (queue->renumber) {
        queue->renumber = false;
        for (struct producer_send_batch *b = queue->head; b != NULL; b = b->next) {
            b->base_sequence = -1;
        }
        batch->base_sequence = -1;
    }
    if (batch->base_sequence >= 0) return;
    if (queue->epoch != producer->epoch) {
        queue->epoch = producer->epoch;
        queue->next_sequence = 0;
        queue->acked_sequence = -1;
    }
    batch->base_sequence = queue->next_sequence;
    batch->epoch = queue->epoch;
    queue->next_sequence = sequence_after(queue->next_sequence, batch->count);
}

/* The local bump of KIP-360: an epoch of its own for what comes next, so that the broker does not
 * miss the sequence numbers that were given up. */
static void bump_epoch(struct producer *producer, struct producer_queue *queue)
{
    queue->renumber = true;
    if (producer->transaction != NULL) {
        producer_transaction_bump(producer);
    } else if (queue->epoch == producer->epoch) {
        producer->epoch++;
    }
}

void producer_identity_on_retry(struct producer *producer, struct producer_queue *queue,
                                const struct producer_send_batch *batch, enum kafka_error error)
{
    if (!producer->idempotent || batch->base_sequence < 0) return;
    if (error != KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER && error != KAFKA_UNKNOWN_PRODUCER_ID) return;
    /* With an earlier one unacknowledged this only means that that one has to come first. If all
     * before it were acknowledged, the broker has lost its state (TransactionManager.canRetry). */
    if (batch->epoch != queue->epoch) return;
    if (batch->base_sequence != sequence_after(queue->acked_sequence, 1)) return;
    bump_epoch(producer, queue);
}

void producer_identity_on_give_up(struct producer *producer, struct producer_queue *queue,
                                  const struct producer_send_batch *batch, enum kafka_error error)
{
    if (producer->transaction != NULL) producer_transaction_fail(producer, error);
    /* It may be in the log or not: nobody knows the next sequence number until those behind it are
     * back. */
    if (producer->idempotent && batch->base_sequence >= 0) queue->unresolved = true;
}

void producer_identity_on_success(struct producer *producer, struct producer_queue *queue,
                                  const struct producer_send_batch *batch)
{
    if (!producer->idempotent || batch->epoch != queue->epoch) return;
    /* Answers may come out of order; numbers wrap. */
    int32_t last = sequence_after(batch->base_sequence, batch->count - 1);
    bool is_later = last > queue->acked_sequence || queue->acked_sequence - last > INT32_MAX / 2;
    if (is_later) queue->acked_sequence = last;
}

void producer_identity_on_batch_done(struct producer *producer, struct producer_queue *queue)
{
    if (producer->transaction != NULL) producer_wake(producer, sim_now(producer->sim));
    if (!queue->unresolved || queue->in_flight > 0) return;
    queue->unresolved = false;
    bump_epoch(producer, queue);
    if (queue->listed && queue->node >= 0) {
        producer->nodes[queue->node].ready_at = sim_now(producer->sim);
        producer_wake(producer, sim_now(producer->sim));
    }
}
