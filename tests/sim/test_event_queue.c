/* The wheel against the reference heap, on random worlds that use all of the engine: posts, timers
 * set, moved and cancelled, ties, freezes, deaths and restarts, connections and cuts. Same
 * fingerprint, or one of the two queues is wrong. The same worlds pin the fingerprint across
 * compilers. */
#include "sim/check.h"
#include "sim/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PROCESSES 6
#define ACTORS    18 /* three a process */
#define TIMERS    8  /* per actor */

enum { KIND_STEP = 1, KIND_TIMER = 2, KIND_FAULT = 3 };

struct actor {
    struct world *world;
    entity_id id;
    process_id process;
    struct sim_timer timer[TIMERS];
};

struct world {
    struct sim *sim;
    struct network *network;
    process_id process[PROCESSES];
    struct actor actor[ACTORS];
    entity_id nature;
    network_fault_id fault;
    struct rng_key key;
    uint64_t draws;
    sim_time grain; /* instants are multiples of this: large ones make ties */
    uint64_t handled;
    uint32_t in_hand; /* messages sent and neither delivered nor released */
    bool is_over;     /* nature rests */
};

static uint64_t below(struct world *world, uint64_t bound)
{
    return rng_below(&world->key, world->draws++, bound);
}

/* From now to beyond the wheel's third level, mostly near. */
static sim_time some_delay(struct world *world)
{
    uint64_t magnitude = below(world, 36);
    sim_time delay = (sim_time)below(world, UINT64_C(1) << magnitude);
    return (delay / world->grain + 1) * world->grain;
}

static void act_on_timers(struct world *world, struct actor *actor)
{
    for (int i = 0; i < 3; i++) {
        struct sim_timer *timer = &actor->timer[below(world, TIMERS)];
        if (below(world, 4) == 0) {
            sim_timer_cancel(world->sim, timer);
        } else {
            sim_timer_set(world->sim, timer, sim_now(world->sim) + some_delay(world));
        }
    }
}

static void act(struct sim *sim, void *self, const struct sim_event *event)
{
    struct actor *actor = self;
    struct world *world = actor->world;
    world->handled++;
    if (event->kind == NETWORK_MESSAGE) {
        assert_ptr_equal(event->pointer, world);
        world->in_hand--;
    }
    act_on_timers(world, actor);
    /* The population stays about the same. */
    uint64_t bound = sim_statistics(sim).pending < 500 ? 3 : 1;
    for (uint64_t posts = below(world, bound); posts > 0; posts--) {
        struct actor *to = &world->actor[below(world, ACTORS)];
        sim_post(sim, sim_now(sim) + some_delay(world), PHASE_INTERNAL, actor->id, to->id,
                 KIND_STEP, 0, NULL);
    }
}

static void act_and_talk(struct sim *sim, void *self, const struct sim_event *event)
{
    struct actor *actor = self;
    struct world *world = actor->world;
    act(sim, self, event);
    bool is_open = event->kind == NETWORK_OPENED || event->kind == NETWORK_MESSAGE;
    if (is_open && below(world, 3) > 0) {
        world->in_hand++;
        network_send(world->network, (connection_id)event->number, actor->id, world,
                     (int64_t)below(world, 10000));
        if (below(world, 6) == 0) {
            network_close(world->network, (connection_id)event->number, actor->id);
        }
    }
    if (event->kind == KIND_STEP && below(world, 8) == 0) {
        struct actor *peer = &world->actor[below(world, ACTORS)];
        if (peer != actor) network_connect(world->network, actor->id, peer->id);
    }
}

static void strike(struct sim *sim, void *self, const struct sim_event *event)
{
    struct world *world = self;
    (void)event;
    if (world->is_over) return;
    process_id process = world->process[below(world, PROCESSES)];
    process_id other = world->process[below(world, PROCESSES)];
    switch (below(world, 6)) {
    case 0: process_freeze(sim, process); break;
    case 1:
    case 2: process_thaw(sim, process); break;
    case 3:
        if (process_state(sim, process) != PROCESS_DEAD) {
            process_kill(sim, process);
        } else {
            process_start(sim, process);
            /* What it held has gone with the old incarnation: give it something to do. */
            for (int i = 0; i < ACTORS; i++) {
                if (world->actor[i].process != process) continue;
                sim_post(sim, sim_now(sim) + some_delay(world), PHASE_INTERNAL, world->nature,
                         world->actor[i].id, KIND_STEP, 0, NULL);
            }
        }
        break;
    case 4:
        if (world->fault != 0) {
            network_fault_remove(world->network, world->fault);
            world->fault = 0;
        } else if (process != other) {
            struct distribution extra = {.kind = DISTRIBUTION_UNIFORM, .b = 1000000};
            struct network_fault fault = {.cut = below(world, 2) == 0,
                                          .extra_latency_ns = &extra,
                                          .loss_ppm = 100000};
            world->fault = network_fault_add(world->network, process, other, &fault);
        }
        break;
    case 5:
        if (process != other) network_reset(world->network, process, other);
        break;
    }
    sim_post(sim, sim_now(sim) + MILLISECONDS(20) + some_delay(world), PHASE_FAULT, world->nature,
             world->nature, KIND_FAULT, 0, NULL);
}

static void release(void *context, void *message)
{
    struct world *world = context;
    assert_ptr_equal(message, world);
    world->in_hand--;
}

