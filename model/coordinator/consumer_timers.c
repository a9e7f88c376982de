#include "model/coordinator/consumer_timers.h"

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/consumer_leave.h"
#include "model/coordinator/consumer_requests.h"
#include "sim/check.h"

/* A timer operation whose records could not be written is tried again after this long, in
 * milliseconds (CoordinatorRuntime, its event-based timer). */
#define RETRY_DELAY_MS 500

enum consumer_timer_kind {
    TIMER_SESSION,
    TIMER_REBALANCE,
    TIMER_JOIN,
    TIMER_SYNC,
    CONSUMER_TIMER_KIND_COUNT
};

struct consumer_timers {
    struct group *group;
    name_id member;
    int32_t rebalance_epoch; /* the member epoch TIMER_REBALANCE was armed for */
    struct coordinator_timer timers[CONSUMER_TIMER_KIND_COUNT];
    struct consumer_timers *next; /* in the group's list, for releasing all */
    struct consumer_timers *previous;
};

static const enum member_removal removals[CONSUMER_TIMER_KIND_COUNT] = {
    [TIMER_SESSION] = REMOVED_SESSION_EXPIRED,
    [TIMER_REBALANCE] = REMOVED_REBALANCE_EXPIRED,
    [TIMER_JOIN] = REMOVED_JOIN_EXPIRED,
    [TIMER_SYNC] = REMOVED_SYNC_EXPIRED,
};

static struct consumer_timers *find(const struct group *group, name_id member)
{
    return id_map_get(&group->consumer_timers, member);
}

static void release(struct coordinator *coordinator, struct consumer_timers *timers)
{
    struct group *group = timers->group;
    for (int kind = 0; kind < CONSUMER_TIMER_KIND_COUNT; kind++)
        coordinator_disarm(coordinator, &timers->timers[kind]);
    id_map_remove(&group->consumer_timers, timers->member);
    if (timers->previous != NULL) timers->previous->next = timers->next;
    if (timers->next != NULL) timers->next->previous = timers->previous;
    if (group->first_consumer_timers == timers) group->first_consumer_timers = timers->next;
    memory_give(coordinator->memory, timers, sizeof *timers);
}

static void release_if_idle(struct coordinator *coordinator, struct consumer_timers *timers)
{
    for (int kind = 0; kind < CONSUMER_TIMER_KIND_COUNT; kind++) {
        if (coordinator_timer_is_armed(&timers->timers[kind])) return;
    }
    release(coordinator, timers);
}

/* What a removal has to know if its records cannot be written. */
struct expiry {
    struct group *group;
    name_id member;
    enum consumer_timer_kind kind;
    int32_t rebalance_epoch;
};

static struct consumer_timers *take(struct coordinator *coordinator, struct group *group,
                                    name_id member);

static void expiry_written(struct coordinator *coordinator, struct operation *operation,
                           enum kafka_error error, sim_time now)
{
    (void)now;
    if (error == KAFKA_NONE || error == KAFKA_NOT_COORDINATOR ||
        error == KAFKA_NOT_LEADER_OR_FOLLOWER || error == KAFKA_COORDINATOR_LOAD_IN_PROGRESS) {
        return;
    }
    const struct expiry *expiry = operation->context;
    struct consumer_timers *timers = take(coordinator, expiry->group, expiry->member);
    if (expiry->kind == TIMER_REBALANCE) timers->rebalance_epoch = expiry->rebalance_epoch;
    coordinator_arm(coordinator, &timers->timers[expiry->kind], RETRY_DELAY_MS);
}

static void fire(struct coordinator *coordinator, struct coordinator_timer *timer, sim_time now)
{
    struct consumer_timers *timers = timer->owner;
    const struct expiry expiry = {
        .group = timers->group,
        .member = timers->member,
        .kind = (enum consumer_timer_kind)(timer - timers->timers),
        .rebalance_epoch = timers->rebalance_epoch,
    };
    release_if_idle(coordinator, timers);
    struct group *group = expiry.group;
    if (group->type != GROUP_CONSUMER) return; /* converted, or gone */
    const struct consumer_member *member = consumer_group_member(group->consumer, expiry.member);
    if (member == NULL) return;
    if (expiry.kind == TIMER_REBALANCE && member->epoch != expiry.rebalance_epoch) return;

    struct operation operation;
    operation_begin_timer(&operation, coordinator, now);
    struct expiry *context = memory_take(coordinator->memory, sizeof *context);
    *context = expiry;
    operation.done = expiry_written;
    operation.context = context;
    operation.context_size = sizeof *context;
    consumer_remove_member(&operation, group, member, removals[expiry.kind]);
    operation_finish(&operation);
}

