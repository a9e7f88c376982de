/* Timers: set, moved, cancelled, and nothing left behind. */
#include "sim/check.h"
#include "sim/process.h"
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct owner {
    struct sim *sim;
    entity_id id;
    struct sim_timer timer;
    struct sim_timer *rearm; /* set again by the handler, this much later */
    sim_time rearm_ns;
    char text[1024];
};

static void on_timer(struct sim *sim, void *self, const struct sim_event *event)
{
    struct owner *owner = self;
    size_t used = strlen(owner->text);
    snprintf(owner->text + used, sizeof owner->text - used, "%lld#%u.%llu ", (long long)event->at,
             (unsigned)event->kind, (unsigned long long)event->number);
    if (owner->rearm != NULL) {
        assert_false(sim_timer_is_set(owner->rearm)); /* it has fired: not set any more */
        sim_timer_set(sim, owner->rearm, event->at + owner->rearm_ns);
    }
}

static void owner_open(struct owner *owner, bool reference)
{
    memset(owner, 0, sizeof *owner);
    owner->sim = sim_new(&(struct sim_options){.reference_queue = reference});
    owner->id = sim_add_entity(owner->sim, names_intern(sim_names(owner->sim), "owner"),
                               PROCESS_NONE, on_timer, owner);
    sim_timer_init(&owner->timer, owner->id, 7, 42);
}

static void expect(struct owner *owner, sim_time until, const char *text)
{
    sim_run_until(owner->sim, until);
    assert_string_equal(owner->text, text);
    owner->text[0] = '\0';
}

static void fires_once_with_kind_and_number(void **state)
{
    (void)state;
    struct owner owner;
    owner_open(&owner, false);
    assert_false(sim_timer_is_set(&owner.timer));
    assert_true(sim_timer_at(&owner.timer) == SIM_TIME_NEVER);
    sim_timer_set(owner.sim, &owner.timer, 100);
    assert_true(sim_timer_is_set(&owner.timer));
    assert_int_equal(sim_timer_at(&owner.timer), 100);
    expect(&owner, 99, "");
    expect(&owner, 1000, "100#7.42 ");
    assert_false(sim_timer_is_set(&owner.timer));
    expect(&owner, 2000, "");
    sim_free(owner.sim);
}

/* Within the heap (nanoseconds), within a slot, and across levels of the wheel. */
static void moves_to_the_last_instant_it_was_set_to(void **state)
{
    (void)state;
    static const sim_time instants[][4] = {
        {10, 20, 15, 12},
        {MILLISECONDS(1), MILLISECONDS(1) + 1, MILLISECONDS(1) + 500, MILLISECONDS(1) + 3},
        {SECONDS(45), SECONDS(48), SECONDS(90), SECONDS(91)},
        {DAYS(30), SECONDS(1), DAYS(300), HOURS(1)},
        {5, DAYS(3650), 7, DAYS(2)},
    };
    for (size_t i = 0; i < ARRAY_LEN(instants); i++) {
        for (int reference = 0; reference < 2; reference++) {
            struct owner owner;
            owner_open(&owner, reference != 0);
            for (int k = 0; k < 4; k++) {
                sim_timer_set(owner.sim, &owner.timer, instants[i][k]);
                assert_int_equal(sim_statistics(owner.sim).pending, 1);
            }
            char expected[64];
            snprintf(expected, sizeof expected, "%lld#7.42 ", (long long)instants[i][3]);
            expect(&owner, DAYS(10000), expected);
            sim_free(owner.sim);
        }
    }
}

