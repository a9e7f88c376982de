#include "tests/harness/classic_requests.h"

#include "model/consumer_protocol.h"
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 64

static uint64_t last_token;

static uint64_t post(struct coordinator_host *host, struct message *request)
{
    uint64_t token = ++last_token;
    host_request(host, host->now, token, request);
    return token;
}

static name_id group_of(struct coordinator_host *host)
{
    return host_name(host, "g");
}

/* Calls back for each piece of `text` between separators. */
static int split(struct coordinator_host *host, const char *text, char separator, name_id *names)
{
    int count = 0;
    while (text != NULL && *text != '\0') {
        const char *end = strchr(text, separator);
        size_t length = end == NULL ? strlen(text) : (size_t)(end - text);
        CHECK(count < LIST_MAX);
        names[count++] = names_intern_bytes(host->names, text, length);
        text = end == NULL ? NULL : end + 1;
    }
    return count;
}

static struct bytes owned_by(struct coordinator_host *host, struct message *message,
                             struct bytes bytes)
{
    uint8_t *copy = message_alloc(host->memory, message, bytes.length);
    memcpy(copy, bytes.data, bytes.length);
    struct bytes owned = {.data = copy, .length = bytes.length};
    consumer_protocol_give(host->memory, bytes);
    return owned;
}

uint64_t ask_join(struct coordinator_host *host, struct join_args args)
{
    struct join_group_request *request =
        HOST_REQUEST(host, API_JOIN_GROUP, struct join_group_request);
    request->version = (int16_t)(args.version == 0 ? 3 : args.version);
    request->group = group_of(host);
    request->member = host_name(host, args.member == NULL ? "" : args.member);
    request->instance = host_name(host, args.instance);
    request->client_id = host_name(host, args.client == NULL ? "client" : args.client);
    request->client_host = request->client_id;
    request->session_timeout_ms = args.session_timeout_ms == 0 ? 10000 : args.session_timeout_ms;
    request->rebalance_timeout_ms =
        args.rebalance_timeout_ms == 0 ? 20000 : args.rebalance_timeout_ms;
    request->protocol_type = host_name(host, "consumer");
    name_id protocols[LIST_MAX], topics[LIST_MAX];
    struct subscription subscription = {.topics = topics, .generation = -1};
    subscription.topic_count = split(host, args.topics == NULL ? "t" : args.topics, ',', topics);
    request->protocol_count =
        split(host, args.protocols == NULL ? "range" : args.protocols, ',', protocols);
    request->protocols =
        MESSAGE_ARRAY(host->memory, &request->head, struct group_protocol, request->protocol_count);
    for (int32_t i = 0; i < request->protocol_count; i++) {
        request->protocols[i].name = protocols[i];
        request->protocols[i].metadata =
            owned_by(host, &request->head,
                     subscription_encode(host->memory, host->names, &subscription, 0));
    }
    return post(host, &request->head);
}

/* "m001=t:0,1" */
static void read_assignment(struct coordinator_host *host, struct message *message,
                            struct sync_group_assignment *out, const char *text)
{
    struct topic_partition partitions[LIST_MAX];
    struct assignment assignment = {.partitions = partitions};
    const char *equals = strchr(text, '='), *colon = strchr(text, ':');
    out->member = names_intern_bytes(host->names, text, (size_t)(equals - text));
    if (colon != NULL) {
        name_id topic = names_intern_bytes(host->names, equals + 1, (size_t)(colon - equals - 1));
        name_id numbers[LIST_MAX];
        assignment.partition_count = split(host, colon + 1, ',', numbers);
        for (int32_t i = 0; i < assignment.partition_count; i++) {
            partitions[i] =
                (struct topic_partition){.topic = topic,
                                         .partition = atoi(names_text(host->names, numbers[i]))};
        }
    }
    out->assignment =
        owned_by(host, message, assignment_encode(host->memory, host->names, &assignment, 0));
}

uint64_t ask_sync(struct coordinator_host *host, const char *member, int generation,
                  const char *assignments)
{
    struct sync_group_request *request =
        HOST_REQUEST(host, API_SYNC_GROUP, struct sync_group_request);
    request->group = group_of(host);
    request->member = host_name(host, member);
    request->generation = generation;
    name_id parts[LIST_MAX];
    request->assignment_count = split(host, assignments, ';', parts);
    request->assignments = MESSAGE_ARRAY(host->memory, &request->head, struct sync_group_assignment,
                                         request->assignment_count);
    for (int32_t i = 0; i < request->assignment_count; i++) {
        read_assignment(host, &request->head, &request->assignments[i],
                        names_text(host->names, parts[i]));
    }
    return post(host, &request->head);
}

