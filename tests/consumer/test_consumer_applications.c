/* Applications: records that cannot be processed, state that is read back, memory, workers, readers
 * without a group (schema: process, assign). */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define POISONED .rate = "1/s", .timeline = "{at: 2s, poison: orders-0, offset: 20}"

static void a_poison_record_is_tried_again_and_then_passed_over(void **state)
{
    (void)state;
    /* Record 20 comes at 20,500; each try takes 100 ms, and the third is the last, at 24,802.
     * What came meanwhile is fetched, in 2 ms, and done at once. */
    struct story *s = STORY(POISONED, .process = "per_record: 100ms, retry: bounded, retries: 2, "
                                                 "retry_backoff: 2s");
    expect_story(s, STORY_CLIENT | STORY_PROCESSED, "g-1", 20000, 25300,
                 "20602 g-1 RETRY\n"
                 "22702 g-1 RETRY\n"
                 "25204 g-1 processed orders-0 21+4\n");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.skipped, 1);
    assert_int_equal(figures.duplicates, 0);
    story_free(s);
}

static void a_poison_record_blocks_its_partition_for_ever(void **state)
{
    (void)state;
    struct story *s = STORY(POISONED, .process = "per_record: 100ms, retry: forever, "
                                                 "retry_backoff: 5s");
    assert_int_equal(story_count(s, STORY_CLIENT, "g-1 RETRY", ""), 8);
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(figures.processed, 20);
    story_free(s);
}

static void a_poison_record_kills_one_process_after_the_other(void **state)
{
    (void)state;
    struct story *s = STORY(POISONED, .members = "2", .duration = "3m",
                            .process = "per_record: 100ms, retry: crash");
    /* g-1's last heartbeat was at 19,012; g-2 hears of the rebalance by a heartbeat of its own. The
     * offset committed before is 17, so three records are done again before the poison. */
    expect_story(s, STORY_OWNED | STORY_POSITIONS, "", 20000, 180000,
                 "20602 g-1 gave up orders-0: DIED\n"
                 "67026 g-2 owns orders-0\n"
                 "67028 g-2 at orders-0 17: COMMITTED\n"
                 "67432 g-2 gave up orders-0: DIED\n");
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.processed, 23);
    assert_int_equal(figures.duplicates, 3);
    assert_int_equal(figures.skipped, 0);
    story_free(s);
}

static void a_dead_letter_is_written_before_the_next_record(void **state)
{
    (void)state;
    struct story *s = story_run(
        "scenario: 1\n"
        "duration: 40s\n"
        "cluster: {brokers: 1, network: {latency: 1ms}, request_service: 0ms, disk: 0ms,\n"
        "          config: {offsets.topic.replication.factor: 1}}\n"
        "topics: {orders: {partitions: 1}, dead: {partitions: 1}}\n"
        "producers: {shop: {topic: orders, rate: 1/s}}\n"
        "groups:\n"
        "  g:\n"
        "    topics: [orders]\n"
        "    members: 1\n"
        "    start_spread: 0s\n"
        "    config: {auto.offset.reset: earliest}\n"
        "    process: {per_record: 100ms, retry: dead_letter, retries: 0, dead_letter_topic: "
        "dead}\n"
        "    deployment: {startup: 1s}\n"
        "  h:\n"
        "    topics: [dead]\n"
        "    members: 1\n"
        "    start_spread: 0s\n"
        "    config: {auto.offset.reset: earliest}\n"
        "    process: {per_record: 0ms}\n"
        "    deployment: {startup: 1s}\n"
        "timeline:\n"
        "  - {at: 2s, poison: orders-0, offset: 20, records: 2}\n");
    /* The first takes 8 ms: metadata, the producer id, the write. */
    expect_story(s, STORY_CLIENT | STORY_PROCESSED, "", 20000, 22000,
                 "20602 g-1 DEAD_LETTER\n"
                 "20610 g-1 processed orders-0 20+1\n"
                 "20610 h-1 processed dead-0 0+1\n"
                 "21602 g-1 DEAD_LETTER\n"
                 "21604 g-1 processed orders-0 21+1\n"
                 "21604 h-1 processed dead-0 1+1\n");
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    assert_int_equal(story_ledger(s, 1).processed, 2);
    story_free(s);
}

static void state_is_read_back_before_the_first_record(void **state)
{
    (void)state;
    /* Two partitions of 100 MiB at 50 MiB/s. */
    struct story *s = STORY(.rate = "1/s", .partitions = "2",
                            .process = "per_record: 1ms, state_per_partition: 100MiB, "
                                       "restore_bandwidth: 50MiB/s");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-1", 4000, 60000,
                 "4010 g-1 JOINED\n"
                 "4022 g-1 SYNCED\n"
                 "4022 g-1 owns orders-0\n"
                 "4022 g-1 owns orders-1\n"
                 "4022 g-1 ASSIGN_CALLBACK\n"
                 "4022 g-1 RESTORE_BEGIN\n"
                 "8022 g-1 RESTORE_END\n");
    assert_in_range(story_when(s, STORY_PROCESSED, 0, "g-1 processed", ""), 8023, 8100);
    story_free(s);
}

