/* model/message.h: one request or response on its way.
 *
 * A message owns everything it points to: arrays inside it come from message_alloc and go back
 * with message_free. Whoever holds the pointer owns it; sending passes ownership on. Strings are
 * name_ids, which have no owner. */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include "sim/memory.h"

#include <stddef.h>
#include <stdint.h>

/* Kafka's api keys for those we speak. */
#define KAFKA_APIS(X)                                                                              \
    X(PRODUCE, 0, "Produce")                                                                       \
    X(FETCH, 1, "Fetch")                                                                           \
    X(LIST_OFFSETS, 2, "ListOffsets")                                                              \
    X(METADATA, 3, "Metadata")                                                                     \
    X(OFFSET_COMMIT, 8, "OffsetCommit")                                                            \
    X(OFFSET_FETCH, 9, "OffsetFetch")                                                              \
    X(FIND_COORDINATOR, 10, "FindCoordinator")                                                     \
    X(JOIN_GROUP, 11, "JoinGroup")                                                                 \
    X(HEARTBEAT, 12, "Heartbeat")                                                                  \
    X(LEAVE_GROUP, 13, "LeaveGroup")                                                               \
    X(SYNC_GROUP, 14, "SyncGroup")                                                                 \
    X(DESCRIBE_GROUPS, 15, "DescribeGroups")                                                       \
    X(LIST_GROUPS, 16, "ListGroups")                                                               \
    X(INIT_PRODUCER_ID, 22, "InitProducerId")                                                      \
    X(OFFSET_FOR_LEADER_EPOCH, 23, "OffsetForLeaderEpoch")                                         \
    X(ADD_PARTITIONS_TO_TXN, 24, "AddPartitionsToTxn")                                             \
    X(ADD_OFFSETS_TO_TXN, 25, "AddOffsetsToTxn")                                                   \
    X(END_TXN, 26, "EndTxn")                                                                       \
    X(WRITE_TXN_MARKERS, 27, "WriteTxnMarkers")                                                    \
    X(TXN_OFFSET_COMMIT, 28, "TxnOffsetCommit")                                                    \
    X(DELETE_GROUPS, 42, "DeleteGroups")                                                           \
    X(OFFSET_DELETE, 47, "OffsetDelete")                                                           \
    X(ALTER_PARTITION, 56, "AlterPartition")                                                       \
    X(BROKER_REGISTRATION, 62, "BrokerRegistration")                                               \
    X(BROKER_HEARTBEAT, 63, "BrokerHeartbeat")                                                     \
    X(CONSUMER_GROUP_HEARTBEAT, 68, "ConsumerGroupHeartbeat")                                      \
    X(CONSUMER_GROUP_DESCRIBE, 69, "ConsumerGroupDescribe")                                        \
    /* not Kafka's numbers: there a Fetch between brokers, and a Fetch of the metadata log */      \
    X(REPLICA_FETCH, 1001, "ReplicaFetch")                                                         \
    X(METADATA_UPDATE, 1002, "MetadataUpdate")

enum kafka_api {
#define X(name, key, text) API_##name = (key),
    KAFKA_APIS(X)
#undef X
};

/* "JoinGroup"; "Unknown" outside the list. */
const char *kafka_api_name(enum kafka_api api);

/* The head of every request and response struct (messages_*.h); the rest follows by `api`. */
struct message {
    enum kafka_api api;
    uint32_t correlation; /* chosen by the client per connection; a response repeats it */
    uint32_t size;        /* of the whole struct, for message_free */
    struct message_block *blocks;
};

/* A zeroed message of `size` bytes with its head filled; `size` is sizeof of the concrete struct.
 */
void *message_new(struct memory *memory, enum kafka_api api, size_t size);
#define MESSAGE_NEW(memory, api, type) ((type *)message_new((memory), (api), sizeof(type)))

/* Zeroed memory that lives as long as the message. */
void *message_alloc(struct memory *memory, struct message *message, size_t size);
#define MESSAGE_ARRAY(memory, message, type, count)                                                \
    ((type *)message_alloc((memory), (message), sizeof(type) * (size_t)(count)))

/* Not zeroed: every element that counts is written as a whole. */
void *message_alloc_unset(struct memory *memory, struct message *message, size_t size);
#define MESSAGE_ARRAY_UNSET(memory, message, type, count)                                          \
    ((type *)message_alloc_unset((memory), (message), sizeof(type) * (size_t)(count)))

/* What `from` points to belongs to `to` from now on. */
void message_take_over(struct message *to, struct message *from);

void message_free(struct memory *memory, struct message *message);

#endif
