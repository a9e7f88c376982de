/* Topics that are deleted under their readers, and created again. Every story also holds the books
 * to account: produced = processed once + skipped + lost + waiting, to the record. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void an_eager_member_waits_for_a_commit_that_nobody_accepts(void **state)
{
    (void)state;
    /* The leader sees that the topic is gone and is to rejoin; before that it commits what it has
     * (onJoinPrepare), which is refused and tried again, for max.poll.interval.ms at most. */
    struct story *s = STORY(.duration = "40s", .config = "max.poll.interval.ms: 10000",
                            .timeline = "{at: 20s, delete_topic: orders}");
    expect_story(s, STORY_CLIENT, "", 19000, 31000,
                 "20004 g-1 REJOIN_REQUESTED\n"
                 "30038 g-1 REVOKE_CALLBACK\n"
                 "30038 g-1 JOINING\n"
                 "30040 g-1 JOINED\n"
                 "30942 g-1 SYNCED\n" /* the leader has asked for metadata once more */
                 "30942 g-1 ASSIGN_CALLBACK\n");
    assert_in_range(story_count(s, STORY_COMMITS, "BEFORE_REBALANCE", "UNKNOWN_TOPIC"), 90, 100);
    assert_int_equal(story_count(s, STORY_OWNED, "owns", ""), 1);
    story_free(s);
}

static void without_auto_commit_the_partitions_go_at_once(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "40s", .commit = "mode: none",
                            .timeline = "{at: 20s, delete_topic: orders}");
    expect_story(s, STORY_GROUP | STORY_OWNED, "", 19000, 40000,
                 "20004 g-1 gave up orders-0: REVOKED\n"
                 "20005 group g Stable -> PreparingRebalance, generation 1\n"
                 "20005 group g PreparingRebalance -> CompletingRebalance, generation 2\n"
                 "20100 group g CompletingRebalance -> Stable, generation 2\n");
    story_free(s);
}

static void a_position_beyond_the_new_end_is_out_of_range(void **state)
{
    (void)state;
    /* 260 records have been read when the process freezes, and fewer are in the new log when it
     * goes on: positions go by name, so it asks for offset 260 of that. */
    struct story *s = STORY(.duration = "60s", .commit = "mode: none",
                            .timeline = "{at: 26s, pause: g-1, for: 10s}, "
                                        "{at: 30s, delete_topic: orders}, "
                                        "{at: 31s, create_topic: orders}");
    expect_story(s, STORY_POSITIONS | STORY_OWNED, "", 25000, 60000,
                 "36010 g-1 at orders-0 0: OUT_OF_RANGE\n");
    struct ledger_group figures = story_ledger(s, 0);
    assert_in_range(figures.lost, 39, 41); /* came while it was frozen, went with the topic */
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(figures.duplicates, 0); /* the same offsets, but other records */
    story_free(s);
}

static void a_position_within_the_new_log_is_read_on_from(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "60s", .commit = "mode: none",
                            .timeline = "{at: 10s, pause: g-1, for: 30s}, "
                                        "{at: 15s, delete_topic: orders}, "
                                        "{at: 16s, create_topic: orders}");
    /* Nothing tells it that this is another topic. */
    expect_story(s, STORY_POSITIONS | STORY_OWNED, "", 9000, 60000, "");
    struct ledger_group figures = story_ledger(s, 0);
    assert_in_range(figures.lost, 48, 50);
    assert_in_range(figures.skipped, 100, 102); /* before its position */
    story_free(s);
}

static void the_consumer_protocol_drops_the_partitions_at_the_next_heartbeat(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "60s", .config = "group.protocol: consumer",
                            .timeline = "{at: 20s, delete_topic: orders}, "
                                        "{at: 40s, create_topic: orders}");
    expect_story(s, STORY_POSITIONS | STORY_OWNED | STORY_GROUP, "", 9000, 60000,
                 "21019 group g Stable -> Reconciling, generation 2\n"
                 "21032 g-1 gave up orders-0: REVOKED\n"
                 "21033 group g Reconciling -> Stable, generation 2\n"
                 "41044 g-1 owns orders-0\n"
                 "41048 g-1 at orders-0 0: RESET_EARLIEST\n");
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    assert_in_range(story_ledger(s, 0).lost, 0, 1);
    story_free(s);
}

