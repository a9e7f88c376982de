/* Stories of fetches: when they are answered, sessions, and the rounds that idle fetches leave out.
 */
#include "tests/model/data/raw_client.h"

static struct data_world *world_with_reader_topic(int64_t per_second)
{
    struct data_world *w = data_world_new();
    w->topics[0].partitions = 1;
    if (per_second > 0) data_world_producer(w, "p", per_second);
    return w;
}

/* Runs one reader over a quiet topic with a record now and then; returns it. */
static struct raw_client *read_for(struct data_world *w, bool may_idle, int32_t min_bytes,
                                   sim_time until)
{
    data_world_start(w);
    struct raw_client *reader = raw_reader_new(w, "reader", may_idle, READ_UNCOMMITTED);
    reader->min_bytes = min_bytes;
    sim_run_until(w->sim, until);
    return reader;
}

static struct data_world *slow_world(void)
{
    struct data_world *w = world_with_reader_topic(0);
    struct scenario_producer *p = data_world_producer(w, "p", 1);
    w->rates[0].per_second_milli = 370; /* a record every 2.7 s, out of step with the rounds */
    p->poisson = true;
    return w;
}

static void idle_rounds_answer_when_plain_rounds_would(void **state)
{
    (void)state;
    static const int32_t min_bytes[] = {1, 150, 100000};
    for (size_t i = 0; i < 3; i++) {
        struct data_world *plain_world = slow_world();
        struct raw_client *plain = read_for(plain_world, false, min_bytes[i], SECONDS(600));
        struct data_world *idle_world = slow_world();
        struct raw_client *idle = read_for(idle_world, true, min_bytes[i], SECONDS(600));
        assert_true(plain->data_count > 100);
        assert_int_equal(idle->data_count, plain->data_count);
        for (int32_t d = 0; d < plain->data_count; d++) {
            assert_int_equal(idle->data_at[d], plain->data_at[d]);
            assert_int_equal(idle->data_end[d], plain->data_end[d]);
        }
        assert_true(plain->responses > 1100);
        assert_true(idle->responses < 600);
        data_world_free(plain_world);
        data_world_free(idle_world);
        free(plain);
        free(idle);
    }
}

static void a_settled_fetch_comes_back_at_the_end_of_its_round(void **state)
{
    (void)state;
    struct data_world *w = world_with_reader_topic(0);
    data_world_start(w);
    struct raw_client *reader = raw_reader_new(w, "reader", true, READ_UNCOMMITTED);
    int32_t broker = cluster_leader(w->cluster, PARTITION_ID(0, 0));
    sim_run_until(w->sim, SECONDS(10));
    assert_int_equal(reader->responses, 0);
    /* Connected at 2 ms, the first fetch waits from 3 ms on; rounds of 502 ms. */
    sim_time begin = MILLISECONDS(3);
    while (begin + MILLISECONDS(502) <= SECONDS(10))
        begin += MILLISECONDS(502);
    assert_int_equal(broker_fetch_sent_at(w->cluster, broker, reader->connection),
                     begin - MILLISECONDS(1));
    broker_fetch_settle(w->cluster, broker, reader->connection);
    sim_run_until(w->sim, begin + MILLISECONDS(502));
    assert_int_equal(reader->responses, 1);
    assert_int_equal(reader->answered_at, begin + MILLISECONDS(501));
    data_world_free(w);
    free(reader);
}

static void faults_make_fetches_plain(void **state)
{
    (void)state;
    struct data_world *w = world_with_reader_topic(0);
    data_world_start(w);
    struct raw_client *reader = raw_reader_new(w, "reader", true, READ_UNCOMMITTED);
    sim_run_until(w->sim, SECONDS(10));
    cluster_hold_plain_fetches(w->cluster, 1);
    sim_run_until(w->sim, SECONDS(20));
    assert_true(reader->responses >= 18);
    cluster_hold_plain_fetches(w->cluster, -1);
    int32_t before = reader->responses;
    sim_run_until(w->sim, SECONDS(40));
    assert_true(reader->responses <= before + 1);
    data_world_free(w);
    free(reader);
}

/* Append at t: the followers' parked fetches return (1 ms), their next ones come (1 ms) and the
 * high watermark moves; the consumer's parked fetch returns 1 ms later. */
static void visibility_takes_one_round_trip_between_brokers(void **state)
{
    (void)state;
    struct data_world *w = world_with_reader_topic(2);
    w->producers[0].config.linger_ms = 0;
    data_world_start(w);
    struct raw_client *reader = raw_reader_new(w, "reader", false, READ_UNCOMMITTED);
    sim_run_until(w->sim, SECONDS(5));
    sim_time appended_at = 0;
    for (int32_t i = 0; i < w->record_count; i++) {
        if (w->records[i].kind == TRACE_BATCH_APPENDED) appended_at = w->records[i].at;
    }
    assert_true(appended_at > 0);
    assert_int_equal(reader->data_at[reader->data_count - 1] - appended_at, MILLISECONDS(3));
    data_world_free(w);
    free(reader);
}

static void fetches_out_of_range_and_of_unknown_sessions_are_refused(void **state)
{
    (void)state;
    struct data_world *w = world_with_reader_topic(100);
    data_world_start(w);
    struct raw_client *c = raw_client_new(w, "c", cluster_leader(w->cluster, PARTITION_ID(0, 0)));
    c->partition = PARTITION_ID(0, 0);
    c->offset = 1000000;
    sim_run_until(w->sim, SECONDS(2));
    raw_fetch(c);
    sim_run_until(w->sim, SECONDS(3));
    const void *body = c->response;
    const struct fetch_response *response = body;
    assert_int_equal(response->partitions[0].error, KAFKA_OFFSET_OUT_OF_RANGE);
    c->session_id = 77;
    c->session_epoch = 5;
    raw_fetch(c);
    sim_run_until(w->sim, SECONDS(4));
    body = c->response;
    response = body;
    assert_int_equal(response->error, KAFKA_FETCH_SESSION_ID_NOT_FOUND);
    data_world_free(w);
    free(c);
}

static void retention_moves_the_log_start_by_whole_segments(void **state)
{
    (void)state;
    struct data_world *w = world_with_reader_topic(100);
    w->topics[0].retention_ms = 60000;
    w->topics[0].segment_ms = 20000;
    w->scenario.cluster.config.log_retention_check_interval_ms = 10000;
    data_world_start(w);
    sim_run_until(w->sim, SECONDS(300));
    struct partition_offsets offsets = cluster_offsets(w->cluster, PARTITION_ID(0, 0));
    /* Between retention and retention + a segment + a sweep is left. */
    int64_t left = offsets.log_end - offsets.log_start;
    assert_true(left >= 60 * 100 && left <= (60 + 20 + 10) * 100 + 200);
    assert_true(data_count(w, TRACE_LOG_START) > 5);
    assert_int_equal(offsets.bytes, left * 100);
    data_world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_rounds_answer_when_plain_rounds_would),
        cmocka_unit_test(a_settled_fetch_comes_back_at_the_end_of_its_round),
        cmocka_unit_test(faults_make_fetches_plain),
        cmocka_unit_test(visibility_takes_one_round_trip_between_brokers),
        cmocka_unit_test(fetches_out_of_range_and_of_unknown_sessions_are_refused),
        cmocka_unit_test(retention_moves_the_log_start_by_whole_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
