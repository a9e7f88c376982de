/* A group at an instant, compared with what kafka-consumer-groups.sh would have printed, byte by
 * byte. */
#include "tests/tools/harness/synthetic.h"
#include "tools/group_tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char run[256];

#define ORDERS(n)   PARTITION_ID(0, n)
#define INVOICES(n) PARTITION_ID(1, n)

struct story {
    struct synthetic *s;
    name_id group;
    name_id id_one;
    name_id id_two;
    name_id one;
    name_id two;
};

static void state_becomes(const struct story *story, enum group_trace_state from,
                          enum group_trace_state to, int64_t generation, int64_t members)
{
    TRACE(story->s->sim, TRACE_GROUP_STATE, story->group, from, to, generation, members, 2);
}

static void assign(const struct story *story, name_id member, name_id id, uint32_t partition,
                   int64_t generation, bool owned)
{
    TRACE(story->s->sim, TRACE_ASSIGNED, story->group, member, id, partition, generation, owned);
}

/* 1 s: the first member forms the group; 10 s: a second, static one joins; 13 s: Stable again;
 * 20 s: the first leaves; 25 s: the second leaves; 30 s: the group is deleted. */
static int make_story(void **state)
{
    (void)state;
    struct story t = {.s = synthetic_new("describe", "orders", STORE_EVENTS_ALL)};
    struct sim *sim = t.s->sim;
    t.group = synthetic_name(t.s, "billing");
    t.one = synthetic_name(t.s, "billing-1");
    t.two = synthetic_name(t.s, "billing-2");
    t.id_one = synthetic_name(t.s, "consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11");
    t.id_two = synthetic_name(t.s, "pod-b-0f6f5a2c-9b6e-4f6a-2c58-9d1d5e1e7b11");
    name_id client_one = synthetic_name(t.s, "consumer-billing-1");
    name_id client_two = synthetic_name(t.s, "consumer-billing-pod-b");
    name_id protocol = synthetic_name(t.s, "range");

    TRACE(sim, TRACE_HIGH_WATERMARK, ORDERS(0), 1000, 1000);
    TRACE(sim, TRACE_HIGH_WATERMARK, ORDERS(10), 2000, 2000);
    TRACE(sim, TRACE_HIGH_WATERMARK, INVOICES(0), 50, 50);
    synthetic_at(t.s, SECONDS(1));
    TRACE(sim, TRACE_MEMBER_ADDED, t.group, t.one, t.id_one, NAME_NONE, NAME_NONE, client_one,
          synthetic_name(t.s, "/10.0.0.1"));
    state_becomes(&t, GROUP_TRACE_Empty, GROUP_TRACE_PreparingRebalance, 0, 1);
    synthetic_at(t.s, SECONDS(4));
    TRACE(sim, TRACE_REBALANCED, t.group, 1, 1, t.one, protocol);
    state_becomes(&t, GROUP_TRACE_PreparingRebalance, GROUP_TRACE_CompletingRebalance, 1, 1);
    assign(&t, t.one, t.id_one, ORDERS(0), 1, true);
    assign(&t, t.one, t.id_one, ORDERS(10), 1, true);
    assign(&t, t.one, t.id_one, ORDERS(2), 1, true);
    assign(&t, t.one, t.id_one, INVOICES(0), 1, true);
    state_becomes(&t, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 1, 1);
    TRACE(sim, TRACE_COMMITTED, t.group, ORDERS(0), 600, t.one, t.id_one, 1, 0);
    synthetic_at(t.s, SECONDS(10));
    TRACE(sim, TRACE_MEMBER_ADDED, t.group, t.two, t.id_two, synthetic_name(t.s, "pod-b"),
          NAME_NONE, client_two, synthetic_name(t.s, "/10.0.0.2"));
    state_becomes(&t, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 1, 2);
    TRACE(sim, TRACE_COMMITTED, t.group, ORDERS(10), 2007, t.one, t.id_one, 1, 0);
    synthetic_at(t.s, SECONDS(13));
    TRACE(sim, TRACE_REBALANCED, t.group, 2, 2, t.one, protocol);
    state_becomes(&t, GROUP_TRACE_PreparingRebalance, GROUP_TRACE_CompletingRebalance, 2, 2);
    assign(&t, t.one, t.id_one, INVOICES(0), 2, false);
    assign(&t, t.two, t.id_two, INVOICES(0), 2, true);
    state_becomes(&t, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 2, 2);
    synthetic_at(t.s, SECONDS(20));
    TRACE(sim, TRACE_MEMBER_REMOVED, t.group, t.one, t.id_one, CAUSE_MEMBER_LEFT);
    state_becomes(&t, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 2, 1);
    state_becomes(&t, GROUP_TRACE_PreparingRebalance, GROUP_TRACE_CompletingRebalance, 3, 1);
    state_becomes(&t, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 3, 1);
    synthetic_at(t.s, SECONDS(25));
    TRACE(sim, TRACE_MEMBER_REMOVED, t.group, t.two, t.id_two, CAUSE_MEMBER_LEFT);
    state_becomes(&t, GROUP_TRACE_Stable, GROUP_TRACE_Empty, 4, 0);
    synthetic_at(t.s, SECONDS(30));
    state_becomes(&t, GROUP_TRACE_Empty, GROUP_TRACE_Dead, 4, 0);
    snprintf(run, sizeof run, "%s", t.s->directory);
    synthetic_finish(t.s);
    return 0;
}

