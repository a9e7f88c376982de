#include "sim/check.h"
#include "sim/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void the_same_text_is_the_same_name(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    assert_int_equal(names_intern(names, ""), NAME_EMPTY);
    name_id payments = names_intern(names, "payments");
    name_id orders = names_intern(names, "orders");
    assert_int_equal(orders, payments + 1); /* ids count up */
    assert_int_equal(names_intern(names, "payments"), payments);
    assert_int_equal(names_intern_bytes(names, "payments-3", 8), payments);
    assert_int_equal(names_format(names, "pay%s", "ments"), payments);
    assert_int_equal(names_count(names), orders + 1);
    assert_int_equal(names_find(names, "orders"), orders);
    assert_int_equal(names_find(names, "refunds"), NAME_NONE);
    assert_int_equal(names_count(names), orders + 1);
    assert_string_equal(names_text(names, NAME_NONE), "");
    assert_string_equal(names_text(names, payments), "payments");
    assert_int_equal(names_length(names, payments), 8);
    memory_free_all(memory);
}

static void texts_stay_where_they_are_while_the_table_grows(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    name_id first = names_format(names, "member-%d", 0);
    const char *text = names_text(names, first);
    for (int i = 0; i < 20000; i++)
        names_format(names, "member-%d", i);
    assert_ptr_equal(names_text(names, first), text);
    for (int i = 0; i < 20000; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "member-%d", i);
        name_id id = names_find(names, expected);
        assert_int_equal(id, first + (name_id)i);
        assert_string_equal(names_text(names, id), expected);
    }
    memory_free_all(memory);
}

static void order_is_by_bytes_with_prefixes_first(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    static const char *const sorted[] = {"", "A", "a", "a-1", "a-10", "a-2", "aa", "b", "\xc3\xa9"};
    for (size_t i = ARRAY_LEN(sorted); i-- > 0;)
        names_intern(names, sorted[i]);
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        assert_int_equal(names_compare(names, NAME_NONE, names_find(names, sorted[i])), -1);
        for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
            int expected = i < k ? -1 : i > k;
            assert_int_equal(names_compare(names, names_find(names, sorted[i]),
                                           names_find(names, sorted[k])),
                             expected);
        }
    }
    assert_int_equal(names_compare(names, NAME_NONE, NAME_NONE), 0);
    memory_free_all(memory);
}

/* Known answers of xxHash64, seed 0: part of every fingerprint. */
static void hashes_are_pinned(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    names_intern(names, "noise"); /* numbering has no influence */
    assert_true(names_hash(names, NAME_NONE) == 0);
    assert_true(names_hash(names, NAME_EMPTY) == UINT64_C(0xef46db3751d8e999));
    assert_true(names_hash(names, names_intern(names, "a")) == UINT64_C(0xd24ec4f1a98c6e5b));
    assert_true(names_hash(names, names_intern(names, "abc")) == UINT64_C(0x44bc2cf5ad770999));
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_text_is_the_same_name),
        cmocka_unit_test(texts_stay_where_they_are_while_the_table_grows),
        cmocka_unit_test(order_is_by_bytes_with_prefixes_first),
        cmocka_unit_test(hashes_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
