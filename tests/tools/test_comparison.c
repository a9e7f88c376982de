/* Comparisons: arms, pairing, extension bit for bit, and what is said about them. The results are
 * made by hand here; real runs are compared in the stories. */
#include "tests/tools/harness/synthetic.h"
#include "tools/comparison_file.h"
#include "tools/comparison_report.h"
#include "tools/run_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char directory[256];
static char scenario_path[300];

static int make_scenario(void **state)
{
    (void)state;
    synthetic_directory("comparison", directory);
    snprintf(scenario_path, sizeof scenario_path, "%s/s.yaml", directory);
    static const char text[] = "scenario: 1\nname: s\nduration: 10m\nseed: 7\n"
                               "topics: {t: {partitions: 6}}\n"
                               "producers: {p: {topic: t, rate: 10/s}}\n"
                               "groups: {g: {topics: [t], members: 3}}\n";
    char *error = NULL;
    assert_true(write_file_whole(scenario_path, text, sizeof text - 1, &error));
    return 0;
}

static struct comparison *make(const char *vary, size_t runs)
{
    struct diagnostics *diagnostics = diagnostics_new();
    const struct scenario_overrides overrides = {0};
    struct comparison *comparison =
        comparison_new(scenario_path, &overrides, vary, runs, diagnostics);
    diagnostics_free(diagnostics);
    return comparison;
}

/* Arm `arm` of run r stops for r + arm * step seconds. */
static void fill(struct comparison *comparison, size_t first_run, int64_t step)
{
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        for (size_t run = first_run; run < comparison->runs; run++) {
            struct cell *cell = comparison_cell(comparison, arm, run);
            cell->state = CELL_DONE;
            for (int i = 0; i < 3; i++)
                cell->fingerprints[i] = 0xabc0 + run;
            struct group_result *result = comparison_result(comparison, arm, run, 0);
            result->metrics[METRIC_stopped_partition_seconds] =
                SECONDS((int64_t)run + 100) + (int64_t)arm * step;
            result->metrics[METRIC_duplicates] = (int64_t)(run * 37 % 11 + arm * (run % 3));
            for (size_t point = 0; point < COMPARISON_POINTS; point++) {
                result->lag[point] = (int64_t)(point * (run + 1) * (arm + 1));
            }
        }
    }
}

static void values_are_parted_at_commas_outside_brackets(void **state)
{
    (void)state;
    struct comparison *comparison =
        make("groups.g.config.partition.assignment.strategy=range,[range, sticky],'roundrobin'", 1);
    assert_non_null(comparison);
    assert_int_equal(comparison->arm_count, 3);
    assert_string_equal(comparison->vary, "groups.g.config.partition.assignment.strategy");
    assert_string_equal(comparison->arms[1], "[range, sticky]");
    assert_int_equal(comparison->first_seed, 7);
    comparison_free(comparison);
}

static void a_wrong_vary_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "groups.g.members",
        "groups.g.members=",
        "groups.g.members=3",
        "groups.g.members=3,,4",
        "=3,4",
        "groups.g.member=3,4",
        "groups.g.members=3,many",
        "duration=10m,20m",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct comparison *comparison = make(wrong[i], 1);
        if (comparison != NULL) fail_msg("%s was taken", wrong[i]);
    }
}

static void an_arm_against_itself_differs_by_exactly_zero(void **state)
{
    (void)state;
    struct comparison *comparison = make("groups.g.members=3,3", 30);
    fill(comparison, 0, 0);
    struct paired paired = comparison_compare(comparison, 1, 0, METRIC_stopped_partition_seconds);
    assert_true(paired.difference == 0.0 && paired.low == 0.0 && paired.high == 0.0);
    assert_int_equal(paired.ties, 30);
    comparison_free(comparison);
}

static void arms_with_other_workloads_are_not_paired(void **state)
{
    (void)state;
    struct comparison *comparison = make("groups.g.members=3,4", 10);
    fill(comparison, 0, SECONDS(-1));
    assert_true(comparison_is_paired(comparison, 1));
    /* Constant differences: paired they are certain, unpaired the seeds' spread hides them. */
    struct paired paired = comparison_compare(comparison, 1, 0, METRIC_stopped_partition_seconds);
    assert_true(paired.high < 0);
    comparison_cell(comparison, 1, 4)->fingerprints[0] ^= 1;
    assert_false(comparison_is_paired(comparison, 1));
    paired = comparison_compare(comparison, 1, 0, METRIC_stopped_partition_seconds);
    assert_true(paired.low < 0 && paired.high > 0);
    char *said = NULL;
    size_t size;
    FILE *stream = open_memstream(&said, &size);
    comparison_print(comparison, stream);
    fclose(stream);
    assert_non_null(strstr(said, "so they are NOT paired"));
    assert_non_null(strstr(said, "UNPAIRED"));
    free(said);
    comparison_free(comparison);
}

