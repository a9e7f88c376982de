/* tools/scenario_check.c: what hangs on several keys at once. */
#include "tools/scenario_check.h"

#include "model/record_keys.h"
#include "sim/check.h"
#include "sim/time.h"
#include "tools/schema_hooks.h"

#include <inttypes.h>
#include <string.h>

#define SEGMENT_BYTES_DEFAULT (INT64_C(1) << 30) /* log.segment.bytes */

/* One part of the scenario, and where it stands. */
struct check {
    struct reader *reader;
    const struct scenario *scenario;
    struct diagnostics *diagnostics;
    const struct node *node;   /* of this topic, producer or group */
    const struct node *config; /* its config, or NULL */
};

/* Where a key of the part's config is, or the part's own place. */
static struct position config_place(const struct check *check, const char *key)
{
    if (reader_written(check->config, key) != NULL) return reader_place(check->config, key);
    if (check->node == NULL) return (struct position){0};
    return check->node->at;
}

/* Of two settings that do not fit together, the one that somebody wrote. */
static struct position either_place(const struct check *check, const char *key, const char *other)
{
    return config_place(check, reader_written(check->config, key) != NULL ? key : other);
}

static struct position place(const struct check *check, const char *key)
{
    return reader_place(check->node, key);
}

static struct check part(struct check check, const struct node *map, const char *name)
{
    check.node = reader_written(map, name);
    check.config = reader_written(check.node, "config");
    return check;
}

static void check_cluster(const struct check *check)
{
    const struct broker_config *config = &check->scenario->cluster.config;
    if (config->group_min_session_timeout_ms > config->group_max_session_timeout_ms)
        diagnostic_error(check->diagnostics, config_place(check, "group.min.session.timeout.ms"),
                         "group.min.session.timeout.ms is above group.max.session.timeout.ms");
    if (config->broker_heartbeat_interval_ms * INT64_C(2) > config->broker_session_timeout_ms)
        diagnostic_warning(check->diagnostics, config_place(check, "broker.heartbeat.interval.ms"),
                           "broker.heartbeat.interval.ms is above half of "
                           "broker.session.timeout.ms: one late heartbeat fences a broker");
    if (config->group_consumer_heartbeat_interval_ms >= config->group_consumer_session_timeout_ms)
        diagnostic_error(check->diagnostics,
                         config_place(check, "group.consumer.heartbeat.interval.ms"),
                         "group.consumer.heartbeat.interval.ms must be below "
                         "group.consumer.session.timeout.ms");
}

/* LogConfig.validateTopicLogConfigValues; and what is never cleaned, since the active segment is
 * not. */
static void check_compaction(const struct check *check, const struct scenario_topic *topic)
{
    if (topic->min_compaction_lag_ms > topic->max_compaction_lag_ms)
        diagnostic_error(check->diagnostics,
                         either_place(check, "min.compaction.lag.ms", "max.compaction.lag.ms"),
                         "min.compaction.lag.ms (%" PRId64
                         ") is above max.compaction.lag.ms (%" PRId64 ")",
                         topic->min_compaction_lag_ms, topic->max_compaction_lag_ms);
    int64_t duration_ms = check->scenario->duration_ns / MILLISECONDS(1);
    bool rolls = topic->segment_ms < duration_ms || topic->max_compaction_lag_ms < duration_ms ||
                 topic->segment_bytes < SEGMENT_BYTES_DEFAULT;
    if (!topic->compact || rolls) return;
    diagnostic_warning(check->diagnostics, config_place(check, "cleanup.policy"),
                       "%s may never be compacted in this run: the active segment is not, and with "
                       "segment.ms and segment.bytes as they are there will be no other",
                       topic->name);
}

/* LogValidator refuses whole batches for one record without a key (INVALID_RECORD). */
static void check_has_keys(const struct check *check, const struct scenario_producer *producer)
{
    if (producer->topic == NULL) return;
    const struct scenario_topic *topic = scenario_find_topic(check->scenario, producer->topic);
    bool is_compact = topic != NULL && topic->compact;
    const struct node *keys = reader_written(check->node, "keys");
    struct position at = keys != NULL ? reader_place(keys, "count") : place(check, "keys");
    if (!is_compact && producer->keys.tombstone_ppm > 0)
        diagnostic_warning(check->diagnostics, reader_place(keys, "tombstones"),
                           "tombstones mean nothing here: the topic of %s is not compacted",
                           producer->name);
    if (!is_compact) return;
    if (producer->keys.count == 0)
        diagnostic_error(check->diagnostics, at,
                         "%s is compacted, and its brokers refuse records without a key "
                         "(INVALID_RECORD)",
                         topic->name);
    if (producer->config.partitioner_ignore_keys)
        diagnostic_error(check->diagnostics, config_place(check, "partitioner.ignore.keys"),
                         "%s is compacted: which keys a partition has is known only where keys "
                         "choose partitions, without partitioner.ignore.keys",
                         topic->name);
    if (producer->keys.count > RECORD_KEYS_MAX)
        diagnostic_error(check->diagnostics, at,
                         "%s is compacted: at most %d keys, what the cleaner's buffer holds",
                         topic->name, RECORD_KEYS_MAX);
}

