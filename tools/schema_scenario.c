/* tools/schema_scenario.c: every key of a scenario that is not one of Kafka's settings. */
#include "tools/schema.h"

#include "sim/check.h"
#include "tools/schema_hooks.h"

#include <jansson.h>
#include <string.h>

#define TABLE(table) .fields = (table), .field_count = ARRAY_LEN(table)
#define EMBEDDED(name, structure, member, table, text)                                             \
    {                                                                                              \
        .key = (name), .type = SCHEMA_OBJECT, FIELD(structure, member), .preset = "{}",            \
        .object = &(table), .help = (text)                                                         \
    }
#define DURATION(name, structure, member, default_, low, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_QUANTITY, .quantity = QUANTITY_DURATION,                     \
        FIELD(structure, member), .preset = (default_), .minimum = (low), .maximum = DAYS(3660),   \
        .help = (text)                                                                             \
    }
#define RANDOM(name, structure, member, quantity_, default_, unit, high, text)                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_DISTRIBUTION, .quantity = (quantity_),                       \
        FIELD(structure, member), .preset = (default_), .suggest = (unit), .maximum = (high),      \
        .help = (text)                                                                             \
    }
#define COUNT(name, structure, member, default_, low, high, text)                                  \
    {                                                                                              \
        .key = (name), .type = SCHEMA_QUANTITY, .quantity = QUANTITY_COUNT,                        \
        FIELD(structure, member), .preset = (default_), .minimum = (low), .maximum = (high),       \
        .help = (text)                                                                             \
    }
#define FLAG(name, structure, member, default_, text)                                              \
    {                                                                                              \
        .key = (name), .type = SCHEMA_FLAG, FIELD(structure, member), .preset = (default_),        \
        .help = (text)                                                                             \
    }
#define CHOICE(name, structure, member, default_, table, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_ENUM, FIELD(structure, member), .preset = (default_),        \
        WORDS(table), .help = (text)                                                               \
    }
#define CUSTOM(name, structure, member, default_, table, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_CUSTOM, FIELD(structure, member), .preset = (default_),      \
        .hooks = &(table), .help = (text)                                                          \
    }

static const struct schema_word infinite_bandwidth[] = {{"unlimited", 0, "no bound"}};
static const struct schema_word forever[] = {{"forever", -1, "never deleted by age"}};
static const struct schema_word with_the_run[] = {{"never", SIM_TIME_NEVER, "with the run"}};

/* cluster */

static const struct schema_field network_fields[] = {
    RANDOM("latency", scenario_cluster, latency_ns, QUANTITY_DURATION,
           "{lognormal: {median: 400us, p99: 3ms}}", "ms", HOURS(1),
           "how long a message is under way, one direction"),
    {.key = "bandwidth",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BANDWIDTH,
     FIELD(scenario_cluster, bandwidth_bytes_per_second),
     .preset = "unlimited",
     .minimum = 1,
     .maximum = INT64_C(1) << 50,
     WORDS(infinite_bandwidth),
     .help = "bytes per second that one connection carries"},
};
static const struct schema_object schema_network = {
    .name = "network",
    .help = "The links between clients and brokers.",
    TABLE(network_fields),
};

static const struct schema_field cluster_fields[] = {
    COUNT("brokers", scenario_cluster, brokers, "3", 1, 1000, "how many; their ids start at 0"),
    CUSTOM("racks", scenario_cluster, racks, "none", hooks_racks, "where the brokers stand"),
    {.key = "network",
     .type = SCHEMA_OBJECT,
     .preset = "{}",
     .object = &schema_network,
     .help = "latency and bandwidth"},
    RANDOM("request_service", scenario_cluster, request_service_ns, QUANTITY_DURATION, "100us",
           "us", HOURS(1), "a broker's work on one request"),
    RANDOM("disk", scenario_cluster, disk_ns, QUANTITY_DURATION, "50us", "us", HOURS(1),
           "how long one append takes"),
    EMBEDDED("config", scenario_cluster, config, schema_broker_config,
             "the brokers' settings by Kafka's names"),
};
static const struct schema_object schema_cluster = {
    .name = "cluster",
    .help = "The brokers and what lies between them and their clients.",
    TABLE(cluster_fields),
};

/* topics */

