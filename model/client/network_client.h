/* model/client/network_client.h: a client's sockets and its requests under way.
 *
 * One per consumer or producer process, an entity of its own (what NetworkClient, the selector and
 * ConsumerNetworkClient are in Java). It keeps one connection per *channel*: a broker has a channel
 * for data and one more for coordinator traffic, as the Java consumer has. Requests of one channel
 * are answered in order, so they wait in a queue; a request that is older than its timeout closes
 * the whole connection and fails all of them.
 *
 *   DISCONNECTED ──send, or connect──▶ CONNECTING ──opened──▶ READY
 *        ▲    (not before the back-off ends)  │ refused, set-up timeout  │ closed, request timeout
 *        └────────────────────────────────────┴──────────────────────────┘
 *
 * Who moves the bytes: a producer's sender thread always does. A consumer's bytes move only while
 * one of its threads is inside a client call; until then they wait in the socket buffer. So the
 * client is told when somebody polls (network_client_set_polling, network_client_poll), and tells
 * its owner when something waits (`on_readable`). In one poll, received bytes come before timeouts:
 * a process that wakes from a long pause first reads what its sockets hold.
 *
 * A request for a broker whose connection failed and may not be tried again yet fails at once
 * (ConsumerNetworkClient.checkDisconnects); one for a broker that is being connected waits.
 *
 * A request that wants no answer (acks=0) is over when it is written, but a peer that acknowledges
 * nothing (its host is down, the link is cut) lets the socket's buffer fill up: then the request
 * counts as under way, nothing behind it is written, and its timeout closes the connection.
 *
 * A simplification: Java's client opens separate connections to its bootstrap addresses until the
 * first Metadata response; here every broker is a bootstrap server and its connection is kept. */
#ifndef MODEL_CLIENT_NETWORK_CLIENT_H
#define MODEL_CLIENT_NETWORK_CLIENT_H

#include "model/cluster.h"
#include "model/message.h"
#include "sim/network.h"

/* A broker's two channels. */
#define CHANNEL_DATA(node)        ((int32_t)(node)*2)
#define CHANNEL_COORDINATOR(node) ((int32_t)(node)*2 + 1)
#define CHANNEL_NODE(channel)     ((channel) / 2)
#define CHANNEL_NONE              (-1)

struct network_client;

enum request_outcome {
    REQUEST_ANSWERED,
    REQUEST_DISCONNECTED, /* the connection went, or a request on it timed out: outcome unknown */
    REQUEST_EXPIRED,      /* its time ran out before it could be written: the broker never saw it */
};

struct request_result {
    enum request_outcome outcome;
    /* Not NULL exactly if answered. Freed after the handler returns. */
    const struct message *response;
    int32_t channel;
    sim_time sent_at; /* when network_client_send was called */
    uint64_t tag;     /* as given with the request */
};

/* Called once per request, unless the process dies first. */
typedef void request_handler(void *context, const struct request_result *result);

struct outgoing_request {
    int32_t channel;
    struct message *message; /* ownership passes on */
    int64_t size_bytes;
    sim_time timeout_ns;
    request_handler *handler;
    void *context;
    uint64_t tag;
    bool no_response; /* acks=0: answered (response NULL) as soon as it is written */
    /* A Fetch with may_idle (model/broker.h): its timeout counts from the round under way. */
    bool may_idle;
};

struct network_client_options {
    struct sim *sim;
    struct network *network;
    process_id process;
    name_id name;            /* of the entity, and of its keyed draws */
    struct cluster *cluster; /* addresses, and the rounds of idle fetches */
    int32_t reconnect_backoff_ms;
    int32_t reconnect_backoff_max_ms;
    int32_t connection_setup_timeout_ms;
    int32_t connection_setup_timeout_max_ms;
    bool always_polling; /* a sender thread; else see network_client_set_polling */
    /* Bytes or a timeout wait and nobody polls. May call network_client_poll. */
    void (*on_readable)(void *context);
    /* After handlers have run because of network activity while somebody polls: a blocked thread
     * looks again at what it waits for. */
    void (*on_progress)(void *context);
    /* A channel was lost (not by network_client_disconnect). NULL = nobody asks. */
    void (*on_disconnected)(void *context, int32_t channel);
    void *context;
};

struct network_client *network_client_new(const struct network_client_options *options);

/* Forgets connections and requests without calling handlers: the process died, or starts anew. */
void network_client_reset(struct network_client *client);

/* The round of an idle fetch of this channel ends when it would have, and no other begins. */
void network_client_settle(struct network_client *client, int32_t channel);

void network_client_send(struct network_client *client, const struct outgoing_request *request);

/* Starts connecting if the channel is neither connected nor in back-off. */
void network_client_connect(struct network_client *client, int32_t channel);
/* Closes the channel; its requests fail as REQUEST_DISCONNECTED once somebody polls, never before
 * this returns. */
void network_client_disconnect(struct network_client *client, int32_t channel);
/* Closes everything without calling handlers; what was written still arrives. */
void network_client_close(struct network_client *client);

/* What a client does by the clock (refreshing its metadata): called when the deadline it last
 * returned, or the one asked for with network_client_wake_at, has passed and somebody polls. */
typedef sim_time network_client_maintenance(void *context);
/* A connection was lost, or could not be set up: what is known of the cluster may be stale
 * (NetworkClient.DefaultMetadataUpdater.handleServerDisconnect). */
typedef void network_client_doubt(void *context);
void network_client_set_maintenance(struct network_client *client,
                                    network_client_maintenance *maintenance,
                                    network_client_doubt *doubt, void *context);
void network_client_wake_at(struct network_client *client, sim_time at);

int32_t network_client_node_count(const struct network_client *client);
bool network_client_is_ready(const struct network_client *client, int32_t channel);
/* Disconnected, and the reconnect back-off still runs: nothing should be built for it. */
bool network_client_is_unavailable(const struct network_client *client, int32_t channel);
/* Requests of the channel, queued or written. */
int32_t network_client_pending(const struct network_client *client, int32_t channel);
/* The end of the back-off; 0 when there is none. */
sim_time network_client_backoff_ends_at(const struct network_client *client, int32_t channel);

/* The data channel of the broker to ask what any broker can answer: a ready one without requests
 * under way, else the ready one with the fewest, else one being connected, else one that may be
 * connected; CHANNEL_NONE if all are in back-off. The search starts at a random broker
 * (NetworkClient.leastLoadedNode). */
int32_t network_client_least_loaded(struct network_client *client);

/* While set, what arrives is handled at once. Setting it does not poll. */
void network_client_set_polling(struct network_client *client, bool polling);
/* Handles what waits, then timeouts; on_progress is not called. True if anything was handled. */
bool network_client_poll(struct network_client *client);
bool network_client_is_readable(const struct network_client *client);

#endif
