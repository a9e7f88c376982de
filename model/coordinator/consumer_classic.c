/* model/coordinator/consumer_classic.c: members of a consumer group that speak the classic
 * protocol.
 *
 * While a group moves from one protocol to the other, its old clients go on sending JoinGroup,
 * SyncGroup, Heartbeat and LeaveGroup. To the group they are members like others: a JoinGroup is
 * their heartbeat, the subscription in it says what they own, the generation they are told is their
 * member epoch, and they never lead. Kafka: GroupMetadataManager.classicGroup*ToConsumerGroup. */
#include "model/consumer_protocol.h"
#include "model/coordinator/consumer_convert.h"
#include "model/coordinator/consumer_leave.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_subscribe.h"
#include "model/coordinator/consumer_timers.h"
#include "model/coordinator/consumer_topics.h"
#include "model/coordinator/consumer_update.h"

#include <string.h>

static bool is_unknown_id(name_id member)
{
    return member == NAME_NONE || member == NAME_EMPTY;
}

/* The member that the request names (validateConsumerGroupMember), who must be a classic one. */
static enum kafka_error find_classic_member(const struct consumer_group *state, name_id member,
                                            name_id instance, const struct consumer_member **found)
{
    if (instance == NAME_NONE) {
        *found = consumer_group_member(state, member);
        if (*found == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
    } else {
        *found = consumer_group_static(state, instance);
        if (*found == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
        if ((*found)->id != member) return KAFKA_FENCED_INSTANCE_ID;
    }
    return (*found)->is_classic ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
}

/* A JoinGroup under way. */
struct classic_join {
    const struct join_group_request *request;
    struct consumer_update update;
    struct subscription subscription;
    bool subscription_read;
    name_id member_id;
    struct consumer_member before;
    struct partition_list owned;
    name_id *topics;
    struct classic_protocol_value *protocols;
    bool downgraded;
};

/* What is left to do once the JoinGroup's records are committed. */
struct joined {
    struct group *group;
    name_id member;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms;
    bool downgraded;
};

static void join_written(struct coordinator *coordinator, struct operation *operation,
                         enum kafka_error error, sim_time now)
{
    (void)now;
    if (error != KAFKA_NONE) return;
    const struct joined *joined = operation->context;
    consumer_cancel_join(coordinator, joined->group, joined->member);
    if (joined->downgraded) return;
    consumer_arm_session(coordinator, joined->group, joined->member, joined->session_timeout_ms);
    consumer_arm_sync(coordinator, joined->group, joined->member, joined->rebalance_timeout_ms);
}

static enum kafka_error find_joining_member(struct classic_join *join)
{
    struct consumer_update *update = &join->update;
    const struct join_group_request *request = join->request;
    if (request->instance == NAME_NONE) {
        update->member = consumer_group_member(update->state, join->member_id);
    } else {
        const struct consumer_member *holder =
            consumer_group_static(update->state, request->instance);
        if (!is_unknown_id(request->member)) {
            if (holder == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
            if (holder->id != request->member) return KAFKA_FENCED_INSTANCE_ID;
            update->member = holder;
            return KAFKA_NONE;
        }
        if (holder != NULL) {
            join->before =
                consumer_replace_member(update->operation, update->state, holder, join->member_id,
                                        request->client_id, request->client_host);
            update->member = &join->before;
            update->replaced = holder;
            return KAFKA_NONE;
        }
    }
    if (update->member == NULL) {
        join->before = consumer_member_fresh(join->member_id);
        update->member = &join->before;
    }
    return KAFKA_NONE;
}

/* Partitions of topics that do not exist (any more) are not counted as owned. */
static void read_owned(struct classic_join *join)
{
    const struct coordinator *coordinator = join->update.operation->coordinator;
    const struct subscription *subscription = &join->subscription;
    for (int32_t i = 0; i < subscription->owned_count; i++) {
        struct topic_partition owned = subscription->owned[i];
        if (coordinator_find_topic(coordinator, owned.topic) == NULL) continue;
        name_id id = consumer_topic_id(coordinator, owned.topic);
        partition_list_add(&join->owned, partition_key_of(id, owned.partition));
    }
    partition_list_sort(&join->owned);
    join->update.owned_given = true;
    join->update.owned = partition_list_view(&join->owned);
}

static void apply_join(struct classic_join *join)
{
    const struct join_group_request *request = join->request;
    const struct subscription *subscription = &join->subscription;
    struct coordinator *coordinator = join->update.operation->coordinator;
    struct consumer_member *updated = &join->update.updated;
    *updated = *join->update.member;
    if (request->instance != NAME_NONE) updated->instance = request->instance;
    if (subscription->rack != NAME_NONE && subscription->rack != NAME_EMPTY) {
        updated->rack = subscription->rack;
    }
    if (request->rebalance_timeout_ms != -1) {
        updated->rebalance_timeout_ms = request->rebalance_timeout_ms;
    }
    updated->client_id = request->client_id;
    updated->client_host = request->client_host;
    size_t topics_size = sizeof(name_id) * (size_t)subscription->topic_count;
    if (topics_size > 0) join->topics = memory_take(coordinator->memory, topics_size);
    updated->topics = join->topics;
    updated->topic_count = consumer_sort_topics(coordinator->names, subscription->topics,
                                                subscription->topic_count, join->topics);
    size_t protocols_size = sizeof *join->protocols * (size_t)request->protocol_count;
    join->protocols = memory_take(coordinator->memory, protocols_size);
    for (int32_t i = 0; i < request->protocol_count; i++) {
        join->protocols[i] =
            (struct classic_protocol_value){.name = request->protocols[i].name,
                                            .metadata = request->protocols[i].metadata};
    }
    updated->is_classic = true;
    updated->session_timeout_ms = request->session_timeout_ms;
    updated->protocols = join->protocols;
    updated->protocol_count = request->protocol_count;
}

static void respond_joined(struct classic_join *join)
{
    struct operation *operation = join->update.operation;
    const struct consumer_member *updated = &join->update.updated;
    struct join_group_response *response = OPERATION_RESPOND(operation, struct join_group_response);
    response->member = updated->id;
    response->generation = updated->epoch;
    response->protocol_type = join->request->protocol_type;
    response->protocol_name = updated->protocols[0].name;
    response->leader = NAME_EMPTY;

    struct joined *joined = memory_take(operation->coordinator->memory, sizeof *joined);
    *joined = (struct joined){.group = join->update.group,
                              .member = updated->id,
                              .session_timeout_ms = join->request->session_timeout_ms,
                              .rebalance_timeout_ms = join->request->rebalance_timeout_ms,
                              .downgraded = join->downgraded};
    operation->done = join_written;
    operation->context = joined;
    operation->context_size = sizeof *joined;
}

static enum kafka_error join_known(struct classic_join *join)
{
    struct consumer_update *update = &join->update;
    struct coordinator *coordinator = update->operation->coordinator;
    const struct join_group_request *request = join->request;
    enum kafka_error error = find_joining_member(join);
    if (error != KAFKA_NONE) return error;
    /* All protocols carry the same subscription; the first one's is read. */
    if (!subscription_decode(coordinator->memory, coordinator->names,
                             request->protocols[0].metadata, &join->subscription)) {
        return KAFKA_UNKNOWN_SERVER_ERROR;
    }
    join->subscription_read = true;
    read_owned(join);
    apply_join(join);
    error = consumer_update_run(update);
    if (error != KAFKA_NONE) return error;
    const struct consumer_member *holder = consumer_group_static(update->state, request->instance);
    if (holder != NULL && consumer_may_downgrade_replacing(coordinator, update->state, holder)) {
        consumer_downgrade(update->operation, update->group, holder, &update->updated);
        join->downgraded = true;
    }
    respond_joined(join);
    return KAFKA_NONE;
}

static void ask_for_member_id(struct operation *operation, name_id member)
{
    struct memory *memory = operation->coordinator->memory;
    struct join_group_response *response =
        MESSAGE_NEW(memory, API_JOIN_GROUP, struct join_group_response);
    response->head.correlation = operation->request->correlation;
    response->error = KAFKA_MEMBER_ID_REQUIRED;
    response->member = member;
    operation->completed = true; /* answered at once, behind nothing */
    coordinator_reply(operation->coordinator, operation->token, &response->head);
}

static enum kafka_error join(struct classic_join *join)
{
    struct consumer_update *update = &join->update;
    struct coordinator *coordinator = update->operation->coordinator;
    const struct join_group_request *request = join->request;
    const struct consumer_group *state = update->state;
    join->member_id = request->member;
    if (is_unknown_id(request->member)) {
        join->member_id = coordinator_make_member_id(coordinator, update->group, NAME_NONE);
    }
    int64_t max_size = coordinator->config->group_consumer_max_size;
    if (state->member_count >= max_size && consumer_group_member(state, join->member_id) == NULL) {
        return KAFKA_GROUP_MAX_SIZE_REACHED;
    }
    if (strcmp(coordinator_text(coordinator, request->protocol_type), "consumer") != 0 ||
        !consumer_group_supports(state, request->protocols, request->protocol_count)) {
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    }
    /* KIP-394, as in a classic group; but nothing is kept of an id handed out. */
    if (is_unknown_id(request->member) && request->instance == NAME_NONE && request->version >= 4) {
        ask_for_member_id(update->operation, join->member_id);
        return KAFKA_NONE;
    }
    return join_known(join);
}

void consumer_on_join_group(struct operation *operation, struct group *group)
{
    struct memory *memory = operation->coordinator->memory;
    struct classic_join work = {.request = (const struct join_group_request *)operation->request};
    consumer_update_init(&work.update, operation);
    partition_list_init(&work.owned, memory);
    work.update.group = group;
    work.update.state = group->consumer;
    enum kafka_error error = join(&work);
    consumer_update_release(&work.update);
    partition_list_release(&work.owned);
    memory_give(memory, work.topics, sizeof(name_id) * (size_t)work.subscription.topic_count);
    memory_give(memory, work.protocols,
                sizeof *work.protocols * (size_t)work.request->protocol_count);
    if (work.subscription_read) subscription_free(memory, &work.subscription);
    if (error != KAFKA_NONE) operation_refuse(operation, error);
}

/* The member is behind and has to rejoin: Heartbeat and SyncGroup say REBALANCE_IN_PROGRESS. */
static enum kafka_error rebalance_in_progress(struct coordinator *coordinator, struct group *group,
                                              const struct consumer_member *member)
{
    consumer_arm_join_if_absent(coordinator, group, member->id, member->rebalance_timeout_ms);
    return KAFKA_REBALANCE_IN_PROGRESS;
}

static enum kafka_error check_sync(struct coordinator *coordinator, struct group *group,
                                   const struct sync_group_request *request,
                                   const struct consumer_member **member)
{
    enum kafka_error error =
        find_classic_member(group->consumer, request->member, request->instance, member);
    if (error != KAFKA_NONE) return error;
    if (request->generation != (*member)->epoch) return KAFKA_ILLEGAL_GENERATION;
    if (request->protocol_type != NAME_NONE &&
        strcmp(coordinator_text(coordinator, request->protocol_type), "consumer") != 0) {
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    }
    if (request->protocol_name != NAME_NONE &&
        request->protocol_name != (*member)->protocols[0].name) {
        return KAFKA_INCONSISTENT_GROUP_PROTOCOL;
    }
    /* One that still revokes has rejoined already: it finishes this first. */
    if (group->consumer->epoch > (*member)->epoch &&
        (*member)->state != CONSUMER_MEMBER_UNREVOKED_PARTITIONS) {
        return rebalance_in_progress(coordinator, group, *member);
    }
    return KAFKA_NONE;
}

static void sync_written(struct coordinator *coordinator, struct operation *operation,
                         enum kafka_error error, sim_time now)
{
    (void)now;
    if (error != KAFKA_NONE) return;
    const struct joined *synced = operation->context;
    consumer_cancel_sync(coordinator, synced->group, synced->member);
    consumer_arm_session(coordinator, synced->group, synced->member, synced->session_timeout_ms);
}

void consumer_on_sync_group(struct operation *operation, struct group *group)
{
    struct coordinator *coordinator = operation->coordinator;
    const struct sync_group_request *request =
        (const struct sync_group_request *)operation->request;
    const struct consumer_member *member;
    enum kafka_error error = check_sync(coordinator, group, request, &member);
    if (error != KAFKA_NONE) {
        operation_refuse(operation, error);
        return;
    }
    struct sync_group_response *response = OPERATION_RESPOND(operation, struct sync_group_response);
    response->protocol_type = request->protocol_type;
    response->protocol_name = request->protocol_name;
    struct bytes encoded =
        consumer_encode_assignment(coordinator, member->assigned, member->protocols[0].metadata);
    uint8_t *copy = message_alloc(coordinator->memory, &response->head, encoded.length);
    if (encoded.length > 0) memcpy(copy, encoded.data, encoded.length);
    response->assignment = (struct bytes){.data = copy, .length = encoded.length};
    consumer_protocol_give(coordinator->memory, encoded);

    struct joined *synced = memory_take(coordinator->memory, sizeof *synced);
    *synced = (struct joined){.group = group,
                              .member = member->id,
                              .session_timeout_ms = member->session_timeout_ms};
    operation->done = sync_written;
    operation->context = synced;
    operation->context_size = sizeof *synced;
}

void consumer_on_heartbeat(struct operation *operation, struct group *group)
{
    struct coordinator *coordinator = operation->coordinator;
    const struct heartbeat_request *request = (const struct heartbeat_request *)operation->request;
    const struct consumer_group *state = group->consumer;
    const struct consumer_member *member;
    enum kafka_error error =
        find_classic_member(state, request->member, request->instance, &member);
    if (error == KAFKA_NONE && request->generation != member->epoch) {
        error = KAFKA_ILLEGAL_GENERATION;
    }
    if (error != KAFKA_NONE) {
        operation_refuse(operation, error);
        return;
    }
    consumer_arm_session(coordinator, group, member->id, member->session_timeout_ms);
    bool rejoin = member->epoch < state->epoch ||
                  member->state == CONSUMER_MEMBER_UNREVOKED_PARTITIONS ||
                  (member->state == CONSUMER_MEMBER_UNRELEASED_PARTITIONS &&
                   !consumer_group_waits_for_release(state, member));
    struct heartbeat_response *response = OPERATION_RESPOND(operation, struct heartbeat_response);
    response->error = rejoin ? rebalance_in_progress(coordinator, group, member) : KAFKA_NONE;
}

/* One entry of a LeaveGroup. A static member may be removed by instance alone (an administrator);
 * the answer then names its member id. */
static enum kafka_error find_leaving(const struct consumer_group *state,
                                     const struct leave_group_member *entry,
                                     const struct consumer_member **found)
{
    name_id member = entry->member;
    if (entry->instance != NAME_NONE && is_unknown_id(member)) {
        const struct consumer_member *holder = consumer_group_static(state, entry->instance);
        if (holder != NULL) member = holder->id;
    }
    return find_classic_member(state, member, entry->instance, found);
}

static bool is_listed(const struct consumer_member *const *members, int32_t count,
                      const struct consumer_member *member)
{
    for (int32_t i = 0; i < count; i++) {
        if (members[i] == member) return true;
    }
    return false;
}

void consumer_on_leave_group(struct operation *operation, struct group *group)
{
    struct coordinator *coordinator = operation->coordinator;
    const struct leave_group_request *request =
        (const struct leave_group_request *)operation->request;
    struct leave_group_response *response =
        OPERATION_RESPOND(operation, struct leave_group_response);
    response->member_count = request->member_count;
    response->members = MESSAGE_ARRAY(coordinator->memory, &response->head,
                                      struct leave_group_member, request->member_count);
    size_t size = sizeof(void *) * ((size_t)request->member_count + 1);
    const struct consumer_member **leaving = memory_take(coordinator->memory, size);
    int32_t count = 0;
    for (int32_t i = 0; i < request->member_count; i++) {
        const struct leave_group_member *entry = &request->members[i];
        const struct consumer_member *member = NULL;
        enum kafka_error error = find_leaving(group->consumer, entry, &member);
        response->members[i] =
            (struct leave_group_member){.member = error == KAFKA_NONE ? member->id : entry->member,
                                        .instance = entry->instance,
                                        .error = error};
        if (error == KAFKA_NONE && !is_listed(leaving, count, member)) leaving[count++] = member;
    }
    if (count > 0) consumer_remove_members(operation, group, leaving, count, REMOVED_LEFT);
    memory_give(coordinator->memory, leaving, size);
}
