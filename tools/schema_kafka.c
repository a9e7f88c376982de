/* tools/schema_kafka.c: Kafka's settings, as they stand under `config:`.
 *
 * Names, units, defaults and bounds are those of Kafka's ConfigDefs (ConsumerConfig,
 * ProducerConfig, GroupCoordinatorConfig, ReplicationConfigs, ServerLogConfigs, LogConfig,
 * TransactionLogConfig) at the commit the specs were read from. */
#include "tools/schema.h"

#include "sim/check.h"
#include "sim/time.h"
#include "tools/schema_hooks.h"

/* Settings in Kafka's own unit take a bare number or a quantity with a unit: 45000 or 45s. */
#define SETTING(structure, name, member, default_, low, high, text)                                \
    .key = (name), .type = SCHEMA_QUANTITY, FIELD(structure, member), .preset = (default_),        \
    .minimum = (low), .maximum = (high), .help = (text)
#define DURATION_IN(unit_ns) .quantity = QUANTITY_DURATION, .scale = (unit_ns), .bare = (unit_ns)
#define MILLIS(structure, name, member, default_, low, text)                                       \
    {                                                                                              \
        SETTING(structure, name, member, default_, low, INT32_MAX, text),                          \
            DURATION_IN(MILLISECONDS(1))                                                           \
    }
#define BYTES(structure, name, member, default_, low, high, text)                                  \
    {                                                                                              \
        SETTING(structure, name, member, default_, low, high, text), .quantity = QUANTITY_BYTES,   \
                                                                     .scale = 1, .bare = 1         \
    }
#define NUMBER(structure, name, member, default_, low, high, text)                                 \
    {                                                                                              \
        SETTING(structure, name, member, default_, low, high, text), .quantity = QUANTITY_COUNT    \
    }
#define FLAG(structure, name, member, default_, text)                                              \
    {                                                                                              \
        .key = (name), .type = SCHEMA_FLAG, FIELD(structure, member), .preset = (default_),        \
        .help = (text)                                                                             \
    }
#define CUSTOM(structure, name, member, default_, table, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_CUSTOM, FIELD(structure, member), .preset = (default_),      \
        .hooks = &(table), .help = (text)                                                          \
    }

static const struct schema_word group_protocols[] = {
    {"classic", GROUP_PROTOCOL_CLASSIC, "JoinGroup and SyncGroup; assignment by a member"},
    {"consumer", GROUP_PROTOCOL_CONSUMER, "ConsumerGroupHeartbeat; assignment by the broker"},
};
static const struct schema_word isolation_levels[] = {
    {"read_uncommitted", READ_UNCOMMITTED, "up to the high watermark"},
    {"read_committed", READ_COMMITTED, "up to the last stable offset"},
};
static const struct schema_word acks[] = {{"all", -1, "every in-sync replica has it"}};
static const struct schema_word unlimited[] = {{"unlimited", -1, "no limit"}};
static const struct schema_word never[] = {
    {"never", INT64_MAX, "no limit"},
    {"9223372036854775807", INT64_MAX, "no limit, as Kafka writes it"},
};
static const struct schema_word forever[] = {{"forever", -1, "never deleted by age"}};

