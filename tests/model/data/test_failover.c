/* Stories of leaders that go: crash, shutdown, isolation, elections clean and unclean. */
#include "tests/model/data/data_world.h"

#define T0 PARTITION_ID(0, 0)

/* The first record of a kind about partition 0 of the topic after `after`; NULL if none. */
static const struct trace_record *find(const struct data_world *w, uint16_t kind, sim_time after)
{
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (r->kind == kind && r->at > after && r->field[0] == T0) return r;
    }
    return NULL;
}

static int64_t acknowledged(const struct data_world *w)
{
    return workload_counts(w->workloads[0]).acknowledged;
}

static void assert_conserved(const struct data_world *w)
{
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.arrived, counts.acknowledged + counts.failed + counts.pending);
}

/* High watermarks never fall while one broker leads, and offsets of appends never go back but at an
 * election that says so. */
static void assert_log_records_are_sound(const struct data_world *w)
{
    int64_t high_watermark[8] = {0};
    int64_t end[8] = {0};
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (PARTITION_TOPIC((partition_id)r->field[0]) != 0) continue;
        int32_t p = PARTITION_NUMBER((partition_id)r->field[0]);
        if (r->kind == TRACE_HIGH_WATERMARK) {
            assert_true(r->field[1] > high_watermark[p]);
            assert_true(r->field[1] <= end[p]);
            high_watermark[p] = r->field[1];
        } else if (r->kind == TRACE_BATCH_APPENDED && r->field[9] == 0) {
            assert_true(r->field[3] >= end[p]);
            end[p] = r->field[3] + r->field[4];
        } else if (r->kind == TRACE_LEADER_ELECTED && r->field[1] >= 0) {
            if (r->field[3] < end[p]) end[p] = r->field[3];
            high_watermark[p] = 0; /* the new leader may not know it yet */
        }
    }
}

static void crashed_leader_is_replaced_after_nine_seconds(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    w->topics[0].min_insync_replicas = 2;
    data_world_producer(w, "p", 300);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    broker_crash(w->cluster, leader, false);
    sim_run_until(w->sim, SECONDS(60));
    const struct trace_record *elected = find(w, TRACE_LEADER_ELECTED, SECONDS(20));
    assert_non_null(elected);
    assert_int_not_equal(elected->field[1], leader);
    assert_int_equal(elected->field[2], 1); /* leader epoch */
    /* Its last heartbeat came between 18 and 20 s; the session lasts 9 s. */
    assert_true(elected->at >= SECONDS(27) && elected->at <= SECONDS(29) + MILLISECONDS(10));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.arrived, 18000);
    assert_true(counts.pending < 50);
    /* Nothing acknowledged is missing, and a retry is never a second copy. */
    assert_true(data_log_end(w) >= counts.acknowledged);
    assert_true(data_log_end(w) <= counts.acknowledged + counts.pending);
    assert_conserved(w);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

static void a_broker_that_returns_catches_up_and_leads_again(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 300);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    broker_crash(w->cluster, leader, true);
    sim_run_until(w->sim, SECONDS(50));
    assert_int_equal(cluster_isr(w->cluster, T0) & (UINT64_C(1) << leader), 0);
    broker_restart(w->cluster, leader);
    sim_run_until(w->sim, SECONDS(60));
    assert_int_not_equal(cluster_isr(w->cluster, T0) & (UINT64_C(1) << leader), 0);
    sim_run_until(w->sim, SECONDS(310)); /* the controller restores preferred leaders at 300 s */
    assert_int_equal(cluster_leader(w->cluster, T0), leader);
    assert_int_equal(workload_counts(w->workloads[0]).failed, 0);
    assert_conserved(w);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

