#include "tools/simulation.h"

#include "model/trace_kinds.h"
#include "sim/check.h"
#include "tools/figures.h"

#include <stdlib.h>
#include <string.h>

/* Between two looks at the clock or the keyboard. */
#define EVENTS_AT_A_TIME 20000

struct sample_series {
    struct group_sample *samples;
    size_t count;
    size_t capacity;
};

struct simulation {
    const struct scenario *scenario;
    struct world *world;
    struct checkers *checkers;
    struct sample_series *series; /* shape [scenario.group_count]; NULL = not kept */
};

static void add_sample(struct sample_series *series, const struct group_sample *sample)
{
    if (series->count == series->capacity) {
        series->capacity = series->capacity == 0 ? 256 : series->capacity * 2;
        series->samples = realloc(series->samples, series->capacity * sizeof(*series->samples));
        CHECK(series->samples != NULL);
    }
    series->samples[series->count++] = *sample;
}

static struct group_sample sample_group(const struct simulation *simulation, int32_t g)
{
    const struct scenario *scenario = simulation->scenario;
    const struct ledger *ledger = checkers_ledger(simulation->checkers);
    struct ledger_group figures_of_group;
    ledger_group(ledger, g, &figures_of_group);
    struct group_sample sample = {
        .at = sim_now(world_sim(simulation->world)),
        .lag_records = ledger_group_lag_records(ledger, g),
        .members = figures_of_group.members,
    };
    for (int32_t t = 0; t < scenario->topic_count; t++) {
        if (!ledger_subscribes(ledger, g, t)) continue;
        for (int32_t p = 0; p < ledger_partition_count(ledger, t); p++) {
            struct ledger_partition partition;
            ledger_partition(ledger, g, t, p, &partition);
            if (partition.lag_ns > sample.lag_ns) sample.lag_ns = partition.lag_ns;
        }
    }
    return sample;
}

static void on_sample(void *self, const struct trace_record *record)
{
    (void)record;
    struct simulation *simulation = self;
    for (int32_t g = 0; g < simulation->scenario->group_count; g++) {
        struct group_sample sample = sample_group(simulation, g);
        add_sample(&simulation->series[g], &sample);
    }
}

struct simulation *simulation_new(const struct scenario *scenario,
                                  const struct simulation_options *options)
{
    static const bool interest[TRACE_KIND_COUNT] = {[TRACE_SAMPLE] = true};
    struct simulation *simulation = calloc(1, sizeof(*simulation));
    CHECK(simulation != NULL);
    simulation->scenario = scenario;
    simulation->world = world_new(scenario, &(struct world_options){.seed = options->seed,
                                                                    .tie_order = options->tie_order,
                                                                    .tie_seed = options->tie_seed});
    struct sim *sim = world_sim(simulation->world);
    simulation->checkers = checkers_new(sim, scenario);
    if (options->keep_samples) {
        simulation->series = calloc((size_t)scenario->group_count + 1, sizeof(*simulation->series));
        CHECK(simulation->series != NULL);
        trace_observe(sim_trace(sim), on_sample, simulation, interest);
    }
    return simulation;
}

void simulation_free(struct simulation *simulation)
{
    if (simulation == NULL) return;
    for (int32_t g = 0; simulation->series != NULL && g < simulation->scenario->group_count; g++)
        free(simulation->series[g].samples);
    free(simulation->series);
    world_free(simulation->world);
    free(simulation);
}

struct world *simulation_world(struct simulation *simulation)
{
    return simulation->world;
}

struct ledger *simulation_ledger(struct simulation *simulation)
{
    return checkers_ledger(simulation->checkers);
}

struct checkers *simulation_checkers(struct simulation *simulation)
{
    return simulation->checkers;
}

bool simulation_run(struct simulation *simulation, simulation_progress *go_on, void *context)
{
    while (world_run_events(simulation->world, EVENTS_AT_A_TIME)) {
        if (go_on != NULL && !go_on(context, simulation)) return false;
    }
    checkers_finish(simulation->checkers);
    return true;
}

struct fingerprints simulation_fingerprints(struct simulation *simulation)
{
    return trace_fingerprints(world_sim(simulation->world));
}

struct sim_statistics simulation_statistics(struct simulation *simulation)
{
    return sim_statistics(world_sim(simulation->world));
}

const struct group_sample *simulation_samples(const struct simulation *simulation, int32_t group,
                                              size_t *count)
{
    if (simulation->series == NULL) {
        *count = 0;
        return NULL;
    }
    *count = simulation->series[group].count;
    return simulation->series[group].samples;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y); /* equal values are alike: their order does not show */
}

