/* Records without keys (KIP-794): which brokers they go to when one of them is slow. */
#include "tests/model/data/data_world.h"

#define T0 PARTITION_ID(0, 0)

/* Three partitions, each led by another broker. The one of partition 0 stands still from 20 to
 * 25 s, too short to be replaced. Returns how many records made from the second second of that on
 * were given to partition 0. */
static int64_t sent_to_a_frozen_broker(bool adaptive, int32_t availability_timeout_ms,
                                       int64_t *elsewhere)
{
    struct data_world *w = data_world_new();
    w->topics[0].replication = 1;
    struct scenario_producer *p = data_world_producer(w, "p", 3000);
    p->keys.count = 0;
    p->config.batch_size = 1000;
    p->config.partitioner_adaptive_partitioning_enable = adaptive;
    p->config.partitioner_availability_timeout_ms = availability_timeout_ms;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    process_id frozen = cluster_broker_process(w->cluster, cluster_leader(w->cluster, T0));
    process_freeze(w->sim, frozen);
    sim_run_until(w->sim, SECONDS(25));
    process_thaw(w->sim, frozen);
    sim_run_until(w->sim, SECONDS(40));
    int64_t count = 0;
    *elsewhere = 0;
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (r->kind != TRACE_BATCH_APPENDED) continue;
        if (r->field[6] < SECONDS(21) || r->field[6] >= SECONDS(25)) continue;
        *(r->field[0] == T0 ? &count : elsewhere) += r->field[4];
    }
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.arrived, 120000);
    assert_int_equal(counts.failed, 0);
    data_world_free(w);
    return count;
}

static void a_slow_broker_gets_less_and_a_late_one_nothing(void **state)
{
    (void)state;
    int64_t elsewhere;
    /* A third of the 12,000, whatever becomes of them. */
    assert_in_range(sent_to_a_frozen_broker(false, 0, &elsewhere), 3300, 4700);
    /* Its queue is the longest, which is chosen least, but is chosen. */
    assert_in_range(sent_to_a_frozen_broker(true, 0, &elsewhere), 1, 1000);
    assert_int_equal(sent_to_a_frozen_broker(true, 500, &elsewhere), 0);
    assert_in_range(elsewhere, 11900, 12000);
    /* The time-out counts only for what is adaptive. */
    assert_in_range(sent_to_a_frozen_broker(false, 500, &elsewhere), 3300, 4700);
}

/* Three of six partitions were used when the topic was made anew with three: those that Kafka
 * counts as used are as many as there are, though none of them is. Then all brokers are late. */
static void partitions_of_a_smaller_topic_were_never_used(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    w->topics[0].partitions = 6;
    struct scenario_producer *p = data_world_producer(w, "p", 1);
    p->keys.count = 0;
    p->start_at = SECONDS(30);
    p->stop_at = SECONDS(60);
    p->config.batch_size = 100;
    p->config.metadata_max_age_ms = 5000;
    p->config.partitioner_availability_timeout_ms = 500;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(5));
    const struct producer_records one = {.count = 1, .bytes = 100};
    for (int32_t partition = 3; partition < 6; partition++)
        producer_send(workload_producer(w->workloads[0]), PARTITION_ID(0, partition), &one);
    sim_run_until(w->sim, SECONDS(10));
    cluster_delete_topic(w->cluster, 0);
    sim_run_until(w->sim, SECONDS(11));
    cluster_create_topic(w->cluster, 0, 3);
    sim_run_until(w->sim, SECONDS(29));
    for (int32_t broker = 0; broker < 3; broker++)
        broker_crash(w->cluster, broker, false);
    sim_run_until(w->sim, SECONDS(40));
    for (int32_t broker = 0; broker < 3; broker++)
        broker_restart(w->cluster, broker);
    sim_run_until(w->sim, SECONDS(200));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.arrived, 30);
    assert_int_equal(counts.acknowledged - 3, 30);
    data_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_broker_gets_less_and_a_late_one_nothing),
        cmocka_unit_test(partitions_of_a_smaller_topic_were_never_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
