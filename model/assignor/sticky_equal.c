/* Sticky assignment when all members subscribe to the same topics
 * (AbstractStickyAssignor.ConstrainedAssignmentBuilder).
 *
 * With N partitions and M members, everybody ends with low = N / M rounded down or, N mod M of
 * them, with high = low + 1 (high = low when M divides N). Members first keep what they can; what
 * is left is then dealt, by rack if racks are in use, else in a circle. */
#include "model/assignor/sticky.h"

#include "model/assignor/by_rack.h"
#include "sim/check.h"

#include <string.h>

struct equal {
    struct sticky *sticky;
    int32_t low;
    int32_t high;
    int32_t surplus; /* so many members may end with high, if high > low */
    int32_t over;    /* so many have it already */
    int32_t *load;   /* by member */

    /* UNDER: members below low, ascending; those that reach low leave, nobody joins. */
    int32_t *under;
    int32_t under_count;
    /* EXACT: members with low that may still get one more. New ones join at the end; members leave
     * anywhere (marked ASSIGN_NOBODY). Emptied when as many have high as may. */
    int32_t *exact;
    int32_t exact_start;
    int32_t exact_end;
};

static void give(struct equal *equal, int32_t slot, int32_t member)
{
    equal->sticky->output->owner[slot] = member;
    equal->sticky->handed_out[slot] = true;
    equal->load[member]++;
}

static void join_exact(struct equal *equal, int32_t member)
{
    equal->exact[equal->exact_end++] = member;
}

static void count_over(struct equal *equal)
{
    equal->over++;
    if (equal->over == equal->surplus) equal->exact_start = equal->exact_end;
}

struct slot_order {
    const int32_t *number; /* by slot: partition number */
    const int32_t *place;  /* by topic: place in name order */
    const int32_t *topic_of;
};

static bool number_then_topic_before(const void *context, int32_t a, int32_t b)
{
    const struct slot_order *order = context;
    if (order->number[a] != order->number[b]) return order->number[a] < order->number[b];
    return order->place[order->topic_of[a]] < order->place[order->topic_of[b]];
}

/* Keeps the first `count` of a member's slots and releases the others. */
static void keep_first(struct equal *equal, int32_t member, const int32_t *slots, int32_t held,
                       int32_t count)
{
    struct sticky *sticky = equal->sticky;
    for (int32_t i = 0; i < held; i++) {
        if (i < count) {
            sticky->output->owner[slots[i]] = member;
        } else {
            sticky->released[slots[i]] = member;
        }
    }
    equal->load[member] = count;
}

static void keep_of_member(struct equal *equal, int32_t member, int32_t *slots, int32_t held,
                           const struct slot_order *order)
{
    if (held > equal->low) {
        order_sort(slots, held, number_then_topic_before, order, equal->sticky->scratch->memory);
    }
    if (held < equal->low) {
        keep_first(equal, member, slots, held, held);
        equal->under[equal->under_count++] = member;
    } else if (held >= equal->high && equal->over < equal->surplus) {
        keep_first(equal, member, slots, held, equal->high);
        count_over(equal);
    } else {
        keep_first(equal, member, slots, held, equal->low);
        if (equal->over < equal->surplus) join_exact(equal, member);
    }
}

/* Step 1: members keep what they hold, as far as balance allows. */
static void keep(struct equal *equal)
{
    struct sticky *sticky = equal->sticky;
    const struct assign_input *input = sticky->input;
    const int32_t slot_count = sticky->output->slot_count;
    struct scratch *scratch = sticky->scratch;
    struct slot_order order = {.topic_of = sticky->topic_of};
    int32_t *number = SCRATCH_ARRAY(scratch, int32_t, slot_count);
    int32_t *place = SCRATCH_ARRAY(scratch, int32_t, input->topic_count);
    int32_t *first = SCRATCH_ARRAY(scratch, int32_t, input->member_count + 1);
    for (int32_t i = 0; i < input->topic_count; i++)
        place[sticky->topics[i]] = i;
    for (int32_t slot = 0; slot < slot_count; slot++) {
        number[slot] = slot - sticky->output->first_slot[sticky->topic_of[slot]];
        const int32_t holder = sticky->holder[slot];
        if (holder == ASSIGN_NOBODY) continue;
        if (sticky_mismatches(sticky, holder, slot)) {
            sticky->released[slot] = holder;
            sticky->holder[slot] = ASSIGN_NOBODY;
        } else if (sticky->contested[slot]) {
            sticky->holder[slot] = ASSIGN_NOBODY;
        } else {
            first[holder + 1]++;
        }
    }
    order.number = number;
    order.place = place;
    for (int32_t m = 0; m < input->member_count; m++)
        first[m + 1] += first[m];
    int32_t *held = SCRATCH_ARRAY(scratch, int32_t, first[input->member_count]);
    int32_t *end = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    memcpy(end, first, sizeof(int32_t) * (size_t)input->member_count);
    for (int32_t slot = 0; slot < slot_count; slot++) {
        const int32_t holder = sticky->holder[slot];
        if (holder != ASSIGN_NOBODY) held[end[holder]++] = slot;
    }
    for (int32_t i = 0; i < sticky->member_count; i++) {
        const int32_t m = sticky->members[i];
        keep_of_member(equal, m, held + first[m], end[m] - first[m], &order);
    }
}

