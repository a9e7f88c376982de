/* Faults that hang on what a group does, and what they hit. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_fault_may_wait_for_what_a_deadline_brings_about(void **state)
{
    (void)state;
    /* g-1 dies without a word; its session ends 45 s after its last heartbeat, and at that very
     * instant g-2 dies, too. */
    struct story *s = STORY(.duration = "3m", .partitions = "2", .rate = "1/s", .members = "2",
                            .timeline = "{at: 30s, crash: g-1}, {when: {group: g, state: "
                                        "PreparingRebalance}, at: 40s, crash: g-2}");
    expect_story(s, STORY_GROUP | STORY_OWNED, "", 30000, 180000,
                 "30000 g-1 gave up orders-0: DIED\n"
                 "73011 group g Stable -> PreparingRebalance, generation 1\n"
                 "73011 g-2 gave up orders-1: DIED\n"
                 "118011 group g PreparingRebalance -> Empty, generation 2\n");
    story_free(s);
}

static void a_broker_that_is_restarted_comes_back(void **state)
{
    (void)state;
    /* A controlled shutdown takes two heartbeats to the controller; then it starts again at once.
     */
    struct story *s = STORY(.duration = "2m", .timeline = "{at: 30s, restart: broker 0}");
    struct ledger_group figures = story_ledger(s, 0);
    assert_in_range(figures.produced, 1150, 1200);
    assert_in_range(figures.lag_records_end, 0, 1);
    story_free(s);
}

static void a_stop_may_be_shorter_than_the_shutdown(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "2m", .timeline = "{at: 30s, stop: broker 0, for: 100ms}");
    assert_in_range(story_ledger(s, 0).lag_records_end, 0, 1);
    story_free(s);
}

static void who_takes_a_group_over_tells_what_its_log_says(void **state)
{
    (void)state;
    /* g-1 is silent, and its coordinator expels it; before the rest have rejoined that coordinator
     * dies. The next one knows a stable group of two: nothing of the rebalance was written. */
    struct story *s =
        STORY(.duration = "3m", .brokers = "3", .partitions = "2", .rate = "1/s", .members = "2",
              .config = "max.poll.records: 1", .process = "per_record: 1s, per_batch: 20s",
              .timeline = "{at: 30s, pause: g-1, for: 100s}, {when: {group: g, "
                          "state: PreparingRebalance}, at: 40s, crash: coordinator "
                          "of g}");
    /* 9 s of broker session; then every member has a session of 45 s, g-1 too. */
    expect_story(s, STORY_GROUP, "", 30000, 130000,
                 "73031 group g Stable -> PreparingRebalance, generation 1\n"
                 "81002 group g Dead -> Stable, generation 1\n"
                 "126002 group g Stable -> PreparingRebalance, generation 1\n"
                 "126627 group g PreparingRebalance -> CompletingRebalance, generation 2\n"
                 "126641 group g CompletingRebalance -> Stable, generation 2\n");
    assert_int_equal(story_ledger(s, 0).members, 2);
    story_free(s);
}

static void a_static_member_keeps_its_partitions_under_its_new_id(void **state)
{
    (void)state;
    /* Restarted with the same group.instance.id: the same assignment under another member id, of
     * which the next rebalance takes it. */
    struct story *s = STORY(.duration = "2m", .partitions = "2", .rate = "1/s", .members = "1",
                            .config = "group.instance.id: member",
                            .timeline = "{at: 30s, restart: g-1}, {at: 60s, scale: g, to: 2}");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.members, 2);
    assert_int_equal(figures.zombie, 0);
    story_free(s);
}

static void offsets_kept_in_the_sink_survive_a_crash_to_the_record(void **state)
{
    (void)state;
    /* The offset is part of the sink's own transaction: whoever starts asks the sink. */
    struct story *s = STORY(.duration = "3m", .rate = "20/s", .commit = "mode: external",
                            .timeline = "{at: 60s, crash: g-1}, {at: 65s, start: g-1}");
    assert_int_equal(story_count(s, STORY_REQUESTS, "OffsetCommit", ""), 0);
    assert_true(story_count(s, STORY_POSITIONS, "EXTERNAL", "") > 0);
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.effective_duplicates, 0);
    assert_int_equal(figures.skipped, 0);
    assert_in_range(figures.lag_records_end, 0, 5);
    story_free(s);
}

static void what_an_election_takes_back_may_be_processed_yet(void **state)
{
    (void)state;
    /* Broker 0 leads alone from 39 s on, and is gone at 60 s; broker 1 leads at 69 s with the 300
     * records that it has. The consumer has had 120 of the others since 64 s, and is done with them
     * at 76 s: these are not lost, though nobody else will ever see them. */
    struct story *s =
        story_run("scenario: 1\n"
                  "duration: 100s\n"
                  "cluster: {brokers: 2, network: {latency: 1ms}, disk: 0s, request_service: 0s}\n"
                  "topics: {orders: {partitions: 1, replication: 2,\n"
                  "  config: {unclean.leader.election.enable: true}}}\n"
                  "producers: {p: {rate: 10/s, stop: 58s, config: {linger.ms: 0}}}\n"
                  "groups:\n"
                  "  g: {members: 1, start_spread: 0s, commit: {mode: none},\n"
                  "    process: {per_record: 0s, per_batch: 12s},\n"
                  "    config: {auto.offset.reset: earliest},\n"
                  "    deployment: {startup: 1s, restart_after_crash: false}}\n"
                  "timeline: [{at: 30s, crash: broker 1, for: 32s}, {at: 60s, crash: broker 0}]\n");
    expect_story(s, STORY_PROCESSED, "", 50000, 100000,
                 "52030 g-1 processed orders-0 160+120\n"
                 "64030 g-1 processed orders-0 280+120\n"
                 "76130 g-1 processed orders-0 400+120\n");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.processed, 520);
    assert_int_equal(figures.produced, 580);
    assert_int_equal(figures.lost, 60);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_may_wait_for_what_a_deadline_brings_about),
        cmocka_unit_test(a_broker_that_is_restarted_comes_back),
        cmocka_unit_test(a_stop_may_be_shorter_than_the_shutdown),
        cmocka_unit_test(who_takes_a_group_over_tells_what_its_log_says),
        cmocka_unit_test(offsets_kept_in_the_sink_survive_a_crash_to_the_record),
        cmocka_unit_test(a_static_member_keeps_its_partitions_under_its_new_id),
        cmocka_unit_test(what_an_election_takes_back_may_be_processed_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
