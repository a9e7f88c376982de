/* Brokers that are restarted with a smaller limit for groups. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_last_to_rejoin_fall_out_of_a_group_that_is_too_large(void **state)
{
    (void)state;
    /* The group is loaded with three members, and told to rejoin. The third is refused, and that
     * ends no join phase: it lasts until the rebalance timeout. */
    struct story *s =
        STORY(.duration = "90s", .partitions = "3", .members = "3",
              .config = "max.poll.interval.ms: 30000",
              .timeline = "{at: 20s, restart: broker 0, config: {group.max.size: 2}}");
    expect_story(s, STORY_GROUP, "", 19000, 90000,
                 "22008 group g Dead -> PreparingRebalance, generation 1\n"
                 "52008 group g PreparingRebalance -> CompletingRebalance, generation 2\n"
                 "52020 group g CompletingRebalance -> Stable, generation 2\n");
    assert_int_equal(story_ledger(s, 0).rebalances, 1);
    assert_int_equal(story_count(s, STORY_REQUESTS, "JoinGroup", "GROUP_MAX_SIZE_REACHED"), 1);
    assert_int_equal(story_count(s, STORY_CLIENT, "FATAL", ""), 1);
    story_free(s);
}

static void a_group_within_the_limit_does_not_notice(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "60s", .partitions = "2", .members = "2",
              .timeline = "{at: 20s, restart: broker 0, config: {group.max.size: 2}}");
    assert_int_equal(story_ledger(s, 0).rebalances, 0);
    story_free(s);
}

static void a_member_may_come_back_to_other_bounds(void **state)
{
    (void)state;
    /* A session of 20 s is too short for the broker that g-1 finds when it starts again. */
    struct story *s =
        STORY(.duration = "70s", .config = "session.timeout.ms: 20000",
              .timeline = "{at: 15s, stop: g-1, for: 8s}, {at: 20s, restart: broker 0, config: "
                          "{group.min.session.timeout.ms: 30000}}");
    assert_int_equal(story_count(s, STORY_REQUESTS, "JoinGroup", "INVALID_SESSION_TIMEOUT"), 1);
    story_free(s);
}

static void the_consumer_protocol_evicts_nobody(void **state)
{
    (void)state;
    /* GroupMetadataManager.onLoaded restarts the timers of consumer groups, no more: who is a
     * member stays one, and who leaves is not let in again. */
    struct story *s =
        STORY(.duration = "60s", .partitions = "2", .members = "2",
              .config = "group.protocol: consumer",
              .timeline = "{at: 20s, restart: broker 0, config: {group.consumer.max.size: 1}}, "
                          "{at: 40s, restart: g-2}");
    expect_story(s, STORY_OWNED | STORY_GROUP, "", 19000, 40000,
                 "22008 group g Dead -> Stable, generation 2\n");
    assert_int_equal(story_count(s, STORY_CLIENT, "g-2 FATAL", ""), 1);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_to_rejoin_fall_out_of_a_group_that_is_too_large),
        cmocka_unit_test(a_group_within_the_limit_does_not_notice),
        cmocka_unit_test(a_member_may_come_back_to_other_bounds),
        cmocka_unit_test(the_consumer_protocol_evicts_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
