/* Large movements of consumer groups (KIP-848) through the coordinator alone: its log is written at
 * once and thrown away. What is timed includes making the requests and freeing the answers. An
 * event is one movement, until the group is Stable. For steady heartbeats see coordinator.c. */
#include "bench/bench.h"

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/coordinator.h"
#include "model/coordinator/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL   SECONDS(5)
#define MEMBERS    1000
#define PARTITIONS 10000

struct client {
    name_id member;
    int32_t epoch;
    struct topic_partition *assigned; /* shape [PARTITIONS] when it changes */
    int32_t assigned_count;
    bool report; /* has given up what it had to */
};

struct bench_group {
    struct memory *memory;
    struct names *names;
    struct coordinator_config config;
    struct coordinator *coordinator;
    struct client *clients;
    int32_t client_count;
    name_id group, topic, client_id;
    sim_time now;
    int64_t log_end_offset;
    uint32_t ids;
};

static name_id make_member_id(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                              uint32_t index)
{
    (void)group;
    (void)prefix;
    (void)leader_epoch;
    struct bench_group *bench = self;
    return names_format(bench->names, "member-%06u", (unsigned)index + bench->ids++);
}

static void set_topic(struct bench_group *bench, const char *id)
{
    struct coordinator_topic topic = {.name = bench->topic,
                                      .partitions = PARTITIONS,
                                      .id = names_intern(bench->names, id)};
    coordinator_set_topics(bench->coordinator, &topic, 1, bench->now);
}

static struct bench_group *set_up(int32_t client_count)
{
    struct memory *memory = memory_new();
    struct bench_group *bench = memory_take(memory, sizeof *bench);
    bench->memory = memory;
    bench->names = names_new(memory);
    bench->config = coordinator_config_default(bench->names);
    bench->config.group_coordinator_append_linger_ms = 0;
    bench->group = names_intern(bench->names, "g");
    bench->topic = names_intern(bench->names, "t");
    bench->client_id = names_intern(bench->names, "c");
    bench->client_count = client_count;
    bench->clients = memory_take(memory, sizeof *bench->clients * (size_t)client_count);
    bench->coordinator =
        coordinator_new(&(struct coordinator_options){.memory = memory,
                                                      .names = bench->names,
                                                      .config = &bench->config,
                                                      .make_member_id = make_member_id,
                                                      .make_member_id_self = bench});
    set_topic(bench, "first");
    coordinator_start_loading(bench->coordinator, 1, 0);
    coordinator_finish_loading(bench->coordinator, 0, 0, 0);
    return bench;
}

static void tear_down(struct bench_group *bench)
{
    memory_free_all(bench->memory);
}

static void take_response(struct bench_group *bench, struct client *client,
                          const struct consumer_group_heartbeat_response *response)
{
    if (response->error != KAFKA_NONE) {
        fprintf(stderr, "heartbeat: %s\n", kafka_error_name(response->error));
        exit(1);
    }
    client->member = response->member;
    client->epoch = response->member_epoch;
    if (response->assignment_count < 0) return;
    memory_give(bench->memory, client->assigned,
                sizeof *client->assigned * (size_t)client->assigned_count);
    client->assigned_count = response->assignment_count;
    size_t size = sizeof *client->assigned * (size_t)client->assigned_count;
    client->assigned = size == 0 ? NULL : memory_take(bench->memory, size);
    if (size > 0) memcpy(client->assigned, response->assignment, size);
    client->report = true;
}

static void carry_out(struct bench_group *bench, struct client *client)
{
    struct coordinator_effect effect;
    while (coordinator_take_effect(bench->coordinator, &effect)) {
        if (effect.kind == COORDINATOR_APPEND) {
            bench->log_end_offset += group_log_batch_offsets(effect.batch);
            group_log_batch_release(effect.batch);
            coordinator_appended(bench->coordinator, bench->log_end_offset, KAFKA_NONE, bench->now);
            coordinator_on_high_watermark(bench->coordinator, bench->log_end_offset, bench->now);
        } else {
            take_response(bench, client,
                          (const struct consumer_group_heartbeat_response *)effect.response);
            message_free(bench->memory, effect.response);
        }
    }
}

static void beat(struct bench_group *bench, struct client *client)
{
    struct consumer_group_heartbeat_request *request =
        MESSAGE_NEW(bench->memory, API_CONSUMER_GROUP_HEARTBEAT,
                    struct consumer_group_heartbeat_request);
    request->group = bench->group;
    request->client_id = bench->client_id;
    request->member = client->epoch == 0 ? NAME_EMPTY : client->member;
    request->member_epoch = client->epoch;
    request->rebalance_timeout_ms = client->epoch == 0 ? 300000 : -1;
    request->topic_count = client->epoch == 0 ? 1 : -1;
    request->topics = &bench->topic;
    request->owned_count = -1;
    if (client->epoch == 0) request->owned_count = 0;
    if (client->epoch > 0 && client->report) {
        request->owned = client->assigned;
        request->owned_count = client->assigned_count;
    }
    client->report = false;
    coordinator_handle(bench->coordinator, &request->head, 1, bench->now);
    carry_out(bench, client);
    message_free(bench->memory, &request->head);
}

static void beat_all(struct bench_group *bench)
{
    for (int32_t i = 0; i < bench->client_count; i++) {
        bench->now += INTERVAL / bench->client_count;
        if (coordinator_next_timer_at(bench->coordinator) <= bench->now) {
            coordinator_run_timers(bench->coordinator, bench->now);
        }
        beat(bench, &bench->clients[i]);
    }
}

static void beat_until_stable(struct bench_group *bench)
{
    const struct group *group;
    do {
        beat_all(bench);
        group = coordinator_find_group(bench->coordinator, bench->group);
    } while (consumer_group_state(group->consumer) != GROUP_STABLE);
}

static uint64_t check_of(const struct bench_group *bench)
{
    uint64_t check = 0;
    for (int32_t i = 0; i < bench->client_count; i++) {
        for (int32_t k = 0; k < bench->clients[i].assigned_count; k++) {
            check +=
                bench_mix((uint64_t)i << 32 | (uint32_t)bench->clients[i].assigned[k].partition);
        }
    }
    return check;
}

/* The topic is deleted and created anew: every partition is given up and given out again. */
struct measure consumer_all_move(void)
{
    struct bench_group *bench = set_up(MEMBERS);
    beat_until_stable(bench);
    uint64_t started = bench_now_ns();
    set_topic(bench, "second");
    beat_until_stable(bench);
    struct measure measure = {.events = 1,
                              .nanoseconds = bench_now_ns() - started,
                              .check = check_of(bench)};
    tear_down(bench);
    return measure;
}

/* 1,000 members join one after the other: a new target and some movement for each. */
struct measure consumer_joins(void)
{
    struct bench_group *bench = set_up(MEMBERS);
    uint64_t started = bench_now_ns();
    beat_until_stable(bench);
    struct measure measure = {.events = 1,
                              .nanoseconds = bench_now_ns() - started,
                              .check = check_of(bench)};
    tear_down(bench);
    return measure;
}
