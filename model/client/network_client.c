#include "model/client/network_client_internal.h"

#include "model/broker.h"
#include "model/messages_data.h"
#include "sim/check.h"
#include "sim/prefetch.h"

/* Events of our own; those of the network are numbered above. */
enum { EVENT_DEADLINE = 1, EVENT_COMPLETE };

#define SEND_BUFFER_BYTES 131072            /* send.buffer.bytes */
#define UNSTUCK_NS        MILLISECONDS(100) /* a full socket is looked at this often */

/* ---- deadlines ---- */

static void arm(struct network_client *client, sim_time at)
{
    if (sim_timer_at(&client->deadline) > at) {
        sim_timer_set(client->options.sim, &client->deadline, at);
    }
}

static void arm_for_all(struct network_client *client)
{
    sim_time at = client->maintenance_at;
    for (int32_t i = 0; i < client->channel_count; i++) {
        const struct channel *channel = &client->channels[i];
        if (channel->state == CHANNEL_CONNECTING && channel->setup_ends_at < at) {
            at = channel->setup_ends_at;
        }
        for (const struct request *r = channel->requests.first; r != NULL; r = r->next) {
            if (r->expires_at < at) at = r->expires_at;
        }
        const struct request *last = channel->requests.last;
        sim_time look_at = sim_now(client->options.sim) + UNSTUCK_NS;
        if (last != NULL && last->is_stuck && look_at < at) at = look_at;
    }
    if (at != SIM_TIME_NEVER) arm(client, at);
}

/* ---- completion: handlers run one after the other, never inside each other ---- */

static void complete(struct network_client *client, struct request *request,
                     enum request_outcome outcome)
{
    request->outcome = outcome;
    request_queue_push(&client->completed, request);
    if (client->is_inside || client->completion_is_posted) return;
    client->completion_is_posted = true;
    /* A timer's handler may have sent it, and nothing comes before timers any more then. */
    sim_post(client->options.sim, sim_now(client->options.sim), PHASE_TIMER, client->entity,
             client->entity, EVENT_COMPLETE, 0, NULL);
}

static bool run_handlers(struct network_client *client)
{
    if (client->completed.first == NULL) return false;
    for (struct request *r = request_queue_pop(&client->completed); r != NULL;
         r = request_queue_pop(&client->completed)) {
        struct request_result result = {
            .outcome = r->outcome,
            .response = r->response,
            .channel = r->channel,
            .sent_at = r->sent_at,
            .tag = r->tag,
        };
        r->handler(r->context, &result);
        request_release(client->memory, r);
    }
    return true;
}

/* ---- connections ---- */

static bool socket_is_full(const struct network_client *client, struct channel *channel)
{
    if (!network_is_stuck(client->options.network, channel->connection, client->entity))
        channel->unacknowledged_bytes = 0;
    return channel->unacknowledged_bytes >= SEND_BUFFER_BYTES;
}

static bool must_wait(const struct network_client *client, struct channel *channel,
                      const struct request *request)
{
    const struct request *last = channel->requests.last;
    if (last != NULL && last->is_stuck) return true;
    return request->no_response && socket_is_full(client, channel);
}

static void write_request(struct network_client *client, struct channel *channel,
                          struct request *request)
{
    request->is_stuck = false;
    if (request->no_response) channel->unacknowledged_bytes += request->size_bytes;
    request->correlation = channel->next_correlation++;
    request->message->correlation = request->correlation;
    request->expires_at = sim_now(client->options.sim) + request->timeout_ns;
    request->is_written = true;
    struct message *message = request->message;
    request->message = NULL;
    network_send(client->options.network, channel->connection, client->entity, message,
                 request->size_bytes);
}

/* Requests without a response leave the queue; they can only stand at its end once written. */
static void finish_unanswered(struct network_client *client, struct channel *channel)
{
    struct request_queue kept = {0};
    for (struct request *r = request_queue_pop(&channel->requests); r != NULL;
         r = request_queue_pop(&channel->requests)) {
        if (r->is_written && r->no_response) {
            complete(client, r, REQUEST_ANSWERED);
        } else {
            request_queue_push(&kept, r);
        }
    }
    channel->requests = kept;
}

/* Whatever stuck is written, as far as the socket takes it now. */
static void write_stuck(struct network_client *client, struct channel *channel)
{
    bool any = false;
    for (struct request *r = channel->requests.first; r != NULL; r = r->next) {
        if (!r->is_stuck) continue;
        if (r->no_response && socket_is_full(client, channel)) break;
        write_request(client, channel, r);
        any = true;
    }
    if (any) finish_unanswered(client, channel);
}

