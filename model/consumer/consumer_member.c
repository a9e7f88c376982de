#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "sim/check.h"

#include <stdlib.h>

/* The background thread's part in membership: states and heartbeats
 * (ConsumerMembershipManager, ConsumerHeartbeatRequestManager). Its loop runs after every event of
 * the process; between two events nothing could change. */

enum { EVENT_TICK = 1 };

#define LEAVE_EPOCH        (-1)
#define LEAVE_EPOCH_STATIC (-2)
#define NEVER_SENT         (-2)

void consumer_member_set_state(struct consumer *consumer, enum consumer_member_state state)
{
    struct consumer_member *member = &consumer->consumer_member;
    CHECK(consumer_member_may_become(member->state, state));
    member->state = state;
}

static bool is_leaving(const struct consumer_member *member)
{
    return member->state == CONSUMER_PREPARE_LEAVING || member->state == CONSUMER_LEAVING;
}

static bool takes_assignments(const struct consumer_member *member)
{
    return member->state == CONSUMER_STABLE || member->state == CONSUMER_JOINING ||
           member->state == CONSUMER_ACKNOWLEDGING || member->state == CONSUMER_RECONCILING;
}

/* ---- losing the membership ---- */

static void forget_sent(struct consumer_member *member)
{
    member->sent_all = false;
    member->sent_epoch_of_owned = NEVER_SENT;
}

static void released(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    subscription_clear(consumer, OWNERSHIP_LOST);
    local_assignment_clear(consumer, &member->current);
    if (member->state == CONSUMER_FENCED) {
        consumer_member_set_state(consumer, CONSUMER_JOINING);
        member->has_rejoined = member->is_reconciling;
    }
}

/* onPartitionsLost, by A, when it is next inside poll(). */
static void lose_all(struct consumer *consumer)
{
    int32_t count = consumer->subscription.count;
    if (count == 0) {
        released(consumer);
        return;
    }
    partition_id *ids = subscription_ids(consumer);
    consumer_member_hand_over(consumer, LISTENER_LOST, ids, count, released);
    memory_give(consumer->memory, ids, sizeof *ids * (size_t)count);
}

static void fence(struct consumer *consumer, enum kafka_error error)
{
    struct consumer_member *member = &consumer->consumer_member;
    consumer_note(consumer, CLIENT_FENCED, 0, error, NULL);
    consumer_member_set_state(consumer, CONSUMER_FENCED);
    consumer->classic.generation.id = 0; /* the member id is kept */
    local_assignment_clear(consumer, &member->target);
    lose_all(consumer);
}

static void fail_for_good(struct consumer *consumer, enum kafka_error error)
{
    struct consumer_member *member = &consumer->consumer_member;
    consumer_member_set_state(consumer, CONSUMER_FATAL);
    member->fatal = error;
}

/* ---- responses ---- */

static void take_assignment(struct consumer *consumer,
                            const struct consumer_group_heartbeat_response *response)
{
    struct consumer_member *member = &consumer->consumer_member;
    partition_id *ids = NULL;
    size_t size = sizeof *ids * (size_t)response->assignment_count;
    if (size > 0) ids = memory_take(consumer->memory, size);
    for (int32_t i = 0; i < response->assignment_count; i++) {
        int32_t topic =
            cluster_topic_find(consumer->options.cluster, response->assignment[i].topic);
        ids[i] = PARTITION_ID(topic, response->assignment[i].partition);
    }
    if (size > 0) qsort(ids, (size_t)response->assignment_count, sizeof *ids, partition_by_id);
    local_assignment_set(consumer, &member->target, ids, response->assignment_count,
                         member->target.epoch + 1);
    memory_give(consumer->memory, ids, size);
    if (member->target.epoch != member->current.epoch) {
        consumer_member_set_state(consumer, CONSUMER_RECONCILING);
    } else if (member->state == CONSUMER_RECONCILING || member->state == CONSUMER_JOINING) {
        consumer_member_set_state(consumer, CONSUMER_STABLE);
    }
}

