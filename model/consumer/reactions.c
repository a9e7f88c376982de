#include "model/consumer/reactions.h"

#include "sim/check.h"

/* The coordinator is not, or no longer, where we looked. */
#define LOST_COORDINATOR (REACT_RETRY | REACT_COORDINATOR_UNKNOWN)
/* A leader moved, or a broker does not know yet. */
#define STALE_METADATA   (REACT_RETRY | REACT_REFRESH_METADATA)

/* Whoever does not ask whether an error is retriable treats both kinds alike. */
#define TABLE(name, text, others) TABLE_RETRYING(name, text, others, others)
#define TABLE_RETRYING(name, text, retriables, others)                                             \
    const struct reaction_table name##_reactions = {text, name##_rows, ARRAY_LEN(name##_rows),     \
                                                    retriables, others}

/* AbstractCoordinator.ensureCoordinatorReady. */
static const struct reaction_row find_coordinator_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_GROUP_AUTHORIZATION_FAILED, REACT_THROW},
};
TABLE_RETRYING(find_coordinator, "FindCoordinator", STALE_METADATA, REACT_THROW);

/* JoinGroupResponseHandler. */
static const struct reaction_row join_group_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_MEMBER_ID_REQUIRED, REACT_TAKE_MEMBER_ID | REACT_RETRY_AT_ONCE},
    {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER | REACT_RETRY_AT_ONCE},
    {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, LOST_COORDINATOR},
    {KAFKA_NOT_COORDINATOR, LOST_COORDINATOR},
    {KAFKA_REBALANCE_IN_PROGRESS, REACT_RETRY_AT_ONCE},
    {KAFKA_FENCED_INSTANCE_ID, REACT_THROW},
};
TABLE(join_group, "JoinGroup", REACT_THROW);

/* SyncGroupResponseHandler. COORDINATOR_LOAD_IN_PROGRESS is not among what it knows. */
static const struct reaction_row sync_group_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_REBALANCE_IN_PROGRESS, REACT_RETRY_AT_ONCE},
    {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER | REACT_RETRY_AT_ONCE},
    {KAFKA_ILLEGAL_GENERATION, REACT_FORGET_GENERATION | REACT_RETRY_AT_ONCE},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, LOST_COORDINATOR},
    {KAFKA_NOT_COORDINATOR, LOST_COORDINATOR},
    {KAFKA_FENCED_INSTANCE_ID, REACT_THROW},
};
TABLE(sync_group, "SyncGroup", REACT_THROW);

/* HeartbeatResponseHandler. Without any bit the heartbeat has failed and is backed off from. */
static const struct reaction_row heartbeat_rows[] = {
    {KAFKA_NONE, REACT_ALIVE},
    {KAFKA_REBALANCE_IN_PROGRESS, REACT_ALIVE | REACT_REJOIN},
    {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER},
    {KAFKA_ILLEGAL_GENERATION, REACT_FORGET_GENERATION},
    {KAFKA_FENCED_INSTANCE_ID, REACT_FORGET_MEMBER | REACT_FENCED},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, REACT_COORDINATOR_UNKNOWN},
    {KAFKA_NOT_COORDINATOR, REACT_COORDINATOR_UNKNOWN},
};
TABLE(heartbeat, "Heartbeat", 0);

/* OffsetCommitResponseHandler. */
static const struct reaction_row offset_commit_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
    {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_RETRY},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, LOST_COORDINATOR},
    {KAFKA_NOT_COORDINATOR, LOST_COORDINATOR},
    {KAFKA_REQUEST_TIMED_OUT, LOST_COORDINATOR},
    {KAFKA_REBALANCE_IN_PROGRESS, REACT_REJOIN | REACT_REBALANCING},
    {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER | REACT_REFUSED},
    {KAFKA_ILLEGAL_GENERATION, REACT_FORGET_GENERATION | REACT_REFUSED},
    {KAFKA_FENCED_INSTANCE_ID, REACT_FENCED | REACT_THROW},
};
TABLE(offset_commit, "OffsetCommit", REACT_THROW);

/* OffsetFetchResponseHandler. A partition that does not exist is told of a partition, and final. */
static const struct reaction_row offset_fetch_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, LOST_COORDINATOR},
    {KAFKA_NOT_COORDINATOR, LOST_COORDINATOR},
    {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_THROW},
};
TABLE_RETRYING(offset_fetch, "OffsetFetch", REACT_RETRY, REACT_THROW);

