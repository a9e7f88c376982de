#include "model/consumer/internal.h"
#include "model/consumer_protocol.h"
#include "sim/check.h"

#include <stdlib.h>

/* What a member gives up before it joins and takes over after it synced
 * (ConsumerCoordinator.onJoinPrepare and onJoinComplete). */

void rebalance_forget(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    partition_set_give(consumer, &classic->assigned, &classic->assigned_count);
    partition_set_give(consumer, &classic->added, &classic->added_count);
    partition_set_give(consumer, &classic->revoked, &classic->revoked_count);
    partition_set_give(consumer, &classic->remembered, &classic->remembered_count);
}

/* ---- before joining ---- */

static void prepare_committed(struct consumer *consumer, const struct commit *commit)
{
    struct classic_member *classic = &consumer->classic;
    classic->prepare_commit_in_flight = false;
    classic->prepare_commit_is_done = commit->outcome != COMMIT_RETRIABLE;
    classic->prepare_retry_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->retry_backoff_ms);
}

/* Asynchronously, and waited for over as many polls as it takes. True when there is nothing (more)
 * to wait for. */
static bool commit_before_rebalance(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    sim_time now = sim_now(consumer->sim);
    if (!consumer->auto_commits || classic->prepare_commit_is_done) return true;
    if (!classic->prepare_commit_in_flight && now >= classic->prepare_retry_at) {
        if (!classic->is_cooperative) {
            for (int32_t i = 0; i < consumer->subscription.count; i++) {
                consumer->subscription.owned[i]->is_pending_revocation = true;
            }
        }
        struct offsets offsets = {0};
        offsets_of_positions(consumer, &offsets);
        classic->prepare_commit_in_flight = true;
        commit_async(consumer, COMMIT_CALL_BEFORE_REBALANCE, &offsets, prepare_committed);
    }
    if (classic->prepare_commit_in_flight) network_client_poll(consumer->network);
    return classic->prepare_commit_is_done || now >= classic->prepare_ends_at;
}

static void prepared(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    enum ownership_end end = classic->is_losing ? OWNERSHIP_LOST : OWNERSHIP_REVOKED;
    if (classic->is_losing || !classic->is_cooperative) subscription_clear(consumer, end);
    classic->is_leader = false;
    classic->snapshot_is_set = false;
    classic->prepare_is_started = false;
}

static void prepared_late(struct consumer *consumer)
{
    prepared(consumer);
    poll_resume(consumer);
}

enum phase rebalance_prepare(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    if (!classic->prepare_is_started) {
        classic->prepare_is_started = true;
        classic->prepare_ends_at =
            sim_now(consumer->sim) + MILLISECONDS(consumer->config->max_poll_interval_ms);
        classic->prepare_commit_in_flight = false;
        classic->prepare_commit_is_done = false;
        classic->prepare_retry_at = 0;
    }
    if (!commit_before_rebalance(consumer)) return PHASE_STEP_STOPPED;
    classic->needs_join_prepare = false;
    classic->is_losing = !classic_has_generation(consumer);
    bool gives_up =
        consumer->subscription.count > 0 && (classic->is_losing || !classic->is_cooperative);
    if (gives_up) {
        /* A cooperative member keeps everything: topics are never dropped from a subscription. */
        partition_id *ids = subscription_ids(consumer);
        int32_t count = consumer->subscription.count;
        bool is_done =
            listener_call(consumer, classic->is_losing ? LISTENER_LOST : LISTENER_REVOKED, ids,
                          count, prepared_late);
        memory_give(consumer->memory, ids, sizeof *ids * (size_t)count);
        if (!is_done) return PHASE_STEP_LEFT;
    }
    prepared(consumer);
    return listener_rethrow(consumer, PHASE_STEP_DONE);
}

/* ---- after the sync ---- */

