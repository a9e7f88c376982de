#include "model/consumer/internal.h"
#include "sim/check.h"

/* poll(): the coordinator phase, then the fetch phase, until there are records to return
 * (ClassicKafkaConsumer.poll, ConsumerCoordinator.poll).
 *
 * The application calls poll(100 ms) in a loop. What a call returns empty-handed for shows in
 * nothing but two things, and only these are computed: how long a blocked coordinator phase keeps
 * the fetch phase waiting, and from when the poll timer counts. */

/* ---- manual assignment ---- */

/* assign(): the member's share of all partitions, as soon as it knows how many there are. */
static void assign_share(struct consumer *consumer)
{
    const struct scenario_group *group = consumer->options.group;
    int32_t all = 0;
    for (int32_t pass = 0; pass < 2; pass++) {
        partition_id *ids = NULL;
        int32_t mine = 0;
        if (pass == 1) ids = memory_take(consumer->memory, sizeof *ids * (size_t)(all + 1));
        int32_t number = 0;
        for (int32_t t = 0; t < consumer->topic_count; t++) {
            const struct client_topic *topic =
                client_metadata_topic(consumer->metadata, consumer->topics[t]);
            if (topic->error != KAFKA_NONE) return;
            for (int32_t p = 0; p < topic->partition_count; p++, number++) {
                if (number % group->members != consumer->options.number - 1) continue;
                if (ids != NULL) ids[mine] = PARTITION_ID(topic->index, p);
                mine++;
            }
        }
        all = mine;
        if (pass == 0) continue;
        subscription_add(consumer, ids, mine);
        subscription_announce(consumer, ids, mine);
        listener_seek_external(consumer, ids, mine);
        memory_give(consumer->memory, ids, sizeof *ids * (size_t)(all + 1));
    }
    consumer->poll.is_assigned = true;
}

/* ---- the coordinator phase ---- */

static enum phase membership(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    if (!consumer->poll.is_resumed) {
        if (classic->failed != KAFKA_NONE) {
            consumer_throw(consumer, classic->failed, "the heartbeat thread failed");
            return PHASE_STEP_LEFT;
        }
        consumer->poll.phase_at = sim_now(consumer->sim);
        heartbeat_thread_on_poll(consumer);
    }
    if (!coordinator_is_known(consumer)) {
        coordinator_find(consumer);
        return PHASE_STEP_BLOCKED;
    }
    classic_check_snapshot(consumer);
    join_lead_if_possible(consumer);
    if (!classic_rejoin_is_needed(consumer)) return PHASE_STEP_DONE;
    return classic_join_if_needed(consumer);
}

/* PollEvent, and what the background thread has for us. */
static enum phase membership_848(struct consumer *consumer)
{
    consumer->poll.phase_at = sim_now(consumer->sim);
    if (consumer->consumer_member.fatal != KAFKA_NONE) {
        consumer_throw(consumer, consumer->consumer_member.fatal, "the group refused the member");
        return PHASE_STEP_LEFT;
    }
    consumer_member_on_poll(consumer);
    consumer_member_run(consumer);
    return consumer_member_run_callbacks(consumer) ? PHASE_STEP_DONE : PHASE_STEP_LEFT;
}

static enum phase coordinator_phase(struct consumer *consumer)
{
    subscription_update_leaders(consumer);
    pattern_update(consumer);
    if (consumer->committer.fenced != KAFKA_NONE) {
        consumer_throw(consumer, consumer->committer.fenced, "a commit was fenced");
        return PHASE_STEP_LEFT;
    }
    if (consumer_subscribes(consumer)) {
        enum phase member =
            consumer_is_848(consumer) ? membership_848(consumer) : membership(consumer);
        if (member != PHASE_STEP_DONE) return member;
    } else if (!consumer->poll.is_assigned) {
        assign_share(consumer);
    }
    consumer->poll.is_resumed = false;
    commit_auto_if_due(consumer);
    return positions_update(consumer);
}

/* ---- leaving poll() ---- */

