/* build/conformance FILE...: compares recorded answers of Apache Kafka with ours.
 *
 * Prints the first differences, and at the end `N passed, N failed` alone on a line. Exit code 0
 * when all passed, 1 when some failed, 2 when something could not be read. */
#include "tests/conformance/conformance.h"
#include "tests/conformance/lines.h"

#include "sim/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_LINES_MAX 40

static const char usage[] =
    "usage: conformance [--show N] [--id ID] FILE...\n"
    "Compares recorded answers of Apache Kafka (.jsonl or .jsonl.gz) with Cohort's.\n"
    "  --show N  print the differences of the first N failed cases (default 10)\n"
    "  --id ID   only the case with this id\n"
    "Example: conformance tests/conformance/data/range.jsonl.gz\n"
    "Exit code: 0 all passed, 1 some failed, 2 unusable input.\n";

struct run {
    long show;
    const char *only_id;
    long passed;
    long failed;
    bool unusable;
};

void conformance_say(struct conformance_report *report, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    const size_t length = strlen(line);
    if (report->length + length + 8 > report->capacity) {
        report->capacity = (report->capacity + length + 8) * 2;
        report->text = realloc(report->text, report->capacity);
        CHECK(report->text != NULL);
    }
    report->length += (size_t)sprintf(report->text + report->length, "    %s\n", line);
}

static void print_report(const struct conformance_report *report)
{
    const char *line = report->text;
    for (int shown = 0; line != NULL && *line != '\0'; shown++) {
        const char *end = strchr(line, '\n');
        if (shown == REPORT_LINES_MAX) {
            puts("    ... and more");
            return;
        }
        printf("%.*s\n", (int)(end - line), line);
        line = end + 1;
    }
}

static void unusable(struct run *run, const char *file, size_t line, const char *why)
{
    fprintf(stderr, "%s:%zu: error: %s\n", file, line, why);
    run->unusable = true;
}

static void check_record(struct run *run, const char *file, size_t line, const json_t *record)
{
    const char *id = json_string_value(json_object_get(record, "id"));
    if (id == NULL) {
        unusable(run, file, line, "not a recorded case: it has no \"id\"");
        return;
    }
    if (run->only_id != NULL && strcmp(run->only_id, id) != 0) return;
    const struct conformance_kind *kind = conformance_kind_of(record);
    if (kind == NULL) {
        unusable(run, file, line, "unknown kind of case");
        return;
    }
    struct conformance_report report = {0};
    const enum conformance_outcome outcome = kind->check(record, &report);
    if (outcome == CASE_PASSED) {
        run->passed++;
    } else if (outcome == CASE_FAILED) {
        if (run->failed < run->show) {
            printf("FAILED %s (%s, %s:%zu)\n", id, kind->name, file, line);
            print_report(&report);
        }
        run->failed++;
    } else {
        unusable(run, file, line, report.length > 0 ? report.text + 4 : "not usable");
    }
    free(report.text);
}

static void check_file(struct run *run, const char *file)
{
    struct lines *lines = lines_open(file);
    if (lines == NULL) {
        fprintf(stderr, "%s: error: %s\n", file, strerror(errno));
        run->unusable = true;
        return;
    }
    size_t length = 0;
    size_t number = 0;
    const char *line;
    while ((line = lines_next(lines, &length)) != NULL) {
        number++;
        if (length == 0) continue;
        json_error_t error;
        json_t *record = json_loadb(line, length, JSON_ALLOW_NUL, &error);
        if (record == NULL) {
            unusable(run, file, number, error.text);
            continue;
        }
        check_record(run, file, number, record);
        json_decref(record);
    }
    const char *error = lines_close(lines);
    if (error != NULL) unusable(run, file, number + 1, error);
}

int main(int argc, char **argv)
{
    struct run run = {.show = 10};
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[first], "--show") == 0 && first + 1 < argc) {
            run.show = strtol(argv[++first], NULL, 10);
        } else if (strcmp(argv[first], "--id") == 0 && first + 1 < argc) {
            run.only_id = argv[++first];
        } else {
            break;
        }
    }
    if (first >= argc || argv[first][0] == '-') {
        fputs(usage, stderr);
        return 2;
    }
    for (int i = first; i < argc; i++)
        check_file(&run, argv[i]);
    printf("%ld passed, %ld failed\n", run.passed, run.failed);
    if (run.unusable) return 2;
    return run.failed > 0 ? 1 : 0;
}
