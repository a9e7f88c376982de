#include "model/broker_internal.h"
#include "sim/check.h"
#define RESPONSE_BYTES 60
struct transaction_host {
    struct broker_link *links;
};
void transactions_init(struct broker *broker)
{
    if (broker->transactions != NULL) return;
    broker->transactions = memory_keep(broker->memory, sizeof *broker->transactions);
    broker->transactions->links =
        memory_keep(broker->memory,
                    (size_t)broker->cluster->broker_count * sizeof *broker->transactions->links);
}
void transactions_reset(struct broker *broker)
{
    (void)broker;
}
void transactions_handle(struct broker *broker, struct broker_connection *connection,
                         const struct message *request)
{
    CHECK(request->api == API_INIT_PRODUCER_ID);
    struct init_producer_id_response *response =
        MESSAGE_NEW(broker->memory, API_INIT_PRODUCER_ID, struct init_producer_id_response);
    response->producer_id = broker->cluster->next_producer_id++;
    broker_respond(broker, connection, &response->head, RESPONSE_BYTES);
}
void transactions_on_role_change(struct replica *replica)
{
    (void)replica;
}
void transactions_on_high_watermark(struct replica *replica)
{
    (void)replica;
}
void transactions_timer(struct broker *broker, const struct sim_event *event)
{
    (void)broker;
    (void)event;
}
struct broker_link *transactions_link(struct broker *broker, int32_t peer)
{
    return &broker->transactions->links[peer];
}
