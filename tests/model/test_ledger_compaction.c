/* The ledger: what compaction removes before a group comes to it, and what only looks like it. */
#include "tests/model/ledger_books.h"

static const struct scenario_topic compacted_topics[] = {
    {.name = "orders", .partitions = 1, .compact = true},
    {.name = "other", .partitions = 1},
};

/* 100 records, and a consumer that begins with the first. */
static struct books *books_begun(void)
{
    struct books *b = books_on(compacted_topics, 0);
    at(b, SECONDS(1));
    append(b, 0, 100);
    acknowledge(b, 0, 100);
    own(b, b->c1);
    position(b, b->c1, 0, POSITION_RESET_EARLIEST);
    return b;
}

static void compact(struct books *b, int64_t from, int64_t to)
{
    TRACE(b->sim, TRACE_COMPACTED, PARTITION_ID(0, 0), from, to - from, 0);
    TRACE(b->sim, TRACE_CLEANED, PARTITION_ID(0, 0), 0, to, to, to - from, (to - from) * 100, 0);
}

static struct ledger_partition first_partition(const struct books *b)
{
    struct ledger_partition partition;
    ledger_partition(b->ledger, 0, 0, 0, &partition);
    return partition;
}

static void what_goes_unread_is_neither_lost_nor_skipped(void **state)
{
    (void)state;
    struct books *b = books_begun();
    process(b, b->c1, 0, 30, 0);
    compact(b, 20, 50); /* 20 to 29 were processed */
    compact(b, 60, 70);
    assert_int_equal(first_partition(b).lag_records, 70); /* gaps count, as Kafka's tools count */
    process(b, b->c1, 50, 10, 0);
    process(b, b->c1, 70, 25, 0);
    assert_int_equal(first_partition(b).lag_records, 5);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 100);
    assert_int_equal(figures.processed, 65);
    assert_int_equal(figures.compacted, 30);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(figures.lost, 0);
    assert_int_equal(anomalies_of(b).waiting, 5);
    assert_int_equal(anomalies_of(b).poll_skips, 0);
    assert_int_equal(caused(b, FINDING_COMPACTED, FINDING_CAUSE_COMPACTION), 30);
    books_free(b);
}

/* One finding tells of all the gaps of a partition. */
static void one_finding_tells_of_a_partition(void **state)
{
    (void)state;
    struct books *b = books_begun();
    for (int64_t offset = 0; offset < 90; offset += 2)
        compact(b, offset, offset + 1);
    for (int64_t offset = 1; offset < 90; offset += 2)
        process(b, b->c1, offset, 1, 0);
    books_close(b);
    int32_t findings = 0;
    for (uint32_t i = 0; i < ledger_findings(b->ledger)->count; i++) {
        const struct finding *finding = &ledger_findings(b->ledger)->list[i];
        if (finding->kind != FINDING_COMPACTED) continue;
        findings++;
        assert_int_equal(finding->from, 0);
        assert_int_equal(finding->to, 89);
        assert_int_equal(finding->records, 45);
    }
    assert_int_equal(findings, 1);
    books_free(b);
}

static void what_was_passed_over_before_stays_skipped(void **state)
{
    (void)state;
    struct books *b = books_begun();
    process(b, b->c1, 0, 10, 0);
    commit(b, b->c1, b->id1, 40); /* ahead of the work */
    compact(b, 30, 60);
    process(b, b->c1, 60, 40, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 30); /* 10 to 39 */
    assert_int_equal(figures.compacted, 20);
    books_free(b);
}

/* A member has it already, and processes it after the cleaner has been there. */
static void what_a_member_holds_may_still_be_processed(void **state)
{
    (void)state;
    struct books *b = books_begun();
    compact(b, 0, 50);
    process(b, b->c1, 0, 20, 0);
    process(b, b->c1, 50, 50, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.processed, 70);
    assert_int_equal(figures.duplicates, 0);
    assert_int_equal(figures.compacted, 30);
    books_free(b);
}

/* The group goes back to records that it had passed over, and they are not there any more. */
static void what_a_group_comes_back_to_may_be_gone(void **state)
{
    (void)state;
    struct books *b = books_begun();
    process(b, b->c1, 0, 10, 0);
    commit(b, b->c1, b->id1, 40);
    compact(b, 20, 30);
    commit(b, b->c1, b->id1, 10);
    position(b, b->c2, 10, POSITION_COMMITTED);
    process(b, b->c2, 10, 10, 0);
    process(b, b->c2, 30, 70, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.processed, 90);
    assert_int_equal(figures.skipped, 0);
    assert_int_equal(figures.compacted, 10);
    books_free(b);
}

static void retention_and_elections_come_on_top(void **state)
{
    (void)state;
    struct books *b = books_begun();
    compact(b, 10, 20);
    TRACE(b->sim, TRACE_LOG_START, PARTITION_ID(0, 0), 30, 0);
    compact(b, 40, 45);
    compact(b, 90, 95);
    TRACE(b->sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 80, 1);
    append(b, 80, 20); /* other records at these offsets */
    process(b, b->c1, 30, 10, sim_now(b->sim));
    process(b, b->c1, 45, 55, sim_now(b->sim));
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 120);
    assert_int_equal(figures.lost, 20 + 20); /* below 30; and taken back, 80 to 99 */
    assert_int_equal(figures.compacted, 15);
    assert_int_equal(figures.processed, 65);
    assert_int_equal(figures.skipped, 0);
    books_free(b);
}

/* True lag is the age of the next record there is. */
static void the_age_of_lag_is_that_of_a_record(void **state)
{
    (void)state;
    struct books *b = books_begun(); /* born from 901 to 1,000 ms */
    at(b, SECONDS(2));
    assert_int_equal(first_partition(b).lag_ns, MILLISECONDS(1099));
    compact(b, 0, 50);
    assert_int_equal(first_partition(b).lag_ns, MILLISECONDS(1049));
    books_close(b);
    books_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_unread_is_neither_lost_nor_skipped),
        cmocka_unit_test(one_finding_tells_of_a_partition),
        cmocka_unit_test(what_was_passed_over_before_stays_skipped),
        cmocka_unit_test(what_a_member_holds_may_still_be_processed),
        cmocka_unit_test(what_a_group_comes_back_to_may_be_gone),
        cmocka_unit_test(retention_and_elections_come_on_top),
        cmocka_unit_test(the_age_of_lag_is_that_of_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
