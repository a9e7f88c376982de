/* A coordinator gives its shard up and another takes it over from the log. */
#include "model/coordinator/classic_group.h"
#include "tests/harness/classic_requests.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void start(struct coordinator_host *host, int members)
{
    host_init(host, NULL, NULL);
    host->config.group_initial_rebalance_delay_ms = 0;
    host->config.group_coordinator_append_linger_ms = 0;
    host_start(host);
    if (members > 0) form_group(host, members, false);
}

static void what_a_shard_answers_that_is_not_there(void **state)
{
    (void)state;
    struct coordinator_host host;
    host_init(&host, NULL, NULL);
    static const struct {
        enum coordinator_state state;
        enum kafka_error heartbeat, list, others;
    } rows[] = {
        {COORDINATOR_NOT_OWNED, KAFKA_NOT_COORDINATOR, KAFKA_NONE, KAFKA_NOT_COORDINATOR},
        /* Heartbeats are believed blindly. */
        {COORDINATOR_LOADING, KAFKA_NONE, KAFKA_COORDINATOR_LOAD_IN_PROGRESS,
         KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].state == COORDINATOR_LOADING) {
            coordinator_start_loading(host.coordinator, 0, 0);
        }
        assert_int_equal(coordinator_state(host.coordinator), rows[i].state);
        assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m001", 1)), rows[i].heartbeat);
        assert_int_equal(answer_error(&host, ask_list(&host)), rows[i].list);
        const uint64_t others[] = {
            ask_join(&host, (struct join_args){0}),
            ask_sync(&host, "m001", 1, NULL),
            ask_leave(&host, "m001", NULL),
            ask_commit(&host, NULL, -1, 0, 1),
            ask_txn_commit(&host, 7, 0, 1),
            ask_fetch(&host, 0, true),
            ask_fetch(&host, 0, false),
            ask_describe(&host),
            ask_delete_group(&host),
            ask_marker(&host, 7, true),
        };
        for (size_t o = 0; o < ARRAY_LEN(others); o++) {
            assert_int_equal(answer_error(&host, others[o]), rows[i].others);
        }
    }
    /* What does not depend on the shard is said in any state. */
    uint64_t join = ask_join(&host, (struct join_args){.session_timeout_ms = 1});
    assert_int_equal(answer_error(&host, join), KAFKA_INVALID_SESSION_TIMEOUT);
    host_free(&host);
}

static void a_stable_group_survives_without_a_rebalance(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 3);
    ask_commit(&host, "m001", 3, 0, 7);
    host_advance(&host, SECONDS(9));
    host_fail_over(&host, SECONDS(9));
    assert_string_equal(state_of(&host), "Stable");
    assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m001", 3)), KAFKA_NONE);
    assert_int_equal(answer_error(&host, ask_sync(&host, "m002", 3, NULL)), KAFKA_NONE);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 7);
    host_free(&host);
}

static void sessions_start_anew_with_the_load(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 2);
    host_fail_over(&host, SECONDS(9));
    host_advance(&host, SECONDS(19) - 1);
    assert_string_equal(state_of(&host), "Stable");
    host_advance(&host, SECONDS(19)); /* all at once: the group empties */
    assert_string_equal(state_of(&host), "Empty");
    assert_int_equal(classic_of(&host)->generation, 3);
    host_free(&host);
}

static void parked_requests_are_sent_elsewhere(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 2);
    uint64_t join = ask_join(&host, (struct join_args){0});
    host_fail_over(&host, 1);
    assert_int_equal(answer_error(&host, join), KAFKA_NOT_COORDINATOR);
    ask_join(&host, (struct join_args){.member = "m001"});
    ask_join(&host, (struct join_args){.member = "m002"});
    uint64_t sync = ask_sync(&host, "m002", 3, NULL);
    host_fail_over(&host, 2);
    assert_int_equal(answer_error(&host, sync), KAFKA_NOT_COORDINATOR);
    host_free(&host);
}

static void a_generation_without_assignment_is_used_a_second_time(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 2);
    ask_join(&host, (struct join_args){.member = "m001"});
    ask_join(&host, (struct join_args){.member = "m002"});
    assert_int_equal(classic_of(&host)->generation, 3);
    host_fail_over(&host, 1);
    assert_string_equal(state_of(&host), "Stable");
    assert_int_equal(classic_of(&host)->generation, 2);
    assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m001", 3)),
                     KAFKA_ILLEGAL_GENERATION);
    assert_int_equal(answer_error(&host, ask_sync(&host, "m001", 3, NULL)),
                     KAFKA_ILLEGAL_GENERATION);
    ask_join(&host, (struct join_args){.member = "m001"});
    ask_join(&host, (struct join_args){.member = "m002"});
    assert_int_equal(classic_of(&host)->generation, 3);
    host_free(&host);
}

