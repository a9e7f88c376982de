/* model/kafka_types.h: the few types every part of Kafka shares.
 *
 * Errors carry Kafka's wire values and names (org.apache.kafka.common.protocol.Errors). */
#ifndef MODEL_KAFKA_TYPES_H
#define MODEL_KAFKA_TYPES_H

#include "sim/names.h"

#include <stdbool.h>
#include <stdint.h>

#define KAFKA_ERRORS(X)                                                                            \
    X(UNKNOWN_SERVER_ERROR, -1)                                                                    \
    X(NONE, 0)                                                                                     \
    X(OFFSET_OUT_OF_RANGE, 1)                                                                      \
    X(CORRUPT_MESSAGE, 2)                                                                          \
    X(UNKNOWN_TOPIC_OR_PARTITION, 3)                                                               \
    X(INVALID_FETCH_SIZE, 4)                                                                       \
    X(LEADER_NOT_AVAILABLE, 5)                                                                     \
    X(NOT_LEADER_OR_FOLLOWER, 6)                                                                   \
    X(REQUEST_TIMED_OUT, 7)                                                                        \
    X(BROKER_NOT_AVAILABLE, 8)                                                                     \
    X(REPLICA_NOT_AVAILABLE, 9)                                                                    \
    X(MESSAGE_TOO_LARGE, 10)                                                                       \
    X(OFFSET_METADATA_TOO_LARGE, 12)                                                               \
    X(NETWORK_EXCEPTION, 13)                                                                       \
    X(COORDINATOR_LOAD_IN_PROGRESS, 14)                                                            \
    X(COORDINATOR_NOT_AVAILABLE, 15)                                                               \
    X(NOT_COORDINATOR, 16)                                                                         \
    X(INVALID_TOPIC_EXCEPTION, 17)                                                                 \
    X(RECORD_LIST_TOO_LARGE, 18)                                                                   \
    X(NOT_ENOUGH_REPLICAS, 19)                                                                     \
    X(NOT_ENOUGH_REPLICAS_AFTER_APPEND, 20)                                                        \
    X(INVALID_REQUIRED_ACKS, 21)                                                                   \
    X(ILLEGAL_GENERATION, 22)                                                                      \
    X(INCONSISTENT_GROUP_PROTOCOL, 23)                                                             \
    X(INVALID_GROUP_ID, 24)                                                                        \
    X(UNKNOWN_MEMBER_ID, 25)                                                                       \
    X(INVALID_SESSION_TIMEOUT, 26)                                                                 \
    X(REBALANCE_IN_PROGRESS, 27)                                                                   \
    X(INVALID_COMMIT_OFFSET_SIZE, 28)                                                              \
    X(TOPIC_AUTHORIZATION_FAILED, 29)                                                              \
    X(GROUP_AUTHORIZATION_FAILED, 30)                                                              \
    X(UNSUPPORTED_VERSION, 35)                                                                     \
    X(INVALID_REQUEST, 42)                                                                         \
    X(OUT_OF_ORDER_SEQUENCE_NUMBER, 45)                                                            \
    X(DUPLICATE_SEQUENCE_NUMBER, 46)                                                               \
    X(INVALID_PRODUCER_EPOCH, 47)                                                                  \
    X(INVALID_TXN_STATE, 48)                                                                       \
    X(INVALID_PRODUCER_ID_MAPPING, 49)                                                             \
    X(CONCURRENT_TRANSACTIONS, 51)                                                                 \
    X(TRANSACTION_COORDINATOR_FENCED, 52)                                                          \
    X(KAFKA_STORAGE_ERROR, 56)                                                                     \
    X(UNKNOWN_PRODUCER_ID, 59)                                                                     \
    X(NON_EMPTY_GROUP, 68)                                                                         \
    X(GROUP_ID_NOT_FOUND, 69)                                                                      \
    X(FETCH_SESSION_ID_NOT_FOUND, 70)                                                              \
    X(INVALID_FETCH_SESSION_EPOCH, 71)                                                             \
    X(FENCED_LEADER_EPOCH, 74)                                                                     \
    X(UNKNOWN_LEADER_EPOCH, 75)                                                                    \
    X(OFFSET_NOT_AVAILABLE, 78)                                                                    \
    X(MEMBER_ID_REQUIRED, 79)                                                                      \
    X(GROUP_MAX_SIZE_REACHED, 81)                                                                  \
    X(FENCED_INSTANCE_ID, 82)                                                                      \
    X(GROUP_SUBSCRIBED_TO_TOPIC, 86)                                                               \
    X(UNSTABLE_OFFSET_COMMIT, 88)                                                                  \
    X(PRODUCER_FENCED, 90)                                                                         \
    X(UNKNOWN_TOPIC_ID, 100)                                                                       \
    X(INCONSISTENT_TOPIC_ID, 103)                                                                  \
    X(FENCED_MEMBER_EPOCH, 110)                                                                    \
    X(UNRELEASED_INSTANCE_ID, 111)                                                                 \
    X(UNSUPPORTED_ASSIGNOR, 112)                                                                   \
    X(STALE_MEMBER_EPOCH, 113)                                                                     \
    X(TRANSACTION_ABORTABLE, 120)

enum kafka_error {
#define X(name, value) KAFKA_##name = (value),
    KAFKA_ERRORS(X)
#undef X
};

/* "REBALANCE_IN_PROGRESS"; "UNKNOWN" for a value outside the list. */
const char *kafka_error_name(int32_t error);
/* False when no error has this name. */
bool kafka_error_find(const char *name, enum kafka_error *error);

/* As the client's exceptions are derived: what passes, and what passes once the client knows anew
 * who leads what. Each handler names exceptions to this. */
enum kafka_error_class {
    ERROR_FINAL,
    ERROR_RETRIABLE,        /* RetriableException */
    ERROR_INVALID_METADATA, /* InvalidMetadataException, one of these */
};
enum kafka_error_class kafka_error_class_of(enum kafka_error error);
bool kafka_error_is_retriable(enum kafka_error error);

/* Partition `partition` of a topic known by name. */
struct topic_partition {
    name_id topic;
    int32_t partition;
};

/* Bytes owned by somebody else; `data` may be NULL when `length` is 0. */
struct bytes {
    const uint8_t *data;
    uint32_t length;
};

#endif
