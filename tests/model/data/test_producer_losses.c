/* Records that producers lose: acks=0, and processes that are killed. */
#include "tests/model/data/data_world.h"

struct losses {
    int64_t records[SEND_DOWN + 1]; /* by enum send_failure */
    int64_t by_error[128];          /* of the dropped ones */
    int64_t failed_ns;              /* the longest that one was tried */
};

static struct losses losses_of(const struct data_world *w)
{
    struct losses losses = {0};
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (r->kind != TRACE_SEND_FAILED) continue;
        losses.records[r->field[3]] += r->field[2];
        if (r->field[3] == SEND_DROPPED) losses.by_error[r->field[4]] += r->field[2];
        if (r->field[3] == SEND_FAILED && r->field[6] > losses.failed_ns)
            losses.failed_ns = r->field[6];
    }
    return losses;
}

static struct data_world *world_with_blind_producer(int64_t per_second)
{
    struct data_world *w = data_world_new();
    struct scenario_producer *p = data_world_producer(w, "p", per_second);
    p->config.acks = 0;
    p->config.enable_idempotence = false;
    p->stop_at = SECONDS(60);
    return w;
}

/* Sent = written + lost; nothing is on its way any more. */
static struct losses assert_all_accounted_for(const struct data_world *w)
{
    struct losses losses = losses_of(w);
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.arrived, counts.acknowledged + counts.failed + counts.died +
                                         counts.down + counts.pending);
    assert_int_equal(counts.pending, 0);
    assert_int_equal(counts.acknowledged, data_log_end(w) + losses.records[SEND_DROPPED]);
    return losses;
}

static void blind_records_die_with_the_broker_they_are_sent_to(void **state)
{
    (void)state;
    struct data_world *w = world_with_blind_producer(300);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20) + MICROSECONDS(500));
    broker_crash(w->cluster, cluster_leader(w->cluster, PARTITION_ID(0, 0)), false);
    sim_run_until(w->sim, SECONDS(80));
    struct losses losses = assert_all_accounted_for(w);
    /* Those that were on the wire for 1 ms; what came later waited for the new leader. */
    assert_in_range(losses.by_error[KAFKA_NETWORK_EXCEPTION], 1, 3);
    assert_int_equal(losses.records[SEND_DROPPED], losses.by_error[KAFKA_NETWORK_EXCEPTION]);
    data_world_free(w);
}

/* Nothing tells that the host is gone: 128 KiB go into the socket, the next request waits for
 * request.timeout.ms, and then the producer looks for another leader. */
static void a_dead_host_swallows_what_a_socket_holds(void **state)
{
    (void)state;
    struct data_world *w = world_with_blind_producer(300);
    w->producers[0].stop_at = SECONDS(90);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20) + MICROSECONDS(500));
    int32_t leader = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    broker_crash(w->cluster, leader, true);
    sim_run_until(w->sim, SECONDS(100));
    /* 100 records of 100 bytes a second, each in a request of its own with 100 bytes around it:
     * full after 6.6 s, given up 30 s later. What followed has been written elsewhere. */
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.pending, 0);
    int64_t swallowed = counts.acknowledged - data_log_end(w);
    assert_in_range(swallowed, 600, 700);
    struct losses losses = losses_of(w);
    assert_in_range(losses.records[SEND_DROPPED], 0, swallowed);
    data_world_free(w);
}

/* A cut that heals in time costs nothing: TCP sends what was lost again, and the rest follows. */
static void a_full_socket_empties_when_the_link_heals(void **state)
{
    (void)state;
    struct data_world *w = world_with_blind_producer(300);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    process_id broker = cluster_broker_process(w->cluster, leader);
    process_id producer = workload_process(w->workloads[0]);
    const struct network_fault cut = {.cut = true};
    network_fault_id there = network_fault_add(w->network, producer, broker, &cut);
    network_fault_id back = network_fault_add(w->network, broker, producer, &cut);
    sim_run_until(w->sim, SECONDS(40));
    network_fault_remove(w->network, there);
    network_fault_remove(w->network, back);
    sim_run_until(w->sim, SECONDS(120));
    assert_int_equal(assert_all_accounted_for(w).records[SEND_DROPPED], 0);
    data_world_free(w);
}

/* The connection that the broker closes is the only hint that the leader has moved. */
static void a_deposed_leader_refuses_blind_records_by_closing(void **state)
{
    (void)state;
    struct data_world *w = world_with_blind_producer(300);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int32_t leader = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    broker_shutdown(w->cluster, leader);
    sim_run_until(w->sim, SECONDS(80));
    struct losses losses = assert_all_accounted_for(w);
    /* Its partitions get 300/s among three: the one request that was refused, and what followed on
     * its way until the news came back. */
    assert_in_range(losses.by_error[KAFKA_NOT_LEADER_OR_FOLLOWER], 1, 3);
    assert_in_range(losses.records[SEND_DROPPED], 1, 6);
    data_world_free(w);
}

