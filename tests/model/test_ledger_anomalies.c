/* A3, A4 and A6 to A14 of the checkers' list, each in a story where it happens and one where it
 * does not. A1, A2 and A5: test_ledger.c. */
#include "model/ledger.h"

#include "model/kafka_types.h"
#include "model/trace_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct scenario_topic topics[] = {{.name = "orders", .partitions = 6}};
static const char *const subscribed[] = {"orders"};

struct books {
    struct sim *sim;
    struct ledger *ledger;
    struct scenario scenario;
    struct scenario_group group;
    name_id g, member[4], id[4]; /* billing-1 at 1 */
    int owners[6];
};

static struct books *books_new(void)
{
    struct books *b = test_calloc(1, sizeof(*b));
    b->group = (struct scenario_group){.name = "billing",
                                       .topics = subscribed,
                                       .topic_count = 1,
                                       .members = 3};
    b->scenario = (struct scenario){.topics = topics,
                                    .topic_count = 1,
                                    .groups = &b->group,
                                    .group_count = 1};
    b->sim = sim_new(&(struct sim_options){.seed = 1});
    trace_set_kinds(sim_trace(b->sim), trace_kinds, TRACE_KIND_COUNT);
    b->ledger = ledger_new(b->sim, &b->scenario);
    struct names *names = sim_names(b->sim);
    b->g = names_intern(names, "billing");
    for (int m = 1; m <= 3; m++) {
        b->member[m] = names_format(names, "billing-%d", m);
        b->id[m] = names_format(names, "billing-%d-uuid", m);
    }
    return b;
}

static struct ledger_anomalies books_close(struct books *b)
{
    ledger_finish(b->ledger);
    assert_true(ledger_is_balanced(b->ledger));
    struct ledger_anomalies anomalies;
    ledger_anomalies(b->ledger, 0, &anomalies);
    return anomalies;
}

static void books_free(struct books *b)
{
    sim_free(b->sim);
    test_free(b);
}

static int64_t records_of(const struct books *b, enum finding_kind kind)
{
    int64_t sum = 0;
    for (int cause = 0; cause < FINDING_CAUSE_COUNT; cause++)
        sum += ledger_finding_totals(b->ledger, 0)->records[kind][cause];
    return sum;
}

static int64_t caused(const struct books *b, enum finding_kind kind, enum finding_cause cause)
{
    return ledger_finding_totals(b->ledger, 0)->records[kind][cause];
}

static void append(struct books *b, int32_t partition, int64_t base_offset, int64_t count)
{
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_ID(0, partition), 0, 0, base_offset, count,
          count * 100, 0, 0, NAME_NONE, 0);
}

static void process(struct books *b, int m, int64_t base_offset, int64_t count)
{
    TRACE(b->sim, TRACE_PROCESSED, b->g, b->member[m], PARTITION_ID(0, 0), base_offset, count, 0, 1,
          1);
}

static void position(struct books *b, int m, int64_t offset, enum position_cause cause)
{
    TRACE(b->sim, TRACE_POSITION, b->g, b->member[m], PARTITION_ID(0, 0), offset, cause, -1);
}

static void commit(struct books *b, int m, int64_t offset)
{
    TRACE(b->sim, TRACE_COMMITTED, b->g, PARTITION_ID(0, 0), offset, b->member[m], b->id[m], 1, 0);
}

static void join(struct books *b, int m)
{
    TRACE(b->sim, TRACE_MEMBER_ADDED, b->g, b->member[m], b->id[m], NAME_NONE, NAME_NONE);
}

static void leave(struct books *b, int m, enum rebalance_cause cause)
{
    TRACE(b->sim, TRACE_MEMBER_REMOVED, b->g, b->member[m], b->id[m], cause);
}

static void rebalance(struct books *b, enum rebalance_cause cause, int m, const char *reason)
{
    TRACE(b->sim, TRACE_REBALANCE, b->g, cause, m == 0 ? NAME_NONE : b->member[m],
          m == 0 ? NAME_NONE : b->id[m], 1, names_intern(sim_names(b->sim), reason));
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 1, 3,
          0);
}

