/* The ledger, told small stories record by record; no world, no broker, no consumer. */
#include "model/ledger.h"

#include "model/kafka_types.h"
#include "model/trace_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct scenario_topic topics[] = {
    {.name = "orders", .partitions = 2},
    {.name = "other", .partitions = 1},
};
static const char *const subscribed[] = {"orders"};

/* One group of two consumers on topic `orders`, and a clock moved by hand. */
struct books {
    struct sim *sim;
    struct ledger *ledger;
    struct scenario scenario;
    struct scenario_group group;
    name_id g, c1, c2, id1, id2, producer;
};

static struct books *books_with_workers(int32_t workers)
{
    struct books *b = test_calloc(1, sizeof(*b));
    b->group = (struct scenario_group){.name = "billing",
                                       .topics = subscribed,
                                       .topic_count = 1,
                                       .members = 2,
                                       .process = {.workers = workers}};
    b->scenario = (struct scenario){.topics = topics,
                                    .topic_count = 2,
                                    .groups = &b->group,
                                    .group_count = 1};
    b->sim = sim_new(&(struct sim_options){.seed = 1});
    trace_set_kinds(sim_trace(b->sim), trace_kinds, TRACE_KIND_COUNT);
    b->ledger = ledger_new(b->sim, &b->scenario);
    struct names *names = sim_names(b->sim);
    b->g = names_intern(names, "billing");
    b->c1 = names_intern(names, "billing-1");
    b->c2 = names_intern(names, "billing-2");
    b->id1 = names_intern(names, "billing-1-aaaa");
    b->id2 = names_intern(names, "billing-2-bbbb");
    b->producer = names_intern(names, "checkout");
    return b;
}

static struct books *books_new(void)
{
    return books_with_workers(0);
}

static struct ledger_group books_close(struct books *b)
{
    ledger_finish(b->ledger);
    assert_true(ledger_is_balanced(b->ledger));
    struct ledger_group figures;
    ledger_group(b->ledger, 0, &figures);
    return figures;
}

static int64_t caused(struct books *b, enum finding_kind kind, enum finding_cause cause)
{
    return ledger_finding_totals(b->ledger, 0)->records[kind][cause];
}

static void books_free(struct books *b)
{
    sim_free(b->sim);
    test_free(b);
}

static void at(struct books *b, sim_time now)
{
    sim_run_until(b->sim, now);
}

/* `count` records that came into being one per millisecond, the last one now. */
static void append(struct books *b, int64_t base_offset, int64_t count)
{
    sim_time now = sim_now(b->sim);
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_ID(0, 0), 0, 0, base_offset, count, count * 100,
          now - MILLISECONDS(count - 1), now, b->producer, 0);
}

static void acknowledge(struct books *b, int64_t base_offset, int64_t count)
{
    TRACE(b->sim, TRACE_PRODUCE_DONE, b->producer, PARTITION_ID(0, 0), base_offset, count, 0, 1, 0,
          0);
}

static void assign(struct books *b, name_id member, name_id id)
{
    TRACE(b->sim, TRACE_ASSIGNED, b->g, member, id, PARTITION_ID(0, 0), 1, 1);
}

static void own(struct books *b, name_id member)
{
    TRACE(b->sim, TRACE_OWNED, b->g, member, PARTITION_ID(0, 0), 1, 1);
}

static void disown(struct books *b, name_id member)
{
    TRACE(b->sim, TRACE_DISOWNED, b->g, member, PARTITION_ID(0, 0), 1, OWNERSHIP_REVOKED, 1);
}

static void position(struct books *b, name_id member, int64_t offset, enum position_cause cause)
{
    TRACE(b->sim, TRACE_POSITION, b->g, member, PARTITION_ID(0, 0), offset, cause, -1);
}

static void process(struct books *b, name_id member, int64_t base_offset, int64_t count,
                    sim_time begin_at)
{
    TRACE(b->sim, TRACE_PROCESSED, b->g, member, PARTITION_ID(0, 0), base_offset, count, begin_at,
          1, 1, 0);
}

static void commit(struct books *b, name_id member, name_id id, int64_t offset)
{
    TRACE(b->sim, TRACE_COMMITTED, b->g, PARTITION_ID(0, 0), offset, member, id, 1, 0);
}

