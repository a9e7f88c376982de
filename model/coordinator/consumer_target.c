/* model/coordinator/consumer_target.c: one run of a server side assignor.
 *
 * The assignor gets every member as it will be: the heartbeating one with what its request says,
 * the static member it replaces left out, each with its former target. Out come one record per
 * member whose target is another than before (or that had none), and the new assignment epoch.
 * Kafka: TargetAssignmentBuilder, which walks a hash map where this walks ascending ids. */
#include "model/coordinator/consumer_update.h"

#include "model/assignor/assignor.h"
#include "model/coordinator/consumer_replay.h"
#include "sim/check.h"

struct target_work {
    struct consumer_update *update;
    struct memory *memory;
    const struct consumer_member **members; /* ascending ids; shape [member_count] */
    int32_t member_count;
    struct assign_topic *topics;
    struct assign_member *inputs; /* shape [member_count] */
    int32_t *subscriptions;       /* all members' topic indexes, one after the other */
    size_t subscription_count;
    struct assign_partition *owned; /* all members' former targets */
    size_t owned_count;
};

/* The former target of the member as it goes into the assignor. */
static struct partition_set former_target(const struct target_work *work,
                                          const struct consumer_member *member)
{
    const struct consumer_update *update = work->update;
    if (member != &update->updated) return member->target;
    const struct consumer_member *holder = update->replaced != NULL
                                               ? update->replaced
                                               : consumer_group_member(update->state, member->id);
    return holder == NULL ? partition_set_none() : holder->target;
}

/* Is there a target under the member's own id? One that replaces another has just got a copy of its
 * target, and gets another record nevertheless. */
static bool target_is_stored(const struct target_work *work, const struct consumer_member *member)
{
    if (member != &work->update->updated) return member->has_target;
    const struct consumer_member *stored = consumer_group_member(work->update->state, member->id);
    return stored != NULL && stored->has_target;
}

static void collect_members(struct target_work *work)
{
    const struct consumer_update *update = work->update;
    const struct consumer_group *state = update->state;
    const struct consumer_member *updated = &update->updated;
    work->members = memory_take(work->memory, sizeof(void *) * (state->entry_count + 1));
    bool placed = false;
    for (uint32_t i = 0; i < state->entry_count; i++) {
        const struct consumer_member *member = state->members[i];
        if (!member->is_member || member->id == updated->id) continue;
        if (update->replaced != NULL && member->id == update->replaced->id) continue;
        if (!placed && names_compare(state->names, updated->id, member->id) < 0) {
            work->members[work->member_count++] = updated;
            placed = true;
        }
        work->members[work->member_count++] = member;
    }
    if (!placed) work->members[work->member_count++] = updated;
}

