/* Random schedules of a classic group: joins, leaves, crashes, freezes, lost answers, slow and
 * failing logs, failovers. No invariant may break, and once quiet every live member is in one
 * Stable generation with its share of the partitions. COHORT_SEED=n replays one schedule. */
#include "model/consumer_protocol.h"
#include "tests/harness/group_checks.h"

#include "sim/check.h"
#include "sim/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SEEDS       2000
#define CLIENTS     6
#define PARTITIONS  8
#define STORM_STEPS 250
#define QUIET_STEPS 400

enum phase { OUT, JOINING, SYNCING, IN };

struct client {
    bool alive;
    name_id instance; /* NAME_NONE = dynamic */
    name_id id;
    enum phase phase;
    int32_t generation;
    bool leads;
    name_id members[CLIENTS * 2]; /* of the generation it leads */
    int32_t member_count;
    int32_t owned[PARTITIONS];
    int32_t owned_count;
    uint64_t token; /* of the request under way, 0 = none */
    sim_time sent_at;
    sim_time frozen_until;
    int64_t committed;
};

struct schedule {
    struct coordinator_host host;
    struct group_checks checks;
    struct rng rng;
    struct client clients[CLIENTS];
    uint64_t tokens;
    name_id group;
    name_id topic;
    bool quiet;
    bool writes_failed;
};

static uint64_t below(struct schedule *schedule, uint64_t bound)
{
    return rng_next_below(&schedule->rng, bound);
}

static bool chance(struct schedule *schedule, uint64_t percent)
{
    return !schedule->quiet && below(schedule, 100) < percent;
}

/* --- what clients send ----------------------------------------------------------------------- */

static void post(struct schedule *schedule, struct client *client, struct message *request)
{
    client->token = ++schedule->tokens;
    client->sent_at = schedule->host.now;
    host_request(&schedule->host, schedule->host.now, client->token, request);
}

static void send_join(struct schedule *schedule, struct client *client)
{
    struct coordinator_host *host = &schedule->host;
    struct join_group_request *request =
        HOST_REQUEST(host, API_JOIN_GROUP, struct join_group_request);
    request->version = chance(schedule, 10) ? 3 : 9;
    request->group = schedule->group;
    request->member = client->id == NAME_NONE ? NAME_EMPTY : client->id;
    request->instance = client->instance;
    request->client_id = host_name(host, "client");
    request->session_timeout_ms = 10000;
    request->rebalance_timeout_ms = 20000;
    request->protocol_type = host_name(host, "consumer");
    request->protocol_count = 1;
    request->protocols = MESSAGE_ARRAY(host->memory, &request->head, struct group_protocol, 1);
    struct subscription subscription = {.topics = &schedule->topic,
                                        .topic_count = 1,
                                        .generation = client->generation};
    int16_t version = chance(schedule, 50) ? 0 : 2; /* with the generation it is never the same */
    struct bytes metadata = subscription_encode(host->memory, host->names, &subscription, version);
    uint8_t *copy = message_alloc(host->memory, &request->head, metadata.length);
    memcpy(copy, metadata.data, metadata.length);
    request->protocols[0] = (struct group_protocol){
        .name = host_name(host, "range"),
        .metadata = {.data = copy, .length = metadata.length},
    };
    consumer_protocol_give(host->memory, metadata);
    client->phase = JOINING;
    client->owned_count = 0; /* eager */
    post(schedule, client, &request->head);
}

/* Partition p goes to member p modulo their number. */
static void assign(struct schedule *schedule, struct client *client,
                   struct sync_group_request *request)
{
    struct coordinator_host *host = &schedule->host;
    request->assignment_count = client->member_count;
    request->assignments = MESSAGE_ARRAY(host->memory, &request->head, struct sync_group_assignment,
                                         client->member_count);
    for (int32_t m = 0; m < client->member_count; m++) {
        struct topic_partition partitions[PARTITIONS];
        struct assignment assignment = {.partitions = partitions};
        for (int32_t p = m; p < PARTITIONS; p += client->member_count) {
            partitions[assignment.partition_count++] =
                (struct topic_partition){.topic = schedule->topic, .partition = p};
        }
        struct bytes bytes = assignment_encode(host->memory, host->names, &assignment, 1);
        uint8_t *copy = message_alloc(host->memory, &request->head, bytes.length);
        memcpy(copy, bytes.data, bytes.length);
        request->assignments[m] = (struct sync_group_assignment){
            .member = client->members[m],
            .assignment = {.data = copy, .length = bytes.length},
        };
        consumer_protocol_give(host->memory, bytes);
    }
}

