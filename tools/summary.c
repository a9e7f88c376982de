#include "tools/summary.h"

#include "model/kafka_types.h"
#include "tools/expect.h"
#include "tools/options.h"
#include "tools/text.h"
#include "tools/version.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *unit_suffix(enum expect_unit unit)
{
    switch (unit) {
    case EXPECT_NUMBER: return "";
    case EXPECT_DURATION: return " s";
    case EXPECT_RATE: return "/s";
    }
    return "";
}

/* The lines were checked when the scenario was loaded; here they are only read again. */
static struct expectation judge(const struct run *run, const struct scenario_expect *line)
{
    struct expectation expectation = {.text = line->text, .line = line->position.line, .unit = ""};
    struct diagnostics *diagnostics = diagnostics_new();
    const struct value_place place = {.diagnostics = diagnostics, .label = "expect"};
    struct expect expect;
    if (expect_parse(&place, run_scenario(run), line->text, &expect)) {
        /* The lookup only reads, but its context is not const for the sake of other callers. */
        struct expect_result result = expect_judge(&expect, run_lookup, (void *)(uintptr_t)run);
        const struct expect_term *metric =
            expect.left.metric != NULL ? &expect.left : &expect.right;
        expectation.known = result.known;
        expectation.passed = result.known && result.passed;
        expectation.value = metric == &expect.left ? result.left : result.right;
        if (metric->metric != NULL) expectation.unit = unit_suffix(metric->metric->unit);
    }
    diagnostics_free(diagnostics);
    return expectation;
}

struct summary *summary_new(const struct run *run, double wall_seconds)
{
    const struct scenario *scenario = run_scenario(run);
    struct summary *summary = tool_allocate(sizeof *summary);
    summary->run = run;
    summary->wall_seconds = wall_seconds;
    summary->violations = checkers_violation_count(run_checkers(run));
    summary->expectation_count = (size_t)scenario->expect_count;
    summary->expectations =
        tool_allocate((summary->expectation_count + 1) * sizeof *summary->expectations);
    for (size_t i = 0; i < summary->expectation_count; i++) {
        summary->expectations[i] = judge(run, &scenario->expects[i]);
        if (!summary->expectations[i].passed) summary->expectations_failed++;
    }
    return summary;
}

void summary_free(struct summary *summary)
{
    if (summary == NULL) return;
    free(summary->expectations);
    free(summary);
}

int summary_exit_code(const struct summary *summary)
{
    if (summary->violations > 0) return EXIT_INTERNAL;
    return summary->expectations_failed > 0 ? EXIT_EXPECTATION_FAILED : EXIT_FINE;
}

/* Whole numbers stay whole numbers. */
static json_t *number(double value)
{
    if (fabs(value) < 9e15 && floor(value) == value) return json_integer((json_int_t)value);
    return json_real(value);
}

static json_t *seconds(sim_time duration_ns)
{
    return json_real((double)duration_ns / 1e9);
}

static json_t *milliseconds(sim_time duration_ns)
{
    return json_real((double)duration_ns / 1e6);
}

static json_t *fingerprint(uint64_t value)
{
    return json_sprintf("%016" PRIx64, value);
}

static json_t *latency_json(const struct latency_histogram *histogram)
{
    static const struct {
        const char *key;
        int32_t permille;
    } quantiles[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}};
    json_t *latency = json_object();
    bool known = histogram != NULL && latency_histogram_count(histogram) > 0;
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        json_object_set_new(latency, quantiles[i].key,
                            known ? milliseconds(latency_histogram_quantile(histogram,
                                                                            quantiles[i].permille))
                                  : json_null());
    }
    json_object_set_new(latency, "max",
                        known ? milliseconds(latency_histogram_max(histogram)) : json_null());
    return latency;
}

#define ENUM_TEXT(member) #member,
static const char *const rebalance_cause_names[] = {TRACE_ENUM_REBALANCE_CAUSE(ENUM_TEXT)};
#undef ENUM_TEXT

/* Only what is not zero: {"SESSION_EXPIRED": 1}. */
static json_t *rebalance_causes_json(const struct ledger_anomalies *anomalies)
{
    json_t *causes = json_object();
    for (int cause = 0; cause < REBALANCE_CAUSE_COUNT; cause++) {
        int64_t count = anomalies->rebalances_by_cause[cause];
        if (count == 0) continue;
        json_object_set_new(causes, rebalance_cause_names[cause], json_integer(count));
    }
    return causes;
}

static json_t *errors_json(const struct ledger_error_count *counts)
{
    json_t *errors = json_object();
    for (int i = 0; i < LEDGER_ERRORS_KEPT && counts[i].count > 0; i++) {
        const char *name = counts[i].error == KAFKA_NONE
                               ? "exception"
                               : kafka_error_name((int32_t)counts[i].error);
        json_object_set_new(errors, name, json_integer(counts[i].count));
    }
    return errors;
}