static void prepare_topic(struct reader *reader, const struct node *node, void *base)
{
    (void)node;
    struct scenario_topic *topic = base;
    const struct scenario_cluster *cluster = &reader->scenario->cluster;
    topic->replication = cluster->brokers < 3 ? cluster->brokers : 3;
    topic->retention_ms = cluster->config.log_retention_ms;
    topic->retention_bytes = cluster->config.log_retention_bytes;
    topic->segment_bytes = cluster->config.log_segment_bytes;
    topic->segment_ms = cluster->config.log_segment_ms;
    topic->min_insync_replicas = cluster->config.min_insync_replicas;
    topic->unclean_leader_election = cluster->config.unclean_leader_election_enable;
}

static void finish_topic(struct reader *reader, const struct node *node, void *base)
{
    (void)base;
    const struct node *config = reader_written(node, "config");
    if (reader_written(node, "retention") == NULL || reader_written(config, "retention.ms") == NULL)
        return;
    diagnostic_error(reader->diagnostics, reader_place(node, "retention"),
                     "retention and retention.ms are one setting, given twice");
    diagnostic_note(reader->diagnostics, reader_place(config, "retention.ms"), "the other is here");
}

static const struct schema_field topic_fields[] = {
    COUNT("partitions", scenario_topic, partitions, "6", 1, 100000, "how many"),
    {.key = "replication",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_COUNT,
     FIELD(scenario_topic, replication),
     .preset = PRESET_PREPARED,
     .minimum = 1,
     .maximum = 100,
     .source = "3, or the number of brokers if that is less",
     .help = "replicas of each partition"},
    {.key = "config",
     .type = SCHEMA_OBJECT,
     .preset = "{}",
     .object = &schema_topic_config,
     .help = "the topic's settings by Kafka's names"},
    {.key = "retention",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_DURATION,
     FIELD(scenario_topic, retention_ms),
     .scale = MILLISECONDS(1),
     .suggest = "d",
     .minimum = 1,
     .maximum = INT64_MAX / MILLISECONDS(1),
     WORDS(forever),
     .stands_for = "retention.ms",
     .help = "short for retention.ms under config: records older than this are deleted"},
};
static const struct schema_object schema_topic = {
    .name = "topic",
    .help = "A topic and its partitions.",
    .prepare = prepare_topic,
    .finish = finish_topic,
    TABLE(topic_fields),
};

/* producers */

static const struct schema_field keys_fields[] = {
    COUNT("count", scenario_keys, count, "10000", 0, 100000000,
          "how many different keys; 0 = records without keys"),
    {.key = "zipf",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_DECIMAL,
     FIELD(scenario_keys, zipf_exponent_milli),
     .preset = "0",
     .minimum = 0,
     .maximum = 10000,
     .help = "exponent of their popularity: 0 = all alike, 1 = the second is half as frequent"},
    CUSTOM("hot", scenario_keys, hot, "[]", hooks_hot_keys,
           "keys that more records have than chance would give them"),
};
static const struct schema_object schema_keys = {
    .name = "keys",
    .help = "The keys of the records, which choose their partitions (murmur2, as Kafka).",
    TABLE(keys_fields),
};

static const struct scenario_topic *only_topic(const struct scenario *scenario)
{
    return scenario->topic_count == 1 ? &scenario->topics[0] : NULL;
}

static void prepare_producer(struct reader *reader, const struct node *node, void *base)
{
    (void)node;
    struct scenario_producer *producer = base;
    const struct scenario_topic *topic = only_topic(reader->scenario);
    producer->topic = topic == NULL ? NULL : topic->name;
}

static void finish_producer(struct reader *reader, const struct node *node, void *base)
{
    const struct scenario_producer *producer = base;
    bool is_known = producer->topic != NULL || reader_written(node, "topic") != NULL;
    if (is_known || node == NULL || reader->scenario->topic_count == 0) return;
    diagnostic_error(reader->diagnostics, node->at, "%s: topic is missing", producer->name);
    diagnostic_hint(reader->diagnostics, "it may be left out only where there is one topic");
}