static void fail_requests(struct network_client *client, struct channel *channel)
{
    for (struct request *r = request_queue_pop(&channel->requests); r != NULL;
         r = request_queue_pop(&channel->requests)) {
        complete(client, r, REQUEST_DISCONNECTED);
    }
}

static void start_backoff(struct network_client *client, struct channel *channel)
{
    channel->backoff_ends_at =
        sim_now(client->options.sim) + backoff_ns(&client->reconnect_backoff, BACKOFF_RECONNECT,
                                                  channel->failures++, client->reconnect_draws++);
}

static void lose(struct network_client *client, int32_t index, bool tell)
{
    struct channel *channel = &client->channels[index];
    if (channel->state == CHANNEL_DISCONNECTED) return;
    if (channel->state == CHANNEL_CONNECTING) {
        channel->setup_failures++;
    } else {
        channel->setup_failures = 0;
    }
    network_close(client->options.network, channel->connection, client->entity);
    channel->connection = CONNECTION_NONE;
    channel->state = CHANNEL_DISCONNECTED;
    start_backoff(client, channel);
    fail_requests(client, channel);
    if (!tell) return;
    /* The tools of an operator (admin.c) keep no metadata. */
    if (client->doubt != NULL) client->doubt(client->maintenance_context);
    if (client->options.on_disconnected != NULL) {
        client->options.on_disconnected(client->options.context, index);
    }
}

void network_client_connect(struct network_client *client, int32_t index)
{
    struct channel *channel = &client->channels[index];
    if (!channel_may_connect(client, channel)) return;
    channel->connection =
        network_connect(client->options.network, client->entity,
                        cluster_broker_entity(client->options.cluster, CHANNEL_NODE(index)));
    channel->state = CHANNEL_CONNECTING;
    channel->setup_ends_at =
        sim_now(client->options.sim) + backoff_ns(&client->setup_backoff, BACKOFF_CONNECTION_SETUP,
                                                  channel->setup_failures, client->setup_draws++);
    arm(client, channel->setup_ends_at);
}

static void opened(struct network_client *client, struct channel *channel)
{
    channel->state = CHANNEL_READY;
    channel->unacknowledged_bytes = 0;
    channel->failures = 0;
    channel->setup_failures = 0;
    bool any_unanswered = false;
    for (struct request *r = channel->requests.first; r != NULL; r = r->next) {
        write_request(client, channel, r);
        any_unanswered = any_unanswered || r->no_response;
    }
    if (any_unanswered) finish_unanswered(client, channel);
}

static void answered(struct network_client *client, struct channel *channel,
                     struct message *response)
{
    struct request *request = request_queue_pop(&channel->requests);
    CHECK(request != NULL && request->is_written);
    CHECK(request->correlation == response->correlation);
    request->response = response;
    complete(client, request, REQUEST_ANSWERED);
}

static int32_t channel_of(const struct network_client *client, connection_id connection)
{
    for (int32_t i = 0; i < client->channel_count; i++) {
        if (client->channels[i].connection == connection) return i;
    }
    return CHANNEL_NONE; /* closed by us meanwhile */
}

static void arrive(struct network_client *client, connection_id connection, uint16_t kind,
                   struct message *message)
{
    int32_t index = channel_of(client, connection);
    if (index == CHANNEL_NONE) {
        message_free(client->memory, message);
        return;
    }
    if (kind == NETWORK_MESSAGE) {
        answered(client, &client->channels[index], message);
    } else if (kind == NETWORK_OPENED) {
        opened(client, &client->channels[index]);
    } else {
        CHECK(kind == NETWORK_REFUSED || kind == NETWORK_CLOSED);
        lose(client, index, true);
    }
}

/* ---- requests ---- */

void network_client_settle(struct network_client *client, int32_t index)
{
    const struct channel *channel = &client->channels[index];
    for (struct request *r = channel->requests.first; r != NULL; r = r->next) {
        if (!r->may_idle) continue;
        if (r->is_written) {
            broker_fetch_settle(client->options.cluster, CHANNEL_NODE(index), channel->connection);
        } else {
            /* The broker does not know the connection yet: it must not begin to idle at all. */
            void *body = r->message;
            struct fetch_request *fetch = body;
            fetch->may_idle = r->may_idle = false;
        }
        return;
    }
}