/* The timers of this member, made if need be. */
static struct consumer_timers *take(struct coordinator *coordinator, struct group *group,
                                    name_id member)
{
    struct consumer_timers *timers = find(group, member);
    if (timers != NULL) return timers;
    timers = memory_take(coordinator->memory, sizeof *timers);
    timers->group = group;
    timers->member = member;
    for (int kind = 0; kind < CONSUMER_TIMER_KIND_COUNT; kind++)
        coordinator_timer_init(&timers->timers[kind], fire, timers);
    if (group->consumer_timers.memory == NULL) {
        id_map_init(&group->consumer_timers, coordinator->memory);
    }
    id_map_put(&group->consumer_timers, member, timers);
    timers->next = group->first_consumer_timers;
    if (timers->next != NULL) timers->next->previous = timers;
    group->first_consumer_timers = timers;
    return timers;
}

static void cancel(struct coordinator *coordinator, struct group *group, name_id member,
                   enum consumer_timer_kind kind)
{
    struct consumer_timers *timers = find(group, member);
    if (timers == NULL) return;
    coordinator_disarm(coordinator, &timers->timers[kind]);
    release_if_idle(coordinator, timers);
}

int32_t consumer_session_timeout_ms(const struct coordinator *coordinator,
                                    const struct group *group)
{
    return group->consumer_session_timeout_ms > 0
               ? group->consumer_session_timeout_ms
               : coordinator->config->group_consumer_session_timeout_ms;
}

int32_t consumer_heartbeat_interval_ms(const struct coordinator *coordinator,
                                       const struct group *group)
{
    return group->consumer_heartbeat_interval_ms > 0
               ? group->consumer_heartbeat_interval_ms
               : coordinator->config->group_consumer_heartbeat_interval_ms;
}

void coordinator_set_group_config(struct coordinator *coordinator, name_id group,
                                  const struct coordinator_group_config *config)
{
    struct group *configured = coordinator_group(coordinator, group);
    configured->consumer_session_timeout_ms = config->consumer_session_timeout_ms;
    configured->consumer_heartbeat_interval_ms = config->consumer_heartbeat_interval_ms;
}

void consumer_arm_session(struct coordinator *coordinator, struct group *group, name_id member,
                          int32_t timeout_ms)
{
    struct consumer_timers *timers = take(coordinator, group, member);
    coordinator_arm(coordinator, &timers->timers[TIMER_SESSION], timeout_ms);
}

void consumer_arm_rebalance(struct coordinator *coordinator, struct group *group, name_id member,
                            int32_t epoch, int32_t timeout_ms)
{
    struct consumer_timers *timers = take(coordinator, group, member);
    timers->rebalance_epoch = epoch;
    coordinator_arm(coordinator, &timers->timers[TIMER_REBALANCE], timeout_ms);
}

void consumer_cancel_rebalance(struct coordinator *coordinator, struct group *group, name_id member)
{
    cancel(coordinator, group, member, TIMER_REBALANCE);
}

void consumer_arm_join_if_absent(struct coordinator *coordinator, struct group *group,
                                 name_id member, int32_t timeout_ms)
{
    struct consumer_timers *timers = take(coordinator, group, member);
    if (coordinator_timer_is_armed(&timers->timers[TIMER_JOIN])) return;
    coordinator_arm(coordinator, &timers->timers[TIMER_JOIN], timeout_ms);
}

void consumer_cancel_join(struct coordinator *coordinator, struct group *group, name_id member)
{
    cancel(coordinator, group, member, TIMER_JOIN);
}

void consumer_arm_sync(struct coordinator *coordinator, struct group *group, name_id member,
                       int32_t timeout_ms)
{
    struct consumer_timers *timers = take(coordinator, group, member);
    coordinator_arm(coordinator, &timers->timers[TIMER_SYNC], timeout_ms);
}

void consumer_cancel_sync(struct coordinator *coordinator, struct group *group, name_id member)
{
    cancel(coordinator, group, member, TIMER_SYNC);
}

void consumer_cancel_timers(struct coordinator *coordinator, struct group *group, name_id member)
{
    struct consumer_timers *timers = find(group, member);
    if (timers != NULL) release(coordinator, timers);
}

void consumer_on_loaded(struct coordinator *coordinator, struct group *group)
{
    struct consumer_group *state = group->consumer;
    state->noted_state = consumer_group_state(state);
    for (uint32_t i = 0; i < state->entry_count; i++) {
        const struct consumer_member *member = state->members[i];
        if (!member->is_member) continue;
        /* Also for classic members, whose own session timeout comes back with their next request
         * (GroupMetadataManager.onLoaded). */
        consumer_arm_session(coordinator, group, member->id,
                             consumer_session_timeout_ms(coordinator, group));
        if (member->state == CONSUMER_MEMBER_UNREVOKED_PARTITIONS) {
            consumer_arm_rebalance(coordinator, group, member->id, member->epoch,
                                   member->rebalance_timeout_ms);
        }
    }
}

void consumer_on_unloaded(struct coordinator *coordinator, struct group *group)
{
    while (group->first_consumer_timers != NULL)
        release(coordinator, group->first_consumer_timers);
    if (group->consumer_timers.memory != NULL) id_map_release(&group->consumer_timers);
}
