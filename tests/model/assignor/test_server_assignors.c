/* uniform and the broker's range (KIP-848), rule by rule. */
#include "tests/model/assignor/group_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Topic ids decide the order: B before A. */
static void uniform_deals_blocks_in_order_of_topic_ids(void **state)
{
    (void)state;
    group_text_expect("uniform",
                      "topic B 3\ntopic A 4\nmember c1: A B\nmember c2: A B\nmember c3: A B\n",
                      "c1: B:0,1,2\nc2: A:0,1\nc3: A:2,3\n");
}

static void uniform_takes_topic_ids_as_signed(void **state)
{
    (void)state;
    group_text_expect("uniform",
                      "topic a 1 id 70000000000000000000000000000000\n"
                      "topic b 1 id 80000000000000000000000000000000\n"
                      "member c1: a b\nmember c2: a b\n",
                      "c1: b:0\nc2: a:0\n");
}

/* Quotas 2, 2, 2, 1: c4 gets only one, and c1 gives up its last although it is the first. */
static void uniform_gives_the_larger_quotas_to_the_first(void **state)
{
    (void)state;
    group_text_expect("uniform",
                      "topic B 3\ntopic A 4\n"
                      "member c1: A B | owns B:0,1,2\n"
                      "member c2: A B | owns A:0,1\n"
                      "member c3: A B | owns A:2,3\n"
                      "member c4: A B\n",
                      "c1: B:0,1\nc2: A:0,1\nc3: A:2,3\nc4: B:2\n");
}

/* c3 has the larger load already, yet c1 comes first. */
static void uniform_moves_for_the_sake_of_order(void **state)
{
    (void)state;
    group_text_expect("uniform", "topic t 3\nmember c1: t | owns t:0\nmember c2: t | owns t:1,2\n",
                      "c1: t:0,2\nc2: t:1\n");
}

static void uniform_forgets_topics_no_longer_subscribed(void **state)
{
    (void)state;
    group_text_expect("uniform",
                      "topic t 2\ntopic old 2\ntopic gone\n"
                      "member c1: t | owns old:0,1 t:1 gone:0\nmember c2: t | owns t:0,5\n",
                      "c1: t:1\nc2: t:0\n");
}

static void uniform_unequal_fills_the_least_loaded(void **state)
{
    (void)state;
    group_text_expect("uniform",
                      "topic A 6\ntopic B 6\nmember c1: A\nmember c2: A B\nmember c3: B\n",
                      "c1: A:0,2,4\nc2: A:1,3,5 B:4\nc3: B:0,1,2,3,5\n");
}

static void uniform_unequal_takes_from_the_most_loaded(void **state)
{
    (void)state;
    group_text_expect("uniform",
                      "topic A 6\ntopic B 2\n"
                      "member c1: A | owns A:0,1,2,3,4,5\nmember c2: A B\n"
                      "member c3: B | owns B:0,1\n",
                      "c1: A:0,1,2\nc2: A:3,4,5\nc3: B:0,1\n");
}

static void uniform_unequal_breaks_ties_by_id(void **state)
{
    (void)state;
    group_text_expect("uniform", "topic A 1\ntopic B 2\nmember c2: A\nmember c1: A\nmember c3: B\n",
                      "c2:\nc1: A:0\nc3: B:0,1\n");
}

static void uniform_refuses_unknown_topics(void **state)
{
    (void)state;
    group_text_expect("uniform", "topic t 1\ntopic gone\nmember a: t gone\nmember b: t gone\n",
                      "refused: unknown topic\n");
    group_text_expect("uniform", "topic t 1\ntopic gone\nmember a: t gone\nmember b: t\n",
                      "refused: unknown topic\n");
    group_text_expect("server range", "topic gone\nmember a: gone\n", "refused: unknown topic\n");
}

static void server_range_puts_static_members_first(void **state)
{
    (void)state;
    group_text_expect("server range",
                      "topic A 5\ntopic B 4\n"
                      "member m-b: A B\n"
                      "member m-a: A | instance z1\n"
                      "member m-c: A B | instance a9\n",
                      "m-b: A:4 B:2,3\nm-a: A:2,3\nm-c: A:0,1 B:0,1\n");
}

static void server_range_leaves_no_partition_out(void **state)
{
    (void)state;
    group_text_expect("server range", "topic t 4\nmember a: t\nmember b: t\nmember c: t\n",
                      "a: t:0,1\nb: t:2\nc: t:3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_deals_blocks_in_order_of_topic_ids),
        cmocka_unit_test(uniform_takes_topic_ids_as_signed),
        cmocka_unit_test(uniform_gives_the_larger_quotas_to_the_first),
        cmocka_unit_test(uniform_moves_for_the_sake_of_order),
        cmocka_unit_test(uniform_forgets_topics_no_longer_subscribed),
        cmocka_unit_test(uniform_unequal_fills_the_least_loaded),
        cmocka_unit_test(uniform_unequal_takes_from_the_most_loaded),
        cmocka_unit_test(uniform_unequal_breaks_ties_by_id),
        cmocka_unit_test(uniform_refuses_unknown_topics),
        cmocka_unit_test(server_range_puts_static_members_first),
        cmocka_unit_test(server_range_leaves_no_partition_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
