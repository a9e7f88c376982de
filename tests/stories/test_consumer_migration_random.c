/* Random schedules of groups whose clients change between the classic and the consumer protocol
 * while the group runs: upgraded, downgraded, mixed, with crashes, lost answers, failovers. Every
 * step is held against the invariants of both kinds of groups; once quiet, the group converges.
 * COHORT_SEEDS=N and COHORT_SEED=S as in test_consumer_group_random. */
#include "model/coordinator/classic_checks.h"
#include "model/coordinator/consumer_checks.h"
#include "tests/harness/scripted_classic.h"
#include "tests/harness/scripted_consumer.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define CLIENTS_MAX 5
#define PARTITIONS  7

struct client {
    bool is_classic;
    struct scripted_classic classic;
    struct scripted_consumer consumer;
    sim_time frozen_until;
};

struct schedule_options {
    const char *name;
    bool may_downgrade;
    bool fail_overs;
    bool failing_writes;
    sim_time replication_ns;
};

struct schedule {
    const struct schedule_options *options;
    uint64_t seed;
    uint64_t random;
    struct shard_host *host;
    struct consumer_checks *checks;
    struct classic_checks *classic_checks;
    struct client clients[CLIENTS_MAX];
    int32_t client_count;
    uint64_t upgrades, downgrades;
    enum group_type type;
};