static const struct schema_field producer_fields[] = {
    {.key = "topic",
     .type = SCHEMA_CUSTOM,
     FIELD(scenario_producer, topic),
     .preset = PRESET_PREPARED,
     .hooks = &hooks_topic,
     .source = "the only topic",
     .help = "where the records go"},
    CUSTOM("rate", scenario_producer, rate, "100/s", hooks_rate,
           "how many records come into being"),
    FLAG("poisson", scenario_producer, poisson, "false",
         "at random instants with this rate; otherwise evenly spaced"),
    RANDOM("record_size", scenario_producer, record_size_bytes, QUANTITY_BYTES, "1KiB", "B",
           1 << 30, "how large a record is"),
    EMBEDDED("keys", scenario_producer, keys, schema_keys, "the records' keys"),
    CUSTOM("partition_weights", scenario_producer, partition_weights, "none", hooks_weights,
           "a custom partitioner: each partition's share; none = by key"),
    DURATION("start", scenario_producer, start_at, "0s", 0, "when it begins"),
    {.key = "stop",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_DURATION,
     FIELD(scenario_producer, stop_at),
     .preset = "never",
     .minimum = 1,
     .maximum = DAYS(3660),
     WORDS(with_the_run),
     .help = "when it ends"},
    FLAG("resend", scenario_producer, resend, "false",
         "when send() fails for good, a TimeoutException say, the application sends again"),
    EMBEDDED("config", scenario_producer, config, schema_producer_config,
             "the producer's settings by Kafka's names"),
};
static const struct schema_object schema_producer = {
    .name = "producer",
    .help = "Something that sends records to one topic.",
    .prepare = prepare_producer,
    .finish = finish_producer,
    TABLE(producer_fields),
};

/* groups */

static const struct schema_word retry_policies[] = {
    {"forever", RETRY_FOREVER, "the record blocks its partition"},
    {"bounded", RETRY_BOUNDED, "after `retries` tries it is skipped"},
    {"dead_letter", RETRY_DEAD_LETTER, "after `retries` tries it goes to the dead letter topic"},
    {"crash", RETRY_CRASH, "the process ends, and meets it again after its restart"},
};
static const struct schema_word exception_policies[] = {
    {"exit", EXCEPTION_EXIT, "it closes the consumer and exits"},
    {"poll_again", EXCEPTION_POLL_AGAIN, "it waits for retry_backoff and calls poll() again"},
};
static const struct schema_word no_memory_limit[] = {{"unlimited", 0, "no bound"}};

static const struct schema_field process_fields[] = {
    RANDOM("per_record", scenario_process, per_record_ns, QUANTITY_DURATION, "1ms", "ms", DAYS(1),
           "work on one record"),
    RANDOM("per_batch", scenario_process, per_batch_ns, QUANTITY_DURATION, "0s", "ms", DAYS(1),
           "work once per poll() that returned records"),
    COUNT("workers", scenario_process, workers, "0", 0, 10000,
          "threads that records are handed to; 0 = the thread that polls"),
    COUNT("queue_limit", scenario_process, queue_limit, "0", 0, 1000000000,
          "pause() while more records than this wait for workers; 0 = never"),
    RANDOM("sink", scenario_process, sink_ns, QUANTITY_DURATION, "0s", "ms", DAYS(1),
           "writing to the sink, once per poll() that returned records"),
    FLAG("sink_idempotent", scenario_process, sink_idempotent, "false",
         "the sink recognises what it has already"),
    RANDOM("restore", scenario_process, restore_ns, QUANTITY_DURATION, "0s", "s", DAYS(1),
           "work in onPartitionsAssigned, once per rebalance that added partitions"),
    {.key = "state_per_partition",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BYTES,
     FIELD(scenario_process, restore_bytes_per_partition),
     .preset = "0B",
     .minimum = 0,
     .maximum = INT64_C(1) << 50,
     .help = "state store read back for each partition that was added"},
    {.key = "restore_bandwidth",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BANDWIDTH,
     FIELD(scenario_process, restore_bytes_per_second),
     .preset = "100MiB/s",
     .minimum = 1,
     .maximum = INT64_C(1) << 50,
     .help = "how fast it is read back"},
    CHOICE("retry", scenario_process, retry, "forever", retry_policies,
           "what happens to a record whose processing fails"),
    CHOICE("on_exception", scenario_process, on_exception, "exit", exception_policies,
           "what the application does when its listener or assignor throws out of poll()"),
    COUNT("retries", scenario_process, retries, "3", 0, 1000000, "tries after the first"),
    DURATION("retry_backoff", scenario_process, retry_backoff_ns, "1s", 0, "pause between tries"),
    CUSTOM("dead_letter_topic", scenario_process, dead_letter_topic, "none", hooks_optional_topic,
           "where records go that cannot be processed"),
    {.key = "memory_limit",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BYTES,
     FIELD(scenario_process, memory_limit_bytes),
     .preset = "unlimited",
     .minimum = 1,
     .maximum = INT64_C(1) << 50,
     WORDS(no_memory_limit),
     .help = "prefetched records above this end the process: out of memory"},
};
static const struct schema_object schema_process = {
    .name = "process",
    .help = "What a member does with the records.",
    TABLE(process_fields),
};