typedef void printer(const struct group_view *, bool, FILE *, FILE *);

/* Warnings are put before what goes to stdout, each marked: "E:" and "O:". */
static const char *printed_of(const char *directory, const char *group, printer *print, sim_time at,
                              bool verbose)
{
    static char both[8192];
    char *error = NULL;
    struct store_reader *reader = store_open(directory, &error);
    if (reader == NULL) fail_msg("%s", error);
    struct group_view *view = group_view_at(reader, store_find_name(reader, group), at, &error);
    assert_non_null(view);
    char *out_text = NULL;
    char *warning_text = NULL;
    size_t size;
    FILE *out = open_memstream(&out_text, &size);
    FILE *warnings = open_memstream(&warning_text, &size);
    print(view, verbose, out, warnings);
    fclose(out);
    fclose(warnings);
    snprintf(both, sizeof both, "%s%s%s%s", *warning_text ? "E:" : "", warning_text,
             *out_text ? "O:" : "", out_text);
    free(out_text);
    free(warning_text);
    group_view_free(view);
    store_close(reader);
    return both;
}

static const char *printed(printer *print, sim_time at, bool verbose)
{
    return printed_of(run, "billing", print, at, verbose);
}

static void before_the_group_there_is_none(void **state)
{
    (void)state;
    assert_string_equal(printed(group_print_offsets, 0, false),
                        "O:\nError: Consumer group 'billing' does not exist.\n");
}

static void a_stable_group_shows_everything(void **state)
{
    (void)state;
    assert_string_equal(
        printed(group_print_offsets, SECONDS(9), false),
        "O:\n"
        "GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET  LAG            "
        " "
        "CONSUMER-ID                                             HOST            CLIENT-ID\n"
        "billing         orders          0          600             1000            400            "
        " "
        "consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11 /10.0.0.1       "
        "consumer-billing-1\n"
        "billing         orders          2          -               -               -              "
        " "
        "consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11 /10.0.0.1       "
        "consumer-billing-1\n"
        "billing         orders          10         -               2000            -              "
        " "
        "consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11 /10.0.0.1       "
        "consumer-billing-1\n"
        "billing         t1              0          -               50              -              "
        " "
        "consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11 /10.0.0.1       "
        "consumer-billing-1\n");
}