/* What an application writes has no keys that could be followed here. */
static void check_written_topic(const struct check *check, const char *key, const char *name)
{
    if (name == NULL) return;
    const struct scenario_topic *topic = scenario_find_topic(check->scenario, name);
    if (topic == NULL || !topic->compact) return;
    diagnostic_error(check->diagnostics, place(check, key),
                     "%s is compacted: only producers, whose keys are known, can write there",
                     name);
}

static void check_topic(const struct check *check, const struct scenario_topic *topic)
{
    int32_t brokers = check->scenario->cluster.brokers;
    if (topic->replication > brokers)
        diagnostic_error(check->diagnostics, place(check, "replication"),
                         "replication %" PRId32 " of %s on %" PRId32 " broker%s",
                         topic->replication, topic->name, brokers, brokers == 1 ? "" : "s");
    if (topic->min_insync_replicas > topic->replication)
        diagnostic_warning(check->diagnostics, config_place(check, "min.insync.replicas"),
                           "min.insync.replicas %" PRId32 " is above the replication of %s: "
                           "no acks=all ever succeeds",
                           topic->min_insync_replicas, topic->name);
    else if (topic->min_insync_replicas == topic->replication && topic->replication > 1)
        diagnostic_warning(check->diagnostics, config_place(check, "min.insync.replicas"),
                           "min.insync.replicas equals the replication of %s: one broker down "
                           "stops every acks=all producer",
                           topic->name);
    const struct broker_config *config = &check->scenario->cluster.config;
    check_compaction(check, topic);
    bool is_short = topic->retention_ms > 0 && !topic->compact &&
                    topic->retention_ms < config->log_retention_check_interval_ms;
    if (is_short)
        diagnostic_warning(check->diagnostics,
                           reader_written(check->node, "retention") != NULL
                               ? place(check, "retention")
                               : config_place(check, "retention.ms"),
                           "retention of %s is below log.retention.check.interval.ms (%" PRId32
                           " ms): records live until the next check",
                           topic->name, config->log_retention_check_interval_ms);
}

static void check_producer_config(const struct check *check, const struct producer_config *config)
{
    bool asked = reader_written(check->config, "enable.idempotence") != NULL;
    const char *broken = config->acks != -1     ? "acks"
                         : config->retries == 0 ? "retries"
                         : config->max_in_flight_requests_per_connection > 5
                             ? "max.in.flight.requests.per.connection"
                             : NULL;
    /* ProducerConfig switches idempotence off quietly when it was not asked for. */
    if (config->enable_idempotence && broken != NULL && asked) {
        diagnostic_error(check->diagnostics, config_place(check, broken),
                         "idempotence needs acks=all, retries and at most 5 requests in flight");
        diagnostic_note(check->diagnostics, config_place(check, "enable.idempotence"),
                        "asked for here");
    } else if (config->enable_idempotence && broken != NULL) {
        diagnostic_warning(check->diagnostics, config_place(check, broken),
                           "%s switches idempotence off: retries may write records twice", broken);
    }
    if (config->transactional_id != NULL && !config->enable_idempotence)
        diagnostic_error(check->diagnostics, config_place(check, "transactional.id"),
                         "a transactional producer must be idempotent");
    if (config->delivery_timeout_ms < config->linger_ms + (int64_t)config->request_timeout_ms)
        diagnostic_error(check->diagnostics,
                         either_place(check, "delivery.timeout.ms", "request.timeout.ms"),
                         "delivery.timeout.ms must be at least linger.ms + request.timeout.ms");
}

static void check_producer(const struct check *check, const struct scenario_producer *producer)
{
    check_producer_config(check, &producer->config);
    check_has_keys(check, producer);
    if (producer->start_at > check->scenario->duration_ns)
        diagnostic_warning(check->diagnostics, place(check, "start"),
                           "%s starts after the end of the run", producer->name);
    if (producer->stop_at <= producer->start_at)
        diagnostic_error(check->diagnostics, place(check, "stop"), "%s stops before it starts",
                         producer->name);
}