static const struct schema_word commit_modes[] = {
    {"auto", COMMIT_AUTO, "enable.auto.commit"},
    {"sync", COMMIT_SYNC, "commitSync after each poll's records"},
    {"async", COMMIT_ASYNC, "commitAsync after each poll's records"},
    {"per_record", COMMIT_PER_RECORD, "commitSync after each record"},
    {"on_revoke", COMMIT_ON_REVOKE, "only in onPartitionsRevoked and on close"},
    {"none", COMMIT_NONE, "never"},
    {"transactional", COMMIT_TRANSACTIONAL, "with the output, in one transaction (KIP-447)"},
    {"external", COMMIT_EXTERNAL, "the offset lives in the sink's own transaction"},
};
static const struct schema_word commit_orders[] = {
    {"after_sink", COMMIT_AFTER_SINK, "at least once"},
    {"before_sink", COMMIT_BEFORE_SINK, "at most once"},
};
static const struct schema_field commit_fields[] = {
    {.key = "mode",
     .type = SCHEMA_ENUM,
     FIELD(scenario_commit, mode),
     .preset = "auto",
     WORDS(commit_modes),
     .source = "auto; sync where enable.auto.commit is false",
     .help = "when offsets are committed"},
    CHOICE("order", scenario_commit, order, "after_sink", commit_orders,
           "before or after the records reach the sink"),
    DURATION("interval", scenario_commit, interval_ns, "0s", 0,
             "sync and async: not sooner than this after the last commit; 0s = after every poll"),
    FLAG("on_revoke", scenario_commit, on_revoke, "false",
         "also commitSync in onPartitionsRevoked"),
    FLAG("on_close", scenario_commit, on_close, "false", "also commitSync before close()"),
};
static const struct schema_object schema_commit = {
    .name = "commit",
    .help = "When and how a member commits offsets.",
    TABLE(commit_fields),
};

static const struct schema_word as_read[] = {{"as_read", 0, "as large as the record read"}};
static const struct schema_field output_fields[] = {
    CUSTOM("topic", scenario_output, topic, "none", hooks_optional_topic,
           "where a record is written for each record read"),
    {.key = "record_size",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BYTES,
     FIELD(scenario_output, record_bytes),
     .preset = "as_read",
     .minimum = 1,
     .maximum = INT64_C(1) << 30,
     WORDS(as_read),
     .help = "how large such a record is"},
    FLAG("flush", scenario_output, flush, "true",
         "wait for the acknowledgements before committing; false loses what could not be written"),
    EMBEDDED("config", scenario_output, config, schema_producer_config,
             "that producer's settings by Kafka's names"),
};
static const struct schema_object schema_output = {
    .name = "output",
    .help = "What members write back to Kafka, with a producer of their own (which also writes "
            "dead letters).",
    TABLE(output_fields),
};

