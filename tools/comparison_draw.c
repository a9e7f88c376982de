/* tools/comparison_draw.c: the pictures of a comparison. */
#include "tools/comparison_report.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static void append_titles(const struct comparison *comparison, size_t group, const char *title,
                          struct text *gnuplot)
{
    struct text text = {0};
    text_format(&text, "%s: %s", comparison->scenario->groups[group].name, title);
    text_append(gnuplot, "picture_title = ");
    report_quote(gnuplot, text_data(&text));
    text_clear(&text);
    text_format(&text, "scenario %s, %s, %zu seeds from %" PRIu64, comparison->scenario->name,
                comparison->vary, comparison->runs, comparison->first_seed);
    text_append(gnuplot, "\npicture_subtitle = ");
    report_quote(gnuplot, text_data(&text));
    text_free(&text);
    sim_time duration_ns = comparison->scenario->duration_ns;
    bool in_hours = duration_ns > HOURS(3);
    bool in_minutes = !in_hours && duration_ns > MINUTES(5);
    text_format(gnuplot,
                "\ntime_unit = %s # seconds\ntime_label = 'virtual time (%s)'\nduration = ",
                in_hours     ? "3600.0"
                : in_minutes ? "60.0"
                             : "1.0",
                in_hours     ? "h"
                : in_minutes ? "min"
                             : "s");
    report_seconds(gnuplot, duration_ns);
    text_format(gnuplot, "\narms = %zu\n", comparison->arm_count);
}

/* Differences have units of their own, so they share an axis as parts of the base's mean. */
static int append_differences(const struct comparison *comparison, size_t group,
                              struct text *gnuplot)
{
    int rows = 0;
    struct text names = {0};
    text_append(gnuplot, "# row, difference, low and high in % of the base's mean, number of the "
                         "arm\n$differences << END\n");
    for (int metric = 0; metric < COMPARISON_METRIC_COUNT; metric++) {
        bool is_named = false;
        for (size_t arm = 1; arm < comparison->arm_count; arm++) {
            struct paired paired =
                comparison_compare(comparison, arm, group, (enum comparison_metric)metric);
            if (paired.mean_a == 0) continue;
            double percent = 100 / fabs(paired.mean_a);
            text_format(gnuplot, "%d %.9g %.9g %.9g %zu\n", rows, paired.difference * percent,
                        paired.low * percent, paired.high * percent, arm);
            if (names.length > 0) text_append(&names, ", ");
            struct text name = {0};
            text_format(&name, "%s%s%s", is_named ? "" : comparison_metrics[metric].label,
                        is_named ? "" : ":  ", comparison->arms[arm]);
            report_quote(&names, text_data(&name));
            text_format(&names, " %d", rows);
            text_free(&name);
            is_named = true;
            rows++;
        }
    }
    if (rows == 0) text_append(gnuplot, "0 0 0 0 1\n");
    text_format(gnuplot, "END\nrows = %d\nset ytics scale 0 (%s)\n", rows > 0 ? rows : 1,
                text_data(&names));
    text_append(gnuplot, "base = ");
    report_quote(gnuplot, comparison->arms[0]);
    text_append(gnuplot, "\n");
    text_free(&names);
    return rows;
}

/* A block per arm: seconds and mean lag. */
static void append_curves(const struct comparison *comparison, size_t group, struct text *gnuplot)
{
    text_append(gnuplot, "array arm_names[arms]\n");
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        text_format(gnuplot, "arm_names[%zu] = ", arm + 1);
        report_quote(gnuplot, comparison->arms[arm]);
        text_append(gnuplot, "\n");
    }
    text_append(gnuplot,
                "# seconds and mean lag in records, an arm after the other\n$lag << END\n");
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        if (arm > 0) text_append(gnuplot, "\n\n");
        for (size_t point = 0; point < COMPARISON_POINTS; point++) {
            report_seconds(gnuplot, comparison->scenario->duration_ns / (COMPARISON_POINTS - 1) *
                                        (sim_time)point);
            text_format(gnuplot, " %.9g\n",
                        (double)comparison_lag_sum(comparison, arm, group, point) /
                            (double)comparison->runs);
        }
    }
    text_append(gnuplot, "END\n");
}

static void append_stem(struct text *stem, const char *name, const struct comparison *comparison,
                        size_t group)
{
    text_append(stem, name);
    if (comparison->group_count < 2) return;
    text_append(stem, ".");
    for (const char *c = comparison->scenario->groups[group].name; *c != '\0'; c++) {
        bool is_plain = isalnum((unsigned char)*c) || strchr("._-", *c) != NULL;
        text_append_bytes(stem, is_plain ? c : "_", 1);
    }
}

bool comparison_draw(const struct comparison *comparison, enum picture_format format,
                     const char *directory, char **error)
{
    bool drawn = true;
    struct text gnuplot = {0};
    struct text stem = {0};
    for (size_t group = 0; drawn && group < comparison->group_count; group++) {
        append_titles(comparison, group, "difference from the first arm", &gnuplot);
        int rows = append_differences(comparison, group, &gnuplot);
        append_stem(&stem, "differences", comparison, group);
        int height = 240 + rows * 26;
        drawn =
            gnuplot_draw("compare-differences.gp", text_data(&gnuplot),
                         height > 1600 ? 1600 : height, format, directory, text_data(&stem), error);
        text_clear(&gnuplot);
        text_clear(&stem);
        if (!drawn) break;
        append_titles(comparison, group, "lag, mean over the seeds", &gnuplot);
        append_curves(comparison, group, &gnuplot);
        append_stem(&stem, "lag", comparison, group);
        drawn = gnuplot_draw("compare-lag.gp", text_data(&gnuplot), 600, format, directory,
                             text_data(&stem), error);
        text_clear(&gnuplot);
        text_clear(&stem);
    }
    text_free(&gnuplot);
    text_free(&stem);
    return drawn;
}
