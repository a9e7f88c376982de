/* Stories of healthy and broken replication. */
#include "tests/model/data/data_world.h"

#include <stdlib.h>

static void everything_sent_is_appended_and_acknowledged(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 900);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(10));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    printf("arrived %lld acked %lld failed %lld pending %lld end %lld events %llu records %d\n",
           (long long)counts.arrived, (long long)counts.acknowledged, (long long)counts.failed,
           (long long)counts.pending, (long long)data_log_end(w),
           (unsigned long long)sim_statistics(w->sim).events, w->record_count);
    assert_int_equal(counts.arrived, 9000);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.arrived, counts.acknowledged + counts.pending);
    data_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_sent_is_appended_and_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
