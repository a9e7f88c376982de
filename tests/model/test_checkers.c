/* Each checker is shown a world that goes wrong in exactly one way, and must be the only one to
 * notice. A checker that no planted fault wakes proves nothing. */
#include "model/checkers.h"

#include "model/message.h"
#include "model/trace_kinds.h"
#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct scenario_topic topics[] = {
    {.name = "orders", .partitions = 1},
    {.name = "other", .partitions = 1},
};
static const char *const subscribed[] = {"orders"};
static const struct scenario_producer producers[] = {
    {.name = "checkout", .topic = "orders", .config = {.acks = -1}},
};

struct watched {
    struct sim *sim;
    struct checkers *checkers;
    struct scenario scenario;
    struct scenario_group group;
    name_id g, c1, c2, id1, id2, producer;
};

static void assign(struct watched *w, name_id member, name_id id, int64_t partition, bool owned)
{
    TRACE(w->sim, TRACE_ASSIGNED, w->g, member, id, partition, 1, owned);
}

static void own(struct watched *w, name_id member)
{
    TRACE(w->sim, TRACE_OWNED, w->g, member, PARTITION_ID(0, 0), 1, 1);
}

static void append(struct watched *w, int64_t base_offset, int64_t count)
{
    TRACE(w->sim, TRACE_BATCH_APPENDED, PARTITION_ID(0, 0), 0, 0, base_offset, count, count * 100,
          0, 0, w->producer, 0);
}

static void acknowledge(struct watched *w, int64_t base_offset, int64_t count)
{
    TRACE(w->sim, TRACE_ARRIVAL, w->producer, PARTITION_ID(0, 0), count, count * 100, 0, 0);
    TRACE(w->sim, TRACE_PRODUCE_DONE, w->producer, PARTITION_ID(0, 0), base_offset, count, 0, 1, 0,
          0);
}

static void process(struct watched *w, name_id member, int64_t base_offset, int64_t count,
                    sim_time begin_at)
{
    TRACE(w->sim, TRACE_PROCESSED, w->g, member, PARTITION_ID(0, 0), base_offset, count, begin_at,
          1, 1);
}

static void deliver(struct watched *w, name_id member, int64_t base_offset, int64_t count)
{
    TRACE(w->sim, TRACE_DELIVERED, w->g, member, PARTITION_ID(0, 0), base_offset, count, 5, 1);
}

static void commit(struct watched *w, int64_t offset, int64_t generation)
{
    TRACE(w->sim, TRACE_COMMITTED, w->g, PARTITION_ID(0, 0), offset, w->c1, w->id1, generation, 0);
}

static void set_position(struct watched *w, name_id member, int64_t offset,
                         enum position_cause cause, int64_t previous)
{
    TRACE(w->sim, TRACE_POSITION, w->g, member, PARTITION_ID(0, 0), offset, cause, previous);
}

static void position(struct watched *w, name_id member, int64_t offset)
{
    set_position(w, member, offset, POSITION_COMMITTED, -1);
}

static void state_change(struct watched *w, int64_t from, int64_t to, int64_t generation)
{
    TRACE(w->sim, TRACE_GROUP_STATE, w->g, from, to, generation, 2, 0);
}

static void elect(struct watched *w, int64_t log_end, bool unclean)
{
    TRACE(w->sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, log_end, unclean);
}

static void quiet(struct watched *w)
{
    name_id name = names_intern(sim_names(w->sim), "quiet");
    TRACE(w->sim, TRACE_FAULT, FAULT_BEGIN, name, NAME_NONE, NAME_NONE, 1, 0, 0);
}

static void disown(struct watched *w, name_id member)
{
    TRACE(w->sim, TRACE_DISOWNED, w->g, member, PARTITION_ID(0, 0), 1, OWNERSHIP_REVOKED, 1);
}

static void join(struct watched *w, name_id member, name_id id)
{
    TRACE(w->sim, TRACE_MEMBER_ADDED, w->g, member, id, NAME_NONE, NAME_NONE, member, NAME_NONE);
}

static void expel(struct watched *w, name_id member, name_id id)
{
    TRACE(w->sim, TRACE_MEMBER_REMOVED, w->g, member, id, CAUSE_SESSION_EXPIRED);
}

