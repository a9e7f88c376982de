/* model/coordinator/coordinator_errors.c: an error that concerns a whole request, in the form of
 * its API. Commits repeat it on every partition, deletions on every group. */
#include "model/coordinator/write_path.h"

#include "sim/check.h"

static struct offset_entry *copy_entries(struct memory *memory, struct message *response,
                                         const struct offset_entry *from, int32_t count)
{
    struct offset_entry *entries = MESSAGE_ARRAY(memory, response, struct offset_entry, count);
    for (int32_t i = 0; i < count; i++)
        entries[i].partition = from[i].partition;
    return entries;
}

static struct message *commit_response(struct memory *memory, enum kafka_api api,
                                       const struct offset_entry *offsets, int32_t count)
{
    struct offset_commit_response *response =
        MESSAGE_NEW(memory, api, struct offset_commit_response);
    response->offsets = copy_entries(memory, &response->head, offsets, count);
    response->offset_count = count;
    return &response->head;
}

static struct message *delete_groups_response(struct memory *memory,
                                              const struct delete_groups_request *request)
{
    struct delete_groups_response *response =
        MESSAGE_NEW(memory, API_DELETE_GROUPS, struct delete_groups_response);
    response->group_count = request->group_count;
    response->groups =
        MESSAGE_ARRAY(memory, &response->head, struct deleted_group, request->group_count);
    for (int32_t i = 0; i < request->group_count; i++) {
        response->groups[i].group = request->groups[i];
    }
    return &response->head;
}

static struct message *describe_response(struct memory *memory, const struct message *head)
{
    struct describe_groups_response *response =
        MESSAGE_NEW(memory, head->api, struct describe_groups_response);
    if (head->size >= sizeof(struct describe_groups_request)) {
        response->group = ((const struct describe_groups_request *)head)->group;
    }
    return &response->head;
}

static struct message *empty_response(struct memory *memory, const struct message *request)
{
    switch ((int)request->api) {
    case API_JOIN_GROUP: {
        struct join_group_response *response =
            MESSAGE_NEW(memory, API_JOIN_GROUP, struct join_group_response);
        response->generation = -1;
        response->member = NAME_EMPTY;
        return &response->head;
    }
    case API_SYNC_GROUP:
        return &MESSAGE_NEW(memory, API_SYNC_GROUP, struct sync_group_response)->head;
    case API_HEARTBEAT: return &MESSAGE_NEW(memory, API_HEARTBEAT, struct heartbeat_response)->head;
    case API_LEAVE_GROUP:
        return &MESSAGE_NEW(memory, API_LEAVE_GROUP, struct leave_group_response)->head;
    case API_OFFSET_COMMIT: {
        const struct offset_commit_request *commit = (const void *)request;
        return commit_response(memory, request->api, commit->offsets, commit->offset_count);
    }
    case API_TXN_OFFSET_COMMIT: {
        const struct txn_offset_commit_request *commit = (const void *)request;
        return commit_response(memory, request->api, commit->offsets, commit->offset_count);
    }
    case API_OFFSET_FETCH:
        return &MESSAGE_NEW(memory, API_OFFSET_FETCH, struct offset_fetch_response)->head;
    case API_OFFSET_DELETE:
        return &MESSAGE_NEW(memory, API_OFFSET_DELETE, struct offset_delete_response)->head;
    case API_DELETE_GROUPS: return delete_groups_response(memory, (const void *)request);
    case API_DESCRIBE_GROUPS:
    case API_CONSUMER_GROUP_DESCRIBE: return describe_response(memory, request);
    case API_LIST_GROUPS:
        return &MESSAGE_NEW(memory, API_LIST_GROUPS, struct list_groups_response)->head;
    case API_WRITE_TXN_MARKERS:
        return &MESSAGE_NEW(memory, API_WRITE_TXN_MARKERS, struct txn_marker_response)->head;
    case API_CONSUMER_GROUP_HEARTBEAT:
        return &MESSAGE_NEW(memory, API_CONSUMER_GROUP_HEARTBEAT,
                            struct consumer_group_heartbeat_response)
                    ->head;
    default:
        CHECK(false); /* no API of the group coordinator */
        return NULL;
    }
}

void response_set_error(struct message *head, enum kafka_error error)
{
    switch ((int)head->api) {
    case API_JOIN_GROUP: ((struct join_group_response *)head)->error = error; break;
    case API_SYNC_GROUP: ((struct sync_group_response *)head)->error = error; break;
    case API_HEARTBEAT: ((struct heartbeat_response *)head)->error = error; break;
    case API_LEAVE_GROUP: ((struct leave_group_response *)head)->error = error; break;
    case API_OFFSET_COMMIT:
    case API_TXN_OFFSET_COMMIT: {
        struct offset_commit_response *response = (struct offset_commit_response *)head;
        for (int32_t i = 0; i < response->offset_count; i++)
            response->offsets[i].error = error;
        break;
    }
    case API_OFFSET_FETCH: ((struct offset_fetch_response *)head)->error = error; break;
    case API_OFFSET_DELETE: ((struct offset_delete_response *)head)->error = error; break;
    case API_DELETE_GROUPS: {
        struct delete_groups_response *response = (struct delete_groups_response *)head;
        for (int32_t i = 0; i < response->group_count; i++)
            response->groups[i].error = error;
        break;
    }
    case API_DESCRIBE_GROUPS:
    case API_CONSUMER_GROUP_DESCRIBE:
        ((struct describe_groups_response *)head)->error = error;
        break;
    case API_LIST_GROUPS: ((struct list_groups_response *)head)->error = error; break;
    case API_WRITE_TXN_MARKERS: ((struct txn_marker_response *)head)->error = error; break;
    case API_CONSUMER_GROUP_HEARTBEAT:
        ((struct consumer_group_heartbeat_response *)head)->error = error;
        break;
    default: CHECK(false);
    }
}

struct message *coordinator_error_response(struct memory *memory, const struct message *request,
                                           enum kafka_error error)
{
    struct message *response = empty_response(memory, request);
    response->correlation = request->correlation;
    response_set_error(response, error);
    return response;
}