#define C consumer_config
static const struct schema_field consumer_fields[] = {
    {.key = "group.protocol",
     .type = SCHEMA_ENUM,
     FIELD(C, group_protocol),
     .preset = "classic",
     WORDS(group_protocols),
     .source = "KIP-848",
     .help = "which rebalance protocol the members speak"},
    {.key = "group.remote.assignor",
     .type = SCHEMA_TEXT,
     FIELD(C, group_remote_assignor),
     .preset = "none",
     .optional = true,
     .source = "KIP-848",
     .help = "server-side assignor (uniform or range); none leaves the choice to the broker"},
    MILLIS(C, "session.timeout.ms", session_timeout_ms, "45000", 1,
           "how long the coordinator waits for a heartbeat before it expels a member (KIP-735)"),
    MILLIS(C, "heartbeat.interval.ms", heartbeat_interval_ms, "3000", 1,
           "time between heartbeats; at most a third of the session timeout"),
    MILLIS(C, "max.poll.interval.ms", max_poll_interval_ms, "300000", 1,
           "longest time between two poll() calls; also the rebalance timeout (KIP-62)"),
    NUMBER(C, "max.poll.records", max_poll_records, "500", 1, INT32_MAX,
           "most records that one poll() returns"),
    MILLIS(C, "request.timeout.ms", request_timeout_ms, "30000", 0,
           "how long the client waits for a response"),
    MILLIS(C, "default.api.timeout.ms", default_api_timeout_ms, "60000", 0,
           "time limit of commitSync and other blocking calls (KIP-266)"),
    MILLIS(C, "retry.backoff.ms", retry_backoff_ms, "100", 0,
           "pause before a request is tried again; doubles each time (KIP-580)"),
    MILLIS(C, "retry.backoff.max.ms", retry_backoff_max_ms, "1000", 0,
           "most that the pause grows to"),
    MILLIS(C, "reconnect.backoff.ms", reconnect_backoff_ms, "50", 0,
           "pause before a broker is connected to again; doubles each time"),
    MILLIS(C, "reconnect.backoff.max.ms", reconnect_backoff_max_ms, "1000", 0,
           "most that the pause grows to (KIP-144)"),
    MILLIS(C, "socket.connection.setup.timeout.ms", socket_connection_setup_timeout_ms, "10000", 0,
           "how long the client waits for a connection (KIP-601)"),
    MILLIS(C, "socket.connection.setup.timeout.max.ms", socket_connection_setup_timeout_max_ms,
           "30000", 0, "most that this wait grows to"),
    MILLIS(C, "metadata.max.age.ms", metadata_max_age_ms, "300000", 0,
           "how often partition counts and leaders are asked for although nothing failed"),
    FLAG(C, "enable.auto.commit", enable_auto_commit, "true",
         "poll() commits the positions of the poll before it"),
    MILLIS(C, "auto.commit.interval.ms", auto_commit_interval_ms, "5000", 0,
           "time between two automatic commits"),
    CUSTOM(C, "auto.offset.reset", auto_offset_reset, "latest", hooks_offset_reset,
           "where to start without a committed offset: latest, earliest, none or by_duration:PT1H "
           "(KIP-1106)"),
    CUSTOM(C, "partition.assignment.strategy", partition_assignment_strategy,
           "[range, cooperative-sticky]", hooks_client_assignors,
           "client-side assignors in order of preference; names or Kafka's classes"),
    BYTES(C, "fetch.min.bytes", fetch_min_bytes, "1", 0, INT32_MAX,
          "the broker answers a fetch when this much is there"),
    BYTES(C, "fetch.max.bytes", fetch_max_bytes, "52428800", 0, INT32_MAX,
          "most that one fetch response carries (KIP-74)"),
    MILLIS(C, "fetch.max.wait.ms", fetch_max_wait_ms, "500", 0,
           "longest that the broker holds a fetch back"),
    BYTES(C, "max.partition.fetch.bytes", max_partition_fetch_bytes, "1048576", 0, INT32_MAX,
          "most of one partition that a fetch response carries"),
    {.key = "isolation.level",
     .type = SCHEMA_ENUM,
     FIELD(C, isolation_level),
     .preset = "read_uncommitted",
     WORDS(isolation_levels),
     .source = "KIP-98",
     .help = "whether records of open and aborted transactions are returned"},
    CUSTOM(C, "group.instance.id", static_membership, "none", hooks_instance_id,
           "member gives each member its own name as instance id: static membership (KIP-345); a "
           "text of "
           "its own only in overrides"),
    {.key = "client.rack",
     .type = SCHEMA_TEXT,
     FIELD(C, client_rack),
     .preset = "none",
     .optional = true,
     .source = "KIP-392",
     .help = "the rack that the members say they are in"},
};
#undef C

