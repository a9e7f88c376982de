/* From the classic protocol to the consumer protocol and back, while the group runs. The recordings
 * of Kafka were made with migration disabled; these stories follow
 * consumer-protocol-848-coordinator.md section 9 and GroupMetadataManager. */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_checks.h"
#include "model/consumer_protocol.h"
#include "tests/harness/classic_calls.h"
#include "tests/harness/scripted_consumer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static struct shard_host *new_host(unsigned policy)
{
    struct shard_host *host = shard_host_new(&(struct shard_host_options){0});
    host->config.group_initial_rebalance_delay_ms = 0;
    host->config.group_consumer_session_timeout_ms = 10000;
    host->config.group_consumer_migration_policy = policy;
    shard_host_set_topic(host, "t", 4, NULL);
    return host;
}

static const struct group *group_of(struct shard_host *host)
{
    return coordinator_find_group(host->coordinator, shard_host_name(host, "g"));
}

static const struct consumer_member *member_of(struct shard_host *host, const char *member)
{
    return consumer_group_member(group_of(host)->consumer, shard_host_name(host, member));
}

#define RESPONSE(host, token, type) ((const struct type *)shard_host_response((host), (token)))

/* Members "m0001" (dynamic, the leader, partitions 0 and 1) and "m0002" (static "i2", 2 and 3) in
 * generation 1, Stable. */
static void make_classic_group(struct shard_host *host)
{
    struct classic_call one = {.group = "g", .topic = "t", .version = 3};
    struct classic_call two = {.group = "g", .topic = "t", .instance = "i2"};
    /* Both join before the (zero) delay is over. */
    host->config.group_initial_rebalance_delay_ms = 100;
    uint64_t first = classic_call_join(host, &one);
    uint64_t second = classic_call_join(host, &two);
    shard_host_advance(host, host->now + SECONDS(1));
    host->config.group_initial_rebalance_delay_ms = 0;
    assert_int_equal(RESPONSE(host, first, join_group_response)->error, KAFKA_NONE);
    assert_int_equal(RESPONSE(host, second, join_group_response)->generation, 1);
    one.member = "m0001";
    two.member = "m0002";
    one.generation = two.generation = 1;
    uint64_t follow = classic_call_sync(host, &two);
    classic_call_lead(host, &one, (const char *const[]){"m0001", "m0002"}, (const int32_t[]){2, 2},
                      2);
    assert_int_equal(classic_call_assigned(host, follow), 2);
    assert_int_equal(group_of(host)->classic->state, GROUP_STABLE);
}

static struct scripted_consumer newcomer(struct shard_host *host, const char *instance)
{
    struct scripted_consumer client = scripted_consumer_make(host, "g", "new", instance);
    client.alive = true;
    scripted_consumer_subscribe(&client, (const char *const[]){"t"}, 1);
    return client;
}

static void beat(struct scripted_consumer *client)
{
    scripted_consumer_beat(client);
    scripted_consumer_read(client, false);
}

static enum kafka_error error_of_beat(struct scripted_consumer *client)
{
    scripted_consumer_beat(client);
    enum kafka_error error =
        RESPONSE(client->host, client->token, consumer_group_heartbeat_response)->error;
    scripted_consumer_read(client, false);
    return error;
}

static void expect_log_gives_it_back(struct shard_host *host)
{
    const struct group *live = group_of(host);
    struct coordinator *rebuilt = shard_host_rebuild(host);
    const struct group *other = coordinator_find_group(rebuilt, live->id);
    assert_int_equal(other->type, live->type);
    if (live->type == GROUP_CONSUMER) {
        assert_true(consumer_group_equal(live->consumer, other->consumer));
        assert_true(consumer_group_is_consistent(live->consumer));
    } else {
        assert_int_equal(other->classic->generation, live->classic->generation);
        assert_int_equal(other->classic->member_count, live->classic->member_count);
    }
    coordinator_free(rebuilt);
}

