/* What a consumer group writes, and in which order: replay depends on it, and readers of a real
 * __consumer_offsets know it. consumer-protocol-848-coordinator.md, sections 3, 5, 7, 9 and 11. */
#include "tests/harness/classic_calls.h"
#include "tests/harness/scripted_consumer.h"

#include "model/coordinator/shard.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct stage {
    struct shard_host *host;
    uint32_t batches_seen;
};

static struct stage new_stage(void)
{
    struct stage stage = {.host = shard_host_new(&(struct shard_host_options){0})};
    stage.host->config.group_initial_rebalance_delay_ms = 0;
    shard_host_set_topic(stage.host, "t", 4, NULL);
    return stage;
}

/* Since the last call: "5 m1" for a record of type 5 about member m1, "x5 m1" for its tombstone. */
static void expect_written(struct stage *stage, const char *expected)
{
    char text[1024] = "";
    const char *separator = "";
    for (; stage->batches_seen < stage->host->batch_count; stage->batches_seen++) {
        const struct group_log_batch *batch = stage->host->log[stage->batches_seen];
        for (uint32_t i = 0; i < batch->record_count; i++) {
            const struct group_record *record = &batch->records[i];
            size_t length = strlen(text);
            const char *member = names_text(stage->host->names, record->member);
            snprintf(text + length, sizeof text - length, "%s%s%d%s%s", separator,
                     record->value == NULL ? "x" : "", (int)record->type,
                     record->member == NAME_NONE ? "" : " ", member);
            separator = ", ";
        }
    }
    assert_string_equal(text, expected);
}

static struct scripted_consumer new_client(struct stage *stage, const char *instance)
{
    struct scripted_consumer client = scripted_consumer_make(stage->host, "g", "client", instance);
    scripted_consumer_subscribe(&client, (const char *const[]){"t"}, 1);
    return client;
}

static void beat(struct scripted_consumer *client)
{
    scripted_consumer_beat(client);
    scripted_consumer_read(client, false);
}

static void joining_revoking_leaving(void **state)
{
    (void)state;
    struct stage stage = new_stage();
    struct scripted_consumer a = new_client(&stage, NULL);
    struct scripted_consumer b = new_client(&stage, NULL);
    beat(&a);
    expect_written(&stage, "5 m0001, 4, 3, 7 m0001, 6, 8 m0001");
    scripted_consumer_give_up(&a);
    beat(&a);
    expect_written(&stage, "");
    beat(&b); /* no topic metadata: they are the same */
    expect_written(&stage, "5 m0002, 3, 7 m0001, 7 m0002, 6, 8 m0002");
    beat(&a); /* asked to give up two */
    expect_written(&stage, "8 m0001");
    beat(&a); /* has not yet */
    expect_written(&stage, "");
    scripted_consumer_give_up(&a);
    beat(&a);
    expect_written(&stage, "8 m0001");
    beat(&b);
    expect_written(&stage, "8 m0002");
    shard_host_set_topic(stage.host, "t", 6, NULL);
    expect_written(&stage, "");
    beat(&a);
    expect_written(&stage, "4, 3, 7 m0001, 7 m0002, 6, 8 m0001");
    scripted_consumer_leave(&b, true);
    expect_written(&stage, "x8 m0002, x7 m0002, x5 m0002, 3");
    shard_host_advance(stage.host, stage.host->now + SECONDS(44));
    beat(&a);
    expect_written(&stage, "7 m0001, 6, 8 m0001");
    shard_host_advance(stage.host, stage.host->now + SECONDS(45));
    expect_written(&stage, "x8 m0001, x7 m0001, x5 m0001, 4, 3");
    shard_host_free(stage.host);
}

