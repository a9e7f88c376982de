#include "tests/conformance/coordinator_request.h"

#include "model/messages_group.h"
#include "tests/conformance/values.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

struct source {
    struct memory *memory;
    struct names *names;
    const json_t *json;
};

name_id json_name(struct names *names, const json_t *text)
{
    return json_is_string(text) ? names_intern(names, json_string_value(text)) : NAME_NONE;
}

static name_id name_of(const struct source *source, const char *key)
{
    return json_name(source->names, json_object_get(source->json, key));
}

static int32_t integer_of(const struct source *source, const char *key)
{
    return (int32_t)json_integer_value(json_object_get(source->json, key));
}

static struct bytes copy_bytes(const struct source *source, struct message *message,
                               const void *data, size_t length)
{
    uint8_t *copy = message_alloc(source->memory, message, length);
    if (length > 0) memcpy(copy, data, length);
    return (struct bytes){.data = copy, .length = (uint32_t)length};
}

static struct message *read_join(const struct source *source)
{
    struct join_group_request *request =
        MESSAGE_NEW(source->memory, API_JOIN_GROUP, struct join_group_request);
    request->version = (int16_t)integer_of(source, "version");
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->instance = name_of(source, "instance");
    request->client_id = name_of(source, "client_id");
    request->session_timeout_ms = integer_of(source, "session_timeout_ms");
    request->rebalance_timeout_ms = integer_of(source, "rebalance_timeout_ms");
    request->protocol_type = name_of(source, "protocol_type");
    const json_t *protocols = json_object_get(source->json, "protocols");
    request->protocol_count = (int32_t)json_array_size(protocols);
    request->protocols = MESSAGE_ARRAY(source->memory, &request->head, struct group_protocol,
                                       request->protocol_count);
    for (int32_t i = 0; i < request->protocol_count; i++) {
        const json_t *protocol = json_array_get(protocols, (size_t)i);
        size_t length = 0;
        uint8_t *metadata =
            hex_decode(json_string_value(json_object_get(protocol, "metadata_hex")), &length);
        CHECK(metadata != NULL);
        request->protocols[i].name = json_name(source->names, json_object_get(protocol, "name"));
        request->protocols[i].metadata = copy_bytes(source, &request->head, metadata, length);
        free(metadata);
    }
    return &request->head;
}

static struct message *read_sync(const struct source *source)
{
    struct sync_group_request *request =
        MESSAGE_NEW(source->memory, API_SYNC_GROUP, struct sync_group_request);
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->instance = name_of(source, "instance");
    request->generation = integer_of(source, "generation");
    request->protocol_type = name_of(source, "protocol_type");
    request->protocol_name = name_of(source, "protocol_name");
    const json_t *assignments = json_object_get(source->json, "assignments");
    request->assignment_count = (int32_t)json_array_size(assignments);
    request->assignments = MESSAGE_ARRAY(source->memory, &request->head,
                                         struct sync_group_assignment, request->assignment_count);
    for (int32_t i = 0; i < request->assignment_count; i++) {
        const json_t *assignment = json_array_get(assignments, (size_t)i);
        const char *text = json_string_value(json_object_get(assignment, "assignment"));
        CHECK(strncmp(text, "hex:", 4) != 0); /* simulated leaders use plain ASCII */
        request->assignments[i].member =
            json_name(source->names, json_object_get(assignment, "member"));
        request->assignments[i].assignment = copy_bytes(source, &request->head, text, strlen(text));
    }
    return &request->head;
}

static struct message *read_heartbeat(const struct source *source)
{
    struct heartbeat_request *request =
        MESSAGE_NEW(source->memory, API_HEARTBEAT, struct heartbeat_request);
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->instance = name_of(source, "instance");
    request->generation = integer_of(source, "generation");
    return &request->head;
}

static struct message *read_leave(const struct source *source)
{
    struct leave_group_request *request =
        MESSAGE_NEW(source->memory, API_LEAVE_GROUP, struct leave_group_request);
    request->group = name_of(source, "group");
    const json_t *members = json_object_get(source->json, "members");
    request->member_count = (int32_t)json_array_size(members);
    request->members = MESSAGE_ARRAY(source->memory, &request->head, struct leave_group_member,
                                     request->member_count);
    for (int32_t i = 0; i < request->member_count; i++) {
        const json_t *member = json_array_get(members, (size_t)i);
        request->members[i].member = json_name(source->names, json_object_get(member, "member"));
        request->members[i].instance =
            json_name(source->names, json_object_get(member, "instance"));
    }
    return &request->head;
}

