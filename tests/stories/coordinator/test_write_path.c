/* When answers leave: linger, replication, timeouts, writes that fail. */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/transactions.h"
#include "tests/harness/classic_requests.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static void start(struct coordinator_host *host, int linger_ms)
{
    host_init(host, NULL, NULL);
    host->config.group_initial_rebalance_delay_ms = 0;
    host->config.group_coordinator_append_linger_ms = linger_ms;
    host_start(host);
}

/* A Stable group of two, everything written, and a log that stops being replicated. */
static void start_stalled(struct coordinator_host *host)
{
    start(host, 0);
    form_group(host, 2, false);
    host->high_watermark_held = true;
}

static void replicate(struct coordinator_host *host)
{
    host_set_high_watermark(host, host->log_end_offset);
    host_drain(host);
}

static void a_commit_waits_for_the_linger_time(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 10);
    uint64_t first = ask_commit(&host, NULL, -1, 0, 1);
    host_advance(&host, MILLISECONDS(4));
    uint64_t second = ask_commit(&host, NULL, -1, 1, 2);
    host_advance(&host, MILLISECONDS(10) - 1);
    assert_int_equal(host.batch_count, 0);
    assert_int_equal(answer_error(&host, first), NO_ANSWER);
    host_advance(&host, MILLISECONDS(10));
    assert_int_equal(host.batch_count, 1); /* both in one batch, ten ms after the first */
    assert_int_equal(answer_error(&host, first), KAFKA_NONE);
    assert_int_equal(answer_error(&host, second), KAFKA_NONE);
    host_free(&host);
}

static void a_full_batch_does_not_wait(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 10);
    host.config.message_max_bytes = 140; /* one commit of about 50 bytes and the overhead */
    uint64_t first = ask_commit(&host, NULL, -1, 0, 1);
    uint64_t second = ask_commit(&host, NULL, -1, 1, 2);
    assert_int_equal(host.batch_count, 1);
    assert_int_equal(answer_error(&host, first), KAFKA_NONE);
    assert_int_equal(answer_error(&host, second), NO_ANSWER);
    host.config.message_max_bytes = 60;
    uint64_t third = ask_commit(&host, NULL, -1, 2, 3);
    assert_int_equal(answer_error(&host, third), KAFKA_UNKNOWN_SERVER_ERROR);
    host_free(&host);
}

static void heartbeats_wait_behind_writes_of_others(void **state)
{
    (void)state;
    struct coordinator_host host;
    start_stalled(&host);
    assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m001", 2)), KAFKA_NONE);
    uint64_t commit = ask_commit(&host, "m001", 2, 0, 5);
    uint64_t beat = ask_heartbeat(&host, "m002", 2);
    assert_int_equal(answer_error(&host, beat), NO_ANSWER);
    /* What is refused is refused at once; joins are answered as soon as they can be. */
    assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m002", 1)),
                     KAFKA_ILLEGAL_GENERATION);
    assert_string_equal(answer_join(&host, ask_join(&host, (struct join_args){.version = 9})),
                        "MEMBER_ID_REQUIRED m003");
    replicate(&host);
    assert_int_equal(answer_error(&host, commit), KAFKA_NONE);
    assert_int_equal(answer_error(&host, beat), KAFKA_NONE);
    host_free(&host);
}

static void a_commit_that_timed_out_may_still_take_effect(void **state)
{
    (void)state;
    struct coordinator_host host;
    start_stalled(&host);
    uint64_t commit = ask_commit(&host, "m001", 2, 0, 5);
    uint64_t beat = ask_heartbeat(&host, "m001", 2);
    uint64_t fetch = ask_fetch(&host, 0, true);
    host_advance(&host, host.now + SECONDS(5) - 1);
    assert_int_equal(answer_error(&host, commit), NO_ANSWER);
    host_advance(&host, host.now + 1);
    assert_int_equal(answer_error(&host, commit), KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(answer_error(&host, beat), KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(answer_error(&host, fetch), KAFKA_NOT_COORDINATOR);
    replicate(&host);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 5);
    host_free(&host);
}

static void only_a_stable_fetch_waits_for_replication(void **state)
{
    (void)state;
    struct coordinator_host host;
    start_stalled(&host);
    ask_commit(&host, "m001", 2, 0, 5);
    uint64_t stable = ask_fetch(&host, 0, true);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, false)), -1);
    assert_int_equal(answer_offset(&host, stable), INT64_MIN);
    replicate(&host);
    assert_int_equal(answer_offset(&host, stable), 5);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, false)), 5);
    host_free(&host);
}

