/* tools/summary.h: what a run showed: for people, as JSON, and row by row in the store. */
#ifndef TOOLS_SUMMARY_H
#define TOOLS_SUMMARY_H

#include "tools/run.h"

#include <jansson.h>
#include <stdio.h>

struct expectation {
    const char *text;
    int32_t line;
    bool known; /* the run tells what it asks for */
    bool passed;
    double value;     /* of its metric */
    const char *unit; /* " s", "/s" or "" */
};

/* A finished run with its expectations judged. */
struct summary {
    const struct run *run;
    double wall_seconds;
    struct expectation *expectations; /* shape [expectation_count] */
    size_t expectation_count;
    size_t expectations_failed;
    int64_t violations;
};

struct summary *summary_new(const struct run *run, double wall_seconds);
void summary_free(struct summary *summary);

/* 1 when an expectation failed, 3 when an invariant was violated, else 0. */
int summary_exit_code(const struct summary *summary);

/* The keys are stable: scenario, seed, version, fingerprints{workload,protocol,full},
 * virtual_seconds, wall_seconds, events, events_per_second, tie_rate_ppm, groups{NAME:{…}},
 * producers{NAME:{…}}, expect[…], violations[…]. */
json_t *summary_json(const struct summary *summary);
/* One row for each leaf of the JSON: "groups.payments.rebalances" -> 15. */
void summary_store(const json_t *json, struct store *store);
/* The text of one such row, to be freed by free(); NULL when there is no such path. */
char *summary_value(const json_t *json, const char *path);

/* In one plain sentence per group what happened, then the figures. Nothing about where it is
 * stored or how to reproduce it: the command knows that. */
void summary_print(const struct summary *summary, FILE *stream);
/* The invariants that did not hold. */
void summary_print_violations(const struct summary *summary, FILE *stream);

#endif