static void upgrade(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    make_classic_group(host);
    struct scripted_consumer client = newcomer(host, NULL);
    beat(&client);
    assert_true(client.joined);
    const struct group *group = group_of(host);
    assert_int_equal(group->type, GROUP_CONSUMER);
    assert_int_equal(group->consumer->epoch, 2); /* generation 1, and one bump for the newcomer */
    assert_int_equal(group->consumer->classic_count, 2);
    const struct consumer_member *old = member_of(host, "m0001");
    assert_true(old->is_classic);
    assert_int_equal(old->epoch, 1);
    assert_int_equal(old->previous_epoch, 1);
    assert_int_equal(old->assigned.count, 2);
    assert_int_equal(old->session_timeout_ms, 10000);
    assert_int_equal(member_of(host, "m0002")->instance, shard_host_name(host, "i2"));
    expect_log_gives_it_back(host);
    shard_host_free(host);
}

/* The old clients find out by their heartbeats, rejoin, and give up what the newcomer gets. */
static void upgraded_group_settles(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    make_classic_group(host);
    struct scripted_consumer client = newcomer(host, NULL);
    beat(&client);
    struct classic_call old = {.group = "g",
                               .member = "m0001",
                               .topic = "t",
                               .generation = 1,
                               .owned = {0, 1},
                               .owned_count = 2};
    uint64_t token = classic_call_heartbeat(host, &old);
    assert_int_equal(RESPONSE(host, token, heartbeat_response)->error, KAFKA_REBALANCE_IN_PROGRESS);
    token = classic_call_sync(host, &old);
    assert_int_equal(RESPONSE(host, token, sync_group_response)->error,
                     KAFKA_REBALANCE_IN_PROGRESS);

    const struct consumer_member *member = member_of(host, "m0001");
    bool gives = member->target.count < 2;
    token = classic_call_join(host, &old);
    const struct join_group_response *joined = RESPONSE(host, token, join_group_response);
    assert_int_equal(joined->error, KAFKA_NONE);
    assert_int_equal(joined->generation, member->epoch);
    assert_int_equal(joined->member_count, 0); /* nobody leads */
    assert_int_equal(member->state,
                     gives ? CONSUMER_MEMBER_UNREVOKED_PARTITIONS : CONSUMER_MEMBER_STABLE);
    old.generation = joined->generation;
    token = classic_call_sync(host, &old);
    assert_int_equal(classic_call_assigned(host, token), (int32_t)member->assigned.count);
    if (gives) {
        token = classic_call_heartbeat(host, &old);
        assert_int_equal(RESPONSE(host, token, heartbeat_response)->error,
                         KAFKA_REBALANCE_IN_PROGRESS);
        old.owned[0] = partition_key_partition(member->assigned.items[0]);
        old.owned_count = 1;
        token = classic_call_join(host, &old);
        old.generation = RESPONSE(host, token, join_group_response)->generation;
        token = classic_call_sync(host, &old);
        assert_int_equal(classic_call_assigned(host, token), 1);
    }
    struct classic_call second = {.group = "g",
                                  .member = "m0002",
                                  .instance = "i2",
                                  .topic = "t",
                                  .owned = {2, 3},
                                  .owned_count = 2};
    token = classic_call_join(host, &second);
    second.generation = RESPONSE(host, token, join_group_response)->generation;
    classic_call_sync(host, &second);
    beat(&client);
    if (consumer_group_state(group_of(host)->consumer) != GROUP_STABLE) {
        /* It was the second one that had to give something up. */
        second.owned_count = 1;
        second.owned[0] = partition_key_partition(member_of(host, "m0002")->assigned.items[0]);
        token = classic_call_join(host, &second);
        second.generation = RESPONSE(host, token, join_group_response)->generation;
        classic_call_sync(host, &second);
        beat(&client);
    }
    assert_int_equal(consumer_group_state(group_of(host)->consumer), GROUP_STABLE);
    token = classic_call_heartbeat(host, &old);
    assert_int_equal(RESPONSE(host, token, heartbeat_response)->error, KAFKA_NONE);
    expect_log_gives_it_back(host);
    shard_host_free(host);
}

static void upgrade_is_refused(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_DOWNGRADE); /* the policy does not allow it */
    make_classic_group(host);
    struct scripted_consumer client = newcomer(host, NULL);
    assert_int_equal(error_of_beat(&client), KAFKA_GROUP_ID_NOT_FOUND);
    assert_int_equal(group_of(host)->type, GROUP_CLASSIC);
    host->config.group_consumer_migration_policy = MIGRATION_UPGRADE;
    host->config.group_consumer_max_size = 1; /* too many members */
    assert_int_equal(error_of_beat(&client), KAFKA_GROUP_ID_NOT_FOUND);
    assert_int_equal(group_of(host)->type, GROUP_CLASSIC);
    shard_host_free(host);
}

