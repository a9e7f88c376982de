/* bench/coordinator.c: the group coordinator alone, with a log that answers at once.
 *
 * heartbeats: 10,000 members of one Stable group beat in turn, every 3 s of virtual time; an event
 * is one heartbeat, from the request to the freed response. rebalance: 1,000 members and 10,000
 * partitions; an event is one rebalance, from the leader's (or the new subscription's) first word
 * until everybody has its assignment, without the classic leader's assignor, which runs in the
 * client. In the consumer protocol half of the members leave and as many join: two targets are
 * computed by the server's assignor, and everybody gives up and gets partitions by heartbeats. */
#include "bench/bench.h"

#include "model/coordinator/coordinator.h"
#include "model/coordinator/member_id.h"
#include "sim/check.h"

#include <string.h>

#define BEATERS          10000
#define BEATS            UINT64_C(3000000)
#define BEAT_INTERVAL    SECONDS(3)
#define REBALANCERS      1000
#define TOPICS           10
#define TOPIC_PARTITIONS 1000
#define REBALANCES       20
#define MEMBERS_MAX      BEATERS
#define SHARD_MEMBERS    240
#define SHARD_REQUESTS   UINT64_C(2000000)
#define OWNED_MAX        32 /* of one member while the group is at half its size: 10,000 / 500 */

struct stage {
    struct memory *memory;
    struct names *names;
    struct coordinator_config config;
    struct member_ids ids;
    struct coordinator *coordinator;
    int64_t log_end_offset;
    sim_time now;
    name_id group;
    name_id members[MEMBERS_MAX];
    int32_t member_count;
    int32_t generation;
    name_id leader;
    struct consumer {
        int32_t epoch;
        struct topic_partition owned[OWNED_MAX];
        int32_t owned_count;
        bool owned_changed;
    } consumers[MEMBERS_MAX];
    uint64_t replies;
    uint64_t errors;
};

static struct stage stage;

static void read_consumer(const struct consumer_group_heartbeat_response *response, uint64_t token)
{
    struct consumer *consumer = &stage.consumers[token];
    stage.errors += response->error != KAFKA_NONE;
    stage.members[token] = response->member;
    consumer->epoch = response->member_epoch;
    if (response->assignment_count < 0) return;
    CHECK(response->assignment_count <= OWNED_MAX);
    consumer->owned_count = response->assignment_count;
    consumer->owned_changed = true;
    if (response->assignment_count == 0) return;
    memcpy(consumer->owned, response->assignment,
           sizeof consumer->owned[0] * (size_t)response->assignment_count);
}

static void read_reply(struct message *response, uint64_t token)
{
    stage.replies++;
    switch ((int)response->api) {
    case API_JOIN_GROUP: {
        const struct join_group_response *join = (const struct join_group_response *)response;
        stage.errors += join->error != KAFKA_NONE;
        stage.members[token] = join->member;
        stage.leader = join->leader;
        stage.generation = join->generation;
        break;
    }
    case API_SYNC_GROUP:
        stage.errors += ((const struct sync_group_response *)response)->error != KAFKA_NONE;
        break;
    case API_HEARTBEAT:
        stage.errors += ((const struct heartbeat_response *)response)->error != KAFKA_NONE;
        break;
    case API_OFFSET_COMMIT:
        stage.errors +=
            ((const struct offset_commit_response *)response)->offsets[0].error != KAFKA_NONE;
        break;
    case API_CONSUMER_GROUP_HEARTBEAT:
        read_consumer((const struct consumer_group_heartbeat_response *)response, token);
        break;
    default: CHECK(false);
    }
    message_free(stage.memory, response);
}

