/* Running, frozen, dead: who gets what, and when. */
#include "sim/check.h"
#include "sim/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { KIND_MESSAGE = 1, KIND_TIMER, KIND_WORK, KIND_NOTE };

/* A process "p" with two threads, and nature, which belongs to no process. */
struct world {
    struct sim *sim;
    process_id process;
    entity_id first, second, nature;
    struct sim_timer timer; /* of the first thread */
    struct sim_timer work;  /* its running-time timer */
    bool cancels;           /* a message cancels the timer */
    char text[4096];
};

static void write_down(struct sim *sim, void *self, const struct sim_event *event)
{
    struct world *world = self;
    static const char *const kinds[] = {[KIND_MESSAGE] = "message",
                                        [KIND_TIMER] = "timer",
                                        [KIND_WORK] = "work",
                                        [KIND_NOTE] = "note"};
    size_t used = strlen(world->text);
    snprintf(world->text + used, sizeof world->text - used, "[%lld s] %s: %s %llu\n",
             (long long)(event->at / SECONDS(1)),
             names_text(sim_names(sim), sim_entity_name(sim, event->to)), kinds[event->kind],
             (unsigned long long)event->number);
    if (event->kind == KIND_MESSAGE && world->cancels) sim_timer_cancel(sim, &world->timer);
}

static void world_open(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->sim = sim_new(&(struct sim_options){.seed = 1});
    struct names *names = sim_names(world->sim);
    world->nature =
        sim_add_entity(world->sim, names_intern(names, "nature"), PROCESS_NONE, write_down, world);
    world->process = process_add(world->sim, names_intern(names, "p"), names_intern(names, "h"));
    world->first =
        sim_add_entity(world->sim, names_intern(names, "first"), world->process, write_down, world);
    world->second = sim_add_entity(world->sim, names_intern(names, "second"), world->process,
                                   write_down, world);
    sim_timer_init(&world->timer, world->first, KIND_TIMER, 0);
    sim_timer_init_running_time(&world->work, world->first, KIND_WORK, 0);
}

static void send(struct world *world, sim_time at, entity_id to, uint64_t number)
{
    sim_post(world->sim, at, PHASE_MESSAGE, world->nature, to, KIND_MESSAGE, number, NULL);
}

static void run(struct world *world, sim_time until)
{
    sim_run_until(world->sim, until);
}

static void expect(struct world *world, const char *text)
{
    assert_string_equal(world->text, text);
    world->text[0] = '\0';
}

static void starts_dead_and_counts_incarnations(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(process_state(world.sim, world.process), PROCESS_DEAD);
    assert_int_equal(process_incarnation(world.sim, world.process), 0);
    process_start(world.sim, world.process);
    assert_int_equal(process_state(world.sim, world.process), PROCESS_RUNNING);
    assert_int_equal(process_incarnation(world.sim, world.process), 1);
    process_kill(world.sim, world.process);
    process_kill(world.sim, world.process); /* nothing more happens */
    assert_int_equal(process_state(world.sim, world.process), PROCESS_DEAD);
    process_start(world.sim, world.process);
    assert_int_equal(process_incarnation(world.sim, world.process), 2);
    assert_string_equal(names_text(sim_names(world.sim), process_name(world.sim, world.process)),
                        "p");
    sim_free(world.sim);
}

static void frozen_gets_messages_before_timers_at_the_thaw(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.timer, SECONDS(2));
    send(&world, SECONDS(4), world.second, 1);
    send(&world, SECONDS(3), world.second, 2); /* earlier, so first */
    send(&world, SECONDS(4), world.first, 3); /* the same instant: the lower destination is first */
    sim_post(world.sim, SECONDS(1) + 1, PHASE_INTERNAL, world.first, world.second, KIND_NOTE, 4,
             NULL);
    run(&world, SECONDS(1));
    process_freeze(world.sim, world.process);
    assert_int_equal(process_state(world.sim, world.process), PROCESS_FROZEN);
    sim_post(world.sim, SECONDS(5), PHASE_TIMER, world.nature, world.nature, KIND_NOTE, 5, NULL);
    run(&world, SECONDS(10));
    expect(&world, "[5 s] nature: note 5\n");
    send(&world, SECONDS(10), world.second, 6); /* at the thaw itself: after what waited */
    send(&world, SECONDS(10), world.first, 7);
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(20));
    expect(&world, "[10 s] second: note 4\n"
                   "[10 s] second: message 2\n"
                   "[10 s] first: message 3\n"
                   "[10 s] second: message 1\n"
                   "[10 s] first: message 7\n"
                   "[10 s] second: message 6\n"
                   "[10 s] first: timer 0\n");
    sim_free(world.sim);
}

