/* Sticky assignment when subscriptions differ (AbstractStickyAssignor.GeneralAssignmentBuilder).
 *
 * Members keep what they hold, the rest goes to the least loaded, then partitions move from loaded
 * to less loaded members. If all that moving did not even out the loads, it is undone. */
#include "model/assignor/load_heap.h"
#include "model/assignor/sticky.h"
#include "model/assignor/sticky_improve.h"

#include <string.h>

struct unequal {
    struct sticky *sticky;
    int32_t *load;   /* by member */
    int32_t *rank;   /* by member: place in id order */
    int32_t *topics; /* known ones by (number of subscribers, name) */
    int32_t topic_count;
    bool *unassigned;     /* by slot: nobody kept it */
    int32_t *older_owner; /* by slot */
    bool revoked;         /* somebody had to let go of something */
    bool fresh;           /* nobody has anything */
};

static bool fewer_subscribers_before(const void *context, int32_t a, int32_t b)
{
    const struct sticky *sticky = context;
    return subscribers_count(&sticky->subscribers, a) < subscribers_count(&sticky->subscribers, b);
}

static void order_topics(struct unequal *unequal)
{
    struct sticky *sticky = unequal->sticky;
    unequal->topics = SCRATCH_ARRAY(sticky->scratch, int32_t, sticky->input->topic_count);
    for (int32_t i = 0; i < sticky->input->topic_count; i++) {
        const int32_t topic = sticky->topics[i];
        if (sticky_knows(sticky, topic)) unequal->topics[unequal->topic_count++] = topic;
    }
    order_sort(unequal->topics, unequal->topic_count, fewer_subscribers_before, sticky,
               sticky->scratch->memory);
}

/* Claims under a generation older than the newest of the group (unknown counts as older than any):
 * of several, the newest of these, and of equal ones the first member's. */
static void note_older_owners(struct unequal *unequal)
{
    struct sticky *sticky = unequal->sticky;
    const struct assign_input *input = sticky->input;
    const int32_t slots = sticky->output->slot_count;
    unequal->older_owner = SCRATCH_ARRAY(sticky->scratch, int32_t, slots);
    memset(unequal->older_owner, 0xff, sizeof(int32_t) * (size_t)slots);
    int32_t newest = ASSIGN_GENERATION_UNKNOWN;
    for (int32_t m = 0; m < input->member_count; m++) {
        if (sticky->claims[m].generation > newest) newest = sticky->claims[m].generation;
    }
    for (int32_t i = 0; i < input->member_count; i++) {
        const int32_t m = sticky->members[i];
        const struct sticky_claims *claims = &sticky->claims[m];
        if (claims->generation >= newest) continue;
        for (int32_t j = 0; j < claims->owned_count; j++) {
            const int32_t slot = assign_slot(sticky->output, claims->owned[j]);
            if (slot < 0) continue;
            const int32_t noted = unequal->older_owner[slot];
            if (noted != ASSIGN_NOBODY && sticky->claims[noted].generation >= claims->generation) {
                continue;
            }
            unequal->older_owner[slot] = m;
        }
    }
}

/* What members hold, without topics they do not subscribe to and partitions they mismatch. */
static void keep(struct unequal *unequal)
{
    struct sticky *sticky = unequal->sticky;
    struct assign_output *output = sticky->output;
    int32_t *stamp = SCRATCH_ARRAY(sticky->scratch, int32_t, sticky->input->member_count);
    unequal->fresh = true;
    for (int32_t i = 0; i < unequal->topic_count; i++) {
        const int32_t topic = unequal->topics[i];
        const int32_t *subscriber = sticky->subscribers.member + sticky->subscribers.first[topic];
        for (int32_t j = 0; j < subscribers_count(&sticky->subscribers, topic); j++) {
            stamp[subscriber[j]] = topic + 1;
        }
        const int32_t end = output->first_slot[topic + 1];
        for (int32_t slot = output->first_slot[topic]; slot < end; slot++) {
            const int32_t holder = sticky->holder[slot];
            unequal->unassigned[slot] = true;
            if (holder == ASSIGN_NOBODY) continue;
            if (stamp[holder] != topic + 1 || sticky_mismatches(sticky, holder, slot)) {
                unequal->revoked = true;
                continue;
            }
            output->owner[slot] = holder;
            unequal->unassigned[slot] = false;
            unequal->load[holder]++;
            unequal->fresh = false;
        }
    }
}

