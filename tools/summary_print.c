/* tools/summary_print.c: the summary for people. */
#include "tools/summary.h"

#include "model/kafka_types.h"
#include "tools/moment.h"
#include "tools/terminal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What goes into a line, put together piece by piece. */
static void append_count(struct text *text, int64_t count, const char *one, const char *many)
{
    count_format(text, count);
    text_format(text, " %s", count == 1 ? one : many);
}

/* "processed 1,234 records twice" and the like: only what is not zero is told. */
static void append_losses(struct text *text, const struct run_group *group)
{
    const struct ledger_group *ledger = &group->ledger;
    const struct {
        int64_t count;
        const char *before;
        const char *after;
    } parts[] = {
        {ledger->duplicates, "processed ", " a second time"},
        {ledger->skipped, "skipped ", ""},
        {ledger->lost, "lost ", " before anybody read them"},
        {ledger->compacted, "never saw ", " that compaction had removed"},
        {ledger->zombie, "had ", " processed by a consumer that no longer owned them"},
        {ledger->copies, "was given ", " that producers had written again"},
    };
    struct text list = {0};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].count == 0) continue;
        text_format(&list, "%s%s", list.length > 0 ? ", " : "", parts[i].before);
        append_count(&list, parts[i].count, "record", "records");
        text_append(&list, parts[i].after);
    }
    if (list.length == 0) {
        text_append(text, ", and processed nothing twice and missed nothing");
    } else {
        text_format(text, "; it %s", text_data(&list));
    }
    text_free(&list);
}

/* What happened, in one plain sentence. */
static void append_sentence(struct text *text, const struct run_group *group)
{
    const struct ledger_group *ledger = &group->ledger;
    text_append(text, group->name);
    if (ledger->rebalances == 0) {
        text_append(text, " never rebalanced");
    } else {
        text_append(text, " rebalanced ");
        append_count(text, ledger->rebalances, "time", "times");
        text_append(text, " (");
        duration_format(text, ledger->rebalance_ns_total);
        text_append(text, " in all)");
    }
    if (ledger->lag_records_max > 0) {
        text_append(text, ", fell up to ");
        append_count(text, ledger->lag_records_max, "record", "records");
        text_append(text, " and ");
        duration_format(text, ledger->lag_ns_max);
        text_append(text, " behind");
    }
    append_losses(text, group);
    text_append(text, ".\n");
}

/* "  label                 values" */
static void begin_line(struct text *text, const char *label)
{
    text_format(text, "  %-24s", label);
}

static void append_causes(struct text *text, const struct run_group *group, enum finding_kind kind)
{
    bool is_first = true;
    for (int cause = 0; cause < FINDING_CAUSE_COUNT; cause++) {
        int64_t records = group->findings->records[kind][cause];
        if (records == 0) continue;
        text_append(text, is_first ? "  (" : ", ");
        text_format(text, "%s ", finding_cause_name((enum finding_cause)cause));
        count_format(text, records);
        is_first = false;
    }
    if (!is_first) text_append(text, ")");
    text_append(text, "\n");
}

/* "1,234 records  (cause 1,000, other cause 234)" */
static void append_records(struct text *text, const struct run_group *group, enum finding_kind kind)
{
    int64_t records = 0;
    for (int cause = 0; cause < FINDING_CAUSE_COUNT; cause++)
        records += group->findings->records[kind][cause];
    append_count(text, records, "record", "records");
    append_causes(text, group, kind);
}

/* SESSION_EXPIRED -> "session expired" */
static void append_cause_name(struct text *text, const char *name)
{
    for (; *name != '\0'; name++) {
        char letter = *name == '_' ? ' ' : (char)tolower((unsigned char)*name);
        text_format(text, "%c", letter);
    }
}

#define ENUM_TEXT(member) #member,
static const char *const rebalance_cause_names[] = {TRACE_ENUM_REBALANCE_CAUSE(ENUM_TEXT)};
#undef ENUM_TEXT

static void append_rebalance_causes(struct text *text, const struct run_group *group)
{
    bool is_first = true;
    for (int cause = 0; cause < REBALANCE_CAUSE_COUNT; cause++) {
        int64_t count = group->anomalies.rebalances_by_cause[cause];
        if (count == 0) continue;
        if (is_first) begin_line(text, "  because of");
        if (!is_first) text_append(text, ", ");
        append_cause_name(text, rebalance_cause_names[cause]);
        text_append(text, " ");
        count_format(text, count);
        is_first = false;
    }
    if (!is_first) text_append(text, "\n");
    if (group->anomalies.cascaded_rebalances == 0) return;
    begin_line(text, "  cascaded");
    count_format(text, group->anomalies.cascaded_rebalances);
    append_causes(text, group, FINDING_CASCADE);
}