static void everything_processed_once(void **state)
{
    (void)state;
    struct books *b = books_new();
    at(b, SECONDS(1));
    append(b, 0, 100);
    assign(b, b->c1, b->id1);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_COMMITTED);
    assert_int_equal(ledger_group_lag_records(b->ledger, 0), 100);
    at(b, SECONDS(2));
    process(b, b->c1, 0, 100, SECONDS(1));
    commit(b, b->c1, b->id1, 100);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 100);
    assert_int_equal(figures.processed, 100);
    assert_int_equal(figures.duplicates, 0);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(figures.lost, 0);
    assert_int_equal(figures.lag_records_max, 100);
    assert_int_equal(figures.lag_records_end, 0);
    /* The oldest record was born at 0.901 s and waited until 2 s for its batch to end. */
    assert_int_equal(figures.lag_ns_max, MILLISECONDS(1099));
    assert_int_equal(latency_histogram_count(figures.latency_ns), 100);
    assert_int_equal(latency_histogram_max(figures.latency_ns), SECONDS(1));
    books_free(b);
}

static void a_crash_before_the_commit_repeats_the_batch(void **state)
{
    (void)state;
    struct books *b = books_new();
    at(b, SECONDS(1));
    append(b, 0, 100);
    assign(b, b->c1, b->id1);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_COMMITTED);
    at(b, SECONDS(2));
    process(b, b->c1, 0, 60, SECONDS(1));
    commit(b, b->c1, b->id1, 20);
    TRACE(b->sim, TRACE_PROCESS, b->c1, PROCESS_TRACE_DEAD, 1);
    at(b, SECONDS(47));
    TRACE(b->sim, TRACE_MEMBER_REMOVED, b->g, b->c1, b->id1, CAUSE_SESSION_EXPIRED);
    assign(b, b->c2, b->id2);
    own(b, b->c2);
    position(b, b->c2, 20, POSITION_COMMITTED);
    process(b, b->c2, 20, 80, SECONDS(47));
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.processed, 140);
    assert_int_equal(figures.duplicates, 40);
    assert_int_equal(caused(b, FINDING_DUPLICATE, FINDING_CAUSE_CRASH), 40);
    const struct findings *findings = ledger_findings(b->ledger);
    assert_int_equal(findings->count, 2); /* it is out of order, too */
    assert_int_equal(findings->list[0].kind, FINDING_REORDERED);
    assert_int_equal(findings->list[1].kind, FINDING_DUPLICATE);
    assert_int_equal(findings->list[1].culprit, b->c1);
    assert_int_equal(findings->list[1].member, b->c2);
    assert_int_equal(figures.effective_duplicates, 40);
    assert_int_equal(figures.zombie, 0);
    assert_int_equal(figures.stopped_partition_ns, SECONDS(45));
    books_free(b);
}

static void an_idempotent_sink_absorbs_repeats(void **state)
{
    (void)state;
    struct books *b = books_new();
    b->group.process.sink_idempotent = true;
    append(b, 0, 10);
    process(b, b->c1, 0, 10, 0);
    process(b, b->c1, 0, 10, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.duplicates, 10);
    assert_int_equal(figures.effective_duplicates, 0);
    books_free(b);
}

static void work_after_the_partition_was_given_away_is_zombie_work(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 100);
    assign(b, b->c1, b->id1);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_COMMITTED);
    process(b, b->c1, 0, 10, 0);
    assign(b, b->c2, b->id2);
    own(b, b->c2);
    struct ledger_partition view;
    ledger_partition(b->ledger, 0, 0, 0, &view);
    assert_int_equal(view.owners, 2);
    TRACE(b->sim, TRACE_MEMBER_REMOVED, b->g, b->c1, b->id1, CAUSE_SESSION_EXPIRED);
    process(b, b->c1, 10, 5, 0); /* the zombie goes on */
    position(b, b->c2, 0, POSITION_COMMITTED);
    process(b, b->c2, 0, 20, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.zombie, 5);
    assert_int_equal(figures.duplicates, 15);
    assert_int_equal(caused(b, FINDING_ZOMBIE, FINDING_CAUSE_SESSION_EXPIRED), 5);
    assert_int_equal(caused(b, FINDING_DUPLICATE, FINDING_CAUSE_SESSION_EXPIRED), 15);
    books_free(b);
}

