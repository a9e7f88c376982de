/* tools/cmd_compare.c: `cohort compare`: the same incident under several settings, paired by seed.
 */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/comparison.h"
#include "tools/comparison_file.h"
#include "tools/comparison_report.h"
#include "tools/run_directory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNS_MAX 100000
#define JOBS_MAX 1024

struct compare_values {
    const char *vary;
    int64_t runs;
    struct option_list sets;
    const char *seed;
    int64_t jobs;
    const char *out;
    const char *format;
    bool extend;
    bool force;
    bool json;
    bool csv;
    bool quiet;
};

/* Names every run that gave no result or broke an invariant; false when there is one. */
static bool all_runs_are_good(const struct comparison *comparison)
{
    size_t bad = 0;
    for (size_t run = 0; run < comparison->runs; run++) {
        for (size_t arm = 0; arm < comparison->arm_count; arm++) {
            const struct cell *cell = comparison_cell(comparison, arm, run);
            bool is_done = cell->state == CELL_DONE;
            if (is_done && cell->violations == 0) continue;
            if (++bad > 5) continue;
            fprintf(stderr, "cohort: error: %s: cohort run %s --set '%s=%s' --seed %" PRIu64 "\n",
                    is_done ? "an invariant was violated (a bug in Cohort)"
                            : "a run gave no result (a bug in Cohort)",
                    comparison->path, comparison->vary, comparison->arms[arm],
                    comparison->first_seed + run);
        }
    }
    if (bad > 5) fprintf(stderr, "cohort: error: and %zu more\n", bad - 5);
    return bad == 0;
}

static bool fill_directory(const struct comparison *comparison, const struct compare_values *values,
                           struct run_directory *directory, const json_t *json, char **error)
{
    struct text runs = {0};
    struct text lag = {0};
    comparison_write_runs(comparison, &runs);
    comparison_write_lag(comparison, &lag);
    char *summary = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    bool done = run_directory_write(directory, "runs.csv", runs.data, runs.length, error) &&
                run_directory_write(directory, "lag.csv", lag.data, lag.length, error) &&
                run_directory_write(directory, "comparison.json", summary, strlen(summary), error);
    free(summary);
    text_free(&runs);
    text_free(&lag);
    if (!done) return false;
    if (!gnuplot_is_there(error)) {
        fprintf(stderr, "cohort: warning: no pictures: %s\n", *error);
        free(*error);
        *error = NULL;
        return true;
    }
    return comparison_draw(comparison,
                           strcmp(values->format, "svg") == 0 ? PICTURE_SVG : PICTURE_PNG,
                           run_directory_file(directory, "."), error);
}

static int tell(const struct comparison *comparison, const struct compare_values *values,
                struct run_directory **directory)
{
    json_t *json = comparison_json(comparison);
    char *error = NULL;
    int result = EXIT_FINE;
    if (*directory != NULL) {
        if (!fill_directory(comparison, values, *directory, json, &error)) {
            result = EXIT_INTERNAL;
        } else {
            struct run_directory *filled = *directory;
            *directory = NULL;
            enum run_directory_result placed = run_directory_commit(filled, &error);
            if (placed == RUN_DIRECTORY_IN_THE_WAY) result = EXIT_BAD_INPUT;
            if (placed == RUN_DIRECTORY_FAILED) result = EXIT_INTERNAL;
        }
    }
    if (error != NULL) fprintf(stderr, "cohort: error: %s\n", error);
    free(error);
    if (result == EXIT_FINE && values->json) {
        json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        putchar('\n');
    } else if (result == EXIT_FINE && values->csv) {
        struct text runs = {0};
        comparison_write_runs(comparison, &runs);
        fputs(text_data(&runs), stdout);
        text_free(&runs);
    } else if (result == EXIT_FINE) {
        comparison_print(comparison, stdout);
        if (values->out != NULL) printf("\nstored in %s, with pictures\n", values->out);
    }
    json_decref(json);
    return result;
}

