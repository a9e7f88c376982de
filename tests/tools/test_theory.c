/* The whole simulator against what can be worked out on paper: waiting times of queues, the fluid
 * formula of lag, and the instant at which a silent member is expelled. */
#include "model/message.h"
#include "model/trace_kinds.h"
#include "tools/run.h"
#include "tools/scenario_yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A world in which nothing but arrivals and service takes time worth mentioning. */
#define BARE_CLUSTER                                                                               \
    "cluster: {brokers: 1, network: {latency: 1us}, request_service: 0us, disk: 0us,\n"            \
    "  config: {group.initial.rebalance.delay.ms: 0, offsets.topic.replication.factor: 1}}\n"

struct experiment {
    struct scenario_document *document;
    struct run *run;
};

static struct experiment start(const char *text)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct experiment experiment = {NULL, NULL};
    if (!scenario_load_text("test", ".", text, strlen(text), NULL, &experiment.document,
                            diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        fail();
    }
    diagnostics_free(diagnostics);
    const struct scenario *scenario = scenario_document_scenario(experiment.document);
    experiment.run = run_new(scenario, &(struct run_options){.seed = scenario->seed});
    return experiment;
}

/* To the end of the scenario; the figures of its one group are final then. */
static struct run_group finish_run(struct experiment *experiment)
{
    while (run_step(experiment->run, 100000)) {
    }
    run_finish(experiment->run);
    struct run_group group;
    run_group(experiment->run, 0, &group);
    return group;
}

static void finish(struct experiment *experiment)
{
    assert_true(checkers_violation_count(run_checkers(experiment->run)) == 0);
    run_free(experiment->run);
    scenario_document_free(experiment->document);
}

/* Mean time from arrival to the end of processing, in nanoseconds. */
static sim_time mean_sojourn(const char *service)
{
    char text[2048];
    snprintf(text, sizeof(text),
             "scenario: 1\nduration: 3h\nseed: 7\n" BARE_CLUSTER
             "topics: {queue: {partitions: 1, replication: 1}}\n"
             "producers: {arrivals: {topic: queue, rate: 60/s, poisson: true, start: 10s}}\n"
             "groups: {server: {topics: [queue], members: 1,\n"
             "  config: {auto.offset.reset: earliest, max.poll.records: 1},\n"
             "  process: {per_record: %s}}}\n",
             service);
    struct experiment experiment = start(text);
    struct ledger_group group = finish_run(&experiment).ledger;
    assert_in_range(group.processed, 640000, 655000); /* 3 h of 60/s */
    sim_time mean = latency_histogram_mean(group.latency_ns);
    finish(&experiment);
    return mean;
}

static void within_two_percent(sim_time measured, sim_time theory)
{
    printf("           measured %.3f ms, theory %.3f ms\n", (double)measured / 1e6,
           (double)theory / 1e6);
    assert_in_range(measured, theory - theory / 50, theory + theory / 50);
}

/* Utilisation 0.6: waiting is rho * s / (2 (1 - rho)) with constant service, twice that with
 * exponential service (Pollaczek and Khinchine), and the service of 10 ms comes on top. */
static void constant_service_waits_as_m_d_1(void **state)
{
    (void)state;
    within_two_percent(mean_sojourn("10ms"), MICROSECONDS(7500 + 10000));
}

static void exponential_service_waits_as_m_m_1(void **state)
{
    (void)state;
    within_two_percent(mean_sojourn("{exponential: {mean: 10ms}}"), MICROSECONDS(15000 + 10000));
}

/* (arrivals - capacity) x time, from the moment the work begins. */
static void lag_grows_by_the_fluid_formula(void **state)
{
    (void)state;
    struct experiment experiment =
        start("scenario: 1\nduration: 10m\nseed: 7\n" BARE_CLUSTER
              "topics: {queue: {partitions: 2, replication: 1}}\n"
              "producers: {arrivals: {topic: queue, rate: 3000/s, start: 10s}}\n"
              "groups: {server: {topics: [queue], members: 1,\n"
              "  config: {auto.offset.reset: earliest},\n"
              "  process: {per_record: 1ms}}}\n");
    struct run_group group = finish_run(&experiment);
    const struct run_point *samples = group.points;
    size_t count = group.point_count;
    assert_true(count > 500);
    for (size_t i = 0; i < count; i++) {
        if (samples[i].at < SECONDS(60)) continue;
        int64_t formula = (samples[i].at - SECONDS(10)) / SECONDS(1) * (3000 - 1000);
        /* One poll's records (500) are in hand, up to half a per cent passes between polls. */
        assert_in_range(samples[i].lag_records, formula - 600, formula + 600 + formula / 200);
    }
    finish(&experiment);
}

struct watch {
    sim_time last_heard_at;
    sim_time removed_at;
};

static void watch_member(void *self, const struct trace_record *record)
{
    struct watch *watch = self;
    if (record->kind == TRACE_MEMBER_REMOVED) {
        if (watch->removed_at == 0) watch->removed_at = record->at;
        return;
    }
    if (record->field[0] == API_HEARTBEAT || record->field[0] == API_OFFSET_COMMIT)
        watch->last_heard_at = record->at;
}

static void a_silent_member_is_expelled_to_the_millisecond(void **state)
{
    (void)state;
    static const char *const crashes[] = {"31s", "32400ms", "33s", "35777ms"};
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        char text[2048];
        snprintf(text, sizeof(text),
                 "scenario: 1\nduration: 2m\nseed: 7\n"
                 "topics: {orders: {partitions: 2}}\n"
                 "producers: {shop: {topic: orders, rate: 10/s}}\n"
                 "groups: {billing: {topics: [orders], members: 1,\n"
                 "  deployment: {restart_after_crash: false},\n"
                 "  config: {session.timeout.ms: 45000, auto.offset.reset: earliest}}}\n"
                 "timeline: [{at: %s, crash: billing-1}]\n",
                 crashes[i]);
        static const bool interest[TRACE_KIND_COUNT] = {
            [TRACE_MEMBER_REMOVED] = true, [TRACE_GROUP_REQUEST] = true};
        struct experiment experiment = start(text);
        struct watch watch = {0, 0};
        struct sim *sim = run_sim(experiment.run);
        trace_observe(sim_trace(sim), watch_member, &watch, interest);
        finish_run(&experiment);
        assert_true(watch.last_heard_at > SECONDS(27));
        assert_int_equal(watch.removed_at, watch.last_heard_at + SECONDS(45));
        finish(&experiment);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_service_waits_as_m_d_1),
        cmocka_unit_test(exponential_service_waits_as_m_m_1),
        cmocka_unit_test(lag_grows_by_the_fluid_formula),
        cmocka_unit_test(a_silent_member_is_expelled_to_the_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
