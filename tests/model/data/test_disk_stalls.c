/* A disk that takes no writes for a while: the broker lives, its heartbeats go on, and nobody
 * replaces it. What waits on it is another matter with a leader than with a follower. */
#include "tests/model/data/data_world.h"

#define T0 PARTITION_ID(0, 0)

struct outcomes {
    int64_t acknowledged;
    sim_time slowest_ns; /* from create time to the answer */
    sim_time first_at;   /* answered in the time asked for */
    int32_t attempts_max;
};

/* Of partition 0, answered in [from, to). */
static struct outcomes answered(const struct data_world *w, sim_time from, sim_time to)
{
    struct outcomes outcomes = {.first_at = SIM_TIME_NEVER};
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (r->kind != TRACE_PRODUCE_DONE || r->field[1] != T0 || r->field[4] != 0) continue;
        if (r->at < from || r->at >= to) continue;
        outcomes.acknowledged += r->field[3];
        if (r->at < outcomes.first_at) outcomes.first_at = r->at;
        if (r->at - r->field[6] > outcomes.slowest_ns) outcomes.slowest_ns = r->at - r->field[6];
        if (r->field[5] > outcomes.attempts_max) outcomes.attempts_max = (int32_t)r->field[5];
    }
    return outcomes;
}

static int32_t count_of_partition(const struct data_world *w, uint16_t kind, sim_time after)
{
    int32_t count = 0;
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        count += r->kind == kind && r->field[0] == T0 && r->at > after;
    }
    return count;
}

static void a_stalled_leader_answers_when_its_disk_does(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 300)->stop_at = SECONDS(60);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    broker_disk_stall(w->cluster, leader, SECONDS(40));
    sim_run_until(w->sim, SECONDS(80));
    /* Nothing for 20 s, then what waited; no request is older than request.timeout.ms. */
    assert_int_equal(answered(w, SECONDS(20) + MILLISECONDS(10), SECONDS(40)).acknowledged, 0);
    struct outcomes after = answered(w, SECONDS(40), SECONDS(41));
    assert_true(after.acknowledged > 1500);
    assert_in_range(after.slowest_ns, SECONDS(19), SECONDS(21));
    assert_int_equal(after.attempts_max, 1);
    /* Its followers had all there was, so they stay in sync. */
    assert_int_equal(count_of_partition(w, TRACE_LEADER_ELECTED, SECONDS(20)), 0);
    assert_int_equal(count_of_partition(w, TRACE_ISR, SECONDS(20)), 0);
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.acknowledged, counts.arrived);
    assert_int_equal(data_log_end(w), counts.arrived);
    data_world_free(w);
}

/* Longer than request.timeout.ms: the producers close the connection and send everything again,
 * while the request that is in a thread's hands goes on waiting for the disk. */
static int64_t log_end_after_a_long_stall(bool idempotent, int64_t *arrived)
{
    struct data_world *w = data_world_new();
    struct scenario_producer *p = data_world_producer(w, "p", 300);
    p->config.enable_idempotence = idempotent;
    p->stop_at = SECONDS(80);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    broker_disk_stall(w->cluster, cluster_leader(w->cluster, T0), SECONDS(65));
    sim_run_until(w->sim, SECONDS(120));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.acknowledged, counts.arrived);
    *arrived = counts.arrived;
    int64_t end = data_log_end(w);
    data_world_free(w);
    return end;
}

static void a_longer_stall_has_batches_written_twice(void **state)
{
    (void)state;
    int64_t arrived;
    /* The request that had been taken up at 20 s; those behind it went with the connection. */
    int64_t copies = log_end_after_a_long_stall(false, &arrived) - arrived;
    assert_in_range(copies, 1, 100);
    assert_int_equal(log_end_after_a_long_stall(true, &arrived), arrived);
}

/* acks=all waits for the follower until replica.lag.time.max.ms has the leader drop it. */
static void a_stalled_follower_is_waited_for_until_it_is_dropped(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    w->scenario.cluster.config.replica_lag_time_max_ms = 10000;
    struct scenario_producer *p = data_world_producer(w, "p", 300);
    p->stop_at = SECONDS(100);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    int32_t follower = (leader + 1) % 3;
    broker_disk_stall(w->cluster, follower, SECONDS(60));
    sim_run_until(w->sim, SECONDS(59));
    assert_int_equal(cluster_isr(w->cluster, T0) & (UINT64_C(1) << follower), 0);
    sim_run_until(w->sim, SECONDS(130));
    assert_int_equal(__builtin_popcountll(cluster_isr(w->cluster, T0)), 3); /* it caught up */
    assert_int_equal(cluster_leader(w->cluster, T0), leader);
    struct outcomes stalled = answered(w, SECONDS(20) + MILLISECONDS(100), SECONDS(40));
    /* Looked at each half of the limit: after 10 to 15 s of not having caught up. */
    assert_in_range(stalled.first_at, SECONDS(29), SECONDS(36));
    assert_in_range(stalled.slowest_ns, SECONDS(9), SECONDS(16));
    /* From then on as fast as ever. */
    assert_true(answered(w, SECONDS(37), SECONDS(59)).slowest_ns < MILLISECONDS(100));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.acknowledged, counts.arrived);
    data_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stalled_leader_answers_when_its_disk_does),
        cmocka_unit_test(a_longer_stall_has_batches_written_twice),
        cmocka_unit_test(a_stalled_follower_is_waited_for_until_it_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
