/* What becomes of a commit before it is sent, by the member's state (classic-consumer.md, section
 * 8): only a member in its generation may commit. */
#include "model/consumer/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BROKERS 1

struct fixture {
    struct sim *sim;
    struct consumer *consumer;
};

static const struct scenario_topic topic = {
    .name = "orders", .partitions = 1, .replication = 1, .retention_ms = -1, .retention_bytes = -1};
static const char *const group_topics[] = {"orders"};
static struct scenario_group group;
static struct scenario scenario;
static enum commit_outcome outcome;
static enum kafka_error error;
static int calls;

static void done(struct consumer *consumer, const struct commit *commit)
{
    (void)consumer;
    outcome = commit->outcome;
    error = commit->error;
    calls++;
}

static void free_message(void *context, void *message)
{
    message_free(context, message);
}

static struct fixture set_up(bool assigns)
{
    group = (struct scenario_group){
        .name = "g",
        .topics = group_topics,
        .topic_count = 1,
        .members = 1,
        .assign_all = assigns,
        .config = {.request_timeout_ms = 30000,
                   .retry_backoff_ms = 100,
                   .retry_backoff_max_ms = 1000,
                   .reconnect_backoff_ms = 50,
                   .reconnect_backoff_max_ms = 1000,
                   .partition_assignment_strategy = {"range"},
                   .partition_assignment_strategy_count = 1},
    };
    scenario = (struct scenario){
        .name = "admission",
        .cluster = {.brokers = BROKERS,
                    .config = {.offsets_topic_num_partitions = 1,
                               .offsets_topic_replication_factor = 1,
                               .transaction_state_log_num_partitions = 1}},
        .topics = &topic,
        .topic_count = 1,
        .groups = &group,
        .group_count = 1,
    };
    struct fixture f = {.sim = sim_new(&(struct sim_options){.seed = 1})};
    trace_set_kinds(sim_trace(f.sim), trace_kinds, TRACE_KIND_COUNT);
    struct network *network = network_new(f.sim, free_message, sim_memory(f.sim));
    struct cluster *cluster = cluster_new(f.sim, network, &scenario);
    name_id name = names_intern(sim_names(f.sim), "g-1");
    f.consumer = consumer_new(&(struct consumer_options){
        .sim = f.sim,
        .network = network,
        .cluster = cluster,
        .process = process_add(f.sim, name, NAME_NONE),
        .group = &group,
        .member = name,
        .number = 1,
        .sink = sink_new(sim_memory(f.sim)),
    });
    calls = 0;
    return f;
}

static void commit_one(struct consumer *consumer)
{
    struct offsets offsets = {0};
    offsets_add(consumer, &offsets, PARTITION_ID(0, 0), 7, -1);
    commit_send(consumer, COMMIT_CALL_SYNC, &offsets, done);
}

static void by_member_state(void **state)
{
    (void)state;
    static const struct {
        enum member_state state;
        enum commit_outcome outcome;
        enum kafka_error error;
    } rows[] = {
        {MEMBER_UNJOINED, COMMIT_REFUSED, KAFKA_UNKNOWN_MEMBER_ID},
        {MEMBER_PREPARING_REBALANCE, COMMIT_REBALANCING, KAFKA_REBALANCE_IN_PROGRESS},
        {MEMBER_COMPLETING_REBALANCE, COMMIT_REBALANCING, KAFKA_REBALANCE_IN_PROGRESS},
        /* Admitted; it fails for want of a coordinator, which is worth another try. */
        {MEMBER_STABLE, COMMIT_RETRIABLE, KAFKA_COORDINATOR_NOT_AVAILABLE},
    };
    struct fixture f = set_up(false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        f.consumer->classic.state = rows[i].state;
        commit_one(f.consumer);
        assert_int_equal(calls, (int)i + 1);
        assert_int_equal(outcome, rows[i].outcome);
        assert_int_equal(error, rows[i].error);
    }
    sim_free(f.sim);
}

static void nothing_is_committed_at_once(void **state)
{
    (void)state;
    struct fixture f = set_up(false);
    struct offsets none = {0};
    commit_send(f.consumer, COMMIT_CALL_SYNC, &none, done);
    assert_int_equal(calls, 1);
    assert_int_equal(outcome, COMMIT_DONE_WELL);
    sim_free(f.sim);
}

static void without_a_group_there_is_no_state(void **state)
{
    (void)state;
    struct fixture f = set_up(true);
    commit_one(f.consumer);
    assert_int_equal(outcome, COMMIT_RETRIABLE); /* for want of a coordinator */
    sim_free(f.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_member_state),
        cmocka_unit_test(nothing_is_committed_at_once),
        cmocka_unit_test(without_a_group_there_is_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