void network_client_send(struct network_client *client, const struct outgoing_request *outgoing)
{
    CHECK(outgoing->channel >= 0 && outgoing->channel < client->channel_count);
    struct channel *channel = &client->channels[outgoing->channel];
    struct request *request = memory_take(client->memory, sizeof *request);
    sim_time now = sim_now(client->options.sim);
    *request = (struct request){
        .message = outgoing->message,
        .handler = outgoing->handler,
        .context = outgoing->context,
        .tag = outgoing->tag,
        .size_bytes = outgoing->size_bytes,
        .timeout_ns = outgoing->timeout_ns,
        .sent_at = now,
        .expires_at = now + outgoing->timeout_ns,
        .channel = outgoing->channel,
        .no_response = outgoing->no_response,
        .may_idle = outgoing->may_idle,
    };
    network_client_connect(client, outgoing->channel);
    if (channel->state == CHANNEL_DISCONNECTED) {
        complete(client, request, REQUEST_DISCONNECTED);
        return;
    }
    /* What is sent behind an idle fetch is read when the fetch is answered. */
    network_client_settle(client, outgoing->channel);
    if (channel->state == CHANNEL_READY) {
        request->is_stuck = must_wait(client, channel, request);
        if (!request->is_stuck) write_request(client, channel, request);
    }
    if (request->is_written && request->no_response) {
        complete(client, request, REQUEST_ANSWERED);
        return;
    }
    request_queue_push(&channel->requests, request);
    arm(client, request->is_stuck ? now + UNSTUCK_NS : request->expires_at);
}

/* An idle fetch stands for one round after the other: only the one under way can time out. */
static void restart_idle(struct network_client *client, const struct channel *channel,
                         struct request *request)
{
    sim_time sent_at = broker_fetch_sent_at(client->options.cluster, CHANNEL_NODE(request->channel),
                                            channel->connection);
    if (sent_at >= 0) request->expires_at = sent_at + request->timeout_ns;
}

/* What was written fails with its connection; what still waits fails alone. */
static void expire_requests(struct network_client *client, int32_t index, sim_time now)
{
    struct channel *channel = &client->channels[index];
    for (struct request *r = channel->requests.first; r != NULL; r = r->next) {
        if (r->is_written && r->may_idle && r->expires_at <= now) restart_idle(client, channel, r);
        if ((r->is_written || r->is_stuck) && r->expires_at <= now) {
            lose(client, index, true);
            return;
        }
    }
    struct request_queue kept = {0};
    for (struct request *r = request_queue_pop(&channel->requests); r != NULL;
         r = request_queue_pop(&channel->requests)) {
        if (r->expires_at <= now) {
            complete(client, r, REQUEST_EXPIRED);
        } else {
            request_queue_push(&kept, r);
        }
    }
    channel->requests = kept;
}

static void check_deadlines(struct network_client *client)
{
    sim_time now = sim_now(client->options.sim);
    client->deadline_is_due = false;
    if (client->maintenance_at <= now) {
        client->maintenance_at = SIM_TIME_NEVER;
        sim_time next = client->maintenance(client->maintenance_context);
        if (next < client->maintenance_at) client->maintenance_at = next;
    }
    for (int32_t i = 0; i < client->channel_count; i++) {
        struct channel *channel = &client->channels[i];
        if (channel->state == CHANNEL_CONNECTING && channel->setup_ends_at <= now) {
            lose(client, i, true);
        }
        if (channel->requests.first != NULL) expire_requests(client, i, now);
        const struct request *last = channel->requests.last;
        if (last != NULL && last->is_stuck) write_stuck(client, channel);
    }
    arm_for_all(client);
}

/* ---- polling ---- */

bool network_client_is_readable(const struct network_client *client)
{
    return client->first_arrival != NULL || client->completed.first != NULL ||
           client->deadline_is_due;
}

bool network_client_poll(struct network_client *client)
{
    if (client->is_inside) return false;
    client->is_inside = true;
    bool handled = run_handlers(client);
    while (client->first_arrival != NULL) {
        struct arrival *arrival = client->first_arrival;
        client->first_arrival = arrival->next;
        if (client->first_arrival == NULL) client->last_arrival = NULL;
        arrive(client, arrival->connection, arrival->kind, arrival->message);
        memory_give(client->memory, arrival, sizeof *arrival);
        run_handlers(client);
        handled = true;
    }
    if (client->deadline_is_due) {
        check_deadlines(client);
        handled = run_handlers(client) || handled;
    }
    client->is_inside = false;
    return handled;
}

void network_client_set_polling(struct network_client *client, bool polling)
{
    client->is_polling = polling || client->options.always_polling;
}

/* Something happened on a socket or a deadline passed. */
static void wake(struct network_client *client)
{
    if (client->is_polling) {
        network_client_poll(client);
        if (client->options.on_progress != NULL) {
            client->options.on_progress(client->options.context);
        }
    } else if (client->options.on_readable != NULL) {
        client->options.on_readable(client->options.context);
    }
}

