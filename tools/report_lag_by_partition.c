/* tools/report_lag_by_partition.c: lag over time, a row per partition, as a heat map. */
#include "tools/report.h"

#include <inttypes.h>
#include <stdlib.h>

/* More columns than a picture has pixels only blur it. */
#define COLUMNS_MAX 1000
#define NOTHING     INT64_C(-1)

struct heat {
    int64_t *cells; /* shape [row_count][columns], NOTHING = no sample */
    size_t columns;
    int64_t steps_per_column;
    int64_t maximum;
    sim_time column_ns;
};

static bool count_steps(const struct report_input *input, int64_t *steps, sim_time *step_ns)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select max(step) + 1, max(at_ns) from series where group_id=?1";
    bool found =
        sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) == SQLITE_OK;
    if (found) {
        sqlite3_bind_int64(statement, 1, input->group);
        found = sqlite3_step(statement) == SQLITE_ROW &&
                sqlite3_column_type(statement, 0) != SQLITE_NULL;
    }
    if (found) {
        *steps = sqlite3_column_int64(statement, 0);
        sim_time last_at = sqlite3_column_int64(statement, 1);
        *step_ns = *steps > 1 ? last_at / (*steps - 1) : last_at;
        if (*step_ns <= 0) *step_ns = 1;
    }
    sqlite3_finalize(statement);
    return found && *steps > 0;
}

/* The highest lag of each row in each column's span of time. */
static void fill(const struct report_input *input, struct heat *heat)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select step, partition_id, lag_records from series where group_id=?1";
    if (sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) != SQLITE_OK) {
        return;
    }
    sqlite3_bind_int64(statement, 1, input->group);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int row = report_row(input, sqlite3_column_int64(statement, 1));
        size_t column = (size_t)(sqlite3_column_int64(statement, 0) / heat->steps_per_column);
        int64_t lag = sqlite3_column_int64(statement, 2);
        if (row < 0 || column >= heat->columns) continue;
        int64_t *cell = &heat->cells[(size_t)row * heat->columns + column];
        if (lag > *cell) *cell = lag;
        if (lag > heat->maximum) heat->maximum = lag;
    }
    sqlite3_finalize(statement);
}

/* Logarithmic, and 0 must be shown: the colour is that of lag + 1, the label that of lag. */
static void append_color_axis(const struct heat *heat, struct text *gnuplot)
{
    int64_t top = heat->maximum > 9 ? heat->maximum : 9;
    text_format(gnuplot, "set cbrange [1:%" PRId64 "]\nset cbtics ('0' 1", top + 1);
    for (int64_t power = 1; power <= top && power < INT64_C(1000000000000000); power *= 10) {
        static const char *const suffixes[] = {"", "k", "M", "G", "T"};
        int64_t scaled = power;
        size_t suffix = 0;
        while (scaled >= 1000) {
            scaled /= 1000;
            suffix++;
        }
        text_format(gnuplot, ", '%" PRId64 "%s' %" PRId64, scaled, suffixes[suffix], power + 1);
    }
    text_append(gnuplot, ")\n");
}

static bool write_report(const struct report_input *input, struct text *gnuplot, char **error)
{
    struct heat heat = {0};
    int64_t steps = 0;
    sim_time step_ns = 0;
    if (!count_steps(input, &steps, &step_ns)) {
        *error = tool_copy("the run has no samples of its lag");
        return false;
    }
    heat.steps_per_column = (steps + COLUMNS_MAX - 1) / COLUMNS_MAX;
    heat.columns = (size_t)((steps + heat.steps_per_column - 1) / heat.steps_per_column);
    heat.column_ns = step_ns * heat.steps_per_column;
    size_t cell_count = input->row_count * heat.columns;
    heat.cells = tool_allocate(cell_count * sizeof *heat.cells);
    for (size_t i = 0; i < cell_count; i++)
        heat.cells[i] = NOTHING;
    fill(input, &heat);

    report_common(input, "lag by partition", gnuplot);
    report_row_names(input, gnuplot);
    report_rebalances(input, gnuplot);
    append_color_axis(&heat, gnuplot);
    text_append(gnuplot, "column_seconds = ");
    report_seconds(gnuplot, heat.column_ns);
    text_format(gnuplot, "\ncolumns = %zu\n", heat.columns);
    text_append(gnuplot, "# lag in records: a line per partition, a value per column\n"
                         "$lag << END\n");
    for (size_t row = 0; row < input->row_count; row++) {
        for (size_t column = 0; column < heat.columns; column++) {
            int64_t lag = heat.cells[row * heat.columns + column];
            if (lag == NOTHING) {
                text_append(gnuplot, "nan ");
            } else {
                text_format(gnuplot, "%" PRId64 " ", lag);
            }
        }
        /* image needs two values in each direction */
        if (heat.columns == 1) text_append(gnuplot, "nan");
        text_append(gnuplot, "\n");
    }
    if (input->row_count == 1) {
        for (size_t column = 0; column < (heat.columns > 1 ? heat.columns : 2); column++) {
            text_append(gnuplot, "nan ");
        }
        text_append(gnuplot, "\n");
    }
    text_append(gnuplot, "END\n");
    free(heat.cells);
    return true;
}

const struct report report_lag_by_partition = {
    .name = "lag-by-partition",
    .summary = "lag in records over time, a row per partition, as a heat map",
    .write = write_report,
};
