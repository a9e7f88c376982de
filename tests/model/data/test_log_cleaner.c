/* Compaction of one log: tables of when and what, and random logs against a list of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/batch_keys.h"
#include "model/key_weights.h"
#include "model/log_cleaner.h"
#include "model/trace_kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS_MAX   4000
#define PRODUCERS_MAX 3
#define BYTES         10

/* What Kafka's cleaner would look at: every record with its key. */
struct plain_record {
    int64_t offset;
    uint64_t key;
    bool is_tombstone;
    bool is_gone;
    int32_t batch;
};
struct plain_batch {
    int64_t end;
    int32_t producer;
    sim_time horizon; /* SIM_TIME_NEVER = not set */
};

struct logs {
    struct sim *sim;
    struct memory *memory;
    struct scenario_producer settings[PRODUCERS_MAX];
    struct record_keys *keys[PRODUCERS_MAX];
    int32_t sequence[PRODUCERS_MAX];
    struct producer_states producers;
    struct partition_log_options options;
    struct log_compaction compaction;
    struct partition_log log;
    struct replica_log leader;
    int64_t first_dirty;
    sim_time now;
    /* the list */
    struct plain_record records[RECORDS_MAX];
    int32_t count;
    struct plain_batch batches[RECORDS_MAX];
    int32_t batch_count;
    int64_t told; /* records removed, as the cleaner said */
    int64_t told_to;
};

static struct logs *logs_new(uint64_t seed, int64_t keys, int32_t tombstone_ppm)
{
    struct logs *logs = test_calloc(1, sizeof(*logs));
    logs->sim = sim_new(&(struct sim_options){.seed = seed});
    trace_set_kinds(sim_trace(logs->sim), trace_kinds, TRACE_KIND_COUNT);
    logs->memory = sim_memory(logs->sim);
    for (int32_t p = 0; p < PRODUCERS_MAX; p++) {
        logs->settings[p].keys = (struct scenario_keys){.count = keys,
                                                        .zipf_exponent_milli = 900,
                                                        .tombstone_ppm = tombstone_ppm};
        logs->keys[p] = record_keys_new(logs->sim, names_format(sim_names(logs->sim), "p%d", p),
                                        &logs->settings[p]);
        record_keys_change(logs->keys[p], 1, NULL);
    }
    producer_states_init(&logs->producers, logs->memory);
    logs->options = (struct partition_log_options){.payloads = batch_keys_payloads(logs->memory),
                                                   .memory = logs->memory,
                                                   .batches_max = UINT32_MAX,
                                                   .segment_bytes = 400,
                                                   .segment_ms = -1};
    logs->compaction = (struct log_compaction){.min_dirty_milli = 500,
                                               .max_lag_ms = INT64_MAX,
                                               .delete_retention_ns = SECONDS(100),
                                               .segment_bytes = 400};
    partition_log_init(&logs->log, &logs->options);
    replica_log_init(&logs->leader, &logs->log);
    logs->log.owner = &logs->leader;
    partition_log_begin_epoch(&logs->log, 0);
    return logs;
}

static void logs_free(struct logs *logs)
{
    sim_free(logs->sim);
    test_free(logs);
}

static void append(struct logs *logs, int32_t producer, int32_t count)
{
    int64_t number = record_keys_take(logs->keys[producer], 0, count);
    int64_t base = logs->leader.end_offset;
    const struct sequenced_batch sequenced = {producer, 0, logs->sequence[producer], count,
                                              NAME_NONE};
    producer_states_append(&logs->producers, &sequenced, base, logs->now);
    logs->sequence[producer] = sequence_after(logs->sequence[producer], count);
    const struct log_append batch = {
        .count = count,
        .bytes = (int64_t)count * BYTES,
        .first_at = logs->now,
        .last_at = logs->now,
        .producer = -1,
        .payload = batch_keys_new(logs->memory, logs->keys[producer], 0, number, base),
    };
    replica_log_append(&logs->leader, &batch, logs->now);
    for (int32_t i = 0; i < count; i++) {
        assert_true(logs->count < RECORDS_MAX);
        logs->records[logs->count++] = (struct plain_record){
            .offset = base + i,
            .key = record_keys_key(logs->keys[producer], 0, number + i),
            .is_tombstone = record_keys_is_tombstone(logs->keys[producer], 0, number + i),
            .batch = logs->batch_count,
        };
    }
    logs->batches[logs->batch_count++] =
        (struct plain_batch){base + count, producer, SIM_TIME_NEVER};
}

