/* W3: a consumer group's steady load. 10,000 members beat every 3 s over links of 0.2 to 2 ms; each
 * beat that reaches the coordinator moves the member's 45 s session timer. 10 virtual minutes. */
#include "bench/bench.h"
#include "bench/floor.h"
#include "sim/network.h"

#include <stdlib.h>

#define MEMBERS  10000u
#define INTERVAL SECONDS(3)
#define SESSION  SECONDS(45)
#define DURATION MINUTES(10)

enum { KIND_BEAT = 1, KIND_REQUEST, KIND_RESPONSE, KIND_EXPIRED };

/* 0.2 to 2 ms by member and number of the message. */
static int64_t latency(uint32_t member, uint32_t message)
{
    uint64_t random = bench_mix((uint64_t)member << 32 | message);
    return 200000 + (int64_t)((random >> 32) * 1800000 >> 32);
}

/* Beats of the members are spread over the first interval. */
static int64_t first_beat(uint32_t member)
{
    return (int64_t)(bench_mix(member) % (uint64_t)INTERVAL);
}

/* --- on the engine ------------------------------------------------------------------------------
 */

struct member {
    struct group *group;
    struct sim_timer beat;
    struct sim_timer session; /* the coordinator's */
    entity_id id;
    uint32_t messages;
    connection_id connection;
};

struct group {
    struct network *network;
    struct member *member;
    entity_id coordinator;
    uint64_t check;
};

static void on_member(struct sim *sim, void *self, const struct sim_event *event)
{
    struct member *member = self;
    struct group *group = member->group;
    group->check += (uint64_t)event->at;
    if (event->kind != KIND_BEAT) return; /* the response */
    uint32_t number = (uint32_t)(member - group->member);
    sim_timer_set(sim, &member->beat, event->at + INTERVAL);
    sim_post(sim, event->at + latency(number, member->messages++), PHASE_MESSAGE, member->id,
             group->coordinator, KIND_REQUEST, number, NULL);
}

static void on_coordinator(struct sim *sim, void *self, const struct sim_event *event)
{
    struct group *group = self;
    group->check += (uint64_t)event->at;
    if (event->kind != KIND_REQUEST) return; /* a session expired; here none does */
    struct member *member = &group->member[event->number];
    sim_timer_set(sim, &member->session, event->at + SESSION);
    sim_post(sim, event->at + latency((uint32_t)event->number, member->messages++), PHASE_MESSAGE,
             group->coordinator, member->id, KIND_RESPONSE, 0, NULL);
}

static struct measure run_engine(sim_handler *member_handler, sim_handler *coordinator_handler,
                                 bool with_network)
{
    struct sim *sim = sim_new(&(struct sim_options){.seed = 1});
    struct names *names = sim_names(sim);
    struct group group = {.member = calloc(MEMBERS, sizeof *group.member)};
    process_id broker = process_add(sim, names_intern(names, "broker"), NAME_NONE);
    process_start(sim, broker);
    group.coordinator = sim_add_entity(sim, names_intern(names, "coordinator"), broker,
                                       coordinator_handler, &group);
    if (with_network) {
        group.network = network_new(sim, NULL, NULL);
        network_set_latency(group.network, &(struct distribution){.kind = DISTRIBUTION_UNIFORM,
                                                                  .a = MICROSECONDS(200),
                                                                  .b = MILLISECONDS(2)});
    }
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct member *member = &group.member[i];
        member->group = &group;
        process_id process = process_add(sim, names_format(names, "process-%u", i), NAME_NONE);
        process_start(sim, process);
        member->id = sim_add_entity(sim, names_format(names, "member-%u", i), process,
                                    member_handler, member);
        sim_timer_init(&member->beat, member->id, KIND_BEAT, 0);
        sim_timer_init(&member->session, group.coordinator, KIND_EXPIRED, i);
        if (with_network) {
            member->connection = network_connect(group.network, member->id, group.coordinator);
        }
        sim_timer_set(sim, &member->beat, first_beat(i));
    }
    uint64_t begin = bench_now_ns();
    sim_run_until(sim, DURATION);
    uint64_t end = bench_now_ns();
    struct measure measure = {.events = sim_statistics(sim).events,
                              .nanoseconds = end - begin,
                              .check = with_network ? 0 : group.check};
    sim_free(sim);
    free(group.member);
    return measure;
}

struct measure heartbeats_engine(void)
{
    return run_engine(on_member, on_coordinator, false);
}

/* --- the same over network.h --------------------------------------------------------------------
 */

static void on_networked_member(struct sim *sim, void *self, const struct sim_event *event)
{
    struct member *member = self;
    if (event->kind != KIND_BEAT) return;
    sim_timer_set(sim, &member->beat, event->at + INTERVAL);
    network_send(member->group->network, member->connection, member->id, member, 100);
}

static void on_networked_coordinator(struct sim *sim, void *self, const struct sim_event *event)
{
    struct group *group = self;
    if (event->kind != NETWORK_MESSAGE) return;
    struct member *member = event->pointer;
    sim_timer_set(sim, &member->session, event->at + SESSION);
    network_send(group->network, (connection_id)event->number, group->coordinator, member, 100);
}

struct measure heartbeats_network(void)
{
    return run_engine(on_networked_member, on_networked_coordinator, true);
}

/* --- the floor ----------------------------------------------------------------------------------
 */

struct bare_member {
    uint32_t session; /* event */
    uint32_t messages;
};

struct measure heartbeats_floor(void)
{
    static struct floor floor;
    floor_init(&floor, 5 * MEMBERS);
    struct bare_member *members = calloc(MEMBERS, sizeof *members);
    for (uint32_t i = 0; i < MEMBERS; i++)
        floor_post(&floor, first_beat(i), i, KIND_BEAT, 0);
    uint64_t check = 0, events = 0;
    uint64_t begin = bench_now_ns();
    for (uint32_t index; (index = floor_pop(&floor, DURATION)) != 0; events++) {
        struct floor_event event = floor.event[index];
        struct bare_member *member = &members[event.who];
        check += (uint64_t)event.at;
        switch (event.kind) {
        case KIND_BEAT:
            floor_post(&floor, event.at + INTERVAL, event.who, KIND_BEAT, 0);
            floor_post(&floor, event.at + latency(event.who, member->messages++), event.who,
                       KIND_REQUEST, 0);
            break;
        case KIND_REQUEST:
            if (member->session == 0) {
                member->session =
                    floor_post(&floor, event.at + SESSION, event.who, KIND_EXPIRED, 0);
            } else {
                floor_move(&floor, member->session, event.at + SESSION);
            }
            floor_post(&floor, event.at + latency(event.who, member->messages++), event.who,
                       KIND_RESPONSE, 0);
            break;
        default: break;
        }
    }
    uint64_t end = bench_now_ns();
    floor_free(&floor);
    free(members);
    return (struct measure){.events = events, .nanoseconds = end - begin, .check = check};
}