#define P producer_config
static const struct schema_field producer_fields[] = {
    {SETTING(producer_config, "acks", acks, "all", -1, 1,
             "whom a produce request waits for: 0 nobody, 1 the leader, all in-sync replicas"),
     .quantity = QUANTITY_COUNT, WORDS(acks)},
    FLAG(P, "enable.idempotence", enable_idempotence, "true",
         "retries are recognised by the broker and not appended twice (KIP-98)"),
    NUMBER(P, "max.in.flight.requests.per.connection", max_in_flight_requests_per_connection, "5",
           1, 1000, "requests under way to one broker; at most 5 with idempotence"),
    NUMBER(P, "retries", retries, "2147483647", 0, INT32_MAX,
           "how often a failed batch is sent again, within delivery.timeout.ms"),
    MILLIS(P, "delivery.timeout.ms", delivery_timeout_ms, "120000", 0,
           "a record is delivered by then or has failed (KIP-91)"),
    MILLIS(P, "request.timeout.ms", request_timeout_ms, "30000", 0,
           "how long the producer waits for a response"),
    MILLIS(P, "linger.ms", linger_ms, "0", 0, "how long a batch waits for more records"),
    BYTES(P, "batch.size", batch_size, "16384", 0, INT32_MAX, "a batch of this size is sent"),
    BYTES(P, "buffer.memory", buffer_memory, "33554432", 0, INT64_MAX,
          "records that wait to be sent; send() blocks above this"),
    MILLIS(P, "max.block.ms", max_block_ms, "60000", 0,
           "how long send() blocks for memory or metadata"),
    BYTES(P, "max.request.size", max_request_size, "1048576", 0, INT32_MAX,
          "most that one produce request carries"),
    MILLIS(P, "retry.backoff.ms", retry_backoff_ms, "100", 0,
           "pause before a batch is sent again; doubles each time (KIP-580)"),
    MILLIS(P, "retry.backoff.max.ms", retry_backoff_max_ms, "1000", 0,
           "most that the pause grows to"),
    MILLIS(P, "reconnect.backoff.ms", reconnect_backoff_ms, "50", 0,
           "pause before a broker is connected to again; doubles each time"),
    MILLIS(P, "reconnect.backoff.max.ms", reconnect_backoff_max_ms, "1000", 0,
           "most that the pause grows to (KIP-144)"),
    MILLIS(P, "metadata.max.age.ms", metadata_max_age_ms, "300000", 0,
           "how often partition counts and leaders are asked for although nothing failed"),
    MILLIS(P, "transaction.timeout.ms", transaction_timeout_ms, "60000", 1,
           "the coordinator aborts a transaction that is open for longer (KIP-98)"),
    {.key = "transactional.id",
     .type = SCHEMA_TEXT,
     FIELD(P, transactional_id),
     .preset = "none",
     .optional = true,
     .source = "KIP-98",
     .help = "makes the producer transactional"},
    FLAG(P, "partitioner.adaptive.partitioning.enable", partitioner_adaptive_partitioning_enable,
         "true", "records without keys avoid slow brokers (KIP-794)"),
    MILLIS(P, "partitioner.availability.timeout.ms", partitioner_availability_timeout_ms, "0", 0,
           "records without keys avoid a broker that takes nothing for this long; 0 = off"),
    FLAG(P, "partitioner.ignore.keys", partitioner_ignore_keys, "false",
         "keys do not choose the partition (KIP-794)"),
};
#undef P