static void an_assignment_that_is_not_replicated_in_time_starts_over(void **state)
{
    (void)state;
    struct coordinator_host host;
    start_stalled(&host);
    ask_join(&host, (struct join_args){.member = "m001"});
    ask_join(&host, (struct join_args){.member = "m002"});
    uint64_t follower = ask_sync(&host, "m002", 3, NULL);
    uint64_t leader = ask_sync(&host, "m001", 3, "m001=t:0;m002=t:1");
    assert_string_equal(state_of(&host), "CompletingRebalance");
    host_advance(&host, host.now + SECONDS(5));
    assert_int_equal(answer_error(&host, follower), KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(answer_error(&host, leader), KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_string_equal(state_of(&host), "PreparingRebalance");
    /* The record gets through later, and changes nothing. */
    replicate(&host);
    assert_string_equal(state_of(&host), "PreparingRebalance");
    host_free(&host);
}

static void an_assignment_written_too_late_is_not_the_next_generations(void **state)
{
    (void)state;
    struct coordinator_host host;
    start_stalled(&host);
    ask_join(&host, (struct join_args){.member = "m001"});
    ask_join(&host, (struct join_args){.member = "m002"});
    ask_sync(&host, "m001", 3, "m001=t:0;m002=t:1");
    /* Before it is replicated, another generation has begun. */
    ask_join(&host, (struct join_args){.member = "m001", .topics = "t,u"});
    ask_join(&host, (struct join_args){.member = "m002"});
    assert_int_equal(classic_of(&host)->generation, 4);
    replicate(&host);
    assert_string_equal(state_of(&host), "CompletingRebalance");
    assert_int_equal(classic_of(&host)->members[0]->assignment.length, 0);
    host_free(&host);
}

static void errors_of_the_log_as_clients_see_them(void **state)
{
    (void)state;
    static const struct {
        enum kafka_error log;
        enum kafka_error client;
    } cases[] = {
        {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_COORDINATOR_NOT_AVAILABLE},
        {KAFKA_NOT_ENOUGH_REPLICAS, KAFKA_COORDINATOR_NOT_AVAILABLE},
        {KAFKA_REQUEST_TIMED_OUT, KAFKA_COORDINATOR_NOT_AVAILABLE},
        {KAFKA_NOT_LEADER_OR_FOLLOWER, KAFKA_NOT_COORDINATOR},
        {KAFKA_KAFKA_STORAGE_ERROR, KAFKA_NOT_COORDINATOR},
        {KAFKA_MESSAGE_TOO_LARGE, KAFKA_UNKNOWN_SERVER_ERROR},
        {KAFKA_RECORD_LIST_TOO_LARGE, KAFKA_UNKNOWN_SERVER_ERROR},
        {KAFKA_INVALID_FETCH_SIZE, KAFKA_UNKNOWN_SERVER_ERROR},
        {KAFKA_NETWORK_EXCEPTION, KAFKA_COORDINATOR_LOAD_IN_PROGRESS},
        {KAFKA_INVALID_PRODUCER_EPOCH, KAFKA_INVALID_PRODUCER_EPOCH},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct coordinator_host host;
        start(&host, 0);
        host.append_error = cases[i].log;
        assert_int_equal(answer_error(&host, ask_commit(&host, NULL, -1, 0, 1)), cases[i].client);
        host_free(&host);
    }
}

static void a_failed_write_is_taken_back(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    host.append_error = KAFKA_NOT_ENOUGH_REPLICAS;
    ask_commit(&host, NULL, -1, 0, 1);
    assert_string_equal(state_of(&host), "absent"); /* the simple group it made, too */
    host.append_error = KAFKA_NONE;
    ask_commit(&host, NULL, -1, 0, 1);
    host.append_error = KAFKA_NOT_ENOUGH_REPLICAS;
    ask_commit(&host, NULL, -1, 0, 2);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 1);
    ask_delete_group(&host);
    assert_string_equal(state_of(&host), "Empty");
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 1);
    host.append_error = KAFKA_NONE;
    assert_int_equal(answer_error(&host, ask_delete_group(&host)), KAFKA_NONE);
    assert_string_equal(state_of(&host), "absent");
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), -1);
    host_free(&host);
}

static void a_failed_write_fails_what_came_with_it(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 10);
    uint64_t first = ask_commit(&host, NULL, -1, 0, 1);
    uint64_t second = ask_commit(&host, NULL, -1, 1, 2);
    uint64_t third = ask_fetch(&host, 0, true);
    host.append_error = KAFKA_NOT_LEADER_OR_FOLLOWER;
    host_advance(&host, MILLISECONDS(10));
    assert_int_equal(answer_error(&host, first), KAFKA_NOT_COORDINATOR);
    assert_int_equal(answer_error(&host, second), KAFKA_NOT_COORDINATOR);
    assert_int_equal(answer_error(&host, third), KAFKA_NOT_COORDINATOR);
    host_free(&host);
}

