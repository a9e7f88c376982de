/* model/rate.h: how many records a rate brings between two instants, exactly.
 *
 * Amounts are counted in RATE_RECORD-ths of a record (milli-records per second × nanoseconds), so
 * the sum over any cut of time into pieces is the amount over the whole. */
#ifndef MODEL_RATE_H
#define MODEL_RATE_H

#include "model/scenario.h"
#include "sim/wide.h"

#define RATE_RECORD INT64_C(1000000000000)

/* From the start of the run to `at` >= 0. Never decreases. */
int128 rate_amount(const struct scenario_rate *rate, sim_time at);
/* The first instant at or after `from` by which rate_amount has grown by `amount` since `from`;
 * SIM_TIME_NEVER if that is after `until`. */
sim_time rate_reaches(const struct scenario_rate *rate, sim_time from, int128 amount,
                      sim_time until);
/* The highest rate of all points, in milli-records per second. */
int64_t rate_peak_milli(const struct scenario_rate *rate);

#endif
