/* sim/network.h: FIFO connections between processes, as TCP gives them.
 *
 * A connection has two entities, one at each end. What one end sends arrives at the other in order,
 * after latency, bandwidth and loss (seen as retransmission delay). A cut link delivers nothing and
 * tells nobody: the sender finds out by its own timeout, and what was sent arrives after the link
 * heals if the connection still stands. A frozen process accepts bytes into its sockets and reads
 * them when it thaws. When a process dies its kernel resets its connections (peers get
 * CONNECTION_CLOSED) unless its whole host died, of which nobody is told.
 *
 * After a cut TCP's rule holds: the first lost message is tried again 200 ms after it was lost (a
 * connection attempt after 1 s), then after twice that, and so on up to every 120 s; when a try
 * gets through, everything lost follows. Acknowledgements are not modelled: a one-way cut stops
 * only what goes that way, and a sender never gives up by itself. A connection to a host that died
 * stands until the survivor closes it, or until the host is up again and answers the next try with
 * a reset.
 *
 * Messages are void pointers; ownership passes to the receiver. Undelivered ones are handed to
 * the release function given at network_new. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "sim/distribution.h"
#include "sim/process.h"

typedef uint32_t connection_id;
#define CONNECTION_NONE ((connection_id)0)

/* Delivered to an end's handler in PHASE_MESSAGE. `number` is the connection. */
enum network_event {
    NETWORK_OPENED = 0xff00, /* at the client: the handshake is done */
    NETWORK_ACCEPTED,        /* at the server: somebody connected; `from` is the client's entity */
    NETWORK_REFUSED,         /* at the client: the host is up, the process is not */
    NETWORK_MESSAGE,         /* `pointer` is the message */
    NETWORK_CLOSED,          /* the other end closed or was reset */
};

typedef void network_release(void *context, void *message);

struct network *network_new(struct sim *sim, network_release *release, void *context);

/* Latency of one message in one direction, for every link; constant 500 us until it is set. */
void network_set_latency(struct network *network, const struct distribution *latency_ns);
/* Of each direction of each connection; 0 = infinite, as at first. */
void network_set_bandwidth(struct network *network, int64_t bytes_per_second);

/* Opens a connection from `client` (an entity of a running process) to `server`. The handshake
 * takes one round trip; while the link is cut or the server's host is down nothing is heard. */
connection_id network_connect(struct network *network, entity_id client, entity_id server);
/* Sends from the end that belongs to `from`; ignored (message released) if this end is closed. */
void network_send(struct network *network, connection_id connection, entity_id from, void *message,
                  int64_t size_bytes);
/* Closes this end: the other gets NETWORK_CLOSED after what is already under way. */
void network_close(struct network *network, connection_id connection, entity_id from);
/* From NETWORK_OPENED until the connection is closed at both ends. */
bool network_is_open(const struct network *network, connection_id connection);
/* As this end knows it: open, and neither closed here nor told to be. */
bool network_end_is_open(const struct network *network, connection_id connection, entity_id of);
/* What this end has sent is not acknowledged: something of it is lost, and waits to be sent again.
 */
bool network_is_stuck(const struct network *network, connection_id connection, entity_id of);
/* ENTITY_NONE when the connection is gone; still known while NETWORK_CLOSED is handled. */
entity_id network_peer(const struct network *network, connection_id connection, entity_id of);

/* Faults. Hosts are named by process; a rule holds for every connection between the two sides, in
 * the direction from -> to (call twice for both). Rules add up; each is removed by its own id. */
typedef uint32_t network_fault_id;
struct network_fault {
    bool cut;
    const struct distribution *extra_latency_ns; /* NULL = none */
    uint32_t loss_ppm;
};
network_fault_id network_fault_add(struct network *network, process_id from, process_id to,
                                   const struct network_fault *fault);
void network_fault_remove(struct network *network, network_fault_id fault);
/* Resets every connection between the two. */
void network_reset(struct network *network, process_id a, process_id b);

#endif
