/* What an operator does to a group from outside, and what it leaves behind. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_command_outlives_its_connection(void **state)
{
    (void)state;
    /* The broker that the tool has a connection to goes (random world 28). */
    struct story *s = STORY(.duration = "2m", .brokers = "3", .rate = "1/s",
                            .timeline = "{at: 20s, stop: g-1}, {at: 25s, reset_offsets: g, to: 3},"
                                        "{at: 30s, restart: coordinator of g},"
                                        "{at: 31s, restart: broker 0},"
                                        "{at: 70s, reset_offsets: g, to: 5},"
                                        "{at: 80s, start: g-1}");
    assert_int_equal(story_count(s, STORY_POSITIONS, "orders-0 5: COMMITTED", ""), 1);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

static void a_deleted_group_is_dead_and_begins_anew(void **state)
{
    (void)state;
    static const char *const protocols[] = {"group.protocol: classic", "group.protocol: consumer"};
    static const char *const told[] = {
        "30005 group g Empty -> Dead, generation 0\n"
        "41009 group g Empty -> PreparingRebalance, generation 0\n"
        "44009 group g PreparingRebalance -> CompletingRebalance, "
        "generation 1\n"
        "44021 group g CompletingRebalance -> Stable, generation 1\n",
        "30005 group g Empty -> Dead, generation 0\n"
        "41007 group g Empty -> Stable, generation 1\n"};
    for (int i = 0; i < 2; i++) {
        struct story *s = STORY(.rate = "1/s", .config = protocols[i],
                                .timeline = "{at: 20s, stop: g-1}, {at: 30s, delete_group: g},"
                                            "{at: 40s, start: g-1}");
        expect_story(s, STORY_GROUP, "", 30000, 60000, told[i]);
        assert_int_equal(story_count(s, STORY_POSITIONS, "RESET_EARLIEST", ""), 2);
        story_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_outlives_its_connection),
        cmocka_unit_test(a_deleted_group_is_dead_and_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
