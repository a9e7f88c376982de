#include "model/assignor/range_racks.h"

#include <string.h>

/* One topic's account. A subscriber's room is what it may still get: base, and one more as long as
 * extras are left. Room never grows, so whoever has none is out for good. */
struct account {
    int32_t base;
    int32_t extra;
    int32_t *have; /* by place among the subscribers */
};

struct matching {
    const struct assign_input *input;
    const struct subscribers *subscribers;
    struct racks *racks;
    struct assign_output *output;
    struct account *account; /* by topic */
    /* Queues of places (or of partitions) by rack, in ascending order, rebuilt per use: queue r is
     * item[first[r]] up to before item[first[r + 1]], and next[r] is its head. Queue
     * racks->count holds members without a rack. */
    int32_t *first;
    int32_t *next;
    int32_t *item;
};

static int32_t room(const struct account *account, int32_t place)
{
    const int32_t most = account->base + (account->extra > 0 ? 1 : 0);
    const int32_t left = most - account->have[place];
    return left < 0 ? 0 : left;
}

/* The extra is used up when a count rises above base (RangeAssignor.TopicAssignmentState.assign,
 * which looks once per hand-over). */
static void give(struct account *account, int32_t place, int32_t count)
{
    if (count == 0) return;
    account->have[place] += count;
    if (account->have[place] > account->base) account->extra--;
}

static const int32_t *members_of(const struct matching *matching, int32_t topic)
{
    return matching->subscribers->member + matching->subscribers->first[topic];
}

static int32_t queue_of(const struct matching *matching, int32_t member)
{
    const int32_t rack = matching->racks->of_member[member];
    return rack == RACK_NONE ? matching->racks->count : rack;
}

/* Queues of the topic's subscribers by their rack. */
static void queue_subscribers(struct matching *matching, int32_t topic)
{
    const int32_t queues = matching->racks->count + 1;
    const int32_t *member = members_of(matching, topic);
    const int32_t count = subscribers_count(matching->subscribers, topic);
    memset(matching->first, 0, sizeof(int32_t) * ((size_t)queues + 1));
    for (int32_t i = 0; i < count; i++)
        matching->first[queue_of(matching, member[i]) + 1]++;
    for (int32_t q = 0; q < queues; q++) {
        matching->first[q + 1] += matching->first[q];
        matching->next[q] = matching->first[q];
    }
    for (int32_t i = 0; i < count; i++) {
        matching->item[matching->next[queue_of(matching, member[i])]++] = i;
    }
    for (int32_t q = 0; q < queues; q++)
        matching->next[q] = matching->first[q];
}

/* The first place in the queue that has room, or INT32_MAX. Topics matched together are handed out
 * in step, so one account speaks for all. */
static int32_t first_with_room(struct matching *matching, int32_t queue,
                               const struct account *account)
{
    while (matching->next[queue] < matching->first[queue + 1]) {
        const int32_t place = matching->item[matching->next[queue]];
        if (room(account, place) > 0) return place;
        matching->next[queue]++;
    }
    return INT32_MAX;
}

static bool rack_in_all(const struct matching *matching, const int32_t *topics, int32_t topic_count,
                        int32_t partition, int32_t rack)
{
    for (int32_t i = 0; i < topic_count; i++) {
        if (!racks_contain(matching->racks, topics[i], partition, rack)) return false;
    }
    return true;
}

/* Co-partitioned topics: partition p of all of them goes to the first subscriber near all of them.
 */
static void match_together(struct matching *matching, const int32_t *topics, int32_t topic_count)
{
    const struct racks *racks = matching->racks;
    const int32_t *member = members_of(matching, topics[0]);
    const struct account *account = &matching->account[topics[0]];
    queue_subscribers(matching, topics[0]);
    for (int32_t p = 0; p < matching->input->topics[topics[0]].partition_count; p++) {
        int32_t chosen = first_with_room(matching, racks->count, account);
        const int32_t *rack = racks_of(racks, topics[0], p);
        for (int32_t i = 0; i < racks->slots[topics[0]] && rack[i] != RACK_NONE; i++) {
            const int32_t place = first_with_room(matching, rack[i], account);
            if (place >= chosen) continue;
            if (rack_in_all(matching, topics + 1, topic_count - 1, p, rack[i])) chosen = place;
        }
        if (chosen == INT32_MAX) continue;
        for (int32_t i = 0; i < topic_count; i++) {
            const int32_t topic = topics[i];
            matching->output->owner[matching->output->first_slot[topic] + p] = member[chosen];
            give(&matching->account[topic], chosen, 1);
        }
    }
}

