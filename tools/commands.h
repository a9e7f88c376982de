/* tools/commands.h: the commands of `cohort`, in the order the help lists them.
 *
 * To add one: a file tools/cmd_NAME.c that defines `const struct command command_NAME`, and a line
 * here. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "tools/options.h"

/* One a line: */
/* clang-format off */
#define COMMANDS(X)                                                                                \
    X(run)                                                                                         \
    X(replay)                                                                                      \
    X(check)                                                                                       \
    X(assign)                                                                                      \
    X(schema)                                                                                      \
    X(describe)                                                                                    \
    X(log)                                                                                         \
    X(plot)                                                                                        \
    X(compare)                                                                                     \
    X(help)
/* clang-format on */

#define X(name) extern const struct command command_##name;
COMMANDS(X)
#undef X

/* NULL when there is no such command. */
const struct command *command_find(const char *name);
/* Says so on stderr, with the nearest name. Returns EXIT_BAD_INPUT. */
int command_unknown(const char *name);
/* What `cohort` without arguments prints: every command in one line, and one example. */
void commands_print(FILE *stream);

#endif
