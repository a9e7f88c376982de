/* tools/cmd_run.c: `cohort run`: a scenario happens, is stored and told. */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/moment.h"
#include "tools/progress.h"
#include "tools/run.h"
#include "tools/run_directory.h"
#include "tools/scenario_yaml.h"
#include "tools/summary.h"
#include "tools/version.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Between looks at the clock and at Ctrl-C: a few hundredths of a second. */
#define EVENTS_PER_STEP 50000

struct run_values {
    struct option_list sets;
    const char *seed;
    const char *out;
    const char *tie_order;
    const char *events;
    bool no_store;
    bool force;
    bool json;
    bool quiet;
};

/* What a run in the making consists of. */
struct session {
    const struct run_values *values;
    const char *scenario_path;
    struct scenario_document *document;
    const struct scenario *scenario;
    struct run_options options;
    struct run_directory *directory; /* NULL = nothing is stored */
    char *out;
    struct store *store;
    struct run *run;
    char *error;
};

static int fail(struct session *session, int code)
{
    if (session->error != NULL) fprintf(stderr, "cohort: error: %s\n", session->error);
    free(session->error);
    session->error = NULL;
    return code;
}

/* "rolling-deploy-eager-seed42.cohort" */
static char *default_directory(const struct scenario *scenario, uint64_t seed)
{
    struct text text = {0};
    for (const char *c = scenario->name; *c != '\0'; c++) {
        bool is_plain =
            isalnum((unsigned char)*c) || (strchr("._-", *c) != NULL && text.length > 0);
        text_append_bytes(&text, is_plain ? c : "_", 1);
    }
    text_format(&text, "%s-seed%" PRIu64 ".cohort", text.length == 0 ? "run" : "", seed);
    return text.data;
}

static int load(struct session *session)
{
    const struct run_values *values = session->values;
    const struct scenario_overrides overrides = {.sets = values->sets.values,
                                                 .set_count = values->sets.count,
                                                 .seed = values->seed};
    struct diagnostics *diagnostics = diagnostics_new();
    bool loaded =
        scenario_load(session->scenario_path, &overrides, &session->document, diagnostics);
    diagnostics_print(diagnostics, stderr);
    diagnostics_free(diagnostics);
    if (!loaded) return EXIT_BAD_INPUT;
    session->scenario = scenario_document_scenario(session->document);
    session->options.seed = session->scenario->seed;
    if (!run_tie_order_parse(values->tie_order, &session->options)) {
        fprintf(stderr, "cohort: error: --tie-order: %s: expected canonical, reverse or random:N\n",
                values->tie_order);
        return EXIT_BAD_INPUT;
    }
    return EXIT_FINE;
}

static int open_store(struct session *session)
{
    const struct run_values *values = session->values;
    session->out = values->out != NULL
                       ? tool_copy(values->out)
                       : default_directory(session->scenario, session->options.seed);
    enum run_directory_result result =
        run_directory_begin(session->out, values->force, &session->directory, &session->error);
    if (result == RUN_DIRECTORY_IN_THE_WAY) return fail(session, EXIT_BAD_INPUT);
    if (result == RUN_DIRECTORY_FAILED) return fail(session, EXIT_INTERNAL);
    enum store_events events = STORE_EVENTS_BOUNDED;
    store_events_find(values->events, &events);
    const struct store_options options =
        run_store_options(session->run, run_directory_file(session->directory, "run.db"), events);
    session->store = store_create(&options, &session->error);
    if (session->store == NULL) return fail(session, EXIT_INTERNAL);
    run_attach_store(session->run, session->store);
    return EXIT_FINE;
}

static void show_progress(struct progress *progress, const struct session *session)
{
    struct run_glimpse glimpse = run_glimpse(session->run);
    double elapsed = wall_clock_seconds() - progress->started_at;
    struct text text = {0};
    duration_format(&text, glimpse.now);
    if (elapsed > 0) {
        text_format(&text, "  %.0fx  %.1fM events/s", (double)glimpse.now / 1e9 / elapsed,
                    (double)glimpse.events / elapsed / 1e6);
    }
    text_append(&text, "  lag ");
    count_format(&text, glimpse.lag_records);
    /* The name last: a narrow terminal cuts it off first. */
    if (glimpse.group != NULL) text_format(&text, "  %s %s", glimpse.state, glimpse.group);
    int permille = (int)((double)glimpse.now / (double)session->scenario->duration_ns * 1000);
    progress_show(progress, permille, text_data(&text));
    text_free(&text);
}