static void a_commit_ahead_of_the_work_skips_records(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 500);
    position(b, b->c1, 0, POSITION_COMMITTED);
    process(b, b->c1, 0, 121, 0);
    commit(b, b->c1, b->id1, 500); /* workers had done 0-120 */
    position(b, b->c2, 500, POSITION_COMMITTED);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 379);
    assert_int_equal(caused(b, FINDING_SKIPPED, FINDING_CAUSE_COMMIT_AHEAD), 379);
    assert_int_equal(figures.lost, 0);
    books_free(b);
}

static void retention_loses_what_nobody_read(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 6000);
    position(b, b->c1, 0, POSITION_COMMITTED);
    process(b, b->c1, 0, 1000, 0);
    TRACE(b->sim, TRACE_LOG_START, PARTITION_ID(0, 0), 5000, 0);
    assert_int_equal(ledger_group_lag_records(b->ledger, 0), 1000);
    position(b, b->c1, 5000, POSITION_OUT_OF_RANGE);
    process(b, b->c1, 5000, 1000, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.lost, 4000);
    assert_int_equal(caused(b, FINDING_LOST, FINDING_CAUSE_RETENTION), 4000);
    assert_int_equal(figures.skipped, 0);
    books_free(b);
}

static void a_reset_to_latest_skips_what_is_still_there(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 6000);
    position(b, b->c1, 0, POSITION_COMMITTED);
    process(b, b->c1, 0, 1000, 0);
    TRACE(b->sim, TRACE_LOG_START, PARTITION_ID(0, 0), 2000, 0);
    position(b, b->c1, 6000, POSITION_OUT_OF_RANGE); /* latest: to the end */
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.lost, 1000);
    assert_int_equal(figures.skipped, 4000);
    assert_int_equal(caused(b, FINDING_SKIPPED, FINDING_CAUSE_OFFSET_RESET), 4000);
    assert_int_equal(caused(b, FINDING_LOST, FINDING_CAUSE_RETENTION), 1000);
    books_free(b);
}

static void an_unclean_election_loses_acknowledged_records(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 1000);
    acknowledge(b, 0, 950);
    position(b, b->c1, 0, POSITION_COMMITTED);
    process(b, b->c1, 0, 900, 0);
    TRACE(b->sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 800, 1);
    append(b, 800, 300); /* the offsets are used again */
    process(b, b->c1, 900, 200, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(caused(b, FINDING_LOST, FINDING_CAUSE_TRUNCATION), 50);
    assert_int_equal(figures.taken_back, 150); /* acknowledged 800-949, gone from the log */
    assert_int_equal(figures.lost, 50);        /* … and never read, 900-949 */
    assert_int_equal(figures.skipped, 100);    /* the new 800-899 were never read */
    assert_int_equal(figures.duplicates, 0);
    books_free(b);
}

static struct ledger_anomalies anomalies_of(const struct books *b)
{
    struct ledger_anomalies anomalies;
    ledger_anomalies(b->ledger, 0, &anomalies);
    return anomalies;
}

static void workers_overtake_each_other(void **state)
{
    (void)state;
    struct books *b = books_with_workers(2);
    at(b, SECONDS(1));
    append(b, 0, 300);
    position(b, b->c1, 0, POSITION_COMMITTED);
    at(b, SECONDS(11));
    process(b, b->c1, 0, 100, SECONDS(1));   /* one each 100 ms, from 1.1 s on */
    process(b, b->c2, 100, 100, SECONDS(6)); /* one each 50 ms, from 6.05 s on */
    /* By then 50 of the lower range were done. */
    assert_int_equal(anomalies_of(b).reordered_records, 50);
    at(b, SECONDS(12));
    process(b, b->c1, 200, 100, SECONDS(11)); /* after both */
    assert_int_equal(anomalies_of(b).reordered_records, 50);
    books_close(b);
    books_free(b);
}

