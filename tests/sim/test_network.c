/* Connections as stories: what each end hears, and when. */
#include "sim/check.h"
#include "sim/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LATENCY MILLISECONDS(1)

/* A client "c" on host "h1" and a server "s" on host "h2", a millisecond apart. */
struct world {
    struct sim *sim;
    struct network *network;
    process_id client_process, server_process;
    entity_id client, server;
    connection_id accepted; /* as the server last heard */
    int released;
    char text[8192];
};

static void count_release(void *context, void *message)
{
    struct world *world = context;
    (void)message;
    world->released++;
}

static void listen(struct sim *sim, void *self, const struct sim_event *event)
{
    struct world *world = self;
    static const char *const names[] = {"opened", "accepted", "refused", "message", "closed"};
    const char *what =
        event->kind >= NETWORK_OPENED ? names[event->kind - NETWORK_OPENED] : "timer";
    size_t used = strlen(world->text);
    snprintf(world->text + used, sizeof world->text - used, "[%lld.%03lld] %s: %s%s%s\n",
             (long long)(event->at / SECONDS(1)), (long long)(event->at / MILLISECONDS(1) % 1000),
             names_text(sim_names(sim), sim_entity_name(sim, event->to)), what,
             event->kind == NETWORK_MESSAGE ? " " : "",
             event->kind == NETWORK_MESSAGE ? (const char *)event->pointer : "");
    if (event->kind == NETWORK_ACCEPTED) world->accepted = (connection_id)event->number;
}

static void world_open(struct world *world)
{
    memset(world, 0, sizeof *world);
    world->sim = sim_new(&(struct sim_options){.seed = 1});
    struct names *names = sim_names(world->sim);
    world->network = network_new(world->sim, count_release, world);
    network_set_latency(world->network, &(struct distribution){.a = LATENCY});
    world->client_process =
        process_add(world->sim, names_intern(names, "client"), names_intern(names, "h1"));
    world->server_process =
        process_add(world->sim, names_intern(names, "server"), names_intern(names, "h2"));
    world->client =
        sim_add_entity(world->sim, names_intern(names, "c"), world->client_process, listen, world);
    world->server =
        sim_add_entity(world->sim, names_intern(names, "s"), world->server_process, listen, world);
    process_start(world->sim, world->client_process);
    process_start(world->sim, world->server_process);
}

static connection_id open_connection(struct world *world)
{
    connection_id connection = network_connect(world->network, world->client, world->server);
    sim_run_until(world->sim, sim_now(world->sim) + 2 * LATENCY);
    world->text[0] = '\0';
    return connection;
}

static void say(struct world *world, connection_id connection, entity_id from, const char *text)
{
    static char messages[256][8];
    static unsigned next;
    char *message = messages[next++ % ARRAY_LEN(messages)];
    snprintf(message, sizeof messages[0], "%s", text);
    network_send(world->network, connection, from, message, 100);
}

static network_fault_id cut(struct world *world, process_id from, process_id to)
{
    return network_fault_add(world->network, from, to, &(struct network_fault){.cut = true});
}

static void expect(struct world *world, const char *text)
{
    assert_string_equal(world->text, text);
    world->text[0] = '\0';
}

static void handshake_takes_a_round_trip(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = network_connect(world.network, world.client, world.server);
    say(&world, connection, world.client, "early"); /* follows the handshake */
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.001] s: accepted\n"
                   "[0.001] s: message early\n"
                   "[0.002] c: opened\n");
    assert_true(network_is_open(world.network, connection));
    assert_int_equal(network_peer(world.network, connection, world.client), world.server);
    sim_free(world.sim);
}

static void messages_then_close_arrive_in_order(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    say(&world, connection, world.client, "1");
    say(&world, connection, world.client, "2");
    network_close(world.network, connection, world.client);
    say(&world, connection, world.client, "late");
    assert_int_equal(world.released, 1);
    say(&world, connection, world.server, "lost"); /* arrives at a closed end */
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.003] s: message 1\n"
                   "[0.003] s: message 2\n"
                   "[0.003] s: closed\n");
    assert_int_equal(world.released, 2);
    assert_false(network_is_open(world.network, connection));
    sim_free(world.sim);
}

static void cut_link_delivers_after_the_next_retransmission(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    say(&world, connection, world.client, "flying"); /* at 0.002, arrives in the cut */
    network_fault_id fault = cut(&world, world.client_process, world.server_process);
    say(&world, connection, world.client, "cut");
    say(&world, connection, world.server, "back"); /* the other way is open */
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.003] c: message back\n");
    /* Tries at 0.2, 0.6 and 1.4 s after the loss at 0.002 or 0.003. */
    network_fault_remove(world.network, fault);
    say(&world, connection, world.client, "after");
    sim_run_until(world.sim, SECONDS(10));
    expect(&world, "[1.403] s: message flying\n"
                   "[1.403] s: message cut\n"
                   "[1.403] s: message after\n");
    sim_free(world.sim);
}