static void note_removed(void *self, int64_t offset, int64_t count)
{
    struct logs *logs = self;
    assert_true(count > 0 && offset >= logs->told_to);
    logs->told += count;
    logs->told_to = offset + count;
}

static struct log_dirt look(const struct logs *logs, int64_t limit)
{
    return log_cleaner_look(&logs->log, &logs->compaction, logs->first_dirty, limit, logs->now);
}

static struct log_cleaning clean(struct logs *logs)
{
    struct log_cleaning cleaning = {.settings = &logs->compaction,
                                    .dirt = look(logs, logs->leader.end_offset),
                                    .producers = &logs->producers,
                                    .removed = note_removed,
                                    .self = logs};
    logs->told = 0;
    logs->told_to = 0;
    log_clean(&logs->log, &cleaning, logs->now);
    logs->first_dirty = cleaning.dirt.end;
    return cleaning;
}

/* ---- the list ---- */

/* Records of the dirty part replace those before them; tombstones go when their batch's time has
 * come, which the first cleaning sets that keeps one of them. */
static int64_t clean_list(struct logs *logs, const struct log_dirt *dirt)
{
    int64_t removed = 0;
    for (int32_t i = 0; i < logs->count; i++) {
        struct plain_record *record = &logs->records[i];
        struct plain_batch *batch = &logs->batches[record->batch];
        if (record->is_gone || record->offset >= dirt->end) continue;
        for (int32_t later = i + 1; later < logs->count && !record->is_gone; later++) {
            const struct plain_record *other = &logs->records[later];
            record->is_gone = other->key == record->key && other->offset >= dirt->first_dirty &&
                              other->offset < dirt->end;
        }
        if (record->is_tombstone && batch->horizon <= logs->now) record->is_gone = true;
        removed += record->is_gone;
    }
    for (int32_t i = 0; i < logs->count; i++) {
        const struct plain_record *record = &logs->records[i];
        struct plain_batch *batch = &logs->batches[record->batch];
        bool seen = record->offset < dirt->end && !record->is_gone && record->is_tombstone;
        if (seen && batch->horizon == SIM_TIME_NEVER)
            batch->horizon = logs->now + logs->compaction.delete_retention_ns;
    }
    return removed;
}

/* Where a reader of everything from `offset` on comes to rest, and that it sees what is left. */
static void read_from(const struct logs *logs, int64_t offset)
{
    int32_t i = 0;
    int64_t position = offset;
    int64_t batch_end = offset;
    while (i < logs->count && logs->records[i].offset < offset)
        i++;
    for (const struct log_batch *batch = replica_log_find(&logs->leader, offset); batch != NULL;
         batch = replica_log_next(&logs->leader, batch)) {
        const struct log_batch part = log_batch_slice(batch, offset, INT64_MAX);
        assert_true(part.base_offset >= position);
        position = part.base_offset + part.count;
        if ((part.flags & LOG_EMPTY) != 0) {
            assert_int_equal(part.bytes, 0);
            continue;
        }
        assert_int_equal(part.bytes, part.count * BYTES);
        for (int64_t o = part.base_offset; o < position; o++, i++) {
            while (i < logs->count && logs->records[i].is_gone)
                i++;
            assert_true(i < logs->count);
            assert_int_equal(logs->records[i].offset, o);
            batch_end = logs->batches[logs->records[i].batch].end;
            assert_true(batch_end > o);
        }
    }
    while (i < logs->count && logs->records[i].is_gone)
        i++;
    assert_int_equal(i, logs->count);
    assert_int_equal(position > offset ? position : logs->leader.end_offset,
                     logs->leader.end_offset);
}

