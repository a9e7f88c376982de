/* What is committed, when, and what becomes of it. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void auto_commit_covers_earlier_polls(void **state)
{
    (void)state;
    struct story *s = STORY(.config = "max.poll.records: 10", .process = "per_record: 300ms",
                            .timeline = "{at: 30s, crash: g-1}");
    /* Batches of 3 s. The timer of 5 s is looked at in poll(): at 10,028 it commits what the polls
     * before returned, 20, and not the ten that this poll returns. When the process is killed at
     * 30,000, 1,970 ms into the last batch, six of its records are done. */
    expect_story(s, STORY_DELIVERED | STORY_PROCESSED | STORY_COMMITS, "", 4000, 40000,
                 "4028 g-1 got orders-0 0+10\n"
                 "7028 g-1 processed orders-0 0+10\n"
                 "7028 g-1 got orders-0 10+10\n"
                 "10028 g-1 processed orders-0 10+10\n"
                 "10028 g-1 got orders-0 20+10\n"
                 "10110 g-1 commit AUTO of 1: NONE\n"
                 "13028 g-1 processed orders-0 20+10\n"
                 "13028 g-1 got orders-0 30+10\n"
                 "16028 g-1 processed orders-0 30+10\n"
                 "16030 g-1 got orders-0 40+10\n"
                 "16110 g-1 commit AUTO of 1: NONE\n"
                 "19030 g-1 processed orders-0 40+10\n"
                 "19030 g-1 got orders-0 50+10\n"
                 "22030 g-1 processed orders-0 50+10\n"
                 "22030 g-1 got orders-0 60+10\n"
                 "22110 g-1 commit AUTO of 1: NONE\n"
                 "25030 g-1 processed orders-0 60+10\n"
                 "25030 g-1 got orders-0 70+10\n"
                 "28030 g-1 processed orders-0 70+10\n"
                 "28030 g-1 got orders-0 80+10\n"
                 "28110 g-1 commit AUTO of 1: NONE\n"
                 "30000 g-1 processed orders-0 80+6\n");
    story_free(s);
}

/* Killed at 30 s, started again at once. */
#define AGAIN                                                                                      \
    .duration = "3m", .config = "max.poll.records: 10",                                            \
    .timeline = "{at: 30s, crash: g-1}, {at: 31s, start: g-1}"

static void a_crash_repeats_what_was_not_committed(void **state)
{
    (void)state;
    struct story *s = STORY(AGAIN, .process = "per_record: 30ms");
    struct ledger_group figures = story_ledger(s, 0);
    /* At most what comes in one auto-commit interval and one poll. */
    assert_in_range(figures.duplicates, 1, 60);
    assert_int_equal(figures.skipped, 0);
    story_free(s);
}

static void commit_sync_leaves_at_most_one_batch(void **state)
{
    (void)state;
    struct story *s = STORY(AGAIN, .process = "per_record: 30ms", .commit = "mode: sync");
    assert_in_range(story_ledger(s, 0).duplicates, 0, 10);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    assert_true(story_count(s, STORY_COMMITS, "commit SYNC", "NONE") > 100);
    story_free(s);
}

static void committing_before_the_effect_loses_a_batch(void **state)
{
    (void)state;
    struct story *s =
        STORY(AGAIN, .process = "per_record: 300ms", .commit = "mode: sync, order: before_sink");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.duplicates, 0);
    /* 90 is committed at 28,138; at 30,000 the processing had come to 86. The ten records of the
     * last batch are committed and still under way when the run ends. */
    assert_int_equal(figures.skipped, 4 + 10);
    assert_int_equal(story_when(s, STORY_POSITIONS, 30000, "orders-0 90: COMMITTED", ""), 73142);
    story_free(s);
}

static void the_sink_keeps_the_offset(void **state)
{
    (void)state;
    struct story *s =
        STORY(AGAIN, .process = "per_record: 30ms, sink: 50ms", .commit = "mode: external");
    assert_int_equal(story_count(s, STORY_COMMITS, "commit", ""), 0);
    /* Processed again perhaps, but each record reaches the sink once. */
    assert_true(story_count(s, STORY_POSITIONS, "EXTERNAL", "") >= 1);
    assert_in_range(story_ledger(s, 0).duplicates, 0, 10);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

static void a_sink_outage_stops_the_application_and_loses_nothing(void **state)
{
    (void)state;
    struct story *s = STORY(.process = "per_record: 1ms, sink: 5ms",
                            .timeline = "{at: 20s, sink_outage: g, for: 30s}");
    /* A call that is under way when the outage begins gets its answer when it ends. */
    assert_int_equal(story_when(s, STORY_SINK, 20006, "sank", "") / 100, 500);
    assert_int_equal(story_ledger(s, 0).duplicates, 0);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

/* Nobody gets past it, and that is no bug of ours: L3 and L1 do not judge it. */
static void poison_that_is_not_passed_over_blocks_its_partition(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "12m", .partitions = "2", .process = "per_record: 1ms, retry: forever",
              .timeline = "{at: 500ms, poison: orders-0, offset: 50}, {at: 60s, quiet: true}");
    assert_true(story_ledger(s, 0).lag_records_end > 3000);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

static void poison_is_retried_and_passed_over(void **state)
{
    (void)state;
    struct story *s =
        STORY(.process = "per_record: 1ms, retry: bounded, retries: 3, retry_backoff: 100ms",
              .timeline = "{at: 500ms, poison: orders-0, offset: 50}");
    assert_int_equal(story_count(s, STORY_CLIENT, "RETRY", ""), 3);
    assert_int_equal(story_ledger(s, 0).skipped, 1);
    story_free(s);
}

static void poison_that_crashes_comes_back(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "2m", .process = "per_record: 1ms, retry: crash", .commit = "mode: sync",
              .timeline = "{at: 500ms, poison: orders-0, offset: 50}, "
                          "{at: 60s, start: g-1}");
    /* Two lives, and neither gets past the record. */
    assert_int_equal(story_count(s, STORY_CLIENT, "STARTED", ""), 2);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    assert_int_equal(story_count(s, STORY_PROCESSED, "orders-0 51+", ""), 0);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_commit_covers_earlier_polls),
        cmocka_unit_test(a_crash_repeats_what_was_not_committed),
        cmocka_unit_test(commit_sync_leaves_at_most_one_batch),
        cmocka_unit_test(committing_before_the_effect_loses_a_batch),
        cmocka_unit_test(the_sink_keeps_the_offset),
        cmocka_unit_test(a_sink_outage_stops_the_application_and_loses_nothing),
        cmocka_unit_test(poison_that_is_not_passed_over_blocks_its_partition),
        cmocka_unit_test(poison_is_retried_and_passed_over),
        cmocka_unit_test(poison_that_crashes_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
