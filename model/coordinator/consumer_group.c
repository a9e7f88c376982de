#include "model/coordinator/consumer_group.h"

#include "sim/check.h"

#include <string.h>

struct consumer_group *consumer_group_new(struct memory *memory, const struct names *names,
                                          name_id id)
{
    struct consumer_group *group = memory_take(memory, sizeof *group);
    group->memory = memory;
    group->names = names;
    group->id = id;
    id_map_init(&group->by_id, memory);
    id_map_init(&group->by_instance, memory);
    name_counts_init(&group->subscribed, memory, names);
    name_counts_init(&group->assignors, memory, names);
    name_counts_init(&group->protocols, memory, names);
    partition_epochs_init(&group->partition_epochs, memory);
    return group;
}

void consumer_member_clear_record(struct consumer_group *group, struct consumer_member *member)
{
    memory_give(group->memory, member->topics, sizeof(name_id) * (size_t)member->topic_count);
    memory_give(group->memory, member->protocols,
                sizeof *member->protocols * (size_t)member->protocol_count);
    member->topics = NULL;
    member->topic_count = 0;
    memory_give(group->memory, member->protocol_bytes, member->protocol_bytes_size);
    member->protocols = NULL;
    member->protocol_count = 0;
    member->protocol_bytes = NULL;
    member->protocol_bytes_size = 0;
}

static void member_free(struct consumer_group *group, struct consumer_member *member)
{
    consumer_member_clear_record(group, member);
    partition_set_release(group->memory, &member->assigned);
    partition_set_release(group->memory, &member->revoking);
    partition_set_release(group->memory, &member->target);
    memory_give(group->memory, member, sizeof *member);
}

void consumer_group_free(struct consumer_group *group)
{
    if (group == NULL) return;
    for (uint32_t i = 0; i < group->entry_count; i++)
        member_free(group, group->members[i]);
    memory_give(group->memory, group->members, sizeof *group->members * group->member_capacity);
    memory_give(group->memory, group->topics, sizeof *group->topics * (size_t)group->topic_count);
    id_map_release(&group->by_id);
    id_map_release(&group->by_instance);
    name_counts_release(&group->subscribed);
    name_counts_release(&group->assignors);
    name_counts_release(&group->protocols);
    partition_epochs_release(&group->partition_epochs);
    memory_give(group->memory, group, sizeof *group);
}

struct consumer_member *consumer_group_member(const struct consumer_group *group, name_id member)
{
    struct consumer_member *entry = id_map_get(&group->by_id, member);
    return entry != NULL && entry->is_member ? entry : NULL;
}

struct consumer_member *consumer_group_static(const struct consumer_group *group, name_id instance)
{
    return id_map_get(&group->by_instance, instance);
}

