/* tools/expect.h: one line of `expect:`, parsed and judged.
 *
 *     rebalances(payments) >= 15            max(lag_records(payments)) > 50000
 *     total(rebalance_time(payments)) < 30s at(90s, members(payments)) == 15
 *     processed(payments) == produced(payments)             duplicates(payments, crash) == 120
 *
 *     line   = term (">=" | "<=" | ">" | "<" | "==" | "!=") term
 *     term   = number [unit] | metric | aggregate "(" metric ")" | "at" "(" time "," metric ")"
 *     metric = name "(" [group ["," cause]] ")"
 *
 * Metrics are one table, below: what a run's summary and series can tell. A comparison has one
 * unit: a duration is never held against a bare number. */
#ifndef TOOLS_EXPECT_H
#define TOOLS_EXPECT_H

#include "model/findings.h"
#include "model/scenario.h"
#include "tools/value.h"

enum expect_unit {
    EXPECT_NUMBER,
    EXPECT_DURATION, /* values in seconds */
    EXPECT_RATE,     /* per second */
};

/* How a metric with many values becomes one. */
enum expect_aggregate {
    EXPECT_PLAIN, /* it has one value */
    EXPECT_MAX,
    EXPECT_MIN,
    EXPECT_MEAN,
    EXPECT_TOTAL,
    EXPECT_P50,
    EXPECT_P95,
    EXPECT_P99,
    EXPECT_LAST, /* at the end of the run */
    EXPECT_AT,   /* at an instant */
    EXPECT_AGGREGATE_COUNT,
};
extern const char *const expect_aggregate_names[EXPECT_AGGREGATE_COUNT];

struct expect_metric {
    const char *name;
    enum expect_unit unit;
    bool per_group;      /* takes the name of a group; otherwise of the whole run */
    unsigned aggregates; /* set of 1 << enum expect_aggregate */
    const char *help;
};
extern const struct expect_metric expect_metrics[];
extern const size_t expect_metric_count;

struct expect_term {
    const struct expect_metric *metric; /* NULL = the constant */
    double constant;                    /* in the unit's seconds, or the number */
    enum expect_aggregate aggregate;
    sim_time at;               /* EXPECT_AT */
    int32_t group;             /* index in scenario.groups; -1 = none */
    enum finding_kind finding; /* with a cause */
    int32_t cause;             /* enum finding_cause; -1 = whatever the cause */
};

enum expect_comparison {
    EXPECT_AT_LEAST,
    EXPECT_AT_MOST,
    EXPECT_MORE,
    EXPECT_LESS,
    EXPECT_EQUAL,
    EXPECT_UNEQUAL,
};

struct expect {
    struct expect_term left;
    enum expect_comparison comparison;
    struct expect_term right;
};

/* False when an error was reported, at its column. `place.at` is where the text starts. */
bool expect_parse(const struct value_place *place, const struct scenario *scenario,
                  const char *text, struct expect *expect);

/* The value of a term's metric; false when the run does not tell it. */
typedef bool expect_lookup(void *context, const struct expect_term *term, double *value);

struct expect_result {
    bool known; /* every metric had a value */
    bool passed;
    double left;
    double right;
};
struct expect_result expect_judge(const struct expect *expect, expect_lookup *lookup,
                                  void *context);

/* The table of metrics in Markdown. */
void expect_write_page(struct text *text);

#endif