static int32_t count_partitions(const json_t *topics)
{
    size_t count = 0, index;
    const json_t *topic;
    json_array_foreach(topics, index, topic)
    {
        count += json_array_size(json_object_get(topic, "partitions"));
    }
    return (int32_t)count;
}

static struct offset_entry *read_offsets(const struct source *source, struct message *message,
                                         int32_t *count)
{
    const json_t *topics = json_object_get(source->json, "topics");
    *count = count_partitions(topics);
    struct offset_entry *entries =
        MESSAGE_ARRAY(source->memory, message, struct offset_entry, *count);
    int32_t next = 0;
    size_t t, p;
    const json_t *topic, *partition;
    json_array_foreach(topics, t, topic)
    {
        json_array_foreach(json_object_get(topic, "partitions"), p, partition)
        {
            struct offset_entry *entry = &entries[next++];
            entry->partition.topic = json_name(source->names, json_object_get(topic, "topic"));
            entry->partition.partition =
                (int32_t)json_integer_value(json_object_get(partition, "partition"));
            entry->offset = json_integer_value(json_object_get(partition, "offset"));
            entry->leader_epoch =
                (int32_t)json_integer_value(json_object_get(partition, "leader_epoch"));
            entry->metadata = json_name(source->names, json_object_get(partition, "metadata"));
        }
    }
    return entries;
}

/* -1 and NULL when the list is null. */
static struct topic_partition *read_partitions(const struct source *source, struct message *message,
                                               int32_t *count)
{
    const json_t *topics = json_object_get(source->json, "topics");
    *count = -1;
    if (!json_is_array(topics)) return NULL;
    *count = count_partitions(topics);
    struct topic_partition *partitions =
        MESSAGE_ARRAY(source->memory, message, struct topic_partition, *count);
    int32_t next = 0;
    size_t t, p;
    const json_t *topic, *partition;
    json_array_foreach(topics, t, topic)
    {
        json_array_foreach(json_object_get(topic, "partitions"), p, partition)
        {
            partitions[next++] =
                (struct topic_partition){.topic = json_name(source->names,
                                                            json_object_get(topic, "topic")),
                                         .partition = (int32_t)json_integer_value(partition)};
        }
    }
    return partitions;
}

