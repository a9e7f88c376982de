/* Every row of the table of sequence numbers (offsets-and-log.md, section 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/producer_state.h"

#include <stdlib.h>

#define ID 7

static int32_t append(struct producer_states *states, int16_t epoch, int32_t sequence,
                      int64_t offset)
{
    const struct sequenced_batch batch = {ID, epoch, sequence, 10, NAME_NONE};
    return producer_states_append(states, &batch, offset, 0);
}

static void each_sequence_gets_its_answer(void **state)
{
    (void)state;
    static const struct {
        int16_t epoch;
        int32_t sequence;
        int32_t count;
        enum kafka_error error;
        int64_t duplicate;
    } rows[] = {
        {1, 70, 10, KAFKA_NONE, -1},                         /* the next one */
        {1, 60, 10, KAFKA_NONE, 160},                        /* the last one again */
        {1, 20, 10, KAFKA_NONE, 120},                        /* the fifth last again */
        {1, 10, 10, KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, -1}, /* older than the five */
        {1, 60, 5, KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, -1},  /* the same first, another last */
        {1, 80, 10, KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, -1}, /* a gap */
        {0, 70, 10, KAFKA_INVALID_PRODUCER_EPOCH, -1},
        {2, 0, 10, KAFKA_NONE, -1}, /* a newer epoch begins at 0 */
        {2, 70, 10, KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER, -1},
    };
    struct memory *memory = memory_new();
    struct producer_states states;
    producer_states_init(&states, memory);
    for (int32_t i = 0; i < 7; i++)
        append(&states, 1, i * 10, 100 + i * 10);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sequenced_batch batch = {ID, rows[i].epoch, rows[i].sequence, rows[i].count,
                                              NAME_NONE};
        int64_t duplicate = 0;
        assert_int_equal(producer_states_check(&states, &batch, &duplicate), rows[i].error);
        assert_int_equal(duplicate, rows[i].duplicate);
    }
    const struct sequenced_batch stranger = {ID + 1, 0, 12345, 1, NAME_NONE};
    int64_t duplicate = 0;
    assert_int_equal(producer_states_check(&states, &stranger, &duplicate), KAFKA_NONE);
    memory_free_all(memory);
}

static void sequences_wrap_to_zero(void **state)
{
    (void)state;
    assert_int_equal(sequence_after(INT32_MAX, 1), 0);
    assert_int_equal(sequence_after(INT32_MAX - 4, 10), 5);
}

static void truncation_forgets_what_the_log_lost(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct producer_states states;
    producer_states_init(&states, memory);
    for (int32_t i = 0; i < 3; i++)
        append(&states, 0, i * 10, i * 10);
    producer_states_truncate(&states, 20);
    const struct sequenced_batch again = {ID, 0, 20, 10, NAME_NONE};
    int64_t duplicate = 0;
    assert_int_equal(producer_states_check(&states, &again, &duplicate), KAFKA_NONE);
    assert_int_equal(duplicate, -1);
    memory_free_all(memory);
}

static void open_and_freshly_closed_transactions_hold_the_last_stable_offset(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct producer_states states;
    producer_states_init(&states, memory);
    const struct sequenced_batch batch = {ID, 0, 0, 10, NAME_EMPTY};
    assert_int_equal(producer_states_last_stable(&states, 50), 50);
    producer_states_append(&states, &batch, 40, 0);
    assert_int_equal(producer_states_last_stable(&states, 50), 40);
    assert_int_equal(producer_states_check_marker(&states, ID, 0, 3), KAFKA_NONE);
    const struct ended_transaction ended = producer_states_end(&states, ID, 0, 3, 50, 0);
    assert_int_equal(ended.first_offset, 40);
    /* The marker at 50 is not replicated yet. */
    assert_int_equal(producer_states_last_stable(&states, 50), 40);
    assert_int_equal(producer_states_last_stable(&states, 51), 51);
    assert_true(producer_states_all_stable(&states));
    assert_int_equal(producer_states_check_marker(&states, ID, 0, 2),
                     KAFKA_TRANSACTION_COORDINATOR_FENCED);
    assert_int_equal(producer_states_check_marker(&states, ID, -1, 3),
                     KAFKA_INVALID_PRODUCER_EPOCH);
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sequence_gets_its_answer),
        cmocka_unit_test(sequences_wrap_to_zero),
        cmocka_unit_test(truncation_forgets_what_the_log_lost),
        cmocka_unit_test(open_and_freshly_closed_transactions_hold_the_last_stable_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
