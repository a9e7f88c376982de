#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "sim/check.h"

/* Commits, one attempt each (ConsumerCoordinator.sendOffsetCommitRequest, commitOffsetsAsync and
 * the auto-commit). What is committed is the position: the next offset after the last record that
 * poll() returned, processed or not. */

#define ENTRY_BYTES 24 /* of one partition in the request, about */

/* ---- offsets ---- */

void offsets_add(struct consumer *consumer, struct offsets *offsets, partition_id partition,
                 int64_t offset, int32_t epoch)
{
    if (offsets->count == offsets->capacity) {
        int32_t capacity = offsets->capacity == 0 ? 8 : 2 * offsets->capacity;
        offsets->entries = memory_resize(consumer->memory, offsets->entries,
                                         sizeof *offsets->entries * (size_t)offsets->capacity,
                                         sizeof *offsets->entries * (size_t)capacity);
        offsets->capacity = capacity;
    }
    offsets->entries[offsets->count++] = (struct commit_entry){partition, offset, epoch};
}

void offsets_of_positions(struct consumer *consumer, struct offsets *offsets)
{
    for (int32_t i = 0; i < consumer->subscription.count; i++) {
        const struct owned_partition *owned = consumer->subscription.owned[i];
        bool has_position =
            owned->state == POSITION_FETCHING || owned->state == POSITION_AWAIT_VALIDATION;
        if (!has_position) continue;
        offsets_add(consumer, offsets, owned->id, owned->position, owned->position_epoch);
    }
}

void offsets_give(struct consumer *consumer, struct offsets *offsets)
{
    memory_give(consumer->memory, offsets->entries,
                sizeof *offsets->entries * (size_t)offsets->capacity);
    *offsets = (struct offsets){0};
}

/* ---- the end of a commit ---- */

static void finish(struct consumer *consumer, struct commit *commit, enum commit_outcome outcome,
                   enum kafka_error error)
{
    commit->outcome = outcome;
    commit->error = error;
    TRACE(consumer->sim, TRACE_COMMIT_DONE, consumer->group, consumer->member, commit->call,
          commit->offsets.count, (int64_t)commit->number, error,
          sim_now(consumer->sim) - commit->started_at);
    if (commit->done != NULL) commit->done(consumer, commit);
    offsets_give(consumer, &commit->offsets);
    memory_give(consumer->memory, commit, sizeof *commit);
}

/* The commit was refused because the member is not, or no longer, what it thinks. */
static enum commit_outcome act_on_membership(struct consumer *consumer, uint32_t reaction,
                                             bool is_unchanged)
{
    struct classic_member *classic = &consumer->classic;
    if (!is_unchanged && classic->state == MEMBER_PREPARING_REBALANCE) return COMMIT_REBALANCING;
    if (reaction & REACT_FENCED) return is_unchanged ? COMMIT_FATAL : COMMIT_REFUSED;
    classic_forget_generation(consumer, (reaction & REACT_FORGET_GENERATION) != 0);
    return COMMIT_REFUSED;
}

static enum commit_outcome act_on(struct consumer *consumer, enum kafka_error error,
                                  bool is_unchanged)
{
    const struct reaction_table *table =
        consumer_is_848(consumer) ? &consumer_commit_reactions : &offset_commit_reactions;
    uint32_t reaction = reaction_to(table, error);
    if (reaction & REACT_SUCCEED) return COMMIT_DONE_WELL;
    if (reaction & REACT_COORDINATOR_UNKNOWN) coordinator_mark_unknown(consumer, error);
    if (reaction & REACT_REJOIN) {
        classic_request_rejoin(consumer, "offset commit failed since group is already rebalancing");
    }
    if (reaction & REACT_RETRY) return COMMIT_RETRIABLE;
    if (reaction & REACT_REBALANCING) return COMMIT_REBALANCING;
    if (reaction & REACT_REFUSED && consumer_is_848(consumer)) return COMMIT_REFUSED;
    uint32_t about_membership = REACT_FORGET_MEMBER | REACT_FORGET_GENERATION | REACT_FENCED;
    if (!(reaction & about_membership)) return COMMIT_FATAL;
    if (!consumer_subscribes(consumer)) return COMMIT_REFUSED; /* no membership to lose */
    return act_on_membership(consumer, reaction, is_unchanged);
}

static struct commit *take_in_flight(struct consumer *consumer, uint64_t number)
{
    struct commit **link = &consumer->committer.in_flight;
    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    struct commit *commit = *link;
    CHECK(commit != NULL);
    *link = commit->next;
    return commit;
}

