/* The consumer protocol's bytes: known messages by hand, and any bytes at all. (900 recorded ones
 * are in tests/conformance.) */
#include "model/consumer_protocol.h"

#include "sim/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct memory *memory;
    struct names *names;
};

static int start(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    f->memory = memory_new();
    f->names = names_new(f->memory);
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

static void expect_bytes(struct bytes actual, const char *expected, size_t length)
{
    assert_int_equal(actual.length, length);
    assert_memory_equal(actual.data, expected, length);
}

static struct subscription example(struct fixture *f)
{
    static name_id topics[2];
    static struct topic_partition owned[3];
    topics[0] = names_intern(f->names, "b");
    topics[1] = names_intern(f->names, "a");
    owned[0] = (struct topic_partition){topics[0], 1};
    owned[1] = (struct topic_partition){topics[1], 4};
    owned[2] = (struct topic_partition){topics[1], 2};
    return (struct subscription){.topics = topics,
                                 .topic_count = 2,
                                 .user_data_is_null = true,
                                 .owned = owned,
                                 .owned_count = 3,
                                 .generation = 7,
                                 .rack = names_intern(f->names, "r")};
}

/* Topics and partitions in order, whatever order they came in; later versions add fields. */
static void subscription_in_every_version(void **state)
{
    struct fixture *f = *state;
    static const char newest[] = "\0\3"
                                 "\0\0\0\2\0\1a\0\1b"
                                 "\377\377\377\377"
                                 "\0\0\0\2\0\1a\0\0\0\2\0\0\0\2\0\0\0\4\0\1b\0\0\0\1\0\0\0\1"
                                 "\0\0\0\7"
                                 "\0\1r";
    static const size_t lengths[] = {16, 46, 50, 53};
    const struct subscription said = example(f);
    for (int16_t version = 0; version <= SUBSCRIPTION_VERSION_NEWEST; version++) {
        char expected[sizeof(newest)];
        memcpy(expected, newest, sizeof(newest));
        expected[1] = (char)version;
        const struct bytes bytes = subscription_encode(f->memory, f->names, &said, version);
        expect_bytes(bytes, expected, lengths[version]);
        struct subscription read;
        assert_true(subscription_decode(f->memory, f->names, bytes, &read));
        assert_int_equal(read.topic_count, 2);
        assert_int_equal(read.owned_count, version >= 1 ? 3 : 0);
        assert_int_equal(read.generation, version >= 2 ? 7 : -1);
        assert_int_equal(read.rack, version >= 3 ? said.rack : NAME_NONE);
        assert_true(read.user_data_is_null);
        subscription_free(f->memory, &read);
        consumer_protocol_give(f->memory, bytes);
    }
}

/* A member of a later Kafka writes more; what we know of it is read. */
static void newer_version_is_read_as_the_newest_known(void **state)
{
    struct fixture *f = *state;
    static const uint8_t data[] = "\0\11\0\0\0\1\0\1a\377\377\377\377\0\0\0\0\0\0\0\5\377\377more";
    const struct bytes bytes = {.data = data, .length = sizeof(data) - 1};
    struct subscription read;
    assert_true(subscription_decode(f->memory, f->names, bytes, &read));
    assert_int_equal(read.version, SUBSCRIPTION_VERSION_NEWEST);
    assert_int_equal(read.generation, 5);
    subscription_free(f->memory, &read);
}

static void assignment_keeps_its_user_data(void **state)
{
    struct fixture *f = *state;
    struct topic_partition partitions[] = {{names_intern(f->names, "t"), 3},
                                           {names_intern(f->names, "t"), 0}};
    const struct assignment said = {.partitions = partitions,
                                    .partition_count = 2,
                                    .user_data = {(const uint8_t *)"xy", 2}};
    const struct bytes bytes = assignment_encode(f->memory, f->names, &said, 1);
    expect_bytes(bytes, "\0\1\0\0\0\1\0\1t\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\2xy", 27);
    struct assignment read;
    assert_true(assignment_decode(f->memory, f->names, bytes, &read));
    assert_int_equal(read.partition_count, 2);
    assert_int_equal(read.partitions[1].partition, 3);
    assert_int_equal(read.user_data.length, 2);
    assignment_free(f->memory, &read);
}

/* The oldest layout of the sticky user data has no generation. */
static void sticky_user_data_with_and_without_generation(void **state)
{
    struct fixture *f = *state;
    const name_id a = names_intern(f->names, "a");
    const name_id b = names_intern(f->names, "b");
    struct topic_partition owned[] = {{b, 1}, {a, 0}, {b, 0}};
    const struct sticky_user_data said = {.owned = owned, .owned_count = 3, .generation = 9};
    const struct bytes bytes = sticky_user_data_encode(f->memory, f->names, &said);
    expect_bytes(bytes, "\0\0\0\2\0\1b\0\0\0\2\0\0\0\1\0\0\0\0\0\1a\0\0\0\1\0\0\0\0\0\0\0\11", 34);
    struct sticky_user_data read;
    assert_true(sticky_user_data_decode(f->memory, f->names, bytes, &read));
    assert_int_equal(read.generation, 9);
    assert_int_equal(read.owned_count, 3);
    sticky_user_data_free(f->memory, &read);
    const struct bytes older = {.data = bytes.data, .length = bytes.length - 4};
    assert_true(sticky_user_data_decode(f->memory, f->names, older, &read));
    assert_int_equal(read.generation, -1);
    assert_int_equal(read.owned_count, 3);
    sticky_user_data_free(f->memory, &read);
}

/* Counts that promise more than there is must not take memory for it. */
static void lying_counts_are_refused(void **state)
{
    struct fixture *f = *state;
    static const uint8_t topics[] = "\0\1\177\377\377\377";
    static const uint8_t partitions[] = "\0\1\0\0\0\0\377\377\377\377\0\0\0\1\0\1a\177\377\377\377";
    static const uint8_t negative[] = "\0\1\377\377\377\376";
    struct subscription read;
    const uint64_t before = memory_footprint_bytes(f->memory);
    assert_false(subscription_decode(f->memory, f->names, (struct bytes){topics, 6}, &read));
    assert_false(subscription_decode(f->memory, f->names, (struct bytes){partitions, 21}, &read));
    assert_false(subscription_decode(f->memory, f->names, (struct bytes){negative, 6}, &read));
    assert_false(subscription_decode(f->memory, f->names, (struct bytes){NULL, 0}, &read));
    assert_true(memory_footprint_bytes(f->memory) - before < 1000000);
}

/* Random bytes, and messages with one byte changed: an answer or a refusal, and what is read comes
 * out again as it was. */
static void any_bytes_are_safe(void **state)
{
    struct fixture *f = *state;
    const struct rng_key key = rng_key(11, 0, RNG_TEST);
    struct rng rng = rng_start(&key, 0);
    const struct subscription said = example(f);
    const struct bytes good =
        subscription_encode(f->memory, f->names, &said, SUBSCRIPTION_VERSION_NEWEST);
    uint8_t data[64];
    long readable = 0;
    for (int trial = 0; trial < 20000; trial++) {
        const uint32_t length = (uint32_t)rng_next_below(&rng, sizeof(data));
        for (uint32_t i = 0; i < sizeof(data); i++) {
            data[i] = (uint8_t)rng_next_below(&rng, trial % 2 == 0 ? 256 : 4);
        }
        struct bytes bytes = {.data = data, .length = length};
        if (trial % 4 == 3) {
            memcpy(data, good.data, good.length);
            data[rng_next_below(&rng, good.length)] = (uint8_t)rng_next_below(&rng, 256);
            bytes.length = good.length;
        }
        struct subscription subscription;
        struct assignment assignment;
        struct sticky_user_data user_data;
        int32_t generation;
        if (subscription_decode(f->memory, f->names, bytes, &subscription)) {
            const struct bytes again =
                subscription_encode(f->memory, f->names, &subscription, subscription.version);
            struct subscription read;
            assert_true(subscription_decode(f->memory, f->names, again, &read));
            assert_int_equal(read.owned_count, subscription.owned_count);
            assert_int_equal(read.topic_count, subscription.topic_count);
            subscription_free(f->memory, &read);
            consumer_protocol_give(f->memory, again);
            subscription_free(f->memory, &subscription);
            readable++;
        }
        if (assignment_decode(f->memory, f->names, bytes, &assignment)) {
            assignment_free(f->memory, &assignment);
        }
        if (sticky_user_data_decode(f->memory, f->names, bytes, &user_data)) {
            sticky_user_data_free(f->memory, &user_data);
        }
        cooperative_sticky_user_data_decode(bytes, &generation);
    }
    assert_true(readable > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(subscription_in_every_version, start, stop),
        cmocka_unit_test_setup_teardown(newer_version_is_read_as_the_newest_known, start, stop),
        cmocka_unit_test_setup_teardown(assignment_keeps_its_user_data, start, stop),
        cmocka_unit_test_setup_teardown(sticky_user_data_with_and_without_generation, start, stop),
        cmocka_unit_test_setup_teardown(lying_counts_are_refused, start, stop),
        cmocka_unit_test_setup_teardown(any_bytes_are_safe, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