static struct message *read_commit(const struct source *source)
{
    struct offset_commit_request *request =
        MESSAGE_NEW(source->memory, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = (int16_t)integer_of(source, "version");
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->instance = name_of(source, "instance");
    request->generation = integer_of(source, "generation");
    request->retention_time_ms =
        json_integer_value(json_object_get(source->json, "retention_time_ms"));
    request->offsets = read_offsets(source, &request->head, &request->offset_count);
    return &request->head;
}

static struct message *read_txn_commit(const struct source *source)
{
    struct txn_offset_commit_request *request =
        MESSAGE_NEW(source->memory, API_TXN_OFFSET_COMMIT, struct txn_offset_commit_request);
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->instance = name_of(source, "instance");
    request->generation = integer_of(source, "generation");
    request->producer_id = integer_of(source, "producer_id");
    request->producer_epoch = (int16_t)integer_of(source, "producer_epoch");
    request->offsets = read_offsets(source, &request->head, &request->offset_count);
    return &request->head;
}

static struct message *read_fetch(const struct source *source)
{
    struct offset_fetch_request *request =
        MESSAGE_NEW(source->memory, API_OFFSET_FETCH, struct offset_fetch_request);
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->member_epoch = integer_of(source, "member_epoch");
    request->require_stable = json_is_true(json_object_get(source->json, "require_stable"));
    request->partitions = read_partitions(source, &request->head, &request->partition_count);
    return &request->head;
}

static struct message *read_offset_delete(const struct source *source)
{
    struct offset_delete_request *request =
        MESSAGE_NEW(source->memory, API_OFFSET_DELETE, struct offset_delete_request);
    request->group = name_of(source, "group");
    request->partitions = read_partitions(source, &request->head, &request->partition_count);
    return &request->head;
}

static name_id *read_names(const struct source *source, struct message *message, const char *key,
                           int32_t *count)
{
    const json_t *list = json_object_get(source->json, key);
    *count = -1;
    if (!json_is_array(list)) return NULL;
    *count = (int32_t)json_array_size(list);
    name_id *names = MESSAGE_ARRAY(source->memory, message, name_id, *count);
    for (int32_t i = 0; i < *count; i++) {
        names[i] = json_name(source->names, json_array_get(list, (size_t)i));
    }
    return names;
}

static struct message *read_delete_groups(const struct source *source)
{
    struct delete_groups_request *request =
        MESSAGE_NEW(source->memory, API_DELETE_GROUPS, struct delete_groups_request);
    request->groups = read_names(source, &request->head, "groups", &request->group_count);
    return &request->head;
}

static struct message *read_marker(const struct source *source)
{
    struct txn_marker_request *request =
        MESSAGE_NEW(source->memory, API_WRITE_TXN_MARKERS, struct txn_marker_request);
    request->producer_id = integer_of(source, "producer_id");
    request->producer_epoch = (int16_t)integer_of(source, "producer_epoch");
    request->commit = json_is_true(json_object_get(source->json, "commit"));
    return &request->head;
}

static struct message *read_describe(const struct source *source)
{
    bool consumer = strcmp(json_string_value(json_object_get(source->json, "api")),
                           "ConsumerGroupDescribe") == 0;
    struct describe_groups_request *request =
        MESSAGE_NEW(source->memory, consumer ? API_CONSUMER_GROUP_DESCRIBE : API_DESCRIBE_GROUPS,
                    struct describe_groups_request);
    request->group = name_of(source, "group");
    return &request->head;
}

static struct message *read_list(const struct source *source)
{
    struct list_groups_request *request =
        MESSAGE_NEW(source->memory, API_LIST_GROUPS, struct list_groups_request);
    request->states = read_names(source, &request->head, "states", &request->state_count);
    request->types = read_names(source, &request->head, "types", &request->type_count);
    return &request->head;
}

/* {"t01": [0, 2]}; -1 and NULL when it is null. */
static struct topic_partition *read_owned(const struct source *source, struct message *message,
                                          int32_t *count)
{
    json_t *owned = json_object_get(source->json, "owned");
    *count = -1;
    if (!json_is_object(owned)) return NULL;
    const char *topic;
    json_t *partitions;
    const json_t *partition;
    size_t index;
    *count = 0;
    json_object_foreach(owned, topic, partitions) *count += (int32_t)json_array_size(partitions);
    struct topic_partition *list =
        MESSAGE_ARRAY(source->memory, message, struct topic_partition, *count);
    int32_t next = 0;
    json_object_foreach(owned, topic, partitions)
    {
        json_array_foreach(partitions, index, partition)
        {
            list[next++] =
                (struct topic_partition){.topic = names_intern(source->names, topic),
                                         .partition = (int32_t)json_integer_value(partition)};
        }
    }
    return list;
}

static struct message *read_consumer_heartbeat(const struct source *source)
{
    struct consumer_group_heartbeat_request *request =
        MESSAGE_NEW(source->memory, API_CONSUMER_GROUP_HEARTBEAT,
                    struct consumer_group_heartbeat_request);
    request->group = name_of(source, "group");
    request->member = name_of(source, "member");
    request->member_epoch = integer_of(source, "member_epoch");
    request->instance = name_of(source, "instance");
    request->client_id = name_of(source, "client_id");
    request->rebalance_timeout_ms = integer_of(source, "rebalance_timeout_ms");
    request->assignor = name_of(source, "assignor");
    request->topics = read_names(source, &request->head, "topics", &request->topic_count);
    request->owned = read_owned(source, &request->head, &request->owned_count);
    return &request->head;
}

struct message *coordinator_request_read(struct memory *memory, struct names *names,
                                         const json_t *json)
{
    static const struct {
        const char *api;
        struct message *(*read)(const struct source *source);
    } readers[] = {
        {"JoinGroup", read_join},
        {"SyncGroup", read_sync},
        {"Heartbeat", read_heartbeat},
        {"LeaveGroup", read_leave},
        {"OffsetCommit", read_commit},
        {"OffsetFetch", read_fetch},
        {"OffsetDelete", read_offset_delete},
        {"DeleteGroups", read_delete_groups},
        {"TxnOffsetCommit", read_txn_commit},
        {"WriteTxnMarker", read_marker},
        {"ConsumerGroupHeartbeat", read_consumer_heartbeat},
        {"DescribeGroups", read_describe},
        {"ConsumerGroupDescribe", read_describe},
        {"ListGroups", read_list},
    };
    const char *api = json_string_value(json_object_get(json, "api"));
    const struct source source = {.memory = memory, .names = names, .json = json};
    for (size_t i = 0; api != NULL && i < ARRAY_LEN(readers); i++) {
        if (strcmp(api, readers[i].api) == 0) return readers[i].read(&source);
    }
    return NULL;
}
