/* model/coordinator/coordinator.c: the face of a shard: requests, timers, topics, observers. */
#include "model/coordinator/coordinator.h"

#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_topics.h"
#include "model/coordinator/describe.h"
#include "model/coordinator/journal.h"
#include "model/coordinator/offset_rules.h"
#include "model/coordinator/transactions.h"
#include "model/coordinator/write_path.h"

#include "sim/check.h"

struct coordinator_config coordinator_config_default(struct names *names)
{
    return (struct coordinator_config){
        .group_min_session_timeout_ms = 6000,
        .group_max_session_timeout_ms = 1800000,
        .group_initial_rebalance_delay_ms = 3000,
        .group_max_size = INT32_MAX,
        .new_member_join_timeout_ms = 300000,
        .offsets_commit_timeout_ms = 5000,
        .group_coordinator_append_linger_ms = 10,
        .message_max_bytes = 1048588,
        .offsets_retention_ms = DAYS(7) / MILLISECONDS(1),
        .offsets_retention_check_interval_ms = 600000,
        .offset_metadata_max_bytes = 4096,
        .group_consumer_session_timeout_ms = 45000,
        .group_consumer_heartbeat_interval_ms = 5000,
        .group_consumer_max_size = INT32_MAX,
        .group_consumer_assignors = {names_intern(names, "uniform"), names_intern(names, "range")},
        .group_consumer_assignor_count = 2,
        .group_consumer_migration_policy = MIGRATION_BIDIRECTIONAL,
    };
}

struct coordinator *coordinator_new(const struct coordinator_options *options)
{
    struct memory *memory = options->memory;
    struct coordinator *coordinator = memory_take(memory, sizeof(*coordinator));
    *coordinator = (struct coordinator){
        .memory = memory,
        .names = options->names,
        .config = options->config,
        .options = *options,
        .state = COORDINATOR_NOT_OWNED,
        .leader_epoch = -1,
    };
    id_map_init(&coordinator->groups_by_id, memory);
    id_map_init(&coordinator->topics_by_name, memory);
    id_map_init(&coordinator->topic_ids, memory);
    id_map_init(&coordinator->topic_names, memory);
    timers_init(&coordinator->timers, memory);
    write_path_init(coordinator);
    return coordinator;
}

static void free_topics(struct coordinator *coordinator)
{
    memory_give(coordinator->memory, coordinator->topics,
                sizeof(*coordinator->topics) * (size_t)coordinator->topic_count);
    coordinator->topics = NULL;
    coordinator->topic_count = 0;
    id_map_release(&coordinator->topics_by_name);
}

void coordinator_free(struct coordinator *coordinator)
{
    struct memory *memory = coordinator->memory;
    coordinator_unload(coordinator, coordinator->now);
    struct coordinator_effect effect;
    while (coordinator_take_effect(coordinator, &effect)) {
        if (effect.response != NULL) message_free(memory, effect.response);
    }
    for (uint32_t i = 0; i < coordinator->group_count; i++) {
        memory_give(memory, coordinator->groups[i], sizeof(*coordinator->groups[i]));
    }
    memory_give(memory, coordinator->groups,
                sizeof(*coordinator->groups) * coordinator->group_capacity);
    id_map_release(&coordinator->groups_by_id);
    free_topics(coordinator);
    consumer_topics_release(coordinator);
    timers_release(&coordinator->timers);
    memory_give(memory, coordinator->observers,
                sizeof(*coordinator->observers) * coordinator->observer_count);
    memory_give(memory, coordinator->effects,
                sizeof(*coordinator->effects) * coordinator->effect_capacity);
    memory_give(memory, coordinator->journal,
                sizeof(*coordinator->journal) * coordinator->journal_capacity);
    memory_give(memory, coordinator->flushed,
                sizeof(*coordinator->flushed) * coordinator->flushed_capacity);
    memory_give(memory, coordinator->transactions,
                sizeof(*coordinator->transactions) * coordinator->transaction_capacity);
    memory_give(memory, coordinator, sizeof(*coordinator));
}

