/* bench/scripted_member.h: a classic consumer's words without the consumer.
 *
 * One process with one entity and one connection to its group's coordinator. It joins, syncs (the
 * leader deals one partition to each member), and from then on beats and commits its partition's
 * high watermark by the clock, whatever happens in between: each on a timer of its own.
 *
 *   connect ──▶ JoinGroup ──MEMBER_ID_REQUIRED──▶ JoinGroup ──▶ SyncGroup ──▶ beats and commits
 *                  ▲                                                              │
 *                  └──────────────────REBALANCE_IN_PROGRESS───────────────────────┘
 *
 * Any other error stops the benchmark: nothing here may cause one. */
#ifndef BENCH_SCRIPTED_MEMBER_H
#define BENCH_SCRIPTED_MEMBER_H

#include "model/cluster.h"
#include "model/message.h"
#include "sim/network.h"

struct script {
    struct sim *sim;
    struct network *network;
    struct cluster *cluster;
    struct memory *memory;
    partition_id topic; /* PARTITION_ID of its partition 0 */
    name_id topic_name;
    sim_time heartbeat_ns;
    sim_time commit_ns;
    uint64_t requests; /* sent */
    uint64_t answers;  /* without error */
};

struct scripted_member;

/* Starts at `at`, when every partition must have a leader. */
struct scripted_member *scripted_member_new(struct script *script, name_id name, name_id group,
                                            sim_time at);

#endif
