/* tests/model/data/data_world.h: a cluster and its producers without groups, for stories about the
 * data plane. Kafka's defaults; a test changes what it is about, then calls data_world_start. */
#ifndef TESTS_MODEL_DATA_DATA_WORLD_H
#define TESTS_MODEL_DATA_DATA_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "model/broker.h"
#include "model/cluster.h"
#include "model/message.h"
#include "model/undelivered.h"
#include "model/workload.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_PRODUCERS_MAX 3
#define DATA_RECORDS_MAX   200000

struct data_world {
    struct scenario scenario;
    struct scenario_topic topics[2];
    struct scenario_producer producers[DATA_PRODUCERS_MAX];
    struct rate_point rates[DATA_PRODUCERS_MAX];
    struct sim *sim;
    struct network *network;
    struct cluster *cluster;
    struct workload *workloads[DATA_PRODUCERS_MAX];
    struct trace_record *records; /* of the kinds below */
    int32_t record_count;
};

static inline struct distribution data_constant(int64_t value)
{
    return (struct distribution){.kind = DISTRIBUTION_CONSTANT, .a = value};
}

static inline void data_broker_config(struct broker_config *config)
{
    *config = (struct broker_config){
        .group_min_session_timeout_ms = 6000,
        .group_max_session_timeout_ms = 1800000,
        .group_initial_rebalance_delay_ms = 3000,
        .group_max_size = INT32_MAX,
        .group_coordinator_append_linger_ms = 10,
        .offsets_commit_timeout_ms = 5000,
        .offsets_topic_num_partitions = 50,
        .offsets_topic_replication_factor = 3,
        .offsets_retention_minutes = 10080,
        .offsets_retention_check_interval_ms = 600000,
        .offset_metadata_max_bytes = 4096,
        .group_consumer_session_timeout_ms = 45000,
        .group_consumer_heartbeat_interval_ms = 5000,
        .group_consumer_max_size = INT32_MAX,
        .group_consumer_assignors = {"uniform", "range"},
        .group_consumer_assignor_count = 2,
        .group_consumer_migration_policy = "bidirectional",
        .min_insync_replicas = 1,
        .replica_lag_time_max_ms = 30000,
        .replica_fetch_wait_max_ms = 500,
        .broker_session_timeout_ms = 9000,
        .broker_heartbeat_interval_ms = 2000,
        .auto_leader_rebalance_enable = true,
        .leader_imbalance_check_interval_seconds = 300,
        .log_retention_ms = INT64_C(604800000),
        .log_retention_bytes = -1,
        .log_retention_check_interval_ms = 300000,
        .log_segment_bytes = INT64_C(1) << 30,
        .log_segment_ms = INT64_C(604800000),
        .producer_id_expiration_ms = 86400000,
        .transaction_max_timeout_ms = 900000,
        .transaction_abort_timed_out_transaction_cleanup_interval_ms = 10000,
        .transaction_state_log_num_partitions = 50,
    };
}

static inline void data_producer_config(struct producer_config *config)
{
    *config = (struct producer_config){
        .acks = -1,
        .enable_idempotence = true,
        .max_in_flight_requests_per_connection = 5,
        .retries = INT32_MAX,
        .delivery_timeout_ms = 120000,
        .request_timeout_ms = 30000,
        .linger_ms = 0,
        .batch_size = 16384,
        .buffer_memory = INT64_C(32) << 20,
        .max_block_ms = 60000,
        .max_request_size = 1 << 20,
        .retry_backoff_ms = 100,
        .retry_backoff_max_ms = 1000,
        .reconnect_backoff_ms = 50,
        .reconnect_backoff_max_ms = 1000,
        .metadata_max_age_ms = 300000,
        .transaction_timeout_ms = 60000,
        .partitioner_adaptive_partitioning_enable = true,
    };
}

/* One topic "t" with 3 partitions, RF 3, three brokers, latency 1 ms; no producers yet. */
static inline struct data_world *data_world_new(void)
{
    struct data_world *w = calloc(1, sizeof *w);
    w->records = calloc(DATA_RECORDS_MAX, sizeof *w->records);
    w->topics[0] = (struct scenario_topic){.name = "t",
                                           .partitions = 3,
                                           .replication = 3,
                                           .retention_ms = INT64_C(604800000),
                                           .retention_bytes = -1,
                                           .segment_bytes = INT64_C(1) << 30,
                                           .segment_ms = INT64_C(604800000),
                                           .min_insync_replicas = 1};
    w->scenario = (struct scenario){.name = "data",
                                    .duration_ns = HOURS(10),
                                    .seed = 1,
                                    .topics = w->topics,
                                    .topic_count = 1,
                                    .producers = w->producers};
    w->scenario.cluster.brokers = 3;
    w->scenario.cluster.latency_ns = data_constant(MILLISECONDS(1));
    w->scenario.cluster.request_service_ns = data_constant(0);
    w->scenario.cluster.disk_ns = data_constant(0);
    data_broker_config(&w->scenario.cluster.config);
    return w;
}

/* `per_second` records of 100 bytes, 1,000 keys. */
static inline struct scenario_producer *data_world_producer(struct data_world *w, const char *name,
                                                            int64_t per_second)
{
    int32_t index = w->scenario.producer_count++;
    w->rates[index] = (struct rate_point){0, per_second * 1000};
    w->producers[index] = (struct scenario_producer){
        .name = name,
        .topic = "t",
        .rate = {.points = &w->rates[index], .point_count = 1},
        .record_size_bytes = data_constant(100),
        .keys = {.count = 1000},
        .stop_at = SIM_TIME_NEVER,
    };
    data_producer_config(&w->producers[index].config);
    return &w->producers[index];
}

static inline void data_release(void *context, void *message)
{
    message_drop(context, message);
}

static inline void data_observe(void *self, const struct trace_record *record)
{
    struct data_world *w = self;
    if (record->kind == TRACE_ARRIVAL || w->record_count == DATA_RECORDS_MAX) return;
    w->records[w->record_count++] = *record;
}

static inline void data_world_start(struct data_world *w)
{
    w->sim = sim_new(&(struct sim_options){.seed = w->scenario.seed});
    trace_set_kinds(sim_trace(w->sim), trace_kinds, TRACE_KIND_COUNT);
    trace_observe(sim_trace(w->sim), data_observe, w, NULL);
    w->network = network_new(w->sim, data_release, w->sim);
    network_set_latency(w->network, &w->scenario.cluster.latency_ns);
    w->cluster = cluster_new(w->sim, w->network, &w->scenario);
    for (int32_t i = 0; i < w->scenario.producer_count; i++) {
        w->workloads[i] = workload_new(w->sim, w->network, w->cluster, &w->scenario, i);
    }
}

static inline void data_world_free(struct data_world *w)
{
    sim_free(w->sim);
    free(w->records);
    free(w);
}

static inline int64_t data_log_end(const struct data_world *w)
{
    int64_t sum = 0;
    for (int32_t p = 0; p < cluster_partition_count(w->cluster, 0); p++) {
        sum += cluster_offsets(w->cluster, PARTITION_ID(0, p)).log_end;
    }
    return sum;
}

static inline int32_t data_count(const struct data_world *w, uint16_t kind)
{
    int32_t count = 0;
    for (int32_t i = 0; i < w->record_count; i++)
        count += w->records[i].kind == kind;
    return count;
}

#endif
