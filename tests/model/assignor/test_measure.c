/* The measure of an assignment, by hand. (That best balance and best stickiness are right is
 * checked against 31,862 recorded cases, tests/conformance/assignors.c.) */
#include "model/assignor/measure.h"
#include "tests/model/assignor/group_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct assign_measure measure(const char *assignor, const char *text, const int64_t *weight)
{
    struct group_text group = group_text_parse(text);
    struct assign_output output = assign_output_new(group.memory, &group.input);
    const struct measure_options options = {.weight = weight, .with_best = true};
    group_text_assignor(assignor)->assign(&group.input, group.memory, &output);
    const struct assign_measure result =
        measure_assignment(&group.input, &output, &options, group.memory);
    group_text_free(&group);
    return result;
}

/* Five partitions, a second member: two must move, and behind c1 range moves just these. Ahead of
 * it, the newcomer gets three. */
static void needless_moves_are_counted(void **state)
{
    (void)state;
    static const char last[] =
        "topic t 5\nmember c1: t | generation 1 | owns t:0,1,2,3,4\nmember c2: t\n";
    static const char first[] =
        "topic t 5\nmember c1: t | generation 1 | owns t:0,1,2,3,4\nmember c0: t\n";
    const struct assign_measure behind = measure("range", last, NULL);
    assert_int_equal(behind.had_owner, 5);
    assert_int_equal(behind.kept, 3);
    assert_int_equal(behind.moved, 2);
    assert_int_equal(behind.moved_needlessly, 0);
    const struct assign_measure ahead = measure("range", first, NULL);
    assert_int_equal(ahead.moved, 3);
    assert_int_equal(ahead.moved_needlessly, 1);
}

static void balance_is_counted_and_weighed(void **state)
{
    (void)state;
    static const int64_t weight[] = {100, 1, 1, 10};
    const struct assign_measure result =
        measure("range", "topic t 4\nmember a: t\nmember b: t\nmember c:\n", weight);
    assert_int_equal(result.least, 0);
    assert_int_equal(result.most, 2);
    assert_int_equal(result.sum_of_squares, 8);
    assert_int_equal(result.best_sum_of_squares, 8);
    assert_int_equal(result.least_weight, 0);
    assert_int_equal(result.most_weight, 101);
    assert_int_equal(result.total_weight, 112);
    assert_int_equal(result.had_owner, 0);
}

/* Seven over three members: somebody has three whatever one does. */
static void unequal_subscriptions_are_evened_out_along_paths(void **state)
{
    (void)state;
    const struct assign_measure result = measure("range",
                                                 "topic t1 4\ntopic t2 2\ntopic t3 1\n"
                                                 "member a: t1\n"
                                                 "member b: t1 t2\n"
                                                 "member c: t2 t3\n",
                                                 NULL);
    assert_int_equal(result.sum_of_squares, 4 + 9 + 4); /* 2 of t1; 2 of t1, t2:0; t2:1, t3 */
    assert_int_equal(result.best_sum_of_squares, 4 + 4 + 9);
}

/* b holds all of t and half of u; it can keep four of six, and any of those. */
static void best_kept_is_what_any_balanced_assignment_could_keep(void **state)
{
    (void)state;
    const struct assign_measure result =
        measure("sticky",
                "topic t 4\ntopic u 4\n"
                "member a: t u | generation 1 | owns u:2,3\n"
                "member b: t u | generation 1 | owns t:0,1,2,3 u:0,1\n"
                "member c: u\n",
                NULL);
    assert_int_equal(result.best_sum_of_squares, 9 + 9 + 4);
    assert_int_equal(result.had_owner, 8);
    assert_int_equal(result.best_kept, 5); /* a both, b three */
    assert_int_equal(result.moved_needlessly, result.best_kept - result.kept);
}

/* The newest claim counts, if it is the only one and its member still subscribes. */
static void previous_owners_are_the_newest_undisputed_ones(void **state)
{
    (void)state;
    struct group_text group = group_text_parse("topic t 5\n"
                                               "member a: t | generation 3 | owns t:0,1,2\n"
                                               "member b: t | generation 4 | owns t:1,3\n"
                                               "member c: t | generation 4 | owns t:3\n"
                                               "member d: | generation 5 | owns t:4,0\n");
    struct assign_output shape = assign_output_new(group.memory, &group.input);
    int32_t previous[5];
    measure_previous_owners(&group.input, &shape, MEASURE_OWNED, previous, group.memory);
    const int32_t expected[] = {-1, 1, 0, -1, -1};
    assert_memory_equal(previous, expected, sizeof(expected));
    group_text_free(&group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needless_moves_are_counted),
        cmocka_unit_test(balance_is_counted_and_weighed),
        cmocka_unit_test(unequal_subscriptions_are_evened_out_along_paths),
        cmocka_unit_test(best_kept_is_what_any_balanced_assignment_could_keep),
        cmocka_unit_test(previous_owners_are_the_newest_undisputed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
