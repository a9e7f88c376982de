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
    static char messages[16][8];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake_takes_a_round_trip),
        cmocka_unit_test(messages_then_close_arrive_in_order),
        cmocka_unit_test(cut_link_delivers_after_the_next_retransmission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