/* When the last coordinator phase began: at the last wake-up, or when poll() was last called. */
static sim_time last_phase_at(const struct consumer *consumer)
{
    const struct poll *poll = &consumer->poll;
    sim_time calls = (sim_now(consumer->sim) - poll->called_at) / APPLICATION_POLL_NS;
    sim_time last_call_at = poll->called_at + calls * APPLICATION_POLL_NS;
    return last_call_at > poll->phase_at ? last_call_at : poll->phase_at;
}

void poll_leave(struct consumer *consumer, enum activity activity)
{
    sim_time phase_at = last_phase_at(consumer);
    consumer_leave_client(consumer);
    consumer->activity = activity;
    if (consumer_is_848(consumer)) {
        consumer_member_on_poll_left(consumer, phase_at);
        return; /* the background thread goes on fetching */
    }
    fetcher_settle(consumer);
    if (consumer_is_classic(consumer)) heartbeat_thread_on_poll_left(consumer, phase_at);
}

/* True when A has left poll(), with records or for close(). */
static bool return_records(struct consumer *consumer)
{
    if (!fetcher_collect(consumer)) return consumer->activity != ACTIVITY_POLL;
    if (consumer->application.batch.count == 0) {
        /* Only markers or aborted records: poll() returns empty and is called again. */
        consumer->poll.called_at = sim_now(consumer->sim);
        return false;
    }
    fetcher_send(consumer,
                 consumer_is_848(consumer)); /* so that the next fetch overlaps with processing */
    poll_leave(consumer, ACTIVITY_WORK);
    application_take(consumer);
    return true;
}

/* ---- blocking ---- */

static sim_time earlier(sim_time a, sim_time b)
{
    return a < b ? a : b;
}

static void wait(struct consumer *consumer, enum phase phase)
{
    sim_time now = sim_now(consumer->sim);
    sim_time at = SIM_TIME_NEVER;
    if (phase == PHASE_STEP_BLOCKED) {
        at = consumer->poll.called_at + APPLICATION_POLL_NS;
        if (!coordinator_is_known(consumer) && !consumer->coordinator.in_flight) {
            at = earlier(at, consumer->coordinator.retry_at);
        }
        at = earlier(at, positions_retry_at(consumer));
    } else {
        at = earlier(classic_retry_at(consumer), consumer->fetcher.retry_at);
        if (phase == PHASE_STEP_DONE) {
            if (consumer->auto_commits) at = earlier(at, consumer->committer.auto_commit_at);
            at = earlier(at, positions_retry_at(consumer));
        }
    }
    /* Something due that could not be done is looked at again soon, never at the same instant. */
    if (at <= now) at = now + MILLISECONDS(1);
    consumer_wake_at(consumer, at);
}

static void loop(struct consumer *consumer)
{
    struct poll *poll = &consumer->poll;
    for (;;) {
        enum phase phase = coordinator_phase(consumer);
        if (phase == PHASE_STEP_LEFT) return;
        poll->is_blocked = phase == PHASE_STEP_BLOCKED;
        poll->has_polled_once = true;
        bool time_is_left = sim_now(consumer->sim) - poll->called_at < APPLICATION_POLL_NS;
        if (poll->is_blocked && time_is_left) {
            if (network_client_poll(consumer->network)) continue;
            wait(consumer, phase);
            return;
        }
        if (return_records(consumer)) return;
        fetcher_send(consumer, !poll->is_blocked);
        if (poll->is_blocked) {
            poll->called_at = sim_now(consumer->sim); /* this call is over, here is the next */
            continue;
        }
        if (network_client_poll(consumer->network)) {
            if (return_records(consumer)) return;
            continue;
        }
        wait(consumer, phase);
        return;
    }
}

static void enter(struct consumer *consumer)
{
    consumer->activity = ACTIVITY_POLL;
    consumer_enter_client(consumer);
    if (consumer->closing.stage == CLOSE_WANTED) {
        close_begin(consumer);
    } else {
        loop(consumer);
    }
}

void poll_begin(struct consumer *consumer)
{
    consumer->poll.called_at = sim_now(consumer->sim);
    consumer->poll.is_resumed = false;
    enter(consumer);
}

void poll_resume(struct consumer *consumer)
{
    consumer->poll.is_resumed = true;
    enter(consumer);
}

void poll_wake(struct consumer *consumer)
{
    if (!consumer->poll.is_blocked && return_records(consumer)) return;
    loop(consumer);
}