/* Members without an assignment yet cannot be taken over; but they have been sent away. */
static void upgrade_during_the_first_rebalance(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_UPGRADE);
    host->config.group_initial_rebalance_delay_ms = 3000;
    uint64_t waiting =
        classic_call_join(host, &(struct classic_call){.group = "g", .topic = "t", .version = 3});
    assert_null(shard_host_response(host, waiting));
    struct scripted_consumer client = newcomer(host, NULL);
    assert_int_equal(error_of_beat(&client), KAFKA_GROUP_ID_NOT_FOUND);
    assert_int_equal(group_of(host)->type, GROUP_CLASSIC);
    assert_int_equal(RESPONSE(host, waiting, join_group_response)->error,
                     KAFKA_REBALANCE_IN_PROGRESS);
    shard_host_free(host);
}

static void upgrade_that_cannot_be_written(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    make_classic_group(host);
    struct scripted_consumer client = newcomer(host, NULL);
    host->fail_next_append = KAFKA_NOT_ENOUGH_REPLICAS;
    assert_int_equal(error_of_beat(&client), KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_int_equal(group_of(host)->type, GROUP_CLASSIC);
    assert_int_equal(group_of(host)->classic->member_count, 2);
    beat(&client);
    assert_int_equal(group_of(host)->type, GROUP_CONSUMER);
    expect_log_gives_it_back(host);
    shard_host_free(host);
}

/* An upgraded group in which the newcomer is the only one of the new protocol. */
static struct scripted_consumer upgraded(struct shard_host *host, const char *instance)
{
    make_classic_group(host);
    struct scripted_consumer client = newcomer(host, instance);
    beat(&client);
    assert_int_equal(group_of(host)->type, GROUP_CONSUMER);
    return client;
}

static void expect_downgraded(struct shard_host *host, enum group_state expected)
{
    const struct group *group = group_of(host);
    assert_int_equal(group->type, GROUP_CLASSIC);
    assert_int_equal(group->classic->generation, 2);
    assert_int_equal(group->classic->state, expected);
    assert_string_equal(names_text(host->names, group->classic->protocol_name), "range");
    assert_true(classic_group_is_consistent(group->classic));
    expect_log_gives_it_back(host);
}

static void downgrade_when_the_last_one_leaves(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    struct scripted_consumer client = upgraded(host, NULL);
    int32_t in_target = (int32_t)member_of(host, "m0001")->target.count;
    scripted_consumer_leave(&client, true);
    expect_downgraded(host, GROUP_PREPARING_REBALANCE);
    const struct classic_member *member =
        classic_find_member(group_of(host)->classic, shard_host_name(host, "m0001"));
    struct assignment assignment;
    assert_true(assignment_decode(host->memory, host->names, member->assignment, &assignment));
    assert_int_equal(assignment.partition_count, in_target);
    assignment_free(host->memory, &assignment);
    shard_host_free(host);
}

static void downgrade_when_the_last_one_is_silent(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_DOWNGRADE);
    host->config.group_consumer_migration_policy = MIGRATION_UPGRADE;
    upgraded(host, NULL);
    host->config.group_consumer_migration_policy = MIGRATION_DOWNGRADE;
    struct classic_call old = {.group = "g", .member = "m0001", .generation = 1};
    struct classic_call other = {.group = "g",
                                 .member = "m0002",
                                 .instance = "i2",
                                 .generation = 1};
    for (int second = 0; second < 4; second++) {
        shard_host_advance(host, host->now + SECONDS(3));
        classic_call_heartbeat(host, &old);
        classic_call_heartbeat(host, &other);
    }
    expect_downgraded(host, GROUP_PREPARING_REBALANCE);
    shard_host_free(host);
}

static void no_downgrade(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_UPGRADE);
    struct scripted_consumer client = upgraded(host, NULL);
    scripted_consumer_leave(&client, true);
    assert_int_equal(group_of(host)->type, GROUP_CONSUMER);
    assert_int_equal(group_of(host)->consumer->member_count, 2);
    assert_int_equal(consumer_group_state(group_of(host)->consumer), GROUP_ASSIGNING);
    shard_host_free(host);
}