static void a_static_member_comes_back(void **state)
{
    (void)state;
    struct stage stage = new_stage();
    struct scripted_consumer a = new_client(&stage, "i");
    beat(&a);
    expect_written(&stage, "5 m0001, 4, 3, 7 m0001, 6, 8 m0001");
    scripted_consumer_leave(&a, false);
    expect_written(&stage, "8 m0001");
    beat(&a); /* same subscription: straight to where it was */
    expect_written(&stage, "x8 m0001, x7 m0001, x5 m0001, 5 m0002, 7 m0002, 8 m0002, 8 m0002");
    scripted_consumer_leave(&a, false);
    expect_written(&stage, "8 m0002");
    a.rebalance_timeout_ms++; /* another timeout: a member record, but no rebalance */
    beat(&a);
    expect_written(&stage,
                   "x8 m0002, x7 m0002, x5 m0002, 5 m0003, 7 m0003, 8 m0003, 5 m0003, 8 m0003");
    shard_host_set_topic(stage.host, "u", 2, NULL);
    scripted_consumer_leave(&a, false);
    scripted_consumer_subscribe(&a, (const char *const[]){"t", "u"}, 2);
    expect_written(&stage, "8 m0003");
    beat(&a); /* another subscription */
    expect_written(&stage, "x8 m0003, x7 m0003, x5 m0003, 5 m0004, 7 m0004, 8 m0004, "
                           "5 m0004, 4, 3, 7 m0004, 6, 8 m0004");
    shard_host_free(stage.host);
}

static void groups_change_sides(void **state)
{
    (void)state;
    struct stage stage = new_stage();
    struct classic_call call = {.group = "g", .topic = "t", .version = 3};
    classic_call_join(stage.host, &call);
    call.member = "m0001";
    call.generation = 1;
    shard_host_advance(stage.host, stage.host->now + MILLISECONDS(1));
    classic_call_lead(stage.host, &call, (const char *const[]){"m0001"}, (const int32_t[]){4}, 1);
    stage.batches_seen = stage.host->batch_count;

    struct scripted_consumer b = new_client(&stage, NULL);
    beat(&b);
    expect_written(&stage, "x2, 5 m0001, 3, 7 m0001, 6, 8 m0001, "
                           "5 m0002, 4, 3, 7 m0001, 7 m0002, 6, 8 m0002");
    scripted_consumer_leave(&b, true);
    expect_written(&stage, "x8 m0001, x8 m0002, x7 m0001, x7 m0002, x6, x5 m0001, x5 m0002, "
                           "x4, x3, 2");
    classic_call_leave(stage.host, &call);
    expect_written(&stage, "2");
    b = new_client(&stage, "i"); /* an empty classic group makes way */
    beat(&b);
    expect_written(&stage, "x2, 5 m0003, 4, 3, 7 m0003, 6, 8 m0003");

    struct delete_groups_request *request =
        MESSAGE_NEW(stage.host->memory, API_DELETE_GROUPS, struct delete_groups_request);
    name_id group = shard_host_name(stage.host, "g");
    request->groups = MESSAGE_ARRAY(stage.host->memory, &request->head, name_id, 1);
    request->groups[0] = group;
    request->group_count = 1;
    scripted_consumer_leave(&b, true);
    expect_written(&stage, "x8 m0003, x7 m0003, x5 m0003, 4, 3");
    shard_host_send(stage.host, &request->head);
    expect_written(&stage, "x6, x4, x3");
    shard_host_free(stage.host);
}

static void a_classic_instance_replaces_the_last_one(void **state)
{
    (void)state;
    struct stage stage = new_stage();
    struct scripted_consumer a = new_client(&stage, "i");
    beat(&a);
    stage.batches_seen = stage.host->batch_count;
    classic_call_join(stage.host,
                      &(struct classic_call){.group = "g", .topic = "t", .instance = "i"});
    expect_written(&stage, "x8 m0001, x7 m0001, x5 m0001, 5 m0002, 7 m0002, 8 m0002, "
                           "5 m0002, 8 m0002, x8 m0002, x7 m0002, x6, x5 m0002, x4, x3, 2");
    assert_int_equal(
        coordinator_find_group(stage.host->coordinator, shard_host_name(stage.host, "g"))->type,
        GROUP_CLASSIC);
    struct coordinator *rebuilt = shard_host_rebuild(stage.host);
    assert_int_equal(coordinator_find_group(rebuilt, shard_host_name(stage.host, "g"))->type,
                     GROUP_CLASSIC);
    coordinator_free(rebuilt);
    shard_host_free(stage.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_revoking_leaving),
        cmocka_unit_test(a_static_member_comes_back),
        cmocka_unit_test(groups_change_sides),
        cmocka_unit_test(a_classic_instance_replaces_the_last_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