static void a_cut_one_way_stops_one_way(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    cut(&world, world.server_process, world.client_process);
    say(&world, connection, world.client, "there");
    say(&world, connection, world.server, "back");
    sim_run_until(world.sim, SECONDS(100));
    expect(&world, "[0.003] s: message there\n");
    assert_true(network_end_is_open(world.network, connection, world.client)); /* nobody knows */
    sim_free(world.sim);
}

static void faults_add_up_and_each_is_removed_by_its_id(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    network_fault_id first = cut(&world, world.client_process, world.server_process);
    network_fault_id second = cut(&world, world.client_process, world.server_process);
    struct distribution extra = {.a = MILLISECONDS(50)};
    network_fault_id slow =
        network_fault_add(world.network, world.client_process, world.server_process,
                          &(struct network_fault){.extra_latency_ns = &extra});
    say(&world, connection, world.client, "1");
    sim_run_until(world.sim, MILLISECONDS(100));
    network_fault_remove(world.network, first);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, ""); /* the second still cuts */
    network_fault_remove(world.network, second);
    sim_run_until(world.sim, SECONDS(10)); /* tries at 0.202, 0.602, 1.402 */
    expect(&world, "[1.453] s: message 1\n");
    network_fault_remove(world.network, slow);
    say(&world, connection, world.client, "2");
    sim_run_until(world.sim, SECONDS(11));
    expect(&world, "[10.001] s: message 2\n");
    sim_free(world.sim);
}

/* The cut is over before the second message arrives, which waits for the first to be sent again. */
static void what_was_not_cut_waits_for_what_was(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    say(&world, connection, world.client, "cut"); /* arrives at 3 ms */
    sim_run_until(world.sim, MICROSECONDS(2500));
    say(&world, connection, world.client, "whole"); /* arrives at 3.5 ms */
    network_close(world.network, connection, world.client);
    network_fault_id fault = cut(&world, world.client_process, world.server_process);
    sim_run_until(world.sim, MICROSECONDS(3200));
    network_fault_remove(world.network, fault);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.204] s: message cut\n"
                   "[0.204] s: message whole\n"
                   "[0.204] s: closed\n");
    sim_free(world.sim);
}

static void messages_do_not_overtake_each_other(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    network_set_latency(world.network, &(struct distribution){.kind = DISTRIBUTION_EXPONENTIAL,
                                                              .a = MILLISECONDS(1)});
    connection_id connection = network_connect(world.network, world.client, world.server);
    for (int i = 0; i < 200; i++) {
        char text[8];
        snprintf(text, sizeof text, "%d", i);
        say(&world, connection, world.client, text);
        sim_run_until(world.sim, sim_now(world.sim) + MILLISECONDS(20) / (1 + i));
    }
    sim_run_until(world.sim, SECONDS(10));
    const char *place = world.text;
    for (int i = 0; i < 200; i++) {
        char text[32];
        snprintf(text, sizeof text, "message %d\n", i);
        place = strstr(place, text);
        assert_non_null(place);
    }
    sim_free(world.sim);
}

/* Loss is seen as delay, and never as disorder. */
static void loss_delays_by_retransmission_timeouts(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    network_fault_add(world.network, world.client_process, world.server_process,
                      &(struct network_fault){.loss_ppm = 300000});
    int late = 0;
    char expected[8] = "";
    for (int i = 0; i < 300; i++) {
        sim_time sent_at = sim_now(world.sim);
        snprintf(expected, sizeof expected, "%d", i);
        say(&world, connection, world.client, expected);
        sim_run_events(world.sim, SIM_TIME_NEVER - 1, 1);
        sim_time delay = sim_now(world.sim) - sent_at;
        assert_true(delay == LATENCY || delay == LATENCY + MILLISECONDS(200) ||
                    delay == LATENCY + MILLISECONDS(600) || delay >= LATENCY + MILLISECONDS(1400));
        late += delay > LATENCY;
        assert_non_null(strstr(world.text, expected));
        world.text[0] = '\0';
    }
    assert_in_range(late, 70, 110);
    sim_free(world.sim);
}

