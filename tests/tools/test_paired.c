/* Paired comparison: quantiles against published tables, intervals that cover what they say. */
#include "tools/paired.h"

#include "sim/rng.h"
#include "tools/student.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void quantiles_are_those_of_the_tables(void **state)
{
    (void)state;
    /* Two-sided 95 % and 99 %, from the tables printed in any textbook. */
    static const struct {
        double confidence, degrees, t;
    } table[] = {
        {0.95, 1, 12.706205}, {0.95, 2, 4.302653},   {0.95, 5, 2.570582},  {0.95, 10, 2.228139},
        {0.95, 30, 2.042272}, {0.95, 199, 1.971957}, {0.99, 1, 63.656741}, {0.99, 10, 3.169273},
        {0.99, 60, 2.660283}, {0.90, 4, 2.131847},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        double t = student_t_two_sided(table[i].confidence, table[i].degrees);
        assert_true(fabs(t - table[i].t) < 1e-5);
    }
    assert_true(fabs(normal_two_sided(0.95) - 1.959964) < 1e-5);
    assert_true(fabs(student_t_cumulative(0.0, 7) - 0.5) < 1e-12);
}

static void a_worked_example(void **state)
{
    (void)state;
    static const int64_t a[] = {10, 12, 9, 11, 14};
    static const int64_t b[] = {8, 11, 9, 7, 10};
    struct paired result = paired_compare(a, b, 5);
    /* Differences -2, -1, 0, -4, -4: mean -2.2, deviation 1.78885, t(4) = 2.776445. */
    assert_true(fabs(result.difference + 2.2) < 1e-9);
    assert_true(fabs(result.deviation - 1.788854) < 1e-5);
    assert_true(fabs(result.low + 4.421159) < 1e-4);
    assert_true(fabs(result.high - 0.021159) < 1e-4);
    assert_int_equal(result.wins, 4);
    assert_int_equal(result.ties, 1);
    assert_int_equal(result.losses, 0);
}

static void an_arm_against_itself_is_exactly_zero(void **state)
{
    (void)state;
    static const int64_t a[] = {INT64_C(1) << 54, 12345678901, 3, (INT64_C(1) << 54) + 1};
    struct paired result = paired_compare(a, a, 4);
    assert_true(result.difference == 0.0 && result.low == 0.0 && result.high == 0.0);
    assert_int_equal(result.ties, 4);
}

/* Sum of 12 uniforms less 6: close enough to normal for coverage. */
static int64_t noise(struct rng *rng, int64_t scale)
{
    int64_t sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (int64_t)rng_next_below(rng, 1000001);
    return (sum - 6000000) * scale / 1000000;
}

static void the_interval_covers_the_truth_19_times_in_20(void **state)
{
    (void)state;
    enum { EXPERIMENTS = 4000, PAIRS = 20, TRUTH = -500 };
    struct rng_key key = rng_key(7, 7, RNG_TEST);
    int covered_paired = 0;
    int covered_unpaired = 0;
    double width_paired = 0;
    double width_unpaired = 0;
    for (uint64_t e = 0; e < EXPERIMENTS; e++) {
        struct rng rng = rng_start(&key, e);
        int64_t a[PAIRS];
        int64_t b[PAIRS];
        for (int i = 0; i < PAIRS; i++) {
            int64_t world = noise(&rng, 3000); /* what both arms share */
            a[i] = 100000 + world + noise(&rng, 400);
            b[i] = 100000 + world + TRUTH + noise(&rng, 400);
        }
        struct paired paired = paired_compare(a, b, PAIRS);
        struct paired unpaired = unpaired_compare(a, PAIRS, b, PAIRS);
        covered_paired += paired.low <= TRUTH && TRUTH <= paired.high;
        covered_unpaired += unpaired.low <= TRUTH && TRUTH <= unpaired.high;
        width_paired += paired.high - paired.low;
        width_unpaired += unpaired.high - unpaired.low;
    }
    /* 95 % of 4,000 is 3,800 with a deviation of 14. Welch's interval on arms that in truth share
     * their noise is far too wide: that is what pairing saves. */
    assert_in_range(covered_paired, 3800 - 60, 3800 + 60);
    assert_true(covered_unpaired > 3950);
    assert_true(width_unpaired > 4 * width_paired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_the_tables),
        cmocka_unit_test(a_worked_example),
        cmocka_unit_test(an_arm_against_itself_is_exactly_zero),
        cmocka_unit_test(the_interval_covers_the_truth_19_times_in_20),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