static void controlled_shutdown_moves_leaders_at_once(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 300);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    broker_shutdown(w->cluster, leader);
    sim_run_until(w->sim, SECONDS(40));
    const struct trace_record *elected = find(w, TRACE_LEADER_ELECTED, SECONDS(20));
    assert_non_null(elected);
    assert_true(elected->at < SECONDS(20) + MILLISECONDS(50));
    assert_int_equal(process_state(w->sim, cluster_broker_process(w->cluster, leader)),
                     PROCESS_DEAD);
    assert_int_equal(workload_counts(w->workloads[0]).failed, 0);
    assert_conserved(w);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

/* acks=1: what the leader had not yet given its followers is acknowledged, and lost. */
static void acks_one_loses_what_only_the_leader_had(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    struct scenario_producer *p = data_world_producer(w, "p", 3000);
    p->config.acks = 1;
    p->config.enable_idempotence = false;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20) + MILLISECONDS(1) + MICROSECONDS(100));
    for (int32_t b = 0; b < 3; b++) {
        /* Cut from its followers, it still answers producers. */
        for (int32_t other = 0; other < 3; other++) {
            if (b == other) continue;
            network_fault_add(w->network, cluster_broker_process(w->cluster, b),
                              cluster_broker_process(w->cluster, other),
                              &(struct network_fault){.cut = true});
        }
    }
    sim_run_until(w->sim, SECONDS(21));
    int32_t leader = cluster_leader(w->cluster, T0);
    broker_crash(w->cluster, leader, false);
    sim_run_until(w->sim, SECONDS(60));
    assert_true(acknowledged(w) > data_log_end(w) + 500);
    assert_conserved(w);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

static void unclean_election_takes_records_back(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    w->topics[0].unclean_leader_election = true;
    struct scenario_producer *p = data_world_producer(w, "p", 300);
    p->config.acks = -1;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    for (int32_t other = 0; other < 3; other++) {
        if (other == leader) continue;
        network_fault_add(w->network, cluster_broker_process(w->cluster, leader),
                          cluster_broker_process(w->cluster, other),
                          &(struct network_fault){.cut = true});
    }
    /* The followers of partition 0 fall out of the ISR; the leader goes on alone. */
    sim_run_until(w->sim, SECONDS(90));
    assert_int_equal(cluster_isr(w->cluster, T0), UINT64_C(1) << leader);
    struct partition_offsets before = cluster_offsets(w->cluster, T0);
    broker_crash(w->cluster, leader, false);
    sim_run_until(w->sim, SECONDS(105));
    const struct trace_record *elected = find(w, TRACE_LEADER_ELECTED, SECONDS(90));
    assert_non_null(elected);
    assert_int_equal(elected->field[4], 1); /* unclean */
    assert_true(elected->field[3] < before.high_watermark);
    assert_conserved(w);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

static void without_unclean_election_the_partition_waits_for_its_leader(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 30);
    w->topics[0].replication = 1;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    broker_crash(w->cluster, leader, false);
    sim_run_until(w->sim, SECONDS(60));
    assert_int_equal(cluster_leader(w->cluster, T0), -1);
    broker_restart(w->cluster, leader);
    sim_run_until(w->sim, SECONDS(90));
    assert_int_equal(cluster_leader(w->cluster, T0), leader);
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.failed, 0);
    assert_true(counts.pending < 10);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

static int32_t appended_by(const struct data_world *w, const char *producer, sim_time after)
{
    name_id name = names_find(sim_names(w->sim), producer);
    int32_t count = 0;
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (r->kind == TRACE_BATCH_APPENDED && r->at > after && r->field[8] == name) count++;
    }
    return count;
}