/* One number out of many, as the expectation asks. `values` is sorted in place. */
static bool aggregate(double *values, size_t count, enum expect_aggregate kind, double *value)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    *value = kind == EXPECT_TOTAL ? sum : 0.0;
    if (kind == EXPECT_LAST) *value = count == 0 ? 0.0 : values[count - 1];
    if (kind == EXPECT_MEAN) *value = count == 0 ? 0.0 : sum / (double)count;
    if (kind == EXPECT_TOTAL || kind == EXPECT_LAST || kind == EXPECT_MEAN || count == 0)
        return kind != EXPECT_AT && kind != EXPECT_PLAIN;
    qsort(values, count, sizeof(*values), compare_doubles);
    size_t permille = kind == EXPECT_MIN   ? 0
                      : kind == EXPECT_P50 ? 500
                      : kind == EXPECT_P95 ? 950
                      : kind == EXPECT_P99 ? 990
                                           : 1000;
    size_t rank = (count * permille + 999) / 1000;
    *value = values[rank == 0 ? 0 : rank - 1];
    return kind != EXPECT_AT && kind != EXPECT_PLAIN;
}

static double sample_value(const struct group_sample *sample, const char *metric)
{
    if (strcmp(metric, "lag_records") == 0) return (double)sample->lag_records;
    if (strcmp(metric, "lag_time") == 0) return (double)sample->lag_ns / 1e9;
    return (double)sample->members;
}

static bool lookup_series(const struct simulation *simulation, const struct expect_term *term,
                          const struct ledger_group *group, double *value)
{
    const char *metric = term->metric->name;
    /* The largest lags are known exactly, between the samples too. */
    if (term->aggregate == EXPECT_MAX && strcmp(metric, "lag_records") == 0) {
        *value = (double)group->lag_records_max;
        return true;
    }
    if (term->aggregate == EXPECT_MAX && strcmp(metric, "lag_time") == 0) {
        *value = (double)group->lag_ns_max / 1e9;
        return true;
    }
    size_t count;
    const struct group_sample *samples = simulation_samples(simulation, term->group, &count);
    if (term->aggregate == EXPECT_AT) {
        for (size_t i = count; i > 0; i--) {
            if (samples[i - 1].at > term->at) continue;
            *value = sample_value(&samples[i - 1], metric);
            return true;
        }
        return false;
    }
    double *values = malloc((count + 1) * sizeof(*values));
    CHECK(values != NULL);
    for (size_t i = 0; i < count; i++)
        values[i] = sample_value(&samples[i], metric);
    bool known = aggregate(values, count, term->aggregate, value);
    free(values);
    return known;
}

static bool lookup_rebalance_time(const struct ledger_group *group, enum expect_aggregate kind,
                                  double *value)
{
    double *values = malloc((group->rebalance_count + 1) * sizeof(*values));
    CHECK(values != NULL);
    for (uint32_t i = 0; i < group->rebalance_count; i++)
        values[i] = (double)group->rebalance_ns[i] / 1e9;
    bool known = aggregate(values, group->rebalance_count, kind, value);
    free(values);
    return known;
}

static bool lookup_latency(const struct ledger_group *group, enum expect_aggregate kind,
                           double *value)
{
    static const int32_t permille[EXPECT_AGGREGATE_COUNT] = {
        [EXPECT_P50] = 500, [EXPECT_P95] = 950, [EXPECT_P99] = 990};
    if (kind == EXPECT_MAX) {
        *value = (double)latency_histogram_max(group->latency_ns) / 1e9;
        return true;
    }
    if (permille[kind] == 0) return false;
    *value = (double)latency_histogram_quantile(group->latency_ns, permille[kind]) / 1e9;
    return true;
}

bool simulation_lookup(void *context, const struct expect_term *term, double *value)
{
    /* Metrics of one value, where expect: and --json have different names for a figure. */
    static const struct {
        const char *metric;
        const char *figure;
    } renamed[] = {{"stopped_partition_time", "stopped_partition_seconds"}};
    struct simulation *simulation = context;
    const char *metric = term->metric->name;
    if (!term->metric->per_group) {
        *value = (double)checkers_violation_count(simulation->checkers);
        return true;
    }
    struct ledger_group group;
    ledger_group(checkers_ledger(simulation->checkers), term->group, &group);
    if (strcmp(metric, "lag_records") == 0 || strcmp(metric, "lag_time") == 0 ||
        strcmp(metric, "members") == 0)
        return lookup_series(simulation, term, &group, value);
    if (strcmp(metric, "rebalance_time") == 0)
        return lookup_rebalance_time(&group, term->aggregate, value);
    if (strcmp(metric, "latency") == 0) return lookup_latency(&group, term->aggregate, value);
    for (size_t i = 0; i < ARRAY_LEN(renamed); i++) {
        if (strcmp(metric, renamed[i].metric) == 0) metric = renamed[i].figure;
    }
    const struct figure *figure = figure_find(metric);
    if (figure == NULL) return false;
    *value = figure_value(figure, figure->read(&group));
    return true;
}