static void check_classic_timeouts(const struct check *check, const struct scenario_group *group)
{
    const struct consumer_config *config = &group->config;
    const struct broker_config *broker = &check->scenario->cluster.config;
    if (config->session_timeout_ms < broker->group_min_session_timeout_ms ||
        config->session_timeout_ms > broker->group_max_session_timeout_ms) {
        diagnostic_error(check->diagnostics, config_place(check, "session.timeout.ms"),
                         "session.timeout.ms %" PRId32 " is outside what the brokers allow",
                         config->session_timeout_ms);
        diagnostic_hint(check->diagnostics,
                        "group.min.session.timeout.ms is %" PRId32
                        ", group.max.session.timeout.ms %" PRId32,
                        broker->group_min_session_timeout_ms, broker->group_max_session_timeout_ms);
    }
    if (config->heartbeat_interval_ms >= config->session_timeout_ms) {
        diagnostic_error(check->diagnostics,
                         either_place(check, "heartbeat.interval.ms", "session.timeout.ms"),
                         "heartbeat.interval.ms must be below session.timeout.ms (%" PRId32 ")",
                         config->session_timeout_ms);
    } else if (config->heartbeat_interval_ms * INT64_C(3) > config->session_timeout_ms) {
        diagnostic_warning(check->diagnostics,
                           either_place(check, "heartbeat.interval.ms", "session.timeout.ms"),
                           "heartbeat.interval.ms %" PRId32 " is above a third of "
                           "session.timeout.ms %" PRId32 ": one lost heartbeat may expel a member",
                           config->heartbeat_interval_ms, config->session_timeout_ms);
    }
}

/* A poll's worth of records must be worked off before the next poll() is due. */
static void check_poll_interval(const struct check *check, const struct scenario_group *group)
{
    const struct consumer_config *config = &group->config;
    if (group->process.workers > 0) return;
    int64_t record_ns = distribution_mean(&group->process.per_record_ns);
    int64_t batch_ns;
    if (__builtin_mul_overflow(record_ns, (int64_t)config->max_poll_records, &batch_ns))
        batch_ns = INT64_MAX / 2;
    batch_ns += distribution_mean(&group->process.per_batch_ns);
    batch_ns += distribution_mean(&group->process.sink_ns);
    if (batch_ns <= config->max_poll_interval_ms * MILLISECONDS(1)) return;
    diagnostic_warning(check->diagnostics,
                       either_place(check, "max.poll.records", "max.poll.interval.ms"),
                       "%s: %" PRId32 " records may take %" PRId64 " s, more than "
                       "max.poll.interval.ms (%" PRId32 " ms): such a member is thrown out again "
                       "and again",
                       group->name, config->max_poll_records, batch_ns / SECONDS(1),
                       config->max_poll_interval_ms);
}

static void check_output(const struct check *check, const struct scenario_group *group)
{
    const struct check output = part(*check, check->node, "output");
    check_producer_config(&output, &group->output.config);
    const struct check process = part(*check, check->node, "process");
    check_written_topic(&process, "dead_letter_topic", group->process.dead_letter_topic);
    check_written_topic(&output, "topic", group->output.topic);
    if (group->output.topic == NULL) return;
    for (int32_t i = 0; i < group->topic_count; i++) {
        if (strcmp(group->topics[i], group->output.topic) == 0)
            diagnostic_error(check->diagnostics, place(&output, "topic"),
                             "%s would read what it writes: it subscribes to %s", group->name,
                             group->output.topic);
    }
    if (group->process.workers > 0)
        diagnostic_error(check->diagnostics, place(&output, "topic"),
                         "%s has workers: an output topic needs the records processed on the "
                         "thread that polls (workers: 0)",
                         group->name);
}

static int64_t partitions_of(const struct check *check, const struct scenario_group *group)
{
    int64_t partitions = 0;
    for (int32_t t = 0; t < group->topic_count; t++) {
        for (int32_t i = 0; i < check->scenario->topic_count; i++) {
            if (strcmp(check->scenario->topics[i].name, group->topics[t]) == 0)
                partitions += check->scenario->topics[i].partitions;
        }
    }
    return partitions;
}

static void check_group(const struct check *check, const struct scenario_group *group)
{
    const struct consumer_config *config = &group->config;
    bool is_classic = config->group_protocol == GROUP_PROTOCOL_CLASSIC;
    if (is_classic && !group->assign_all) check_classic_timeouts(check, group);
    check_poll_interval(check, group);
    int64_t partitions = partitions_of(check, group);
    if (group->members > partitions)
        diagnostic_warning(check->diagnostics, place(check, "members"),
                           "%" PRId32 " members for %" PRId64 " partitions: %" PRId64
                           " of them idle",
                           group->members, partitions, group->members - partitions);
    if (!is_classic && reader_written(check->config, "partition.assignment.strategy") != NULL)
        diagnostic_warning(check->diagnostics, config_place(check, "partition.assignment.strategy"),
                           "partition.assignment.strategy has no effect with "
                           "group.protocol=consumer; see group.remote.assignor");
    if (config->fetch_max_wait_ms >= config->request_timeout_ms)
        diagnostic_warning(check->diagnostics,
                           either_place(check, "fetch.max.wait.ms", "request.timeout.ms"),
                           "fetch.max.wait.ms is not below request.timeout.ms: idle fetches fail");
    const struct node *process = reader_written(check->node, "process");
    const struct node *deployment = reader_written(check->node, "deployment");
    if (group->process.retry == RETRY_DEAD_LETTER && group->process.dead_letter_topic == NULL)
        diagnostic_error(check->diagnostics, reader_place(process, "retry"),
                         "retry: dead_letter needs a dead_letter_topic");
    check_output(check, group);
    if (group->deployment.restart_backoff_max_ns < group->deployment.restart_backoff_ns)
        diagnostic_error(check->diagnostics, reader_place(deployment, "restart_backoff_max"),
                         "restart_backoff_max is below restart_backoff");
    int64_t termination_ns = distribution_mean(&group->deployment.termination_ns);
    if (termination_ns > group->deployment.grace_ns)
        diagnostic_warning(check->diagnostics, reader_place(deployment, "termination"),
                           "termination is longer than grace: members are killed, not closed");
}

