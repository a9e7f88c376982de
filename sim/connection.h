/* sim/connection.h: what the files of the network share. Nothing outside sim/ includes this.
 *
 * network.c       connections: open, send, close, arrival, delivery, deaths
 * transmission.c  one direction: when a message arrives, what is lost, what is sent again
 * network_fault.c links, the faults on them, resets
 *
 * Every message of a direction, handshake and close included, has an ordinal. The receiving side
 * takes them in that order whatever happens on the way, so FIFO holds by construction. */
#ifndef SIM_CONNECTION_H
#define SIM_CONNECTION_H

#include "sim/internal.h"
#include "sim/network.h"

/* What travels. Arrived, it becomes the event of network.h that stands beside it. */
enum wire_kind {
    WIRE_CONNECT = 0xff80, /* NETWORK_ACCEPTED at the server */
    WIRE_OPENED,           /* NETWORK_OPENED */
    WIRE_REFUSED,          /* NETWORK_REFUSED */
    WIRE_MESSAGE,          /* NETWORK_MESSAGE */
    WIRE_CLOSE,            /* NETWORK_CLOSED, after all that was sent before */
    WIRE_RESET,            /* NETWORK_CLOSED, at once */
};

/* Number of an event under way: ordinal above, connection below. */
#define ORDINAL_SHIFT 32u
#define ORDINAL_NONE  UINT32_MAX /* resets keep no order */
#define LINK_BITS     29u
#define LINK_MASK     ((1u << LINK_BITS) - 1)

/* A message that is not in the event queue: lost and to be sent again, or arrived before its turn.
 */
struct waiting {
    struct waiting *next; /* by ordinal */
    void *message;
    uint32_t ordinal;
    uint16_t kind;
    bool is_lost;
};

/* One end, and the direction away from it: what every message needs. */
struct end {
    sim_time arrives_at; /* of what was sent last: nothing overtakes it */
    entity_id entity;
    uint32_t sent;             /* ordinal of the next message */
    uint32_t received;         /* ordinal the other side takes next */
    uint32_t link : LINK_BITS; /* the rule for this direction, 0 = none */
    uint32_t has_past : 1;     /* something waited here once: look at the rest */
    uint32_t is_closed : 1;
    uint32_t is_silent : 1; /* closed by the death of its host: nobody has been told */
};

enum { CLIENT, SERVER };

/* One cache line, for a run may have tens of thousands and each message comes to another one. */
struct connection {
    struct end end[2];
    sim_time connected_at;
    uint32_t generation;
    bool is_used;
    bool is_accepted;
    bool is_opened;
    bool is_reset;
};

/* The rest of an end, in an array of its own. */
struct end_rest {
    connection_id next, prev; /* list of the process's ends: connection index * 2 + side */
    sim_time wire_free_at;    /* bandwidth */
    sim_time lost_at;         /* of the first message that waits to be sent again; else never */
    struct waiting *waiting;
    uint32_t resent;
};

struct connection_rest {
    struct end_rest end[2];
    uint32_t next_free;
};

struct fault {
    struct distribution extra_latency;
    sim_time began_at;
    bool has_latency;
    bool is_used;
    bool is_cut;
    uint32_t loss_ppm;
    uint32_t link;
    network_fault_id next; /* on the same link, or free */
};

/* A pair of processes, in one direction, that has or had a fault. */
struct link {
    process_id from, to;
    uint32_t cuts;
    network_fault_id first_fault;
};

struct network {
    struct sim *sim;
    network_release *release;
    void *context;
    struct connection *connection; /* shape [capacity]; 0 is none */
    struct connection_rest *rest;  /* same shape */
    uint32_t count, capacity, free;
    connection_id
        doomed; /* closed at both ends; freed at the next one, so its last event can ask */
    struct distribution latency;
    int64_t bandwidth;
    struct link *link; /* shape [link_capacity]; 0 is none */
    uint32_t link_count, link_capacity;
    uint32_t *link_slot; /* open addressing by (from, to), shape [link_slots] */
    uint32_t link_slots;
    struct fault *fault; /* shape [fault_capacity]; 0 is none */
    uint32_t fault_count, fault_capacity, free_fault;
};

/* connection_id: index below, generation above, so that an id outlives its connection harmlessly.
 */
#define GENERATION_MASK ((1u << (32 - CONNECTION_INDEX_BITS)) - 1)

connection_id connection_name(const struct network *network, const struct connection *connection);
/* NULL when it is closed at both ends. */
struct connection *connection_find(const struct network *network, connection_id id);
/* When both ends are closed nothing can happen on it any more. */
void connection_free_if_closed(struct network *network, struct connection *connection);

static inline struct end_rest *end_rest(const struct network *network,
                                        const struct connection *connection, unsigned side)
{
    return &network->rest[connection - network->connection].end[side];
}

static inline process_id end_process(const struct network *network, const struct end *end)
{
    return network->sim->entity[end->entity].process;
}

static inline bool host_of_end_is_down(const struct network *network, const struct end *end)
{
    const struct sim *sim = network->sim;
    return sim->hosts_down > 0 && sim->host[sim->process[end_process(network, end)].host].is_down;
}

static inline bool end_is_cut(const struct network *network, const struct end *from)
{
    return from->link != 0 && network->link[from->link].cuts > 0;
}

/* transmission.c. `side` is the sending end throughout. */
void transmission_send(struct network *network, struct connection *connection, unsigned side,
                       uint16_t kind, void *message, int64_t size_bytes);
/* A reset goes at once (`delayed` false: somebody between the two sends it) and keeps no order. */
void transmission_reset(struct network *network, struct connection *connection, unsigned side,
                        bool delayed);
/* True when this arrival is taken now; else it waits, or was lost and waits to be sent again. */
bool transmission_arrives(struct network *network, struct connection *connection, unsigned side,
                          uint16_t kind, uint32_t ordinal, void *message);
/* The way is free again. */
void transmission_resume(struct network *network, struct connection *connection, unsigned side);
/* Releases what waits in this direction. */
void transmission_forget(struct network *network, struct connection *connection, unsigned side);
void transmission_release(struct network *network, void *message);

/* network_fault.c */
uint32_t link_find(const struct network *network, process_id from, process_id to);

/* The ends of a process: calls visit(connection, side) for each. The visited one may go away. */
typedef void end_visitor(struct network *network, struct connection *connection, unsigned side,
                         const void *argument);
void connection_visit(struct network *network, process_id process, end_visitor *visit,
                      const void *argument);

#endif