#define B broker_config
static const struct schema_field broker_fields[] = {
    MILLIS(B, "group.min.session.timeout.ms", group_min_session_timeout_ms, "6000", 1,
           "the shortest session timeout a member may ask for"),
    MILLIS(B, "group.max.session.timeout.ms", group_max_session_timeout_ms, "1800000", 1,
           "the longest session timeout a member may ask for"),
    MILLIS(B, "group.initial.rebalance.delay.ms", group_initial_rebalance_delay_ms, "3000", 0,
           "how long an empty group waits for more members to join (KIP-134)"),
    NUMBER(B, "group.max.size", group_max_size, "2147483647", 1, INT32_MAX,
           "most members of a classic group (KIP-389)"),
    MILLIS(B, "group.coordinator.append.linger.ms", group_coordinator_append_linger_ms, "10", 0,
           "coordinator records gather this long before they are appended"),
    MILLIS(B, "offsets.commit.timeout.ms", offsets_commit_timeout_ms, "5000", 1,
           "a commit not replicated by then has failed"),
    NUMBER(B, "offsets.topic.num.partitions", offsets_topic_num_partitions, "50", 1, 1000,
           "partitions of __consumer_offsets"),
    NUMBER(B, "offsets.topic.replication.factor", offsets_topic_replication_factor, "3", 1, 100,
           "replicas of __consumer_offsets; never more than brokers"),
    {SETTING(broker_config, "offsets.retention.minutes", offsets_retention_minutes, "10080", 1,
             INT32_MAX, "offsets of a group that has been empty this long expire (KIP-211)"),
     DURATION_IN(MINUTES(1))},
    MILLIS(B, "offsets.retention.check.interval.ms", offsets_retention_check_interval_ms, "600000",
           1, "how often expired offsets are looked for"),
    NUMBER(B, "offset.metadata.max.bytes", offset_metadata_max_bytes, "4096", 0, INT32_MAX,
           "most metadata that a commit may carry"),
    MILLIS(B, "group.consumer.session.timeout.ms", group_consumer_session_timeout_ms, "45000", 1,
           "session timeout of groups on the consumer protocol (KIP-848)"),
    MILLIS(B, "group.consumer.heartbeat.interval.ms", group_consumer_heartbeat_interval_ms, "5000",
           1, "heartbeat interval that the coordinator tells such members"),
    NUMBER(B, "group.consumer.max.size", group_consumer_max_size, "2147483647", 1, INT32_MAX,
           "most members of a group on the consumer protocol"),
    CUSTOM(B, "group.consumer.assignors", group_consumer_assignors, "[uniform, range]",
           hooks_server_assignors, "server-side assignors; the first is the default"),
    CUSTOM(B, "group.consumer.migration.policy", group_consumer_migration_policy, "bidirectional",
           hooks_migration_policy,
           "which protocol changes a live group may make: bidirectional, upgrade, downgrade, "
           "disabled"),
    NUMBER(B, "min.insync.replicas", min_insync_replicas, "1", 1, 100,
           "acks=all fails with fewer replicas in sync; default of the topics"),
    FLAG(B, "unclean.leader.election.enable", unclean_leader_election_enable, "false",
         "a replica out of sync may lead when no other is left; default of the topics"),
    MILLIS(B, "replica.lag.time.max.ms", replica_lag_time_max_ms, "30000", 1,
           "a follower this far behind leaves the in-sync replicas (KIP-537)"),
    MILLIS(B, "replica.fetch.wait.max.ms", replica_fetch_wait_max_ms, "500", 1,
           "longest that a leader holds a follower's fetch back"),
    MILLIS(B, "broker.session.timeout.ms", broker_session_timeout_ms, "9000", 1,
           "the controller fences a broker silent for this long (KIP-631)"),
    MILLIS(B, "broker.heartbeat.interval.ms", broker_heartbeat_interval_ms, "2000", 1,
           "time between a broker's heartbeats to the controller"),
    FLAG(B, "auto.leader.rebalance.enable", auto_leader_rebalance_enable, "true",
         "leadership returns to the preferred replica by itself"),
    {SETTING(broker_config, "leader.imbalance.check.interval.seconds",
             leader_imbalance_check_interval_seconds, "300", 1, INT32_MAX,
             "how often the preferred leaders are looked at"),
     DURATION_IN(SECONDS(1))},
    {SETTING(broker_config, "log.retention.ms", log_retention_ms, "604800000", -1,
             INT64_MAX / 1000000, "records older than this are deleted; default of the topics"),
     DURATION_IN(MILLISECONDS(1)), WORDS(forever)},
    {SETTING(broker_config, "log.retention.hours", log_retention_ms, NULL, -1, INT64_MAX / 1000000,
             "another spelling of log.retention.ms"),
     .quantity = QUANTITY_DURATION, .scale = MILLISECONDS(1), .bare = HOURS(1), WORDS(forever),
     .stands_for = "log.retention.ms"},
    {SETTING(broker_config, "log.retention.minutes", log_retention_ms, NULL, -1,
             INT64_MAX / 1000000, "another spelling of log.retention.ms"),
     .quantity = QUANTITY_DURATION, .scale = MILLISECONDS(1), .bare = MINUTES(1), WORDS(forever),
     .stands_for = "log.retention.ms"},
    {SETTING(broker_config, "log.retention.bytes", log_retention_bytes, "-1", -1, INT64_MAX,
             "a partition larger than this loses its oldest records; default of the topics"),
     .quantity = QUANTITY_BYTES, .bare = 1, .scale = 1, WORDS(unlimited)},
    MILLIS(B, "log.retention.check.interval.ms", log_retention_check_interval_ms, "300000", 1,
           "how often records to delete are looked for"),
    BYTES(B, "log.segment.bytes", log_segment_bytes, "1073741824", 14, INT64_MAX,
          "size of a segment, the unit of deletion; default of the topics"),
    {SETTING(broker_config, "log.roll.ms", log_segment_ms, "604800000", 1, INT64_MAX / 1000000,
             "age at which a segment ends; default of the topics"),
     DURATION_IN(MILLISECONDS(1))},
    {SETTING(broker_config, "log.roll.hours", log_segment_ms, NULL, 1, INT64_MAX / 1000000,
             "another spelling of log.roll.ms"),
     .quantity = QUANTITY_DURATION, .scale = MILLISECONDS(1), .bare = HOURS(1),
     .stands_for = "log.roll.ms"},
    MILLIS(B, "producer.id.expiration.ms", producer_id_expiration_ms, "86400000", 1,
           "an idle producer is forgotten after this (KIP-854)"),
    FLAG(B, "log.cleaner.enable", log_cleaner_enable, "true",
         "compacted topics are cleaned; __consumer_offsets is in any case"),
    MILLIS(B, "log.cleaner.backoff.ms", log_cleaner_backoff_ms, "15000", 1,
           "how often the cleaner looks for logs to clean"),
    {SETTING(broker_config, "log.cleaner.min.cleanable.ratio", log_cleaner_min_cleanable_milli,
             "0.5", 0, 1000,
             "a log is cleaned when more of it than this is dirty; default of the topics"),
     .quantity = QUANTITY_DECIMAL},
    {SETTING(broker_config, "log.cleaner.delete.retention.ms", log_cleaner_delete_retention_ms,
             "86400000", 0, INT64_MAX / 1000000,
             "how long tombstones outlive their first cleaning; default of the topics"),
     DURATION_IN(MILLISECONDS(1))},
    {SETTING(broker_config, "log.cleaner.min.compaction.lag.ms", log_cleaner_min_compaction_lag_ms,
             "0", 0, INT64_MAX / 1000000,
             "records younger than this are not cleaned; default of the topics"),
     DURATION_IN(MILLISECONDS(1))},
    {SETTING(broker_config, "log.cleaner.max.compaction.lag.ms", log_cleaner_max_compaction_lag_ms,
             "never", 1, INT64_MAX / 1000000,
             "records older than this are cleaned, however few; default of the topics"),
     DURATION_IN(MILLISECONDS(1)), WORDS(never)},
    MILLIS(B, "transaction.max.timeout.ms", transaction_max_timeout_ms, "900000", 1,
           "the longest transaction.timeout.ms a producer may ask for"),
    MILLIS(B, "transaction.abort.timed.out.transaction.cleanup.interval.ms",
           transaction_abort_timed_out_transaction_cleanup_interval_ms, "10000", 1,
           "how often transactions that timed out are looked for"),
    NUMBER(B, "transaction.state.log.num.partitions", transaction_state_log_num_partitions, "50", 1,
           1000, "partitions of __transaction_state"),
};
#undef B

