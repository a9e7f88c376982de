/* What brokers and the controller do with a topic that is deleted, or comes back. */
#include "tests/model/data/raw_client.h"

#include "model/messages_data.h"
#include "model/producer.h"

static struct data_world *start(int64_t per_second)
{
    struct data_world *w = data_world_new();
    w->topics[0].partitions = 1;
    data_world_producer(w, "p", per_second)->config.linger_ms = 0;
    data_world_start(w);
    return w;
}

static enum kafka_error fetched_error(const struct raw_client *client)
{
    const void *body = client->response;
    const struct fetch_response *response = body;
    assert_int_equal(response->error, KAFKA_NONE);
    return response->partition_count == 0 ? KAFKA_NONE : response->partitions[0].error;
}

static enum kafka_error fetch_again(struct raw_client *client, sim_time until)
{
    raw_fetch(client);
    sim_run_until(client->world->sim, until);
    const void *body = client->response;
    client->session_id = ((const struct fetch_response *)body)->session_id;
    client->session_epoch++;
    return fetched_error(client);
}

static void a_fetch_by_topic_id_is_told_apart(void **state)
{
    (void)state;
    struct data_world *w = start(100);
    sim_run_until(w->sim, SECONDS(5));
    struct raw_client *old =
        raw_client_new(w, "old", cluster_leader(w->cluster, PARTITION_ID(0, 0)));
    old->partition = PARTITION_ID(0, 0);
    sim_run_until(w->sim, SECONDS(6));
    assert_int_equal(fetch_again(old, SECONDS(7)), KAFKA_NONE);
    cluster_delete_topic(w->cluster, 0);
    sim_run_until(w->sim, SECONDS(8));
    /* The session knows the name, as long as it lasts, */
    assert_int_equal(fetch_again(old, SECONDS(9)), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    cluster_create_topic(w->cluster, 0, 1);
    sim_run_until(w->sim, SECONDS(10));
    assert_int_equal(fetch_again(old, SECONDS(11)), KAFKA_INCONSISTENT_TOPIC_ID);
    /* a new one knows no topic with this id. */
    struct raw_client *new =
        raw_client_new(w, "new", cluster_leader(w->cluster, PARTITION_ID(0, 0)));
    new->partition = PARTITION_ID(0, 0);
    sim_run_until(w->sim, SECONDS(12));
    assert_int_equal(fetch_again(new, SECONDS(13)), KAFKA_UNKNOWN_TOPIC_ID);
    data_world_free(w);
    free(old);
    free(new);
}

/* Batches that this log took from an instant on. */
static int32_t appended_since(const struct data_world *w, sim_time from, int32_t topic_id)
{
    int32_t count = 0;
    for (int32_t i = 0; i < w->record_count; i++) {
        const struct trace_record *record = &w->records[i];
        if (record->kind != TRACE_BATCH_APPENDED || record->at < from) continue;
        count += PARTITION_TOPIC_ID(record->field[0]) == topic_id;
    }
    return count;
}

static void the_new_log_begins_at_nothing_and_is_replicated(void **state)
{
    (void)state;
    struct data_world *w = start(10);
    sim_run_until(w->sim, SECONDS(10));
    assert_in_range(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).log_end, 98, 100);
    cluster_delete_topic(w->cluster, 0);
    assert_int_equal(cluster_partition_count(w->cluster, 0), 0);
    assert_int_equal(cluster_leader(w->cluster, PARTITION_ID(0, 0)), -1);
    assert_int_equal(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).log_end, 0);
    sim_run_until(w->sim, SECONDS(15));
    cluster_create_topic(w->cluster, 0, 1);
    sim_run_until(w->sim, SECONDS(25));
    /* What send() kept waiting, and what came since: all acknowledged by the whole ISR. */
    struct partition_offsets offsets = cluster_offsets(w->cluster, PARTITION_ID(0, 0));
    assert_in_range(offsets.log_end, 148, 151);
    assert_int_equal(offsets.high_watermark, offsets.log_end);
    assert_int_equal(cluster_isr(w->cluster, PARTITION_ID(0, 0)), 7);
    assert_int_equal(appended_since(w, SECONDS(10) + MILLISECONDS(3), 0), 0);
    assert_true(appended_since(w, SECONDS(15), 1) > 90);
    data_world_free(w);
}