/* The group comes to rest; owners[p] is the number of the member that has partition p, 0 = nobody.
 */
static void rest(struct books *b, int members, const int owners[6])
{
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 1,
          members, 0);
    for (int p = 0; p < 6; p++) {
        int before = b->owners[p];
        int m = b->owners[p] = owners[p];
        if (before != 0 && before != m)
            TRACE(b->sim, TRACE_ASSIGNED, b->g, b->member[before], b->id[before],
                  PARTITION_ID(0, p), 1, 0);
        if (m != 0)
            TRACE(b->sim, TRACE_ASSIGNED, b->g, b->member[m], b->id[m], PARTITION_ID(0, p), 1, 1);
    }
    TRACE(b->sim, TRACE_SAMPLE, 0);
    sim_run_until(b->sim, sim_now(b->sim) + SECONDS(10));
}

static void client(struct books *b, int m, enum client_event event)
{
    TRACE(b->sim, TRACE_CLIENT, b->g, b->member[m], event, 1, b->id[m], 0, 0, NAME_NONE);
}

/* ---- A3, A4, A13 ---- */

static void one_consumer_that_reads_on_breaks_no_order(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 200);
    process(b, 1, 0, 100);
    process(b, 1, 100, 100);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.poll_skips, 0);
    assert_int_equal(anomalies.poll_rewinds, 0);
    assert_int_equal(anomalies.reordered, 0);
    books_free(b);
}

/* Member 1 does 0-99, member 2 goes back to 60 and does 60-149, member 1 gets it back at 150. */
static void a_hand_over_and_back_skips_and_goes_back(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 300);
    process(b, 1, 0, 100);
    process(b, 2, 60, 90);
    process(b, 1, 150, 50);
    process(b, 2, 140, 10); /* a zombie's last words */
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.poll_skips, 1);
    assert_int_equal(records_of(b, FINDING_POLL_SKIP), 50);
    assert_int_equal(anomalies.poll_rewinds, 1);
    assert_int_equal(records_of(b, FINDING_POLL_REWIND), 10);
    assert_int_equal(anomalies.reordered, 2);
    assert_int_equal(anomalies.reordered_records, 50);
    books_free(b);
}

static void markers_are_not_skipped(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 100);
    TRACE(b->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 100, 1, UNREADABLE_MARKER);
    append(b, 0, 101, 100);
    process(b, 1, 0, 100);
    process(b, 1, 101, 100);
    assert_int_equal(books_close(b).poll_skips, 0);
    books_free(b);
}

static void a_restarted_consumer_polls_anew(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 100);
    TRACE(b->sim, TRACE_OWNED, b->g, b->member[1], PARTITION_ID(0, 0), 1, 1);
    process(b, 1, 0, 60);
    TRACE(b->sim, TRACE_PROCESS, b->member[1], PROCESS_TRACE_DEAD, 1);
    TRACE(b->sim, TRACE_PROCESS, b->member[1], PROCESS_TRACE_RUNNING, 2);
    process(b, 1, 20, 80);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.poll_rewinds, 0);
    assert_int_equal(anomalies.reordered_records, 40);
    books_free(b);
}

/* ---- A6, A7, A8, A14 ---- */

static void refused_commits_are_told_by_error(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 100);
    process(b, 1, 0, 100);
    commit(b, 1, 40);
    TRACE(b->sim, TRACE_COMMIT_REJECTED, b->g, PARTITION_ID(0, 0), 70, b->member[1], b->id[1], 1,
          KAFKA_REBALANCE_IN_PROGRESS);
    TRACE(b->sim, TRACE_COMMIT_REJECTED, b->g, PARTITION_ID(0, 0), 100, b->member[1], b->id[1], 1,
          KAFKA_UNKNOWN_MEMBER_ID);
    TRACE(b->sim, TRACE_COMMIT_REJECTED, b->g, PARTITION_ID(0, 0), 100, b->member[1], b->id[1], 1,
          KAFKA_UNKNOWN_MEMBER_ID);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.rejected_commits, 3);
    assert_int_equal(anomalies.rejected_by_error[0].error, KAFKA_REBALANCE_IN_PROGRESS);
    assert_int_equal(anomalies.rejected_by_error[0].count, 1);
    assert_int_equal(anomalies.rejected_by_error[1].error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(anomalies.rejected_by_error[1].count, 2);
    assert_int_equal(records_of(b, FINDING_REJECTED_COMMIT), 30 + 60 + 60);
    const struct findings *findings = ledger_findings(b->ledger);
    assert_string_equal(findings->list[0].detail, "REBALANCE_IN_PROGRESS");
    books_free(b);
}

