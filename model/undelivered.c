#include "model/undelivered.h"

#include "model/trace_kinds.h"

#include <assert.h>

void report_dropped_batch(struct sim *sim, const struct produce_request *request,
                          const struct produce_batch *batch, enum kafka_error error)
{
    TRACE(sim, TRACE_SEND_FAILED, request->producer, batch->partition, batch->count, SEND_DROPPED,
          error, 1, 0, batch->first_at, batch->last_at);
}

void message_drop(struct sim *sim, struct message *message)
{
    if (message == NULL) return;
    const void *body = message;
    const struct produce_request *request = body;
    static_assert(sizeof *request != sizeof(struct produce_response), "told apart by their size");
    bool is_request = message->api == API_PRODUCE && message->size == sizeof *request;
    if (is_request && request->acks == 0) {
        for (int32_t i = 0; i < request->batch_count; i++)
            report_dropped_batch(sim, request, &request->batches[i], KAFKA_NETWORK_EXCEPTION);
    }
    message_free(sim_memory(sim), message);
}
