/* Exceptions of the application's own code, thrown where the client calls it: the rebalance
 * listener and the assignor (ConsumerCoordinator.onJoinPrepare, onJoinComplete, onLeaderElected).
 */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Two members at work when a third one starts. */
#define THIRD_ONE                                                                                  \
    .duration = "20s", .members = "2", .partitions = "2", .process = "on_exception: poll_again"

static void a_listener_that_throws_has_its_partitions_all_the_same(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "20s", .process = "on_exception: poll_again",
                            .timeline = "{at: 1ms, throw: g-1, in: on_assigned, for: 6500ms}");
    /* The join is completed again by each poll(), with nothing new to tell. No position is looked
     * up before that succeeds. */
    expect_story(s, STORY_CLIENT | STORY_OWNED | STORY_POSITIONS, "g-1", 4010, 20000,
                 "4010 g-1 JOINED\n"
                 "4022 g-1 SYNCED\n"
                 "4022 g-1 owns orders-0\n"
                 "4022 g-1 ASSIGN_CALLBACK\n"
                 "4022 g-1 EXCEPTION\n"
                 "5022 g-1 ASSIGN_CALLBACK\n"
                 "5022 g-1 EXCEPTION\n"
                 "6022 g-1 ASSIGN_CALLBACK\n"
                 "6022 g-1 EXCEPTION\n"
                 "7022 g-1 ASSIGN_CALLBACK\n"
                 "7026 g-1 at orders-0 0: RESET_EARLIEST\n");
    assert_int_equal(story_ledger(s, 0).rebalances, 0); /* heartbeats went on */
    story_free(s);
}

static void what_is_revoked_is_gone_although_the_listener_throws(void **state)
{
    (void)state;
    struct story *s =
        STORY(THIRD_ONE, .timeline = "{at: 10s, throw: g-1, in: on_revoked, for: 5s}, "
                                     "{at: 11s, scale: g, to: 3}");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-1", 13000, 14030,
                 "13012 g-1 REJOIN_REQUESTED\n"
                 "13024 g-1 REVOKE_CALLBACK\n"
                 "13024 g-1 gave up orders-0: REVOKED\n"
                 "13024 g-1 EXCEPTION\n"
                 "14024 g-1 JOINING\n" /* and the callback is not repeated */
                 "14026 g-1 JOINED\n");
    story_free(s);
}

static void an_assignor_that_throws_makes_the_group_start_over(void **state)
{
    (void)state;
    struct story *s = STORY(THIRD_ONE, .timeline = "{at: 10s, throw: g, in: assignor, for: 4s}, "
                                                   "{at: 11s, scale: g, to: 3}");
    /* No SyncGroup of the leader; its next JoinGroup ends the others' wait in theirs. */
    expect_story(s, STORY_CLIENT | STORY_GROUP, "", 13025, 14042,
                 "13025 group g PreparingRebalance -> CompletingRebalance, generation 2\n"
                 "13026 g-1 JOINED\n"
                 "13026 g-1 EXCEPTION\n"
                 "13026 g-2 JOINED\n"
                 "13026 g-3 JOINED\n"
                 "14026 g-1 JOINING\n"
                 "14027 group g CompletingRebalance -> PreparingRebalance, generation 2\n"
                 "14028 g-2 JOINING\n"
                 "14028 g-3 JOINING\n"
                 "14029 group g PreparingRebalance -> CompletingRebalance, generation 3\n"
                 "14030 g-1 JOINED\n"
                 "14030 g-2 JOINED\n"
                 "14030 g-3 JOINED\n"
                 "14041 group g CompletingRebalance -> Stable, generation 3\n");
    story_free(s);
}

