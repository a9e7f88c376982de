#include "tests/tools/harness/synthetic.h"

#include "sim/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char first_topic[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void synthetic_directory(const char *name, char directory[256])
{
    int length = snprintf(directory, 256, "%s/tests/%s", COHORT_BINARY_DIR, name);
    CHECK(length > 0 && length < 256);
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    CHECK(mkdir(directory, 0777) == 0);
}

static name_id partition_name(void *self, uint32_t partition)
{
    struct sim *sim = self;
    struct names *names = sim_names(sim);
    int topic = PARTITION_TOPIC(partition);
    if (topic == 0) return names_format(names, "%s-%d", first_topic, PARTITION_NUMBER(partition));
    return names_format(names, "t%d-%d", topic, PARTITION_NUMBER(partition));
}

struct synthetic *synthetic_new(const char *name, const char *topic, enum store_events events)
{
    struct synthetic *synthetic = calloc(1, sizeof *synthetic);
    CHECK(synthetic != NULL);
    synthetic_directory(name, synthetic->directory);
    snprintf(first_topic, sizeof first_topic, "%s", topic);
    synthetic->seed = 42;
    const struct sim_options sim_options = {.seed = synthetic->seed};
    synthetic->sim = sim_new(&sim_options);
    trace_set_kinds(sim_trace(synthetic->sim), trace_kinds, TRACE_KIND_COUNT);

    char path[300];
    snprintf(path, sizeof path, "%s/run.db", synthetic->directory);
    const struct store_options options = {
        .path = path,
        .events = events,
        .names = sim_names(synthetic->sim),
        .partition_name = partition_name,
        .partition_name_self = synthetic->sim,
        .sim = synthetic->sim,
    };
    char *error = NULL;
    synthetic->store = store_create(&options, &error);
    if (error != NULL) fprintf(stderr, "%s\n", error);
    CHECK(synthetic->store != NULL);
    trace_observe(sim_trace(synthetic->sim), store_observe, synthetic->store, NULL);
    return synthetic;
}

void synthetic_at(struct synthetic *synthetic, sim_time at)
{
    sim_run_until(synthetic->sim, at);
}

name_id synthetic_name(struct synthetic *synthetic, const char *text)
{
    return names_intern(sim_names(synthetic->sim), text);
}

void synthetic_finish(struct synthetic *synthetic)
{
    const struct store_run run = {
        .version = "0.0.0",
        .scenario_name = "synthetic",
        .scenario_text = "scenario: 1\n",
        .seed = synthetic->seed,
        .tie_order = "canonical",
        .duration_ns =
            synthetic->duration_ns > 0 ? synthetic->duration_ns : sim_now(synthetic->sim),
        .sample_ns = SECONDS(1),
        .fingerprints = trace_fingerprints(synthetic->sim),
    };
    char *error = NULL;
    bool done = store_finish(synthetic->store, &run, &error);
    if (!done) fprintf(stderr, "%s\n", error);
    CHECK(done);
    sim_free(synthetic->sim);
    free(synthetic);
}

/* The rolling restart: a group as a picture of one, without protocol. */
struct deploy {
    struct synthetic *synthetic;
    int members;
    int partitions;
    name_id group;
    name_id member[1024];
    name_id owner[1024]; /* of each partition; NAME_NONE during a stop */
    int64_t log_end[1024];
    int64_t next[1024];
    int64_t generation;
    int64_t step;
};

static void set_state(struct deploy *deploy, enum group_trace_state from, enum group_trace_state to)
{
    TRACE(deploy->synthetic->sim, TRACE_GROUP_STATE, deploy->group, from, to, deploy->generation,
          deploy->members, 1);
}

static void give_out(struct deploy *deploy)
{
    deploy->generation++;
    set_state(deploy, GROUP_TRACE_PreparingRebalance, GROUP_TRACE_CompletingRebalance);
    set_state(deploy, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable);
    int each = deploy->partitions / deploy->members;
    int rest = deploy->partitions % deploy->members;
    int partition = 0;
    for (int member = 0; member < deploy->members; member++) {
        for (int i = 0; i < each + (member < rest ? 1 : 0); i++, partition++) {
            int turned = (member + (int)deploy->generation / 3) % deploy->members;
            deploy->owner[partition] = deploy->member[turned];
            TRACE(deploy->synthetic->sim, TRACE_OWNED, deploy->group, deploy->member[turned],
                  PARTITION_ID(0, partition), deploy->generation, 1);
        }
    }
}

