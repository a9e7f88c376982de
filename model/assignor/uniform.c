/* UniformAssignor (KIP-848): loads that differ by at most one, and little movement.
 *
 * When everybody subscribes to the same topics: whoever comes first by member id has the larger
 * quota, whatever it had before, so a member late in the order can lose a partition to an early one
 * although nothing else changed. Otherwise see uniform_unequal.c. */
#include "model/assignor/order.h"
#include "model/assignor/strategies.h"
#include "model/assignor/uniform_unequal.h"

struct uniform {
    const struct assign_input *input;
    struct assign_output *output;
    const int32_t *members; /* by id */
    const int32_t *topics;  /* by topic id */
    int32_t *place;         /* by topic: place in that order */
    const struct subscribers *subscribers;
    int32_t *free; /* slots that nobody keeps */
    int32_t free_count;
};

struct target_order {
    const struct uniform *uniform;
    const struct assign_partition *owned;
};

static bool topic_then_number_before(const void *context, int32_t a, int32_t b)
{
    const struct target_order *order = context;
    const struct assign_partition *left = &order->owned[a];
    const struct assign_partition *right = &order->owned[b];
    if (left->topic != right->topic) {
        return order->uniform->place[left->topic] < order->uniform->place[right->topic];
    }
    return left->partition < right->partition;
}

/* Slots of subscribed topics that are in nobody's previous target. While at it, notes in `holder`
 * whose target each slot is in, so that one that (against the contract) stands in two is kept once.
 */
static void collect_free(struct uniform *uniform, int32_t *holder)
{
    const struct assign_input *input = uniform->input;
    for (int32_t slot = 0; slot < uniform->output->slot_count; slot++)
        holder[slot] = ASSIGN_NOBODY;
    for (int32_t i = 0; i < input->member_count; i++) {
        const struct assign_member *member = &input->members[uniform->members[i]];
        for (int32_t j = 0; j < member->owned_count; j++) {
            const int32_t slot = assign_slot(uniform->output, member->owned[j]);
            if (slot >= 0 && holder[slot] == ASSIGN_NOBODY) holder[slot] = uniform->members[i];
        }
    }
    for (int32_t i = 0; i < input->topic_count; i++) {
        const int32_t topic = uniform->topics[i];
        if (subscribers_count(uniform->subscribers, topic) == 0) continue;
        const int32_t end = uniform->output->first_slot[topic + 1];
        for (int32_t slot = uniform->output->first_slot[topic]; slot < end; slot++) {
            if (holder[slot] == ASSIGN_NOBODY) uniform->free[uniform->free_count++] = slot;
        }
    }
}

/* Keeps the first of the member's previous target, by topic id and number, as far as its quota
 * goes; the rest becomes free. Returns what is left of the quota. */
static int32_t keep_target(struct uniform *uniform, int32_t m, int32_t quota, const int32_t *holder,
                           int32_t *sequence, struct memory *memory)
{
    const struct assign_member *member = &uniform->input->members[m];
    const struct target_order order = {.uniform = uniform, .owned = member->owned};
    for (int32_t i = 0; i < member->owned_count; i++)
        sequence[i] = i;
    order_sort(sequence, member->owned_count, topic_then_number_before, &order, memory);
    for (int32_t i = 0; i < member->owned_count; i++) {
        const struct assign_partition partition = member->owned[sequence[i]];
        const int32_t slot = assign_slot(uniform->output, partition);
        if (slot < 0 || holder[slot] != m || uniform->output->owner[slot] == m) continue;
        if (subscribers_count(uniform->subscribers, partition.topic) == 0) continue;
        if (quota > 0) {
            uniform->output->owner[slot] = m;
            quota--;
        } else {
            uniform->free[uniform->free_count++] = slot;
        }
    }
    return quota;
}

static void assign_equal(struct uniform *uniform, struct scratch *scratch)
{
    const struct assign_input *input = uniform->input;
    int32_t partitions = 0;
    int32_t largest_target = 0;
    for (int32_t t = 0; t < input->topic_count; t++) {
        uniform->place[uniform->topics[t]] = t;
        if (subscribers_count(uniform->subscribers, t) == 0) continue;
        partitions += order_partition_count(input, t);
    }
    for (int32_t m = 0; m < input->member_count; m++) {
        const int32_t count = input->members[m].owned_count;
        if (count > largest_target) largest_target = count;
    }
    if (partitions == 0) return;
    uniform->free = SCRATCH_ARRAY(scratch, int32_t, partitions);
    int32_t *holder = SCRATCH_ARRAY(scratch, int32_t, uniform->output->slot_count);
    int32_t *sequence = SCRATCH_ARRAY(scratch, int32_t, largest_target);
    int32_t *quota_left = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    collect_free(uniform, holder);
    const int32_t low = partitions / input->member_count;
    const int32_t surplus = partitions % input->member_count;
    for (int32_t i = 0; i < input->member_count; i++) {
        quota_left[i] = keep_target(uniform, uniform->members[i], low + (i < surplus ? 1 : 0),
                                    holder, sequence, scratch->memory);
    }
    const int32_t *next = uniform->free;
    for (int32_t i = 0; i < input->member_count; i++) {
        for (; quota_left[i] > 0; quota_left[i]--) {
            uniform->output->owner[*next++] = uniform->members[i];
        }
    }
}

enum assign_result uniform_assign(const struct assign_input *input, struct memory *memory,
                                  struct assign_output *output)
{
    struct scratch scratch = scratch_new(memory);
    const int32_t *members = order_members_by_id(input, &scratch);
    const struct subscribers subscribers = order_subscribers(input, members, &scratch);
    struct uniform uniform = {.input = input,
                              .output = output,
                              .members = members,
                              .topics = order_topics_by_id(input, &scratch),
                              .place = SCRATCH_ARRAY(&scratch, int32_t, input->topic_count),
                              .subscribers = &subscribers};
    bool exists = true;
    bool equal = true;
    for (int32_t t = 0; t < input->topic_count; t++) {
        const int32_t count = subscribers_count(&subscribers, t);
        if (count == 0) continue;
        if (input->topics[t].partition_count < 0) exists = false;
        if (count != input->member_count) equal = false;
    }
    if (exists && equal) assign_equal(&uniform, &scratch);
    if (exists && !equal)
        uniform_assign_unequal(input, members, uniform.topics, &subscribers, &scratch, output);
    scratch_release(&scratch);
    return exists ? ASSIGN_DONE : ASSIGN_UNKNOWN_TOPIC;
}
