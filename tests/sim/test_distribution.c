/* Each distribution against its theory: Kolmogorov-Smirnov or chi-square with a fixed seed, and
 * moments. Floating point and libm are allowed here, and only here. */
#include "sim/check.h"
#include "sim/distribution.h"
#include "sim/fixed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DRAWS 200000

static struct rng_key key(uint64_t entity)
{
    return rng_key(42, entity, RNG_TEST);
}

typedef double cumulative(double x, double a, double b);

static double uniform_cumulative(double x, double low, double high)
{
    return (x - low) / (high - low);
}

static double exponential_cumulative(double x, double mean, double unused)
{
    (void)unused;
    return 1 - exp(-x / mean);
}

static double normal_cumulative(double x, double mean, double deviation)
{
    return 0.5 * erfc(-(x - mean) / deviation / sqrt(2));
}

static double lognormal_cumulative(double x, double median, double p99)
{
    double deviation = log(p99 / median) / 2.3263478740408408;
    return x <= 0 ? 0 : normal_cumulative(log(x), log(median), deviation);
}

static double pareto_cumulative(double x, double minimum, double alpha_milli)
{
    return x <= minimum ? 0 : 1 - pow(x / minimum, -alpha_milli / 1000);
}

/* Regularised lower incomplete gamma: the series, or Lentz's continued fraction of the rest. */
static double gamma_cumulative(double x, double mean, double shape_milli)
{
    double shape = shape_milli / 1000;
    x = x * shape / mean;
    if (x <= 0) return 0;
    double front = exp(shape * log(x) - x - lgamma(shape));
    if (x < shape + 1) {
        double term = 1 / shape, sum = term;
        for (int n = 1; n < 10000 && term > sum * 1e-16; n++) {
            term *= x / (shape + n);
            sum += term;
        }
        return front * sum;
    }
    double b = x + 1 - shape, c = 1e300, d = 1 / b, h = d;
    for (int n = 1; n < 10000; n++) {
        double a = -n * (n - shape);
        b += 2;
        d = 1 / (a * d + b);
        c = b + a / c;
        h *= c * d;
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return 1 - front * h;
}

static int by_value(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* Largest distance between the sample's and the theory's distribution, times sqrt(n). Beyond 1.95
 * it happens once in 1,000 seeds; ours is fixed, so the test does not flicker. */
static double kolmogorov(int64_t *sample, size_t count, cumulative *theory, double a, double b)
{
    qsort(sample, count, sizeof *sample, by_value);
    double distance = 0;
    for (size_t i = 0; i < count; i++) {
        double expected = theory((double)sample[i] + 0.5, a, b);
        distance = fmax(distance, fabs((double)(i + 1) / (double)count - expected));
        distance = fmax(distance, fabs((double)i / (double)count - expected));
    }
    return distance * sqrt((double)count);
}

static double mean_of(const int64_t *sample, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)sample[i];
    return sum / (double)count;
}

static void continuous_kinds_follow_their_theory(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum distribution_kind kind;
        int64_t a, b;
        cumulative *theory;
        double mean_tolerance; /* relative; 0 = the mean is too wild to be measured */
    } cases[] = {
        {"uniform", DISTRIBUTION_UNIFORM, 1000, 5000000, uniform_cumulative, 0.01},
        {"exponential", DISTRIBUTION_EXPONENTIAL, 1000000, 0, exponential_cumulative, 0.01},
        {"normal", DISTRIBUTION_NORMAL, 50000000, 7000000, normal_cumulative, 0.01},
        {"lognormal", DISTRIBUTION_LOGNORMAL, 400000, 3000000, lognormal_cumulative, 0.02},
        {"lognormal, wide", DISTRIBUTION_LOGNORMAL, 1000000, 900000000, lognormal_cumulative, 0},
        {"gamma 0.3", DISTRIBUTION_GAMMA, 1000000000, 300, gamma_cumulative, 0.02},
        {"gamma 1", DISTRIBUTION_GAMMA, 1000000, 1000, gamma_cumulative, 0.01},
        {"gamma 2.5", DISTRIBUTION_GAMMA, 1000000, 2500, gamma_cumulative, 0.01},
        {"gamma 40", DISTRIBUTION_GAMMA, 1000000, 40000, gamma_cumulative, 0.01},
        {"gamma 255", DISTRIBUTION_GAMMA, 1000000, 255000, gamma_cumulative, 0.01},
        {"gamma 300", DISTRIBUTION_GAMMA, 1000000, 300000, gamma_cumulative, 0.01},
        {"gamma 100000", DISTRIBUTION_GAMMA, 1000000000, 100000000, gamma_cumulative, 0.001},
        {"pareto 3", DISTRIBUTION_PARETO, 100000, 3000, pareto_cumulative, 0.02},
        {"pareto 1.1", DISTRIBUTION_PARETO, 100000, 1100, pareto_cumulative, 0},
    };
    static int64_t sample[DRAWS];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rng_key entity = key(i);
        struct distribution distribution = {.kind = cases[i].kind,
                                            .a = cases[i].a,
                                            .b = cases[i].b};
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            sample[draw] = distribution_draw(&distribution, &entity, draw);
        }
        struct distribution prepared = distribution;
        distribution_prepare(&prepared);
        assert_int_equal(distribution_draw(&prepared, &entity, 7), sample[7]);

        double mean = mean_of(sample, DRAWS);
        double distance = kolmogorov(sample, DRAWS, cases[i].theory, (double)distribution.a,
                                     (double)distribution.b);
        double stated = (double)distribution_mean(&distribution);
        print_message("%-16s sqrt(n) D = %.3f, mean / stated mean = %.4f\n", cases[i].name,
                      distance, mean / stated);
        assert_true(distance < 1.95);
        if (cases[i].mean_tolerance > 0) {
            assert_true(fabs(mean / stated - 1) < cases[i].mean_tolerance);
        }
    }
}

