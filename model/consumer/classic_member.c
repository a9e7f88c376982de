#include "model/assignor/assignor.h"
#include "model/consumer/internal.h"
#include "sim/check.h"

/* Membership of a classic group: the join loop and what ends a membership
 * (AbstractCoordinator.joinGroupIfNeeded). */

enum { EVENT_TICK = 1 };

bool classic_has_generation(const struct consumer *consumer)
{
    const struct generation *generation = &consumer->classic.generation;
    return generation->id >= 0 && generation->member_id != NAME_EMPTY;
}

uint64_t classic_generation_tag(const struct consumer *consumer)
{
    const struct generation *generation = &consumer->classic.generation;
    return (uint64_t)(uint32_t)generation->id << 32 | generation->member_id;
}

bool classic_rejoin_is_needed(const struct consumer *consumer)
{
    return consumer->classic.rejoin_is_needed || consumer->classic.join != JOIN_IDLE;
}

void classic_request_rejoin(struct consumer *consumer, const char *reason)
{
    struct classic_member *classic = &consumer->classic;
    if (!classic->rejoin_is_needed) {
        consumer_note(consumer, CLIENT_REJOIN_REQUESTED, 0, KAFKA_NONE, reason);
    }
    classic->rejoin_is_needed = true;
    classic->rejoin_reason = names_intern(consumer->names, reason);
}

void classic_forget_generation(struct consumer *consumer, bool keep_id)
{
    struct classic_member *classic = &consumer->classic;
    consumer_note(consumer, CLIENT_GENERATION_RESET, keep_id, KAFKA_NONE, NULL);
    classic->state = MEMBER_UNJOINED;
    classic->generation.id = -1;
    classic->generation.protocol = NAME_NONE;
    if (!keep_id) classic->generation.member_id = NAME_EMPTY;
    classic->needs_join_prepare = true;
    classic_request_rejoin(consumer, "the generation was reset");
}

static void left(void *context, const struct request_result *result)
{
    (void)result; /* best effort */
    struct consumer *consumer = context;
    consumer->classic.leave_in_flight = false;
}

void classic_send_leave(struct consumer *consumer, const char *reason)
{
    struct classic_member *classic = &consumer->classic;
    bool leaves = consumer->instance == NAME_NONE && coordinator_is_known(consumer) &&
                  classic->state != MEMBER_UNJOINED && classic->generation.member_id != NAME_EMPTY;
    if (!leaves) return;
    consumer_note(consumer, CLIENT_LEAVING, 0, KAFKA_NONE, reason);
    struct leave_group_request *request =
        MESSAGE_NEW(consumer->memory, API_LEAVE_GROUP, struct leave_group_request);
    request->group = consumer->group;
    request->members =
        MESSAGE_ARRAY(consumer->memory, &request->head, struct leave_group_member, 1);
    request->member_count = 1;
    request->members[0] = (struct leave_group_member){
        .member = classic->generation.member_id,
        .reason = names_intern(consumer->names, reason),
    };
    classic->leave_in_flight = true;
    coordinator_send(consumer, &request->head, consumer->config->request_timeout_ms, left, 0);
}

/* Leader only: partitions came or went since the assignment was made. */
void classic_check_snapshot(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    uint64_t version = client_metadata_version(consumer->metadata);
    if (classic->watched_version == version) return;
    classic->watched_version = version;
    if (!classic->snapshot_is_set || !classic->is_leader) return;
    if (leader_snapshot(consumer) == classic->snapshot) return;
    classic->snapshot_is_set = false;
    classic_request_rejoin(consumer, "cached metadata has changed");
}

/* ---- the join loop ---- */

static void failed(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    enum join_result result = classic->join;
    classic->join = JOIN_IDLE;
    if (classic->join_error != KAFKA_MEMBER_ID_REQUIRED) {
        /* What is no error of the broker goes by the name of its class. */
        const char *what = kafka_error_name(classic->join_error);
        if (classic->join_error == KAFKA_NONE)
            what = classic->assignor_has_thrown ? "RuntimeException" : "UnjoinedGroupException";
        name_id reason = names_format(consumer->names, "rebalance failed due to %s", what);
        classic_request_rejoin(consumer, names_text(consumer->names, reason));
    }
    if (result == JOIN_FAILED_RETRY_LATER) {
        classic->join_retry_at =
            sim_now(consumer->sim) + MILLISECONDS(consumer->config->retry_backoff_ms);
    }
}

