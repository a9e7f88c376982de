/* tools/terminal.c: may we colour, may we animate? */
#include "tools/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one setting that belongs to the process and not to a command. */
static enum color_mode color_mode = COLOR_AUTO;

void terminal_set_color(enum color_mode mode)
{
    color_mode = mode;
}

static bool is_dumb(void)
{
    const char *term = getenv("TERM");
    return term != NULL && strcmp(term, "dumb") == 0;
}

bool terminal_has_color(FILE *stream)
{
    if (color_mode != COLOR_AUTO) return color_mode == COLOR_ALWAYS;
    const char *no_color = getenv("NO_COLOR");
    if (no_color != NULL && no_color[0] != '\0') return false;
    const char *force = getenv("CLICOLOR_FORCE");
    if (force != NULL && force[0] != '\0' && strcmp(force, "0") != 0) return true;
    return !is_dumb() && isatty(fileno(stream));
}

bool terminal_is_live(FILE *stream)
{
    return !is_dumb() && isatty(fileno(stream));
}

const char *terminal_color(FILE *stream, const char *color)
{
    return terminal_has_color(stream) ? color : "";
}
