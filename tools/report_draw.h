/* tools/report_draw.h: from a report to a picture, by gnuplot.
 *
 * The .gp file and the picture appear whole or not at all: both are made under hidden names beside
 * their place and renamed when gnuplot has succeeded. */
#ifndef TOOLS_REPORT_DRAW_H
#define TOOLS_REPORT_DRAW_H

#include "tools/report.h"

enum picture_format { PICTURE_PNG, PICTURE_SVG };

/* False when there is no gnuplot to run; the reason, with the package's name, in `error`. */
bool gnuplot_is_there(char **error);

/* Writes DIRECTORY/STEM.gp and DIRECTORY/STEM.png (or .svg). Errors are to be freed by free(). */
bool report_draw(const struct report *report, const struct report_input *input,
                 enum picture_format format, const char *directory, const char *stem, char **error);

/* The same for gnuplot text that is complete but for the terminal: `template` names a file in
 * plots/. `height` in pixels. */
bool gnuplot_draw(const char *template, const char *data, int height, enum picture_format format,
                  const char *directory, const char *stem, char **error);

#endif
