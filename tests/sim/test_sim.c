/* The total order of events, phases, ties, and running to an instant. */
#include "sim/check.h"
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Writes down what it is given: "at.phase-less to<from#kind". */
struct diary {
    char text[4096];
};

static void write_down(struct sim *sim, void *self, const struct sim_event *event)
{
    struct diary *diary = self;
    size_t used = strlen(diary->text);
    snprintf(diary->text + used, sizeof diary->text - used, "%lld %s<%s #%u\n",
             (long long)event->at, names_text(sim_names(sim), sim_entity_name(sim, event->to)),
             names_text(sim_names(sim), sim_entity_name(sim, event->from)), (unsigned)event->kind);
}

struct world {
    struct sim *sim;
    struct diary diary;
    entity_id a, b, c;
};

static void world_open(struct world *world, enum tie_order tie_order, bool reference)
{
    memset(world, 0, sizeof *world);
    world->sim = sim_new(&(struct sim_options){
        .seed = 1, .tie_order = tie_order, .tie_seed = 3, .reference_queue = reference});
    struct names *names = sim_names(world->sim);
    world->a = sim_add_entity(world->sim, names_intern(names, "a"), PROCESS_NONE, write_down,
                              &world->diary);
    world->b = sim_add_entity(world->sim, names_intern(names, "b"), PROCESS_NONE, write_down,
                              &world->diary);
    world->c = sim_add_entity(world->sim, names_intern(names, "c"), PROCESS_NONE, write_down,
                              &world->diary);
}

static void post_ties(struct world *world)
{
    /* Posted in an order that is none of the ones asked for below. */
    sim_post(world->sim, 5, PHASE_MESSAGE, world->b, world->c, 1, 0, NULL);
    sim_post(world->sim, 5, PHASE_TIMER, world->a, world->a, 2, 0, NULL);
    sim_post(world->sim, 5, PHASE_MESSAGE, world->a, world->c, 3, 0, NULL);
    sim_post(world->sim, 5, PHASE_MESSAGE, world->c, world->b, 4, 0, NULL);
    sim_post(world->sim, 5, PHASE_MESSAGE, world->a, world->c, 5, 0, NULL);
    sim_post(world->sim, 5, PHASE_FAULT, world->c, world->c, 6, 0, NULL);
    sim_post(world->sim, 4, PHASE_SAMPLE, world->c, world->c, 7, 0, NULL);
}

static void order_is_at_phase_destination_source_sequence(void **state)
{
    (void)state;
    for (int reference = 0; reference < 2; reference++) {
        struct world world;
        world_open(&world, TIE_CANONICAL, reference != 0);
        post_ties(&world);
        assert_true(sim_run_until(world.sim, 4));
        assert_false(sim_run_until(world.sim, 100));
        assert_string_equal(world.diary.text, "4 c<c #7\n"
                                              "5 c<c #6\n"
                                              "5 b<c #4\n"
                                              "5 c<a #3\n"
                                              "5 c<a #5\n"
                                              "5 c<b #1\n"
                                              "5 a<a #2\n");
        assert_int_equal(sim_now(world.sim), 100);
        struct sim_statistics statistics = sim_statistics(world.sim);
        assert_int_equal(statistics.events, 7);
        assert_int_equal(statistics.ties, 1); /* b then c, both messages at 5 */
        assert_int_equal(statistics.pending, 0);
        assert_int_equal(statistics.pending_max, 7);
        sim_free(world.sim);
    }
}

static void reverse_turns_destination_and_source_but_not_phase_or_sequence(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, TIE_REVERSE, false);
    post_ties(&world);
    sim_run_until(world.sim, 100);
    assert_string_equal(world.diary.text, "4 c<c #7\n"
                                          "5 c<c #6\n"
                                          "5 c<b #1\n"
                                          "5 c<a #3\n"
                                          "5 c<a #5\n"
                                          "5 b<c #4\n"
                                          "5 a<a #2\n");
    sim_free(world.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_at_phase_destination_source_sequence),
        cmocka_unit_test(reverse_turns_destination_and_source_but_not_phase_or_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
