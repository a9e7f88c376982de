/* tools/terminal.h: may we colour, may we animate?
 *
 * Each stream is judged by itself. Colour: --color=always|never decides; otherwise it takes a
 * terminal, no NO_COLOR (set and not empty, no-color.org), no TERM=dumb; CLICOLOR_FORCE (set and
 * not "0") stands in for the terminal. */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Set once by main from --color, before anything is printed. */
void terminal_set_color(enum color_mode mode);
bool terminal_has_color(FILE *stream);
/* A progress display may rewrite its line: the stream is a terminal and not a dumb one. */
bool terminal_is_live(FILE *stream);

#define COLOR_RED    "\033[1;31m"
#define COLOR_YELLOW "\033[1;33m"
#define COLOR_GREEN  "\033[1;32m"
#define COLOR_CYAN   "\033[1;36m"
#define COLOR_BOLD   "\033[1m"
#define COLOR_RESET  "\033[0m"
/* The colour's code, or "" where the stream takes none. */
const char *terminal_color(FILE *stream, const char *color);

#endif
