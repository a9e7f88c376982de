#include "model/consumer/internal.h"
#include "sim/check.h"

#include <string.h>

/* From the assignment a KIP-848 member has to the one it is told to have: commit, give up what
 * goes, take what comes, then tell the coordinator (AbstractMembershipManager.maybeReconcile).
 * Listeners run on A; a busy A delays the rest until its next poll().
 *
 * A listener that throws fails the reconciliation (revokeAndAssign): nothing is acknowledged, the
 * member stays RECONCILING, poll() throws (AsyncKafkaConsumer.processBackgroundEvents), and the
 * background thread begins another reconciliation at once, whose callbacks wait for the next
 * poll(). So what was to be revoked is still owned, though not fetched, and onPartitionsRevoked
 * comes again with each poll(); what was assigned is owned as well, is no news to the next
 * onPartitionsAssigned, which is given nothing, and is fetched when one of them returns
 * (KAFKA-18160, 4.0.0; before, never). If none does, the coordinator's rebalance timeout fences the
 * member. The classic consumer calls onPartitionsRevoked once, and gives up the partitions either
 * way. */

/* ---- local assignments ---- */

void local_assignment_clear(struct consumer *consumer, struct local_assignment *assignment)
{
    memory_give(consumer->memory, assignment->ids,
                sizeof *assignment->ids * (size_t)assignment->count);
    *assignment = (struct local_assignment){.epoch = -1};
}

void local_assignment_set(struct consumer *consumer, struct local_assignment *assignment,
                          const partition_id *ids, int32_t count, int32_t epoch)
{
    bool is_same = assignment->epoch >= 0 && assignment->count == count &&
                   (count == 0 || memcmp(assignment->ids, ids, sizeof *ids * (size_t)count) == 0);
    if (is_same && epoch != assignment->epoch && assignment == &consumer->consumer_member.target) {
        return; /* the coordinator repeats itself */
    }
    partition_id *copy = NULL;
    if (count > 0) {
        copy = memory_take(consumer->memory, sizeof *ids * (size_t)count);
        memcpy(copy, ids, sizeof *ids * (size_t)count);
    }
    local_assignment_clear(consumer, assignment);
    *assignment = (struct local_assignment){copy, count, epoch};
}

/* ---- callbacks for A ---- */

void consumer_member_hand_over(struct consumer *consumer, int call, const partition_id *ids,
                               int32_t count, void (*then)(struct consumer *consumer))
{
    struct consumer_member *member = &consumer->consumer_member;
    CHECK(member->callback_count < CALLBACKS_MAX);
    partition_id *copy = NULL;
    if (count > 0) {
        copy = memory_take(consumer->memory, sizeof *ids * (size_t)count);
        memcpy(copy, ids, sizeof *ids * (size_t)count);
    }
    member->callbacks[member->callback_count++] = (struct handed_callback){call, copy, count, then};
}

static void finish_callback(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    struct handed_callback done = member->callbacks[0];
    member->callback_count--;
    memmove(&member->callbacks[0], &member->callbacks[1],
            sizeof done * (size_t)member->callback_count);
    member->callback_runs = false;
    member->callback_has_failed = consumer->listener.has_thrown;
    memory_give(consumer->memory, done.ids, sizeof *done.ids * (size_t)done.count);
    done.then(consumer);
    consumer_member_run(consumer);
}

static void finish_callback_late(struct consumer *consumer)
{
    finish_callback(consumer);
    poll_resume(consumer);
}

/* One that throws keeps none from running that waited with it, and is thrown after them. */
bool consumer_member_run_callbacks(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    bool has_thrown = false;
    int32_t waiting = member->callback_count;
    while (member->callback_count > 0 && !member->callback_runs && (!has_thrown || waiting > 0)) {
        const struct handed_callback *callback = &member->callbacks[0];
        member->callback_runs = true;
        if (callback->call == LISTENER_ASSIGNED)
            subscription_announce(consumer, callback->ids, callback->count);
        bool is_done = listener_call(consumer, (enum listener_call)callback->call, callback->ids,
                                     callback->count, finish_callback_late);
        if (!is_done) return false;
        has_thrown |= consumer->listener.has_thrown;
        waiting--;
        finish_callback(consumer);
    }
    consumer->listener.has_thrown = has_thrown;
    return listener_rethrow(consumer, PHASE_STEP_DONE) == PHASE_STEP_DONE;
}

/* ---- one reconciliation ---- */

static void end(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    member->is_reconciling = false;
    member->has_rejoined = false;
    member->commit_is_done = false;
    local_assignment_clear(consumer, &member->wanted);
    partition_set_give(consumer, &member->added, &member->added_count);
    partition_set_give(consumer, &member->revoked, &member->revoked_count);
}

/* The member was fenced, or left, since this reconciliation began. */
static bool is_aborted(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (member->state == CONSUMER_RECONCILING && !member->has_rejoined) return false;
    end(consumer);
    return true;
}