static void world_open(struct world *world, const struct sim_options *options, sim_time grain)
{
    memset(world, 0, sizeof *world);
    world->sim = sim_new(options);
    world->grain = grain;
    world->key = rng_key(options->seed, 77, RNG_TEST);
    world->network = network_new(world->sim, release, world);
    network_set_latency(world->network, &(struct distribution){.kind = DISTRIBUTION_LOGNORMAL,
                                                               .a = MICROSECONDS(400),
                                                               .b = MILLISECONDS(3)});
    network_set_bandwidth(world->network, 100000000);
    struct names *names = sim_names(world->sim);
    world->nature =
        sim_add_entity(world->sim, names_intern(names, "nature"), PROCESS_NONE, strike, world);
    for (int i = 0; i < PROCESSES; i++) {
        world->process[i] = process_add(world->sim, names_format(names, "process-%d", i),
                                        names_format(names, "host-%d", i / 2));
        process_start(world->sim, world->process[i]);
    }
    for (int i = 0; i < ACTORS; i++) {
        struct actor *actor = &world->actor[i];
        actor->world = world;
        actor->process = world->process[i % PROCESSES];
        actor->id = sim_add_entity(world->sim, names_format(names, "actor-%d", i), actor->process,
                                   act_and_talk, actor);
        for (int timer = 0; timer < TIMERS; timer++) {
            if (timer % 3 == 0) {
                sim_timer_init_running_time(&actor->timer[timer], actor->id, KIND_TIMER, 0);
            } else {
                sim_timer_init(&actor->timer[timer], actor->id, KIND_TIMER, 0);
            }
        }
        sim_post(world->sim, grain, PHASE_INTERNAL, world->nature, actor->id, KIND_STEP, 0, NULL);
    }
    sim_post(world->sim, grain, PHASE_FAULT, world->nature, world->nature, KIND_FAULT, 0, NULL);
}

/* Everybody dies: then every message must have been delivered or released. */
static void world_end(struct world *world)
{
    world->is_over = true;
    if (world->fault != 0) network_fault_remove(world->network, world->fault);
    for (int i = 0; i < PROCESSES; i++)
        process_kill(world->sim, world->process[i]);
    sim_run_until(world->sim, sim_now(world->sim) + HOURS(1));
    assert_int_equal(world->in_hand, 0);
    sim_free(world->sim);
}

static uint64_t run(struct sim_options options, sim_time grain, bool in_steps, uint64_t *events)
{
    static struct world world;
    world_open(&world, &options, grain);
    for (sim_time until = 0; in_steps && until <= SECONDS(3); until += MILLISECONDS(7)) {
        sim_run_until(world.sim, until);
    }
    sim_run_until(world.sim, SECONDS(3));
    *events = sim_statistics(world.sim).events;
    assert_true(*events >= world.handled);
    uint64_t full = trace_fingerprints(world.sim).full;
    world_end(&world);
    return full;
}

static void both_queues_give_the_same_order(void **state)
{
    (void)state;
    static const sim_time grains[] = {1, 1000, 1000000};
    static const enum tie_order orders[] = {TIE_CANONICAL, TIE_REVERSE, TIE_RANDOM};
    uint64_t total = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        for (size_t grain = 0; grain < ARRAY_LEN(grains); grain++) {
            for (size_t order = 0; order < ARRAY_LEN(orders); order++) {
                struct sim_options options = {.seed = seed,
                                              .tie_order = orders[order],
                                              .tie_seed = seed};
                uint64_t events[3];
                uint64_t wheel = run(options, grains[grain], false, &events[0]);
                uint64_t steps = run(options, grains[grain], true, &events[1]);
                options.reference_queue = true;
                uint64_t heap = run(options, grains[grain], false, &events[2]);
                if (wheel != heap || wheel != steps) {
                    fail_msg("seed %d, grain %d, order %d: fingerprints differ", (int)seed,
                             (int)grain, (int)order);
                }
                assert_int_equal(events[0], events[2]);
                total += events[0];
            }
        }
    }
    print_message("%llu events in each queue\n", (unsigned long long)total);
    assert_true(total > 5000);
}

/* The same value from gcc and clang, -O0 and -O3, on every machine. A change here is a change of
 * every stored run: it needs a reason and a new major version. */
static void fingerprints_are_pinned(void **state)
{
    (void)state;
    static const struct {
        enum tie_order tie_order;
        sim_time grain;
        uint64_t full;
    } pins[] = {
        {TIE_CANONICAL, 1, UINT64_C(0xc19096c2e306c396)},
        {TIE_CANONICAL, 1000000, UINT64_C(0x59d262b2cce5c709)},
        {TIE_REVERSE, 1000000, UINT64_C(0x9cf618d5441506cf)},
        {TIE_RANDOM, 1000000, UINT64_C(0x210bdce94543f159)},
    };
    for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
        uint64_t events;
        struct sim_options options = {.seed = 42, .tie_order = pins[i].tie_order, .tie_seed = 7};
        uint64_t full = run(options, pins[i].grain, false, &events);
        if (full != pins[i].full) {
            fail_msg("pin %d: 0x%016llx after %llu events", (int)i, (unsigned long long)full,
                     (unsigned long long)events);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_queues_give_the_same_order),
        cmocka_unit_test(fingerprints_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
