/* tools/assign_report.h: what each strategy would do, for people and for programs. */
#ifndef TOOLS_ASSIGN_REPORT_H
#define TOOLS_ASSIGN_REPORT_H

#include "model/assignor/measure.h"
#include "tools/assign_group.h"
#include "tools/text.h"

struct strategy {
    const char *name; /* "server-range" is the broker's range */
    const struct assignor *assignor;
    const char *protocol; /* eager, cooperative, consumer */
};

extern const struct strategy strategies[];
extern const int32_t strategy_count;

struct strategy_result {
    const struct strategy *strategy;
    struct assign_output output;
    struct assign_measure measure;
    /* Partitions nobody reads for the length of a rebalance: with an eager protocol all that had an
     * owner, else those that move. */
    int32_t stopped;
    int32_t rebalances; /* until all is handed over; 0 = one by one, without a rebalance */
};

/* Results live in the group's memory. */
struct strategy_result strategy_run(struct assign_group *group, const struct strategy *strategy);

/* The summary, and who gets what side by side; one below the other where that would be too wide. */
void assign_report_text(struct text *text, const struct assign_group *group,
                        const struct strategy_result *results, int32_t count);
/* One JSON object; its fields are described in the command's help. */
void assign_report_json(struct text *text, const struct assign_group *group,
                        const struct strategy_result *results, int32_t count);

/* Topics by name; shape [topic_count], in the group's memory. */
int32_t *assign_report_topics(const struct assign_group *group);

#endif
