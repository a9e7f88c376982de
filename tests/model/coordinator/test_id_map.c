#include "model/coordinator/id_map.h"
#include "sim/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define KEYS 500

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct id_map map;
    id_map_init(&map, memory);
    assert_null(id_map_get(&map, 3));
    assert_null(id_map_get(&map, NAME_NONE));
    id_map_remove(&map, 3);
    id_map_release(&map);
    memory_free_all(memory);
}

static void random_use_agrees_with_an_array(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct id_map map;
    id_map_init(&map, memory);
    static int things[KEYS];
    int *expected[KEYS] = {0};
    struct rng_key key = rng_key(3, 1, RNG_TEST);
    struct rng rng = rng_start(&key, 0);
    uint32_t count = 0;
    for (int step = 0; step < 100000; step++) {
        uint32_t i = (uint32_t)rng_next_below(&rng, KEYS);
        name_id id = i * 16 + 1; /* close together and far apart */
        if (rng_next_below(&rng, 2) == 0) {
            count += expected[i] == NULL;
            expected[i] = &things[rng_next_below(&rng, KEYS)];
            id_map_put(&map, id, expected[i]);
        } else {
            count -= expected[i] != NULL;
            expected[i] = NULL;
            id_map_remove(&map, id);
        }
        uint32_t other = (uint32_t)rng_next_below(&rng, KEYS);
        assert_ptr_equal(id_map_get(&map, other * 16 + 1), expected[other]);
        assert_int_equal(map.count, count);
    }
    for (uint32_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(id_map_get(&map, i * 16 + 1), expected[i]);
    }
    id_map_release(&map);
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(random_use_agrees_with_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
