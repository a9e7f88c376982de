/* model/scenario.h: what a world is built from, resolved and checked.
 *
 * Filled by tools/scenario_yaml from a file, or by tests by hand. Everything has a value: defaults
 * are in place, units converted (sim_time in nanoseconds, sizes in bytes, rates in records per
 * second × 1,000). Strings and arrays belong to whoever filled it and outlive the world.
 * Kafka's settings are in model/config.h. */
#ifndef MODEL_SCENARIO_H
#define MODEL_SCENARIO_H

#include "model/config.h"
#include "sim/distribution.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stdint.h>

/* Where something stands in the file; 0 = not from a file. Faults appear in the trace with it. */
struct scenario_position {
    int32_t line;
    int32_t column;
};

struct scenario_cluster {
    int32_t brokers;          /* ids 0 .. brokers-1 */
    const char *const *racks; /* shape [brokers], NULL = no racks */
    struct distribution latency_ns;
    int64_t bandwidth_bytes_per_second;     /* 0 = infinite */
    struct distribution request_service_ns; /* a broker's work on one request */
    struct distribution disk_ns;            /* one append */
    struct broker_config config;
};

struct scenario_topic {
    const char *name;
    int32_t partitions;
    int32_t replication;
    int64_t retention_ms; /* -1 = forever */
    int64_t retention_bytes;
    int64_t segment_bytes;
    int64_t segment_ms;
    int32_t min_insync_replicas;
    bool unclean_leader_election;
    bool created_later; /* by a create_topic of the timeline: not there at the start */
    /* cleanup.policy; and what compaction goes by */
    bool compact;
    bool compact_and_delete;
    int32_t min_cleanable_dirty_milli;
    int64_t min_compaction_lag_ms;
    int64_t max_compaction_lag_ms;
    int64_t delete_retention_ms;
};

/* How fast records come: points joined by steps or lines, repeated when there is a period.
 * Constant, ramp, bursts, daily curve and recorded CSV all become this. */
struct rate_point {
    sim_time at;
    int64_t per_second_milli;
};
struct scenario_rate {
    const struct rate_point *points; /* ascending, the first at 0 */
    int32_t point_count;
    bool linear;        /* lines between points; steps otherwise */
    sim_time period_ns; /* 0 = not repeated */
};

struct hot_key {
    const char *key;
    int32_t share_ppm;
    int32_t salt; /* spread over this many salted keys; 1 = not salted */
};
struct scenario_keys {
    int64_t count;               /* 0 = records without keys */
    int32_t zipf_exponent_milli; /* 0 = all alike */
    const struct hot_key *hot;
    int32_t hot_count;
    int32_t tombstone_ppm; /* records without a value, on a compacted topic */
};

struct scenario_producer {
    const char *name;
    const char *topic;
    struct scenario_rate rate;
    bool poisson; /* false: evenly spaced */
    struct distribution record_size_bytes;
    struct scenario_keys keys;
    const int64_t *partition_weights; /* shape [partitions]: custom partitioner; NULL = by key */
    sim_time start_at;
    sim_time stop_at; /* SIM_TIME_NEVER = with the run */
    bool resend;      /* the application sends again what failed for good */
    struct producer_config config;
};

/* True when its records have keys, and the keys choose their partitions. */
static inline bool scenario_producer_is_keyed(const struct scenario_producer *producer)
{
    bool has_keys = producer->keys.count > 0 || producer->keys.hot_count > 0;
    return has_keys && !producer->config.partitioner_ignore_keys;
}

enum commit_mode {
    COMMIT_AUTO,       /* enable.auto.commit */
    COMMIT_SYNC,       /* commitSync after each poll's records */
    COMMIT_ASYNC,      /* commitAsync after each poll's records */
    COMMIT_PER_RECORD, /* commitSync after each record */
    COMMIT_ON_REVOKE,  /* only in onPartitionsRevoked and on close */
    COMMIT_NONE,
    COMMIT_TRANSACTIONAL, /* consume-process-produce, sendOffsetsToTransaction (KIP-447) */
    COMMIT_EXTERNAL,      /* the offset lives in the sink's own transaction */
};
/* What the application commits while workers process. */
enum commit_offsets { COMMIT_POSITIONS, COMMIT_FINISHED, COMMIT_CONTIGUOUS };
enum commit_order { COMMIT_AFTER_SINK, COMMIT_BEFORE_SINK };

struct scenario_commit {
    enum commit_mode mode;
    enum commit_order order;
    enum commit_offsets offsets;
    sim_time async_retry_ns; /* a failed commitAsync is sent again, as it was; 0 = it is not */
    bool drain;              /* on_revoke: only when workers are done with what they have */
    bool on_revoke;          /* also commitSync in onPartitionsRevoked */
    bool on_close;           /* also commitSync before close() */
    /* Manual commits (sync, async) no more often than this; 0 = after every poll's records. */
    sim_time interval_ns;
};

