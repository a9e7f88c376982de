#include "tests/conformance/coordinator_answers.h"

#include "model/messages_group.h"
#include "tests/conformance/values.h"

#include "sim/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *name_json(const struct names *names, name_id name)
{
    return name == NAME_NONE ? json_null() : json_string(names_text(names, name));
}

static json_t *error_json(enum kafka_error error)
{
    return json_string(kafka_error_name(error));
}

static json_t *hex_json(struct bytes bytes)
{
    char *text = hex_encode(bytes.data, bytes.length);
    json_t *json = json_string(text);
    free(text);
    return json;
}

json_t *assignment_json(struct bytes assignment)
{
    if (assignment.length == 0) return json_string("");
    bool printable = true;
    for (uint32_t i = 0; i < assignment.length; i++)
        printable &= isprint(assignment.data[i]) != 0;
    if (printable) return json_stringn((const char *)assignment.data, assignment.length);
    char *hex = hex_encode(assignment.data, assignment.length);
    json_t *json = json_sprintf("hex:%s", hex);
    free(hex);
    return json;
}

json_t *partitions_json(const struct names *names, const struct topic_partition *partitions,
                        int32_t count)
{
    json_t *topics = json_object();
    for (int32_t i = 0; i < count; i++) {
        const char *topic = names_text(names, partitions[i].topic);
        json_t *list = json_object_get(topics, topic);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(topics, topic, list);
        }
        json_array_append_new(list, json_integer(partitions[i].partition));
    }
    return topics;
}

static json_t *join_json(const struct names *names, const struct join_group_response *response)
{
    json_t *members = json_array();
    for (int32_t i = 0; i < response->member_count; i++) {
        const struct join_group_member *member = &response->members[i];
        json_array_append_new(members, json_pack("{s:o, s:o, s:o}", "member",
                                                 name_json(names, member->member), "instance",
                                                 name_json(names, member->instance), "metadata_hex",
                                                 hex_json(member->metadata)));
    }
    return json_pack("{s:o, s:o, s:i, s:o, s:o, s:o, s:b, s:o}", "error",
                     error_json(response->error), "member", name_json(names, response->member),
                     "generation", (int)response->generation, "protocol_type",
                     name_json(names, response->protocol_type), "protocol_name",
                     name_json(names, response->protocol_name), "leader",
                     name_json(names, response->leader), "skip_assignment",
                     (int)response->skip_assignment, "members", members);
}

static json_t *sync_json(const struct names *names, const struct sync_group_response *response)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "error", error_json(response->error), "protocol_type",
                     name_json(names, response->protocol_type), "protocol_name",
                     name_json(names, response->protocol_name), "assignment",
                     assignment_json(response->assignment));
}

static json_t *leave_json(const struct names *names, const struct leave_group_response *response)
{
    json_t *members = json_array();
    for (int32_t i = 0; i < response->member_count; i++) {
        const struct leave_group_member *member = &response->members[i];
        json_array_append_new(members, json_pack("{s:o, s:o, s:o}", "member",
                                                 name_json(names, member->member), "instance",
                                                 name_json(names, member->instance), "error",
                                                 error_json(member->error)));
    }
    return json_pack("{s:o, s:o}", "error", error_json(response->error), "members", members);
}

/* Entries of one topic stand together in requests, so they do in responses. */
static json_t *topics_json(const struct names *names, const struct offset_entry *entries,
                           int32_t count, bool with_offsets)
{
    json_t *topics = json_array();
    for (int32_t i = 0; i < count; i++) {
        const struct offset_entry *entry = &entries[i];
        bool is_next = i > 0 && entries[i - 1].partition.topic == entry->partition.topic;
        if (!is_next) {
            json_array_append_new(topics, json_pack("{s:o, s:[]}", "topic",
                                                    name_json(names, entry->partition.topic),
                                                    "partitions"));
        }
        json_t *topic = json_array_get(topics, json_array_size(topics) - 1);
        json_t *partition = json_pack("{s:i, s:o}", "partition", (int)entry->partition.partition,
                                      "error", error_json(entry->error));
        if (with_offsets) {
            json_object_set_new(partition, "offset", json_integer(entry->offset));
            json_object_set_new(partition, "leader_epoch", json_integer(entry->leader_epoch));
            json_object_set_new(partition, "metadata", name_json(names, entry->metadata));
        }
        json_array_append_new(json_object_get(topic, "partitions"), partition);
    }
    return topics;
}

static json_t *fetch_json(const struct names *names, const struct offset_fetch_response *response)
{
    return json_pack("{s:o, s:o}", "error", error_json(response->error), "topics",
                     topics_json(names, response->offsets, response->offset_count, true));
}

static json_t *delete_groups_json(const struct names *names,
                                  const struct delete_groups_response *response)
{
    /* Recorded in order of the names; ours stand in request order. */
    json_t *groups = json_array();
    const struct deleted_group *sorted[16];
    CHECK(response->group_count <= (int32_t)ARRAY_LEN(sorted));
    for (int32_t i = 0; i < response->group_count; i++)
        sorted[i] = &response->groups[i];
    for (int32_t i = 1; i < response->group_count; i++) {
        for (int32_t j = i;
             j > 0 && names_compare(names, sorted[j - 1]->group, sorted[j]->group) > 0; j--) {
            const struct deleted_group *swap = sorted[j];
            sorted[j] = sorted[j - 1];
            sorted[j - 1] = swap;
        }
    }
    for (int32_t i = 0; i < response->group_count; i++) {
        json_array_append_new(groups,
                              json_pack("{s:o, s:o}", "group", name_json(names, sorted[i]->group),
                                        "error", error_json(sorted[i]->error)));
    }
    return json_pack("{s:o}", "groups", groups);
}