/* Queues of the topic's partitions by replica rack; a partition stands in several. */
static void queue_partitions(struct matching *matching, int32_t topic)
{
    const struct racks *racks = matching->racks;
    const int32_t partitions = matching->input->topics[topic].partition_count;
    const int32_t slots = racks->slots[topic];
    memset(matching->first, 0, sizeof(int32_t) * ((size_t)racks->count + 2));
    for (int32_t p = 0; p < partitions; p++) {
        const int32_t *rack = racks_of(racks, topic, p);
        for (int32_t i = 0; i < slots && rack[i] != RACK_NONE; i++)
            matching->first[rack[i] + 1]++;
    }
    for (int32_t r = 0; r < racks->count; r++) {
        matching->first[r + 1] += matching->first[r];
        matching->next[r] = matching->first[r];
    }
    for (int32_t p = 0; p < partitions; p++) {
        const int32_t *rack = racks_of(racks, topic, p);
        for (int32_t i = 0; i < slots && rack[i] != RACK_NONE; i++) {
            matching->item[matching->next[rack[i]]++] = p;
        }
    }
    for (int32_t r = 0; r < racks->count; r++)
        matching->next[r] = matching->first[r];
}

/* A topic alone: each subscriber takes the lowest partitions near it, up to its room. */
static void match_alone(struct matching *matching, int32_t topic)
{
    const int32_t *member = members_of(matching, topic);
    const int32_t count = subscribers_count(matching->subscribers, topic);
    const int32_t partitions = matching->input->topics[topic].partition_count;
    int32_t *owner = matching->output->owner + matching->output->first_slot[topic];
    struct account *account = &matching->account[topic];
    int32_t next_of_all = 0;
    queue_partitions(matching, topic);
    for (int32_t place = 0; place < count; place++) {
        const int32_t rack = matching->racks->of_member[member[place]];
        const int32_t wanted = room(account, place);
        int32_t *next = rack == RACK_NONE ? &next_of_all : &matching->next[rack];
        const int32_t end = rack == RACK_NONE ? partitions : matching->first[rack + 1];
        int32_t taken = 0;
        for (; taken < wanted && *next < end; (*next)++) {
            const int32_t p = rack == RACK_NONE ? *next : matching->item[*next];
            if (owner[p] != ASSIGN_NOBODY) continue;
            owner[p] = member[place];
            taken++;
        }
        give(account, place, taken);
    }
}

/* What the matching left over, dealt in order. */
static void deal_rest(struct matching *matching, int32_t topic)
{
    const int32_t *member = members_of(matching, topic);
    const int32_t count = subscribers_count(matching->subscribers, topic);
    const int32_t partitions = order_partition_count(matching->input, topic);
    int32_t *owner = matching->output->owner + matching->output->first_slot[topic];
    struct account *account = &matching->account[topic];
    int32_t p = 0;
    for (int32_t place = 0; place < count && p < partitions; place++) {
        const int32_t wanted = room(account, place);
        int32_t taken = 0;
        for (; taken < wanted && p < partitions; p++) {
            if (owner[p] != ASSIGN_NOBODY) continue;
            owner[p] = member[place];
            taken++;
        }
        give(account, place, taken);
    }
}

static bool same_subscribers(const struct subscribers *subscribers, int32_t a, int32_t b)
{
    const int32_t count = subscribers_count(subscribers, a);
    if (count != subscribers_count(subscribers, b)) return false;
    return memcmp(subscribers->member + subscribers->first[a],
                  subscribers->member + subscribers->first[b],
                  sizeof(int32_t) * (size_t)count) == 0;
}

static uint64_t hash_subscribers(const struct matching *matching, int32_t topic)
{
    const int32_t *member = members_of(matching, topic);
    uint64_t hash = (uint64_t)matching->input->topics[topic].partition_count;
    for (int32_t i = 0; i < subscribers_count(matching->subscribers, topic); i++) {
        hash = (hash ^ (uint64_t)member[i]) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 29;
    }
    return hash;
}

struct grouping {
    const struct matching *matching;
    const uint64_t *hash; /* by topic; spares most comparisons of whole lists */
};