void coordinator_observe(struct coordinator *coordinator, group_observer *observer, void *self)
{
    uint32_t count = coordinator->observer_count;
    coordinator->observers = memory_resize(coordinator->memory, coordinator->observers,
                                           sizeof(*coordinator->observers) * count,
                                           sizeof(*coordinator->observers) * (count + 1));
    coordinator->observers[count] = (struct observer){.observe = observer, .self = self};
    coordinator->observer_count++;
}

void coordinator_note(struct coordinator *coordinator, struct group_note note)
{
    if (coordinator->observer_count == 0) return;
    note.at = coordinator->now;
    for (uint32_t i = 0; i < coordinator->observer_count; i++) {
        coordinator->observers[i].observe(coordinator->observers[i].self, coordinator, &note);
    }
}

enum coordinator_state coordinator_state(const struct coordinator *coordinator)
{
    return coordinator->state;
}

int32_t coordinator_partition(const struct coordinator *coordinator)
{
    return coordinator->options.partition;
}

/* --- requests -------------------------------------------------------------------------------- */

/* The group a request is about; NAME_NONE for those without one. */
static name_id group_of(const struct message *request)
{
    switch ((int)request->api) {
    case API_JOIN_GROUP: return ((const struct join_group_request *)request)->group;
    case API_SYNC_GROUP: return ((const struct sync_group_request *)request)->group;
    case API_HEARTBEAT: return ((const struct heartbeat_request *)request)->group;
    case API_LEAVE_GROUP: return ((const struct leave_group_request *)request)->group;
    case API_OFFSET_COMMIT: return ((const struct offset_commit_request *)request)->group;
    case API_TXN_OFFSET_COMMIT: return ((const struct txn_offset_commit_request *)request)->group;
    case API_OFFSET_FETCH: return ((const struct offset_fetch_request *)request)->group;
    case API_OFFSET_DELETE: return ((const struct offset_delete_request *)request)->group;
    case API_DESCRIBE_GROUPS:
    case API_CONSUMER_GROUP_DESCRIBE:
        return ((const struct describe_groups_request *)request)->group;
    case API_CONSUMER_GROUP_HEARTBEAT:
        return ((const struct consumer_group_heartbeat_request *)request)->group;
    default: return NAME_NONE;
    }
}

/* GroupCoordinatorService, before the shard is asked: the empty group id is still allowed for
 * commits, fetches and descriptions, as it once was for consumers without a group. */
static enum kafka_error validate_request(const struct coordinator *coordinator,
                                         const struct message *request)
{
    name_id group = group_of(request);
    switch ((int)request->api) {
    case API_JOIN_GROUP: {
        const struct join_group_request *join = (const struct join_group_request *)request;
        if (group == NAME_NONE || group == NAME_EMPTY) return KAFKA_INVALID_GROUP_ID;
        if (join->session_timeout_ms < coordinator->config->group_min_session_timeout_ms ||
            join->session_timeout_ms > coordinator->config->group_max_session_timeout_ms)
            return KAFKA_INVALID_SESSION_TIMEOUT;
        return KAFKA_NONE;
    }
    case API_SYNC_GROUP:
    case API_HEARTBEAT:
    case API_LEAVE_GROUP:
    case API_TXN_OFFSET_COMMIT:
    case API_OFFSET_DELETE:
    case API_CONSUMER_GROUP_DESCRIBE:
        return group == NAME_NONE || group == NAME_EMPTY ? KAFKA_INVALID_GROUP_ID : KAFKA_NONE;
    case API_OFFSET_COMMIT:
    case API_OFFSET_FETCH:
    case API_DESCRIBE_GROUPS: return group == NAME_NONE ? KAFKA_INVALID_GROUP_ID : KAFKA_NONE;
    default: return KAFKA_NONE; /* ConsumerGroupHeartbeat has its own, longer list */
    }
}

