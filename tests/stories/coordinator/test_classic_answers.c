/* The answer tables of the classic protocol, cell by cell, through real requests. */
#include "model/coordinator/answer_tables.h"
#include "model/coordinator/classic_group.h"
#include "tests/harness/classic_requests.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

/* Members m001 (leads) and m002, in this state; no join is parked but the one that made it so. */
static void reach(struct coordinator_host *host, enum group_state state)
{
    host_init(host, NULL, NULL);
    host->config.group_initial_rebalance_delay_ms = 0;
    host->config.group_coordinator_append_linger_ms = 0;
    host_start(host);
    form_group(host, 2, false);
    switch (state) {
    case GROUP_EMPTY:
        ask_leave(host, "m001", NULL);
        ask_leave(host, "m002", NULL);
        host_advance(host, SECONDS(20));
        break;
    case GROUP_PREPARING_REBALANCE:
        ask_join(host, (struct join_args){0}); /* m003 */
        break;
    case GROUP_COMPLETING_REBALANCE:
        ask_join(host, (struct join_args){.member = "m001"});
        ask_join(host, (struct join_args){.member = "m002"});
        break;
    case GROUP_STABLE: break;
    case GROUP_DEAD:
    case GROUP_ASSIGNING:
    case GROUP_RECONCILING:
    case GROUP_STATE_COUNT: CHECK(false);
    }
    assert_string_equal(state_of(host), group_state_name(state));
}

static const enum group_state states[] = {GROUP_EMPTY, GROUP_PREPARING_REBALANCE,
                                          GROUP_COMPLETING_REBALANCE, GROUP_STABLE};

static int generation_of(const struct coordinator_host *host)
{
    return classic_of(host)->generation;
}

static sim_time session_end(struct coordinator_host *host, const char *id)
{
    const struct classic_member *member =
        classic_find_member(classic_of(host), host_name(host, id));
    return member == NULL ? -1 : member->session.at;
}

static void heartbeats(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct coordinator_host host;
        reach(&host, states[i]);
        const struct heartbeat_rule *rule = &heartbeat_rules[states[i]];
        sim_time before = session_end(&host, "m001");
        host_advance(&host, host.now + SECONDS(1));
        uint64_t beat = ask_heartbeat(&host, "m001", generation_of(&host));
        assert_int_equal(answer_error(&host, beat), rule->error);
        if (before >= 0) {
            assert_int_equal(session_end(&host, "m001") != before, rule->counts);
            before = session_end(&host, "m001");
            beat = ask_heartbeat(&host, "m001", generation_of(&host) - 1);
            assert_int_equal(answer_error(&host, beat), KAFKA_ILLEGAL_GENERATION);
            assert_int_equal(session_end(&host, "m001"), before);
        }
        assert_int_equal(answer_error(&host, ask_heartbeat(&host, "x", generation_of(&host))),
                         KAFKA_UNKNOWN_MEMBER_ID);
        host_free(&host);
    }
}

static void commits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct coordinator_host host;
        reach(&host, states[i]);
        bool empty = states[i] == GROUP_EMPTY;
        const struct commit_rule *rule = &commit_rules[states[i]];
        sim_time before = session_end(&host, "m001");
        host_advance(&host, host.now + SECONDS(1));
        int generation = generation_of(&host);
        uint64_t commit = ask_commit(&host, "m001", generation, 0, 5);
        assert_int_equal(answer_error(&host, commit),
                         empty ? KAFKA_UNKNOWN_MEMBER_ID : rule->error);
        if (!empty) assert_int_equal(session_end(&host, "m001") != before, rule->counts);
        commit = ask_commit(&host, "m001", generation + 1, 0, 5);
        assert_int_equal(answer_error(&host, commit),
                         empty ? KAFKA_UNKNOWN_MEMBER_ID : KAFKA_ILLEGAL_GENERATION);
        commit = ask_commit(&host, "x", generation, 0, 5);
        assert_int_equal(answer_error(&host, commit), KAFKA_UNKNOWN_MEMBER_ID);
        commit = ask_commit(&host, NULL, -1, 0, 6); /* an administrator */
        assert_int_equal(answer_error(&host, commit), empty ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID);
        assert_int_equal(answer_error(&host, ask_txn_commit(&host, 7, 1, 5)), KAFKA_NONE);
        host_free(&host);
    }
}

