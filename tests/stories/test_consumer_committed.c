/* What readers see of a consumer group while its writes are under way: nothing of them. And what
 * is taken back when a write fails. */
#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"
#include "tests/harness/scripted_consumer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define REPLICATION MILLISECONDS(50)

/* A read: answered at once. */
static const struct describe_groups_response *describe(struct shard_host *host)
{
    struct describe_groups_request *request =
        MESSAGE_NEW(host->memory, API_CONSUMER_GROUP_DESCRIBE, struct describe_groups_request);
    request->group = shard_host_name(host, "g");
    uint64_t token = shard_host_send(host, &request->head);
    const struct message *response = shard_host_response(host, token);
    assert_non_null(response);
    return (const struct describe_groups_response *)response;
}

static uint64_t fetch(struct shard_host *host, name_id member, int32_t epoch, bool stable)
{
    struct offset_fetch_request *request =
        MESSAGE_NEW(host->memory, API_OFFSET_FETCH, struct offset_fetch_request);
    request->group = shard_host_name(host, "g");
    request->member = member;
    request->member_epoch = epoch;
    request->require_stable = stable;
    request->partition_count = -1;
    return shard_host_send(host, &request->head);
}

static enum kafka_error fetched(struct shard_host *host, uint64_t token)
{
    const struct message *response = shard_host_response(host, token);
    assert_non_null(response);
    return ((const struct offset_fetch_response *)response)->error;
}

static struct shard_host *new_host(void)
{
    struct shard_host *host =
        shard_host_new(&(struct shard_host_options){.replication_ns = REPLICATION});
    shard_host_set_topic(host, "t", 4, "id-of-t");
    return host;
}

static struct scripted_consumer new_client(struct shard_host *host, const char *name)
{
    struct scripted_consumer client = scripted_consumer_make(host, "g", name, NULL);
    scripted_consumer_subscribe(&client, (const char *const[]){"t"}, 1);
    return client;
}

static void settle(struct shard_host *host, struct scripted_consumer *client)
{
    scripted_consumer_beat(client);
    shard_host_advance(host, host->now + SECONDS(1));
    scripted_consumer_read(client, false);
    scripted_consumer_give_up(client);
}

static void describing_sees_only_what_is_committed(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    struct scripted_consumer b = new_client(host, "b");
    scripted_consumer_beat(&a);
    assert_int_equal(describe(host)->error, KAFKA_GROUP_ID_NOT_FOUND);
    settle(host, &a);
    const struct describe_groups_response *seen = describe(host);
    assert_int_equal(seen->error, KAFKA_NONE);
    assert_int_equal(seen->member_count, 1);
    assert_string_equal(names_text(host->names, seen->state), "Stable");
    assert_int_equal(seen->members[0].assigned_count, 4);
    assert_string_equal(names_text(host->names, seen->members[0].assigned[3].topic), "t");

    scripted_consumer_beat(&b);
    const struct group *group =
        coordinator_find_group(host->coordinator, shard_host_name(host, "g"));
    assert_int_equal(group->consumer->epoch, 2);
    seen = describe(host);
    assert_int_equal(seen->group_epoch, 1);
    assert_int_equal(seen->member_count, 1);
    assert_int_equal(seen->members[0].target_count, 4);
    shard_host_advance(host, host->now + REPLICATION);
    seen = describe(host);
    assert_int_equal(seen->group_epoch, 2);
    assert_int_equal(seen->member_count, 2);
    assert_int_equal(seen->members[0].target_count, 2);
    shard_host_free(host);
}

static void fetching_is_held_against_what_is_committed(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    struct scripted_consumer b = new_client(host, "b");
    settle(host, &a);
    scripted_consumer_beat(&b); /* applied: a new member at epoch 2; and a is to give up two */
    name_id b_id = shard_host_name(host, "m0002");
    uint64_t unstable = fetch(host, b_id, 2, false);
    uint64_t stable = fetch(host, b_id, 2, true);
    uint64_t stale = fetch(host, a.member, 7, false);
    uint64_t nobody = fetch(host, NAME_NONE, -1, false);
    shard_host_advance(host, host->now + SECONDS(1));
    assert_int_equal(fetched(host, unstable), KAFKA_UNKNOWN_MEMBER_ID);
    assert_int_equal(fetched(host, stable), KAFKA_NONE);
    assert_int_equal(fetched(host, stale), KAFKA_STALE_MEMBER_EPOCH);
    assert_int_equal(fetched(host, nobody), KAFKA_NONE);

    /* a moves on to epoch 2, not committed yet: readers still know it at 1. */
    scripted_consumer_read(&b, false);
    settle(host, &a);
    scripted_consumer_beat(&a);
    assert_int_equal(consumer_group_member(
                         coordinator_find_group(host->coordinator, a.group)->consumer, a.member)
                         ->epoch,
                     2);
    uint64_t old = fetch(host, a.member, 1, false);
    uint64_t new = fetch(host, a.member, 2, false);
    uint64_t latest = fetch(host, a.member, 2, true);
    shard_host_advance(host, host->now + SECONDS(1));
    assert_int_equal(fetched(host, old), KAFKA_NONE);
    assert_int_equal(fetched(host, new), KAFKA_STALE_MEMBER_EPOCH);
    assert_int_equal(fetched(host, latest), KAFKA_NONE);
    shard_host_free(host);
}

