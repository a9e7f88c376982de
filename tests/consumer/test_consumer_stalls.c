/* What a frozen process does and what long processing does (classic-consumer.md, section 6). */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TWO .partitions = "2", .rate = "1/s", .members = "2"

static void long_processing_leaves_the_group(void **state)
{
    (void)state;
    struct story *s = STORY(TWO, .duration = "10m", .timeline = "{at: 20s, stall: g-1, for: 6m}");
    /* Heartbeats go on all the time. 300 s after its last poll() the heartbeat thread leaves. */
    assert_int_equal(story_count(s, STORY_REQUESTS, "g-1 Heartbeat", "UNKNOWN"), 0);
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-1", 20000, 380004,
                 "320410 g-1 POLL_TIMEOUT\n"
                 "320410 g-1 LEAVING\n"
                 "320410 g-1 GENERATION_RESET\n"
                 "320410 g-1 REJOIN_REQUESTED\n"
                 "380001 g-1 LOST_CALLBACK\n"
                 "380001 g-1 gave up orders-0: LOST\n"
                 "380001 g-1 JOINING\n"
                 "380003 g-1 JOINING\n");
    /* The others are told at once. */
    assert_int_equal(story_when(s, STORY_GROUP, 300000, "PreparingRebalance", ""), 320411);
    story_free(s);
}

static void a_static_member_that_stalls_is_missed_after_its_session(void **state)
{
    (void)state;
    struct story *s = STORY(TWO, .duration = "10m", .config = "group.instance.id: '${POD_NAME}'",
                            .timeline = "{at: 20s, stall: g-1, for: 6m}");
    /* Nobody leaves. The last heartbeat was at 319,009; 45 s later the session is over. */
    assert_int_equal(story_count(s, STORY_CLIENT, "LEAVING", ""), 0);
    assert_int_equal(story_when(s, STORY_CLIENT, 0, "g-1 POLL_TIMEOUT", ""), 320408);
    assert_int_equal(story_when(s, STORY_GROUP, 300000, "PreparingRebalance", ""), 364009);
    story_free(s);
}

static void a_short_pause_is_not_noticed(void **state)
{
    (void)state;
    struct story *s = STORY(TWO, .duration = "3m", .timeline = "{at: 20s, pause: g-1, for: 40s}");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.rebalances, 0);
    assert_int_equal(figures.duplicates, 0);
    assert_int_equal(story_count(s, STORY_CLIENT, "GENERATION_RESET", ""), 0);
    story_free(s);
}

static void a_long_pause_makes_a_zombie(void **state)
{
    (void)state;
    struct story *s = STORY(TWO, .duration = "10m", .timeline = "{at: 20s, pause: g-1, for: 60s}");
    /* The broker waits 45 s from the last heartbeat, at 19,011. */
    assert_int_equal(story_when(s, STORY_GROUP, 20000, "PreparingRebalance", ""), 64011);
    /* Awake, it first finds its own session timer expired and looks for the coordinator; a
     * heartbeat tells it the truth. */
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-1", 20000, 80120,
                 "80000 g-1 COORDINATOR_UNKNOWN\n"
                 "80089 g-1 COORDINATOR_FOUND\n"
                 "80118 g-1 GENERATION_RESET\n"
                 "80118 g-1 REJOIN_REQUESTED\n"
                 "80118 g-1 HEARTBEAT_FAILED\n"
                 "80118 g-1 LOST_CALLBACK\n"
                 "80118 g-1 gave up orders-0: LOST\n"
                 "80118 g-1 JOINING\n");
    assert_true(story_ledger(s, 0).duplicates > 0);
    story_free(s);
}

static void a_cut_from_the_coordinator_is_never_fenced_by_the_client(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "4m", .brokers = "2", .partitions = "4", .members = "2",
                            .timeline = "{at: 20s, cut: g-1, to: coordinator of g, for: 90s}");
    assert_int_equal(story_when(s, STORY_GROUP, 20000, "PreparingRebalance", ""), 64011);
    /* It gives its partition up only when the cut is over, and reads it until then. */
    int64_t lost = story_when(s, STORY_OWNED, 20000, "g-1 gave up orders-0: LOST", "");
    assert_in_range(lost, 110000, 115000);
    int64_t late = story_when(s, STORY_PROCESSED, 105000, "g-1 processed", "");
    assert_in_range(late, 105000, 110000);        /* the other broker's partition */
    assert_true(story_ledger(s, 0).zombie > 100); /* 2.5 records/s for most of a minute */
    story_free(s);
}

static void a_cooperative_member_is_expelled_though_it_polls_in_time(void **state)
{
    (void)state;
    /* delivery-anomalies.md, A5: batches of 60 s, less than max.poll.interval.ms. */
    struct story *s = STORY(.duration = "4m", .partitions = "4", .rate = "100/s", .members = "3",
                            .strategy = "cooperative-sticky", .config = "max.poll.records: 600",
                            .process = "per_record: 100ms",
                            .timeline = "{at: 1500ms, stop: g-3}, {at: 60s, start: g-3}");
    assert_int_equal(story_count(s, STORY_CLIENT, "POLL_TIMEOUT", ""), 0);
    /* Both old members sent JoinGroup in a poll() that also returned records; nobody reads the
     * answers, and the heartbeat threads are off. 45 s after the join they are out. */
    assert_int_equal(story_when(s, STORY_GROUP, 150000, "CompletingRebalance", "generation 3"),
                     163533);
    assert_int_equal(story_count(s, STORY_REQUESTS, "g-1 Heartbeat", "UNKNOWN_MEMBER_ID"), 0);
    assert_int_equal(story_when(s, STORY_GROUP, 164000, "PreparingRebalance -> Completing",
                                "generation 4"),
                     208533);
    assert_true(story_when(s, STORY_OWNED, 208533, "g-3 owns orders-0", "") > 0);
    /* At the end of its batch g-1 reads the old answer; its SyncGroup tells it that it is out, and
     * the next poll() would give everything up. */
    expect_story(s, STORY_CLIENT | STORY_REQUESTS, "g-1", 200000, 240000,
                 "221032 g-1 JOINED\n"
                 "221033 g-1 SyncGroup UNKNOWN_MEMBER_ID\n"
                 "221132 g-1 GENERATION_RESET\n");
    story_free(s);
}

static void heartbeats_of_a_busy_member_are_up_to_100_ms_late(void **state)
{
    (void)state;
    struct story *s = STORY(.config = "max.poll.records: 1, heartbeat.interval.ms: 3070",
                            .process = "per_record: 5s");
    /* JOINED at 4,010. The thread looks every 100 ms from its last turn: at 7,110, at 10,210. */
    expect_story(s, STORY_REQUESTS, "g-1", 4030, 14000,
                 "7111 g-1 Heartbeat NONE\n"
                 "9039 g-1 OffsetCommit NONE\n"
                 "10211 g-1 Heartbeat NONE\n"
                 "13311 g-1 Heartbeat NONE\n");
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_processing_leaves_the_group),
        cmocka_unit_test(a_static_member_that_stalls_is_missed_after_its_session),
        cmocka_unit_test(a_short_pause_is_not_noticed),
        cmocka_unit_test(a_long_pause_makes_a_zombie),
        cmocka_unit_test(a_cut_from_the_coordinator_is_never_fenced_by_the_client),
        cmocka_unit_test(a_cooperative_member_is_expelled_though_it_polls_in_time),
        cmocka_unit_test(heartbeats_of_a_busy_member_are_up_to_100_ms_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
