#include "tools/comparison_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "# cohort comparison %016" PRIx64 ", runs %zu, first seed %" PRIu64 "\n"

/* RFC 4180: quoted when it must be. */
static void append_field(struct text *csv, const char *field)
{
    if (field[strcspn(field, ",\"\r\n")] == '\0') {
        text_append(csv, field);
        return;
    }
    text_append(csv, "\"");
    for (const char *c = field; *c != '\0'; c++) {
        if (*c == '"') text_append(csv, "\"");
        text_append_bytes(csv, c, 1);
    }
    text_append(csv, "\"");
}

void comparison_write_runs(const struct comparison *comparison, struct text *csv)
{
    text_format(csv, HEADER, comparison->identity, comparison->runs, comparison->first_seed);
    text_append(csv, "seed,arm,group,workload,protocol,full,violations");
    for (int metric = 0; metric < COMPARISON_METRIC_COUNT; metric++) {
        bool is_duration = comparison_metrics[metric].unit == METRIC_DURATION;
        size_t length = strlen(comparison_metrics[metric].key);
        const char *key = comparison_metrics[metric].key;
        /* "…_seconds_max" is told in nanoseconds here, exactly. */
        const char *seconds = is_duration ? strstr(key, "_seconds") : NULL;
        if (seconds == NULL) {
            text_format(csv, ",%s", key);
        } else {
            text_format(csv, ",%.*s_ns%.*s", (int)(seconds - key), key,
                        (int)(length - (size_t)(seconds - key) - 8), seconds + 8);
        }
    }
    text_append(csv, "\n");
    for (size_t run = 0; run < comparison->runs; run++) {
        for (size_t arm = 0; arm < comparison->arm_count; arm++) {
            const struct cell *cell = comparison_cell(comparison, arm, run);
            for (size_t group = 0; group < comparison->group_count; group++) {
                text_format(csv, "%" PRIu64 ",", comparison->first_seed + run);
                append_field(csv, comparison->arms[arm]);
                text_append(csv, ",");
                append_field(csv, comparison->scenario->groups[group].name);
                text_format(csv, ",%016" PRIx64 ",%016" PRIx64 ",%016" PRIx64 ",%" PRId64,
                            cell->fingerprints[0], cell->fingerprints[1], cell->fingerprints[2],
                            cell->violations);
                const int64_t *metrics = comparison_result(comparison, arm, run, group)->metrics;
                for (int metric = 0; metric < COMPARISON_METRIC_COUNT; metric++) {
                    text_format(csv, ",%" PRId64, metrics[metric]);
                }
                text_append(csv, "\n");
            }
        }
    }
}

void comparison_write_lag(const struct comparison *comparison, struct text *csv)
{
    text_format(csv, HEADER, comparison->identity, comparison->runs, comparison->first_seed);
    text_append(csv, "arm,group,at_ns,lag_records_sum\n");
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        for (size_t group = 0; group < comparison->group_count; group++) {
            for (size_t point = 0; point < COMPARISON_POINTS; point++) {
                append_field(csv, comparison->arms[arm]);
                text_append(csv, ",");
                append_field(csv, comparison->scenario->groups[group].name);
                text_format(csv, ",%" PRId64 ",%" PRId64 "\n",
                            comparison->scenario->duration_ns / (COMPARISON_POINTS - 1) *
                                (int64_t)point,
                            comparison_lag_sum(comparison, arm, group, point));
            }
        }
    }
}

/* Walks over the fields of a line; a quoted one is skipped whole. */
static const char *after_field(const char *at)
{
    if (*at == '"') {
        for (at++; *at != '\0'; at++) {
            if (*at != '"') continue;
            if (at[1] != '"') break;
            at++;
        }
    }
    while (*at != '\0' && *at != ',')
        at++;
    return *at == ',' ? at + 1 : at;
}

/* The whole file, or NULL. */
static char *read_file(const char *directory, const char *name)
{
    struct text path = {0};
    text_format(&path, "%s/%s", directory, name);
    FILE *file = fopen(text_data(&path), "r");
    text_free(&path);
    if (file == NULL) return NULL;
    struct text content = {0};
    char buffer[8192];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) {
        text_append_bytes(&content, buffer, length);
    }
    bool failed = ferror(file) != 0;
    fclose(file);
    if (!failed && content.data != NULL) return content.data;
    text_free(&content);
    return NULL;
}