/* Topic settings; those that brokers set too start from the cluster's value. */
#define T scenario_topic
static const struct schema_field topic_fields[] = {
    {SETTING(scenario_topic, "retention.ms", retention_ms, PRESET_PREPARED, -1, INT64_MAX / 1000000,
             "records older than this are deleted"),
     DURATION_IN(MILLISECONDS(1)), WORDS(forever), .source = "the cluster's log.retention.ms"},
    {SETTING(scenario_topic, "retention.bytes", retention_bytes, PRESET_PREPARED, -1, INT64_MAX,
             "a partition larger than this loses its oldest records"),
     .quantity = QUANTITY_BYTES, .bare = 1, .scale = 1, WORDS(unlimited),
     .source = "the cluster's log.retention.bytes"},
    {SETTING(scenario_topic, "segment.bytes", segment_bytes, PRESET_PREPARED, 14, INT64_MAX,
             "size of a segment, the unit of deletion"),
     .quantity = QUANTITY_BYTES, .bare = 1, .scale = 1,
     .source = "the cluster's log.segment.bytes"},
    {SETTING(scenario_topic, "segment.ms", segment_ms, PRESET_PREPARED, 1, INT64_MAX / 1000000,
             "age at which a segment ends"),
     DURATION_IN(MILLISECONDS(1)), .source = "the cluster's log.roll.ms"},
    {SETTING(scenario_topic, "min.insync.replicas", min_insync_replicas, PRESET_PREPARED, 1, 100,
             "acks=all fails with fewer replicas in sync"),
     .quantity = QUANTITY_COUNT, .source = "the cluster's min.insync.replicas"},
    {.key = "unclean.leader.election.enable",
     .type = SCHEMA_FLAG,
     FIELD(T, unclean_leader_election),
     .preset = PRESET_PREPARED,
     .source = "the cluster's unclean.leader.election.enable",
     .help = "a replica out of sync may lead when no other is left"},
    CUSTOM(T, "cleanup.policy", compact, "delete", hooks_cleanup_policy,
           "delete old records, or compact: keep the latest record of each key; compact,delete "
           "does both"),
    {SETTING(scenario_topic, "min.cleanable.dirty.ratio", min_cleanable_dirty_milli,
             PRESET_PREPARED, 0, 1000,
             "a compacted log is cleaned when more of it than this is dirty"),
     .quantity = QUANTITY_DECIMAL, .source = "the cluster's log.cleaner.min.cleanable.ratio"},
    {SETTING(scenario_topic, "min.compaction.lag.ms", min_compaction_lag_ms, PRESET_PREPARED, 0,
             INT64_MAX / 1000000, "records younger than this are not cleaned"),
     DURATION_IN(MILLISECONDS(1)), .source = "the cluster's log.cleaner.min.compaction.lag.ms"},
    {SETTING(scenario_topic, "max.compaction.lag.ms", max_compaction_lag_ms, PRESET_PREPARED, 1,
             INT64_MAX / 1000000, "records older than this are cleaned, however few"),
     DURATION_IN(MILLISECONDS(1)), WORDS(never),
     .source = "the cluster's log.cleaner.max.compaction.lag.ms"},
    {SETTING(scenario_topic, "delete.retention.ms", delete_retention_ms, PRESET_PREPARED, 0,
             INT64_MAX / 1000000, "how long tombstones outlive their first cleaning"),
     DURATION_IN(MILLISECONDS(1)), .source = "the cluster's log.cleaner.delete.retention.ms"},
};
#undef T

