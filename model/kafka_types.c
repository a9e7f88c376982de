#include "model/kafka_types.h"

#include "sim/check.h"

#include <string.h>

static const struct {
    const char *name;
    int32_t value;
} errors[] = {
#define X(name, value) {#name, value},
    KAFKA_ERRORS(X)
#undef X
};

const char *kafka_error_name(int32_t error)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (errors[i].value == error) return errors[i].name;
    }
    return "UNKNOWN";
}

bool kafka_error_find(const char *name, enum kafka_error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (strcmp(errors[i].name, name) != 0) continue;
        *error = (enum kafka_error)errors[i].value;
        return true;
    }
    return false;
}

/* Without `default`, so that the compiler asks for a decision about each new error. */
enum kafka_error_class kafka_error_class_of(enum kafka_error error)
{
    switch (error) {
    case KAFKA_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_LEADER_NOT_AVAILABLE:
    case KAFKA_NOT_LEADER_OR_FOLLOWER:
    case KAFKA_REPLICA_NOT_AVAILABLE:
    case KAFKA_NETWORK_EXCEPTION:
    case KAFKA_KAFKA_STORAGE_ERROR:
    case KAFKA_FENCED_LEADER_EPOCH:
    case KAFKA_UNKNOWN_TOPIC_ID:
    case KAFKA_INCONSISTENT_TOPIC_ID: return ERROR_INVALID_METADATA;
    case KAFKA_CORRUPT_MESSAGE:
    case KAFKA_REQUEST_TIMED_OUT:
    case KAFKA_COORDINATOR_LOAD_IN_PROGRESS:
    case KAFKA_COORDINATOR_NOT_AVAILABLE:
    case KAFKA_NOT_COORDINATOR:
    case KAFKA_NOT_ENOUGH_REPLICAS:
    case KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case KAFKA_CONCURRENT_TRANSACTIONS:
    case KAFKA_FETCH_SESSION_ID_NOT_FOUND:
    case KAFKA_INVALID_FETCH_SESSION_EPOCH:
    case KAFKA_UNKNOWN_LEADER_EPOCH:
    case KAFKA_OFFSET_NOT_AVAILABLE:
    case KAFKA_UNSTABLE_OFFSET_COMMIT: return ERROR_RETRIABLE;
    case KAFKA_UNKNOWN_SERVER_ERROR:
    case KAFKA_NONE:
    case KAFKA_OFFSET_OUT_OF_RANGE:
    case KAFKA_INVALID_FETCH_SIZE:
    case KAFKA_BROKER_NOT_AVAILABLE:
    case KAFKA_MESSAGE_TOO_LARGE:
    case KAFKA_OFFSET_METADATA_TOO_LARGE:
    case KAFKA_INVALID_TOPIC_EXCEPTION:
    case KAFKA_RECORD_LIST_TOO_LARGE:
    case KAFKA_INVALID_REQUIRED_ACKS:
    case KAFKA_ILLEGAL_GENERATION:
    case KAFKA_INCONSISTENT_GROUP_PROTOCOL:
    case KAFKA_INVALID_GROUP_ID:
    case KAFKA_UNKNOWN_MEMBER_ID:
    case KAFKA_INVALID_SESSION_TIMEOUT:
    case KAFKA_REBALANCE_IN_PROGRESS:
    case KAFKA_INVALID_COMMIT_OFFSET_SIZE:
    case KAFKA_TOPIC_AUTHORIZATION_FAILED:
    case KAFKA_GROUP_AUTHORIZATION_FAILED:
    case KAFKA_UNSUPPORTED_VERSION:
    case KAFKA_INVALID_REQUEST:
    case KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case KAFKA_DUPLICATE_SEQUENCE_NUMBER:
    case KAFKA_INVALID_PRODUCER_EPOCH:
    case KAFKA_INVALID_TXN_STATE:
    case KAFKA_INVALID_PRODUCER_ID_MAPPING:
    case KAFKA_TRANSACTION_COORDINATOR_FENCED:
    case KAFKA_UNKNOWN_PRODUCER_ID:
    case KAFKA_NON_EMPTY_GROUP:
    case KAFKA_GROUP_ID_NOT_FOUND:
    case KAFKA_MEMBER_ID_REQUIRED:
    case KAFKA_GROUP_MAX_SIZE_REACHED:
    case KAFKA_FENCED_INSTANCE_ID:
    case KAFKA_GROUP_SUBSCRIBED_TO_TOPIC:
    case KAFKA_PRODUCER_FENCED:
    case KAFKA_FENCED_MEMBER_EPOCH:
    case KAFKA_UNRELEASED_INSTANCE_ID:
    case KAFKA_UNSUPPORTED_ASSIGNOR:
    case KAFKA_STALE_MEMBER_EPOCH:
    case KAFKA_TRANSACTION_ABORTABLE: return ERROR_FINAL;
    }
    return ERROR_FINAL;
}

bool kafka_error_is_retriable(enum kafka_error error)
{
    return kafka_error_class_of(error) != ERROR_FINAL;
}
