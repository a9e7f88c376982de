/* tests/conformance/coordinator.c: carries out a recorded scenario step by step and compares every
 * answer, its time, and the state of the groups after each step; then rebuilds the shard from its
 * log. The checkers of the groups look at every step. COORDINATOR.md, beside the recordings, is the
 * description. */
#include "tests/conformance/coordinator.h"

#include "tests/conformance/coordinator_answers.h"
#include "tests/conformance/coordinator_request.h"
#include "tests/harness/group_checks.h"

#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_group.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    struct coordinator_host host;
    struct group_checks checks;
    const json_t *record;
    struct conformance_report *report;
    json_t *topics; /* name -> partitions, as they are now */
    int member_ids; /* highest number handed out or used */
    bool failed;
};

bool coordinator_applies(const json_t *record)
{
    const char *kind = json_string_value(json_object_get(record, "kind"));
    return kind != NULL && json_is_array(json_object_get(record, "steps")) &&
           (strcmp(kind, "classic") == 0 || strcmp(kind, "consumer") == 0 ||
            strcmp(kind, "offsets") == 0);
}

/* Members are m01, m02, ... in the order in which they come up, so that the recorded names are the
 * ids themselves, and ids ascend as the recordings demand. */
static name_id make_member_id(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                              uint32_t index)
{
    struct replay *replay = self;
    (void)group;
    (void)prefix;
    (void)leader_epoch;
    (void)index;
    return names_format(replay->host.names, "m%02d", ++replay->member_ids);
}

static json_int_t config_value(const json_t *record, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(record, "config"), key));
}

static void configure(struct replay *replay)
{
    const json_t *record = replay->record;
    struct coordinator_config *config = &replay->host.config;
    config->group_coordinator_append_linger_ms = 0;
    config->group_min_session_timeout_ms =
        (int32_t)config_value(record, "group.min.session.timeout.ms");
    config->group_max_session_timeout_ms =
        (int32_t)config_value(record, "group.max.session.timeout.ms");
    config->group_initial_rebalance_delay_ms =
        (int32_t)config_value(record, "group.initial.rebalance.delay.ms");
    config->group_max_size = (int32_t)config_value(record, "group.max.size");
    config->new_member_join_timeout_ms =
        (int32_t)config_value(record, "new_member_join_timeout_ms");
    config->offsets_retention_ms = config_value(record, "offsets.retention.minutes") * 60000;
    config->offsets_retention_check_interval_ms =
        config_value(record, "offsets.retention.check.interval.ms");
    config->offset_metadata_max_bytes = (int32_t)config_value(record, "offset.metadata.max.bytes");
    config->group_consumer_session_timeout_ms =
        (int32_t)config_value(record, "group.consumer.session.timeout.ms");
    config->group_consumer_heartbeat_interval_ms =
        (int32_t)config_value(record, "group.consumer.heartbeat.interval.ms");
    config->group_consumer_max_size = (int32_t)config_value(record, "group.consumer.max.size");
    config->group_consumer_migration_policy = MIGRATION_DISABLED;
    const json_t *assignors =
        json_object_get(json_object_get(record, "config"), "group.consumer.assignors");
    config->group_consumer_assignor_count = (int32_t)json_array_size(assignors);
    for (int32_t i = 0; i < config->group_consumer_assignor_count; i++) {
        config->group_consumer_assignors[i] =
            json_name(replay->host.names, json_array_get(assignors, (size_t)i));
    }
}

static void set_topics(struct replay *replay, sim_time at)
{
    struct coordinator_topic topics[16];
    int32_t count = 0;
    const char *name;
    json_t *partitions;
    json_object_foreach(replay->topics, name, partitions)
    {
        CHECK(count < (int32_t)ARRAY_LEN(topics));
        topics[count++] = (struct coordinator_topic){
            .name = names_intern(replay->host.names, name),
            .partitions = (int32_t)json_integer_value(partitions),
        };
    }
    host_set_topics(&replay->host, at, topics, count);
}

static void change_topics(struct replay *replay, sim_time at, json_t *changes)
{
    const char *name;
    json_t *partitions;
    json_object_foreach(changes, name, partitions)
    {
        if (json_integer_value(partitions) == 0) {
            json_object_del(replay->topics, name);
        } else {
            json_object_set(replay->topics, name, partitions);
        }
    }
    set_topics(replay, at);
}

/* --- comparison ------------------------------------------------------------------------------ */

