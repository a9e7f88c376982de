/* tools/cmd_plot.c: `cohort plot`: pictures of a stored run. */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/diagnostic.h"
#include "tools/report_draw.h"
#include "tools/terminal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct plot_values {
    const char *format;
    const char *out;
    const char *group;
    bool list;
};

static const struct report *const reports[] = {
#define X(name) &report_##name,
    REPORTS(X)
#undef X
};

static const struct report *find_report(const char *name)
{
    const char *names[ARRAY_LEN(reports)];
    for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
        names[i] = reports[i]->name;
        if (strcmp(reports[i]->name, name) == 0) return reports[i];
    }
    const char *nearest = nearest_name(name, names, ARRAY_LEN(names));
    fprintf(stderr, "cohort: error: there is no plot %s", name);
    if (nearest != NULL) fprintf(stderr, "; did you mean %s?", nearest);
    fputs("\nsee: cohort plot --list\n", stderr);
    return NULL;
}

struct drawing {
    const struct store_reader *reader;
    enum picture_format format;
    const char *directory;
    bool several_groups;
    int drawn;
    int total;
    bool interrupted;
};

/* ".payments": group ids may hold characters that file names and quotes cannot. */
static void append_file_name(struct text *stem, const char *group)
{
    text_append(stem, ".");
    for (const char *c = group; *c != '\0'; c++) {
        bool is_plain = isalnum((unsigned char)*c) || strchr("._-", *c) != NULL;
        text_append_bytes(stem, is_plain ? c : "_", 1);
    }
}

/* One picture; false on an error that is no fault of the run. */
static bool draw(struct drawing *drawing, const struct report *report, name_id group)
{
    struct report_input input;
    bool has_rows = report_input_load(&input, drawing->reader, group);
    struct text stem = {0};
    text_append(&stem, report->name);
    if (drawing->several_groups) append_file_name(&stem, input.group_name);
    if (terminal_is_live(stderr)) {
        fprintf(stderr, "\r\033[Kdrawing %d of %d: %s", drawing->drawn + 1, drawing->total,
                text_data(&stem));
        fflush(stderr);
    }
    char *error = NULL;
    bool done = has_rows && report_draw(report, &input, drawing->format, drawing->directory,
                                        text_data(&stem), &error);
    if (terminal_is_live(stderr)) fputs("\r\033[K", stderr);
    if (done) {
        printf("%s/%s.%s\n", drawing->directory, text_data(&stem),
               drawing->format == PICTURE_PNG ? "png" : "svg");
        drawing->drawn++;
    } else if (error != NULL && strcmp(error, "interrupted") == 0) {
        drawing->interrupted = true;
    } else {
        fprintf(stderr, "cohort: error: %s of group %s: %s\n", report->name, input.group_name,
                error != NULL ? error : "the run shows no partition of this group");
    }
    free(error);
    report_input_free(&input);
    text_free(&stem);
    return done;
}

static int draw_all(const struct plot_values *values, const struct store_reader *reader,
                    const struct report **chosen, size_t chosen_count)
{
    size_t group_count = 0;
    const name_id *groups = store_groups(reader, &group_count);
    struct text directory = {0};
    if (values->out != NULL) {
        text_append(&directory, values->out);
    } else {
        text_format(&directory, "%s/plots", store_directory(reader));
    }
    if (mkdir(text_data(&directory), 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "cohort: error: cannot make %s: %s\n", text_data(&directory),
                strerror(errno));
        text_free(&directory);
        return EXIT_INTERNAL;
    }
    struct drawing drawing = {
        .reader = reader,
        .format = strcmp(values->format, "svg") == 0 ? PICTURE_SVG : PICTURE_PNG,
        .directory = text_data(&directory),
        .several_groups = group_count > 1,
        .total = (int)(group_count * chosen_count),
    };
    bool failed = false;
    bool found = values->group == NULL;
    for (size_t i = 0; i < group_count; i++) {
        if (values->group != NULL && strcmp(store_name(reader, groups[i]), values->group) != 0) {
            continue;
        }
        found = true;
        for (size_t j = 0; j < chosen_count && !drawing.interrupted; j++) {
            if (!draw(&drawing, chosen[j], groups[i])) failed = true;
        }
    }
    if (!found) fprintf(stderr, "cohort: error: the run has no group %s\n", values->group);
    if (group_count == 0) fputs("cohort: error: the run has no groups\n", stderr);
    text_free(&directory);
    if (!found || group_count == 0) return EXIT_BAD_INPUT;
    return drawing.interrupted ? EXIT_INTERRUPTED : failed ? EXIT_INTERNAL : EXIT_FINE;
}

static int run(const void *raw_values, const struct arguments *arguments)
{
    const struct plot_values *values = raw_values;
    if (values->list) {
        for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
            printf("%-18s %s\n", reports[i]->name, reports[i]->summary);
        }
        return EXIT_FINE;
    }
    if (arguments->count == 0) {
        fputs("cohort: error: plot needs a run directory\nsee: cohort help plot\n", stderr);
        return EXIT_BAD_INPUT;
    }
    const struct report **chosen =
        tool_allocate((arguments->count + ARRAY_LEN(reports)) * sizeof *chosen);
    size_t chosen_count = 0;
    bool known = true;
    for (size_t i = 1; i < arguments->count; i++) {
        const struct report *report = find_report(arguments->values[i]);
        if (report == NULL) known = false;
        chosen[chosen_count++] = report;
    }
    if (chosen_count == 0) {
        for (size_t i = 0; i < ARRAY_LEN(reports); i++)
            chosen[chosen_count++] = reports[i];
    }
    int result = EXIT_BAD_INPUT;
    char *error = NULL;
    struct store_reader *reader = known ? store_open(arguments->values[0], &error) : NULL;
    if (reader != NULL) {
        if (gnuplot_is_there(&error)) {
            result = draw_all(values, reader, chosen, chosen_count);
        } else {
            result = EXIT_INTERNAL;
        }
    }
    if (error != NULL) fprintf(stderr, "cohort: error: %s\n", error);
    free(error);
    store_close(reader);
    free(chosen);
    return result;
}

static const struct plot_values defaults = {.format = "png"};

static const struct option options[] = {
    {"format", 'f', OPTION_CHOICE, "png|svg", offsetof(struct plot_values, format),
     "of the pictures; default: png"},
    {"out", 'o', OPTION_TEXT, "DIR", offsetof(struct plot_values, out),
     "where they go; default: plots/ in the run directory"},
    {"group", 'g', OPTION_TEXT, "GROUP", offsetof(struct plot_values, group), "only this group"},
    {"list", 0, OPTION_FLAG, NULL, offsetof(struct plot_values, list), "the plots there are"},
};

const struct command command_plot = {
    .name = "plot",
    .summary = "pictures of a run, by gnuplot",
    .arguments = "RUN [PLOT]...",
    .argument_max = SIZE_MAX,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct plot_values),
    .defaults = &defaults,
    .details =
        "Reads only the run's store: nothing runs again. Beside each picture lies a .gp file "
        "with its data;\nchange it and draw it again by gnuplot.",
    .example = "cohort plot rolling-deploy-eager-seed42.cohort ownership --format svg",
    .run = run,
};
