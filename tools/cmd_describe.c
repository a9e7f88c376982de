/* tools/cmd_describe.c: `cohort describe`: a group at an instant, as kafka-consumer-groups.sh
 * prints it: columns, widths, row order, warnings and what a rebalance hides
 * (ConsumerGroupCommand). */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/diagnostic.h"
#include "tools/group_view.h"
#include "tools/group_tables.h"
#include "tools/moment.h"
#include "tools/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct describe_values {
    const char *at;
    const char *group;
    bool offsets;
    bool members;
    bool state;
    bool verbose;
    bool json;
};

/* The groups to show: all of the run, or the one asked for. Shape [*count], to be freed. */
static name_id *choose_groups(const struct store_reader *reader, const char *wanted, size_t *count)
{
    const name_id *all = store_groups(reader, count);
    name_id *chosen = tool_allocate((*count + 1) * sizeof *chosen);
    if (*count > 0) memcpy(chosen, all, *count * sizeof *chosen);
    if (wanted == NULL) return chosen;
    const char **names = tool_allocate((*count + 1) * sizeof *names);
    size_t total = *count;
    *count = 0;
    for (size_t i = 0; i < total; i++) {
        names[i] = store_name(reader, all[i]);
        if (strcmp(names[i], wanted) == 0) chosen[(*count)++] = all[i];
    }
    if (*count == 0) {
        const char *nearest = nearest_name(wanted, names, total);
        fprintf(stderr, "cohort: error: the run has no group %s", wanted);
        if (nearest != NULL) fprintf(stderr, "; did you mean %s?", nearest);
        fputc('\n', stderr);
    }
    free(names);
    return chosen;
}

static int describe(const struct describe_values *values, const struct store_reader *reader,
                    sim_time at)
{
    size_t count = 0;
    name_id *groups = choose_groups(reader, values->group, &count);
    if (count == 0 && values->group != NULL) {
        free(groups);
        return EXIT_BAD_INPUT;
    }
    json_t *list = json_array();
    int result = EXIT_FINE;
    sim_time offsets_at = at;
    for (size_t i = 0; i < count && result == EXIT_FINE; i++) {
        char *error = NULL;
        struct group_view *view = group_view_at(reader, groups[i], at, &error);
        if (view == NULL) {
            fprintf(stderr, "cohort: error: %s\n", error);
            free(error);
            result = EXIT_BAD_INPUT;
            break;
        }
        if (view->offsets_at < offsets_at) offsets_at = view->offsets_at;
        if (values->json) {
            json_array_append_new(list, group_view_json(view));
        } else if (values->members) {
            group_print_members(view, values->verbose, stdout, stderr);
        } else if (values->state) {
            group_print_state(view, values->verbose, stdout, stderr);
        } else {
            group_print_offsets(view, values->verbose, stdout, stderr);
        }
        fflush(stdout); /* so that the next group's warning comes after this table */
        group_view_free(view);
    }
    if (values->json && result == EXIT_FINE) {
        json_t *answer = json_pack("{s:f,s:O}", "at_seconds", (double)at / 1e9, "groups", list);
        json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        putchar('\n');
        json_decref(answer);
    } else if (result == EXIT_FINE && offsets_at < at && !values->members && !values->state) {
        struct text text = {0};
        moment_format(&text, offsets_at);
        fprintf(stderr,
                "\nnote: offsets are those of the last sample, at %s; the run kept the records of "
                "each change only for its first part (--events all keeps all)\n",
                text_data(&text));
        text_free(&text);
    }
    json_decref(list);
    free(groups);
    return result;
}

static int run(const void *raw_values, const struct arguments *arguments)
{
    const struct describe_values *values = raw_values;
    if (values->offsets + values->members + values->state > 1) {
        fputs("cohort: error: --offsets, --members and --state exclude each other\n", stderr);
        return EXIT_BAD_INPUT;
    }
    char *error = NULL;
    struct store_reader *reader = store_open(arguments->values[0], &error);
    if (reader == NULL) {
        fprintf(stderr, "cohort: error: %s\n", error);
        free(error);
        return EXIT_BAD_INPUT;
    }
    sim_time at = store_run_row(reader)->duration_ns;
    int result = EXIT_BAD_INPUT;
    if (values->at == NULL || moment_parse("--at", values->at, at, &at)) {
        result = describe(values, reader, at);
    }
    store_close(reader);
    return result;
}

static const struct option options[] = {
    {"at", 0, OPTION_TEXT, "T", offsetof(struct describe_values, at),
     "the instant, such as 83s or 1m23.5s; default: the end of the run"},
    {"group", 'g', OPTION_TEXT, "GROUP", offsetof(struct describe_values, group),
     "only this group"},
    {"offsets", 0, OPTION_FLAG, NULL, offsetof(struct describe_values, offsets),
     "partitions with offsets, lag and owner (the default)"},
    {"members", 0, OPTION_FLAG, NULL, offsetof(struct describe_values, members),
     "members and how many partitions each has"},
    {"state", 0, OPTION_FLAG, NULL, offsetof(struct describe_values, state),
     "coordinator, strategy, state and number of members"},
    {"verbose", 'v', OPTION_FLAG, NULL, offsetof(struct describe_values, verbose),
     "leader epochs, assignments, group epochs"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct describe_values, json),
     "one JSON object with everything"},
};

const struct command command_describe = {
    .name = "describe",
    .summary = "a group at an instant, as kafka-consumer-groups.sh would have shown it",
    .arguments = "RUN",
    .argument_min = 1,
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct describe_values),
    .details = "Shows what the operator's tool shows, and hides what it hides: a classic group has "
               "assignments\nonly while it is Stable, so during a rebalance every partition looks "
               "unowned.",
    .example = "cohort describe rolling-deploy-eager-seed42.cohort --at 75s --group "
               "payment-processors",
    .run = run,
};