static void deletions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct coordinator_host host;
        reach(&host, states[i]);
        assert_int_equal(answer_error(&host, ask_delete_group(&host)),
                         delete_group_answers[states[i]]);
        if (states[i] == GROUP_EMPTY) {
            assert_int_equal(answer_error(&host, ask_delete_group(&host)),
                             delete_group_answers[GROUP_DEAD]);
        }
        host_free(&host);
    }
}

static void syncs(void **state)
{
    (void)state;
    static const enum kafka_error answers[GROUP_STATE_COUNT] = {
        [GROUP_EMPTY] = KAFKA_UNKNOWN_MEMBER_ID,
        [GROUP_PREPARING_REBALANCE] = KAFKA_REBALANCE_IN_PROGRESS,
        [GROUP_COMPLETING_REBALANCE] = NO_ANSWER, /* the follower waits for the leader */
        [GROUP_STABLE] = KAFKA_NONE,
    };
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct coordinator_host host;
        reach(&host, states[i]);
        int generation = generation_of(&host);
        assert_int_equal(answer_error(&host, ask_sync(&host, "m002", generation, NULL)),
                         answers[states[i]]);
        assert_int_equal(answer_error(&host, ask_sync(&host, "x", generation, NULL)),
                         KAFKA_UNKNOWN_MEMBER_ID);
        if (states[i] != GROUP_EMPTY) {
            assert_int_equal(answer_error(&host, ask_sync(&host, "m002", generation + 1, NULL)),
                             KAFKA_ILLEGAL_GENERATION);
        }
        host_free(&host);
    }
}

/* Section 6 of classic-coordinator.md: who joins, and what comes of it in each state. */
struct join_row {
    const char *who;
    struct join_args args;
    bool static_member; /* m002 has instance id i2 first */
    struct {
        const char *answer; /* "-" = parked */
        const char *state;  /* of the group afterwards */
    } cells[4];             /* in the order of `states` */
};

#define REJOINED "PreparingRebalance"