static json_t *names_json(const struct names *names, const name_id *list, int32_t count)
{
    json_t *array = json_array();
    for (int32_t i = 0; i < count; i++)
        json_array_append_new(array, name_json(names, list[i]));
    return array;
}

static json_t *describe_json(const struct names *names,
                             const struct describe_groups_response *response)
{
    json_t *members = json_array();
    for (int32_t i = 0; i < response->member_count; i++) {
        const struct described_member *member = &response->members[i];
        json_array_append_new(members,
                              json_pack("{s:o, s:o, s:o, s:o, s:o}", "member",
                                        name_json(names, member->member), "instance",
                                        name_json(names, member->instance), "client_id",
                                        name_json(names, member->client_id), "metadata_hex",
                                        hex_json(member->metadata), "assignment",
                                        assignment_json(member->assignment)));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "error", error_json(response->error), "state",
                     name_json(names, response->state), "protocol_type",
                     name_json(names, response->protocol_type == NAME_NONE
                                          ? NAME_EMPTY
                                          : response->protocol_type),
                     "protocol_name",
                     name_json(names, response->protocol_name == NAME_NONE
                                          ? NAME_EMPTY
                                          : response->protocol_name),
                     "members", members);
}

static json_t *consumer_describe_json(const struct names *names,
                                      const struct describe_groups_response *response)
{
    json_t *members = json_array();
    for (int32_t i = 0; i < response->member_count; i++) {
        const struct described_member *member = &response->members[i];
        json_array_append_new(
            members, json_pack("{s:o, s:o, s:o, s:i, s:o, s:o, s:o}", "member",
                               name_json(names, member->member), "instance",
                               name_json(names, member->instance), "client_id",
                               name_json(names, member->client_id), "member_epoch",
                               (int)member->member_epoch, "topics",
                               names_json(names, member->topics, member->topic_count), "assignment",
                               partitions_json(names, member->assigned, member->assigned_count),
                               "target_assignment",
                               partitions_json(names, member->target, member->target_count)));
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:o, s:o}", "error", error_json(response->error),
                     "state", name_json(names, response->state), "group_epoch",
                     (int)response->group_epoch, "assignment_epoch",
                     (int)response->assignment_epoch, "assignor",
                     name_json(names, response->protocol_name), "members", members);
}

static json_t *list_json(const struct names *names, const struct list_groups_response *response)
{
    json_t *groups = json_array();
    for (int32_t i = 0; i < response->group_count; i++) {
        const struct listed_group *group = &response->groups[i];
        json_array_append_new(groups, json_pack("{s:o, s:o, s:o, s:o}", "group",
                                                name_json(names, group->group), "protocol_type",
                                                name_json(names, group->protocol_type), "state",
                                                name_json(names, group->state), "type",
                                                name_json(names, group->type)));
    }
    return json_pack("{s:o, s:o}", "error", error_json(response->error), "groups", groups);
}

static json_t *consumer_heartbeat_json(const struct names *names,
                                       const struct consumer_group_heartbeat_response *response)
{
    json_t *assignment = json_null();
    if (response->assignment_count >= 0) {
        assignment = partitions_json(names, response->assignment, response->assignment_count);
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:o}", "error", error_json(response->error), "member",
                     name_json(names, response->member), "member_epoch",
                     (int)response->member_epoch, "heartbeat_interval_ms",
                     (int)response->heartbeat_interval_ms, "assignment", assignment);
}

json_t *coordinator_answer_json(const struct names *names, const struct message *response)
{
    const void *answer = response;
    switch ((int)response->api) {
    case API_JOIN_GROUP: return join_json(names, answer);
    case API_SYNC_GROUP: return sync_json(names, answer);
    case API_HEARTBEAT:
        return json_pack("{s:o}", "error",
                         error_json(((const struct heartbeat_response *)answer)->error));
    case API_WRITE_TXN_MARKERS:
        return json_pack("{s:o}", "error",
                         error_json(((const struct txn_marker_response *)answer)->error));
    case API_LEAVE_GROUP: return leave_json(names, answer);
    case API_OFFSET_COMMIT:
    case API_TXN_OFFSET_COMMIT: {
        const struct offset_commit_response *commit = answer;
        return json_pack("{s:o}", "topics",
                         topics_json(names, commit->offsets, commit->offset_count, false));
    }
    case API_OFFSET_FETCH: return fetch_json(names, answer);
    case API_OFFSET_DELETE: {
        const struct offset_delete_response *deleted = answer;
        return json_pack("{s:o, s:o}", "error", error_json(deleted->error), "topics",
                         topics_json(names, deleted->offsets, deleted->offset_count, false));
    }
    case API_DELETE_GROUPS: return delete_groups_json(names, answer);
    case API_DESCRIBE_GROUPS: return describe_json(names, answer);
    case API_CONSUMER_GROUP_DESCRIBE: return consumer_describe_json(names, answer);
    case API_LIST_GROUPS: return list_json(names, answer);
    case API_CONSUMER_GROUP_HEARTBEAT: return consumer_heartbeat_json(names, answer);
    default: CHECK(false); return NULL;
    }
}