static void send_sync(struct schedule *schedule, struct client *client)
{
    struct sync_group_request *request =
        HOST_REQUEST(&schedule->host, API_SYNC_GROUP, struct sync_group_request);
    request->group = schedule->group;
    request->member = client->id;
    request->instance = client->instance;
    request->generation = client->generation;
    if (client->leads) assign(schedule, client, request);
    client->phase = SYNCING;
    post(schedule, client, &request->head);
}

static void send_heartbeat(struct schedule *schedule, struct client *client)
{
    struct heartbeat_request *request =
        HOST_REQUEST(&schedule->host, API_HEARTBEAT, struct heartbeat_request);
    request->group = schedule->group;
    request->member = client->id;
    request->instance = client->instance;
    request->generation = client->generation;
    post(schedule, client, &request->head);
}

static void send_commit(struct schedule *schedule, struct client *client)
{
    struct coordinator_host *host = &schedule->host;
    struct offset_commit_request *request =
        HOST_REQUEST(host, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = 8;
    request->group = schedule->group;
    request->member = client->id;
    request->instance = client->instance;
    request->generation = client->generation;
    request->retention_time_ms = -1;
    request->offset_count = client->owned_count;
    request->offsets =
        MESSAGE_ARRAY(host->memory, &request->head, struct offset_entry, client->owned_count);
    for (int32_t i = 0; i < client->owned_count; i++) {
        request->offsets[i] = (struct offset_entry){
            .partition = {.topic = schedule->topic, .partition = client->owned[i]},
            .offset = ++client->committed,
            .leader_epoch = -1,
            .metadata = NAME_EMPTY,
        };
    }
    post(schedule, client, &request->head);
}

static void send_leave(struct schedule *schedule, struct client *client)
{
    struct coordinator_host *host = &schedule->host;
    struct leave_group_request *request =
        HOST_REQUEST(host, API_LEAVE_GROUP, struct leave_group_request);
    request->group = schedule->group;
    request->member_count = 1;
    request->members = MESSAGE_ARRAY(host->memory, &request->head, struct leave_group_member, 1);
    request->members[0] =
        (struct leave_group_member){.member = client->id, .instance = client->instance};
    post(schedule, client, &request->head);
}

/* --- what clients are told ------------------------------------------------------------------- */

static void start_over(struct client *client, enum kafka_error error)
{
    client->phase = OUT;
    client->owned_count = 0;
    if (error == KAFKA_UNKNOWN_MEMBER_ID || error == KAFKA_FENCED_INSTANCE_ID) {
        client->id = NAME_NONE;
        client->generation = -1;
    }
}

static void on_joined(struct client *client, const struct join_group_response *response)
{
    if (response->error == KAFKA_MEMBER_ID_REQUIRED) client->id = response->member;
    if (response->error != KAFKA_NONE) {
        start_over(client, response->error);
        return;
    }
    client->id = response->member;
    client->generation = response->generation;
    client->phase = SYNCING;
    client->leads = response->leader == response->member && !response->skip_assignment;
    client->member_count = response->member_count;
    for (int32_t i = 0; i < response->member_count; i++) {
        client->members[i] = response->members[i].member;
    }
}

static void on_synced(struct schedule *schedule, struct client *client,
                      const struct sync_group_response *response)
{
    if (response->error != KAFKA_NONE) {
        start_over(client, response->error);
        return;
    }
    client->phase = IN;
    client->owned_count = 0;
    struct assignment assignment;
    if (!assignment_decode(schedule->host.memory, schedule->host.names, response->assignment,
                           &assignment))
        return;
    for (int32_t i = 0; i < assignment.partition_count; i++) {
        client->owned[client->owned_count++] = assignment.partitions[i].partition;
    }
    assignment_free(schedule->host.memory, &assignment);
}

static void on_answer(struct schedule *schedule, struct client *client,
                      const struct message *message)
{
    switch ((int)message->api) {
    case API_JOIN_GROUP: on_joined(client, (const struct join_group_response *)message); break;
    case API_SYNC_GROUP:
        on_synced(schedule, client, (const struct sync_group_response *)message);
        break;
    case API_HEARTBEAT: {
        enum kafka_error error = ((const struct heartbeat_response *)message)->error;
        if (error != KAFKA_NONE) start_over(client, error);
        break;
    }
    case API_OFFSET_COMMIT: {
        const struct offset_commit_response *response =
            (const struct offset_commit_response *)message;
        if (response->offset_count > 0 && response->offsets[0].error != KAFKA_NONE) {
            start_over(client, response->offsets[0].error);
        }
        break;
    }
    case API_LEAVE_GROUP: start_over(client, KAFKA_UNKNOWN_MEMBER_ID); break;
    default: CHECK(false);
    }
}

static void read_replies(struct schedule *schedule)
{
    struct host_reply reply;
    while (host_take_reply(&schedule->host, &reply)) {
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &schedule->clients[i];
            if (client->token != reply.token) continue;
            client->token = 0;
            if (reply.message == NULL) {
                start_over(client, KAFKA_NONE);
            } else if (!chance(schedule, 5)) { /* else the answer is lost */
                on_answer(schedule, client, reply.message);
            } else {
                start_over(client, KAFKA_NONE);
            }
        }
        if (reply.message != NULL) message_free(schedule->host.memory, reply.message);
    }
}

