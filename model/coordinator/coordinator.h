/* model/coordinator/coordinator.h: the group coordinator, one shard.
 *
 * A shard serves the groups whose id hashes to one partition of __consumer_offsets. It is sans-I/O:
 * requests, timers, log progress and metadata go in, replies and log batches come out. It never
 * sends, sleeps or reads a clock, so brokers, unit tests and recorded scenarios drive the same
 * code.
 *
 *     start_loading        finish_loading
 *   NOT_OWNED ───▶ LOADING ───────────▶ ACTIVE ──unload──▶ NOT_OWNED
 *                     └──────unload / load failed ─────────────▲
 *
 * The host's loop after every call that takes `now`:
 *
 *     while (coordinator_take_effect(shard, &effect))
 *         REPLY:  send effect.response to whoever asked under effect.token (the host owns it now)
 *         APPEND: write effect.batch to the log (the host holds a reference now), then
 *                 coordinator_appended(shard, end offset or error, now)
 *
 * and coordinator_on_high_watermark() when the partition's high watermark moves. APPENDs are
 * answered in order. Until then coordinator_next_timer_at() says when to call
 * coordinator_run_timer().
 *
 * Write path (CoordinatorRuntime of Kafka): an operation's records are applied at once and put into
 * an open batch that goes to the log after group.coordinator.append.linger.ms; its reply waits
 * until the high watermark passes them. Operations without records wait for every earlier write.
 * After offsets.commit.timeout.ms the client is told COORDINATOR_NOT_AVAILABLE, but the records
 * stay and may become committed later. A failed append takes back what its records changed. */
#ifndef MODEL_COORDINATOR_COORDINATOR_H
#define MODEL_COORDINATOR_COORDINATOR_H

#include "model/coordinator/group_events.h"
#include "model/coordinator/group_log.h"
#include "model/message.h"
#include "model/messages_group.h"
#include "sim/memory.h"
#include "sim/names.h"
#include "sim/time.h"

#include <stdbool.h>
#include <stdint.h>

/* Broker settings by Kafka's names, in Kafka's units. */
struct coordinator_config {
    int32_t group_min_session_timeout_ms;         /* 6000 */
    int32_t group_max_session_timeout_ms;         /* 1800000 */
    int32_t group_initial_rebalance_delay_ms;     /* 3000 */
    int32_t group_max_size;                       /* 2^31-1 */
    int32_t new_member_join_timeout_ms;           /* 300000, a constant of Kafka */
    int32_t offsets_commit_timeout_ms;            /* 5000: limit of every write */
    int32_t group_coordinator_append_linger_ms;   /* 10; 0 = write at once */
    int32_t message_max_bytes;                    /* 1048588: one batch of the log */
    int64_t offsets_retention_ms;                 /* 7 d (offsets.retention.minutes) */
    int64_t offsets_retention_check_interval_ms;  /* 600000 */
    int32_t offset_metadata_max_bytes;            /* 4096 */
    int32_t group_consumer_session_timeout_ms;    /* 45000 */
    int32_t group_consumer_heartbeat_interval_ms; /* 5000 */
    int32_t group_consumer_max_size;              /* 2^31-1 */
    name_id group_consumer_assignors[4];          /* in order; the first is the default */
    int32_t group_consumer_assignor_count;
    enum {
        MIGRATION_DISABLED,
        MIGRATION_UPGRADE,
        MIGRATION_DOWNGRADE,
        MIGRATION_BIDIRECTIONAL
    } group_consumer_migration_policy; /* bidirectional */
};
/* Kafka's defaults; the assignors are uniform and range. */
struct coordinator_config coordinator_config_default(struct names *names);

/* A new member's id: `<prefix>-<uuid>`, unique for ever. `index` counts ids handed out in the group
 * by this leader epoch. See member_id.h for the usual one. */
typedef name_id member_id_maker(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                                uint32_t index);

struct coordinator_options {
    struct memory *memory;
    struct names *names;
    const struct coordinator_config *config; /* must outlive the shard */
    int32_t partition;                       /* of __consumer_offsets */
    member_id_maker *make_member_id;
    void *make_member_id_self;
};

struct coordinator *coordinator_new(const struct coordinator_options *options);
/* Gives everything back to the memory. Effects not taken are lost. */
void coordinator_free(struct coordinator *coordinator);

/* Notes go to every observer in the order added. */
void coordinator_observe(struct coordinator *coordinator, group_observer *observer, void *self);