static void an_application_that_does_not_catch_it_closes_and_exits(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "20s", .members = "2", .partitions = "2",
                            .timeline = "{at: 10s, throw: g-2, in: on_assigned, for: 4s}, "
                                        "{at: 11s, scale: g, to: 3}");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-2", 13038, 20000,
                 "13038 g-2 SYNCED\n"
                 "13038 g-2 owns orders-1\n"
                 "13038 g-2 ASSIGN_CALLBACK\n"
                 "13038 g-2 FATAL\n"
                 "13038 g-2 CLOSING\n"
                 "13038 g-2 REVOKE_CALLBACK\n"
                 "13038 g-2 gave up orders-1: CLOSED\n"
                 "13038 g-2 LEAVING\n");
    assert_int_equal(story_ledger(s, 0).rebalances, 2);
    story_free(s);
}

/* An exception thrown by close()'s own call of the listener is logged by the client. */
static void close_does_not_throw_what_its_listener_throws(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "20s", .timeline = "{at: 8s, throw: g-1, in: on_revoked, for: 10s}, "
                                             "{at: 10s, stop: g-1}");
    assert_int_equal(story_count(s, STORY_CLIENT, "EXCEPTION", ""), 0);
    assert_int_equal(story_count(s, STORY_CLIENT, "FATAL", ""), 0);
    assert_int_equal(story_count(s, STORY_CLIENT, "CLOSED", ""), 1);
    story_free(s);
}

/* ---- the consumer protocol (KIP-848): AbstractMembershipManager.revokeAndAssign ---- */

/* The next onPartitionsAssigned is given nothing new, and what it returns for is fetched. */
static void a_reconciliation_is_begun_anew_until_the_listener_returns(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "20s", .config = "group.protocol: consumer",
                            .process = "on_exception: poll_again",
                            .timeline = "{at: 1ms, throw: g-1, in: on_assigned, for: 3500ms}");
    expect_story(s, STORY_CLIENT | STORY_OWNED | STORY_POSITIONS, "g-1", 1000, 20000,
                 "1000 g-1 FIRST_POLL\n"
                 "1000 g-1 JOINING\n"
                 "1004 g-1 COORDINATOR_FOUND\n"
                 "1018 g-1 JOINED\n"
                 "1018 g-1 owns orders-0\n"
                 "1018 g-1 ASSIGN_CALLBACK\n"
                 "1018 g-1 EXCEPTION\n"
                 "2018 g-1 ASSIGN_CALLBACK\n"
                 "2018 g-1 EXCEPTION\n"
                 "3018 g-1 ASSIGN_CALLBACK\n"
                 "3018 g-1 EXCEPTION\n"
                 "4018 g-1 ASSIGN_CALLBACK\n"
                 "4018 g-1 SYNCED\n"
                 "4022 g-1 at orders-0 0: RESET_EARLIEST\n");
    story_free(s);
}

/* Still owned, though not fetched, and announced again by each poll(). */
static void what_is_to_be_revoked_is_kept_until_the_listener_returns(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "30s", .partitions = "2", .config = "group.protocol: consumer",
              .process = "on_exception: poll_again, per_record: 1ms",
              .timeline = "{at: 10s, throw: g-1, in: on_revoked, for: 10s}, "
                          "{at: 11s, scale: g, to: 2}");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "", 11000, 30000,
                 "11000 g-2 STARTED\n"
                 "12000 g-2 FIRST_POLL\n"
                 "12000 g-2 JOINING\n"
                 "12004 g-2 COORDINATOR_FOUND\n"
                 "12018 g-2 JOINED\n"
                 "12018 g-2 ASSIGN_CALLBACK\n"
                 "12018 g-2 SYNCED\n"
                 "16052 g-1 REVOKE_CALLBACK\n"
                 "16052 g-1 EXCEPTION\n"
                 "17052 g-1 REVOKE_CALLBACK\n"
                 "17052 g-1 EXCEPTION\n"
                 "18052 g-1 REVOKE_CALLBACK\n"
                 "18052 g-1 EXCEPTION\n"
                 "19052 g-1 REVOKE_CALLBACK\n"
                 "19052 g-1 EXCEPTION\n"
                 "20052 g-1 REVOKE_CALLBACK\n"
                 "20052 g-1 gave up orders-1: REVOKED\n"
                 "20052 g-1 ASSIGN_CALLBACK\n"
                 "20052 g-1 SYNCED\n"
                 "22030 g-2 owns orders-1\n"
                 "22030 g-2 ASSIGN_CALLBACK\n"
                 "22030 g-2 SYNCED\n");
    story_free(s);
}