const struct consumer_topic *consumer_group_topic(const struct consumer_group *group, name_id name)
{
    int32_t low = 0;
    int32_t high = group->topic_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (group->topics[middle].name == name) return &group->topics[middle];
        if (names_compare(group->names, group->topics[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

enum group_state consumer_group_state(const struct consumer_group *group)
{
    if (group->member_count == 0) return GROUP_EMPTY;
    if (group->epoch > group->assignment_epoch) return GROUP_ASSIGNING;
    if (group->settled_count < group->member_count) return GROUP_RECONCILING;
    return GROUP_STABLE;
}

bool consumer_group_is_empty(const struct consumer_group *group)
{
    return group->member_count == 0;
}

bool consumer_group_subscribes(const struct consumer_group *group, name_id topic)
{
    return name_counts_get(&group->subscribed, topic) > 0;
}

bool consumer_subscription_is_homogeneous(const struct name_counts *subscribed,
                                          uint32_t member_count)
{
    for (uint32_t i = 0; i < subscribed->count; i++) {
        if ((uint32_t)subscribed->items[i].count != member_count) return false;
    }
    return true;
}

name_id consumer_group_assignor(const struct consumer_group *group, name_id by_default)
{
    name_id most = name_counts_most(&group->assignors);
    return most == NAME_NONE ? by_default : most;
}

bool consumer_group_supports(const struct consumer_group *group,
                             const struct group_protocol *protocols, int32_t count)
{
    if (group->member_count == 0) return count > 0;
    for (int32_t i = 0; i < count; i++) {
        /* With no classic member yet, 0 == 0: every protocol will do. */
        if ((uint32_t)name_counts_get(&group->protocols, protocols[i].name) ==
            group->classic_count) {
            return true;
        }
    }
    return false;
}

bool consumer_group_all_classic_except(const struct consumer_group *group,
                                       const struct consumer_member *member)
{
    return !member->is_classic && group->classic_count == group->member_count - 1;
}

bool consumer_group_waits_for_release(const struct consumer_group *group,
                                      const struct consumer_member *member)
{
    for (uint32_t i = 0; i < member->target.count; i++) {
        partition_key key = member->target.items[i];
        if (partition_set_contains(member->assigned, key)) continue;
        if (partition_epochs_get(&group->partition_epochs, key) != PARTITION_FREE) return true;
    }
    return false;
}

/* Where the member is in ascending order of ids, or would have to be put in. */
static uint32_t place_of(const struct consumer_group *group, name_id member)
{
    uint32_t low = 0;
    uint32_t high = group->entry_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (names_compare(group->names, group->members[middle]->id, member) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct consumer_member *consumer_group_entry(struct consumer_group *group, name_id member)
{
    struct consumer_member *entry = id_map_get(&group->by_id, member);
    if (entry != NULL) return entry;
    entry = memory_take(group->memory, sizeof *entry);
    entry->id = member;
    entry->rebalance_timeout_ms = -1;
    entry->previous_epoch = -1;
    id_map_put(&group->by_id, member, entry);
    if (group->entry_count == group->member_capacity) {
        uint32_t capacity = group->member_capacity == 0 ? 4 : group->member_capacity * 2;
        group->members = memory_resize(group->memory, group->members,
                                       sizeof *group->members * group->member_capacity,
                                       sizeof *group->members * capacity);
        group->member_capacity = capacity;
    }
    uint32_t place = place_of(group, member);
    memmove(&group->members[place + 1], &group->members[place],
            sizeof *group->members * (group->entry_count - place));
    group->members[place] = entry;
    group->entry_count++;
    return entry;
}

void consumer_group_drop_entry(struct consumer_group *group, struct consumer_member *entry)
{
    if (entry->is_member || entry->has_target) return;
    uint32_t place = place_of(group, entry->id);
    CHECK(place < group->entry_count && group->members[place] == entry);
    memmove(&group->members[place], &group->members[place + 1],
            sizeof *group->members * (group->entry_count - place - 1));
    group->entry_count--;
    id_map_remove(&group->by_id, entry->id);
    member_free(group, entry);
}

static bool is_settled(const struct consumer_group *group, const struct consumer_member *member)
{
    return member->state == CONSUMER_MEMBER_STABLE && member->epoch == group->assignment_epoch;
}

static void count_names(struct consumer_group *group, const struct consumer_member *member,
                        int32_t change)
{
    for (int32_t i = 0; i < member->topic_count; i++)
        name_counts_add(&group->subscribed, member->topics[i], change);
    name_counts_add(&group->assignors, member->assignor, change);
    for (int32_t i = 0; i < member->protocol_count; i++)
        name_counts_add(&group->protocols, member->protocols[i].name, change);
}

void consumer_group_uncount(struct consumer_group *group, const struct consumer_member *member)
{
    if (!member->is_member) return;
    group->member_count--;
    if (is_settled(group, member)) group->settled_count--;
    if (member->is_classic) group->classic_count--;
    count_names(group, member, -1);
    partition_epochs_remove(&group->partition_epochs, member->assigned, member->epoch);
    partition_epochs_remove(&group->partition_epochs, member->revoking, member->epoch);
    id_map_remove(&group->by_instance, member->instance);
}

void consumer_group_count(struct consumer_group *group, struct consumer_member *member)
{
    if (!member->is_member) return;
    group->member_count++;
    if (is_settled(group, member)) group->settled_count++;
    if (member->is_classic) group->classic_count++;
    count_names(group, member, 1);
    partition_epochs_add(&group->partition_epochs, member->assigned, member->epoch);
    partition_epochs_add(&group->partition_epochs, member->revoking, member->epoch);
    if (member->instance != NAME_NONE) id_map_put(&group->by_instance, member->instance, member);
}

void consumer_group_set_assignment_epoch(struct consumer_group *group, int32_t epoch)
{
    group->assignment_epoch = epoch;
    group->settled_count = 0;
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct consumer_member *member = group->members[i];
        if (member->is_member && is_settled(group, member)) group->settled_count++;
    }
}
