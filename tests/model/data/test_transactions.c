/* Stories of transactions: commit, abort, hung producers, and what readers see meanwhile. */
#include "model/messages_group.h"
#include "tests/model/data/raw_client.h"

#include "model/group_partition.h"

struct writer {
    struct data_world *world;
    struct producer *producer;
    struct producer_config config;
    process_id process;
    int64_t acknowledged;
    int64_t failed;
};

static void on_done(void *self, const struct producer_outcome *outcome)
{
    struct writer *writer = self;
    if (outcome->error == KAFKA_NONE) {
        writer->acknowledged += outcome->count;
    } else {
        writer->failed += outcome->count;
    }
}

static struct writer *writer_new(struct data_world *w, const char *name)
{
    struct writer *writer = calloc(1, sizeof *writer);
    name_id id = names_intern(sim_names(w->sim), name);
    writer->world = w;
    writer->process = process_add(w->sim, id, id);
    process_start(w->sim, writer->process);
    data_producer_config(&writer->config);
    writer->config.transactional_id = "tx";
    const struct producer_options options = {.sim = w->sim,
                                             .network = w->network,
                                             .cluster = w->cluster,
                                             .process = writer->process,
                                             .name = id,
                                             .config = &writer->config,
                                             .on_done = on_done,
                                             .self = writer};
    writer->producer = producer_new(&options);
    producer_partition_count(writer->producer, names_intern(sim_names(w->sim), "t"));
    producer_init_transactions(writer->producer);
    return writer;
}

static void send(struct writer *writer, int32_t count)
{
    sim_time now = sim_now(writer->world->sim);
    const struct producer_records records = {count, (int64_t)count * 100, now, now, 0, 0};
    producer_send(writer->producer, PARTITION_ID(0, 0), &records);
}

static struct data_world *start(void)
{
    struct data_world *w = data_world_new();
    w->topics[0].partitions = 1;
    data_world_start(w);
    return w;
}

/* A transaction of ten records, open since 5 s. */
static void write_in_a_transaction(struct writer *writer, sim_time until)
{
    struct sim *sim = writer->world->sim;
    sim_run_until(sim, SECONDS(5));
    producer_begin_transaction(writer->producer);
    send(writer, 10);
    sim_run_until(sim, until);
}

static void committed_records_appear_when_the_marker_is_written(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    struct raw_client *committed = raw_reader_new(w, "committed", false, READ_COMMITTED);
    struct raw_client *all = raw_reader_new(w, "all", false, READ_UNCOMMITTED);
    sim_run_until(w->sim, SECONDS(5));
    assert_int_equal(producer_transaction_state(writer->producer), TRANSACTION_READY);
    producer_begin_transaction(writer->producer);
    send(writer, 10);
    sim_run_until(w->sim, SECONDS(10));
    assert_int_equal(writer->acknowledged, 10);
    assert_int_equal(all->records, 10);
    assert_int_equal(committed->records, 0);
    assert_int_equal(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).last_stable, 0);
    producer_commit_transaction(writer->producer);
    sim_run_until(w->sim, SECONDS(15));
    assert_int_equal(producer_transaction_state(writer->producer), TRANSACTION_READY);
    assert_int_equal(committed->records, 10);
    assert_int_equal(committed->aborted_records, 0);
    assert_int_equal(committed->offset, 11); /* the marker takes an offset */
    assert_int_equal(data_count(w, TRACE_TRANSACTION), 1);
    data_world_free(w);
    free(writer);
    free(committed);
    free(all);
}

static void aborted_records_are_marked_for_the_reader_to_drop(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    struct raw_client *committed = raw_reader_new(w, "committed", false, READ_COMMITTED);
    sim_run_until(w->sim, SECONDS(5));
    for (int32_t round = 0; round < 4; round++) {
        producer_begin_transaction(writer->producer);
        send(writer, 10);
        sim_run_until(w->sim, SECONDS(10 + 10 * round));
        if (round % 2 == 0) {
            producer_abort_transaction(writer->producer);
        } else {
            producer_commit_transaction(writer->producer);
        }
        sim_run_until(w->sim, SECONDS(15 + 10 * round));
        assert_int_equal(producer_transaction_state(writer->producer), TRANSACTION_READY);
    }
    assert_int_equal(committed->records, 40);
    assert_int_equal(committed->aborted_records, 20);
    assert_int_equal(committed->offset, 44);
    data_world_free(w);
    free(writer);
    free(committed);
}

