/* tests/harness/scripted_classic.h: a client of the classic protocol, eager, as small as it can be.
 *
 * It gives up everything before it rejoins, leads when told to (partitions of one topic dealt out
 * in turn), and starts again when it is not known any more. It works alike against a classic group
 * and against a consumer group that takes classic members. */
#ifndef TESTS_HARNESS_SCRIPTED_CLASSIC_H
#define TESTS_HARNESS_SCRIPTED_CLASSIC_H

#include "tests/harness/shard_host.h"

struct scripted_classic {
    struct shard_host *host;
    name_id group;
    name_id client_id;
    name_id instance; /* NAME_NONE = dynamic */
    name_id topic;
    int32_t topic_partitions; /* what it knows as a leader */
    int32_t rebalance_timeout_ms;

    bool alive;
    name_id member;
    int32_t generation;
    enum { CLASSIC_UNJOINED, CLASSIC_JOINED, CLASSIC_SYNCED } phase;
    bool owned[64]; /* by partition: processes these */
    int32_t owned_count;
    name_id *led; /* members it leads; shape [led_count] */
    int32_t led_count;
    uint64_t token; /* of the request under way; 0 = none */
    sim_time sent_at;
};

struct scripted_classic scripted_classic_make(struct shard_host *host, const char *group,
                                              const char *client_id, const char *instance,
                                              const char *topic);
/* Sends what is next: JoinGroup, SyncGroup or Heartbeat, unless one is under way. */
void scripted_classic_act(struct scripted_classic *client);
/* Takes the answer if it is there. `lost`: it does not reach the client. */
void scripted_classic_read(struct scripted_classic *client, bool lost);
void scripted_classic_leave(struct scripted_classic *client);
/* The process dies: nobody is told. */
void scripted_classic_crash(struct scripted_classic *client);

#endif