static void too_small_an_isr_freezes_the_high_watermark(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    w->topics[0].min_insync_replicas = 2;
    struct scenario_producer *one = data_world_producer(w, "one", 30);
    one->config.acks = 1;
    one->config.enable_idempotence = false;
    data_world_producer(w, "all", 30);
    data_world_producer(w, "late", 30)->start_at = SECONDS(41);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, T0);
    for (int32_t b = 0; b < 3; b++) {
        if (b != leader) broker_crash(w->cluster, b, false);
    }
    sim_run_until(w->sim, SECONDS(40));
    struct partition_offsets frozen = cluster_offsets(w->cluster, T0);
    assert_int_equal(cluster_isr(w->cluster, T0), UINT64_C(1) << leader);
    sim_run_until(w->sim, SECONDS(50));
    struct partition_offsets later = cluster_offsets(w->cluster, T0);
    assert_int_equal(later.high_watermark, frozen.high_watermark);
    assert_true(later.log_end > frozen.log_end); /* acks=1 still appends */
    /* acks=all is refused before anything is appended (NOT_ENOUGH_REPLICAS). */
    assert_true(appended_by(w, "one", SECONDS(40)) > 0);
    assert_int_equal(appended_by(w, "late", SECONDS(40)), 0);
    assert_true(workload_counts(w->workloads[2]).pending > 0);
    for (int32_t b = 0; b < 3; b++)
        broker_restart(w->cluster, b);
    sim_run_until(w->sim, SECONDS(80));
    later = cluster_offsets(w->cluster, T0);
    assert_true(later.high_watermark > frozen.log_end);
    assert_int_equal(workload_counts(w->workloads[1]).failed, 0);
    assert_true(appended_by(w, "late", SECONDS(50)) > 0);
    assert_log_records_are_sound(w);
    data_world_free(w);
}

/* Broker 1 wakes to the news that broker 0 is gone, which opens its replication session anew twice
 * over; broker 2, the only one in sync, dies at some instant of that. */
static void lose_the_leader_while_a_follower_wakes(sim_time after_waking)
{
    struct data_world *w = data_world_new();
    w->scenario.cluster.config.min_insync_replicas = 2;
    w->scenario.cluster.config.replica_lag_time_max_ms = 10000;
    w->topics[0].min_insync_replicas = 2;
    struct scenario_producer *p = data_world_producer(w, "p", 20);
    p->config.delivery_timeout_ms = 600000;
    p->stop_at = SECONDS(60);
    data_world_start(w);
    process_id follower = cluster_broker_process(w->cluster, 1);
    sim_run_until(w->sim, SECONDS(10));
    process_freeze(w->sim, follower);
    sim_run_until(w->sim, SECONDS(24));
    broker_shutdown(w->cluster, 0);
    sim_run_until(w->sim, SECONDS(26));
    process_thaw(w->sim, follower);
    sim_run_until(w->sim, SECONDS(26) + after_waking);
    broker_crash(w->cluster, 2, false);
    sim_run_until(w->sim, SECONDS(50));
    for (int32_t b = 0; b < 3; b++)
        broker_restart(w->cluster, b);
    sim_run_until(w->sim, SECONDS(120));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.acknowledged, counts.arrived);
    int64_t visible = 0;
    for (int32_t t = 0; t < 3; t++)
        visible += cluster_offsets(w->cluster, PARTITION_ID(0, t)).high_watermark;
    if (visible != counts.arrived)
        fail_msg("%lld ms after waking: %lld of %lld acknowledged records are left",
                 (long long)(after_waking / MILLISECONDS(1)), (long long)visible,
                 (long long)counts.arrived);
    data_world_free(w);
}

static void a_follower_is_in_sync_only_with_what_it_has_appended(void **state)
{
    (void)state;
    for (sim_time after = MILLISECONDS(400); after < MILLISECONDS(700); after += MILLISECONDS(2))
        lose_the_leader_while_a_follower_wakes(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashed_leader_is_replaced_after_nine_seconds),
        cmocka_unit_test(a_broker_that_returns_catches_up_and_leads_again),
        cmocka_unit_test(controlled_shutdown_moves_leaders_at_once),
        cmocka_unit_test(acks_one_loses_what_only_the_leader_had),
        cmocka_unit_test(unclean_election_takes_records_back),
        cmocka_unit_test(without_unclean_election_the_partition_waits_for_its_leader),
        cmocka_unit_test(a_follower_is_in_sync_only_with_what_it_has_appended),
        cmocka_unit_test(too_small_an_isr_freezes_the_high_watermark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