static void succeeded(struct consumer *consumer,
                      const struct consumer_group_heartbeat_response *response, sim_time sent_at)
{
    struct consumer_member *member = &consumer->consumer_member;
    member->failures = 0;
    member->backoff_ends_at = 0;
    if (response->heartbeat_interval_ms != member->interval_ms) {
        member->interval_ms = response->heartbeat_interval_ms;
        member->heartbeat_at = sim_now(consumer->sim) + MILLISECONDS(member->interval_ms);
    } else {
        member->heartbeat_at = sent_at + MILLISECONDS(member->interval_ms);
    }
    bool is_member = takes_assignments(member) || member->state == CONSUMER_PREPARE_LEAVING;
    if (!is_member) return;
    if (member->state == CONSUMER_JOINING) {
        consumer_note(consumer, CLIENT_JOINED, response->member_epoch, KAFKA_NONE, NULL);
    }
    consumer->classic.generation.member_id = response->member;
    consumer->classic.generation.id = response->member_epoch;
    if (response->member_epoch > 0) consumer->classic.group_metadata = consumer->classic.generation;
    if (response->assignment_count >= 0 && takes_assignments(member)) {
        take_assignment(consumer, response);
    }
}

/* By our reading the jitter of this back-off is drawn from ±300,000 instead of ±0.2
 * (max.poll.interval.ms is handed over in its place), so it is none at all or the maximum. */
static void back_off(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    member->failures++;
    uint64_t coin = rng_below(&consumer->retry_backoff.key,
                              rng_index(BACKOFF_CONSUMER_HEARTBEAT, consumer->backoff_draws++), 2);
    member->backoff_ends_at =
        sim_now(consumer->sim) +
        (coin == 0 ? 0 : MILLISECONDS(consumer->config->retry_backoff_max_ms));
}

static void answered(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    struct consumer_member *member = &consumer->consumer_member;
    bool is_leave = result->tag != 0;
    if (is_leave) {
        member->leave_is_answered = true;
        return;
    }
    member->in_flight = false;
    const struct consumer_group_heartbeat_response *response = (const void *)result->response;
    if (response != NULL && response->error == KAFKA_NONE) {
        succeeded(consumer, response, result->sent_at);
        return;
    }
    forget_sent(member);
    member->heartbeat_at = sim_now(consumer->sim);
    if (response == NULL) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
        back_off(consumer);
        return;
    }
    consumer_note(consumer, CLIENT_HEARTBEAT_FAILED, member->failures, response->error, NULL);
    uint32_t reaction = reaction_to(&consumer_heartbeat_reactions, response->error);
    if (reaction & REACT_COORDINATOR_UNKNOWN) coordinator_mark_unknown(consumer, response->error);
    if (reaction & REACT_RETRY) back_off(consumer);
    if (!takes_assignments(member)) return; /* it has left, or knows already */
    if (reaction & REACT_FENCED_EPOCH) fence(consumer, response->error);
    if (reaction & REACT_FATAL) fail_for_good(consumer, response->error);
}

/* ---- requests ---- */

static void add_owned(struct consumer *consumer, struct consumer_group_heartbeat_request *request)
{
    const struct local_assignment *current = &consumer->consumer_member.current;
    request->owned_count = current->count;
    request->owned =
        MESSAGE_ARRAY(consumer->memory, &request->head, struct topic_partition, current->count);
    for (int32_t i = 0; i < current->count; i++) {
        request->owned[i] =
            (struct topic_partition){cluster_topic_name(consumer->options.cluster,
                                                        PARTITION_TOPIC(current->ids[i])),
                                     PARTITION_NUMBER(current->ids[i])};
    }
}

static void add_unchanging(struct consumer *consumer,
                           struct consumer_group_heartbeat_request *request)
{
    const struct consumer_config *config = consumer->config;
    request->rebalance_timeout_ms = config->max_poll_interval_ms;
    request->topic_count = consumer->topic_count;
    request->topics =
        MESSAGE_ARRAY(consumer->memory, &request->head, name_id, consumer->topic_count);
    for (int32_t i = 0; i < consumer->topic_count; i++)
        request->topics[i] = consumer->topics[i];
    if (config->group_remote_assignor != NULL) {
        request->assignor = names_intern(consumer->names, config->group_remote_assignor);
    }
}

