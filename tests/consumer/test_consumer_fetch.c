/* Fetching: what is left out when nothing happens, and where reading begins. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A fault that disturbs nothing and keeps long polls from being left out (timeline_faults.c). */
#define PLAIN "{at: 0s, slow: producer shop, factor: 1, for: 1h}"

static void idle_fetches_change_nothing(void **state)
{
    (void)state;
    static const char *const rates[] = {"23/min", "3/s"};
    static const char *const processing[] = {"per_record: 700ms", "per_record: 1ms"};
    static const char *const settings[] = {"max.poll.records: 500", "group.protocol: consumer"};
    for (int i = 0; i < 8; i++) {
        struct story_options options = {
            .duration = "6m", /* long enough for a refresh of the metadata */
            .brokers = "3",
            .partitions = "6",
            .members = "3",
            .rate = rates[i & 1],
            .process = processing[i >> 1 & 1],
            .config = settings[i >> 2],
            .timeline = "{at: 30s, stop: g-3}, {at: 60s, start: g-3}",
        };
        struct story *idle = story_of(&options);
        options.timeline = PLAIN ", {at: 30s, stop: g-3}, {at: 60s, start: g-3}";
        struct story *plain = story_of(&options);
        expect_same_story(idle, plain);
        if ((i & 1) == 0) {
            assert_true(story_statistics(idle).events * 3 < story_statistics(plain).events * 2);
        }
        story_free(idle);
        story_free(plain);
    }
}

/* The events of an hour of quiet with so many members. */
static uint64_t events_at_rest(const char *members)
{
    struct story *s = STORY(.duration = "1h", .partitions = "11", .rate = "1/min",
                            .members = members, .commit = "mode: none");
    uint64_t events = story_statistics(s).events;
    story_free(s);
    return events;
}

static void a_member_at_rest_costs_its_heartbeats(void **state)
{
    (void)state;
    /* 1,200 heartbeats of three events each: the timer, the request, the response. Request timeouts
     * and metadata come to less than a tenth of that. */
    uint64_t events = events_at_rest("11") - events_at_rest("1");
    assert_in_range(events, 10 * 3600, 10 * 3960);
}

static void without_a_commit_the_policy_decides(void **state)
{
    (void)state;
    struct story *earliest = STORY(.brokers = "1");
    assert_true(story_when(earliest, STORY_POSITIONS, 0, "orders-0 0: RESET_EARLIEST", "") > 0);
    assert_int_equal(story_ledger(earliest, 0).skipped, 0);
    story_free(earliest);

    struct story *latest = STORY(.config = "auto.offset.reset: latest");
    /* Records have come since 0; the consumer starts at 4 s. */
    assert_true(story_when(latest, STORY_POSITIONS, 0, "RESET_LATEST", "") > 4000);
    assert_in_range(story_ledger(latest, 0).skipped, 35, 45);
    story_free(latest);

    struct story *none = STORY(.config = "auto.offset.reset: none");
    assert_int_equal(story_count(none, STORY_CLIENT, "RESET_NONE", ""), 1);
    assert_int_equal(story_count(none, STORY_CLIENT, "FATAL", ""), 1);
    assert_int_equal(story_ledger(none, 0).processed, 0);
    story_free(none);
}

static void an_answer_about_an_older_position_is_of_no_use(void **state)
{
    (void)state;
    /* g-1 wakes, hears of a new leader and asks it whether its old position is still in the log.
     * The answer waits behind a fetch, and by then g-1 owns the partition anew, at an offset that
     * was written under the new leader (random world 3332). */
    struct story *s = story_run(
        "scenario: 1\n"
        "duration: 2m\n"
        "cluster: {brokers: 3, network: {latency: 1ms}, request_service: 0ms, disk: 0ms,\n"
        "          config: {group.initial.rebalance.delay.ms: 0}}\n"
        "topics: {orders: {partitions: 2}}\n"
        "producers: {shop: {rate: 10/s, partition_weights: [1, 0]}}\n"
        "groups:\n"
        "  g:\n"
        "    members: 2\n"
        "    start_spread: 0s\n"
        "    config: {session.timeout.ms: 10000, heartbeat.interval.ms: 100,\n"
        "             fetch.max.wait.ms: 5000, auto.offset.reset: earliest}\n"
        "    deployment: {startup: 1s}\n"
        "timeline: [{at: 500ms, stop: g-2}, {at: 30s, pause: g-1, for: 40s},\n"
        "           {at: 32s, start: g-2}, {at: 35s, elect: orders-0},\n"
        "           {at: 69s, delay: g-1, to: coordinator of g, by: 300ms, for: 30s},\n"
        "           {at: 71s, stop: g-2}]\n");
    assert_int_equal(story_count(s, STORY_POSITIONS, "TRUNCATED", ""), 0);
    assert_true(story_when(s, STORY_POSITIONS, 70000, "g-1 ", "COMMITTED") > 0);
    story_free(s);
}

static void max_poll_records_caps_each_poll(void **state)
{
    (void)state;
    struct story *s = STORY(.rate = "1000/s", .config = "max.poll.records: 7", .duration = "10s");
    assert_true(story_count(s, STORY_DELIVERED, "+7", "") > 100);
    assert_int_equal(story_count(s, STORY_DELIVERED, "+8", ""), 0);
    assert_int_equal(story_ledger(s, 0).skipped, 0);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_fetches_change_nothing),
        cmocka_unit_test(a_member_at_rest_costs_its_heartbeats),
        cmocka_unit_test(without_a_commit_the_policy_decides),
        cmocka_unit_test(an_answer_about_an_older_position_is_of_no_use),
        cmocka_unit_test(max_poll_records_caps_each_poll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
