/* tools/comparison_execute.c: the runs of a comparison, by worker processes on all cores.
 *
 * Processes rather than threads: a failed CHECK in one run is then one missing result and a command
 * that reproduces it, not the end of all the others. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "tools/comparison.h"

#include "tools/moment.h"
#include "tools/run.h"
#include "tools/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_PER_STEP 200000

/* The last sample at or before each point's instant. */
static void take_lag_curve(const struct run_group *group, sim_time duration_ns, int64_t *lag)
{
    size_t next = 0;
    int64_t current = 0;
    for (size_t point = 0; point < COMPARISON_POINTS; point++) {
        sim_time at = duration_ns / (COMPARISON_POINTS - 1) * (sim_time)point;
        while (next < group->point_count && group->points[next].at <= at) {
            current = group->points[next++].lag_records;
        }
        lag[point] = current;
    }
}

static void take_metrics(const struct run_group *group, int64_t *metrics)
{
    const struct ledger_group *ledger = &group->ledger;
    metrics[METRIC_stopped_partition_seconds] = ledger->stopped_partition_ns;
    metrics[METRIC_rebalances] = ledger->rebalances;
    metrics[METRIC_rebalance_seconds_total] = ledger->rebalance_ns_total;
    metrics[METRIC_lag_records_max] = ledger->lag_records_max;
    metrics[METRIC_lag_seconds_max] = ledger->lag_ns_max;
    metrics[METRIC_latency_p99_seconds] =
        ledger->latency_ns != NULL ? latency_histogram_quantile(ledger->latency_ns, 990) : 0;
    metrics[METRIC_duplicates] = ledger->duplicates;
    metrics[METRIC_skipped] = ledger->skipped;
    metrics[METRIC_lost] = ledger->lost;
    metrics[METRIC_zombie] = ledger->zombie;
    metrics[METRIC_commits_failed] = ledger->commits_failed;
    metrics[METRIC_moves] = group->anomalies.moves;
    metrics[METRIC_unnecessary_moves] = group->anomalies.moved_needlessly;
    metrics[METRIC_imbalance] = group->anomalies.imbalance;
    metrics[METRIC_cascaded_rebalances] = group->anomalies.cascaded_rebalances;
    metrics[METRIC_reordered] = group->anomalies.reordered_records;
}

static void make_run(struct comparison *comparison, size_t arm, size_t index)
{
    struct cell *cell = comparison_cell(comparison, arm, index);
    const struct scenario *scenario = scenario_document_scenario(comparison->documents[arm]);
    const struct run_options options = {.seed = comparison->first_seed + index};
    cell->state = CELL_FAILED; /* until it is done */
    struct run *run = run_new(scenario, &options);
    while (run_step(run, EVENTS_PER_STEP)) {
    }
    run_finish(run);
    struct fingerprints fingerprints = run_fingerprints(run);
    cell->fingerprints[0] = fingerprints.workload;
    cell->fingerprints[1] = fingerprints.protocol;
    cell->fingerprints[2] = fingerprints.full;
    cell->violations = checkers_violation_count(run_checkers(run));
    for (size_t g = 0; g < comparison->group_count; g++) {
        struct run_group group;
        run_group(run, (int32_t)g, &group);
        struct group_result *result = comparison_result(comparison, arm, index, g);
        take_metrics(&group, result->metrics);
        take_lag_curve(&group, scenario->duration_ns, result->lag);
    }
    run_free(run);
    cell->state = CELL_DONE;
}

/* Takes the next job until there is none. */
static _Noreturn void work(struct comparison *comparison, atomic_size_t *next_job)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    /* What a failing run says is said again, shorter, by the parent. */
    int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, STDERR_FILENO);
    size_t job_count = comparison->arm_count * comparison->runs;
    size_t job;
    while ((job = atomic_fetch_add(next_job, 1)) < job_count) {
        size_t run = job / comparison->arm_count; /* seed by seed, all arms */
        size_t arm = job % comparison->arm_count;
        if (comparison_cell(comparison, arm, run)->state == CELL_EMPTY) {
            make_run(comparison, arm, run);
        }
    }
    _exit(0);
}

static pid_t start_worker(struct comparison *comparison, atomic_size_t *next_job)
{
    pid_t worker = fork();
    if (worker == 0) work(comparison, next_job);
    return worker;
}

static size_t count_done(const struct comparison *comparison)
{
    size_t done = 0;
    for (size_t i = 0; i < comparison->arm_count * comparison->runs; i++) {
        if (comparison->cells[i].state != CELL_EMPTY) done++;
    }
    return done;
}

static void show(struct progress *progress, const struct comparison *comparison, size_t earlier)
{
    size_t total = comparison->arm_count * comparison->runs;
    size_t done = count_done(comparison);
    double elapsed = wall_clock_seconds() - progress->started_at;
    struct text text = {0};
    text_format(&text, "%zu of %zu runs", done, total);
    if (done > earlier) {
        double left = elapsed / (double)(done - earlier) * (double)(total - done);
        text_append(&text, ", ");
        duration_format(&text, SECONDS(1) * (int64_t)(left + 1));
        text_append(&text, " left");
    }
    progress_show(progress, (int)(done * 1000 / total), text_data(&text));
    text_free(&text);
}

bool comparison_execute(struct comparison *comparison, size_t jobs, struct progress *progress)
{
    atomic_size_t *next_job =
        mmap(NULL, sizeof *next_job, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (next_job == MAP_FAILED) return false;
    atomic_init(next_job, 0);
    size_t total = comparison->arm_count * comparison->runs;
    size_t earlier = count_done(comparison);
    if (jobs > total - earlier) jobs = total - earlier;
    pid_t *workers = tool_allocate((jobs + 1) * sizeof *workers);
    for (size_t i = 0; i < jobs; i++)
        workers[i] = start_worker(comparison, next_job);

    size_t alive = jobs;
    while (alive > 0) {
        alive = 0;
        for (size_t i = 0; i < jobs; i++) {
            if (workers[i] <= 0) continue;
            int status = 0;
            if (interrupts_pending()) kill(workers[i], SIGTERM);
            if (waitpid(workers[i], &status, WNOHANG) != workers[i]) {
                alive++;
            } else if (status != 0 && !interrupts_pending()) {
                /* Its run is marked as failed; somebody else takes up the rest. */
                workers[i] = start_worker(comparison, next_job);
                alive++;
            } else {
                workers[i] = 0;
            }
        }
        if (progress_is_due(progress)) show(progress, comparison, earlier);
        if (alive > 0) nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    progress_end(progress);
    free(workers);
    munmap(next_job, sizeof *next_job);
    return !interrupts_pending();
}
