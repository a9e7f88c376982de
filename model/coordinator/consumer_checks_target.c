#include "model/coordinator/consumer_checks_target.h"

#include "model/assignor/assignor.h"

struct again {
    struct memory *memory;
    const struct consumer_group *before; /* NULL: there was no group */
    const struct consumer_group *after;
    struct assign_topic *topics;
    struct assign_member *members;
    int32_t **subscriptions;         /* per member; shape [topic_count] each */
    struct assign_partition **owned; /* per member */
};

/* Topics in descending order: index t here is topic count - 1 - t of the group. */
static int32_t topic_of_id(const struct again *again, name_id id)
{
    for (int32_t t = 0; t < again->after->topic_count; t++) {
        if (again->after->topics[t].id == id) return again->after->topic_count - 1 - t;
    }
    return -1;
}

static void fill_topics(struct again *again)
{
    const struct consumer_group *group = again->after;
    for (int32_t t = 0; t < group->topic_count; t++) {
        int64_t rank = 0;
        for (int32_t other = 0; other < group->topic_count; other++) {
            rank += names_compare(group->names, group->topics[other].id, group->topics[t].id) < 0;
        }
        again->topics[group->topic_count - 1 - t] =
            (struct assign_topic){.name = group->topics[t].name,
                                  .partition_count = group->topics[t].partitions,
                                  .id_low = rank};
    }
}

static struct partition_set former_target(const struct again *again,
                                          const struct consumer_member *member)
{
    const struct consumer_member *former = NULL;
    if (again->before != NULL) {
        former = consumer_group_member(again->before, member->id);
        const struct consumer_member *holder =
            consumer_group_static(again->before, member->instance);
        if (holder != NULL) former = holder;
    }
    return former == NULL ? partition_set_none() : former->target;
}

static void fill_member(struct again *again, uint32_t index)
{
    const struct consumer_group *group = again->after;
    const struct consumer_member *member = group->members[group->entry_count - 1 - index];
    size_t topics_size = sizeof(int32_t) * ((size_t)group->topic_count + 1);
    int32_t *topics = memory_take(again->memory, topics_size);
    int32_t topic_count = 0;
    for (int32_t t = group->topic_count - 1; t >= 0; t--) {
        for (int32_t i = 0; i < member->topic_count; i++) {
            if (member->topics[i] != group->topics[t].name) continue;
            topics[topic_count++] = group->topic_count - 1 - t;
        }
    }
    struct partition_set former = former_target(again, member);
    struct assign_partition *owned =
        memory_take(again->memory, sizeof *owned * ((size_t)former.count + 1));
    int32_t owned_count = 0;
    for (uint32_t i = former.count; i > 0; i--) {
        int32_t topic = topic_of_id(again, partition_key_topic(former.items[i - 1]));
        if (topic < 0) continue;
        owned[owned_count++] =
            (struct assign_partition){.topic = topic,
                                      .partition = partition_key_partition(former.items[i - 1])};
    }
    again->subscriptions[index] = topics;
    again->owned[index] = owned;
    again->members[index] = (struct assign_member){
        .id = member->id,
        .instance = member->instance,
        .topics = topics,
        .topic_count = topic_count,
        .owned = owned,
        .owned_count = owned_count,
        .generation = ASSIGN_GENERATION_UNKNOWN,
        .user_data_generation = ASSIGN_GENERATION_UNKNOWN,
    };
}

static bool same_targets(const struct again *again, const struct assign_output *output)
{
    const struct consumer_group *group = again->after;
    uint32_t given = 0;
    for (int32_t t = 0; t < group->topic_count; t++) {
        int32_t topic = group->topic_count - 1 - t;
        for (int32_t p = 0; p < group->topics[t].partitions; p++) {
            int32_t owner = output->owner[output->first_slot[topic] + p];
            if (owner == ASSIGN_NOBODY) continue;
            given++;
            const struct consumer_member *member =
                group->members[group->entry_count - 1 - (uint32_t)owner];
            partition_key key = partition_key_of(group->topics[t].id, p);
            if (!partition_set_contains(member->target, key)) return false;
        }
    }
    for (uint32_t i = 0; i < group->entry_count; i++) {
        if (group->members[i]->target.count > given) return false;
        given -= group->members[i]->target.count;
    }
    return given == 0;
}

static bool run_again(struct again *again, const struct assignor *assignor)
{
    const struct consumer_group *group = again->after;
    bool equal = consumer_subscription_is_homogeneous(&group->subscribed, group->member_count);
    const struct assign_input input = {
        .names = group->names,
        .topics = again->topics,
        .topic_count = group->topic_count,
        .members = again->members,
        .member_count = (int32_t)group->entry_count,
        .subscriptions = equal ? ASSIGN_SUBSCRIPTIONS_EQUAL : ASSIGN_SUBSCRIPTIONS_UNEQUAL,
    };
    struct assign_output output = assign_output_new(again->memory, &input);
    bool same = assignor->assign(&input, again->memory, &output) == ASSIGN_DONE &&
                same_targets(again, &output);
    assign_output_free(again->memory, &output);
    return same;
}

static void release_members(struct again *again)
{
    const struct consumer_group *group = again->after;
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct consumer_member *member = group->members[group->entry_count - 1 - i];
        memory_give(again->memory, again->subscriptions[i],
                    sizeof(int32_t) * ((size_t)group->topic_count + 1));
        memory_give(again->memory, again->owned[i],
                    sizeof **again->owned * ((size_t)former_target(again, member).count + 1));
    }
}

bool consumer_target_is_orderless(const struct coordinator *coordinator,
                                  const struct consumer_group *before,
                                  const struct consumer_group *after)
{
    int32_t epoch_before = before == NULL ? 0 : before->assignment_epoch;
    if (after->member_count == 0 || after->assignment_epoch == epoch_before ||
        after->assignment_epoch != after->epoch || after->member_count != after->entry_count) {
        return true;
    }
    /* Upgraded in this very step: the former targets came from the classic group. */
    if (before == NULL && after->member_count > 1) return true;
    name_id name = consumer_group_assignor(after, coordinator->config->group_consumer_assignors[0]);
    const struct assignor *assignor =
        assignor_find(names_text(after->names, name), ASSIGNOR_SERVER);
    if (assignor == NULL) return true;
    struct memory *memory = after->memory;
    struct again again = {.memory = memory, .before = before, .after = after};
    size_t topics_size = sizeof *again.topics * ((size_t)after->topic_count + 1);
    again.topics = memory_take(memory, topics_size);
    again.members = memory_take(memory, sizeof *again.members * after->entry_count);
    again.subscriptions = memory_take(memory, sizeof(void *) * after->entry_count);
    again.owned = memory_take(memory, sizeof(void *) * after->entry_count);
    fill_topics(&again);
    for (uint32_t i = 0; i < after->entry_count; i++)
        fill_member(&again, i);
    bool same = run_again(&again, assignor);
    release_members(&again);
    memory_give(memory, again.owned, sizeof(void *) * after->entry_count);
    memory_give(memory, again.subscriptions, sizeof(void *) * after->entry_count);
    memory_give(memory, again.members, sizeof *again.members * after->entry_count);
    memory_give(memory, again.topics, topics_size);
    return same;
}