/* Both coordinators describe without metadata unless Stable, so all partitions look unowned. */
static void a_rebalance_hides_the_owners(void **state)
{
    (void)state;
    assert_string_equal(printed(group_print_offsets, SECONDS(10), false),
                        "E:\nWarning: Consumer group 'billing' is rebalancing.\n"
                        "O:\n"
                        "GROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET "
                        " LAG             "
                        "CONSUMER-ID     HOST            CLIENT-ID\n"
                        "billing         orders          0          600             1000           "
                        " 400             "
                        "-               -               -\n"
                        "billing         orders          10         2007            2000           "
                        " -7              "
                        "-               -               -\n");
    assert_string_equal(printed(group_print_state, SECONDS(10), false),
                        "E:\nWarning: Consumer group 'billing' is rebalancing.\n"
                        "O:\n"
                        "GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE"
                        "                #MEMBERS\n"
                        "billing         broker-2:9092  (2)        -                    "
                        "PreparingRebalance   2\n");
}

static void members_come_by_number_of_partitions(void **state)
{
    (void)state;
    assert_string_equal(printed(group_print_members, SECONDS(13), false),
                        "O:\n"
                        "GROUP           CONSUMER-ID                                             "
                        "GROUP-INSTANCE-ID HOST            CLIENT-ID              #PARTITIONS\n"
                        "billing         consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11 "
                        "-                 /10.0.0.1       consumer-billing-1     3\n"
                        "billing         pod-b-0f6f5a2c-9b6e-4f6a-2c58-9d1d5e1e7b11              "
                        "pod-b             /10.0.0.2       consumer-billing-pod-b 1\n");
    assert_string_equal(
        printed(group_print_members, SECONDS(9), true),
        "O:\n"
        "GROUP           CONSUMER-ID                                             HOST            "
        "CLIENT-ID          #PARTITIONS     CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    "
        "TARGET-ASSIGNMENT\n"
        "billing         consumer-billing-1-9d1d5e1e-2c58-4f6a-9b6e-0f6f5a2c7b11 /10.0.0.1       "
        "consumer-billing-1 4               -               orders:0,2,10;t1:0   -               "
        "-\n");
}

static void state_of_a_stable_group(void **state)
{
    (void)state;
    assert_string_equal(printed(group_print_state, SECONDS(13), true),
                        "O:\n"
                        "GROUP           COORDINATOR (ID)          ASSIGNMENT-STRATEGY  STATE"
                        "                GROUP-EPOCH     TARGET-ASSIGNMENT-EPOCH   #MEMBERS\n"
                        "billing         broker-2:9092  (2)        range                Stable"
                        "               -               -                         2\n");
}

/* Partitions of a member that left have no owner, and none are shown without a commit. */
static void an_empty_group_keeps_its_offsets(void **state)
{
    (void)state;
    assert_string_equal(printed(group_print_offsets, SECONDS(26), true),
                        "E:\nConsumer group 'billing' has no active members.\n"
                        "O:\n"
                        "GROUP           TOPIC           PARTITION  LEADER-EPOCH    CURRENT-OFFSET "
                        " LOG-END-OFFSET  "
                        "LAG             CONSUMER-ID     HOST            CLIENT-ID\n"
                        "billing         orders          0          0               600            "
                        " 1000            "
                        "400             -               -               -\n"
                        "billing         orders          10         0               2007           "
                        " 2000            "
                        "-7              -               -               -\n");
    assert_string_equal(printed(group_print_members, SECONDS(26), false),
                        "E:\nConsumer group 'billing' has no active members.\n");
    assert_string_equal(printed(group_print_members, SECONDS(30), false),
                        "O:\nError: Consumer group 'billing' does not exist.\n");
}

/* Past the bound of the bulk kinds the last sample answers, and the view says of when it is. */
static void beyond_the_bound_samples_answer(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("describe_bounded", "orders", STORE_EVENTS_GROUPS);
    name_id group = synthetic_name(s, "billing");
    TRACE(s->sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Empty, GROUP_TRACE_Stable, 1, 1, 0);
    TRACE(s->sim, TRACE_HIGH_WATERMARK, ORDERS(0), 7, 7);
    for (int64_t step = 0; step < 5; step++) {
        synthetic_at(s, SECONDS(step));
        const struct store_sample sample = {.step = step,
                                            .at = SECONDS(step),
                                            .group = group,
                                            .partition = ORDERS(0),
                                            .log_end_offset = 100 * step,
                                            .committed_offset = 90 * step};
        store_add_sample(s->store, &sample);
    }
    char directory[256];
    snprintf(directory, sizeof directory, "%s", s->directory);
    synthetic_finish(s);
    char *error = NULL;
    struct store_reader *reader = store_open(directory, &error);
    assert_non_null(reader);
    struct group_view *view = group_view_at(reader, group, MILLISECONDS(3999), &error);
    assert_int_equal(view->offsets_at, SECONDS(3));
    assert_int_equal(view->partition_count, 1);
    assert_int_equal(view->partitions[0].log_end, 300);
    assert_int_equal(view->partitions[0].committed, 270);
    group_view_free(view);
    store_close(reader);
}

