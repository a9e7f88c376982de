/* How a member gets into its group and out of it. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void joining_takes_two_round_trips(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "30s", .partitions = "2", .process = "per_record: 0ms");
    /* Connecting to the bootstrap broker takes 2 ms, asking for the coordinator 2, connecting to it
     * 2 more. The group's first rebalance waits 3 s. Sync and commit linger 10 ms. */
    expect_story(s, STORY_CLIENT | STORY_GROUP | STORY_OWNED | STORY_POSITIONS | STORY_REQUESTS, "",
                 1000, 4030,
                 "1000 g-1 FIRST_POLL\n"
                 "1004 g-1 COORDINATOR_FOUND\n"
                 "1004 g-1 JOINING\n"
                 "1007 g-1 JoinGroup MEMBER_ID_REQUIRED\n"
                 "1008 g-1 JOINING\n"
                 "1009 group g Empty -> PreparingRebalance, generation 0\n"
                 "4009 group g PreparingRebalance -> CompletingRebalance, generation 1\n"
                 "4009 g-1 JoinGroup NONE\n"
                 "4010 g-1 JOINED\n"
                 "4021 group g CompletingRebalance -> Stable, generation 1\n"
                 "4021 g-1 SyncGroup NONE\n"
                 "4022 g-1 SYNCED\n"
                 "4022 g-1 owns orders-0\n"
                 "4022 g-1 owns orders-1\n"
                 "4022 g-1 ASSIGN_CALLBACK\n"
                 "4023  OffsetFetch NONE\n"
                 "4026 g-1 at orders-0 0: RESET_EARLIEST\n"
                 "4026 g-1 at orders-1 0: RESET_EARLIEST\n");
    /* Heartbeats count from the JoinGroup response, auto-commits from the assignment. */
    expect_story(s, STORY_REQUESTS, "g-1", 4030, 14000,
                 "7011 g-1 Heartbeat NONE\n"
                 "9033 g-1 OffsetCommit NONE\n"
                 "10011 g-1 Heartbeat NONE\n"
                 "13011 g-1 Heartbeat NONE\n");
    story_free(s);
}

/* KIP-848: every target the coordinator computes is told, as what changed for whom, and the target
 * of a member that left is nobody's until the next one is computed. */
static void targets_are_told(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "30s", .partitions = "2", .members = "2",
                            .config = "group.protocol: consumer", .process = "per_record: 0ms",
                            .timeline = "{at: 20s, stop: g-1}");
    expect_story(s, STORY_TARGET | STORY_OWNED, "", 0, 30000,
                 "1007 target of g-1 +orders-0\n"
                 "1007 target of g-1 +orders-1\n"
                 "1007 target of g-1 -orders-1\n"
                 "1007 target of g-2 +orders-1\n"
                 "1018 g-1 owns orders-0\n"
                 "1018 g-1 owns orders-1\n"
                 "1030 g-1 gave up orders-1: REVOKED\n"
                 "6030 g-2 owns orders-1\n"
                 "21012 g-1 gave up orders-0: CLOSED\n"
                 "21013 target of g-1 -orders-0\n"
                 "21041 target of g-2 +orders-0\n"
                 "21064 g-2 owns orders-0\n");
    story_free(s);
}

static void a_dynamic_member_commits_and_leaves(void **state)
{
    (void)state;
    struct story *s = STORY(.config = "max.poll.records: 10", .process = "per_record: 300ms",
                            .timeline = "{at: 30s, stop: g-1}");
    /* SIGTERM comes in the middle of a batch: it is finished first. */
    expect_story(s, ~(unsigned)(STORY_DELIVERED | STORY_TARGET), "", 30000, 60000,
                 "31011 g-1 Heartbeat NONE\n"
                 "31030 g-1 processed orders-0 80+10\n"
                 "31030 g-1 CLOSING\n"
                 "31041 g-1 OffsetCommit NONE\n"
                 "31042 g-1 commit ON_CLOSE of 1: NONE\n"
                 "31042 g-1 REVOKE_CALLBACK\n"
                 "31042 g-1 gave up orders-0: CLOSED\n"
                 "31042 g-1 LEAVING\n"
                 "31043 group g Stable -> PreparingRebalance, generation 1\n"
                 "31043 group g PreparingRebalance -> Empty, generation 2\n"
                 "31053 g-1 LeaveGroup NONE\n"
                 "31054 g-1 CLOSED\n");
    story_free(s);
}

static void a_static_member_does_not_leave(void **state)
{
    (void)state;
    struct story *s = STORY(.config = "max.poll.records: 10, group.instance.id: '${POD_NAME}'",
                            .process = "per_record: 300ms", .timeline = "{at: 30s, stop: g-1}");
    expect_story(s, STORY_CLIENT | STORY_GROUP | STORY_OWNED | STORY_COMMITS, "", 30000, 60000,
                 "31028 g-1 CLOSING\n"
                 "31040 g-1 commit ON_CLOSE of 1: NONE\n"
                 "31040 g-1 REVOKE_CALLBACK\n"
                 "31040 g-1 gave up orders-0: CLOSED\n"
                 "31040 g-1 CLOSED\n");
    story_free(s);
}

/* Epoch -2: its partitions wait for it until the session that its last heartbeat began ends
 * (KIP-848).
 */
