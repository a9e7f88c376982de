/* What `cohort assign` makes of a group people wrote down, and of what they got wrong: the exact
 * messages. */
#include "tools/assign_paste.h"
#include "tools/assign_report.h"
#include "tools/assign_yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct reading {
    struct diagnostics *diagnostics;
    struct assign_group group;
    bool good;
};

static struct reading read_text(const char *text)
{
    struct reading reading = {.diagnostics = diagnostics_new()};
    const int32_t source = diagnostics_add_source(reading.diagnostics, "group", text, strlen(text));
    assign_group_start(&reading.group, reading.diagnostics);
    if (assign_paste_applies(text)) {
        assign_paste_read(&reading.group, source, text, strlen(text));
    } else {
        assign_yaml_read(&reading.group, source, text, strlen(text));
    }
    reading.good = assign_group_finish(&reading.group);
    return reading;
}

static void close_reading(struct reading *reading)
{
    assign_group_free(&reading->group);
    diagnostics_free(reading->diagnostics);
}

static void expect_errors(const char *text, const char *expected)
{
    struct reading reading = read_text(text);
    char *printed = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&printed, &length);
    assert_non_null(stream);
    diagnostics_print(reading.diagnostics, stream);
    fclose(stream);
    assert_string_equal(printed, expected);
    assert_false(reading.good);
    free(printed);
    close_reading(&reading);
}

/* The table of one strategy alone, below the summary. */
static void expect_table(const char *text, const char *strategy, const char *expected)
{
    struct reading reading = read_text(text);
    assert_true(reading.good);
    struct text printed = {0};
    for (int32_t i = 0; i < strategy_count; i++) {
        if (strcmp(strategies[i].name, strategy) != 0) continue;
        const struct strategy_result result = strategy_run(&reading.group, &strategies[i]);
        assign_report_text(&printed, &reading.group, &result, 1);
    }
    const char *table = strstr(text_data(&printed), "MEMBER");
    assert_non_null(table);
    assert_string_equal(table, expected);
    text_free(&printed);
    close_reading(&reading);
}

static void unknown_topic(void **state)
{
    (void)state;
    expect_errors("topics: {orders: 3}\n"
                  "members:\n"
                  "  c1: {topics: [ordrs]}\n",
                  "group:3:17: error: members.c1.topics: unknown topic ordrs\n"
                  "    3 |   c1: {topics: [ordrs]}\n"
                  "      |                 ^~~~~\n"
                  "      = did you mean orders?\n"
                  "1 error\n");
}

static void partition_owned_twice_in_one_generation(void **state)
{
    (void)state;
    expect_errors("topics: {orders: 3}\n"
                  "members:\n"
                  "  c1: {topics: [orders], owned: {orders: 0-1}, generation: 7}\n"
                  "  c2: {topics: [orders], owned: {orders: [1, 2]}, generation: 7}\n",
                  "group:4:43: error: members.c2.owned: orders-1 is owned by member c1 in the same "
                  "generation 7\n"
                  "    4 |   c2: {topics: [orders], owned: {orders: [1, 2]}, generation: 7}\n"
                  "      |                                           ^\n"
                  "group:3:42: note: first here\n"
                  "    3 |   c1: {topics: [orders], owned: {orders: 0-1}, generation: 7}\n"
                  "      |                                          ^~~\n"
                  "1 error\n");
}

static void owned_under_another_generation_is_no_mistake(void **state)
{
    (void)state;
    expect_table("topics: {orders: 2}\n"
                 "members:\n"
                 "  c1: {topics: [orders], owned: {orders: 0-1}, generation: 6}\n"
                 "  c2: {topics: [orders], owned: {orders: 1}, generation: 7}\n",
                 "cooperative-sticky",
                 "MEMBER  NOW       cooperative-sticky\n"
                 "c1      orders:0  orders:0\n"
                 "c2      orders:1  orders:1\n"
                 "\n+3: comes from another member, or had none. (3): the same, handed over in the "
                 "second rebalance.\n");
}

static void negative_count(void **state)
{
    (void)state;
    expect_errors("topics:\n  orders: -3\nmembers: {c1: {topics: orders}}\n",
                  "group:2:11: error: topics.orders: a number of partitions cannot be -3\n"
                  "    2 |   orders: -3\n"
                  "      |           ^~\n"
                  "      = a whole number from 1 to 100000\n"
                  "1 error\n");
}

