/* tools/main.c: `cohort COMMAND …`. */
#include "tools/commands.h"
#include "tools/version.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

/* CHECK failed: the program is wrong, not the input. */
static void stop_at_bug(const char *file, int line, const char *expression)
{
    fprintf(stderr,
            "cohort: internal error at %s:%d: %s\n"
            "This is a bug in Cohort, not in your scenario. Please report it with the command\n"
            "you typed, the scenario and the seed. Build %s.\n",
            file, line, expression, version_build_id());
    fflush(NULL);
    _Exit(EXIT_INTERNAL);
}

int main(int argc, char **argv)
{
    check_set_handler(stop_at_bug);
    int code;
    if (argc < 2) {
        commands_print(stdout);
        code = EXIT_FINE;
    } else if (strcmp(argv[1], "--version") == 0) {
        printf("cohort %s (build %s)\n", version_number(), version_build_id());
        code = EXIT_FINE;
    } else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        code = command_execute(&command_help, argc - 2, argv + 2);
    } else {
        const struct command *command = command_find(argv[1]);
        code = command == NULL ? command_unknown(argv[1])
                               : command_execute(command, argc - 2, argv + 2);
    }
    /* Results that did not reach stdout (a full disk, a closed pipe) are not fine. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_FINE) {
        perror("cohort: stdout");
        code = EXIT_INTERNAL;
    }
    return code;
}
