/* sticky and cooperative-sticky with unequal subscriptions against the rules written down word by
 * word: 3,000 random groups a run. `test_sticky_reference SEED COUNT` takes others. */
#include "tests/model/assignor/random_group.h"
#include "tests/model/assignor/reference_sticky.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t first_seed = 1;
static uint64_t seeds = 3000;
static long compared;

static int32_t target(const struct assign_output *output, int32_t slot)
{
    return output->withheld_for[slot] >= 0 ? output->withheld_for[slot] : output->owner[slot];
}

static void fail_on(const char *name, uint64_t seed, int32_t slot, int32_t reference, int32_t ours)
{
    fail_msg("%s, slot %d: reference %d, ours %d; replay with: test_sticky_reference %llu 1", name,
             slot, reference, ours, (unsigned long long)seed);
}

/* False when the rules do not come to an end on this group. */
static bool compare(const char *name, uint64_t seed, struct random_size size)
{
    struct random_group group = random_group(seed, size, false);
    struct assign_output ours = assign_output_new(group.memory, &group.input);
    int32_t *reference = memory_keep(group.memory, sizeof(int32_t) * ((size_t)ours.slot_count + 1));
    const struct assignor *assignor = assignor_find(name, ASSIGNOR_CLIENT);
    int passes = 0;
    assignor->assign(&group.input, group.memory, &ours);
    if (!group.equal) {
        passes = reference_sticky(&group.input, !assignor->supports_cooperative, &ours, reference);
        compared++;
    }
    for (int32_t s = 0; !group.equal && passes < REFERENCE_PASSES && s < ours.slot_count; s++) {
        if (target(&ours, s) == reference[s]) continue;
        fail_on(name, seed, s, reference[s], target(&ours, s));
    }
    random_group_free(&group);
    return passes < REFERENCE_PASSES;
}

static void small_groups_are_assigned_by_the_rules(void **state)
{
    (void)state;
    const struct random_size size = {.members = 8, .topics = 4, .partitions = 9};
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        compare("sticky", seed, size);
        compare("cooperative-sticky", seed, size);
    }
    print_message("%ld groups with unequal subscriptions\n", compared);
}

static void larger_groups_are_assigned_by_the_rules(void **state)
{
    (void)state;
    const struct random_size size = {.members = 14, .topics = 8, .partitions = 12};
    for (uint64_t seed = first_seed; seed < first_seed + seeds / 10; seed++) {
        compare("sticky", seed, size);
        compare("cooperative-sticky", seed, size);
    }
    print_message("%ld groups with unequal subscriptions\n", compared);
}

/* Seed 3583: members m007 and m005 hand partition 53 back and forth for ever. */
static void passes_without_end_are_ended(void **state)
{
    (void)state;
    const struct random_size size = {.members = 24, .topics = 10, .partitions = 30};
    assert_false(compare("sticky", 3583, size));
    struct random_group group = random_group(3583, size, false);
    struct assign_output ours = assign_output_new(group.memory, &group.input);
    int32_t load[24] = {0};
    assignor_find("sticky", ASSIGNOR_CLIENT)->assign(&group.input, group.memory, &ours);
    for (int32_t s = 0; s < ours.slot_count; s++) {
        if (ours.owner[s] >= 0) load[ours.owner[s]]++;
    }
    for (int32_t m = 0; m < group.input.member_count; m++) {
        const struct assign_member *member = &group.input.members[m];
        for (int32_t i = 0; i < member->topic_count; i++) {
            const int32_t t = member->topics[i];
            for (int32_t s = ours.first_slot[t]; s < ours.first_slot[t + 1]; s++) {
                assert_true(load[ours.owner[s]] <= load[m] + 1);
            }
        }
    }
    random_group_free(&group);
}

int main(int argc, char **argv)
{
    if (argc > 1) first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) seeds = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_groups_are_assigned_by_the_rules),
        cmocka_unit_test(larger_groups_are_assigned_by_the_rules),
        cmocka_unit_test(passes_without_end_are_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
