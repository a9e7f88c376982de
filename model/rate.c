#include "model/rate.h"

#include "sim/check.h"

/* Amount from 0 to `at`, not looking at the period. */
static int128 amount_in_first_period(const struct scenario_rate *rate, sim_time at)
{
    int128 amount = 0;
    for (int32_t i = 0; i < rate->point_count; i++) {
        const struct rate_point *point = &rate->points[i];
        if (point->at >= at) break;
        const struct rate_point *next = i + 1 < rate->point_count ? point + 1 : NULL;
        sim_time end = next != NULL && next->at < at ? next->at : at;
        sim_time length = end - point->at;
        amount += (int128)point->per_second_milli * length;
        if (!rate->linear || next == NULL || next->at == point->at) continue;
        /* The area of the triangle on top (or below): slope × length² / 2, rounded toward zero. */
        int128 rise = next->per_second_milli - point->per_second_milli;
        amount += rise * length * length / (2 * (int128)(next->at - point->at));
    }
    return amount;
}

int128 rate_amount(const struct scenario_rate *rate, sim_time at)
{
    CHECK(at >= 0);
    if (rate->period_ns <= 0) return amount_in_first_period(rate, at);
    int128 periods = at / rate->period_ns;
    int128 whole = periods == 0 ? 0 : amount_in_first_period(rate, rate->period_ns);
    return periods * whole + amount_in_first_period(rate, at % rate->period_ns);
}

sim_time rate_reaches(const struct scenario_rate *rate, sim_time from, int128 amount,
                      sim_time until)
{
    int128 wanted = rate_amount(rate, from) + amount;
    if (until < from || rate_amount(rate, until) < wanted) return SIM_TIME_NEVER;
    sim_time low = from;
    sim_time high = until;
    while (low < high) {
        sim_time middle = low + (high - low) / 2;
        if (rate_amount(rate, middle) >= wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

int64_t rate_peak_milli(const struct scenario_rate *rate)
{
    int64_t peak = 0;
    for (int32_t i = 0; i < rate->point_count; i++) {
        if (rate->points[i].per_second_milli > peak) peak = rate->points[i].per_second_milli;
    }
    return peak;
}
