#include "model/coordinator/consumer_update.h"

#include "model/coordinator/consumer_replay.h"
#include "model/coordinator/consumer_timers.h"
#include "model/coordinator/consumer_topics.h"

#include <string.h>

/* How long subscription metadata is trusted without a hint that a topic changed, in milliseconds:
 * the builder's default, which nothing sets (GroupMetadataManager.Builder). */
#define METADATA_REFRESH_INTERVAL_MS INT32_MAX

struct consumer_member consumer_member_fresh(name_id id)
{
    return (struct consumer_member){
        .id = id,
        .rebalance_timeout_ms = -1,
        .previous_epoch = -1,
        .state = CONSUMER_MEMBER_STABLE,
    };
}

void consumer_update_init(struct consumer_update *update, struct operation *operation)
{
    struct coordinator *coordinator = operation->coordinator;
    *update = (struct consumer_update){.operation = operation};
    name_counts_init(&update->subscribed, coordinator->memory, coordinator->names);
    partition_list_init(&update->target, coordinator->memory);
}

void consumer_update_release(struct consumer_update *update)
{
    struct memory *memory = update->operation->coordinator->memory;
    name_counts_release(&update->subscribed);
    partition_list_release(&update->target);
    if (update->reconciled_used) reconcile_output_release(&update->reconciled);
    if (update->topics_capacity > 0) {
        memory_give(memory, update->topics, sizeof *update->topics * update->topics_capacity);
    }
}

static bool same_topics(const struct consumer_member *a, const struct consumer_member *b)
{
    return a->topic_count == b->topic_count &&
           (a->topics == b->topics ||
            memcmp(a->topics, b->topics, sizeof(name_id) * (size_t)a->topic_count) == 0);
}

/* The member record, if there is anything new in it. Only a changed subscription calls for another
 * assignment; a new rack, assignor or timeout does not. */
static bool write_member(struct consumer_update *update)
{
    bool is_new = consumer_group_member(update->state, update->member->id) == NULL &&
                  update->replaced == NULL;
    if (!is_new && consumer_member_same_record(update->member, &update->updated)) return false;
    struct operation *operation = update->operation;
    operation_add(operation, consumer_record_of_member(operation->coordinator->memory,
                                                       update->state->id, &update->updated));
    return !same_topics(update->member, &update->updated);
}

static void count_topics(struct consumer_update *update, const struct consumer_member *member,
                         int32_t change)
{
    for (int32_t i = 0; i < member->topic_count; i++)
        name_counts_add(&update->subscribed, member->topics[i], change);
}

static void note_bump(const struct consumer_update *update, bool subscription_changed)
{
    bool is_new = update->member->epoch == 0 && update->replaced == NULL &&
                  consumer_group_member(update->state, update->member->id) == NULL;
    enum rebalance_reason reason = is_new                 ? REBALANCE_NEW_MEMBER
                                   : subscription_changed ? REBALANCE_SUBSCRIPTION_CHANGED
                                                          : REBALANCE_TOPICS_CHANGED;
    coordinator_note(update->operation->coordinator,
                     (struct group_note){.kind = NOTE_REBALANCE,
                                         .group = update->state->id,
                                         .member = update->updated.id,
                                         .instance = update->updated.instance,
                                         .generation = update->epoch,
                                         .reason = reason});
}

/* Looks at the subscription metadata again: the group epoch goes up if they changed, or if the
 * member's subscription did. */
static void refresh_topics(struct consumer_update *update, bool subscription_changed)
{
    struct consumer_group *state = update->state;
    struct operation *operation = update->operation;
    struct coordinator *coordinator = operation->coordinator;
    name_counts_copy(&update->subscribed, &state->subscribed);
    count_topics(update, update->member, -1);
    count_topics(update, &update->updated, 1);
    update->topics =
        consumer_topics_look_up(coordinator, &update->subscribed, &update->topic_count);
    update->topics_capacity = update->subscribed.count;
    uint32_t member_count = state->member_count;
    if (consumer_group_member(state, update->updated.id) == NULL &&
        consumer_group_static(state, update->updated.instance) == NULL) {
        member_count++;
    }
    update->equal_subscriptions =
        consumer_subscription_is_homogeneous(&update->subscribed, member_count);

    update->bumped = subscription_changed;
    if (!consumer_topics_equal(update->topics, update->topic_count, state->topics,
                               state->topic_count)) {
        update->bumped = true;
        operation_add(operation, consumer_record_of_topics(coordinator->memory, state->id,
                                                           update->topics, update->topic_count));
    }
    if (update->bumped) {
        update->epoch++;
        operation_add(operation,
                      consumer_record_of_epoch(coordinator->memory, state->id, update->epoch));
        note_bump(update, subscription_changed);
    }
    state->refresh_at = operation->now + MILLISECONDS(METADATA_REFRESH_INTERVAL_MS);
    state->refresh_epoch = update->epoch;
}