static void keep_arrival(struct network_client *client, const struct sim_event *event)
{
    struct arrival *arrival = memory_take(client->memory, sizeof *arrival);
    *arrival = (struct arrival){
        .connection = (connection_id)event->number,
        .kind = event->kind,
        .message = event->kind == NETWORK_MESSAGE ? event->pointer : NULL,
    };
    if (client->last_arrival == NULL) {
        client->first_arrival = arrival;
    } else {
        client->last_arrival->next = arrival;
    }
    client->last_arrival = arrival;
}

/* Thousands of clients take turns: all that an arrival leads to is asked for at once, instead of
 * piece by piece. */
static void prefetch_client(const struct network_client *client)
{
    prefetch_lines(client, sizeof *client / CACHE_LINE + 1);
    prefetch_lines(client->channels, (size_t)client->channel_count);
}

static void handle(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    struct network_client *client = self;
    prefetch_client(client);
    if (event->kind == EVENT_COMPLETE) {
        client->completion_is_posted = false;
        if (client->completed.first == NULL) return; /* somebody polled meanwhile */
    } else if (event->kind == EVENT_DEADLINE) {
        client->deadline_is_due = true;
    } else {
        keep_arrival(client, event);
    }
    wake(client);
}

void network_client_set_maintenance(struct network_client *client,
                                    network_client_maintenance *maintenance,
                                    network_client_doubt *doubt, void *context)
{
    client->maintenance = maintenance;
    client->doubt = doubt;
    client->maintenance_context = context;
}

void network_client_wake_at(struct network_client *client, sim_time at)
{
    if (at < client->maintenance_at) client->maintenance_at = at;
    if (at != SIM_TIME_NEVER) arm(client, at);
}

/* ---- life ---- */

void network_client_disconnect(struct network_client *client, int32_t channel)
{
    lose(client, channel, false);
}

static void forget_arrivals(struct network_client *client)
{
    while (client->first_arrival != NULL) {
        struct arrival *arrival = client->first_arrival;
        client->first_arrival = arrival->next;
        message_free(client->memory, arrival->message);
        memory_give(client->memory, arrival, sizeof *arrival);
    }
    client->last_arrival = NULL;
}

void network_client_reset(struct network_client *client)
{
    CHECK(!client->is_inside);
    forget_arrivals(client);
    for (int32_t i = 0; i < client->channel_count; i++) {
        struct channel *channel = &client->channels[i];
        for (struct request *r = request_queue_pop(&channel->requests); r != NULL;
             r = request_queue_pop(&channel->requests)) {
            request_release(client->memory, r);
        }
        *channel = (struct channel){.state = CHANNEL_DISCONNECTED};
    }
    for (struct request *r = request_queue_pop(&client->completed); r != NULL;
         r = request_queue_pop(&client->completed)) {
        request_release(client->memory, r);
    }
    client->completion_is_posted = false;
    client->deadline_is_due = false;
    client->maintenance_at = SIM_TIME_NEVER;
    client->is_polling = client->options.always_polling;
    sim_timer_cancel(client->options.sim, &client->deadline);
}

void network_client_close(struct network_client *client)
{
    for (int32_t i = 0; i < client->channel_count; i++) {
        struct channel *channel = &client->channels[i];
        if (channel->state == CHANNEL_DISCONNECTED) continue;
        network_close(client->options.network, channel->connection, client->entity);
    }
    network_client_reset(client);
}

struct network_client *network_client_new(const struct network_client_options *options)
{
    struct memory *memory = sim_memory(options->sim);
    struct network_client *client = memory_keep(memory, sizeof *client);
    struct rng_key backoff_key = sim_rng_key(options->sim, options->name, RNG_BACKOFF);
    *client = (struct network_client){
        .options = *options,
        .memory = memory,
        .channel_count = 2 * cluster_broker_count(options->cluster),
        .maintenance_at = SIM_TIME_NEVER,
        .is_polling = options->always_polling,
        .reconnect_backoff = {options->reconnect_backoff_ms, options->reconnect_backoff_max_ms,
                              backoff_key},
        .setup_backoff = {options->connection_setup_timeout_ms,
                          options->connection_setup_timeout_max_ms, backoff_key},
        .choice_key = sim_rng_key(options->sim, options->name, RNG_BROKER_CHOICE),
    };
    client->channels =
        memory_keep(memory, sizeof *client->channels * (size_t)client->channel_count);
    client->entity = sim_add_entity(options->sim, options->name, options->process, handle, client);
    sim_timer_init(&client->deadline, client->entity, EVENT_DEADLINE, 0);
    return client;
}