static void send_heartbeat(struct consumer *consumer, int32_t epoch, bool is_leave)
{
    struct consumer_member *member = &consumer->consumer_member;
    struct consumer_group_heartbeat_request *request =
        MESSAGE_NEW(consumer->memory, API_CONSUMER_GROUP_HEARTBEAT,
                    struct consumer_group_heartbeat_request);
    bool is_join = member->state == CONSUMER_JOINING;
    request->group = consumer->group;
    request->member = consumer->classic.generation.member_id;
    request->member_epoch = epoch;
    request->instance = consumer->instance;
    request->client_id = consumer->client_id;
    request->client_host =
        names_format(consumer->names, "/%s", names_text(consumer->names, consumer->member));
    request->rebalance_timeout_ms = -1;
    request->topic_count = -1;
    request->owned_count = -1;
    if (is_join || !member->sent_all) add_unchanging(consumer, request);
    member->sent_all = true;
    if (is_join || member->sent_epoch_of_owned != member->current.epoch) {
        add_owned(consumer, request);
        member->sent_epoch_of_owned = member->current.epoch;
    }
    member->heartbeat_at = sim_now(consumer->sim) + MILLISECONDS(member->interval_ms);
    if (!is_leave) member->in_flight = true;
    coordinator_send(consumer, &request->head, consumer->config->request_timeout_ms, answered,
                     is_leave ? 1 : 0);
}

static void leave(struct consumer *consumer)
{
    bool is_static = consumer->instance != NAME_NONE;
    int32_t epoch = is_static ? LEAVE_EPOCH_STATIC : LEAVE_EPOCH;
    struct consumer_member *member = &consumer->consumer_member;
    local_assignment_clear(consumer, &member->current);
    local_assignment_clear(consumer, &member->target);
    consumer->classic.generation.id = epoch;
    consumer_note(consumer, CLIENT_LEAVING, epoch, KAFKA_NONE, NULL);
    member->leave_is_answered = !coordinator_is_known(consumer);
    if (coordinator_is_known(consumer)) send_heartbeat(consumer, epoch, true);
}

/* ---- the poll timer ---- */

static sim_time poll_timer_ends_at(const struct consumer *consumer)
{
    if (consumer->activity == ACTIVITY_POLL) return SIM_TIME_NEVER; /* it starts anew */
    return consumer->consumer_member.poll_timer_from +
           MILLISECONDS(consumer->config->max_poll_interval_ms);
}

static void expire_poll_timer(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    consumer_note(consumer, CLIENT_POLL_TIMEOUT, consumer->config->max_poll_interval_ms, KAFKA_NONE,
                  NULL);
    consumer_member_set_state(consumer, CONSUMER_PREPARE_LEAVING);
    consumer_member_set_state(consumer, CONSUMER_LEAVING);
    leave(consumer); /* the answer is not waited for: a rejoin may overtake it */
    consumer_member_set_state(consumer, CONSUMER_STALE);
    forget_sent(member);
    lose_all(consumer);
}

/* ---- the loop ---- */

static bool sends_at_all(const struct consumer_member *member)
{
    return member->state != CONSUMER_UNSUBSCRIBED && member->state != CONSUMER_FATAL &&
           member->state != CONSUMER_STALE && member->state != CONSUMER_FENCED &&
           !is_leaving(member);
}

static void poll_heartbeats(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    sim_time now = sim_now(consumer->sim);
    if (!coordinator_is_known(consumer)) {
        coordinator_find(consumer);
        return;
    }
    if (!sends_at_all(member)) return;
    if (poll_timer_ends_at(consumer) <= now) {
        expire_poll_timer(consumer);
        return;
    }
    if (member->in_flight) return;
    bool is_urgent = member->state == CONSUMER_JOINING || member->state == CONSUMER_ACKNOWLEDGING;
    bool is_due = member->heartbeat_at <= now && member->backoff_ends_at <= now;
    if (!is_urgent && !is_due) return;
    send_heartbeat(consumer, consumer->classic.generation.id, false);
    if (member->state != CONSUMER_ACKNOWLEDGING) return;
    bool is_current = member->target.epoch == member->current.epoch;
    consumer_member_set_state(consumer, is_current ? CONSUMER_STABLE : CONSUMER_RECONCILING);
}