/* The stored target. That of a static member is found through its instance, whoever holds it now;
 * a dynamic member that has just named an instance has none (ConsumerGroup.targetAssignment). */
static struct partition_set stored_target(const struct consumer_update *update)
{
    const struct consumer_member *holder =
        update->updated.instance == NAME_NONE
            ? consumer_group_member(update->state, update->updated.id)
            : consumer_group_static(update->state, update->updated.instance);
    return holder == NULL ? partition_set_none() : holder->target;
}

static enum kafka_error reconcile(struct consumer_update *update, int32_t target_epoch,
                                  struct partition_set target)
{
    struct operation *operation = update->operation;
    struct coordinator *coordinator = operation->coordinator;
    struct consumer_member *updated = &update->updated;
    const struct reconcile_input input = {
        .state = updated->state,
        .epoch = updated->epoch,
        .previous_epoch = updated->previous_epoch,
        .assigned = updated->assigned,
        .revoking = updated->revoking,
        .target_epoch = target_epoch,
        .target = target,
        .owned_given = update->owned_given,
        .owned = update->owned,
        .epochs = &update->state->partition_epochs,
    };
    reconcile_output_init(&update->reconciled, coordinator->memory);
    update->reconciled_used = true;
    enum reconcile_outcome outcome = consumer_reconcile(&input, &update->reconciled);
    if (outcome == RECONCILE_FENCED) return KAFKA_FENCED_MEMBER_EPOCH;
    if (outcome == RECONCILE_UNCHANGED) return KAFKA_NONE;

    const struct consumer_current current = {
        .state = update->reconciled.state,
        .epoch = update->reconciled.epoch,
        .previous_epoch = update->reconciled.previous_epoch,
        .assigned = partition_list_view(&update->reconciled.assigned),
        .revoking = partition_list_view(&update->reconciled.revoking),
    };
    operation_add(operation, consumer_record_of_current(coordinator->memory, update->state->id,
                                                        updated->id, &current));
    update->assigned_changed = !partition_set_equal(current.assigned, updated->assigned);
    updated->state = current.state;
    updated->epoch = current.epoch;
    updated->previous_epoch = current.previous_epoch;
    updated->assigned = current.assigned;
    updated->revoking = current.revoking;
    if (updated->is_classic) return KAFKA_NONE; /* these have join and sync timers */
    if (updated->state == CONSUMER_MEMBER_UNREVOKED_PARTITIONS) {
        consumer_arm_rebalance(coordinator, update->group, updated->id, updated->epoch,
                               updated->rebalance_timeout_ms);
    } else {
        consumer_cancel_rebalance(coordinator, update->group, updated->id);
    }
    return KAFKA_NONE;
}

enum kafka_error consumer_update_run(struct consumer_update *update)
{
    struct consumer_group *state = update->state;
    bool subscription_changed = write_member(update);
    update->epoch = state->epoch;
    bool refresh = subscription_changed || update->operation->now >= state->refresh_at ||
                   state->epoch < state->refresh_epoch;
    if (refresh) {
        refresh_topics(update, subscription_changed);
    } else {
        update->topics = state->topics;
        update->topic_count = state->topic_count;
    }

    struct partition_set target;
    int32_t target_epoch = state->assignment_epoch;
    if (update->epoch > state->assignment_epoch) {
        if (!refresh) {
            update->equal_subscriptions =
                consumer_subscription_is_homogeneous(&state->subscribed, state->member_count);
        }
        enum kafka_error error = consumer_target_compute(update);
        if (error != KAFKA_NONE) return error;
        target_epoch = update->epoch;
        target = partition_list_view(&update->target);
    } else {
        target = stored_target(update);
    }
    if (update->updated.state == CONSUMER_MEMBER_STABLE && update->updated.epoch == target_epoch) {
        return KAFKA_NONE;
    }
    return reconcile(update, target_epoch, target);
}

struct partition_set consumer_update_assigned(const struct consumer_update *update)
{
    return update->updated.assigned;
}