/* payments-1 would be a group and a member of payments. */
static void check_names(const struct check *check, const struct node *groups)
{
    const struct scenario *scenario = check->scenario;
    for (int32_t i = 0; i < scenario->group_count; i++) {
        const char *name = scenario->groups[i].name;
        const char *dash = strrchr(name, '-');
        if (dash == NULL || dash[1] == '\0' || dash[1 + strspn(dash + 1, "0123456789")] != '\0')
            continue;
        for (int32_t other = 0; other < scenario->group_count; other++) {
            const char *stem = scenario->groups[other].name;
            size_t length = (size_t)(dash - name);
            if (strlen(stem) != length || strncmp(stem, name, length) != 0) continue;
            diagnostic_error(check->diagnostics, reader_place(groups, name),
                             "%s is also the name of a member of %s", name, stem);
        }
    }
}

static void check_timeline(const struct check *check)
{
    const struct scenario *scenario = check->scenario;
    const struct node *list = check->node;
    for (int32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->timeline[i];
        bool is_timed = event->trigger != TRIGGER_WHEN;
        struct position at = {.source = list == NULL ? 0 : list->at.source,
                              .line = event->position.line,
                              .column = event->position.column};
        if (is_timed && event->at > scenario->duration_ns)
            diagnostic_warning(check->diagnostics, at, "this strikes after the end of the run");
        bool is_endless = event->trigger == TRIGGER_EVERY || event->trigger == TRIGGER_CHAOS;
        if (is_endless && distribution_mean(&event->every_ns) < MILLISECONDS(1))
            diagnostic_error(check->diagnostics, at, "every: less than a millisecond on average");
        if (event->trigger == TRIGGER_CHAOS && event->kind == TIMELINE_QUIET)
            diagnostic_error(check->diagnostics, at, "quiet cannot be drawn by chaos");
        if (event->kind == TIMELINE_THROW && event->place == THROW_IN_ASSIGNOR &&
            scenario->groups[event->target.group].config.group_protocol == GROUP_PROTOCOL_CONSUMER)
            diagnostic_error(check->diagnostics, at,
                             "with group.protocol: consumer the broker assigns, not the clients");
        if (event->kind != TIMELINE_ADD_PARTITIONS) continue;
        const struct scenario_topic *topic = &scenario->topics[event->target.topic];
        if (event->count <= topic->partitions)
            diagnostic_error(check->diagnostics, at,
                             "%s has %" PRId32 " partitions already; to: is the new total",
                             topic->name, topic->partitions);
    }
}

void scenario_check(struct reader *reader, const struct node *root)
{
    const struct scenario *scenario = reader->scenario;
    const struct check check = {.reader = reader,
                                .scenario = scenario,
                                .diagnostics = reader->diagnostics};
    const struct node *topics = reader_written(root, "topics");
    const struct node *producers = reader_written(root, "producers");
    const struct node *groups = reader_written(root, "groups");
    if (scenario->topic_count == 0)
        diagnostic_error(check.diagnostics, reader_place(root, "topics"),
                         "a scenario needs at least one topic");
    struct check one = part(check, root, "cluster");
    check_cluster(&one);
    for (int32_t i = 0; i < scenario->topic_count; i++) {
        one = part(check, topics, scenario->topics[i].name);
        check_topic(&one, &scenario->topics[i]);
    }
    for (int32_t i = 0; i < scenario->producer_count; i++) {
        one = part(check, producers, scenario->producers[i].name);
        check_producer(&one, &scenario->producers[i]);
    }
    for (int32_t i = 0; i < scenario->group_count; i++) {
        one = part(check, groups, scenario->groups[i].name);
        check_group(&one, &scenario->groups[i]);
    }
    check_names(&check, groups);
    one = part(check, root, "timeline");
    check_timeline(&one);
}
