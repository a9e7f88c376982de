#include "model/consumer/internal.h"
#include "sim/check.h"

/* The application's ConsumerRebalanceListener: commits when partitions are revoked if it is written
 * that way, restores its state when it is given some. It runs on A, outside the client's lock. */

static void finish(struct consumer *consumer)
{
    continuation *then = consumer->listener.then;
    then(consumer);
}

/* A failed commit is logged; the partitions are gone either way. */
static void committed(struct consumer *consumer)
{
    finish(consumer);
}

static void leave_poll(struct consumer *consumer)
{
    if (consumer->activity == ACTIVITY_POLL) poll_leave(consumer, ACTIVITY_CALLBACK);
}

static void commit_positions(struct consumer *consumer)
{
    struct offsets offsets = {0};
    application_offsets(consumer, &offsets);
    commit_sync(consumer, COMMIT_CALL_ON_REVOKE, &offsets, consumer->config->default_api_timeout_ms,
                committed);
}

/* True if there is nothing to do. */
static bool revoked(struct consumer *consumer)
{
    const struct scenario_commit *commit = &consumer->options.group->commit;
    if (commit->mode != COMMIT_ON_REVOKE && !commit->on_revoke) return true;
    const struct owned_partitions *subscription = &consumer->subscription;
    if (subscription->in_state[POSITION_FETCHING] == 0 &&
        subscription->in_state[POSITION_AWAIT_VALIDATION] == 0) {
        return true;
    }
    leave_poll(consumer);
    if (!commit->drain || pool_is_idle(consumer)) {
        commit_positions(consumer);
    } else {
        pool_drain(consumer, commit_positions); /* first let the workers finish what they have */
    }
    return false;
}

/* ---- taking over ---- */

void listener_seek_external(struct consumer *consumer, const partition_id *ids, int32_t count)
{
    if (consumer->options.group->commit.mode != COMMIT_EXTERNAL) return;
    for (int32_t i = 0; i < count; i++) {
        int64_t offset = sink_stored_offset(consumer->options.sink, ids[i]);
        if (offset < 0) continue;
        position_set(consumer, owned_find(consumer, ids[i]), offset, -1, POSITION_EXTERNAL);
    }
}

static sim_time restore_ns(struct consumer *consumer, int32_t count)
{
    const struct scenario_process *process = &consumer->options.group->process;
    struct rng_key key = sim_rng_key(consumer->sim, consumer->member, RNG_STARTUP);
    uint64_t index =
        rng_index(consumer->incarnation, (uint64_t)(uint32_t)consumer->classic.generation.id);
    sim_time length = distribution_draw(&process->restore_ns, &key, index);
    if (process->restore_bytes_per_second > 0) {
        int64_t bytes = process->restore_bytes_per_partition * count;
        length += bytes / process->restore_bytes_per_second * SECONDS(1) +
                  bytes % process->restore_bytes_per_second * SECONDS(1) /
                      process->restore_bytes_per_second;
    }
    return length;
}

static bool assigned(struct consumer *consumer, const partition_id *ids, int32_t count)
{
    listener_seek_external(consumer, ids, count);
    if (count == 0) return true;
    sim_time length = restore_ns(consumer, count);
    if (length == 0) return true;
    leave_poll(consumer);
    consumer_note(consumer, CLIENT_RESTORE_BEGIN, count, KAFKA_NONE, NULL);
    sim_timer_set(consumer->sim, &consumer->listener.restore,
                  sim_now(consumer->sim) +
                      process_cpu_ns(consumer->sim, consumer->options.process, length));
    return false;
}

enum phase listener_fail_poll(struct consumer *consumer, const char *text)
{
    const struct scenario_process *process = &consumer->options.group->process;
    if (process->on_exception == EXCEPTION_EXIT) {
        consumer_throw(consumer, KAFKA_NONE, text);
        return PHASE_STEP_LEFT;
    }
    consumer_note(consumer, CLIENT_EXCEPTION, 0, KAFKA_NONE, text);
    consumer->listener.is_pausing = true;
    poll_leave(consumer, ACTIVITY_CALLBACK);
    sim_timer_set(consumer->sim, &consumer->listener.restore,
                  sim_now(consumer->sim) + process->retry_backoff_ns);
    return PHASE_STEP_LEFT;
}

enum phase listener_rethrow(struct consumer *consumer, enum phase otherwise)
{
    if (!consumer->listener.has_thrown) return otherwise;
    consumer->listener.has_thrown = false;
    return listener_fail_poll(consumer, "User rebalance callback throws an error");
}

void consumer_begin_throwing(struct consumer *consumer, enum throw_place place)
{
    consumer->listener.throwing[place]++;
}

void consumer_end_throwing(struct consumer *consumer, enum throw_place place)
{
    CHECK(consumer->listener.throwing[place] > 0);
    consumer->listener.throwing[place]--;
}

void listener_restored(struct consumer *consumer)
{
    if (consumer->listener.is_pausing) {
        consumer->listener.is_pausing = false;
        poll_begin(consumer);
        return;
    }
    consumer_note(consumer, CLIENT_RESTORE_END, consumer->listener.count, KAFKA_NONE, NULL);
    finish(consumer);
}

bool listener_call(struct consumer *consumer, enum listener_call call, const partition_id *ids,
                   int32_t count, continuation *then)
{
    struct listener *listener = &consumer->listener;
    listener->count = count;
    listener->then = then;
    enum throw_place place = call == LISTENER_ASSIGNED ? THROW_ON_ASSIGNED : THROW_ON_REVOKED;
    bool throws = listener->throwing[place] > 0;
    /* close() logs what a listener throws, and goes on. */
    listener->has_thrown = throws && consumer->closing.stage == CLOSE_NONE;
    switch (call) {
    case LISTENER_REVOKED:
        consumer_note(consumer, CLIENT_REVOKE_CALLBACK, count, KAFKA_NONE, NULL);
        return throws || revoked(consumer);
    case LISTENER_LOST:
        consumer_note(consumer, CLIENT_LOST_CALLBACK, count, KAFKA_NONE, NULL);
        return true;
    case LISTENER_ASSIGNED:
        consumer_note(consumer, CLIENT_ASSIGN_CALLBACK, count, KAFKA_NONE, NULL);
        return throws || assigned(consumer, ids, count);
    }
    return true;
}
