/* The data plane at size, with ledger, checkers and fingerprints on: what issue 5 asks for.
 *
 * data-busy: 1,000 consumers, 10,000 partitions, 1,000,000 records/s, three brokers, RF 3.
 * data-more is the same with ten times the records at the same request rate: it must cost at
 * most 1.3 times as much. data-idle: 12,000 consumers in 200 groups at default settings on mostly
 * idle topics. `events` counts partition batches (busy) or virtual seconds × consumers (idle);
 * multiply out for a virtual hour. */
#include "model/checkers.h"
#include "model/world.h"
#include "bench/bench.h"
#include "bench/scenario_text.h"

#include "tools/scenario_yaml.h"

#include <stdio.h>
#include <stdlib.h>

#define BUSY_SECONDS 30
#define IDLE_SECONDS 120

static const char busy_yaml[] =
    "scenario: 1\n"
    "name: busy\n"
    "duration: 50s\n"
    "cluster: {brokers: 3}\n"
    "topics:\n"
    "  t: {partitions: 10000, replication: 3}\n"
    "producers:\n"
    "  p: {topic: t, rate: %s/s, record_size: %s, keys: {count: 1000000, zipf: 0.3},\n"
    "      config: {linger.ms: 100, batch.size: 65536, buffer.memory: 1073741824,\n"
    "               max.request.size: 16777216}}\n"
    "groups:\n"
    "  g:\n"
    "    topics: [t]\n"
    "    members: 1000\n"
    "    config: {fetch.min.bytes: 65536, fetch.max.wait.ms: 500}\n"
    "    process: {per_record: 1us}\n";

/* CPU time from `from` to the end of the scenario; what comes before (joining, connecting) is left
 * out. `events` is filled by the caller. */
static struct measure run_from(const char *text, sim_time from)
{
    struct scenario_document *document = scenario_text_load(text);
    const struct scenario *scenario = scenario_document_scenario(document);
    struct world *world = world_new(scenario, &(struct world_options){.seed = 1});
    checkers_new(world_sim(world), scenario); /* and with them the ledger, as in every run */
    world_run_until(world, from);
    uint64_t begin_ns = bench_now_ns();
    world_run_until(world, scenario->duration_ns);
    struct measure measure = {.nanoseconds = bench_now_ns() - begin_ns};
    world_free(world);
    scenario_document_free(document);
    return measure;
}

static struct measure busy(const char *rate, const char *size)
{
    char text[sizeof busy_yaml + 64];
    snprintf(text, sizeof text, busy_yaml, rate, size);
    struct measure measure = run_from(text, SECONDS(20));
    measure.events = UINT64_C(10000) * 10 * BUSY_SECONDS;
    return measure;
}

struct measure data_busy(void)
{
    return busy("1000000", "100B");
}

struct measure data_more(void)
{
    return busy("10000000", "10B");
}

struct measure data_idle(void)
{
    char *text = scenario_text_groups(SECONDS(60 + IDLE_SECONDS), 1, "process: {per_record: 1ms}");
    struct measure measure = run_from(text, SECONDS(60));
    free(text);
    measure.events = UINT64_C(12000) * IDLE_SECONDS;
    return measure;
}
