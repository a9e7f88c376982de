/* Logs of replicas that agree, part and meet again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/partition_log.h"

#include <stdlib.h>

struct logs {
    struct memory *memory;
    struct partition_log_options options;
    struct partition_log log;
    struct replica_log a;
    struct replica_log b;
    struct replica_log *all[2];
};

static void setup(struct logs *logs, uint32_t batches_max)
{
    logs->memory = memory_new();
    logs->options = (struct partition_log_options){.memory = logs->memory,
                                                   .batches_max = batches_max,
                                                   .segment_bytes = 10000,
                                                   .segment_ms = -1};
    partition_log_init(&logs->log, &logs->options);
    replica_log_init(&logs->a, &logs->log);
    replica_log_init(&logs->b, &logs->log);
    logs->all[0] = &logs->a;
    logs->all[1] = &logs->b;
    logs->log.owner = &logs->a;
    partition_log_begin_epoch(&logs->log, 0);
}

static void append(struct replica_log *replica, int32_t count, int32_t epoch)
{
    const sim_time at = SECONDS(replica->end_offset);
    const struct log_append batch = {.count = count,
                                     .bytes = (int64_t)count * 10,
                                     .first_at = at,
                                     .last_at = at + SECONDS(count - 1),
                                     .leader_epoch = epoch,
                                     .producer = -1};
    int64_t end = replica->end_offset;
    assert_int_equal(replica_log_append(replica, &batch, at), end);
}

static void take_over(struct logs *logs, struct replica_log *replica, int32_t epoch)
{
    replica_log_take_over(replica, logs->all, 2);
    partition_log_begin_epoch(&logs->log, epoch);
}

static void a_new_leader_keeps_what_it_has_and_the_old_one_branches_off(void **state)
{
    (void)state;
    struct logs logs;
    setup(&logs, 64);
    append(&logs.a, 100, 0);
    replica_log_follow(&logs.b, &logs.a, 80);
    take_over(&logs, &logs.b, 1);
    append(&logs.b, 50, 1);
    assert_int_equal(logs.b.end_offset, 130);
    assert_int_equal(logs.a.end_offset, 100);
    assert_non_null(logs.a.branch);
    assert_int_equal(replica_log_divergence(&logs.a, &logs.b), 80);
    assert_int_equal(replica_log_find(&logs.a, 90)->leader_epoch, 0);
    assert_int_equal(replica_log_find(&logs.b, 90)->leader_epoch, 1);
    assert_int_equal(replica_log_epoch_end(&logs.b, 0).start_offset, 80);
    assert_int_equal(replica_log_epoch_end(&logs.a, 0).start_offset, 100);
    replica_log_truncate(&logs.a, 80);
    assert_null(logs.a.branch);
    replica_log_follow(&logs.a, &logs.b, 130);
    assert_int_equal(replica_log_divergence(&logs.a, &logs.b), 130);
    assert_int_equal(logs.a.end_position, logs.b.end_position);
    assert_true(partition_log_is_consistent(&logs.log));
    memory_free_all(logs.memory);
}

static void a_branch_can_become_the_log_again(void **state)
{
    (void)state;
    struct logs logs;
    setup(&logs, 64);
    append(&logs.a, 100, 0);
    replica_log_follow(&logs.b, &logs.a, 80);
    take_over(&logs, &logs.b, 1);
    append(&logs.b, 5, 1);
    take_over(&logs, &logs.a, 2); /* uncleanly: b's five records are lost */
    append(&logs.a, 10, 2);
    assert_int_equal(logs.a.end_offset, 110);
    assert_null(logs.a.branch);
    assert_int_equal(replica_log_divergence(&logs.b, &logs.a), 80);
    assert_int_equal(replica_log_find(&logs.a, 95)->leader_epoch, 0);
    assert_int_equal(replica_log_epoch_end(&logs.a, 1).epoch, 0);
    assert_int_equal(replica_log_epoch_end(&logs.a, 1).start_offset, 100);
    assert_true(partition_log_is_consistent(&logs.log));
    memory_free_all(logs.memory);
}

static void a_deposed_leader_writes_into_its_branch_only(void **state)
{
    (void)state;
    struct logs logs;
    setup(&logs, 64);
    append(&logs.a, 100, 0);
    replica_log_follow(&logs.b, &logs.a, 100);
    take_over(&logs, &logs.b, 1);
    append(&logs.a, 7, 0);
    append(&logs.b, 3, 1);
    assert_int_equal(logs.a.end_offset, 107);
    assert_int_equal(logs.b.end_offset, 103);
    assert_int_equal(replica_log_divergence(&logs.a, &logs.b), 100);
    memory_free_all(logs.memory);
}

/* A thousand batches of ten records in a list that wants to be at most 64 long. */
static void merging_keeps_offsets_counts_bytes_and_times(void **state)
{
    (void)state;
    struct logs logs;
    setup(&logs, 64);
    for (int32_t i = 0; i < 1000; i++)
        append(&logs.a, 10, 0);
    assert_true(logs.log.main.count < 128);
    int64_t offset = 0;
    int64_t bytes = 0;
    for (const struct log_batch *batch = replica_log_find(&logs.a, 0); batch != NULL;
         batch = replica_log_next(&logs.a, batch)) {
        assert_int_equal(batch->base_offset, offset);
        assert_int_equal(batch->position, bytes);
        offset += batch->count;
        bytes += batch->bytes;
    }
    assert_int_equal(offset, 10000);
    assert_int_equal(bytes, 100000);
    for (int64_t o = 0; o < 10000; o += 37) {
        const struct log_batch *batch = replica_log_find(&logs.a, o);
        assert_int_equal(log_batch_record_at(batch, o - batch->base_offset), SECONDS(o));
        assert_int_equal(replica_log_position(&logs.a, o), o * 10);
        assert_int_equal(replica_log_offset_at(&logs.a, SECONDS(o)), o);
    }
    assert_int_equal(replica_log_advance(&logs.a, 500, 1000), 600);
    memory_free_all(logs.memory);
}

static void retention_takes_whole_segments_below_the_high_watermark(void **state)
{
    (void)state;
    struct logs logs;
    setup(&logs, 1000);
    for (int32_t i = 0; i < 500; i++)
        append(&logs.a, 10, 0);                                /* five segments of 1,000 records */
    struct log_retention retention = {.retention_ms = 1500000, /* 1,500 s: the last 1,500 records */
                                      .retention_bytes = -1,
                                      .high_watermark = 5000};
    assert_true(partition_log_retain(&logs.log, &retention, SECONDS(5000)));
    assert_int_equal(logs.log.start_offset, 3000);
    assert_false(partition_log_retain(&logs.log, &retention, SECONDS(5000)));
    retention = (struct log_retention){-1, 10000, 3500};
    assert_false(partition_log_retain(&logs.log, &retention, SECONDS(5000)));
    retention.high_watermark = 5000;
    assert_true(partition_log_retain(&logs.log, &retention, SECONDS(5000)));
    assert_int_equal(logs.log.start_offset, 4000);
    assert_int_equal(replica_log_find(&logs.a, 0)->base_offset, 4000);
    memory_free_all(logs.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_leader_keeps_what_it_has_and_the_old_one_branches_off),
        cmocka_unit_test(a_branch_can_become_the_log_again),
        cmocka_unit_test(a_deposed_leader_writes_into_its_branch_only),
        cmocka_unit_test(merging_keeps_offsets_counts_bytes_and_times),
        cmocka_unit_test(retention_takes_whole_segments_below_the_high_watermark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
