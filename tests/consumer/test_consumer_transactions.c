/* Consume-process-produce: offsets in the producer's transaction (KIP-447). */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define TWO          .partitions = "2", .members = "2"
#define TRANSACTIONS .commit = "mode: transactional"

static void a_zombies_offsets_are_refused_and_its_work_is_taken_back(void **state)
{
    (void)state;
    /* g-1 hangs in a batch for longer than max.poll.interval.ms; its heartbeat thread leaves and
     * forgets the generation. The transaction still carries the one that groupMetadata() knew. */
    struct story *s = STORY(TWO, TRANSACTIONS, .duration = "10m", .rate = "1/s",
                            .timeline = "{at: 20s, stall: g-1, for: 6m}");
    expect_story(s, STORY_CLIENT | STORY_COMMITS | STORY_REQUESTS, "g-1", 320000, 380100,
                 "320410 g-1 POLL_TIMEOUT\n"
                 "320410 g-1 LEAVING\n"
                 "320410 g-1 GENERATION_RESET\n"
                 "320410 g-1 REJOIN_REQUESTED\n"
                 "320411 g-1 LeaveGroup NONE\n"
                 "380004 g-1 TxnOffsetCommit UNKNOWN_MEMBER_ID\n"
                 "380007 g-1 commit TRANSACTION of 1: UNKNOWN_MEMBER_ID\n"
                 "380007 g-1 LOST_CALLBACK\n"
                 "380007 g-1 JOINING\n"
                 "380008 g-1 JoinGroup MEMBER_ID_REQUIRED\n"
                 "380009 g-1 JOINING\n");
    struct ledger_group figures = story_ledger(s, 0);
    assert_true(figures.duplicates > 0);
    assert_int_equal(figures.effective_duplicates, 0);
    assert_int_equal(figures.skipped, 0);
    story_free(s);
}

static void offsets_of_a_transaction_count_when_it_is_committed(void **state)
{
    (void)state;
    /* 2 ms for AddOffsetsToTxn, 2 for TxnOffsetCommit, 2 for EndTxn; nothing lingers. */
    struct story *s = STORY(TRANSACTIONS, .rate = "1/s", .duration = "20s");
    expect_story(s, STORY_PROCESSED | STORY_COMMITS | STORY_REQUESTS | STORY_SINK, "", 8000, 9500,
                 "8503 g-1 processed orders-0 8+1\n"
                 "8506 g-1 TxnOffsetCommit NONE\n"
                 "8509 g-1 sank orders-0 8+1\n"
                 "8509 g-1 commit TRANSACTION of 1: NONE\n");
    story_free(s);
}

static void who_takes_over_waits_for_a_transaction_that_hangs(void **state)
{
    (void)state;
    /* g-1 dies between TxnOffsetCommit and EndTxn. Its offset is pending, so the next owner is told
     * UNSTABLE_OFFSET_COMMIT until the transaction has timed out: 60 s from its begin, at the next
     * look of the transaction coordinator, which comes every 10 s (delivery-anomalies.md, D4). */
    struct story *s = STORY(TRANSACTIONS, .duration = "3m", .rate = "1/s", .members = "2",
                            .timeline = "{at: 28507ms, crash: g-1}");
    expect_story(s, STORY_POSITIONS | STORY_OWNED, "", 28000, 120000,
                 "28507 g-1 gave up orders-0: DIED\n"
                 "76026 g-2 owns orders-0\n"
                 "90647 g-2 at orders-0 28: COMMITTED\n");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.duplicates, 1);
    assert_int_equal(figures.effective_duplicates, 0);
    assert_int_equal(figures.skipped, 0);
    story_free(s);
}

static void a_connection_lost_before_any_topic_was_known_is_no_harm(void **state)
{
    (void)state;
    /* The transactional producer knows no topic before the first record; what the lost connection
     * asks of it must not stand in the way of asking for the topic. */
    struct story *s = story_run("scenario: 1\n"
                                "duration: 40s\n"
                                "topics: {orders: {partitions: 1}, invoices: {partitions: 1}}\n"
                                "producers: {shop: {topic: orders, rate: 1/s, start: 20s}}\n"
                                "groups:\n"
                                "  g:\n"
                                "    topics: orders\n"
                                "    members: 1\n"
                                "    config: {auto.offset.reset: earliest}\n"
                                "    commit: {mode: transactional}\n"
                                "    output: {topic: invoices}\n"
                                "timeline: [{at: 12s, reset_connections: g-1, to: brokers}]\n");
    assert_in_range(story_count(s, STORY_SINK, "g-1 sank", ""), 18, 20);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_of_a_transaction_count_when_it_is_committed),
        cmocka_unit_test(a_zombies_offsets_are_refused_and_its_work_is_taken_back),
        cmocka_unit_test(a_connection_lost_before_any_topic_was_known_is_no_harm),
        cmocka_unit_test(who_takes_over_waits_for_a_transaction_that_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