static void constant_is_constant(void **state)
{
    (void)state;
    struct rng_key entity = key(1);
    struct distribution constant = {.kind = DISTRIBUTION_CONSTANT, .a = 17};
    assert_int_equal(distribution_draw(&constant, &entity, 5), 17);
    assert_int_equal(distribution_draw_sum(&constant, &entity, 5, 1000), 17000);
    assert_int_equal(distribution_mean(&constant), 17);
}

static void normal_is_cut_at_zero(void **state)
{
    (void)state;
    struct rng_key entity = key(2);
    struct distribution normal = {.kind = DISTRIBUTION_NORMAL, .a = 10, .b = 1000};
    int zeros = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        int64_t value = distribution_draw(&normal, &entity, i);
        assert_true(value >= 0);
        zeros += value == 0;
    }
    assert_in_range(zeros, 4700, 5200);
}

/* One draw for many, distributed as the sum of as many. */
static void closed_sums_are_gammas(void **state)
{
    (void)state;
    static int64_t sample[50000];
    struct distribution exponential = {.kind = DISTRIBUTION_EXPONENTIAL, .a = 1000000};
    struct distribution gamma = {.kind = DISTRIBUTION_GAMMA, .a = 1000000, .b = 700};
    struct rng_key entity = key(3);
    assert_true(distribution_sum_is_closed(&exponential));
    assert_true(distribution_sum_is_closed(&gamma));
    for (uint64_t i = 0; i < ARRAY_LEN(sample); i++) {
        sample[i] = distribution_draw_sum(&exponential, &entity, i * 50, 50);
    }
    assert_true(kolmogorov(sample, ARRAY_LEN(sample), gamma_cumulative, 50e6, 50e3) < 1.95);
    for (uint64_t i = 0; i < ARRAY_LEN(sample); i++) {
        sample[i] = distribution_draw_sum(&gamma, &entity, i * 50, 50);
    }
    assert_true(kolmogorov(sample, ARRAY_LEN(sample), gamma_cumulative, 50e6, 35e3) < 1.95);
}

static void other_sums_are_sums_of_draws(void **state)
{
    (void)state;
    struct distribution uniform = {.kind = DISTRIBUTION_UNIFORM, .a = 10, .b = 20};
    struct rng_key entity = key(4);
    assert_false(distribution_sum_is_closed(&uniform));
    int64_t sum = 0;
    for (uint64_t i = 100; i < 200; i++)
        sum += distribution_draw(&uniform, &entity, i);
    assert_int_equal(distribution_draw_sum(&uniform, &entity, 100, 100), sum);
    assert_int_equal(distribution_draw_sum(&uniform, &entity, 100, 0), 0);
}