/* One member of generation 5 owns the partition, has processed 100 of 200 records, committed 50. */
static void healthy(struct watched *w)
{
    state_change(w, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 5);
    append(w, 0, 200);
    acknowledge(w, 0, 200);
    join(w, w->c1, w->id1);
    assign(w, w->c1, w->id1, PARTITION_ID(0, 0), true);
    own(w, w->c1);
    set_position(w, w->c1, 0, POSITION_RESET_EARLIEST, -1);
    deliver(w, w->c1, 0, 100);
    sim_run_until(w->sim, SECONDS(10));
    process(w, w->c1, 0, 100, SECONDS(5));
    commit(w, 50, 5);
}

static void hand_over_to_c2(struct watched *w)
{
    disown(w, w->c1);
    assign(w, w->c1, w->id1, PARTITION_ID(0, 0), false);
    assign(w, w->c2, w->id2, PARTITION_ID(0, 0), true);
    own(w, w->c2);
}

static void nothing(struct watched *w)
{
    hand_over_to_c2(w);
    position(w, w->c2, 50);
    sim_run_until(w->sim, SECONDS(20));
    process(w, w->c2, 50, 60, SECONDS(11));
}

static void zombie_work(struct watched *w)
{
    expel(w, w->c1, w->id1);
    assign(w, w->c1, w->id1, PARTITION_ID(0, 0), false);
    assign(w, w->c2, w->id2, PARTITION_ID(0, 0), true);
    process(w, w->c1, 100, 10, SECONDS(9)); /* counted by the ledger, no bug of ours */
}

static void given_before_it_was_freed(struct watched *w)
{
    assign(w, w->c2, w->id2, PARTITION_ID(0, 0), true);
}

static void given_before_it_was_let_go(struct watched *w)
{
    assign(w, w->c1, w->id1, PARTITION_ID(0, 0), false);
    assign(w, w->c2, w->id2, PARTITION_ID(0, 0), true); /* c1 still has it, and is a member */
}

static void two_owners_at_work(struct watched *w)
{
    expel(w, w->c1, w->id1);
    assign(w, w->c1, w->id1, PARTITION_ID(0, 0), false);
    assign(w, w->c2, w->id2, PARTITION_ID(0, 0), true);
    own(w, w->c2);
    position(w, w->c2, 50);
    process(w, w->c2, 50, 10, SECONDS(6)); /* c1 worked until 10 s */
}

static void unsubscribed_topic(struct watched *w)
{
    assign(w, w->c1, w->id1, PARTITION_ID(1, 0), true);
}

static void generation_falls(struct watched *w)
{
    state_change(w, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 4);
}

static void stale_commit_accepted(struct watched *w)
{
    TRACE(w->sim, TRACE_GROUP_REQUEST, API_OFFSET_COMMIT, w->g, w->c1, w->id1, 4, 0);
    commit(w, 60, 4);
}

static void commit_durable_after_its_generation(struct watched *w)
{
    TRACE(w->sim, TRACE_GROUP_REQUEST, API_OFFSET_COMMIT, w->g, w->c1, w->id1, 5, 0);
    state_change(w, GROUP_TRACE_PreparingRebalance, GROUP_TRACE_CompletingRebalance, 6);
    state_change(w, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 6);
    commit(w, 60, 5); /* it came in time, and its write waited for the replicas */
}

static void work_without_owning(struct watched *w)
{
    TRACE(w->sim, TRACE_DISOWNED, w->g, w->c1, PARTITION_ID(0, 0), 1, OWNERSHIP_REVOKED, 1);
    process(w, w->c1, 100, 10, SECONDS(10));
}

static void position_out_of_thin_air(struct watched *w)
{
    position(w, w->c2, 77);
}

static void offset_used_twice(struct watched *w)
{
    append(w, 150, 10);
}

static void clean_election_loses_records(struct watched *w)
{
    elect(w, 180, false);
}

static void unclean_election_loses_records(struct watched *w)
{
    elect(w, 180, true); /* legal: an anomaly, counted as lost */
}

static void commit_beyond_the_log(struct watched *w)
{
    w->group.commit.mode = COMMIT_NONE; /* not I18's business */
    commit(w, 201, 5);
}

