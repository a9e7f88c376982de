/* model/coordinator/consumer_heartbeat.c: ConsumerGroupHeartbeat (KIP-848).
 *
 *   validate ─▶ group ─▶ room? ─▶ member, epoch ─▶ consumer_update ─▶ session timer ─▶ answer
 *
 * One atomic step: the state looked at is the latest applied one, the answer waits until the
 * records are committed. A steady heartbeat, of a member that is STABLE at the target epoch and
 * reports nothing new, costs no more than looking the member up. Kafka: GroupMetadataManager
 * .consumerGroupHeartbeat and getOrMaybeSubscribe*ConsumerGroupMember. */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_convert.h"
#include "model/coordinator/consumer_leave.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_subscribe.h"
#include "model/coordinator/consumer_timers.h"
#include "model/coordinator/consumer_topics.h"
#include "model/coordinator/consumer_update.h"

#include <stdlib.h>

typedef struct consumer_group_heartbeat_request heartbeat_request;

/* String.trim().isEmpty(): nothing but characters up to the space. */
static bool is_blank(const struct names *names, name_id name)
{
    for (const char *c = names_text(names, name); *c != '\0'; c++) {
        if ((unsigned char)*c > ' ') return false;
    }
    return true;
}

static bool is_given_but_blank(const struct names *names, name_id name)
{
    return name != NAME_NONE && is_blank(names, name);
}

static bool knows_assignor(const struct coordinator_config *config, name_id assignor)
{
    for (int32_t i = 0; i < config->group_consumer_assignor_count; i++) {
        if (config->group_consumer_assignors[i] == assignor) return true;
    }
    return false;
}

static enum kafka_error validate(const struct coordinator *coordinator,
                                 const heartbeat_request *request)
{
    const struct names *names = coordinator->names;
    if (is_blank(names, request->group)) return KAFKA_INVALID_REQUEST;
    if (is_given_but_blank(names, request->instance)) return KAFKA_INVALID_REQUEST;
    if (is_given_but_blank(names, request->rack)) return KAFKA_INVALID_REQUEST;
    if (request->member_epoch == 0) {
        if (request->rebalance_timeout_ms == -1) return KAFKA_INVALID_REQUEST;
        if (request->owned_count != 0) return KAFKA_INVALID_REQUEST;
        if (request->topic_count <= 0) return KAFKA_INVALID_REQUEST;
    } else {
        if (request->member_epoch < CONSUMER_EPOCH_STATIC_LEAVE) return KAFKA_INVALID_REQUEST;
        if (is_blank(names, request->member)) return KAFKA_INVALID_REQUEST;
        if (request->member_epoch == CONSUMER_EPOCH_STATIC_LEAVE &&
            request->instance == NAME_NONE) {
            return KAFKA_INVALID_REQUEST;
        }
    }
    if (request->assignor != NAME_NONE && !knows_assignor(coordinator->config, request->assignor)) {
        return KAFKA_UNSUPPORTED_ASSIGNOR;
    }
    return KAFKA_NONE;
}

/* A heartbeat under way. */
struct heartbeat {
    const heartbeat_request *request;
    struct consumer_target_group found;
    name_id member_id;
    struct partition_list owned;
    name_id *topics; /* the request's, sorted; NULL = not given */
    struct consumer_member before;
    struct consumer_update update;
};

/* The response to a lost answer may be asked for again under the previous epoch, by a member that
 * shows that it did not get anything it should not have. */
static enum kafka_error check_epoch(const struct consumer_member *member, int32_t epoch,
                                    bool owned_given, struct partition_set owned)
{
    if (epoch == member->epoch) return KAFKA_NONE;
    if (epoch > member->epoch) return KAFKA_FENCED_MEMBER_EPOCH;
    if (epoch != member->previous_epoch) return KAFKA_FENCED_MEMBER_EPOCH;
    if (!owned_given || !partition_set_is_subset(owned, member->assigned)) {
        return KAFKA_FENCED_MEMBER_EPOCH;
    }
    return KAFKA_NONE;
}