static void a_static_member_that_could_not_be_written_gets_its_id_back(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    form_group(&host, 2, true);
    host.append_error = KAFKA_NOT_ENOUGH_REPLICAS;
    uint64_t join = ask_join(&host, (struct join_args){.instance = "i2", .version = 9});
    assert_string_equal(answer_join(&host, join), "COORDINATOR_NOT_AVAILABLE");
    assert_string_equal(state_of(&host), "Stable");
    assert_non_null(classic_find_member(classic_of(&host), host_name(&host, "m002")));
    host.append_error = KAFKA_NONE;
    join = ask_join(&host, (struct join_args){.instance = "i2", .version = 9});
    assert_string_equal(answer_join(&host, join), "m004 generation 2 leader m001 of 0");
    assert_int_equal(answer_error(&host, ask_heartbeat(&host, "m002", 2)), KAFKA_UNKNOWN_MEMBER_ID);
    host_free(&host);
}

static void transactions_have_batches_of_their_own(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 10);
    ask_commit(&host, NULL, -1, 0, 1);
    uint64_t pending = ask_txn_commit(&host, 7, 0, 9);
    assert_int_equal(host.batch_count, 2); /* what came before, and the transactional one */
    assert_int_equal(host.log[1].batch->producer_id, 7);
    assert_int_equal(answer_error(&host, pending), KAFKA_NONE);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)),
                     -100 - KAFKA_UNSTABLE_OFFSET_COMMIT);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, false)), 1);
    ask_commit(&host, NULL, -1, 1, 2);
    assert_int_equal(answer_error(&host, ask_marker(&host, 7, true)), KAFKA_NONE);
    assert_int_equal(host.batch_count, 4);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 9);
    host_free(&host);
}

static void a_marker_that_could_not_be_written_is_taken_back(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    ask_txn_commit(&host, 7, 0, 9);
    host.append_error = KAFKA_NOT_ENOUGH_REPLICAS;
    assert_int_equal(answer_error(&host, ask_marker(&host, 7, true)),
                     KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)),
                     -100 - KAFKA_UNSTABLE_OFFSET_COMMIT);
    ask_txn_commit(&host, 7, 0, 10);
    host.append_error = KAFKA_NONE;
    ask_marker(&host, 7, true);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 9);
    host_free(&host);
}

static void a_later_plain_commit_wins_over_an_earlier_transactional_one(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    ask_txn_commit(&host, 7, 0, 9);
    ask_commit(&host, NULL, -1, 0, 3);
    ask_marker(&host, 7, true);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 3);
    ask_txn_commit(&host, 7, 0, 12);
    ask_marker(&host, 7, false);
    assert_int_equal(answer_offset(&host, ask_fetch(&host, 0, true)), 3);
    host_free(&host);
}

static void a_sweep_may_be_spread_over_batches(void **state)
{
    (void)state;
    struct coordinator_host host;
    start(&host, 0);
    host.config.offsets_retention_ms = 1000;
    host.config.message_max_bytes = 200;
    for (int i = 0; i < 10; i++)
        ask_commit(&host, NULL, -1, i, i);
    uint32_t before = host.batch_count;
    host_advance(&host, MILLISECONDS(host.config.offsets_retention_check_interval_ms));
    assert_true(host.batch_count > before + 1);
    assert_string_equal(state_of(&host), "absent");
    host_free(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_waits_for_the_linger_time),
        cmocka_unit_test(a_full_batch_does_not_wait),
        cmocka_unit_test(heartbeats_wait_behind_writes_of_others),
        cmocka_unit_test(a_commit_that_timed_out_may_still_take_effect),
        cmocka_unit_test(only_a_stable_fetch_waits_for_replication),
        cmocka_unit_test(an_assignment_that_is_not_replicated_in_time_starts_over),
        cmocka_unit_test(an_assignment_written_too_late_is_not_the_next_generations),
        cmocka_unit_test(errors_of_the_log_as_clients_see_them),
        cmocka_unit_test(a_failed_write_is_taken_back),
        cmocka_unit_test(a_failed_write_fails_what_came_with_it),
        cmocka_unit_test(a_static_member_that_could_not_be_written_gets_its_id_back),
        cmocka_unit_test(transactions_have_batches_of_their_own),
        cmocka_unit_test(a_marker_that_could_not_be_written_is_taken_back),
        cmocka_unit_test(a_later_plain_commit_wins_over_an_earlier_transactional_one),
        cmocka_unit_test(a_sweep_may_be_spread_over_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