static void a_commit_that_goes_down_is_a_rewind(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 100);
    process(b, 1, 0, 100);
    commit(b, 1, 50);
    commit(b, 1, 50);
    commit(b, 1, 80);
    commit(b, 1, 30);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.commit_rewinds, 1);
    assert_int_equal(records_of(b, FINDING_COMMIT_REWIND), 50);
    books_free(b);
}

static void only_a_reset_that_jumps_is_a_finding(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 500);
    position(b, 1, 0, POSITION_RESET_EARLIEST); /* the group's first start */
    process(b, 1, 0, 100);
    position(b, 2, 100, POSITION_COMMITTED);
    assert_int_equal(records_of(b, FINDING_OFFSET_RESET), 0);
    position(b, 3, 500, POSITION_RESET_LATEST);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.offset_resets, 2);
    assert_int_equal(caused(b, FINDING_OFFSET_RESET, FINDING_CAUSE_OFFSET_RESET), 400);
    assert_int_equal(anomalies.waiting, 0);
    books_free(b);
}

static void what_nobody_came_to_waits(void **state)
{
    (void)state;
    struct books *b = books_new();
    append(b, 0, 0, 500);
    position(b, 1, 0, POSITION_COMMITTED);
    process(b, 1, 0, 380);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.waiting, 120);
    assert_int_equal(caused(b, FINDING_WAITING, FINDING_CAUSE_RUN_ENDED), 120);
    books_free(b);
}

/* ---- A9, A10 ---- */

static void all_join(struct books *b, int members)
{
    for (int m = 1; m <= members; m++)
        join(b, m);
}

static void forming_runs_from_the_first_join_to_the_first_rest(void **state)
{
    (void)state;
    struct books *b = books_new();
    sim_run_until(b->sim, SECONDS(2));
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_Empty, GROUP_TRACE_PreparingRebalance, 0, 1,
          0);
    all_join(b, 2);
    sim_run_until(b->sim, SECONDS(8));
    TRACE(b->sim, TRACE_GROUP_STATE, b->g, GROUP_TRACE_PreparingRebalance,
          GROUP_TRACE_CompletingRebalance, 1, 2, 0);
    rest(b, 2, (const int[]){1, 1, 1, 2, 2, 2});
    rebalance(b, CAUSE_MEMBER_JOINED, 2, "");
    rest(b, 2, (const int[]){1, 1, 1, 2, 2, 2});
    assert_int_equal(books_close(b).forming_ns, SECONDS(6));
    books_free(b);
}

static void a_move_for_balance_is_necessary(void **state)
{
    (void)state;
    struct books *b = books_new();
    all_join(b, 2);
    rest(b, 2, (const int[]){1, 1, 1, 2, 2, 2});
    join(b, 3);
    rebalance(b, CAUSE_MEMBER_JOINED, 3, "");
    rest(b, 3, (const int[]){1, 1, 3, 2, 2, 3}); /* one of each goes to the new one */
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.moves, 2);
    assert_int_equal(anomalies.moved_needlessly, 0);
    assert_int_equal(anomalies.imbalance, 0);
    books_free(b);
}

static void range_moves_more_than_it_must(void **state)
{
    (void)state;
    struct books *b = books_new();
    all_join(b, 2);
    rest(b, 2, (const int[]){1, 1, 1, 2, 2, 2});
    join(b, 3);
    rebalance(b, CAUSE_MEMBER_JOINED, 3, "");
    rest(b, 3, (const int[]){1, 1, 2, 2, 3, 3}); /* in order: orders-2 had no need to move */
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.moves, 3);
    assert_int_equal(anomalies.moved_needlessly, 1);
    assert_int_equal(records_of(b, FINDING_UNNECESSARY_MOVE), 1);
    books_free(b);
}

