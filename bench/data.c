/* The data plane at size, with ledger, checkers and fingerprints on: what issue 5 asks for.
 *
 * data-busy: 1,000 consumers, 10,000 partitions, 1,000,000 records/s, three brokers, RF 3; records
 * without keys, Kafka's default: batches of 64 KiB fill one after the other, and 2,280 are appended
 * a second (of three, two are full, and one holds the record that did not fit). data-busy-keyed:
 * the same with a million keys, which spread over all partitions at once: a slot of 100 ms of
 * records is handed over at its end and lingers 100 ms, so a batch holds 200 ms, 20 records, and
 * there are 50,000 a second. `events` counts partition batches appended. data-more is the same with
 * ten times the records in as many requests and polls (max.poll.records grows with the rate, for a
 * poll that returns records is work of its own): it must cost at most 1.3 times as much. busy-hour
 * is data-busy for one whole virtual hour: CPU seconds and the world's memory stand in its line.
 * data-idle: 12,000 consumers in 200 groups at default settings on mostly idle topics; its events
 * are virtual seconds x consumers. */
#include "model/checkers.h"
#include "model/world.h"
#include "bench/bench.h"
#include "bench/scenario_text.h"
#include "sim/check.h"

#include "tools/scenario_yaml.h"

#include <stdio.h>
#include <stdlib.h>

#define FORMING_SECONDS 20
#define BUSY_SECONDS    30
#define HOUR_SECONDS    3600
#define IDLE_SECONDS    120

static const char busy_yaml[] =
    "scenario: 1\n"
    "name: busy\n"
    "duration: %ds\n"
    "cluster: {brokers: 3}\n"
    "topics:\n"
    "  t: {partitions: 10000, replication: 3}\n"
    "producers:\n"
    "  p: {topic: t, rate: %s/s, record_size: %s,%s\n"
    "      config: {linger.ms: 100, batch.size: 65536, buffer.memory: 1073741824,\n"
    "               max.request.size: 16777216}}\n"
    "groups:\n"
    "  g:\n"
    "    topics: [t]\n"
    "    members: 1000\n"
    "    config: {fetch.min.bytes: 65536, fetch.max.wait.ms: 500, max.poll.records: %d}\n"
    "    process: {per_record: 1us}\n";

static void count_batch(void *self, const struct trace_record *record)
{
    (void)record;
    ++*(uint64_t *)self;
}

/* CPU time from `from` to the end of the scenario; what comes before (joining, connecting) is left
 * out. `events` are batches appended. */
static struct measure run_from(const char *text, sim_time from)
{
    static const bool appends[TRACE_KIND_COUNT] = {[TRACE_BATCH_APPENDED] = true};
    struct scenario_document *document = scenario_text_load(text);
    const struct scenario *scenario = scenario_document_scenario(document);
    struct world *world = world_new(scenario, &(struct world_options){.seed = 1});
    struct sim *sim = world_sim(world);
    /* And with them the ledger, as in every run. */
    struct checkers *checkers = checkers_new(sim, scenario);
    uint64_t batches = 0;
    trace_observe(sim_trace(sim), count_batch, &batches, appends);
    world_run_until(world, from);
    batches = 0;
    uint64_t begin_ns = bench_now_ns();
    world_run_until(world, scenario->duration_ns / 2);
    uint64_t bytes_at_half = memory_footprint_bytes(sim_memory(sim));
    world_run_until(world, scenario->duration_ns);
    struct measure measure = {.events = batches,
                              .nanoseconds = bench_now_ns() - begin_ns,
                              .memory_bytes = memory_footprint_bytes(sim_memory(sim))};
    checkers_finish(checkers);
    CHECK(checkers_violation_count(checkers) == 0);
    if (scenario->duration_ns >= SECONDS(HOUR_SECONDS)) {
        CHECK(measure.memory_bytes < bytes_at_half + bytes_at_half / 50);
    }
    world_free(world);
    scenario_document_free(document);
    return measure;
}

struct load {
    const char *rate;
    const char *record_size;
    int32_t max_poll_records;
};
static const struct load usual = {"1000000", "100B", 500};
static const struct load tenfold = {"10000000", "10B", 5000};

#define NO_KEYS   " keys: {count: 0},"
#define MANY_KEYS " keys: {count: 1000000, zipf: 0.3},"

static struct measure busy(int32_t seconds, struct load load, const char *keys)
{
    char text[sizeof busy_yaml + 96];
    snprintf(text, sizeof text, busy_yaml, FORMING_SECONDS + seconds, load.rate, load.record_size,
             keys, load.max_poll_records);
    return run_from(text, SECONDS(FORMING_SECONDS));
}

struct measure data_busy(void)
{
    return busy(BUSY_SECONDS, usual, NO_KEYS);
}

struct measure data_busy_keyed(void)
{
    return busy(BUSY_SECONDS, usual, MANY_KEYS);
}

struct measure data_more(void)
{
    return busy(BUSY_SECONDS, tenfold, NO_KEYS);
}

struct measure data_more_keyed(void)
{
    return busy(BUSY_SECONDS, tenfold, MANY_KEYS);
}

struct measure busy_hour(void)
{
    return busy(HOUR_SECONDS, usual, NO_KEYS);
}

struct measure busy_hour_keyed(void)
{
    return busy(HOUR_SECONDS, usual, MANY_KEYS);
}

struct measure data_idle(void)
{
    char *text = scenario_text_groups(SECONDS(60 + IDLE_SECONDS), 1, "process: {per_record: 1ms}");
    struct measure measure = run_from(text, SECONDS(60));
    free(text);
    measure.events = UINT64_C(12000) * IDLE_SECONDS;
    return measure;
}