static void commit_ahead_of_the_work(struct watched *w)
{
    commit(w, 101, 5);
}

static void never_at_rest(struct watched *w)
{
    state_change(w, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 5);
    quiet(w);
    sim_run_until(w->sim, SECONDS(1000));
}

static void no_progress(struct watched *w)
{
    quiet(w);
    sim_run_until(w->sim, SECONDS(1000));
}

static void work_longer_than_the_poll_interval(struct watched *w)
{
    quiet(w);
    sim_run_until(w->sim, SECONDS(500));
    TRACE(w->sim, TRACE_CLIENT, w->g, w->c1, CLIENT_POLL_TIMEOUT, 5);
    state_change(w, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 5);
    sim_run_until(w->sim, SECONDS(1000));
}

static void a_stall_that_ends_after_the_faults(struct watched *w)
{
    quiet(w);
    sim_run_until(w->sim, SECONDS(100));
    TRACE(w->sim, TRACE_CLIENT, w->g, w->c1, CLIENT_POLL_TIMEOUT, 5);
    sim_run_until(w->sim, SECONDS(1000));
}

static void books_cooked(struct watched *w)
{
    /* A record that only the ledger's own sums can contradict: a duplicate append. */
    TRACE(w->sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 200, 0);
    append(w, 205, 10); /* a hole: five offsets that nobody appended */
}

static void aborted_record_read(struct watched *w)
{
    w->group.config.isolation_level = READ_COMMITTED;
    TRACE(w->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 90, 20, UNREADABLE_ABORTED);
}

/* V1 and V2, by what is legal, and what is like it. */

static void an_older_commit_counts_again(struct watched *w)
{
    commit(w, 30, 5); /* sent earlier, and overtaken: B4 */
    hand_over_to_c2(w);
    position(w, w->c2, 30);
    process(w, w->c2, 30, 100, SECONDS(10));
}

static void an_answer_that_was_overtaken(struct watched *w)
{
    hand_over_to_c2(w);
    commit(w, 90, 5); /* after c2 had asked */
    position(w, w->c2, 50);
    process(w, w->c2, 50, 100, SECONDS(10));
}

static void back_after_an_abort(struct watched *w)
{
    position(w, w->c1, 50);
    process(w, w->c1, 50, 100, SECONDS(10));
}

static void reset_for_want_of_a_commit(struct watched *w)
{
    TRACE(w->sim, TRACE_OFFSET_REMOVED, w->g, PARTITION_ID(0, 0), 50);
    hand_over_to_c2(w);
    set_position(w, w->c2, 0, POSITION_RESET_EARLIEST, -1);
    process(w, w->c2, 0, 100, SECONDS(10));
}

static void retention_overtakes(struct watched *w)
{
    TRACE(w->sim, TRACE_LOG_START, PARTITION_ID(0, 0), 150, 0);
    set_position(w, w->c1, 150, POSITION_OUT_OF_RANGE, 100);
    process(w, w->c1, 150, 10, SECONDS(10));
}

static void the_log_diverged(struct watched *w)
{
    elect(w, 80, true);
    append(w, 80, 50);
    set_position(w, w->c1, 80, POSITION_TRUNCATED, 100);
    process(w, w->c1, 80, 20, SECONDS(10));
}

static void a_marker_between_records(struct watched *w)
{
    TRACE(w->sim, TRACE_UNREADABLE, PARTITION_ID(0, 0), 200, 1, UNREADABLE_MARKER);
    append(w, 201, 10);
    process(w, w->c1, 100, 100, SECONDS(10));
    process(w, w->c1, 201, 10, SECONDS(10));
}

/* The threads still have the old records when they get them once more. */
static void workers_do_it_twice(struct watched *w)
{
    deliver(w, w->c1, 100, 50);
    disown(w, w->c1);
    own(w, w->c1);
    position(w, w->c1, 50);
    deliver(w, w->c1, 50, 100);
    process(w, w->c1, 50, 60, SECONDS(10)); /* begins with the younger range: nobody can tell */
    process(w, w->c1, 100, 50, SECONDS(10));
    process(w, w->c1, 110, 40, SECONDS(10));
}