static void schedule(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    sim_time now = sim_now(consumer->sim);
    sim_time at = SIM_TIME_NEVER;
    if (!coordinator_is_known(consumer)) {
        if (!consumer->coordinator.in_flight) at = consumer->coordinator.retry_at;
    } else if (sends_at_all(member)) {
        at = poll_timer_ends_at(consumer);
        sim_time due = member->heartbeat_at > member->backoff_ends_at ? member->heartbeat_at
                                                                      : member->backoff_ends_at;
        if (!member->in_flight && due < at) at = due;
    }
    bool waits_to_commit = member->is_reconciling && !member->commit_is_done;
    if (waits_to_commit && member->commit_retry_at < at) at = member->commit_retry_at;
    if (at <= now) at = now + MILLISECONDS(1);
    sim_timer_set(consumer->sim, &member->tick, at);
}

void consumer_member_run(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (member->is_running || consumer->activity == ACTIVITY_DOWN ||
        consumer->activity == ACTIVITY_STARTING) {
        return;
    }
    member->is_running = true;
    /* The managers' order: a commit that is due leaves before a heartbeat that is due too, which
     * may raise the member's epoch. It is only looked for while A polls. */
    if (consumer->activity == ACTIVITY_POLL) commit_auto_if_due(consumer);
    poll_heartbeats(consumer);
    reconcile(consumer);
    poll_heartbeats(consumer); /* what the reconciliation has finished is told at once */
    subscription_update_leaders(consumer);
    fetcher_send(consumer, true);
    member->is_running = false;
    schedule(consumer);
}

static void handle(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    CHECK(event->kind == EVENT_TICK);
    consumer_member_run(self);
    consumer_wake_application(self);
}

/* ---- what A does to it ---- */

void consumer_member_on_poll(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    member->poll_timer_from = sim_now(consumer->sim);
    bool joins = member->state == CONSUMER_UNSUBSCRIBED ||
                 (member->state == CONSUMER_STALE && member->callback_count == 0);
    if (!joins || consumer->closing.stage > CLOSE_WANTED) return;
    /* AsyncKafkaConsumer.updatePatternSubscription joins when it knows what it subscribes to. */
    if (pattern_is_used(consumer) && consumer->topic_count == 0) return;
    consumer->classic.generation.id = 0;
    consumer_member_set_state(consumer, CONSUMER_JOINING);
    consumer_note(consumer, CLIENT_JOINING, 0, KAFKA_NONE, NULL);
}

void consumer_member_on_poll_left(struct consumer *consumer, sim_time last_phase_at)
{
    consumer->consumer_member.poll_timer_from = last_phase_at;
    schedule(consumer);
}

void consumer_member_leave(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (!sends_at_all(member)) {
        member->leave_is_answered = true;
        return;
    }
    consumer_member_set_state(consumer, CONSUMER_PREPARE_LEAVING);
    consumer_member_set_state(consumer, CONSUMER_LEAVING);
    leave(consumer);
    consumer_member_set_state(consumer, CONSUMER_UNSUBSCRIBED);
}

bool consumer_member_has_left(const struct consumer *consumer)
{
    return consumer->consumer_member.leave_is_answered;
}

void consumer_member_reset(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    reconcile_forget(consumer);
    local_assignment_clear(consumer, &member->target);
    local_assignment_clear(consumer, &member->current);
    sim_timer_cancel(consumer->sim, &member->tick);
    *member = (struct consumer_member){
        .thread = member->thread,
        .sent_epoch_of_owned = NEVER_SENT,
        .target = {.epoch = -1},
        .current = {.epoch = -1},
        .fatal = KAFKA_NONE,
    };
    sim_timer_init(&member->tick, member->thread, EVENT_TICK, 0);
}

void consumer_member_init(struct consumer *consumer)
{
    struct consumer_member *member = &consumer->consumer_member;
    if (!consumer_is_848(consumer)) return;
    name_id name = names_format(consumer->names, "%s/background",
                                names_text(consumer->names, consumer->member));
    member->thread =
        sim_add_entity(consumer->sim, name, consumer->options.process, handle, consumer);
    sim_timer_init(&member->tick, member->thread, EVENT_TICK, 0);
}