static void stop(struct deploy *deploy, int leaver)
{
    set_state(deploy, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance);
    TRACE(deploy->synthetic->sim, TRACE_REBALANCE, deploy->group, CAUSE_MEMBER_LEFT,
          deploy->member[leaver], NAME_NONE, deploy->generation, NAME_NONE);
    for (int partition = 0; partition < deploy->partitions; partition++) {
        TRACE(deploy->synthetic->sim, TRACE_DISOWNED, deploy->group, deploy->owner[partition],
              PARTITION_ID(0, partition), deploy->generation, OWNERSHIP_REVOKED, 1);
        deploy->owner[partition] = NAME_NONE;
    }
}

static void sample(struct deploy *deploy)
{
    sim_time at = sim_now(deploy->synthetic->sim);
    TRACE(deploy->synthetic->sim, TRACE_SAMPLE, deploy->step);
    for (int partition = 0; partition < deploy->partitions; partition++) {
        int64_t rate = partition == 3 ? 140 : 100; /* one partition is hotter than a member bears */
        deploy->log_end[partition] = at / SECONDS(1) * rate;
        if (deploy->owner[partition] != NAME_NONE) {
            int64_t reached = deploy->next[partition] + 130;
            bool is_done = reached > deploy->log_end[partition];
            deploy->next[partition] = is_done ? deploy->log_end[partition] : reached;
        }
        int64_t lag = deploy->log_end[partition] - deploy->next[partition];
        const struct store_sample row = {
            .step = deploy->step,
            .at = at,
            .group = deploy->group,
            .partition = PARTITION_ID(0, partition),
            .log_end_offset = deploy->log_end[partition],
            .next_offset = deploy->next[partition],
            .committed_offset = deploy->next[partition],
            .lag_records = lag,
            .lag_ns = lag * SECONDS(1) / rate,
            .owner = deploy->owner[partition],
        };
        store_add_sample(deploy->synthetic->store, &row);
    }
    deploy->step++;
}

void synthetic_rolling_restart(const char *name, int members, int partitions, sim_time duration_ns,
                               sim_time stop_ns)
{
    CHECK(members <= 1024 && partitions <= 1024);
    struct synthetic *synthetic = synthetic_new(name, "payments", STORE_EVENTS_BOUNDED);
    struct deploy *deploy = calloc(1, sizeof *deploy);
    CHECK(deploy != NULL);
    deploy->synthetic = synthetic;
    deploy->members = members;
    deploy->partitions = partitions;
    deploy->group = synthetic_name(synthetic, "payments");
    for (int i = 0; i < members; i++) {
        char text[32];
        snprintf(text, sizeof text, "payments-%d", i + 1);
        deploy->member[i] = synthetic_name(synthetic, text);
    }
    set_state(deploy, GROUP_TRACE_Empty, GROUP_TRACE_PreparingRebalance);
    sim_time give_out_at = SECONDS(3);
    sim_time next_stop_at = duration_ns / 10;
    sim_time stop_every_ns = duration_ns * 7 / 10 / members;
    int leaver = 0;
    for (sim_time at = 0; at <= duration_ns; at += MILLISECONDS(250)) {
        synthetic_at(synthetic, at);
        if (at >= give_out_at) {
            give_out(deploy);
            give_out_at = SIM_TIME_NEVER;
        }
        if (at >= next_stop_at && give_out_at == SIM_TIME_NEVER && leaver < members) {
            stop(deploy, leaver++);
            give_out_at = at + stop_ns;
            next_stop_at += stop_every_ns;
        }
        if (at % SECONDS(1) == 0) sample(deploy);
    }
    free(deploy);
    synthetic->duration_ns = duration_ns;
    synthetic_finish(synthetic);
}