/* onPartitionsAssigned has the thread that polls: who restores cannot join, and all wait. */
static void a_rebalance_waits_for_who_restores(void **state)
{
    (void)state;
    struct story *s = STORY(.rate = "1/s", .partitions = "2",
                            .process = "per_record: 1ms, state_per_partition: 500MiB, "
                                       "restore_bandwidth: 50MiB/s",
                            .timeline = "{at: 10s, scale: g, to: 2}");
    expect_story(s, STORY_CLIENT | STORY_OWNED | STORY_GROUP, "", 10000, 60000,
                 "10000 g-2 STARTED\n"
                 "11000 g-2 FIRST_POLL\n"
                 "11004 g-2 COORDINATOR_FOUND\n"
                 "11004 g-2 JOINING\n"
                 "11008 g-2 JOINING\n"
                 "11009 group g Stable -> PreparingRebalance, generation 1\n"
                 "13110 g-1 REJOIN_REQUESTED\n"
                 "24022 g-1 RESTORE_END\n"
                 "24022 g-1 REVOKE_CALLBACK\n"
                 "24022 g-1 gave up orders-0: REVOKED\n"
                 "24022 g-1 gave up orders-1: REVOKED\n"
                 "24022 g-1 JOINING\n"
                 "24023 group g PreparingRebalance -> CompletingRebalance, generation 2\n"
                 "24024 g-1 JOINED\n"
                 "24024 g-2 JOINED\n"
                 "24035 group g CompletingRebalance -> Stable, generation 2\n"
                 "24036 g-1 SYNCED\n"
                 "24036 g-1 owns orders-0\n"
                 "24036 g-1 ASSIGN_CALLBACK\n"
                 "24036 g-1 RESTORE_BEGIN\n"
                 "24036 g-2 SYNCED\n"
                 "24036 g-2 owns orders-1\n"
                 "24036 g-2 ASSIGN_CALLBACK\n"
                 "24036 g-2 RESTORE_BEGIN\n"
                 "34036 g-1 RESTORE_END\n"
                 "34036 g-2 RESTORE_END\n");
    story_free(s);
}

/* … but not for longer than max.poll.interval.ms: then what it has read back was for nothing. */
static void a_restore_longer_than_the_poll_interval_never_ends(void **state)
{
    (void)state;
    struct story *s =
        STORY(.rate = "1/s", .duration = "70s", .config = "max.poll.interval.ms: 15000",
              .process = "per_record: 1ms, state_per_partition: 1000MiB, "
                         "restore_bandwidth: 50MiB/s");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-1", 4022, 42100,
                 "4022 g-1 SYNCED\n"
                 "4022 g-1 owns orders-0\n"
                 "4022 g-1 ASSIGN_CALLBACK\n"
                 "4022 g-1 RESTORE_BEGIN\n"
                 "19110 g-1 POLL_TIMEOUT\n"
                 "19110 g-1 LEAVING\n"
                 "19110 g-1 GENERATION_RESET\n"
                 "19110 g-1 REJOIN_REQUESTED\n"
                 "24022 g-1 RESTORE_END\n"
                 "24022 g-1 LOST_CALLBACK\n"
                 "24022 g-1 gave up orders-0: LOST\n"
                 "24022 g-1 JOINING\n"
                 "24024 g-1 JOINING\n"
                 "27026 g-1 JOINED\n"
                 "27038 g-1 SYNCED\n"
                 "27038 g-1 owns orders-0\n"
                 "27038 g-1 ASSIGN_CALLBACK\n"
                 "27038 g-1 RESTORE_BEGIN\n"
                 "42026 g-1 POLL_TIMEOUT\n"
                 "42026 g-1 LEAVING\n"
                 "42026 g-1 GENERATION_RESET\n"
                 "42026 g-1 REJOIN_REQUESTED\n");
    assert_int_equal(story_ledger(s, 0).processed, 0);
    story_free(s);
}

/* Back-pressure: the poll loop pauses its partitions while the queue is full, and stays a member.
 */
static void a_full_queue_pauses_what_is_assigned(void **state)
{
    (void)state;
    struct story *s = STORY(.rate = "100/s", .duration = "30s", .config = "max.poll.records: 10",
                            .process = "per_record: 1s, workers: 1, queue_limit: 20");
    /* Ten at work, and the third ten that wait are too many. It resumes when half the limit waits.
     */
    expect_story(s, STORY_DELIVERED | STORY_CLIENT, "g-1", 4022, 30000,
                 "4022 g-1 SYNCED\n"
                 "4022 g-1 ASSIGN_CALLBACK\n"
                 "4028 g-1 got orders-0 0+10\n"
                 "4028 g-1 got orders-0 10+10\n"
                 "4028 g-1 got orders-0 20+10\n"
                 "4028 g-1 got orders-0 30+10\n"
                 "24028 g-1 got orders-0 40+10\n"
                 "24028 g-1 got orders-0 50+10\n");
    story_free(s);
}

