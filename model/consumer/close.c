#include "model/consumer/internal.h"

/* close(): commit, stop the heartbeat thread, call the listener, leave the group, wait for what is
 * under way with the coordinator (ConsumerCoordinator.close, AbstractCoordinator.close). Closing
 * the fetch sessions is left out: a broker forgets them when they have been idle. */

#define CLOSE_TIMEOUT_MS 30000

static void wait_for_requests(struct consumer *consumer)
{
    struct closing *closing = &consumer->closing;
    bool waits = coordinator_is_known(consumer) &&
                 network_client_pending(consumer->network,
                                        CHANNEL_COORDINATOR(consumer->coordinator.node)) > 0;
    if (waits && sim_now(consumer->sim) < closing->deadline_at) {
        closing->stage = CLOSE_LEAVE;
        consumer_wake_at(consumer, closing->deadline_at);
        return;
    }
    network_client_close(consumer->network);
    consumer_end(consumer, closing->exit);
}

static void leave(struct consumer *consumer)
{
    consumer->activity = ACTIVITY_CLOSE;
    consumer_enter_client(consumer);
    subscription_clear(consumer, OWNERSHIP_CLOSED);
    if (consumer_subscribes(consumer)) {
        classic_send_leave(consumer, "the consumer is being closed");
        consumer->classic.state = MEMBER_UNJOINED;
        if (consumer_is_848(consumer)) consumer_member_leave(consumer);
    }
    wait_for_requests(consumer);
}

static void revoke(struct consumer *consumer)
{
    const struct classic_member *classic = &consumer->classic;
    consumer->closing.stage = CLOSE_REVOKE;
    consumer->activity = ACTIVITY_CLOSE;
    if (consumer_is_classic(consumer)) heartbeat_thread_disable(consumer);
    int32_t count = consumer->subscription.count;
    if (consumer_subscribes(consumer) && count > 0) {
        bool is_valid = consumer_is_848(consumer)
                            ? classic->generation.id > 0
                            : classic_has_generation(consumer) && classic->state == MEMBER_STABLE;
        partition_id *ids = subscription_ids(consumer);
        bool is_done =
            listener_call(consumer, is_valid ? LISTENER_REVOKED : LISTENER_LOST, ids, count, leave);
        memory_give(consumer->memory, ids, sizeof *ids * (size_t)count);
        if (!is_done) return;
    }
    leave(consumer);
}

void close_begin(struct consumer *consumer)
{
    struct closing *closing = &consumer->closing;
    const struct scenario_commit *commit = &consumer->options.group->commit;
    if (consumer->activity == ACTIVITY_POLL) poll_leave(consumer, ACTIVITY_CLOSE);
    consumer->activity = ACTIVITY_CLOSE;
    consumer_enter_client(consumer);
    consumer_note(consumer, CLIENT_CLOSING, closing->exit, KAFKA_NONE, NULL);
    closing->stage = CLOSE_COMMIT;
    closing->deadline_at = sim_now(consumer->sim) + MILLISECONDS(CLOSE_TIMEOUT_MS);
    struct offsets offsets = {0};
    bool application_commits = commit->on_close && closing->exit == CONSUMER_EXIT_CLOSED;
    if (consumer->auto_commits) {
        offsets_of_positions(consumer, &offsets);
    } else if (application_commits) {
        application_offsets(consumer, &offsets);
    }
    commit_sync(consumer, COMMIT_CALL_ON_CLOSE, &offsets, CLOSE_TIMEOUT_MS, revoke);
}

void close_step(struct consumer *consumer)
{
    if (consumer->closing.stage == CLOSE_LEAVE) wait_for_requests(consumer);
}
