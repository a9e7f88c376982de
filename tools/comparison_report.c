#include "tools/comparison_report.h"

#include "tools/moment.h"
#include "tools/terminal.h"
#include "tools/version.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value of a metric for people. Means of counts have a decimal while they are small. */
static void append_value(struct text *text, enum comparison_metric metric, double value)
{
    if (comparison_metrics[metric].unit == METRIC_DURATION) {
        duration_format(text, (sim_time)llround(value));
    } else if (fabs(value) < 100 && value != floor(value)) {
        text_format(text, "%.1f", value);
    } else {
        count_format(text, llround(value));
    }
}

static void append_interval(struct text *text, enum comparison_metric metric, double low,
                            double high)
{
    text_append(text, "95 % CI ");
    append_value(text, metric, low);
    text_append(text, " to ");
    append_value(text, metric, high);
}

void comparison_sentence(const struct comparison *comparison, size_t arm, size_t group,
                         enum comparison_metric metric, struct text *text)
{
    const struct metric_info *info = &comparison_metrics[metric];
    struct paired paired = comparison_compare(comparison, arm, group, metric);
    const char *name = comparison->arms[arm];
    const char *base = comparison->arms[0];
    bool is_less = paired.difference < 0;
    if (paired.low == 0 && paired.high == 0) {
        text_format(text, "%s and %s do not differ in %s (%zu seeds).", name, base, info->label,
                    paired.n);
    } else if (paired.interval_is_void) {
        text_format(text, "one seed tells nothing about %s: run more.", info->label);
    } else if (paired.low <= 0 && paired.high >= 0) {
        text_format(text, "cannot tell %s and %s apart in %s (", name, base, info->label);
        append_interval(text, metric, paired.low, paired.high);
        text_format(text, ", %zu seeds)", paired.n);
        size_t needed = paired_runs_needed(&paired, 0.05);
        if (needed > paired.n && needed < 1000000) {
            text_format(text, "; about %zu seeds would tell it to 5 %%", needed);
        }
        text_append(text, ".");
    } else {
        text_format(text, "%s %s ", name, info->before);
        append_value(text, metric, fabs(paired.difference));
        text_format(text, " %s %s (", is_less ? info->less : info->more, base);
        append_interval(text, metric, is_less ? -paired.high : paired.low,
                        is_less ? -paired.low : paired.high);
        text_format(text, ", %zu seeds).", paired.n);
    }
}

/* What most people ask first. */
static const enum comparison_metric headlines[] = {METRIC_stopped_partition_seconds,
                                                   METRIC_lag_records_max, METRIC_duplicates};

/* In every figure of every seed. */
static bool is_identical(const struct comparison *comparison, size_t arm, size_t group)
{
    for (size_t run = 0; run < comparison->runs; run++) {
        if (memcmp(comparison_result(comparison, 0, run, group)->metrics,
                   comparison_result(comparison, arm, run, group)->metrics,
                   sizeof comparison_result(comparison, 0, run, group)->metrics) != 0) {
            return false;
        }
    }
    return true;
}

static void print_sentences(const struct comparison *comparison, size_t group, FILE *stream)
{
    struct text text = {0};
    for (size_t arm = 1; arm < comparison->arm_count; arm++) {
        if (is_identical(comparison, arm, group)) {
            text_format(&text, "%s and %s are the same in every figure of every seed.\n",
                        comparison->arms[arm], comparison->arms[0]);
            continue;
        }
        for (size_t i = 0; i < sizeof headlines / sizeof headlines[0]; i++) {
            comparison_sentence(comparison, arm, group, headlines[i], &text);
            text_append(&text, "\n");
        }
        if (!comparison_is_paired(comparison, arm)) {
            text_format(&text,
                        "note: %s and %s do not have the same workload, so they are NOT paired: "
                        "Welch's interval, which is wider.\n",
                        comparison->arms[arm], comparison->arms[0]);
        }
    }
    fputs(text_data(&text), stream);
    text_free(&text);
}

static void print_cell(FILE *stream, int width, const struct text *text)
{
    /* The texts are ASCII, so bytes are columns. */
    fprintf(stream, "  %*s", width, text_data(text));
}

static void print_metric(const struct comparison *comparison, size_t group,
                         enum comparison_metric metric, int arm_width, FILE *stream)
{
    fprintf(stream, "%s\n", comparison_metrics[metric].label);
    struct text text = {0};
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        struct paired paired = comparison_compare(comparison, arm, group, metric);
        fprintf(stream, "  %-*s", arm_width, comparison->arms[arm]);
        append_value(&text, metric, paired.mean_b);
        print_cell(stream, 12, &text);
        text_clear(&text);
        if (arm > 0) {
            text_append(&text, paired.difference > 0 ? "+" : "");
            append_value(&text, metric, paired.difference);
            print_cell(stream, 12, &text);
            text_clear(&text);
            append_value(&text, metric, paired.low);
            text_append(&text, " to ");
            append_value(&text, metric, paired.high);
            print_cell(stream, 30, &text);
            text_clear(&text);
            if (comparison_is_paired(comparison, arm)) {
                text_format(&text, "%zu/%zu/%zu", paired.wins, paired.ties, paired.losses);
            } else {
                text_append(&text, "UNPAIRED");
            }
            print_cell(stream, 14, &text);
            text_clear(&text);
        }
        fputc('\n', stream);
    }
    text_free(&text);
}

