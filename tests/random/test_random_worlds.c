/* Whole worlds, drawn: any configuration, any faults, then peace. Whatever happened in between,
 * nothing is ever violated, the books balance, the group comes to rest and works everything off;
 * and what each configuration promises holds.
 *
 *     test_random_worlds                     the seeds of the quick suite
 *     test_random_worlds --seeds FROM COUNT  that many: the soak, which goes on after a failure
 *     test_random_worlds --print SEED        the scenario, for `cohort run` */
#include "tests/random/random_world.h"

#include "model/interval_set.h"
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
    const struct scenario_commit *commit = &group->commit;
    bool is_consumer = group->config.group_protocol == GROUP_PROTOCOL_CONSUMER;
    if (commit->order != COMMIT_AFTER_SINK) return false;
    if (group->process.workers > 0)
        return commit->offsets == COMMIT_CONTIGUOUS &&
               (commit->mode == COMMIT_SYNC || commit->mode == COMMIT_ASYNC);
    return !(is_consumer && commit->mode == COMMIT_AUTO);
}

/* A static member that is restarted between the two rounds of a cooperative rebalance comes back to
 * what it had, and nobody rejoins: what it was to let go belongs to nobody (KIP-345, KIP-429). */
static bool may_forget_partitions(const struct consumer_config *config)
{
    return config->group_protocol == GROUP_PROTOCOL_CLASSIC && config->static_membership &&
           strcmp(config->partition_assignment_strategy[0], "cooperative-sticky") == 0;
}

static bool has_event(const struct scenario *scenario, enum timeline_kind kind)
{
    for (int32_t i = 0; i < scenario->event_count; i++) {
        if (scenario->timeline[i].kind == kind) return true;
    }
    return false;
}

/* assign() takes no notice of partitions that are added, and of those that are gone with the topic
 * it tells nobody: each commitSync() fails after default.api.timeout.ms. */
static bool may_overlook_partitions(const struct scenario *scenario,
                                    const struct scenario_group *group)
{
    return may_forget_partitions(&group->config) ||
           (group->assign_all && (has_event(scenario, TIMELINE_ADD_PARTITIONS) ||
                                  has_event(scenario, TIMELINE_DELETE_TOPIC)));
}

/* Some record stops it for good. */
static bool may_be_blocked(const struct scenario *scenario, const struct scenario_group *group)
{
    bool blocks = group->process.retry == RETRY_FOREVER || group->process.retry == RETRY_CRASH;
    return blocks && has_event(scenario, TIMELINE_POISON);
}