/* --- a schedule ------------------------------------------------------------------------------ */

static void act(struct schedule *schedule, struct client *client)
{
    if (!client->alive || client->frozen_until > schedule->host.now) return;
    if (client->token != 0) {
        /* request.timeout.ms, short of the rebalance timeout as in a badly set up client */
        if (schedule->host.now - client->sent_at > SECONDS(25)) {
            client->token = 0;
            start_over(client, KAFKA_NONE);
        }
        return;
    }
    switch (client->phase) {
    case OUT:
    case JOINING: send_join(schedule, client); break;
    case SYNCING: send_sync(schedule, client); break;
    case IN:
        if (chance(schedule, 3)) {
            send_leave(schedule, client);
        } else if (chance(schedule, 3)) {
            send_join(schedule, client);
        } else if (below(schedule, 2) == 0 && client->owned_count > 0) {
            send_commit(schedule, client);
        } else {
            send_heartbeat(schedule, client);
        }
        break;
    }
}

static void disturb(struct schedule *schedule)
{
    struct coordinator_host *host = &schedule->host;
    struct client *client = &schedule->clients[below(schedule, CLIENTS)];
    switch (below(schedule, 9)) {
    case 0:
        client->alive = false; /* crashes: nobody is told */
        client->token = 0;
        break;
    case 1:
        if (client->alive) break;
        client->alive = true;
        client->id = NAME_NONE;
        client->generation = -1;
        client->phase = OUT;
        client->owned_count = 0;
        break;
    case 2: client->frozen_until = host->now + MILLISECONDS((int64_t)below(schedule, 30000)); break;
    case 3: host->high_watermark_held = true; break;
    case 4:
        host->high_watermark_held = false;
        host_set_high_watermark(host, host->log_end_offset);
        host_drain(host);
        break;
    case 5:
        schedule->writes_failed = true;
        host->append_error =
            below(schedule, 2) == 0 ? KAFKA_NOT_ENOUGH_REPLICAS : KAFKA_NOT_LEADER_OR_FOLLOWER;
        break;
    case 6:
        if (below(schedule, 3) != 0) break;
        if (below(schedule, 2) == 0) host_lose_tail(host);
        group_checks_fail_over(&schedule->checks, host->now);
        break;
    default: host->append_error = KAFKA_NONE; break;
    }
}

static void calm(struct schedule *schedule)
{
    struct coordinator_host *host = &schedule->host;
    schedule->quiet = true;
    host->append_error = KAFKA_NONE;
    host->high_watermark_held = false;
    host_set_high_watermark(host, host->log_end_offset);
    host_drain(host);
    for (int i = 0; i < CLIENTS; i++)
        schedule->clients[i].frozen_until = 0;
}