static void back_to_what_the_sink_has(struct watched *w)
{
    TRACE(w->sim, TRACE_SINK, w->g, w->c1, PARTITION_ID(0, 0), 0, 100, 1);
    hand_over_to_c2(w);
    set_position(w, w->c2, 100, POSITION_EXTERNAL, -1);
    process(w, w->c2, 100, 10, SECONDS(10));
}

static void again_without_reason(struct watched *w)
{
    process(w, w->c1, 60, 10, SECONDS(10));
}

static void back_behind_the_last_commit(struct watched *w)
{
    commit(w, 90, 5);
    hand_over_to_c2(w);
    position(w, w->c2, 50);
}

static void reset_in_spite_of_a_commit(struct watched *w)
{
    hand_over_to_c2(w);
    set_position(w, w->c2, 0, POSITION_RESET_EARLIEST, -1);
}

static void reset_from_within_the_log(struct watched *w)
{
    set_position(w, w->c1, 0, POSITION_OUT_OF_RANGE, 100);
}

static void truncated_for_no_reason(struct watched *w)
{
    elect(w, 200, false);
    set_position(w, w->c1, 40, POSITION_TRUNCATED, 100);
}

static void behind_what_the_sink_has(struct watched *w)
{
    commit(w, 90, 5); /* of no use here */
    TRACE(w->sim, TRACE_SINK, w->g, w->c1, PARTITION_ID(0, 0), 0, 100, 1);
    hand_over_to_c2(w);
    set_position(w, w->c2, 50, POSITION_EXTERNAL, -1);
}

static void given_again_without_reason(struct watched *w)
{
    deliver(w, w->c1, 50, 50);
}

static void a_worker_repeats_itself(struct watched *w)
{
    process(w, w->c1, 50, 50, SECONDS(10));
}

static void given_without_owning(struct watched *w)
{
    disown(w, w->c1);
    deliver(w, w->c1, 100, 50);
}

static void records_left_out(struct watched *w)
{
    process(w, w->c1, 110, 10, SECONDS(10));
}

static void given_with_records_left_out(struct watched *w)
{
    deliver(w, w->c1, 110, 10);
}

static void ahead_in_spite_of_a_commit(struct watched *w)
{
    hand_over_to_c2(w);
    set_position(w, w->c2, 200, POSITION_RESET_LATEST, -1);
}

static void on_without_a_position(struct watched *w)
{
    disown(w, w->c1);
    own(w, w->c1);
    process(w, w->c1, 100, 10, SECONDS(10));
}

struct planted {
    const char *name;
    void (*act)(struct watched *);
    int expected; /* -1 = none */
};

static const struct planted cases[] = {
    {"a hand-over as it should be", nothing, -1},
    {"zombie work", zombie_work, -1},
    {"a commit that becomes durable late", commit_durable_after_its_generation, -1},
    {"an unclean election", unclean_election_loses_records, -1},
    {"given before it was freed", given_before_it_was_freed, CHECKER_I1},
    {"two owners at work", two_owners_at_work, CHECKER_I2},
    {"given before it was let go", given_before_it_was_let_go, CHECKER_I8},
    {"a topic nobody subscribed", unsubscribed_topic, CHECKER_I4},
    {"a generation that falls", generation_falls, CHECKER_I5},
    {"a stale commit that is accepted", stale_commit_accepted, CHECKER_I6},
    {"work without owning", work_without_owning, CHECKER_I9},
    {"a position nobody committed", position_out_of_thin_air, CHECKER_I11},
    {"an offset used twice", offset_used_twice, CHECKER_I13},
    {"a clean election that loses", clean_election_loses_records, CHECKER_I15},
    {"an aborted record that was read", aborted_record_read, CHECKER_I16},
    {"a commit beyond the log", commit_beyond_the_log, CHECKER_I17},
    {"a commit ahead of the work", commit_ahead_of_the_work, CHECKER_I18},
    {"a group that never rests", never_at_rest, CHECKER_L1},
    {"a partition that does not move", no_progress, CHECKER_L3},
    {"work longer than the poll interval", work_longer_than_the_poll_interval, -1},
    {"no progress after a stall", a_stall_that_ends_after_the_faults, CHECKER_L3},
    {"a hole in the log", books_cooked, CHECKER_B},
    {"an older commit that counts", an_older_commit_counts_again, -1},
    {"an answer that was overtaken", an_answer_that_was_overtaken, -1},
    {"an aborted transaction", back_after_an_abort, -1},
    {"a reset for want of a commit", reset_for_want_of_a_commit, -1},
    {"retention overtakes", retention_overtakes, -1},
    {"a log that diverged", the_log_diverged, -1},
    {"a marker between records", a_marker_between_records, -1},
    {"again without reason", again_without_reason, CHECKER_V1},
    {"back behind the last commit", back_behind_the_last_commit, CHECKER_V1},
    {"a reset in spite of a commit", reset_in_spite_of_a_commit, CHECKER_V1},
    {"a reset from within the log", reset_from_within_the_log, CHECKER_V1},
    {"truncated for no reason", truncated_for_no_reason, CHECKER_V1},
    {"records left out", records_left_out, CHECKER_V2},
    {"ahead in spite of a commit", ahead_in_spite_of_a_commit, CHECKER_V2},
    {"on without a position", on_without_a_position, CHECKER_V2},
};

