/* What onlookers were told of committed offsets, and what a new coordinator's log makes of it. */
#include "model/told_offsets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_same_is_told_once(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct told_offsets told = {0};
    assert_true(told_offsets_set(&told, memory, 7, 100));
    assert_false(told_offsets_set(&told, memory, 7, 100));
    assert_true(told_offsets_set(&told, memory, 7, 90));
    assert_true(told_offsets_set(&told, memory, 7, -1));
    assert_false(told_offsets_set(&told, memory, 8, -1));
    memory_free_all(memory);
}

static void who_is_absent_from_the_roll_call_was_removed(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct told_offsets told = {0};
    for (partition_id partition = 0; partition < 20; partition++)
        told_offsets_set(&told, memory, partition, 1000 + (int64_t)partition);
    told_offsets_set(&told, memory, 5, -1); /* gone, and told so */
    told_offsets_begin_roll_call(&told);
    for (partition_id partition = 0; partition < 18; partition++) {
        if (partition != 3 && partition != 5)
            told_offsets_set(&told, memory, partition, 1000 + (int64_t)partition);
    }
    told_offsets_set(&told, memory, 30, 1); /* a new one moves nobody out of the call */
    partition_id partition = 0;
    int64_t offset = 0;
    for (partition_id expected = 3; expected < 20; expected += expected == 3 ? 15 : 1) {
        assert_true(told_offsets_next_absent(&told, &partition, &offset));
        assert_int_equal(partition, expected);
        assert_int_equal(offset, 1000 + (int64_t)expected);
    }
    assert_false(told_offsets_next_absent(&told, &partition, &offset));
    /* They were told of now. */
    told_offsets_begin_roll_call(&told);
    for (partition_id p = 0; p < 18; p++)
        told_offsets_set(&told, memory, p, 1);
    told_offsets_set(&told, memory, 30, 1);
    assert_false(told_offsets_next_absent(&told, &partition, &offset));
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_is_told_once),
        cmocka_unit_test(who_is_absent_from_the_roll_call_was_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
