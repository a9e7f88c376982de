/* model/consumer/consumer_member.h: a member of a group of the consumer protocol (KIP-848), as its
 * client sees itself. The background thread owns all of it; rebalance listeners are handed over to
 * the application thread, which runs them inside poll() or close().
 */
#ifndef MODEL_CONSUMER_CONSUMER_MEMBER_H
#define MODEL_CONSUMER_CONSUMER_MEMBER_H

#include "model/consumer/member_states.h"
#include "model/kafka_types.h"
#include "model/trace_kinds.h"
#include "sim/sim.h"

struct consumer;

/* A set of partitions with the local epoch that tells one target from the next. */
struct local_assignment {
    partition_id *ids; /* ascending, shape [count] */
    int32_t count;
    int32_t epoch; /* -1 = none */
};

#define CALLBACKS_MAX 4

/* A listener to be run by A, and what the background thread does after it. */
struct handed_callback {
    int call; /* enum listener_call */
    partition_id *ids;
    int32_t count;
    void (*then)(struct consumer *consumer);
};

struct consumer_member {
    enum consumer_member_state state;
    entity_id thread;
    struct sim_timer tick;
    bool is_running; /* inside the background loop: not to be entered again */
    /* heartbeats */
    int32_t interval_ms; /* from the coordinator; 0 before the first response */
    sim_time heartbeat_at;
    sim_time backoff_ends_at;
    uint32_t failures;
    bool in_flight;
    bool leave_is_answered;
    int32_t sent_epoch_of_owned; /* local epoch of what the coordinator was last told; -2 = never */
    bool sent_all;               /* the fields that never change were sent since the last reset */
    sim_time poll_timer_from;
    bool poll_timer_expired;
    enum kafka_error fatal; /* thrown by the next poll() */
    /* reconciliation */
    struct local_assignment target;
    struct local_assignment current;
    struct local_assignment wanted; /* being reconciled */
    bool is_reconciling;
    bool has_rejoined; /* while reconciling */
    bool commit_is_done;
    sim_time commit_retry_at;
    sim_time commit_ends_at;
    uint32_t commit_attempts;
    partition_id *added;
    int32_t added_count;
    partition_id *revoked;
    int32_t revoked_count;
    /* for A */
    struct handed_callback callbacks[CALLBACKS_MAX];
    int32_t callback_count;
    bool callback_runs;
    bool callback_has_failed; /* the one that is just over */
};

void consumer_member_init(struct consumer *consumer);
void consumer_member_reset(struct consumer *consumer);
/* The background thread's loop; at every event of the process. */
void consumer_member_run(struct consumer *consumer);
void consumer_member_on_poll(struct consumer *consumer);
void consumer_member_on_poll_left(struct consumer *consumer, sim_time last_phase_at);
/* close(): LEAVING, after the listener has run. */
void consumer_member_leave(struct consumer *consumer);
bool consumer_member_has_left(const struct consumer *consumer);

/* reconcile.c */
void reconcile(struct consumer *consumer);
void reconcile_forget(struct consumer *consumer);
void consumer_member_set_state(struct consumer *consumer, enum consumer_member_state state);
void local_assignment_set(struct consumer *consumer, struct local_assignment *assignment,
                          const partition_id *ids, int32_t count, int32_t epoch);
void local_assignment_clear(struct consumer *consumer, struct local_assignment *assignment);
void consumer_member_hand_over(struct consumer *consumer, int call, const partition_id *ids,
                               int32_t count, void (*then)(struct consumer *consumer));
/* A, inside poll(): runs the callbacks that wait. False when it is in one now. */
bool consumer_member_run_callbacks(struct consumer *consumer);

#endif
