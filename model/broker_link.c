#include "model/broker_internal.h"

#include "sim/check.h"

/* Between brokers: reconnect.backoff.ms as the fetcher threads use it, and the set-up timeout. */
#define RECONNECT_NS MILLISECONDS(50)
#define SET_UP_NS    SECONDS(10) /* socket.connection.setup.timeout.ms */

void broker_link_init(struct broker_link *link, struct broker *broker, entity_id peer,
                      uint64_t number)
{
    *link = (struct broker_link){.broker = broker, .peer = peer};
    sim_timer_init(&link->timer, broker->entity, BROKER_LINK_TIMER, number);
}

struct broker_link *broker_link_numbered(struct broker *broker, uint64_t number)
{
    if (number == LINK_NUMBER_CONTROLLER) return &broker->controller_link;
    int32_t peer = (int32_t)((number - 1) / 2);
    if (number == LINK_NUMBER_FETCHER(peer)) return &broker->fetchers[peer].link;
    return transactions_link(broker, peer);
}

void broker_link_open(struct broker_link *link)
{
    struct broker *broker = link->broker;
    if (link->state != LINK_DOWN || sim_timer_is_set(&link->timer)) return;
    link->connection = network_connect(broker->cluster->network, broker->entity, link->peer);
    link->state = LINK_CONNECTING;
    sim_timer_set(broker->sim, &link->timer, sim_now(broker->sim) + SET_UP_NS);
}

static void forget_connection(struct broker_link *link)
{
    struct broker *broker = link->broker;
    if (link->connection != CONNECTION_NONE) {
        network_close(broker->cluster->network, link->connection, broker->entity);
    }
    link->connection = CONNECTION_NONE;
    link->state = LINK_DOWN;
    sim_timer_cancel(broker->sim, &link->timer);
}

void broker_link_close(struct broker_link *link)
{
    forget_connection(link);
    link->awaiting = false;
    message_free(link->broker->memory, link->request);
    link->request = NULL;
}

/* The connection is of no use any more: whoever waits is told, and after the back-off it is tried
 * again if there is something to send. */
static void lose(struct broker_link *link)
{
    struct broker *broker = link->broker;
    broker_link_close(link);
    sim_timer_set(broker->sim, &link->timer, sim_now(broker->sim) + RECONNECT_NS);
    link->on_response(link, NULL);
}

static void transmit(struct broker_link *link)
{
    struct broker *broker = link->broker;
    struct message *request = link->request;
    link->request = NULL;
    link->awaiting = true;
    network_send(broker->cluster->network, link->connection, broker->entity, request,
                 link->request_size_bytes);
    if (link->timeout_ns > 0) {
        sim_timer_set(broker->sim, &link->timer, sim_now(broker->sim) + link->timeout_ns);
    }
}

void broker_link_send(struct broker_link *link, struct message *request, int64_t size_bytes,
                      sim_time timeout_ns)
{
    CHECK(!link->awaiting);
    message_free(link->broker->memory, link->request);
    link->request = request;
    link->request_size_bytes = size_bytes;
    link->timeout_ns = timeout_ns;
    if (link->state == LINK_READY) {
        transmit(link);
    } else {
        broker_link_open(link);
    }
}

void broker_link_on_event(struct broker_link *link, const struct sim_event *event)
{
    struct broker *broker = link->broker;
    switch ((enum network_event)event->kind) {
    case NETWORK_OPENED:
        link->state = LINK_READY;
        sim_timer_cancel(broker->sim, &link->timer);
        if (link->request != NULL) {
            transmit(link);
        } else {
            link->on_ready(link);
        }
        return;
    case NETWORK_MESSAGE: {
        struct message *message = event->pointer;
        if (message->api != API_METADATA_UPDATE) {
            link->awaiting = false;
            sim_timer_cancel(broker->sim, &link->timer);
        }
        link->on_response(link, message);
        return;
    }
    case NETWORK_REFUSED:
    case NETWORK_CLOSED: lose(link); return;
    case NETWORK_ACCEPTED: break;
    }
    CHECK(false);
}

void broker_link_on_timer(struct broker_link *link)
{
    if (link->state != LINK_DOWN) {
        lose(link); /* set-up or request timeout */
    } else if (link->request != NULL) {
        broker_link_open(link);
    } else {
        link->on_ready(link); /* the back-off is over */
    }
}
