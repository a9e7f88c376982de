/* Random faults of brokers: what must hold whatever happens. Each seed is one run of two virtual
 * minutes of faults and two of peace; a failure names the seed. */
#include "tests/model/data/data_world.h"

#include "sim/rng.h"

#define SEEDS  200
#define TOPICS 1

struct chaos {
    struct data_world *w;
    struct rng rng;
    network_fault_id cuts[32];
    int32_t cut_count;
};

static bool is_running(const struct data_world *w, int32_t broker)
{
    return process_state(w->sim, cluster_broker_process(w->cluster, broker)) != PROCESS_DEAD;
}

static int32_t running(const struct data_world *w)
{
    int32_t count = 0;
    for (int32_t b = 0; b < 3; b++)
        count += is_running(w, b);
    return count;
}

static void cut_one_link(struct chaos *chaos)
{
    struct data_world *w = chaos->w;
    uint32_t from = (uint32_t)rng_next_below(&chaos->rng, 4);
    uint32_t to = (from + 1 + (uint32_t)rng_next_below(&chaos->rng, 3)) % 4;
    process_id processes[4] = {cluster_broker_process(w->cluster, 0),
                               cluster_broker_process(w->cluster, 1),
                               cluster_broker_process(w->cluster, 2),
                               cluster_controller_process(w->cluster)};
    const struct network_fault cut = {.cut = true};
    if (chaos->cut_count + 2 > 32) return;
    chaos->cuts[chaos->cut_count++] =
        network_fault_add(w->network, processes[from], processes[to], &cut);
    if (rng_next_below(&chaos->rng, 2) == 0) return;
    chaos->cuts[chaos->cut_count++] =
        network_fault_add(w->network, processes[to], processes[from], &cut);
}

static void heal(struct chaos *chaos)
{
    for (int32_t i = 0; i < chaos->cut_count; i++) {
        network_fault_remove(chaos->w->network, chaos->cuts[i]);
    }
    chaos->cut_count = 0;
}

static void strike(struct chaos *chaos)
{
    struct data_world *w = chaos->w;
    int32_t broker = (int32_t)rng_next_below(&chaos->rng, 3);
    partition_id partition = PARTITION_ID(0, rng_next_below(&chaos->rng, 3));
    switch (rng_next_below(&chaos->rng, 8)) {
    case 0: broker_crash(w->cluster, broker, false); break;
    case 1: broker_crash(w->cluster, broker, true); break;
    case 2:
        if (running(w) > 1) broker_shutdown(w->cluster, broker);
        break;
    case 3:
    case 4: broker_restart(w->cluster, broker); break;
    case 5: controller_elect(w->cluster, partition, false); break;
    case 6: cut_one_link(chaos); break;
    case 7:
        heal(chaos);
        broker_disk_stall(w->cluster, broker, sim_now(w->sim) + SECONDS(2));
        break;
    }
}

/* Appends and high watermarks of each partition, as the trace tells them. */
static void assert_sound(const struct data_world *w)
{
    int64_t high_watermark[8] = {0};
    int64_t end[8] = {0};
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *r = &w->records[i];
        if (PARTITION_TOPIC((partition_id)r->field[0]) != 0) continue;
        int32_t p = PARTITION_NUMBER((partition_id)r->field[0]);
        if (r->kind == TRACE_HIGH_WATERMARK) {
            if (r->field[1] > end[p]) fail_msg("high watermark beyond the log end");
            if (r->field[1] > high_watermark[p]) high_watermark[p] = r->field[1];
        } else if (r->kind == TRACE_BATCH_APPENDED && r->field[9] == 0) {
            if (r->field[3] < end[p]) fail_msg("an offset was given twice");
            end[p] = r->field[3] + r->field[4];
        } else if (r->kind == TRACE_LEADER_ELECTED && r->field[1] >= 0) {
            /* A clean election never takes back what consumers could see. */
            if (r->field[3] < high_watermark[p]) fail_msg("visible records were lost");
            if (r->field[3] < end[p]) end[p] = r->field[3];
        }
    }
}

static void run(uint64_t seed)
{
    struct data_world *w = data_world_new();
    w->scenario.seed = seed;
    w->scenario.cluster.config.min_insync_replicas = 2;
    w->topics[0].min_insync_replicas = 2;
    struct scenario_producer *p = data_world_producer(w, "p", 40);
    p->config.delivery_timeout_ms = 600000;
    p->config.max_block_ms = 600000;
    p->stop_at = SECONDS(150);
    data_world_start(w);
    const struct rng_key key = rng_key(seed, 1, RNG_TEST);
    struct chaos chaos = {.w = w, .rng = rng_start(&key, 0)};
    for (int32_t second = 5; second < 125; second += 1 + (int32_t)rng_next_below(&chaos.rng, 6)) {
        sim_run_until(w->sim, SECONDS(second) + (sim_time)rng_next_below(&chaos.rng, SECONDS(1)));
        strike(&chaos);
    }
    heal(&chaos);
    for (int32_t second = 130; second <= 220; second += 10) { /* shutdowns may be under way */
        sim_run_until(w->sim, SECONDS(second));
        for (int32_t b = 0; b < 3; b++)
            broker_restart(w->cluster, b);
    }
    sim_run_until(w->sim, SECONDS(299));
    struct workload_counts counts = workload_counts(w->workloads[0]);
    int64_t visible = 0;
    for (int32_t t = 0; t < 3; t++) {
        visible += cluster_offsets(w->cluster, PARTITION_ID(0, t)).high_watermark;
    }
    if (counts.failed != 0 || counts.pending != 0 || counts.acknowledged != counts.arrived ||
        visible != counts.arrived || w->record_count == DATA_RECORDS_MAX) {
        fail_msg("seed %llu: arrived %lld, acknowledged %lld, failed %lld, pending %lld, in the "
                 "logs %lld",
                 (unsigned long long)seed, (long long)counts.arrived,
                 (long long)counts.acknowledged, (long long)counts.failed,
                 (long long)counts.pending, (long long)visible);
    }
    assert_sound(w);
    data_world_free(w);
}

static void idempotent_producers_lose_and_repeat_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        run(strtoull(argv[1], NULL, 10));
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idempotent_producers_lose_and_repeat_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