static enum kafka_error find_dynamic(struct heartbeat *heartbeat)
{
    struct consumer_update *update = &heartbeat->update;
    const struct consumer_member *member =
        consumer_group_member(update->state, heartbeat->member_id);
    int32_t epoch = heartbeat->request->member_epoch;
    if (member == NULL) {
        if (epoch != 0) return KAFKA_UNKNOWN_MEMBER_ID;
        heartbeat->before = consumer_member_fresh(heartbeat->member_id);
        update->member = &heartbeat->before;
        return KAFKA_NONE;
    }
    update->member = member;
    return check_epoch(member, epoch, update->owned_given, update->owned);
}

static enum kafka_error find_static(struct heartbeat *heartbeat)
{
    struct consumer_update *update = &heartbeat->update;
    const heartbeat_request *request = heartbeat->request;
    const struct consumer_member *holder = consumer_group_static(update->state, request->instance);
    if (request->member_epoch != 0) {
        if (holder == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
        if (holder->id != request->member) return KAFKA_FENCED_INSTANCE_ID;
        update->member = holder;
        return check_epoch(holder, request->member_epoch, update->owned_given, update->owned);
    }
    if (holder == NULL) {
        /* A known member that now names an instance becomes static, whatever its epoch. */
        update->member = consumer_group_member(update->state, heartbeat->member_id);
        if (update->member != NULL) return KAFKA_NONE;
        heartbeat->before = consumer_member_fresh(heartbeat->member_id);
        update->member = &heartbeat->before;
        return KAFKA_NONE;
    }
    if (!holder->is_classic && holder->epoch != CONSUMER_EPOCH_STATIC_LEAVE) {
        return KAFKA_UNRELEASED_INSTANCE_ID; /* the former process has not left */
    }
    heartbeat->before =
        consumer_replace_member(update->operation, update->state, holder, heartbeat->member_id,
                                heartbeat->request->client_id, heartbeat->request->client_host);
    update->member = &heartbeat->before;
    update->replaced = holder;
    return KAFKA_NONE;
}

/* The member as the request would have it. */
static void apply_request(struct heartbeat *heartbeat)
{
    const heartbeat_request *request = heartbeat->request;
    struct consumer_member *updated = &heartbeat->update.updated;
    *updated = *heartbeat->update.member;
    if (request->instance != NAME_NONE) updated->instance = request->instance;
    if (request->rack != NAME_NONE) updated->rack = request->rack;
    if (request->assignor != NAME_NONE) updated->assignor = request->assignor;
    if (request->rebalance_timeout_ms != -1) {
        updated->rebalance_timeout_ms = request->rebalance_timeout_ms;
    }
    if (request->topic_count >= 0) {
        struct coordinator *coordinator = heartbeat->update.operation->coordinator;
        size_t size = sizeof(name_id) * (size_t)request->topic_count;
        if (size > 0) heartbeat->topics = memory_take(coordinator->memory, size);
        updated->topics = heartbeat->topics;
        updated->topic_count = consumer_sort_topics(coordinator->names, request->topics,
                                                    request->topic_count, heartbeat->topics);
    }
    updated->client_id = request->client_id;
    updated->client_host = request->client_host;
    updated->is_classic = false;
    updated->session_timeout_ms = 0;
    updated->protocols = NULL;
    updated->protocol_count = 0;
}

static void respond(struct heartbeat *heartbeat)
{
    const heartbeat_request *request = heartbeat->request;
    const struct consumer_update *update = &heartbeat->update;
    struct coordinator *coordinator = update->operation->coordinator;
    struct consumer_group_heartbeat_response *response =
        OPERATION_RESPOND(update->operation, struct consumer_group_heartbeat_response);
    response->member = update->updated.id;
    response->member_epoch = update->updated.epoch;
    response->heartbeat_interval_ms = consumer_heartbeat_interval_ms(coordinator, update->group);
    response->assignment_count = -1;
    /* A full request comes from a member that (re)joins or is not sure that its last heartbeat got
     * through: it is told everything. */
    bool full = request->member_epoch == 0 || (request->rebalance_timeout_ms != -1 &&
                                               request->topic_count >= 0 && update->owned_given);
    if (!full && !update->assigned_changed) return;
    struct partition_set assigned = update->updated.assigned;
    response->assignment_count = (int32_t)assigned.count;
    response->assignment = consumer_partitions_write(coordinator, &response->head, assigned);
}

static enum kafka_error find_member(struct heartbeat *heartbeat)
{
    struct consumer_update *update = &heartbeat->update;
    struct coordinator *coordinator = update->operation->coordinator;
    const heartbeat_request *request = heartbeat->request;
    const struct consumer_group *state = update->state;
    bool is_member = consumer_group_member(state, request->member) != NULL;
    int64_t max_size = coordinator->config->group_consumer_max_size;
    if (state->member_count >= max_size && !is_member) return KAFKA_GROUP_MAX_SIZE_REACHED;
    heartbeat->member_id = request->member;
    if (request->member == NAME_NONE || request->member == NAME_EMPTY) {
        heartbeat->member_id = coordinator_make_member_id(coordinator, update->group, NAME_NONE);
    }
    if (request->owned_count >= 0) {
        update->owned_given = true;
        consumer_partitions_read(coordinator, &heartbeat->owned, request->owned,
                                 request->owned_count);
        update->owned = partition_list_view(&heartbeat->owned);
    }
    return request->instance == NAME_NONE ? find_dynamic(heartbeat) : find_static(heartbeat);
}

static enum kafka_error beat(struct heartbeat *heartbeat)
{
    struct consumer_update *update = &heartbeat->update;
    struct coordinator *coordinator = update->operation->coordinator;
    enum kafka_error error =
        consumer_find_target_group(update->operation, &heartbeat->found, heartbeat->request->group,
                                   heartbeat->request->member_epoch == 0);
    if (error != KAFKA_NONE) return error;
    update->group = heartbeat->found.group;
    update->state = heartbeat->found.state;
    error = find_member(heartbeat);
    if (error != KAFKA_NONE) return error;
    apply_request(heartbeat);
    error = consumer_update_run(update);
    if (error != KAFKA_NONE) return error;
    consumer_arm_session(coordinator, update->group, heartbeat->member_id,
                         consumer_session_timeout_ms(coordinator, update->group));
    respond(heartbeat);
    return KAFKA_NONE;
}

static void note_refusal(struct operation *operation, const heartbeat_request *request,
                         enum kafka_error error)
{
    coordinator_note(operation->coordinator,
                     (struct group_note){.kind = NOTE_MEMBER_FENCED,
                                         .group = request->group,
                                         .member = request->member,
                                         .instance = request->instance,
                                         .generation = request->member_epoch,
                                         .error = error});
}

void consumer_on_group_heartbeat(struct operation *operation)
{
    struct coordinator *coordinator = operation->coordinator;
    const heartbeat_request *request = (const heartbeat_request *)operation->request;
    enum kafka_error error = validate(coordinator, request);
    if (error != KAFKA_NONE) {
        operation_refuse(operation, error);
        return;
    }
    if (request->member_epoch < 0) {
        error = consumer_leave(operation, request);
    } else {
        struct heartbeat heartbeat = {.request = request};
        consumer_update_init(&heartbeat.update, operation);
        partition_list_init(&heartbeat.owned, coordinator->memory);
        error = beat(&heartbeat);
        consumer_update_release(&heartbeat.update);
        consumer_target_group_release(operation, &heartbeat.found);
        partition_list_release(&heartbeat.owned);
        if (heartbeat.topics != NULL) {
            memory_give(coordinator->memory, heartbeat.topics,
                        sizeof(name_id) * (size_t)request->topic_count);
        }
    }
    if (error == KAFKA_NONE) return;
    note_refusal(operation, request, error);
    operation_refuse(operation, error);
}
