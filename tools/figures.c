#include "tools/figures.h"

#include "sim/check.h"

#include <string.h>

#define FIELD(name)                                                                                \
    static int64_t read_##name(const struct ledger_group *group)                                   \
    {                                                                                              \
        return group->name;                                                                        \
    }
FIELD(rebalances)
FIELD(rebalance_ns_total)
FIELD(rebalance_ns_max)
FIELD(stopped_partition_ns)
FIELD(lag_records_max)
FIELD(lag_ns_max)
FIELD(lag_records_end)
FIELD(produced)
FIELD(processed)
FIELD(duplicates)
FIELD(effective_duplicates)
FIELD(skipped)
FIELD(lost)
FIELD(zombie)
FIELD(commits_attempted)
FIELD(commits_failed)
FIELD(session_timeouts)
FIELD(poll_timeouts)
#undef FIELD

#define QUANTILE(name, permille)                                                                   \
    static int64_t read_##name(const struct ledger_group *group)                                   \
    {                                                                                              \
        return latency_histogram_quantile(group->latency_ns, permille);                            \
    }
QUANTILE(latency_p50, 500)
QUANTILE(latency_p95, 950)
QUANTILE(latency_p99, 990)
#undef QUANTILE

static int64_t read_latency_max(const struct ledger_group *group)
{
    return latency_histogram_max(group->latency_ns);
}

const struct figure figures[] = {
    {"rebalances", "rebalances", FIGURE_COUNT, -1, read_rebalances},
    {"rebalance_seconds_total", "rebalancing, in all", FIGURE_SECONDS, -1, read_rebalance_ns_total},
    {"rebalance_seconds_max", "longest rebalance", FIGURE_SECONDS, -1, read_rebalance_ns_max},
    {"stopped_partition_seconds", "partitions stopped", FIGURE_SECONDS, -1,
     read_stopped_partition_ns},
    {"lag_records_max", "most records behind", FIGURE_COUNT, -1, read_lag_records_max},
    {"lag_seconds_max", "longest time behind", FIGURE_SECONDS, -1, read_lag_ns_max},
    {"lag_records_end", "records behind at the end", FIGURE_COUNT, -1, read_lag_records_end},
    {"produced", "produced", FIGURE_COUNT, 0, read_produced},
    {"processed", "processed", FIGURE_COUNT, 0, read_processed},
    {"duplicates", "duplicates", FIGURE_COUNT, -1, read_duplicates},
    {"effective_duplicates", "duplicates the sink took", FIGURE_COUNT, -1,
     read_effective_duplicates},
    {"skipped", "skipped", FIGURE_COUNT, -1, read_skipped},
    {"lost", "lost", FIGURE_COUNT, -1, read_lost},
    {"zombie", "zombie work", FIGURE_COUNT, -1, read_zombie},
    {"commits_attempted", "commits", FIGURE_COUNT, 0, read_commits_attempted},
    {"commits_failed", "commits that failed", FIGURE_COUNT, -1, read_commits_failed},
    {"session_timeouts", "session timeouts", FIGURE_COUNT, -1, read_session_timeouts},
    {"poll_timeouts", "poll timeouts", FIGURE_COUNT, -1, read_poll_timeouts},
    {"latency_ms_p50", "latency, median", FIGURE_MILLISECONDS, -1, read_latency_p50},
    {"latency_ms_p95", "latency, 95 %", FIGURE_MILLISECONDS, -1, read_latency_p95},
    {"latency_ms_p99", "latency, 99 %", FIGURE_MILLISECONDS, -1, read_latency_p99},
    {"latency_ms_max", "latency, longest", FIGURE_MILLISECONDS, -1, read_latency_max},
};
const size_t figure_count = ARRAY_LEN(figures);

const struct figure *figure_find(const char *key)
{
    for (size_t i = 0; i < figure_count; i++) {
        if (strcmp(figures[i].key, key) == 0) return &figures[i];
    }
    return NULL;
}

double figure_value(const struct figure *figure, int64_t raw)
{
    switch (figure->unit) {
    case FIGURE_COUNT: return (double)raw;
    case FIGURE_SECONDS: return (double)raw / 1e9;
    case FIGURE_MILLISECONDS: return (double)raw / 1e6;
    }
    return 0.0;
}