/* What the ledger found, by kind and cause: {"duplicate": {"crash": 40}}. */
static json_t *causes_json(const struct finding_totals *totals)
{
    json_t *kinds = json_object();
    for (int kind = 0; kind < FINDING_KIND_COUNT; kind++) {
        json_t *causes = json_object();
        for (int cause = 0; cause < FINDING_CAUSE_COUNT; cause++) {
            int64_t records = totals->records[kind][cause];
            if (records == 0) continue;
            json_object_set_new(causes, finding_cause_name((enum finding_cause)cause),
                                json_integer(records));
        }
        if (json_object_size(causes) > 0) {
            json_object_set(kinds, finding_kind_name((enum finding_kind)kind), causes);
        }
        json_decref(causes);
    }
    return kinds;
}

static json_t *anomalies_json(const struct ledger_anomalies *anomalies)
{
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"poll_skips", json_integer(anomalies->poll_skips)},
        {"poll_rewinds", json_integer(anomalies->poll_rewinds)},
        {"rejected_commits", json_integer(anomalies->rejected_commits)},
        {"rejected_commits_by_error", errors_json(anomalies->rejected_by_error)},
        {"commit_rewinds", json_integer(anomalies->commit_rewinds)},
        {"offset_resets", json_integer(anomalies->offset_resets)},
        {"moves", json_integer(anomalies->moves)},
        {"unnecessary_moves", json_integer(anomalies->moved_needlessly)},
        {"imbalance", json_integer(anomalies->imbalance)},
        {"longest_rest_seconds", seconds(anomalies->rest_ns)},
        {"longest_rest_load_most", json_integer(anomalies->load_most)},
        {"longest_rest_load_least", json_integer(anomalies->load_least)},
        {"rebalances_by_cause", rebalance_causes_json(anomalies)},
        {"cascaded_rebalances", json_integer(anomalies->cascaded_rebalances)},
        {"generations_reused", json_integer(anomalies->generations_reused)},
        {"reordered", json_integer(anomalies->reordered_records)},
        {"out_of_order", json_integer(anomalies->out_of_order)},
        {"overtaken", json_integer(anomalies->overtaken)},
        {"forming_seconds",
         anomalies->forming_ns < 0 ? json_null() : seconds(anomalies->forming_ns)},
        {"fatal_errors", json_integer(anomalies->fatal_errors)},
        {"fatal_errors_by_error", errors_json(anomalies->fatal_by_error)},
        {"exceptions_caught", json_integer(anomalies->exceptions_caught)},
        {"waiting", json_integer(anomalies->waiting)},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_object_set_new(object, members[i].key, members[i].value);
    }
    return object;
}

static json_t *group_json(const struct run_group *group)
{
    const struct ledger_group *ledger = &group->ledger;
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"rebalances", json_integer(ledger->rebalances)},
        {"rebalance_seconds_total", seconds(ledger->rebalance_ns_total)},
        {"rebalance_seconds_max", seconds(ledger->rebalance_ns_max)},
        {"stopped_partition_seconds", seconds(ledger->stopped_partition_ns)},
        {"lag_records_max", json_integer(ledger->lag_records_max)},
        {"lag_seconds_max", seconds(ledger->lag_ns_max)},
        {"produced", json_integer(ledger->produced)},
        {"processed", json_integer(group->processed_once)},
        {"duplicates", json_integer(ledger->duplicates)},
        {"skipped", json_integer(ledger->skipped)},
        {"lost", json_integer(ledger->lost)},
        {"compacted", json_integer(ledger->compacted)},
        {"zombie", json_integer(ledger->zombie)},
        {"taken_back", json_integer(ledger->taken_back)},
        {"copies", json_integer(ledger->copies)},
        {"commits", json_pack("{s:I,s:I}", "attempted", (json_int_t)ledger->commits_attempted,
                              "failed", (json_int_t)ledger->commits_failed)},
        {"latency_ms", latency_json(ledger->latency_ns)},
        {"anomalies", anomalies_json(&group->anomalies)},
        {"causes", causes_json(group->findings)},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_object_set_new(object, members[i].key, members[i].value);
    }
    return object;
}

static json_t *producer_json(const struct ledger_producer *producer)
{
    const struct {
        const char *key;
        json_t *value;
    } members[] = {
        {"arrived", json_integer(producer->arrived)},
        {"acknowledged", json_integer(producer->acknowledged)},
        {"failed", json_integer(producer->failed)},
        {"resent", json_integer(producer->resent)},
        {"failed_by_error", errors_json(producer->failed_by_error)},
        {"unsent", json_integer(producer->unsent)},
        {"unheard", json_integer(producer->unheard)},
        {"down", json_integer(producer->down)},
        {"pending", json_integer(producer->pending)},
        {"appended", json_integer(producer->appended)},
        {"dropped", json_integer(producer->dropped)},
        {"diverged", json_integer(producer->diverged)},
        {"travelling", json_integer(producer->travelling)},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_object_set_new(object, members[i].key, members[i].value);
    }
    return object;
}