static void a_broker_that_was_down_finds_the_new_topic(void **state)
{
    (void)state;
    struct data_world *w = start(10);
    sim_run_until(w->sim, SECONDS(10));
    int32_t leader = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    broker_crash(w->cluster, leader, false);
    sim_run_until(w->sim, SECONDS(30));
    cluster_delete_topic(w->cluster, 0);
    sim_run_until(w->sim, SECONDS(31));
    cluster_create_topic(w->cluster, 0, 1);
    sim_run_until(w->sim, SECONDS(40));
    broker_restart(w->cluster, leader);
    sim_run_until(w->sim, SECONDS(80));
    struct partition_offsets offsets = cluster_offsets(w->cluster, PARTITION_ID(0, 0));
    assert_int_equal(offsets.high_watermark, offsets.log_end);
    assert_int_equal(cluster_isr(w->cluster, PARTITION_ID(0, 0)), 7);
    assert_in_range(offsets.log_end, 480, 520);
    data_world_free(w);
}

static void a_parked_produce_is_answered(void **state)
{
    (void)state;
    /* The followers are frozen, so that nothing is acknowledged any more. */
    struct data_world *w = start(10);
    sim_run_until(w->sim, SECONDS(10));
    int32_t leader = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    for (int32_t b = 0; b < 3; b++) {
        if (b != leader) process_freeze(w->sim, cluster_broker_process(w->cluster, b));
    }
    sim_run_until(w->sim, SECONDS(12));
    cluster_delete_topic(w->cluster, 0);
    sim_run_until(w->sim, SECONDS(13));
    cluster_create_topic(w->cluster, 0, 1);
    for (int32_t b = 0; b < 3; b++) {
        if (b != leader) process_thaw(w->sim, cluster_broker_process(w->cluster, b));
    }
    sim_run_until(w->sim, SECONDS(20));
    /* UNKNOWN_TOPIC_OR_PARTITION is tried again: the batches are in the new log, and done. */
    struct partition_offsets offsets = cluster_offsets(w->cluster, PARTITION_ID(0, 0));
    assert_in_range(offsets.log_end, 95, 102);
    assert_int_equal(offsets.high_watermark, offsets.log_end);
    data_world_free(w);
}

static struct producer *writer_new(struct data_world *w, struct producer_config *config,
                                   const char *name)
{
    name_id id = names_intern(sim_names(w->sim), name);
    process_id process = process_add(w->sim, id, id);
    process_start(w->sim, process);
    data_producer_config(config);
    config->transactional_id = "tx";
    struct producer *producer = producer_new(&(struct producer_options){.sim = w->sim,
                                                                        .network = w->network,
                                                                        .cluster = w->cluster,
                                                                        .process = process,
                                                                        .name = id,
                                                                        .config = config});
    producer_partition_count(producer, names_intern(sim_names(w->sim), "t"));
    producer_init_transactions(producer);
    return producer;
}

static void a_transaction_ends_without_the_partitions_that_are_gone(void **state)
{
    (void)state;
    struct data_world *w = start(1);
    struct producer_config configs[2];
    struct producer *first = writer_new(w, &configs[0], "first");
    sim_run_until(w->sim, SECONDS(5));
    producer_begin_transaction(first);
    const struct producer_records records = {10, 1000, sim_now(w->sim), sim_now(w->sim), 0, 0};
    producer_send(first, PARTITION_ID(0, 0), &records);
    sim_run_until(w->sim, SECONDS(6));
    assert_int_equal(producer_pending(first), 0);
    cluster_delete_topic(w->cluster, 0);
    sim_run_until(w->sim, SECONDS(7));
    producer_commit_transaction(first);
    sim_run_until(w->sim, SECONDS(8));
    /* Until a transaction is complete, nobody is given its transactional.id. */
    struct producer *second = writer_new(w, &configs[1], "second");
    sim_run_until(w->sim, SECONDS(10));
    assert_int_equal(producer_transaction_state(second), TRANSACTION_READY);
    data_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fetch_by_topic_id_is_told_apart),
        cmocka_unit_test(the_new_log_begins_at_nothing_and_is_replicated),
        cmocka_unit_test(a_broker_that_was_down_finds_the_new_topic),
        cmocka_unit_test(a_parked_produce_is_answered),
        cmocka_unit_test(a_transaction_ends_without_the_partitions_that_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
