/* model/broker.h: one broker.
 *
 * An entity in a process of its own. Clients and other brokers connect to its entity; it takes
 * requests from each connection one at a time: the next is not read before the response to the last
 * one is written (the socket server mutes the channel), so a parked JoinGroup or Fetch holds up
 * what the same connection sent after it. A request first takes its service time on one of
 * BROKER_IO_THREADS threads.
 *
 * APIs: Produce, Fetch, ListOffsets, Metadata, OffsetForLeaderEpoch, FindCoordinator, the group
 * APIs (one coordinator shard per __consumer_offsets partition it leads), InitProducerId and the
 * transaction APIs.
 *
 * A broker acts on its own view of the metadata, which the controller's updates bring up to date:
 * cut off from the controller, it goes on leading what it led.
 *
 * Idle fetches. A consumer that reads at the end of quiet partitions sends a fetch that expires
 * empty after max.wait, sends it again, and so on: two events a second that change nothing. With
 * `may_idle` in the request the broker leaves out those rounds: it keeps the fetch parked and
 * answers when there is something to tell, at the instant at which the round then under way would
 * have answered. Rounds follow each other at max.wait plus one round trip (of the
 * typical latency, distribution_mean): what appears in the gap between two rounds waits for the
 * next, and fetch.min.bytes is waited for until that round's own expiry. With constant latency the
 * data responses are the same, to the nanosecond, as those of the plain rounds. */
#ifndef MODEL_BROKER_H
#define MODEL_BROKER_H

#include "model/cluster.h"
#include "model/messages_data.h"

#define BROKER_IO_THREADS 8 /* num.io.threads */

struct broker;

/* Made by cluster_new. */
struct broker *broker_new(struct cluster *cluster, int32_t id);

/* The client wants its idle fetch back (it has a partition to add, or closes): the broker answers
 * when the round under way would have expired. Nothing happens if no fetch idles there. */
void broker_fetch_settle(struct cluster *cluster, int32_t broker, connection_id connection);
/* When the client would have sent the request of the round under way: what its request timeout
 * counts from. -1 if no fetch of this connection idles or did so before it was settled. */
sim_time broker_fetch_sent_at(const struct cluster *cluster, int32_t broker,
                              connection_id connection);

#endif