/* Bytes in the log, and that the batch which holds a record goes on to its old end. */
static void check_layout(const struct logs *logs)
{
    assert_true(partition_log_is_consistent(&logs->log));
    int64_t bytes = 0;
    for (int32_t i = 0; i < logs->count; i++) {
        const struct plain_record *record = &logs->records[i];
        if (record->is_gone) continue;
        bytes += BYTES;
        int64_t end = logs->batches[record->batch].end;
        const struct log_batch *last = replica_log_find(&logs->leader, end - 1);
        assert_true(last != NULL && last->base_offset < end);
        assert_int_equal(last->base_offset + last->count <= end, true);
    }
    assert_int_equal(logs->leader.end_position - logs->log.start_position, bytes);
    int64_t position = logs->log.start_position;
    for (uint32_t i = 0; i < logs->log.main.count; i++) {
        const struct log_batch *batch = &logs->log.main.items[logs->log.main.first + i];
        assert_int_equal(batch->position, position);
        position += batch->bytes;
    }
    for (uint32_t i = 0; i < logs->log.segment_count; i++) {
        const struct log_segment *segment = &logs->log.segments[i];
        int64_t base = segment->base_offset;
        assert_int_equal(segment->position, replica_log_position(&logs->leader, base));
        bool fits = i + 1 == logs->log.segment_count ||
                    logs->log.segments[i + 1].position - segment->position <= 400;
        assert_true(fits);
    }
}

static void random_logs_are_what_the_list_says(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        print_message("seed %" PRIu64 "\n", seed);
        const struct rng_key key = rng_key(seed, 7, RNG_TEST);
        struct rng rng = rng_start(&key, 0);
        int64_t keys = 1 + (int64_t)rng_next_below(&rng, 40);
        struct logs *logs = logs_new(seed, keys, seed % 3 == 0 ? 0 : 300000);
        while (logs->count < 1000) {
            logs->now += MILLISECONDS((int64_t)rng_next_below(&rng, 3000));
            int32_t producer = (int32_t)rng_next_below(&rng, PRODUCERS_MAX);
            append(logs, producer, 1 + (int32_t)rng_next_below(&rng, 12));
            if (rng_next_below(&rng, 10) > 0) continue;
            int64_t before = logs->leader.end_position - logs->log.start_position;
            struct log_cleaning cleaning = clean(logs);
            int64_t removed = clean_list(logs, &cleaning.dirt);
            assert_int_equal(cleaning.records_removed, removed);
            assert_int_equal(logs->told, removed);
            assert_int_equal(cleaning.bytes_removed, removed * BYTES);
            assert_int_equal(before - removed * BYTES,
                             logs->leader.end_position - logs->log.start_position);
            check_layout(logs);
            read_from(logs, 0);
            read_from(logs, (int64_t)rng_next_below(&rng, (uint64_t)logs->leader.end_offset));
        }
        logs_free(logs);
    }
}

/* ---- what stays ---- */

static int32_t kept_below(const struct logs *logs, int64_t offset, bool empty)
{
    int32_t count = 0;
    for (uint32_t i = 0; i < logs->log.main.count; i++) {
        const struct log_batch *batch = &logs->log.main.items[logs->log.main.first + i];
        bool is_empty = (batch->flags & LOG_EMPTY) != 0;
        if (batch->base_offset < offset && is_empty == empty) count += batch->count;
    }
    return count;
}

static void of_one_key_the_last_record_stays(void **state)
{
    (void)state;
    struct logs *logs = logs_new(1, 1, 0);
    for (int32_t i = 0; i < 9; i++)
        append(logs, 0, 10); /* segments of 40 records: [0, 40), [40, 80), the active one */
    struct log_cleaning cleaning = clean(logs);
    assert_int_equal(cleaning.dirt.end, 80);
    assert_int_equal(cleaning.records, 80);
    assert_int_equal(cleaning.records_removed, 79);
    assert_int_equal(kept_below(logs, 80, false), 1);
    const struct log_batch *batch = replica_log_find(&logs->leader, 0);
    assert_int_equal(batch->base_offset, 79);
    assert_int_equal(logs->log.start_offset, 0);
    /* What goes into one segment is decided by the sizes of before. */
    assert_int_equal(logs->log.segment_count, 3);
    clean(logs);
    assert_int_equal(logs->log.segment_count, 2);
    /* A reader with room for one byte gets on. */
    assert_int_equal(replica_log_advance(&logs->leader, 5, 1), 80);
    logs_free(logs);
}