static bool is_unclean(const struct scenario *scenario)
{
    return scenario->topics[0].unclean_leader_election;
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

/* Records that nobody will ever process, by the reason that the configuration has for it. */
static void judge_lost(const struct run_group *group, const struct scenario *scenario,
                       struct text *complaints)
{
    bool may_truncate = is_unclean(scenario) || scenario->producers[0].config.acks != -1;
    bool may_expire = scenario->topics[0].retention_ms >= 0;
    const int64_t *lost = group->findings->records[FINDING_LOST];
    int64_t truncated = lost[FINDING_CAUSE_TRUNCATION];
    int64_t expired = lost[FINDING_CAUSE_RETENTION];
    int64_t deleted = lost[FINDING_CAUSE_TOPIC_DELETED];
    if (group->ledger.lost != truncated + expired + deleted)
        complain(complaints, "%s: lost for no reason", group->name);
    if (deleted > 0 && !has_event(scenario, TIMELINE_DELETE_TOPIC))
        complain(complaints, "%s: %" PRId64 " lost with a topic that was not deleted", group->name,
                 deleted);
    if (truncated > 0 && !may_truncate)
        complain(complaints, "%s: %" PRId64 " lost", group->name, truncated);
    if (truncated > group->ledger.taken_back)
        complain(complaints, "%s: %" PRId64 " lost of %" PRId64 " taken back", group->name,
                 truncated, group->ledger.taken_back);
    if (expired > 0 && !may_expire)
        complain(complaints, "%s: %" PRId64 " lost to retention, which keeps everything",
                 group->name, expired);
}

static int64_t poison_records(const struct run *run)
{
    const struct scenario *scenario = run_scenario(run);
    struct interval_set poison = {0};
    struct memory *memory = memory_new();
    int64_t count = 0;
    for (int32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->timeline[i];
        if (event->kind != TIMELINE_POISON) continue;
        struct ledger_partition partition;
        ledger_partition(run_ledger(run), 0, event->target.topic, event->target.partition,
                         &partition);
        int64_t base = (int64_t)event->target.partition << 32;
        int64_t end = event->offset + event->count;
        if (end > partition.log_end_offset) end = partition.log_end_offset;
        count += interval_set_add(&poison, memory, base + event->offset, base + end);
    }
    memory_free_all(memory);
    return count;
}

/* What is written at these offsets fails in each topic of that name. How long those became that
 * were deleted is not known any more. */
static int64_t poison_records_at_most(const struct run *run)
{
    const struct scenario *scenario = run_scenario(run);
    int64_t each = 0;
    int64_t deletions = 0;
    for (int32_t i = 0; i < scenario->event_count; i++) {
        deletions += scenario->timeline[i].kind == TIMELINE_DELETE_TOPIC;
        if (scenario->timeline[i].kind == TIMELINE_POISON) each += scenario->timeline[i].count;
    }
    return poison_records(run) + deletions * each;
}

static void judge_skipped(const struct run *run, const struct run_group *group,
                          const struct scenario_group *scenario, struct text *complaints)
{
    if (!never_skips(scenario) || is_unclean(run_scenario(run))) return;
    const int64_t *skipped = group->findings->records[FINDING_SKIPPED];
    int64_t given_up = skipped[FINDING_CAUSE_GIVEN_UP];
    int64_t legal = given_up + skipped[FINDING_CAUSE_TOPIC_RECREATED];
    bool by_hand = has_event(run_scenario(run), TIMELINE_RESET_OFFSETS);
    /* What a worker was at when it was stopped lies before what others had finished; the books
     * cannot tell that the operator's reset passed over it, and not a commit. */
    if (by_hand && scenario->process.workers > 0) return;
    if (by_hand) legal += skipped[FINDING_CAUSE_ADMIN];
    /* What an operator passed over takes the cause of a reset that passes over more. */
    if (by_hand || scenario->config.auto_offset_reset != RESET_EARLIEST)
        legal += skipped[FINDING_CAUSE_OFFSET_RESET];
    /* Positions go by name: one in the old topic, committed into the new one, passes over what that
     * has. */
    if (has_event(run_scenario(run), TIMELINE_DELETE_TOPIC))
        legal += skipped[FINDING_CAUSE_COMMIT_AHEAD];
    if (group->ledger.skipped > legal)
        complain(complaints, "%s: %" PRId64 " skipped", group->name, group->ledger.skipped - legal);
    bool gives_up = scenario->process.retry == RETRY_BOUNDED;
    if (given_up > (gives_up ? poison_records_at_most(run) : 0))
        complain(complaints, "%s: %" PRId64 " given up", group->name, given_up);
}

static bool is_exactly_once(const struct scenario *scenario, const struct scenario_group *group)
{
    if (group->process.sink_idempotent) return true;
    /* To the coordinator of the consumer protocol a topic that was created again is another one
     * (its id is), and nobody has its partitions: it gives them away while their former owners, who
     * know names, read on. Both are fenced by nothing, since each has its own epoch. */
    bool is_shared = group->config.group_protocol == GROUP_PROTOCOL_CONSUMER &&
                     has_event(scenario, TIMELINE_DELETE_TOPIC);
    if (group->commit.mode == COMMIT_TRANSACTIONAL) return !is_unclean(scenario) && !is_shared;
    return group->commit.mode == COMMIT_EXTERNAL && group->assign_all && !is_unclean(scenario);
}

static void judge_group(struct run *run, int32_t index, struct text *complaints)
{
    const struct scenario *scenario = run_scenario(run);
    const struct scenario_group *of = &scenario->groups[index];
    struct run_group group;
    run_group(run, index, &group);
    const struct ledger_group *figures = &group.ledger;
    if (figures->lag_records_end > 0 && !may_overlook_partitions(scenario, of) &&
        !may_be_blocked(scenario, of))
        complain(complaints, "%s: %" PRId64 " of %" PRId64 " records were never worked off",
                 of->name, figures->lag_records_end, figures->produced);
    judge_lost(&group, scenario, complaints);
    judge_skipped(run, &group, of, complaints);
    if (is_exactly_once(scenario, of) && figures->effective_duplicates > 0)
        complain(complaints, "%s: %" PRId64 " took effect twice", of->name,
                 figures->effective_duplicates);
}

static int32_t group_of(const struct scenario *scenario, const char *name)
{
    for (int32_t g = 0; g < scenario->group_count; g++) {
        if (strcmp(scenario->groups[g].name, name) == 0) return g;
    }
    return -1;
}

/* What was processed once, to no effect, may be gone when it is to be done again. */
static bool may_vanish(const struct scenario *scenario)
{
    return scenario->topics[0].retention_ms >= 0 || scenario->topics[0].compact ||
           has_event(scenario, TIMELINE_DELETE_TOPIC);
}

/* One result in the log for each record, as those see it who read what is committed: the second
 * group reads what the first one's transactions write. */
static void judge_output(struct run *run, struct text *complaints)
{
    const struct scenario *scenario = run_scenario(run);
    int32_t h = group_of(scenario, "h");
    if (h < 0 || is_unclean(scenario) || may_be_blocked(scenario, &scenario->groups[0])) return;
    bool is_kept =
        !may_vanish(scenario) && scenario->groups[0].config.auto_offset_reset == RESET_EARLIEST;
    bool is_once = is_exactly_once(scenario, &scenario->groups[0]);
    struct run_group writer;
    struct run_group reader;
    run_group(run, 0, &writer);
    run_group(run, h, &reader);
    int64_t expected = writer.ledger.produced - writer.ledger.lag_records_end - writer.ledger.lost -
                       writer.ledger.skipped - writer.ledger.compacted;
    if (reader.ledger.produced == expected) return;
    if (reader.ledger.produced < expected ? !is_kept : !is_once) return;
    complain(complaints, "%" PRId64 " results of %" PRId64 " records", reader.ledger.produced,
             expected);
}

/* Each record that could not be processed has its letter. */
static void judge_letters(struct run *run, struct text *complaints)
{
    int32_t d = group_of(run_scenario(run), "d");
    if (d < 0 || is_unclean(run_scenario(run))) return;
    struct run_group group;
    struct run_group letters;
    run_group(run, 0, &group);
    run_group(run, d, &letters);
    const struct ledger_group *figures = &group.ledger;
    if (figures->lag_records_end + figures->lost + figures->skipped + figures->compacted > 0)
        return;
    if (letters.ledger.produced < poison_records(run))
        complain(complaints, "%" PRId64 " dead letters of %" PRId64 " records",
                 letters.ledger.produced, poison_records(run));
    if (letters.ledger.produced > 0 && poison_records_at_most(run) == 0)
        complain(complaints, "dead letters without a record that fails");
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
    struct run_group first;
    run_group(run, 0, &first);
    if (first.ledger.produced == 0) complain(complaints, "nothing was produced");
    for (int32_t g = 0; g < scenario->group_count; g++)
        judge_group(run, g, complaints);
    judge_output(run, complaints);
    judge_letters(run, complaints);
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
