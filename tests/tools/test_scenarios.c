/* Every shipped scenario, run: what it promises holds, nothing is violated, the ledger balances,
 * and its fingerprints are the pinned ones.
 *
 *     test_scenarios            judge all
 *     test_scenarios --print    the lines of tests/golden/fingerprints.txt as they are now
 *
 * A golden line changes only with a change of behaviour, and the commit says which. */
#include "tools/expect.h"
#include "tools/run.h"
#include "tools/scenario_yaml.h"

#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOLDEN_FILE   COHORT_SOURCE_DIR "/tests/golden/fingerprints.txt"
#define SCENARIOS_DIR COHORT_SOURCE_DIR "/scenarios"

static struct scenario_document *load(const char *path, const char *const *sets, size_t count)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    struct scenario_overrides overrides = {.sets = sets, .set_count = count};
    if (!scenario_load(path, &overrides, &document, diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        fail_msg("%s does not load", path);
    }
    diagnostics_free(diagnostics);
    return document;
}

static struct run *run_through(const struct scenario_document *document, uint64_t seed)
{
    struct run *run = run_new(scenario_document_scenario(document),
                              &(struct run_options){.seed = seed, .watch_groups = true});
    while (run_step(run, 100000)) {
    }
    run_finish(run);
    return run;
}

static void golden_line(char *line, size_t size, const char *name, struct run *run)
{
    struct fingerprints prints = run_fingerprints(run);
    snprintf(line, size, "%s workload %016" PRIx64 " protocol %016" PRIx64 " full %016" PRIx64,
             name, prints.workload, prints.protocol, prints.full);
}

static bool is_pinned(const char *wanted)
{
    FILE *file = fopen(GOLDEN_FILE, "r");
    assert_non_null(file);
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strcmp(line, wanted) == 0;
    }
    fclose(file);
    return found;
}

static void no_violation(const char *name, struct run *run)
{
    const struct checkers *checkers = run_checkers(run);
    if (checkers_violation_count(checkers) == 0) return;
    const struct violation *first = checkers_violation(checkers, 0);
    fail_msg("%s: %s at %" PRId64 " ns: %s", name, checker_name(first->checker), first->at,
             run_name(run, first->text));
}

static void every_promise_holds(const char *name, const struct scenario *scenario, struct run *run)
{
    for (int32_t i = 0; i < scenario->expect_count; i++) {
        struct diagnostics *diagnostics = diagnostics_new();
        struct value_place place = {.diagnostics = diagnostics};
        struct expect expect;
        assert_true(expect_parse(&place, scenario, scenario->expects[i].text, &expect));
        struct expect_result result = expect_judge(&expect, run_lookup, run);
        if (!result.known || !result.passed)
            fail_msg("%s:%d: %s: it was %g, not %g", name, scenario->expects[i].position.line,
                     scenario->expects[i].text, result.left, result.right);
        diagnostics_free(diagnostics);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Calls `act` with the path and name of each scenario of a folder, in the order of their names. */
static void for_each_scenario(const char *folder, void act(const char *path, const char *name))
{
    char *names[256];
    size_t count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0) continue;
        assert_true(count < sizeof(names) / sizeof(names[0]));
        names[count++] = strdup(entry->d_name);
    }
    closedir(directory);
    assert_true(count > 0);
    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        act(path, names[i]);
        free(names[i]);
    }
}

static void judge(const char *path, const char *name)
{
    struct scenario_document *document = load(path, NULL, 0);
    const struct scenario *scenario = scenario_document_scenario(document);
    struct run *run = run_through(document, scenario->seed);
    no_violation(name, run);
    every_promise_holds(name, scenario, run);
    char line[512];
    golden_line(line, sizeof(line), name, run);
    if (!is_pinned(line)) fail_msg("not in tests/golden/fingerprints.txt: %s", line);
    run_free(run);
    scenario_document_free(document);
}

static void each_keeps_its_promises(void **state)
{
    (void)state;
    for_each_scenario(SCENARIOS_DIR, judge);
}

static void each_anomaly_arises_and_its_mitigation_removes_it(void **state)
{
    (void)state;
    for_each_scenario(SCENARIOS_DIR "/anomalies", judge);
}

static void print_golden(const char *path, const char *name)
{
    struct scenario_document *document = load(path, NULL, 0);
    struct run *run = run_through(document, scenario_document_scenario(document)->seed);
    char line[512];
    golden_line(line, sizeof(line), name, run);
    puts(line);
    run_free(run);
    scenario_document_free(document);
}

static struct fingerprints prints_with(const char *set, uint64_t seed)
{
    struct scenario_document *document =
        load(SCENARIOS_DIR "/rolling-deploy-eager.yaml", &set, set == NULL ? 0 : 1);
    struct run *run = run_through(document, seed);
    struct fingerprints prints = run_fingerprints(run);
    run_free(run);
    scenario_document_free(document);
    return prints;
}

static void same_seed_same_prints_another_seed_others(void **state)
{
    (void)state;
    struct fingerprints a = prints_with(NULL, 42);
    struct fingerprints b = prints_with(NULL, 42);
    struct fingerprints c = prints_with(NULL, 43);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_true(a.full != c.full && a.protocol != c.protocol && a.workload != c.workload);
}

static void the_workload_does_not_depend_on_groups_or_faults(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "groups.payment-processors.members=14",
        "groups.payment-processors.config.partition.assignment.strategy=roundrobin",
        "groups.payment-processors.config.session.timeout.ms=10000",
        "timeline=[]",
        "cluster.brokers=5",
    };
    struct fingerprints base = prints_with(NULL, 42);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct fingerprints changed = prints_with(changes[i], 42);
        if (changed.workload != base.workload) fail_msg("%s changed the workload", changes[i]);
        if (changed.full == base.full) fail_msg("%s changed nothing", changes[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        for_each_scenario(SCENARIOS_DIR, print_golden);
        for_each_scenario(SCENARIOS_DIR "/anomalies", print_golden);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_keeps_its_promises),
        cmocka_unit_test(each_anomaly_arises_and_its_mitigation_removes_it),
        cmocka_unit_test(same_seed_same_prints_another_seed_others),
        cmocka_unit_test(the_workload_does_not_depend_on_groups_or_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