static void drain(void)
{
    struct coordinator_effect effect;
    while (coordinator_take_effect(stage.coordinator, &effect)) {
        if (effect.kind == COORDINATOR_REPLY) {
            read_reply(effect.response, effect.token);
            continue;
        }
        stage.log_end_offset += group_log_batch_offsets(effect.batch);
        group_log_batch_release(effect.batch);
        coordinator_appended(stage.coordinator, stage.log_end_offset, KAFKA_NONE, stage.now);
        coordinator_on_high_watermark(stage.coordinator, stage.log_end_offset, stage.now);
    }
}

static void advance(sim_time until)
{
    while (coordinator_run_timer(stage.coordinator, until))
        drain();
    stage.now = until;
}

static void send(const struct message *request, uint64_t token)
{
    coordinator_handle(stage.coordinator, request, token, stage.now);
    drain();
}

static void set_topics(void)
{
    struct coordinator_topic topics[TOPICS];
    for (int t = 0; t < TOPICS; t++) {
        topics[t] = (struct coordinator_topic){.name = names_format(stage.names, "topic-%d", t),
                                               .partitions = TOPIC_PARTITIONS};
    }
    coordinator_set_topics(stage.coordinator, topics, TOPICS, stage.now);
}

static void open_stage(void)
{
    memset(&stage, 0, sizeof stage);
    stage.memory = memory_new();
    stage.names = names_new(stage.memory);
    stage.config = coordinator_config_default(stage.names);
    stage.config.group_initial_rebalance_delay_ms = 0;
    stage.config.group_coordinator_append_linger_ms = 0;
    stage.config.message_max_bytes = 1 << 30; /* 10,000 members in one record */
    stage.ids = (struct member_ids){.names = stage.names, .seed = 1};
    stage.coordinator = coordinator_new(&(struct coordinator_options){
        .memory = stage.memory,
        .names = stage.names,
        .config = &stage.config,
        .make_member_id = member_id_make,
        .make_member_id_self = &stage.ids,
    });
    stage.group = names_intern(stage.names, "group");
    set_topics();
    coordinator_start_loading(stage.coordinator, 1, 0);
    coordinator_finish_loading(stage.coordinator, 0, 0, 0);
}

static void close_stage(void)
{
    memory_free_all(stage.memory);
}

/* --- classic --------------------------------------------------------------------------------- */

/* Version, ten topics, generation: about what a Java consumer sends. */
static uint8_t metadata_bytes[160];
/* Ten partitions of one topic. */
static uint8_t assignment_bytes[80];

static void join(int32_t member, uint8_t change)
{
    metadata_bytes[sizeof metadata_bytes - 1] = change;
    struct group_protocol protocol = {.name = names_intern(stage.names, "range"),
                                      .metadata = {.data = metadata_bytes,
                                                   .length = sizeof metadata_bytes}};
    struct join_group_request request = {
        .head = {.api = API_JOIN_GROUP, .size = sizeof request},
        .version = 3,
        .group = stage.group,
        .member = stage.members[member] == NAME_NONE ? NAME_EMPTY : stage.members[member],
        .client_id = names_intern(stage.names, "client"),
        .session_timeout_ms = 45000,
        .rebalance_timeout_ms = 300000,
        .protocol_type = names_intern(stage.names, "bench"), /* subscriptions are not read */
        .protocols = &protocol,
        .protocol_count = 1,
    };
    send(&request.head, (uint64_t)member);
}

static void sync(int32_t member, struct sync_group_assignment *assignments, int32_t count)
{
    struct sync_group_request request = {
        .head = {.api = API_SYNC_GROUP, .size = sizeof request},
        .group = stage.group,
        .member = stage.members[member],
        .generation = stage.generation,
        .assignments = assignments,
        .assignment_count = count,
    };
    send(&request.head, (uint64_t)member);
}

static void sync_all(void)
{
    struct sync_group_assignment *assignments =
        memory_take(stage.memory, sizeof *assignments * (size_t)stage.member_count);
    for (int32_t i = 0; i < stage.member_count; i++) {
        assignments[i] =
            (struct sync_group_assignment){.member = stage.members[i],
                                           .assignment = {.data = assignment_bytes,
                                                          .length = sizeof assignment_bytes}};
    }
    for (int32_t i = 0; i < stage.member_count; i++) {
        bool leads = stage.members[i] == stage.leader;
        sync(i, assignments, leads ? stage.member_count : 0);
    }
    memory_give(stage.memory, assignments, sizeof *assignments * (size_t)stage.member_count);
}

