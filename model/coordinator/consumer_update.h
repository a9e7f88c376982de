/* model/coordinator/consumer_update.h: what a heartbeat and a classic JoinGroup do alike.
 *
 *   member record ─▶ subscription metadata ─▶ group epoch ─▶ target assignment ─▶ reconciliation
 *        (5)                 (4)                 (3)             (7…, 6)              (8)
 *
 * The update starts from the member as it is and as the request would have it, and adds the records
 * that are due, in this order. Nothing is changed but the refresh deadline and the rebalance timer;
 * the rest follows when the records are applied. Kafka:
 * GroupMetadataManager.consumerGroupHeartbeat, steps 1 to 3. */
#ifndef MODEL_COORDINATOR_CONSUMER_UPDATE_H
#define MODEL_COORDINATOR_CONSUMER_UPDATE_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

struct consumer_update {
    /* In. */
    struct operation *operation;
    struct group *group;
    struct consumer_group *state;         /* as of before; may be one that is not the group's yet */
    const struct consumer_member *member; /* as of before: a fresh one if it is new */
    /* The static member whose place this one takes, NULL if none; `member` is then its copy. */
    const struct consumer_member *replaced;
    struct consumer_member updated; /* `member` with what the request says; borrows its arrays */
    bool owned_given;
    struct partition_set owned;
    /* Out: `updated` has the new epoch and state too. */
    struct reconcile_output reconciled;
    bool reconciled_used;
    bool assigned_changed;

    /* Private: the group as it will be. */
    int32_t epoch;
    bool bumped;
    struct name_counts subscribed;
    bool equal_subscriptions;
    struct consumer_topic *topics;
    int32_t topic_count;
    uint32_t topics_capacity; /* 0: `topics` are the group's own */
    struct partition_list target;
};

/* After this the fields under "In" are to be filled in. */
void consumer_update_init(struct consumer_update *update, struct operation *operation);
void consumer_update_release(struct consumer_update *update);

/* A member that nobody knows yet. */
struct consumer_member consumer_member_fresh(name_id id);

/* KAFKA_NONE, or why the request has to be refused. */
enum kafka_error consumer_update_run(struct consumer_update *update);

/* What the member may have now: the outcome of the update. */
struct partition_set consumer_update_assigned(const struct consumer_update *update);

/* Makes a new target assignment, adds its records, and leaves the member's own in `target`. Server
 * assignors: see assignors-server.md. */
enum kafka_error consumer_target_compute(struct consumer_update *update);

#endif
