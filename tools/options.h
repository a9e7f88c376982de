/* tools/options.h: commands, and the options people type after them.
 *
 * A command is one table: its options drive the parsing, the --help page and the manual. main
 * parses before the command runs, so a command sees only values in a struct of its own:
 *
 *     struct greet_values { bool loud; int64_t times; const char *name; };
 *     static const struct greet_values defaults = {.times = 1, .name = "world"};
 *     static const struct option options[] = {
 *         {"loud", 'l', OPTION_FLAG, NULL, offsetof(struct greet_values, loud), "shout"},
 *         {"times", 'n', OPTION_INTEGER, "N", offsetof(struct greet_values, times), "say it N
 * times"},
 *     };
 *     const struct command command_greet = {.name = "greet", …, .run = run};
 *
 * Typed as --name VALUE, --name=VALUE, -n VALUE or -nVALUE; options and arguments mix; "--" ends
 * the options; "-" is an argument. Every command has -h, --help and --color by itself. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What `cohort` ends with. */
enum exit_code {
    EXIT_FINE = 0,
    EXIT_EXPECTATION_FAILED = 1, /* it ran, and the answer is no */
    EXIT_BAD_INPUT = 2,          /* usage or scenario error; nothing was written */
    EXIT_INTERNAL = 3,           /* our own bug, a violated invariant, or the disk */
    EXIT_INTERRUPTED = 130,
};

/* The type of the field at `offset`. */
enum option_type {
    OPTION_FLAG,    /* bool, set to true */
    OPTION_TEXT,    /* const char * */
    OPTION_LIST,    /* struct option_list, one entry each time it is given */
    OPTION_INTEGER, /* int64_t, 0 or more */
    OPTION_CHOICE,  /* const char *, one of the words of `value` between '|' */
};

struct option_list {
    const char **values;
    size_t count;
};

struct option {
    const char *name; /* without the dashes */
    char letter;      /* 0 = none */
    enum option_type type;
    const char *value; /* how the value is called in the help; NULL for flags */
    size_t offset;
    const char *help;
};

struct arguments {
    const char **values;
    size_t count;
};

struct command {
    const char *name;
    const char *summary;   /* one line, no full stop */
    const char *arguments; /* in the usage line, e.g. "SCENARIO..."; NULL = none */
    size_t argument_min;
    size_t argument_max; /* SIZE_MAX = any number */
    const struct option *options;
    size_t option_count;
    size_t values_size;   /* of the struct that the options fill */
    const void *defaults; /* NULL = zeroed */
    const char *details;  /* paragraphs below the options; NULL = none */
    const char *example;  /* one or more whole command lines */
    /* `values` is the filled struct; it and the arguments live as long as the call. */
    int (*run)(const void *values, const struct arguments *arguments);
};

/* Parses argv (without program and command name) and runs the command. Usage errors are printed to
 * stderr, all of them, and give EXIT_BAD_INPUT. */
int command_execute(const struct command *command, int argc, char **argv);
/* The page of `cohort help NAME`. */
void command_print_help(const struct command *command, FILE *stream);

#endif
