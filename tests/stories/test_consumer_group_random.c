/* Random schedules of consumer groups: joins, leaves, crashes, freezes, lost answers, topics that
 * change, failing writes, failovers. Every step is held against the invariants; once quiet, every
 * group converges. COHORT_SEEDS=N runs N seeds of each kind; a failure prints its seed, and
 * COHORT_SEED=S runs only that one. */
#include "model/coordinator/consumer_checks.h"
#include "tests/harness/scripted_consumer.h"

#include "sim/check.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CLIENTS_MAX 8
#define TOPICS      4

struct schedule_options {
    const char *name;
    sim_time replication_ns;
    bool fail_overs;
    bool failing_writes;
    bool statics;
    int32_t linger_ms;
};

struct schedule {
    const struct schedule_options *options;
    uint64_t seed;
    uint64_t random;
    struct shard_host *host;
    struct consumer_checks *checks;
    struct scripted_consumer clients[CLIENTS_MAX];
    sim_time frozen_until[CLIENTS_MAX];
    int32_t client_count;
    int32_t topic_partitions[TOPICS];
    int32_t topic_life[TOPICS]; /* how often it was created */
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

static void on_violation(void *self, enum consumer_invariant invariant, name_id group,
                         const char *what)
{
    struct schedule *schedule = self;
    fail_msg("%s seed %llu at %lld ms: %s in group %s: %s", schedule->options->name,
             (unsigned long long)schedule->seed, (long long)(schedule->host->now / MILLISECONDS(1)),
             consumer_invariant_name(invariant), names_text(schedule->host->names, group), what);
}

static void on_step(void *self, struct shard_host *host, bool before, const struct message *request,
                    const struct message *response)
{
    struct schedule *schedule = self;
    if (before) {
        consumer_checks_before(schedule->checks, host->coordinator);
        return;
    }
    if (host->append_failed) consumer_checks_before(schedule->checks, host->coordinator);
    consumer_checks_after(schedule->checks, host->coordinator, host->append_failed ? NULL : request,
                          response);
    const struct group *group =
        coordinator_find_group(host->coordinator, schedule->clients[0].group);
    if (group != NULL && group->type == GROUP_CONSUMER) {
        assert_true(consumer_group_is_consistent(group->consumer));
    }
}

static void change_topic(struct schedule *schedule)
{
    static const char *const topics[TOPICS] = {"t1", "t2", "t3", "t4"};
    int32_t at = draw_below(schedule, TOPICS);
    int32_t *partitions = &schedule->topic_partitions[at];
    if (*partitions == 0) {
        *partitions = 1 + draw_below(schedule, 6);
        schedule->topic_life[at]++;
    } else if (chance(schedule, 30)) {
        *partitions = 0;
    } else {
        *partitions += 1 + draw_below(schedule, 3);
    }
    char id[32];
    snprintf(id, sizeof id, "id-%s-%d", topics[at], (int)schedule->topic_life[at]);
    shard_host_set_topic(schedule->host, topics[at], *partitions, id);
}

static void subscribe(struct schedule *schedule, struct scripted_consumer *client)
{
    static const char *const topics[TOPICS] = {"t1", "t2", "t3", "t4"};
    const char *chosen[TOPICS];
    int32_t count = 0;
    bool all = chance(schedule, 50);
    for (int32_t i = 0; i < TOPICS; i++) {
        if (all || chance(schedule, 50)) chosen[count++] = topics[i];
    }
    if (count == 0) chosen[count++] = topics[0];
    scripted_consumer_subscribe(client, chosen, count);
    if (chance(schedule, 20)) {
        client->assignor =
            shard_host_name(schedule->host, chance(schedule, 50) ? "range" : "uniform");
    }
}

static void start(struct schedule *schedule, int32_t index)
{
    struct scripted_consumer *client = &schedule->clients[index];
    char name[16];
    snprintf(name, sizeof name, "c%d", (int)index);
    bool is_static = schedule->options->statics && index % 2 == 0;
    *client = scripted_consumer_make(schedule->host, "g", name, is_static ? name : NULL);
    client->rebalance_timeout_ms = 2000 + draw_below(schedule, 8000);
    client->alive = true;
    subscribe(schedule, client);
}

/* Something happens to one client. */
static void disturb(struct schedule *schedule)
{
    int32_t index = draw_below(schedule, schedule->client_count);
    struct scripted_consumer *client = &schedule->clients[index];
    int32_t dice = draw_below(schedule, 100);
    if (!client->alive) {
        start(schedule, index);
    } else if (dice < 8) {
        scripted_consumer_crash(client);
    } else if (dice < 16) {
        scripted_consumer_leave(client, chance(schedule, 50));
        client->alive = false;
    } else if (dice < 22) {
        schedule->frozen_until[index] =
            schedule->host->now + MILLISECONDS(draw_below(schedule, 20000));
    } else if (dice < 28) {
        subscribe(schedule, client);
    } else if (dice < 34) {
        change_topic(schedule);
    } else if (dice < 37 && schedule->options->fail_overs) {
        shard_host_fail_over(schedule->host, chance(schedule, 50));
    } else if (dice < 40 && schedule->options->failing_writes) {
        schedule->host->fail_next_append = KAFKA_NOT_ENOUGH_REPLICAS;
    }
}

static void let_act(struct schedule *schedule, int32_t index, bool faults)
{
    struct scripted_consumer *client = &schedule->clients[index];
    if (!client->alive || schedule->host->now < schedule->frozen_until[index]) return;
    scripted_consumer_read(client, faults && chance(schedule, 5));
    if (!client->alive) return;
    if (!faults || chance(schedule, 60)) scripted_consumer_give_up(client);
    scripted_consumer_beat(client);
    scripted_consumer_read(client, faults && chance(schedule, 5));
}

/* Not while something is applied that has not been appended yet. */
static void check_rebuilt(struct schedule *schedule)
{
    if (schedule->host->coordinator->batch != NULL) return;
    struct coordinator *rebuilt = shard_host_rebuild(schedule->host);
    consumer_checks_rebuilt(schedule->checks, schedule->host->coordinator, rebuilt);
    coordinator_free(rebuilt);
}

/* Two living clients must not process one partition, whatever the coordinator thinks. Those that
 * may have been removed without knowing it yet are zombies, whose commits would be refused. */
static void check_clients(const struct schedule *schedule)
{
    const struct group *group =
        coordinator_find_group(schedule->host->coordinator, schedule->clients[0].group);
    for (int32_t i = 0; i < schedule->client_count; i++) {
        const struct scripted_consumer *a = &schedule->clients[i];
        const struct consumer_member *member =
            group == NULL || group->type != GROUP_CONSUMER
                ? NULL
                : consumer_group_member(group->consumer, a->member);
        if (!a->joined || member == NULL) continue;
        for (int32_t k = 0; k < schedule->client_count; k++) {
            const struct scripted_consumer *b = &schedule->clients[k];
            const struct consumer_member *other = consumer_group_member(group->consumer, b->member);
            if (k == i || !b->joined || other == NULL) continue;
            for (int32_t p = 0; p < a->owned.count; p++)
                assert_false(scripted_set_contains(&b->owned, a->owned.items[p]));
        }
    }
}

static void make_noise(struct schedule *schedule)
{
    int32_t steps = 40 + draw_below(schedule, 160);
    for (int32_t i = 0; i < steps; i++) {
        shard_host_advance(schedule->host,
                           schedule->host->now + MILLISECONDS(draw_below(schedule, 1500)));
        if (chance(schedule, 15)) disturb(schedule);
        let_act(schedule, draw_below(schedule, schedule->client_count), true);
        check_clients(schedule);
        if (i % 16 == 0 && schedule->host->fail_next_append == KAFKA_NONE) {
            shard_host_advance(schedule->host, schedule->host->now + MILLISECONDS(200));
            check_rebuilt(schedule);
        }
    }
}

static void expect_converged(const struct schedule *schedule)
{
    const struct group *group =
        coordinator_find_group(schedule->host->coordinator, schedule->clients[0].group);
    uint32_t alive = 0;
    for (int32_t i = 0; i < schedule->client_count; i++)
        alive += schedule->clients[i].alive;
    if (group == NULL || group->type == GROUP_ABSENT) {
        assert_int_equal(alive, 0);
        return;
    }
    assert_int_equal(group->consumer->member_count, alive);
    enum group_state expected = alive > 0 ? GROUP_STABLE : GROUP_EMPTY;
    if (consumer_group_state(group->consumer) != expected) {
        fail_msg("%s seed %llu: the group is %s after it was quiet", schedule->options->name,
                 (unsigned long long)schedule->seed,
                 group_state_name(consumer_group_state(group->consumer)));
    }
    for (int32_t i = 0; i < schedule->client_count; i++) {
        const struct scripted_consumer *client = &schedule->clients[i];
        if (!client->alive) continue;
        const struct consumer_member *member =
            consumer_group_member(group->consumer, client->member);
        assert_non_null(member);
        assert_int_equal(client->owned.count, member->assigned.count);
        assert_int_equal(client->epoch, member->epoch);
    }
}

static void be_quiet(struct schedule *schedule)
{
    schedule->host->fail_next_append = KAFKA_NONE;
    if (schedule->options->failing_writes) {
        /* A removal whose write failed is taken back, but not the cancelling of the member's timers
         * (Kafka's timers are not part of the snapshots): such a member stays until it speaks, or
         * the next coordinator gives it a new session. */
        shard_host_fail_over(schedule->host, false);
    }
    for (int32_t round = 0; round < 60; round++) {
        for (int32_t i = 0; i < schedule->client_count; i++) {
            schedule->frozen_until[i] = 0;
            let_act(schedule, i, false);
        }
        shard_host_advance(schedule->host, schedule->host->now + MILLISECONDS(1500));
    }
    for (int32_t i = 0; i < schedule->client_count; i++)
        scripted_consumer_read(&schedule->clients[i], false);
    expect_converged(schedule);
    check_rebuilt(schedule);
}

static void run_seed(const struct schedule_options *options, uint64_t seed)
{
    struct schedule schedule = {.options = options, .seed = seed, .random = seed};
    schedule.host =
        shard_host_new(&(struct shard_host_options){.replication_ns = options->replication_ns});
    schedule.host->config.group_consumer_session_timeout_ms = 10000;
    schedule.host->config.group_coordinator_append_linger_ms = options->linger_ms;
    schedule.checks =
        consumer_checks_new(schedule.host->memory, schedule.host->names, on_violation, &schedule);
    schedule.host->step = on_step;
    schedule.host->step_self = &schedule;
    schedule.client_count = 2 + draw_below(&schedule, CLIENTS_MAX - 1);
    for (int32_t i = 0; i < TOPICS - 1; i++)
        change_topic(&schedule);
    for (int32_t i = 0; i < schedule.client_count; i++)
        start(&schedule, i);
    make_noise(&schedule);
    be_quiet(&schedule);
    consumer_checks_free(schedule.checks);
    shard_host_free(schedule.host);
}

static void run_seeds(const struct schedule_options *options)
{
    const char *only = getenv("COHORT_SEED");
    if (only != NULL) {
        run_seed(options, strtoull(only, NULL, 10));
        return;
    }
    const char *seeds = getenv("COHORT_SEEDS");
    uint64_t count = seeds == NULL ? 300 : strtoull(seeds, NULL, 10);
    for (uint64_t seed = 1; seed <= count; seed++)
        run_seed(options, seed);
}

static void at_once(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "at_once", .statics = true});
}

static void replicated_later(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "replicated_later",
                                         .replication_ns = MILLISECONDS(40),
                                         .linger_ms = 10,
                                         .statics = true});
}

static void with_failovers(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "with_failovers",
                                         .replication_ns = MILLISECONDS(40),
                                         .linger_ms = 10,
                                         .fail_overs = true,
                                         .statics = true});
}

static void with_failing_writes(void **state)
{
    (void)state;
    run_seeds(&(struct schedule_options){.name = "with_failing_writes",
                                         .replication_ns = MILLISECONDS(40),
                                         .linger_ms = 10,
                                         .failing_writes = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once),
        cmocka_unit_test(replicated_later),
        cmocka_unit_test(with_failovers),
        cmocka_unit_test(with_failing_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