/* Where the last join stands; DONE when the loop may go on. */
static enum phase judge_join(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    switch (classic->join) {
    case JOIN_IDLE: return PHASE_STEP_DONE;
    case JOIN_PENDING: return PHASE_STEP_STOPPED;
    case JOIN_FAILED_FATAL: {
        enum kafka_error error = classic->join_error;
        bool is_assignors = classic->assignor_has_thrown;
        failed(consumer);
        classic->assignor_has_thrown = false;
        if (is_assignors) return listener_fail_poll(consumer, "the assignor throws an error");
        consumer_throw(consumer, error, "joining the group failed");
        return PHASE_STEP_LEFT;
    }
    case JOIN_FAILED_RETRY_NOW:
    case JOIN_FAILED_RETRY_LATER: failed(consumer); return PHASE_STEP_DONE;
    case JOIN_SUCCEEDED: consumer->pattern_asks = false; break;
    }
    if (!classic_has_generation(consumer) || classic->state != MEMBER_STABLE) {
        /* The heartbeat thread has lost the membership in between. */
        join_forget_assignment(consumer);
        classic->completes_again = false;
        classic->join = JOIN_IDLE;
        classic_forget_generation(consumer, false);
        return PHASE_STEP_DONE;
    }
    return rebalance_complete(consumer);
}

enum phase classic_join_if_needed(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    while (classic_rejoin_is_needed(consumer)) {
        if (!coordinator_is_known(consumer)) return PHASE_STEP_STOPPED;
        if (classic->join == JOIN_IDLE && !pattern_is_fresh(consumer)) return PHASE_STEP_STOPPED;
        if (classic->needs_join_prepare) {
            enum phase prepared = rebalance_prepare(consumer);
            if (prepared != PHASE_STEP_DONE) return prepared;
        }
        if (classic->join == JOIN_IDLE) {
            if (classic->join_retry_at > sim_now(consumer->sim)) return PHASE_STEP_STOPPED;
            join_send(consumer);
        }
        /* The one place where a busy A still reads an answer that nobody else does: the heartbeat
         * thread is off (client.poll(future, 0)). */
        if (classic->join == JOIN_PENDING) network_client_poll(consumer->network);
        enum phase judged = judge_join(consumer);
        if (judged != PHASE_STEP_DONE) return judged;
    }
    return PHASE_STEP_DONE;
}

sim_time classic_retry_at(const struct consumer *consumer)
{
    const struct classic_member *classic = &consumer->classic;
    if (!consumer_is_classic(consumer) || !classic_rejoin_is_needed(consumer)) {
        return SIM_TIME_NEVER;
    }
    if (classic->prepare_is_started) {
        if (classic->prepare_commit_in_flight) return classic->prepare_ends_at;
        return classic->prepare_retry_at;
    }
    return classic->join == JOIN_IDLE ? classic->join_retry_at : SIM_TIME_NEVER;
}

/* ---- life ---- */

void classic_member_reset(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    join_forget_assignment(consumer);
    rebalance_forget(consumer);
    message_free(consumer->memory, (struct message *)classic->leading);
    sim_timer_cancel(consumer->sim, &classic->tick);
    struct classic_member fresh = {
        .generation = {.id = -1, .member_id = NAME_EMPTY},
        .group_metadata = {.id = -1, .member_id = NAME_EMPTY},
        .is_cooperative = classic->is_cooperative,
        .rejoin_is_needed = true,
        .needs_join_prepare = true,
        .failed = KAFKA_NONE,
        .thread = classic->thread,
    };
    *classic = fresh;
    sim_timer_init(&classic->tick, classic->thread, EVENT_TICK, 0);
}

void classic_member_init(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    if (!consumer_is_classic(consumer)) return;
    name_id name = names_format(consumer->names, "%s/heartbeat",
                                names_text(consumer->names, consumer->member));
    classic->thread = sim_add_entity(consumer->sim, name, consumer->options.process,
                                     heartbeat_thread_handle, consumer);
    sim_timer_init(&classic->tick, classic->thread, EVENT_TICK, 0);
    classic->is_cooperative = true;
    const struct consumer_config *config = consumer->config;
    for (int32_t i = 0; i < config->partition_assignment_strategy_count; i++) {
        const struct assignor *assignor =
            assignor_find(config->partition_assignment_strategy[i], ASSIGNOR_CLIENT);
        CHECK(assignor != NULL);
        if (!assignor->supports_cooperative) classic->is_cooperative = false;
    }
}