static const struct join_row join_rows[] = {
    {"a new dynamic member",
     {.version = 9},
     false,
     {{"MEMBER_ID_REQUIRED m003", "Empty"},
      {"MEMBER_ID_REQUIRED m004", "PreparingRebalance"},
      {"MEMBER_ID_REQUIRED m003", "CompletingRebalance"},
      {"MEMBER_ID_REQUIRED m003", "Stable"}}},
    {"a new dynamic member of an old version",
     {.version = 3},
     false,
     {{"m003 generation 4 leader m003 of 1", "CompletingRebalance"},
      {"-", "PreparingRebalance"},
      {"-", REJOINED},
      {"-", REJOINED}}},
    {"a new static member",
     {.version = 9, .instance = "new"},
     false,
     {{"m003 generation 4 leader m003 of 1", "CompletingRebalance"},
      {"-", "PreparingRebalance"},
      {"-", REJOINED},
      {"-", REJOINED}}},
    {"somebody unknown",
     {.version = 9, .member = "x"},
     false,
     {{"UNKNOWN_MEMBER_ID", "Empty"},
      {"UNKNOWN_MEMBER_ID", "PreparingRebalance"},
      {"UNKNOWN_MEMBER_ID", "CompletingRebalance"},
      {"UNKNOWN_MEMBER_ID", "Stable"}}},
    {"a follower, nothing changed",
     {.version = 9, .member = "m002"},
     false,
     {{"UNKNOWN_MEMBER_ID", "Empty"},
      {"-", "PreparingRebalance"},
      {"m002 generation 3 leader m001 of 0", "CompletingRebalance"},
      {"m002 generation 2 leader m001 of 0", "Stable"}}},
    {"a follower, other topics",
     {.version = 9, .member = "m002", .topics = "t,u"},
     false,
     {{"UNKNOWN_MEMBER_ID", "Empty"},
      {"-", "PreparingRebalance"},
      {"-", REJOINED},
      {"-", REJOINED}}},
    {"the leader, nothing changed",
     {.version = 9, .member = "m001"},
     false,
     {{"UNKNOWN_MEMBER_ID", "Empty"},
      {"-", "PreparingRebalance"},
      {"m001 generation 3 leader m001 of 2", "CompletingRebalance"},
      {"-", REJOINED}}},
    {"a protocol that the others lack",
     {.version = 9, .member = "m002", .protocols = "zonal"},
     false,
     {{"UNKNOWN_MEMBER_ID", "Empty"},
      {"INCONSISTENT_GROUP_PROTOCOL", "PreparingRebalance"},
      {"INCONSISTENT_GROUP_PROTOCOL", "CompletingRebalance"},
      {"INCONSISTENT_GROUP_PROTOCOL", "Stable"}}},
    {"an instance id that is another's",
     {.version = 9, .member = "m001", .instance = "i2"},
     true,
     {{"UNKNOWN_MEMBER_ID", "Empty"},
      {"FENCED_INSTANCE_ID", "PreparingRebalance"},
      {"FENCED_INSTANCE_ID", "CompletingRebalance"},
      {"FENCED_INSTANCE_ID", "Stable"}}},
    {"a static member that comes back",
     {.version = 9, .instance = "i2"},
     true,
     {{"m003 generation 4 leader m003 of 1", "CompletingRebalance"},
      {"-", "PreparingRebalance"},
      {"-", REJOINED},
      {"m003 generation 2 leader m001 of 0", "Stable"}}},
};

static void make_static(struct coordinator_host *host)
{
    host->watch.is_off = true; /* a change from outside */
    struct classic_group *classic = classic_of(host);
    struct classic_member *member = classic_find_member(classic, host_name(host, "m002"));
    if (member == NULL) return;
    member->instance = host_name(host, "i2");
    id_map_put(&classic->members_by_instance, member->instance, member);
}

static void joins(void **state)
{
    (void)state;
    for (size_t row = 0; row < ARRAY_LEN(join_rows); row++) {
        for (size_t i = 0; i < ARRAY_LEN(states); i++) {
            struct coordinator_host host;
            reach(&host, states[i]);
            if (join_rows[row].static_member) make_static(&host);
            const char *answer = answer_join(&host, ask_join(&host, join_rows[row].args));
            if (strcmp(answer, join_rows[row].cells[i].answer) != 0 ||
                strcmp(state_of(&host), join_rows[row].cells[i].state) != 0) {
                fail_msg("%s in %s: \"%s\" and %s, expected \"%s\" and %s", join_rows[row].who,
                         group_state_name(states[i]), answer, state_of(&host),
                         join_rows[row].cells[i].answer, join_rows[row].cells[i].state);
            }
            host_free(&host);
        }
    }
}

static void a_join_that_creates_the_group_writes_it_even_when_refused(void **state)
{
    (void)state;
    struct coordinator_host host;
    host_init(&host, NULL, NULL);
    host.config.group_coordinator_append_linger_ms = 0;
    host_start(&host);
    uint64_t join = ask_join(&host, (struct join_args){.session_timeout_ms = 1});
    assert_int_equal(answer_error(&host, join), KAFKA_INVALID_SESSION_TIMEOUT);
    assert_string_equal(state_of(&host), "absent");
    join = ask_join(&host, (struct join_args){.protocols = ""});
    assert_int_equal(answer_error(&host, join), KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    assert_string_equal(state_of(&host), "Empty");
    assert_int_equal(host.batch_count, 1);
    host_free(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeats),
        cmocka_unit_test(commits),
        cmocka_unit_test(deletions),
        cmocka_unit_test(syncs),
        cmocka_unit_test(joins),
        cmocka_unit_test(a_join_that_creates_the_group_writes_it_even_when_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
