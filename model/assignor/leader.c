#include "model/assignor/leader.h"

#include "model/assignor/numbering.h"
#include "model/assignor/order.h"
#include "sim/check.h"

#include <string.h>

struct leader {
    struct memory *memory;
    struct scratch scratch;
    struct names *names;
    struct assign_topic *topics; /* the metadata's, then topics that do not exist */
    int32_t topic_count;
    struct numbering topic_index; /* by name */
    struct assign_member *members;
    struct assign_partition *partitions; /* claims of all members */
    int32_t partition_count;
};

static bool is_sticky(const struct assignor *assignor)
{
    return strcmp(assignor->name, "sticky") == 0;
}

static bool is_cooperative_sticky(const struct assignor *assignor)
{
    return strcmp(assignor->name, "cooperative-sticky") == 0;
}

/* Numbers the topics: first the metadata's, then those that are only subscribed to. */
static void number_topics(struct leader *leader, const struct leader_member *members,
                          int32_t member_count, const struct assign_topic *topics,
                          int32_t topic_count)
{
    leader->topic_index = numbering_new(leader->memory);
    for (int32_t t = 0; t < topic_count; t++) {
        const int32_t index = numbering_add(&leader->topic_index, topics[t].name);
        CHECK(index == t); /* no topic twice */
    }
    for (int32_t m = 0; m < member_count; m++) {
        const struct subscription *subscription = members[m].subscription;
        for (int32_t i = 0; i < subscription->topic_count; i++) {
            numbering_add(&leader->topic_index, subscription->topics[i]);
        }
    }
    leader->topic_count = leader->topic_index.count;
    leader->topics = SCRATCH_ARRAY(&leader->scratch, struct assign_topic, leader->topic_count);
    if (topic_count > 0) memcpy(leader->topics, topics, sizeof(*topics) * (size_t)topic_count);
    for (int32_t m = 0; m < member_count; m++) {
        const struct subscription *subscription = members[m].subscription;
        for (int32_t i = 0; i < subscription->topic_count; i++) {
            const int32_t index = numbering_find(&leader->topic_index, subscription->topics[i]);
            if (index < topic_count) continue;
            leader->topics[index] =
                (struct assign_topic){.name = subscription->topics[i], .partition_count = -1};
        }
    }
}

/* Claims as indexes; those on topics nobody knows are left out. */
static const struct assign_partition *add_claims(struct leader *leader,
                                                 const struct topic_partition *claims,
                                                 int32_t count, int32_t *added)
{
    struct assign_partition *first = leader->partitions + leader->partition_count;
    *added = 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t topic = numbering_find(&leader->topic_index, claims[i].topic);
        if (topic < 0) continue;
        first[(*added)++] =
            (struct assign_partition){.topic = topic, .partition = claims[i].partition};
    }
    leader->partition_count += *added;
    return first;
}

static void fill_member(struct leader *leader, const struct assignor *assignor,
                        const struct leader_member *from, const struct sticky_user_data *user_data,
                        int32_t *topics, struct assign_member *member)
{
    const struct subscription *subscription = from->subscription;
    *member = (struct assign_member){.id = from->id,
                                     .instance = from->instance,
                                     .rack = subscription->rack,
                                     .topics = topics,
                                     .topic_count = subscription->topic_count,
                                     .generation = subscription->generation,
                                     .user_data_generation = ASSIGN_GENERATION_UNKNOWN};
    for (int32_t i = 0; i < subscription->topic_count; i++) {
        topics[i] = numbering_find(&leader->topic_index, subscription->topics[i]);
    }
    member->owned =
        add_claims(leader, subscription->owned, subscription->owned_count, &member->owned_count);
    if (is_sticky(assignor)) {
        member->user_data_owned = add_claims(leader, user_data->owned, user_data->owned_count,
                                             &member->user_data_owned_count);
        member->user_data_generation = user_data->generation;
    } else if (is_cooperative_sticky(assignor)) {
        cooperative_sticky_user_data_decode(subscription->user_data, &member->user_data_generation);
    }
}

static void fill_members(struct leader *leader, const struct assignor *assignor,
                         const struct leader_member *members, int32_t member_count)
{
    struct scratch *scratch = &leader->scratch;
    struct sticky_user_data *user_data =
        SCRATCH_ARRAY(scratch, struct sticky_user_data, member_count);
    int32_t claims = 0;
    int32_t subscriptions = 0;
    for (int32_t m = 0; m < member_count; m++) {
        const struct subscription *subscription = members[m].subscription;
        user_data[m].generation = ASSIGN_GENERATION_UNKNOWN;
        if (is_sticky(assignor) && subscription->user_data.length > 0) {
            sticky_user_data_decode(leader->memory, leader->names, subscription->user_data,
                                    &user_data[m]);
        }
        claims += subscription->owned_count + user_data[m].owned_count;
        subscriptions += subscription->topic_count;
    }
    leader->partitions = SCRATCH_ARRAY(scratch, struct assign_partition, claims);
    leader->members = SCRATCH_ARRAY(scratch, struct assign_member, member_count);
    int32_t *topics = SCRATCH_ARRAY(scratch, int32_t, subscriptions);
    for (int32_t m = 0; m < member_count; m++) {
        fill_member(leader, assignor, &members[m], &user_data[m], topics, &leader->members[m]);
        topics += members[m].subscription->topic_count;
        sticky_user_data_free(leader->memory, &user_data[m]);
    }
}

