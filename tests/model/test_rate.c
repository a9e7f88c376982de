/* Rates: exact amounts over any cut of time, and the instants at which whole records are due. */
#include "model/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct rate_point constant[] = {{0, 900000}};
static const struct rate_point ramp[] = {{0, 0}, {SECONDS(100), 1000000}};
static const struct rate_point bursts[] = {{0, 100000}, {SECONDS(50), 2000000}};

static int64_t records(const struct scenario_rate *rate, sim_time at)
{
    return (int64_t)(rate_amount(rate, at) / RATE_RECORD);
}

static void amounts(void **state)
{
    (void)state;
    struct scenario_rate flat = {.points = constant, .point_count = 1};
    assert_int_equal(records(&flat, SECONDS(600)), 540000);
    struct scenario_rate rising = {.points = ramp, .point_count = 2, .linear = true};
    assert_int_equal(records(&rising, SECONDS(50)), 12500); /* 250/s on average */
    assert_int_equal(records(&rising, SECONDS(100)), 50000);
    assert_int_equal(records(&rising, SECONDS(110)), 60000); /* stays at its last point */
    struct scenario_rate waves = {.points = bursts, .point_count = 2, .period_ns = SECONDS(60)};
    assert_int_equal(records(&waves, SECONDS(60)), 5000 + 20000);
    assert_int_equal(records(&waves, SECONDS(180)), 75000);
    assert_int_equal(records(&waves, SECONDS(181)), 75100);
}

static void no_piece_of_time_is_lost_or_counted_twice(void **state)
{
    (void)state;
    struct scenario_rate waves = {.points = bursts, .point_count = 2, .period_ns = SECONDS(60)};
    int128 sum = 0;
    sim_time at = 0;
    for (int i = 1; at < SECONDS(300); i++) {
        sim_time next = at + (sim_time)i * 7919;
        sum += rate_amount(&waves, next) - rate_amount(&waves, at);
        at = next;
    }
    assert_true(sum == rate_amount(&waves, at));
}

static void instants(void **state)
{
    (void)state;
    struct scenario_rate flat = {.points = constant, .point_count = 1};
    sim_time third = rate_reaches(&flat, SECONDS(1), 3 * (int128)RATE_RECORD, SECONDS(9));
    assert_int_equal(third, SECONDS(1) + 3333334); /* 3 / 900 s, rounded up to a nanosecond */
    assert_true(rate_reaches(&flat, 0, 10 * (int128)RATE_RECORD, MILLISECONDS(11)) ==
                SIM_TIME_NEVER);
    struct scenario_rate waves = {.points = bursts, .point_count = 2, .period_ns = SECONDS(60)};
    assert_int_equal(rate_peak_milli(&waves), 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts),
        cmocka_unit_test(no_piece_of_time_is_lost_or_counted_twice),
        cmocka_unit_test(instants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
