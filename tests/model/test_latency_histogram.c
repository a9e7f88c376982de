/* Latency histograms: error below 1 %, ranges equal to their single values. */
#include "model/latency_histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void quantiles_are_within_one_percent(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct latency_histogram *histogram = latency_histogram_new(memory);
    for (int64_t i = 1; i <= 100000; i++)
        latency_histogram_add(histogram, MICROSECONDS(i), 1);
    static const int32_t permilles[] = {500, 950, 990, 999, 1000};
    for (size_t i = 0; i < sizeof(permilles) / sizeof(permilles[0]); i++) {
        sim_time exact = MICROSECONDS((int64_t)permilles[i] * 100);
        sim_time found = latency_histogram_quantile(histogram, permilles[i]);
        assert_in_range(found, exact - exact / 100, exact + exact / 100);
    }
    assert_int_equal(latency_histogram_max(histogram), MICROSECONDS(100000));
    assert_int_equal(latency_histogram_count(histogram), 100000);
    memory_free_all(memory);
}

static void a_range_counts_as_its_values(void **state)
{
    (void)state;
    static const struct {
        sim_time first, last;
        int64_t count;
    } ranges[] = {
        {0, 0, 1},
        {MICROSECONDS(3), MICROSECONDS(3), 1000},
        {MILLISECONDS(1), MILLISECONDS(900), 12345},
        {SECONDS(40), MILLISECONDS(2), 30001}, /* falling: a backlog that drains */
        {5, SECONDS(100), 2},
        {MICROSECONDS(1), HOURS(3), 777},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        struct memory *memory = memory_new();
        struct latency_histogram *whole = latency_histogram_new(memory);
        struct latency_histogram *single = latency_histogram_new(memory);
        int64_t count = ranges[i].count;
        latency_histogram_add_range(whole, ranges[i].first, ranges[i].last, count);
        for (int64_t k = 0; k < count; k++) {
            sim_time step = count == 1 ? 0 : (ranges[i].last - ranges[i].first) / (count - 1);
            sim_time value =
                k == count - 1 && count > 1 ? ranges[i].last : ranges[i].first + step * k;
            latency_histogram_add(single, value, 1);
        }
        assert_int_equal(latency_histogram_count(whole), count);
        assert_int_equal(latency_histogram_max(whole), latency_histogram_max(single));
        for (int32_t permille = 0; permille <= 1000; permille += 10) {
            sim_time a = latency_histogram_quantile(whole, permille);
            sim_time b = latency_histogram_quantile(single, permille);
            sim_time tolerance = b / 64 + 2048; /* the next bucket, from rounding the step down */
            assert_in_range(a + tolerance, b, b + 2 * tolerance);
        }
        memory_free_all(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_within_one_percent),
        cmocka_unit_test(a_range_counts_as_its_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
