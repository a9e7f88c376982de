/* The reference timelines of ../shared/spec/classic-coordinator.md, section 12, and some of its
 * quirks, as stories. */
#include "model/coordinator/classic_group.h"
#include "tests/harness/classic_requests.h"
#include "tests/harness/group_story.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

struct stage {
    struct coordinator_host host;
    struct group_story story;
};

/* Kafka's defaults, but a log that answers at once. */
static void set_up(struct stage *stage, int initial_delay_ms)
{
    host_init(&stage->host, NULL, NULL);
    stage->host.config.group_initial_rebalance_delay_ms = initial_delay_ms;
    stage->host.config.group_coordinator_append_linger_ms = 0;
    host_start(&stage->host);
    group_story_begin(&stage->story, stage->host.coordinator, stage->host.names);
}

/* A Stable group of `count`, its history forgotten. */
static void set_up_group(struct stage *stage, int count, bool instances)
{
    set_up(stage, 0);
    form_group(&stage->host, count, instances);
    stage->story.length = 0;
    stage->story.text[0] = '\0';
}

static void at(struct stage *stage, sim_time when)
{
    host_advance(&stage->host, when);
}

static void beat_all(struct stage *stage, sim_time when, int first, int last, int generation)
{
    at(stage, when);
    for (int i = first; i <= last; i++) {
        char member[8] = {'m', '0', '0', (char)('0' + i), '\0'};
        answer_error(&stage->host, ask_heartbeat(&stage->host, member, generation));
    }
}

static void three_consumers_start_one_after_the_other(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage, 3000);
    static const char *const members[] = {"m001", "m002", "m003"};
    for (int i = 0; i < 3; i++) {
        at(&stage, MILLISECONDS(100) * i);
        ask_join(&stage.host, (struct join_args){.version = 9});
        ask_join(&stage.host, (struct join_args){.version = 9, .member = members[i]});
    }
    at(&stage, SECONDS(7));
    group_story_expect(&stage.story,
                       "[0.000 s] m001 is to join with this id\n"
                       "[0.000 s] m001 is a member\n"
                       "[0.000 s] Empty -> PreparingRebalance\n"
                       "[0.000 s] rebalance from generation 0: Adding new member: m001\n"
                       "[0.100 s] m002 is to join with this id\n"
                       "[0.100 s] m002 is a member\n"
                       "[0.200 s] m003 is to join with this id\n"
                       "[0.200 s] m003 is a member\n"
                       /* 3 s, and 3 s more because somebody came */
                       "[6.000 s] PreparingRebalance -> CompletingRebalance\n"
                       "[6.000 s] generation 1: 3 members, led by m001\n");
    ask_sync(&stage.host, "m001", 1, "m001=t:0;m002=t:1;m003=t:2");
    group_story_expect(&stage.story, "[7.000 s] CompletingRebalance -> Stable\n");
    host_free(&stage.host);
}

static void a_crashed_member_costs_its_session_timeout(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 2, false);
    beat_all(&stage, SECONDS(4), 1, 2, 2); /* the last word of m002 */
    beat_all(&stage, SECONDS(8), 1, 1, 2);
    beat_all(&stage, SECONDS(13), 1, 1, 2);
    at(&stage, SECONDS(15));
    ask_join(&stage.host, (struct join_args){.member = "m001"});
    group_story_expect(&stage.story,
                       "[14.000 s] m002 session expired\n"
                       "[14.000 s] Stable -> PreparingRebalance\n"
                       "[14.000 s] rebalance from generation 2: removing member on heartbeat "
                       "expiration: m002\n"
                       "[15.000 s] PreparingRebalance -> CompletingRebalance\n"
                       "[15.000 s] generation 3: 1 members, led by m001\n");
    host_free(&stage.host);
}

