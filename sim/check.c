#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>

/* The one process-wide variable of the engine: a failed CHECK ends the process, not a world. */
static check_handler *installed_handler;

void check_set_handler(check_handler *handler)
{
    installed_handler = handler;
}

void check_failed(const char *file, int line, const char *expression)
{
    fprintf(stderr, "%s:%d: internal error: CHECK(%s) failed; this is a bug in Cohort\n", file,
            line, expression);
    if (installed_handler != NULL) installed_handler(file, line, expression);
    abort();
}
