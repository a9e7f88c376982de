/* One virtual hour of 12,000 members in 200 groups, measured as one run.
 *
 * groups-hour: the coordinators' side alone. Scripted members (scripted_member.h) beat every 3 s
 * and commit every 5 s; coordinators, their logs, replication and the network are the model's own,
 * the ledger, the checkers and the fingerprints are on. An event is a request.
 * idle-hour: whole clients with default settings on a topic that gets a record a second.
 * idle-hour-848: the same in the consumer protocol. An event is an event of the engine.
 *
 * Not timed: the first virtual minute, in which the groups form. Memory must not grow with time, so
 * what the last half-hour added is checked to be little. */
#include "bench/bench.h"
#include "bench/scenario_text.h"
#include "bench/scripted_member.h"
#include "model/checkers.h"
#include "model/workload.h"
#include "model/world.h"
#include "sim/check.h"
#include "tools/scenario_yaml.h"

#include <stdlib.h>

#define BEGIN SECONDS(60)
#define HALF  (BEGIN + SECONDS(1800))
#define END   (BEGIN + SECONDS(3600))

#define GROWTH_BYTES_MAX (4u << 20)

static void release_message(void *context, void *message)
{
    message_free(context, message);
}

static void check_end(struct checkers *checkers, uint64_t grown_bytes)
{
    checkers_finish(checkers);
    CHECK(checkers_violation_count(checkers) == 0);
    CHECK(grown_bytes < GROWTH_BYTES_MAX);
}

/* The scenario's cluster and producers as a world makes them, but members of our own. */
static struct script build(struct sim *sim, const struct scenario *scenario)
{
    struct memory *memory = sim_memory(sim);
    struct names *names = sim_names(sim);
    trace_set_kinds(sim_trace(sim), trace_kinds, TRACE_KIND_COUNT);
    struct network *network = network_new(sim, release_message, memory);
    network_set_latency(network, &scenario->cluster.latency_ns);
    struct cluster *cluster = cluster_new(sim, network, scenario);
    workload_new(sim, network, cluster, scenario, 0);
    return (struct script){.sim = sim,
                           .network = network,
                           .cluster = cluster,
                           .memory = memory,
                           .topic = PARTITION_ID(0, 0),
                           .topic_name = names_intern(names, "t"),
                           .heartbeat_ns = SECONDS(3),
                           .commit_ns = SECONDS(5)};
}

static void add_members(struct script *script, const struct scenario *scenario)
{
    struct names *names = sim_names(script->sim);
    for (int32_t g = 0; g < scenario->group_count; g++) {
        const char *name = scenario->groups[g].name;
        for (int32_t m = 0; m < scenario->groups[g].members; m++) {
            /* Within the initial rebalance delay of 3 s, so that each group forms at once. */
            uint64_t spread = bench_mix((uint64_t)g << 32 | (uint64_t)m) % (uint64_t)SECONDS(2);
            scripted_member_new(script, names_format(names, "%s-%d", name, m + 1),
                                names_intern(names, name), SECONDS(5) + (sim_time)spread);
        }
    }
}

struct measure groups_hour(void)
{
    char *text = scenario_text_groups(END, 1, "process: {workers: 1}");
    struct scenario_document *document = scenario_text_load(text);
    const struct scenario *scenario = scenario_document_scenario(document);
    struct sim *sim = sim_new(&(struct sim_options){.seed = 1});
    struct script script = build(sim, scenario);
    struct checkers *checkers = checkers_new(sim, scenario);
    add_members(&script, scenario);
    sim_run_until(sim, BEGIN);
    uint64_t requests = script.requests;
    uint64_t begin_ns = bench_now_ns();
    sim_run_until(sim, HALF);
    uint64_t bytes_at_half = memory_footprint_bytes(script.memory);
    sim_run_until(sim, END);
    struct measure measure = {.events = script.requests - requests,
                              .nanoseconds = bench_now_ns() - begin_ns,
                              .memory_bytes = memory_footprint_bytes(script.memory)};
    check_end(checkers, measure.memory_bytes - bytes_at_half);
    CHECK(script.answers >
          requests + measure.events - 2 * SCENARIO_GROUPS * SCENARIO_GROUP_MEMBERS);
    sim_free(sim);
    scenario_document_free(document);
    free(text);
    return measure;
}

static struct measure whole_clients(const char *group_keys)
{
    char *text = scenario_text_groups(END, 1, group_keys);
    struct scenario_document *document = scenario_text_load(text);
    const struct scenario *scenario = scenario_document_scenario(document);
    struct world *world = world_new(scenario, &(struct world_options){.seed = 1});
    struct sim *sim = world_sim(world);
    struct checkers *checkers = checkers_new(sim, scenario);
    world_run_until(world, BEGIN);
    uint64_t events = sim_statistics(sim).events;
    uint64_t begin_ns = bench_now_ns();
    world_run_until(world, HALF);
    uint64_t bytes_at_half = memory_footprint_bytes(sim_memory(sim));
    world_run_until(world, END);
    struct measure measure = {.events = sim_statistics(sim).events - events,
                              .nanoseconds = bench_now_ns() - begin_ns,
                              .memory_bytes = memory_footprint_bytes(sim_memory(sim))};
    check_end(checkers, measure.memory_bytes - bytes_at_half);
    world_free(world);
    scenario_document_free(document);
    free(text);
    return measure;
}

struct measure idle_hour(void)
{
    return whole_clients("process: {per_record: 1ms}");
}

struct measure idle_hour_848(void)
{
    return whole_clients("config: {group.protocol: consumer}, process: {per_record: 1ms}");
}
