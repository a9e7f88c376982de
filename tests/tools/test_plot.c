/* Pictures: drawn whole from the store alone, the same each time, or a clear error and nothing. */
#include "tests/tools/harness/synthetic.h"
#include "tools/report_draw.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char runs[256];
static char out[256];

static int fresh_directory(void **state)
{
    (void)state;
    synthetic_directory("plot_out", out);
    return 0;
}

static int entries(void)
{
    DIR *directory = opendir(out);
    int count = -2;
    while (directory != NULL && readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static struct text content(const char *name)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", out, name);
    struct text text = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL) return text;
    char buffer[4096];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) {
        text_append_bytes(&text, buffer, length);
    }
    fclose(file);
    return text;
}

static bool draw(const char *run, const struct report *report, enum picture_format format,
                 char **error)
{
    snprintf(runs, sizeof runs, "%s/tests/%s", COHORT_BINARY_DIR, run);
    struct store_reader *reader = store_open(runs, error);
    if (reader == NULL) fail_msg("%s", *error);
    size_t count = 0;
    const name_id *groups = store_groups(reader, &count);
    assert_true(count > 0);
    struct report_input input;
    assert_true(report_input_load(&input, reader, groups[0]));
    bool drawn = report_draw(report, &input, format, out, report->name, error);
    report_input_free(&input);
    store_close(reader);
    return drawn;
}

static const struct report *const reports[] = {&report_lag_by_partition, &report_ownership,
                                               &report_group_lag};

static void assert_drawn(const char *run, enum picture_format format)
{
    for (size_t i = 0; i < 3; i++) {
        char *error = NULL;
        if (!draw(run, reports[i], format, &error)) fail_msg("%s", error);
        char name[64];
        snprintf(name, sizeof name, "%s.%s", reports[i]->name,
                 format == PICTURE_PNG ? "png" : "svg");
        struct text picture = content(name);
        assert_true(picture.length > 1000);
        text_free(&picture);
    }
}

static void every_size_is_drawn(void **state)
{
    (void)state;
    synthetic_rolling_restart("plot_15", 15, 15, SECONDS(600), SECONDS(15));
    assert_drawn("plot_15", PICTURE_PNG);
    synthetic_rolling_restart("plot_200", 40, 200, SECONDS(3600), SECONDS(20));
    assert_drawn("plot_200", PICTURE_PNG);
    synthetic_rolling_restart("plot_1", 1, 1, SECONDS(20), SECONDS(1));
    assert_drawn("plot_1", PICTURE_SVG);
    assert_int_equal(entries(), 9);
}

static void pictures_are_the_same_each_time(void **state)
{
    (void)state;
    synthetic_rolling_restart("plot_3", 3, 6, SECONDS(120), SECONDS(5));
    for (size_t i = 0; i < 3; i++) {
        char *error = NULL;
        char name[64];
        snprintf(name, sizeof name, "%s.svg", reports[i]->name);
        assert_true(draw("plot_3", reports[i], PICTURE_SVG, &error));
        struct text first = content(name);
        assert_true(draw("plot_3", reports[i], PICTURE_SVG, &error));
        struct text second = content(name);
        assert_true(first.length > 0);
        assert_string_equal(first.data, second.data);
        text_free(&first);
        text_free(&second);
    }
}

/* The .gp alone draws the same picture: it holds its data and style. */
static void the_script_stands_alone(void **state)
{
    (void)state;
    synthetic_rolling_restart("plot_3", 3, 6, SECONDS(120), SECONDS(5));
    char *error = NULL;
    assert_true(draw("plot_3", &report_ownership, PICTURE_SVG, &error));
    struct text drawn = content("ownership.svg");
    char command[900];
    snprintf(command, sizeof command, "cd %s && rm ownership.svg && gnuplot ownership.gp", out);
    assert_int_equal(system(command), 0);
    struct text again = content("ownership.svg");
    assert_true(drawn.length > 0 && again.length > 0);
    assert_string_equal(drawn.data, again.data);
    text_free(&drawn);
    text_free(&again);
}

