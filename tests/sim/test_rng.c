#include "sim/check.h"
#include "sim/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Known answers: a new PCG, xxHash or compiler must not change them, for they are in every result.
 */
static void draws_are_pinned(void **state)
{
    (void)state;
    struct rng_key key = rng_key(1, 2, RNG_TEST);
    assert_true(rng_u64(&key, 0) == UINT64_C(0x6bdd9a04a93fec04));
    assert_true(rng_u64(&key, 1) == UINT64_C(0x2e6914971b1e1564));
    assert_true(rng_u64(&key, 2) == UINT64_C(0xfe33ed41ba910849));
    assert_int_equal(rng_below(&key, 0, 1000), 421);
    assert_true(rng_below(&key, 1, (UINT64_C(1) << 63) + 1) == UINT64_C(7326923107540757919));
    struct rng rng = rng_start(&key, 0);
    assert_true(rng_next_u64(&rng) == UINT64_C(0x6bdd9a04a93fec04));
    assert_true(rng_next_u64(&rng) == UINT64_C(0xb03c8767824f050d));
    assert_true(rng_next_u64(&rng) == UINT64_C(0xfc378176c1cddf8c));
    assert_true(rng_index(3, 5) == UINT64_C(0x913febebbd03ca1a));
}

static void a_draw_depends_on_its_key_and_on_nothing_else(void **state)
{
    (void)state;
    struct rng_key key = rng_key(7, 8, RNG_ARRIVAL);
    uint64_t before = rng_u64(&key, 1000);
    for (uint64_t i = 0; i < 1000; i++)
        rng_u64(&key, i);
    assert_true(rng_u64(&key, 1000) == before);

    struct rng_key other = rng_key(7, 8, RNG_ARRIVAL);
    assert_true(rng_u64(&other, 1000) == before);
    other = rng_key(6, 8, RNG_ARRIVAL);
    assert_true(rng_u64(&other, 1000) != before);
    other = rng_key(7, 9, RNG_ARRIVAL);
    assert_true(rng_u64(&other, 1000) != before);
    other = rng_key(7, 8, RNG_SERVICE);
    assert_true(rng_u64(&other, 1000) != before);
    assert_true(rng_u64(&key, 1001) != before);
    assert_true(rng_index(1, 2) != rng_index(2, 1));
}

static void a_stream_begins_with_the_draw(void **state)
{
    (void)state;
    struct rng_key key = rng_key(3, 4, RNG_TEST);
    struct rng rng = rng_start(&key, 5);
    assert_true(rng_next_u64(&rng) == rng_u64(&key, 5));
    uint64_t second = rng_next_u64(&rng);
    assert_true(second != rng_u64(&key, 5) && second != rng_next_u64(&rng));
    rng = rng_start(&key, 5);
    assert_true(rng_next_below(&rng, 1000) == rng_below(&key, 5, 1000));
}

/* Chi-square as standard deviations above its mean. */
static double excess(const uint32_t *observed, size_t classes, double expected)
{
    double sum = 0;
    for (size_t i = 0; i < classes; i++) {
        double difference = (double)observed[i] - expected;
        sum += difference * difference / expected;
    }
    double freedom = (double)classes - 1;
    return (sum - freedom) / sqrt(2 * freedom);
}

/* Neighbouring indexes, entities and seeds are what a simulation uses: each must look random by
 * itself. */
static void neighbouring_keys_are_independent(void **state)
{
    (void)state;
    enum { CLASSES = 256, DRAWS = 256000 };
    for (int dimension = 0; dimension < 3; dimension++) {
        static uint32_t high[CLASSES], low[CLASSES], change[CLASSES];
        for (size_t i = 0; i < CLASSES; i++)
            high[i] = low[i] = change[i] = 0;
        uint64_t last = 0;
        for (uint64_t i = 0; i < DRAWS; i++) {
            struct rng_key key = rng_key(dimension == 0 ? i : 1, dimension == 1 ? i : 1, RNG_TEST);
            uint64_t draw = rng_u64(&key, dimension == 2 ? i : 1);
            high[draw >> 56]++;
            low[draw & 255]++;
            change[(draw ^ last) >> 56]++;
            last = draw;
        }
        assert_true(excess(high, CLASSES, DRAWS / CLASSES) < 4);
        assert_true(excess(low, CLASSES, DRAWS / CLASSES) < 4);
        assert_true(excess(change, CLASSES, DRAWS / CLASSES) < 4);
    }
}

static void below_is_unbiased(void **state)
{
    (void)state;
    struct rng_key key = rng_key(9, 9, RNG_TEST);
    uint32_t seen[7] = {0};
    for (uint64_t i = 0; i < 700000; i++)
        seen[rng_below(&key, i, 7)]++;
    assert_true(excess(seen, 7, 100000) < 4);
    /* With three quarters of 2^64 as bound, taking the remainder would fill the first third twice.
     */
    uint64_t bound = UINT64_C(3) << 62;
    uint32_t thirds[3] = {0};
    for (uint64_t i = 0; i < 300000; i++)
        thirds[rng_below(&key, i, bound) / (bound / 3)]++;
    assert_true(excess(thirds, 3, 100000) < 4);
    assert_int_equal(rng_below(&key, 1, 1), 0);
}

static void chance_is_in_parts_per_million(void **state)
{
    (void)state;
    struct rng_key key = rng_key(10, 10, RNG_TEST);
    uint32_t hits = 0;
    for (uint64_t i = 0; i < 1000000; i++) {
        hits += rng_chance_ppm(&key, i, 5000);
        assert_false(rng_chance_ppm(&key, i, 0));
        assert_true(rng_chance_ppm(&key, i, 1000000));
    }
    assert_in_range(hits, 4750, 5250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_pinned),
        cmocka_unit_test(a_draw_depends_on_its_key_and_on_nothing_else),
        cmocka_unit_test(a_stream_begins_with_the_draw),
        cmocka_unit_test(neighbouring_keys_are_independent),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(chance_is_in_parts_per_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