static void the_consumer_protocol_knows_topics_by_id(void **state)
{
    (void)state;
    /* Another topic id is another partition to the coordinator: the member gives up the old one
     * before it gets the new one, even if it has slept through the deletion, and so takes no
     * position along. */
    struct story *s =
        STORY(.duration = "60s", .config = "group.protocol: consumer", .commit = "mode: none",
              .timeline = "{at: 10s, pause: g-1, for: 20s}, "
                          "{at: 12s, delete_topic: orders}, "
                          "{at: 12100ms, create_topic: orders}");
    expect_story(s, STORY_POSITIONS | STORY_OWNED | STORY_GROUP, "", 9000, 60000,
                 "30001 group g Stable -> Reconciling, generation 2\n"
                 "30087 g-1 gave up orders-0: REVOKED\n"
                 "30088 group g Reconciling -> Stable, generation 2\n"
                 "30099 g-1 owns orders-0\n"
                 "30103 g-1 at orders-0 0: RESET_EARLIEST\n");
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

static void onlookers_are_told_who_has_the_new_topic(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "60s", .config = "group.protocol: consumer",
              .timeline = "{at: 20s, delete_topic: orders}, {at: 30s, create_topic: orders}");
    expect_story(s, STORY_TARGET | STORY_OWNED, "", 19000, 60000,
                 "21019 target of g-1 -orders-0\n"
                 "21032 g-1 gave up orders-0: REVOKED\n"
                 "31033 target of g-1 +orders-0\n"
                 "31044 g-1 owns orders-0\n");
    story_free(s);
}

static void send_waits_for_a_topic_that_is_gone(void **state)
{
    (void)state;
    /* Ten records a second for a minute; send() waits for the topic's metadata (max.block.ms), so
     * nothing is missing when it is back within that time, */
    const char *soon = "{at: 20s, delete_topic: orders}, {at: 40s, create_topic: orders}";
    struct story *s = STORY(.duration = "90s", .timeline = soon);
    assert_in_range(story_ledger(s, 0).produced, 898, 900);
    story_free(s);
    /* and what came in its first seconds is, when it takes longer. */
    const char *late = "{at: 20s, delete_topic: orders}, {at: 85s, create_topic: orders}";
    s = STORY(.duration = "90s", .timeline = late);
    assert_in_range(story_ledger(s, 0).produced, 835, 865);
    story_free(s);
}

static void offsets_of_a_topic_go_only_when_nobody_subscribes(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "60s", .timeline = "{at: 20s, delete_offsets: g, topic: orders}, "
                                             "{at: 30s, stop: g-1, for: 15s}, "
                                             "{at: 40s, delete_offsets: g, topic: orders}");
    assert_true(story_when(s, STORY_POSITIONS, 40000, "orders-0 0: RESET_EARLIEST", "") > 0);
    assert_int_equal(story_count(s, STORY_POSITIONS, "RESET_EARLIEST", ""), 2);
    story_free(s);
}

/* Group g subscribes to orders.*; orders-2 comes at 20 s, orders-1 goes at 70 s. */
static struct story *pattern_story(const char *config)
{
    char yaml[2000];
    snprintf(yaml, sizeof yaml,
             "scenario: 1\n"
             "duration: 100s\n"
             "sample: 1s\n"
             "cluster: {brokers: 1, network: {latency: 1ms}, disk: 0s, request_service: 0s}\n"
             "topics: {orders-1: {partitions: 1, replication: 1},\n"
             "  orders-2: {partitions: 1, replication: 1, created_later: true}}\n"
             "producers: {a: {topic: orders-1, rate: 10/s, config: {linger.ms: 0}},\n"
             "  b: {topic: orders-2, rate: 10/s, start: 20s, config: {linger.ms: 0}}}\n"
             "groups:\n"
             "  g: {topic_pattern: orders.*, members: 1, start_spread: 0s,\n"
             "    process: {per_record: 1ms}, commit: {mode: none},\n"
             "    deployment: {startup: 1s, restart_after_crash: false},\n"
             "    config: {metadata.max.age.ms: 30000, %s}}\n"
             "timeline: [{at: 20s, create_topic: orders-2}, {at: 70s, delete_topic: orders-1}]\n",
             config);
    return story_run(yaml);
}

