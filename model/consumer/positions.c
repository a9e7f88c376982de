#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "sim/check.h"

/* Where reading begins: committed offsets first, what auto.offset.reset says for the rest
 * (ConsumerCoordinator.initWithCommittedOffsetsIfNeeded, OffsetFetcher.resetPositionsIfNeeded).
 * Until the committed offsets are known no partition added with them is read. */

#define PARTITION_BYTES 24 /* of one partition in a request, about */

static sim_time retry_later(const struct consumer *consumer)
{
    return sim_now(consumer->sim) + MILLISECONDS(consumer->config->retry_backoff_ms);
}

static enum position_cause reset_cause(const struct consumer *consumer)
{
    switch (consumer->config->auto_offset_reset) {
    case RESET_EARLIEST: return POSITION_RESET_EARLIEST;
    case RESET_BY_DURATION: return POSITION_RESET_BY_DURATION;
    case RESET_LATEST:
    case RESET_NONE: break;
    }
    return POSITION_RESET_LATEST;
}

static void throw_next(struct consumer *consumer, enum kafka_error error, const char *text)
{
    if (consumer->committed.thrown_text != NULL) return;
    consumer->committed.thrown = error;
    consumer->committed.thrown_text = text;
}

/* ---- committed offsets ---- */

static void reset_one(struct consumer *consumer, struct owned_partition *owned)
{
    if (consumer->config->auto_offset_reset == RESET_NONE) {
        consumer_note(consumer, CLIENT_RESET_NONE, owned->id, KAFKA_NONE, NULL);
        throw_next(consumer, KAFKA_NONE, "NoOffsetForPartitionException");
    } else {
        position_await_reset(consumer, owned, reset_cause(consumer));
    }
}

static void take_committed(struct consumer *consumer, const struct offset_fetch_response *response)
{
    for (int32_t i = 0; i < response->offset_count; i++) {
        const struct offset_entry *entry = &response->offsets[i];
        int32_t topic = cluster_topic_find(consumer->options.cluster, entry->partition.topic);
        struct owned_partition *owned =
            owned_find(consumer, PARTITION_ID(topic, entry->partition.partition));
        if (owned == NULL || owned->state != POSITION_INITIALIZING) continue;
        if (entry->offset >= 0) {
            position_set(consumer, owned, entry->offset, entry->leader_epoch, POSITION_COMMITTED);
        } else {
            reset_one(consumer, owned);
        }
    }
}

static void look_up_later(struct consumer *consumer)
{
    struct committed_lookup *lookup = &consumer->committed;
    lookup->retry_at = sim_now(consumer->sim) +
                       consumer_backoff(consumer, BACKOFF_OFFSET_FETCH, lookup->attempts++);
}

static void committed_answered(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    struct committed_lookup *lookup = &consumer->committed;
    if (result->tag != lookup->number) return; /* about an assignment that is gone */
    lookup->in_flight = false;
    if (result->outcome != REQUEST_ANSWERED) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
        look_up_later(consumer);
        return;
    }
    const struct offset_fetch_response *response = (const void *)result->response;
    enum kafka_error error = response->error;
    for (int32_t i = 0; i < response->offset_count && error == KAFKA_NONE; i++) {
        error = response->offsets[i].error;
    }
    uint32_t reaction = reaction_to(consumer_is_848(consumer) ? &consumer_offset_fetch_reactions
                                                              : &offset_fetch_reactions,
                                    error);
    if (reaction & REACT_SUCCEED) {
        lookup->attempts = 0;
        take_committed(consumer, response);
        return;
    }
    if (reaction & REACT_COORDINATOR_UNKNOWN) coordinator_mark_unknown(consumer, error);
    if (reaction & REACT_THROW) throw_next(consumer, error, "fetching committed offsets failed");
    look_up_later(consumer);
}

