/* tools/cmd_replay.c: `cohort replay`: the same again, or what differs first. */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/moment.h"
#include "tools/progress.h"
#include "tools/replay.h"
#include "tools/run.h"
#include "tools/scenario_yaml.h"
#include "tools/source.h"
#include "tools/summary.h"
#include "tools/version.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_PER_STEP   50000
#define SCENARIO_SIZE_MAX (64u << 20)

struct replay_values {
    bool quiet;
};

static const char *world_name(const void *run, int64_t name)
{
    return run_name(run, (name_id)name);
}

static void world_partition(const void *run, int64_t partition, struct text *text)
{
    const struct scenario *scenario = run_scenario(run);
    int32_t topic = PARTITION_TOPIC((uint32_t)partition);
    text_format(text, "%s-%d", topic < scenario->topic_count ? scenario->topics[topic].name : "?",
                PARTITION_NUMBER((uint32_t)partition));
}

/* The file beside the store is what people read; it should be what ran. */
static bool scenario_file_is_the_same(const struct store_reader *reader)
{
    struct text path = {0};
    text_format(&path, "%s/scenario.yaml", store_directory(reader));
    struct diagnostics *diagnostics = diagnostics_new();
    struct source_text source = {0};
    bool read = source_read(diagnostics, text_data(&path), SCENARIO_SIZE_MAX, &source);
    bool same = read && strcmp(source.data, store_run_row(reader)->scenario_text) == 0;
    if (!read) {
        diagnostics_print(diagnostics, stderr);
    } else if (!same) {
        const char *stored = store_run_row(reader)->scenario_text;
        int line = 1;
        for (size_t i = 0; source.data[i] != '\0' && source.data[i] == stored[i]; i++) {
            if (source.data[i] == '\n') line++;
        }
        printf("%s:%d: differs from the scenario that ran, which is kept in run.db\n",
               text_data(&path), line);
    }
    if (read) free(source.data);
    diagnostics_free(diagnostics);
    text_free(&path);
    return same;
}

/* Hangs on the machine, or (lines) on the file rather than on what it says. */
static bool may_differ(const char *path)
{
    static const char *const machine[] = {"wall_seconds", "events_per_second", "version"};
    for (size_t i = 0; i < ARRAY_LEN(machine); i++) {
        if (strcmp(machine[i], path) == 0) return true;
    }
    size_t length = strlen(path);
    return strncmp(path, "expect.", 7) == 0 && length > 5 &&
           strcmp(path + length - 5, ".line") == 0;
}

/* False, and a line for each, when figures differ. */
static bool summary_is_the_same(const struct store_reader *reader, struct run *run)
{
    struct summary *summary = summary_new(run, 0);
    json_t *json = summary_json(summary);
    bool same = true;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store_database(reader), "select path, value from summary", -1,
                           &statement, NULL) == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const char *path = (const char *)sqlite3_column_text(statement, 0);
            const char *stored = (const char *)sqlite3_column_text(statement, 1);
            char *now = path == NULL || may_differ(path) ? NULL : summary_value(json, path);
            if (now != NULL && (stored == NULL || strcmp(now, stored) != 0)) {
                printf("summary: %s is stored as %s, now it is %s\n", path,
                       stored != NULL ? stored : "nothing", now);
                same = false;
            }
            free(now);
        }
    }
    sqlite3_finalize(statement);
    json_decref(json);
    summary_free(summary);
    return same;
}