/* All are parked before the zero delay of the first rebalance fires. */
static void form_classic_group(int32_t members)
{
    stage.member_count = members;
    for (int32_t i = 0; i < members; i++)
        join(i, 0);
    advance(stage.now);
    sync_all();
    advance(stage.now + SECONDS(1)); /* what lingers is written */
    CHECK(stage.errors == 0 && stage.generation == 1);
}

struct measure coordinator_heartbeats(void)
{
    open_stage();
    form_classic_group(BEATERS);
    struct heartbeat_request request = {
        .head = {.api = API_HEARTBEAT, .size = sizeof request},
        .group = stage.group,
        .generation = stage.generation,
    };
    uint64_t replies = stage.replies, start = bench_now_ns();
    for (uint64_t beat = 0; beat < BEATS; beat++) {
        if (beat % BEATERS == 0) advance(stage.now + BEAT_INTERVAL);
        request.member = stage.members[beat % BEATERS];
        send(&request.head, beat);
    }
    struct measure measure = {.events = BEATS, .nanoseconds = bench_now_ns() - start};
    CHECK(stage.replies == replies + BEATS && stage.errors == 0);
    close_stage();
    return measure;
}

struct measure coordinator_rebalances(void)
{
    open_stage();
    form_classic_group(REBALANCERS);
    uint64_t start = bench_now_ns();
    for (int32_t rebalance = 0; rebalance < REBALANCES; rebalance++) {
        for (int32_t i = 0; i < REBALANCERS; i++)
            join(i, (uint8_t)(rebalance + 1));
        sync_all();
    }
    struct measure measure = {.events = REBALANCES, .nanoseconds = bench_now_ns() - start};
    CHECK(stage.errors == 0 && stage.generation == 1 + REBALANCES);
    close_stage();
    return measure;
}

/* The steady load of 12,000 members in 200 groups, seen by one of 50 shards: 240 members that beat
 * every 3 s and commit one partition every 5 s, in batches of 10 ms. An event is a request. */
struct measure coordinator_load(void)
{
    open_stage();
    stage.config.group_coordinator_append_linger_ms = 10;
    form_classic_group(SHARD_MEMBERS);
    name_id topic = names_intern(stage.names, "topic-0");
    struct measure measure = {0};
    uint64_t start = bench_now_ns();
    sim_time pause = SECONDS(15) / SHARD_MEMBERS / 8; /* 5 beats and 3 commits each in 15 s */
    for (uint64_t turn = 0; turn < SHARD_REQUESTS; turn++) {
        int32_t member = (int32_t)(turn % SHARD_MEMBERS);
        advance(stage.now + pause);
        if (turn / SHARD_MEMBERS % 8 < 5) {
            struct heartbeat_request beat = {
                .head = {.api = API_HEARTBEAT, .size = sizeof beat},
                .group = stage.group,
                .member = stage.members[member],
                .generation = stage.generation,
            };
            send(&beat.head, turn);
        } else {
            struct offset_entry entry = {
                .partition = {.topic = topic, .partition = member},
                .offset = (int64_t)turn,
                .leader_epoch = -1,
                .metadata = NAME_EMPTY,
            };
            struct offset_commit_request commit = {
                .head = {.api = API_OFFSET_COMMIT, .size = sizeof commit},
                .version = 8,
                .group = stage.group,
                .member = stage.members[member],
                .generation = stage.generation,
                .retention_time_ms = -1,
                .offsets = &entry,
                .offset_count = 1,
            };
            send(&commit.head, turn);
        }
        measure.events++;
    }
    advance(stage.now + SECONDS(1));
    measure.nanoseconds = bench_now_ns() - start;
    CHECK(stage.errors == 0 && stage.replies >= measure.events);
    close_stage();
    return measure;
}

