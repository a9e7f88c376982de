/* tools/figures.h: the figures of a run, under the names that users, scripts and `expect:` use.
 *
 * One table: the key in `run --json`, the unit, whether a lower value is better, and how to read it
 * from the ledger. Values are integers; durations are nanoseconds and printed as seconds (keys
 * end in _seconds) or milliseconds (_ms). */
#ifndef TOOLS_FIGURES_H
#define TOOLS_FIGURES_H

#include "model/ledger.h"

#include <stddef.h>

enum figure_unit { FIGURE_COUNT, FIGURE_SECONDS, FIGURE_MILLISECONDS };

struct figure {
    const char *key;
    const char *label; /* for people: "lag, most" */
    enum figure_unit unit;
    int better; /* -1 lower is better, +1 higher is, 0 neither */
    int64_t (*read)(const struct ledger_group *group);
};

/* In the order in which they are printed. */
extern const struct figure figures[];
extern const size_t figure_count;

/* NULL when there is none. */
const struct figure *figure_find(const char *key);
/* In the unit it is printed in. */
double figure_value(const struct figure *figure, int64_t raw);

#endif