/* What the application does with an exception that comes out of poll(). */
enum exception_policy {
    EXCEPTION_EXIT,       /* it closes the consumer and exits */
    EXCEPTION_POLL_AGAIN, /* it logs, waits for retry_backoff_ns and goes on polling */
};

enum retry_policy { RETRY_FOREVER, RETRY_BOUNDED, RETRY_DEAD_LETTER, RETRY_CRASH };

struct scenario_process {
    struct distribution per_record_ns;
    struct distribution per_batch_ns; /* once per poll that returned records */
    int32_t workers;                  /* 0 = on the poll thread */
    /* Workers: pause() everything while more records than this wait for them, resume() at half of
     * it; 0 = never. */
    int64_t queue_limit;
    bool ordered;                /* workers: those of one partition one after another */
    struct distribution sink_ns; /* once per poll that returned records; 0 = none */
    bool sink_idempotent;
    struct distribution restore_ns; /* in onPartitionsAssigned, once per rebalance that added any */
    int64_t restore_bytes_per_partition; /* state store; 0 = none */
    int64_t restore_bytes_per_second;
    enum retry_policy retry;
    enum exception_policy on_exception;
    int32_t retries;
    sim_time retry_backoff_ns;
    const char *dead_letter_topic; /* NULL = none */
    int64_t memory_limit_bytes;    /* out-of-memory crash above; 0 = no limit */
};

/* What the application writes with a producer of its own: the other half of
 * consume-process-produce. */
struct scenario_output {
    const char *topic;    /* one record for each record read; NULL = none */
    int64_t record_bytes; /* 0 = as large as the record read */
    bool flush;           /* flush() before the commit; a transaction's commit does so anyway */
    /* Of that producer, which also writes dead letters. transactional_id is each member's name
     * with commit mode transactional, whatever stands here. */
    struct producer_config config;
};

enum deployment_kind { DEPLOYMENT_DEPLOYMENT, DEPLOYMENT_STATEFUL_SET };

struct scenario_deployment {
    enum deployment_kind kind;
    struct distribution startup_ns;     /* from start to the first poll() */
    struct distribution termination_ns; /* from SIGTERM to close(), e.g. finishing work */
    sim_time grace_ns;                  /* SIGKILL after this */
    bool restart_after_crash;
    sim_time restart_backoff_ns;     /* crash-loop back-off: doubles … */
    sim_time restart_backoff_max_ns; /* … up to this */
    int32_t max_unavailable;         /* rolling restart: this many at a time */
    sim_time ready_wait_ns;          /* rolling restart: pause after one is ready */
};

/* What one member has different from its group. */
struct scenario_override {
    const char *name;
    int32_t member; /* from 1 */
    struct consumer_config config;
    struct scenario_process process;
};

struct scenario_group {
    const char *name;
    const char *const *topics; /* with a pattern: all that match it, existing or not */
    int32_t topic_count;
    const char *topic_pattern; /* subscribe(Pattern); NULL = subscribe(topics) */
    int32_t members;           /* named NAME-1 .. NAME-members */
    bool assign_all; /* assign() instead of subscribe(): every member reads its share, no group */
    struct distribution start_spread_ns; /* when each member's process first starts */
    struct consumer_config config;
    struct scenario_process process;
    struct scenario_commit commit;
    struct scenario_output output;
    struct scenario_deployment deployment;
    struct scenario_override *overrides;
    int32_t override_count;
};

/* Whom an entry of the timeline is about. */
enum selector_kind {
    SELECT_NOBODY,
    SELECT_MEMBER,      /* payments-3 */
    SELECT_GROUP,       /* payments: every member */
    SELECT_ANY_MEMBERS, /* any 2 of payments */
    SELECT_BROKER,      /* broker 1 */
    SELECT_ANY_BROKER,
    SELECT_COORDINATOR,  /* coordinator of payments: a broker */
    SELECT_LEADER,       /* leader of payments-0: a broker */
    SELECT_GROUP_LEADER, /* group leader of payments: a member */
    SELECT_TOPIC,
    SELECT_PRODUCER,
    SELECT_PARTITION, /* payments-0, where a partition is meant and not a member */
    SELECT_BROKERS,   /* brokers: all of them */
};
struct selector {
    enum selector_kind kind;
    int32_t group;  /* index in scenario.groups */
    int32_t member; /* from 1 */
    int32_t broker;
    int32_t topic; /* index in scenario.topics */
    int32_t partition;
    int32_t producer; /* index in scenario.producers */
    int32_t count;    /* any `count` of */
};