/* A9 and A10 of the checkers; nothing to tell of a group that was never at rest. */
static void append_assignments(struct text *text, const struct run_group *group)
{
    const struct ledger_anomalies *anomalies = &group->anomalies;
    if (anomalies->rest_ns == 0) return;
    begin_line(text, "partitions moved");
    count_format(text, anomalies->moves);
    if (anomalies->moves > 0) {
        text_append(text, ", needlessly ");
        count_format(text, anomalies->moved_needlessly);
    }
    text_append(text, "; members at most ");
    append_count(text, anomalies->imbalance, "partition", "partitions");
    text_append(text, " apart");
    if (anomalies->load_most > 0) {
        double rest_s = (double)anomalies->rest_ns / 1e9;
        text_format(text, ", with %.1f to %.1f records/s", (double)anomalies->load_least / rest_s,
                    (double)anomalies->load_most / rest_s);
    }
    text_append(text, "\n");
}

static void append_figure(struct text *text, const char *label, int64_t count)
{
    begin_line(text, label);
    count_format(text, count);
}

static void append_errors(struct text *text, const struct ledger_error_count *counts)
{
    for (int i = 0; i < LEDGER_ERRORS_KEPT && counts[i].count > 0; i++) {
        text_format(text, "%s%s ", i == 0 ? "  (" : ", ",
                    counts[i].error == KAFKA_NONE ? "an exception of its own code"
                                                  : kafka_error_name((int32_t)counts[i].error));
        count_format(text, counts[i].count);
    }
    text_append(text, ")");
}

/* Consumers that ended with an exception, and what was caught. */
static void append_exceptions(struct text *text, const struct run_group *group)
{
    const struct ledger_anomalies *anomalies = &group->anomalies;
    if (anomalies->fatal_errors > 0) {
        append_figure(text, "consumers gave up", anomalies->fatal_errors);
        append_errors(text, anomalies->fatal_by_error);
        text_append(text, "\n");
    }
    if (anomalies->exceptions_caught > 0) {
        append_figure(text, "exceptions caught", anomalies->exceptions_caught);
        text_append(text, "\n");
    }
}

static void append_commits(struct text *text, const struct run_group *group)
{
    const struct ledger_anomalies *anomalies = &group->anomalies;
    begin_line(text, "commits");
    count_format(text, group->ledger.commits_attempted);
    text_append(text, " attempted, ");
    count_format(text, group->ledger.commits_failed);
    text_append(text, " failed\n");
    if (anomalies->rejected_commits > 0) {
        begin_line(text, "  refused");
        append_count(text, anomalies->rejected_commits, "partition", "partitions");
        append_errors(text, anomalies->rejected_by_error);
        text_append(text, "\n");
    }
    if (anomalies->commit_rewinds > 0) {
        begin_line(text, "  went back");
        append_count(text, anomalies->commit_rewinds, "time, by", "times, by");
        text_append(text, " ");
        append_records(text, group, FINDING_COMMIT_REWIND);
    }
}

/* What is not zero of the order of records. */
static void append_order(struct text *text, const struct run_group *group)
{
    const struct ledger_anomalies *anomalies = &group->anomalies;
    if (anomalies->reordered > 0) {
        begin_line(text, "  out of order");
        append_count(text, anomalies->reordered_records, "record", "records");
        append_causes(text, group, FINDING_REORDERED);
    }
    if (anomalies->overtaken > 0) {
        begin_line(text, "  ahead of their keys");
        append_count(text, anomalies->overtaken, "record", "records");
        text_append(text, " of added partitions, with older ones waiting in the old\n");
    }
    if (anomalies->poll_skips + anomalies->poll_rewinds > 0) {
        begin_line(text, "polls of one consumer");
        text_append(text, "skipped ");
        append_count(text, anomalies->poll_skips, "time", "times");
        text_append(text, ", went back ");
        append_count(text, anomalies->poll_rewinds, "time", "times");
        text_append(text, "\n");
    }
    int64_t jumped = 0;
    for (int cause = 0; cause < FINDING_CAUSE_COUNT; cause++)
        jumped += group->findings->records[FINDING_OFFSET_RESET][cause];
    if (jumped == 0) return;
    begin_line(text, "offset resets");
    count_format(text, anomalies->offset_resets);
    text_append(text, ", jumped ");
    append_records(text, group, FINDING_OFFSET_RESET);
}