static void sentences_are_plain(void **state)
{
    (void)state;
    struct comparison *comparison = make("groups.g.members=3,4", 20);
    struct text text = {0};
    fill(comparison, 0, SECONDS(-31));
    comparison_sentence(comparison, 1, 0, METRIC_stopped_partition_seconds, &text);
    assert_string_equal(text.data, "4 stops partitions for 31 s less than 3 (95 % CI 31 s to 31 s, "
                                   "20 seeds).");
    text_clear(&text);
    fill(comparison, 0, SECONDS(2));
    comparison_sentence(comparison, 1, 0, METRIC_stopped_partition_seconds, &text);
    assert_string_equal(text.data,
                        "4 stops partitions for 2 s longer than 3 (95 % CI 2 s to 2 s, 20 "
                        "seeds).");
    text_clear(&text);
    comparison_sentence(comparison, 1, 0, METRIC_lost, &text);
    assert_string_equal(text.data, "4 and 3 do not differ in lost (20 seeds).");
    text_clear(&text);
    for (size_t run = 0; run < 20; run++) {
        comparison_result(comparison, 1, run, 0)->metrics[METRIC_zombie] = run % 2 ? 5 : -5;
    }
    comparison_sentence(comparison, 1, 0, METRIC_zombie, &text);
    assert_non_null(
        strstr(text.data, "cannot tell 4 and 3 apart in zombie work (95 % CI -2.4 to 2.4"));
    text_free(&text);
    comparison_free(comparison);
}

static void save(const struct comparison *comparison)
{
    struct text runs = {0};
    struct text lag = {0};
    comparison_write_runs(comparison, &runs);
    comparison_write_lag(comparison, &lag);
    char path[400];
    char *error = NULL;
    snprintf(path, sizeof path, "%s/runs.csv", directory);
    assert_true(write_file_whole(path, runs.data, runs.length, &error));
    snprintf(path, sizeof path, "%s/lag.csv", directory);
    assert_true(write_file_whole(path, lag.data, lag.length, &error));
    text_free(&runs);
    text_free(&lag);
}

/* 8 runs saved and read, 12 more made: byte for byte what 20 runs in one go give. */
static void an_extended_comparison_is_the_same_as_a_whole_one(void **state)
{
    (void)state;
    static const char vary[] = "groups.g.config.partition.assignment.strategy=range,"
                               "[range, \"sticky\"]";
    struct comparison *first = make(vary, 8);
    fill(first, 0, SECONDS(-3));
    save(first);
    comparison_free(first);

    struct comparison *extended = make(vary, 20);
    char *error = NULL;
    if (!comparison_read(extended, directory, &error)) fail_msg("%s", error);
    assert_int_equal(comparison_cell(extended, 1, 7)->state, CELL_DONE);
    assert_int_equal(comparison_cell(extended, 1, 8)->state, CELL_EMPTY);
    fill(extended, 8, SECONDS(-3));
    struct comparison *whole = make(vary, 20);
    fill(whole, 0, SECONDS(-3));

    struct text a = {0};
    struct text b = {0};
    comparison_write_runs(extended, &a);
    comparison_write_lag(extended, &a);
    comparison_write_runs(whole, &b);
    comparison_write_lag(whole, &b);
    assert_string_equal(a.data, b.data);
    text_free(&a);
    text_free(&b);
    comparison_free(extended);
    comparison_free(whole);
}

static void other_comparisons_are_not_extended(void **state)
{
    (void)state;
    struct comparison *first = make("groups.g.members=3,4", 5);
    fill(first, 0, 0);
    save(first);
    static const struct {
        const char *vary;
        size_t runs;
        const char *said;
    } cases[] = {
        {"groups.g.members=3,5", 5, "holds another comparison"},
        {"groups.g.members=3,4,5", 5, "holds another comparison"},
        {"groups.g.members=3,4", 4, "holds 5 runs already; --runs 4 is fewer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct comparison *other = make(cases[i].vary, cases[i].runs);
        char *error = NULL;
        assert_false(comparison_read(other, directory, &error));
        if (strstr(error, cases[i].said) == NULL) fail_msg("%s", error);
        free(error);
        comparison_free(other);
    }
    /* A line that was cut, as by a full disk. */
    char path[400];
    snprintf(path, sizeof path, "%s/runs.csv", directory);
    struct text runs = {0};
    comparison_write_runs(first, &runs);
    char *error = NULL;
    assert_true(write_file_whole(path, runs.data, runs.length - 9, &error));
    assert_false(comparison_read(first, directory, &error));
    assert_non_null(strstr(error, "is damaged"));
    free(error);
    text_free(&runs);
    comparison_free(first);
}

static void pictures_are_drawn(void **state)
{
    (void)state;
    struct comparison *comparison = make("groups.g.members=3,4,5,6", 12);
    fill(comparison, 0, SECONDS(-7));
    char *error = NULL;
    if (!comparison_draw(comparison, PICTURE_SVG, directory, &error)) fail_msg("%s", error);
    json_t *json = comparison_json(comparison);
    json_t *metric =
        json_object_get(json_object_get(json_object_get(json_object_get(json, "groups"), "g"),
                                        "metrics"),
                        "stopped_partition_seconds");
    json_t *arm = json_array_get(metric, 2);
    assert_string_equal(json_string_value(json_object_get(arm, "arm")), "5");
    assert_true(json_real_value(json_object_get(arm, "difference")) == -14.0);
    assert_int_equal(json_integer_value(json_object_get(arm, "wins")), 12);
    json_decref(json);
    comparison_free(comparison);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(values_are_parted_at_commas_outside_brackets, make_scenario),
        cmocka_unit_test_setup(a_wrong_vary_is_refused, make_scenario),
        cmocka_unit_test_setup(an_arm_against_itself_differs_by_exactly_zero, make_scenario),
        cmocka_unit_test_setup(arms_with_other_workloads_are_not_paired, make_scenario),
        cmocka_unit_test_setup(sentences_are_plain, make_scenario),
        cmocka_unit_test_setup(an_extended_comparison_is_the_same_as_a_whole_one, make_scenario),
        cmocka_unit_test_setup(other_comparisons_are_not_extended, make_scenario),
        cmocka_unit_test_setup(pictures_are_drawn, make_scenario),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
