/* tools/cmd_log.c: `cohort log`: what brokers and clients would have logged, in one stream. */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/log_words.h"
#include "tools/moment.h"
#include "tools/terminal.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct log_values {
    const char *from;
    const char *to;
    const char *group;
    const char *grep;
};

struct printer {
    name_id group; /* NAME_NONE = every one */
    bool filters;
    regex_t pattern;
    size_t time_width;
    size_t source_width;
    struct text line;
    struct text moment;
    bool wants_more; /* false: stdout is closed */
};

static const char *const level_names[] = {
    [LOG_INFO] = "INFO ", [LOG_WARN] = "WARN ", [LOG_ERROR] = "ERROR"};
static const char *const level_colors[] = {
    [LOG_INFO] = COLOR_GREEN, [LOG_WARN] = COLOR_YELLOW, [LOG_ERROR] = COLOR_RED};

static void print_line(void *self, const struct log_line *line)
{
    struct printer *printer = self;
    if (printer->group != NAME_NONE && line->group != NAME_NONE && line->group != printer->group) {
        return;
    }
    text_clear(&printer->line);
    text_format(&printer->line, "%s: %s", line->source, line->text);
    if (printer->filters &&
        regexec(&printer->pattern, text_data(&printer->line), 0, NULL, 0) != 0) {
        return;
    }
    text_clear(&printer->moment);
    moment_format_short(&printer->moment, line->at);
    int written =
        printf("[%*s] %s%s%s %-*s  %s\n", (int)printer->time_width, text_data(&printer->moment),
               terminal_color(stdout, level_colors[line->level]), level_names[line->level],
               terminal_color(stdout, COLOR_RESET), (int)printer->source_width, line->source,
               line->text);
    if (written < 0) printer->wants_more = false;
}

struct walk {
    struct log_words *words;
    struct printer *printer;
};

static bool take(void *self, const struct trace_record *record)
{
    struct walk *walk = self;
    log_words_take(walk->words, record);
    return walk->printer->wants_more;
}

/* Before `from` the records are only remembered, so that later lines know states and names. */
struct silence {
    struct printer *printer;
    sim_time from;
    sim_time to;
};

static void print_from(void *self, const struct log_line *line)
{
    struct silence *silence = self;
    if (line->at >= silence->from && line->at <= silence->to) print_line(silence->printer, line);
}

/* Of the longest member's name: the sources are mostly members. */
static size_t source_width(const struct store_reader *reader)
{
    sqlite3_stmt *statement = NULL;
    size_t width = 0;
    const char *sql = "select max(length(text)) from names where id in"
                      " (select f1 from events where kind=?1)";
    if (sqlite3_prepare_v2(store_database(reader), sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int(statement, 1, TRACE_CLIENT);
        if (sqlite3_step(statement) == SQLITE_ROW) {
            width = (size_t)sqlite3_column_int(statement, 0);
        }
    }
    sqlite3_finalize(statement);
    return width < 10 ? 10 : width > 40 ? 40 : width;
}

static int print_log(const struct log_values *values, const struct store_reader *reader,
                     struct printer *printer)
{
    sim_time duration = store_run_row(reader)->duration_ns;
    sim_time from = 0;
    sim_time to = duration;
    if (values->from != NULL && !moment_parse("--from", values->from, duration, &from)) {
        return EXIT_BAD_INPUT;
    }
    if (values->to != NULL && !moment_parse("--to", values->to, duration, &to)) {
        return EXIT_BAD_INPUT;
    }
    moment_format_short(&printer->moment, duration);
    printer->time_width = printer->moment.length;
    printer->source_width = source_width(reader);

    struct silence silence = {printer, from, to};
    struct walk walk = {log_words_new(reader, print_from, &silence), printer};
    size_t count = 0;
    const uint16_t *kinds = log_words_kinds(&count);
    char *error = NULL;
    bool read = store_visit(reader, kinds, count, 0, to, take, &walk, &error);
    log_words_finish(walk.words);
    if (read) return EXIT_FINE;
    fprintf(stderr, "cohort: error: %s\n", error);
    free(error);
    return EXIT_BAD_INPUT;
}

static int run(const void *raw_values, const struct arguments *arguments)
{
    const struct log_values *values = raw_values;
    struct printer printer = {.wants_more = true};
    if (values->grep != NULL) {
        int failure = regcomp(&printer.pattern, values->grep, REG_EXTENDED | REG_NOSUB);
        if (failure != 0) {
            char reason[256];
            regerror(failure, &printer.pattern, reason, sizeof reason);
            fprintf(stderr, "cohort: error: --grep: %s: %s\n", values->grep, reason);
            return EXIT_BAD_INPUT;
        }
        printer.filters = true;
    }
    char *error = NULL;
    int result = EXIT_BAD_INPUT;
    struct store_reader *reader = store_open(arguments->values[0], &error);
    if (reader == NULL) {
        fprintf(stderr, "cohort: error: %s\n", error);
        free(error);
    } else if (values->group != NULL &&
               (printer.group = store_find_name(reader, values->group)) == NAME_NONE) {
        fprintf(stderr, "cohort: error: the run has no group %s\n", values->group);
    } else {
        result = print_log(values, reader, &printer);
    }
    store_close(reader);
    if (printer.filters) regfree(&printer.pattern);
    text_free(&printer.line);
    text_free(&printer.moment);
    return result;
}

static const struct option options[] = {
    {"from", 0, OPTION_TEXT, "T", offsetof(struct log_values, from),
     "begin at this instant, such as 60s"},
    {"to", 0, OPTION_TEXT, "T", offsetof(struct log_values, to), "end at this instant"},
    {"group", 'g', OPTION_TEXT, "GROUP", offsetof(struct log_values, group),
     "leave out lines about other groups"},
    {"grep", 0, OPTION_TEXT, "PATTERN", offsetof(struct log_values, grep),
     "only lines that match this extended regular expression"},
};

const struct command command_log = {
    .name = "log",
    .summary = "the event log, in the words brokers and clients use",
    .arguments = "RUN",
    .argument_min = 1,
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct log_values),
    .details = "Lines of brokers and clients, merged, at virtual time. The instants are those that "
               "describe --at takes.",
    .example = "cohort log rolling-deploy-eager-seed42.cohort --from 60s --to 90s --grep rebalanc",
    .run = run,
};