static void an_old_commit_is_blamed_for_what_it_brings_back(void **state)
{
    (void)state;
    struct books *b = books_new();
    at(b, SECONDS(1));
    append(b, 0, 100);
    assign(b, b->c1, b->id1);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_COMMITTED);
    process(b, b->c1, 0, 100, 0);
    commit(b, b->c1, b->id1, 100);
    commit(b, b->c1, b->id1, 40); /* sent before, or once more */
    disown(b, b->c1);
    assign(b, b->c2, b->id2);
    own(b, b->c2);
    position(b, b->c2, 40, POSITION_COMMITTED);
    process(b, b->c2, 40, 60, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.duplicates, 60);
    assert_int_equal(caused(b, FINDING_COMMIT_REWIND, FINDING_CAUSE_OLD_COMMIT), 60);
    assert_int_equal(caused(b, FINDING_DUPLICATE, FINDING_CAUSE_OLD_COMMIT), 60);
    books_free(b);
}

static void rebalances_count_once_the_group_has_formed(void **state)
{
    (void)state;
    struct books *b = books_new();
    static const int64_t forming[] = {GROUP_TRACE_Empty, GROUP_TRACE_PreparingRebalance,
                                      GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable};
    TRACE(b->sim, TRACE_REBALANCE, b->g, CAUSE_MEMBER_JOINED, b->c1, b->id1, 0, NAME_NONE);
    for (int i = 0; i < 3; i++)
        TRACE(b->sim, TRACE_GROUP_STATE, b->g, forming[i], forming[i + 1], 1, 2, 0);
    at(b, SECONDS(10));
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 1, 2,
          0);
    TRACE(b->sim, TRACE_REBALANCE, b->g, CAUSE_MEMBER_LEFT, b->c1, b->id1, 1, NAME_NONE);
    at(b, SECONDS(13));
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_PreparingRebalance,
          GROUP_TRACE_CompletingRebalance, 2, 2, 0);
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 2,
          2, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.rebalances, 1);
    assert_int_equal(figures.rebalance_ns_total, SECONDS(3));
    assert_int_equal(figures.rebalance_ns_max, SECONDS(3));
    books_free(b);
}

static void a_partition_is_stopped_while_nobody_can_process_it(void **state)
{
    (void)state;
    struct books *b = books_new();
    at(b, SECONDS(5)); /* before the first owner nothing counts */
    own(b, b->c1);
    at(b, SECONDS(10));
    disown(b, b->c1); /* 2 s without an owner */
    at(b, SECONDS(12));
    own(b, b->c2);
    TRACE(b->sim, TRACE_CLIENT, b->g, b->c2, CLIENT_RESTORE_BEGIN, 1, b->id2, 0, 0, NAME_NONE);
    at(b, SECONDS(20)); /* 8 s of restoring state */
    TRACE(b->sim, TRACE_CLIENT, b->g, b->c2, CLIENT_RESTORE_END, 1, b->id2, 0, 0, NAME_NONE);
    at(b, SECONDS(30));
    TRACE(b->sim, TRACE_PROCESS, b->c2, PROCESS_TRACE_FROZEN, 1);
    at(b, SECONDS(31)); /* 1 s frozen */
    TRACE(b->sim, TRACE_PROCESS, b->c2, PROCESS_TRACE_RUNNING, 1);
    at(b, SECONDS(40));
    TRACE(b->sim, TRACE_PROCESS, b->c2, PROCESS_TRACE_DEAD, 1);
    at(b, SECONDS(44)); /* 4 s until the end of the run */
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.stopped_partition_ns, SECONDS(2 + 8 + 1 + 4));
    books_free(b);
}

