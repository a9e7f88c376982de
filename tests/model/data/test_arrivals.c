/* What the trace tells of arrivals: one record for a slot, and yet no two workloads look alike. */
#include "tests/model/data/data_world.h"

struct seen {
    int64_t records; /* of the trace */
    int64_t count;
    int64_t bytes;
    uint64_t fingerprint;
};

static void add_arrival(void *self, const struct trace_record *record)
{
    struct seen *seen = self;
    if (record->kind != TRACE_ARRIVAL) return;
    seen->records++;
    seen->count += record->field[2];
    seen->bytes += record->field[3];
    assert_true(record->field[4] <= record->field[5]);
    assert_true(record->field[5] <= record->at);
}

struct kind {
    const int64_t *weights; /* NULL = none */
    int32_t keys;
    bool ignore_keys;
    bool poisson;
};

/* Ten seconds of 3,000 records a second. */
static struct seen arrivals_of(struct kind kind)
{
    struct data_world *w = data_world_new();
    struct scenario_producer *p = data_world_producer(w, "p", 3000);
    p->keys.count = kind.keys;
    p->config.partitioner_ignore_keys = kind.ignore_keys;
    p->partition_weights = kind.weights;
    p->poisson = kind.poisson;
    data_world_start(w);
    struct seen seen = {0};
    trace_observe(sim_trace(w->sim), add_arrival, &seen, NULL);
    sim_run_until(w->sim, SECONDS(10));
    seen.fingerprint = trace_fingerprints(w->sim).workload;
    assert_int_equal(seen.count, workload_counts(w->workloads[0]).arrived);
    data_world_free(w);
    return seen;
}

static void partitions_count_though_one_record_tells_of_all(void **state)
{
    (void)state;
    static const int64_t weights[][3] = {{1, 2, 3}, {3, 2, 1}, {2, 1, 3}, {1, 2, 4}};
    struct seen seen[ARRAY_LEN(weights) + 1];
    for (size_t i = 0; i < ARRAY_LEN(weights); i++)
        seen[i] = arrivals_of((struct kind){.weights = weights[i]});
    seen[ARRAY_LEN(weights)] = arrivals_of((struct kind){0});
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        assert_int_equal(seen[i].count, 30000);
        assert_int_equal(seen[i].bytes, 3000000);
        assert_int_equal(seen[i].records, 1000); /* slots of 10 ms */
        for (size_t other = 0; other < i; other++)
            assert_true(seen[i].fingerprint != seen[other].fingerprint);
    }
    assert_true(arrivals_of((struct kind){.weights = weights[0]}).fingerprint ==
                seen[0].fingerprint);
}

static void keys_that_are_ignored_choose_no_partition(void **state)
{
    (void)state;
    uint64_t keyless = arrivals_of((struct kind){0}).fingerprint;
    assert_true(arrivals_of((struct kind){.keys = 100}).fingerprint != keyless);
    assert_true(arrivals_of((struct kind){.keys = 100, .ignore_keys = true}).fingerprint ==
                keyless);
}

static void drawn_counts_are_told_the_same_way(void **state)
{
    (void)state;
    static const int64_t even[] = {1, 1, 1};
    struct seen seen = arrivals_of((struct kind){.weights = even, .poisson = true});
    assert_in_range(seen.count, 29000, 31000);
    assert_int_equal(seen.records, 1000);
    assert_int_equal(seen.bytes, 100 * seen.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_count_though_one_record_tells_of_all),
        cmocka_unit_test(keys_that_are_ignored_choose_no_partition),
        cmocka_unit_test(drawn_counts_are_told_the_same_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
