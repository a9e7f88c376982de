#include "model/producer_internal.h"

#include "model/trace_kinds.h"

/* Records that the application gave away and that this producer cannot vouch for. */

static void tell(const struct producer *producer, const struct producer_send_batch *batch,
                 enum send_failure why, enum kafka_error error)
{
    TRACE(producer->sim, TRACE_SEND_FAILED, producer->options.name, batch->queue->partition,
          batch->count, why, error, batch->attempts, sim_now(producer->sim) - batch->created_at,
          batch->first_at, batch->last_at);
}

static void tell_blocked(const struct producer *producer, const struct producer_blocked *send,
                         enum send_failure why, enum kafka_error error)
{
    TRACE(producer->sim, TRACE_SEND_FAILED, producer->options.name, send->partition,
          send->records.count, why, error, 0, sim_now(producer->sim) - send->since,
          send->records.first_at, send->records.last_at);
}

void producer_tell_failed_batch(const struct producer *producer,
                                const struct producer_send_batch *batch, enum kafka_error error)
{
    tell(producer, batch, SEND_FAILED, error);
}

void producer_tell_failed_send(const struct producer *producer, const struct producer_blocked *send,
                               enum kafka_error error)
{
    tell_blocked(producer, send, SEND_FAILED, error);
}

void producer_died(struct producer *producer)
{
    for (const struct producer_send_batch *b = producer->oldest; b != NULL; b = b->newer)
        tell(producer, b, b->attempts == 0 ? SEND_UNSENT : SEND_UNHEARD, KAFKA_NONE);
    for (uint32_t i = 0; i < producer->blocked_count; i++) {
        const struct producer_blocked *send = &producer->blocked[producer->blocked_first + i];
        tell_blocked(producer, send, SEND_UNSENT, KAFKA_NONE);
    }
    producer_reset(producer);
}