static const struct schema_word deployment_kinds[] = {
    {"Deployment", DEPLOYMENT_DEPLOYMENT, "a new pod has a new name"},
    {"StatefulSet", DEPLOYMENT_STATEFUL_SET, "a new pod has the old one's name"},
};
static const struct schema_field deployment_fields[] = {
    CHOICE("kind", scenario_deployment, kind, "StatefulSet", deployment_kinds,
           "how pods are replaced"),
    RANDOM("startup", scenario_deployment, startup_ns, QUANTITY_DURATION, "5s", "s", DAYS(1),
           "from the start of a process to its first poll()"),
    RANDOM("termination", scenario_deployment, termination_ns, QUANTITY_DURATION, "1s", "s",
           DAYS(1), "from SIGTERM to close()"),
    DURATION("grace", scenario_deployment, grace_ns, "30s", 0,
             "SIGKILL this long after SIGTERM (terminationGracePeriodSeconds)"),
    FLAG("restart_after_crash", scenario_deployment, restart_after_crash, "true",
         "a crashed process is started again"),
    DURATION("restart_backoff", scenario_deployment, restart_backoff_ns, "10s", 0,
             "crash-loop back-off; doubles with each crash"),
    DURATION("restart_backoff_max", scenario_deployment, restart_backoff_max_ns, "5m", 0,
             "most that the back-off grows to"),
    COUNT("max_unavailable", scenario_deployment, max_unavailable, "1", 1, 100000,
          "rolling restart: so many members at a time"),
    DURATION("ready_wait", scenario_deployment, ready_wait_ns, "0s", 0,
             "rolling restart: pause after a member is ready"),
};
static const struct schema_object schema_deployment = {
    .name = "deployment",
    .help = "How the members' processes are started, stopped and replaced.",
    TABLE(deployment_fields),
};

static void prepare_group(struct reader *reader, const struct node *node, void *base)
{
    struct scenario_group *group = base;
    const struct scenario_topic *topic = only_topic(reader->scenario);
    if (topic == NULL || reader_written(node, "topics") != NULL) return;
    const char **topics = memory_keep(reader->memory, sizeof *topics);
    topics[0] = topic->name;
    group->topics = topics;
    group->topic_count = 1;
}

/* enable.auto.commit and commit.mode say the same thing twice, and each implies the other. */
static void finish_group(struct reader *reader, const struct node *node, void *base)
{
    struct scenario_group *group = base;
    if (group->topic_count == 0 && node != NULL && reader_written(node, "topics") == NULL &&
        reader->scenario->topic_count > 0) {
        diagnostic_error(reader->diagnostics, node->at, "%s: topics is missing", group->name);
        diagnostic_hint(reader->diagnostics, "it may be left out only where there is one topic");
    }
    const struct node *commit = reader_written(node, "commit");
    const struct node *config = reader_written(node, "config");
    bool mode_written = reader_written(commit, "mode") != NULL;
    bool flag_written = reader_written(config, "enable.auto.commit") != NULL;
    bool file_written = reader_written(config, "file") != NULL;
    if (!mode_written) {
        if (!group->config.enable_auto_commit) group->commit.mode = COMMIT_SYNC;
        return;
    }
    bool is_auto = group->commit.mode == COMMIT_AUTO;
    if (flag_written && group->config.enable_auto_commit != is_auto) {
        diagnostic_error(reader->diagnostics, reader_place(config, "enable.auto.commit"),
                         "enable.auto.commit contradicts the commit mode");
        diagnostic_note(reader->diagnostics, reader_place(commit, "mode"), "the mode is here");
    } else if (!file_written || !is_auto || group->config.enable_auto_commit) {
        group->config.enable_auto_commit = is_auto;
    } else {
        diagnostic_error(reader->diagnostics, reader_place(commit, "mode"),
                         "commit mode auto, but the file sets enable.auto.commit=false");
    }
}

static const struct schema_field group_fields[] = {
    {.key = "topics",
     .type = SCHEMA_CUSTOM,
     FIELD(scenario_group, topics),
     .preset = PRESET_PREPARED,
     .hooks = &hooks_group_topics,
     .source = "the only topic",
     .help = "what the group subscribes to"},
    COUNT("members", scenario_group, members, "3", 0, 100000, "how many; named NAME-1 to NAME-n"),
    FLAG("assign", scenario_group, assign_all, "false",
         "assign() instead of subscribe(): each member reads its share, and nobody coordinates"),
    RANDOM("start_spread", scenario_group, start_spread_ns, QUANTITY_DURATION,
           "{uniform: {low: 0s, high: 500ms}}", "s", DAYS(366),
           "when each member's process starts"),
    EMBEDDED("config", scenario_group, config, schema_consumer_config,
             "the consumers' settings by Kafka's names"),
    EMBEDDED("process", scenario_group, process, schema_process, "the work on the records"),
    EMBEDDED("commit", scenario_group, commit, schema_commit, "when offsets are committed"),
    EMBEDDED("output", scenario_group, output, schema_output,
             "what the members write back to Kafka"),
    EMBEDDED("deployment", scenario_group, deployment, schema_deployment,
             "how processes start and stop"),
};
static const struct schema_object schema_group = {
    .name = "group",
    .help = "A consumer group and the application its members run.",
    .prepare = prepare_group,
    .finish = finish_group,
    TABLE(group_fields),
};