static void what_a_cooperative_round_holds_back_has_not_moved(void **state)
{
    (void)state;
    struct books *b = books_new();
    all_join(b, 2);
    rest(b, 2, (const int[]){1, 1, 1, 2, 2, 2});
    join(b, 3);
    rebalance(b, CAUSE_MEMBER_JOINED, 3, "");
    rest(b, 3, (const int[]){1, 1, 0, 2, 2, 0});
    rebalance(b, CAUSE_MEMBER_REJOINED, 1, "need to revoke partitions and re-join");
    rest(b, 3, (const int[]){1, 1, 3, 2, 2, 3});
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.moves, 2);
    assert_int_equal(anomalies.moved_needlessly, 0);
    assert_int_equal(anomalies.imbalance, 0);
    books_free(b);
}

static void an_uneven_rest_is_an_imbalance(void **state)
{
    (void)state;
    struct books *b = books_new();
    all_join(b, 3);
    rest(b, 3, (const int[]){1, 1, 1, 1, 2, 2}); /* 4, 2 and 0 */
    append(b, 0, 0, 70);
    append(b, 4, 0, 30);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.imbalance, 4);
    assert_int_equal(records_of(b, FINDING_IMBALANCE), 4);
    assert_int_equal(anomalies.rest_ns, SECONDS(10));
    assert_int_equal(anomalies.load_most, 70);
    assert_int_equal(anomalies.load_least, 0);
    const struct findings *findings = ledger_findings(b->ledger);
    assert_int_equal(findings->list[0].member, b->member[1]);
    assert_int_equal(findings->list[0].culprit, NAME_NONE); /* somebody has none */
    books_free(b);
}

static void a_static_member_that_comes_back_keeps_its_own(void **state)
{
    (void)state;
    struct books *b = books_new();
    all_join(b, 3);
    rest(b, 3, (const int[]){1, 1, 2, 2, 3, 3});
    name_id anew = names_intern(sim_names(b->sim), "billing-1-uuid-2");
    TRACE(b->sim, TRACE_MEMBER_ADDED, b->g, b->member[1], anew, b->member[1], b->id[1]);
    b->id[1] = anew;
    rebalance(b, CAUSE_METADATA_CHANGED, 0, "");
    rest(b, 3, (const int[]){1, 1, 2, 2, 3, 3});
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.moves, 0);
    assert_int_equal(anomalies.moved_needlessly, 0);
    books_free(b);
}

/* ---- A11, A12 ---- */

static struct books *formed(void)
{
    struct books *b = books_new();
    all_join(b, 3);
    rest(b, 3, (const int[]){1, 1, 2, 2, 3, 3});
    return b;
}

static void rebalances_are_counted_by_cause(void **state)
{
    (void)state;
    struct books *b = formed();
    leave(b, 3, CAUSE_MEMBER_LEFT);
    rebalance(b, CAUSE_MEMBER_LEFT, 3, "the consumer is being closed");
    rest(b, 2, (const int[]){1, 1, 1, 2, 2, 2});
    join(b, 3);
    rebalance(b, CAUSE_MEMBER_JOINED, 3, "");
    rest(b, 3, (const int[]){1, 1, 2, 2, 3, 3});
    rebalance(b, CAUSE_METADATA_CHANGED, 0, "");
    rest(b, 3, (const int[]){1, 1, 2, 2, 3, 3});
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.rebalances_by_cause[CAUSE_MEMBER_LEFT], 1);
    assert_int_equal(anomalies.rebalances_by_cause[CAUSE_MEMBER_JOINED], 1);
    assert_int_equal(anomalies.rebalances_by_cause[CAUSE_METADATA_CHANGED], 1);
    assert_int_equal(anomalies.cascaded_rebalances, 0); /* close in time is no link */
    books_free(b);
}

