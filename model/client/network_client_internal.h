/* model/client/network_client_internal.h: the insides of a client's sockets.
 *
 *   network_client.c   connections, requests, time-outs, who polls
 *   network_choice.c   which broker to ask */
#ifndef MODEL_CLIENT_NETWORK_CLIENT_INTERNAL_H
#define MODEL_CLIENT_NETWORK_CLIENT_INTERNAL_H

#include "model/client/backoff.h"
#include "model/client/network_client.h"
#include "model/client/request_queue.h"

enum channel_state { CHANNEL_DISCONNECTED, CHANNEL_CONNECTING, CHANNEL_READY };

struct channel {
    enum channel_state state;
    connection_id connection;
    struct request_queue requests; /* written ones first, in order */
    uint32_t next_correlation;
    uint32_t failures; /* since it was last ready: exponent of the reconnect back-off */
    uint32_t setup_failures;
    sim_time backoff_ends_at;
    sim_time setup_ends_at;
    int64_t unacknowledged_bytes; /* written without wanting an answer since it got stuck */
};

/* What the socket holds while nobody polls. */
struct arrival {
    struct arrival *next;
    connection_id connection;
    uint16_t kind;
    struct message *message;
};

struct network_client {
    struct network_client_options options;
    struct memory *memory;
    entity_id entity;
    struct channel *channels;
    int32_t channel_count;
    struct arrival *first_arrival;
    struct arrival *last_arrival;
    struct request_queue completed;
    bool is_inside; /* network_client_poll: handlers run before it returns */
    bool completion_is_posted;
    bool is_polling;
    bool deadline_is_due;
    struct sim_timer deadline;
    network_client_maintenance *maintenance;
    network_client_doubt *doubt;
    void *maintenance_context;
    sim_time maintenance_at;
    struct backoff reconnect_backoff;
    struct backoff setup_backoff;
    struct rng_key choice_key;
    uint64_t choices;
    uint64_t reconnect_draws;
    uint64_t setup_draws;
};

static inline bool channel_may_connect(const struct network_client *client,
                                       const struct channel *channel)
{
    return channel->state == CHANNEL_DISCONNECTED &&
           sim_now(client->options.sim) >= channel->backoff_ends_at;
}

#endif
