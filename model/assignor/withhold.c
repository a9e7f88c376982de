#include "model/assignor/withhold.h"

static void withhold(struct assign_output *output, int32_t slot)
{
    output->withheld_for[slot] = output->owner[slot];
    output->owner[slot] = ASSIGN_NOBODY;
}

/* Who is at work on a slot: the one member that claims it under the newest generation, or
 * ASSIGN_NOBODY if there is none or several dispute it. Kafka settles claims by a field that old
 * protocol versions lack, and with unequal subscriptions asks only whether the new owner lists the
 * partition too; either can give a partition at once to a member with an outdated claim, and two
 * members own it until the other hears of the rebalance. Here such a partition is held back
 * (DIFFERENCES.md, unsafe transfer). */
static const int32_t *find_workers(const struct sticky *sticky)
{
    const struct assign_input *input = sticky->input;
    const int32_t slots = sticky->output->slot_count;
    int32_t *worker = SCRATCH_ARRAY(sticky->scratch, int32_t, slots);
    int32_t *newest = SCRATCH_ARRAY(sticky->scratch, int32_t, slots);
    for (int32_t slot = 0; slot < slots; slot++) {
        worker[slot] = ASSIGN_NOBODY;
        newest[slot] = INT32_MIN;
    }
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct sticky_claims *claims = &sticky->claims[m];
        for (int32_t i = 0; i < claims->owned_count; i++) {
            const int32_t slot = assign_slot(sticky->output, claims->owned[i]);
            if (slot < 0 || claims->generation < newest[slot]) continue;
            worker[slot] = claims->generation == newest[slot] ? ASSIGN_NOBODY : m;
            newest[slot] = claims->generation;
        }
    }
    return worker;
}

void withhold_after_equal(struct sticky *sticky)
{
    struct assign_output *output = sticky->output;
    const int32_t *worker = find_workers(sticky);
    for (int32_t slot = 0; slot < output->slot_count; slot++) {
        const int32_t owner = output->owner[slot];
        if (owner == ASSIGN_NOBODY) continue;
        const int32_t released = sticky->released[slot];
        const bool moves = released != ASSIGN_NOBODY && released != owner;
        const bool handed_out = sticky->handed_out[slot] && (moves || sticky->contested[slot]);
        const bool outdated = worker[slot] != ASSIGN_NOBODY && worker[slot] != owner;
        if (handed_out || outdated) withhold(output, slot);
    }
}

/* Raw claims count here, whatever their generation: somebody who lists the partition may be working
 * on it. */
void withhold_after_unequal(struct sticky *sticky)
{
    const struct assign_input *input = sticky->input;
    struct assign_output *output = sticky->output;
    const int32_t *worker = find_workers(sticky);
    bool *by_owner = SCRATCH_ARRAY(sticky->scratch, bool, output->slot_count);
    bool *by_other = SCRATCH_ARRAY(sticky->scratch, bool, output->slot_count);
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct sticky_claims *claims = &sticky->claims[m];
        for (int32_t i = 0; i < claims->owned_count; i++) {
            const int32_t slot = assign_slot(output, claims->owned[i]);
            if (slot < 0) continue;
            if (output->owner[slot] == m) {
                by_owner[slot] = true;
            } else {
                by_other[slot] = true;
            }
        }
    }
    for (int32_t slot = 0; slot < output->slot_count; slot++) {
        const int32_t owner = output->owner[slot];
        if (owner == ASSIGN_NOBODY) continue;
        const bool outdated = worker[slot] != ASSIGN_NOBODY && worker[slot] != owner;
        if ((by_other[slot] && !by_owner[slot]) || outdated) withhold(output, slot);
    }
}