static void look_up(struct consumer *consumer)
{
    struct committed_lookup *lookup = &consumer->committed;
    const struct owned_partitions *subscription = &consumer->subscription;
    struct offset_fetch_request *request =
        MESSAGE_NEW(consumer->memory, API_OFFSET_FETCH, struct offset_fetch_request);
    request->group = consumer->group;
    request->member_epoch = -1;
    if (consumer_is_848(consumer) && consumer->classic.generation.id > 0) {
        request->member = consumer->classic.generation.member_id;
        request->member_epoch = consumer->classic.generation.id;
    }
    request->require_stable = true;
    request->partitions = MESSAGE_ARRAY(consumer->memory, &request->head, struct topic_partition,
                                        subscription->in_state[POSITION_INITIALIZING]);
    for (int32_t i = 0; i < subscription->count; i++) {
        const struct owned_partition *owned = subscription->owned[i];
        if (owned->state != POSITION_INITIALIZING) continue;
        request->partitions[request->partition_count++] =
            (struct topic_partition){owned->topic, PARTITION_NUMBER(owned->id)};
    }
    lookup->in_flight = true;
    lookup->number++;
    lookup->ownerships = subscription->ownerships;
    coordinator_send(consumer, &request->head, consumer->config->request_timeout_ms,
                     committed_answered, lookup->number);
}

static bool keeps_offsets_nowhere(const struct consumer *consumer)
{
    return !consumer_subscribes(consumer) && consumer->options.group->commit.mode == COMMIT_NONE;
}

/* BLOCKED while partitions without a position wait for the coordinator's answer. */
static enum phase initialize(struct consumer *consumer)
{
    struct committed_lookup *lookup = &consumer->committed;
    const struct owned_partitions *subscription = &consumer->subscription;
    if (subscription->in_state[POSITION_INITIALIZING] == 0) return PHASE_STEP_DONE;
    if (keeps_offsets_nowhere(consumer)) {
        for (int32_t i = 0; i < subscription->count; i++) {
            struct owned_partition *owned = subscription->owned[i];
            if (owned->state == POSITION_INITIALIZING) reset_one(consumer, owned);
        }
        return PHASE_STEP_DONE;
    }
    bool is_current = lookup->ownerships == subscription->ownerships;
    if (lookup->in_flight && is_current) return PHASE_STEP_BLOCKED;
    if (!coordinator_is_known(consumer)) {
        coordinator_find(consumer);
    } else if (!is_current || lookup->retry_at <= sim_now(consumer->sim)) {
        look_up(consumer);
    }
    return PHASE_STEP_BLOCKED;
}

/* ---- resets ---- */

static sim_time instant_of(const struct consumer *consumer, const struct owned_partition *owned)
{
    if (owned->reset_to_end || owned->reset == RESET_LATEST) return LIST_OFFSETS_LATEST;
    if (owned->reset == RESET_EARLIEST) return LIST_OFFSETS_EARLIEST;
    sim_time at = process_clock(consumer->sim, consumer->options.process, sim_now(consumer->sim)) -
                  MILLISECONDS(consumer->config->auto_offset_reset_duration_ms);
    return at < 0 ? 0 : at;
}

static void take_listed(struct consumer *consumer, const struct listed_offset *listed)
{
    struct owned_partition *owned = owned_find(consumer, listed->partition);
    if (owned == NULL || owned->state != POSITION_AWAIT_RESET) return;
    uint32_t reaction = reaction_to(&list_offsets_reactions, listed->error);
    if (reaction & REACT_SUCCEED) {
        if (listed->offset >= 0) {
            position_set(consumer, owned, listed->offset, -1, owned->reset_cause);
        } else {
            owned->reset_to_end = true; /* no record is that young */
            owned->retry_at = 0;
        }
        return;
    }
    owned->retry_at = retry_later(consumer);
    if (reaction & REACT_REFRESH_METADATA) client_metadata_request_update(consumer->metadata);
    if (reaction & REACT_THROW) throw_next(consumer, listed->error, "resetting offsets failed");
}