/* Sum over classes of (observed - expected)^2 / expected, as standard deviations above its mean. */
static double chi_square_excess(const uint64_t *observed, const double *expected, size_t classes)
{
    double sum = 0;
    for (size_t i = 0; i < classes; i++) {
        double difference = (double)observed[i] - expected[i];
        sum += difference * difference / expected[i];
    }
    double freedom = (double)classes - 1;
    return (sum - freedom) / sqrt(2 * freedom);
}

static void alias_table_gives_each_index_its_share(void **state)
{
    (void)state;
    static const uint64_t weights[] = {1, 2, 0, 1000, 333, 5, 64, UINT32_MAX / 1000000};
    struct memory *memory = memory_new();
    struct alias_table *table = alias_table_new(memory, weights, ARRAY_LEN(weights));
    uint64_t observed[ARRAY_LEN(weights)] = {0};
    double expected[ARRAY_LEN(weights)], total = 0;
    struct rng_key entity = key(5);
    for (uint64_t i = 0; i < 1000000; i++) {
        observed[alias_table_draw(table, rng_u64(&entity, i))]++;
    }
    assert_int_equal(observed[2], 0);
    for (size_t i = 0; i < ARRAY_LEN(weights); i++)
        total += (double)weights[i];
    for (size_t i = 0; i < ARRAY_LEN(weights); i++) {
        expected[i] = 1e6 * (double)weights[i] / total;
        double share = (double)alias_table_share_q48(table, i) / 281474976710656.0;
        assert_true(fabs(share * 1e6 - expected[i]) < 1e-3);
    }
    observed[2] = observed[7], expected[2] = expected[7]; /* an empty class has no chi-square */
    assert_true(chi_square_excess(observed, expected, ARRAY_LEN(weights) - 1) < 4);

    static const int64_t values[] = {10, 20, 30, 40, 50, 60, 70, 80};
    struct distribution empirical = {.kind = DISTRIBUTION_EMPIRICAL,
                                     .values = values,
                                     .table = table};
    double sum = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        sum += (double)distribution_draw(&empirical, &entity, i);
    }
    assert_true(fabs(sum / 1e5 - (double)distribution_mean(&empirical)) < 1);
    memory_free_all(memory);
}

static void huge_weights_do_not_overflow(void **state)
{
    (void)state;
    static const uint64_t weights[] = {UINT64_MAX, UINT64_MAX, UINT64_MAX / 2, 1};
    struct memory *memory = memory_new();
    struct alias_table *table = alias_table_new(memory, weights, ARRAY_LEN(weights));
    uint64_t observed[ARRAY_LEN(weights)] = {0};
    struct rng_key entity = key(6);
    for (uint64_t i = 0; i < 100000; i++) {
        observed[alias_table_draw(table, rng_u64(&entity, i))]++;
    }
    assert_in_range(observed[0], 39500, 40500);
    assert_in_range(observed[1], 39500, 40500);
    assert_in_range(observed[2], 19500, 20500);
    assert_int_equal(observed[3], 0);
    memory_free_all(memory);
}

static void zipf_weights_fall_by_the_power(void **state)
{
    (void)state;
    static uint64_t weights[100000];
    static const uint32_t exponents[] = {0, 500, 900, 1000, 1500, 2000};
    for (size_t e = 0; e < ARRAY_LEN(exponents); e++) {
        zipf_weights(weights, ARRAY_LEN(weights), exponents[e]);
        for (size_t k = 0; k < ARRAY_LEN(weights); k += 997) {
            double expected = 1099511627776.0 * pow((double)k + 1, -exponents[e] / 1000.0);
            assert_true(fabs((double)weights[k] - expected) <= 1 + expected * 1e-9);
        }
    }
}

static double poisson_log_probability(double count, double mean)
{
    return count * log(mean) - mean - lgamma(count + 1);
}

