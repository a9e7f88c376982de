/* model/coordinator/consumer_apply.c: consumer groups under the shard's log.
 *
 * The shard applies every record, live or loaded, and keeps what would take it back until the
 * record is committed. Reads of the committed state look at what is kept. */
#include "model/coordinator/consumer_group.h"
#include "model/coordinator/consumer_replay.h"
#include "model/coordinator/consumer_requests.h"
#include "sim/check.h"

struct group_record consumer_group_current_record(struct coordinator *coordinator,
                                                  const struct group_record *record)
{
    const struct group *group = coordinator_find_group(coordinator, record->group);
    const struct consumer_group *state =
        group != NULL && group->type == GROUP_CONSUMER ? group->consumer : NULL;
    return consumer_record_now(coordinator->memory, state, record);
}

static void note_current(struct coordinator *coordinator, const struct group_record *record)
{
    const struct current_assignment_value *value = record->current;
    if (value == NULL) return;
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_ASSIGNED,
                                                      .group = record->group,
                                                      .member = record->member,
                                                      .generation = value->epoch,
                                                      .count = value->assigned_count,
                                                      .detail = value->revoking_count});
}

static void note_target(struct coordinator *coordinator, const struct group_record *record,
                        const struct consumer_group *group)
{
    const struct target_value *value = record->target;
    if (value == NULL) return;
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_TARGET,
                                                      .group = record->group,
                                                      .member = record->member,
                                                      .generation = group->epoch,
                                                      .count = value->count});
}

static void note_member(struct coordinator *coordinator, const struct group_record *record)
{
    const struct consumer_member_value *value = record->consumer_member;
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_ADDED,
                                                      .group = record->group,
                                                      .member = record->member,
                                                      .instance = value->instance,
                                                      .client_id = value->client_id,
                                                      .client_host = value->client_host});
}

/* GroupMetadataManager.getOrMaybeCreatePersistedConsumerGroup: records make the group, tombstones
 * do not. A simple group only stands for offsets and makes room. */
static bool find_or_make(struct coordinator *coordinator, struct group *group, bool make)
{
    if (group->type == GROUP_CONSUMER) return true;
    if (!make) return false;
    group_become_consumer(coordinator, group,
                          consumer_group_new(coordinator->memory, coordinator->names, group->id));
    return true;
}

void consumer_group_apply(struct coordinator *coordinator, const struct group_record *record)
{
    CHECK(consumer_record_is(record));
    struct group *group = coordinator_group(coordinator, record->group);
    if (!find_or_make(coordinator, group, record->value != NULL)) return;
    bool live = coordinator->state == COORDINATOR_ACTIVE;
    if (live && record->type == RECORD_CONSUMER_MEMBER && record->value != NULL &&
        consumer_group_member(group->consumer, record->member) == NULL) {
        note_member(coordinator, record);
    }
    if (!consumer_group_replay(group->consumer, record)) {
        group_become_absent(coordinator, group);
        return;
    }
    if (live && record->type == RECORD_CONSUMER_CURRENT_ASSIGNMENT) {
        note_current(coordinator, record);
    } else if (live && record->type == RECORD_CONSUMER_TARGET) {
        note_target(coordinator, record, group->consumer);
    }
}

void consumer_on_applied(struct coordinator *coordinator, const struct group_record *last)
{
    if (!consumer_record_is(last)) return;
    const struct group *group = coordinator_find_group(coordinator, last->group);
    if (group == NULL || group->type != GROUP_CONSUMER) return;
    struct consumer_group *state = group->consumer;
    enum group_state now = consumer_group_state(state);
    if (now == state->noted_state) return;
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_GROUP_STATE,
                                                      .group = group->id,
                                                      .old_state = state->noted_state,
                                                      .state = now,
                                                      .generation = state->epoch,
                                                      .count = (int32_t)state->member_count});
    state->noted_state = now;
}

enum group_state consumer_state(const struct group *group)
{
    return consumer_group_state(group->consumer);
}

bool consumer_is_subscribed(const struct group *group, name_id topic)
{
    return consumer_group_subscribes(group->consumer, topic);
}