static void duplicate_member(void **state)
{
    (void)state;
    expect_errors("{\"topics\": {\"t\": 2}, \"members\": [\n"
                  "  {\"id\": \"a\", \"topics\": [\"t\"]},\n"
                  "  {\"id\": \"a\", \"topics\": [\"t\"]}]}\n",
                  "group:3:10: error: member a is there twice\n"
                  "    3 |   {\"id\": \"a\", \"topics\": [\"t\"]}]}\n"
                  "      |          ^~~\n"
                  "group:2:10: note: first here\n"
                  "    2 |   {\"id\": \"a\", \"topics\": [\"t\"]},\n"
                  "      |          ^~~\n"
                  "1 error\n");
}

static void duplicate_instance(void **state)
{
    (void)state;
    expect_errors("topics: {t: 2}\n"
                  "members:\n"
                  "  a: {topics: [t], instance: pod-1}\n"
                  "  b: {topics: [t], instance: pod-1}\n",
                  "group:4:30: error: members.b.instance: pod-1 is the instance of member a "
                  "already\n"
                  "    4 |   b: {topics: [t], instance: pod-1}\n"
                  "      |                              ^~~~~\n"
                  "group:3:30: note: first here\n"
                  "    3 |   a: {topics: [t], instance: pod-1}\n"
                  "      |                              ^~~~~\n"
                  "1 error\n");
}

static void partition_beyond_the_topic(void **state)
{
    (void)state;
    expect_errors("topics: {t: 2}\nmembers: {a: {topics: [t], owned: {t: 0-5}}}\n",
                  "group:2:39: error: members.a.owned: topic t has no partition 2\n"
                  "    2 | members: {a: {topics: [t], owned: {t: 0-5}}}\n"
                  "      |                                       ^~~\n"
                  "      = its partitions are 0 to 1\n"
                  "1 error\n");
}

static void unknown_key_and_missing_topics(void **state)
{
    (void)state;
    expect_errors("topics: {t: 2}\nmembers:\n  a: {topic: t}\n",
                  "group:3:3: error: members.a: topics is missing\n"
                  "    3 |   a: {topic: t}\n"
                  "      |   ^\n"
                  "      = what the member subscribes to: topics: [orders]\n"
                  "group:3:7: error: members.a: unknown key topic\n"
                  "    3 |   a: {topic: t}\n"
                  "      |       ^~~~~\n"
                  "      = did you mean topics?\n"
                  "2 errors\n");
}

static void racks_must_fit(void **state)
{
    (void)state;
    expect_errors("topics: {t: {partitions: 2, racks: [[a]]}}\nmembers: {a: {topics: [t]}}\n",
                  "group:1:36: error: topics.t.racks: expected one list for each of the 2 "
                  "partitions, found 1\n"
                  "    1 | topics: {t: {partitions: 2, racks: [[a]]}}\n"
                  "      |                                    ^\n"
                  "1 error\n");
}

static void racks_and_weights_are_used(void **state)
{
    (void)state;
    struct reading reading =
        read_text("topics:\n  t: {partitions: 2, racks: [[a], [b]], weight: [5, 70]}\n"
                  "members: {x: {topics: t, rack: b}, y: {topics: t, rack: a}}\n");
    assert_true(reading.good);
    const struct strategy_result result = strategy_run(&reading.group, &strategies[0]);
    assert_int_equal(result.output.owner[0], 1);
    assert_int_equal(result.output.owner[1], 0);
    assert_int_equal(result.measure.least_weight, 5);
    assert_int_equal(result.measure.most_weight, 70);
    close_reading(&reading);
}

static const char new_paste[] =
    "\n"
    "GROUP   CONSUMER-ID  GROUP-INSTANCE-ID HOST      CLIENT-ID  #PARTITIONS CURRENT-EPOCH "
    "CURRENT-ASSIGNMENT TARGET-EPOCH TARGET-ASSIGNMENT\n"
    "billing c1           pod-1             /10.0.0.1 c          3           5             "
    "orders:0,1;pay:0   5            orders:0,1;pay:0\n"
    "billing c2           -                 /10.0.0.2 c          2           5             "
    "orders:2,3         5            orders:2,3\n"
    "billing c3           -                 /10.0.0.3 c          0           5             "
    "-                  5            -\n";

