#include "model/group_trace_internal.h"

#include "model/messages_group.h"

/* What a request says about itself, whatever its API. */
struct summary {
    name_id group;
    name_id member_id;
    name_id client; /* only JoinGroup and ConsumerGroupHeartbeat carry it */
    int32_t generation;
};

static struct summary summary_of(const struct message *request)
{
    const void *body = request;
    switch ((int)request->api) {
    case API_JOIN_GROUP: {
        const struct join_group_request *r = body;
        return (struct summary){r->group, r->member, r->client_id, -1};
    }
    case API_SYNC_GROUP: {
        const struct sync_group_request *r = body;
        return (struct summary){r->group, r->member, NAME_NONE, r->generation};
    }
    case API_HEARTBEAT: {
        const struct heartbeat_request *r = body;
        return (struct summary){r->group, r->member, NAME_NONE, r->generation};
    }
    case API_LEAVE_GROUP: {
        const struct leave_group_request *r = body;
        name_id member = r->member_count > 0 ? r->members[0].member : NAME_NONE;
        return (struct summary){r->group, member, NAME_NONE, -1};
    }
    case API_OFFSET_COMMIT: {
        const struct offset_commit_request *r = body;
        return (struct summary){r->group, r->member, NAME_NONE, r->generation};
    }
    case API_TXN_OFFSET_COMMIT: {
        const struct txn_offset_commit_request *r = body;
        return (struct summary){r->group, r->member, NAME_NONE, r->generation};
    }
    case API_OFFSET_FETCH: {
        const struct offset_fetch_request *r = body;
        return (struct summary){r->group, r->member, NAME_NONE, r->member_epoch};
    }
    case API_OFFSET_DELETE: {
        const struct offset_delete_request *r = body;
        return (struct summary){r->group, NAME_NONE, NAME_NONE, -1};
    }
    case API_CONSUMER_GROUP_HEARTBEAT: {
        const struct consumer_group_heartbeat_request *r = body;
        return (struct summary){r->group, r->member, r->client_id, r->member_epoch};
    }
    case API_DESCRIBE_GROUPS:
    case API_CONSUMER_GROUP_DESCRIBE: {
        const struct describe_groups_request *r = body;
        return (struct summary){r->group, NAME_NONE, NAME_NONE, -1};
    }
    case API_DELETE_GROUPS: {
        const struct delete_groups_request *r = body;
        return (struct summary){r->group_count > 0 ? r->groups[0] : NAME_NONE, NAME_NONE, NAME_NONE,
                                -1};
    }
    default: return (struct summary){NAME_NONE, NAME_NONE, NAME_NONE, -1};
    }
}

/* The error, and the member id and generation where the response gives new ones. */
static enum kafka_error outcome_of(const struct message *response, struct summary *summary)
{
    const void *body = response;
    switch ((int)response->api) {
    case API_JOIN_GROUP: {
        const struct join_group_response *r = body;
        if (r->member != NAME_NONE) summary->member_id = r->member;
        summary->generation = r->generation;
        return r->error;
    }
    case API_SYNC_GROUP: return ((const struct sync_group_response *)body)->error;
    case API_HEARTBEAT: return ((const struct heartbeat_response *)body)->error;
    case API_LEAVE_GROUP: return ((const struct leave_group_response *)body)->error;
    case API_OFFSET_FETCH: return ((const struct offset_fetch_response *)body)->error;
    case API_OFFSET_DELETE: return ((const struct offset_delete_response *)body)->error;
    case API_OFFSET_COMMIT:
    case API_TXN_OFFSET_COMMIT: {
        const struct offset_commit_response *r = body;
        for (int32_t i = 0; i < r->offset_count; i++) {
            if (r->offsets[i].error != KAFKA_NONE) return r->offsets[i].error;
        }
        return KAFKA_NONE;
    }
    case API_CONSUMER_GROUP_HEARTBEAT: {
        const struct consumer_group_heartbeat_response *r = body;
        if (r->member != NAME_NONE) summary->member_id = r->member;
        summary->generation = r->member_epoch;
        return r->error;
    }
    case API_DESCRIBE_GROUPS:
    case API_CONSUMER_GROUP_DESCRIBE: return ((const struct describe_groups_response *)body)->error;
    default: return KAFKA_NONE;
    }
}

static name_id client_in(const struct group_trace *trace, const struct summary *summary)
{
    return summary->client != NAME_NONE ? summary->client
                                        : group_trace_client(trace, summary->member_id);
}

name_id group_request_group(const struct message *request)
{
    return summary_of(request).group;
}

void group_trace_request(struct group_trace *trace, int32_t broker, const struct message *request)
{
    const struct summary s = summary_of(request);
    TRACE(group_trace_sim(trace), TRACE_GROUP_REQUEST, request->api, s.group, client_in(trace, &s),
          s.member_id, s.generation, broker);
}

void group_trace_response(struct group_trace *trace, int32_t broker, const struct message *request,
                          const struct message *response)
{
    struct summary s = summary_of(request);
    enum kafka_error error = outcome_of(response, &s);
    TRACE(group_trace_sim(trace), TRACE_GROUP_RESPONSE, request->api, s.group, client_in(trace, &s),
          s.member_id, s.generation, broker, error);
}
