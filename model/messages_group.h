/* model/messages_group.h: the requests and responses of group membership and offsets.
 *
 * Fields are Kafka's (clients/src/main/resources/common/message), in Kafka's units. Null strings
 * are NAME_NONE, "" is NAME_EMPTY; a null list has `count` -1 where the comment says so. Arrays
 * belong to the message. */
#ifndef MODEL_MESSAGES_GROUP_H
#define MODEL_MESSAGES_GROUP_H

#include "model/kafka_types.h"
#include "model/message.h"

struct find_coordinator_request {
    struct message head;
    name_id key;        /* group id, or transactional id */
    bool transactional; /* key_type 1 */
};
struct find_coordinator_response {
    struct message head;
    enum kafka_error error;
    int32_t node; /* broker id, -1 with an error */
};

struct group_protocol {
    name_id name;
    struct bytes metadata;
};
struct join_group_request {
    struct message head;
    int16_t version; /* 3, 4, 5 and 9 differ (classic-coordinator.md section 6) */
    name_id group;
    name_id member; /* NAME_EMPTY = unknown */
    name_id instance;
    name_id client_id;
    name_id client_host;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    name_id protocol_type;
    struct group_protocol *protocols; /* in order of preference */
    int32_t protocol_count;
    name_id reason; /* KIP-800; NAME_NONE = not provided */
};
struct join_group_member {
    name_id member;
    name_id instance;
    struct bytes metadata; /* of the chosen protocol */
};
struct join_group_response {
    struct message head;
    enum kafka_error error;
    int32_t generation;
    name_id protocol_type;
    name_id protocol_name;
    name_id leader;
    name_id member;
    bool skip_assignment;
    struct join_group_member *members; /* only filled for the leader */
    int32_t member_count;
};

struct sync_group_assignment {
    name_id member;
    struct bytes assignment;
};
struct sync_group_request {
    struct message head;
    name_id group;
    name_id member;
    name_id instance;
    int32_t generation;
    name_id protocol_type; /* NAME_NONE = not given (before version 5) */
    name_id protocol_name;
    struct sync_group_assignment *assignments; /* from the leader */
    int32_t assignment_count;
};
struct sync_group_response {
    struct message head;
    enum kafka_error error;
    name_id protocol_type;
    name_id protocol_name;
    struct bytes assignment;
};

struct heartbeat_request {
    struct message head;
    name_id group;
    name_id member;
    name_id instance;
    int32_t generation;
};
struct heartbeat_response {
    struct message head;
    enum kafka_error error;
};

struct leave_group_member {
    name_id member;
    name_id instance;
    name_id reason;         /* KIP-800 */
    enum kafka_error error; /* in the response */
};
struct leave_group_request {
    struct message head;
    name_id group;
    struct leave_group_member *members;
    int32_t member_count;
};
struct leave_group_response {
    struct message head;
    enum kafka_error error;
    struct leave_group_member *members; /* request order */
    int32_t member_count;
};

/* One partition's offset in a commit (request) or a fetch (response). */
struct offset_entry {
    struct topic_partition partition;
    int64_t offset;         /* -1 = none stored */
    int32_t leader_epoch;   /* -1 = unknown */
    name_id metadata;       /* NAME_NONE = null */
    enum kafka_error error; /* in responses */
};
struct offset_commit_request {
    struct message head;
    int16_t version;
    name_id group;
    name_id member;
    name_id instance;
    int32_t generation;        /* or member epoch; -1 = none */
    int64_t retention_time_ms; /* -1 = the broker's */
    struct offset_entry *offsets;
    int32_t offset_count;
};
struct offset_commit_response {
    struct message head;
    struct offset_entry *offsets; /* request order; only partition and error count */
    int32_t offset_count;
};
struct txn_offset_commit_request {
    struct message head;
    name_id group;
    name_id member;
    name_id instance;
    int32_t generation;
    name_id transactional_id;
    int64_t producer_id;
    int16_t producer_epoch;
    struct offset_entry *offsets;
    int32_t offset_count;
};
/* TxnOffsetCommit is answered by struct offset_commit_response with its own api. */