static const struct planted cases_with_workers[] = {
    {"workers that get it twice", workers_do_it_twice, -1},
    {"given again without reason", given_again_without_reason, CHECKER_V1},
    {"a worker repeats itself", a_worker_repeats_itself, CHECKER_V1},
    {"given without owning", given_without_owning, CHECKER_I9},
    {"given with records left out", given_with_records_left_out, CHECKER_V2},
};

static const struct planted cases_with_a_sink[] = {
    {"back to what the sink has", back_to_what_the_sink_has, -1},
    {"behind what the sink has", behind_what_the_sink_has, CHECKER_V1},
};

static void watch(const struct planted *planted, const struct scenario_group *group)
{
    struct watched w = {.group = *group};
    w.scenario = (struct scenario){.topics = topics,
                                   .topic_count = 2,
                                   .groups = &w.group,
                                   .group_count = 1,
                                   .producers = producers,
                                   .producer_count = 1};
    w.sim = sim_new(&(struct sim_options){.seed = 1});
    trace_set_kinds(sim_trace(w.sim), trace_kinds, TRACE_KIND_COUNT);
    w.checkers = checkers_new(w.sim, &w.scenario);
    struct names *names = sim_names(w.sim);
    w.g = names_intern(names, "billing");
    w.c1 = names_intern(names, "billing-1");
    w.c2 = names_intern(names, "billing-2");
    w.id1 = names_intern(names, "billing-1-aaaa");
    w.id2 = names_intern(names, "billing-2-bbbb");
    w.producer = names_intern(names, "checkout");
    healthy(&w);
    planted->act(&w);
    checkers_finish(w.checkers);
    int64_t count = checkers_violation_count(w.checkers);
    for (int64_t v = 0; v < count; v++) {
        const struct violation *violation = checkers_violation(w.checkers, v);
        if ((int)violation->checker == planted->expected) continue;
        fail_msg("%s: %s: %s", planted->name, checker_name(violation->checker),
                 names_text(names, violation->text));
    }
    if (count != (planted->expected < 0 ? 0 : 1))
        fail_msg("%s: %d violations", planted->name, (int)count);
    sim_free(w.sim);
}

static const struct scenario_group billing = {
    .name = "billing",
    .topics = subscribed,
    .topic_count = 1,
    .members = 2,
    .config = {.max_poll_interval_ms = 300000, .session_timeout_ms = 45000},
};

static void each_fault_wakes_its_checker_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        watch(&cases[i], &billing);
}

static void so_with_workers(void **state)
{
    (void)state;
    struct scenario_group group = billing;
    group.process.workers = 2;
    for (size_t i = 0; i < ARRAY_LEN(cases_with_workers); i++)
        watch(&cases_with_workers[i], &group);
}

static void so_with_offsets_in_the_sink(void **state)
{
    (void)state;
    struct scenario_group group = billing;
    group.commit.mode = COMMIT_EXTERNAL;
    for (size_t i = 0; i < ARRAY_LEN(cases_with_a_sink); i++)
        watch(&cases_with_a_sink[i], &group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_wakes_its_checker_alone),
        cmocka_unit_test(so_with_workers),
        cmocka_unit_test(so_with_offsets_in_the_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