/* Step 2: what nobody kept, by topic name and number. */
static int32_t *collect_unassigned(const struct sticky *sticky, int32_t *count)
{
    int32_t *slots = SCRATCH_ARRAY(sticky->scratch, int32_t, sticky->output->slot_count);
    *count = 0;
    for (int32_t i = 0; i < sticky->input->topic_count; i++) {
        const int32_t t = sticky->topics[i];
        if (!sticky_knows(sticky, t)) continue;
        const int32_t end = sticky->output->first_slot[t + 1];
        for (int32_t slot = sticky->output->first_slot[t]; slot < end; slot++) {
            if (sticky->output->owner[slot] == ASSIGN_NOBODY) slots[(*count)++] = slot;
        }
    }
    return slots;
}

/* Step 3, only if racks are in use: to a member near it, first of UNDER (round and round), then of
 * EXACT (from its start). Keeps in slots[] what found no one. */
static int32_t deal_by_rack(struct equal *equal, int32_t *slots, int32_t count)
{
    struct sticky *sticky = equal->sticky;
    struct by_rack *under =
        by_rack_new(&sticky->racks, sticky->scratch, sticky->input->member_count);
    struct by_rack *exact =
        by_rack_new(&sticky->racks, sticky->scratch, sticky->input->member_count);
    for (int32_t i = 0; i < equal->under_count; i++)
        by_rack_add(under, equal->under[i]);
    for (int32_t i = equal->exact_start; i < equal->exact_end; i++) {
        by_rack_add(exact, equal->exact[i]);
    }
    int32_t left = 0;
    int32_t cursor = 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t slot = slots[i];
        const int32_t topic = sticky->topic_of[slot];
        const int32_t partition = slot - sticky->output->first_slot[topic];
        int32_t place = by_rack_find(under, topic, partition, cursor);
        if (place >= 0) {
            const int32_t member = by_rack_member(under, place);
            give(equal, slot, member);
            cursor = place + 1;
            if (equal->load[member] < equal->low) continue;
            by_rack_remove(under, place);
            if (equal->load[member] < equal->high && equal->over < equal->surplus) {
                by_rack_add(exact, member);
            }
            continue;
        }
        place = by_rack_find(exact, topic, partition, 0);
        if (place < 0) {
            slots[left++] = slot;
            continue;
        }
        give(equal, slot, by_rack_member(exact, place));
        by_rack_remove(exact, place);
        equal->over++;
        if (equal->over == equal->surplus) by_rack_clear(exact);
    }
    equal->under_count = by_rack_rest(under, equal->under);
    equal->exact_start = 0;
    equal->exact_end = by_rack_rest(exact, equal->exact);
    return left;
}

/* Step 4: in a circle over UNDER, whoever reaches low leaves it and joins EXACT; then one each to
 * those in EXACT. */
static void deal_rest(struct equal *equal, const int32_t *slots, int32_t count)
{
    int32_t i = 0;
    while (i < count && equal->under_count > 0) {
        int32_t stay = 0;
        int32_t place = 0;
        for (; place < equal->under_count && i < count; place++) {
            const int32_t member = equal->under[place];
            give(equal, slots[i++], member);
            if (equal->load[member] < equal->low) {
                equal->under[stay++] = member;
            } else {
                join_exact(equal, member);
            }
        }
        while (place < equal->under_count)
            equal->under[stay++] = equal->under[place++];
        equal->under_count = stay;
    }
    for (; i < count; i++) {
        CHECK(equal->exact_start < equal->exact_end);
        give(equal, slots[i], equal->exact[equal->exact_start++]);
    }
}

void sticky_assign_equal(struct sticky *sticky)
{
    const struct assign_input *input = sticky->input;
    const int32_t members = sticky->member_count;
    int32_t partitions = 0;
    for (int32_t t = 0; t < input->topic_count; t++) {
        if (sticky_knows(sticky, t)) partitions += input->topics[t].partition_count;
    }
    if (members == 0 || partitions == 0) return;
    struct equal equal = {.sticky = sticky,
                          .low = partitions / members,
                          .high = partitions / members + (partitions % members != 0 ? 1 : 0),
                          .surplus = partitions % members,
                          .load = SCRATCH_ARRAY(sticky->scratch, int32_t, input->member_count),
                          .under = SCRATCH_ARRAY(sticky->scratch, int32_t, members),
                          .exact = SCRATCH_ARRAY(sticky->scratch, int32_t, members)};
    keep(&equal);
    int32_t count;
    int32_t *slots = collect_unassigned(sticky, &count);
    if (sticky->racks_in_use) {
        by_rack_sort_rarest_first(sticky, slots, count);
        count = deal_by_rack(&equal, slots, count);
    }
    deal_rest(&equal, slots, count);
}
