/* tools/report_group_lag.c: the group's lag in records and in seconds, with rebalance marks. */
#include "tools/report.h"

#include <inttypes.h>

/* Points beyond the pixels of the picture: of each span the highest is kept. */
#define POINTS_MAX 2000

static bool write_report(const struct report_input *input, struct text *gnuplot, char **error)
{
    sqlite3_stmt *statement = NULL;
    /* Steps are summed first, then thinned: the sum of maxima would be no lag that ever was. */
    const char *sql =
        "with steps as (select step, at_ns, sum(max(lag_records, 0)) as records,"
        " max(lag_ns) as age from series where group_id=?1 group by step),"
        " thinning as (select max(1, (max(step) + ?2) / ?2) as by from steps)"
        " select min(at_ns), max(records), max(age) from steps, thinning group by step / by"
        " order by 1";
    if (sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) != SQLITE_OK) {
        *error = tool_copy(sqlite3_errmsg(store_database(input->reader)));
        return false;
    }
    sqlite3_bind_int64(statement, 1, input->group);
    sqlite3_bind_int(statement, 2, POINTS_MAX);
    struct text points = {0};
    int64_t records_max = 0;
    sim_time age_max = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int64_t records = sqlite3_column_int64(statement, 1);
        sim_time age = sqlite3_column_int64(statement, 2);
        if (records > records_max) records_max = records;
        if (age > age_max) age_max = age;
        report_seconds(&points, sqlite3_column_int64(statement, 0));
        text_format(&points, " %" PRId64 " ", records);
        report_seconds(&points, age);
        text_append(&points, "\n");
    }
    sqlite3_finalize(statement);
    if (points.length == 0) {
        *error = tool_copy("the run has no samples of its lag");
        return false;
    }
    report_common(input, "lag of the group", gnuplot);
    report_rebalances(input, gnuplot);
    text_format(gnuplot, "records_max = %" PRId64 "\nage_max = ", records_max);
    report_seconds(gnuplot, age_max);
    text_append(gnuplot,
                "\n# seconds, lag in records (sum), age in seconds of the next record of the"
                " partition furthest behind\n$lag << END\n");
    text_append(gnuplot, text_data(&points));
    text_append(gnuplot, "END\n");
    text_free(&points);
    return true;
}

const struct report report_group_lag = {
    .name = "group-lag",
    .summary = "the group's lag in records and in seconds, with its rebalances",
    .write = write_report,
};
