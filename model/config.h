/* model/config.h: Kafka's settings, by Kafka's names and in Kafka's units.
 *
 * The field is the setting's name with dots turned into underscores (and its unit, which Kafka's
 * names nearly always carry). Defaults are those of the release the specs were read from; they
 * stand in tools/schema, the one table of every key. A broker's view of time in these structs is
 * converted to sim_time where it is used, once, when the world is built. */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_STRATEGIES_MAX 4

enum auto_offset_reset {
    RESET_LATEST,
    RESET_EARLIEST,
    RESET_NONE,
    RESET_BY_DURATION, /* KIP-1106: consumer_config.auto_offset_reset_duration_ms */
};
enum isolation_level { READ_UNCOMMITTED, READ_COMMITTED };
enum group_protocol_kind { GROUP_PROTOCOL_CLASSIC, GROUP_PROTOCOL_CONSUMER };

struct consumer_config {
    enum group_protocol_kind group_protocol;
    const char *group_remote_assignor; /* NULL = the broker's first */
    int32_t session_timeout_ms;
    int32_t heartbeat_interval_ms;
    int32_t max_poll_interval_ms;
    int32_t max_poll_records;
    int32_t request_timeout_ms;
    int32_t default_api_timeout_ms;
    int32_t retry_backoff_ms;
    int32_t retry_backoff_max_ms;
    int32_t reconnect_backoff_ms;
    int32_t reconnect_backoff_max_ms;
    int32_t socket_connection_setup_timeout_ms;
    int32_t socket_connection_setup_timeout_max_ms;
    int32_t metadata_max_age_ms;
    bool enable_auto_commit;
    int32_t auto_commit_interval_ms;
    enum auto_offset_reset auto_offset_reset;
    int64_t auto_offset_reset_duration_ms;
    /* In order of preference; default {"range", "cooperative-sticky"}. */
    const char *partition_assignment_strategy[CONFIG_STRATEGIES_MAX];
    int32_t partition_assignment_strategy_count;
    int32_t fetch_min_bytes;
    int32_t fetch_max_bytes;
    int32_t fetch_max_wait_ms;
    int32_t max_partition_fetch_bytes;
    enum isolation_level isolation_level;
    bool static_membership;        /* group.instance.id: each member's own name … */
    const char *group_instance_id; /* … or this, of one member; NULL = its name */
    const char *client_rack;
};

struct producer_config {
    int32_t acks; /* 0, 1, -1 = all */
    bool enable_idempotence;
    int32_t max_in_flight_requests_per_connection;
    int32_t retries;
    int32_t delivery_timeout_ms;
    int32_t request_timeout_ms;
    int32_t linger_ms;
    int32_t batch_size;
    int64_t buffer_memory;
    int32_t max_block_ms;
    int32_t max_request_size;
    int32_t retry_backoff_ms;
    int32_t retry_backoff_max_ms;
    int32_t reconnect_backoff_ms;
    int32_t reconnect_backoff_max_ms;
    int32_t metadata_max_age_ms;
    int32_t transaction_timeout_ms;
    const char *transactional_id; /* NULL = none */
    bool partitioner_adaptive_partitioning_enable;
    int32_t partitioner_availability_timeout_ms;
    bool partitioner_ignore_keys;
};

struct broker_config {
    /* group coordinator */
    int32_t group_min_session_timeout_ms;
    int32_t group_max_session_timeout_ms;
    int32_t group_initial_rebalance_delay_ms;
    int32_t group_max_size;
    int32_t group_coordinator_append_linger_ms;
    int32_t offsets_commit_timeout_ms;
    int32_t offsets_topic_num_partitions;
    int32_t offsets_topic_replication_factor;
    int32_t offsets_retention_minutes;
    int32_t offsets_retention_check_interval_ms;
    int32_t offset_metadata_max_bytes;
    int32_t group_consumer_session_timeout_ms;
    int32_t group_consumer_heartbeat_interval_ms;
    int32_t group_consumer_max_size;
    const char *group_consumer_assignors[CONFIG_STRATEGIES_MAX];
    int32_t group_consumer_assignor_count;
    const char *group_consumer_migration_policy; /* bidirectional, upgrade, downgrade, disabled */
    /* logs and replication */
    int32_t min_insync_replicas;
    bool unclean_leader_election_enable;
    int32_t replica_lag_time_max_ms;
    int32_t replica_fetch_wait_max_ms;
    int32_t broker_session_timeout_ms;
    int32_t broker_heartbeat_interval_ms;
    bool auto_leader_rebalance_enable;
    int32_t leader_imbalance_check_interval_seconds;
    int64_t log_retention_ms;
    int64_t log_retention_bytes; /* -1 = no limit */
    int32_t log_retention_check_interval_ms;
    int64_t log_segment_bytes;
    int64_t log_segment_ms;
    int32_t producer_id_expiration_ms;
    /* log cleaner; the last four are defaults of the topics */
    bool log_cleaner_enable;
    int32_t log_cleaner_backoff_ms;
    int32_t log_cleaner_min_cleanable_milli; /* log.cleaner.min.cleanable.ratio */
    int64_t log_cleaner_delete_retention_ms;
    int64_t log_cleaner_min_compaction_lag_ms;
    int64_t log_cleaner_max_compaction_lag_ms;
    /* transactions */
    int32_t transaction_max_timeout_ms;
    int32_t transaction_abort_timed_out_transaction_cleanup_interval_ms;
    int32_t transaction_state_log_num_partitions;
};

#endif
