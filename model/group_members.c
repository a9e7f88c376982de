#include "model/group_members.h"

#include "model/consumer_protocol.h"
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_group.h"
#include "model/coordinator/consumer_topics.h"

int32_t group_members_count(const struct coordinator *coordinator, name_id id)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL) return 0;
    if (group->type == GROUP_CLASSIC) return group->classic->member_count;
    if (group->type == GROUP_CONSUMER) return (int32_t)group->consumer->member_count;
    return 0;
}

bool group_members_visit_classic(struct memory *memory, struct names *names,
                                 const struct coordinator *coordinator, name_id id,
                                 group_partition_visitor *visitor, void *self)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL || group->type != GROUP_CLASSIC) return false;
    for (int32_t m = 0; m < group->classic->member_count; m++) {
        const struct classic_member *member = group->classic->members[m];
        struct assignment assignment;
        if (!assignment_decode(memory, names, member->assignment, &assignment)) continue;
        for (int32_t p = 0; p < assignment.partition_count; p++) {
            visitor(self, member->id, assignment.partitions[p], group->classic->generation);
        }
        assignment_free(memory, &assignment);
    }
    return true;
}

static const struct consumer_member *consumer_member_of(const struct coordinator *coordinator,
                                                        name_id id, name_id member)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL || group->type != GROUP_CONSUMER) return NULL;
    return consumer_group_member(group->consumer, member);
}

/* Partitions of topics that are there: a member may still hold some of a topic that is gone. */
static void visit_set(const struct coordinator *coordinator, const struct partition_set *set,
                      name_id member, int32_t generation, group_partition_visitor *visitor,
                      void *self)
{
    for (uint32_t i = 0; i < set->count; i++) {
        partition_key key = set->items[i];
        name_id id = partition_key_topic(key);
        name_id topic = consumer_topic_name(coordinator, id);
        if (consumer_topic_id(coordinator, topic) != id) continue;
        visitor(self, member, (struct topic_partition){topic, partition_key_partition(key)},
                generation);
    }
}

bool group_members_visit_consumer(const struct coordinator *coordinator, name_id id,
                                  name_id member_id, group_partition_visitor *visitor, void *self)
{
    const struct consumer_member *member = consumer_member_of(coordinator, id, member_id);
    if (member == NULL) return false;
    visit_set(coordinator, &member->assigned, member_id, member->epoch, visitor, self);
    return true;
}

bool group_members_visit_target(const struct coordinator *coordinator, name_id id,
                                name_id member_id, group_partition_visitor *visitor, void *self)
{
    const struct consumer_member *member = consumer_member_of(coordinator, id, member_id);
    if (member == NULL) return false;
    int32_t epoch = coordinator_find_group(coordinator, id)->consumer->epoch;
    visit_set(coordinator, &member->target, member_id, epoch, visitor, self);
    return true;
}

void group_members_visit(const struct coordinator *coordinator, name_id id,
                         group_member_visitor *visitor, void *self)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL) return;
    if (group->type == GROUP_CLASSIC) {
        for (int32_t m = 0; m < group->classic->member_count; m++) {
            const struct classic_member *member = group->classic->members[m];
            visitor(self, member->id, member->instance, member->client_id, member->client_host);
        }
    }
    if (group->type == GROUP_CONSUMER) {
        for (uint32_t m = 0; m < group->consumer->entry_count; m++) {
            const struct consumer_member *member = group->consumer->members[m];
            if (!member->is_member) continue;
            visitor(self, member->id, member->instance, member->client_id, member->client_host);
        }
    }
}

bool group_members_state(const struct coordinator *coordinator, name_id id, enum group_state *state,
                         int32_t *generation)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL) return false;
    if (group->type == GROUP_CLASSIC && group->classic->protocol_type != NAME_NONE) {
        *state = group->classic->state;
        *generation = group->classic->generation;
        return true;
    }
    if (group->type == GROUP_CONSUMER) {
        *state = consumer_group_state(group->consumer);
        *generation = group->consumer->epoch;
        return true;
    }
    return false;
}

void group_members_visit_offsets(const struct coordinator *coordinator, name_id id,
                                 group_offset_visitor *visitor, void *self)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL) return;
    for (uint32_t i = 0; i < group->offsets.count; i++) {
        const struct offset_slot *slot = group->offsets.slots[i];
        if (slot->value.present) visitor(self, slot->partition, slot->value.offset);
    }
}

uint32_t group_members_group_count(const struct coordinator *coordinator)
{
    return coordinator_group_count(coordinator);
}

name_id group_members_group_at(const struct coordinator *coordinator, uint32_t index)
{
    return coordinator_group_at(coordinator, index)->id;
}
