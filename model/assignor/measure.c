#include "model/assignor/measure.h"

#include "model/assignor/measure_best.h"
#include "model/assignor/order.h"

#include <string.h>

static const struct assign_partition *claims_of(const struct assign_member *member,
                                                enum measure_claims claims, int32_t *count,
                                                int32_t *generation)
{
    if (claims == MEASURE_USER_DATA) {
        *count = member->user_data_owned_count;
        *generation = member->user_data_generation;
        return member->user_data_owned;
    }
    *count = member->owned_count;
    *generation = member->generation >= 0 ? member->generation : member->user_data_generation;
    return member->owned;
}

static bool subscribes(const struct assign_member *member, int32_t topic)
{
    for (int32_t i = 0; i < member->topic_count; i++) {
        if (member->topics[i] == topic) return true;
    }
    return false;
}

void measure_previous_owners(const struct assign_input *input, const struct assign_output *shape,
                             enum measure_claims claims, int32_t *previous, struct memory *memory)
{
    const size_t size = sizeof(int32_t) * (size_t)shape->slot_count;
    int32_t *newest = memory_take(memory, size); /* generation plus two; 0 = no claim */
    memset(previous, 0xff, size);
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct assign_member *member = &input->members[m];
        int32_t count;
        int32_t generation;
        const struct assign_partition *owned = claims_of(member, claims, &count, &generation);
        const int32_t rank = generation < 0               ? 1
                             : generation > INT32_MAX - 2 ? INT32_MAX
                                                          : generation + 2;
        for (int32_t i = 0; i < count; i++) {
            const int32_t slot = assign_slot(shape, owned[i]);
            if (slot < 0 || rank < newest[slot]) continue;
            const bool disputed = rank == newest[slot] && previous[slot] != m;
            previous[slot] = disputed ? ASSIGN_NOBODY : m;
            newest[slot] = rank;
        }
    }
    for (int32_t t = 0; t < input->topic_count; t++) {
        for (int32_t slot = shape->first_slot[t]; slot < shape->first_slot[t + 1]; slot++) {
            if (previous[slot] == ASSIGN_NOBODY) continue;
            if (!subscribes(&input->members[previous[slot]], t)) previous[slot] = ASSIGN_NOBODY;
        }
    }
    memory_give(memory, newest, size);
}

static int32_t target_of(const struct assign_output *output, int32_t slot)
{
    return output->withheld_for[slot] != ASSIGN_NOBODY ? output->withheld_for[slot]
                                                       : output->owner[slot];
}

static void measure_balance(const struct assign_input *input, const int32_t *load,
                            const int64_t *weight, struct assign_measure *measure)
{
    for (int32_t m = 0; m < input->member_count; m++) {
        measure->sum_of_squares += (int64_t)load[m] * load[m];
        measure->total_weight += weight[m];
        if (m == 0 || load[m] < measure->least) measure->least = load[m];
        if (m == 0 || load[m] > measure->most) measure->most = load[m];
        if (m == 0 || weight[m] < measure->least_weight) measure->least_weight = weight[m];
        if (m == 0 || weight[m] > measure->most_weight) measure->most_weight = weight[m];
    }
}

void measure_compare(struct assign_measure *measure, int64_t best_sum_of_squares, int32_t best_kept)
{
    const int32_t needless = best_kept - measure->kept;
    measure->best_sum_of_squares = best_sum_of_squares;
    measure->best_kept = best_kept;
    measure->moved_needlessly = best_kept < 0 ? -1 : needless > 0 ? needless : 0;
}

struct assign_measure measure_assignment(const struct assign_input *input,
                                         const struct assign_output *output,
                                         const struct measure_options *options,
                                         struct memory *memory)
{
    struct scratch scratch = scratch_new(memory);
    struct assign_measure measure = {.best_sum_of_squares = -1,
                                     .best_kept = -1,
                                     .moved_needlessly = -1};
    int32_t *previous = SCRATCH_ARRAY(&scratch, int32_t, output->slot_count);
    int32_t *load = SCRATCH_ARRAY(&scratch, int32_t, input->member_count);
    int64_t *weight = SCRATCH_ARRAY(&scratch, int64_t, input->member_count);
    const int32_t *members = order_members_by_id(input, &scratch);
    const struct subscribers subscribers = order_subscribers(input, members, &scratch);
    measure_previous_owners(input, output, options->claims, previous, memory);
    for (int32_t t = 0; t < input->topic_count; t++) {
        const bool wanted = subscribers_count(&subscribers, t) > 0;
        for (int32_t slot = output->first_slot[t]; slot < output->first_slot[t + 1]; slot++) {
            const int32_t target = target_of(output, slot);
            if (output->withheld_for[slot] != ASSIGN_NOBODY) measure.withheld++;
            if (previous[slot] != ASSIGN_NOBODY) {
                measure.had_owner++;
                if (target == previous[slot]) measure.kept++;
            }
            if (target == ASSIGN_NOBODY) {
                if (wanted) measure.unassigned++;
                continue;
            }
            load[target]++;
            weight[target] += options->weight == NULL ? 1 : options->weight[slot];
        }
    }
    measure.moved = measure.had_owner - measure.kept;
    measure_balance(input, load, weight, &measure);
    if (options->with_best) {
        int64_t best_sum_of_squares;
        int32_t best_kept;
        measure_best(input, &subscribers, previous, &scratch, &best_sum_of_squares, &best_kept);
        measure_compare(&measure, best_sum_of_squares, best_kept);
    }
    scratch_release(&scratch);
    return measure;
}
