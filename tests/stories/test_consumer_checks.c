/* Each invariant of consumer groups with a planted fault that it alone notices. */
#include "model/coordinator/consumer_checks.h"
#include "model/group_watch.h"
#include "tests/harness/scripted_consumer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct stage {
    struct shard_host *host;
    struct consumer_checks *checks;
    struct consumer_group *group;
    struct consumer_member *a; /* static, holds t1 0 to 3, or 0 and 1 */
    struct consumer_member *b; /* gets 2 and 3 */
    struct scripted_consumer a_client, b_client;
    bool noticed[CONSUMER_INVARIANT_COUNT];
};

static void on_violation(void *self, enum consumer_invariant invariant, name_id group,
                         const char *what)
{
    (void)group;
    (void)what;
    struct stage *stage = self;
    stage->noticed[invariant] = true;
}

static void look_up(struct stage *stage)
{
    stage->group =
        coordinator_find_group(stage->host->coordinator, stage->a_client.group)->consumer;
    stage->a = consumer_group_member(stage->group, stage->a_client.member);
    stage->b = consumer_group_member(stage->group, stage->b_client.member);
}

static void beat(struct scripted_consumer *client)
{
    scripted_consumer_beat(client);
    scripted_consumer_read(client, false);
}

/* a holds everything, b has just joined: a has been asked for 2 and 3 and still has them. */
static void set_up_reconciling(struct stage *stage)
{
    static const char *const topics[] = {"t1"};
    *stage = (struct stage){.host = shard_host_new(&(struct shard_host_options){0})};
    stage->checks =
        consumer_checks_new(stage->host->memory, stage->host->names, on_violation, stage);
    shard_host_set_topic(stage->host, "t1", 4, NULL);
    shard_host_set_topic(stage->host, "t2", 1, NULL);
    stage->a_client = scripted_consumer_make(stage->host, "g", "a", "instance-a");
    stage->b_client = scripted_consumer_make(stage->host, "g", "b", NULL);
    scripted_consumer_subscribe(&stage->a_client, topics, 1);
    scripted_consumer_subscribe(&stage->b_client, topics, 1);
    beat(&stage->a_client);
    scripted_consumer_give_up(&stage->a_client);
    beat(&stage->b_client);
    beat(&stage->a_client);
    look_up(stage);
    assert_int_equal(consumer_group_state(stage->group), GROUP_RECONCILING);
    assert_int_equal(stage->a->revoking.count, 2);
}

static void set_up_stable(struct stage *stage)
{
    set_up_reconciling(stage);
    scripted_consumer_give_up(&stage->a_client);
    beat(&stage->a_client);
    beat(&stage->b_client);
    assert_int_equal(consumer_group_state(stage->group), GROUP_STABLE);
}

static void tear_down(struct stage *stage)
{
    consumer_checks_free(stage->checks);
    /* The state is broken on purpose: the coordinator is not asked to take it down. */
    memory_free_all(stage->host->memory);
}

static partition_key t1(const struct stage *stage, int32_t partition)
{
    return partition_key_of(names_find(stage->host->names, "t1"), partition);
}

static void set_to(struct stage *stage, struct partition_set *set, const partition_key *items,
                   uint32_t count)
{
    partition_key copy[8];
    if (count > 0) memcpy(copy, items, sizeof *items * count);
    partition_set_replace(stage->host->memory, set,
                          (struct partition_set){.items = copy, .count = count});
}
#define SET_TO(stage, set, ...)                                                                    \
    set_to((stage), (set), (const partition_key[]){__VA_ARGS__},                                   \
           sizeof((const partition_key[]){__VA_ARGS__}) / sizeof(partition_key))

static void expect_only(const struct stage *stage, enum consumer_invariant invariant)
{
    for (int i = 0; i < CONSUMER_INVARIANT_COUNT; i++) {
        if (stage->noticed[i] == (i == (int)invariant)) continue;
        fail_msg("%s %s", consumer_invariant_name((enum consumer_invariant)i),
                 stage->noticed[i] ? "was noticed too" : "was not noticed");
    }
}