/* Lists by member: topics by name, numbers ascending. */
static struct leader_assignment lists_of(struct leader *leader, const struct assign_input *input,
                                         const struct assign_output *output)
{
    struct leader_assignment lists = {.member_count = input->member_count};
    lists.first = memory_take(leader->memory, sizeof(int32_t) * ((size_t)input->member_count + 1));
    int32_t *next = SCRATCH_ARRAY(&leader->scratch, int32_t, input->member_count);
    for (int32_t slot = 0; slot < output->slot_count; slot++) {
        if (output->withheld_for[slot] != ASSIGN_NOBODY) lists.withheld_count++;
        if (output->owner[slot] == ASSIGN_NOBODY) continue;
        lists.first[output->owner[slot] + 1]++;
        lists.partition_count++;
    }
    for (int32_t m = 0; m < input->member_count; m++) {
        lists.first[m + 1] += lists.first[m];
        next[m] = lists.first[m];
    }
    lists.partitions =
        memory_take(leader->memory, sizeof(*lists.partitions) * (size_t)lists.partition_count);
    const int32_t *topics = order_topics_by_name(input, &leader->scratch);
    for (int32_t i = 0; i < input->topic_count; i++) {
        const int32_t t = topics[i];
        for (int32_t slot = output->first_slot[t]; slot < output->first_slot[t + 1]; slot++) {
            const int32_t owner = output->owner[slot];
            if (owner == ASSIGN_NOBODY) continue;
            lists.partitions[next[owner]++] =
                (struct topic_partition){.topic = input->topics[t].name,
                                         .partition = slot - output->first_slot[t]};
        }
    }
    return lists;
}

struct leader_assignment leader_assign(struct memory *memory, struct names *names,
                                       const struct assignor *assignor,
                                       const struct leader_member *members, int32_t member_count,
                                       const struct assign_topic *topics, int32_t topic_count)
{
    CHECK(assignor->side == ASSIGNOR_CLIENT);
    struct leader leader = {.memory = memory, .scratch = scratch_new(memory), .names = names};
    number_topics(&leader, members, member_count, topics, topic_count);
    fill_members(&leader, assignor, members, member_count);
    const struct assign_input input = {.names = names,
                                       .topics = leader.topics,
                                       .topic_count = leader.topic_count,
                                       .members = leader.members,
                                       .member_count = member_count};
    struct assign_output output = assign_output_new(memory, &input);
    const enum assign_result result = assignor->assign(&input, memory, &output);
    CHECK(result == ASSIGN_DONE); /* only the server side refuses groups */
    struct leader_assignment lists = lists_of(&leader, &input, &output);
    assign_output_free(memory, &output);
    numbering_free(&leader.topic_index);
    scratch_release(&leader.scratch);
    return lists;
}

static bool same_lists(const struct leader_assignment *a, int32_t member_of_a,
                       const struct leader_assignment *b, int32_t member_of_b)
{
    const int32_t count = a->first[member_of_a + 1] - a->first[member_of_a];
    if (count != b->first[member_of_b + 1] - b->first[member_of_b]) return false;
    for (int32_t i = 0; i < count; i++) {
        const struct topic_partition *p = &a->partitions[a->first[member_of_a] + i];
        const struct topic_partition *q = &b->partitions[b->first[member_of_b] + i];
        if (p->topic != q->topic || p->partition != q->partition) return false;
    }
    return true;
}

bool leader_is_orderless(struct memory *memory, struct names *names,
                         const struct assignor *assignor, const struct leader_member *members,
                         int32_t member_count, const struct assign_topic *topics,
                         int32_t topic_count, const struct leader_assignment *made)
{
    const size_t size = sizeof *members * (size_t)member_count;
    struct leader_member *reversed = memory_take(memory, size);
    for (int32_t m = 0; m < member_count; m++)
        reversed[m] = members[member_count - 1 - m];
    struct leader_assignment again =
        leader_assign(memory, names, assignor, reversed, member_count, topics, topic_count);
    bool same = true;
    for (int32_t m = 0; m < member_count && same; m++)
        same = same_lists(made, m, &again, member_count - 1 - m);
    leader_assignment_free(memory, &again);
    memory_give(memory, reversed, size);
    return same;
}

void leader_assignment_free(struct memory *memory, struct leader_assignment *assignment)
{
    memory_give(memory, assignment->partitions,
                sizeof(*assignment->partitions) * (size_t)assignment->partition_count);
    memory_give(memory, assignment->first,
                sizeof(int32_t) * ((size_t)assignment->member_count + 1));
    *assignment = (struct leader_assignment){0};
}
