/* tools/cmd_check.c: `cohort check`: is this scenario sound? */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/scenario_yaml.h"

#include <inttypes.h>

struct check_values {
    struct option_list sets;
    const char *seed;
    bool resolved;
};

static const struct option options[] = {
    {"set", 0, OPTION_LIST, "PATH=VALUE", offsetof(struct check_values, sets),
     "change a value, e.g. groups.payments.members=20; may be given again"},
    {"seed", 0, OPTION_TEXT, "N|auto|COMMIT", offsetof(struct check_values, seed),
     "another seed than the scenario's"},
    {"resolved", 0, OPTION_FLAG, NULL, offsetof(struct check_values, resolved),
     "print the scenario with every value explicit"},
};

static const char *plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_summary(const char *path, const struct scenario *scenario, size_t warnings)
{
    int64_t members = 0;
    for (int32_t i = 0; i < scenario->group_count; i++)
        members += scenario->groups[i].members;
    printf("%s: sound: %" PRId32 " topic%s, %" PRId32 " group%s with %" PRId64 " member%s, %" PRId32
           " event%s, %" PRId32 " expectation%s",
           path, scenario->topic_count, plural(scenario->topic_count), scenario->group_count,
           plural(scenario->group_count), members, plural(members), scenario->event_count,
           plural(scenario->event_count), scenario->expect_count, plural(scenario->expect_count));
    if (warnings > 0) printf("; %zu warning%s", warnings, plural((int64_t)warnings));
    printf("\n");
}

static bool check_file(const struct check_values *values, const char *path)
{
    const struct scenario_overrides overrides = {.sets = values->sets.values,
                                                 .set_count = values->sets.count,
                                                 .seed = values->seed};
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    bool loaded = scenario_load(path, &overrides, &document, diagnostics);
    diagnostics_print(diagnostics, stderr);
    if (loaded && values->resolved) {
        struct text text = {0};
        scenario_document_write(document, &text);
        fputs(text_data(&text), stdout);
        text_free(&text);
    } else if (loaded) {
        print_summary(path, scenario_document_scenario(document),
                      diagnostics_warnings(diagnostics));
    }
    scenario_document_free(document);
    diagnostics_free(diagnostics);
    return loaded;
}

static int run(const void *values, const struct arguments *arguments)
{
    bool all_sound = true;
    for (size_t i = 0; i < arguments->count; i++)
        all_sound = check_file(values, arguments->values[i]) && all_sound;
    return all_sound ? EXIT_FINE : EXIT_BAD_INPUT;
}

const struct command command_check = {
    .name = "check",
    .summary = "is a scenario sound? Every mistake, with its place and what was expected",
    .arguments = "SCENARIO...",
    .argument_min = 1,
    .argument_max = SIZE_MAX,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct check_values),
    .details =
        "Nothing is run and nothing is written. `-` reads standard input. Exit code 2 when a\n"
        "file has errors; warnings alone are fine.",
    .example = "cohort check scenarios/*.yaml",
    .run = run,
};