static void a_sound_step_is_silent(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    for (int i = 0; i < CONSUMER_INVARIANT_COUNT; i++)
        assert_false(stage.noticed[i]);
    tear_down(&stage);
}

static void i1_two_holders(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    SET_TO(&stage, &stage.b->revoking, t1(&stage, 0));
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I1);
    tear_down(&stage);
}

static void i3_partition_in_no_target(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    SET_TO(&stage, &stage.b->target, t1(&stage, 3));
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I3);
    tear_down(&stage);
}

static void i4_topic_not_subscribed(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    SET_TO(&stage, &stage.b->assigned, partition_key_of(names_find(stage.host->names, "t2"), 0));
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I4);
    tear_down(&stage);
}

static void i5_group_epoch_goes_back(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    stage.group->epoch--;
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I5);
    tear_down(&stage);
}

static void i5_member_epoch_goes_back(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    stage.b->epoch--;
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I5);
    tear_down(&stage);
}

static void i6_stale_heartbeat_changes_the_group(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    struct consumer_group_heartbeat_request request = {
        .head = {.api = API_CONSUMER_GROUP_HEARTBEAT},
        .group = stage.a_client.group,
        .member = stage.b->id,
        .member_epoch = stage.b->epoch + 1,
        .topic_count = -1,
        .owned_count = -1,
    };
    consumer_checks_before(stage.checks, stage.host->coordinator);
    stage.group->epoch++;
    consumer_checks_after(stage.checks, stage.host->coordinator, &request.head, NULL);
    expect_only(&stage, CONSUMER_I6);
    tear_down(&stage);
}

static void i6_stale_commit_is_accepted(void **state)
{
    (void)state;
    struct stage stage;
    set_up_stable(&stage);
    struct offset_entry entry = {.partition = {.topic = 1}, .offset = 7};
    struct offset_commit_request request = {.head = {.api = API_OFFSET_COMMIT},
                                            .version = 9,
                                            .group = stage.a_client.group,
                                            .member = stage.b->id,
                                            .generation = stage.b->epoch - 1,
                                            .offsets = &entry,
                                            .offset_count = 1};
    struct offset_commit_response response = {.head = {.api = API_OFFSET_COMMIT},
                                              .offsets = &entry,
                                              .offset_count = 1};
    consumer_checks_before(stage.checks, stage.host->coordinator);
    consumer_checks_after(stage.checks, stage.host->coordinator, &request.head, &response.head);
    expect_only(&stage, CONSUMER_I6);
    tear_down(&stage);
}

static void i7_stable_without_its_target(void **state)
{
    (void)state;
    struct stage stage;
    set_up_stable(&stage);
    struct topic_partition owned = {.topic = names_find(stage.host->names, "t1"), .partition = 3};
    struct consumer_group_heartbeat_request request = {
        .head = {.api = API_CONSUMER_GROUP_HEARTBEAT},
        .group = stage.a_client.group,
        .member = stage.b->id,
        .member_epoch = stage.b->epoch,
        .topic_count = -1,
        .owned = &owned,
        .owned_count = 1,
    };
    consumer_checks_before(stage.checks, stage.host->coordinator);
    SET_TO(&stage, &stage.b->assigned, t1(&stage, 3));
    consumer_checks_after(stage.checks, stage.host->coordinator, &request.head, NULL);
    expect_only(&stage, CONSUMER_I7);
    tear_down(&stage);
}

static void i8_given_while_it_was_held(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    SET_TO(&stage, &stage.a->revoking, t1(&stage, 3));
    SET_TO(&stage, &stage.b->assigned, t1(&stage, 2));
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I8);
    tear_down(&stage);
}

static void i8_let_go_without_a_word(void **state)
{
    (void)state;
    struct stage stage;
    set_up_reconciling(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    set_to(&stage, &stage.a->revoking, NULL, 0);
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I8);
    tear_down(&stage);
}

static void i10_one_instance_twice(void **state)
{
    (void)state;
    struct stage stage;
    set_up_stable(&stage);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    stage.b->instance = stage.a->instance;
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I10);
    tear_down(&stage);
}