/* The heaps of one topic's subscribers: one per rack and one for members without, or a single one
 * for all when racks are not in use. */
struct rack_heaps {
    struct load_heap *heap;
    int32_t count;
    int32_t *members; /* the heaps' memory, shape [member_count] */
    int32_t *sorted;
    int32_t *first;
};

static int32_t heap_of(const struct sticky *sticky, bool by_rack, int32_t member)
{
    if (!by_rack) return 0;
    const int32_t rack = sticky->racks.of_member[member];
    return rack == RACK_NONE ? sticky->racks.count : rack;
}

static void fill_heaps(const struct unequal *unequal, struct rack_heaps *heaps, int32_t topic)
{
    const struct sticky *sticky = unequal->sticky;
    const int32_t *subscriber = sticky->subscribers.member + sticky->subscribers.first[topic];
    const int32_t count = subscribers_count(&sticky->subscribers, topic);
    const bool by_rack = heaps->count > 1;
    memset(heaps->first, 0, sizeof(int32_t) * ((size_t)heaps->count + 2));
    for (int32_t i = 0; i < count; i++)
        heaps->first[heap_of(sticky, by_rack, subscriber[i]) + 2]++;
    for (int32_t h = 0; h < heaps->count; h++)
        heaps->first[h + 2] += heaps->first[h + 1];
    for (int32_t i = 0; i < count; i++) {
        heaps->sorted[heaps->first[heap_of(sticky, by_rack, subscriber[i]) + 1]++] = subscriber[i];
    }
    for (int32_t h = 0; h < heaps->count; h++) {
        const int32_t start = heaps->first[h];
        heaps->heap[h].member = heaps->members + start;
        load_heap_fill(&heaps->heap[h], heaps->sorted + start, heaps->first[h + 1] - start);
    }
}

/* The heap whose least member comes first among those near the partition; NULL if all are empty. */
static struct load_heap *best_heap(const struct unequal *unequal, struct rack_heaps *heaps,
                                   int32_t topic, int32_t partition)
{
    const struct racks *racks = &unequal->sticky->racks;
    struct load_heap *best = &heaps->heap[heaps->count - 1];
    if (best->count == 0) best = NULL;
    if (heaps->count == 1) return best;
    const int32_t *rack = racks_of(racks, topic, partition);
    for (int32_t i = 0; i < racks->slots[topic] && rack[i] != RACK_NONE; i++) {
        struct load_heap *heap = &heaps->heap[rack[i]];
        if (heap->count == 0) continue;
        if (best != NULL) {
            const int32_t a = load_heap_least(heap);
            const int32_t b = load_heap_least(best);
            if (unequal->load[a] > unequal->load[b]) continue;
            if (unequal->load[a] == unequal->load[b] && unequal->rank[a] > unequal->rank[b]) {
                continue;
            }
        }
        best = heap;
    }
    return best;
}

/* Each unassigned slot, in order, goes to the first member by (load, id) that may have it. */
static void assign_unassigned(struct unequal *unequal, bool by_rack)
{
    struct sticky *sticky = unequal->sticky;
    struct assign_output *output = sticky->output;
    struct scratch *scratch = sticky->scratch;
    const int32_t members = sticky->input->member_count;
    struct rack_heaps heaps = {.count = by_rack ? sticky->racks.count + 1 : 1};
    heaps.heap = SCRATCH_ARRAY(scratch, struct load_heap, heaps.count);
    heaps.first = SCRATCH_ARRAY(scratch, int32_t, heaps.count + 2);
    heaps.members = SCRATCH_ARRAY(scratch, int32_t, members);
    heaps.sorted = SCRATCH_ARRAY(scratch, int32_t, members);
    int32_t *place = SCRATCH_ARRAY(scratch, int32_t, members);
    for (int32_t h = 0; h < heaps.count; h++) {
        heaps.heap[h] =
            (struct load_heap){.load = unequal->load, .rank = unequal->rank, .place = place};
    }
    for (int32_t i = 0; i < unequal->topic_count; i++) {
        const int32_t topic = unequal->topics[i];
        const int32_t first = output->first_slot[topic];
        bool filled = false;
        for (int32_t slot = first; slot < output->first_slot[topic + 1]; slot++) {
            if (output->owner[slot] != ASSIGN_NOBODY) continue;
            if (!filled) fill_heaps(unequal, &heaps, topic);
            filled = true;
            struct load_heap *heap = best_heap(unequal, &heaps, topic, slot - first);
            if (heap == NULL) continue;
            const int32_t member = load_heap_least(heap);
            output->owner[slot] = member;
            unequal->load[member]++;
            load_heap_changed(heap, member);
        }
    }
}