/* The heartbeat is refused, everything it changed is as before, and the next one finds the refresh
 * deadline of an epoch that never came to be, so it looks at the topics again. */
static void a_failed_write_is_taken_back(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    struct scripted_consumer b = new_client(host, "b");
    settle(host, &a);
    const struct group *group = coordinator_find_group(host->coordinator, a.group);
    struct coordinator *before = shard_host_rebuild(host);
    host->fail_next_append = KAFKA_NOT_ENOUGH_REPLICAS;
    scripted_consumer_beat(&b);
    const struct consumer_group_heartbeat_response *refused =
        (const struct consumer_group_heartbeat_response *)shard_host_response(host, b.token);
    assert_int_equal(refused->error, KAFKA_COORDINATOR_NOT_AVAILABLE);
    assert_true(consumer_group_is_consistent(group->consumer));
    assert_true(
        consumer_group_equal(group->consumer, coordinator_find_group(before, a.group)->consumer));
    coordinator_free(before);
    assert_int_equal(group->consumer->epoch, 1);
    assert_int_equal(group->consumer->refresh_epoch, 2);
    scripted_consumer_read(&b, false);
    settle(host, &b);
    assert_int_equal(group->consumer->epoch, 2);
    assert_int_equal(group->consumer->refresh_epoch, 2);
    shard_host_free(host);
}

/* The very first heartbeat of a group: nothing is left of the group. */
static void a_failed_first_write(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    host->fail_next_append = KAFKA_NOT_LEADER_OR_FOLLOWER;
    scripted_consumer_beat(&a);
    const struct group *group = coordinator_find_group(host->coordinator, a.group);
    assert_int_equal(group->type, GROUP_ABSENT);
    scripted_consumer_read(&a, false);
    settle(host, &a);
    assert_int_equal(group->type, GROUP_CONSUMER);
    assert_int_equal(group->consumer->epoch, 1);
    shard_host_free(host);
}

/* A removal that cannot be written is tried again after half a second. */
static void a_failed_expiry_is_tried_again(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    settle(host, &a);
    sim_time due = SECONDS(45); /* the heartbeat was at 0 */
    const struct group *group = coordinator_find_group(host->coordinator, a.group);
    host->fail_next_append = KAFKA_NOT_ENOUGH_REPLICAS;
    shard_host_advance(host, due);
    assert_int_equal(host->fail_next_append, KAFKA_NONE);
    assert_int_equal(group->consumer->member_count, 1);
    shard_host_advance(host, due + MILLISECONDS(499));
    assert_int_equal(group->consumer->member_count, 1);
    shard_host_advance(host, due + MILLISECONDS(500));
    assert_int_equal(group->consumer->member_count, 0);
    shard_host_free(host);
}

/* Sessions start anew with the new coordinator; epochs stay, so nobody rebalances. */
static void a_failover_alone_changes_nothing(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    settle(host, &a);
    shard_host_advance(host, SECONDS(30));
    shard_host_fail_over(host, false);
    const struct group *group = coordinator_find_group(host->coordinator, a.group);
    assert_int_equal(consumer_group_state(group->consumer), GROUP_STABLE);
    settle(host, &a);
    assert_int_equal(a.epoch, 1);
    assert_int_equal(a.owned.count, 4);
    assert_int_equal(group->consumer->epoch, 1);
    shard_host_fail_over(host, false);
    group = coordinator_find_group(host->coordinator, a.group);
    sim_time loaded_at = host->now;
    shard_host_advance(host, loaded_at + SECONDS(45) - 1);
    assert_int_equal(group->consumer->member_count, 1);
    shard_host_advance(host, loaded_at + SECONDS(45));
    assert_int_equal(group->consumer->member_count, 0);
    shard_host_free(host);
}

/* Over the broker's settings, from the next heartbeat on. */
static void a_group_has_its_own_settings(void **state)
{
    (void)state;
    struct shard_host *host = new_host();
    struct scripted_consumer a = new_client(host, "a");
    settle(host, &a);
    const struct coordinator_group_config config = {.consumer_session_timeout_ms = 20000,
                                                    .consumer_heartbeat_interval_ms = 2000};
    coordinator_set_group_config(host->coordinator, a.group, &config);
    scripted_consumer_beat(&a);
    uint64_t token = a.token;
    sim_time beaten_at = host->now;
    shard_host_advance(host, beaten_at + SECONDS(1));
    const struct consumer_group_heartbeat_response *response =
        (const struct consumer_group_heartbeat_response *)shard_host_response(host, token);
    assert_int_equal(response->heartbeat_interval_ms, 2000);
    const struct group *group = coordinator_find_group(host->coordinator, a.group);
    shard_host_advance(host, beaten_at + SECONDS(20) - 1);
    assert_int_equal(group->consumer->member_count, 1);
    shard_host_advance(host, beaten_at + SECONDS(20));
    assert_int_equal(group->consumer->member_count, 0);
    shard_host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describing_sees_only_what_is_committed),
        cmocka_unit_test(fetching_is_held_against_what_is_committed),
        cmocka_unit_test(a_failed_write_is_taken_back),
        cmocka_unit_test(a_failed_first_write),
        cmocka_unit_test(a_failed_expiry_is_tried_again),
        cmocka_unit_test(a_failover_alone_changes_nothing),
        cmocka_unit_test(a_group_has_its_own_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
