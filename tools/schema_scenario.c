/* tools/schema_scenario.c: every key of a scenario that is not one of Kafka's settings. */
#include "tools/schema.h"

#include "sim/check.h"
#include "tools/schema_hooks.h"
#include "tools/schema_table.h"

#include <jansson.h>
#include <string.h>

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
    topic->min_cleanable_dirty_milli = cluster->config.log_cleaner_min_cleanable_milli;
    topic->min_compaction_lag_ms = cluster->config.log_cleaner_min_compaction_lag_ms;
    topic->max_compaction_lag_ms = cluster->config.log_cleaner_max_compaction_lag_ms;
    topic->delete_retention_ms = cluster->config.log_cleaner_delete_retention_ms;
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
    FLAG("created_later", scenario_topic, created_later, "false",
         "not there at the start: a create_topic of the timeline makes it"),
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
    {.key = "tombstones",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_SHARE,
     FIELD(scenario_keys, tombstone_ppm),
     .preset = "0%",
     .minimum = 0,
     .maximum = 1000000,
     .help = "share of the records that have no value: on a compacted topic they delete their key"},
};
static const struct schema_object schema_keys = {
    .name = "keys",
    .help = "The keys of the records, which choose their partitions (murmur2, as Kafka).",
    TABLE(keys_fields),
};

const struct scenario_topic *schema_only_topic(const struct scenario *scenario)
{
    return scenario->topic_count == 1 ? &scenario->topics[0] : NULL;
}

static void prepare_producer(struct reader *reader, const struct node *node, void *base)
{
    (void)node;
    struct scenario_producer *producer = base;
    const struct scenario_topic *topic = schema_only_topic(reader->scenario);
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