/* The same repeat, for each way in which an ownership can end. */
static void a_repeat_is_blamed_on_how_the_ownership_ended(void **state)
{
    (void)state;
    static const struct {
        bool commit_failed, poll_timeout, fenced;
        int end; /* enum ownership_end, -1 = it goes on believing */
        enum rebalance_cause removal;
        enum finding_cause expected;
    } endings[] = {
        {false, false, false, OWNERSHIP_REVOKED, CAUSE_OTHER, FINDING_CAUSE_REBALANCE},
        {true, false, false, OWNERSHIP_REVOKED, CAUSE_OTHER, FINDING_CAUSE_COMMIT_FAILED},
        {false, false, false, OWNERSHIP_CLOSED, CAUSE_MEMBER_LEFT, FINDING_CAUSE_CLOSED},
        {true, false, false, OWNERSHIP_CLOSED, CAUSE_MEMBER_LEFT, FINDING_CAUSE_COMMIT_FAILED},
        {false, false, false, OWNERSHIP_LOST, CAUSE_SESSION_EXPIRED, FINDING_CAUSE_SESSION_EXPIRED},
        {false, true, false, OWNERSHIP_LOST, CAUSE_MEMBER_LEFT, FINDING_CAUSE_POLL_EXPIRED},
        {false, false, true, OWNERSHIP_LOST, CAUSE_STATIC_MEMBER_CHANGED, FINDING_CAUSE_FENCED},
        {false, false, false, OWNERSHIP_DIED, CAUSE_SESSION_EXPIRED, FINDING_CAUSE_CRASH},
        {false, false, false, -1, CAUSE_SESSION_EXPIRED, FINDING_CAUSE_SESSION_EXPIRED},
    };
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        struct books *b = books_new();
        append(b, 0, 100);
        TRACE(b->sim, TRACE_MEMBER_ADDED, b->g, b->c1, b->id1, NAME_NONE, NAME_NONE);
        assign(b, b->c1, b->id1);
        own(b, b->c1);
        position(b, b->c1, 0, POSITION_COMMITTED);
        process(b, b->c1, 0, 60, 0);
        if (endings[i].commit_failed)
            TRACE(b->sim, TRACE_COMMIT_DONE, b->g, b->c1, COMMIT_CALL_AUTO, 1, 1, 27, 0);
        int64_t event = endings[i].poll_timeout ? CLIENT_POLL_TIMEOUT : CLIENT_FENCED;
        if (endings[i].poll_timeout || endings[i].fenced)
            TRACE(b->sim, TRACE_CLIENT, b->g, b->c1, event, 1, b->id1, 0, 0, NAME_NONE);
        TRACE(b->sim, TRACE_MEMBER_REMOVED, b->g, b->c1, b->id1, endings[i].removal);
        if (endings[i].end >= 0)
            TRACE(b->sim, TRACE_DISOWNED, b->g, b->c1, PARTITION_ID(0, 0), 1, endings[i].end, 1);
        assign(b, b->c2, b->id2);
        own(b, b->c2);
        position(b, b->c2, 0, POSITION_COMMITTED);
        process(b, b->c2, 0, 60, 0);
        if (caused(b, FINDING_DUPLICATE, endings[i].expected) != 60) fail_msg("row %d", (int)i);
        books_close(b);
        books_free(b);
    }
}

static void only_committed_transactions_take_effect(void **state)
{
    (void)state;
    struct books *b = books_new();
    b->group.commit.mode = COMMIT_TRANSACTIONAL;
    append(b, 0, 100);
    process(b, b->c1, 0, 50, 0); /* and aborted */
    process(b, b->c2, 0, 100, 0);
    TRACE(b->sim, TRACE_SINK, b->g, b->c2, PARTITION_ID(0, 0), 0, 100, 1);
    process(b, b->c1, 40, 20, 0);
    TRACE(b->sim, TRACE_SINK, b->g, b->c1, PARTITION_ID(0, 0), 40, 10, 1); /* must not be */
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.duplicates, 70);
    assert_int_equal(figures.effective_duplicates, 10);
    books_free(b);
}

/* 100 records, of which a transaction wrote [20, 50) and took them back, and its marker. */
static void a_transaction_is_aborted(struct books *b)
{
    append(b, 0, 100);
    TRACE(b->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 20, 30, UNREADABLE_ABORTED);
    TRACE(b->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 100, 1, UNREADABLE_MARKER);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
}

static void who_reads_committed_is_spared_aborted_records(void **state)
{
    (void)state;
    struct books *b = books_new();
    b->group.config.isolation_level = READ_COMMITTED;
    a_transaction_is_aborted(b);
    process(b, b->c1, 0, 20, 0);
    struct ledger_partition partition;
    ledger_partition(b->ledger, 0, 0, 0, &partition);
    assert_int_equal(partition.next_offset, 50);
    process(b, b->c1, 50, 50, 0);
    ledger_partition(b->ledger, 0, 0, 0, &partition);
    assert_int_equal(partition.next_offset, 101);
    assert_int_equal(partition.lag_records, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 70);
    assert_int_equal(figures.processed, 70);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(figures.lag_records_end, 0);
    books_free(b);
}