static void downgrade_that_cannot_be_written(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    struct scripted_consumer client = upgraded(host, NULL);
    host->fail_next_append = KAFKA_NOT_ENOUGH_REPLICAS;
    scripted_consumer_leave(&client, true);
    assert_int_equal(group_of(host)->type, GROUP_CONSUMER);
    assert_int_equal(group_of(host)->consumer->member_count, 3);
    expect_log_gives_it_back(host);
    shard_host_free(host);
}

/* A classic process starts under the group.instance.id of the last consumer-protocol member: it
 * need not have left. No rebalance: the newcomer has its predecessor's assignment. */
static void downgrade_by_static_replacement(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    struct scripted_consumer client = upgraded(host, "i3");
    int32_t in_target =
        (int32_t)consumer_group_member(group_of(host)->consumer, client.member)->target.count;
    uint64_t token =
        classic_call_join(host,
                          &(struct classic_call){.group = "g", .topic = "t", .instance = "i3"});
    const struct join_group_response *joined = RESPONSE(host, token, join_group_response);
    assert_int_equal(joined->error, KAFKA_NONE);
    expect_downgraded(host, GROUP_STABLE);
    const struct classic_member *member =
        classic_find_static(group_of(host)->classic, shard_host_name(host, "i3"));
    assert_int_equal(member->id, joined->member);
    assert_int_equal(joined->generation, 2);
    token = classic_call_sync(host,
                              &(struct classic_call){.group = "g",
                                                     .instance = "i3",
                                                     .member = names_text(host->names, member->id),
                                                     .generation = 2});
    assert_int_equal(classic_call_assigned(host, token), in_target);
    assert_int_equal(error_of_beat(&client), KAFKA_GROUP_ID_NOT_FOUND);
    shard_host_free(host);
}

static void classic_member_joins_a_consumer_group(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_DISABLED);
    struct scripted_consumer client = newcomer(host, NULL);
    beat(&client);
    struct classic_call call = {.group = "g", .topic = "t"};
    uint64_t token = classic_call_join(host, &call);
    const struct join_group_response *joined = RESPONSE(host, token, join_group_response);
    assert_int_equal(joined->error, KAFKA_MEMBER_ID_REQUIRED);
    call.member = names_text(host->names, joined->member);
    token = classic_call_join(host, &call);
    joined = RESPONSE(host, token, join_group_response);
    assert_int_equal(joined->error, KAFKA_NONE);
    assert_int_equal(joined->generation, 2);
    assert_string_equal(names_text(host->names, joined->protocol_name), "range");
    call.generation = 2;
    token = classic_call_sync(host, &call);
    assert_int_equal(classic_call_assigned(host, token), 0); /* nothing is free yet */
    /* Another protocol than the classic members speak. */
    token = classic_call_join(host,
                              &(struct classic_call){.group = "g", .topic = "t", .protocol = "x"});
    assert_int_equal(RESPONSE(host, token, join_group_response)->error,
                     KAFKA_INCONSISTENT_GROUP_PROTOCOL);
    /* The consumer-protocol member gives up; then the classic one is told to come and get it. */
    token = classic_call_heartbeat(host, &call);
    assert_int_equal(RESPONSE(host, token, heartbeat_response)->error, KAFKA_NONE);
    beat(&client);
    scripted_consumer_give_up(&client);
    beat(&client);
    token = classic_call_heartbeat(host, &call);
    assert_int_equal(RESPONSE(host, token, heartbeat_response)->error, KAFKA_REBALANCE_IN_PROGRESS);
    call.generation = 1;
    token = classic_call_heartbeat(host, &call);
    assert_int_equal(RESPONSE(host, token, heartbeat_response)->error, KAFKA_ILLEGAL_GENERATION);
    call.generation = 2;
    classic_call_join(host, &call);
    token = classic_call_sync(host, &call);
    assert_int_equal(classic_call_assigned(host, token), 2);
    call.member = names_text(host->names, client.member); /* is not a classic member */
    token = classic_call_heartbeat(host, &call);
    assert_int_equal(RESPONSE(host, token, heartbeat_response)->error, KAFKA_UNKNOWN_MEMBER_ID);
    shard_host_free(host);
}