/* The coordinator waits for the acknowledgement no longer than the rebalance timeout. */
static void a_listener_that_never_returns_has_its_member_fenced(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "60s", .partitions = "2",
                            .config = "group.protocol: consumer, max.poll.interval.ms: 15000",
                            .process = "on_exception: poll_again",
                            .timeline = "{at: 10s, throw: g-1, in: on_revoked, for: 40s}, "
                                        "{at: 11s, scale: g, to: 2}");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "", 30000, 37000,
                 "30052 g-1 REVOKE_CALLBACK\n"
                 "30052 g-1 EXCEPTION\n"
                 "31052 g-1 REVOKE_CALLBACK\n"
                 "31052 g-1 EXCEPTION\n"
                 "32030 g-2 owns orders-0\n"
                 "32030 g-2 owns orders-1\n"
                 "32030 g-2 ASSIGN_CALLBACK\n"
                 "32030 g-2 SYNCED\n"
                 "32052 g-1 REVOKE_CALLBACK\n"
                 "32052 g-1 EXCEPTION\n"
                 "33052 g-1 REVOKE_CALLBACK\n"
                 "33052 g-1 EXCEPTION\n"
                 "34052 g-1 REVOKE_CALLBACK\n"
                 "34052 g-1 EXCEPTION\n"
                 "35052 g-1 REVOKE_CALLBACK\n"
                 "35052 g-1 EXCEPTION\n"
                 "36020 g-1 HEARTBEAT_FAILED\n"
                 "36020 g-1 FENCED\n"
                 "36052 g-1 REVOKE_CALLBACK\n"
                 "36052 g-1 LOST_CALLBACK\n"
                 "36052 g-1 gave up orders-0: LOST\n"
                 "36052 g-1 gave up orders-1: LOST\n"
                 "36052 g-1 EXCEPTION\n"
                 "36064 g-1 JOINED\n");
    story_free(s);
}

static void whoever_does_not_catch_it_leaves_the_group(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "20s", .config = "group.protocol: consumer",
                            .timeline = "{at: 1ms, throw: g-1, in: on_assigned, for: 10s}");
    expect_story(s, STORY_CLIENT | STORY_OWNED, "g-1", 1000, 20000,
                 "1000 g-1 FIRST_POLL\n"
                 "1000 g-1 JOINING\n"
                 "1004 g-1 COORDINATOR_FOUND\n"
                 "1018 g-1 JOINED\n"
                 "1018 g-1 owns orders-0\n"
                 "1018 g-1 ASSIGN_CALLBACK\n"
                 "1018 g-1 FATAL\n"
                 "1018 g-1 CLOSING\n"
                 "1018 g-1 REVOKE_CALLBACK\n"
                 "1018 g-1 gave up orders-0: CLOSED\n"
                 "1018 g-1 LEAVING\n");
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_that_throws_has_its_partitions_all_the_same),
        cmocka_unit_test(what_is_revoked_is_gone_although_the_listener_throws),
        cmocka_unit_test(an_assignor_that_throws_makes_the_group_start_over),
        cmocka_unit_test(an_application_that_does_not_catch_it_closes_and_exits),
        cmocka_unit_test(close_does_not_throw_what_its_listener_throws),
        cmocka_unit_test(a_reconciliation_is_begun_anew_until_the_listener_returns),
        cmocka_unit_test(what_is_to_be_revoked_is_kept_until_the_listener_returns),
        cmocka_unit_test(a_listener_that_never_returns_has_its_member_fenced),
        cmocka_unit_test(whoever_does_not_catch_it_leaves_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