static void who_reads_uncommitted_misses_only_the_marker(void **state)
{
    (void)state;
    struct books *b = books_new();
    a_transaction_is_aborted(b);
    process(b, b->c1, 0, 20, 0);
    process(b, b->c1, 50, 50, 0);
    commit(b, b->c1, b->id1, 101);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 100);
    assert_int_equal(figures.skipped, 30);
    assert_int_equal(figures.lag_records_end, 0);
    books_free(b);
}

static void an_election_takes_markers_back_too(void **state)
{
    (void)state;
    struct books *b = books_new();
    b->group.config.isolation_level = READ_COMMITTED;
    a_transaction_is_aborted(b);
    process(b, b->c1, 0, 20, 0);
    TRACE(b->sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 40, 1);
    append(b, 40, 5);
    process(b, b->c1, 40, 5, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.processed, 25);
    assert_int_equal(figures.lag_records_end, 0);
    books_free(b);
}

static void what_the_application_gives_up_is_skipped(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 100);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    process(b, b->c1, 0, 20, 0);
    TRACE(b->sim, TRACE_GIVEN_UP, b->g, b->c1, PARTITION_ID(0, 0), 20, 3, 1);
    process(b, b->c1, 23, 77, 0);
    commit(b, b->c1, b->id1, 100);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 3);
    assert_int_equal(caused(b, FINDING_SKIPPED, FINDING_CAUSE_GIVEN_UP), 3);
    books_free(b);
}

static void what_a_living_worker_holds_waits(void **state)
{
    (void)state;
    struct books *b = books_with_workers(1);
    append(b, 0, 100);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    TRACE(b->sim, TRACE_DELIVERED, b->g, b->c1, PARTITION_ID(0, 0), 0, 60, 1, 1);
    process(b, b->c1, 0, 20, 0);
    commit(b, b->c1, b->id1, 60);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(caused(b, FINDING_WAITING, FINDING_CAUSE_RUN_ENDED), 80);
    books_free(b);
}

static void what_a_dead_worker_held_is_passed_over(void **state)
{
    (void)state;
    struct books *b = books_with_workers(1);
    append(b, 0, 100);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    TRACE(b->sim, TRACE_DELIVERED, b->g, b->c1, PARTITION_ID(0, 0), 0, 60, 1, 1);
    process(b, b->c1, 0, 20, 0);
    commit(b, b->c1, b->id1, 60);
    TRACE(b->sim, TRACE_PROCESS, b->c1, PROCESS_TRACE_DEAD, 1);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 40);
    books_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_processed_once),
        cmocka_unit_test(a_crash_before_the_commit_repeats_the_batch),
        cmocka_unit_test(an_idempotent_sink_absorbs_repeats),
        cmocka_unit_test(work_after_the_partition_was_given_away_is_zombie_work),
        cmocka_unit_test(a_commit_ahead_of_the_work_skips_records),
        cmocka_unit_test(retention_loses_what_nobody_read),
        cmocka_unit_test(a_reset_to_latest_skips_what_is_still_there),
        cmocka_unit_test(an_unclean_election_loses_acknowledged_records),
        cmocka_unit_test(workers_overtake_each_other),
        cmocka_unit_test(what_a_living_worker_holds_waits),
        cmocka_unit_test(what_a_dead_worker_held_is_passed_over),
        cmocka_unit_test(an_old_commit_is_blamed_for_what_it_brings_back),
        cmocka_unit_test(rebalances_count_once_the_group_has_formed),
        cmocka_unit_test(a_partition_is_stopped_while_nobody_can_process_it),
        cmocka_unit_test(a_repeat_is_blamed_on_how_the_ownership_ended),
        cmocka_unit_test(only_committed_transactions_take_effect),
        cmocka_unit_test(who_reads_committed_is_spared_aborted_records),
        cmocka_unit_test(who_reads_uncommitted_misses_only_the_marker),
        cmocka_unit_test(an_election_takes_markers_back_too),
        cmocka_unit_test(what_the_application_gives_up_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
