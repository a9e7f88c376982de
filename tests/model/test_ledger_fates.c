/* The ledger: transactions, what nobody can read, what nobody could process, and what a pool of
 * workers has in hand. */
#include "tests/model/ledger_books.h"

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

/* The group commits over the marker, the books forget what lies behind the commit, and only then
 * the next record is read: nobody left anything out (random world 935). */
static void a_marker_that_was_committed_over_is_not_left_out(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 20);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    process(b, b->c1, 0, 20, 0);
    TRACE(b->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 20, 1, UNREADABLE_MARKER);
    commit(b, b->c1, b->id1, 21);
    TRACE(b->sim, TRACE_SAMPLE, 1);
    append(b, 21, 10);
    process(b, b->c1, 21, 10, 0);
    assert_int_equal(anomalies_of(b).poll_skips, 0);
    books_close(b);
    books_free(b);
}

/* Who gets the partition back is told of the records that the other one took, not of markers. */
static void markers_are_forgotten_but_not_counted(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 20);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    process(b, b->c1, 0, 10, 0);
    disown(b, b->c1);
    own(b, b->c2);
    position(b, b->c2, 10, POSITION_COMMITTED);
    process(b, b->c2, 10, 10, 0);
    TRACE(b->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 20, 1, UNREADABLE_MARKER);
    disown(b, b->c2);
    commit(b, b->c2, b->id2, 21);
    TRACE(b->sim, TRACE_SAMPLE, 1);
    own(b, b->c1);
    position(b, b->c1, 21, POSITION_COMMITTED);
    append(b, 21, 10);
    process(b, b->c1, 21, 10, 0);
    assert_int_equal(anomalies_of(b).poll_skips, 1);
    assert_int_equal(caused(b, FINDING_POLL_SKIP, FINDING_CAUSE_NOT_COORDINATED), 10);
    books_close(b);
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

/* One worker died on its record while another was done with what came later: both, and what lies
 * between, are waiting as long as nobody commits over them (random world 496). */
static void what_was_not_committed_over_waits_for_the_next(void **state)
{
    (void)state;
    struct books *b = books_with_workers(2);
    append(b, 0, 100);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    TRACE(b->sim, TRACE_DELIVERED, b->g, b->c1, PARTITION_ID(0, 0), 0, 60, 1, 1);
    TRACE(b->sim, TRACE_DELIVERED, b->g, b->c1, PARTITION_ID(0, 0), 60, 20, 1, 1);
    process(b, b->c1, 60, 20, 0);
    process(b, b->c1, 0, 10, 0);
    commit(b, b->c1, b->id1, 10);
    TRACE(b->sim, TRACE_PROCESS, b->c1, PROCESS_TRACE_DEAD, 1);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(caused(b, FINDING_WAITING, FINDING_CAUSE_RUN_ENDED), 70);
    books_free(b);
}

/* The sink's transaction holds records and offset, but keeps no zombie out. */
static void a_zombie_may_write_to_the_sink_again(void **state)
{
    (void)state;
    struct books *b = books_new();
    b->group.commit.mode = COMMIT_EXTERNAL;
    append(b, 0, 100);
    process(b, b->c1, 0, 60, 0); /* and is too late with the sink */
    process(b, b->c2, 0, 50, 0);
    TRACE(b->sim, TRACE_SINK, b->g, b->c2, PARTITION_ID(0, 0), 0, 50, 1);
    TRACE(b->sim, TRACE_SINK, b->g, b->c1, PARTITION_ID(0, 0), 0, 60, 1);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.duplicates, 50);
    assert_int_equal(figures.effective_duplicates, 50);
    books_free(b);
}

/* Before anybody ever joined: nothing but the operator's word tells where to begin. */
static void an_operator_may_come_first(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 100);
    TRACE(b->sim, TRACE_COMMITTED, b->g, PARTITION_ID(0, 0), 40, NAME_NONE, NAME_EMPTY, -1, 0);
    assign(b, b->c1, b->id1);
    own(b, b->c1);
    position(b, b->c1, 40, POSITION_COMMITTED);
    process(b, b->c1, 40, 60, 0);
    books_close(b);
    assert_int_equal(caused(b, FINDING_SKIPPED, FINDING_CAUSE_ADMIN), 40);
    books_free(b);
}

/* Its records are gone from the log, its batch is not: random world 2782. */
static void who_has_records_in_hand_processes_them_all_the_same(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 100);
    acknowledge(b, 0, 100);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    process(b, b->c1, 0, 60, 0);
    at(b, SECONDS(10));
    TRACE(b->sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 40, 1);
    append(b, 40, 30);
    at(b, SECONDS(20));
    process(b, b->c1, 60, 20, SECONDS(9));  /* the old records */
    process(b, b->c2, 50, 10, SECONDS(9));  /* the old ones, again */
    process(b, b->c1, 40, 30, SECONDS(11)); /* the new ones */
    process(b, b->c1, 90, 5, SECONDS(15));  /* from a queue, and beyond the new log */
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 130);
    assert_int_equal(figures.processed, 125);
    assert_int_equal(figures.duplicates, 10);
    assert_int_equal(figures.taken_back, 60);
    assert_int_equal(figures.lost, 40 - 20 - 5);
    assert_int_equal(figures.lag_records_end, 0);
    books_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_committed_transactions_take_effect),
        cmocka_unit_test(who_reads_committed_is_spared_aborted_records),
        cmocka_unit_test(who_reads_uncommitted_misses_only_the_marker),
        cmocka_unit_test(an_election_takes_markers_back_too),
        cmocka_unit_test(a_marker_that_was_committed_over_is_not_left_out),
        cmocka_unit_test(markers_are_forgotten_but_not_counted),
        cmocka_unit_test(what_the_application_gives_up_is_skipped),
        cmocka_unit_test(workers_overtake_each_other),
        cmocka_unit_test(what_a_living_worker_holds_waits),
        cmocka_unit_test(what_a_dead_worker_held_is_passed_over),
        cmocka_unit_test(what_was_not_committed_over_waits_for_the_next),
        cmocka_unit_test(a_zombie_may_write_to_the_sink_again),
        cmocka_unit_test(an_operator_may_come_first),
        cmocka_unit_test(who_has_records_in_hand_processes_them_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
