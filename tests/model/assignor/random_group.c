#include "tests/model/assignor/random_group.h"

#include <string.h>

static const struct random_size smallest = {.members = 1, .topics = 1, .partitions = 1};

static void shuffle(int32_t *items, int32_t count, struct rng *rng)
{
    for (int32_t i = 0; i < count; i++)
        items[i] = i;
    for (int32_t i = count - 1; i > 0; i--) {
        const int32_t j = (int32_t)rng_next_below(rng, (uint64_t)i + 1);
        const int32_t swap = items[i];
        items[i] = items[j];
        items[j] = swap;
    }
}

static bool chance(struct rng *rng, uint64_t percent)
{
    return rng_next_below(rng, 100) < percent;
}

static int32_t between(struct rng *rng, int32_t low, int32_t high)
{
    return low + (int32_t)rng_next_below(rng, (uint64_t)(high - low) + 1);
}

static name_id rack_name(struct random_group *group, struct rng *rng)
{
    if (chance(rng, 10)) return NAME_NONE;
    return names_format(group->names, "rack-%d", between(rng, 0, 3));
}

static void draw_topics(struct random_group *group, struct rng *rng, struct random_size size,
                        bool all_exist)
{
    const int32_t count = between(rng, smallest.topics, size.topics);
    const int32_t common = between(rng, smallest.partitions, size.partitions);
    const bool alike = chance(rng, 50);
    int32_t *order = memory_keep(group->memory, sizeof(int32_t) * (size_t)count);
    struct assign_topic *topics = memory_keep(group->memory, sizeof(*topics) * (size_t)count);
    shuffle(order, count, rng);
    for (int32_t t = 0; t < count; t++) {
        struct assign_topic *topic = &topics[t];
        topic->name = names_format(group->names, "t%d", order[t]);
        topic->id_high = (int64_t)rng_next_u64(rng);
        topic->id_low = order[t];
        topic->partition_count =
            alike ? common : between(rng, smallest.partitions, size.partitions);
        if (!all_exist && chance(rng, 10)) topic->partition_count = -1;
        if (!group->racks || topic->partition_count < 0) continue;
        topic->rack_slots = between(rng, 1, 3);
        name_id *racks = memory_keep(group->memory, sizeof(name_id) * (size_t)topic->rack_slots *
                                                        (size_t)topic->partition_count);
        for (int32_t i = 0; i < topic->rack_slots * topic->partition_count; i++) {
            racks[i] = rack_name(group, rng);
        }
        topic->racks = racks;
    }
    group->input.topics = topics;
    group->input.topic_count = count;
}

static void draw_members(struct random_group *group, struct rng *rng, struct random_size size)
{
    const int32_t count = between(rng, smallest.members, size.members);
    const int32_t topics = group->input.topic_count;
    int32_t *order = memory_keep(group->memory, sizeof(int32_t) * (size_t)count);
    struct assign_member *members = memory_keep(group->memory, sizeof(*members) * (size_t)count);
    shuffle(order, count, rng);
    for (int32_t m = 0; m < count; m++) {
        struct assign_member *member = &members[m];
        int32_t *list = memory_keep(group->memory, sizeof(int32_t) * (size_t)topics);
        *member = (struct assign_member){.id = names_format(group->names, "m%03d", order[m]),
                                         .generation = -1,
                                         .user_data_generation = -1,
                                         .topics = list};
        if (chance(rng, 25)) {
            member->instance = names_format(group->names, "i%03d", count - order[m]);
        }
        if (group->racks) member->rack = rack_name(group, rng);
        for (int32_t t = 0; t < topics; t++) {
            if (group->equal || chance(rng, 50)) list[member->topic_count++] = t;
        }
    }
    group->input.members = members;
    group->input.member_count = count;
}

static struct assign_member *members_of(struct random_group *group)
{
    union {
        const struct assign_member *borrowed;
        struct assign_member *own;
    } members = {.borrowed = group->input.members};
    return members.own;
}

static void set_owned(struct assign_member *member, const struct assign_partition *owned,
                      int32_t count, int32_t generation)
{
    member->owned = owned;
    member->owned_count = count;
    member->generation = generation;
    member->user_data_owned = owned;
    member->user_data_owned_count = count;
    member->user_data_generation = generation;
}

static bool subscribes(const struct assign_member *member, int32_t topic)
{
    for (int32_t i = 0; i < member->topic_count; i++) {
        if (member->topics[i] == topic) return true;
    }
    return false;
}

/* Whether all who subscribe to anything subscribe to the same, also if it was not meant so. */
static bool all_equal(const struct assign_input *input)
{
    int32_t subscribed = 0;
    for (int32_t m = 0; m < input->member_count; m++) {
        if (input->members[m].topic_count > 0) subscribed++;
    }
    for (int32_t t = 0; t < input->topic_count; t++) {
        int32_t count = 0;
        for (int32_t m = 0; m < input->member_count; m++) {
            if (subscribes(&input->members[m], t)) count++;
        }
        if (count != 0 && count != subscribed) return false;
    }
    return true;
}

/* Some have a liking for the first members, so that there is something to even out. */
static int32_t draw_owner(const struct assign_input *input, struct rng *rng, bool lopsided)
{
    const int32_t m = between(rng, 0, input->member_count - 1);
    return lopsided && m > 1 && chance(rng, 70) ? m % 2 : m;
}

