/* tools/progress.h: a line on the terminal that shows how far something is.
 *
 * Only on stderr, only when it is a live terminal; otherwise everything here does nothing. The one
 * place besides the benchmarks that reads the wall clock. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds of real time since some fixed instant. */
double wall_clock_seconds(void);

struct progress {
    bool is_live;
    double started_at;
    double shown_at;
};

void progress_begin(struct progress *progress, bool wanted);
/* True when enough time has passed to show the next state; ask before putting it together. */
bool progress_is_due(struct progress *progress);
/* `done_permille` of the whole; `text` follows the bar, cut to the width of the terminal. */
void progress_show(struct progress *progress, int done_permille, const char *text);
/* Takes the line away. */
void progress_end(struct progress *progress);

/* Ctrl-C, termination and hang-up set a flag instead of ending the program, so that what was begun
 * can be taken back. A second one ends it at once. */
void interrupts_catch(void);
bool interrupts_pending(void);

#endif
