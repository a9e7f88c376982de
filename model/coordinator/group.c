/* model/coordinator/group.c: the shard's groups, by id and in order. */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/journal.h"

#include "sim/check.h"

#include <string.h>

#define GROUPS_INITIAL 8

struct group *coordinator_find_group(const struct coordinator *coordinator, name_id id)
{
    return id_map_get(&coordinator->groups_by_id, id);
}

struct group *coordinator_group(struct coordinator *coordinator, name_id id)
{
    struct group *group = coordinator_find_group(coordinator, id);
    if (group != NULL) return group;
    group = memory_take(coordinator->memory, sizeof(*group));
    *group = (struct group){.id = id};
    if (coordinator->group_count == coordinator->group_capacity) {
        uint32_t capacity =
            coordinator->group_capacity == 0 ? GROUPS_INITIAL : coordinator->group_capacity * 2;
        coordinator->groups =
            memory_resize(coordinator->memory, coordinator->groups,
                          sizeof(group) * coordinator->group_capacity, sizeof(group) * capacity);
        coordinator->group_capacity = capacity;
    }
    uint32_t place = 0;
    while (place < coordinator->group_count &&
           names_compare(coordinator->names, coordinator->groups[place]->id, id) < 0)
        place++;
    memmove(&coordinator->groups[place + 1], &coordinator->groups[place],
            sizeof(group) * (coordinator->group_count - place));
    coordinator->groups[place] = group;
    coordinator->group_count++;
    id_map_put(&coordinator->groups_by_id, id, group);
    return group;
}

uint32_t coordinator_group_count(const struct coordinator *coordinator)
{
    return coordinator->group_count;
}

struct group *coordinator_group_at(const struct coordinator *coordinator, uint32_t index)
{
    CHECK(index < coordinator->group_count);
    return coordinator->groups[index];
}

static void note_change(struct coordinator *coordinator, const struct group *group,
                        enum group_type former_type)
{
    enum group_note_kind kind = NOTE_GROUP_CONVERTED;
    if (former_type == group->type) return;
    if (former_type == GROUP_ABSENT) kind = NOTE_GROUP_CREATED;
    if (group->type == GROUP_ABSENT) kind = NOTE_GROUP_DELETED;
    coordinator_note(coordinator, (struct group_note){.kind = kind,
                                                      .group = group->id,
                                                      .detail = (int32_t)group->type});
}

static void become(struct coordinator *coordinator, struct group *group, enum group_type type,
                   struct classic_group *classic, struct consumer_group *consumer)
{
    enum group_type former_type = group->type;
    if (former_type == type && group->classic == classic && group->consumer == consumer) return;
    struct journal_entry *entry =
        journal_add(coordinator, JOURNAL_GROUP, group, coordinator->next_offset);
    if (group->classic != NULL) classic_group_suspend(coordinator, group->classic);
    if (entry != NULL) {
        entry->former.type = former_type;
        entry->former.classic = group->classic;
        entry->former.consumer = group->consumer;
    } else {
        classic_group_free(coordinator, group->classic);
        if (group->consumer != NULL) consumer_group_free(group->consumer);
        group->committed_type = type;
    }
    group->type = type;
    group->classic = classic;
    group->consumer = consumer;
    note_change(coordinator, group, former_type);
}

void group_become_classic(struct coordinator *coordinator, struct group *group,
                          struct classic_group *classic)
{
    become(coordinator, group, GROUP_CLASSIC, classic, NULL);
}

void group_become_consumer(struct coordinator *coordinator, struct group *group,
                           struct consumer_group *consumer)
{
    become(coordinator, group, GROUP_CONSUMER, NULL, consumer);
}

void group_become_absent(struct coordinator *coordinator, struct group *group)
{
    become(coordinator, group, GROUP_ABSENT, NULL, NULL);
}

name_id coordinator_make_member_id(struct coordinator *coordinator, struct group *group,
                                   name_id prefix)
{
    return coordinator->options.make_member_id(coordinator->options.make_member_id_self, group->id,
                                               prefix, coordinator->leader_epoch,
                                               group->member_ids_issued++);
}