/* KIP-848: a second member joins; its target is known before the first one has given anything up,
 * and nobody's target outlives its member. */
static void targets_are_told_while_members_reconcile(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("describe_target", "orders", STORE_EVENTS_ALL);
    struct sim *sim = s->sim;
    name_id group = synthetic_name(s, "shipping");
    name_id name[] = {synthetic_name(s, "shipping-1"), synthetic_name(s, "shipping-2")};
    name_id id[] = {synthetic_name(s, "A"), synthetic_name(s, "B")};
    name_id uniform = synthetic_name(s, "uniform");
    for (int m = 0; m < 2; m++) {
        synthetic_at(s, SECONDS(1 + m));
        TRACE(sim, TRACE_MEMBER_ADDED, group, name[m], id[m], NAME_NONE, NAME_NONE, name[m],
              synthetic_name(s, "/host"));
        TRACE(sim, TRACE_REBALANCED, group, m + 1, m + 1, NAME_NONE, uniform);
        for (int p = 0; p < 2 && m == 0; p++) {
            TRACE(sim, TRACE_TARGET, group, name[0], id[0], ORDERS(p), 1, true);
            TRACE(sim, TRACE_ASSIGNED, group, name[0], id[0], ORDERS(p), 1, true);
        }
        TRACE(sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Empty, GROUP_TRACE_Reconciling, m + 1,
              m + 1, 0);
    }
    TRACE(sim, TRACE_TARGET, group, name[0], id[0], ORDERS(1), 2, false);
    TRACE(sim, TRACE_TARGET, group, name[1], id[1], ORDERS(1), 2, true);
    synthetic_at(s, SECONDS(3));
    TRACE(sim, TRACE_MEMBER_REMOVED, group, name[1], id[1], CAUSE_MEMBER_LEFT);
    char directory[256];
    snprintf(directory, sizeof directory, "%s", s->directory);
    synthetic_finish(s);
    static const char head[] =
        "E:\nWarning: Consumer group 'shipping' is rebalancing.\n"
        "O:\nGROUP           CONSUMER-ID     HOST            CLIENT-ID       #PARTITIONS     "
        "CURRENT-EPOCH   CURRENT-ASSIGNMENT   TARGET-EPOCH    TARGET-ASSIGNMENT\n";
    char expected[1024];
    snprintf(expected, sizeof expected,
             "%s"
             "shipping        A               /host           shipping-1      2               1"
             "               orders:0,1           2               orders:0\n"
             "shipping        B               /host           shipping-2      0               -"
             "               -                    2               orders:1\n",
             head);
    assert_string_equal(printed_of(directory, "shipping", group_print_members, SECONDS(2), true),
                        expected);
    snprintf(expected, sizeof expected,
             "%s"
             "shipping        A               /host           shipping-1      2               1"
             "               orders:0,1           2               orders:0\n",
             head);
    assert_string_equal(printed_of(directory, "shipping", group_print_members, SECONDS(3), true),
                        expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_group_there_is_none),
        cmocka_unit_test(a_stable_group_shows_everything),
        cmocka_unit_test(a_rebalance_hides_the_owners),
        cmocka_unit_test(members_come_by_number_of_partitions),
        cmocka_unit_test(state_of_a_stable_group),
        cmocka_unit_test(an_empty_group_keeps_its_offsets),
        cmocka_unit_test(beyond_the_bound_samples_answer),
        cmocka_unit_test(targets_are_told_while_members_reconcile),
    };
    return cmocka_run_group_tests(tests, make_story, NULL);
}
