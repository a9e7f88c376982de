#include "model/assignor/uniform_unequal.h"

#include "model/assignor/level_walk.h"

#include <string.h>

/* So many times are all topics gone through in search of better balance. */
#define BALANCE_ROUNDS 16

struct unequal {
    const struct assign_input *input;
    const struct subscribers *subscribers;
    struct assign_output *output;
    struct scratch *scratch;
    int32_t *number; /* by member: place in id order; breaks all ties */
    int32_t *load;   /* by member */
    struct level_walk walk;
    /* balance_topic: what each member may give. Slots by owner, highest partition last. */
    int32_t *given;      /* shape [largest topic] */
    int32_t *give_start; /* by member: where its slots in `given` begin */
    int32_t *give_end;
};

struct topic_weights {
    const struct assign_input *input;
    const struct subscribers *subscribers;
};

/* Partitions per subscriber, most first; then subscribers, fewest first. Kafka divides in floating
 * point; the products are exact, and no two different quotients of such counts are equal there. */
static bool topic_before(const void *context, int32_t a, int32_t b)
{
    const struct topic_weights *weights = context;
    const int64_t a_members = subscribers_count(weights->subscribers, a);
    const int64_t b_members = subscribers_count(weights->subscribers, b);
    const int64_t left = order_partition_count(weights->input, a) * b_members;
    const int64_t right = order_partition_count(weights->input, b) * a_members;
    if (left != right) return left > right;
    return a_members < b_members;
}

struct load_order {
    const int32_t *load;
    const int32_t *number;
};

static bool load_before(const void *context, int32_t a, int32_t b)
{
    const struct load_order *order = context;
    if (order->load[a] != order->load[b]) return order->load[a] < order->load[b];
    return order->number[a] < order->number[b];
}

/* Starts the walk over a topic's subscribers; returns how much their loads differ. */
static int32_t start_walk(struct unequal *unequal, int32_t topic)
{
    struct level_walk *walk = &unequal->walk;
    const struct load_order order = {.load = unequal->load, .number = unequal->number};
    walk->count = subscribers_count(unequal->subscribers, topic);
    memcpy(walk->member, unequal->subscribers->member + unequal->subscribers->first[topic],
           sizeof(int32_t) * (size_t)walk->count);
    order_sort(walk->member, walk->count, load_before, &order, unequal->scratch->memory);
    level_walk_start(walk);
    return unequal->load[walk->member[walk->count - 1]] - unequal->load[walk->member[0]];
}

/* Everybody keeps its previous target, as far as it still subscribes. */
static void keep_targets(struct unequal *unequal)
{
    const struct assign_input *input = unequal->input;
    int32_t *subscribed = SCRATCH_ARRAY(unequal->scratch, int32_t, input->topic_count);
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct assign_member *member = &input->members[m];
        for (int32_t i = 0; i < member->topic_count; i++)
            subscribed[member->topics[i]] = m + 1;
        for (int32_t i = 0; i < member->owned_count; i++) {
            const int32_t slot = assign_slot(unequal->output, member->owned[i]);
            if (slot < 0 || subscribed[member->owned[i].topic] != m + 1) continue;
            if (unequal->output->owner[slot] != ASSIGN_NOBODY) continue;
            unequal->output->owner[slot] = m;
            unequal->load[m]++;
        }
    }
}

static void assign_unassigned(struct unequal *unequal, int32_t topic)
{
    const int32_t first = unequal->output->first_slot[topic];
    const int32_t end = unequal->output->first_slot[topic + 1];
    bool started = false;
    for (int32_t slot = first; slot < end; slot++) {
        if (unequal->output->owner[slot] != ASSIGN_NOBODY) continue;
        if (!started) start_walk(unequal, topic);
        started = true;
        const int32_t member = level_walk_receiver(&unequal->walk);
        unequal->output->owner[slot] = member;
        unequal->load[member]++;
    }
}