static void a_hung_transaction_is_aborted_after_its_timeout_and_a_sweep(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    struct raw_client *committed = raw_reader_new(w, "committed", false, READ_COMMITTED);
    write_in_a_transaction(writer, SECONDS(6));
    process_kill(w->sim, writer->process);
    sim_run_until(w->sim, SECONDS(64));
    assert_int_equal(committed->offset, 0);
    sim_run_until(w->sim, SECONDS(76)); /* 60 s after the start, then a sweep of 10 s */
    assert_int_equal(committed->offset, 11);
    assert_int_equal(committed->aborted_records, 10);
    data_world_free(w);
    free(writer);
    free(committed);
}

static void who_lets_a_transaction_time_out_is_fenced(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    write_in_a_transaction(writer, SECONDS(80));
    /* The sweep aborted it under a new epoch: what the old one says now comes too late. */
    assert_int_equal(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).last_stable, 11);
    producer_commit_transaction(writer->producer);
    sim_run_until(w->sim, SECONDS(85));
    assert_int_equal(producer_transaction_state(writer->producer), TRANSACTION_FATAL_ERROR);
    assert_int_equal(producer_transaction_error(writer->producer), KAFKA_PRODUCER_FENCED);
    data_world_free(w);
    free(writer);
}

static void a_new_instance_fences_the_old_one(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *old = writer_new(w, "old");
    write_in_a_transaction(old, SECONDS(6));
    struct writer *fresh = writer_new(w, "fresh");
    sim_run_until(w->sim, SECONDS(12));
    assert_int_equal(producer_transaction_state(fresh->producer), TRANSACTION_READY);
    producer_commit_transaction(old->producer);
    sim_run_until(w->sim, SECONDS(15));
    assert_int_equal(producer_transaction_state(old->producer), TRANSACTION_FATAL_ERROR);
    assert_int_equal(producer_transaction_error(old->producer), KAFKA_PRODUCER_FENCED);
    assert_int_equal(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).last_stable, 11);
    data_world_free(w);
    free(old);
    free(fresh);
}

static void transactions_survive_their_coordinator(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    struct raw_client *committed = raw_reader_new(w, "committed", false, READ_COMMITTED);
    write_in_a_transaction(writer, SECONDS(6));
    int32_t topic =
        cluster_topic_find(w->cluster, names_intern(sim_names(w->sim), TRANSACTION_TOPIC));
    int32_t data_leader = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    for (int32_t p = 0; p < cluster_partition_count(w->cluster, topic); p++) {
        int32_t leader = cluster_leader(w->cluster, PARTITION_ID(topic, p));
        if (leader != data_leader) controller_elect(w->cluster, PARTITION_ID(topic, p), false);
    }
    sim_run_until(w->sim, SECONDS(8));
    producer_commit_transaction(writer->producer);
    sim_run_until(w->sim, SECONDS(20));
    assert_int_equal(producer_transaction_state(writer->producer), TRANSACTION_READY);
    assert_int_equal(committed->records, 10);
    data_world_free(w);
    free(writer);
    free(committed);
}

static void an_open_transaction_survives_the_crash_of_its_coordinator(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    write_in_a_transaction(writer, SECONDS(6));
    int32_t topic =
        cluster_topic_find(w->cluster, names_intern(sim_names(w->sim), TRANSACTION_TOPIC));
    int32_t shard = group_partition("tx", cluster_partition_count(w->cluster, topic));
    int32_t coordinator = cluster_leader(w->cluster, PARTITION_ID(topic, shard));
    broker_crash(w->cluster, coordinator, false);
    sim_run_until(w->sim, SECONDS(20));
    assert_int_not_equal(cluster_leader(w->cluster, PARTITION_ID(topic, shard)), coordinator);
    /* The next one has read it in its log: it knows the producer, its epoch and its partitions. */
    producer_commit_transaction(writer->producer);
    sim_run_until(w->sim, SECONDS(30));
    assert_int_equal(producer_transaction_state(writer->producer), TRANSACTION_READY);
    assert_int_equal(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).last_stable, 11);
    data_world_free(w);
    free(writer);
}

/* ---- KIP-890: writes without a transaction ---- */

struct stray {
    struct data_world *world;
    struct raw_client *client;
    name_id id;
    int64_t producer_id;
    int16_t producer_epoch;
};

static const void *answer(struct stray *stray)
{
    sim_run_until(stray->world->sim, sim_now(stray->world->sim) + SECONDS(1));
    assert_non_null(stray->client->response);
    return stray->client->response;
}