enum coordinator_state { COORDINATOR_NOT_OWNED, COORDINATOR_LOADING, COORDINATOR_ACTIVE };
enum coordinator_state coordinator_state(const struct coordinator *coordinator);
int32_t coordinator_partition(const struct coordinator *coordinator);

/* Becoming leader. Batches of the whole log follow in order, at the host's pace; `base_offset` is
 * the batch's place in the log. `high_watermark` is what the replica knew when the load ended. */
void coordinator_start_loading(struct coordinator *coordinator, int32_t leader_epoch, sim_time now);
void coordinator_load_batch(struct coordinator *coordinator, const struct group_log_batch *batch,
                            int64_t base_offset);
void coordinator_finish_loading(struct coordinator *coordinator, int64_t log_end_offset,
                                int64_t high_watermark, sim_time now);
/* Leadership lost, or the load failed: parked and waiting requests are answered NOT_COORDINATOR. */
void coordinator_unload(struct coordinator *coordinator, sim_time now);

/* One request of the group APIs: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit,
 * OffsetFetch, OffsetDelete, DeleteGroups, DescribeGroups, ListGroups, TxnOffsetCommit,
 * WriteTxnMarkers (struct txn_marker_request), ConsumerGroupHeartbeat, ConsumerGroupDescribe.
 * The request stays the caller's; `token` comes back with the reply. Every request is answered at
 * most once; Kafka leaves a parked JoinGroup or SyncGroup that a newer one of the same member
 * replaces unanswered for ever, and so do we. A replaced or forgotten token is reported by a REPLY
 * effect without response, so that the host can forget it too. */
void coordinator_handle(struct coordinator *coordinator, const struct message *request,
                        uint64_t token, sim_time now);

/* A whole-request error in the form of `request`'s API; for brokers that refuse it themselves. */
struct message *coordinator_error_response(struct memory *memory, const struct message *request,
                                           enum kafka_error error);

/* SIM_TIME_NEVER when nothing is due. May be early (a timer was re-armed later): running the
 * timers then fires nothing. */
sim_time coordinator_next_timer_at(const struct coordinator *coordinator);
/* Fires the first timer due at or before `now`; it sees its own due time as now. False when none
 * was due. Due timers fire in order of due time, equal ones in the order armed. Kafka puts log
 * progress before the next timer, so a host carries out the effects between two calls. */
bool coordinator_run_timer(struct coordinator *coordinator, sim_time now);
/* Fires all that are due, for hosts whose log answers later anyway. */
void coordinator_run_timers(struct coordinator *coordinator, sim_time now);

enum coordinator_effect_kind { COORDINATOR_REPLY, COORDINATOR_APPEND };
struct coordinator_effect {
    enum coordinator_effect_kind kind;
    uint64_t token;                /* REPLY */
    struct message *response;      /* REPLY; NULL = this request will never be answered */
    struct group_log_batch *batch; /* APPEND */
};
/* The oldest effect not yet taken; false when there is none. */
bool coordinator_take_effect(struct coordinator *coordinator, struct coordinator_effect *effect);

/* The answer to this token among the effects not yet taken; NULL = none. For checkers. */
const struct message *coordinator_answer_to(const struct coordinator *coordinator, uint64_t token);

/* Outcome of the oldest APPEND taken and not yet answered: the log end offset after it, or why it
 * could not be written. */
void coordinator_appended(struct coordinator *coordinator, int64_t log_end_offset,
                          enum kafka_error error, sim_time now);
void coordinator_on_high_watermark(struct coordinator *coordinator, int64_t high_watermark,
                                   sim_time now);

/* The cluster's topics as this broker knows them, all of them. A topic missing that was there
 * before is deleted: its offsets go in all groups. */
struct coordinator_topic {
    name_id name;
    int32_t partitions;
    /* Topic id as text (Kafka's Uuid): never used again, while a name may be. Consumer groups keep
     * partitions by it. NAME_NONE: the name serves, where no topic is ever created twice. */
    name_id id;
};
void coordinator_set_topics(struct coordinator *coordinator, const struct coordinator_topic *topics,
                            int32_t count, sim_time now);

/* Dynamic settings of one group, over the broker's (GroupConfigManager); 0 = the broker's. They
 * count from the group's next heartbeats on, and only with this coordinator. */
struct coordinator_group_config {
    int32_t consumer_session_timeout_ms;
    int32_t consumer_heartbeat_interval_ms;
};
void coordinator_set_group_config(struct coordinator *coordinator, name_id group,
                                  const struct coordinator_group_config *config);

#endif