/* What an application's properties may hold that the simulation has no use for. */
#define UNUSED_CLIENT                                                                              \
    "bootstrap.servers", "client.id", "client.dns.lookup", "connections.max.idle.ms", "key.*",     \
        "value.*", "security.*", "sasl.*", "ssl.*", "metric.*", "metrics.*", "auto.include.*",     \
        "enable.metrics.push", "interceptor.classes", "receive.buffer.bytes", "send.buffer.bytes", \
        "metadata.recovery.strategy", "config.providers*"
static const char *const unused_consumer[] = {
    UNUSED_CLIENT, "group.id", "allow.auto.create.topics", "check.crcs", "exclude.internal.topics",
    "internal.*"};
static const char *const unused_producer[] = {UNUSED_CLIENT, "compression.*", "partitioner.class",
                                              "metadata.max.idle.ms", "internal.*"};
static const char *const unused_broker[] = {"listeners",
                                            "listener.*",
                                            "advertised.*",
                                            "inter.broker.*",
                                            "ssl.*",
                                            "sasl.*",
                                            "security.*",
                                            "log.dir",
                                            "log.dirs",
                                            "log.cleaner.threads",
                                            "log.cleaner.io.*",
                                            "log.cleaner.dedupe.*",
                                            "log.flush.*",
                                            "log.message.*",
                                            "log.index.*",
                                            "num.*",
                                            "socket.*",
                                            "queued.*",
                                            "controller.*",
                                            "process.roles",
                                            "node.id",
                                            "broker.id*",
                                            "broker.rack",
                                            "zookeeper.*",
                                            "metadata.*",
                                            "metric.*",
                                            "metrics.*",
                                            "quota.*",
                                            "compression.*",
                                            "message.max.bytes",
                                            "auto.create.topics.enable",
                                            "delete.topic.enable",
                                            "default.replication.factor",
                                            "background.threads",
                                            "group.coordinator.threads",
                                            "offsets.topic.segment.bytes",
                                            "offsets.load.buffer.size",
                                            "transaction.state.log.*"};