/* the whole */

static void read_version(struct reader *reader, const struct schema_field *field,
                         const struct node *node, void *base)
{
    (void)base;
    bool is_one = node->kind == NODE_SCALAR && node->plain && strcmp(node->text, "1") == 0;
    if (is_one) return;
    diagnostic_error(reader->diagnostics, node->at, "%s: this Cohort reads format 1", field->key);
    diagnostic_hint(reader->diagnostics, "expected scenario: 1");
}

static void write_version(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    (void)base;
    text_append(writer->out, " 1");
}

static json_t *version_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:i}", "const", 1);
}

static const struct schema_hooks hooks_version = {
    .read = read_version,
    .write = write_version,
    .json = version_json,
    .grammar = "1",
};

static const struct schema_word automatic_sample[] = {
    {"auto", 0, "1s, or so that there are 1,200 samples"}};

/* A day-long run sampled every second would drown its plots. */
static void finish_scenario(struct reader *reader, const struct node *node, void *base)
{
    (void)reader;
    (void)node;
    struct scenario *scenario = base;
    if (scenario->sample_ns != 0) return;
    sim_time step = scenario->duration_ns / 1200;
    scenario->sample_ns =
        step <= SECONDS(1) ? SECONDS(1) : (step + SECONDS(1) - 1) / SECONDS(1) * SECONDS(1);
}

static const struct schema_field scenario_fields[] = {
    {.key = "scenario",
     .type = SCHEMA_CUSTOM,
     .preset = NULL,
     .hooks = &hooks_version,
     .help = "the version of this format, which is 1"},
    {.key = "name",
     .type = SCHEMA_TEXT,
     FIELD(scenario, name),
     .preset = PRESET_PREPARED,
     .source = "the name of the file",
     .help = "what the run is called"},
    {.key = "description",
     .type = SCHEMA_TEXT,
     FIELD(scenario, description),
     .preset = "\"\"",
     .help = "what it shows"},
    DURATION("duration", scenario, duration_ns, "10m", 1, "virtual time until the run ends"),
    CUSTOM("seed", scenario, seed, "1", hooks_seed,
           "what all random draws are made from; another seed, another run"),
    {.key = "sample",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_DURATION,
     FIELD(scenario, sample_ns),
     .preset = "auto",
     .minimum = MILLISECONDS(1),
     .maximum = DAYS(366),
     WORDS(automatic_sample),
     .help = "step of the time series"},
    EMBEDDED("cluster", scenario, cluster, schema_cluster, "brokers and network"),
    {.key = "topics",
     .type = SCHEMA_MAP,
     FIELD(scenario, topics),
     .count_offset = offsetof(struct scenario, topic_count),
     .element_size = sizeof(struct scenario_topic),
     .object = &schema_topic,
     .help = "topics by name"},
    {.key = "producers",
     .type = SCHEMA_MAP,
     FIELD(scenario, producers),
     .count_offset = offsetof(struct scenario, producer_count),
     .element_size = sizeof(struct scenario_producer),
     .preset = "{}",
     .object = &schema_producer,
     .help = "producers by name"},
    {.key = "groups",
     .type = SCHEMA_MAP,
     FIELD(scenario, groups),
     .count_offset = offsetof(struct scenario, group_count),
     .element_size = sizeof(struct scenario_group),
     .preset = "{}",
     .object = &schema_group,
     .help = "consumer groups by name"},
    CUSTOM("timeline", scenario, timeline, "[]", hooks_timeline,
           "what happens to them: operations and faults"),
    CUSTOM("expect", scenario, expects, "[]", hooks_expect,
           "what must be true of the run; each scenario is its own test"),
};
const struct schema_object schema_scenario = {
    .name = "scenario",
    .help = "What a run is made from.",
    .finish = finish_scenario,
    TABLE(scenario_fields),
};