static uint64_t draw(struct schedule *schedule)
{
    uint64_t word = schedule->random += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static int32_t draw_below(struct schedule *schedule, int32_t bound)
{
    return (int32_t)(draw(schedule) % (uint64_t)bound);
}

static bool chance(struct schedule *schedule, int32_t percent)
{
    return draw_below(schedule, 100) < percent;
}

static void say(struct schedule *schedule, const char *invariant, const char *what)
{
    fail_msg("%s seed %llu at %lld ms: %s: %s", schedule->options->name,
             (unsigned long long)schedule->seed, (long long)(schedule->host->now / MILLISECONDS(1)),
             invariant, what);
}

static void on_consumer(void *self, enum consumer_invariant invariant, name_id group,
                        const char *what)
{
    (void)group;
    say(self, consumer_invariant_name(invariant), what);
}

static void on_classic(void *self, enum classic_invariant invariant, name_id group,
                       const char *what)
{
    (void)group;
    say(self, classic_invariant_name(invariant), what);
}

static const struct group *group_of(const struct schedule *schedule)
{
    return coordinator_find_group(schedule->host->coordinator, schedule->clients[0].consumer.group);
}

static void on_step(void *self, struct shard_host *host, bool before, const struct message *request,
                    const struct message *response)
{
    struct schedule *schedule = self;
    if (before) {
        consumer_checks_before(schedule->checks, host->coordinator);
        classic_checks_before(schedule->classic_checks, host->coordinator);
        return;
    }
    if (host->append_failed) { /* nothing that is compared with what was taken back */
        consumer_checks_before(schedule->checks, host->coordinator);
        classic_checks_before(schedule->classic_checks, host->coordinator);
        request = NULL;
    }
    consumer_checks_after(schedule->checks, host->coordinator, request, response);
    classic_checks_after(schedule->classic_checks, host->coordinator, request, response);
    const struct group *group = group_of(schedule);
    if (group == NULL) return;
    if (group->type == GROUP_CONSUMER) {
        assert_true(consumer_group_is_consistent(group->consumer));
        schedule->upgrades += schedule->type == GROUP_CLASSIC;
    } else if (group->type == GROUP_CLASSIC) {
        assert_true(classic_group_is_consistent(group->classic));
        schedule->downgrades += schedule->type == GROUP_CONSUMER;
    }
    schedule->type = group->type;
}

static bool is_alive(const struct client *client)
{
    return client->is_classic ? client->classic.alive : client->consumer.alive;
}

static void start(struct schedule *schedule, int32_t index)
{
    struct client *client = &schedule->clients[index];
    char name[16];
    snprintf(name, sizeof name, "c%d", (int)index);
    const char *instance = index % 2 == 0 ? name : NULL;
    client->is_classic = chance(schedule, 50);
    client->classic = scripted_classic_make(schedule->host, "g", name, instance, "t");
    client->classic.topic_partitions = PARTITIONS;
    client->classic.alive = client->is_classic;
    client->consumer = scripted_consumer_make(schedule->host, "g", name, instance);
    client->consumer.alive = !client->is_classic;
    client->consumer.rebalance_timeout_ms = 8000;
    scripted_consumer_subscribe(&client->consumer, (const char *const[]){"t"}, 1);
}

static void disturb(struct schedule *schedule)
{
    int32_t index = draw_below(schedule, schedule->client_count);
    struct client *client = &schedule->clients[index];
    int32_t dice = draw_below(schedule, 100);
    if (!is_alive(client)) {
        start(schedule, index);
    } else if (dice < 15) {
        if (client->is_classic) {
            scripted_classic_crash(&client->classic);
        } else {
            scripted_consumer_crash(&client->consumer);
        }
    } else if (dice < 35) {
        if (client->is_classic) {
            scripted_classic_leave(&client->classic);
        } else {
            scripted_consumer_leave(&client->consumer, chance(schedule, 50));
        }
    } else if (dice < 42) {
        client->frozen_until = schedule->host->now + MILLISECONDS(draw_below(schedule, 15000));
    } else if (dice < 45 && schedule->options->fail_overs) {
        shard_host_fail_over(schedule->host, chance(schedule, 50));
        classic_checks_failed_over(schedule->classic_checks);
    } else if (dice < 50 && schedule->options->failing_writes) {
        schedule->host->fail_next_append = KAFKA_NOT_ENOUGH_REPLICAS;
    }
}

static void let_act(struct schedule *schedule, int32_t index, bool faults)
{
    struct client *client = &schedule->clients[index];
    if (!is_alive(client) || schedule->host->now < client->frozen_until) return;
    if (client->is_classic) {
        scripted_classic_read(&client->classic, faults && chance(schedule, 5));
        if (client->classic.alive) scripted_classic_act(&client->classic);
        scripted_classic_read(&client->classic, faults && chance(schedule, 5));
        return;
    }
    scripted_consumer_read(&client->consumer, faults && chance(schedule, 5));
    if (!client->consumer.alive) return;
    if (!faults || chance(schedule, 60)) scripted_consumer_give_up(&client->consumer);
    scripted_consumer_beat(&client->consumer);
    scripted_consumer_read(&client->consumer, faults && chance(schedule, 5));
}

static void check_rebuilt(struct schedule *schedule)
{
    if (schedule->host->fail_next_append != KAFKA_NONE) return;
    if (schedule->host->coordinator->batch != NULL) return;
    struct coordinator *rebuilt = shard_host_rebuild(schedule->host);
    consumer_checks_rebuilt(schedule->checks, schedule->host->coordinator, rebuilt);
    coordinator_free(rebuilt);
}

static int32_t owned_by(const struct client *client)
{
    return client->is_classic ? client->classic.owned_count : client->consumer.owned.count;
}

static void expect_converged(struct schedule *schedule)
{
    const struct group *group = group_of(schedule);
    int32_t alive = 0, classic = 0, owned = 0;
    for (int32_t i = 0; i < schedule->client_count; i++) {
        const struct client *client = &schedule->clients[i];
        if (!is_alive(client)) continue;
        alive++;
        classic += client->is_classic;
        owned += owned_by(client);
    }
    if (alive == 0) return;
    /* See make_classic in consumer_convert.c: a replacement that downgrades while a new target is
     * due leaves partitions with nobody until the classic group's first rebalance. */
    bool never_rebalanced =
        group->type == GROUP_CLASSIC && group->classic->previous_state == GROUP_DEAD;
    if (owned != PARTITIONS && !never_rebalanced)
        say(schedule, "after it was quiet", "not all partitions are owned");
    if (group->type == GROUP_CLASSIC) {
        assert_int_equal(classic, alive);
        assert_int_equal(group->classic->state, GROUP_STABLE);
        assert_int_equal(group->classic->member_count, alive);
        return;
    }
    assert_int_equal(consumer_group_state(group->consumer), GROUP_STABLE);
    assert_int_equal(group->consumer->member_count, alive);
    assert_int_equal(group->consumer->classic_count, classic);
}

static void run_seed(const struct schedule_options *options, struct schedule *schedule,
                     uint64_t seed)
{
    *schedule = (struct schedule){.options = options, .seed = seed, .random = seed};
    struct shard_host *host =
        shard_host_new(&(struct shard_host_options){.replication_ns = options->replication_ns});
    schedule->host = host;
    host->config.group_consumer_session_timeout_ms = 10000;
    host->config.group_initial_rebalance_delay_ms = 500;
    host->config.group_consumer_migration_policy =
        options->may_downgrade ? MIGRATION_BIDIRECTIONAL : MIGRATION_UPGRADE;
    schedule->checks = consumer_checks_new(host->memory, host->names, on_consumer, schedule);
    schedule->classic_checks = classic_checks_new(host->memory, host->names, on_classic, schedule);
    host->step = on_step;
    host->step_self = schedule;
    shard_host_set_topic(host, "t", PARTITIONS, NULL);
    schedule->client_count = 2 + draw_below(schedule, CLIENTS_MAX - 1);
    for (int32_t i = 0; i < schedule->client_count; i++)
        start(schedule, i);

    int32_t steps = 40 + draw_below(schedule, 160);
    for (int32_t i = 0; i < steps; i++) {
        shard_host_advance(host, host->now + MILLISECONDS(draw_below(schedule, 1200)));
        if (chance(schedule, 15)) disturb(schedule);
        let_act(schedule, draw_below(schedule, schedule->client_count), true);
        if (i % 16 == 0) {
            shard_host_advance(host, host->now + MILLISECONDS(200));
            check_rebuilt(schedule);
        }
    }
    host->fail_next_append = KAFKA_NONE;
    if (options->failing_writes) { /* see test_consumer_group_random.c */
        shard_host_fail_over(host, false);
        classic_checks_failed_over(schedule->classic_checks);
    }
    for (int32_t round = 0; round < 120; round++) {
        for (int32_t i = 0; i < schedule->client_count; i++) {
            schedule->clients[i].frozen_until = 0;
            let_act(schedule, i, false);
        }
        shard_host_advance(host, host->now + MILLISECONDS(700));
    }
    expect_converged(schedule);
    check_rebuilt(schedule);
    consumer_checks_free(schedule->checks);
    classic_checks_free(schedule->classic_checks);
    shard_host_free(host);
}

static void run_seeds(const struct schedule_options *options)
{
    static struct schedule schedule;
    const char *only = getenv("COHORT_SEED");
    if (only != NULL) {
        run_seed(options, &schedule, strtoull(only, NULL, 10));
        return;
    }
    const char *seeds = getenv("COHORT_SEEDS");
    uint64_t count = seeds == NULL ? 200 : strtoull(seeds, NULL, 10);
    uint64_t upgrades = 0, downgrades = 0;
    for (uint64_t seed = 1; seed <= count; seed++) {
        run_seed(options, &schedule, seed);
        upgrades += schedule.upgrades;
        downgrades += schedule.downgrades;
    }
    /* The schedules must not miss what they are for. */
    assert_true(upgrades > count / 4);
    if (options->may_downgrade) assert_true(downgrades > count / 4);
}

static void both_ways(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "both_ways", .may_downgrade = true});
}

static void upward(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "upward", .replication_ns = MILLISECONDS(40)});
}

static void with_failovers(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "with_failovers",
                                         .may_downgrade = true,
                                         .fail_overs = true,
                                         .replication_ns = MILLISECONDS(40)});
}

static void with_failing_writes(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "with_failing_writes",
                                         .may_downgrade = true,
                                         .failing_writes = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(upward),
        cmocka_unit_test(with_failovers),
        cmocka_unit_test(with_failing_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