static void what_is_prefetched_can_exhaust_the_memory(void **state)
{
    (void)state;
    /* 100 records of 1 KiB a second. While the thread that polls is stuck nobody reads the socket;
     * its next poll() finds the 20 s of records that wait there. */
    struct story *s = STORY(.rate = "100/s", .process = "per_record: 1ms, memory_limit: 1MiB",
                            .config = "max.partition.fetch.bytes: 4MiB",
                            .timeline = "{at: 20s, stall: g-1, for: 20s}");
    expect_story(s, STORY_CLIENT, "g-1", 20000, 60000, "40003 g-1 OUT_OF_MEMORY\n");
    story_free(s);
}

static void commits_of_a_poll_loop_run_ahead_of_its_workers(void **state)
{
    (void)state;
    /* delivery-anomalies.md, C1: poll() commits what it returned; the worker, at 5 records/s, dies
     * with the rest of what 10 records/s have queued since 4 s. */
    struct story *s =
        STORY(.rate = "10/s", .duration = "2m", .process = "per_record: 200ms, workers: 1",
              .timeline = "{at: 30s, crash: g-1}, {at: 40s, start: g-1}");
    expect_story(s, STORY_PROCESSED | STORY_COMMITS, "g-1", 29000, 60000,
                 "29028 g-1 processed orders-0 124+1\n"
                 "29034 g-1 commit AUTO of 1: NONE\n"
                 "29228 g-1 processed orders-0 125+1\n"
                 "29428 g-1 processed orders-0 126+1\n"
                 "29628 g-1 processed orders-0 127+1\n"
                 "29828 g-1 processed orders-0 128+1\n");
    /* Its successor begins at 290. What that one still has in hand at the end is not lost. */
    assert_true(story_when(s, STORY_POSITIONS, 60000, "g-1 at orders-0 290: COMMITTED", "") > 0);
    struct ledger_group figures = story_ledger(s, 0);
    assert_int_equal(figures.skipped, 290 - 129);
    story_free(s);
}

static void readers_that_assign_need_no_coordinator(void **state)
{
    (void)state;
    struct story *s = story_run(
        "scenario: 1\n"
        "duration: 20s\n"
        "cluster: {brokers: 1, network: {latency: 1ms}, request_service: 0ms, disk: 0ms,\n"
        "          config: {offsets.topic.replication.factor: 1}}\n"
        "topics: {orders: {partitions: 3}}\n"
        "producers: {shop: {topic: orders, rate: 3/s}}\n"
        "groups:\n"
        "  g:\n"
        "    members: 2\n"
        "    assign: true\n"
        "    start_spread: 0s\n"
        "    config: {auto.offset.reset: earliest}\n"
        "    commit: {mode: none}\n"
        "    process: {per_record: 1ms}\n"
        "    deployment: {startup: 1s}\n"
        "timeline:\n"
        "  - {at: 10s, restart: g-1}\n");
    expect_story(s, STORY_OWNED | STORY_POSITIONS | STORY_REQUESTS | STORY_GROUP, "", 0, 20000,
                 "1004 g-1 owns orders-0\n"
                 "1004 g-1 owns orders-2\n"
                 "1004 g-2 owns orders-1\n"
                 "1006 g-1 at orders-0 0: RESET_EARLIEST\n"
                 "1006 g-1 at orders-2 0: RESET_EARLIEST\n"
                 "1006 g-2 at orders-1 0: RESET_EARLIEST\n"
                 "11000 g-1 gave up orders-0: CLOSED\n"
                 "11000 g-1 gave up orders-2: CLOSED\n"
                 "12004 g-1 owns orders-0\n"
                 "12004 g-1 owns orders-2\n"
                 "12006 g-1 at orders-0 0: RESET_EARLIEST\n"
                 "12006 g-1 at orders-2 0: RESET_EARLIEST\n");
    /* Offsets kept nowhere: it begins anew. */
    assert_true(story_ledger(s, 0).duplicates >= 20);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poison_record_is_tried_again_and_then_passed_over),
        cmocka_unit_test(a_poison_record_blocks_its_partition_for_ever),
        cmocka_unit_test(a_poison_record_kills_one_process_after_the_other),
        cmocka_unit_test(a_dead_letter_is_written_before_the_next_record),
        cmocka_unit_test(state_is_read_back_before_the_first_record),
        cmocka_unit_test(a_rebalance_waits_for_who_restores),
        cmocka_unit_test(a_restore_longer_than_the_poll_interval_never_ends),
        cmocka_unit_test(a_full_queue_pauses_what_is_assigned),
        cmocka_unit_test(what_is_prefetched_can_exhaust_the_memory),
        cmocka_unit_test(commits_of_a_poll_loop_run_ahead_of_its_workers),
        cmocka_unit_test(readers_that_assign_need_no_coordinator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
