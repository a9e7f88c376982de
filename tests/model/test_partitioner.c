/* Hashes and partitioners: values anybody can look up, and the corners. (8,700 recorded cases are
 * in tests/conformance.) */
#include "model/group_partition.h"
#include "model/java_string.h"
#include "model/partition_load.h"
#include "model/partitioner.h"
#include "sim/rng.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int32_t hash_of(const char *text)
{
    return java_string_hash(text, strlen(text));
}

static void java_hashes_count_utf16_units(void **state)
{
    (void)state;
    assert_int_equal(hash_of(""), 0);
    assert_int_equal(hash_of("test"), 3556498);
    assert_int_equal(hash_of("\xc3\xa9"), 0xe9);                         /* U+00E9 */
    assert_int_equal(hash_of("\xf0\x9f\x98\x80"), 31 * 0xd83d + 0xde00); /* U+1F600 */
    assert_int_equal(hash_of("polygenelubricants"), INT_MIN);            /* a known one */
}

/* Bytes that are no UTF-8 count as U+FFFD, one each. */
static void bad_utf8_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(hash_of("\xff"), 0xfffd);
    assert_int_equal(hash_of("\xc3"), 0xfffd);
    assert_int_equal(hash_of("\xc0\x80"), 31 * 0xfffd + 0xfffd);
    assert_int_equal(hash_of("\xe2\x82"), 31 * 0xfffd + 0xfffd);
}

static void java_order_is_that_of_utf16(void **state)
{
    (void)state;
    assert_true(java_string_compare("B", "_x") < 0);
    assert_true(java_string_compare("t10", "t2") < 0);
    assert_true(java_string_compare("t1", "t10") < 0);
    assert_int_equal(java_string_compare("a", "a"), 0);
    /* U+1F600 sorts before U+FF01 and U+E000 as surrogates do, after U+D7A3. */
    assert_true(java_string_compare("\xf0\x9f\x98\x80", "\xef\xbc\x81") < 0);
    assert_true(java_string_compare("\xee\x80\x80", "\xf0\x9f\x98\x80") > 0);
    assert_true(java_string_compare("\xf0\x9f\x98\x80", "\xed\x9e\xa3") > 0);
}

static void groups_are_spread_over_the_offsets_topic(void **state)
{
    (void)state;
    assert_int_equal(group_partition("test", OFFSETS_TOPIC_PARTITIONS), 48);
    assert_int_equal(group_partition("polygenelubricants", 50), 0);
}

static void keys_go_by_murmur2(void **state)
{
    (void)state;
    /* The values of Kafka's own UtilsTest. */
    assert_int_equal(murmur2((const uint8_t *)"21", 2), -973932308);
    assert_int_equal(murmur2((const uint8_t *)"foobar", 6), -790332482);
    assert_int_equal(murmur2((const uint8_t *)"a-little-bit-long-string", 24), -985981536);
    assert_int_equal(partition_for_key((const uint8_t *)"foobar", 6, 10),
                     (-790332482 & 0x7fffffff) % 10);
}

/* Queues of 0, 3 and 1: weights 4, 1 and 3, so 8 numbers go round. */
static void shorter_queues_are_chosen_more_often(void **state)
{
    (void)state;
    const int32_t available[] = {0, 1, 2};
    const int32_t sizes[] = {0, 3, 1};
    const struct partition_choice choice = {.partition_count = 3,
                                            .available = available,
                                            .available_count = 3,
                                            .queue_sizes = sizes,
                                            .queue_partitions = available,
                                            .queue_count = 3};
    int counts[3] = {0};
    for (uint32_t random = 0; random < 80; random++)
        counts[partition_adaptive(&choice, random)]++;
    assert_int_equal(counts[0], 40);
    assert_int_equal(counts[1], 10);
    assert_int_equal(counts[2], 30);
}

static void without_load_every_available_partition_has_its_turn(void **state)
{
    (void)state;
    const int32_t available[] = {1, 3};
    const struct partition_choice choice = {.partition_count = 4,
                                            .available = available,
                                            .available_count = 2};
    assert_int_equal(partition_adaptive(&choice, 0), 1);
    assert_int_equal(partition_adaptive(&choice, 0x80000001), 3); /* 31 bits count */
    const struct partition_choice nobody = {.partition_count = 4};
    assert_int_equal(partition_adaptive(&nobody, 7), 3);
}

#define PARTITIONS 37

/* Both ways to choose, over the same queues: the recorded rule, and the tree. */
static void expect_same_choices(const struct partition_load *load, const bool *has_leader,
                                const int32_t *lengths, uint32_t random)
{
    int32_t available[PARTITIONS];
    int32_t sizes[PARTITIONS];
    struct partition_choice choice = {.partition_count = PARTITIONS, .available = available};
    for (int32_t p = 0; p < PARTITIONS; p++) {
        if (!has_leader[p]) continue;
        sizes[choice.available_count] = lengths[p];
        available[choice.available_count++] = p;
    }
    assert_int_equal(partition_load_choose(load, random, false),
                     partition_adaptive(&choice, random));
    choice.queue_sizes = sizes;
    choice.queue_partitions = available;
    choice.queue_count = choice.available_count;
    assert_int_equal(partition_load_choose(load, random, true),
                     partition_adaptive(&choice, random));
}

static void load_is_kept_as_it_changes(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct partition_load load;
    partition_load_init(&load, memory);
    struct rng_key key = rng_key(1, 0, RNG_PARTITIONER);
    uint64_t draw = 0;
    for (int round = 0; round < 50; round++) {
        bool has_leader[PARTITIONS];
        int32_t lengths[PARTITIONS];
        uint64_t leaderless = rng_below(&key, draw++, 4); /* 0 = every one has a leader */
        for (int32_t p = 0; p < PARTITIONS; p++) {
            has_leader[p] = leaderless == 0 || rng_below(&key, draw++, 4) >= leaderless;
            lengths[p] = (int32_t)rng_below(&key, draw++, 3);
        }
        if (round == 0) memset(has_leader, 0, sizeof has_leader);
        partition_load_set(&load, PARTITIONS, has_leader, lengths);
        for (int step = 0; step < 200; step++) {
            int32_t p = (int32_t)rng_below(&key, draw++, PARTITIONS);
            int32_t to = step % 3 == 0 ? (int32_t)rng_below(&key, draw++, 20) : 0;
            partition_load_change(&load, p, lengths[p], to);
            lengths[p] = to;
            expect_same_choices(&load, has_leader, lengths, (uint32_t)rng_u64(&key, draw++));
        }
    }
    memory_free_all(memory);
}

static void round_robin_counts_on(void **state)
{
    (void)state;
    const int32_t available[] = {1, 3};
    assert_int_equal(partition_round_robin(4, available, 2, 0), 1);
    assert_int_equal(partition_round_robin(4, available, 2, 3), 3);
    assert_int_equal(partition_round_robin(4, NULL, 0, 6), 2);
    assert_int_equal(partition_round_robin(3, NULL, 0, 0xffffffff), 0x7fffffff % 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(java_hashes_count_utf16_units),
        cmocka_unit_test(bad_utf8_is_replaced),
        cmocka_unit_test(java_order_is_that_of_utf16),
        cmocka_unit_test(groups_are_spread_over_the_offsets_topic),
        cmocka_unit_test(keys_go_by_murmur2),
        cmocka_unit_test(shorter_queues_are_chosen_more_often),
        cmocka_unit_test(without_load_every_available_partition_has_its_turn),
        cmocka_unit_test(load_is_kept_as_it_changes),
        cmocka_unit_test(round_robin_counts_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
