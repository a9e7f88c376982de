#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"

/* AbstractCoordinator's part that finds the group's coordinator and loses it again. */

bool coordinator_is_known(const struct consumer *consumer)
{
    return consumer->coordinator.node >= 0;
}

static void later(struct consumer *consumer)
{
    struct coordinator_lookup *lookup = &consumer->coordinator;
    lookup->retry_at = sim_now(consumer->sim) +
                       consumer_backoff(consumer, BACKOFF_COORDINATOR_LOOKUP, lookup->attempts++);
    committer_on_lookup(consumer, false);
}

static void found(struct consumer *consumer, int32_t node)
{
    struct coordinator_lookup *lookup = &consumer->coordinator;
    int32_t channel = CHANNEL_COORDINATOR(node);
    if (network_client_is_unavailable(consumer->network, channel)) {
        later(consumer); /* found, but not to be connected before its back-off ends */
        return;
    }
    lookup->node = node;
    lookup->attempts = 0;
    lookup->retry_at = 0;
    network_client_connect(consumer->network, channel);
    heartbeat_thread_session_alive(consumer);
    consumer_note(consumer, CLIENT_COORDINATOR_FOUND, node, KAFKA_NONE, NULL);
    committer_on_lookup(consumer, true);
}

static void answered(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    struct coordinator_lookup *lookup = &consumer->coordinator;
    if (result->tag != lookup->number) return;
    lookup->in_flight = false;
    if (result->outcome != REQUEST_ANSWERED) {
        later(consumer);
        return;
    }
    const struct find_coordinator_response *response = (const void *)result->response;
    uint32_t reaction = reaction_to(&find_coordinator_reactions, response->error);
    if (reaction & REACT_SUCCEED) {
        found(consumer, response->node);
        return;
    }
    if (reaction & REACT_REFRESH_METADATA) client_metadata_request_update(consumer->metadata);
    later(consumer);
    if (reaction & REACT_THROW) consumer->classic.failed = response->error;
}

void coordinator_find(struct consumer *consumer)
{
    struct coordinator_lookup *lookup = &consumer->coordinator;
    sim_time now = sim_now(consumer->sim);
    if (coordinator_is_known(consumer) || lookup->in_flight || lookup->retry_at > now) return;
    int32_t channel = network_client_least_loaded(consumer->network);
    if (channel == CHANNEL_NONE) {
        later(consumer);
        return;
    }
    struct find_coordinator_request *request =
        MESSAGE_NEW(consumer->memory, API_FIND_COORDINATOR, struct find_coordinator_request);
    request->key = consumer->group;
    lookup->in_flight = true;
    lookup->number++;
    network_client_send(consumer->network,
                        &(struct outgoing_request){
                            .channel = channel,
                            .message = &request->head,
                            .size_bytes = GROUP_REQUEST_BYTES,
                            .timeout_ns = MILLISECONDS(consumer->config->request_timeout_ms),
                            .handler = answered,
                            .context = consumer,
                            .tag = lookup->number,
                        });
}

void coordinator_mark_unknown(struct consumer *consumer, enum kafka_error error)
{
    struct coordinator_lookup *lookup = &consumer->coordinator;
    if (lookup->node < 0) return;
    int32_t channel = CHANNEL_COORDINATOR(lookup->node);
    consumer_note(consumer, CLIENT_COORDINATOR_UNKNOWN, lookup->node, error, NULL);
    lookup->node = -1;
    network_client_disconnect(consumer->network, channel);
}

void coordinator_on_disconnect(struct consumer *consumer, int32_t channel)
{
    if (!coordinator_is_known(consumer)) return;
    if (channel == CHANNEL_COORDINATOR(consumer->coordinator.node)) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
    }
}

void coordinator_send(struct consumer *consumer, struct message *message, int64_t timeout_ms,
                      request_handler *handler, uint64_t tag)
{
    network_client_send(consumer->network,
                        &(struct outgoing_request){
                            .channel = CHANNEL_COORDINATOR(consumer->coordinator.node),
                            .message = message,
                            .size_bytes = GROUP_REQUEST_BYTES,
                            .timeout_ns = MILLISECONDS(timeout_ms),
                            .handler = handler,
                            .context = consumer,
                            .tag = tag,
                        });
}

void coordinator_reset(struct consumer *consumer)
{
    uint64_t number = consumer->coordinator.number;
    consumer->coordinator = (struct coordinator_lookup){.node = -1, .number = number + 1};
}