uint64_t ask_heartbeat(struct coordinator_host *host, const char *member, int generation)
{
    struct heartbeat_request *request = HOST_REQUEST(host, API_HEARTBEAT, struct heartbeat_request);
    request->group = group_of(host);
    request->member = host_name(host, member);
    request->generation = generation;
    return post(host, &request->head);
}

uint64_t ask_leave(struct coordinator_host *host, const char *member, const char *instance)
{
    struct leave_group_request *request =
        HOST_REQUEST(host, API_LEAVE_GROUP, struct leave_group_request);
    request->group = group_of(host);
    request->member_count = 1;
    request->members = MESSAGE_ARRAY(host->memory, &request->head, struct leave_group_member, 1);
    request->members[0].member = host_name(host, member);
    request->members[0].instance = host_name(host, instance);
    return post(host, &request->head);
}

static struct offset_entry *one_offset(struct coordinator_host *host, struct message *message,
                                       int partition, int64_t offset)
{
    struct offset_entry *entry = MESSAGE_ARRAY(host->memory, message, struct offset_entry, 1);
    entry->partition =
        (struct topic_partition){.topic = host_name(host, "t"), .partition = partition};
    entry->offset = offset;
    entry->leader_epoch = -1;
    return entry;
}

uint64_t ask_commit(struct coordinator_host *host, const char *member, int generation,
                    int partition, int64_t offset)
{
    struct offset_commit_request *request =
        HOST_REQUEST(host, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = 9;
    request->group = group_of(host);
    request->member = host_name(host, member == NULL ? "" : member);
    request->generation = generation;
    request->retention_time_ms = -1;
    request->offsets = one_offset(host, &request->head, partition, offset);
    request->offset_count = 1;
    return post(host, &request->head);
}

uint64_t ask_txn_commit(struct coordinator_host *host, int64_t producer_id, int partition,
                        int64_t offset)
{
    struct txn_offset_commit_request *request =
        HOST_REQUEST(host, API_TXN_OFFSET_COMMIT, struct txn_offset_commit_request);
    request->group = group_of(host);
    request->member = NAME_EMPTY;
    request->generation = -1;
    request->producer_id = producer_id;
    request->offsets = one_offset(host, &request->head, partition, offset);
    request->offset_count = 1;
    return post(host, &request->head);
}

uint64_t ask_marker(struct coordinator_host *host, int64_t producer_id, bool commit)
{
    struct txn_marker_request *request =
        HOST_REQUEST(host, API_WRITE_TXN_MARKERS, struct txn_marker_request);
    request->producer_id = producer_id;
    request->commit = commit;
    return post(host, &request->head);
}

uint64_t ask_fetch(struct coordinator_host *host, int partition, bool require_stable)
{
    struct offset_fetch_request *request =
        HOST_REQUEST(host, API_OFFSET_FETCH, struct offset_fetch_request);
    request->group = group_of(host);
    request->member_epoch = -1;
    request->require_stable = require_stable;
    request->partition_count = 1;
    request->partitions = MESSAGE_ARRAY(host->memory, &request->head, struct topic_partition, 1);
    request->partitions[0] =
        (struct topic_partition){.topic = host_name(host, "t"), .partition = partition};
    return post(host, &request->head);
}

uint64_t ask_delete_group(struct coordinator_host *host)
{
    struct delete_groups_request *request =
        HOST_REQUEST(host, API_DELETE_GROUPS, struct delete_groups_request);
    request->group_count = 1;
    request->groups = MESSAGE_ARRAY(host->memory, &request->head, name_id, 1);
    request->groups[0] = group_of(host);
    return post(host, &request->head);
}

uint64_t ask_describe(struct coordinator_host *host)
{
    struct describe_groups_request *request =
        HOST_REQUEST(host, API_DESCRIBE_GROUPS, struct describe_groups_request);
    request->group = group_of(host);
    return post(host, &request->head);
}

uint64_t ask_list(struct coordinator_host *host)
{
    return post(host, &HOST_REQUEST(host, API_LIST_GROUPS, struct list_groups_request)->head);
}

static enum kafka_error error_of(const struct message *message)
{
    const void *answer = message;
    switch ((int)message->api) {
    case API_JOIN_GROUP: return ((const struct join_group_response *)answer)->error;
    case API_SYNC_GROUP: return ((const struct sync_group_response *)answer)->error;
    case API_HEARTBEAT: return ((const struct heartbeat_response *)answer)->error;
    case API_LEAVE_GROUP: {
        const struct leave_group_response *leave = answer;
        if (leave->error != KAFKA_NONE) return leave->error;
        return leave->members[0].error;
    }
    case API_OFFSET_COMMIT:
    case API_TXN_OFFSET_COMMIT:
        return ((const struct offset_commit_response *)answer)->offsets[0].error;
    case API_OFFSET_FETCH: {
        const struct offset_fetch_response *fetch = answer;
        return fetch->error != KAFKA_NONE ? fetch->error : fetch->offsets[0].error;
    }
    case API_WRITE_TXN_MARKERS: return ((const struct txn_marker_response *)answer)->error;
    case API_DELETE_GROUPS: return ((const struct delete_groups_response *)answer)->groups[0].error;
    case API_DESCRIBE_GROUPS: return ((const struct describe_groups_response *)answer)->error;
    case API_LIST_GROUPS: return ((const struct list_groups_response *)answer)->error;
    default: CHECK(false); return KAFKA_NONE;
    }
}

enum kafka_error answer_error(struct coordinator_host *host, uint64_t token)
{
    struct message *message = host_reply_to(host, token);
    if (message == NULL) return NO_ANSWER;
    enum kafka_error error = error_of(message);
    message_free(host->memory, message);
    return error;
}

int64_t answer_offset(struct coordinator_host *host, uint64_t token)
{
    struct message *message = host_reply_to(host, token);
    if (message == NULL) return INT64_MIN;
    enum kafka_error error = error_of(message);
    int64_t offset =
        error != KAFKA_NONE
            ? -100 - (int64_t)error
            : ((const struct offset_fetch_response *)(void *)message)->offsets[0].offset;
    message_free(host->memory, message);
    return offset;
}

const char *answer_join(struct coordinator_host *host, uint64_t token)
{
    struct message *message = host_reply_to(host, token);
    if (message == NULL) return "-";
    const struct join_group_response *join = (const struct join_group_response *)(void *)message;
    name_id text = names_intern(host->names, kafka_error_name(join->error));
    if (join->error == KAFKA_NONE) {
        text = names_format(host->names, "%s generation %d leader %s of %d",
                            names_text(host->names, join->member), (int)join->generation,
                            names_text(host->names, join->leader), (int)join->member_count);
    } else if (join->error == KAFKA_MEMBER_ID_REQUIRED) {
        text = names_format(host->names, "MEMBER_ID_REQUIRED %s",
                            names_text(host->names, join->member));
    }
    message_free(host->memory, message);
    return names_text(host->names, text);
}

struct classic_group *classic_of(const struct coordinator_host *host)
{
    const struct group *group =
        coordinator_find_group(host->coordinator, names_find(host->names, "g"));
    return group == NULL ? NULL : group->classic;
}

const char *state_of(const struct coordinator_host *host)
{
    const struct classic_group *classic = classic_of(host);
    return classic == NULL ? "absent" : group_state_name(classic->state);
}

void form_group(struct coordinator_host *host, int count, bool instances)
{
    char assignments[LIST_MAX * 24] = "";
    size_t length = 0;
    for (int i = 1; i <= count; i++) {
        char instance[16];
        snprintf(instance, sizeof(instance), "i%d", i);
        struct join_args args = {.instance = instances ? instance : NULL,
                                 .version = instances ? 5 : 3};
        /* The second and later ones find the group in CompletingRebalance: everybody rejoins. */
        ask_join(host, args);
        for (int j = 1; j < i; j++) {
            char member[16];
            snprintf(member, sizeof(member), "m0%02d", j);
            ask_join(host, (struct join_args){.member = member});
        }
        length += (size_t)snprintf(assignments + length, sizeof(assignments) - length,
                                   "%sm0%02d=t:%d,%d", i == 1 ? "" : ";", i, 2 * i - 2, 2 * i - 1);
    }
    int generation = classic_of(host)->generation;
    for (int i = count; i >= 1; i--) {
        char member[16];
        snprintf(member, sizeof(member), "m0%02d", i);
        ask_sync(host, member, generation, i == 1 ? assignments : NULL);
    }
    struct host_reply reply;
    while (host_take_reply(host, &reply)) {
        if (reply.message != NULL) message_free(host->memory, reply.message);
    }
    CHECK(classic_of(host)->state == GROUP_STABLE && classic_of(host)->member_count == count);
}
