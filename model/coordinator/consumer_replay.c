#include "model/coordinator/consumer_replay.h"

#include "sim/check.h"

#include <string.h>

bool consumer_record_is(const struct group_record *record)
{
    return record->type >= RECORD_CONSUMER_GROUP_EPOCH &&
           record->type <= RECORD_CONSUMER_CURRENT_ASSIGNMENT;
}

static void replay_topics(struct consumer_group *group, const struct topics_value *value)
{
    memory_give(group->memory, group->topics, sizeof *group->topics * (size_t)group->topic_count);
    group->topics = NULL;
    group->topic_count = value == NULL ? 0 : value->count;
    if (group->topic_count == 0) return;
    group->topics = memory_take(group->memory, sizeof *group->topics * (size_t)group->topic_count);
    for (int32_t i = 0; i < value->count; i++) {
        group->topics[i] = (struct consumer_topic){.name = value->topics[i].topic,
                                                   .id = value->topics[i].id,
                                                   .partitions = value->topics[i].partitions};
    }
}

static void take_protocols(struct consumer_group *group, struct consumer_member *member,
                           const struct consumer_member_value *value)
{
    if (value->protocol_count == 0) return;
    struct memory *memory = group->memory;
    size_t size = sizeof *member->protocols * (size_t)value->protocol_count;
    member->protocols = memory_take(memory, size);
    memcpy(member->protocols, value->protocols, size);
    member->protocol_count = value->protocol_count;
    for (int32_t i = 0; i < value->protocol_count; i++)
        member->protocol_bytes_size += value->protocols[i].metadata.length;
    if (member->protocol_bytes_size == 0) return;
    member->protocol_bytes = memory_take(memory, member->protocol_bytes_size);
    uint8_t *next = member->protocol_bytes;
    for (int32_t i = 0; i < value->protocol_count; i++) {
        struct bytes from = value->protocols[i].metadata;
        if (from.length > 0) memcpy(next, from.data, from.length);
        member->protocols[i].metadata.data = next;
        next += from.length;
    }
}

static void take_member_value(struct consumer_group *group, struct consumer_member *member,
                              const struct consumer_member_value *value)
{
    consumer_member_clear_record(group, member);
    member->instance = value->instance;
    member->rack = value->rack;
    member->client_id = value->client_id;
    member->client_host = value->client_host;
    member->assignor = value->assignor;
    member->rebalance_timeout_ms = value->rebalance_timeout_ms;
    member->is_classic = value->is_classic;
    member->session_timeout_ms = value->session_timeout_ms;
    if (value->topic_count > 0) {
        size_t size = sizeof(name_id) * (size_t)value->topic_count;
        member->topics = memory_take(group->memory, size);
        memcpy(member->topics, value->topics, size);
        member->topic_count = value->topic_count;
    }
    take_protocols(group, member, value);
}

static void replay_member(struct consumer_group *group, const struct group_record *record)
{
    if (record->consumer_member != NULL) {
        struct consumer_member *member = consumer_group_entry(group, record->member);
        consumer_group_uncount(group, member);
        member->is_member = true;
        take_member_value(group, member, record->consumer_member);
        consumer_group_count(group, member);
        return;
    }
    struct consumer_member *member = consumer_group_member(group, record->member);
    if (member == NULL) return;
    /* The order of tombstones: current assignment and target go before the member. A member that
     * never had a current assignment goes when the write of its joining is taken back. */
    CHECK(member->epoch == CONSUMER_EPOCH_LEAVE ||
          (member->epoch == 0 && member->assigned.count == 0 && member->revoking.count == 0));
    CHECK(!member->has_target);
    consumer_group_uncount(group, member);
    member->is_member = false;
    consumer_group_drop_entry(group, member);
}

static void take_partitions(struct consumer_group *group, struct partition_set *set,
                            const struct topic_partition *partitions, int32_t count)
{
    struct partition_list list;
    partition_list_init(&list, group->memory);
    partition_list_add_all(&list, partitions, count);
    partition_set_replace(group->memory, set, partition_list_view(&list));
    partition_list_release(&list);
}

static void replay_target(struct consumer_group *group, const struct group_record *record)
{
    struct consumer_member *entry;
    if (record->target == NULL) {
        entry = id_map_get(&group->by_id, record->member);
        if (entry == NULL || !entry->has_target) return;
        entry->has_target = false;
        group->target_count--;
        partition_set_release(group->memory, &entry->target);
        consumer_group_drop_entry(group, entry);
        return;
    }
    entry = consumer_group_entry(group, record->member);
    if (!entry->has_target) group->target_count++;
    entry->has_target = true;
    take_partitions(group, &entry->target, record->target->partitions, record->target->count);
}