static void cancelled_timers_do_not_fire(void **state)
{
    (void)state;
    struct owner owner;
    owner_open(&owner, false);
    sim_timer_cancel(owner.sim, &owner.timer); /* not set: nothing happens */
    sim_timer_set(owner.sim, &owner.timer, 100);
    sim_timer_cancel(owner.sim, &owner.timer);
    assert_false(sim_timer_is_set(&owner.timer));
    assert_int_equal(sim_statistics(owner.sim).pending, 0);
    sim_timer_set(owner.sim, &owner.timer, SECONDS(7));
    sim_timer_set(owner.sim, &owner.timer, SIM_TIME_NEVER); /* the same as cancelling */
    assert_false(sim_timer_is_set(&owner.timer));
    assert_false(sim_run_until(owner.sim, DAYS(1)));
    expect(&owner, DAYS(2), "");
    sim_free(owner.sim);
}

static void a_handler_may_set_its_timer_again(void **state)
{
    (void)state;
    struct owner owner;
    owner_open(&owner, false);
    owner.rearm = &owner.timer;
    owner.rearm_ns = SECONDS(3);
    sim_timer_set(owner.sim, &owner.timer, SECONDS(1));
    expect(&owner, SECONDS(8), "1000000000#7.42 4000000000#7.42 7000000000#7.42 ");
    sim_free(owner.sim);
}

static void a_deadline_in_the_past_is_due_now(void **state)
{
    (void)state;
    struct owner owner;
    owner_open(&owner, false);
    sim_run_until(owner.sim, 500);
    sim_timer_set(owner.sim, &owner.timer, 100);
    expect(&owner, 500, "500#7.42 ");
    sim_free(owner.sim);
}

/* A session timer that each heartbeat moves, and request timers that are cancelled before they
 * fire: after two days of them as much memory as after hours. */
static void beat(struct sim *sim, void *self, const struct sim_event *event)
{
    struct owner *owner = self;
    struct sim_timer request[20];
    for (size_t i = 0; i < ARRAY_LEN(request); i++) {
        sim_timer_init(&request[i], owner->id, 2, i);
        sim_timer_set(sim, &request[i], event->at + SECONDS(30) + (sim_time)i * SECONDS(100));
    }
    sim_timer_set(sim, &owner->timer, event->at + SECONDS(45));
    for (size_t i = 0; i < ARRAY_LEN(request); i++)
        sim_timer_cancel(sim, &request[i]);
    sim_post(sim, event->at + MILLISECONDS(100), PHASE_INTERNAL, owner->id, owner->id, 1, 0, NULL);
}

static void memory_is_flat_in_virtual_time(void **state)
{
    (void)state;
    struct owner owner;
    memset(&owner, 0, sizeof owner);
    owner.sim = sim_new(&(struct sim_options){.seed = 1});
    owner.id = sim_add_entity(owner.sim, names_intern(sim_names(owner.sim), "owner"), PROCESS_NONE,
                              beat, &owner);
    sim_timer_init(&owner.timer, owner.id, 3, 0);
    sim_post(owner.sim, 0, PHASE_INTERNAL, owner.id, owner.id, 1, 0, NULL);
    /* Settled when each slot of the wheel has been in use as often as it takes. */
    sim_run_until(owner.sim, MINUTES(1));
    uint64_t early = memory_footprint_bytes(sim_memory(owner.sim));
    sim_run_until(owner.sim, HOURS(5));
    uint64_t settled = memory_footprint_bytes(sim_memory(owner.sim));
    sim_run_until(owner.sim, HOURS(48));
    assert_true(settled <= early + 1024 * 1024);
    assert_int_equal(memory_footprint_bytes(sim_memory(owner.sim)), settled);
    assert_int_equal(sim_statistics(owner.sim).pending, 2);
    assert_in_range(sim_statistics(owner.sim).pending_max, 2, 25);
    sim_free(owner.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_once_with_kind_and_number),
        cmocka_unit_test(moves_to_the_last_instant_it_was_set_to),
        cmocka_unit_test(cancelled_timers_do_not_fire),
        cmocka_unit_test(a_handler_may_set_its_timer_again),
        cmocka_unit_test(a_deadline_in_the_past_is_due_now),
        cmocka_unit_test(memory_is_flat_in_virtual_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