/* False when it holds a topic that we do not subscribe to. */
static bool decode_assignment(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    struct assignment assignment = {0};
    bool is_sound =
        classic->assignment_length == 0 ||
        assignment_decode(consumer->memory, consumer->names,
                          (struct bytes){classic->assignment, classic->assignment_length},
                          &assignment);
    CHECK(is_sound);
    bool is_subscribed = true;
    classic->assigned_count = assignment.partition_count;
    if (assignment.partition_count > 0) {
        classic->assigned = memory_take(consumer->memory, sizeof *classic->assigned *
                                                              (size_t)assignment.partition_count);
    }
    for (int32_t i = 0; i < assignment.partition_count; i++) {
        const struct topic_partition *partition = &assignment.partitions[i];
        bool is_known = false;
        for (int32_t t = 0; t < consumer->topic_count; t++) {
            if (consumer->topics[t] == partition->topic) is_known = true;
        }
        is_subscribed = is_subscribed && is_known;
        int32_t topic = cluster_topic_find(consumer->options.cluster, partition->topic);
        classic->assigned[i] = PARTITION_ID(topic, partition->partition);
    }
    if (classic->assigned_count > 1) {
        qsort(classic->assigned, (size_t)classic->assigned_count, sizeof *classic->assigned,
              partition_by_id);
    }
    if (classic->assignment_length > 0) assignment_free(consumer->memory, &assignment);
    join_forget_assignment(consumer);
    return is_subscribed;
}

static void completed(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    partition_set_give(consumer, &classic->added, &classic->added_count);
    partition_set_give(consumer, &classic->revoked, &classic->revoked_count);
    classic->join = JOIN_IDLE;
    classic->completes_again = false;
    classic->needs_join_prepare = true;
}

static void completed_late(struct consumer *consumer)
{
    completed(consumer);
    poll_resume(consumer);
}

/* An exception leaves the join future as it is, so that the next poll() completes again: with all
 * of the assignment owned already, the listener is told of no partitions (ConsumerCoordinator
 * .onJoinComplete, AbstractCoordinator.joinGroupIfNeeded). */
static enum phase tell_assigned(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    bool was_thrown = consumer->listener.has_thrown; /* by the revocation before */
    bool is_done = listener_call(consumer, LISTENER_ASSIGNED, classic->added, classic->added_count,
                                 completed_late);
    consumer->listener.has_thrown |= was_thrown;
    if (!is_done) return PHASE_STEP_LEFT;
    classic->completes_again = consumer->listener.has_thrown;
    if (!classic->completes_again) {
        completed(consumer);
        return PHASE_STEP_DONE;
    }
    partition_set_give(consumer, &classic->added, &classic->added_count);
    partition_set_give(consumer, &classic->revoked, &classic->revoked_count);
    return listener_rethrow(consumer, PHASE_STEP_DONE);
}

static enum phase assign(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    partition_set_give(consumer, &classic->remembered, &classic->remembered_count);
    classic->remembered = classic->assigned;
    classic->remembered_count = classic->assigned_count;
    classic->remembered_generation = classic->generation.id;
    classic->assigned = NULL;
    classic->assigned_count = 0;
    consumer->committer.auto_commit_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->auto_commit_interval_ms);
    subscription_remove(consumer, classic->revoked, classic->revoked_count, OWNERSHIP_REVOKED);
    subscription_add(consumer, classic->added, classic->added_count);
    subscription_announce(consumer, classic->added, classic->added_count);
    return tell_assigned(consumer);
}

/* The member is STABLE in the new generation already: commits inside the listener are accepted. */
static enum phase revoked(struct consumer *consumer)
{
    classic_request_rejoin(consumer, "need to revoke partitions and re-join");
    return assign(consumer);
}

static void revoked_late(struct consumer *consumer)
{
    if (revoked(consumer) == PHASE_STEP_DONE) poll_resume(consumer);
}

enum phase rebalance_complete(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    if (classic->completes_again) return tell_assigned(consumer);
    classic->group_metadata = classic->generation;
    if (!decode_assignment(consumer)) {
        partition_set_give(consumer, &classic->assigned, &classic->assigned_count);
        completed(consumer);
        classic_request_rejoin(consumer,
                               "received assignment does not match the current subscription");
        return PHASE_STEP_DONE;
    }
    partition_id *owned = subscription_ids(consumer);
    int32_t owned_count = consumer->subscription.count;
    classic->added = partition_set_minus(consumer, classic->assigned, classic->assigned_count,
                                         owned, owned_count, &classic->added_count);
    classic->revoked = partition_set_minus(consumer, owned, owned_count, classic->assigned,
                                           classic->assigned_count, &classic->revoked_count);
    memory_give(consumer->memory, owned, sizeof *owned * (size_t)owned_count);
    if (!classic->is_cooperative || classic->revoked_count == 0) return assign(consumer);
    bool is_done = listener_call(consumer, LISTENER_REVOKED, classic->revoked,
                                 classic->revoked_count, revoked_late);
    return is_done ? revoked(consumer) : PHASE_STEP_LEFT;
}
