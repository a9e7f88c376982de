/* range, roundrobin, sticky and cooperative-sticky, rule by rule. Each test is named after the rule
 * it holds; tests/cmake/assignor.cmake plants mistakes and demands that the named test notices. */
#include "tests/model/assignor/group_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void range_gives_the_surplus_to_the_first(void **state)
{
    (void)state;
    group_text_expect("range", "topic t 5\nmember a: t\nmember b: t\nmember c: t\n",
                      "a: t:0,1\nb: t:2,3\nc: t:4\n");
}

static void range_puts_static_members_first(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic orders 5\ntopic pay 4\n"
                      "member m-b: orders pay\n"
                      "member m-a: orders pay | instance z1\n"
                      "member m-c: orders pay | instance a9\n",
                      "m-b: orders:4 pay:3\n"
                      "m-a: orders:2,3 pay:2\n"
                      "m-c: orders:0,1 pay:0,1\n");
}

static void range_deals_each_topic_to_its_own_subscribers(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic t1 3\ntopic t2 3\ntopic gone\n"
                      "member a: t1\nmember b: t1 t2\nmember c: gone\n",
                      "a: t1:0,1\nb: t1:2 t2:0,1,2\nc:\n");
}

static void range_ignores_what_members_own(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic t 2\nmember a: t | generation 3 | owns t:1\n"
                      "member b: t | generation 3 | owns t:0\n",
                      "a: t:0\nb: t:1\n");
}

static void range_matches_racks(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic t 4 racks x y x y\nmember A: t | rack y\nmember B: t | rack x\n",
                      "A: t:1,3\nB: t:0,2\n");
}

static void range_matches_copartitioned_topics_together(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic t 3 racks x y x\ntopic u 3 racks x x,y y\n"
                      "member A: t u | rack y\nmember B: t u | rack x\n",
                      "A: t:1,2 u:1,2\nB: t:0 u:0\n");
}

/* Both a and b are near partition 0; the rack named first does not count, the member order does. */
static void range_prefers_the_first_near_all(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic t 3 racks y,x x y\ntopic u 3 racks y,x x y\n"
                      "member a: t u | rack y\nmember b: t u | rack x\nmember c: t u\n",
                      "a: t:0 u:0\nb: t:1 u:1\nc: t:2 u:2\n");
}

static void range_ignores_racks_that_cannot_help(void **state)
{
    (void)state;
    group_text_expect("range",
                      "topic t 2 racks x,y y,x\nmember A: t | rack y\nmember B: t | rack x\n",
                      "A: t:0\nB: t:1\n");
    group_text_expect("range", "topic t 2 racks x y\nmember A: t | rack q\nmember B: t | rack q\n",
                      "A: t:0\nB: t:1\n");
}

static void roundrobin_carries_its_position_over(void **state)
{
    (void)state;
    group_text_expect("roundrobin",
                      "topic t1 3\ntopic t2 2\nmember a: t1 t2\nmember b: t1\nmember c: t2\n",
                      "a: t1:0,2 t2:1\nb: t1:1\nc: t2:0\n");
}

static void roundrobin_gives_one_each_in_turn(void **state)
{
    (void)state;
    group_text_expect("roundrobin", "topic t 5\nmember b: t\nmember a: t | instance z\n",
                      "b: t:1,3\na: t:0,2,4\n");
}

static void sticky_deals_in_a_circle(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic a 4\ntopic b 3\nmember c1: a b\nmember c2: a b\nmember c3: a b\n",
                      "c1: a:0,3 b:2\nc2: a:1 b:0\nc3: a:2 b:1\n");
}

/* Low 1, high 2, three may have high: c1 owns three and keeps two, c2 and c3 keep their two. */
static void sticky_keeps_as_much_as_balance_allows(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic a 4\ntopic b 3\n"
                      "member c1: a b | generation 1 | owns a:0,3 b:2\n"
                      "member c2: a b | generation 1 | owns a:1 b:0\n"
                      "member c3: a b | generation 1 | owns a:2 b:1\n"
                      "member c4: a b\n",
                      "c1: a:0 b:2\nc2: a:1 b:0\nc3: a:2 b:1\nc4: a:3\n");
}