static json_t *violations_json(const struct summary *summary)
{
    const struct checkers *checkers = run_checkers(summary->run);
    json_t *list = json_array();
    for (int64_t i = 0; i < summary->violations && i < VIOLATIONS_KEPT; i++) {
        const struct violation *violation = checkers_violation(checkers, i);
        json_t *object = json_object();
        json_object_set_new(object, "checker", json_string(checker_name(violation->checker)));
        json_object_set_new(object, "at_seconds", seconds(violation->at));
        json_object_set_new(object, "record", json_integer((json_int_t)violation->record));
        json_object_set_new(object, "group",
                            violation->group != NAME_NONE
                                ? json_string(run_name(summary->run, violation->group))
                                : json_null());
        json_object_set_new(object, "text", json_string(run_name(summary->run, violation->text)));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *expect_json(const struct expectation *expectation)
{
    json_t *object = json_object();
    json_object_set_new(object, "text", json_string(expectation->text));
    json_object_set_new(object, "line", json_integer(expectation->line));
    json_object_set_new(object, "value",
                        expectation->known ? number(expectation->value) : json_null());
    json_object_set_new(object, "passed", json_boolean(expectation->passed));
    return object;
}

json_t *summary_json(const struct summary *summary)
{
    const struct run *run = summary->run;
    const struct scenario *scenario = run_scenario(run);
    struct fingerprints fingerprints = run_fingerprints(run);
    struct sim_statistics statistics = run_statistics(run);
    uint64_t seed = run_options(run)->seed;
    json_t *json = json_object();
    json_object_set_new(json, "scenario", json_string(scenario->name));
    /* JSON's integers end at 2^63 in this library; larger seeds are text. */
    json_object_set_new(json, "seed",
                        seed <= INT64_MAX ? json_integer((json_int_t)seed)
                                          : json_sprintf("%" PRIu64, seed));
    json_object_set_new(json, "version", json_string(version_number()));
    json_t *prints = json_object();
    json_object_set_new(prints, "workload", fingerprint(fingerprints.workload));
    json_object_set_new(prints, "protocol", fingerprint(fingerprints.protocol));
    json_object_set_new(prints, "full", fingerprint(fingerprints.full));
    json_object_set_new(json, "fingerprints", prints);
    json_object_set_new(json, "virtual_seconds", seconds(run_glimpse(run).now));
    json_object_set_new(json, "wall_seconds", json_real(summary->wall_seconds));
    json_object_set_new(json, "events", json_integer((json_int_t)statistics.events));
    json_object_set_new(json, "events_per_second",
                        json_integer(
                            summary->wall_seconds > 0
                                ? (json_int_t)((double)statistics.events / summary->wall_seconds)
                                : 0));
    json_object_set_new(json, "tie_rate_ppm",
                        json_integer(
                            statistics.events > 0
                                ? (json_int_t)(statistics.ties * 1000000 / statistics.events)
                                : 0));
    json_t *groups = json_object();
    for (int32_t g = 0; g < scenario->group_count; g++) {
        struct run_group group;
        run_group(run, g, &group);
        json_object_set_new(groups, group.name, group_json(&group));
    }
    json_object_set_new(json, "groups", groups);
    json_t *producers = json_object();
    for (int32_t i = 0; i < scenario->producer_count; i++) {
        struct ledger_producer producer;
        run_producer(run, i, &producer);
        json_object_set_new(producers, scenario->producers[i].name, producer_json(&producer));
    }
    json_object_set_new(json, "producers", producers);
    json_t *expectations = json_array();
    for (size_t i = 0; i < summary->expectation_count; i++) {
        json_array_append_new(expectations, expect_json(&summary->expectations[i]));
    }
    json_object_set_new(json, "expect", expectations);
    json_object_set_new(json, "violations", violations_json(summary));
    return json;
}

/* Called for each leaf of a JSON value with its path and its text. */
typedef void leaf_visitor(void *self, const char *path, const char *text);

static void visit_leaves(const json_t *value, struct text *path, leaf_visitor *visit, void *self)
{
    size_t length = path->length;
    if (json_is_object(value)) {
        const char *key;
        json_t *member;
        /* The macro takes an object that is not const, and only reads it. */
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            text_format(path, "%s%s", length > 0 ? "." : "", key);
            visit_leaves(member, path, visit, self);
            path->length = length;
            path->data[length] = '\0';
        }
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            text_format(path, ".%zu", i);
            visit_leaves(json_array_get(value, i), path, visit, self);
            path->length = length;
            path->data[length] = '\0';
        }
    } else if (json_is_string(value)) {
        visit(self, text_data(path), json_string_value(value));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
        visit(self, text_data(path), text);
        free(text);
    }
}

static void store_leaf(void *store, const char *path, const char *text)
{
    store_add_summary(store, path, text);
}

void summary_store(const json_t *json, struct store *store)
{
    struct text path = {0};
    visit_leaves(json, &path, store_leaf, store);
    text_free(&path);
}

struct wanted_leaf {
    const char *path;
    char *text;
};

static void find_leaf(void *self, const char *path, const char *text)
{
    struct wanted_leaf *wanted = self;
    if (wanted->text == NULL && strcmp(wanted->path, path) == 0) wanted->text = tool_copy(text);
}

char *summary_value(const json_t *json, const char *path)
{
    struct wanted_leaf wanted = {.path = path};
    struct text at = {0};
    visit_leaves(json, &at, find_leaf, &wanted);
    text_free(&at);
    return wanted.text;
}
