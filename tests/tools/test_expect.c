/* expect: lines, from text to verdict. Mistakes in them are in tests/bad_scenarios/expect_*. */
#include "tools/expect.h"

#include "sim/check.h"
#include "sim/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct scenario_group groups[] = {{.name = "billing"}, {.name = "pay.ments-2"}};
static const struct scenario scenario = {.groups = groups,
                                         .group_count = 2,
                                         .duration_ns = MINUTES(10)};

static struct expect parse(const char *text)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct value_place place = {diagnostics, {0}, "expect"};
    struct expect expect;
    if (!expect_parse(&place, &scenario, text, &expect)) {
        diagnostics_print(diagnostics, stderr);
        fail_msg("refused: %s", text);
    }
    diagnostics_free(diagnostics);
    return expect;
}

static void terms_are_what_they_say(void **state)
{
    (void)state;
    struct expect e = parse("max(lag_records(pay.ments-2)) > 50000");
    assert_string_equal(e.left.metric->name, "lag_records");
    assert_int_equal(e.left.aggregate, EXPECT_MAX);
    assert_int_equal(e.left.group, 1);
    assert_int_equal(e.comparison, EXPECT_MORE);
    assert_null(e.right.metric);
    assert_true(e.right.constant > 49999.5 && e.right.constant < 50000.5);

    e = parse("at( 90s , members( billing ) )==15");
    assert_int_equal(e.left.aggregate, EXPECT_AT);
    assert_int_equal(e.left.at, SECONDS(90));
    assert_int_equal(e.comparison, EXPECT_EQUAL);

    e = parse("200ms >= p99(latency(billing))");
    assert_null(e.left.metric);
    assert_true(e.left.constant > 0.1999 && e.left.constant < 0.2001);
    assert_int_equal(e.right.aggregate, EXPECT_P99);

    e = parse("duplicates( billing , session expired ) == 3");
    assert_int_equal(e.left.finding, FINDING_DUPLICATE);
    assert_int_equal(e.left.cause, FINDING_CAUSE_SESSION_EXPIRED);
    e = parse("lost(billing) == 0");
    assert_int_equal(e.left.cause, -1);

    e = parse("violations() == 0");
    assert_int_equal(e.left.group, -1);
}

/* Every metric has the value 3, but for the one nobody knows. */
static bool lookup(void *context, const struct expect_term *term, double *value)
{
    (void)context;
    *value = 3;
    return strcmp(term->metric->name, "zombie") != 0;
}

static void comparisons_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool passed;
    } cases[] = {
        {"duplicates(billing) >= 3", true},     {"duplicates(billing) >= 3.5", false},
        {"duplicates(billing) <= 3", true},     {"duplicates(billing) <= 2", false},
        {"duplicates(billing) > 2", true},      {"duplicates(billing) > 3", false},
        {"duplicates(billing) < 4", true},      {"duplicates(billing) < 3", false},
        {"duplicates(billing) == 3", true},     {"duplicates(billing) == 4", false},
        {"duplicates(billing) != 4", true},     {"duplicates(billing) != 3", false},
        {"4 > duplicates(billing)", true},      {"processed(billing) == produced(billing)", true},
        {"last(lag_time(billing)) < 4s", true}, {"last(lag_time(billing)) < 2999ms", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct expect expect = parse(cases[i].text);
        struct expect_result result = expect_judge(&expect, lookup, NULL);
        assert_true(result.known);
        if (result.passed != cases[i].passed) fail_msg("%s", cases[i].text);
    }
}

static void an_unknown_value_does_not_pass(void **state)
{
    (void)state;
    struct expect expect = parse("zombie(billing) == 3");
    struct expect_result result = expect_judge(&expect, lookup, NULL);
    assert_false(result.known);
    assert_false(result.passed);
}

static void metric_names_are_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < expect_metric_count; i++) {
        assert_true(expect_metrics[i].aggregates != 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(expect_metrics[i].name, expect_metrics[j].name);
        for (int a = EXPECT_MAX; a < EXPECT_AGGREGATE_COUNT; a++)
            assert_string_not_equal(expect_metrics[i].name, expect_aggregate_names[a]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_what_they_say),
        cmocka_unit_test(comparisons_are_judged),
        cmocka_unit_test(an_unknown_value_does_not_pass),
        cmocka_unit_test(metric_names_are_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
