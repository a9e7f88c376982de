/* Each invariant of classic groups and offsets with a planted fault that it alone notices. */
#include "model/coordinator/classic_group.h"
#include "tests/harness/classic_requests.h"
#include "tests/harness/group_checks.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

struct stage {
    struct coordinator_host host;
    struct group_checks checks;
    struct classic_member *a; /* static, leads */
    struct classic_member *b;
};

/* Stable, generation 2, everything as it should be. */
static void set_up(struct stage *stage)
{
    memset(stage, 0, sizeof(*stage));
    host_init(&stage->host, NULL, NULL);
    stage->host.config.group_initial_rebalance_delay_ms = 0;
    stage->host.config.group_coordinator_append_linger_ms = 0;
    host_start(&stage->host);
    group_checks_attach(&stage->checks, &stage->host);
    form_group(&stage->host, 2, true);
    ask_commit(&stage->host, "m001", 2, 0, 10);
    stage->a = classic_of(&stage->host)->members[0];
    stage->b = classic_of(&stage->host)->members[1];
    group_checks_rebuild(&stage->checks);
    assert_string_equal(stage->checks.first, "");
    classic_checks_before(stage->checks.classic, stage->host.coordinator);
}

static void look(struct stage *stage)
{
    classic_checks_after(stage->checks.classic, stage->host.coordinator, NULL, NULL);
}

static void only_noticed(struct stage *stage, enum classic_invariant expected)
{
    for (int i = 0; i < CLASSIC_INVARIANT_COUNT; i++) {
        if (stage->checks.classic_noticed[i] == (i == (int)expected)) continue;
        fail_msg("%s %s: %s", classic_invariant_name((enum classic_invariant)i),
                 i == (int)expected ? "did not notice" : "noticed too", stage->checks.first);
    }
    /* The state is broken on purpose: the coordinator is not asked to take it down. */
    memory_free_all(stage->host.memory);
}

static void rebalance_with(struct stage *stage, const char *assignments)
{
    ask_join(&stage->host, (struct join_args){.member = "m001"});
    ask_join(&stage->host, (struct join_args){.member = "m002"});
    ask_sync(&stage->host, "m001", 3, assignments);
}

static void a_partition_with_two_owners(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    rebalance_with(&stage, "m001=t:0,1;m002=t:1,2");
    only_noticed(&stage, CLASSIC_I1);
}

static void an_assignment_that_gets_lost(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    classic_set_assignment(stage.host.coordinator, stage.b, (struct bytes){0});
    look(&stage);
    only_noticed(&stage, CLASSIC_I3);
}

static void a_topic_nobody_asked_for(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    stage.b->instance = NAME_NONE; /* of static members Kafka allows it for a while */
    id_map_remove(&classic_of(&stage.host)->members_by_instance, host_name(&stage.host, "i2"));
    rebalance_with(&stage, "m001=t:0,1;m002=other:0");
    only_noticed(&stage, CLASSIC_I4);
}

static void a_generation_that_goes_back(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    classic_of(&stage.host)->generation--;
    look(&stage);
    only_noticed(&stage, CLASSIC_I5);
}

static void a_zombie_that_is_believed(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    struct heartbeat_request request = {.head = {.api = API_HEARTBEAT},
                                        .group = host_name(&stage.host, "g"),
                                        .member = stage.b->id,
                                        .generation = 1};
    struct heartbeat_response response = {.head = {.api = API_HEARTBEAT}, .error = KAFKA_NONE};
    classic_checks_after(stage.checks.classic, stage.host.coordinator, &request.head,
                         &response.head);
    only_noticed(&stage, CLASSIC_I6);
}

static void a_zombie_that_is_refused_and_keeps_a_session_alive(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    struct heartbeat_request request = {.head = {.api = API_HEARTBEAT},
                                        .group = host_name(&stage.host, "g"),
                                        .member = stage.b->id,
                                        .generation = 1};
    struct heartbeat_response response = {.head = {.api = API_HEARTBEAT},
                                          .error = KAFKA_ILLEGAL_GENERATION};
    stage.b->session.at += SECONDS(10);
    classic_checks_after(stage.checks.classic, stage.host.coordinator, &request.head,
                         &response.head);
    only_noticed(&stage, CLASSIC_I6);
}

static void a_stable_group_with_a_member_that_never_joined(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    stage.b->is_new = true;
    look(&stage);
    only_noticed(&stage, CLASSIC_I7);
}

static void two_processes_of_one_instance(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    stage.b->instance = stage.a->instance;
    look(&stage);
    only_noticed(&stage, CLASSIC_I10);
}

static void a_commit_that_a_failover_loses(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    stage.host.batch_count--; /* the last record of the log: the commit */
    group_checks_rebuild(&stage.checks);
    only_noticed(&stage, CLASSIC_I11);
}

static void a_generation_that_a_failover_loses(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    struct host_batch commit = stage.host.log[--stage.host.batch_count];
    stage.host.log[stage.host.batch_count - 1] = commit; /* over the leader's SyncGroup */
    group_checks_rebuild(&stage.checks);
    only_noticed(&stage, CLASSIC_I11);
}

static void an_offset_out_of_nowhere(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    coordinator_find_group(stage.host.coordinator, host_name(&stage.host, "g"))
        ->offsets.slots[0]
        ->value.offset = 11;
    look(&stage);
    only_noticed(&stage, CLASSIC_I17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_with_two_owners),
        cmocka_unit_test(an_assignment_that_gets_lost),
        cmocka_unit_test(a_topic_nobody_asked_for),
        cmocka_unit_test(a_generation_that_goes_back),
        cmocka_unit_test(a_zombie_that_is_believed),
        cmocka_unit_test(a_zombie_that_is_refused_and_keeps_a_session_alive),
        cmocka_unit_test(a_stable_group_with_a_member_that_never_joined),
        cmocka_unit_test(two_processes_of_one_instance),
        cmocka_unit_test(a_commit_that_a_failover_loses),
        cmocka_unit_test(a_generation_that_a_failover_loses),
        cmocka_unit_test(an_offset_out_of_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
