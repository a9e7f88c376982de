/* tools/run_lookup.c: the metrics of `expect:` lines, from a run's figures. */
#include "tools/expect.h"
#include "tools/run.h"

#include "sim/check.h"

#include <string.h>

/* Of a value that was sampled: what one step says. */
typedef int64_t point_value(const struct run_point *point);

static int64_t lag_records_of(const struct run_point *point)
{
    return point->lag_records;
}

static int64_t lag_ns_of(const struct run_point *point)
{
    return point->lag_ns;
}

static int64_t members_of(const struct run_point *point)
{
    return point->members;
}

/* `exact_max` is the ledger's, which misses nothing between samples; -1 = take the samples'. */
static bool look_up_series(const struct run_group *group, const struct expect_term *term,
                           point_value *value_of, int64_t exact_max, double *value)
{
    if (term->aggregate == EXPECT_MAX && exact_max >= 0) {
        *value = (double)exact_max;
        return true;
    }
    if (group->point_count == 0) return false;
    double sum = 0;
    int64_t minimum = INT64_MAX;
    int64_t maximum = INT64_MIN;
    const struct run_point *at = NULL;
    for (size_t i = 0; i < group->point_count; i++) {
        const struct run_point *point = &group->points[i];
        int64_t now = value_of(point);
        sum += (double)now;
        if (now < minimum) minimum = now;
        if (now > maximum) maximum = now;
        if (point->at <= term->at) at = point;
    }
    switch (term->aggregate) {
    case EXPECT_MAX: *value = (double)maximum; return true;
    case EXPECT_MIN: *value = (double)minimum; return true;
    case EXPECT_MEAN: *value = sum / (double)group->point_count; return true;
    case EXPECT_LAST:
        *value = (double)value_of(&group->points[group->point_count - 1]);
        return true;
    case EXPECT_AT:
        if (at == NULL) return false;
        *value = (double)value_of(at);
        return true;
    case EXPECT_PLAIN:
    case EXPECT_TOTAL:
    case EXPECT_P50:
    case EXPECT_P95:
    case EXPECT_P99:
    case EXPECT_AGGREGATE_COUNT: break;
    }
    return false;
}

static bool look_up_latency(const struct run_group *group, enum expect_aggregate aggregate,
                            double *value)
{
    const struct latency_histogram *histogram = group->ledger.latency_ns;
    if (histogram == NULL || latency_histogram_count(histogram) == 0) return false;
    sim_time latency_ns = 0;
    switch (aggregate) {
    case EXPECT_P50: latency_ns = latency_histogram_quantile(histogram, 500); break;
    case EXPECT_P95: latency_ns = latency_histogram_quantile(histogram, 950); break;
    case EXPECT_P99: latency_ns = latency_histogram_quantile(histogram, 990); break;
    case EXPECT_MAX: latency_ns = latency_histogram_max(histogram); break;
    case EXPECT_PLAIN:
    case EXPECT_MIN:
    case EXPECT_MEAN:
    case EXPECT_TOTAL:
    case EXPECT_LAST:
    case EXPECT_AT:
    case EXPECT_AGGREGATE_COUNT: return false;
    }
    *value = (double)latency_ns / 1e9;
    return true;
}

static bool look_up_rebalance_time(const struct run_group *group, enum expect_aggregate aggregate,
                                   double *value)
{
    double total = (double)group->ledger.rebalance_ns_total / 1e9;
    if (aggregate == EXPECT_MAX) {
        *value = (double)group->ledger.rebalance_ns_max / 1e9;
    } else if (aggregate == EXPECT_MEAN) {
        *value = group->ledger.rebalances > 0 ? total / (double)group->ledger.rebalances : 0;
    } else {
        *value = total;
    }
    return true;
}

/* Metrics with one value. */
static bool look_up_figure(const struct run_group *group, const char *name, double *value)
{
    const struct {
        const char *name;
        int64_t value;
    } figures[] = {
        {"rebalances", group->ledger.rebalances},
        {"produced", group->ledger.produced},
        {"processed", group->processed_once},
        {"duplicates", group->ledger.duplicates},
        {"effective_duplicates", group->ledger.effective_duplicates},
        {"skipped", group->ledger.skipped},
        {"lost", group->ledger.lost},
        {"compacted", group->ledger.compacted},
        {"zombie", group->ledger.zombie},
        {"taken_back", group->ledger.taken_back},
        {"copies", group->ledger.copies},
        {"out_of_order", group->anomalies.out_of_order},
        {"overtaken", group->anomalies.overtaken},
        {"cascaded_rebalances", group->anomalies.cascaded_rebalances},
        {"moves", group->anomalies.moves},
        {"unnecessary_moves", group->anomalies.moved_needlessly},
        {"imbalance", group->anomalies.imbalance},
        {"rejected_commits", group->anomalies.rejected_commits},
        {"commit_rewinds", group->anomalies.commit_rewinds},
        {"offset_resets", group->anomalies.offset_resets},
        {"poll_skips", group->anomalies.poll_skips},
        {"poll_rewinds", group->anomalies.poll_rewinds},
        {"generations_reused", group->anomalies.generations_reused},
        {"reordered", group->anomalies.reordered_records},
        {"fatal_errors", group->anomalies.fatal_errors},
        {"exceptions_caught", group->anomalies.exceptions_caught},
        {"waiting", group->anomalies.waiting},
        {"commits_attempted", group->ledger.commits_attempted},
        {"commits_failed", group->ledger.commits_failed},
        {"session_timeouts", group->ledger.session_timeouts},
        {"poll_timeouts", group->ledger.poll_timeouts},
    };
    for (size_t i = 0; i < ARRAY_LEN(figures); i++) {
        if (strcmp(figures[i].name, name) != 0) continue;
        *value = (double)figures[i].value;
        return true;
    }
    return false;
}

bool run_lookup(void *context, const struct expect_term *term, double *value)
{
    const struct run *run = context;
    const char *name = term->metric->name;
    if (strcmp(name, "violations") == 0) {
        *value = (double)checkers_violation_count(run_checkers(run));
        return true;
    }
    if (term->group < 0) return false;
    struct run_group group;
    run_group(run, term->group, &group);
    if (strcmp(name, "lag_records") == 0) {
        return look_up_series(&group, term, lag_records_of, group.ledger.lag_records_max, value);
    }
    if (strcmp(name, "members") == 0) return look_up_series(&group, term, members_of, -1, value);
    if (strcmp(name, "lag_time") == 0) {
        bool known = look_up_series(&group, term, lag_ns_of, group.ledger.lag_ns_max, value);
        if (known) *value /= 1e9;
        return known;
    }
    if (strcmp(name, "latency") == 0) return look_up_latency(&group, term->aggregate, value);
    if (strcmp(name, "rebalance_time") == 0) {
        return look_up_rebalance_time(&group, term->aggregate, value);
    }
    if (strcmp(name, "forming_time") == 0) {
        *value = (double)group.anomalies.forming_ns / 1e9;
        return group.anomalies.forming_ns >= 0;
    }
    if (strcmp(name, "stopped_partition_time") == 0) {
        *value = (double)group.ledger.stopped_partition_ns / 1e9;
        return true;
    }
    if (term->cause >= 0) {
        *value = (double)group.findings->records[term->finding][term->cause];
        return true;
    }
    return look_up_figure(&group, name, value);
}