/* Not owned, or not read yet. Heartbeats are accepted blindly while loading: members keep calm. */
static enum kafka_error state_error(const struct coordinator *coordinator,
                                    const struct message *request)
{
    switch (coordinator->state) {
    case COORDINATOR_NOT_OWNED:
        /* A broker leaves out what it does not own when it lists. */
        return request->api == API_LIST_GROUPS ? KAFKA_NONE : KAFKA_NOT_COORDINATOR;
    case COORDINATOR_LOADING:
        return request->api == API_HEARTBEAT ? KAFKA_NONE : KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    case COORDINATOR_ACTIVE: break;
    }
    return KAFKA_NONE;
}

/* An empty consumer group makes way for a classic one. Its tombstones and the first record of the
 * new group are one write (GroupMetadataManager.maybeDeleteEmptyConsumerGroup). If the join is then
 * refused Kafka forgets to write the tombstones; we write them, so that the log says what is. */
static void replace_empty_consumer_group(struct operation *operation, struct group *group)
{
    consumer_add_tombstones(operation, group);
    group_become_absent(operation->coordinator, group);
    operation->already_applied = true;
}

static void join_group(struct operation *operation, const struct join_group_request *request)
{
    struct group *group = coordinator_find_group(operation->coordinator, request->group);
    if (group != NULL && group->type == GROUP_CONSUMER) {
        if (consumer_state(group) != GROUP_EMPTY) {
            consumer_on_join_group(operation, group);
            return;
        }
        replace_empty_consumer_group(operation, group);
    }
    classic_on_join(operation, request);
}

/* The group if it is one of the consumer protocol. */
static struct group *consumer_group_of(const struct operation *operation)
{
    struct group *group =
        coordinator_find_group(operation->coordinator, group_of(operation->request));
    return group != NULL && group->type == GROUP_CONSUMER ? group : NULL;
}

static void dispatch(struct operation *operation)
{
    const void *request = operation->request;
    struct group *consumer = consumer_group_of(operation);
    switch ((int)operation->request->api) {
    case API_HEARTBEAT:
        if (consumer != NULL) {
            consumer_on_heartbeat(operation, consumer);
        } else {
            classic_on_heartbeat(operation, request);
        }
        break;
    case API_OFFSET_COMMIT: offsets_on_commit(operation, request); break;
    case API_OFFSET_FETCH: offsets_on_fetch(operation, request); break;
    case API_JOIN_GROUP: join_group(operation, request); break;
    case API_SYNC_GROUP:
        if (consumer != NULL) {
            consumer_on_sync_group(operation, consumer);
        } else {
            classic_on_sync(operation, request);
        }
        break;
    case API_LEAVE_GROUP:
        if (consumer != NULL) {
            consumer_on_leave_group(operation, consumer);
        } else {
            classic_on_leave(operation, request);
        }
        break;
    case API_TXN_OFFSET_COMMIT: offsets_on_txn_commit(operation, request); break;
    case API_OFFSET_DELETE: offsets_on_delete(operation, request); break;
    case API_DELETE_GROUPS: offsets_on_delete_groups(operation, request); break;
    case API_DESCRIBE_GROUPS: describe_on_describe_groups(operation, request); break;
    case API_LIST_GROUPS: describe_on_list_groups(operation, request); break;
    case API_CONSUMER_GROUP_HEARTBEAT: consumer_on_group_heartbeat(operation); break;
    case API_CONSUMER_GROUP_DESCRIBE: consumer_on_group_describe(operation); break;
    default: CHECK(false); /* not an API of the group coordinator */
    }
}

void coordinator_handle(struct coordinator *coordinator, const struct message *request,
                        uint64_t token, sim_time now)
{
    coordinator->now = now;
    enum kafka_error error = validate_request(coordinator, request);
    if (error == KAFKA_NONE) error = state_error(coordinator, request);
    if (error != KAFKA_NONE || coordinator->state != COORDINATOR_ACTIVE) {
        coordinator_reply(coordinator, token,
                          coordinator_error_response(coordinator->memory, request, error));
        return;
    }
    struct operation operation = {.coordinator = coordinator,
                                  .request = request,
                                  .token = token,
                                  .now = now,
                                  .producer_id = -1};
    if (request->api == API_WRITE_TXN_MARKERS) {
        transactions_on_marker(&operation, (const struct txn_marker_request *)request);
        return;
    }
    dispatch(&operation);
    operation_finish(&operation);
}

