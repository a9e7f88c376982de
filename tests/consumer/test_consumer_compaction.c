/* Readers of a compacted topic: late ones, slow ones, and what faults do to them. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct compacted {
    const char *brokers;    /* their config */
    const char *partitions; /* NULL = 1 */
    const char *keys;       /* NULL = {count: 4} */
    const char *policy;     /* NULL = compact */
    const char *config;     /* of the topic, beside the policy */
    const char *group;      /* of group g */
    const char *timeline;   /* NULL = g-1 is started at 65 s */
    int seed;
};

/* Ten records a second come, n being born at (n + 1/2) / 10 s; a segment ends when it is older than
 * ten seconds; the cleaner comes at 15, 30, 45 … s. So the segments are [0, 101), [101, 202), …,
 * and what was cleaned last before 65 s, at 60 s, are the first five: below 505. */
static struct story *run(const struct compacted *options)
{
    char yaml[2000];
    snprintf(yaml, sizeof(yaml),
             "scenario: 1\n"
             "duration: 2m\n"
             "seed: %d\n"
             "cluster: {brokers: 3, network: {latency: 1ms}, request_service: 0s, disk: 0s,\n"
             "          config: {%s}}\n"
             "topics:\n"
             "  orders: {partitions: %s, config: {cleanup.policy: %s, segment.ms: 10s%s}}\n"
             "producers:\n"
             "  shop: {rate: 10/s, keys: %s, config: {linger.ms: 0}}\n"
             "groups:\n"
             "  g: {config: {auto.offset.reset: earliest}%s}\n"
             "timeline: [%s]\n",
             options->seed + 1, options->brokers == NULL ? "" : options->brokers,
             options->partitions == NULL ? "1" : options->partitions,
             options->policy == NULL ? "compact" : options->policy,
             options->config == NULL ? "" : options->config,
             options->keys == NULL ? "{count: 4}" : options->keys,
             options->group == NULL ? ", members: 1" : options->group,
             options->timeline == NULL ? "{at: 0s, stop: g-1}, {at: 65s, start: g-1}"
                                       : options->timeline);
    return story_run(yaml);
}
#define RUN(...) run(&(struct compacted){__VA_ARGS__})

static void a_late_reader_sees_the_last_record_of_each_key(void **state)
{
    (void)state;
    struct story *s = RUN(.seed = 0);
    struct ledger_group g = story_ledger(s, 0);
    assert_int_equal(g.produced, 1200);
    assert_int_equal(g.compacted, 501);
    assert_int_equal(g.processed, 1200 - 501);
    assert_int_equal(g.skipped + g.lost + g.duplicates, 0);
    /* Four records, and from 505 on all. */
    expect_story(s, STORY_DELIVERED, "g-1", 65000, 73100,
                 "73030 g-1 got orders-0 494+1\n"
                 "73030 g-1 got orders-0 499+1\n"
                 "73030 g-1 got orders-0 503+227\n");
    story_free(s);

    /* Of 200 keys many do not come again for long, and then their tombstones go. */
    struct story *values = RUN(.keys = "{count: 200}", .config = ", delete.retention.ms: 1s");
    struct story *tombstones =
        RUN(.keys = "{count: 200, tombstones: 100%}", .config = ", delete.retention.ms: 1s");
    int64_t compacted = story_ledger(values, 0).compacted;
    assert_in_range(compacted, 200, 300);
    assert_in_range(story_ledger(tombstones, 0).compacted, compacted + 20, 450);
    story_free(values);
    story_free(tombstones);
}