static void a_tombstone_stays_a_while_and_leaves_an_empty_batch(void **state)
{
    (void)state;
    struct logs *logs = logs_new(1, 1, 1000000);
    for (int32_t i = 0; i < 9; i++)
        append(logs, 0, 10);
    assert_int_equal(clean(logs).records_removed, 79);
    for (int32_t i = 0; i < 4; i++)
        append(logs, 1, 10); /* [80, 120) is a segment now */
    logs->now = SECONDS(99);
    assert_int_equal(clean(logs).records_removed, 40); /* the old one for want of being last */
    append(logs, 1, 40);
    logs->now = SECONDS(300);
    struct log_cleaning cleaning = clean(logs);
    assert_int_equal(cleaning.dirt.end, 130);
    /* 119 goes, its key having come again; 129 is kept, and its time begins. */
    assert_int_equal(cleaning.records_removed, 1 + 9);
    assert_int_equal(kept_below(logs, 130, false), 1);
    logs->now = SECONDS(399);
    logs->first_dirty = 120;
    assert_int_equal(clean(logs).records_removed, 0);
    logs->now = SECONDS(400);
    logs->first_dirty = 120;
    cleaning = clean(logs);
    assert_int_equal(cleaning.records_removed, 1);
    assert_int_equal(kept_below(logs, 130, false), 0);
    assert_int_equal(kept_below(logs, 130, true), 10 + 1); /* see below; and the round's last */
    logs_free(logs);
}

/* The newest batch of producer 0 is [80, 90): its sequence number must stay. */
static void the_last_batch_of_a_producer_stays(void **state)
{
    (void)state;
    struct logs *logs = logs_new(1, 1, 0);
    for (int32_t i = 0; i < 9; i++)
        append(logs, 0, 10);
    for (int32_t i = 0; i < 8; i++)
        append(logs, 1, 10);
    struct log_cleaning cleaning = clean(logs);
    assert_int_equal(cleaning.dirt.end, 160);
    assert_int_equal(kept_below(logs, 160, false), 1);
    assert_int_equal(kept_below(logs, 160, true), 10);
    const struct log_batch *batch = replica_log_find(&logs->leader, 0);
    assert_int_equal(batch->base_offset, 80);
    assert_int_equal(batch->count, 10);
    assert_int_equal(batch->flags & LOG_EMPTY, LOG_EMPTY);
    logs_free(logs);
}

/* ---- when ---- */

static void segments_are_cleaned_when_dirty_enough(void **state)
{
    (void)state;
    static const struct {
        int64_t first_dirty;
        int64_t limit;
        int32_t min_dirty_milli;
        int64_t min_lag_s;
        int64_t max_lag_ms;
        int64_t end;
        bool is_due;
    } cases[] = {
        /* four segments of 40 records, one every 40 s, and an active one; now is 200 s */
        {0, 1000, 500, 0, INT64_MAX, 160, true},
        {80, 1000, 500, 0, INT64_MAX, 160, false}, /* half is not more than half */
        {80, 1000, 499, 0, INT64_MAX, 160, true},
        {80, 159, 400, 0, INT64_MAX, 120, false}, /* a third, the rest is not stable */
        {80, 159, 300, 0, INT64_MAX, 120, true},
        {160, 1000, 0, 0, INT64_MAX, 160, false}, /* nothing is dirty */
        {0, 20, 0, 0, INT64_MAX, 0, false},
        {0, 1000, 500, 90, INT64_MAX, 120, true}, /* [80, 120) has a record of 110 s */
        {0, 1000, 500, 91, INT64_MAX, 80, true},
        {120, 1000, 500, 0, 81000, 160, false}, /* [120, 160) begins at 120 s */
        {120, 1000, 500, 0, 79000, 160, true},
    };
    struct logs *logs = logs_new(1, 5, 0);
    for (int32_t i = 0; i < 17; i++) {
        logs->now = SECONDS(10 * i);
        append(logs, 0, 10);
    }
    logs->now = SECONDS(200);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        logs->first_dirty = cases[i].first_dirty;
        logs->compaction.min_dirty_milli = cases[i].min_dirty_milli;
        logs->compaction.min_lag_ns = SECONDS(cases[i].min_lag_s);
        logs->compaction.max_lag_ms = cases[i].max_lag_ms;
        struct log_dirt dirt = look(logs, cases[i].limit);
        bool is_due = log_cleaner_is_due(&dirt, &logs->compaction);
        if (dirt.end != cases[i].end || is_due != cases[i].is_due)
            fail_msg("case %zu: end %" PRId64 ", %s", i, dirt.end, is_due ? "due" : "not due");
    }
    logs_free(logs);
}

/* ---- keys ---- */

