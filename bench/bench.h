/* bench/bench.h: what a workload is to build/bench.
 *
 * To add one: write its functions in a file of its own under bench/, declare them below and add a
 * line to the table in bench/main.c. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdint.h>

struct measure {
    uint64_t events;      /* executed between the two looks at the clock */
    uint64_t nanoseconds; /* CPU time of the process for them */
    uint64_t check; /* sum over what happened: engine and floor must agree; 0 = not comparable */
    uint64_t memory_bytes; /* of the world at its end; 0 = not told */
};

typedef struct measure bench_run(void);

struct workload {
    const char *name;
    const char *help;
    bench_run *engine;
    bench_run *floor; /* the same by hand, as bare as it can be; NULL = none */
    unsigned rounds;  /* engine and floor in turn; the median of each counts */
};

/* CPU time of this process. */
uint64_t bench_now_ns(void);

/* The same cheap numbers for engine and floor, so that both run the same workload. */
static inline uint64_t bench_mix(uint64_t word)
{
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

bench_run hold_1e2_engine, hold_1e2_floor;
bench_run hold_1e4_engine, hold_1e4_floor;
bench_run hold_1e6_engine, hold_1e6_floor;
bench_run heartbeats_engine, heartbeats_floor;
bench_run heartbeats_network;
bench_run coordinator_heartbeats, coordinator_rebalances, coordinator_load;
bench_run coordinator_consumer_heartbeats, coordinator_consumer_rebalances;
bench_run consumer_all_move, consumer_joins;
bench_run data_busy, data_more, data_busy_keyed, data_more_keyed, data_idle;
bench_run groups_hour, idle_hour, idle_hour_848, busy_hour, busy_hour_keyed;

#endif