/* The request failed: what it asked for may be asked again soon. */
static void retry_soon(struct consumer *consumer, enum position_state state, int32_t node)
{
    sim_time soon = retry_later(consumer);
    for (int32_t i = 0; i < consumer->subscription.count; i++) {
        struct owned_partition *owned = consumer->subscription.owned[i];
        if (owned->state == state && owned->leader == node && owned->retry_at > soon) {
            owned->retry_at = soon;
        }
    }
    client_metadata_request_update(consumer->metadata);
}

static void listed(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    if (result->outcome != REQUEST_ANSWERED) {
        retry_soon(consumer, POSITION_AWAIT_RESET, CHANNEL_NODE(result->channel));
        return;
    }
    const struct list_offsets_response *response = (const void *)result->response;
    for (int32_t i = 0; i < response->offset_count; i++) {
        take_listed(consumer, &response->offsets[i]);
    }
}

/* ---- validation (KIP-320) ---- */

/* An answer counts for the position that was asked about and no other
 * (SubscriptionState.maybeCompleteValidation). */
static void take_epoch(struct consumer *consumer, const struct epoch_answer *answer,
                       uint64_t validation)
{
    struct owned_partition *owned = owned_find(consumer, answer->partition);
    if (owned == NULL || owned->state != POSITION_AWAIT_VALIDATION) return;
    if (owned->validation != validation) return;
    uint32_t reaction = reaction_to(&leader_epoch_reactions, answer->error);
    if (!(reaction & REACT_SUCCEED)) {
        owned->retry_at = retry_later(consumer);
        if (reaction & REACT_REFRESH_METADATA) client_metadata_request_update(consumer->metadata);
        if (reaction & REACT_THROW) throw_next(consumer, answer->error, "validation failed");
        return;
    }
    bool is_undefined = answer->leader_epoch < 0 || answer->end_offset < 0;
    if (!is_undefined && answer->end_offset >= owned->position) {
        position_set_state(consumer, owned, POSITION_FETCHING);
    } else if (consumer->config->auto_offset_reset == RESET_NONE) {
        throw_next(consumer, KAFKA_NONE, "LogTruncationException");
    } else if (is_undefined) {
        position_await_reset(consumer, owned, POSITION_TRUNCATED);
    } else {
        position_set(consumer, owned, answer->end_offset, answer->leader_epoch, POSITION_TRUNCATED);
        position_set_state(consumer, owned, POSITION_FETCHING);
    }
}

static void validated(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    if (result->outcome != REQUEST_ANSWERED) {
        retry_soon(consumer, POSITION_AWAIT_VALIDATION, CHANNEL_NODE(result->channel));
        return;
    }
    const struct offset_for_leader_epoch_response *response = (const void *)result->response;
    for (int32_t i = 0; i < response->partition_count; i++) {
        take_epoch(consumer, &response->partitions[i], result->tag);
    }
}

/* ---- asking the leaders ---- */

static void send(struct consumer *consumer, int32_t node, struct message *message, int32_t count,
                 request_handler *handler, uint64_t tag)
{
    network_client_send(consumer->network,
                        &(struct outgoing_request){
                            .channel = CHANNEL_DATA(node),
                            .message = message,
                            .size_bytes = GROUP_REQUEST_BYTES + PARTITION_BYTES * (int64_t)count,
                            .timeout_ns = MILLISECONDS(consumer->config->request_timeout_ms),
                            .handler = handler,
                            .context = consumer,
                            .tag = tag,
                        });
}

static void send_list_offsets(struct consumer *consumer, int32_t node,
                              struct owned_partition **asked, int32_t count)
{
    struct list_offsets_request *request =
        MESSAGE_NEW(consumer->memory, API_LIST_OFFSETS, struct list_offsets_request);
    request->isolation = consumer->config->isolation_level;
    request->partition_count = count;
    request->partitions =
        MESSAGE_ARRAY(consumer->memory, &request->head, struct list_offsets_partition, count);
    for (int32_t i = 0; i < count; i++) {
        request->partitions[i] =
            (struct list_offsets_partition){asked[i]->id, asked[i]->leader_epoch,
                                            instant_of(consumer, asked[i])};
    }
    send(consumer, node, &request->head, count, listed, 0);
}

