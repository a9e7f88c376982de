#include "model/coordinator/group_log.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#define KINDS 8

static uint8_t some_bytes[] = {1, 2, 3};

/* One record of each type, with a value. */
static void make_all(struct memory *memory, struct names *names, struct group_record *records)
{
    name_id group = names_intern(names, "group"), member = names_intern(names, "member");
    struct topic_partition partitions[] = {{member, 0}, {member, 1}, {group, 0}};
    struct classic_member_value members[] = {
        {.id = member,
         .client_id = group,
         .rebalance_timeout_ms = 1,
         .session_timeout_ms = 2,
         .subscription = {.data = some_bytes, .length = 3},
         .assignment = {.data = some_bytes, .length = 1}},
    };
    struct classic_protocol_value protocol = {.name = group,
                                              .metadata = {.data = some_bytes, .length = 2}};
    name_id topics[] = {group, member};
    struct topics_value *topics_value =
        memory_take(memory, sizeof(*topics_value) + sizeof(topics_value->topics[0]));
    topics_value->count = 1;
    topics_value->topics[0].topic = group;
    topics_value->topics[0].partitions = 4;
    records[0] = group_record_offset(memory, group, partitions[1],
                                     &(struct offset_value){.offset = 5,
                                                            .leader_epoch = -1,
                                                            .metadata = NAME_EMPTY,
                                                            .commit_timestamp_ms = 6,
                                                            .expire_timestamp_ms = -1});
    records[1] = group_record_classic(memory, group,
                                      &(struct classic_group_value){.protocol_type = group,
                                                                    .generation = 3,
                                                                    .member_count = 1,
                                                                    .members = members});
    records[2] = group_record_epoch(memory, RECORD_CONSUMER_GROUP_EPOCH, group,
                                    &(struct epoch_value){.epoch = 7});
    records[3] = group_record_topics(memory, group, topics_value);
    records[4] =
        group_record_consumer_member(memory, group, member,
                                     &(struct consumer_member_value){.client_id = group,
                                                                     .topics = topics,
                                                                     .topic_count = 2,
                                                                     .is_classic = true,
                                                                     .protocols = &protocol,
                                                                     .protocol_count = 1});
    records[5] = group_record_epoch(memory, RECORD_CONSUMER_ASSIGNMENT_EPOCH, group,
                                    &(struct epoch_value){.epoch = 7});
    records[6] = group_record_target(memory, group, member, partitions, 3);
    records[7] = group_record_current(memory, group, member,
                                      &(struct current_assignment_value){.epoch = 7,
                                                                         .previous_epoch = 6,
                                                                         .assigned = partitions,
                                                                         .assigned_count = 2,
                                                                         .revoking = partitions + 2,
                                                                         .revoking_count = 1});
}

static void each_type_is_copied_whole(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    struct group_record records[KINDS];
    make_all(memory, names, records);
    for (int i = 0; i < KINDS; i++) {
        struct group_record copy = group_record_copy(memory, &records[i]);
        assert_true(group_record_equal(&records[i], &copy));
        assert_ptr_not_equal(records[i].value, copy.value);
        group_record_measure(names, &copy);
        assert_true(copy.size_bytes > 20);
        /* Every byte of the value is in the copy's own block: the original may go. */
        memset(records[i].value, 0xee, records[i].value_size);
        struct group_record again = group_record_copy(memory, &copy);
        assert_true(group_record_equal(&copy, &again));
        group_record_free(memory, &copy);
        group_record_free(memory, &again);
    }
    memory_free_all(memory);
}

static void keys_and_values_tell_records_apart(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    struct group_record records[KINDS], tombstone;
    make_all(memory, names, records);
    for (int i = 0; i < KINDS; i++) {
        for (int j = 0; j < KINDS; j++) {
            assert_int_equal(group_record_same_key(&records[i], &records[j]), i == j);
            assert_int_equal(group_record_equal(&records[i], &records[j]), i == j);
        }
        tombstone = records[i];
        tombstone.value = NULL;
        tombstone.value_size = 0;
        assert_true(group_record_same_key(&records[i], &tombstone));
        assert_int_equal(group_record_key_hash(&records[i]), group_record_key_hash(&tombstone));
        assert_false(group_record_equal(&records[i], &tombstone));
        struct group_record copy = group_record_copy(memory, &tombstone);
        assert_true(group_record_equal(&tombstone, &copy));
    }
    memory_free_all(memory);
}

static void an_offset_record_has_the_size_kafka_gives_it(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    struct group_record records[KINDS];
    make_all(memory, names, records);
    group_record_measure(names, &records[0]);
    /* key: version 2, "group" 2 + 5, topic "member" 2 + 6, partition 4; value (v3): version 2,
     * offset 8, leader epoch 4, metadata 2, timestamp 8; record overhead 8. */
    assert_int_equal(records[0].size_bytes, 21 + 24 + 8);
    memory_free_all(memory);
}

static void a_batch_lives_as_long_as_its_last_holder(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct names *names = names_new(memory);
    struct group_record records[KINDS];
    make_all(memory, names, records);
    struct group_log_batch *batch = group_log_batch_new(memory);
    for (int i = 0; i < KINDS; i++)
        group_log_batch_add(batch, &records[i]);
    assert_int_equal(group_log_batch_offsets(batch), KINDS);
    assert_ptr_equal(group_log_batch_hold(batch), batch);
    group_log_batch_release(batch);
    assert_true(group_record_equal(&batch->records[2], &records[2]));
    group_log_batch_release(batch);
    struct group_log_batch *marker = group_log_batch_new(memory);
    marker->marker = MARKER_ABORT;
    assert_int_equal(group_log_batch_offsets(marker), 1);
    group_log_batch_release(marker);
    group_log_batch_release(NULL);
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_copied_whole),
        cmocka_unit_test(keys_and_values_tell_records_apart),
        cmocka_unit_test(an_offset_record_has_the_size_kafka_gives_it),
        cmocka_unit_test(a_batch_lives_as_long_as_its_last_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
