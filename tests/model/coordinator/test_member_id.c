/* Member ids: their shape, that they repeat with the seed, and never within a run. */
#include "model/coordinator/member_id.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static void a_bare_uuid(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct member_ids ids = {.names = names_new(memory), .seed = 7};
    name_id group = names_intern(ids.names, "g");
    name_id seen[500];
    for (uint32_t i = 0; i < 500; i++) {
        seen[i] = member_id_make(&ids, group, NAME_NONE, (int32_t)(i % 5), i / 5);
        const char *text = names_text(ids.names, seen[i]);
        assert_int_equal(strlen(text), 22);
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
                         22);
        assert_int_not_equal(text[0], '-');
        /* Digit 8 is bits 48 to 53: version 4 in the first four of them. */
        assert_non_null(strchr("QRST", text[8]));
        for (uint32_t k = 0; k < i; k++)
            assert_int_not_equal(seen[k], seen[i]);
    }
    assert_int_equal(member_id_make(&ids, group, NAME_NONE, 3, 4), seen[23]);
    memory_free_all(memory);
}

static void with_a_prefix(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct member_ids ids = {.names = names_new(memory), .seed = 7};
    name_id id = member_id_make(&ids, names_intern(ids.names, "g"),
                                names_intern(ids.names, "consumer-1"), 0, 0);
    const char *text = names_text(ids.names, id);
    assert_int_equal(strlen(text), strlen("consumer-1-") + 36);
    assert_memory_equal(text, "consumer-1-", strlen("consumer-1-"));
    assert_int_equal(text[strlen("consumer-1-") + 14], '4');
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_uuid),
        cmocka_unit_test(with_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