static enum kafka_error stray_produce(struct stray *stray, int32_t base_sequence)
{
    struct memory *memory = sim_memory(stray->world->sim);
    struct produce_request *request = MESSAGE_NEW(memory, API_PRODUCE, struct produce_request);
    request->acks = -1;
    request->timeout_ms = 30000;
    request->transactional_id = stray->id;
    request->producer_id = stray->producer_id;
    request->batches = MESSAGE_ARRAY(memory, &request->head, struct produce_batch, 1);
    request->batch_count = 1;
    request->batches[0] = (struct produce_batch){.partition = PARTITION_ID(0, 0),
                                                 .count = 1,
                                                 .bytes = 100,
                                                 .base_sequence = base_sequence,
                                                 .producer_epoch = stray->producer_epoch};
    raw_send(stray->client, &request->head);
    return ((const struct produce_response *)answer(stray))->partitions[0].error;
}

static enum kafka_error stray_commit_offset(struct stray *stray)
{
    struct memory *memory = sim_memory(stray->world->sim);
    struct names *names = sim_names(stray->world->sim);
    struct txn_offset_commit_request *request =
        MESSAGE_NEW(memory, API_TXN_OFFSET_COMMIT, struct txn_offset_commit_request);
    request->group = names_intern(names, "billing");
    request->member = NAME_EMPTY;
    request->generation = -1;
    request->transactional_id = stray->id;
    request->producer_id = stray->producer_id;
    request->producer_epoch = stray->producer_epoch;
    request->offsets = MESSAGE_ARRAY(memory, &request->head, struct offset_entry, 1);
    request->offset_count = 1;
    request->offsets[0] = (struct offset_entry){.partition = {names_intern(names, "t"), 0},
                                                .offset = 1,
                                                .leader_epoch = -1};
    raw_send(stray->client, &request->head);
    return ((const struct offset_commit_response *)answer(stray))->offsets[0].error;
}

static void stray_begin(struct stray *stray)
{
    struct memory *memory = sim_memory(stray->world->sim);
    struct init_producer_id_request *request =
        MESSAGE_NEW(memory, API_INIT_PRODUCER_ID, struct init_producer_id_request);
    request->transactional_id = stray->id;
    request->transaction_timeout_ms = 60000;
    request->producer_id = -1;
    request->producer_epoch = -1;
    raw_send(stray->client, &request->head);
    const struct init_producer_id_response *response = answer(stray);
    assert_int_equal(response->error, KAFKA_NONE);
    stray->producer_id = response->producer_id;
    stray->producer_epoch = response->producer_epoch;
}

static void stray_add(struct stray *stray)
{
    struct memory *memory = sim_memory(stray->world->sim);
    struct add_partitions_to_txn_request *request =
        MESSAGE_NEW(memory, API_ADD_PARTITIONS_TO_TXN, struct add_partitions_to_txn_request);
    request->transactional_id = stray->id;
    request->producer_id = stray->producer_id;
    request->producer_epoch = stray->producer_epoch;
    request->partitions = MESSAGE_ARRAY(memory, &request->head, partition_id, 1);
    request->partitions[0] = PARTITION_ID(0, 0);
    request->partition_count = 1;
    raw_send(stray->client, &request->head);
    assert_int_equal(((const struct txn_response *)answer(stray))->error, KAFKA_NONE);
}

static void stray_end(struct stray *stray)
{
    struct memory *memory = sim_memory(stray->world->sim);
    struct end_txn_request *request = MESSAGE_NEW(memory, API_END_TXN, struct end_txn_request);
    request->transactional_id = stray->id;
    request->producer_id = stray->producer_id;
    request->producer_epoch = stray->producer_epoch;
    request->committed = true;
    raw_send(stray->client, &request->head);
    assert_int_equal(((const struct txn_response *)answer(stray))->error, KAFKA_NONE);
}

static void what_arrives_outside_its_transaction_is_refused(void **state)
{
    (void)state;
    struct data_world *w = data_world_new();
    w->scenario.cluster.brokers = 1;
    w->scenario.cluster.config.offsets_topic_replication_factor = 1;
    w->topics[0].partitions = 1;
    w->topics[0].replication = 1;
    data_world_start(w);
    struct stray stray = {.world = w,
                          .client = raw_client_new(w, "stray", 0),
                          .id = names_intern(sim_names(w->sim), "tx")};
    sim_run_until(w->sim, SECONDS(5));
    stray_begin(&stray);
    assert_int_equal(stray_produce(&stray, 0), KAFKA_TRANSACTION_ABORTABLE);
    assert_int_equal(stray_commit_offset(&stray), KAFKA_TRANSACTION_ABORTABLE);
    stray_add(&stray);
    assert_int_equal(stray_produce(&stray, 0), KAFKA_NONE);
    /* The group's shard is no participant. */
    assert_int_equal(stray_commit_offset(&stray), KAFKA_TRANSACTION_ABORTABLE);
    stray_end(&stray);
    assert_int_equal(stray_produce(&stray, 1), KAFKA_TRANSACTION_ABORTABLE);
    /* Nothing hangs: readers see the record and the marker. */
    assert_int_equal(cluster_offsets(w->cluster, PARTITION_ID(0, 0)).last_stable, 2);
    stray.producer_epoch--;
    assert_int_equal(stray_commit_offset(&stray), KAFKA_INVALID_PRODUCER_EPOCH);
    free(stray.client);
    data_world_free(w);
}

