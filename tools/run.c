#include "tools/run.h"

#include "model/trace_kinds.h"
#include "sim/check.h"
#include "tools/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More rows than this make a store slow to write and no picture finer; then only every so
 * many-th sample is stored. */
#define SERIES_ROWS_MAX INT64_C(1500000)

/* What is followed of one group while the run goes. */
struct followed {
    name_id name;
    int32_t *topics; /* indexes in the scenario, shape [topic_count] */
    int32_t topic_count;
    enum group_trace_state state;
    struct run_point *points;
    size_t point_count;
};

struct run {
    const struct scenario *scenario;
    struct run_options options;
    struct world *world;
    struct checkers *checkers;
    struct ledger *ledger;
    struct store *store;
    struct followed *groups; /* shape [scenario.group_count] */
    uint64_t records;
    int64_t stored_every; /* store each so many-th sample */
};

bool run_tie_order_parse(const char *text, struct run_options *options)
{
    if (strcmp(text, "canonical") == 0) {
        options->tie_order = TIE_CANONICAL;
        return true;
    }
    if (strcmp(text, "reverse") == 0) {
        options->tie_order = TIE_REVERSE;
        return true;
    }
    const char *digits = strncmp(text, "random:", 7) == 0 ? text + 7 : "";
    size_t length = strlen(digits);
    if (length == 0 || length > 19 || strspn(digits, "0123456789") != length) return false;
    options->tie_order = TIE_RANDOM;
    options->tie_seed = strtoull(digits, NULL, 10);
    return true;
}

void run_tie_order_format(const struct run_options *options, char *text)
{
    switch (options->tie_order) {
    case TIE_CANONICAL: snprintf(text, 32, "canonical"); return;
    case TIE_REVERSE: snprintf(text, 32, "reverse"); return;
    case TIE_RANDOM: snprintf(text, 32, "random:%" PRIu64, options->tie_seed); return;
    }
}

static struct followed *find_followed(struct run *run, name_id name)
{
    for (int32_t g = 0; g < run->scenario->group_count; g++) {
        if (run->groups[g].name == name) return &run->groups[g];
    }
    return NULL;
}

static void store_partition_sample(struct run *run, const struct followed *group, int64_t step,
                                   int32_t topic, int32_t partition,
                                   const struct ledger_partition *state)
{
    const struct store_sample sample = {
        .step = step,
        .at = sim_now(world_sim(run->world)),
        .group = group->name,
        .partition = PARTITION_ID(topic, partition),
        .log_start_offset = state->log_start_offset,
        .log_end_offset = state->log_end_offset,
        .next_offset = state->next_offset,
        .committed_offset = state->committed_offset,
        .lag_records = state->lag_records,
        .lag_ns = state->lag_ns,
        .owner = state->owner,
    };
    store_add_sample(run->store, &sample);
}

static void sample_group(struct run *run, int32_t g, int64_t step)
{
    struct followed *group = &run->groups[g];
    struct ledger_group figures;
    ledger_group(run->ledger, g, &figures);
    struct run_point point = {
        .at = sim_now(world_sim(run->world)),
        .lag_records = ledger_group_lag_records(run->ledger, g),
        .members = figures.members,
    };
    bool is_stored = run->store != NULL && step % run->stored_every == 0;
    for (int32_t i = 0; i < group->topic_count; i++) {
        int32_t topic = group->topics[i];
        int32_t count = ledger_partition_count(run->ledger, topic);
        for (int32_t partition = 0; partition < count; partition++) {
            struct ledger_partition state;
            ledger_partition(run->ledger, g, topic, partition, &state);
            if (state.lag_ns > point.lag_ns) point.lag_ns = state.lag_ns;
            if (is_stored) {
                store_partition_sample(run, group, step / run->stored_every, topic, partition,
                                       &state);
            }
        }
    }
    if ((group->point_count & (group->point_count - 1)) == 0) {
        size_t capacity = group->point_count == 0 ? 1 : group->point_count * 2;
        group->points = tool_resize(group->points, capacity * sizeof *group->points);
    }
    group->points[group->point_count++] = point;
}

/* Comes after the ledger, which has booked the record already. */
static void observe(void *self, const struct trace_record *record)
{
    struct run *run = self;
    run->records = record->number + 1;
    if (record->kind == TRACE_SAMPLE) {
        for (int32_t g = 0; g < run->scenario->group_count; g++)
            sample_group(run, g, record->field[0]);
    } else if (record->kind == TRACE_GROUP_STATE) {
        struct followed *group = find_followed(run, (name_id)record->field[0]);
        if (group != NULL) group->state = (enum group_trace_state)record->field[2];
    }
}

static void follow_group(struct run *run, int32_t g)
{
    const struct scenario_group *source = &run->scenario->groups[g];
    struct followed *group = &run->groups[g];
    group->name = names_intern(sim_names(world_sim(run->world)), source->name);
    group->topics = tool_allocate(((size_t)source->topic_count + 1) * sizeof *group->topics);
    for (int32_t i = 0; i < source->topic_count; i++) {
        for (int32_t topic = 0; topic < run->scenario->topic_count; topic++) {
            if (strcmp(run->scenario->topics[topic].name, source->topics[i]) != 0) continue;
            group->topics[group->topic_count++] = topic;
        }
    }
}