struct offset_fetch_request {
    struct message head;
    name_id group;
    name_id member;       /* NAME_NONE = null */
    int32_t member_epoch; /* -1 = not a member of a consumer group */
    bool require_stable;
    struct topic_partition *partitions;
    int32_t partition_count; /* -1 = all the group has */
};
struct offset_fetch_response {
    struct message head;
    enum kafka_error error; /* of the group */
    struct offset_entry *offsets;
    int32_t offset_count;
};

struct offset_delete_request {
    struct message head;
    name_id group;
    struct topic_partition *partitions;
    int32_t partition_count;
};
struct offset_delete_response {
    struct message head;
    enum kafka_error error;
    struct offset_entry *offsets;
    int32_t offset_count;
};

struct delete_groups_request {
    struct message head;
    name_id *groups;
    int32_t group_count;
};
struct deleted_group {
    name_id group;
    enum kafka_error error;
};
struct delete_groups_response {
    struct message head;
    struct deleted_group *groups;
    int32_t group_count;
};

/* The end of one transaction on one partition of __consumer_offsets: what a WriteTxnMarkers request
 * says about that partition. API_WRITE_TXN_MARKERS in the head; brokers split the real request. */
struct txn_marker_request {
    struct message head;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch; /* of the transaction coordinator */
    bool commit;
};
struct txn_marker_response {
    struct message head;
    enum kafka_error error;
};

/* KIP-848. */
struct consumer_group_heartbeat_request {
    struct message head;
    name_id group;
    name_id member;
    int32_t member_epoch; /* 0 join, -1 leave, -2 static member leaves for a while */
    name_id instance;
    name_id client_id;
    name_id client_host;
    name_id rack;
    int32_t rebalance_timeout_ms; /* -1 = not given */
    name_id *topics;              /* subscribed names */
    int32_t topic_count;          /* -1 = not given */
    name_id assignor;             /* NAME_NONE = not given */
    struct topic_partition *owned;
    int32_t owned_count; /* -1 = not given */
};
struct consumer_group_heartbeat_response {
    struct message head;
    enum kafka_error error;
    name_id member;
    int32_t member_epoch;
    int32_t heartbeat_interval_ms;
    struct topic_partition *assignment; /* topics by name, partitions ascending */
    int32_t assignment_count;           /* -1 = unchanged, not part of the answer */
};

/* What kafka-consumer-groups.sh asks for. */
struct describe_groups_request {
    struct message head;
    name_id group;
};
struct described_member {
    name_id member;
    name_id instance;
    name_id client_id;
    name_id client_host;
    struct bytes metadata;   /* classic, only while Stable */
    struct bytes assignment; /* classic */
    /* consumer groups: */
    int32_t member_epoch;
    name_id rack;
    name_id assignor;
    name_id *topics;
    int32_t topic_count;
    struct topic_partition *assigned;
    int32_t assigned_count;
    struct topic_partition *target;
    int32_t target_count;
};
struct describe_groups_response { /* answers DescribeGroups and ConsumerGroupDescribe */
    struct message head;
    enum kafka_error error;
    name_id group;
    name_id state; /* "Stable", "Dead", … as Kafka prints it */
    name_id protocol_type;
    name_id protocol_name; /* classic: the protocol; consumer: the assignor */
    int32_t group_epoch;
    int32_t assignment_epoch;
    struct described_member *members;
    int32_t member_count;
};

struct list_groups_request {
    struct message head;
    name_id *states;
    int32_t state_count;
    name_id *types;
    int32_t type_count;
};
struct listed_group {
    name_id group;
    name_id protocol_type;
    name_id state;
    name_id type; /* "classic" or "consumer" */
};
struct list_groups_response {
    struct message head;
    enum kafka_error error;
    struct listed_group *groups; /* sorted */
    int32_t group_count;
};

#endif