/* One may have three: the first by id, where Java's hash order would have chosen c3. */
static void sticky_lets_the_first_by_id_keep_more(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t 9\n"
                      "member c1: t | generation 1 | owns t:0,3,6\n"
                      "member c2: t | generation 1 | owns t:1,4,7\n"
                      "member c3: t | generation 1 | owns t:2,5,8\n"
                      "member c4: t\n",
                      "c1: t:0,3,6\nc2: t:1,4\nc3: t:2,5\nc4: t:7,8\n");
}

/* Who must release keeps the lowest partition numbers of all topics, not the first topic. */
static void sticky_keeps_low_numbers_before_first_topics(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic a 2\ntopic b 2\n"
                      "member c1: a b | generation 1 | owns a:0,1 b:0,1\nmember c2: a b\n",
                      "c1: a:0 b:0\nc2: a:1 b:1\n");
}

static void sticky_settles_claims_by_generation(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t 4\n"
                      "member p: t | generation 4 | owns t:0,1,2\n"
                      "member q: t | generation 5 | owns t:1,3\n"
                      "member r: t | generation 5 | owns t:3\n",
                      "p: t:0,2\nq: t:1\nr: t:3\n");
}

static void sticky_drops_claims_on_partitions_that_do_not_exist(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t 2\ntopic gone\n"
                      "member a: t | generation 2 | owns t:1,2,7 gone:0\n"
                      "member b: t | generation 2 | owns t:-1,9\n",
                      "a: t:1\nb: t:0\n");
    group_text_expect("cooperative-sticky",
                      "topic t 2\ntopic u 1\ntopic gone\n"
                      "member a: t | generation 2 | owns t:1,2,7 gone:0\n"
                      "member b: t u | generation 2 | owns t:-1,9\n",
                      "a: t:0,1\nb: u:0\n");
}

static void sticky_prefers_racks_to_stickiness(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t 6 racks x y x y x y\n"
                      "member c1: t | rack x | generation 1 | owns t:1,3,5\n"
                      "member c2: t | rack y | generation 1 | owns t:0,2,4\n"
                      "member c3: t\n",
                      "c1: t:0,2\nc2: t:1,3\nc3: t:4,5\n");
}

static void sticky_unequal_gives_to_the_least_loaded(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t1 3\ntopic t2 3\nmember A: t1\nmember B: t1 t2\nmember C: t2\n",
                      "A: t1:0,2\nB: t1:1 t2:1\nC: t2:0,2\n");
}

/* A has nothing that C could use, B has two more than C. */
static void sticky_unequal_moves_from_two_more_on(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t1 2\ntopic t2 2\n"
                      "member A: t1 | generation 5 | owns t1:0,1\n"
                      "member B: t1 t2 | generation 5 | owns t2:0,1\n"
                      "member C: t2\n",
                      "A: t1:0,1\nB: t2:1\nC: t2:0\n");
}

static void empty_subscription_first_gets_nothing(void **state)
{
    (void)state;
    static const char group[] = "topic t 3\nmember a:\nmember b: t\nmember c: t\n";
    group_text_expect("sticky", group, "a:\nb: t:0,2\nc: t:1\n");
    group_text_expect("cooperative-sticky", group, "a:\nb: t:0,2\nc: t:1\n");
}

/* b's old claim on t:0 must not bring it a topic it has left. */
static void older_owner_that_left_the_topic_gets_nothing(void **state)
{
    (void)state;
    group_text_expect("sticky",
                      "topic t 3\ntopic u 1\n"
                      "member a: t | generation 5 | owns t:0,1,2\n"
                      "member b: u | generation 3 | owns t:0\n"
                      "member c: t u\n",
                      "a: t:1,2\nb: u:0\nc: t:0\n");
}

static void cooperative_withholds_what_another_must_give_up(void **state)
{
    (void)state;
    group_text_expect("cooperative-sticky",
                      "topic t 3\nmember a: t | generation 1 | owns t:0,1,2\nmember b: t\n",
                      "a: t:0,1\nb:\nwithheld: t:2 for b\n");
}

static void cooperative_gives_at_once_what_nobody_has(void **state)
{
    (void)state;
    group_text_expect("cooperative-sticky",
                      "topic t 3\nmember a: t | generation 1 | owns t:0\nmember b: t\n",
                      "a: t:0,2\nb: t:1\n");
}