static double binomial_log_probability(double count, double trials, double p)
{
    return lgamma(trials + 1) - lgamma(count + 1) - lgamma(trials - count + 1) + count * log(p) +
           (trials - count) * log1p(-p);
}

/* Chi-square over the counts that are expected at least 20 times; the rest is pooled. */
static double counts_excess(const uint64_t *observed, size_t limit, uint64_t draws,
                            double (*log_probability)(double, double, double), double a, double b)
{
    static uint64_t seen[2000];
    static double expected[2000];
    size_t classes = 1;
    seen[0] = 0, expected[0] = 0;
    for (size_t count = 0; count < limit; count++) {
        double share = (double)draws * exp(log_probability((double)count, a, b));
        size_t class = share < 20 ? 0 : classes++;
        if (class != 0) seen[class] = 0, expected[class] = 0;
        seen[class] += observed[count];
        expected[class] += share;
    }
    if (expected[0] < 5) { /* too few for a class of their own */
        seen[classes - 1] += seen[0], expected[classes - 1] += expected[0];
        return chi_square_excess(seen + 1, expected + 1, classes - 1);
    }
    return chi_square_excess(seen, expected, classes);
}

static double poisson_log(double count, double mean, double unused)
{
    (void)unused;
    return poisson_log_probability(count, mean);
}

static void poisson_counts_follow_their_theory(void **state)
{
    (void)state;
    static const uint64_t means_micro[] = {50000,    1000000,  3700000,  15900000,
                                           16000000, 41500000, 700000000};
    for (size_t i = 0; i < ARRAY_LEN(means_micro); i++) {
        uint64_t observed[1500] = {0};
        struct rng_key entity = key(100 + i);
        double mean = (double)means_micro[i] / 1e6, sum = 0;
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            uint64_t count = poisson_draw(means_micro[i], &entity, draw);
            assert_true(count < ARRAY_LEN(observed));
            observed[count]++;
            sum += (double)count;
        }
        double excess = counts_excess(observed, ARRAY_LEN(observed), DRAWS, poisson_log, mean, 0);
        print_message("poisson %.2f: chi-square %+.2f deviations, mean %.4f\n", mean, excess,
                      sum / DRAWS);
        assert_true(excess < 4);
        assert_true(fabs(sum / DRAWS - mean) < 4 * sqrt(mean / DRAWS));
    }
    struct rng_key entity = key(99);
    assert_int_equal(poisson_draw(0, &entity, 1), 0);
    uint64_t many = poisson_draw(UINT64_C(1000000) * 1000000000, &entity, 1); /* 10^9 */
    assert_in_range(many, 1000000000 - 150000, 1000000000 + 150000);
}

static void binomial_counts_follow_their_theory(void **state)
{
    (void)state;
    static const struct {
        uint64_t count, numerator, denominator;
    } cases[] = {{1, 1, 3},    {20, 1, 2},  {33, 9, 10},
                 {100, 1, 50}, {900, 1, 3}, {1000000, 1, 20000}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t observed[1500] = {0};
        struct rng_key entity = key(200 + i);
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            uint64_t count = binomial_draw(cases[i].count, cases[i].numerator, cases[i].denominator,
                                           &entity, draw);
            assert_true(count <= cases[i].count && count < ARRAY_LEN(observed));
            observed[count]++;
        }
        size_t limit =
            cases[i].count < ARRAY_LEN(observed) ? cases[i].count + 1 : ARRAY_LEN(observed);
        double excess =
            counts_excess(observed, limit, DRAWS, binomial_log_probability, (double)cases[i].count,
                          (double)cases[i].numerator / (double)cases[i].denominator);
        print_message("binomial %llu: chi-square %+.2f deviations\n",
                      (unsigned long long)cases[i].count, excess);
        assert_true(excess < 4);
    }
    struct rng_key entity = key(98);
    assert_int_equal(binomial_draw(1000, 0, 7, &entity, 1), 0);
    assert_int_equal(binomial_draw(1000, 7, 7, &entity, 1), 1000);
    assert_int_equal(binomial_draw(0, 1, 2, &entity, 1), 0);
}

