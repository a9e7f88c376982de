#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "sim/check.h"

/* Thread H (AbstractCoordinator.HeartbeatThread). It looks around every 100 ms; we compute at which
 * of these looks something will be due, and sleep until then. While A is inside poll() a due
 * heartbeat is not late at all: A wakes for it and notifies H. */

#define LOOK_NS MILLISECONDS(100) /* retry.backoff.ms, used as a constant here */

enum { EVENT_TICK = 1 };

static bool a_is_in_poll(const struct consumer *consumer)
{
    return consumer->activity == ACTIVITY_POLL;
}

static bool a_is_in_client(const struct consumer *consumer)
{
    return a_is_in_poll(consumer) || consumer->commit_sync.is_active ||
           consumer->activity == ACTIVITY_CLOSE;
}

static sim_time poll_timer_ends_at(const struct consumer *consumer)
{
    if (a_is_in_poll(consumer)) return SIM_TIME_NEVER; /* it starts anew all the time */
    return consumer->classic.poll_timer_from + MILLISECONDS(consumer->config->max_poll_interval_ms);
}

static void schedule(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    if (!classic->is_enabled) {
        sim_timer_cancel(consumer->sim, &classic->tick);
        return;
    }
    sim_time now = sim_now(consumer->sim);
    sim_time due = classic->heartbeat_at;
    bool waits_for_lock = classic->leading != NULL; /* the join handler has it */
    bool is_exact = a_is_in_poll(consumer) && coordinator_is_known(consumer) && !waits_for_lock;
    if (classic->session_ends_at < due) {
        due = classic->session_ends_at;
        is_exact = false;
    }
    sim_time poll_ends_at = poll_timer_ends_at(consumer);
    if (poll_ends_at < due) due = poll_ends_at;
    bool looks_next = !coordinator_is_known(consumer) || waits_for_lock ||
                      (!a_is_in_client(consumer) && network_client_is_readable(consumer->network));
    if (looks_next) {
        due = now;
        is_exact = false;
    }
    if (!is_exact) {
        sim_time looks = (due - classic->last_run_at + LOOK_NS - 1) / LOOK_NS;
        if (looks < 1) looks = 1;
        due = classic->last_run_at + looks * LOOK_NS;
    }
    sim_timer_set(consumer->sim, &classic->tick, due);
}

/* ---- heartbeats ---- */

static void heartbeat_failed(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    classic->heartbeat_at =
        sim_now(consumer->sim) +
        consumer_backoff(consumer, BACKOFF_HEARTBEAT, classic->heartbeat_failures++);
}

static void heartbeat_alive(struct consumer *consumer)
{
    consumer->classic.heartbeat_failures = 0;
    heartbeat_thread_session_alive(consumer);
}

static void act_on(struct consumer *consumer, uint32_t reaction, enum kafka_error error)
{
    struct classic_member *classic = &consumer->classic;
    if (reaction & REACT_COORDINATOR_UNKNOWN) coordinator_mark_unknown(consumer, error);
    if (reaction & REACT_FENCED) {
        classic->failed = error;
        consumer_note(consumer, CLIENT_FENCED, 0, error, NULL);
    }
    if (reaction & (REACT_FORGET_MEMBER | REACT_FORGET_GENERATION)) {
        classic_forget_generation(consumer, (reaction & REACT_FORGET_GENERATION) != 0);
    }
    if (reaction & REACT_ALIVE) {
        /* A rebalance that began is news only to a member that is not in one already. */
        if ((reaction & REACT_REJOIN) && classic->state == MEMBER_STABLE) {
            classic_request_rejoin(consumer, "group is already rebalancing");
        }
        heartbeat_alive(consumer);
        return;
    }
    consumer_note(consumer, CLIENT_HEARTBEAT_FAILED, classic->heartbeat_failures, error, NULL);
    heartbeat_failed(consumer);
}