static void assigned(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (member->callback_has_failed) {
        end(consumer);
        return;
    }
    for (int32_t i = 0; i < member->wanted.count; i++) {
        struct owned_partition *owned = owned_find(consumer, member->wanted.ids[i]);
        if (owned == NULL || !owned->is_pending_callback) continue;
        owned->is_pending_callback = false;
        if (owned->leader >= 0) fetcher_mark_dirty(consumer, owned->leader);
    }
    if (is_aborted(consumer)) return;
    local_assignment_set(consumer, &member->current, member->wanted.ids, member->wanted.count,
                         member->wanted.epoch);
    consumer->committer.auto_commit_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->auto_commit_interval_ms);
    consumer_note(consumer, CLIENT_SYNCED, member->wanted.count, KAFKA_NONE, NULL);
    consumer_member_set_state(consumer, CONSUMER_ACKNOWLEDGING);
    end(consumer);
}

static void install(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (member->callback_has_failed) {
        end(consumer);
        return;
    }
    if (is_aborted(consumer)) return;
    subscription_remove(consumer, member->revoked, member->revoked_count, OWNERSHIP_REVOKED);
    subscription_add(consumer, member->added, member->added_count);
    for (int32_t i = 0; i < member->added_count; i++) {
        owned_find(consumer, member->added[i])->is_pending_callback = true;
    }
    consumer_member_hand_over(consumer, LISTENER_ASSIGNED, member->added, member->added_count,
                              assigned);
}

static void give_up(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (is_aborted(consumer)) return;
    if (member->revoked_count == 0) {
        member->callback_has_failed = false;
        install(consumer);
        return;
    }
    for (int32_t i = 0; i < member->revoked_count; i++) {
        struct owned_partition *owned = owned_find(consumer, member->revoked[i]);
        if (owned != NULL) owned->is_pending_revocation = true;
    }
    consumer_member_hand_over(consumer, LISTENER_REVOKED, member->revoked, member->revoked_count,
                              install);
}

/* ---- the commit before ---- */

static void committed(struct consumer *consumer, const struct commit *commit)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (!member->is_reconciling || member->commit_is_done) return;
    sim_time now = sim_now(consumer->sim);
    bool is_stale = commit->error == KAFKA_STALE_MEMBER_EPOCH && commit->outcome == COMMIT_REFUSED;
    bool again = (commit->outcome == COMMIT_RETRIABLE || is_stale) &&
                 commit->error != KAFKA_UNKNOWN_TOPIC_OR_PARTITION && now < member->commit_ends_at;
    if (again) {
        member->commit_retry_at =
            now + consumer_backoff(consumer, BACKOFF_COMMIT, member->commit_attempts++);
        return;
    }
    member->commit_is_done = true; /* a failure is logged and ignored */
    give_up(consumer);
}

static void try_commit(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    struct offsets offsets = {0};
    offsets_of_positions(consumer, &offsets);
    member->commit_retry_at = SIM_TIME_NEVER; /* until this one ends */
    commit_async(consumer, COMMIT_CALL_BEFORE_REBALANCE, &offsets, committed);
}

static void begin(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    member->is_reconciling = true;
    member->has_rejoined = false;
    local_assignment_set(consumer, &member->wanted, member->target.ids, member->target.count,
                         member->target.epoch);
    partition_id *owned = subscription_ids(consumer);
    int32_t owned_count = consumer->subscription.count;
    member->added = partition_set_minus(consumer, member->wanted.ids, member->wanted.count, owned,
                                        owned_count, &member->added_count);
    member->revoked = partition_set_minus(consumer, owned, owned_count, member->wanted.ids,
                                          member->wanted.count, &member->revoked_count);
    memory_give(consumer->memory, owned, sizeof *owned * (size_t)owned_count);
    if (!consumer->auto_commits) {
        member->commit_is_done = true;
        give_up(consumer);
        return;
    }
    /* Always, even if nothing is revoked; fetching goes on meanwhile. */
    member->commit_is_done = false;
    member->commit_attempts = 0;
    member->commit_ends_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->max_poll_interval_ms);
    try_commit(consumer);
}

void reconcile(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (member->is_reconciling) {
        bool is_due = !member->commit_is_done && member->commit_retry_at <= sim_now(consumer->sim);
        if (is_due && !is_aborted(consumer)) try_commit(consumer);
        return;
    }
    if (member->state != CONSUMER_RECONCILING) return;
    if (member->current.epoch == member->target.epoch) return;
    begin(consumer);
}

void reconcile_forget(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    end(consumer);
    for (int32_t i = 0; i < member->callback_count; i++) {
        memory_give(consumer->memory, member->callbacks[i].ids,
                    sizeof(partition_id) * (size_t)member->callbacks[i].count);
    }
    member->callback_count = 0;
}