static void bandwidth_is_shared_by_the_messages_of_a_direction(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    network_set_bandwidth(world.network, 1000); /* 100 bytes take 100 ms */
    connection_id connection = open_connection(&world);
    say(&world, connection, world.client, "1");
    say(&world, connection, world.client, "2");
    say(&world, connection, world.server, "back");
    sim_run_until(world.sim, SECONDS(1));
    say(&world, connection, world.client, "3");
    sim_run_until(world.sim, SECONDS(2));
    expect(&world, "[0.103] c: message back\n"
                   "[0.103] s: message 1\n"
                   "[0.203] s: message 2\n"
                   "[1.101] s: message 3\n");
    sim_free(world.sim);
}

static void a_dead_process_refuses(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_kill(world.sim, world.server_process);
    connection_id connection = network_connect(world.network, world.client, world.server);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.002] c: refused\n");
    assert_false(network_is_open(world.network, connection));
    sim_free(world.sim);
}

static void a_connection_under_way_reaches_the_next_incarnation(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    network_connect(world.network, world.client, world.server);
    process_kill(world.sim, world.server_process);
    process_start(world.sim, world.server_process);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.001] s: accepted\n"
                   "[0.002] c: opened\n");
    sim_free(world.sim);
}

/* The kernel of the dead process closes: what it had sent arrives, then the end. */
static void the_peer_of_a_killed_process_is_told(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    say(&world, connection, world.server, "last");
    say(&world, connection, world.client, "vain"); /* arrives at a dead process */
    process_kill(world.sim, world.server_process);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.003] c: message last\n"
                   "[0.003] c: closed\n");
    assert_int_equal(world.released, 1);
    sim_free(world.sim);
}

static void nobody_is_told_of_a_dead_host(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    host_kill(world.sim, names_find(sim_names(world.sim), "h2"));
    say(&world, connection, world.client, "hello?");
    connection_id second = network_connect(world.network, world.client, world.server);
    sim_run_until(world.sim, SECONDS(20));
    expect(&world, "");
    assert_true(network_end_is_open(world.network, connection, world.client));
    /* The host boots. The next try of the old connection is answered by a reset, the next attempt
     * of the new one by a refusal, for the process is not up: tries at 0.003 + 25.4 and 0.003 + 31.
     */
    host_start(world.sim, names_find(sim_names(world.sim), "h2"));
    sim_run_until(world.sim, SECONDS(100));
    expect(&world, "[25.405] c: closed\n"
                   "[31.005] c: refused\n");
    assert_int_equal(world.released, 1);
    assert_false(network_is_open(world.network, second));
    sim_free(world.sim);
}

static void a_survivor_may_close_what_a_dead_host_left_open(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    host_kill(world.sim, names_find(sim_names(world.sim), "h2"));
    say(&world, connection, world.client, "hello?");
    sim_run_until(world.sim, SECONDS(30)); /* a request timeout */
    network_close(world.network, connection, world.client);
    assert_int_equal(world.released, 1);
    assert_int_equal(network_peer(world.network, connection, world.client), world.server);
    process_start(world.sim, world.server_process);
    sim_run_until(world.sim, SECONDS(1000));
    expect(&world, "");
    sim_free(world.sim);
}

/* The kernel completes the handshake and takes the bytes; the process reads them at the thaw. */
static void a_frozen_process_reads_at_the_thaw(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    process_freeze(world.sim, world.server_process);
    connection_id connection = network_connect(world.network, world.client, world.server);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.002] c: opened\n");
    say(&world, connection, world.client, "1");
    say(&world, connection, world.client, "2");
    network_close(world.network, connection, world.client);
    sim_run_until(world.sim, SECONDS(5));
    expect(&world, "");
    process_thaw(world.sim, world.server_process);
    sim_run_until(world.sim, SECONDS(6));
    expect(&world, "[5.000] s: accepted\n"
                   "[5.000] s: message 1\n"
                   "[5.000] s: message 2\n"
                   "[5.000] s: closed\n");
    sim_free(world.sim);
}

static void death_of_a_frozen_process_releases_what_it_had_not_read(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    process_freeze(world.sim, world.server_process);
    say(&world, connection, world.client, "1");
    say(&world, connection, world.client, "2");
    sim_run_until(world.sim, SECONDS(5));
    process_kill(world.sim, world.server_process);
    assert_int_equal(world.released, 2);
    sim_run_until(world.sim, SECONDS(6));
    expect(&world, "[5.001] c: closed\n");
    sim_free(world.sim);
}

