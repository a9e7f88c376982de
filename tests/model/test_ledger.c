/* The ledger, told small stories record by record; no world, no broker, no consumer. */
#include "tests/model/ledger_books.h"

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

static void a_ghost_that_expires_expels_nobody(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 100);
    TRACE(b->sim, TRACE_MEMBER_ADDED, b->g, b->c1, b->id1, NAME_NONE, NAME_NONE);
    TRACE(b->sim, TRACE_MEMBER_ADDED, b->g, b->c1, b->id2, NAME_NONE, NAME_NONE); /* restarted */
    assign(b, b->c1, b->id2);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_COMMITTED);
    /* It is to let go of the partition, and a new coordinator has both in its log. */
    TRACE(b->sim, TRACE_ASSIGNED, b->g, b->c1, b->id2, PARTITION_ID(0, 0), 2, 0);
    TRACE(b->sim, TRACE_MEMBER_ADDED, b->g, b->c1, b->id1, NAME_NONE, NAME_NONE);
    TRACE(b->sim, TRACE_MEMBER_REMOVED, b->g, b->c1, b->id1, CAUSE_SESSION_EXPIRED);
    process(b, b->c1, 0, 60, 0);
    assert_int_equal(books_close(b).zombie, 0);
    books_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ghost_that_expires_expels_nobody),
        cmocka_unit_test(everything_processed_once),
        cmocka_unit_test(a_crash_before_the_commit_repeats_the_batch),
        cmocka_unit_test(an_idempotent_sink_absorbs_repeats),
        cmocka_unit_test(work_after_the_partition_was_given_away_is_zombie_work),
        cmocka_unit_test(a_commit_ahead_of_the_work_skips_records),
        cmocka_unit_test(retention_loses_what_nobody_read),
        cmocka_unit_test(a_reset_to_latest_skips_what_is_still_there),
        cmocka_unit_test(an_unclean_election_loses_acknowledged_records),
        cmocka_unit_test(an_old_commit_is_blamed_for_what_it_brings_back),
        cmocka_unit_test(rebalances_count_once_the_group_has_formed),
        cmocka_unit_test(a_partition_is_stopped_while_nobody_can_process_it),
        cmocka_unit_test(a_repeat_is_blamed_on_how_the_ownership_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
