/* model/workload.h: what the scenario's producers are asked to send.
 *
 * Records come into being by the clock alone. Time is cut into slots whose length follows from the
 * scenario's rate and partition count (workload_slot_ns); how many records a slot brings, when, of
 * which keys and how large, are draws keyed by (producer, slot), so nothing that brokers, groups
 * or faults do moves any of them. At low rates (less than one record in a slot) each record stands
 * alone at its own instant.
 *
 * Evenly spaced: the n-th record is due when the integral of the rate reaches n + 1/2, so a run of
 * T seconds at R/s brings R × T records. Poisson: the counts are Poisson draws with the slot's
 * mean (or exponential gaps between lone records).
 * Partitions: each key hashes to one (murmur2), its share is its Zipf or hot-key weight; a slot's
 * records are dealt to partitions by systematic sampling on the summed weights: every count is
 * within one of its expectation and the total is exact. */
#ifndef MODEL_WORKLOAD_H
#define MODEL_WORKLOAD_H

#include "model/producer.h"
#include "model/scenario.h"

struct workload;

/* Makes the producer's process and client, and starts both. `index` in scenario.producers. */
struct workload *workload_new(struct sim *sim, struct network *network, struct cluster *cluster,
                              const struct scenario *scenario, int32_t index);

process_id workload_process(const struct workload *workload);
struct producer *workload_producer(const struct workload *workload);
/* The length of a slot for such a producer. */
sim_time workload_slot_ns(const struct scenario_producer *producer, int32_t partitions);

/* Records that came into being so far. Conservation: arrived = acknowledged + failed + died + down
 * + pending. */
struct workload_counts {
    int64_t arrived;
    int64_t acknowledged; /* acks=0: sent */
    int64_t failed;
    int64_t died; /* with the process: not sent yet, or not answered */
    int64_t down; /* came while there was no process to take them */
    int64_t pending;
};
struct workload_counts workload_counts(const struct workload *workload);

/* The process is killed, and started again: nothing is left of before. */
void workload_kill(struct workload *workload, bool host);
void workload_restart(struct workload *workload);

/* Faults: for the timeline. 1,000 = the scenario's own rate. Takes effect from now. */
void workload_set_rate_factor(struct workload *workload, int32_t factor_milli);
/* From now a share of the records has this key (salted over `salt` keys); share 0 ends it. */
void workload_set_hot_key(struct workload *workload, const char *key, int32_t share_ppm,
                          int32_t salt);

#endif