static void a_reset_closes_both_ends_and_loses_what_was_under_way(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    connection_id connection = open_connection(&world);
    say(&world, connection, world.client, "lost");
    network_reset(world.network, world.server_process, world.client_process);
    sim_run_until(world.sim, SECONDS(1));
    expect(&world, "[0.002] c: closed\n"
                   "[0.002] s: closed\n");
    assert_int_equal(world.released, 1);
    say(&world, connection, world.client, "late");
    assert_int_equal(world.released, 2);
    sim_free(world.sim);
}

static void a_connect_over_a_cut_is_tried_again(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    network_fault_id fault = cut(&world, world.client_process, world.server_process);
    connection_id first = network_connect(world.network, world.client, world.server);
    connection_id second = network_connect(world.network, world.client, world.server);
    sim_run_until(world.sim, MILLISECONDS(1500));
    network_close(world.network, second, world.client); /* given up: the server never hears of it */
    network_fault_remove(world.network, fault);
    say(&world, first, world.client, "1");
    sim_run_until(world.sim, SECONDS(10)); /* tries after 1 and 3 s */
    expect(&world, "[3.001] s: accepted\n"
                   "[3.001] s: message 1\n"
                   "[3.002] c: opened\n");
    sim_free(world.sim);
}

/* Ten thousand times opened, used and closed: the ids come round, the memory does not grow. */
static void connections_are_recycled(void **state)
{
    (void)state;
    struct world world;
    world_open(&world);
    uint64_t settled = 0;
    for (int i = 0; i < 10000; i++) {
        connection_id connection = open_connection(&world);
        say(&world, connection, world.client, "1");
        if (i % 2 == 0) {
            network_close(world.network, connection, world.client);
        } else {
            network_close(world.network, world.accepted, world.server);
        }
        sim_run_until(world.sim, sim_now(world.sim) + SECONDS(1));
        assert_false(network_is_open(world.network, connection));
        if (i == 5000) settled = memory_footprint_bytes(sim_memory(world.sim));
    }
    assert_int_equal(memory_footprint_bytes(sim_memory(world.sim)), settled);
    sim_free(world.sim);
}

/* Latencies are drawn by name, not by order: another connection moves nobody's draws. */
static void latency_depends_on_the_connection_alone(void **state)
{
    (void)state;
    sim_time arrived[2];
    for (int with_other = 0; with_other < 2; with_other++) {
        struct world world;
        world_open(&world);
        network_set_latency(world.network, &(struct distribution){.kind = DISTRIBUTION_LOGNORMAL,
                                                                  .a = MICROSECONDS(400),
                                                                  .b = MILLISECONDS(3)});
        struct names *names = sim_names(world.sim);
        process_id process = process_add(world.sim, names_intern(names, "other"), NAME_NONE);
        entity_id other =
            sim_add_entity(world.sim, names_intern(names, "o"), process, listen, &world);
        process_start(world.sim, process);
        if (with_other) network_connect(world.network, other, world.server);
        network_connect(world.network, world.client, world.server);
        while (strstr(world.text, "c: opened") == NULL) {
            sim_run_events(world.sim, SIM_TIME_NEVER - 1, 1);
        }
        arrived[with_other] = sim_now(world.sim);
        sim_free(world.sim);
    }
    assert_int_equal(arrived[0], arrived[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_takes_a_round_trip),
        cmocka_unit_test(messages_then_close_arrive_in_order),
        cmocka_unit_test(cut_link_delivers_after_the_next_retransmission),
        cmocka_unit_test(a_cut_one_way_stops_one_way),
        cmocka_unit_test(faults_add_up_and_each_is_removed_by_its_id),
        cmocka_unit_test(what_was_not_cut_waits_for_what_was),
        cmocka_unit_test(messages_do_not_overtake_each_other),
        cmocka_unit_test(loss_delays_by_retransmission_timeouts),
        cmocka_unit_test(bandwidth_is_shared_by_the_messages_of_a_direction),
        cmocka_unit_test(a_dead_process_refuses),
        cmocka_unit_test(a_connection_under_way_reaches_the_next_incarnation),
        cmocka_unit_test(the_peer_of_a_killed_process_is_told),
        cmocka_unit_test(nobody_is_told_of_a_dead_host),
        cmocka_unit_test(a_survivor_may_close_what_a_dead_host_left_open),
        cmocka_unit_test(a_frozen_process_reads_at_the_thaw),
        cmocka_unit_test(death_of_a_frozen_process_releases_what_it_had_not_read),
        cmocka_unit_test(a_reset_closes_both_ends_and_loses_what_was_under_way),
        cmocka_unit_test(a_connect_over_a_cut_is_tried_again),
        cmocka_unit_test(connections_are_recycled),
        cmocka_unit_test(latency_depends_on_the_connection_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