static void replay_current(struct consumer_group *group, const struct group_record *record)
{
    const struct current_assignment_value *value = record->current;
    struct consumer_member *member = value != NULL ? consumer_group_entry(group, record->member)
                                                   : consumer_group_member(group, record->member);
    if (member == NULL) return;
    consumer_group_uncount(group, member);
    member->is_member = true;
    if (value != NULL) {
        member->epoch = value->epoch;
        member->previous_epoch = value->previous_epoch;
        member->state = consumer_member_state_of(value->state);
        take_partitions(group, &member->assigned, value->assigned, value->assigned_count);
        take_partitions(group, &member->revoking, value->revoking, value->revoking_count);
    } else {
        /* The state stays (Kafka's Builder keeps it): the member is about to go. */
        member->epoch = CONSUMER_EPOCH_LEAVE;
        member->previous_epoch = CONSUMER_EPOCH_LEAVE;
        partition_set_release(group->memory, &member->assigned);
        partition_set_release(group->memory, &member->revoking);
    }
    consumer_group_count(group, member);
}

bool consumer_group_replay(struct consumer_group *group, const struct group_record *record)
{
    CHECK(record->group == group->id);
    switch (record->type) {
    case RECORD_CONSUMER_GROUP_EPOCH:
        if (record->epoch == NULL) {
            CHECK(group->member_count == 0 && group->target_count == 0);
            CHECK(group->assignment_epoch == -1);
            return false;
        }
        group->epoch = record->epoch->epoch;
        return true;
    case RECORD_CONSUMER_TOPICS: replay_topics(group, record->topics); return true;
    case RECORD_CONSUMER_MEMBER: replay_member(group, record); return true;
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH:
        CHECK(record->epoch != NULL || group->target_count == 0);
        consumer_group_set_assignment_epoch(group,
                                            record->epoch == NULL ? -1 : record->epoch->epoch);
        return true;
    case RECORD_CONSUMER_TARGET: replay_target(group, record); return true;
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT: replay_current(group, record); return true;
    case RECORD_ERASED:
    case RECORD_OFFSET_COMMIT:
    case RECORD_GROUP_METADATA: break;
    }
    CHECK(false); /* not a record of a consumer group */
    return true;
}

struct group_record consumer_record_of_member(struct memory *memory, name_id group,
                                              const struct consumer_member *member)
{
    const struct consumer_member_value value = {
        .instance = member->instance,
        .rack = member->rack,
        .client_id = member->client_id,
        .client_host = member->client_host,
        .assignor = member->assignor,
        .rebalance_timeout_ms = member->rebalance_timeout_ms,
        .topic_count = member->topic_count,
        .topics = member->topics,
        .is_classic = member->is_classic,
        .session_timeout_ms = member->session_timeout_ms,
        .protocol_count = member->protocol_count,
        .protocols = member->protocols,
    };
    return group_record_consumer_member(memory, group, member->id, &value);
}

/* Partitions in the order of the set: within a record it means nothing. */
static struct topic_partition *expand(struct memory *memory, struct partition_set set)
{
    if (set.count == 0) return NULL;
    struct topic_partition *partitions = memory_take(memory, sizeof *partitions * set.count);
    for (uint32_t i = 0; i < set.count; i++) {
        partitions[i] =
            (struct topic_partition){.topic = partition_key_topic(set.items[i]),
                                     .partition = partition_key_partition(set.items[i])};
    }
    return partitions;
}

struct group_record consumer_record_of_target(struct memory *memory, name_id group, name_id member,
                                              struct partition_set target)
{
    struct topic_partition *partitions = expand(memory, target);
    struct group_record record =
        group_record_target(memory, group, member, partitions, (int32_t)target.count);
    memory_give(memory, partitions, sizeof *partitions * target.count);
    return record;
}

struct group_record consumer_record_of_current(struct memory *memory, name_id group, name_id member,
                                               const struct consumer_current *current)
{
    struct topic_partition *assigned = expand(memory, current->assigned);
    struct topic_partition *revoking = expand(memory, current->revoking);
    const struct current_assignment_value value = {
        .epoch = current->epoch,
        .previous_epoch = current->previous_epoch,
        .state = (int32_t)current->state,
        .assigned_count = (int32_t)current->assigned.count,
        .assigned = assigned,
        .revoking_count = (int32_t)current->revoking.count,
        .revoking = revoking,
    };
    struct group_record record = group_record_current(memory, group, member, &value);
    memory_give(memory, assigned, sizeof *assigned * current->assigned.count);
    memory_give(memory, revoking, sizeof *revoking * current->revoking.count);
    return record;
}

struct group_record consumer_record_of_epoch(struct memory *memory, name_id group, int32_t epoch)
{
    return group_record_epoch(memory, RECORD_CONSUMER_GROUP_EPOCH, group,
                              &(struct epoch_value){.epoch = epoch});
}

struct group_record consumer_record_of_assignment_epoch(struct memory *memory, name_id group,
                                                        int32_t epoch)
{
    return group_record_epoch(memory, RECORD_CONSUMER_ASSIGNMENT_EPOCH, group,
                              &(struct epoch_value){.epoch = epoch});
}