static void the_second_round_of_a_cooperative_rebalance_is_a_cascade(void **state)
{
    (void)state;
    struct books *b = formed();
    rebalance(b, CAUSE_MEMBER_REJOINED, 1, "cached metadata has changed");
    rebalance(b, CAUSE_MEMBER_REJOINED, 1, "need to revoke partitions and re-join");
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.cascaded_rebalances, 1);
    assert_int_equal(caused(b, FINDING_CASCADE, FINDING_CAUSE_REVOKED_FIRST), 1);
    books_free(b);
}

static void an_expelled_member_that_comes_back_is_a_cascade(void **state)
{
    (void)state;
    struct books *b = formed();
    TRACE(b->sim, TRACE_PROCESS, b->member[1], PROCESS_TRACE_FROZEN, 1);
    leave(b, 1, CAUSE_SESSION_EXPIRED);
    rebalance(b, CAUSE_SESSION_EXPIRED, 1, "");
    TRACE(b->sim, TRACE_PROCESS, b->member[1], PROCESS_TRACE_RUNNING, 1);
    join(b, 1);
    rebalance(b, CAUSE_MEMBER_JOINED, 1, "");
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.cascaded_rebalances, 1);
    assert_int_equal(caused(b, FINDING_CASCADE, FINDING_CAUSE_CAME_BACK), 1);
    books_free(b);
}

static void one_that_left_for_its_poll_interval_comes_back_as_a_cascade(void **state)
{
    (void)state;
    struct books *b = formed();
    client(b, 1, CLIENT_POLL_TIMEOUT);
    leave(b, 1, CAUSE_MEMBER_LEFT);
    rebalance(b, CAUSE_POLL_EXPIRED, 1, "consumer poll timeout has expired.");
    join(b, 1);
    rebalance(b, CAUSE_MEMBER_JOINED, 1, "");
    leave(b, 2, CAUSE_MEMBER_LEFT); /* and one that left because it was told to does not */
    rebalance(b, CAUSE_MEMBER_LEFT, 2, "the consumer is being closed");
    join(b, 2);
    rebalance(b, CAUSE_MEMBER_JOINED, 2, "");
    assert_int_equal(books_close(b).cascaded_rebalances, 1);
    books_free(b);
}

static void a_restarted_process_that_joins_is_no_cascade(void **state)
{
    (void)state;
    struct books *b = formed();
    TRACE(b->sim, TRACE_PROCESS, b->member[1], PROCESS_TRACE_DEAD, 1);
    leave(b, 1, CAUSE_SESSION_EXPIRED);
    rebalance(b, CAUSE_SESSION_EXPIRED, 1, "");
    TRACE(b->sim, TRACE_PROCESS, b->member[1], PROCESS_TRACE_RUNNING, 2);
    join(b, 1);
    rebalance(b, CAUSE_MEMBER_JOINED, 1, "");
    assert_int_equal(books_close(b).cascaded_rebalances, 0);
    books_free(b);
}

static void silence_because_of_an_unread_join_is_a_cascade(void **state)
{
    (void)state;
    struct books *b = formed();
    client(b, 1, CLIENT_JOINING);
    leave(b, 1, CAUSE_SESSION_EXPIRED);
    rebalance(b, CAUSE_SESSION_EXPIRED, 1, "");
    client(b, 2, CLIENT_JOINING);
    client(b, 2, CLIENT_JOINED); /* its heartbeats go on: what silenced it came from outside */
    leave(b, 2, CAUSE_SESSION_EXPIRED);
    rebalance(b, CAUSE_SESSION_EXPIRED, 2, "");
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.cascaded_rebalances, 1);
    assert_int_equal(caused(b, FINDING_CASCADE, FINDING_CAUSE_JOIN_UNREAD), 1);
    books_free(b);
}