/* ---- taking over ---- */

static enum kafka_error ask_for_id(struct raw_client *client, sim_time until)
{
    struct sim *sim = client->world->sim;
    struct init_producer_id_request *request =
        MESSAGE_NEW(sim_memory(sim), API_INIT_PRODUCER_ID, struct init_producer_id_request);
    request->transactional_id = names_intern(sim_names(sim), "tx");
    request->transaction_timeout_ms = 60000;
    raw_send(client, &request->head);
    sim_run_until(sim, until);
    assert_non_null(client->response);
    const void *response = client->response;
    return ((const struct init_producer_id_response *)response)->error;
}

/* Some 20 ns for each byte of the log: four records for each transaction. */
static void a_new_coordinator_first_reads_its_log(void **state)
{
    (void)state;
    struct data_world *w = start();
    struct writer *writer = writer_new(w, "writer");
    sim_time now = SECONDS(5);
    sim_run_until(w->sim, now);
    for (int i = 0; i < 1000; i++) {
        producer_begin_transaction(writer->producer);
        send(writer, 1);
        producer_commit_transaction(writer->producer);
        while (producer_transaction_state(writer->producer) != TRANSACTION_READY)
            sim_run_until(w->sim, now += MILLISECONDS(1));
    }
    int32_t topic =
        cluster_topic_find(w->cluster, names_intern(sim_names(w->sim), TRANSACTION_TOPIC));
    partition_id log =
        PARTITION_ID(topic, group_partition("tx", cluster_partition_count(w->cluster, topic)));
    int64_t load_ns = cluster_offsets(w->cluster, log).bytes * 20;
    assert_in_range(load_ns, MILLISECONDS(5), MILLISECONDS(20));
    struct raw_client *clients[3];
    for (int32_t b = 0; b < 3; b++)
        clients[b] = raw_client_new(w, "client", b);
    sim_run_until(w->sim, now += SECONDS(1));
    int32_t old = cluster_leader(w->cluster, log);
    assert_int_equal(ask_for_id(clients[old], now += MILLISECONDS(50)), KAFKA_NONE);
    controller_elect(w->cluster, log, false);
    sim_time elected_at = now;
    struct raw_client *client = clients[cluster_leader(w->cluster, log)];
    assert_true(client != clients[old]);
    enum kafka_error error;
    while ((error = ask_for_id(client, now += MILLISECONDS(2))) == KAFKA_NOT_COORDINATOR)
        assert_true(now < elected_at + MILLISECONDS(10));
    assert_int_equal(error, KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    assert_int_equal(ask_for_id(client, elected_at + load_ns - MILLISECONDS(1)),
                     KAFKA_COORDINATOR_LOAD_IN_PROGRESS);
    sim_run_until(w->sim, elected_at + load_ns + MILLISECONDS(2));
    assert_int_equal(ask_for_id(client, elected_at + load_ns + MILLISECONDS(50)), KAFKA_NONE);
    data_world_free(w);
    free(writer);
    for (int32_t b = 0; b < 3; b++)
        free(clients[b]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_records_appear_when_the_marker_is_written),
        cmocka_unit_test(aborted_records_are_marked_for_the_reader_to_drop),
        cmocka_unit_test(a_hung_transaction_is_aborted_after_its_timeout_and_a_sweep),
        cmocka_unit_test(who_lets_a_transaction_time_out_is_fenced),
        cmocka_unit_test(a_new_instance_fences_the_old_one),
        cmocka_unit_test(transactions_survive_their_coordinator),
        cmocka_unit_test(an_open_transaction_survives_the_crash_of_its_coordinator),
        cmocka_unit_test(what_arrives_outside_its_transaction_is_refused),
        cmocka_unit_test(a_new_coordinator_first_reads_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