static void say_difference(struct replay *replay, const char *what, const char *key,
                           const json_t *expected, const json_t *actual)
{
    char *expected_text = expected == NULL ? NULL : json_dumps(expected, JSON_ENCODE_ANY);
    char *actual_text = actual == NULL ? NULL : json_dumps(actual, JSON_ENCODE_ANY);
    conformance_say(replay->report, "%s %s: Kafka %.300s, ours %.300s", what, key,
                    expected_text == NULL ? "nothing" : expected_text,
                    actual_text == NULL ? "nothing" : actual_text);
    free(expected_text);
    free(actual_text);
    replay->failed = true;
}

/* Key by key, so that the report names what differs. */
static void compare_objects(struct replay *replay, const char *what, json_t *expected,
                            json_t *actual)
{
    if (!json_is_object(expected) || !json_is_object(actual)) {
        if (!json_equal(expected, actual)) say_difference(replay, what, "", expected, actual);
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach(expected, key, value)
    {
        json_t *ours = json_object_get(actual, key);
        if (!json_equal(value, ours)) say_difference(replay, what, key, value, ours);
    }
    json_object_foreach(actual, key, value)
    {
        if (json_object_get(expected, key) == NULL) say_difference(replay, what, key, NULL, value);
    }
}

/* With an error the other fields are defaults of Kafka's objects. The member counts if it has just
 * been given its id. */
static json_t *relevant_part(json_t *answer)
{
    json_t *copy = json_copy(answer);
    json_object_del(copy, "to");
    json_object_del(copy, "at_ms");
    const char *error = json_string_value(json_object_get(copy, "error"));
    if (error == NULL || strcmp(error, "NONE") == 0) return copy;
    json_t *reduced = json_pack("{s:s}", "error", error);
    if (strcmp(error, "MEMBER_ID_REQUIRED") == 0) {
        json_object_set(reduced, "member", json_object_get(copy, "member"));
    }
    json_decref(copy);
    return reduced;
}

static void compare_answer(struct replay *replay, json_int_t step, json_t *expected,
                           const struct host_reply *reply)
{
    char what[64];
    snprintf(what, sizeof(what), "step %lld, answer to %lld", (long long)step,
             (long long)reply->token);
    if (reply->at != MILLISECONDS(json_integer_value(json_object_get(expected, "at_ms")))) {
        conformance_say(replay->report, "%s: Kafka at %lld ms, ours at %lld ms", what,
                        (long long)json_integer_value(json_object_get(expected, "at_ms")),
                        (long long)(reply->at / MILLISECONDS(1)));
        replay->failed = true;
    }
    json_t *ours = coordinator_answer_json(replay->host.names, reply->message);
    json_t *relevant_ours = relevant_part(ours), *relevant = relevant_part(expected);
    compare_objects(replay, what, relevant, relevant_ours);
    json_decref(relevant_ours);
    json_decref(relevant);
    json_decref(ours);
}

static json_t *find_expected(json_t *responses, uint64_t token)
{
    size_t index;
    json_t *response;
    json_array_foreach(responses, index, response)
    {
        if ((uint64_t)json_integer_value(json_object_get(response, "to")) == token) return response;
    }
    return NULL;
}

/* Requests that Kafka forgets are reported to the host without a message: no answer. */
static void compare_answers(struct replay *replay, json_int_t step, json_t *responses)
{
    size_t answered = 0;
    struct host_reply reply;
    while (host_take_reply(&replay->host, &reply)) {
        if (reply.message == NULL) continue;
        json_t *expected = find_expected(responses, reply.token);
        if (expected == NULL) {
            json_t *ours = coordinator_answer_json(replay->host.names, reply.message);
            char what[64];
            snprintf(what, sizeof(what), "step %lld, answer to %lld", (long long)step,
                     (long long)reply.token);
            say_difference(replay, what, "", NULL, ours);
            json_decref(ours);
        } else {
            answered++;
            compare_answer(replay, step, expected, &reply);
        }
        message_free(replay->host.memory, reply.message);
    }
    if (answered < json_array_size(responses)) {
        conformance_say(replay->report, "step %lld: %zu answers of Kafka, %zu of ours",
                        (long long)step, json_array_size(responses), answered);
        replay->failed = true;
    }
}

static int by_text(const void *a, const void *b)
{
    json_t *const *x = a;
    json_t *const *y = b;
    return strcmp(json_string_value(*x), json_string_value(*y));
}

/* Lists that have no order are recorded sorted. */
static void sort_strings(json_t *array)
{
    size_t count = json_array_size(array);
    if (count < 2) return;
    json_t **items = calloc(count, sizeof(json_t *));
    CHECK(items != NULL);
    for (size_t i = 0; i < count; i++)
        items[i] = json_incref(json_array_get(array, i));
    qsort(items, count, sizeof(json_t *), by_text);
    json_array_clear(array);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, items[i]);
    free(items);
}