static void a_membership_given_up_for_another_expires_as_a_cascade(void **state)
{
    (void)state;
    struct books *b = formed();
    name_id ghost = b->id[1];
    b->id[1] = names_intern(sim_names(b->sim), "billing-1-uuid-2");
    join(b, 1);
    rebalance(b, CAUSE_MEMBER_JOINED, 1, "");
    TRACE(b->sim, TRACE_MEMBER_REMOVED, b->g, b->member[1], ghost, CAUSE_SESSION_EXPIRED);
    TRACE(b->sim, TRACE_REBALANCE, b->g, CAUSE_SESSION_EXPIRED, b->member[1], ghost, 1, NAME_NONE);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.cascaded_rebalances, 1);
    assert_int_equal(caused(b, FINDING_CASCADE, FINDING_CAUSE_JOIN_UNREAD), 1);
    books_free(b);
}

static void a_join_phase_that_fails_makes_the_next(void **state)
{
    (void)state;
    struct books *b = formed();
    leave(b, 2, CAUSE_SYNC_EXPIRED);
    rebalance(b, CAUSE_SYNC_EXPIRED, 2, "");
    rebalance(b, CAUSE_ASSIGNMENT_FAILED, 1, "");
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(caused(b, FINDING_CASCADE, FINDING_CAUSE_NOT_SYNCED), 1);
    assert_int_equal(caused(b, FINDING_CASCADE, FINDING_CAUSE_NOT_STORED), 1);
    assert_int_equal(anomalies.cascaded_rebalances, 2);
    books_free(b);
}

static void exceptions_are_counted_by_error(void **state)
{
    (void)state;
    struct books *b = books_new();
    static const struct {
        enum client_event event;
        int64_t error;
    } events[] = {{CLIENT_FATAL, KAFKA_GROUP_MAX_SIZE_REACHED},
                  {CLIENT_EXCEPTION, KAFKA_NONE},
                  {CLIENT_FATAL, KAFKA_NONE},
                  {CLIENT_FATAL, KAFKA_GROUP_MAX_SIZE_REACHED}};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        TRACE(b->sim, TRACE_CLIENT, b->g, b->member[1], events[i].event, 1, b->id[1], 0,
              events[i].error, NAME_NONE);
    struct ledger_anomalies anomalies = books_close(b);
    assert_int_equal(anomalies.fatal_errors, 3);
    assert_int_equal(anomalies.fatal_by_error[0].error, KAFKA_GROUP_MAX_SIZE_REACHED);
    assert_int_equal(anomalies.fatal_by_error[0].count, 2);
    assert_int_equal(anomalies.fatal_by_error[1].error, KAFKA_NONE);
    assert_int_equal(anomalies.exceptions_caught, 1);
    books_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_consumer_that_reads_on_breaks_no_order),
        cmocka_unit_test(a_hand_over_and_back_skips_and_goes_back),
        cmocka_unit_test(markers_are_not_skipped),
        cmocka_unit_test(a_restarted_consumer_polls_anew),
        cmocka_unit_test(refused_commits_are_told_by_error),
        cmocka_unit_test(a_commit_that_goes_down_is_a_rewind),
        cmocka_unit_test(only_a_reset_that_jumps_is_a_finding),
        cmocka_unit_test(what_nobody_came_to_waits),
        cmocka_unit_test(forming_runs_from_the_first_join_to_the_first_rest),
        cmocka_unit_test(a_move_for_balance_is_necessary),
        cmocka_unit_test(range_moves_more_than_it_must),
        cmocka_unit_test(what_a_cooperative_round_holds_back_has_not_moved),
        cmocka_unit_test(an_uneven_rest_is_an_imbalance),
        cmocka_unit_test(a_static_member_that_comes_back_keeps_its_own),
        cmocka_unit_test(rebalances_are_counted_by_cause),
        cmocka_unit_test(the_second_round_of_a_cooperative_rebalance_is_a_cascade),
        cmocka_unit_test(an_expelled_member_that_comes_back_is_a_cascade),
        cmocka_unit_test(one_that_left_for_its_poll_interval_comes_back_as_a_cascade),
        cmocka_unit_test(a_restarted_process_that_joins_is_no_cascade),
        cmocka_unit_test(silence_because_of_an_unread_join_is_a_cascade),
        cmocka_unit_test(a_membership_given_up_for_another_expires_as_a_cascade),
        cmocka_unit_test(a_join_phase_that_fails_makes_the_next),
        cmocka_unit_test(exceptions_are_counted_by_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