static void answered(void *context, const struct request_result *result)
{
    struct consumer *consumer = context;
    struct commit *commit = take_in_flight(consumer, result->tag);
    if (result->outcome != REQUEST_ANSWERED) {
        coordinator_mark_unknown(consumer, KAFKA_NETWORK_EXCEPTION);
        finish(consumer, commit, COMMIT_RETRIABLE, KAFKA_NETWORK_EXCEPTION);
        return;
    }
    const struct offset_commit_response *response = (const void *)result->response;
    enum kafka_error error = KAFKA_NONE;
    for (int32_t i = 0; i < response->offset_count && error == KAFKA_NONE; i++) {
        error = response->offsets[i].error; /* the first that failed decides */
    }
    bool is_unchanged = commit->generation_tag == classic_generation_tag(consumer);
    finish(consumer, commit, act_on(consumer, error, is_unchanged), error);
}

/* ---- sending ---- */

static struct commit *new_commit(struct consumer *consumer, enum commit_call call,
                                 struct offsets *offsets,
                                 void (*done)(struct consumer *, const struct commit *))
{
    struct commit *commit = memory_take(consumer->memory, sizeof *commit);
    *commit = (struct commit){
        .number = ++consumer->committer.commits,
        .call = call,
        .offsets = *offsets,
        .started_at = sim_now(consumer->sim),
        .generation_tag = classic_generation_tag(consumer),
        .done = done,
    };
    *offsets = (struct offsets){0};
    TRACE(consumer->sim, TRACE_COMMIT_SENT, consumer->group, consumer->member, call,
          commit->offsets.count, (int64_t)commit->number, consumer->classic.generation.id);
    return commit;
}

