/* The ledger: topics that are deleted, and created again under the same name. */
#include "tests/model/ledger_books.h"

#include "model/ledger_internal.h"

/* A broker that does not hear of it for a while, frozen or cut off, writes on to the old log. */
static void what_is_written_to_a_buried_log_is_accounted_for(void **state)
{
    (void)state;
    struct books *b = books_new();
    name_id orders = names_intern(sim_names(b->sim), "orders");
    append(b, 0, 10);
    process(b, b->c1, 0, 6, 0);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(0, PARTITION_ID(0, 0)), 2, false);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(1, PARTITION_ID(0, 0)), 2, true);
    append(b, 10, 5); /* of topic id 0 */
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_IN(1, PARTITION_ID(0, 0)), 0, 0, 0, 3, 300, 0, 0,
          b->producer, 0);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.produced, 18);
    assert_int_equal(figures.processed, 6);
    assert_int_equal(figures.lost, 9);
    assert_int_equal(anomalies_of(b).waiting, 3);
    books_free(b);
}

/* A producer that has yet to hear of the topic gives records up under topic id 0. */
static void a_buried_topic_has_no_log_of_a_partition_it_never_had(void **state)
{
    (void)state;
    struct books *b = books_new();
    name_id orders = names_intern(sim_names(b->sim), "orders");
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(0, PARTITION_ID(0, 0)), 2, false);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(1, PARTITION_ID(0, 0)), 9, true);
    assert_non_null(ledger_traced_log(b->ledger, PARTITION_IN(0, PARTITION_ID(0, 1))));
    assert_null(ledger_traced_log(b->ledger, PARTITION_IN(0, PARTITION_ID(0, 5))));
    assert_non_null(ledger_traced_log(b->ledger, PARTITION_IN(1, PARTITION_ID(0, 5))));
    TRACE(b->sim, TRACE_PRODUCE_DONE, b->producer, PARTITION_IN(0, PARTITION_ID(0, 5)), -1, 3,
          KAFKA_REQUEST_TIMED_OUT, 0, 0, 0);
    assert_int_equal(books_close(b).produced, 0);
    books_free(b);
}

/* How an offset in a deleted topic comes to be where the next owner begins in the new one. */
enum survival {
    NEVER_REMOVED,  /* the coordinator was down when the topic was deleted */
    COMMITTED_LATE, /* sent before, or again */
    IN_THE_SINK,    /* which knows nothing of topics */
};

static void begin_where_the_old_topic_was_left(enum survival survival)
{
    struct books *b = books_new();
    name_id orders = names_intern(sim_names(b->sim), "orders");
    append(b, 0, 10);
    own(b, b->c1);
    process(b, b->c1, 0, 10, 0);
    if (survival == NEVER_REMOVED) commit(b, b->c1, b->id1, 10);
    disown(b, b->c1);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(0, PARTITION_ID(0, 0)), 2, false);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(1, PARTITION_ID(0, 0)), 2, true);
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_IN(1, PARTITION_ID(0, 0)), 0, 0, 0, 15, 300, 0, 0,
          b->producer, 0);
    if (survival == COMMITTED_LATE) commit(b, b->c1, b->id1, 10);
    own(b, b->c2);
    position(b, b->c2, 10, survival == IN_THE_SINK ? POSITION_EXTERNAL : POSITION_COMMITTED);
    TRACE(b->sim, TRACE_PROCESSED, b->g, b->c2, PARTITION_IN(1, PARTITION_ID(0, 0)), 10, 5, 0, 1,
          1);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 10);
    const struct finding_totals *totals = ledger_finding_totals(b->ledger, 0);
    assert_int_equal(totals->records[FINDING_SKIPPED][FINDING_CAUSE_TOPIC_RECREATED], 10);
    books_free(b);
}

/* What retention had deleted is no fault of the reset, and what came before no business of it. */
static void a_reset_that_passes_over_nothing_leaves_causes_alone(void **state)
{
    (void)state;
    struct books *b = books_new();
    name_id orders = names_intern(sim_names(b->sim), "orders");
    partition_id partition = PARTITION_ID(0, 0);
    own(b, b->c1);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(0, partition), 2, false);
    TRACE(b->sim, TRACE_TOPIC, orders, PARTITION_IN(1, partition), 2, true);
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_IN(1, partition), 0, 0, 0, 30, 300, 0, 0,
          b->producer, 0);
    TRACE(b->sim, TRACE_PROCESSED, b->g, b->c1, PARTITION_IN(1, partition), 10, 5, 0, 1, 1);
    TRACE(b->sim, TRACE_LOG_START, PARTITION_IN(1, partition), 25);
    position(b, b->c1, 25, POSITION_OUT_OF_RANGE);
    struct ledger_group figures = books_close(b);
    assert_int_equal(figures.skipped, 10);
    assert_int_equal(figures.lost, 10);
    const struct finding_totals *totals = ledger_finding_totals(b->ledger, 0);
    assert_int_equal(totals->records[FINDING_SKIPPED][FINDING_CAUSE_TOPIC_RECREATED], 10);
    books_free(b);
}

static void an_offset_that_outlives_its_topic_is_the_reason_for_what_it_leaves_out(void **state)
{
    (void)state;
    begin_where_the_old_topic_was_left(NEVER_REMOVED);
    begin_where_the_old_topic_was_left(COMMITTED_LATE);
    begin_where_the_old_topic_was_left(IN_THE_SINK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_to_a_buried_log_is_accounted_for),
        cmocka_unit_test(a_buried_topic_has_no_log_of_a_partition_it_never_had),
        cmocka_unit_test(a_reset_that_passes_over_nothing_leaves_causes_alone),
        cmocka_unit_test(an_offset_that_outlives_its_topic_is_the_reason_for_what_it_leaves_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
