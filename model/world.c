#include "model/world_internal.h"

#include "model/admin.h"
#include "model/timeline.h"
#include "model/trace_kinds.h"
#include "model/undelivered.h"
#include "sim/check.h"

static void release_message(void *context, void *message)
{
    message_drop(context, message);
}

/* Observers look at the world once a step, after everything else of that instant. */
static void on_sample(struct sim *sim, void *self, const struct sim_event *event)
{
    struct world *world = self;
    TRACE(sim, TRACE_SAMPLE, world->step++);
    sim_time next = event->at + world->scenario->sample_ns;
    if (next <= world->scenario->duration_ns)
        sim_post(sim, next, PHASE_SAMPLE, world->sampler, world->sampler, 0, 0, NULL);
}

struct world *world_new(const struct scenario *scenario, const struct world_options *options)
{
    struct sim *sim = sim_new(&(struct sim_options){.seed = options->seed,
                                                    .tie_order = options->tie_order,
                                                    .tie_seed = options->tie_seed});
    struct memory *memory = sim_memory(sim);
    struct world *world = memory_keep(memory, sizeof(*world));
    world->sim = sim;
    world->memory = memory;
    world->scenario = scenario;
    trace_set_kinds(sim_trace(sim), trace_kinds, TRACE_KIND_COUNT);

    world->network = network_new(sim, release_message, sim);
    network_set_latency(world->network, &scenario->cluster.latency_ns);
    network_set_bandwidth(world->network, scenario->cluster.bandwidth_bytes_per_second);

    /* Registration decides ties, so what every scenario has comes first and what it varies last. */
    name_id sampler = names_intern(sim_names(sim), "sampler");
    world->sampler = sim_add_entity(sim, sampler, PROCESS_NONE, on_sample, world);
    world->cluster = cluster_new(sim, world->network, scenario);
    world->workloads =
        memory_keep(memory, sizeof(struct workload *) * ((size_t)scenario->producer_count + 1));
    for (int32_t i = 0; i < scenario->producer_count; i++)
        world->workloads[i] = workload_new(sim, world->network, world->cluster, scenario, i);
    world->deployments =
        memory_keep(memory, sizeof(struct deployment *) * ((size_t)scenario->group_count + 1));
    for (int32_t g = 0; g < scenario->group_count; g++)
        world->deployments[g] = deployment_new(world, g);
    world->admin = admin_new(world);
    world->timeline = timeline_new(world);
    if (scenario->sample_ns > 0)
        sim_post(sim, 0, PHASE_SAMPLE, world->sampler, world->sampler, 0, 0, NULL);
    return world;
}

void world_free(struct world *world)
{
    sim_free(world->sim);
}

struct sim *world_sim(struct world *world)
{
    return world->sim;
}

const struct scenario *world_scenario(const struct world *world)
{
    return world->scenario;
}

void world_run_until(struct world *world, sim_time until)
{
    sim_time end = world->scenario->duration_ns;
    sim_run_until(world->sim, until < end ? until : end);
}

bool world_run_events(struct world *world, uint64_t events)
{
    if (sim_run_events(world->sim, world->scenario->duration_ns, events) == events) return true;
    sim_run_until(world->sim, world->scenario->duration_ns);
    return false;
}

void world_watch_groups(struct world *world, const struct group_watcher *watcher)
{
    cluster_watch_groups(world->cluster, watcher);
}

name_id world_partition_name(struct world *world, uint32_t partition)
{
    name_id topic = cluster_topic_name(world->cluster, PARTITION_TOPIC(partition));
    struct names *names = sim_names(world->sim);
    if (PARTITION_NUMBER(partition) == PARTITION_NUMBER_UNKNOWN)
        return names_format(names, "%s-?", names_text(names, topic));
    return names_format(names, "%s-%d", names_text(names, topic), PARTITION_NUMBER(partition));
}

void world_emit_process(struct sim *sim, process_id process)
{
    TRACE(sim, TRACE_PROCESS, process_name(sim, process), process_state(sim, process),
          process_incarnation(sim, process));
}