static void compare_state(struct replay *replay, json_int_t step, json_t *state)
{
    const char *id;
    json_t *expected;
    json_object_foreach(state, id, expected)
    {
        json_t *ours =
            coordinator_group_json(replay->host.coordinator, names_intern(replay->host.names, id));
        if (json_is_object(ours)) {
            sort_strings(json_object_get(ours, "pending_join"));
            sort_strings(json_object_get(ours, "pending_sync"));
        }
        char what[96];
        snprintf(what, sizeof(what), "step %lld, state of %s:", (long long)step, id);
        compare_objects(replay, what, expected, ours);
        json_decref(ours);
    }
}

/* --- steps ----------------------------------------------------------------------------------- */

static void note_member_ids(struct replay *replay, const json_t *request)
{
    const char *member = json_string_value(json_object_get(request, "member"));
    int number = 0;
    if (member != NULL && member[0] == 'm' && sscanf(member + 1, "%d", &number) == 1 &&
        number > replay->member_ids) {
        replay->member_ids = number; /* an id the client made itself */
    }
}

static bool is_seen(const struct replay *replay, name_id id)
{
    const struct coordinator *coordinator = replay->host.coordinator;
    for (uint32_t i = 0; i < coordinator_group_count(coordinator); i++) {
        const struct group *group = coordinator_group_at(coordinator, i);
        if (group->type == GROUP_CLASSIC && (classic_find_member(group->classic, id) != NULL ||
                                             classic_is_pending(group->classic, id)))
            return true;
        if (group->type == GROUP_CONSUMER && consumer_group_member(group->consumer, id) != NULL)
            return true;
    }
    return false;
}

/* An id made for a request that was then refused is in no answer and no state: the recording does
 * not count it. */
static void forget_unseen_id(struct replay *replay, int made_before)
{
    if (replay->member_ids != made_before + 1) return;
    char text[16];
    snprintf(text, sizeof(text), "m%02d", replay->member_ids);
    if (!is_seen(replay, names_intern(replay->host.names, text))) replay->member_ids--;
}

static void run_step(struct replay *replay, const json_t *step)
{
    struct coordinator_host *host = &replay->host;
    json_int_t number = json_integer_value(json_object_get(step, "n"));
    sim_time at = MILLISECONDS(json_integer_value(json_object_get(step, "at_ms")));
    const json_t *request = json_object_get(step, "request");
    json_t *metadata = json_object_get(step, "metadata");
    if (request != NULL) note_member_ids(replay, request);
    int made_before = replay->member_ids;
    if (request != NULL) {
        struct message *message = coordinator_request_read(host->memory, host->names, request);
        CHECK(message != NULL);
        host_request(host, at, (uint64_t)number, message);
    } else if (metadata != NULL) {
        host_advance(host, at);
        change_topics(replay, at, metadata);
    } else {
        host_advance(host, at);
    }
    forget_unseen_id(replay, made_before);
    compare_answers(replay, number, json_object_get(step, "responses"));
    compare_state(replay, number, json_object_get(step, "state"));
    if (!replay->failed && !coordinator_rebuild_check(host, (long)number, replay->report)) {
        replay->failed = true;
    }
    group_checks_rebuild(&replay->checks);
    if (replay->checks.violations > 0) {
        conformance_say(replay->report, "step %lld: violated invariant %s", (long long)number,
                        replay->checks.first);
        replay->failed = true;
    }
}

enum conformance_outcome coordinator_check(const json_t *record, struct conformance_report *report)
{
    struct replay replay = {.record = record, .report = report};
    replay.topics = json_deep_copy(json_object_get(record, "topics"));
    host_init(&replay.host, make_member_id, &replay);
    configure(&replay);
    set_topics(&replay, 0);
    host_start(&replay.host);
    group_checks_attach(&replay.checks, &replay.host);
    size_t index;
    const json_t *step;
    json_array_foreach(json_object_get(record, "steps"), index, step)
    {
        run_step(&replay, step);
        if (replay.failed) break; /* what follows would only repeat it */
    }
    group_checks_detach(&replay.checks);
    host_free(&replay.host);
    json_decref(replay.topics);
    return replay.failed ? CASE_FAILED : CASE_PASSED;
}