/* Runs to the end; EXIT_INTERRUPTED or EXIT_INTERNAL (the store failed) stop it before. */
static int run_to_the_end(struct session *session, double *wall_seconds)
{
    const struct run_values *values = session->values;
    struct progress progress;
    progress_begin(&progress, !values->quiet);
    int result = EXIT_FINE;
    bool goes_on = true;
    while (goes_on && result == EXIT_FINE) {
        goes_on = run_step(session->run, EVENTS_PER_STEP);
        if (progress_is_due(&progress)) show_progress(&progress, session);
        if (interrupts_pending()) result = EXIT_INTERRUPTED;
        if (session->store != NULL && store_error(session->store) != NULL) result = EXIT_INTERNAL;
    }
    progress_end(&progress);
    *wall_seconds = wall_clock_seconds() - progress.started_at;
    return result;
}

/* The store gets its last rows, the directory its files and its place. */
static int keep(struct session *session, const struct summary *summary, const json_t *json)
{
    char tie_order[32];
    run_tie_order_format(&session->options, tie_order);
    struct text scenario = {0};
    scenario_document_write(session->document, &scenario);
    summary_store(json, session->store);
    struct sim_statistics statistics = run_statistics(session->run);
    const struct store_run row = {
        .version = version_number(),
        .scenario_name = session->scenario->name,
        .scenario_text = text_data(&scenario),
        .seed = session->options.seed,
        .tie_order = tie_order,
        .duration_ns = run_glimpse(summary->run).now,
        .sample_ns = session->scenario->sample_ns,
        .engine_events = statistics.events,
        .records = run_records(session->run),
        .fingerprints = run_fingerprints(session->run),
    };
    struct store *store = session->store;
    session->store = NULL;
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    struct text file = {0};
    text_format(&file, "%s\n", text);
    free(text);
    bool done = store_finish(store, &row, &session->error) &&
                run_directory_write(session->directory, "scenario.yaml", text_data(&scenario),
                                    scenario.length, &session->error) &&
                run_directory_write(session->directory, "summary.json", file.data, file.length,
                                    &session->error);
    text_free(&file);
    text_free(&scenario);
    if (!done) return fail(session, EXIT_INTERNAL);
    struct run_directory *directory = session->directory;
    session->directory = NULL;
    enum run_directory_result result = run_directory_commit(directory, &session->error);
    if (result == RUN_DIRECTORY_FINE) return EXIT_FINE;
    return fail(session, result == RUN_DIRECTORY_FAILED ? EXIT_INTERNAL : EXIT_BAD_INPUT);
}

/* In single quotes where the shell would make something else of it. */
static void append_shell_word(struct text *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,@%+";
    text_append(text, " ");
    if (*word != '\0' && word[strspn(word, plain)] == '\0') {
        text_append(text, word);
        return;
    }
    text_append(text, "'");
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'') {
            text_append(text, "'\\''");
        } else {
            text_append_bytes(text, c, 1);
        }
    }
    text_append(text, "'");
}

static void print_how_to_go_on(const struct session *session)
{
    struct text text = {0};
    if (session->out != NULL) {
        text_append(&text, "\nstored in ");
        text_append(&text, session->out);
        text_append(&text, "; look into it:\n  cohort plot");
        append_shell_word(&text, session->out);
        text_append(&text, "\n  cohort log");
        append_shell_word(&text, session->out);
        text_append(&text, "\n");
    }
    text_append(&text, "\nreproduce: cohort run");
    append_shell_word(&text, session->scenario_path);
    text_format(&text, " --seed %" PRIu64, session->options.seed);
    for (size_t i = 0; i < session->values->sets.count; i++) {
        text_append(&text, " --set");
        append_shell_word(&text, session->values->sets.values[i]);
    }
    if (session->options.tie_order != TIE_CANONICAL) {
        text_append(&text, " --tie-order");
        append_shell_word(&text, session->values->tie_order);
    }
    printf("%s\n", text_data(&text));
    text_free(&text);
}

static int tell(struct session *session, double wall_seconds)
{
    struct summary *summary = summary_new(session->run, wall_seconds);
    json_t *json = summary_json(summary);
    int result = session->store != NULL ? keep(session, summary, json) : EXIT_FINE;
    if (result == EXIT_FINE) {
        result = summary_exit_code(summary);
        if (session->values->json) {
            json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
            putchar('\n');
        } else {
            summary_print(summary, stdout);
            print_how_to_go_on(session);
        }
        fflush(stdout);
        summary_print_violations(summary, stderr);
    }
    json_decref(json);
    summary_free(summary);
    return result;
}

/* A CHECK failed: our own bug. What the store has so far is kept, for it shows the way there. */
static struct session *checked_session;