static void draw_settled(struct random_group *group, struct rng *rng)
{
    const struct assign_input *input = &group->input;
    struct assign_output owners = assign_output_new(group->memory, input);
    const uint64_t percent = 40 + rng_next_below(rng, 61);
    const bool lopsided = chance(rng, 50);
    for (int32_t t = 0; t < input->topic_count; t++) {
        for (int32_t slot = owners.first_slot[t]; slot < owners.first_slot[t + 1]; slot++) {
            const int32_t m = draw_owner(input, rng, lopsided);
            if (chance(rng, percent) && subscribes(&input->members[m], t)) owners.owner[slot] = m;
        }
    }
    random_group_adopt(group, &owners);
}

static void draw_disputed(struct random_group *group, struct rng *rng)
{
    const struct assign_input *input = &group->input;
    int32_t slots = 0;
    for (int32_t t = 0; t < input->topic_count; t++)
        slots += input->topics[t].partition_count + 2;
    for (int32_t m = 0; m < input->member_count; m++) {
        struct assign_member *member = &members_of(group)[m];
        struct assign_partition *owned = memory_keep(group->memory, sizeof(*owned) * (size_t)slots);
        int32_t count = 0;
        const uint64_t percent = rng_next_below(rng, 60);
        for (int32_t t = 0; t < input->topic_count; t++) {
            for (int32_t p = -1; p <= input->topics[t].partition_count; p++) {
                if (!chance(rng, percent)) continue;
                owned[count++] = (struct assign_partition){.topic = t, .partition = p};
            }
        }
        set_owned(member, owned, count, between(rng, -1, 4));
        if (chance(rng, 10)) member->generation = -1;
        if (chance(rng, 5)) member->user_data_generation = between(rng, -1, 4);
    }
}

struct random_group random_group(uint64_t seed, struct random_size size, bool all_exist)
{
    const struct rng_key key = rng_key(seed, 0, RNG_TEST);
    struct rng rng = rng_start(&key, 0);
    struct random_group group = {.memory = memory_new()};
    group.names = names_new(group.memory);
    group.equal = chance(&rng, 50);
    group.racks = chance(&rng, 25);
    group.previous = (enum random_previous)rng_next_below(&rng, 3);
    draw_topics(&group, &rng, size, all_exist);
    draw_members(&group, &rng, size);
    group.input.names = group.names;
    group.equal = all_equal(&group.input);
    if (group.previous == PREVIOUS_SETTLED) draw_settled(&group, &rng);
    if (group.previous == PREVIOUS_DISPUTED) draw_disputed(&group, &rng);
    return group;
}

void random_group_free(struct random_group *group)
{
    memory_free_all(group->memory);
    *group = (struct random_group){0};
}

static const struct assign_partition *moved_topics(struct random_group *group,
                                                   const struct assign_partition *owned,
                                                   int32_t count, const int32_t *topic_place)
{
    struct assign_partition *moved =
        memory_keep(group->memory, sizeof(*moved) * ((size_t)count + 1));
    for (int32_t i = 0; i < count; i++) {
        moved[i] = (struct assign_partition){.topic = topic_place[owned[i].topic],
                                             .partition = owned[i].partition};
    }
    return moved;
}

struct assign_input random_group_shuffled(struct random_group *group, struct rng *rng,
                                          int32_t *place, int32_t *topic_place)
{
    struct assign_input shuffled = group->input;
    struct assign_topic *topics =
        memory_keep(group->memory, sizeof(*topics) * (size_t)shuffled.topic_count);
    struct assign_member *members =
        memory_keep(group->memory, sizeof(*members) * (size_t)shuffled.member_count);
    shuffle(place, shuffled.member_count, rng);
    shuffle(topic_place, shuffled.topic_count, rng);
    for (int32_t t = 0; t < shuffled.topic_count; t++) {
        topics[topic_place[t]] = group->input.topics[t];
    }
    for (int32_t m = 0; m < shuffled.member_count; m++) {
        struct assign_member member = group->input.members[m];
        int32_t *list =
            memory_keep(group->memory, sizeof(int32_t) * ((size_t)member.topic_count + 1));
        for (int32_t i = 0; i < member.topic_count; i++) {
            list[member.topic_count - 1 - i] = topic_place[member.topics[i]];
        }
        member.topics = list;
        member.owned = moved_topics(group, member.owned, member.owned_count, topic_place);
        member.user_data_owned =
            moved_topics(group, member.user_data_owned, member.user_data_owned_count, topic_place);
        members[place[m]] = member;
    }
    shuffled.topics = topics;
    shuffled.members = members;
    return shuffled;
}

void random_group_adopt(struct random_group *group, const struct assign_output *output)
{
    const struct assign_input *input = &group->input;
    int32_t newest = 0;
    for (int32_t m = 0; m < input->member_count; m++) {
        if (input->members[m].generation > newest) newest = input->members[m].generation;
    }
    for (int32_t m = 0; m < input->member_count; m++) {
        struct assign_partition *owned =
            memory_keep(group->memory, sizeof(*owned) * ((size_t)output->slot_count + 1));
        int32_t count = 0;
        for (int32_t t = 0; t < input->topic_count; t++) {
            for (int32_t slot = output->first_slot[t]; slot < output->first_slot[t + 1]; slot++) {
                if (output->owner[slot] != m) continue;
                owned[count++] =
                    (struct assign_partition){.topic = t,
                                              .partition = slot - output->first_slot[t]};
            }
        }
        set_owned(&members_of(group)[m], owned, count, newest + 1);
    }
}
