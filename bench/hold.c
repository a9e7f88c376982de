/* The hold model: N pending events; each that leaves posts one at an exponentially distributed
 * distance. Mean distance N microseconds, so that time advances by 1 us per event whatever N is. */
#include "bench/bench.h"
#include "bench/floor.h"
#include "sim/sim.h"

#define WARM_UP  1000000u
#define MEASURED 4000000u

/* A rough exponential from a table-free recipe: enough to spread the events; the same for both. */
static int64_t distance(uint64_t number, uint64_t mean_ns)
{
    uint64_t random = bench_mix(number);
    uint64_t halvings = (uint64_t)__builtin_clzll(random | 1);
    uint64_t fraction = (random << halvings << 1) >> 44; /* 20 bits */
    return (int64_t)(mean_ns * ((halvings << 20) + (1u << 20) - fraction) >> 20) * 693 / 1000 + 1;
}

struct hold {
    struct sim *sim;
    entity_id entity;
    uint64_t mean_ns;
    uint64_t drawn;
    uint64_t check;
};

static void hold_handler(struct sim *sim, void *self, const struct sim_event *event)
{
    struct hold *hold = self;
    hold->check += (uint64_t)event->at;
    sim_post(sim, event->at + distance(hold->drawn++, hold->mean_ns), PHASE_INTERNAL, hold->entity,
             hold->entity, 1, 0, NULL);
}

static struct measure run_engine(uint64_t pending)
{
    struct hold hold = {.mean_ns = pending * 1000};
    hold.sim = sim_new(&(struct sim_options){.seed = 1});
    hold.entity = sim_add_entity(hold.sim, names_intern(sim_names(hold.sim), "hold"), PROCESS_NONE,
                                 hold_handler, &hold);
    for (uint64_t i = 0; i < pending; i++) {
        sim_post(hold.sim, distance(hold.drawn++, hold.mean_ns), PHASE_INTERNAL, hold.entity,
                 hold.entity, 1, 0, NULL);
    }
    sim_run_events(hold.sim, SIM_TIME_NEVER - 1, WARM_UP);
    uint64_t begin = bench_now_ns();
    uint64_t events = sim_run_events(hold.sim, SIM_TIME_NEVER - 1, MEASURED);
    uint64_t end = bench_now_ns();
    sim_free(hold.sim);
    return (struct measure){.events = events, .nanoseconds = end - begin, .check = hold.check};
}

static struct measure run_floor(uint64_t pending)
{
    static struct floor floor;
    floor_init(&floor, (uint32_t)pending + 1);
    uint64_t mean_ns = pending * 1000, drawn = 0, check = 0, begin = 0;
    for (uint64_t i = 0; i < pending; i++)
        floor_post(&floor, distance(drawn++, mean_ns), 1, 1, 0);
    for (uint64_t i = 0; i < WARM_UP + MEASURED; i++) {
        if (i == WARM_UP) begin = bench_now_ns();
        uint32_t index = floor_pop(&floor, INT64_MAX);
        int64_t at = floor.event[index].at;
        check += (uint64_t)at;
        floor_post(&floor, at + distance(drawn++, mean_ns), 1, 1, 0);
    }
    uint64_t end = bench_now_ns();
    floor_free(&floor);
    return (struct measure){.events = MEASURED, .nanoseconds = end - begin, .check = check};
}

struct measure hold_1e2_engine(void)
{
    return run_engine(100);
}

struct measure hold_1e2_floor(void)
{
    return run_floor(100);
}

struct measure hold_1e4_engine(void)
{
    return run_engine(10000);
}

struct measure hold_1e4_floor(void)
{
    return run_floor(10000);
}

struct measure hold_1e6_engine(void)
{
    return run_engine(1000000);
}

struct measure hold_1e6_floor(void)
{
    return run_floor(1000000);
}