static void records_have_keys_of_their_partition_by_weight(void **state)
{
    (void)state;
    struct sim *sim = sim_new(&(struct sim_options){.seed = 3});
    const struct hot_key hot = {"key-2", 200000, 1};
    const struct scenario_producer settings = {
        .keys = {.count = 9, .hot = &hot, .hot_count = 1, .tombstone_ppm = 100000}};
    struct record_keys *keys = record_keys_new(sim, names_intern(sim_names(sim), "p"), &settings);
    uint64_t weights[2];
    uint64_t weights_of_many[200];
    record_keys_change(keys, 2, NULL);
    key_weights(weights, 2, &settings.keys, NULL, sim_memory(sim));
    int32_t partition = key_partition("key-2", 2);
    int32_t hot_count = 0;
    int32_t tombstones = 0;
    uint64_t before[1000];
    for (int64_t i = 0; i < 10000; i++) {
        uint64_t key = record_keys_key(keys, partition, i);
        char text[20];
        snprintf(text, sizeof(text), "key-%" PRIu64, key);
        assert_true(key < 9);
        assert_int_equal(key_partition(text, 2), partition);
        hot_count += key == 2;
        tombstones += record_keys_is_tombstone(keys, partition, i);
        if (i < 1000) before[i] = key;
    }
    /* 0.2 as the hot one and a ninth of the rest, of what the partition has. */
    uint64_t weight = KEY_WEIGHT_TOTAL / 5 + KEY_WEIGHT_TOTAL / 45 * 4;
    uint64_t expected = weight / (weights[partition] / 10000);
    assert_in_range(hot_count, expected - 200, expected + 200);
    assert_in_range(tombstones, 900, 1100);
    /* Other records keep their keys when the topic grows; new ones have those of the new split. */
    assert_int_equal(record_keys_take(keys, partition, 500), 0);
    record_keys_change(keys, 3, NULL);
    assert_int_equal(record_keys_take(keys, 2, 5), 0);
    for (int64_t i = 0; i < 1000; i++) {
        uint64_t key = record_keys_key(keys, partition, i);
        char text[20];
        snprintf(text, sizeof(text), "key-%" PRIu64, key);
        if (i < 500) assert_int_equal(key, before[i]);
        if (i >= 500) assert_int_equal(key_partition(text, 3), partition);
    }
    /* Created anew with one partition, and again with three. */
    record_keys_change(keys, 1, NULL);
    record_keys_change(keys, 3, NULL);
    for (int64_t i = 0; i < 10; i++) {
        char text[20];
        snprintf(text, sizeof(text), "key-%" PRIu64, record_keys_key(keys, 2, i));
        assert_int_equal(key_partition(text, 3), 2);
    }
    /* A partition without keys: its records have some key all the same. */
    record_keys_change(keys, 200, NULL);
    int32_t empty = 0;
    key_weights(weights_of_many, 200, &settings.keys, NULL, sim_memory(sim));
    while (weights_of_many[empty] > 0)
        empty++;
    assert_in_range(record_keys_key(keys, empty, 12), 0, 8);
    sim_free(sim);
}

/* Far down a steep curve keys weigh nothing at all. */
static void keys_without_weight_are_never_drawn(void **state)
{
    (void)state;
    struct sim *sim = sim_new(&(struct sim_options){.seed = 3});
    const struct scenario_producer settings = {
        .keys = {.count = 5000, .zipf_exponent_milli = 5000}};
    struct record_keys *keys = record_keys_new(sim, names_intern(sim_names(sim), "p"), &settings);
    record_keys_change(keys, 1000, NULL);
    int32_t partition = key_partition("key-0", 1000);
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(record_keys_key(keys, partition, i), 0);
    for (int32_t p = 0; p < 1000; p++)
        assert_in_range(record_keys_key(keys, p, 5), 0, 4999);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_one_key_the_last_record_stays),
        cmocka_unit_test(a_tombstone_stays_a_while_and_leaves_an_empty_batch),
        cmocka_unit_test(the_last_batch_of_a_producer_stays),
        cmocka_unit_test(segments_are_cleaned_when_dirty_enough),
        cmocka_unit_test(records_have_keys_of_their_partition_by_weight),
        cmocka_unit_test(keys_without_weight_are_never_drawn),
        cmocka_unit_test(random_logs_are_what_the_list_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
