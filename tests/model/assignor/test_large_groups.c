/* The groups of the recorded JVM timings (1,000 members, 10,000 partitions), of which it is known
 * how many partitions move; and a smaller one with overlapping subscriptions against the rules
 * written down word by word. */
#include "model/assignor/measure.h"
#include "tests/model/assignor/group_text.h"
#include "tests/model/assignor/reference_sticky.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct large {
    struct memory *memory;
    struct names *names;
    struct assign_topic topics[10];
    struct assign_input input;
    struct assign_member *members; /* the input's */
};

/* Member m subscribes to topics m, m+1, … modulo 10, `width` of them. */
static struct large large_new(int32_t members, int32_t partitions, int32_t width)
{
    struct large large = {.memory = memory_new()};
    large.names = names_new(large.memory);
    for (int32_t t = 0; t < 10; t++) {
        large.topics[t] = (struct assign_topic){.name = names_format(large.names, "topic-%02d", t),
                                                .partition_count = partitions,
                                                .id_low = t + 1};
    }
    large.members = memory_keep(large.memory, sizeof(struct assign_member) * (size_t)members);
    for (int32_t m = 0; m < members; m++) {
        int32_t *topics = memory_keep(large.memory, sizeof(int32_t) * 10);
        for (int32_t i = 0; i < width; i++)
            topics[i] = (m + i) % 10;
        large.members[m] = (struct assign_member){.id = names_format(large.names, "member-%05d", m),
                                                  .topics = topics,
                                                  .topic_count = width,
                                                  .generation = -1,
                                                  .user_data_generation = -1};
    }
    large.input =
        (struct assign_input){.names = large.names, .topic_count = 10, .members = large.members};
    return large;
}

static struct assign_output assign(struct large *large, const char *name, int32_t members)
{
    large->input.topics = large->topics;
    large->input.member_count = members;
    struct assign_output output = assign_output_new(large->memory, &large->input);
    group_text_assignor(name)->assign(&large->input, large->memory, &output);
    return output;
}

/* Members adopt what they were given; `gone` leaves the group (-1 = nobody), the last takes its
 * place in the list. */
static void adopt(struct large *large, const struct assign_output *output, int32_t members,
                  int32_t gone)
{
    for (int32_t m = 0; m < members; m++) {
        struct assign_member *member = &large->members[m];
        int32_t count = 0;
        for (int32_t s = 0; s < output->slot_count; s++)
            count += output->owner[s] == m;
        struct assign_partition *owned =
            memory_keep(large->memory, sizeof(*owned) * ((size_t)count + 1));
        count = 0;
        for (int32_t t = 0; t < 10; t++) {
            for (int32_t s = output->first_slot[t]; s < output->first_slot[t + 1]; s++) {
                if (output->owner[s] != m) continue;
                owned[count++] =
                    (struct assign_partition){.topic = t, .partition = s - output->first_slot[t]};
            }
        }
        member->owned = member->user_data_owned = owned;
        member->owned_count = member->user_data_owned_count = count;
        member->generation = member->user_data_generation = 1;
    }
    if (gone >= 0) large->members[gone] = large->members[members - 1];
}

static struct assign_measure measure(struct large *large, const struct assign_output *output)
{
    const struct measure_options options = {.claims = MEASURE_OWNED};
    return measure_assignment(&large->input, output, &options, large->memory);
}

static const struct expected {
    const char *assignor;
    int32_t leaves_moved; /* of those whose owner is still there */
    int32_t leaves_least, leaves_most;
    int32_t joins_moved;
    int32_t joins_least, joins_most;
} expected[] = {
    {"sticky", 0, 10, 11, 9, 9, 10},          {"cooperative-sticky", 0, 10, 11, 9, 9, 10},
    {"uniform", 0, 10, 11, 9, 9, 10},         {"range", 4990, 10, 20, 0, 0, 10},
    {"server range", 4990, 10, 20, 0, 0, 10}, {"roundrobin", 9490, 10, 11, -1, 9, 10},
};

/* The JVM's uniform moved 10 when one joined: there the newcomer came early in hash order and had
 * the larger quota. By id it comes last and gets 9. */
static void movement_is_as_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        const struct expected *e = &expected[i];
        struct large large = large_new(1001, 1000, 10);
        struct assign_output initial = assign(&large, e->assignor, 1000);
        struct assign_measure result = measure(&large, &initial);
        assert_int_equal(result.least, 10);
        assert_int_equal(result.most, 10);

        adopt(&large, &initial, 1000, -1);
        struct assign_output joins = assign(&large, e->assignor, 1001);
        result = measure(&large, &joins);
        if (e->joins_moved >= 0) assert_int_equal(result.moved, e->joins_moved);
        assert_int_equal(result.least, e->joins_least);
        assert_int_equal(result.most, e->joins_most);
        if (strcmp(e->assignor, "cooperative-sticky") == 0) assert_int_equal(result.withheld, 9);

        adopt(&large, &initial, 1000, 500);
        struct assign_output leaves = assign(&large, e->assignor, 999);
        result = measure(&large, &leaves);
        assert_int_equal(result.moved, e->leaves_moved);
        assert_int_equal(result.least, e->leaves_least);
        assert_int_equal(result.most, e->leaves_most);
        memory_free_all(large.memory);
    }
}

static void expect_reference(struct large *large, const struct assign_output *ours)
{
    int32_t *reference =
        memory_keep(large->memory, sizeof(int32_t) * ((size_t)ours->slot_count + 1));
    assert_true(reference_sticky(&large->input, true, ours, reference) < REFERENCE_PASSES);
    assert_memory_equal(ours->owner, reference, sizeof(int32_t) * (size_t)ours->slot_count);
}

/* Initial, one leaves, one joins: the shape for which Kafka takes longest. */
static void overlapping_subscriptions_follow_the_rules(void **state)
{
    (void)state;
    struct large large = large_new(61, 60, 3);
    struct assign_output initial = assign(&large, "sticky", 60);
    expect_reference(&large, &initial);
    adopt(&large, &initial, 60, -1);
    struct assign_output joins = assign(&large, "sticky", 61);
    expect_reference(&large, &joins);
    adopt(&large, &initial, 60, 30);
    struct assign_output leaves = assign(&large, "sticky", 59);
    expect_reference(&large, &leaves);
    memory_free_all(large.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(movement_is_as_recorded),
        cmocka_unit_test(overlapping_subscriptions_follow_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