static int compare(struct comparison *comparison, const struct compare_values *values)
{
    char *error = NULL;
    struct run_directory *directory = NULL;
    if (values->extend && !comparison_read(comparison, values->out, &error)) {
        fprintf(stderr, "cohort: error: %s\n", error);
        free(error);
        return EXIT_BAD_INPUT;
    }
    if (values->out != NULL) {
        enum run_directory_result result =
            run_directory_begin(values->out, values->force || values->extend, &directory, &error);
        if (result != RUN_DIRECTORY_FINE) {
            fprintf(stderr, "cohort: error: %s\n", error);
            free(error);
            return result == RUN_DIRECTORY_FAILED ? EXIT_INTERNAL : EXIT_BAD_INPUT;
        }
    }
    interrupts_catch();
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = values->jobs > 0 ? (size_t)values->jobs : cores > 0 ? (size_t)cores : 1;
    struct progress progress;
    progress_begin(&progress, !values->quiet);
    int result = EXIT_FINE;
    if (!comparison_execute(comparison, jobs, &progress)) {
        fputs("cohort: interrupted; nothing was written\n", stderr);
        result = EXIT_INTERRUPTED;
    } else if (!all_runs_are_good(comparison)) {
        result = EXIT_INTERNAL;
    } else {
        result = tell(comparison, values, &directory);
    }
    if (directory != NULL) run_directory_abandon(directory);
    return result;
}

static int run(const void *raw_values, const struct arguments *arguments)
{
    const struct compare_values *values = raw_values;
    const char *wrong = NULL;
    if (values->vary == NULL) wrong = "compare needs --vary PATH=VALUE,VALUE,…";
    if (values->runs < 1 || values->runs > RUNS_MAX) wrong = "--runs: expected 1 to 100000";
    if (values->jobs > JOBS_MAX) wrong = "--jobs: expected at most 1024";
    if (values->extend && values->out == NULL) wrong = "--extend needs --out DIR";
    if (wrong != NULL) {
        fprintf(stderr, "cohort: error: %s\nsee: cohort help compare\n", wrong);
        return EXIT_BAD_INPUT;
    }
    const struct scenario_overrides overrides = {.sets = values->sets.values,
                                                 .set_count = values->sets.count,
                                                 .seed = values->seed};
    struct diagnostics *diagnostics = diagnostics_new();
    struct comparison *comparison = comparison_new(arguments->values[0], &overrides, values->vary,
                                                   (size_t)values->runs, diagnostics);
    diagnostics_print(diagnostics, stderr);
    diagnostics_free(diagnostics);
    if (comparison == NULL) return EXIT_BAD_INPUT;
    int result = compare(comparison, values);
    comparison_free(comparison);
    return result;
}

static const struct compare_values defaults = {.runs = 20, .format = "png"};

static const struct option options[] = {
    {"vary", 0, OPTION_TEXT, "PATH=A,B,…", offsetof(struct compare_values, vary),
     "the value that differs between the arms; the first is the base"},
    {"runs", 'n', OPTION_INTEGER, "N", offsetof(struct compare_values, runs),
     "seeds per arm; default: 20"},
    {"seed", 0, OPTION_TEXT, "N|auto|COMMIT", offsetof(struct compare_values, seed),
     "the first seed; the others count up from it"},
    {"set", 0, OPTION_LIST, "PATH=VALUE", offsetof(struct compare_values, sets),
     "change a value in every arm; may be given again"},
    {"jobs", 'j', OPTION_INTEGER, "N", offsetof(struct compare_values, jobs),
     "runs at the same time; default: all cores"},
    {"out", 'o', OPTION_TEXT, "DIR", offsetof(struct compare_values, out),
     "write every run's figures, the comparison and its pictures there"},
    {"extend", 0, OPTION_FLAG, NULL, offsetof(struct compare_values, extend),
     "take over the runs that DIR holds and make only the missing ones"},
    {"force", 'f', OPTION_FLAG, NULL, offsetof(struct compare_values, force),
     "replace a comparison that is there already"},
    {"format", 0, OPTION_CHOICE, "png|svg", offsetof(struct compare_values, format),
     "of the pictures; default: png"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct compare_values, json), "one JSON object"},
    {"csv", 0, OPTION_FLAG, NULL, offsetof(struct compare_values, csv), "every run as CSV"},
    {"quiet", 'q', OPTION_FLAG, NULL, offsetof(struct compare_values, quiet), "no progress bar"},
};

const struct command command_compare = {
    .name = "compare",
    .summary = "the same incident under several settings, paired by seed, with intervals",
    .arguments = "SCENARIO",
    .argument_min = 1,
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct compare_values),
    .defaults = &defaults,
    .details = "Arms with one seed see the same arrivals, service times and faults, so their "
               "difference is that of\nthe setting. Where their workload fingerprints differ they "
               "are not called paired. More runs begin\nwith the runs of a smaller comparison.",
    .example = "cohort compare scenarios/rolling-deploy-eager.yaml --runs 50 \\\n"
               "    --vary groups.payment-processors.config.partition.assignment.strategy="
               "range,cooperative-sticky",
    .run = run,
};