/* Nothing to see: every arm and run has 0. */
static bool is_all_zero(const struct comparison *comparison, size_t group,
                        enum comparison_metric metric)
{
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        for (size_t run = 0; run < comparison->runs; run++) {
            if (comparison_result(comparison, arm, run, group)->metrics[metric] != 0) return false;
        }
    }
    return true;
}

void comparison_print(const struct comparison *comparison, FILE *stream)
{
    int arm_width = 8;
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        int length = (int)strlen(comparison->arms[arm]);
        if (length > arm_width) arm_width = length;
    }
    fprintf(stream, "%s%s%s: %zu arms of %s, %zu seeds each, from %" PRIu64 "\n",
            terminal_color(stream, COLOR_BOLD), comparison->scenario->name,
            terminal_color(stream, COLOR_RESET), comparison->arm_count, comparison->vary,
            comparison->runs, comparison->first_seed);
    for (size_t group = 0; group < comparison->group_count; group++) {
        fprintf(stream, "\n%s%s%s\n", terminal_color(stream, COLOR_BOLD),
                comparison->scenario->groups[group].name, terminal_color(stream, COLOR_RESET));
        print_sentences(comparison, group, stream);
        fprintf(stream, "\n  %-*s  %12s  %12s  %30s  %14s\n", arm_width, "", "mean", "difference",
                "95 % interval", "lower/=/higher");
        for (int metric = 0; metric < COMPARISON_METRIC_COUNT; metric++) {
            if (is_all_zero(comparison, group, (enum comparison_metric)metric)) continue;
            print_metric(comparison, group, (enum comparison_metric)metric, arm_width, stream);
        }
    }
}

/* Seconds or a plain number, as in summary.json. */
static json_t *json_value(enum comparison_metric metric, double value)
{
    bool is_duration = comparison_metrics[metric].unit == METRIC_DURATION;
    return json_real(is_duration ? value / 1e9 : value);
}

static json_t *metric_json(const struct comparison *comparison, size_t group,
                           enum comparison_metric metric)
{
    json_t *arms = json_array();
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        struct paired paired = comparison_compare(comparison, arm, group, metric);
        json_t *object = json_object();
        json_object_set_new(object, "arm", json_string(comparison->arms[arm]));
        json_object_set_new(object, "mean", json_value(metric, paired.mean_b));
        if (arm > 0) {
            json_object_set_new(object, "difference", json_value(metric, paired.difference));
            json_object_set_new(object, "low", json_value(metric, paired.low));
            json_object_set_new(object, "high", json_value(metric, paired.high));
            json_object_set_new(object, "wins", json_integer((json_int_t)paired.wins));
            json_object_set_new(object, "ties", json_integer((json_int_t)paired.ties));
            json_object_set_new(object, "losses", json_integer((json_int_t)paired.losses));
            json_object_set_new(object, "correlation", json_real(paired.correlation));
            json_object_set_new(object, "runs_saved", json_real(paired.runs_saved));
        }
        json_array_append_new(arms, object);
    }
    return arms;
}

json_t *comparison_json(const struct comparison *comparison)
{
    json_t *json = json_object();
    json_object_set_new(json, "scenario", json_string(comparison->scenario->name));
    json_object_set_new(json, "version", json_string(version_number()));
    json_object_set_new(json, "vary", json_string(comparison->vary));
    json_t *arms = json_array();
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        json_array_append_new(arms, json_pack("{s:s,s:b}", "value", comparison->arms[arm], "paired",
                                              comparison_is_paired(comparison, arm) ? 1 : 0));
    }
    json_object_set_new(json, "arms", arms);
    json_object_set_new(json, "runs", json_integer((json_int_t)comparison->runs));
    json_object_set_new(json, "first_seed", json_sprintf("%" PRIu64, comparison->first_seed));
    json_t *groups = json_object();
    struct text text = {0};
    for (size_t group = 0; group < comparison->group_count; group++) {
        json_t *metrics = json_object();
        for (int metric = 0; metric < COMPARISON_METRIC_COUNT; metric++) {
            json_object_set_new(metrics, comparison_metrics[metric].key,
                                metric_json(comparison, group, (enum comparison_metric)metric));
        }
        json_t *sentences = json_array();
        for (size_t arm = 1; arm < comparison->arm_count; arm++) {
            for (int metric = 0; metric < COMPARISON_METRIC_COUNT; metric++) {
                text_clear(&text);
                comparison_sentence(comparison, arm, group, (enum comparison_metric)metric, &text);
                json_array_append_new(sentences, json_string(text_data(&text)));
            }
        }
        json_object_set_new(groups, comparison->scenario->groups[group].name,
                            json_pack("{s:o,s:o}", "metrics", metrics, "sentences", sentences));
    }
    text_free(&text);
    json_object_set_new(json, "groups", groups);
    return json;
}