static void send_epochs(struct consumer *consumer, int32_t node, struct owned_partition **asked,
                        int32_t count)
{
    uint64_t number = ++consumer->subscription.validations;
    struct offset_for_leader_epoch_request *request =
        MESSAGE_NEW(consumer->memory, API_OFFSET_FOR_LEADER_EPOCH,
                    struct offset_for_leader_epoch_request);
    request->partition_count = count;
    request->partitions =
        MESSAGE_ARRAY(consumer->memory, &request->head, struct epoch_question, count);
    for (int32_t i = 0; i < count; i++) {
        request->partitions[i] =
            (struct epoch_question){asked[i]->id, asked[i]->leader_epoch, asked[i]->position_epoch};
        asked[i]->validation = number;
    }
    send(consumer, node, &request->head, count, validated, number);
}

/* One request to each leader of partitions in this state whose time has come. */
static void ask_leaders(struct consumer *consumer, enum position_state state)
{
    const struct owned_partitions *subscription = &consumer->subscription;
    if (subscription->in_state[state] == 0) return;
    sim_time now = sim_now(consumer->sim);
    size_t size = sizeof(struct owned_partition *) * (size_t)subscription->count;
    struct owned_partition **asked = memory_take(consumer->memory, size);
    for (int32_t node = 0; node < consumer->fetcher.broker_count; node++) {
        int32_t count = 0;
        for (int32_t i = 0; i < subscription->count; i++) {
            struct owned_partition *owned = subscription->owned[i];
            if (owned->state != state || owned->leader != node || owned->retry_at > now) continue;
            owned->retry_at = now + MILLISECONDS(consumer->config->request_timeout_ms);
            asked[count++] = owned;
        }
        if (count == 0) continue;
        if (state == POSITION_AWAIT_RESET) {
            send_list_offsets(consumer, node, asked, count);
        } else {
            send_epochs(consumer, node, asked, count);
        }
    }
    memory_give(consumer->memory, asked, size);
    if (subscription->leaderless > 0) client_metadata_request_update(consumer->metadata);
}

enum phase positions_update(struct consumer *consumer)
{
    ask_leaders(consumer, POSITION_AWAIT_VALIDATION);
    enum phase initialized = initialize(consumer);
    if (consumer->committed.thrown_text != NULL) {
        consumer_throw(consumer, consumer->committed.thrown, consumer->committed.thrown_text);
        return PHASE_STEP_LEFT;
    }
    if (initialized != PHASE_STEP_DONE) return initialized;
    ask_leaders(consumer, POSITION_AWAIT_RESET);
    return PHASE_STEP_DONE;
}

sim_time positions_retry_at(const struct consumer *consumer)
{
    const struct owned_partitions *subscription = &consumer->subscription;
    sim_time at = SIM_TIME_NEVER;
    if (subscription->in_state[POSITION_INITIALIZING] > 0 && !consumer->committed.in_flight) {
        at = consumer->committed.retry_at;
        if (!coordinator_is_known(consumer)) at = consumer->coordinator.retry_at;
    }
    if (subscription->in_state[POSITION_INITIALIZING] > 0) return at; /* resets come after */
    if (subscription->count == subscription->in_state[POSITION_FETCHING]) return at;
    for (int32_t i = 0; i < subscription->count; i++) {
        const struct owned_partition *owned = subscription->owned[i];
        bool waits =
            owned->state == POSITION_AWAIT_RESET || owned->state == POSITION_AWAIT_VALIDATION;
        if (waits && owned->leader >= 0 && owned->retry_at < at) at = owned->retry_at;
    }
    return at;
}

void positions_reset(struct consumer *consumer)
{
    consumer->committed = (struct committed_lookup){.number = consumer->committed.number + 1};
}
