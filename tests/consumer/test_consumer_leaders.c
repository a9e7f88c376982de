/* Leaders and coordinators that change under a consumer: what it finds out about its position
 * (KIP-320), and what it sees of a coordinator that still reads its log. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* Broker 1 is down from 20 s to 60 s, broker 0 from 40 s to 90 s: at 60 s broker 1 leads a log that
 * lacks what came after 20 s, and the consumer is far beyond its end. */
static struct story *unclean_election(const char *reset)
{
    char yaml[2048];
    snprintf(yaml, sizeof yaml,
             "scenario: 1\n"
             "duration: 2m\n"
             "cluster: {brokers: 3, network: {latency: 1ms}, request_service: 0ms, disk: 0ms}\n"
             "topics: {orders: {partitions: 2, replication: 2,\n"
             "         config: {unclean.leader.election.enable: true}}}\n"
             "producers: {shop: {rate: 20/s}}\n"
             "groups:\n"
             "  g:\n"
             "    members: 1\n"
             "    start_spread: 0s\n"
             "    config: {auto.offset.reset: %s}\n"
             "    process: {per_record: 0ms}\n"
             "    deployment: {startup: 5s, restart_after_crash: false}\n"
             "timeline:\n"
             "  - {at: 2s, reset_offsets: g, to: earliest}\n" /* for those without a policy */
             "  - {at: 20s, crash: broker 1, for: 40s}\n"
             "  - {at: 40s, crash: broker 0, for: 50s}\n",
             reset);
    return story_run(yaml);
}

static void a_truncated_position_goes_back_to_where_the_logs_part(void **state)
{
    (void)state;
    struct story *s = unclean_election("earliest");
    expect_story(s, STORY_POSITIONS | STORY_CLIENT, "g-1", 50000, 110000,
                 "60283 g-1 at orders-0 206: TRUNCATED\n");
    assert_true(story_ledger(s, 0).taken_back > 100);
    assert_int_equal(story_ledger(s, 0).lost, 0); /* it had read them */
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

static void without_a_policy_truncation_is_an_exception(void **state)
{
    (void)state;
    struct story *s = unclean_election("none");
    expect_story(s, STORY_POSITIONS | STORY_CLIENT, "g-1", 50000, 110000,
                 "60283 g-1 FATAL\n" /* LogTruncationException */
                 "60283 g-1 CLOSING\n"
                 "60297 g-1 REVOKE_CALLBACK\n"
                 "60297 g-1 LEAVING\n");
    story_free(s);
}

/* The only replica in sync is frozen, a successor is elected that lacks nothing, and when it wakes
 * it appends, and shows to whoever still reads from it, what has waited in its sockets. */
static void what_a_deposed_leader_shows_is_taken_back(void **state)
{
    (void)state;
    struct story *s = story_run(
        "scenario: 1\n"
        "duration: 80s\n"
        "cluster: {brokers: 3, network: {latency: 1ms}, request_service: 0ms, disk: 0ms}\n"
        "topics: {orders: {partitions: 1, replication: 2,\n"
        "         config: {unclean.leader.election.enable: true}}}\n"
        "producers:\n"
        "  shop: {rate: 10/s, stop: 40s, config: {acks: 0, enable.idempotence: false}}\n"
        "groups:\n"
        "  g:\n"
        "    members: 1\n"
        "    start_spread: 0s\n"
        "    config: {auto.offset.reset: earliest}\n"
        "    process: {per_record: 0ms}\n"
        "    deployment: {startup: 1s}\n"
        "timeline:\n"
        "  - {at: 9s, burst: shop, factor: 0.001, for: 27s}\n"
        "  - {at: 10s, crash: broker 1, for: 38s}\n"
        "  - {at: 35s, pause: leader of orders-0, for: 20s}\n");
    expect_story(s, STORY_POSITIONS | STORY_DELIVERED, "g-1", 34900, 80000,
                 "55001 g-1 got orders-0 90+1\n"
                 "55007 g-1 at orders-0 90: TRUNCATED\n");
    story_free(s);
}

/* 50 partitions are committed for twenty times a second, so __consumer_offsets grows by 130 KB each
 * second; a coordinator reads it at 50 MB/s before it answers anything else. */
static struct story *coordinator_lost(const char *at, const char *how)
{
    char timeline[256];
    snprintf(timeline, sizeof timeline, "{at: %s, %s: coordinator of g, for: 30s}", at, how);
    return STORY(.duration = "5m", .brokers = "3", .partitions = "50", .rate = "1000/s",
                 .config = "max.poll.records: 50", .process = "per_record: 1ms",
                 .commit = "mode: sync", .timeline = timeline);
}

static void a_longer_log_takes_its_coordinator_longer(void **state)
{
    (void)state;
    struct story *early = coordinator_lost("30s", "crash");
    struct story *late = coordinator_lost("4m", "crash");
    expect_story(early, STORY_COORDINATOR, "", 30000, 100000,
                 "37022 broker 0 read __consumer_offsets-3 in 20 ms, 1 groups\n");
    expect_story(late, STORY_COORDINATOR, "", 240000, 290000,
                 "247192 broker 0 read __consumer_offsets-3 in 190 ms, 1 groups\n");
    story_free(early);
    story_free(late);
}

/* Whoever finds the new coordinator while it reads is told to come again, and stays a member. */
static void a_coordinator_that_reads_its_log_asks_for_patience(void **state)
{
    (void)state;
    struct story *s = coordinator_lost("4m", "stop");
    expect_story(s, STORY_COORDINATOR | STORY_CLIENT | STORY_COMMITS | STORY_REQUESTS, "", 240000,
                 240340,
                 "240049 g-1 OffsetCommit NOT_COORDINATOR\n"
                 "240050 g-1 COORDINATOR_UNKNOWN\n"
                 "240050 g-1 commit SYNC of 50: NOT_COORDINATOR\n"
                 "240149 g-1 COORDINATOR_FOUND\n"
                 "240152 g-1 OffsetCommit COORDINATOR_LOAD_IN_PROGRESS\n"
                 "240153 g-1 commit SYNC of 50: COORDINATOR_LOAD_IN_PROGRESS\n"
                 "240192 broker 0 read __consumer_offsets-3 in 190 ms, 1 groups\n"
                 "240332 g-1 OffsetCommit NONE\n"
                 "240333 g-1 commit SYNC of 50: NONE\n");
    assert_int_equal(story_ledger(s, 0).rebalances, 0);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_truncated_position_goes_back_to_where_the_logs_part),
        cmocka_unit_test(without_a_policy_truncation_is_an_exception),
        cmocka_unit_test(what_a_deposed_leader_shows_is_taken_back),
        cmocka_unit_test(a_longer_log_takes_its_coordinator_longer),
        cmocka_unit_test(a_coordinator_that_reads_its_log_asks_for_patience),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
