/* tools/cmd_help.c: `cohort help`, and the table of commands behind it. */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/diagnostic.h"
#include "tools/schema_json.h"

#include <string.h>

static const struct command *const commands[] = {
#define X(name) &command_##name,
    COMMANDS(X)
#undef X
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0) return commands[i];
    }
    return NULL;
}

int command_unknown(const char *name)
{
    const char *names[ARRAY_LEN(commands)];
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i]->name;
    struct diagnostics *diagnostics = diagnostics_new();
    diagnostic_error(diagnostics, (struct position){0}, "unknown command %s", name);
    const char *nearest = nearest_name(name, names, ARRAY_LEN(names));
    if (nearest != NULL) diagnostic_hint(diagnostics, "did you mean cohort %s?", nearest);
    diagnostics_print(diagnostics, stderr);
    diagnostics_free(diagnostics);
    fputs("see: cohort help\n", stderr);
    return EXIT_BAD_INPUT;
}

void commands_print(FILE *stream)
{
    fputs("cohort: what a consumer group did, and why, on a virtual clock\n\n"
          "usage: cohort COMMAND [options] [arguments]\n\n"
          "commands:\n",
          stream);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(stream, "  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nexample:\n  cohort run scenarios/rolling-deploy-eager.yaml\n\n"
          "cohort help COMMAND tells more; cohort --version names the build.\n",
          stream);
}

static int run(const void *values, const struct arguments *arguments)
{
    (void)values;
    if (arguments->count == 0) {
        commands_print(stdout);
        return EXIT_FINE;
    }
    if (strcmp(arguments->values[0], "scenario") == 0) {
        struct text page = {0};
        schema_write_page(&page);
        fputs(text_data(&page), stdout);
        text_free(&page);
        return EXIT_FINE;
    }
    const struct command *command = command_find(arguments->values[0]);
    if (command == NULL) return command_unknown(arguments->values[0]);
    command_print_help(command, stdout);
    return EXIT_FINE;
}

const struct command command_help = {
    .name = "help",
    .summary = "what a command does, its options and an example",
    .arguments = "[COMMAND|scenario]",
    .argument_max = 1,
    .details = "`cohort help scenario` is the reference page of scenario files.",
    .example = "cohort help run",
    .run = run,
};
