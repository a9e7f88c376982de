/* The leader's part: from decoded subscriptions to lists of partitions. */
#include "model/assignor/leader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct memory *memory;
    struct names *names;
    struct assign_topic topics[2];
    name_id subscribed[3];
    struct subscription subscriptions[3];
    struct leader_member members[3];
};

/* Topics t1 and t2 with 2 partitions each; c1, c2 and c3 subscribe to both and to one that does not
 * exist. */
static int start(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    f->memory = memory_new();
    f->names = names_new(f->memory);
    const char *const names[] = {"t2", "gone", "t1"};
    for (int i = 0; i < 3; i++) {
        f->subscribed[i] = names_intern(f->names, names[i]);
        f->subscriptions[i] = (struct subscription){.topics = f->subscribed,
                                                    .topic_count = 3,
                                                    .user_data_is_null = true,
                                                    .generation = -1};
        f->members[i] = (struct leader_member){.id = names_format(f->names, "c%d", 3 - i),
                                               .subscription = &f->subscriptions[i]};
    }
    f->topics[0] = (struct assign_topic){.name = f->subscribed[0], .partition_count = 2};
    f->topics[1] = (struct assign_topic){.name = f->subscribed[2], .partition_count = 2};
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct fixture *f = *state;
    memory_free_all(f->memory);
    test_free(f);
    return 0;
}

static struct leader_assignment assign(struct fixture *f, const char *strategy)
{
    return leader_assign(f->memory, f->names, assignor_find(strategy, ASSIGNOR_CLIENT), f->members,
                         3, f->topics, 2);
}

static void expect(struct fixture *f, struct leader_assignment *lists, const char *expected)
{
    char text[256] = "";
    for (int32_t m = 0; m < 3; m++) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "%s:", names_text(f->names, f->members[m].id));
        for (int32_t i = lists->first[m]; i < lists->first[m + 1]; i++) {
            snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s-%d",
                     names_text(f->names, lists->partitions[i].topic),
                     lists->partitions[i].partition);
        }
        strcat(text, "\n");
    }
    assert_string_equal(text, expected);
    leader_assignment_free(f->memory, lists);
}

static void lists_come_by_topic_name_in_the_members_order(void **state)
{
    struct fixture *f = *state;
    struct leader_assignment lists = assign(f, "range");
    assert_int_equal(lists.partition_count, 4);
    expect(f, &lists, "c3:\nc2: t1-1 t2-1\nc1: t1-0 t2-0\n");
}

static struct bytes user_data(struct fixture *f, const char *topic, int32_t partition)
{
    struct topic_partition owned = {names_intern(f->names, topic), partition};
    const struct sticky_user_data data = {.owned = &owned, .owned_count = 1, .generation = 4};
    return sticky_user_data_encode(f->memory, f->names, &data);
}

/* sticky looks at the user data alone, and takes what it cannot read for nothing. */
static void sticky_reads_the_user_data(void **state)
{
    struct fixture *f = *state;
    struct topic_partition ignored = {f->subscribed[2], 0};
    f->subscriptions[0].user_data = user_data(f, "t1", 0);
    f->subscriptions[1].user_data = (struct bytes){(const uint8_t *)"\377\1", 2};
    f->subscriptions[1].owned = &ignored;
    f->subscriptions[1].owned_count = 1;
    struct leader_assignment lists = assign(f, "sticky");
    expect(f, &lists, "c3: t1-0 t2-1\nc2: t2-0\nc1: t1-1\n");
}

/* cooperative-sticky looks at the owned partitions; the user data only has a generation, and only
 * counts when the message has none. */
static void cooperative_sticky_reads_owned_and_withholds(void **state)
{
    struct fixture *f = *state;
    struct topic_partition owned[] = {{f->subscribed[2], 0},
                                      {f->subscribed[2], 1},
                                      {f->subscribed[0], 0},
                                      {names_intern(f->names, "old"), 3}};
    struct topic_partition stale = {f->subscribed[2], 1};
    f->subscriptions[0].owned = owned;
    f->subscriptions[0].owned_count = 4;
    f->subscriptions[0].user_data = cooperative_sticky_user_data_encode(f->memory, 5);
    f->subscriptions[1].owned = &stale;
    f->subscriptions[1].owned_count = 1;
    f->subscriptions[1].generation = 4;
    struct leader_assignment lists = assign(f, "cooperative-sticky");
    assert_int_equal(lists.withheld_count, 1);
    expect(f, &lists, "c3: t1-0 t2-0\nc2: t2-1\nc1:\n");
}

static void a_group_without_topics_gets_nothing(void **state)
{
    struct fixture *f = *state;
    struct leader_assignment lists =
        leader_assign(f->memory, f->names, assignor_find("roundrobin", ASSIGNOR_CLIENT), f->members,
                      3, NULL, 0);
    expect(f, &lists, "c3:\nc2:\nc1:\n");
}

/* Nothing is left behind: a leader rebalances for as long as it lives. */
/* The planted fault of I12: whoever comes first in the request gets everything. */
static enum assign_result all_to_the_first(const struct assign_input *input, struct memory *memory,
                                           struct assign_output *output)
{
    (void)input;
    (void)memory;
    for (int32_t slot = 0; slot < output->slot_count; slot++)
        output->owner[slot] = 0;
    return ASSIGN_DONE;
}

static void an_assignor_that_hangs_on_the_order_is_noticed(void **state)
{
    struct fixture *f = *state;
    const struct assignor planted = {.name = "planted",
                                     .side = ASSIGNOR_CLIENT,
                                     .assign = all_to_the_first};
    struct leader_assignment made =
        leader_assign(f->memory, f->names, &planted, f->members, 3, f->topics, 2);
    assert_false(
        leader_is_orderless(f->memory, f->names, &planted, f->members, 3, f->topics, 2, &made));
    leader_assignment_free(f->memory, &made);
    static const char *const strategies[] = {"range", "roundrobin", "sticky", "cooperative-sticky"};
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        const struct assignor *assignor = assignor_find(strategies[i], ASSIGNOR_CLIENT);
        made = assign(f, strategies[i]);
        assert_true(
            leader_is_orderless(f->memory, f->names, assignor, f->members, 3, f->topics, 2, &made));
        leader_assignment_free(f->memory, &made);
    }
}

static void memory_stays_flat(void **state)
{
    struct fixture *f = *state;
    static const char *const strategies[] = {"range", "roundrobin", "sticky", "cooperative-sticky"};
    uint64_t after_first = 0;
    f->subscriptions[0].user_data = user_data(f, "t1", 0);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 4; i++) {
            struct leader_assignment lists = assign(f, strategies[i]);
            leader_assignment_free(f->memory, &lists);
        }
        if (round == 0) after_first = memory_footprint_bytes(f->memory);
    }
    assert_int_equal(memory_footprint_bytes(f->memory), after_first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_come_by_topic_name_in_the_members_order, start, stop),
        cmocka_unit_test_setup_teardown(sticky_reads_the_user_data, start, stop),
        cmocka_unit_test_setup_teardown(cooperative_sticky_reads_owned_and_withholds, start, stop),
        cmocka_unit_test_setup_teardown(a_group_without_topics_gets_nothing, start, stop),
        cmocka_unit_test_setup_teardown(an_assignor_that_hangs_on_the_order_is_noticed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(memory_stays_flat, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
