#include "tools/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* More labels than this on one axis cannot be told apart. */
#define ROW_NAMES_MAX 30

bool report_input_load(struct report_input *input, const struct store_reader *reader, name_id group)
{
    *input = (struct report_input){
        .reader = reader,
        .group = group,
        .group_name = store_name(reader, group),
        .duration_ns = store_run_row(reader)->duration_ns,
    };
    sqlite3_stmt *statement = NULL;
    const char *sql = "select p.id from partitions p where p.id in"
                      " (select partition_id from series where group_id=?1"
                      "  union select partition_id from intervals where group_id=?1"
                      "  and what='ownership') order by p.topic, p.partition";
    if (sqlite3_prepare_v2(store_database(reader), sql, -1, &statement, NULL) != SQLITE_OK) {
        return false;
    }
    sqlite3_bind_int64(statement, 1, group);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        const struct store_partition *row =
            store_find_partition(reader, sqlite3_column_int64(statement, 0));
        if (row == NULL) continue;
        bool is_new_topic = input->row_count == 0 ||
                            strcmp(input->rows[input->row_count - 1]->topic, row->topic) != 0;
        if (is_new_topic) input->topic_count++;
        input->rows = tool_resize(input->rows, (input->row_count + 1) * sizeof *input->rows);
        input->rows[input->row_count++] = row;
    }
    sqlite3_finalize(statement);
    return input->row_count > 0 && input->duration_ns > 0;
}

void report_input_free(struct report_input *input)
{
    free(input->rows);
}

int report_row(const struct report_input *input, int64_t partition)
{
    const struct store_partition *found = store_find_partition(input->reader, partition);
    size_t low = 0;
    size_t high = input->row_count;
    /* Rows keep the order of the store's array of partitions. */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (input->rows[middle] == found) return (int)middle;
        if (input->rows[middle] < found) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return -1;
}

void report_quote(struct text *gnuplot, const char *text)
{
    text_append(gnuplot, "'");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') text_append(gnuplot, "'");
        /* A line break would end the string. */
        text_append_bytes(gnuplot, *c == '\n' ? " " : c, 1);
    }
    text_append(gnuplot, "'");
}

void report_seconds(struct text *gnuplot, sim_time at)
{
    text_format(gnuplot, "%" PRId64 ".%06" PRId64, at / SECONDS(1), at % SECONDS(1) / 1000);
}

void report_common(const struct report_input *input, const char *title, struct text *gnuplot)
{
    const struct store_run_row *run = store_run_row(input->reader);
    struct text text = {0};
    text_format(&text, "%s: %s", input->group_name, title);
    text_append(gnuplot, "picture_title = ");
    report_quote(gnuplot, text_data(&text));
    text_clear(&text);
    text_format(&text, "scenario %s, seed %" PRIu64 ", cohort %s", run->scenario_name, run->seed,
                run->version);
    text_append(gnuplot, "\npicture_subtitle = ");
    report_quote(gnuplot, text_data(&text));
    text_free(&text);

    bool in_hours = input->duration_ns > HOURS(3);
    bool in_minutes = !in_hours && input->duration_ns > MINUTES(5);
    text_format(gnuplot, "\ntime_unit = %s # seconds\n",
                in_hours     ? "3600.0"
                : in_minutes ? "60.0"
                             : "1.0");
    text_format(gnuplot, "time_label = 'virtual time (%s)'\n",
                in_hours     ? "h"
                : in_minutes ? "min"
                             : "s");
    text_append(gnuplot, "duration = ");
    report_seconds(gnuplot, input->duration_ns);
    text_format(gnuplot, " # seconds\nrows = %zu\n", input->row_count);
}

void report_row_names(const struct report_input *input, struct text *gnuplot)
{
    size_t step = 1;
    static const size_t steps[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        step = steps[i];
        if (input->row_count / step <= ROW_NAMES_MAX) break;
    }
    bool one_topic = input->topic_count == 1;
    text_append(gnuplot, "row_label = ");
    struct text label = {0};
    if (one_topic) {
        text_format(&label, "partition of %s", input->rows[0]->topic);
    } else {
        text_append(&label, "partition");
    }
    report_quote(gnuplot, text_data(&label));
    text_append(gnuplot, "\nset ytics scale 0.5 (");
    bool is_first = true;
    for (size_t i = 0; i < input->row_count; i++) {
        if ((size_t)input->rows[i]->number % step != 0) continue;
        text_clear(&label);
        if (one_topic) {
            text_format(&label, "%d", input->rows[i]->number);
        } else {
            text_format(&label, "%s-%d", input->rows[i]->topic, input->rows[i]->number);
        }
        if (!is_first) text_append(gnuplot, ", ");
        report_quote(gnuplot, text_data(&label));
        text_format(gnuplot, " %zu", i);
        is_first = false;
    }
    text_append(gnuplot, ")\n");
    text_free(&label);
}

/* As the summary counts them: one may begin while another goes on, in one band of time. A store
 * without a summary has at least the bands. */
static int64_t counted_rebalances(const struct report_input *input, int64_t bands)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select value from summary where path='groups.' || ?1 || '.rebalances'";
    int64_t count = bands;
    if (sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, input->group_name, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW) count = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return count;
}

void report_rebalances(const struct report_input *input, struct text *gnuplot)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select begin_ns, end_ns from intervals where what='rebalance' and"
                      " group_id=?1 order by begin_ns";
    int count = 0;
    text_append(gnuplot, "# begin and end of each rebalance, in seconds\n$rebalances << END\n");
    if (sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, input->group);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            report_seconds(gnuplot, sqlite3_column_int64(statement, 0));
            text_append(gnuplot, " ");
            report_seconds(gnuplot, sqlite3_column_int64(statement, 1));
            text_append(gnuplot, "\n");
            count++;
        }
    }
    sqlite3_finalize(statement);
    if (count == 0) text_append(gnuplot, "-2 -1\n");
    text_format(gnuplot, "END\nrebalances = %" PRId64 "\n", counted_rebalances(input, count));
}