static void on_failed_check(const char *file, int line, const char *expression)
{
    struct session *session = checked_session;
    fprintf(stderr, "\ncohort: bug: CHECK(%s) failed at %s:%d\n", expression, file, line);
    checked_session = NULL;
    if (session == NULL || session->run == NULL) _Exit(EXIT_INTERNAL);
    struct text moment = {0};
    moment_format(&moment, run_glimpse(session->run).now);
    fprintf(stderr, "at %s of virtual time, scenario %s, seed %" PRIu64 "\n", text_data(&moment),
            session->scenario_path, session->options.seed);
    if (session->store != NULL && session->directory != NULL) {
        struct text scenario = {0};
        scenario_document_write(session->document, &scenario);
        const struct store_run row = {
            .version = version_number(),
            .scenario_name = session->scenario->name,
            .scenario_text = text_data(&scenario),
            .seed = session->options.seed,
            .tie_order = "canonical",
            .duration_ns = run_glimpse(session->run).now,
            .sample_ns = session->scenario->sample_ns,
            .records = run_records(session->run),
            .fingerprints = run_fingerprints(session->run),
        };
        if (store_finish(session->store, &row, &session->error) &&
            run_directory_write(session->directory, "scenario.yaml", text_data(&scenario),
                                scenario.length, &session->error) &&
            run_directory_commit(session->directory, &session->error) == RUN_DIRECTORY_FINE) {
            fprintf(stderr, "the trace up to here is in %s\n", session->out);
        }
    }
    _Exit(EXIT_INTERNAL);
}

static int perform(struct session *session)
{
    int result = load(session);
    if (result != EXIT_FINE) return result;
    interrupts_catch();
    checked_session = session;
    check_set_handler(on_failed_check);
    session->run = run_new(session->scenario, &session->options);
    if (!session->values->no_store) result = open_store(session);
    if (result != EXIT_FINE) return result;
    double wall_seconds = 0;
    result = run_to_the_end(session, &wall_seconds);
    if (result == EXIT_INTERRUPTED) {
        struct text moment = {0};
        moment_format(&moment, run_glimpse(session->run).now);
        fprintf(stderr, "cohort: interrupted at %s of virtual time; nothing was written\n",
                text_data(&moment));
        text_free(&moment);
        return result;
    }
    if (result != EXIT_FINE) {
        fprintf(stderr, "cohort: error: %s\n", store_error(session->store));
        return result;
    }
    run_finish(session->run);
    return tell(session, wall_seconds);
}

static int run(const void *values, const struct arguments *arguments)
{
    struct session session = {.values = values, .scenario_path = arguments->values[0]};
    int result = perform(&session);
    checked_session = NULL;
    check_set_handler(NULL);
    if (session.store != NULL) store_abandon(session.store);
    if (session.directory != NULL) run_directory_abandon(session.directory);
    if (session.run != NULL) run_free(session.run);
    scenario_document_free(session.document);
    free(session.out);
    return result;
}

static const struct run_values defaults = {.tie_order = "canonical", .events = "bounded"};

static const struct option options[] = {
    {"seed", 0, OPTION_TEXT, "N|auto|COMMIT", offsetof(struct run_values, seed),
     "another seed than the scenario's"},
    {"set", 0, OPTION_LIST, "PATH=VALUE", offsetof(struct run_values, sets),
     "change a value, e.g. groups.payments.members=20; may be given again"},
    {"out", 'o', OPTION_TEXT, "DIR", offsetof(struct run_values, out),
     "the run directory; default: NAME-seedN.cohort"},
    {"force", 'f', OPTION_FLAG, NULL, offsetof(struct run_values, force),
     "replace a run directory that is there already"},
    {"no-store", 0, OPTION_FLAG, NULL, offsetof(struct run_values, no_store),
     "write nothing, only tell"},
    {"events", 0, OPTION_CHOICE, "bounded|all|groups|none", offsetof(struct run_values, events),
     "which records the store keeps; bounded: requests and batches of the first part only"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct run_values, json),
     "the summary as one JSON object"},
    {"tie-order", 0, OPTION_TEXT, "ORDER", offsetof(struct run_values, tie_order),
     "canonical, reverse or random:N: who comes first at one instant"},
    {"quiet", 'q', OPTION_FLAG, NULL, offsetof(struct run_values, quiet), "no progress bar"},
};

const struct command command_run = {
    .name = "run",
    .summary = "run a scenario, store what happened and tell it",
    .arguments = "SCENARIO",
    .argument_min = 1,
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct run_values),
    .defaults = &defaults,
    .details = "Exit code 1 when an expectation of the scenario does not hold, 2 for a mistake in "
               "the scenario or\non the command line, 3 for a bug in Cohort or a failing disk, 130 "
               "when interrupted.",
    .example = "cohort run scenarios/rolling-deploy-eager.yaml --seed 42",
    .run = run,
};
