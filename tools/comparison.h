/* tools/comparison.h: one scenario in several arms, each run with the same seeds.
 *
 * An arm is the scenario with one value changed. Run r of every arm has seed `first_seed` + r, so a
 * comparison of more runs begins with the runs of a smaller one, bit for bit, and arms are paired
 * by seed. Runs are made by worker processes, which share nothing but the table of results; the
 * table does not depend on their number.
 *
 * All results are integers (records, nanoseconds): sums are exact, and an arm compared with itself
 * differs by exactly zero. */
#ifndef TOOLS_COMPARISON_H
#define TOOLS_COMPARISON_H

#include "model/scenario.h"
#include "tools/diagnostic.h"
#include "tools/paired.h"
#include "tools/progress.h"
#include "tools/scenario_yaml.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_unit { METRIC_COUNT, METRIC_DURATION };

/* X(key as in summary.json, unit, label, before, less, more): less and more complete the sentence
 * "ARM before AMOUNT less BASE". */
#define COMPARISON_METRICS(X)                                                                      \
    X(stopped_partition_seconds, DURATION, "partitions stood still", "stops partitions for",       \
      "less than", "longer than")                                                                  \
    X(rebalances, COUNT, "rebalances", "rebalances", "times less than", "times more than")         \
    X(rebalance_seconds_total, DURATION, "rebalancing", "rebalances for", "less than",             \
      "longer than")                                                                               \
    X(lag_records_max, COUNT, "lag at most (records)", "falls at most",                            \
      "records less behind than", "records further behind than")                                   \
    X(lag_seconds_max, DURATION, "lag at most (time)", "falls at most", "less behind than",        \
      "further behind than")                                                                       \
    X(latency_p99_seconds, DURATION, "produce to process, p99", "has a p99 latency", "lower than", \
      "higher than")                                                                               \
    X(duplicates, COUNT, "duplicates", "repeats", "records fewer than", "records more than")       \
    X(skipped, COUNT, "skipped", "skips", "records fewer than", "records more than")               \
    X(lost, COUNT, "lost", "loses", "records fewer than", "records more than")                     \
    X(zombie, COUNT, "zombie work", "has zombies process", "records fewer than",                   \
      "records more than")                                                                         \
    X(commits_failed, COUNT, "commits failed", "fails", "commits fewer than", "commits more than") \
    X(moves, COUNT, "partitions moved", "moves", "partitions fewer than", "partitions more than")  \
    X(unnecessary_moves, COUNT, "moved needlessly", "moves needlessly", "partitions fewer than",   \
      "partitions more than")                                                                      \
    X(imbalance, COUNT, "members apart (partitions)", "has its members apart",                     \
      "partitions less than", "partitions more than")                                              \
    X(cascaded_rebalances, COUNT, "cascaded rebalances", "cascades", "times less than",            \
      "times more than")                                                                           \
    X(reordered, COUNT, "out of order", "reorders", "records fewer than", "records more than")

enum comparison_metric {
#define X(key, ...) METRIC_##key,
    COMPARISON_METRICS(X)
#undef X
        COMPARISON_METRIC_COUNT
};

struct metric_info {
    const char *key;
    enum metric_unit unit;
    const char *label;
    const char *before;
    const char *less;
    const char *more;
};
extern const struct metric_info comparison_metrics[COMPARISON_METRIC_COUNT];

/* Points of a lag curve, evenly over the scenario's duration. */
#define COMPARISON_POINTS 241

enum cell_state { CELL_EMPTY, CELL_DONE, CELL_FAILED };

/* What one group showed in one run. */
struct group_result {
    int64_t metrics[COMPARISON_METRIC_COUNT];
    int64_t lag[COMPARISON_POINTS]; /* records */
};

struct cell {
    enum cell_state state;
    uint64_t fingerprints[3]; /* workload, protocol, full */
    int64_t violations;
    bool from_file; /* its lag curve is in `earlier_lag` only */
};

struct comparison {
    const char *path; /* of the scenario */
    char *vary;       /* the path that varies */
    char **arms;      /* values of it, shape [arm_count]; the first is the base */
    size_t arm_count;
    struct scenario_document **documents; /* shape [arm_count] */
    const struct scenario *scenario;      /* of the first arm: names, duration */
    size_t group_count;
    size_t runs;
    uint64_t first_seed;
    uint64_t identity;            /* hash of every arm's resolved scenario: what may be extended */
    struct cell *cells;           /* shape [arm_count][runs], shared with the workers */
    struct group_result *results; /* shape [arm_count][runs][group_count], likewise */
    int64_t *earlier_lag; /* sums over runs from a file, shape [arm_count][group_count][points] */
};

/* Loads every arm; mistakes are reported. `vary` is "PATH=a,b,c"; commas inside brackets or quotes
 * do not part values. NULL when something was wrong. */
struct comparison *comparison_new(const char *path, const struct scenario_overrides *overrides,
                                  const char *vary, size_t runs, struct diagnostics *diagnostics);
void comparison_free(struct comparison *comparison);

struct cell *comparison_cell(const struct comparison *comparison, size_t arm, size_t run);
struct group_result *comparison_result(const struct comparison *comparison, size_t arm, size_t run,
                                       size_t group);

/* Makes every run that is not there yet, by `jobs` processes. False when interrupted. */
bool comparison_execute(struct comparison *comparison, size_t jobs, struct progress *progress);

/* Are all arms' workloads the same, seed by seed? */
bool comparison_is_paired(const struct comparison *comparison, size_t arm);
/* The arm against the first one. */
struct paired comparison_compare(const struct comparison *comparison, size_t arm, size_t group,
                                 enum comparison_metric metric);
/* Sum over all runs. */
int64_t comparison_lag_sum(const struct comparison *comparison, size_t arm, size_t group,
                           size_t point);

#endif