static void i11_the_log_says_otherwise(void **state)
{
    (void)state;
    struct stage stage;
    set_up_stable(&stage);
    struct coordinator *rebuilt = shard_host_rebuild(stage.host);
    consumer_checks_rebuilt(stage.checks, stage.host->coordinator, rebuilt);
    assert_false(stage.noticed[CONSUMER_I11]);
    stage.b->rebalance_timeout_ms++;
    consumer_checks_rebuilt(stage.checks, stage.host->coordinator, rebuilt);
    expect_only(&stage, CONSUMER_I11);
    tear_down(&stage);
}

static void i12_another_target_is_as_good(void **state)
{
    (void)state;
    struct stage stage;
    set_up_stable(&stage);
    struct scripted_consumer c_client = scripted_consumer_make(stage.host, "g", "c", NULL);
    scripted_consumer_subscribe(&c_client, (const char *const[]){"t1"}, 1);
    consumer_checks_before(stage.checks, stage.host->coordinator);
    beat(&c_client);
    struct consumer_member *c = consumer_group_member(stage.group, c_client.member);
    struct partition_set kept = stage.b->target;
    assert_int_equal(kept.count, c->target.count);
    stage.b->target = c->target;
    c->target = kept;
    consumer_checks_after(stage.checks, stage.host->coordinator, NULL, NULL);
    expect_only(&stage, CONSUMER_I12);
    tear_down(&stage);
}

static void tell(void *self, const char *invariant, name_id group, const char *what)
{
    char(*told)[64] = self;
    (void)group;
    (void)what;
    size_t length = strlen(*told);
    snprintf(*told + length, sizeof *told - length, "%s ", invariant);
}

/* Offsets are checked alike in groups of either kind (classic_checks.h): all checkers look. */
static void i17_an_offset_nobody_asked_for(void **state)
{
    (void)state;
    struct stage stage;
    set_up_stable(&stage);
    char told[64] = "";
    const struct group_watcher watcher = {tell, &told};
    struct group_watch *watch = group_watch_new(&watcher, stage.host->memory, stage.host->names);
    struct offset_entry entry = {.partition = {.topic = names_find(stage.host->names, "t1")},
                                 .offset = 7};
    struct offset_commit_request *request =
        MESSAGE_NEW(stage.host->memory, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = 9;
    request->group = stage.a_client.group;
    request->member = stage.b->id;
    request->generation = stage.b->epoch;
    request->offsets = &entry;
    request->offset_count = 1;
    uint64_t token = shard_host_send(stage.host, &request->head);
    const struct offset_commit_response *response =
        (const struct offset_commit_response *)shard_host_response(stage.host, token);
    assert_int_equal(response->offsets[0].error, KAFKA_NONE);
    struct coordinator *coordinator = stage.host->coordinator;
    group_watch_loaded(watch, coordinator);
    group_watch_before(watch, coordinator);
    group_watch_after(watch, coordinator, NULL, NULL);
    assert_string_equal(told, "");
    group_watch_before(watch, coordinator);
    coordinator_find_group(coordinator, stage.a_client.group)->offsets.slots[0]->value.offset = 8;
    group_watch_after(watch, coordinator, NULL, NULL);
    assert_string_equal(told, "I17 ");
    group_watch_free(watch, stage.host->memory);
    tear_down(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_step_is_silent),
        cmocka_unit_test(i1_two_holders),
        cmocka_unit_test(i3_partition_in_no_target),
        cmocka_unit_test(i4_topic_not_subscribed),
        cmocka_unit_test(i5_group_epoch_goes_back),
        cmocka_unit_test(i5_member_epoch_goes_back),
        cmocka_unit_test(i6_stale_heartbeat_changes_the_group),
        cmocka_unit_test(i6_stale_commit_is_accepted),
        cmocka_unit_test(i7_stable_without_its_target),
        cmocka_unit_test(i8_given_while_it_was_held),
        cmocka_unit_test(i8_let_go_without_a_word),
        cmocka_unit_test(i10_one_instance_twice),
        cmocka_unit_test(i11_the_log_says_otherwise),
        cmocka_unit_test(i12_another_target_is_as_good),
        cmocka_unit_test(i17_an_offset_nobody_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
