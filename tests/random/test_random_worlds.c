/* Whole worlds, drawn: any configuration, any faults, then peace. Whatever happened in between,
 * nothing is ever violated, the books balance, the group comes to rest and works everything off;
 * and what each configuration promises holds.
 *
 *     test_random_worlds                     the seeds of the quick suite
 *     test_random_worlds --seeds FROM COUNT  that many: the soak, which goes on after a failure
 *     test_random_worlds --print SEED        the scenario, for `cohort run` */
#include "tests/random/random_world.h"

#include "sim/check.h"
#include "tools/run.h"
#include "tools/scenario_yaml.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUICK_SEEDS 300

static struct scenario_document *draw(uint64_t seed)
{
    struct text yaml = {0};
    random_world_write(seed, &yaml);
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    if (!scenario_load_text("drawn", ".", text_data(&yaml), yaml.length, NULL, &document,
                            diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        fprintf(stderr, "%s", text_data(&yaml));
        exit(2);
    }
    diagnostics_free(diagnostics);
    text_free(&yaml);
    return document;
}

/* Commits only what it has processed, by its construction. With the consumer protocol auto-commit
 * does not: before a reconciliation the background thread commits positions that the application
 * thread is still busy with (AsyncKafkaConsumer, MembershipManagerImpl). */
static bool never_skips(const struct scenario_group *group)
{
    bool is_consumer = group->config.group_protocol == GROUP_PROTOCOL_CONSUMER;
    if (group->process.workers > 0 || group->commit.order != COMMIT_AFTER_SINK) return false;
    return !(is_consumer && group->commit.mode == COMMIT_AUTO);
}

/* A static member that is restarted between the two rounds of a cooperative rebalance comes back to
 * what it had, and nobody rejoins: what it was to let go belongs to nobody (KIP-345, KIP-429). */
static bool may_forget_partitions(const struct consumer_config *config)
{
    return config->group_protocol == GROUP_PROTOCOL_CLASSIC && config->static_membership &&
           strcmp(config->partition_assignment_strategy[0], "cooperative-sticky") == 0;
}

static void complain(struct text *complaints, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void complain(struct text *complaints, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_append(complaints, "; ");
    text_format_list(complaints, format, arguments);
    va_end(arguments);
}

static void judge_violations(struct run *run, struct text *complaints)
{
    const struct checkers *checkers = run_checkers(run);
    int64_t count = checkers_violation_count(checkers);
    if (count == 0) return;
    const struct violation *first = checkers_violation(checkers, 0);
    complain(complaints, "%" PRId64 " violations, the first at %" PRId64 " ms: %s: %s", count,
             first->at / MILLISECONDS(1), checker_name(first->checker), run_name(run, first->text));
}

static void judge_group(struct run *run, int32_t index, struct text *complaints)
{
    const struct scenario_group *scenario = &run_scenario(run)->groups[index];
    struct run_group group;
    run_group(run, index, &group);
    const struct ledger_group *figures = &group.ledger;
    if (figures->lag_records_end > 0 && !may_forget_partitions(&scenario->config))
        complain(complaints, "%s: %" PRId64 " of %" PRId64 " records were never worked off",
                 scenario->name, figures->lag_records_end, figures->produced);
    if (figures->lost > 0) complain(complaints, "%" PRId64 " lost", figures->lost);
    if (figures->produced == 0) complain(complaints, "nothing was produced");
    if (never_skips(scenario) && figures->skipped > 0)
        complain(complaints, "%" PRId64 " skipped", figures->skipped);
    if (scenario->commit.mode == COMMIT_TRANSACTIONAL && figures->effective_duplicates > 0)
        complain(complaints, "%" PRId64 " committed twice", figures->effective_duplicates);
}

/* One result in the log for each record, as those see it who read what is committed: the second
 * group reads what the first one's transactions write. */
static void judge_output(struct run *run, struct text *complaints)
{
    struct run_group writer;
    struct run_group reader;
    run_group(run, 0, &writer);
    run_group(run, 1, &reader);
    if (reader.ledger.produced == writer.ledger.produced - writer.ledger.lag_records_end) return;
    complain(complaints, "%" PRId64 " results of %" PRId64 " records", reader.ledger.produced,
             writer.ledger.produced);
}

static jmp_buf after_failed_check;
static char failed_check[256];

static void on_failed_check(const char *file, int line, const char *expression)
{
    snprintf(failed_check, sizeof(failed_check), "CHECK(%s) failed at %s:%d", expression, file,
             line);
    longjmp(after_failed_check, 1);
}

static void run_and_judge(const struct scenario *scenario, struct text *complaints)
{
    /* A world whose CHECK failed is left as it is. */
    if (setjmp(after_failed_check) != 0) {
        complain(complaints, "%s", failed_check);
        return;
    }
    struct run *run =
        run_new(scenario, &(struct run_options){.seed = scenario->seed, .watch_groups = true});
    while (run_step(run, 100000)) {
    }
    run_finish(run);
    judge_violations(run, complaints);
    for (int32_t g = 0; g < scenario->group_count; g++)
        judge_group(run, g, complaints);
    if (scenario->group_count == 2) judge_output(run, complaints);
    run_free(run);
}

/* False: it broke a promise, and the reason was printed. */
static bool holds(uint64_t seed)
{
    struct scenario_document *document = draw(seed);
    struct text complaints = {0};
    run_and_judge(scenario_document_scenario(document), &complaints);
    bool good = complaints.length == 0;
    if (!good) {
        printf("seed %" PRIu64 "%s\n"
               "  reproduce: build/tests/test_random_worlds --print %" PRIu64 " >/tmp/%" PRIu64
               ".yaml && build/cohort run /tmp/%" PRIu64 ".yaml --no-store\n",
               seed, text_data(&complaints), seed, seed, seed);
        fflush(stdout);
    }
    text_free(&complaints);
    scenario_document_free(document);
    return good;
}

static int soak(uint64_t from, uint64_t count)
{
    uint64_t failures = 0;
    check_set_handler(on_failed_check);
    for (uint64_t seed = from; seed < from + count; seed++)
        failures += !holds(seed);
    printf("%" PRIu64 " worlds from seed %" PRIu64 " on, %" PRIu64 " broke a promise\n", count,
           from, failures);
    return failures > 0;
}

static void whatever_happens_the_promises_hold(void **state)
{
    (void)state;
    assert_int_equal(soak(1, QUICK_SEEDS), 0);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--seeds") == 0)
        return soak(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "--print") == 0) {
        struct text yaml = {0};
        random_world_write(strtoull(argv[2], NULL, 10), &yaml);
        fputs(text_data(&yaml), stdout);
        text_free(&yaml);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_promises_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
