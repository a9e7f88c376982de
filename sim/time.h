/* sim/time.h: virtual time.
 *
 * Signed 64-bit nanoseconds since the start of the run: 292 years. Instants end in `_at`, durations
 * in `_ns`. Kafka's settings are milliseconds and keep their unit until the scenario is loaded. */
#ifndef SIM_TIME_H
#define SIM_TIME_H

#include <stdint.h>

typedef int64_t sim_time;

#define SIM_TIME_NEVER INT64_MAX

#define MICROSECONDS(n) ((sim_time)(n)*INT64_C(1000))
#define MILLISECONDS(n) ((sim_time)(n)*INT64_C(1000000))
#define SECONDS(n)      ((sim_time)(n)*INT64_C(1000000000))
#define MINUTES(n)      (SECONDS(n) * 60)
#define HOURS(n)        (MINUTES(n) * 60)
#define DAYS(n)         (HOURS(n) * 24)

#endif