static void the_last_to_leave_empties_the_group(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 1, false);
    at(&stage, SECONDS(1));
    ask_leave(&stage.host, "m001", NULL);
    group_story_expect(&stage.story,
                       "[1.000 s] m001 left\n"
                       "[1.000 s] Stable -> PreparingRebalance\n"
                       "[1.000 s] rebalance from generation 1: explicit `LeaveGroup` request: "
                       "m001\n"
                       "[1.000 s] PreparingRebalance -> Empty\n"
                       "[1.000 s] generation 2: 0 members\n");
    host_free(&stage.host);
}

static void a_static_member_restarts_and_nobody_notices(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 2, true);
    at(&stage, SECONDS(5));
    uint64_t join =
        ask_join(&stage.host, (struct join_args){.version = 9, .instance = "i2", .client = "pod"});
    assert_string_equal(answer_join(&stage.host, join), "m003 generation 2 leader m001 of 0");
    /* … not even an administrator: client id and host are still the former ones. */
    group_story_expect(&stage.story, "[5.000 s] m003 of pod takes the place of m002, shown as of "
                                     "client on client\n");
    /* The leader, too; it is told to keep the assignment. */
    join = ask_join(&stage.host, (struct join_args){.version = 9, .instance = "i1"});
    assert_string_equal(answer_join(&stage.host, join), "m004 generation 2 leader m004 of 2");
    group_story_expect(&stage.story, "[5.000 s] m004 of client takes the place of m001, shown as "
                                     "of client on client\n");
    host_free(&stage.host);
}

static void an_absent_static_member_keeps_its_place_through_a_rebalance(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 2, true); /* m002 is down from here on */
    at(&stage, SECONDS(1));
    ask_join(&stage.host, (struct join_args){.version = 5, .instance = "i3"});
    ask_join(&stage.host, (struct join_args){.member = "m001"});
    beat_all(&stage, SECONDS(9), 1, 1, 2);
    at(&stage, SECONDS(10)); /* its session ends before the rebalance timeout */
    group_story_expect(&stage.story,
                       "[1.000 s] m003 is a member\n"
                       "[1.000 s] Stable -> PreparingRebalance\n"
                       "[1.000 s] rebalance from generation 2: Adding new member: m003\n"
                       "[10.000 s] m002 session expired\n"
                       "[10.000 s] PreparingRebalance -> CompletingRebalance\n"
                       "[10.000 s] generation 3: 2 members, led by m001\n");
    host_free(&stage.host);
}

static void a_silent_leader_is_broken_by_the_sync_timeout(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 2, false);
    ask_join(&stage.host, (struct join_args){.member = "m001", .topics = "t,u"});
    ask_join(&stage.host, (struct join_args){.member = "m002"});
    uint64_t follower = ask_sync(&stage.host, "m002", 3, NULL);
    for (int second = 5; second < 20; second += 5) { /* it beats, and assigns nothing */
        beat_all(&stage, SECONDS(second), 1, 1, 3);
    }
    at(&stage, SECONDS(20));
    assert_int_equal(answer_error(&stage.host, follower), KAFKA_REBALANCE_IN_PROGRESS);
    group_story_expect(&stage.story,
                       "[0.000 s] Stable -> PreparingRebalance\n"
                       "[0.000 s] rebalance from generation 2: Leader re-joining group: m001\n"
                       "[0.000 s] PreparingRebalance -> CompletingRebalance\n"
                       "[0.000 s] generation 3: 2 members, led by m001\n"
                       "[20.000 s] m001 did not sync in time\n"
                       "[20.000 s] CompletingRebalance -> PreparingRebalance\n"
                       "[20.000 s] rebalance from generation 3: Removing members on pending sync "
                       "request expiration: m001\n");
    host_free(&stage.host);
}

