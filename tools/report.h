/* tools/report.h: the pictures that `cohort plot` draws, each from the store alone.
 *
 * A report writes gnuplot variables and data blocks; its template in plots/ turns them into a
 * picture. Both, and plots/style.gp, go into one .gp file beside the picture, which draws it again
 * without Cohort. To add one: a report_NAME.c with a `const struct report`, a line in REPORTS, and
 * plots/NAME.gp. */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include "tools/store_reader.h"
#include "tools/text.h"

#include <stdbool.h>

/* One group of one run. */
struct report_input {
    const struct store_reader *reader;
    name_id group;
    const char *group_name;
    sim_time duration_ns;
    /* The group's partitions, in the order of topic name and number: a row each. */
    const struct store_partition **rows;
    size_t row_count;
    size_t topic_count;
};

struct report {
    const char *name; /* of the picture and of plots/NAME.gp */
    const char *summary;
    /* Appends variables and data blocks. False: nothing to draw, the reason in `error` (to be freed
     * by free()). */
    bool (*write)(const struct report_input *input, struct text *gnuplot, char **error);
};

#define REPORTS(X)                                                                                 \
    X(lag_by_partition)                                                                            \
    X(ownership)                                                                                   \
    X(group_lag)

#define X(name) extern const struct report report_##name;
REPORTS(X)
#undef X

/* Fills everything but the names given; false when the group has nothing to show. */
bool report_input_load(struct report_input *input, const struct store_reader *reader,
                       name_id group);
void report_input_free(struct report_input *input);
/* The row of a PARTITION_ID, -1 = none of the group's. */
int report_row(const struct report_input *input, int64_t partition);

/* What every picture needs: title, time axis, size. */
void report_common(const struct report_input *input, const char *title, struct text *gnuplot);
/* `set ytics` with names of rows: all when they are few, else every so many-th. */
void report_row_names(const struct report_input *input, struct text *gnuplot);
/* $rebalances: begin and end in seconds; always at least one (perhaps outside the picture), since
 * gnuplot refuses empty blocks. Sets `rebalances`, their number as the summary has it. */
void report_rebalances(const struct report_input *input, struct text *gnuplot);
/* Text in single quotes, for gnuplot. */
void report_quote(struct text *gnuplot, const char *text);
/* Seconds with six decimals, without floating point. */
void report_seconds(struct text *gnuplot, sim_time at);

#endif