/* It had read 200 records when it stopped; what it comes back to is a gap. */
static void a_committed_offset_may_be_in_a_gap(void **state)
{
    (void)state;
    static const char *const protocols[] = {
        ", members: 1", ", members: 1, commit: {mode: sync}",
        ", members: 1, process: {workers: 3}, commit: {mode: sync}"};
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        struct story *s =
            RUN(.group = protocols[i], .timeline = "{at: 20s, stop: g-1}, {at: 65s, start: g-1}");
        expect_story(s, STORY_POSITIONS, "g-1", 65000, 80000,
                     "73026 g-1 at orders-0 210: COMMITTED\n");
        struct ledger_group g = story_ledger(s, 0);
        assert_int_equal(g.compacted, 501 - 210);
        assert_int_equal(g.processed, 1200 - g.compacted);
        assert_int_equal(g.skipped + g.lost + g.duplicates, 0);
        assert_int_equal(g.lag_records_end, 0);
        story_free(s);
    }
}

/* Lag is the log end offset less the position: a gap counts until it is passed. */
static void the_brokers_say_when(void **state)
{
    (void)state;
    static const struct {
        const char *brokers;
        const char *topic;
        int64_t compacted;
    } cases[] = {
        {"log.cleaner.enable: false", NULL, 0},
        {"log.cleaner.backoff.ms: 50s", NULL, 404 - 4},            /* at 50 s */
        {"log.cleaner.min.compaction.lag.ms: 30s", NULL, 202 - 4}, /* younger: 30.25 s */
        {"log.cleaner.min.compaction.lag.ms: 30s", ", min.compaction.lag.ms: 0", 501},
        /* Never dirty enough, but at 45 s the first record is too old; what there is goes along. */
        {"log.cleaner.min.cleanable.ratio: 1", ", max.compaction.lag.ms: 40s", 404 - 4},
        {"log.cleaner.min.cleanable.ratio: 1", NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct story *s = RUN(.brokers = cases[i].brokers, .config = cases[i].topic);
        int64_t compacted = story_ledger(s, 0).compacted;
        if (compacted != cases[i].compacted) fail_msg("case %zu: %lld", i, (long long)compacted);
        story_free(s);
    }
}

static void gaps_count_as_lag(void **state)
{
    (void)state;
    struct story *s = RUN(.seed = 0);
    assert_in_range(story_ledger(s, 0).lag_records_max, 729, 731);
    story_free(s);
}

static void compaction_goes_on_under_the_next_leader(void **state)
{
    (void)state;
    struct story *undisturbed = RUN(.config = ", min.insync.replicas: 2");
    struct story *s = RUN(.config = ", min.insync.replicas: 2",
                          .timeline = "{at: 0s, stop: g-1}, {at: 33s, crash: leader of orders-0, "
                                      "for: 70s}, {at: 65s, start: g-1}");
    struct ledger_group g = story_ledger(s, 0);
    /* While there was no leader nothing was appended, so segments end elsewhere. */
    assert_in_range(g.compacted, story_ledger(undisturbed, 0).compacted - 150,
                    story_ledger(undisturbed, 0).compacted + 20);
    assert_int_equal(g.skipped + g.lost, 0);
    story_free(s);
    story_free(undisturbed);
}

/* A replica that is far behind may be elected uncleanly: below its end nothing goes that has its
 * successor above. */
static void where_elections_may_be_unclean_the_least_counts(void **state)
{
    (void)state;
    static const char timeline[] = "{at: 0s, stop: g-1}, {at: 25s, crash: broker 2, for: 80s}, "
                                   "{at: 65s, start: g-1}";
    struct story *clean = RUN(.timeline = timeline);
    struct story *unclean =
        RUN(.config = ", unclean.leader.election.enable: true", .timeline = timeline);
    assert_in_range(story_ledger(clean, 0).compacted, 501, 530);
    assert_in_range(story_ledger(unclean, 0).compacted, 190, 201);
    story_free(clean);
    story_free(unclean);
}

/* Retention comes with the cleaner: at 60 s what is older than 20 s. */
static void compact_and_delete_does_both(void **state)
{
    (void)state;
    struct story *s = RUN(.policy = "[compact, delete]", .config = ", retention.ms: 20s");
    struct ledger_group g = story_ledger(s, 0);
    /* The last record of a key below 404 that came again after it had been cleaned is gone; so are
     * those that had not come again when their segment was 20 s old. */
    assert_in_range(g.compacted, 490, 501);
    assert_int_equal(g.lost + g.compacted, 501);
    assert_int_equal(g.processed, 1200 - 501);
    story_free(s);
}

/* Its new log begins dirty, and its records have the keys of the partitions there are now. */
static void a_topic_created_anew_is_compacted_too(void **state)
{
    (void)state;
    struct story *s = RUN(.partitions = "3", .keys = "{count: 12}",
                          .timeline = "{at: 0s, stop: g-1}, "
                                      "{at: 40s, delete_topic: orders}, "
                                      "{at: 41s, create_topic: orders, partitions: 2}, "
                                      "{at: 100s, start: g-1}");
    struct ledger_group g = story_ledger(s, 0);
    /* Of the deleted one at least the segments before 25 s, of the new one those before 85 s, and
     * at most those before 30 and 95 s. */
    assert_in_range(g.compacted, 250 + 440 - 24, 300 + 540);
    assert_int_equal(g.processed + g.compacted + g.lost + g.skipped, g.produced);
    story_free(s);
}

/* Whatever happens: no invariant is broken and every record is accounted for (story_run). */
static void faults_leave_every_record_accounted_for(void **state)
{
    (void)state;
    static const char *const topics[] = {", min.insync.replicas: 2",
                                         ", unclean.leader.election.enable: true",
                                         ", max.compaction.lag.ms: 5s, delete.retention.ms: 5s"};
    static const char *const groups[] = {
        ", members: 2", ", members: 2, commit: {mode: per_record}",
        ", members: 2, process: {workers: 3, per_record: 300ms}, commit: {mode: async}"};
    static const char *const operations[] = {
        "{at: 60s, add_partitions: orders, to: 5}", "{at: 70s, reset_offsets: g, to: earliest}",
        "{at: 45s, elect: orders-0, unclean: true}, {at: 80s, elect: orders-1, unclean: true}"};
    int64_t compacted = 0;
    for (int seed = 0; seed < 24; seed++) {
        print_message("seed %d\n", seed + 1);
        char timeline[1000];
        snprintf(timeline, sizeof(timeline),
                 "{at: 15s, hot_key: shop, key: news, share: 30%%, for: 30s}, %s, "
                 "{every: {exponential: {mean: 7s}}, at: 10s, until: 100s, chaos: ["
                 "{crash: any broker, for: 12s}, {crash: any 1 of g, for: 20s}, "
                 "{pause: any of g, for: 9s}, {pause: any broker, for: 11s}, "
                 "{crash: producer shop, for: 5s}, {stop: any 1 of g}, {start: g-1}, "
                 "{start: g-2}]}",
                 operations[seed / 2 % 3]);
        struct story *s =
            RUN(.seed = seed, .partitions = "3",
                .policy = seed % 5 == 0 ? "[compact, delete]" : NULL,
                .keys = seed % 2 == 0 ? "{count: 9, zipf: 1, tombstones: 10%}"
                                      : "{count: 300, hot: [{key: key-5, share: 50%, salt: 2}]}",
                .config = topics[seed % 3], .group = groups[seed / 3 % 3], .timeline = timeline);
        compacted += story_ledger(s, 0).compacted;
        story_free(s);
    }
    assert_true(compacted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_reader_sees_the_last_record_of_each_key),
        cmocka_unit_test(a_committed_offset_may_be_in_a_gap),
        cmocka_unit_test(the_brokers_say_when),
        cmocka_unit_test(gaps_count_as_lag),
        cmocka_unit_test(compaction_goes_on_under_the_next_leader),
        cmocka_unit_test(where_elections_may_be_unclean_the_least_counts),
        cmocka_unit_test(compact_and_delete_does_both),
        cmocka_unit_test(a_topic_created_anew_is_compacted_too),
        cmocka_unit_test(faults_leave_every_record_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
