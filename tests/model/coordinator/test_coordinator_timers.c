#include "model/coordinator/timers.h"
#include "sim/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void never(struct coordinator *coordinator, struct coordinator_timer *timer, sim_time now)
{
    (void)coordinator;
    (void)timer;
    (void)now;
    fail();
}

struct bench {
    struct memory *memory;
    struct timers timers;
    struct coordinator_timer timer[64];
};

static void set_up(struct bench *bench)
{
    bench->memory = memory_new();
    timers_init(&bench->timers, bench->memory);
    for (int i = 0; i < 64; i++)
        coordinator_timer_init(&bench->timer[i], never, NULL);
}

static void tear_down(struct bench *bench)
{
    timers_release(&bench->timers);
    memory_free_all(bench->memory);
}

/* -1 when nothing is due. */
static int pop(struct bench *bench, sim_time until)
{
    sim_time at = 0;
    struct coordinator_timer *timer = timers_pop(&bench->timers, until, &at);
    if (timer == NULL) return -1;
    assert_false(coordinator_timer_is_armed(timer));
    return (int)(timer - bench->timer);
}

static void equal_deadlines_fire_in_the_order_armed(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    for (int i = 0; i < 3; i++)
        timers_arm(&bench.timers, &bench.timer[i], 100);
    timers_arm(&bench.timers, &bench.timer[0], 100); /* again: it is the last now */
    assert_int_equal(pop(&bench, 99), -1);
    assert_int_equal(pop(&bench, 100), 1);
    assert_int_equal(pop(&bench, 100), 2);
    assert_int_equal(pop(&bench, 100), 0);
    assert_int_equal(pop(&bench, SIM_TIME_NEVER - 1), -1);
    tear_down(&bench);
}

static void a_timer_armed_later_does_not_fire_early(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    timers_arm(&bench.timers, &bench.timer[0], 100);
    timers_arm(&bench.timers, &bench.timer[0], 300);
    assert_int_equal(timers_next_at(&bench.timers), 100); /* early is allowed, late is not */
    assert_int_equal(pop(&bench, 299), -1);
    assert_int_equal(timers_next_at(&bench.timers), 300);
    timers_arm(&bench.timers, &bench.timer[0], 200); /* and back */
    assert_int_equal(pop(&bench, 200), 0);
    tear_down(&bench);
}

static void a_cancelled_timer_is_gone(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    timers_arm(&bench.timers, &bench.timer[0], 100);
    timers_arm(&bench.timers, &bench.timer[1], 200);
    timers_cancel(&bench.timers, &bench.timer[0]);
    timers_cancel(&bench.timers, &bench.timer[0]);
    assert_int_equal(timers_next_at(&bench.timers), 200);
    timers_cancel_all(&bench.timers);
    assert_int_equal(timers_next_at(&bench.timers), SIM_TIME_NEVER);
    timers_arm(&bench.timers, &bench.timer[1], 50);
    assert_int_equal(pop(&bench, 50), 1);
    tear_down(&bench);
}

/* Against the plainest thing that can be right: look at all of them. */
static void random_arming_fires_as_a_list_would(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench);
    struct rng_key key = rng_key(7, 1, RNG_TEST);
    struct rng rng = rng_start(&key, 0);
    sim_time at[64];
    uint64_t armed[64], count = 0;
    for (int i = 0; i < 64; i++)
        at[i] = SIM_TIME_NEVER;
    sim_time now = 0;
    for (int step = 0; step < 20000; step++) {
        int i = (int)rng_next_below(&rng, 64);
        switch (rng_next_below(&rng, 4)) {
        case 0:
        case 1:
            at[i] = now + (sim_time)rng_next_below(&rng, 50);
            armed[i] = count++;
            timers_arm(&bench.timers, &bench.timer[i], at[i]);
            break;
        case 2:
            at[i] = SIM_TIME_NEVER;
            timers_cancel(&bench.timers, &bench.timer[i]);
            break;
        default: {
            now += (sim_time)rng_next_below(&rng, 10);
            int first = -1;
            for (int k = 0; k < 64; k++) {
                if (at[k] > now) continue;
                if (first < 0 || at[k] < at[first] ||
                    (at[k] == at[first] && armed[k] < armed[first]))
                    first = k;
            }
            assert_int_equal(pop(&bench, now), first);
            if (first >= 0) at[first] = SIM_TIME_NEVER;
            break;
        }
        }
    }
    tear_down(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_deadlines_fire_in_the_order_armed),
        cmocka_unit_test(a_timer_armed_later_does_not_fire_early),
        cmocka_unit_test(a_cancelled_timer_is_gone),
        cmocka_unit_test(random_arming_fires_as_a_list_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
