#include "model/consumer/internal.h"

/* commitSync(): A blocks inside the client, tries again after retriable failures with a growing
 * back-off, and gives up when its time is over, the outcome unknown
 * (ConsumerCoordinator.commitOffsetsSync). */

static void finish(struct consumer *consumer, enum commit_outcome outcome, enum kafka_error error)
{
    struct commit_sync *sync = &consumer->commit_sync;
    sync->is_active = false;
    sync->outcome = outcome;
    sync->error = error;
    offsets_give(consumer, &sync->offsets);
    if (consumer->activity != ACTIVITY_CLOSE) consumer_leave_client(consumer);
    continuation *then = sync->then;
    then(consumer);
}

static void attempt_done(struct consumer *consumer, const struct commit *commit)
{
    struct commit_sync *sync = &consumer->commit_sync;
    if (!sync->is_active || commit->number <= sync->abandoned) return; /* we had given up */
    sync->in_flight = false;
    sync->is_answered = commit->outcome != COMMIT_RETRIABLE;
    sync->outcome = commit->outcome;
    sync->error = commit->error;
    if (!sync->is_answered) {
        sync->retry_at =
            sim_now(consumer->sim) + consumer_backoff(consumer, BACKOFF_COMMIT, sync->attempts++);
    }
}

static void try(struct consumer *consumer)
{
    struct commit_sync *sync = &consumer->commit_sync;
    struct offsets copy = {0};
    for (int32_t i = 0; i < sync->offsets.count; i++) {
        const struct commit_entry *entry = &sync->offsets.entries[i];
        offsets_add(consumer, &copy, entry->partition, entry->offset, entry->epoch);
    }
    sync->in_flight = true;
    commit_send(consumer, sync->call, &copy, attempt_done);
}

void commit_sync_step(struct consumer *consumer)
{
    struct commit_sync *sync = &consumer->commit_sync;
    sim_time now = sim_now(consumer->sim);
    sim_time wake_at = sync->deadline_at;
    if (!sync->in_flight && !sync->is_answered && now < sync->deadline_at &&
        now >= sync->retry_at) {
        if (coordinator_is_known(consumer)) {
            try(consumer);
        } else {
            coordinator_find(consumer);
        }
    }
    if (sync->is_answered) {
        finish(consumer, sync->outcome, sync->error);
        return;
    }
    if (now >= sync->deadline_at) {
        sync->abandoned = consumer->committer.commits;
        finish(consumer, COMMIT_TIMED_OUT, KAFKA_REQUEST_TIMED_OUT);
        return;
    }
    if (!sync->in_flight) {
        if (sync->retry_at > now && sync->retry_at < wake_at) wake_at = sync->retry_at;
        sim_time lookup_at = consumer->coordinator.retry_at;
        if (lookup_at > now && lookup_at < wake_at) wake_at = lookup_at;
    }
    consumer_wake_at(consumer, wake_at);
}

void commit_sync(struct consumer *consumer, enum commit_call call, struct offsets *offsets,
                 int64_t timeout_ms, continuation *then)
{
    struct commit_sync *sync = &consumer->commit_sync;
    sim_time now = sim_now(consumer->sim);
    *sync = (struct commit_sync){
        .is_active = true,
        .call = call,
        .offsets = *offsets,
        .deadline_at = now + MILLISECONDS(timeout_ms),
        .abandoned = sync->abandoned,
        .then = then,
    };
    *offsets = (struct offsets){0};
    if (sync->offsets.count == 0) {
        finish(consumer, COMMIT_DONE_WELL, KAFKA_NONE);
        return;
    }
    consumer_enter_client(consumer);
    network_client_poll(consumer->network); /* what the sockets hold already */
    commit_sync_step(consumer);
}