static const char *const unused_topic[] = {
    "compression.*",        "max.message.bytes", "message.*", "flush.*", "index.*",
    "file.delete.delay.ms", "preallocate",       "remote.*",  "local.*", "segment.index.bytes",
    "segment.jitter.ms",    "follower.*",        "leader.*"};

#define TABLE(table)  .fields = (table), .field_count = ARRAY_LEN(table)
#define UNUSED(table) .unused = (table), .unused_count = ARRAY_LEN(table)

const struct schema_object schema_consumer_config = {
    .name = "consumer config",
    .help =
        "Settings of the group's consumers by Kafka's names. A number has Kafka's unit; 45s and "
        "1MiB work too. `file: consumer.properties` reads an application's own file.",
    TABLE(consumer_fields),
    UNUSED(unused_consumer),
};
const struct schema_object schema_producer_config = {
    .name = "producer config",
    .help = "Settings of the producer by Kafka's names. `file: producer.properties` reads an "
            "application's own file.",
    TABLE(producer_fields),
    UNUSED(unused_producer),
};
const struct schema_object schema_broker_config = {
    .name = "broker config",
    .help = "Settings of every broker by Kafka's names. `file: server.properties` reads a broker's "
            "own file.",
    TABLE(broker_fields),
    UNUSED(unused_broker),
};
const struct schema_object schema_topic_config = {
    .name = "topic config",
    .help = "Settings of the topic by Kafka's names.",
    TABLE(topic_fields),
    UNUSED(unused_topic),
};