static bool group_before(const void *context, int32_t a, int32_t b)
{
    const struct grouping *grouping = context;
    const struct matching *matching = grouping->matching;
    if (grouping->hash[a] != grouping->hash[b]) return grouping->hash[a] < grouping->hash[b];
    const struct assign_topic *topics = matching->input->topics;
    if (topics[a].partition_count != topics[b].partition_count) {
        return topics[a].partition_count < topics[b].partition_count;
    }
    const int32_t count = subscribers_count(matching->subscribers, a);
    const int32_t other_count = subscribers_count(matching->subscribers, b);
    if (count != other_count) return count < other_count;
    const int order =
        memcmp(members_of(matching, a), members_of(matching, b), sizeof(int32_t) * (size_t)count);
    return order != 0 ? order < 0 : a < b;
}

/* Brings topics that belong together side by side. Which order the groups have does not matter,
 * since no group's result depends on another's. */
static int32_t *group_topics(const struct matching *matching, struct scratch *scratch,
                             int32_t *count)
{
    const struct assign_input *input = matching->input;
    int32_t *topics = SCRATCH_ARRAY(scratch, int32_t, input->topic_count);
    uint64_t *hash = SCRATCH_ARRAY(scratch, uint64_t, input->topic_count);
    *count = 0;
    for (int32_t t = 0; t < input->topic_count; t++) {
        const int32_t *member = members_of(matching, t);
        bool any_rack = false;
        for (int32_t i = 0; !any_rack && i < subscribers_count(matching->subscribers, t); i++) {
            any_rack = matching->racks->of_member[member[i]] != RACK_NONE;
        }
        if (!any_rack || input->topics[t].partition_count <= 0) continue;
        hash[t] = hash_subscribers(matching, t);
        topics[(*count)++] = t;
    }
    const struct grouping grouping = {.matching = matching, .hash = hash};
    order_sort(topics, *count, group_before, &grouping, scratch->memory);
    return topics;
}

static void match_all(struct matching *matching, const bool *needs, struct scratch *scratch)
{
    int32_t count;
    int32_t *topics = group_topics(matching, scratch, &count);
    for (int32_t start = 0; start < count;) {
        const int32_t partitions = matching->input->topics[topics[start]].partition_count;
        int32_t end = start + 1;
        while (end < count && matching->input->topics[topics[end]].partition_count == partitions &&
               same_subscribers(matching->subscribers, topics[start], topics[end])) {
            end++;
        }
        if (end - start > 1) {
            match_together(matching, topics + start, end - start);
        } else if (needs[topics[start]]) {
            match_alone(matching, topics[start]);
        }
        start = end;
    }
}

bool range_assign_by_rack(const struct assign_input *input, const struct subscribers *subscribers,
                          struct racks *racks, struct scratch *scratch,
                          struct assign_output *output)
{
    if (racks->count == 0) return false;
    bool *needs = SCRATCH_ARRAY(scratch, bool, input->topic_count);
    bool any = false;
    for (int32_t t = 0; t < input->topic_count; t++) {
        if (input->topics[t].partition_count <= 0) continue;
        needs[t] = racks_matter(racks, input, &t, 1, subscribers->member + subscribers->first[t],
                                subscribers_count(subscribers, t));
        any = any || needs[t];
    }
    if (!any) return false;

    int32_t largest = input->member_count;
    for (int32_t t = 0; t < input->topic_count; t++) {
        const int32_t size = order_partition_count(input, t) * racks->slots[t];
        if (size > largest) largest = size;
    }
    struct matching matching = {.input = input,
                                .subscribers = subscribers,
                                .racks = racks,
                                .output = output,
                                .account =
                                    SCRATCH_ARRAY(scratch, struct account, input->topic_count),
                                .first = SCRATCH_ARRAY(scratch, int32_t, racks->count + 2),
                                .next = SCRATCH_ARRAY(scratch, int32_t, racks->count + 2),
                                .item = SCRATCH_ARRAY(scratch, int32_t, largest)};
    int32_t *have = SCRATCH_ARRAY(scratch, int32_t, subscribers->first[input->topic_count]);
    for (int32_t t = 0; t < input->topic_count; t++) {
        const int32_t count = subscribers_count(subscribers, t);
        struct account *account = &matching.account[t];
        account->have = have + subscribers->first[t];
        if (count == 0) continue;
        account->base = order_partition_count(input, t) / count;
        account->extra = order_partition_count(input, t) % count;
    }
    match_all(&matching, needs, scratch);
    for (int32_t t = 0; t < input->topic_count; t++)
        deal_rest(&matching, t);
    return true;
}