struct run *run_new(const struct scenario *scenario, const struct run_options *options)
{
    struct run *run = tool_allocate(sizeof *run);
    run->scenario = scenario;
    run->options = *options;
    run->world = world_new(scenario, &(struct world_options){.seed = options->seed,
                                                             .tie_order = options->tie_order,
                                                             .tie_seed = options->tie_seed});
    struct sim *sim = world_sim(run->world);
    run->checkers = checkers_new(sim, scenario);
    if (options->watch_groups) checkers_watch_groups(run->checkers, run->world);
    run->ledger = checkers_ledger(run->checkers);
    run->groups = tool_allocate(((size_t)scenario->group_count + 1) * sizeof *run->groups);
    int64_t rows_per_step = 0;
    for (int32_t g = 0; g < scenario->group_count; g++) {
        follow_group(run, g);
        for (int32_t i = 0; i < run->groups[g].topic_count; i++) {
            rows_per_step += scenario->topics[run->groups[g].topics[i]].partitions;
        }
    }
    int64_t steps = scenario->sample_ns > 0 ? scenario->duration_ns / scenario->sample_ns + 1 : 1;
    run->stored_every = rows_per_step * steps / SERIES_ROWS_MAX + 1;
    trace_observe(sim_trace(sim), observe, run, NULL);
    return run;
}

void run_free(struct run *run)
{
    for (int32_t g = 0; g < run->scenario->group_count; g++) {
        free(run->groups[g].topics);
        free(run->groups[g].points);
    }
    free(run->groups);
    world_free(run->world);
    free(run);
}

static name_id partition_name(void *self, uint32_t partition)
{
    return world_partition_name(self, partition);
}

struct store_options run_store_options(struct run *run, const char *path, enum store_events events)
{
    struct sim *sim = world_sim(run->world);
    return (struct store_options){
        .path = path,
        .events = events,
        .names = sim_names(sim),
        .partition_name = partition_name,
        .partition_name_self = run->world,
        .sim = sim,
    };
}

void run_attach_store(struct run *run, struct store *store)
{
    run->store = store;
    trace_observe(sim_trace(world_sim(run->world)), store_observe, store, NULL);
}

struct sim *run_sim(struct run *run)
{
    return world_sim(run->world);
}

bool run_step(struct run *run, uint64_t events)
{
    return world_run_events(run->world, events);
}

#define ENUM_TEXT(member) #member,
static const char *const state_names[] = {TRACE_ENUM_GROUP_STATE(ENUM_TEXT)};
#undef ENUM_TEXT

struct run_glimpse run_glimpse(const struct run *run)
{
    const struct sim *sim = world_sim(run->world);
    struct run_glimpse glimpse = {.now = sim_now(sim), .events = sim_statistics(sim).events};
    bool shown_is_stable = true;
    for (int32_t g = 0; g < run->scenario->group_count; g++) {
        const struct followed *group = &run->groups[g];
        bool is_stable = group->state == GROUP_TRACE_Stable;
        glimpse.lag_records += ledger_group_lag_records(run->ledger, g);
        if (glimpse.group != NULL && !(shown_is_stable && !is_stable)) continue;
        glimpse.group = run->scenario->groups[g].name;
        glimpse.state = state_names[group->state];
        shown_is_stable = is_stable;
    }
    return glimpse;
}

static void store_findings(struct run *run)
{
    const struct findings *findings = ledger_findings(run->ledger);
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->list[i];
        const struct store_anomaly anomaly = {
            .what = finding_kind_name(finding->kind),
            .group = run->groups[finding->group].name,
            .partition = finding->partition == FINDING_NO_PARTITION ? STORE_PARTITION_UNKNOWN
                                                                    : (int64_t)finding->partition,
            .begin_offset = finding->from,
            .end_offset = finding->to,
            .at = finding->at,
            .member = finding->member,
            .other = finding->culprit,
            .detail =
                finding->detail != NULL ? finding->detail : finding_cause_name(finding->cause),
            .records = finding->records,
        };
        store_add_anomaly(run->store, &anomaly);
    }
}

void run_finish(struct run *run)
{
    checkers_finish(run->checkers);
    if (run->store != NULL) store_findings(run);
}

void run_group(const struct run *run, int32_t group, struct run_group *out)
{
    *out = (struct run_group){
        .name = run->scenario->groups[group].name,
        .findings = ledger_finding_totals(run->ledger, group),
        .points = run->groups[group].points,
        .point_count = run->groups[group].point_count,
    };
    ledger_group(run->ledger, group, &out->ledger);
    ledger_anomalies(run->ledger, group, &out->anomalies);
    out->processed_once = out->ledger.processed - out->ledger.duplicates;
}

void run_producer(const struct run *run, int32_t producer, struct ledger_producer *out)
{
    ledger_producer(run->ledger, producer, out);
}

const struct scenario *run_scenario(const struct run *run)
{
    return run->scenario;
}

const struct run_options *run_options(const struct run *run)
{
    return &run->options;
}

const struct checkers *run_checkers(const struct run *run)
{
    return run->checkers;
}

const struct ledger *run_ledger(const struct run *run)
{
    return run->ledger;
}

struct fingerprints run_fingerprints(const struct run *run)
{
    return trace_fingerprints(world_sim(run->world));
}

struct sim_statistics run_statistics(const struct run *run)
{
    return sim_statistics(world_sim(run->world));
}

uint64_t run_records(const struct run *run)
{
    return run->records;
}

const char *run_name(const struct run *run, name_id name)
{
    return names_text(sim_names(world_sim(run->world)), name);
}
