/* model/coordinator/classic_checks_requests.c: I6, fencing. */
#include "model/coordinator/classic_checks_internal.h"

#include "sim/check.h"

/* Who speaks, for which generation, and what the answer was, of the fenced APIs. */
struct fenced {
    name_id group;
    name_id member;
    name_id instance;
    int32_t generation;
    enum kafka_error error;
    bool is_commit;
    bool transactional;
};

static enum kafka_error commit_error(const struct offset_commit_response *response)
{
    enum kafka_error error = KAFKA_NONE;
    for (int32_t i = 0; i < response->offset_count; i++) {
        if (response->offsets[i].error == KAFKA_NONE) return KAFKA_NONE;
        error = response->offsets[i].error;
    }
    return error;
}

static bool read_request(const struct message *request, const struct message *response,
                         struct fenced *fenced)
{
    const void *answer = response;
    switch ((int)request->api) {
    case API_HEARTBEAT: {
        const struct heartbeat_request *r = (const struct heartbeat_request *)request;
        *fenced = (struct fenced){
            .group = r->group,
            .member = r->member,
            .instance = r->instance,
            .generation = r->generation,
            .error = ((const struct heartbeat_response *)answer)->error,
        };
        return true;
    }
    case API_SYNC_GROUP: {
        const struct sync_group_request *r = (const struct sync_group_request *)request;
        *fenced = (struct fenced){
            .group = r->group,
            .member = r->member,
            .instance = r->instance,
            .generation = r->generation,
            .error = ((const struct sync_group_response *)answer)->error,
        };
        return true;
    }
    case API_OFFSET_COMMIT: {
        const struct offset_commit_request *r = (const struct offset_commit_request *)request;
        *fenced = (struct fenced){
            .group = r->group,
            .member = r->member,
            .instance = r->instance,
            .generation = r->generation,
            .error = commit_error(answer),
            .is_commit = true,
        };
        return r->offset_count > 0;
    }
    case API_TXN_OFFSET_COMMIT: {
        const struct txn_offset_commit_request *r =
            (const struct txn_offset_commit_request *)request;
        *fenced = (struct fenced){
            .group = r->group,
            .member = r->member,
            .instance = r->instance,
            .generation = r->generation,
            .error = commit_error(answer),
            .is_commit = true,
            .transactional = true,
        };
        return r->offset_count > 0;
    }
    default: return false;
    }
}

/* As the rules are written in the specification, not as the handlers have them. */
static bool may_speak(const struct group_view *view, const struct fenced *fenced)
{
    if (fenced->is_commit && fenced->generation < 0) {
        if (view == NULL || view->state == GROUP_EMPTY) return true;
        if (fenced->transactional && fenced->member == NAME_EMPTY && fenced->instance == NAME_NONE)
            return true;
    }
    if (view == NULL || view->generation != fenced->generation) return false;
    for (int32_t i = 0; i < view->member_count; i++) {
        if (view->members[i].id != fenced->member) continue;
        return fenced->instance == NAME_NONE || view->members[i].instance == fenced->instance;
    }
    return false;
}

static bool is_refusal(enum kafka_error error)
{
    return error == KAFKA_UNKNOWN_MEMBER_ID || error == KAFKA_ILLEGAL_GENERATION ||
           error == KAFKA_FENCED_INSTANCE_ID;
}

void checks_request(struct classic_checks *checks, const struct coordinator *coordinator,
                    const struct message *request, const struct message *response)
{
    struct fenced fenced;
    if (request == NULL || response == NULL || !read_request(request, response, &fenced)) return;
    const struct group_view *view = checks_view(checks, fenced.group);
    const struct group *group = coordinator_find_group(coordinator, fenced.group);
    if ((view != NULL && !view->is_classic) || group == NULL || group->type == GROUP_CONSUMER) {
        return;
    }
    bool passed = fenced.error == KAFKA_NONE ||
                  (!fenced.is_commit && fenced.error == KAFKA_REBALANCE_IN_PROGRESS);
    if (passed && !may_speak(view, &fenced)) {
        classic_violate(checks, CLASSIC_I6, fenced.group,
                        "a request of a stale generation or of nobody was accepted");
    }
    if (is_refusal(fenced.error) && view != NULL && view->digest != checks_digest_group(group)) {
        classic_violate(checks, CLASSIC_I6, fenced.group, "a refused request changed the group");
    }
}