/* --- records --------------------------------------------------------------------------------- */

void coordinator_apply(struct coordinator *coordinator, const struct group_record *record,
                       int64_t offset, int64_t producer_id)
{
    switch (record->type) {
    case RECORD_ERASED: return;
    case RECORD_OFFSET_COMMIT: offsets_apply(coordinator, record, offset, producer_id); return;
    case RECORD_GROUP_METADATA: classic_group_apply(coordinator, record); return;
    case RECORD_CONSUMER_GROUP_EPOCH:
    case RECORD_CONSUMER_TOPICS:
    case RECORD_CONSUMER_MEMBER:
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH:
    case RECORD_CONSUMER_TARGET:
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT: break;
    }
    struct group *group = coordinator_group(coordinator, record->group);
    struct journal_entry *entry = journal_add(coordinator, JOURNAL_RECORD, group, offset);
    if (entry != NULL) entry->inverse = consumer_group_current_record(coordinator, record);
    consumer_group_apply(coordinator, record);
}

/* --- timers ---------------------------------------------------------------------------------- */

sim_time coordinator_next_timer_at(const struct coordinator *coordinator)
{
    return timers_next_at(&coordinator->timers);
}

bool coordinator_run_timer(struct coordinator *coordinator, sim_time now)
{
    sim_time at = 0;
    struct coordinator_timer *timer = timers_pop(&coordinator->timers, now, &at);
    if (timer == NULL) return false;
    coordinator->now = at;
    timer->fire(coordinator, timer, at);
    return true;
}

void coordinator_run_timers(struct coordinator *coordinator, sim_time now)
{
    while (coordinator_run_timer(coordinator, now))
        continue;
}

/* --- topics ---------------------------------------------------------------------------------- */

const struct coordinator_topic *coordinator_find_topic(const struct coordinator *coordinator,
                                                       name_id topic)
{
    return id_map_get(&coordinator->topics_by_name, topic);
}

static bool same_topic(const struct coordinator_topic *a, const struct coordinator_topic *b)
{
    return a != NULL && b != NULL && a->id == b->id && a->partitions == b->partitions;
}

void coordinator_set_topics(struct coordinator *coordinator, const struct coordinator_topic *topics,
                            int32_t count, sim_time now)
{
    coordinator->now = now;
    struct coordinator_topic *old = coordinator->topics;
    struct id_map old_by_name = coordinator->topics_by_name;
    int32_t old_count = coordinator->topic_count;
    id_map_init(&coordinator->topics_by_name, coordinator->memory);
    coordinator->topics =
        memory_take(coordinator->memory, sizeof(*topics) * (size_t)(count > 0 ? count : 1));
    coordinator->topic_count = count;
    for (int32_t i = 0; i < count; i++) {
        coordinator->topics[i] = topics[i];
        id_map_put(&coordinator->topics_by_name, topics[i].name, &coordinator->topics[i]);
    }
    bool is_active = coordinator->state == COORDINATOR_ACTIVE;
    for (int32_t i = 0; i < old_count; i++) {
        const struct coordinator_topic *now_there =
            coordinator_find_topic(coordinator, old[i].name);
        bool is_gone = now_there == NULL || now_there->id != old[i].id;
        if (is_gone && is_active) {
            offsets_on_topic_deleted(coordinator, old[i].name, old[i].partitions);
        }
        if (!same_topic(now_there, &old[i])) consumer_on_topic_changed(coordinator, old[i].name);
    }
    for (int32_t i = 0; i < count; i++) {
        if (id_map_get(&old_by_name, topics[i].name) == NULL) {
            consumer_on_topic_changed(coordinator, topics[i].name);
        }
    }
    id_map_release(&old_by_name);
    memory_give(coordinator->memory, old,
                sizeof(*old) * (size_t)(old_count > 0 ? old_count : (old != NULL)));
}