static void a_pattern_finds_topics_when_metadata_is_refreshed(void **state)
{
    (void)state;
    struct story *s = pattern_story("auto.offset.reset: latest");
    /* The metadata is 30 s old at 31 s; what was deleted is noticed by the first fetch. */
    expect_story(s, STORY_OWNED | STORY_POSITIONS, "", 10000, 100000,
                 "31153 g-1 gave up orders-1-0: REVOKED\n"
                 "31167 g-1 owns orders-1-0\n"
                 "31167 g-1 owns orders-2-0\n"
                 "31252 g-1 at orders-1-0 313: RESET_LATEST\n"
                 "31252 g-1 at orders-2-0 112: RESET_LATEST\n"
                 "70092 g-1 gave up orders-1-0: REVOKED\n"
                 "70092 g-1 gave up orders-2-0: REVOKED\n"
                 "70106 g-1 owns orders-2-0\n"
                 "70110 g-1 at orders-2-0 501: RESET_LATEST\n");
    story_free(s);
}

static void the_next_heartbeat_tells_what_a_pattern_found(void **state)
{
    (void)state;
    struct story *s = pattern_story("group.protocol: consumer, auto.offset.reset: latest");
    expect_story(s, STORY_OWNED | STORY_POSITIONS, "", 0, 100000,
                 "1018 g-1 owns orders-1-0\n"
                 "1022 g-1 at orders-1-0 10: RESET_LATEST\n"
                 "36030 g-1 owns orders-2-0\n"
                 "36052 g-1 at orders-2-0 160: RESET_LATEST\n"
                 "71042 g-1 gave up orders-1-0: REVOKED\n");
    story_free(s);
}

static void deletion_at_any_time_keeps_the_books(void **state)
{
    (void)state;
    static const char *const configs[] = {"max.poll.records: 100", "group.protocol: consumer",
                                          "isolation.level: read_committed",
                                          "auto.offset.reset: latest",
                                          "max.poll.interval.ms: 9000"};
    static const char *const commits[] = {"mode: auto", "mode: sync", "mode: none", "mode: async",
                                          "mode: on_revoke"};
    static const char *const processing[] = {"per_record: 5ms", "per_record: 90ms",
                                             "per_record: 40ms, workers: 3",
                                             "per_record: 20ms, per_batch: 2s"};
    for (unsigned i = 0; i < 100; i++) {
        char timeline[400];
        unsigned first = 5000 + i * 7907 % 23000;
        unsigned gap = 1 + i * i * 137 % 11000;
        unsigned partitions = 1 + i % 4;
        snprintf(timeline, sizeof timeline,
                 "{at: %ums, pause: g-1, for: %us}, {at: %ums, delete_topic: orders}, "
                 "{at: %ums, create_topic: orders, partitions: %u}, {at: %ums, crash: broker %u, "
                 "for: 12s}, {at: %ums, delete_topic: orders}, {at: %ums, create_topic: orders}",
                 first - 2000, 1 + i % 13, first, first + gap, partitions, first + gap / 2, i % 3,
                 first + gap + 15000, first + gap + 15000 + gap / 3 + 1);
        struct story *s = STORY(.duration = "70s", .brokers = "3", .partitions = i % 2 ? "2" : "5",
                                .rate = i % 3 ? "50/s" : "13/s", .members = i % 5 ? "2" : "1",
                                .strategy = i % 2 ? "range" : "cooperative-sticky",
                                .config = configs[i % 5], .commit = commits[i / 5 % 5],
                                .process = processing[i / 2 % 4], .timeline = timeline);
        struct ledger_group figures = story_ledger(s, 0);
        assert_in_range(figures.produced, 400, 3500);
        story_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_eager_member_waits_for_a_commit_that_nobody_accepts),
        cmocka_unit_test(without_auto_commit_the_partitions_go_at_once),
        cmocka_unit_test(a_position_beyond_the_new_end_is_out_of_range),
        cmocka_unit_test(a_position_within_the_new_log_is_read_on_from),
        cmocka_unit_test(the_consumer_protocol_drops_the_partitions_at_the_next_heartbeat),
        cmocka_unit_test(the_consumer_protocol_knows_topics_by_id),
        cmocka_unit_test(onlookers_are_told_who_has_the_new_topic),
        cmocka_unit_test(send_waits_for_a_topic_that_is_gone),
        cmocka_unit_test(offsets_of_a_topic_go_only_when_nobody_subscribes),
        cmocka_unit_test(a_pattern_finds_topics_when_metadata_is_refreshed),
        cmocka_unit_test(the_next_heartbeat_tells_what_a_pattern_found),
        cmocka_unit_test(deletion_at_any_time_keeps_the_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