static void a_message_at_the_thaw_can_cancel_a_timer_that_was_due(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    world.cancels = true;
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.timer, SECONDS(2));
    send(&world, SECONDS(3), world.first, 1);
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(9));
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(20));
    expect(&world, "[9 s] first: message 1\n");
    sim_free(world.sim);
}

static void timers_of_a_frozen_process_can_be_moved_and_cancelled(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.timer, SECONDS(2));
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(3));
    sim_timer_set(world.sim, &world.timer, SECONDS(15)); /* was due, waits for the thaw */
    run(&world, SECONDS(4));
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(30));
    expect(&world, "[15 s] first: timer 0\n");
    sim_timer_set(world.sim, &world.timer, SECONDS(31));
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(32));
    sim_timer_cancel(world.sim, &world.timer);
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(40));
    expect(&world, "");
    sim_free(world.sim);
}

static void freezes_nest(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    send(&world, SECONDS(2), world.first, 1);
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(1));
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(3));
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(5));
    expect(&world, "");
    process_thaw(world.sim, world.process);
    process_thaw(world.sim, world.process); /* one too many: nothing happens */
    run(&world, SECONDS(6));
    expect(&world, "[5 s] first: message 1\n");
    sim_free(world.sim);
}

static void frozen_again_before_all_was_delivered(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    process_freeze(world.sim, world.process);
    send(&world, SECONDS(1), world.first, 1);
    send(&world, SECONDS(2), world.second, 2);
    run(&world, SECONDS(3));
    process_thaw(world.sim, world.process);
    process_freeze(world.sim, world.process); /* at the same instant */
    run(&world, SECONDS(4));
    expect(&world, "");
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(5));
    expect(&world, "[4 s] first: message 1\n"
                   "[4 s] second: message 2\n");
    sim_free(world.sim);
}

static void running_time_stands_still_while_frozen(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.work, SECONDS(10));
    run(&world, SECONDS(4)); /* six seconds of work are left */
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(7));
    process_thaw(world.sim, world.process); /* ends at 13 */
    run(&world, SECONDS(11));
    process_freeze(world.sim, world.process); /* two are left */
    run(&world, SECONDS(30));
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(31));
    expect(&world, "");
    run(&world, SECONDS(40));
    expect(&world, "[32 s] first: work 0\n");

    /* Set anew after a freeze, it counts from there; set while frozen, it waits for the thaw. */
    sim_timer_set(world.sim, &world.work, SECONDS(42));
    run(&world, SECONDS(50));
    expect(&world, "[42 s] first: work 0\n");
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(55));
    sim_timer_set(world.sim, &world.work, SECONDS(57)); /* two seconds of work */
    run(&world, SECONDS(60));
    process_thaw(world.sim, world.process);
    run(&world, SECONDS(70));
    expect(&world, "[62 s] first: work 0\n");
    sim_free(world.sim);
}

static void death_takes_timers_and_events_with_it(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.timer, SECONDS(5));
    send(&world, SECONDS(6), world.second, 1);
    run(&world, SECONDS(1));
    process_kill(world.sim, world.process);
    send(&world, SECONDS(2), world.first, 2); /* still dead then: dropped */
    send(&world, SECONDS(4), world.first, 3); /* for the next incarnation */
    run(&world, SECONDS(3));
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.timer, SECONDS(8)); /* its old event is gone: a new one */
    run(&world, SECONDS(20));
    expect(&world, "[4 s] first: message 3\n"
                   "[8 s] first: timer 0\n");
    sim_free(world.sim);
}