static void append_latency(struct text *text, const struct latency_histogram *histogram)
{
    if (histogram == NULL || latency_histogram_count(histogram) == 0) return;
    begin_line(text, "produce to process");
    static const struct {
        const char *name;
        int32_t permille;
    } quantiles[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        text_format(text, "%s ", quantiles[i].name);
        duration_format(text, latency_histogram_quantile(histogram, quantiles[i].permille));
        text_append(text, ", ");
    }
    text_append(text, "max ");
    duration_format(text, latency_histogram_max(histogram));
    text_append(text, "\n");
}

static void append_figures(struct text *text, const struct run_group *group)
{
    const struct ledger_group *ledger = &group->ledger;
    append_figure(text, "rebalances", ledger->rebalances);
    if (ledger->rebalances > 0) {
        text_append(text, ", in all ");
        duration_format(text, ledger->rebalance_ns_total);
        text_append(text, ", longest ");
        duration_format(text, ledger->rebalance_ns_max);
    }
    text_append(text, "\n");
    append_rebalance_causes(text, group);
    if (group->anomalies.forming_ns >= 0) {
        begin_line(text, "formed in");
        duration_format(text, group->anomalies.forming_ns);
        text_append(text, ", from the first join on\n");
    }
    append_assignments(text, group);
    begin_line(text, "partitions stood still");
    duration_format(text, ledger->stopped_partition_ns);
    text_append(text, " (summed over partitions)\n");
    append_figure(text, "lag at most", ledger->lag_records_max);
    text_append(text, " records, ");
    duration_format(text, ledger->lag_ns_max);
    text_append(text, "; at the end ");
    count_format(text, ledger->lag_records_end);
    text_append(text, "\n");
    append_figure(text, "records produced", ledger->produced);
    text_append(text, "\n");
    append_figure(text, "records processed", group->processed_once);
    if (group->anomalies.waiting > 0) {
        text_append(text, ", still waiting ");
        count_format(text, group->anomalies.waiting);
    }
    text_append(text, "\n");
    append_figure(text, "  again (duplicates)", ledger->duplicates);
    append_causes(text, group, FINDING_DUPLICATE);
    append_figure(text, "  skipped", ledger->skipped);
    append_causes(text, group, FINDING_SKIPPED);
    append_figure(text, "  lost", ledger->lost);
    append_causes(text, group, FINDING_LOST);
    if (ledger->compacted > 0) {
        append_figure(text, "  compacted away", ledger->compacted);
        text_append(text, " (unread: their keys had later records, or they were old tombstones)\n");
    }
    append_figure(text, "  zombie work", ledger->zombie);
    append_causes(text, group, FINDING_ZOMBIE);
    if (ledger->taken_back > 0) {
        append_figure(text, "  taken back", ledger->taken_back);
        text_append(text, " (acknowledged, then truncated by an election)\n");
    }
    if (ledger->copies > 0) {
        append_figure(text, "  written twice", ledger->copies);
        append_causes(text, group, FINDING_COPY);
    }
    append_order(text, group);
    append_commits(text, group);
    append_exceptions(text, group);
    append_latency(text, ledger->latency_ns);
}

/* Only producers that something happened to. */
static void append_producer(struct text *text, FILE *stream,
                            const struct scenario_producer *settings,
                            const struct ledger_producer *producer)
{
    const struct {
        const char *label;
        int64_t records;
        const char *meaning;
    } lines[] = {
        {"send() failed", producer->failed, ""},
        {"failed and sent again", producer->resent, ""},
        {"lost unnoticed", producer->dropped, " (acks=0: taken for sent, never written)"},
        {"lost when killed", producer->unsent, " (in its memory)"},
        {"unanswered when killed", producer->unheard, " (sent; they may be in the log)"},
        {"not taken", producer->down, " (came while it was down)"},
    };
    bool is_told = false;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i].records == 0) continue;
        if (!is_told) {
            text_format(text, "\n%s%s%s\n", terminal_color(stream, COLOR_BOLD), settings->name,
                        terminal_color(stream, COLOR_RESET));
            append_figure(text, "records to send", producer->arrived);
            text_append(text, ", ");
            count_format(text, producer->acknowledged);
            text_append(text, settings->config.acks == 0 ? " of them taken for sent\n"
                                                         : " of them acknowledged\n");
        }
        is_told = true;
        append_figure(text, lines[i].label, lines[i].records);
        text_append(text, lines[i].meaning);
        text_append(text, "\n");
    }
}

