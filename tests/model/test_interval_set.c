/* Interval sets against a plain table of bits, on random ranges. */
#include "model/interval_set.h"

#include "sim/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define UNIVERSE 64

static int64_t count_bits(const bool *bits, int64_t from, int64_t to)
{
    int64_t count = 0;
    for (int64_t i = from; i < to; i++)
        count += bits[i];
    return count;
}

static int64_t set_bits(bool *bits, int64_t from, int64_t to, bool value)
{
    int64_t changed = 0;
    for (int64_t i = from; i < to; i++) {
        changed += bits[i] != value;
        bits[i] = value;
    }
    return changed;
}

static void same_gap(const struct interval_set *set, const bool *bits, int64_t from, int64_t to)
{
    int64_t begin = from;
    while (begin < to && bits[begin])
        begin++;
    struct interval gap;
    bool found = interval_set_first_gap(set, from, to, &gap);
    assert_int_equal(found, begin < to);
    if (!found) return;
    int64_t end = begin;
    while (end < to && !bits[end])
        end++;
    assert_int_equal(gap.from, begin);
    assert_int_equal(gap.to, end);
}

static void agrees_with_a_table_of_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct memory *memory = memory_new();
        struct interval_set set = {0};
        bool bits[UNIVERSE] = {false};
        struct rng_key key = rng_key(seed, 1, RNG_TEST);
        for (uint64_t step = 0; step < 200; step++) {
            struct rng rng = rng_start(&key, step);
            int64_t a = (int64_t)rng_next_below(&rng, UNIVERSE);
            int64_t b = (int64_t)rng_next_below(&rng, UNIVERSE + 1);
            int64_t from = a < b ? a : b;
            int64_t to = a < b ? b : a;
            bool add = rng_next_below(&rng, 3) != 0;
            int64_t changed = add ? interval_set_add(&set, memory, from, to)
                                  : interval_set_remove(&set, memory, from, to);
            if (changed != set_bits(bits, from, to, add)) fail_msg("seed %d", (int)seed);
            assert_true(interval_set_is_consistent(&set));
            assert_int_equal(interval_set_covered(&set, 3, 40), count_bits(bits, 3, 40));
            assert_int_equal(interval_set_contains(&set, from), from < UNIVERSE && bits[from]);
            same_gap(&set, bits, 5, 50);
        }
        memory_free_all(memory);
    }
}

/* Many ranges at once are the same as one after the other. */
static void many_ranges_at_once(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    const struct rng_key key = rng_key(11, 12, RNG_TEST);
    for (uint64_t round = 0; round < 2000; round++) {
        struct rng rng = rng_start(&key, round);
        struct interval_set all = {0};
        struct interval_set single = {0};
        for (int32_t i = 0; i < 3; i++) {
            struct interval ranges[UNIVERSE];
            uint32_t count = 0;
            int64_t at = (int64_t)rng_next_below(&rng, 20);
            while (at < UNIVERSE) {
                int64_t to = at + 1 + (int64_t)rng_next_below(&rng, 6);
                interval_set_add(&single, memory, at, to);
                ranges[count++] = (struct interval){at, to};
                at = to + 1 + (int64_t)rng_next_below(&rng, 20);
            }
            interval_set_add_all(&all, memory, ranges, count);
            assert_true(interval_set_is_consistent(&all));
            assert_int_equal(all.count, single.count);
            if (all.count == 0) continue;
            assert_memory_equal(interval_set_ranges(&all), interval_set_ranges(&single),
                                all.count * sizeof(struct interval));
        }
        for (int64_t offset = 0; offset < UNIVERSE; offset++) {
            int64_t next = interval_set_next(&all, offset);
            uint32_t first = 0;
            while (first < all.count && interval_set_ranges(&all)[first].from <= offset)
                first++;
            assert_int_equal(next,
                             first < all.count ? interval_set_ranges(&all)[first].from : INT64_MAX);
        }
    }
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_table_of_bits),
        cmocka_unit_test(many_ranges_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