static void who_does_not_rejoin_in_time_is_out(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 3, false);
    ask_leave(&stage.host, "m003", NULL);
    ask_join(&stage.host, (struct join_args){.member = "m002"});
    for (int second = 5; second <= 20; second += 5) { /* processes on, heartbeats, never polls */
        beat_all(&stage, SECONDS(second) - 1, 1, 1, 3);
    }
    at(&stage, SECONDS(20));
    group_story_expect(&stage.story,
                       "[0.000 s] m003 left\n"
                       "[0.000 s] Stable -> PreparingRebalance\n"
                       "[0.000 s] rebalance from generation 3: explicit `LeaveGroup` request: "
                       "m003\n"
                       "[20.000 s] m001 did not rejoin in time\n"
                       "[20.000 s] PreparingRebalance -> CompletingRebalance\n"
                       "[20.000 s] generation 4: 1 members, led by m002\n");
    host_free(&stage.host);
}

static void a_pending_id_holds_a_rebalance_up_until_it_expires(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 1, false);
    ask_join(&stage.host, (struct join_args){.version = 9});
    ask_join(&stage.host, (struct join_args){.member = "m001"});
    at(&stage, SECONDS(10));
    group_story_expect(&stage.story,
                       "[0.000 s] m002 is to join with this id\n"
                       "[0.000 s] Stable -> PreparingRebalance\n"
                       "[0.000 s] rebalance from generation 1: Leader re-joining group: m001\n"
                       "[10.000 s] PreparingRebalance -> CompletingRebalance\n"
                       "[10.000 s] generation 2: 1 members, led by m001\n");
    host_free(&stage.host);
}

static void a_tie_of_votes_goes_as_in_javas_hash_map(void **state)
{
    (void)state;
    struct stage stage;
    set_up(&stage, 1000);
    ask_join(&stage.host, (struct join_args){.protocols = "cooperative-sticky,range"});
    ask_join(&stage.host, (struct join_args){.protocols = "range,cooperative-sticky"});
    at(&stage, SECONDS(3));
    assert_string_equal(names_text(stage.host.names, classic_of(&stage.host)->protocol_name),
                        "range");
    host_free(&stage.host);
}

static void offsets_of_an_empty_group_expire_from_when_it_became_empty(void **state)
{
    (void)state;
    struct stage stage;
    set_up_group(&stage, 1, false);
    stage.host.config.offsets_retention_ms = 25 * 60 * 1000;
    ask_commit(&stage.host, "m001", 1, 0, 5);
    beat_all(&stage, SECONDS(9), 1, 1, 1);
    ask_leave(&stage.host, "m001", NULL);
    at(&stage, MINUTES(20));
    ask_commit(&stage.host, NULL, -1, 0, 6); /* does not prolong its life */
    at(&stage, MINUTES(30));
    group_story_expect(&stage.story,
                       "[0.000 s] t-0 committed at 5\n"
                       "[9.000 s] m001 left\n"
                       "[9.000 s] Stable -> PreparingRebalance\n"
                       "[9.000 s] rebalance from generation 1: explicit `LeaveGroup` request: "
                       "m001\n"
                       "[9.000 s] PreparingRebalance -> Empty\n"
                       "[9.000 s] generation 2: 0 members\n"
                       "[1200.000 s] t-0 committed at 6\n"
                       "[1800.000 s] the group is gone\n"
                       "[1800.000 s] t-0 expired or deleted\n"); /* once replicated */
    host_free(&stage.host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_consumers_start_one_after_the_other),
        cmocka_unit_test(a_crashed_member_costs_its_session_timeout),
        cmocka_unit_test(the_last_to_leave_empties_the_group),
        cmocka_unit_test(a_static_member_restarts_and_nobody_notices),
        cmocka_unit_test(an_absent_static_member_keeps_its_place_through_a_rebalance),
        cmocka_unit_test(a_silent_leader_is_broken_by_the_sync_timeout),
        cmocka_unit_test(who_does_not_rejoin_in_time_is_out),
        cmocka_unit_test(a_pending_id_holds_a_rebalance_up_until_it_expires),
        cmocka_unit_test(a_tie_of_votes_goes_as_in_javas_hash_map),
        cmocka_unit_test(offsets_of_an_empty_group_expire_from_when_it_became_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
