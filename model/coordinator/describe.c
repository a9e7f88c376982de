/* model/coordinator/describe.c: DescribeGroups and ListGroups. */
#include "model/coordinator/describe.h"

#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"

#include "sim/check.h"

#include <string.h>
#include <strings.h>

static struct bytes copy_bytes(struct coordinator *coordinator, struct message *message,
                               struct bytes bytes)
{
    uint8_t *copy = message_alloc(coordinator->memory, message, bytes.length);
    if (bytes.length > 0) memcpy(copy, bytes.data, bytes.length);
    return (struct bytes){.data = copy, .length = bytes.length};
}

static void answer_now(struct operation *operation)
{
    coordinator_reply(operation->coordinator, operation->token, operation->response);
    operation->response = NULL;
}

static void describe_members(struct coordinator *coordinator, const struct classic_group *classic,
                             struct describe_groups_response *response)
{
    response->member_count = classic->member_count;
    response->members = MESSAGE_ARRAY(coordinator->memory, &response->head, struct described_member,
                                      classic->member_count);
    for (int32_t i = 0; i < classic->member_count; i++) {
        const struct classic_member *member = classic->members[i];
        struct described_member *described = &response->members[i];
        described->member = member->id;
        described->instance = member->instance;
        described->client_id = member->client_id;
        described->client_host = member->client_host;
        described->assignment = copy_bytes(coordinator, &response->head, member->assignment);
        if (classic->state != GROUP_STABLE) continue;
        described->metadata = copy_bytes(coordinator, &response->head,
                                         classic_metadata(member, classic->protocol_name));
    }
}

void describe_on_describe_groups(struct operation *operation,
                                 const struct describe_groups_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct describe_groups_response *response =
        OPERATION_RESPOND(operation, struct describe_groups_response);
    response->group = request->group;
    const struct group *group = coordinator_find_group(coordinator, request->group);
    enum group_state state = GROUP_DEAD;
    if (group != NULL && group->committed_type == GROUP_CLASSIC && group->type == GROUP_CLASSIC) {
        const struct classic_group *classic = group->classic;
        state = classic->state;
        response->protocol_type =
            classic->protocol_type == NAME_NONE ? NAME_EMPTY : classic->protocol_type;
        response->group_epoch = classic->generation;
        response->protocol_name = state == GROUP_STABLE ? classic->protocol_name : NAME_EMPTY;
        describe_members(coordinator, classic, response);
    }
    response->state = names_intern(coordinator->names, group_state_name(state));
    answer_now(operation);
}

static bool is_listed(const struct coordinator *coordinator, const name_id *filter, int32_t count,
                      const char *text)
{
    if (count == 0) return true;
    for (int32_t i = 0; i < count; i++) {
        if (strcasecmp(coordinator_text(coordinator, filter[i]), text) == 0) return true;
    }
    return false;
}

void describe_on_list_groups(struct operation *operation, const struct list_groups_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    struct list_groups_response *response =
        OPERATION_RESPOND(operation, struct list_groups_response);
    response->groups = MESSAGE_ARRAY(coordinator->memory, &response->head, struct listed_group,
                                     coordinator->group_count);
    for (uint32_t i = 0; i < coordinator->group_count; i++) {
        const struct group *group = coordinator->groups[i];
        if (group->committed_type == GROUP_ABSENT || group->type != group->committed_type) continue;
        bool is_consumer = group->type == GROUP_CONSUMER;
        const char *type = is_consumer ? "consumer" : "classic";
        enum group_state state = is_consumer ? consumer_state(group) : group->classic->state;
        if (!is_listed(coordinator, request->states, request->state_count,
                       group_state_name(state)) ||
            !is_listed(coordinator, request->types, request->type_count, type))
            continue;
        name_id protocol_type = is_consumer ? names_intern(coordinator->names, "consumer")
                                            : group->classic->protocol_type;
        response->groups[response->group_count++] = (struct listed_group){
            .group = group->id,
            .protocol_type = protocol_type == NAME_NONE ? NAME_EMPTY : protocol_type,
            .state = names_intern(coordinator->names, group_state_name(state)),
            .type = names_intern(coordinator->names, type),
        };
    }
    answer_now(operation);
}
