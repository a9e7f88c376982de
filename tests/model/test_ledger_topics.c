/* The ledger: topics that are deleted, and created again under the same name. */
#include "tests/model/ledger_books.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_to_a_buried_log_is_accounted_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