/* Sum of the differences in load over all pairs of members that have a shared topic; the others
 * have all there is for them and take no part. */
static int64_t sum_of_differences(const struct unequal *unequal, const bool *takes_part,
                                  int32_t *members_with_load)
{
    const struct sticky *sticky = unequal->sticky;
    int32_t most = 0;
    int64_t count = 0;
    for (int32_t m = 0; m < sticky->input->member_count; m++) {
        if (!takes_part[m]) continue;
        count++;
        members_with_load[unequal->load[m]]++;
        if (unequal->load[m] > most) most = unequal->load[m];
    }
    int64_t sum = 0;
    int64_t below = 0;
    for (int32_t load = 0; load <= most; load++) {
        /* Everybody above this level differs by one more from everybody at or below it. */
        below += members_with_load[load];
        sum += below * (count - below);
        members_with_load[load] = 0;
    }
    return sum;
}

static void balance(struct unequal *unequal)
{
    struct sticky *sticky = unequal->sticky;
    struct scratch *scratch = sticky->scratch;
    const int32_t members = sticky->input->member_count;
    const int32_t slots = sticky->output->slot_count;
    int32_t *owner = sticky->output->owner;
    bool *takes_part = SCRATCH_ARRAY(scratch, bool, members);
    int32_t shared = 0; /* topics with one subscriber come first */
    while (shared < unequal->topic_count &&
           subscribers_count(&sticky->subscribers, unequal->topics[shared]) < 2) {
        shared++;
    }
    for (int32_t i = shared; i < unequal->topic_count; i++) {
        const int32_t topic = unequal->topics[i];
        const int32_t *subscriber = sticky->subscribers.member + sticky->subscribers.first[topic];
        for (int32_t j = 0; j < subscribers_count(&sticky->subscribers, topic); j++) {
            takes_part[subscriber[j]] = true;
        }
    }
    int32_t *snapshot = SCRATCH_ARRAY(scratch, int32_t, slots);
    int32_t *members_with_load = SCRATCH_ARRAY(scratch, int32_t, slots + 1);
    memcpy(snapshot, owner, sizeof(int32_t) * (size_t)slots);
    const int64_t before = sum_of_differences(unequal, takes_part, members_with_load);

    struct improvement improvement =
        improvement_new(sticky, unequal->load, unequal->rank, unequal->older_owner,
                        unequal->topics + shared, unequal->topic_count - shared);
    if (!unequal->revoked) improve(&improvement, unequal->unassigned);
    const bool moved = improve(&improvement, NULL);
    if (unequal->fresh || !moved) return;
    const int64_t after = sum_of_differences(unequal, takes_part, members_with_load);
    if (after >= before) memcpy(owner, snapshot, sizeof(int32_t) * (size_t)slots);
}

void sticky_assign_unequal(struct sticky *sticky)
{
    struct scratch *scratch = sticky->scratch;
    const int32_t members = sticky->input->member_count;
    struct unequal unequal = {.sticky = sticky,
                              .load = SCRATCH_ARRAY(scratch, int32_t, members),
                              .rank = SCRATCH_ARRAY(scratch, int32_t, members),
                              .unassigned =
                                  SCRATCH_ARRAY(scratch, bool, sticky->output->slot_count)};
    for (int32_t i = 0; i < members; i++)
        unequal.rank[sticky->members[i]] = i;
    order_topics(&unequal);
    note_older_owners(&unequal);
    keep(&unequal);
    if (sticky->racks_in_use) assign_unassigned(&unequal, true);
    assign_unassigned(&unequal, false);
    balance(&unequal);
}