#define TIMELINE_KINDS(X)                                                                          \
    X(ROLLING_RESTART, "rolling_restart", "restart the members of a group one after another")      \
    X(STOP, "stop", "close() a member cleanly and leave it down")                                  \
    X(START, "start", "start a member, a broker or a producer that is down")                       \
    X(RESTART, "restart", "stop a member or a broker cleanly and start it again")                  \
    X(CRASH, "crash", "kill a member, a broker or a producer without a word")                      \
    X(PAUSE, "pause", "freeze every thread of a process, as a long GC does")                       \
    X(STALL, "stall", "block processing; heartbeats go on")                                        \
    X(CUT, "cut", "cut the network between two sides")                                             \
    X(DELAY, "delay", "add latency or loss between two sides")                                     \
    X(RESET_CONNECTIONS, "reset_connections", "reset the connections between two sides")           \
    X(SLOW, "slow", "stretch the CPU work of a process")                                           \
    X(ELECT, "elect", "move the leadership of a partition")                                        \
    X(SINK_OUTAGE, "sink_outage", "the sink of a group answers nothing")                           \
    X(POISON, "poison", "a record whose processing fails")                                         \
    X(HOT_KEY, "hot_key", "a share of a producer's records gets one key")                          \
    X(BURST, "burst", "multiply the rate of a producer")                                           \
    X(ADD_PARTITIONS, "add_partitions", "grow a topic")                                            \
    X(DELETE_TOPIC, "delete_topic", "delete a topic, its records and all offsets committed on it") \
    X(CREATE_TOPIC, "create_topic", "create a topic that does not exist, or no longer")            \
    X(DISK_STALL, "disk_stall", "a broker's disk takes longer")                                    \
    X(SCALE, "scale", "change the number of members of a group")                                   \
    X(RESET_OFFSETS, "reset_offsets", "set a group's committed offsets, as the tool does")         \
    X(DELETE_GROUP, "delete_group", "delete a group's offsets and metadata")                       \
    X(DELETE_OFFSETS, "delete_offsets", "delete a group's offsets of one topic, as the tool does") \
    X(THROW, "throw", "the application's listener or assignor throws when it is called")           \
    X(QUIET, "quiet", "end all faults; liveness is judged from here")

enum timeline_kind {
#define X(name, key, help) TIMELINE_##name,
    TIMELINE_KINDS(X)
#undef X
        TIMELINE_KIND_COUNT
};

/* Code of the application that the client calls. */
enum throw_place { THROW_ON_ASSIGNED, THROW_ON_REVOKED, THROW_IN_ASSIGNOR, THROW_PLACE_COUNT };

enum trigger_kind {
    TRIGGER_AT,    /* once, at `at` */
    TRIGGER_EVERY, /* at `at`, then after each draw of `every` until `until` */
    TRIGGER_WHEN,  /* when the group reaches a state, `skip` times not, then `times` times */
    TRIGGER_CHAOS, /* random: at each instant of its block one sibling is drawn by weight */
};

/* Where reset_offsets and poison point, with the wire values of ListOffsets. */
#define OFFSET_TO_LATEST   INT64_C(-1) /* the log end: the next record to be produced */
#define OFFSET_TO_EARLIEST INT64_C(-2) /* the log start */

struct scenario_event {
    enum timeline_kind kind;
    struct scenario_position position;
    enum trigger_kind trigger;
    sim_time at;
    struct distribution every_ns;
    sim_time until;
    const char *when_state; /* group state in Kafka's words, for TRIGGER_WHEN */
    int32_t when_group;
    int32_t skip;
    int32_t times; /* 0 = no limit */
    /* A chaos block is a run of events with the same number, which also share at, every_ns, until
     * and stable_for_ns. -1 = not chaos. */
    int32_t chaos;
    int32_t weight;         /* chaos: share among its siblings */
    sim_time stable_for_ns; /* chaos: no fault sooner than this after the last one ended */

    struct selector target;
    struct selector other;      /* the second side of cut, delay, reset_connections */
    bool one_way;               /* cut, delay: only from target to other */
    struct distribution for_ns; /* how long it lasts */
    struct distribution extra_latency_ns;
    int32_t loss_ppm;
    int32_t factor_milli; /* slow, burst */
    int32_t count;   /* scale: members; add_partitions: new total; create_topic: partitions, 0 = as
                        the topic is declared; poison: records in a row */
    const char *key; /* hot_key */
    int32_t share_ppm;      /* hot_key */
    int64_t offset;         /* poison, reset_offsets; or OFFSET_TO_LATEST, OFFSET_TO_EARLIEST */
    bool unclean;           /* elect */
    enum throw_place place; /* throw */
    bool host;              /* crash: the whole host, so that nobody is told */
    const struct broker_config *config; /* restart of brokers: with these settings; NULL = as now */
};

struct scenario_expect {
    const char *text;
    struct scenario_position position;
};

struct scenario {
    const char *name;
    const char *description;
    sim_time duration_ns;
    uint64_t seed;
    sim_time sample_ns; /* step of the time series */
    struct scenario_cluster cluster;
    const struct scenario_topic *topics;
    int32_t topic_count;
    const struct scenario_producer *producers;
    int32_t producer_count;
    const struct scenario_group *groups;
    int32_t group_count;
    const struct scenario_event *timeline;
    int32_t event_count;
    const struct scenario_expect *expects;
    int32_t expect_count;
};

#endif