static void cooperative_withholds_what_is_contested(void **state)
{
    (void)state;
    group_text_expect("cooperative-sticky",
                      "topic t 4\n"
                      "member p: t | generation 4 | owns t:0,1,2\n"
                      "member q: t | generation 5 | owns t:1,3\n"
                      "member r: t | generation 5 | owns t:3\n",
                      "p: t:0,2\nq: t:1\nr:\nwithheld: t:3 for r\n");
}

/* Old members say their generation in the user data only: the later claim prevails, and whoever has
 * it must let one go (recorded: dev-cooperative-sticky-02780). */
static void cooperative_withholds_what_the_holder_releases(void **state)
{
    (void)state;
    group_text_expect("cooperative-sticky",
                      "topic t 2\n"
                      "member a: t | generation 11 | field -1 | owns t:0,1\n"
                      "member b: t | generation 11 | field -1 | owns t:0,1\n",
                      "a:\nb: t:0\nwithheld: t:1 for a\n");
}

static void cooperative_unequal_withholds_what_another_lists(void **state)
{
    (void)state;
    group_text_expect("cooperative-sticky",
                      "topic t1 3\ntopic t2 3\n"
                      "member A: t1 | generation 5 | owns t1:0,1,2\n"
                      "member B: t1 t2 | generation 5 | owns t2:0,1,2\n"
                      "member C: t2\n",
                      "A: t1:0,1,2\nB: t2:1,2\nC:\nwithheld: t2:0 for C\n");
}

/* m00 lists t10:1 under generation 3, m05 holds it under 6 (recorded:
 * dev-cooperative-sticky-03933). Kafka gives it to m00 at once. */
static void cooperative_withholds_from_an_outdated_claim(void **state)
{
    (void)state;
    group_text_expect("cooperative-sticky",
                      "topic emails-8 3\ntopic returns4 3\ntopic t10 3\n"
                      "member m00: t10 | generation 3 | owns t10:1\n"
                      "member m01: emails-8 | generation 6\n"
                      "member m03: emails-8 returns4 | generation 4 | owns emails-8:0,2 "
                      "returns4:0,1,2\n"
                      "member m05: emails-8 returns4 t10 | generation 6 | owns emails-8:1 "
                      "t10:0,1,2\n",
                      "m00:\nm01:\nm03: returns4:0,1,2\nm05: emails-8:1 t10:2\n"
                      "withheld: emails-8:0 for m01\nwithheld: emails-8:2 for m01\n"
                      "withheld: t10:0 for m00\nwithheld: t10:1 for m00\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_gives_the_surplus_to_the_first),
        cmocka_unit_test(range_puts_static_members_first),
        cmocka_unit_test(range_deals_each_topic_to_its_own_subscribers),
        cmocka_unit_test(range_ignores_what_members_own),
        cmocka_unit_test(range_matches_racks),
        cmocka_unit_test(range_matches_copartitioned_topics_together),
        cmocka_unit_test(range_prefers_the_first_near_all),
        cmocka_unit_test(range_ignores_racks_that_cannot_help),
        cmocka_unit_test(roundrobin_carries_its_position_over),
        cmocka_unit_test(roundrobin_gives_one_each_in_turn),
        cmocka_unit_test(sticky_deals_in_a_circle),
        cmocka_unit_test(sticky_keeps_as_much_as_balance_allows),
        cmocka_unit_test(sticky_lets_the_first_by_id_keep_more),
        cmocka_unit_test(sticky_keeps_low_numbers_before_first_topics),
        cmocka_unit_test(sticky_settles_claims_by_generation),
        cmocka_unit_test(sticky_drops_claims_on_partitions_that_do_not_exist),
        cmocka_unit_test(sticky_prefers_racks_to_stickiness),
        cmocka_unit_test(sticky_unequal_gives_to_the_least_loaded),
        cmocka_unit_test(sticky_unequal_moves_from_two_more_on),
        cmocka_unit_test(empty_subscription_first_gets_nothing),
        cmocka_unit_test(older_owner_that_left_the_topic_gets_nothing),
        cmocka_unit_test(cooperative_withholds_what_another_must_give_up),
        cmocka_unit_test(cooperative_gives_at_once_what_nobody_has),
        cmocka_unit_test(cooperative_withholds_what_is_contested),
        cmocka_unit_test(cooperative_withholds_what_the_holder_releases),
        cmocka_unit_test(cooperative_unequal_withholds_what_another_lists),
        cmocka_unit_test(cooperative_withholds_from_an_outdated_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