/* OffsetFetcherUtils.handleListOffsetResponse. An error it does not know is logged, and tried
 * again. */
static const struct reaction_row list_offsets_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_TOPIC_AUTHORIZATION_FAILED, REACT_THROW},
    {KAFKA_UNSUPPORTED_VERSION, REACT_THROW},
};
TABLE(list_offsets, "ListOffsets", STALE_METADATA);

/* OffsetsForLeaderEpochUtils.handleResponse. */
static const struct reaction_row leader_epoch_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_TOPIC_AUTHORIZATION_FAILED, REACT_THROW},
};
TABLE(leader_epoch, "OffsetForLeaderEpoch", STALE_METADATA);

/* FetchCollector.handleInitializeErrors. */
static const struct reaction_row fetch_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_NOT_LEADER_OR_FOLLOWER, STALE_METADATA},
    {KAFKA_REPLICA_NOT_AVAILABLE, STALE_METADATA},
    {KAFKA_KAFKA_STORAGE_ERROR, STALE_METADATA},
    {KAFKA_FENCED_LEADER_EPOCH, STALE_METADATA},
    {KAFKA_OFFSET_NOT_AVAILABLE, STALE_METADATA},
    {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, STALE_METADATA},
    {KAFKA_UNKNOWN_TOPIC_ID, STALE_METADATA},
    {KAFKA_INCONSISTENT_TOPIC_ID, STALE_METADATA},
    {KAFKA_OFFSET_OUT_OF_RANGE, REACT_RESET_POSITION},
    {KAFKA_UNKNOWN_LEADER_EPOCH, REACT_RETRY},
    {KAFKA_UNKNOWN_SERVER_ERROR, REACT_RETRY},
    {KAFKA_TOPIC_AUTHORIZATION_FAILED, REACT_THROW},
    {KAFKA_CORRUPT_MESSAGE, REACT_THROW},
};
TABLE(fetch, "Fetch, of a partition", REACT_THROW);

/* FetchSessionHandler.handleResponse. */
static const struct reaction_row fetch_session_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
};
TABLE(fetch_session, "Fetch", REACT_RETRY | REACT_NEW_SESSION);

static const struct reaction_row consumer_heartbeat_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_NOT_COORDINATOR, REACT_COORDINATOR_UNKNOWN},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, REACT_COORDINATOR_UNKNOWN},
    {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
    {KAFKA_FENCED_MEMBER_EPOCH, REACT_FENCED_EPOCH},
    {KAFKA_UNKNOWN_MEMBER_ID, REACT_FENCED_EPOCH},
};
TABLE(consumer_heartbeat, "ConsumerGroupHeartbeat", REACT_FATAL);

/* The member learns from its heartbeats what became of it, never from a commit. */
static const struct reaction_row consumer_commit_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
    {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_RETRY},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, LOST_COORDINATOR},
    {KAFKA_NOT_COORDINATOR, LOST_COORDINATOR},
    {KAFKA_REQUEST_TIMED_OUT, LOST_COORDINATOR},
    {KAFKA_STALE_MEMBER_EPOCH, REACT_STALE_EPOCH | REACT_REFUSED},
    {KAFKA_UNKNOWN_MEMBER_ID, REACT_REFUSED},
    {KAFKA_FENCED_INSTANCE_ID, REACT_REFUSED},
};
TABLE(consumer_commit, "OffsetCommit, KIP-848", REACT_THROW);

static const struct reaction_row consumer_offset_fetch_rows[] = {
    {KAFKA_NONE, REACT_SUCCEED},
    {KAFKA_STALE_MEMBER_EPOCH, REACT_RETRY},
    {KAFKA_COORDINATOR_NOT_AVAILABLE, LOST_COORDINATOR},
    {KAFKA_NOT_COORDINATOR, LOST_COORDINATOR},
    {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_THROW},
};
TABLE_RETRYING(consumer_offset_fetch, "OffsetFetch, KIP-848", REACT_RETRY, REACT_THROW);

uint32_t reaction_to(const struct reaction_table *table, enum kafka_error error)
{
    for (int32_t i = 0; i < table->row_count; i++) {
        if (table->rows[i].error == error) return table->rows[i].reaction;
    }
    return kafka_error_is_retriable(error) ? table->retriable : table->other;
}
