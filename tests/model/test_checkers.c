/* Each checker is shown a world that goes wrong in exactly one way, and must be the only one to
 * notice. A checker that no planted fault wakes proves nothing. */
#include "model/checkers.h"

#include "model/message.h"
#include "model/trace_kinds.h"

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

static void commit(struct watched *w, int64_t offset, int64_t generation)
{
    TRACE(w->sim, TRACE_COMMITTED, w->g, PARTITION_ID(0, 0), offset, w->c1, w->id1, generation, 0);
}

static void position(struct watched *w, name_id member, int64_t offset)
{
    TRACE(w->sim, TRACE_POSITION, w->g, member, PARTITION_ID(0, 0), offset, POSITION_COMMITTED, -1);
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
    sim_run_until(w->sim, SECONDS(10));
    process(w, w->c1, 0, 100, SECONDS(5));
    commit(w, 50, 5);
}

static void nothing(struct watched *w)
{
    disown(w, w->c1);
    assign(w, w->c1, w->id1, PARTITION_ID(0, 0), false);
    assign(w, w->c2, w->id2, PARTITION_ID(0, 0), true);
    own(w, w->c2);
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
    process(w, w->c2, 100, 10, SECONDS(6)); /* c1 worked until 10 s */
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

static const struct {
    const char *name;
    void (*act)(struct watched *);
    int expected; /* -1 = none */
} cases[] = {
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
    {"a hole in the log", books_cooked, CHECKER_B},
};

static void each_fault_wakes_its_checker_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct watched w = {0};
        w.group = (struct scenario_group){.name = "billing",
                                          .topics = subscribed,
                                          .topic_count = 1,
                                          .members = 2,
                                          .config = {.max_poll_interval_ms = 300000,
                                                     .session_timeout_ms = 45000}};
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
        cases[i].act(&w);
        checkers_finish(w.checkers);
        int64_t count = checkers_violation_count(w.checkers);
        for (int64_t v = 0; v < count; v++) {
            const struct violation *violation = checkers_violation(w.checkers, v);
            if ((int)violation->checker == cases[i].expected) continue;
            fail_msg("%s: %s: %s", cases[i].name, checker_name(violation->checker),
                     names_text(names, violation->text));
        }
        if (count != (cases[i].expected < 0 ? 0 : 1))
            fail_msg("%s: %d violations", cases[i].name, (int)count);
        sim_free(w.sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_wakes_its_checker_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
