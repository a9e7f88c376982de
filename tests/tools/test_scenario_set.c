/* --set PATH=VALUE and --seed: paths go down the schema, values have the file's own grammar. */
#include "tools/scenario_yaml.h"
#include "tools/text.h"

#include "sim/check.h"
#include "sim/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char scenario_text[] =
    "scenario: 1\n"
    "topics: {orders: {partitions: 6}, dead.letters: {partitions: 1}}\n"
    "producers: {shop: {topic: orders, rate: 100/s}}\n"
    "groups:\n"
    "  payment-processors: &g {topics: orders, members: 3, config: {session.timeout.ms: 45000}}\n"
    "  audit: *g\n"
    "timeline:\n"
    "  - {at: 60s, rolling_restart: audit}\n"
    "  - {at: 90s, pause: audit-1, for: 12s}\n";

/* Loads with these settings; what was said is in `said`, which the caller frees. */
static struct scenario_document *load(const char *const *sets, size_t count, const char *seed,
                                      char **said)
{
    const struct scenario_overrides overrides = {.sets = sets, .set_count = count, .seed = seed};
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    scenario_load_text("set.yaml", ".", scenario_text, strlen(scenario_text), &overrides, &document,
                       diagnostics);
    size_t size = 0;
    FILE *stream = open_memstream(said, &size);
    diagnostics_print(diagnostics, stream);
    fclose(stream);
    diagnostics_free(diagnostics);
    return document;
}

static struct scenario_document *load_good(const char *const *sets, size_t count, const char *seed)
{
    char *said;
    struct scenario_document *document = load(sets, count, seed, &said);
    if (document == NULL) fail_msg("refused:\n%s", said);
    free(said);
    return document;
}

static void settings_reach_every_depth(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "duration=5m",
        "cluster.brokers=5",
        "cluster.network.latency={uniform: {low: 1ms, high: 2ms}}",
        "cluster.network.latency.uniform.high=4ms",
        "cluster.config.group.initial.rebalance.delay.ms=0",
        "topics.dead.letters.partitions=2",
        "producers.shop.keys.zipf=0.9",
        "groups.payment-processors.config.session.timeout.ms=10000",
        "groups.payment-processors.config.partition.assignment.strategy=[sticky, range]",
        "groups.payment-processors.deployment.startup=7s",
        "timeline.1.for=20s",
    };
    struct scenario_document *document = load_good(sets, ARRAY_LEN(sets), NULL);
    const struct scenario *s = scenario_document_scenario(document);
    assert_int_equal(s->duration_ns, MINUTES(5));
    assert_int_equal(s->cluster.brokers, 5);
    assert_int_equal(s->cluster.latency_ns.b, MILLISECONDS(4));
    assert_int_equal(s->cluster.config.group_initial_rebalance_delay_ms, 0);
    assert_int_equal(s->topics[1].partitions, 2);
    assert_int_equal(s->producers[0].keys.zipf_exponent_milli, 900);
    assert_int_equal(s->groups[0].config.session_timeout_ms, 10000);
    assert_string_equal(s->groups[0].config.partition_assignment_strategy[0], "sticky");
    assert_int_equal(s->groups[0].deployment.startup_ns.a, SECONDS(7));
    assert_int_equal(s->timeline[1].for_ns.a, SECONDS(20));
    scenario_document_free(document);
}

static void a_setting_changes_one_of_two_aliases(void **state)
{
    (void)state;
    static const char *const sets[] = {"groups.audit.members=9"};
    struct scenario_document *document = load_good(sets, 1, NULL);
    const struct scenario *s = scenario_document_scenario(document);
    assert_int_equal(s->groups[0].members, 3);
    assert_int_equal(s->groups[1].members, 9);
    scenario_document_free(document);
}

static void mistakes_name_the_option(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        const char *said;
    } cases[] = {
        {"groups.payment-procesors.members=20",
         "--set:1:8: error: groups has no payment-procesors\n"
         "    1 | groups.payment-procesors.members=20\n"
         "      |        ^~~~~~~~~~~~~~~~~\n"
         "      = did you mean payment-processors?\n"},
        {"groups.audit.config.sesion.timeout.ms=10000",
         "--set:1:21: error: unknown key sesion.timeout.ms in consumer config\n"
         "    1 | groups.audit.config.sesion.timeout.ms=10000\n"
         "      |                     ^~~~~~~~~~~~~~~~~\n"
         "      = did you mean session.timeout.ms?\n"},
        {"duration=600", "--set:1:10: error: duration: 600: a duration needs a unit\n"
                         "    1 | duration=600\n"
                         "      |          ^~~\n"
                         "      = did you mean 600s?\n"},
        {"groups.audit.config.session.timeout.ms=3s",
         "--set:1:21: error: session.timeout.ms 3000 is outside what the brokers allow\n"},
        {"duration", "--set:1:1: error: expected PATH=VALUE\n"},
        {"=5", "--set:1:1: error: expected PATH=VALUE\n"},
        {"duration=", "--set:1:10: error: the value is missing\n"},
        {"duration={a", "--set:1:12: error: not YAML: "},
        {"duration.x=5", "--set:1:10: error: duration has nothing below it\n"},
        {"timeline.7.at=5s", "--set:1:10: error: expected a position from 0 to 1, found 7\n"},
        {"colour=red", "--set:1:1: error: unknown key colour in scenario\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *said;
        struct scenario_document *document = load(&cases[i].set, 1, NULL, &said);
        assert_null(document);
        if (strstr(said, cases[i].said) == NULL)
            fail_msg("--set %s said\n%sand not\n%s", cases[i].set, said, cases[i].said);
        free(said);
    }
}

static void seeds_are_numbers_commits_or_drawn(void **state)
{
    (void)state;
    static const struct {
        const char *seed;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"42", 42},
        {"18446744073709551615", UINT64_MAX},
        {"00000000000000ff0000000000000000deadbeef", 255},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scenario_document *document = load_good(NULL, 0, cases[i].seed);
        assert_int_equal(scenario_document_scenario(document)->seed, cases[i].value);
        scenario_document_free(document);
    }
    struct scenario_document *one = load_good(NULL, 0, "auto");
    struct scenario_document *other = load_good(NULL, 0, "auto");
    assert_int_not_equal(scenario_document_scenario(one)->seed,
                         scenario_document_scenario(other)->seed);
    scenario_document_free(one);
    scenario_document_free(other);

    static const char *const wrong[] = {"", "-1", "1.5", "x", "007", "18446744073709551616"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        char *said;
        struct scenario_document *document = load(NULL, 0, wrong[i], &said);
        assert_null(document);
        assert_non_null(strstr(said, "--seed:1:1: error: expected a whole number"));
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_reach_every_depth),
        cmocka_unit_test(a_setting_changes_one_of_two_aliases),
        cmocka_unit_test(mistakes_name_the_option),
        cmocka_unit_test(seeds_are_numbers_commits_or_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