static int run_again(const struct replay_values *values, const struct store_reader *reader,
                     struct run *run)
{
    const struct record_names names = {run, world_name, world_partition};
    char *error = NULL;
    struct replay *replay = replay_new(reader, run_sim(run), &names, &error);
    if (replay == NULL) {
        fprintf(stderr, "cohort: error: %s\n", error);
        free(error);
        return EXIT_BAD_INPUT;
    }
    trace_observe(sim_trace(run_sim(run)), replay_observe, replay, NULL);
    struct progress progress;
    progress_begin(&progress, !values->quiet);
    while (!replay_differs(replay) && !interrupts_pending() && run_step(run, EVENTS_PER_STEP)) {
        if (!progress_is_due(&progress)) continue;
        sim_time now = run_glimpse(run).now;
        struct text text = {0};
        moment_format(&text, now);
        progress_show(&progress, (int)((double)now / (double)run_scenario(run)->duration_ns * 1000),
                      text_data(&text));
        text_free(&text);
    }
    progress_end(&progress);
    int result = EXIT_FINE;
    struct text report = {0};
    if (interrupts_pending()) {
        result = EXIT_INTERRUPTED;
    } else if (!replay_finish(replay, &report)) {
        fputs(text_data(&report), stdout);
        result = EXIT_EXPECTATION_FAILED;
    } else {
        run_finish(run);
        if (!summary_is_the_same(reader, run)) result = EXIT_EXPECTATION_FAILED;
    }
    if (result == EXIT_FINE) {
        struct fingerprints now = run_fingerprints(run);
        count_format(&report, (int64_t)run_records(run));
        printf("identical: %s records; fingerprints workload %016" PRIx64 ", protocol %016" PRIx64
               ", full %016" PRIx64 "\n",
               text_data(&report), now.workload, now.protocol, now.full);
    }
    text_free(&report);
    replay_free(replay);
    return result;
}

static int replay_run(const struct replay_values *values, const struct store_reader *reader)
{
    const struct store_run_row *row = store_run_row(reader);
    if (!scenario_file_is_the_same(reader)) return EXIT_EXPECTATION_FAILED;
    struct text name = {0};
    text_format(&name, "%s/scenario.yaml", store_directory(reader));
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, row->seed);
    const struct scenario_overrides overrides = {.seed = seed};
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    bool loaded =
        scenario_load_text(text_data(&name), store_directory(reader), row->scenario_text,
                           strlen(row->scenario_text), &overrides, &document, diagnostics);
    /* Warnings were given when it ran first. */
    if (!loaded) diagnostics_print(diagnostics, stderr);
    diagnostics_free(diagnostics);
    text_free(&name);
    int result = EXIT_BAD_INPUT;
    struct run_options options = {.seed = row->seed};
    if (loaded && !run_tie_order_parse(row->tie_order, &options)) {
        fprintf(stderr, "cohort: error: run.db: unknown tie order %s\n", row->tie_order);
    } else if (loaded) {
        interrupts_catch();
        struct run *run = run_new(scenario_document_scenario(document), &options);
        result = run_again(values, reader, run);
        run_free(run);
    }
    scenario_document_free(document);
    if (result == EXIT_EXPECTATION_FAILED && strcmp(row->version, version_number()) != 0) {
        printf("the run was made by cohort %s, this is %s\n", row->version, version_number());
    }
    return result;
}

static int run(const void *values, const struct arguments *arguments)
{
    char *error = NULL;
    struct store_reader *reader = store_open(arguments->values[0], &error);
    if (reader == NULL) {
        fprintf(stderr, "cohort: error: %s\n", error);
        free(error);
        return EXIT_BAD_INPUT;
    }
    int result = replay_run(values, reader);
    store_close(reader);
    return result;
}

static const struct option options[] = {
    {"quiet", 'q', OPTION_FLAG, NULL, offsetof(struct replay_values, quiet), "no progress bar"},
};

const struct command command_replay = {
    .name = "replay",
    .summary = "run again and prove it identical, or name the first record that differs",
    .arguments = "RUN",
    .argument_min = 1,
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct replay_values),
    .details = "Runs the scenario that the store keeps, with its seed, and compares every stored "
               "record, the\nfingerprints every 65,536 records and the figures of the summary. "
               "Exit code 1 when anything\ndiffers.",
    .example = "cohort replay rolling-deploy-eager-seed42.cohort",
    .run = run,
};