/* --- consumer (KIP-848) ---------------------------------------------------------------------- */

static void beat_consumer(int32_t member, int32_t epoch)
{
    struct consumer *consumer = &stage.consumers[member];
    bool joins = epoch == 0;
    bool tells = joins || consumer->owned_changed;
    name_id topics[TOPICS];
    for (int t = 0; t < TOPICS && joins; t++) {
        topics[t] = names_format(stage.names, "topic-%d", t);
    }
    if (joins) consumer->owned_count = 0;
    struct consumer_group_heartbeat_request request = {
        .head = {.api = API_CONSUMER_GROUP_HEARTBEAT, .size = sizeof request},
        .group = stage.group,
        .member = stage.members[member] == NAME_NONE ? NAME_EMPTY : stage.members[member],
        .member_epoch = epoch,
        .client_id = stage.group,
        .rebalance_timeout_ms = joins ? 300000 : -1,
        .topics = topics,
        .topic_count = joins ? TOPICS : -1,
        .owned = consumer->owned,
        .owned_count = tells ? consumer->owned_count : -1,
    };
    consumer->owned_changed = false;
    send(&request.head, (uint64_t)member);
}

/* Everybody beats in turn until a whole round changes nothing. */
static void beat_until_settled(void)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (int32_t i = 0; i < stage.member_count; i++) {
            int32_t epoch = stage.consumers[i].epoch;
            beat_consumer(i, epoch);
            changed |= stage.consumers[i].owned_changed || stage.consumers[i].epoch != epoch;
        }
    }
}

struct measure coordinator_consumer_heartbeats(void)
{
    open_stage();
    stage.member_count = BEATERS;
    /* One partition each; the first to join would get all of them before the others come. */
    name_id topic = names_intern(stage.names, "small");
    coordinator_set_topics(stage.coordinator,
                           &(struct coordinator_topic){.name = topic, .partitions = 1}, 1, 0);
    for (int32_t i = 0; i < BEATERS; i++)
        beat_consumer(i, 0);
    beat_until_settled();
    uint64_t start = bench_now_ns();
    for (uint64_t beat = 0; beat < BEATS; beat++) {
        if (beat % BEATERS == 0) advance(stage.now + BEAT_INTERVAL);
        int32_t member = (int32_t)(beat % BEATERS);
        beat_consumer(member, stage.consumers[member].epoch);
    }
    struct measure measure = {.events = BEATS, .nanoseconds = bench_now_ns() - start};
    CHECK(stage.errors == 0);
    close_stage();
    return measure;
}

struct measure coordinator_consumer_rebalances(void)
{
    open_stage();
    stage.member_count = REBALANCERS;
    set_topics();
    /* Without the topics the members join a group that has nothing to give: no target of ten
     * thousand partitions for the first one. */
    coordinator_set_topics(stage.coordinator, NULL, 0, 0);
    for (int32_t i = 0; i < REBALANCERS; i++)
        beat_consumer(i, 0);
    set_topics();
    beat_until_settled();
    struct measure measure = {.events = REBALANCES};
    uint64_t start = bench_now_ns();
    for (int32_t rebalance = 0; rebalance < REBALANCES; rebalance++) {
        for (int32_t i = REBALANCERS / 2; i < REBALANCERS; i++)
            beat_consumer(i, -1);
        stage.member_count = REBALANCERS / 2;
        beat_until_settled();
        stage.member_count = REBALANCERS;
        for (int32_t i = REBALANCERS / 2; i < REBALANCERS; i++)
            beat_consumer(i, 0);
        beat_until_settled();
    }
    measure.nanoseconds = bench_now_ns() - start;
    CHECK(stage.errors == 0);
    close_stage();
    return measure;
}