static void death_while_frozen_drops_what_waited(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_start(world.sim, world.process);
    sim_timer_set(world.sim, &world.timer, SECONDS(2));
    sim_timer_set(world.sim, &world.work, SECONDS(9));
    send(&world, SECONDS(2), world.first, 1);
    process_freeze(world.sim, world.process);
    run(&world, SECONDS(3));
    process_kill(world.sim, world.process);
    process_thaw(world.sim, world.process); /* the end of a freeze that the death has ended */
    process_start(world.sim, world.process);
    assert_int_equal(process_state(world.sim, world.process), PROCESS_RUNNING);
    sim_timer_set(world.sim, &world.work, SECONDS(10));
    run(&world, SECONDS(20));
    expect(&world, "[10 s] first: work 0\n");
    sim_free(world.sim);
}

static void work_is_stretched_by_the_slowdown(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(process_cpu_ns(world.sim, world.process, 1001), 1001);
    process_set_slowdown_milli(world.sim, world.process, 2500);
    assert_int_equal(process_cpu_ns(world.sim, world.process, 1001), 2502);
    assert_int_equal(process_cpu_ns(world.sim, world.process, DAYS(365) + 1),
                     DAYS(912) + HOURS(12) + 2);
    assert_int_equal(process_cpu_ns(world.sim, PROCESS_NONE, 1001), 1001);
    sim_free(world.sim);
}

static void clocks_are_offset_and_drift(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    assert_int_equal(process_clock(world.sim, world.process, SECONDS(5)), SECONDS(5));
    run(&world, SECONDS(10));
    process_set_clock(world.sim, world.process, -SECONDS(3), 100);
    assert_int_equal(process_clock(world.sim, world.process, SECONDS(10)), SECONDS(7));
    assert_int_equal(process_clock(world.sim, world.process, SECONDS(20)),
                     SECONDS(17) + MILLISECONDS(1));
    assert_int_equal(process_clock(world.sim, world.process, SECONDS(10) + DAYS(3650)),
                     SECONDS(7) + DAYS(3650) + SECONDS(31536));
    sim_free(world.sim);
}

static void a_host_dies_with_all_its_processes(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    struct names *names = sim_names(world.sim);
    name_id host = names_intern(names, "h");
    process_id neighbour = process_add(world.sim, names_intern(names, "q"), host);
    process_id elsewhere = process_add(world.sim, names_intern(names, "r"), NAME_NONE);
    process_start(world.sim, world.process);
    process_start(world.sim, neighbour);
    process_start(world.sim, elsewhere);
    assert_true(host_is_up(world.sim, host));
    host_kill(world.sim, host);
    assert_false(host_is_up(world.sim, host));
    assert_int_equal(process_state(world.sim, world.process), PROCESS_DEAD);
    assert_int_equal(process_state(world.sim, neighbour), PROCESS_DEAD);
    assert_int_equal(process_state(world.sim, elsewhere), PROCESS_RUNNING);
    process_start(world.sim, neighbour); /* brings the host up */
    assert_true(host_is_up(world.sim, host));
    assert_int_equal(process_state(world.sim, world.process), PROCESS_DEAD);
    sim_free(world.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_dead_and_counts_incarnations),
        cmocka_unit_test(frozen_gets_messages_before_timers_at_the_thaw),
        cmocka_unit_test(a_message_at_the_thaw_can_cancel_a_timer_that_was_due),
        cmocka_unit_test(timers_of_a_frozen_process_can_be_moved_and_cancelled),
        cmocka_unit_test(freezes_nest),
        cmocka_unit_test(frozen_again_before_all_was_delivered),
        cmocka_unit_test(running_time_stands_still_while_frozen),
        cmocka_unit_test(death_takes_timers_and_events_with_it),
        cmocka_unit_test(death_while_frozen_drops_what_waited),
        cmocka_unit_test(work_is_stretched_by_the_slowdown),
        cmocka_unit_test(clocks_are_offset_and_drift),
        cmocka_unit_test(a_host_dies_with_all_its_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
