/* tests/harness/scripted_consumer.h: a client of the consumer protocol, as small as it can be.
 *
 * It keeps to the protocol: it gives up what is not in its assignment any more after a while, says
 * so, rejoins from scratch when fenced, repeats a full request when an answer got lost. It owns
 * partitions only while it believes to be a member. What it is told to do, and when, is the test's.
 */
#ifndef TESTS_HARNESS_SCRIPTED_CONSUMER_H
#define TESTS_HARNESS_SCRIPTED_CONSUMER_H

#include "tests/harness/shard_host.h"

#define SCRIPTED_PARTITIONS_MAX 256
#define SCRIPTED_TOPICS_MAX     8

struct scripted_set {
    struct topic_partition items[SCRIPTED_PARTITIONS_MAX];
    int32_t count;
};

struct scripted_consumer {
    struct shard_host *host;
    name_id group;
    name_id client_id;
    name_id instance; /* NAME_NONE = dynamic */
    name_id assignor;
    name_id topics[SCRIPTED_TOPICS_MAX];
    int32_t topic_count;
    int32_t rebalance_timeout_ms;

    bool alive;
    bool joined; /* believes to be a member */
    name_id member;
    int32_t epoch;
    struct scripted_set owned;    /* processes these */
    struct scripted_set assigned; /* may have these */
    bool say_all;                 /* the last answer did not come: send a full request */
    bool topics_changed;
    bool report_owned;
    uint64_t token; /* of the request under way; 0 = none */
    sim_time sent_at;
};

struct scripted_consumer scripted_consumer_make(struct shard_host *host, const char *group,
                                                const char *client_id, const char *instance);
void scripted_consumer_subscribe(struct scripted_consumer *consumer, const char *const *topics,
                                 int32_t count);

/* Sends a heartbeat, unless one is under way. */
void scripted_consumer_beat(struct scripted_consumer *consumer);
/* Takes the answer if it is there. `lost`: it does not reach the client. */
void scripted_consumer_read(struct scripted_consumer *consumer, bool lost);
/* The rebalance listener returns: what is not assigned any more is given up. */
void scripted_consumer_give_up(struct scripted_consumer *consumer);
/* Leaves for good, or for a while if it is static. */
void scripted_consumer_leave(struct scripted_consumer *consumer, bool for_good);
/* The process dies: nobody is told. */
void scripted_consumer_crash(struct scripted_consumer *consumer);

bool scripted_set_contains(const struct scripted_set *set, struct topic_partition partition);

#endif