static int32_t topic_index_by_name(const struct consumer_update *update, name_id name)
{
    int32_t low = 0;
    int32_t high = update->topic_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (update->topics[middle].name == name) return middle;
        if (names_compare(update->state->names, update->topics[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return -1;
}

static int32_t topic_index_by_id(const struct consumer_update *update, name_id id)
{
    for (int32_t i = 0; i < update->topic_count; i++) {
        if (update->topics[i].id == id) return i;
    }
    return -1;
}

/* Ids ascend as their texts do: the rank among the group's topics stands for the id. */
static void fill_topics(struct target_work *work)
{
    const struct consumer_update *update = work->update;
    const struct names *names = update->state->names;
    int32_t count = update->topic_count;
    work->topics = memory_take(work->memory, sizeof *work->topics * ((size_t)count + 1));
    size_t order_size = sizeof(int32_t) * ((size_t)count + 1);
    int32_t *order = memory_take(work->memory, order_size); /* topics by id */
    for (int32_t i = 0; i < count; i++) {
        const struct consumer_topic *topic = &update->topics[i];
        work->topics[i] =
            (struct assign_topic){.name = topic->name, .partition_count = topic->partitions};
        int32_t place = i; /* already last where ids are names */
        while (place > 0 &&
               names_compare(names, update->topics[order[place - 1]].id, topic->id) > 0) {
            order[place] = order[place - 1];
            place--;
        }
        order[place] = i;
    }
    for (int32_t rank = 0; rank < count; rank++)
        work->topics[order[rank]].id_low = rank;
    memory_give(work->memory, order, order_size);
}

static void fill_member(struct target_work *work, const struct consumer_member *member,
                        struct assign_member *input)
{
    const struct consumer_update *update = work->update;
    int32_t *topics = work->subscriptions + work->subscription_count;
    int32_t topic_count = 0;
    for (int32_t i = 0; i < member->topic_count; i++) {
        int32_t topic = topic_index_by_name(update, member->topics[i]);
        if (topic >= 0) topics[topic_count++] = topic; /* others do not exist */
    }
    struct partition_set former = former_target(work, member);
    struct assign_partition *owned = work->owned + work->owned_count;
    int32_t owned_count = 0;
    name_id id = NAME_NONE;
    int32_t topic = -1;
    for (uint32_t i = 0; i < former.count; i++) {
        if (partition_key_topic(former.items[i]) != id) {
            id = partition_key_topic(former.items[i]);
            topic = topic_index_by_id(update, id);
        }
        if (topic < 0) continue; /* nobody subscribes to it any more, or it is gone */
        owned[owned_count++] =
            (struct assign_partition){.topic = topic,
                                      .partition = partition_key_partition(former.items[i])};
    }
    *input = (struct assign_member){
        .id = member->id,
        .instance = member->instance,
        .rack = member->rack,
        .topics = topics,
        .topic_count = topic_count,
        .owned = owned,
        .owned_count = owned_count,
        .generation = ASSIGN_GENERATION_UNKNOWN,
        .user_data_generation = ASSIGN_GENERATION_UNKNOWN,
    };
    work->subscription_count += (size_t)topic_count;
    work->owned_count += (size_t)owned_count;
}

static void size_up(const struct target_work *work, size_t *subscriptions, size_t *owned)
{
    *subscriptions = 0;
    *owned = 0;
    for (int32_t i = 0; i < work->member_count; i++) {
        *subscriptions += (size_t)work->members[i]->topic_count;
        *owned += former_target(work, work->members[i]).count;
    }
}

/* Every member's new target, one after the other: `starts` has where each begins. */
static void split_by_member(const struct target_work *work, const struct assign_output *output,
                            partition_key *keys, uint32_t *starts)
{
    for (int32_t slot = 0; slot < output->slot_count; slot++) {
        if (output->owner[slot] != ASSIGN_NOBODY) starts[output->owner[slot] + 1]++;
    }
    for (int32_t i = 0; i < work->member_count; i++)
        starts[i + 1] += starts[i];
    uint32_t *next = memory_take(work->memory, sizeof *next * (size_t)work->member_count);
    for (int32_t i = 0; i < work->member_count; i++)
        next[i] = starts[i];
    for (int32_t topic = 0; topic < work->update->topic_count; topic++) {
        for (int32_t slot = output->first_slot[topic]; slot < output->first_slot[topic + 1];
             slot++) {
            int32_t owner = output->owner[slot];
            if (owner == ASSIGN_NOBODY) continue;
            keys[next[owner]++] =
                partition_key_of(work->update->topics[topic].id, slot - output->first_slot[topic]);
        }
    }
    memory_give(work->memory, next, sizeof *next * (size_t)work->member_count);
}

static void add_records(struct target_work *work, const struct assign_output *output)
{
    struct consumer_update *update = work->update;
    size_t keys_size = sizeof(partition_key) * ((size_t)output->slot_count + 1);
    size_t starts_size = sizeof(uint32_t) * ((size_t)work->member_count + 1);
    partition_key *keys = memory_take(work->memory, keys_size);
    uint32_t *starts = memory_take(work->memory, starts_size);
    split_by_member(work, output, keys, starts);
    struct partition_list *target = &update->target;
    struct partition_list own;
    partition_list_init(&own, work->memory);
    for (int32_t i = 0; i < work->member_count; i++) {
        const struct consumer_member *member = work->members[i];
        target->count = 0;
        partition_list_reserve(target, starts[i + 1] - starts[i]);
        for (uint32_t k = starts[i]; k < starts[i + 1]; k++)
            target->items[target->count++] = keys[k];
        partition_list_sort(target); /* topics may be interned in another order than named */
        struct partition_set set = partition_list_view(target);
        if (member == &update->updated) {
            for (uint32_t k = 0; k < set.count; k++)
                partition_list_add(&own, set.items[k]);
        }
        if (target_is_stored(work, member) &&
            partition_set_equal(set, former_target(work, member))) {
            continue;
        }
        operation_add(update->operation,
                      consumer_record_of_target(work->memory, update->state->id, member->id, set));
    }
    partition_list_release(target);
    *target = own;
    memory_give(work->memory, keys, keys_size);
    memory_give(work->memory, starts, starts_size);
}

/* The votes with the member's own as its request has it; ties go to the first name. */
static name_id choose_assignor(const struct consumer_update *update)
{
    const struct coordinator_config *config = update->operation->coordinator->config;
    struct name_counts votes;
    name_counts_init(&votes, update->state->memory, update->state->names);
    name_counts_copy(&votes, &update->state->assignors);
    if (consumer_group_member(update->state, update->member->id) != NULL ||
        update->replaced != NULL) {
        name_counts_add(&votes, update->member->assignor, -1);
    }
    name_counts_add(&votes, update->updated.assignor, 1);
    name_id most = name_counts_most(&votes);
    name_counts_release(&votes);
    return most == NAME_NONE ? config->group_consumer_assignors[0] : most;
}

static enum kafka_error run_assignor(struct target_work *work, name_id name)
{
    struct consumer_update *update = work->update;
    const struct assignor *assignor =
        assignor_find(names_text(update->state->names, name), ASSIGNOR_SERVER);
    /* The log may name an assignor that this broker is not configured with. */
    if (assignor == NULL) return KAFKA_UNKNOWN_SERVER_ERROR;
    const struct assign_input input = {
        .names = update->state->names,
        .topics = work->topics,
        .topic_count = update->topic_count,
        .members = work->inputs,
        .member_count = work->member_count,
        .subscriptions =
            update->equal_subscriptions ? ASSIGN_SUBSCRIPTIONS_EQUAL : ASSIGN_SUBSCRIPTIONS_UNEQUAL,
    };
    struct assign_output output = assign_output_new(work->memory, &input);
    enum assign_result result = assignor->assign(&input, work->memory, &output);
    if (result == ASSIGN_DONE) add_records(work, &output);
    assign_output_free(work->memory, &output);
    return result == ASSIGN_DONE ? KAFKA_NONE : KAFKA_UNKNOWN_SERVER_ERROR;
}

enum kafka_error consumer_target_compute(struct consumer_update *update)
{
    struct operation *operation = update->operation;
    struct target_work work = {.update = update, .memory = operation->coordinator->memory};
    collect_members(&work);
    fill_topics(&work);
    size_t subscriptions;
    size_t owned;
    size_up(&work, &subscriptions, &owned);
    size_t inputs_size = sizeof *work.inputs * (size_t)work.member_count;
    work.subscriptions = memory_take(work.memory, sizeof(int32_t) * (subscriptions + 1));
    work.owned = memory_take(work.memory, sizeof *work.owned * (owned + 1));
    work.inputs = memory_take(work.memory, inputs_size);
    for (int32_t i = 0; i < work.member_count; i++)
        fill_member(&work, work.members[i], &work.inputs[i]);

    name_id assignor = choose_assignor(update);
    enum kafka_error error = run_assignor(&work, assignor);
    if (error == KAFKA_NONE) {
        operation_add(operation, consumer_record_of_assignment_epoch(work.memory, update->state->id,
                                                                     update->epoch));
        coordinator_note(operation->coordinator, (struct group_note){.kind = NOTE_TARGET_COMPUTED,
                                                                     .group = update->state->id,
                                                                     .generation = update->epoch,
                                                                     .other = assignor,
                                                                     .count = work.member_count});
    }
    memory_give(work.memory, work.inputs, inputs_size);
    memory_give(work.memory, work.owned, sizeof *work.owned * (owned + 1));
    memory_give(work.memory, work.subscriptions, sizeof(int32_t) * (subscriptions + 1));
    memory_give(work.memory, work.topics, sizeof *work.topics * ((size_t)update->topic_count + 1));
    memory_give(work.memory, work.members, sizeof(void *) * (update->state->entry_count + 1));
    return error;
}