/* Told to rejoin, it does not; or joined, it does not sync; or silent. Each removes it. */
static void classic_member_is_timed_out(void **state)
{
    (void)state;
    static const struct {
        bool rejoins, syncs, beats;
        sim_time gone_after;
    } cases[] = {
        {.syncs = true, .gone_after = SECONDS(10)},              /* session */
        {.beats = true, .gone_after = SECONDS(5)},               /* sync */
        {.syncs = true, .beats = true, .gone_after = SECONDS(6)} /* join */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct shard_host *host = new_host(MIGRATION_DISABLED);
        host->config.group_consumer_session_timeout_ms = 100000;
        struct scripted_consumer client = newcomer(host, NULL);
        beat(&client);
        struct classic_call call = {.group = "g",
                                    .topic = "t",
                                    .instance = "i",
                                    .rebalance_timeout_ms = 5000};
        uint64_t token = classic_call_join(host, &call);
        call.member = names_text(host->names, RESPONSE(host, token, join_group_response)->member);
        call.generation = 2;
        if (cases[i].syncs) classic_call_sync(host, &call);
        if (cases[i].syncs && cases[i].beats) {
            /* A change after 1 s: the heartbeat tells the member to rejoin. */
            shard_host_advance(host, SECONDS(1));
            shard_host_set_topic(host, "t", 5, NULL);
            beat(&client);
        }
        for (sim_time at = SECONDS(1); at < cases[i].gone_after; at += SECONDS(1)) {
            shard_host_advance(host, at);
            if (cases[i].beats) classic_call_heartbeat(host, &call);
        }
        shard_host_advance(host, cases[i].gone_after - 1);
        assert_int_equal(group_of(host)->consumer->member_count, 2);
        shard_host_advance(host, cases[i].gone_after);
        assert_int_equal(group_of(host)->consumer->member_count, 1);
        shard_host_free(host);
    }
}

static void classic_member_leaves(void **state)
{
    (void)state;
    struct shard_host *host = new_host(MIGRATION_BIDIRECTIONAL);
    struct scripted_consumer client = upgraded(host, NULL);
    struct classic_call call = {.group = "g", .member = "m0001"};
    uint64_t token = classic_call_leave(host, &call);
    const struct leave_group_response *left = RESPONSE(host, token, leave_group_response);
    assert_int_equal(left->members[0].error, KAFKA_NONE);
    assert_int_equal(group_of(host)->consumer->member_count, 2);
    assert_int_equal(group_of(host)->consumer->epoch, 3);
    token = classic_call_leave(host, &call);
    left = RESPONSE(host, token, leave_group_response);
    assert_int_equal(left->members[0].error, KAFKA_UNKNOWN_MEMBER_ID);
    /* By instance alone, as an administrator does. */
    call = (struct classic_call){.group = "g", .instance = "i2"};
    token = classic_call_leave(host, &call);
    left = RESPONSE(host, token, leave_group_response);
    assert_int_equal(left->members[0].error, KAFKA_NONE);
    assert_int_equal(left->members[0].member, shard_host_name(host, "m0002"));
    /* Not one that speaks the consumer protocol. */
    call = (struct classic_call){.group = "g", .member = names_text(host->names, client.member)};
    token = classic_call_leave(host, &call);
    left = RESPONSE(host, token, leave_group_response);
    assert_int_equal(left->members[0].error, KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(group_of(host)->consumer->member_count, 1);
    expect_log_gives_it_back(host);
    shard_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrade),
        cmocka_unit_test(upgraded_group_settles),
        cmocka_unit_test(upgrade_is_refused),
        cmocka_unit_test(upgrade_during_the_first_rebalance),
        cmocka_unit_test(upgrade_that_cannot_be_written),
        cmocka_unit_test(downgrade_when_the_last_one_leaves),
        cmocka_unit_test(downgrade_when_the_last_one_is_silent),
        cmocka_unit_test(no_downgrade),
        cmocka_unit_test(downgrade_that_cannot_be_written),
        cmocka_unit_test(downgrade_by_static_replacement),
        cmocka_unit_test(classic_member_joins_a_consumer_group),
        cmocka_unit_test(classic_member_is_timed_out),
        cmocka_unit_test(classic_member_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