/* Sorts the topic's slots by owner, numbers ascending. */
static void collect_gifts(struct unequal *unequal, int32_t topic)
{
    const int32_t first = unequal->output->first_slot[topic];
    const int32_t end = unequal->output->first_slot[topic + 1];
    const int32_t *owner = unequal->output->owner;
    const struct level_walk *walk = &unequal->walk;
    for (int32_t i = 0; i < walk->count; i++)
        unequal->give_end[walk->member[i]] = 0;
    for (int32_t slot = first; slot < end; slot++)
        unequal->give_end[owner[slot]]++;
    int32_t start = 0;
    for (int32_t i = 0; i < walk->count; i++) {
        const int32_t member = walk->member[i];
        const int32_t count = unequal->give_end[member];
        unequal->give_start[member] = start;
        unequal->give_end[member] = start;
        start += count;
    }
    for (int32_t slot = first; slot < end; slot++) {
        unequal->given[unequal->give_end[owner[slot]]++] = slot;
    }
}

/* The next giver that has a partition of this topic to give, or -1. */
static int32_t next_giver(struct unequal *unequal)
{
    int32_t member = level_walk_giver(&unequal->walk);
    while (member >= 0 && unequal->give_start[member] == unequal->give_end[member]) {
        level_walk_exclude_giver(&unequal->walk);
        member = level_walk_giver(&unequal->walk);
    }
    return member;
}

/* Moves partitions of one topic from its most to its least loaded subscribers; those received are
 * not moved on. Returns whether anything moved. */
static bool balance_topic(struct unequal *unequal, int32_t topic)
{
    if (start_walk(unequal, topic) <= 1) return false;
    collect_gifts(unequal, topic);
    bool moved = false;
    while (!level_walk_is_level(&unequal->walk)) {
        const int32_t giver = next_giver(unequal);
        if (giver < 0) break;
        const int32_t slot = unequal->given[--unequal->give_end[giver]];
        const int32_t receiver = level_walk_receiver(&unequal->walk);
        if (level_walk_is_level(&unequal->walk)) break; /* the slot stays where it was */
        unequal->output->owner[slot] = receiver;
        unequal->load[giver]--;
        unequal->load[receiver]++;
        moved = true;
    }
    return moved;
}

/* Round and round the topics with two subscribers or more, until the one where something last moved
 * comes up again. */
static void balance(struct unequal *unequal, const int32_t *topics, int32_t count)
{
    int32_t last = -1;
    for (int32_t round = 0; round < BALANCE_ROUNDS; round++) {
        for (int32_t i = 0; i < count; i++) {
            if (i == last) return;
            const bool moved = balance_topic(unequal, topics[i]);
            if (moved || last < 0) last = i;
        }
    }
}

void uniform_assign_unequal(const struct assign_input *input, const int32_t *members,
                            const int32_t *topics, const struct subscribers *subscribers,
                            struct scratch *scratch, struct assign_output *output)
{
    struct unequal unequal = {.input = input,
                              .subscribers = subscribers,
                              .output = output,
                              .scratch = scratch,
                              .number = SCRATCH_ARRAY(scratch, int32_t, input->member_count),
                              .load = SCRATCH_ARRAY(scratch, int32_t, input->member_count),
                              .give_start = SCRATCH_ARRAY(scratch, int32_t, input->member_count),
                              .give_end = SCRATCH_ARRAY(scratch, int32_t, input->member_count)};
    unequal.walk.member = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    unequal.walk.load = unequal.load;
    for (int32_t i = 0; i < input->member_count; i++)
        unequal.number[members[i]] = i;

    int32_t *ordered = SCRATCH_ARRAY(scratch, int32_t, input->topic_count);
    int32_t count = 0;
    int32_t largest = 0;
    for (int32_t i = 0; i < input->topic_count; i++) {
        if (subscribers_count(subscribers, topics[i]) == 0) continue;
        ordered[count++] = topics[i];
        const int32_t partitions = order_partition_count(input, topics[i]);
        if (partitions > largest) largest = partitions;
    }
    unequal.given = SCRATCH_ARRAY(scratch, int32_t, largest);
    const struct topic_weights weights = {.input = input, .subscribers = subscribers};
    order_sort(ordered, count, topic_before, &weights, scratch->memory);

    keep_targets(&unequal);
    for (int32_t i = 0; i < count; i++)
        assign_unassigned(&unequal, ordered[i]);
    int32_t shared = 0;
    for (int32_t i = 0; i < count; i++) {
        if (subscribers_count(subscribers, ordered[i]) >= 2) ordered[shared++] = ordered[i];
    }
    balance(&unequal, ordered, shared);
}
