/* model/cluster.h: the brokers, the topics, and what the controller knows about them.
 *
 * A cluster is made from a scenario: one process and entity per broker ("broker-0" …), one for the
 * controller quorum ("controller"), the scenario's topics, then __consumer_offsets and
 * __transaction_state. Topics count in that order, so PARTITION_ID(topic index, partition) never
 * changes. Offsets of all logs start at 0.
 *
 * The functions here read the controller's own metadata, the truth of this instant. They are for
 * building, the timeline, observers and tests: clients learn of the cluster from Metadata
 * responses, which come from the view of the broker asked and may be behind. */
#ifndef MODEL_CLUSTER_H
#define MODEL_CLUSTER_H

#include "model/kafka_types.h"
#include "model/scenario.h"
#include "model/trace_kinds.h"
#include "sim/network.h"

#define OFFSETS_TOPIC     "__consumer_offsets"
#define TRANSACTION_TOPIC "__transaction_state"

#define BROKERS_MAX 64 /* replica sets are kept as bits */

struct cluster;
struct group_watcher;

/* Adds processes and entities and starts them now. The scenario must outlive the cluster. */
struct cluster *cluster_new(struct sim *sim, struct network *network,
                            const struct scenario *scenario);

/* Address book. */
int32_t cluster_broker_count(const struct cluster *cluster);
const entity_id *cluster_broker_entities(const struct cluster *cluster); /* by broker id */
entity_id cluster_broker_entity(const struct cluster *cluster, int32_t broker);
process_id cluster_broker_process(const struct cluster *cluster, int32_t broker);
process_id cluster_controller_process(const struct cluster *cluster);

/* Topics, the internal ones last. */
int32_t cluster_topic_count(const struct cluster *cluster);
name_id cluster_topic_name(const struct cluster *cluster, int32_t topic);
int32_t cluster_topic_find(const struct cluster *cluster, name_id name); /* -1 = none */
bool cluster_topic_is_internal(const struct cluster *cluster, int32_t topic);
int32_t cluster_partition_count(const struct cluster *cluster, int32_t topic); /* 0 = deleted */

/* What the controller knows of a partition; no leader and no offsets when it does not exist. */
int32_t cluster_leader(const struct cluster *cluster, partition_id partition); /* -1 = none */
int32_t cluster_leader_epoch(const struct cluster *cluster, partition_id partition);
uint64_t cluster_isr(const struct cluster *cluster, partition_id partition); /* bit per broker */
/* The broker that leads the group's partition of __consumer_offsets; -1 = none. */
int32_t cluster_coordinator(const struct cluster *cluster, name_id group);
partition_id cluster_offsets_partition(const struct cluster *cluster, name_id group);

/* Offsets as the leader has them; the last known ones while there is no leader. For samples, the
 * tools' views and tests. */
struct partition_offsets {
    int64_t log_start;
    int64_t high_watermark;
    int64_t last_stable;
    int64_t log_end;
    int64_t bytes; /* in the log */
};
struct partition_offsets cluster_offsets(const struct cluster *cluster, partition_id partition);
/* Create time of the record at `offset` (interpolated in merged ranges); -1 if it is not in the
 * leader's log. */
sim_time cluster_record_at(const struct cluster *cluster, partition_id partition, int64_t offset);

/* Faults: for the timeline, at PHASE_FAULT. */

/* Kills the process without a word; `host` takes the machine with it, so that connections are not
 * even reset. What was in the log stays. */
void broker_crash(struct cluster *cluster, int32_t broker, bool host);
void broker_restart(struct cluster *cluster, int32_t broker);
/* Controlled shutdown: moves leaders away first, then stops. */
void broker_shutdown(struct cluster *cluster, int32_t broker);
/* The group coordinator's settings from the broker's next start on. They must outlive the cluster.
 */
void broker_set_config(struct cluster *cluster, int32_t broker, const struct broker_config *config);
/* Every append of the broker takes at least until `until`. */
void broker_disk_stall(struct cluster *cluster, int32_t broker, sim_time until);
/* Moves leadership to another replica in the ISR; `unclean` to one that is alive, in the ISR or
 * not, preferring one outside it. False when there is none. */
bool controller_elect(struct cluster *cluster, partition_id partition, bool unclean);
/* As the admin client asks for it: a topic that does not exist is not deleted (nor an internal
 * one), one that exists is not created (UNKNOWN_TOPIC_OR_PARTITION, TOPIC_ALREADY_EXISTS). */
void cluster_delete_topic(struct cluster *cluster, int32_t topic);
void cluster_create_topic(struct cluster *cluster, int32_t topic, int32_t partitions);
/* New total; ignored if it is not above the present one. */
void cluster_add_partitions(struct cluster *cluster, int32_t topic, int32_t partitions);

/* Before anything that can disturb brokers, clients or the network: idle fetches (broker.h) become
 * ordinary ones, and stay so while `hold` is above zero (it counts). */
void cluster_hold_plain_fetches(struct cluster *cluster, int32_t change);

/* Every step of every group coordinator is checked, and the assignment of each leader made twice
 * (group_watch.h). For tests; before the world runs. */
void cluster_watch_groups(struct cluster *cluster, const struct group_watcher *watcher);
const struct group_watcher *cluster_group_watcher(const struct cluster *cluster);

#endif
