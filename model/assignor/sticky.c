#include "model/assignor/sticky.h"

#include "model/assignor/strategies.h"
#include "model/assignor/withhold.h"

#include <string.h>

static int32_t known_or_minus_one(int32_t generation)
{
    return generation < 0 ? ASSIGN_GENERATION_UNKNOWN : generation;
}

/* Walks the members' claims in ascending order. The claimant of the highest generation holds a
 * partition; two claimants of one generation both lose it. A newcomer's generation is compared with
 * the generation *field* of the member met before, which for old protocol versions is not the one
 * that member's claims were made under (AbstractStickyAssignor.populatePartitionOwners). */
static void settle_claims(struct sticky *sticky)
{
    const struct assign_input *input = sticky->input;
    int32_t *recorded = SCRATCH_ARRAY(sticky->scratch, int32_t, sticky->output->slot_count);
    memset(recorded, 0xff, sizeof(int32_t) * (size_t)sticky->output->slot_count);
    for (int32_t i = 0; i < input->member_count; i++) {
        const int32_t m = sticky->members[i];
        const struct sticky_claims *claims = &sticky->claims[m];
        for (int32_t j = 0; j < claims->owned_count; j++) {
            const int32_t slot = assign_slot(sticky->output, claims->owned[j]);
            /* A partition number that the topic does not have (a topic created anew with fewer
             * partitions) is no claim; Kafka's algorithms stumble over it. */
            if (slot < 0 || !sticky_knows(sticky, sticky->topic_of[slot])) continue;
            const int32_t other = recorded[slot];
            if (other == m) continue;
            if (other != ASSIGN_NOBODY) {
                const int32_t recorded_generation =
                    known_or_minus_one(input->members[other].generation);
                if (claims->generation < recorded_generation) continue;
                const bool equal = claims->generation == recorded_generation;
                if (equal) sticky->contested[slot] = true;
                sticky->holder[slot] = equal ? ASSIGN_NOBODY : m;
            } else {
                sticky->holder[slot] = m;
            }
            recorded[slot] = m;
        }
    }
}

/* Whether all members subscribe to the same topics, existing or not. Members without subscription
 * that come before all others do not count (but later ones do); Kafka then takes them for members
 * who subscribe to what the others do, here they get nothing (DIFFERENCES.md, empty subscription
 * first). */
static bool subscriptions_are_equal(const struct sticky *sticky, int32_t empty_first)
{
    const struct assign_input *input = sticky->input;
    for (int32_t t = 0; t < input->topic_count; t++) {
        const int32_t count = subscribers_count(&sticky->subscribers, t);
        if (count != 0 && count != input->member_count - empty_first) return false;
    }
    return true;
}

static int32_t count_empty_first(const struct sticky *sticky)
{
    int32_t count = 0;
    while (count < sticky->member_count &&
           sticky->input->members[sticky->members[count]].topic_count == 0) {
        count++;
    }
    return count;
}

static bool racks_are_in_use(struct sticky *sticky)
{
    int32_t *known = SCRATCH_ARRAY(sticky->scratch, int32_t, sticky->input->topic_count);
    int32_t count = 0;
    for (int32_t t = 0; t < sticky->input->topic_count; t++) {
        if (sticky_knows(sticky, t)) known[count++] = t;
    }
    return racks_matter(&sticky->racks, sticky->input, known, count, sticky->members,
                        sticky->input->member_count);
}

/* Returns whether subscriptions were equal. */
static bool assign(struct sticky *sticky)
{
    const struct assign_input *input = sticky->input;
    const int32_t slots = sticky->output->slot_count;
    struct scratch *scratch = sticky->scratch;
    sticky->members = order_members_by_id(input, scratch);
    sticky->member_count = input->member_count;
    sticky->topics = order_topics_by_name(input, scratch);
    sticky->subscribers = order_subscribers(input, sticky->members, scratch);
    sticky->racks = racks_new(input, scratch);
    sticky->racks_in_use = racks_are_in_use(sticky);
    sticky->topic_of = SCRATCH_ARRAY(scratch, int32_t, slots);
    for (int32_t t = 0; t < input->topic_count; t++) {
        for (int32_t slot = sticky->output->first_slot[t]; slot < sticky->output->first_slot[t + 1];
             slot++) {
            sticky->topic_of[slot] = t;
        }
    }
    sticky->holder = SCRATCH_ARRAY(scratch, int32_t, slots);
    sticky->contested = SCRATCH_ARRAY(scratch, bool, slots);
    sticky->released = SCRATCH_ARRAY(scratch, int32_t, slots);
    sticky->handed_out = SCRATCH_ARRAY(scratch, bool, slots);
    memset(sticky->holder, 0xff, sizeof(int32_t) * (size_t)slots);
    memset(sticky->released, 0xff, sizeof(int32_t) * (size_t)slots);
    settle_claims(sticky);
    const int32_t empty_first = count_empty_first(sticky);
    if (!subscriptions_are_equal(sticky, empty_first)) {
        sticky_assign_unequal(sticky);
        return false;
    }
    sticky->members += empty_first;
    sticky->member_count -= empty_first;
    sticky_assign_equal(sticky);
    return true;
}

/* sticky: an eager member has given up everything before it joins; what it had is in its user data.
 */
enum assign_result sticky_assign(const struct assign_input *input, struct memory *memory,
                                 struct assign_output *output)
{
    struct scratch scratch = scratch_new(memory);
    struct sticky sticky = {.input = input, .output = output, .scratch = &scratch};
    sticky.claims = SCRATCH_ARRAY(&scratch, struct sticky_claims, input->member_count);
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct assign_member *member = &input->members[m];
        sticky.claims[m] =
            (struct sticky_claims){.owned = member->user_data_owned,
                                   .owned_count = member->user_data_owned_count,
                                   .generation = known_or_minus_one(member->user_data_generation)};
    }
    assign(&sticky);
    scratch_release(&scratch);
    return ASSIGN_DONE;
}

/* cooperative-sticky: members keep what they have while they rejoin, so a partition that moves is
 * handed out only in the next rebalance, when its owner has given it up (KIP-429). */
enum assign_result cooperative_sticky_assign(const struct assign_input *input,
                                             struct memory *memory, struct assign_output *output)
{
    struct scratch scratch = scratch_new(memory);
    struct sticky sticky = {.input = input, .output = output, .scratch = &scratch};
    sticky.claims = SCRATCH_ARRAY(&scratch, struct sticky_claims, input->member_count);
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct assign_member *member = &input->members[m];
        const bool in_field = member->generation >= 0;
        sticky.claims[m] =
            (struct sticky_claims){.owned = member->owned,
                                   .owned_count = member->owned_count,
                                   .generation =
                                       in_field ? member->generation
                                                : known_or_minus_one(member->user_data_generation)};
    }
    if (assign(&sticky)) {
        withhold_after_equal(&sticky);
    } else {
        withhold_after_unequal(&sticky);
    }
    scratch_release(&scratch);
    return ASSIGN_DONE;
}