static void heartbeat_answered(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    if (result->outcome != REQUEST_ANSWERED) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
        heartbeat_failed(consumer);
        schedule(consumer);
        return;
    }
    const struct heartbeat_response *response = (const void *)result->response;
    uint32_t reaction = reaction_to(&heartbeat_reactions, response->error);
    bool forgets = (reaction & (REACT_FORGET_MEMBER | REACT_FORGET_GENERATION)) != 0;
    if (forgets && result->tag != classic_generation_tag(consumer)) {
        heartbeat_alive(consumer); /* about a generation that is gone */
    } else {
        act_on(consumer, reaction, response->error);
    }
    schedule(consumer);
}

static void send_heartbeat(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    classic->heartbeat_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->heartbeat_interval_ms);
    struct heartbeat_request *request =
        MESSAGE_NEW(consumer->memory, API_HEARTBEAT, struct heartbeat_request);
    request->group = consumer->group;
    request->member = classic->generation.member_id;
    request->instance = consumer->instance;
    request->generation = classic->generation.id;
    coordinator_send(consumer, &request->head, consumer->config->request_timeout_ms,
                     heartbeat_answered, classic_generation_tag(consumer));
}

/* ---- the loop ---- */

static void expire_poll_timer(struct consumer *consumer)
{
    consumer_note(consumer, CLIENT_POLL_TIMEOUT, consumer->config->max_poll_interval_ms, KAFKA_NONE,
                  NULL);
    classic_send_leave(consumer, "consumer poll timeout has expired.");
    classic_forget_generation(consumer, false);
}

/* One turn of the loop; false when H goes back to waiting. */
static bool turn(struct consumer *consumer, sim_time now)
{
    struct classic_member *classic = &consumer->classic;
    if (classic->state == MEMBER_UNJOINED || classic->state == MEMBER_PREPARING_REBALANCE ||
        classic->failed != KAFKA_NONE) {
        classic->is_enabled = false;
        return false;
    }
    if (!coordinator_is_known(consumer)) {
        coordinator_find(consumer);
        return false;
    }
    if (classic->session_ends_at <= now) {
        /* Only: is the coordinator still there? The member does not give up anything. */
        coordinator_mark_unknown(consumer, KAFKA_REQUEST_TIMED_OUT);
        return true;
    }
    if (poll_timer_ends_at(consumer) <= now) {
        expire_poll_timer(consumer);
        return true;
    }
    if (classic->heartbeat_at <= now) {
        send_heartbeat(consumer);
        return true;
    }
    return false;
}

static void run(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    if (!classic->is_enabled) return;
    sim_time now = sim_now(consumer->sim);
    classic->last_run_at = now;
    /* The join handler holds the lock while the leader waits for metadata. */
    if (classic->leading == NULL) {
        if (!a_is_in_client(consumer)) network_client_poll(consumer->network);
        while (turn(consumer, now))
            continue;
    }
    schedule(consumer);
}

void heartbeat_thread_handle(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    CHECK(event->kind == EVENT_TICK);
    run(self);
}

/* ---- what A does to it ---- */

void heartbeat_thread_enable(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    sim_time now = sim_now(consumer->sim);
    classic->is_enabled = true;
    classic->last_run_at = now;
    classic->session_ends_at = now + MILLISECONDS(consumer->config->session_timeout_ms);
    classic->poll_timer_from = now;
    classic->heartbeat_at = now + MILLISECONDS(consumer->config->heartbeat_interval_ms);
    schedule(consumer);
}

void heartbeat_thread_disable(struct consumer *consumer)
{
    consumer->classic.is_enabled = false;
    schedule(consumer);
}

void heartbeat_thread_session_alive(struct consumer *consumer)
{
    consumer->classic.session_ends_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->session_timeout_ms);
}

void heartbeat_thread_on_readable(struct consumer *consumer)
{
    schedule(consumer);
}

void heartbeat_thread_on_poll(struct consumer *consumer)
{
    struct classic_member *classic = &consumer->classic;
    sim_time now = sim_now(consumer->sim);
    classic->poll_timer_from = now;
    if (!classic->is_enabled) return;
    if (classic->heartbeat_at <= now) {
        run(consumer);
    } else {
        schedule(consumer);
    }
}

void heartbeat_thread_on_poll_left(struct consumer *consumer, sim_time last_phase_at)
{
    consumer->classic.poll_timer_from = last_phase_at;
    schedule(consumer);
}
