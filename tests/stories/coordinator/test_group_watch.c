/* The coordinator's checkers as a world uses them: around each step of a shard, told by the name of
 * the invariant. Their planted faults are in test_classic_checks.c and test_consumer_checks.c; here
 * it is that they look, at the right time, and that a takeover does not confuse them. */
#include "model/coordinator/classic_group.h"
#include "model/group_watch.h"
#include "tests/harness/classic_requests.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct stage {
    struct coordinator_host host;
    struct group_watcher watcher;
    struct group_watch *watch;
    char told[64]; /* "I3 I7 " */
};

static void tell(void *self, const char *invariant, name_id group, const char *what)
{
    struct stage *stage = self;
    (void)group;
    (void)what;
    size_t length = strlen(stage->told);
    snprintf(stage->told + length, sizeof stage->told - length, "%s ", invariant);
}

static void set_up(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    host_init(&stage->host, NULL, NULL);
    stage->host.config.group_initial_rebalance_delay_ms = 0;
    stage->host.config.group_coordinator_append_linger_ms = 0;
    host_start(&stage->host);
    stage->host.watch.is_off = true; /* this test looks itself */
    form_group(&stage->host, 2, false);
    ask_commit(&stage->host, "m001", 2, 0, 10);
    stage->watcher = (struct group_watcher){tell, stage};
    stage->watch = group_watch_new(&stage->watcher, stage->host.memory, stage->host.names);
    group_watch_loaded(stage->watch, stage->host.coordinator);
}

static void tear_down(struct stage *stage)
{
    group_watch_free(stage->watch, stage->host.memory);
    memory_free_all(stage->host.memory); /* what was broken is not asked to take itself down */
}

static void a_sound_step_is_silent(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    group_watch_before(stage.watch, stage.host.coordinator);
    host_advance(&stage.host, SECONDS(5));
    group_watch_after(stage.watch, stage.host.coordinator, NULL, NULL);
    assert_string_equal(stage.told, "");
    tear_down(&stage);
}

static void what_changes_within_a_step_is_held_against_the_state_before(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    group_watch_before(stage.watch, stage.host.coordinator);
    classic_of(&stage.host)->generation--;
    group_watch_after(stage.watch, stage.host.coordinator, NULL, NULL);
    assert_string_equal(stage.told, "I5 ");
    tear_down(&stage);
}

static void a_state_that_may_not_be_is_told_by_name(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    group_watch_before(stage.watch, stage.host.coordinator);
    classic_of(&stage.host)->members[1]->is_new = true;
    group_watch_after(stage.watch, stage.host.coordinator, NULL, NULL);
    assert_string_equal(stage.told, "I7 ");
    tear_down(&stage);
}

static void an_answer_among_the_effects_counts(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    struct coordinator *coordinator = stage.host.coordinator;
    /* A stale heartbeat is refused, yet the group has changed in the same step. */
    struct heartbeat_request request = {.head = {.api = API_HEARTBEAT},
                                        .group = host_name(&stage.host, "g"),
                                        .member = classic_of(&stage.host)->members[1]->id,
                                        .generation = 1};
    group_watch_before(stage.watch, coordinator);
    coordinator_handle(coordinator, &request.head, 77, stage.host.now);
    const struct heartbeat_response *response =
        (const struct heartbeat_response *)coordinator_answer_to(coordinator, 77);
    assert_non_null(response);
    assert_int_equal(response->error, KAFKA_ILLEGAL_GENERATION);
    assert_null(coordinator_answer_to(coordinator, 78));
    classic_of(&stage.host)->members[1]->session.at += SECONDS(10);
    group_watch_after(stage.watch, coordinator, &request.head, &response->head);
    assert_string_equal(stage.told, "I6 ");
    tear_down(&stage);
}

static void what_was_committed_before_the_takeover_is_no_offset_out_of_nowhere(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage);
    host_fail_over(&stage.host, SECONDS(1));
    group_watch_loaded(stage.watch, stage.host.coordinator);
    group_watch_before(stage.watch, stage.host.coordinator);
    group_watch_after(stage.watch, stage.host.coordinator, NULL, NULL);
    assert_string_equal(stage.told, "");
    tear_down(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_step_is_silent),
        cmocka_unit_test(what_changes_within_a_step_is_held_against_the_state_before),
        cmocka_unit_test(a_state_that_may_not_be_is_told_by_name),
        cmocka_unit_test(an_answer_among_the_effects_counts),
        cmocka_unit_test(what_was_committed_before_the_takeover_is_no_offset_out_of_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