static void send(struct consumer *consumer, struct commit *commit)
{
    const struct classic_member *classic = &consumer->classic;
    bool subscribes = consumer_subscribes(consumer);
    if (consumer_is_classic(consumer) && classic->state != MEMBER_STABLE) {
        if (classic->state == MEMBER_UNJOINED) {
            finish(consumer, commit, COMMIT_REFUSED, KAFKA_UNKNOWN_MEMBER_ID);
        } else {
            finish(consumer, commit, COMMIT_REBALANCING, KAFKA_REBALANCE_IN_PROGRESS);
        }
        return;
    }
    if (!coordinator_is_known(consumer)) {
        finish(consumer, commit, COMMIT_RETRIABLE, KAFKA_COORDINATOR_NOT_AVAILABLE);
        return;
    }
    struct offset_commit_request *request =
        MESSAGE_NEW(consumer->memory, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = 9;
    request->group = consumer->group;
    request->member = subscribes ? classic->generation.member_id : NAME_EMPTY;
    request->instance = subscribes ? consumer->instance : NAME_NONE;
    request->generation = subscribes ? classic->generation.id : -1; /* or member epoch */
    if (consumer_is_848(consumer) && classic->generation.id <= 0) request->generation = -1;
    request->retention_time_ms = -1;
    request->offset_count = commit->offsets.count;
    request->offsets =
        MESSAGE_ARRAY(consumer->memory, &request->head, struct offset_entry, commit->offsets.count);
    for (int32_t i = 0; i < commit->offsets.count; i++) {
        const struct commit_entry *entry = &commit->offsets.entries[i];
        request->offsets[i] = (struct offset_entry){
            .partition = {cluster_topic_name(consumer->options.cluster,
                                             PARTITION_TOPIC(entry->partition)),
                          PARTITION_NUMBER(entry->partition)},
            .offset = entry->offset,
            .leader_epoch = entry->epoch,
        };
    }
    commit->generation_tag = classic_generation_tag(consumer);
    commit->next = consumer->committer.in_flight;
    consumer->committer.in_flight = commit;
    network_client_send(consumer->network,
                        &(struct outgoing_request){
                            .channel = CHANNEL_COORDINATOR(consumer->coordinator.node),
                            .message = &request->head,
                            .size_bytes =
                                GROUP_REQUEST_BYTES + ENTRY_BYTES * (int64_t)request->offset_count,
                            .timeout_ns = MILLISECONDS(consumer->config->request_timeout_ms),
                            .handler = answered,
                            .context = consumer,
                            .tag = commit->number,
                        });
}

/* Nothing to commit is committed. */
static void finish_empty(struct consumer *consumer, struct offsets *offsets,
                         void (*done)(struct consumer *, const struct commit *))
{
    struct commit nothing = {.outcome = COMMIT_DONE_WELL, .error = KAFKA_NONE};
    offsets_give(consumer, offsets);
    if (done != NULL) done(consumer, &nothing);
}

void commit_send(struct consumer *consumer, enum commit_call call, struct offsets *offsets,
                 void (*done)(struct consumer *consumer, const struct commit *commit))
{
    if (offsets->count == 0) {
        finish_empty(consumer, offsets, done);
    } else {
        send(consumer, new_commit(consumer, call, offsets, done));
    }
}

/* ---- commitAsync ---- */

static void note_fenced(struct consumer *consumer, const struct commit *commit)
{
    if (commit->outcome == COMMIT_FATAL && commit->error == KAFKA_FENCED_INSTANCE_ID) {
        consumer->committer.fenced = commit->error;
    }
}

static void async_done(struct consumer *consumer, const struct commit *commit)
{
    note_fenced(consumer, commit);
    if (commit->then != NULL) commit->then(consumer, commit);
}

void commit_async(struct consumer *consumer, enum commit_call call, struct offsets *offsets,
                  void (*done)(struct consumer *consumer, const struct commit *commit))
{
    if (offsets->count == 0) {
        finish_empty(consumer, offsets, done);
        return;
    }
    struct commit *commit = new_commit(consumer, call, offsets, async_done);
    commit->then = done;
    if (coordinator_is_known(consumer)) {
        send(consumer, commit);
        return;
    }
    struct committer *committer = &consumer->committer;
    if (committer->waiting_last == NULL) {
        committer->waiting = commit;
    } else {
        committer->waiting_last->next = commit;
    }
    committer->waiting_last = commit;
    coordinator_find(consumer);
}

void committer_on_lookup(struct consumer *consumer, bool found)
{
    struct committer *committer = &consumer->committer;
    struct commit *commit = committer->waiting;
    committer->waiting = NULL;
    committer->waiting_last = NULL;
    while (commit != NULL) {
        struct commit *next = commit->next;
        commit->next = NULL;
        if (found) {
            send(consumer, commit);
        } else {
            finish(consumer, commit, COMMIT_RETRIABLE, KAFKA_COORDINATOR_NOT_AVAILABLE);
        }
        commit = next;
    }
}

/* What is sent again are the old offsets: by then later ones may have been committed. */
static void note_failed(struct consumer *consumer, const struct commit *commit)
{
    sim_time retry_ns = consumer->options.group->commit.async_retry_ns;
    if (commit->outcome != COMMIT_RETRIABLE || retry_ns == 0) return;
    struct commit *again = memory_take(consumer->memory, sizeof *again);
    *again = (struct commit){.next = NULL};
    for (int32_t i = 0; i < commit->offsets.count; i++) {
        const struct commit_entry *entry = &commit->offsets.entries[i];
        offsets_add(consumer, &again->offsets, entry->partition, entry->offset, entry->epoch);
    }
    struct commit **end = &consumer->committer.again;
    while (*end != NULL)
        end = &(*end)->next;
    *end = again;
    sim_post(consumer->sim, sim_now(consumer->sim) + retry_ns, PHASE_TIMER, consumer->thread,
             consumer->thread, EVENT_COMMIT_AGAIN, 0, NULL);
}

void commit_async_stubborn(struct consumer *consumer, struct offsets *offsets)
{
    commit_async(consumer, COMMIT_CALL_ASYNC, offsets, note_failed);
}

void commit_again(struct consumer *consumer)
{
    struct commit *again = consumer->committer.again;
    if (again == NULL) return;
    consumer->committer.again = again->next;
    commit_async_stubborn(consumer, &again->offsets);
    memory_give(consumer->memory, again, sizeof *again);
}

/* ---- auto-commit ---- */

static void auto_done(struct consumer *consumer, const struct commit *commit)
{
    if (commit->outcome != COMMIT_RETRIABLE) return;
    consumer->committer.auto_commit_at =
        sim_now(consumer->sim) + MILLISECONDS(consumer->config->retry_backoff_ms);
}

void commit_auto_if_due(struct consumer *consumer)
{
    struct committer *committer = &consumer->committer;
    sim_time now = sim_now(consumer->sim);
    if (!consumer->auto_commits || now < committer->auto_commit_at) return;
    committer->auto_commit_at = now + MILLISECONDS(consumer->config->auto_commit_interval_ms);
    struct offsets offsets = {0};
    offsets_of_positions(consumer, &offsets);
    commit_async(consumer, COMMIT_CALL_AUTO, &offsets, auto_done);
}

/* ---- life ---- */

static void forget(struct consumer *consumer, struct commit *commit)
{
    while (commit != NULL) {
        struct commit *next = commit->next;
        offsets_give(consumer, &commit->offsets);
        memory_give(consumer->memory, commit, sizeof *commit);
        commit = next;
    }
}

void committer_reset(struct consumer *consumer)
{
    struct committer *committer = &consumer->committer;
    forget(consumer, committer->waiting);
    forget(consumer, committer->in_flight);
    forget(consumer, committer->again);
    *committer = (struct committer){.commits = committer->commits, .fenced = KAFKA_NONE};
    offsets_give(consumer, &consumer->commit_sync.offsets);
    consumer->commit_sync = (struct commit_sync){0};
}