/* The next line, terminated in place; NULL at the end. */
static char *next_line(char **at)
{
    char *line = *at;
    if (*line == '\0') return NULL;
    char *end = strchr(line, '\n');
    if (end == NULL) {
        *at = line + strlen(line);
    } else {
        *end = '\0';
        *at = end + 1;
    }
    return line;
}

static bool read_numbers(const char *at, int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *end = NULL;
        errno = 0;
        numbers[i] = strtoll(at, &end, 10);
        if (errno != 0 || end == at || (*end != ',' && *end != '\0')) return false;
        at = *end == ',' ? end + 1 : end;
    }
    return *at == '\0';
}

static bool read_run_line(struct comparison *comparison, const char *line, size_t run, size_t arm,
                          size_t group)
{
    struct cell *cell = comparison_cell(comparison, arm, run);
    if (strtoull(line, NULL, 10) != comparison->first_seed + run) return false;
    const char *at = after_field(after_field(after_field(line)));
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        cell->fingerprints[i] = strtoull(at, &end, 16);
        if (end != at + 16 || *end != ',') return false;
        at = end + 1;
    }
    int64_t numbers[1 + COMPARISON_METRIC_COUNT];
    if (!read_numbers(at, numbers, 1 + COMPARISON_METRIC_COUNT)) return false;
    cell->violations = numbers[0];
    cell->from_file = true;
    cell->state = CELL_DONE;
    memcpy(comparison_result(comparison, arm, run, group)->metrics, numbers + 1,
           COMPARISON_METRIC_COUNT * sizeof *numbers);
    return true;
}

static bool read_runs(struct comparison *comparison, char *text, size_t runs)
{
    next_line(&text);
    next_line(&text);
    for (size_t run = 0; run < runs; run++) {
        for (size_t arm = 0; arm < comparison->arm_count; arm++) {
            for (size_t group = 0; group < comparison->group_count; group++) {
                const char *line = next_line(&text);
                if (line == NULL || !read_run_line(comparison, line, run, arm, group)) return false;
            }
        }
    }
    return *text == '\0';
}

static bool read_lag(struct comparison *comparison, char *text)
{
    next_line(&text);
    next_line(&text);
    size_t count = comparison->arm_count * comparison->group_count * COMPARISON_POINTS;
    for (size_t i = 0; i < count; i++) {
        const char *line = next_line(&text);
        int64_t numbers[2];
        if (line == NULL || !read_numbers(after_field(after_field(line)), numbers, 2)) return false;
        comparison->earlier_lag[i] = numbers[1];
    }
    return *text == '\0';
}

bool comparison_read(struct comparison *comparison, const char *directory, char **error)
{
    char *runs_text = read_file(directory, "runs.csv");
    char *lag_text = read_file(directory, "lag.csv");
    struct text reason = {0};
    uint64_t identity = 0;
    size_t runs = 0;
    uint64_t first_seed = 0;
    if (runs_text == NULL || lag_text == NULL) {
        text_format(&reason, "%s holds no comparison: it has no runs.csv and lag.csv", directory);
        /* Our own line; a number out of range is another identity or another seed. */
        /* NOLINTNEXTLINE(cert-err34-c) */
    } else if (sscanf(runs_text, "# cohort comparison %16" SCNx64 ", runs %zu, first seed %" SCNu64,
                      &identity, &runs, &first_seed) != 3) {
        text_format(&reason, "%s/runs.csv is damaged: its first line is not that of a comparison",
                    directory);
    } else if (identity != comparison->identity) {
        text_format(&reason, "%s holds another comparison (scenario, seed, --set or --vary differ)",
                    directory);
    } else if (runs > comparison->runs) {
        text_format(&reason, "%s holds %zu runs already; --runs %zu is fewer", directory, runs,
                    comparison->runs);
    } else if (!read_runs(comparison, runs_text, runs) || !read_lag(comparison, lag_text)) {
        text_format(&reason, "%s is damaged: runs.csv or lag.csv is not as it was written",
                    directory);
    }
    free(runs_text);
    free(lag_text);
    if (reason.length == 0) return true;
    *error = reason.data;
    return false;
}
