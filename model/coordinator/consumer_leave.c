#include "model/coordinator/consumer_leave.h"

#include "model/coordinator/consumer_convert.h"
#include "model/coordinator/consumer_replay.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_timers.h"
#include "model/coordinator/consumer_topics.h"

void consumer_add_member_tombstones(struct operation *operation, name_id group, name_id member)
{
    static const enum group_record_type types[] = {
        RECORD_CONSUMER_CURRENT_ASSIGNMENT,
        RECORD_CONSUMER_TARGET,
        RECORD_CONSUMER_MEMBER,
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        operation_add(operation, consumer_record_tombstone(operation->coordinator->memory, types[i],
                                                           group, member));
    }
}

static void add_all(struct operation *operation, const struct consumer_group *state,
                    enum group_record_type type)
{
    for (uint32_t i = 0; i < state->entry_count; i++) {
        if (!state->members[i]->is_member) continue;
        operation_add(operation, consumer_record_tombstone(operation->coordinator->memory, type,
                                                           state->id, state->members[i]->id));
    }
}

void consumer_add_tombstones(struct operation *operation, const struct group *group)
{
    const struct consumer_group *state = group->consumer;
    struct memory *memory = operation->coordinator->memory;
    add_all(operation, state, RECORD_CONSUMER_CURRENT_ASSIGNMENT);
    add_all(operation, state, RECORD_CONSUMER_TARGET);
    operation_add(operation, consumer_record_tombstone(memory, RECORD_CONSUMER_ASSIGNMENT_EPOCH,
                                                       state->id, NAME_NONE));
    add_all(operation, state, RECORD_CONSUMER_MEMBER);
    operation_add(operation,
                  consumer_record_tombstone(memory, RECORD_CONSUMER_TOPICS, state->id, NAME_NONE));
    operation_add(operation, consumer_record_tombstone(memory, RECORD_CONSUMER_GROUP_EPOCH,
                                                       state->id, NAME_NONE));
}

static enum rebalance_reason reason_of(enum member_removal removal)
{
    switch (removal) {
    case REMOVED_LEFT:
    case REMOVED_BY_ADMIN: return REBALANCE_MEMBER_LEFT;
    case REMOVED_SYNC_EXPIRED: return REBALANCE_SYNC_EXPIRED;
    case REMOVED_JOIN_EXPIRED:
    case REMOVED_REBALANCE_EXPIRED: return REBALANCE_REBALANCE_EXPIRED;
    case REMOVED_SESSION_EXPIRED:
    case REMOVED_GROUP_FULL:
    case REMOVED_REPLACED:
    case REMOVED_TEMPORARILY:
    case MEMBER_REMOVAL_COUNT: break;
    }
    return REBALANCE_HEARTBEAT_EXPIRED;
}

static void note_removal(struct coordinator *coordinator, const struct consumer_group *state,
                         const struct consumer_member *member, enum member_removal removal)
{
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_REMOVED,
                                                      .group = state->id,
                                                      .member = member->id,
                                                      .instance = member->instance,
                                                      .client_id = member->client_id,
                                                      .removal = removal});
}

void consumer_remove_members(struct operation *operation, struct group *group,
                             const struct consumer_member *const *members, int32_t count,
                             enum member_removal removal)
{
    struct coordinator *coordinator = operation->coordinator;
    struct memory *memory = coordinator->memory;
    const struct consumer_group *state = group->consumer;
    struct name_counts subscribed;
    name_counts_init(&subscribed, memory, coordinator->names);
    name_counts_copy(&subscribed, &state->subscribed);
    for (int32_t i = 0; i < count; i++) {
        const struct consumer_member *member = members[i];
        note_removal(coordinator, state, member, removal);
        consumer_add_member_tombstones(operation, state->id, member->id);
        consumer_cancel_timers(coordinator, group, member->id);
        for (int32_t t = 0; t < member->topic_count; t++)
            name_counts_add(&subscribed, member->topics[t], -1);
    }
    int32_t topic_count;
    struct consumer_topic *topics = consumer_topics_look_up(coordinator, &subscribed, &topic_count);
    if (!consumer_topics_equal(topics, topic_count, state->topics, state->topic_count)) {
        operation_add(operation, consumer_record_of_topics(memory, state->id, topics, topic_count));
    }
    operation_add(operation, consumer_record_of_epoch(memory, state->id, state->epoch + 1));
    memory_give(memory, topics, sizeof *topics * subscribed.count);
    name_counts_release(&subscribed);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_REBALANCE,
                                                      .group = state->id,
                                                      .member = members[0]->id,
                                                      .instance = members[0]->instance,
                                                      .generation = state->epoch + 1,
                                                      .reason = reason_of(removal)});
}

void consumer_remove_member(struct operation *operation, struct group *group,
                            const struct consumer_member *member, enum member_removal removal)
{
    if (consumer_may_downgrade_without(operation->coordinator, group->consumer, member)) {
        note_removal(operation->coordinator, group->consumer, member, removal);
        consumer_downgrade(operation, group, member, NULL);
        return;
    }
    consumer_remove_members(operation, group, &member, 1, removal);
}

/* -2: the member keeps its partitions and stays a member until its session expires. Nothing is
 * rebalanced and no timer touched. */
static void leave_for_a_while(struct operation *operation, const struct consumer_group *state,
                              const struct consumer_member *member)
{
    const struct consumer_current current = {
        .state = member->state,
        .epoch = CONSUMER_EPOCH_STATIC_LEAVE,
        .previous_epoch = member->previous_epoch,
        .assigned = member->assigned,
    };
    operation_add(operation, consumer_record_of_current(operation->coordinator->memory, state->id,
                                                        member->id, &current));
    note_removal(operation->coordinator, state, member, REMOVED_TEMPORARILY);
}

enum kafka_error consumer_leave(struct operation *operation,
                                const struct consumer_group_heartbeat_request *request)
{
    struct group *group = coordinator_find_group(operation->coordinator, request->group);
    if (group == NULL || group->type != GROUP_CONSUMER) return KAFKA_GROUP_ID_NOT_FOUND;
    const struct consumer_member *member;
    if (request->instance == NAME_NONE) {
        member = consumer_group_member(group->consumer, request->member);
        if (member == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
    } else {
        member = consumer_group_static(group->consumer, request->instance);
        if (member == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
        if (member->id != request->member) return KAFKA_FENCED_INSTANCE_ID;
    }
    /* The member's own epoch is not compared: whoever knows the id may leave. */
    struct consumer_group_heartbeat_response *response =
        OPERATION_RESPOND(operation, struct consumer_group_heartbeat_response);
    response->member = request->member;
    response->member_epoch = request->member_epoch;
    response->assignment_count = -1;
    if (request->member_epoch == CONSUMER_EPOCH_STATIC_LEAVE) {
        leave_for_a_while(operation, group->consumer, member);
    } else {
        consumer_remove_member(operation, group, member, REMOVED_LEFT);
    }
    return KAFKA_NONE;
}
