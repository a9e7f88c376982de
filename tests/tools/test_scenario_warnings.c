/* Settings that work but that nobody wants: one warning each, and the scenario is still sound. */
#include "tools/scenario_yaml.h"
#include "tools/text.h"

#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What is said about a scenario of one topic, one producer and one group; the caller frees it. */
static char *said_about(const char *cluster, const char *topic, const char *producer,
                        const char *group, const char *timeline)
{
    struct text text = {0};
    text_format(&text,
                "scenario: 1\ncluster: {%s}\ntopics:\n  t: {%s}\nproducers:\n  p: {%s}\n"
                "groups:\n  g: {%s}\ntimeline: [%s]\n",
                cluster, topic, producer, group, timeline);
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    bool loaded = scenario_load_text("w.yaml", ".", text_data(&text), text.length, NULL, &document,
                                     diagnostics);
    char *said = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&said, &size);
    diagnostics_print(diagnostics, stream);
    fclose(stream);
    if (!loaded) fail_msg("refused:\n%s", said);
    diagnostics_free(diagnostics);
    scenario_document_free(document);
    text_free(&text);
    return said;
}

static void each_unwise_setting_is_warned_about(void **state)
{
    (void)state;
    static const struct {
        const char *cluster;
        const char *topic;
        const char *producer;
        const char *group;
        const char *timeline;
        const char *warning;
    } cases[] = {
        {"", "", "", "config: {heartbeat.interval.ms: 20s}", "",
         "above a third of session.timeout.ms"},
        {"", "", "", "process: {per_record: 1s}", "", "500 records may take 500 s"},
        {"", "", "", "process: {per_record: 1ms, per_batch: 400s}", "", "may take 400 s"},
        {"", "partitions: 2", "", "members: 5", "", "5 members for 2 partitions: 3 of them idle"},
        {"", "config: {min.insync.replicas: 3}", "", "", "", "one broker down stops every"},
        {"brokers: 1", "config: {min.insync.replicas: 2}", "", "", "", "no acks=all ever succeeds"},
        {"", "retention: 10s", "", "", "", "records live until the next check"},
        {"", "config: {cleanup.policy: compact}", "", "", "", "may never be compacted in this run"},
        {"", "", "keys: {tombstones: 1%}", "", "", "tombstones mean nothing here"},
        {"", "", "config: {acks: 1}", "", "", "acks switches idempotence off"},
        {"", "", "config: {max.in.flight.requests.per.connection: 9}", "", "",
         "max.in.flight.requests.per.connection switches idempotence off"},
        {"", "", "start: 20m", "", "", "p starts after the end of the run"},
        {"", "", "", "config: {fetch.max.wait.ms: 30s}", "", "idle fetches fail"},
        {"", "", "", "config: {group.protocol: consumer, partition.assignment.strategy: range}", "",
         "has no effect with group.protocol=consumer"},
        {"", "", "", "deployment: {termination: 40s}", "", "members are killed, not closed"},
        {"config: {broker.heartbeat.interval.ms: 5s}", "", "", "", "",
         "one late heartbeat fences a broker"},
        {"", "", "", "", "{at: 20m, crash: g-1}", "this strikes after the end of the run"},
        {"", "", "", "config: {ssl.keystore.location: /etc/keys}", "",
         "ssl.keystore.location has no effect here"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *said = said_about(cases[i].cluster, cases[i].topic, cases[i].producer, cases[i].group,
                                cases[i].timeline);
        const char *first = strstr(said, "warning:");
        if (strstr(said, cases[i].warning) == NULL)
            fail_msg("expected \"%s\", said:\n%s", cases[i].warning, said);
        if (first == NULL || strstr(first + 1, "warning:") != NULL)
            fail_msg("expected one warning, said:\n%s", said);
        free(said);
    }
}

static void a_usual_scenario_is_not_warned_about(void **state)
{
    (void)state;
    static const char *const groups[] = {
        "",
        "members: 6",
        "config: {session.timeout.ms: 10000, heartbeat.interval.ms: 3000}",
        "process: {per_record: 1s, workers: 8}",
        "config: {max.poll.records: 100}, process: {per_record: 3s}",
    };
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        char *said = said_about("", "", "", groups[i], "");
        assert_string_equal(said, "");
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_unwise_setting_is_warned_about),
        cmocka_unit_test(a_usual_scenario_is_not_warned_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
