/* tests/model/decided_errors.h: every error that was thought through, for each response that
 * carries errors. Written down by hand, on purpose: a new error fails the tests that walk all
 * errors until somebody has looked up what the clients do about it and has added it here. */
#ifndef TESTS_MODEL_DECIDED_ERRORS_H
#define TESTS_MODEL_DECIDED_ERRORS_H

#include "model/kafka_types.h"
#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const enum kafka_error all_errors[] = {
#define X(name, value) KAFKA_##name,
    KAFKA_ERRORS(X)
#undef X
};

static const enum kafka_error decided_errors[] = {
    KAFKA_UNKNOWN_SERVER_ERROR,
    KAFKA_NONE,
    KAFKA_OFFSET_OUT_OF_RANGE,
    KAFKA_CORRUPT_MESSAGE,
    KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
    KAFKA_INVALID_FETCH_SIZE,
    KAFKA_LEADER_NOT_AVAILABLE,
    KAFKA_NOT_LEADER_OR_FOLLOWER,
    KAFKA_REQUEST_TIMED_OUT,
    KAFKA_BROKER_NOT_AVAILABLE,
    KAFKA_REPLICA_NOT_AVAILABLE,
    KAFKA_MESSAGE_TOO_LARGE,
    KAFKA_OFFSET_METADATA_TOO_LARGE,
    KAFKA_NETWORK_EXCEPTION,
    KAFKA_COORDINATOR_LOAD_IN_PROGRESS,
    KAFKA_COORDINATOR_NOT_AVAILABLE,
    KAFKA_NOT_COORDINATOR,
    KAFKA_INVALID_TOPIC_EXCEPTION,
    KAFKA_RECORD_LIST_TOO_LARGE,
    KAFKA_NOT_ENOUGH_REPLICAS,
    KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KAFKA_INVALID_REQUIRED_ACKS,
    KAFKA_ILLEGAL_GENERATION,
    KAFKA_INCONSISTENT_GROUP_PROTOCOL,
    KAFKA_INVALID_GROUP_ID,
    KAFKA_UNKNOWN_MEMBER_ID,
    KAFKA_INVALID_SESSION_TIMEOUT,
    KAFKA_REBALANCE_IN_PROGRESS,
    KAFKA_INVALID_COMMIT_OFFSET_SIZE,
    KAFKA_TOPIC_AUTHORIZATION_FAILED,
    KAFKA_GROUP_AUTHORIZATION_FAILED,
    KAFKA_UNSUPPORTED_VERSION,
    KAFKA_INVALID_REQUEST,
    KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER,
    KAFKA_DUPLICATE_SEQUENCE_NUMBER,
    KAFKA_INVALID_PRODUCER_EPOCH,
    KAFKA_INVALID_TXN_STATE,
    KAFKA_INVALID_PRODUCER_ID_MAPPING,
    KAFKA_CONCURRENT_TRANSACTIONS,
    KAFKA_TRANSACTION_COORDINATOR_FENCED,
    KAFKA_KAFKA_STORAGE_ERROR,
    KAFKA_UNKNOWN_PRODUCER_ID,
    KAFKA_NON_EMPTY_GROUP,
    KAFKA_GROUP_ID_NOT_FOUND,
    KAFKA_FETCH_SESSION_ID_NOT_FOUND,
    KAFKA_INVALID_FETCH_SESSION_EPOCH,
    KAFKA_FENCED_LEADER_EPOCH,
    KAFKA_UNKNOWN_LEADER_EPOCH,
    KAFKA_OFFSET_NOT_AVAILABLE,
    KAFKA_MEMBER_ID_REQUIRED,
    KAFKA_GROUP_MAX_SIZE_REACHED,
    KAFKA_FENCED_INSTANCE_ID,
    KAFKA_GROUP_SUBSCRIBED_TO_TOPIC,
    KAFKA_UNSTABLE_OFFSET_COMMIT,
    KAFKA_PRODUCER_FENCED,
    KAFKA_UNKNOWN_TOPIC_ID,
    KAFKA_INCONSISTENT_TOPIC_ID,
    KAFKA_FENCED_MEMBER_EPOCH,
    KAFKA_UNRELEASED_INSTANCE_ID,
    KAFKA_UNSUPPORTED_ASSIGNOR,
    KAFKA_STALE_MEMBER_EPOCH,
    KAFKA_TRANSACTION_ABORTABLE,
};

/* Subclasses of RetriableException in Kafka's clients. */
static const enum kafka_error retriable_errors[] = {
    KAFKA_CORRUPT_MESSAGE,
    KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
    KAFKA_LEADER_NOT_AVAILABLE,
    KAFKA_NOT_LEADER_OR_FOLLOWER,
    KAFKA_REQUEST_TIMED_OUT,
    KAFKA_REPLICA_NOT_AVAILABLE,
    KAFKA_NETWORK_EXCEPTION,
    KAFKA_COORDINATOR_LOAD_IN_PROGRESS,
    KAFKA_COORDINATOR_NOT_AVAILABLE,
    KAFKA_NOT_COORDINATOR,
    KAFKA_NOT_ENOUGH_REPLICAS,
    KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KAFKA_CONCURRENT_TRANSACTIONS,
    KAFKA_KAFKA_STORAGE_ERROR,
    KAFKA_FETCH_SESSION_ID_NOT_FOUND,
    KAFKA_INVALID_FETCH_SESSION_EPOCH,
    KAFKA_FENCED_LEADER_EPOCH,
    KAFKA_UNKNOWN_LEADER_EPOCH,
    KAFKA_OFFSET_NOT_AVAILABLE,
    KAFKA_UNSTABLE_OFFSET_COMMIT,
    KAFKA_UNKNOWN_TOPIC_ID,
    KAFKA_INCONSISTENT_TOPIC_ID,
};

/* … and of these, subclasses of InvalidMetadataException. */
static const enum kafka_error metadata_errors[] = {
    KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_LEADER_NOT_AVAILABLE, KAFKA_NOT_LEADER_OR_FOLLOWER,
    KAFKA_REPLICA_NOT_AVAILABLE,      KAFKA_NETWORK_EXCEPTION,    KAFKA_KAFKA_STORAGE_ERROR,
    KAFKA_FENCED_LEADER_EPOCH,        KAFKA_UNKNOWN_TOPIC_ID,     KAFKA_INCONSISTENT_TOPIC_ID,
};

static inline bool is_one_of(enum kafka_error error, const enum kafka_error *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == error) return true;
    }
    return false;
}
#define IS_ONE_OF(error, list) is_one_of((error), (list), ARRAY_LEN(list))

static void every_error_is_decided(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum kafka_error error = all_errors[i];
        if (!IS_ONE_OF(error, decided_errors))
            fail_msg("%s is new: what does each client do about it, in each response? See "
                     "tests/model/decided_errors.h",
                     kafka_error_name(error));
        assert_int_equal(kafka_error_is_retriable(error), IS_ONE_OF(error, retriable_errors));
        assert_int_equal(kafka_error_class_of(error) == ERROR_INVALID_METADATA,
                         IS_ONE_OF(error, metadata_errors));
    }
}

#endif