static void fixed_point_agrees_with_the_library(void **state)
{
    (void)state;
    struct rng_key entity = key(7);
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t value = rng_u64(&entity, i) >> (i % 64);
        if (value == 0) continue;
        double log2_value = (double)fixed_log2_q48(value) / 281474976710656.0;
        assert_true(fabs(log2_value - log2((double)value)) < 2e-11);
        double exponent = (double)(int64_t)(rng_u64(&entity, i) >> 1) / 9.3e18 * 60 - 30;
        int64_t scaled = fixed_scale(INT64_C(1) << 32, (int64_t)(exponent * 281474976710656.0));
        double expected = 4294967296.0 * exp2(exponent);
        if (expected > 4.6e18) expected = (double)FIXED_LARGEST;
        assert_true(fabs((double)scaled - expected) <= 1 + expected * 1e-10);
    }
    assert_int_equal(fixed_log2_q48(1), 0);
    assert_int_equal(fixed_log2_q48(UINT64_C(1) << 40), (int64_t)40 << 48);
    assert_int_equal(fixed_scale(5, 0), 5);
    assert_int_equal(fixed_scale(5, 3 * ONE_Q48), 40);
    assert_int_equal(fixed_scale(40, -3 * ONE_Q48), 5);
    assert_int_equal(fixed_scale(1, 100 * ONE_Q48), FIXED_LARGEST);
    assert_int_equal(fixed_scale(INT64_MAX, -100 * ONE_Q48), 0);
    assert_int_equal(fixed_scale(0, 100 * ONE_Q48), 0);
    /* Both ends of the normal, and the middle. */
    assert_true(fixed_normal_q28(UINT64_MAX) == 0 - fixed_normal_q28(INT64_MAX));
    assert_in_range((uint64_t)fixed_normal_q28(0), UINT64_C(6) << 28, UINT64_C(8) << 28);
}

/* Known answers: no compiler, library or machine may change a draw. */
static void draws_are_pinned(void **state)
{
    (void)state;
    static const struct {
        enum distribution_kind kind;
        int64_t a, b;
        int64_t expected[3];
    } pins[] = {
        {DISTRIBUTION_UNIFORM, 0, 999999, {114010, 708256, 76167}},
        {DISTRIBUTION_EXPONENTIAL, 1000000, 0, {2171467, 344948, 2574813}},
        {DISTRIBUTION_NORMAL, 1000000, 100000, {1120548, 918749, 1143132}},
        {DISTRIBUTION_LOGNORMAL, 400000, 3000000, {1136337, 197895, 1381840}},
        {DISTRIBUTION_GAMMA, 1000000, 700, {3018744, 111412, 3587792}},
        {DISTRIBUTION_GAMMA, 1000000, 2500, {1787830, 470901, 2012084}},
        {DISTRIBUTION_PARETO, 100000, 1500, {425308, 125855, 556525}},
    };
    struct rng_key entity = key(0);
    for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
        struct distribution distribution = {.kind = pins[i].kind, .a = pins[i].a, .b = pins[i].b};
        for (uint64_t draw = 0; draw < 3; draw++) {
            int64_t value = distribution_draw(&distribution, &entity, draw);
            assert_int_equal(value, pins[i].expected[draw]);
        }
    }
    assert_int_equal(poisson_draw(3700000, &entity, 1), 5);
    assert_int_equal(poisson_draw(41500000, &entity, 1), 44);
    assert_int_equal(binomial_draw(900, 1, 3, &entity, 1), 308);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_constant),
        cmocka_unit_test(continuous_kinds_follow_their_theory),
        cmocka_unit_test(normal_is_cut_at_zero),
        cmocka_unit_test(closed_sums_are_gammas),
        cmocka_unit_test(other_sums_are_sums_of_draws),
        cmocka_unit_test(alias_table_gives_each_index_its_share),
        cmocka_unit_test(huge_weights_do_not_overflow),
        cmocka_unit_test(zipf_weights_fall_by_the_power),
        cmocka_unit_test(poisson_counts_follow_their_theory),
        cmocka_unit_test(binomial_counts_follow_their_theory),
        cmocka_unit_test(fixed_point_agrees_with_the_library),
        cmocka_unit_test(draws_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