static const char old_paste[] =
    "Consumer group 'billing' is rebalancing.\n"
    "\n"
    "CONSUMER-ID  HOST      CLIENT-ID  #PARTITIONS  ASSIGNMENT\n"
    "c1           /10.0.0.1 c          3            orders(0,1), pay(0)\n"
    "c2           /10.0.0.2 c          2            orders(2,3)\n"
    "c3           /10.0.0.3 c          0            -\n";

static const char paste_table[] =
    "MEMBER  NOW               sticky\n"
    "c1      orders:0-1 pay:0  orders:0 pay:0\n"
    "c2      orders:2-3        orders:2-3\n"
    "c3      -                 orders:+1\n"
    "\n+3: comes from another member, or had none. (3): the same, handed over in the second "
    "rebalance.\n";

static void pasted_text_of_all_versions(void **state)
{
    (void)state;
    expect_table(new_paste, "sticky", paste_table);
    expect_table(old_paste, "sticky", paste_table);
}

static void pasted_text_without_assignments(void **state)
{
    (void)state;
    expect_errors("GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS\ng c1 /h c 3\n",
                  "group:1:1: error: this table does not say who owns what\n"
                  "    1 | GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS\n"
                  "      | ^\n"
                  "      = kafka-consumer-groups.sh … --describe --members --verbose prints the "
                  "assignments\n"
                  "1 error\n");
}

/* The 2024 development version printed "(0,1,10)" without topics. */
static void pasted_text_without_topics(void **state)
{
    (void)state;
    expect_errors("GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS ASSIGNMENT\ng c1 /h c 2 (0,1)\n",
                  "group:2:13: error: this is no list of partitions\n"
                  "    2 | g c1 /h c 2 (0,1)\n"
                  "      |             ^~~~~\n"
                  "      = such as orders:0,1;payments:2 or orders(0,1), payments(2)\n"
                  "1 error\n");
}

static void pasted_text_of_two_groups(void **state)
{
    (void)state;
    expect_errors("GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS ASSIGNMENT\n"
                  "g c1 /h c 1 t(0)\nother c2 /h c 1 t(1)\n",
                  "group:3:1: error: a second group begins here, after g\n"
                  "    3 | other c2 /h c 1 t(1)\n"
                  "      | ^~~~~\n"
                  "      = one group at a time: paste only its lines\n"
                  "1 error\n");
}

/* Whatever bytes: a message or an answer, never harm. */
static void mutilated_texts_do_no_harm(void **state)
{
    (void)state;
    static const char yaml[] = "topics: {t: {partitions: 2, racks: [[a], [b]], weight: [5, 70]}}\n"
                               "members: {x: {topics: t, rack: b, owned: {t: [0-1]}}, y: {}}\n";
    const char *const texts[] = {yaml, new_paste, old_paste};
    for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
        const size_t length = strlen(texts[t]);
        for (size_t i = 0; i < length; i++) {
            static const char changes[] = "-:,({[0 \n~9";
            char *copy = malloc(length + 1);
            assert_non_null(copy);
            memcpy(copy, texts[t], length + 1);
            copy[i] = changes[i % (sizeof(changes) - 1)];
            struct reading reading = read_text(copy);
            if (reading.good) strategy_run(&reading.group, &strategies[i % 6]);
            close_reading(&reading);
            copy[i] = '\0';
            reading = read_text(copy);
            close_reading(&reading);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_topic),
        cmocka_unit_test(partition_owned_twice_in_one_generation),
        cmocka_unit_test(owned_under_another_generation_is_no_mistake),
        cmocka_unit_test(negative_count),
        cmocka_unit_test(duplicate_member),
        cmocka_unit_test(duplicate_instance),
        cmocka_unit_test(partition_beyond_the_topic),
        cmocka_unit_test(unknown_key_and_missing_topics),
        cmocka_unit_test(racks_must_fit),
        cmocka_unit_test(racks_and_weights_are_used),
        cmocka_unit_test(pasted_text_of_all_versions),
        cmocka_unit_test(pasted_text_without_assignments),
        cmocka_unit_test(pasted_text_without_topics),
        cmocka_unit_test(pasted_text_of_two_groups),
        cmocka_unit_test(mutilated_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