/* Selector: what was received before the client closed is served, one request after the other. */
static void what_a_blind_producer_wrote_before_its_end_is_still_appended(void **state)
{
    (void)state;
    struct data_world *w = world_with_blind_producer(300);
    w->scenario.cluster.request_service_ns =
        data_constant(MILLISECONDS(12)); /* requests queue up */
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int64_t before = data_log_end(w);
    workload_kill(w->workloads[0], false);
    sim_run_until(w->sim, SECONDS(80));
    struct losses losses = assert_all_accounted_for(w);
    assert_true(data_log_end(w) - before > 50);
    assert_int_equal(losses.records[SEND_DROPPED], 0);
    assert_int_equal(losses.records[SEND_DOWN], 40 * 300);
    data_world_free(w);
}

static void with_answers_only_the_request_under_way_is_appended(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 300)->stop_at = SECONDS(60);
    w->scenario.cluster.request_service_ns = data_constant(MILLISECONDS(50));
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    int64_t before = data_log_end(w);
    workload_kill(w->workloads[0], false);
    sim_run_until(w->sim, SECONDS(80));
    int64_t late = data_log_end(w) - before;
    struct losses losses = losses_of(w);
    assert_in_range(late, 1, losses.records[SEND_UNHEARD] - 1);
    data_world_free(w);
}

static void a_killed_producer_loses_what_lingers(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    struct scenario_producer *p = data_world_producer(w, "p", 300);
    p->config.linger_ms = 500;
    p->stop_at = SECONDS(60);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20) + MILLISECONDS(800));
    workload_kill(w->workloads[0], false);
    sim_run_until(w->sim, SECONDS(30));
    workload_restart(w->workloads[0]);
    sim_run_until(w->sim, SECONDS(80));
    struct losses losses = losses_of(w);
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_int_equal(counts.arrived, 18000);
    assert_in_range(losses.records[SEND_UNSENT], 1, 150); /* half a second's at most */
    assert_int_equal(counts.died, losses.records[SEND_UNSENT] + losses.records[SEND_UNHEARD]);
    assert_int_equal(counts.down, losses.records[SEND_DOWN]);
    assert_in_range(counts.down, 2750, 3050);
    assert_int_equal(counts.pending, 0);
    assert_int_equal(counts.acknowledged + counts.died + counts.down, 18000);
    assert_in_range(data_log_end(w), counts.acknowledged,
                    counts.acknowledged + losses.records[SEND_UNHEARD]);
    data_world_free(w);
}

/* What waited is gone with the process: the partitioner of the next one counts from nothing. */
static void a_restarted_producer_without_keys_counts_its_queues_anew(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    struct scenario_producer *p = data_world_producer(w, "p", 300);
    w->topics[0].partitions = 1;
    p->keys.count = 0;
    p->config.batch_size = 1000;
    p->stop_at = SECONDS(60);
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    broker_crash(w->cluster, cluster_leader(w->cluster, PARTITION_ID(0, 0)), true);
    sim_run_until(w->sim, SECONDS(22));
    workload_kill(w->workloads[0], false);
    sim_run_until(w->sim, SECONDS(23));
    workload_restart(w->workloads[0]);
    sim_run_until(w->sim, SECONDS(80));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    assert_true(losses_of(w).records[SEND_UNSENT] > 0);
    assert_int_equal(counts.pending, 0);
    assert_int_equal(counts.acknowledged + counts.died + counts.down, 18000);
    data_world_free(w);
}

static void a_failed_send_says_how_long_it_was_tried(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    data_world_producer(w, "p", 30)->stop_at = SECONDS(30);
    w->topics[0].replication = 1;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(20));
    broker_crash(w->cluster, cluster_leader(w->cluster, PARTITION_ID(0, 0)), false);
    sim_run_until(w->sim, SECONDS(200));
    struct losses losses = losses_of(w);
    assert_int_equal(losses.records[SEND_FAILED], workload_counts(w->workloads[0]).failed);
    assert_true(losses.records[SEND_FAILED] > 50);
    assert_int_equal(losses.failed_ns, SECONDS(120)); /* delivery.timeout.ms */
    data_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blind_records_die_with_the_broker_they_are_sent_to),
        cmocka_unit_test(a_dead_host_swallows_what_a_socket_holds),
        cmocka_unit_test(a_full_socket_empties_when_the_link_heals),
        cmocka_unit_test(a_deposed_leader_refuses_blind_records_by_closing),
        cmocka_unit_test(what_a_blind_producer_wrote_before_its_end_is_still_appended),
        cmocka_unit_test(with_answers_only_the_request_under_way_is_appended),
        cmocka_unit_test(a_killed_producer_loses_what_lingers),
        cmocka_unit_test(a_restarted_producer_without_keys_counts_its_queues_anew),
        cmocka_unit_test(a_failed_send_says_how_long_it_was_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