static void members_that_never_synced_are_unknown(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 1);
    ask_join(&host, (struct join_args){0});
    uint64_t required = ask_join(&host, (struct join_args){.version = 9});
    assert_string_equal(answer_join(&host, required), "MEMBER_ID_REQUIRED m003");
    host_fail_over(&host, 1);
    assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m002", 1)), KAFKA_UNKNOWN_MEMBER_ID);
    uint64_t join = ask_join(&host, (struct join_args){.member = "m003", .version = 9});
    assert_int_equal(answer_error(&host, join), KAFKA_UNKNOWN_MEMBER_ID);
    /* Ids of the new coordinator are others. */
    required = ask_join(&host, (struct join_args){.version = 9});
    assert_string_equal(answer_join(&host, required), "MEMBER_ID_REQUIRED m104");
    host_free(&host);
}

static void an_unreplicated_commit_is_lost_or_kept_with_the_log(void **state)
{
    (void)state;
    for (int lost = 0; lost <= 1; lost++) {
        struct coordinator_host host;
        start(&host, 1);
        ask_commit(&host, "m001", 1, 0, 5);
        host.high_watermark_held = true;
        uint64_t commit = ask_commit(&host, "m001", 1, 0, 6);
        if (lost) host_lose_tail(&host);
        host_fail_over(&host, 1);
        assert_int_equal(answer_error(&host, commit), KAFKA_NOT_COORDINATOR);
        assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), lost ? 5 : 6);
        host_free(&host);
    }
}

static void an_open_transaction_is_still_open(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    ask_txn_commit(&host, 7, 0, 9);
    host_fail_over(&host, 1);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)),
                     -100 - KAFKA_UNSTABLE_OFFSET_COMMIT);
    ask_marker(&host, 7, true);
    host_fail_over(&host, 2);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 9);
    host_free(&host);
}

static void a_group_above_the_cap_rebalances_when_loaded(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 3);
    host.config.group_max_size = 2;
    host_fail_over(&host, 1);
    assert_string_equal(state_of(&host), "PreparingRebalance");
    ask_join(&host, (struct join_args){.member = "m001"});
    ask_join(&host, (struct join_args){.member = "m002"});
    uint64_t third = ask_join(&host, (struct join_args){.member = "m003"});
    assert_int_equal(answer_error(&host, third), KAFKA_GROUP_MAX_SIZE_REACHED);
    host_advance(&host, 1 + SECONDS(20));
    assert_int_equal(classic_of(&host)->member_count, 2);
    host_free(&host);
}

static void an_append_answered_after_the_unload_is_ignored(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    struct offset_commit_request *request =
        HOST_REQUEST(&host, API_OFFSET_COMMIT, struct offset_commit_request);
    struct offset_entry entry = {.partition = {.topic = host_name(&host, "t")},
                                 .offset = 1,
                                 .leader_epoch = -1};
    request->group = host_name(&host, "g");
    request->member = NAME_EMPTY;
    request->generation = -1;
    request->retention_time_ms = -1;
    request->offsets = &entry;
    request->offset_count = 1;
    coordinator_handle(host.coordinator, &request->head, 77, 0);
    message_free(host.memory, &request->head);
    struct coordinator_effect effect;
    assert_true(coordinator_take_effect(host.coordinator, &effect));
    assert_int_equal(effect.kind, COORDINATOR_APPEND);
    coordinator_unload(host.coordinator, 0);
    coordinator_appended(host.coordinator, 1, KAFKA_NONE, 0);
    coordinator_on_high_watermark(host.coordinator, 1, 0);
    group_log_batch_release(effect.batch);
    host_drain(&host);
    assert_int_equal(answer_error(&host, 77), KAFKA_NOT_COORDINATOR);
    assert_int_equal(coordinator_next_timer_at(host.coordinator), SIM_TIME_NEVER);
    host_free(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_shard_answers_that_is_not_there),
        cmocka_unit_test(a_stable_group_survives_without_a_rebalance),
        cmocka_unit_test(sessions_start_anew_with_the_load),
        cmocka_unit_test(parked_requests_are_sent_elsewhere),
        cmocka_unit_test(a_generation_without_assignment_is_used_a_second_time),
        cmocka_unit_test(members_that_never_synced_are_unknown),
        cmocka_unit_test(an_unreplicated_commit_is_lost_or_kept_with_the_log),
        cmocka_unit_test(an_open_transaction_is_still_open),
        cmocka_unit_test(a_group_above_the_cap_rebalances_when_loaded),
        cmocka_unit_test(an_append_answered_after_the_unload_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