static bool step(struct schedule *schedule, sim_time longest)
{
    struct coordinator_host *host = &schedule->host;
    sim_time pause = MILLISECONDS((int64_t)below(schedule, (uint64_t)(longest / MILLISECONDS(1))));
    host_advance(host, host->now + pause);
    read_replies(schedule);
    if (chance(schedule, 20)) disturb(schedule);
    read_replies(schedule);
    if (schedule->quiet) {
        for (int i = 0; i < CLIENTS; i++) {
            act(schedule, &schedule->clients[i]);
            read_replies(schedule);
        }
    } else {
        act(schedule, &schedule->clients[below(schedule, CLIENTS)]);
        read_replies(schedule);
    }
    return schedule->checks.violations == 0;
}

/* Why it has not come to rest, or NULL. */
static const char *unrest(struct schedule *schedule)
{
    const struct group *group = coordinator_find_group(schedule->host.coordinator, schedule->group);
    int32_t alive = 0, owned = 0;
    for (int i = 0; i < CLIENTS; i++) {
        const struct client *client = &schedule->clients[i];
        if (!client->alive) continue;
        alive++;
        owned += client->owned_count;
        if (client->phase != IN) return "a live client is not in the group";
        if (client->generation != group->classic->generation) return "an old generation lives on";
    }
    if (alive == 0) return NULL;
    if (group->classic->state != GROUP_STABLE) return "the group is not Stable";
    if (group->classic->member_count != alive) return "there are members that do not live";
    return owned == PARTITIONS ? NULL : "not every partition is owned once";
}

/* The last member went while nothing could be written: Kafka only logs that
 * (completeClassicGroupJoin), and the log keeps the generation before. */
static bool is_ahead_of_log(const struct schedule *schedule)
{
    const struct group *group = coordinator_find_group(schedule->host.coordinator, schedule->group);
    return schedule->writes_failed && group->type == GROUP_CLASSIC &&
           group->classic->state == GROUP_EMPTY;
}

static const char *run_schedule(uint64_t seed, char *text, size_t size)
{
    struct schedule schedule = {0};
    const struct rng_key key = rng_key(seed, 1, RNG_TEST);
    schedule.rng = rng_start(&key, 0);
    host_init(&schedule.host, NULL, NULL);
    schedule.host.config.group_initial_rebalance_delay_ms = (int32_t)below(&schedule, 3) * 1000;
    schedule.host.config.group_coordinator_append_linger_ms = (int32_t)below(&schedule, 2) * 10;
    host_start(&schedule.host);
    group_checks_attach(&schedule.checks, &schedule.host);
    schedule.group = host_name(&schedule.host, "g");
    schedule.topic = host_name(&schedule.host, "t");
    for (int i = 0; i < CLIENTS; i++) {
        schedule.clients[i] = (struct client){.alive = true, .generation = -1};
        if (below(&schedule, 3) == 0) {
            schedule.clients[i].instance = names_format(schedule.host.names, "instance-%d", i);
        }
    }
    const char *wrong = NULL;
    for (int i = 0; i < STORM_STEPS && wrong == NULL; i++) {
        if (!step(&schedule, SECONDS(2))) wrong = schedule.checks.first;
    }
    calm(&schedule);
    for (int i = 0; i < QUIET_STEPS && wrong == NULL; i++) {
        if (!step(&schedule, SECONDS(1))) wrong = schedule.checks.first;
    }
    if (wrong == NULL) wrong = unrest(&schedule);
    host_advance(&schedule.host, schedule.host.now + MILLISECONDS(10)); /* the open batch is out */
    if (wrong == NULL && !is_ahead_of_log(&schedule)) group_checks_rebuild(&schedule.checks);
    if (wrong == NULL && schedule.checks.violations > 0) wrong = schedule.checks.first;
    if (wrong != NULL) snprintf(text, size, "seed %llu: %s", (unsigned long long)seed, wrong);
    group_checks_detach(&schedule.checks);
    host_free(&schedule.host);
    return wrong == NULL ? NULL : text;
}

static void random_schedules_never_break_an_invariant_and_come_to_rest(void **state)
{
    (void)state;
    const char *only = getenv("COHORT_SEED");
    uint64_t first = only == NULL ? 1 : strtoull(only, NULL, 10);
    uint64_t last = only == NULL ? SEEDS : first;
    for (uint64_t seed = first; seed <= last; seed++) {
        char text[256];
        if (run_schedule(seed, text, sizeof(text)) != NULL) fail_msg("%s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_schedules_never_break_an_invariant_and_come_to_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
