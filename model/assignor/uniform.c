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

/* Gives everybody its previous target, as far as the topics are still subscribed to; kept[m]
 * counts. A slot that (against the contract) stands in two targets goes to the first. */
static void keep_targets(struct uniform *uniform, int32_t *kept)
{
    const struct assign_input *input = uniform->input;
    int32_t *owner = uniform->output->owner;
    for (int32_t i = 0; i < input->member_count; i++) {
        const int32_t m = uniform->members[i];
        const struct assign_partition *owned = input->members[m].owned;
        for (int32_t j = 0; j < input->members[m].owned_count; j++) {
            const int32_t slot = assign_slot(uniform->output, owned[j]);
            if (slot < 0 || owner[slot] != ASSIGN_NOBODY) continue;
            if (subscribers_count(uniform->subscribers, owned[j].topic) == 0) continue;
            owner[slot] = m;
            kept[m]++;
        }
    }
}

static void collect_free(struct uniform *uniform)
{
    const int32_t *owner = uniform->output->owner;
    for (int32_t i = 0; i < uniform->input->topic_count; i++) {
        const int32_t topic = uniform->topics[i];
        if (subscribers_count(uniform->subscribers, topic) == 0) continue;
        const int32_t end = uniform->output->first_slot[topic + 1];
        for (int32_t slot = uniform->output->first_slot[topic]; slot < end; slot++) {
            if (owner[slot] == ASSIGN_NOBODY) uniform->free[uniform->free_count++] = slot;
        }
    }
}

/* A member with more than its quota keeps the first of its target, by topic id and number; the rest
 * joins the end of the free list. */
static void release_surplus(struct uniform *uniform, int32_t m, int32_t quota, int32_t *sequence,
                            struct memory *memory)
{
    const struct assign_member *member = &uniform->input->members[m];
    const struct target_order order = {.uniform = uniform, .owned = member->owned};
    for (int32_t i = 0; i < member->owned_count; i++)
        sequence[i] = i;
    order_sort(sequence, member->owned_count, topic_then_number_before, &order, memory);
    int32_t last = -1;
    for (int32_t i = 0; i < member->owned_count; i++) {
        const int32_t slot = assign_slot(uniform->output, member->owned[sequence[i]]);
        if (slot < 0 || slot == last || uniform->output->owner[slot] != m) continue;
        last = slot;
        if (quota-- > 0) continue;
        uniform->output->owner[slot] = ASSIGN_NOBODY;
        uniform->free[uniform->free_count++] = slot;
    }
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
    int32_t *sequence = SCRATCH_ARRAY(scratch, int32_t, largest_target);
    int32_t *kept = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    keep_targets(uniform, kept);
    collect_free(uniform);
    const int32_t low = partitions / input->member_count;
    const int32_t surplus = partitions % input->member_count;
    for (int32_t i = 0; i < input->member_count; i++) {
        const int32_t m = uniform->members[i];
        const int32_t quota = low + (i < surplus ? 1 : 0);
        if (kept[m] > quota) release_surplus(uniform, m, quota, sequence, scratch->memory);
    }
    const int32_t *next = uniform->free;
    for (int32_t i = 0; i < input->member_count; i++) {
        const int32_t m = uniform->members[i];
        const int32_t quota = low + (i < surplus ? 1 : 0);
        for (int32_t load = kept[m]; load < quota; load++)
            uniform->output->owner[*next++] = m;
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
    if (input->subscriptions != ASSIGN_SUBSCRIPTIONS_UNKNOWN) {
        equal = input->subscriptions == ASSIGN_SUBSCRIPTIONS_EQUAL;
    }
    if (exists && equal) assign_equal(&uniform, &scratch);
    if (exists && !equal)
        uniform_assign_unequal(input, members, uniform.topics, &subscribers, &scratch, output);
    scratch_release(&scratch);
    return exists ? ASSIGN_DONE : ASSIGN_UNKNOWN_TOPIC;
}