/* What the Gantt chart shows, read from its data: owner changes, gaps and rebalances. */
static void ownership_tells_owners_gaps_and_rebalances(void **state)
{
    (void)state;
    synthetic_rolling_restart("plot_3", 3, 3, SECONDS(120), SECONDS(5));
    char *error = NULL;
    assert_true(draw("plot_3", &report_ownership, PICTURE_SVG, &error));
    struct text script = content("ownership.gp");
    assert_non_null(strstr(script.data, "$rebalances << END\n"
                                        "12.000000 17.000000\n"
                                        "40.000000 45.000000\n"
                                        "68.000000 73.000000\n"
                                        "END\nrebalances = 3\n"));
    assert_non_null(strstr(script.data, "$owned << END\n"
                                        "3.000000 12.000000 0 0\n"
                                        "3.000000 12.000000 1 1\n"
                                        "3.000000 12.000000 2 2\n"
                                        "17.000000 40.000000 0 0\n"));
    assert_non_null(strstr(script.data, "45.000000 68.000000 0 1\n"));
    assert_non_null(strstr(script.data, "set ytics scale 0.5 ('0' 0, '1' 1, '2' 2)\n"));
    text_free(&script);
}

static void names_cannot_break_a_script(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("plot_names", "it's_a^topic", STORE_EVENTS_NONE);
    name_id group = synthetic_name(s, "g'; system(\"false\")");
    name_id member = synthetic_name(s, "m\n'\"\\1");
    TRACE(s->sim, TRACE_OWNED, group, member, PARTITION_ID(0, 0), 1, 1);
    for (int64_t step = 0; step < 4; step++) {
        synthetic_at(s, SECONDS(step));
        const struct store_sample sample = {.step = step,
                                            .at = SECONDS(step),
                                            .group = group,
                                            .partition = PARTITION_ID(0, 0)};
        store_add_sample(s->store, &sample);
    }
    synthetic_finish(s);
    assert_drawn("plot_names", PICTURE_SVG);
}

static void without_data_there_is_no_picture(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("plot_empty", "orders", STORE_EVENTS_NONE);
    name_id group = synthetic_name(s, "g");
    TRACE(s->sim, TRACE_OWNED, group, group, PARTITION_ID(0, 0), 1, 1);
    synthetic_at(s, SECONDS(3));
    synthetic_finish(s);
    char *error = NULL;
    assert_false(draw("plot_empty", &report_group_lag, PICTURE_PNG, &error));
    assert_string_equal(error, "the run has no samples of its lag");
    free(error);
    assert_int_equal(entries(), 0);
}

static void a_failing_gnuplot_leaves_nothing(void **state)
{
    (void)state;
    char *error = NULL;
    assert_false(gnuplot_draw("group-lag.gp", "picture_title = nonsense(\n", 400, PICTURE_PNG, out,
                              "broken", &error));
    assert_non_null(strstr(error, "gnuplot could not draw broken: "));
    assert_int_equal(entries(), 0);
    free(error);
    error = NULL;
    assert_false(gnuplot_draw("no-such.gp", "", 400, PICTURE_PNG, out, "broken", &error));
    assert_non_null(strstr(error, "cannot read the plot template"));
    assert_int_equal(entries(), 0);
    free(error);
}

static void without_gnuplot_the_package_is_named(void **state)
{
    (void)state;
    char *error = NULL;
    assert_true(gnuplot_is_there(&error));
    char path[4096];
    snprintf(path, sizeof path, "%s", getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    assert_false(gnuplot_is_there(&error));
    setenv("PATH", path, 1);
    assert_string_equal(error,
                        "plots are drawn by gnuplot, which is not installed; on Debian and Ubuntu: "
                        "apt-get install gnuplot-nox fonts-dejavu-core");
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_size_is_drawn, fresh_directory),
        cmocka_unit_test_setup(pictures_are_the_same_each_time, fresh_directory),
        cmocka_unit_test_setup(the_script_stands_alone, fresh_directory),
        cmocka_unit_test_setup(ownership_tells_owners_gaps_and_rebalances, fresh_directory),
        cmocka_unit_test_setup(names_cannot_break_a_script, fresh_directory),
        cmocka_unit_test_setup(without_data_there_is_no_picture, fresh_directory),
        cmocka_unit_test_setup(a_failing_gnuplot_leaves_nothing, fresh_directory),
        cmocka_unit_test_setup(without_gnuplot_the_package_is_named, fresh_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
