#include "model/coordinator/consumer_reconcile.h"

#include "sim/check.h"

#include <string.h>

const char *consumer_member_state_name(enum consumer_member_state state)
{
    switch (state) {
#define X(name, value)                                                                             \
    case CONSUMER_MEMBER_##name: return #name;
        CONSUMER_MEMBER_STATES(X)
#undef X
    }
    return "UNKNOWN";
}

enum consumer_member_state consumer_member_state_of(int32_t value)
{
    switch (value) {
#define X(name, number)                                                                            \
    case number: return CONSUMER_MEMBER_##name;
        CONSUMER_MEMBER_STATES(X)
#undef X
    }
    return CONSUMER_MEMBER_UNKNOWN;
}

void reconcile_output_init(struct reconcile_output *output, struct memory *memory)
{
    *output = (struct reconcile_output){0};
    partition_list_init(&output->assigned, memory);
    partition_list_init(&output->revoking, memory);
    partition_list_init(&output->wanted, memory);
    partition_list_init(&output->merged, memory);
}

void reconcile_output_release(struct reconcile_output *output)
{
    partition_list_release(&output->assigned);
    partition_list_release(&output->revoking);
    partition_list_release(&output->wanted);
    partition_list_release(&output->merged);
}

static void list_assign(struct partition_list *list, struct partition_set set)
{
    partition_list_reserve(list, set.count);
    if (set.count > 0) memcpy(list->items, set.items, sizeof(partition_key) * set.count);
    list->count = set.count;
}

static enum reconcile_outcome unchanged(const struct reconcile_input *input,
                                        struct reconcile_output *output)
{
    output->state = input->state;
    output->epoch = input->epoch;
    output->previous_epoch = input->previous_epoch;
    list_assign(&output->assigned, input->assigned);
    list_assign(&output->revoking, input->revoking);
    return RECONCILE_UNCHANGED;
}

/* A member that does not say what it owns is taken to own everything in question. */
static bool owns_any(const struct reconcile_input *input, struct partition_set set)
{
    return !input->owned_given || partition_set_intersects(input->owned, set);
}

/* Setting the epoch, even to what it was, makes the former one the previous epoch. */
static enum reconcile_outcome settle(const struct reconcile_input *input,
                                     struct reconcile_output *output,
                                     enum consumer_member_state state, int32_t epoch)
{
    output->state = state;
    output->epoch = epoch;
    output->previous_epoch = input->epoch;
    bool same = state == input->state && epoch == input->epoch &&
                input->previous_epoch == input->epoch &&
                partition_set_equal(partition_list_view(&output->assigned), input->assigned) &&
                partition_set_equal(partition_list_view(&output->revoking), input->revoking);
    return same ? RECONCILE_UNCHANGED : RECONCILE_CHANGED;
}

/* `epoch` is where the member stays if it turns out to have something to give up. */
static enum reconcile_outcome next_assignment(const struct reconcile_input *input,
                                              struct reconcile_output *output, int32_t epoch)
{
    struct partition_list *kept = &output->assigned;
    struct partition_list *dropped = &output->revoking;
    partition_set_common(kept, input->assigned, input->target);
    partition_set_without(dropped, input->assigned, input->target);
    if (dropped->count > 0 && owns_any(input, partition_list_view(dropped))) {
        return settle(input, output, CONSUMER_MEMBER_UNREVOKED_PARTITIONS, epoch);
    }
    dropped->count = 0;

    struct partition_list *wanted = &output->wanted;
    partition_set_without(wanted, input->target, partition_list_view(kept));
    uint32_t free_count = 0;
    for (uint32_t i = 0; i < wanted->count; i++) {
        if (partition_epochs_get(input->epochs, wanted->items[i]) != PARTITION_FREE) continue;
        wanted->items[free_count++] = wanted->items[i];
    }
    bool blocked = free_count < wanted->count;
    wanted->count = free_count;
    if (free_count > 0) {
        partition_set_union(&output->merged, partition_list_view(kept),
                            partition_list_view(wanted));
        list_assign(kept, partition_list_view(&output->merged));
    }
    return settle(input, output,
                  blocked ? CONSUMER_MEMBER_UNRELEASED_PARTITIONS : CONSUMER_MEMBER_STABLE,
                  input->target_epoch);
}

enum reconcile_outcome consumer_reconcile(const struct reconcile_input *input,
                                          struct reconcile_output *output)
{
    switch (input->state) {
    case CONSUMER_MEMBER_STABLE:
        if (input->epoch == input->target_epoch) return unchanged(input, output);
        return next_assignment(input, output, input->epoch);
    case CONSUMER_MEMBER_UNREVOKED_PARTITIONS:
        /* Even if the target moved on: the member first finishes what it was asked to do. */
        if (owns_any(input, input->revoking)) return unchanged(input, output);
        return next_assignment(input, output, input->epoch + 1);
    case CONSUMER_MEMBER_UNRELEASED_PARTITIONS: return next_assignment(input, output, input->epoch);
    case CONSUMER_MEMBER_UNKNOWN:
        if (!input->owned_given || input->owned.count > 0) {
            unchanged(input, output);
            return RECONCILE_FENCED;
        }
        return next_assignment(input, output, input->target_epoch);
    }
    CHECK(false); /* a member state outside the enum */
    return RECONCILE_UNCHANGED;
}