static void print_expectations(const struct summary *summary, FILE *stream)
{
    if (summary->expectation_count == 0) return;
    size_t width = 0;
    for (size_t i = 0; i < summary->expectation_count; i++) {
        size_t length = strlen(summary->expectations[i].text);
        if (length > width && length <= 72) width = length;
    }
    fprintf(stream, "\nexpectations: %zu of %zu hold\n",
            summary->expectation_count - summary->expectations_failed, summary->expectation_count);
    for (size_t i = 0; i < summary->expectation_count; i++) {
        const struct expectation *expectation = &summary->expectations[i];
        fprintf(stream, "  %s%s%s %-*s  ",
                terminal_color(stream, expectation->passed ? COLOR_GREEN : COLOR_RED),
                expectation->passed ? "✓" : "✗", terminal_color(stream, COLOR_RESET), (int)width,
                expectation->text);
        if (expectation->known) {
            fprintf(stream, "%.10g%s\n", expectation->value, expectation->unit);
        } else {
            fputs("the run does not tell\n", stream);
        }
    }
}

static void print_run(const struct summary *summary, FILE *stream)
{
    struct fingerprints fingerprints = run_fingerprints(summary->run);
    struct sim_statistics statistics = run_statistics(summary->run);
    struct text text = {0};
    text_format(&text,
                "\n  %-24sworkload %016" PRIx64 ", protocol %016" PRIx64 ", full %016" PRIx64,
                "fingerprints", fingerprints.workload, fingerprints.protocol, fingerprints.full);
    text_append(&text, "\n");
    append_figure(&text, "events", (int64_t)statistics.events);
    if (summary->wall_seconds > 0) {
        double virtual_seconds = (double)run_glimpse(summary->run).now / 1e9;
        text_format(&text, " in %.2f s of real time, %.2f million a second, %.0f x real time",
                    summary->wall_seconds, (double)statistics.events / summary->wall_seconds / 1e6,
                    virtual_seconds / summary->wall_seconds);
    }
    text_append(&text, "\n");
    append_figure(&text, "ties",
                  statistics.events > 0 ? (int64_t)(statistics.ties * 1000000 / statistics.events)
                                        : 0);
    text_append(&text, " of a million events\n");
    fputs(text_data(&text), stream);
    text_free(&text);
}

void summary_print(const struct summary *summary, FILE *stream)
{
    const struct scenario *scenario = run_scenario(summary->run);
    struct text text = {0};
    text_format(&text, "%s%s%s: ", terminal_color(stream, COLOR_BOLD), scenario->name,
                terminal_color(stream, COLOR_RESET));
    duration_format(&text, run_glimpse(summary->run).now);
    text_format(&text, " of virtual time, seed %" PRIu64 "\n\n", run_options(summary->run)->seed);
    for (int32_t g = 0; g < scenario->group_count; g++) {
        struct run_group group;
        run_group(summary->run, g, &group);
        append_sentence(&text, &group);
    }
    for (int32_t g = 0; g < scenario->group_count; g++) {
        struct run_group group;
        run_group(summary->run, g, &group);
        text_format(&text, "\n%s%s%s\n", terminal_color(stream, COLOR_BOLD), group.name,
                    terminal_color(stream, COLOR_RESET));
        append_figures(&text, &group);
    }
    for (int32_t i = 0; i < scenario->producer_count; i++) {
        struct ledger_producer producer;
        run_producer(summary->run, i, &producer);
        append_producer(&text, stream, &scenario->producers[i], &producer);
    }
    fputs(text_data(&text), stream);
    text_free(&text);
    print_expectations(summary, stream);
    print_run(summary, stream);
}

void summary_print_violations(const struct summary *summary, FILE *stream)
{
    const struct checkers *checkers = run_checkers(summary->run);
    struct text moment = {0};
    for (int64_t i = 0; i < summary->violations && i < VIOLATIONS_KEPT; i++) {
        const struct violation *violation = checkers_violation(checkers, i);
        text_clear(&moment);
        moment_format(&moment, violation->at);
        fprintf(stream, "%scohort: invariant %s violated%s at %s, record %" PRIu64 ": %s\n",
                terminal_color(stream, COLOR_RED), checker_name(violation->checker),
                terminal_color(stream, COLOR_RESET), text_data(&moment), violation->record,
                run_name(summary->run, violation->text));
    }
    if (summary->violations > VIOLATIONS_KEPT) {
        fprintf(stream, "cohort: and %" PRId64 " more\n", summary->violations - VIOLATIONS_KEPT);
    }
    if (summary->violations > 0) {
        fputs("A violated invariant is a bug in Cohort, not a result. Please report it, with the "
              "run directory.\n",
              stream);
    }
    text_free(&moment);
}