struct group_record consumer_record_of_topics(struct memory *memory, name_id group,
                                              const struct consumer_topic *topics, int32_t count)
{
    struct topics_value *value;
    size_t size = sizeof *value + sizeof value->topics[0] * (size_t)count;
    value = memory_take(memory, size);
    value->count = count;
    for (int32_t i = 0; i < count; i++) {
        value->topics[i].topic = topics[i].name;
        value->topics[i].id = topics[i].id;
        value->topics[i].partitions = topics[i].partitions;
    }
    struct group_record record = group_record_topics(memory, group, value);
    memory_give(memory, value, size);
    return record;
}

struct group_record consumer_record_tombstone(struct memory *memory, enum group_record_type type,
                                              name_id group, name_id member)
{
    switch (type) {
    case RECORD_CONSUMER_GROUP_EPOCH:
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH: return group_record_epoch(memory, type, group, NULL);
    case RECORD_CONSUMER_TOPICS: return group_record_topics(memory, group, NULL);
    case RECORD_CONSUMER_MEMBER: return group_record_consumer_member(memory, group, member, NULL);
    case RECORD_CONSUMER_TARGET: return group_record_target_tombstone(group, member);
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT:
        return group_record_current(memory, group, member, NULL);
    case RECORD_ERASED:
    case RECORD_OFFSET_COMMIT:
    case RECORD_GROUP_METADATA: break;
    }
    CHECK(false); /* not a record of a consumer group */
    return (struct group_record){0};
}

/* The record of a key of the group itself, NULL member. */
static bool group_key_now(struct memory *memory, const struct consumer_group *group,
                          enum group_record_type type, struct group_record *now)
{
    switch (type) {
    case RECORD_CONSUMER_GROUP_EPOCH:
        *now = consumer_record_of_epoch(memory, group->id, group->epoch);
        return true;
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH:
        if (group->assignment_epoch == -1) return false;
        *now = consumer_record_of_assignment_epoch(memory, group->id, group->assignment_epoch);
        return true;
    case RECORD_CONSUMER_TOPICS:
        *now = consumer_record_of_topics(memory, group->id, group->topics, group->topic_count);
        return true;
    case RECORD_CONSUMER_MEMBER:
    case RECORD_CONSUMER_TARGET:
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT:
    case RECORD_ERASED:
    case RECORD_OFFSET_COMMIT:
    case RECORD_GROUP_METADATA: break;
    }
    return false;
}

struct group_record consumer_record_now(struct memory *memory, const struct consumer_group *group,
                                        const struct group_record *record)
{
    struct group_record now;
    const struct consumer_member *member = NULL;
    if (group != NULL && group_key_now(memory, group, record->type, &now)) return now;
    if (group != NULL && record->member != NAME_NONE) {
        member = id_map_get(&group->by_id, record->member);
    }
    if (member != NULL && record->type == RECORD_CONSUMER_MEMBER && member->is_member) {
        return consumer_record_of_member(memory, group->id, member);
    }
    if (member != NULL && record->type == RECORD_CONSUMER_TARGET && member->has_target) {
        return consumer_record_of_target(memory, group->id, member->id, member->target);
    }
    if (member != NULL && record->type == RECORD_CONSUMER_CURRENT_ASSIGNMENT && member->is_member &&
        member->epoch != CONSUMER_EPOCH_LEAVE) {
        const struct consumer_current current = {
            .state = member->state,
            .epoch = member->epoch,
            .previous_epoch = member->previous_epoch,
            .assigned = member->assigned,
            .revoking = member->revoking,
        };
        return consumer_record_of_current(memory, group->id, member->id, &current);
    }
    return consumer_record_tombstone(memory, record->type, record->group, record->member);
}

static void copy_key(struct consumer_group *copy, const struct consumer_group *from,
                     enum group_record_type type, name_id member)
{
    const struct group_record key = {.type = type, .group = from->id, .member = member};
    struct group_record record = consumer_record_now(from->memory, from, &key);
    if (record.value != NULL) consumer_group_replay(copy, &record);
    group_record_free(from->memory, &record);
}

struct consumer_group *consumer_group_copy(const struct consumer_group *from)
{
    struct consumer_group *copy = consumer_group_new(from->memory, from->names, from->id);
    copy_key(copy, from, RECORD_CONSUMER_GROUP_EPOCH, NAME_NONE);
    copy_key(copy, from, RECORD_CONSUMER_TOPICS, NAME_NONE);
    for (uint32_t i = 0; i < from->entry_count; i++) {
        name_id member = from->members[i]->id;
        copy_key(copy, from, RECORD_CONSUMER_MEMBER, member);
        copy_key(copy, from, RECORD_CONSUMER_TARGET, member);
        copy_key(copy, from, RECORD_CONSUMER_CURRENT_ASSIGNMENT, member);
    }
    consumer_group_set_assignment_epoch(copy, from->assignment_epoch);
    return copy;
}
