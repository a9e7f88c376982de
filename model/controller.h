/* model/controller.h: the controller quorum, as one process that does not fail.
 *
 * It keeps the metadata log: who leads what in which epoch, who is in sync, who is alive. Brokers
 * register with it and send heartbeats; one that is silent for broker.session.timeout.ms is fenced:
 * it loses its leaderships and its places in ISRs (the last member of an ISR keeps its place).
 * Entries are pushed to every broker that has a connection, in order.
 *
 * Elections (PartitionChangeBuilder): the present leader if it is alive and in the ISR, else the
 * first replica in assignment order that is; without one, and with unclean.leader.election.enable,
 * the first that is alive, which becomes the whole ISR; else nobody. With
 * auto.leader.rebalance.enable the preferred leaders get their partitions back every
 * leader.imbalance.check.interval.seconds. */
#ifndef MODEL_CONTROLLER_H
#define MODEL_CONTROLLER_H

#include "sim/process.h"

struct cluster;
struct controller;

/* Made by cluster_new, after the brokers and topics. */
struct controller *controller_new(struct cluster *cluster);
entity_id controller_entity(const struct controller *controller);
process_id controller_process(const struct controller *controller);

#endif