static void a_static_member_says_that_it_will_be_back(void **state)
{
    (void)state;
    struct story *s = STORY(.members = "2", .partitions = "2", .duration = "2m",
                            .config = "group.protocol: consumer, group.instance.id: '${POD_NAME}'",
                            .timeline = "{at: 20s, stop: g-1, for: 20s}, {at: 50s, stop: g-1}");
    expect_story(s, STORY_CLIENT | STORY_GROUP | STORY_OWNED, "", 20000, 120000,
                 "21000 g-1 CLOSING\n"
                 "21012 g-1 REVOKE_CALLBACK\n"
                 "21012 g-1 gave up orders-0: CLOSED\n"
                 "21012 g-1 LEAVING\n"
                 "21013 group g Stable -> Reconciling, generation 2\n"
                 "21024 g-1 CLOSED\n"
                 "40000 g-1 STARTED\n"
                 "41000 g-1 FIRST_POLL\n"
                 "41000 g-1 JOINING\n"
                 "41004 g-1 COORDINATOR_FOUND\n"
                 "41007 group g Reconciling -> Stable, generation 2\n"
                 "41018 g-1 JOINED\n"
                 "41018 g-1 owns orders-0\n"
                 "41018 g-1 ASSIGN_CALLBACK\n"
                 "41018 g-1 SYNCED\n"
                 "51000 g-1 CLOSING\n"
                 "51012 g-1 REVOKE_CALLBACK\n"
                 "51012 g-1 gave up orders-0: CLOSED\n"
                 "51012 g-1 LEAVING\n"
                 "51013 group g Stable -> Reconciling, generation 2\n"
                 "51024 g-1 CLOSED\n"
                 "91029 group g Reconciling -> Assigning, generation 3\n"
                 "91039 group g Assigning -> Stable, generation 3\n"
                 "91062 g-2 owns orders-0\n"
                 "91062 g-2 ASSIGN_CALLBACK\n"
                 "91062 g-2 SYNCED\n");
    story_free(s);
}

static void a_parked_join_holds_up_the_leave(void **state)
{
    (void)state;
    struct story *s =
        STORY(.duration = "20s", .members = "3", .timeline = "{at: 1500ms, stop: g-3}");
    /* The broker reads LeaveGroup only after it has answered the JoinGroup before it. */
    expect_story(s, STORY_CLIENT | STORY_REQUESTS, "g-3", 2500, 20000,
                 "2500 g-3 CLOSING\n"
                 "2500 g-3 LEAVING\n"
                 "7009 g-3 JoinGroup NONE\n"
                 "7009 g-3 LeaveGroup NONE\n"
                 "7010 g-3 CLOSED\n");
    story_free(s);
}

static void cooperative_members_move_partitions_in_two_rounds(void **state)
{
    (void)state;
    struct story *s = STORY(.partitions = "4", .members = "3", .strategy = "cooperative-sticky",
                            .timeline = "{at: 10s, stop: g-3}, {at: 30s, start: g-3}");
    /* Round 1 takes one partition from its owner, round 2 gives it away. Who loses nothing is told
     * of nothing. */
    expect_story(s, STORY_OWNED | STORY_GROUP, "", 30000, 60000,
                 "31009 group g Stable -> PreparingRebalance, generation 2\n"
                 "31041 group g PreparingRebalance -> CompletingRebalance, generation 3\n"
                 "31053 group g CompletingRebalance -> Stable, generation 3\n"
                 "31054 g-2 gave up orders-2: REVOKED\n"
                 "31067 group g Stable -> PreparingRebalance, generation 3\n"
                 "34057 group g PreparingRebalance -> CompletingRebalance, generation 4\n"
                 "34069 group g CompletingRebalance -> Stable, generation 4\n"
                 "34070 g-3 owns orders-2\n");
    story_free(s);
}

static void members_outlive_their_coordinator(void **state)
{
    (void)state;
    struct story *s = STORY(.duration = "2m", .brokers = "3", .partitions = "2", .members = "2",
                            .timeline = "{at: 20s, crash: coordinator of g, for: 40s}");
    /* Nobody rejoins: the generation is known to the next coordinator. */
    assert_int_equal(story_ledger(s, 0).rebalances, 0);
    assert_int_equal(story_when(s, STORY_CLIENT, 20000, "g-1 COORDINATOR_UNKNOWN", ""), 20001);
    assert_int_equal(story_count(s, STORY_CLIENT, "GENERATION_RESET", ""), 0);
    /* Failure detection takes up to 9 s. */
    int64_t found = story_when(s, STORY_COMMITS, 21000, "g-1 commit AUTO", "NONE");
    assert_in_range(found, 21000, 32000);
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_takes_two_round_trips),
        cmocka_unit_test(targets_are_told),
        cmocka_unit_test(a_dynamic_member_commits_and_leaves),
        cmocka_unit_test(a_static_member_does_not_leave),
        cmocka_unit_test(a_static_member_says_that_it_will_be_back),
        cmocka_unit_test(a_parked_join_holds_up_the_leave),
        cmocka_unit_test(cooperative_members_move_partitions_in_two_rounds),
        cmocka_unit_test(members_outlive_their_coordinator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
