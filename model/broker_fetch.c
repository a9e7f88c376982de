#include "model/fetch_session.h"

#include "sim/check.h"

#include <string.h>

/* Fetch: what to answer, and when. The rounds of idle fetches are explained in broker.h. */

#define RESPONSE_BYTES  60
#define PARTITION_BYTES 60
#define SLICE_BYTES     61 /* the header of a record batch */

/* ---- answering --------------------------------------------------------------------------- */

/* Slices in a response under construction; grown outside the message, then copied. */
struct answer {
    struct fetch_response *response;
    struct batch_slice *slices;
    int32_t slice_count;
    int32_t slice_capacity;
    int64_t budget;
};

/* Neighbours that only arrived at different times go as one: the reader cannot tell. */
static bool extend_slice(struct batch_slice *slice, const struct log_batch *batch)
{
    if (slice->control || (batch->flags & (LOG_CONTROL | LOG_EMPTY)) != 0 ||
        slice->base_offset + slice->count != batch->base_offset ||
        slice->leader_epoch != batch->leader_epoch ||
        slice->aborted != ((batch->flags & LOG_ABORTED) != 0)) {
        return false;
    }
    slice->count += batch->count;
    slice->bytes += batch->bytes;
    slice->last_at = batch->last_at;
    return true;
}

/* `first`: the slice begins a partition. */
static void add_slice(struct broker *broker, struct answer *answer, const struct log_batch *batch,
                      bool first)
{
    if (!first && extend_slice(&answer->slices[answer->slice_count - 1], batch)) return;
    if (answer->slice_count == answer->slice_capacity) {
        int32_t grown = answer->slice_capacity == 0 ? 16 : answer->slice_capacity * 2;
        answer->slices = memory_resize(broker->memory, answer->slices,
                                       (size_t)answer->slice_capacity * sizeof *answer->slices,
                                       (size_t)grown * sizeof *answer->slices);
        answer->slice_capacity = grown;
    }
    answer->slices[answer->slice_count++] = (struct batch_slice){
        .base_offset = batch->base_offset,
        .count = batch->count,
        .leader_epoch = batch->leader_epoch,
        .bytes = batch->bytes,
        .first_at = batch->first_at,
        .last_at = batch->last_at,
        .control = (batch->flags & (LOG_CONTROL | LOG_EMPTY)) != 0,
        .aborted = (batch->flags & LOG_ABORTED) != 0,
    };
}

/* Records from the entry's offset on, up to what is visible and the limits allow. The first
 * partition that has any may go beyond them by one batch, so that a reader never gets stuck. */
static void read_entry(struct fetch_entry *entry, struct answer *answer,
                       struct fetched_partition *out)
{
    const struct replica *replica = entry->replica;
    int64_t end = fetch_visible_offset(entry->session, replica);
    if (entry->offset >= end) return;
    bool is_first = answer->response->bytes == 0;
    int64_t limit = entry->max_bytes < answer->budget ? entry->max_bytes : answer->budget;
    if (limit <= 0 && !is_first) return;
    if (entry->visible - entry->position > limit) {
        int64_t reachable = replica_log_advance(&replica->log, entry->offset, limit);
        if (reachable < end) end = reachable;
    }
    int64_t before = answer->response->bytes;
    for (const struct log_batch *batch = replica_log_find(&replica->log, entry->offset);
         batch != NULL && batch->base_offset < end;
         batch = replica_log_next(&replica->log, batch)) {
        const struct log_batch slice = log_batch_slice(batch, entry->offset, end);
        add_slice(entry->session->broker, answer, &slice, out->slice_count == 0);
        answer->response->bytes += slice.bytes;
        out->slice_count = answer->slice_count - out->first_slice;
        entry->served_offset = slice.base_offset + slice.count;
        entry->served_position = slice.position + slice.bytes;
    }
    answer->budget -= answer->response->bytes - before;
}

/* True if the partition has something to be told. */
static bool answer_entry(struct fetch_entry *entry, struct answer *answer,
                         struct fetched_partition *out)
{
    const struct broker *broker = entry->session->broker;
    *out = (struct fetched_partition){.partition = entry->partition,
                                      .topic_id = entry->topic_id,
                                      .high_watermark = -1,
                                      .last_stable_offset = -1,
                                      .log_start_offset = -1,
                                      .current_leader = -1,
                                      .current_leader_epoch = -1,
                                      .first_slice = answer->slice_count};
    out->error = fetch_entry_attach(entry);
    if (out->error == KAFKA_NOT_LEADER_OR_FOLLOWER || out->error == KAFKA_FENCED_LEADER_EPOCH) {
        const struct partition_view view = broker_view(broker, entry->partition);
        out->current_leader = view.leader;
        out->current_leader_epoch = view.leader_epoch;
    }
    if (out->error != KAFKA_NONE) {
        entry->told_high_watermark = -1;
        return true;
    }
    const struct replica *replica = entry->replica;
    out->high_watermark = replica->high_watermark;
    out->last_stable_offset = replica_last_stable(replica);
    out->log_start_offset = replica->partition->log.start_offset;
    read_entry(entry, answer, out);
    bool news = out->slice_count > 0 || entry->told_high_watermark != out->high_watermark ||
                entry->told_log_start != out->log_start_offset;
    entry->told_high_watermark = out->high_watermark;
    entry->told_log_start = out->log_start_offset;
    return news;
}

static void end_wait(struct fetch_session *session)
{
    struct broker *broker = session->broker;
    sim_timer_cancel(broker->sim, &session->timer);
    session->parked->parked_fetch = NULL;
    session->parked = NULL;
    if (session->used_at < broker->unused_since) broker->unused_since = session->used_at;
    session->idle = false;
    session->between = false;
}

static void respond(struct fetch_session *session)
{
    struct broker *broker = session->broker;
    fetch_session_prefetch_logs(session);
    struct broker_connection *connection = session->parked;
    struct fetch_response *response = MESSAGE_NEW(broker->memory, API_FETCH, struct fetch_response);
    struct answer answer = {.response = response, .budget = session->max_bytes};
    response->session_id = session->id;
    response->partitions = MESSAGE_ARRAY_UNSET(broker->memory, &response->head,
                                               struct fetched_partition, session->entry_count);
    int32_t last_read = -1;
    for (int32_t i = 0; i < session->entry_count; i++) {
        int32_t index = (session->start + i) % session->entry_count;
        struct fetched_partition *out = &response->partitions[response->partition_count];
        if (!answer_entry(session->entries[index], &answer, out)) continue;
        if (out->slice_count > 0) last_read = index;
        response->partition_count++;
    }
    if (last_read >= 0) session->start = (last_read + 1) % session->entry_count;
    response->slice_count = answer.slice_count;
    response->slices = MESSAGE_ARRAY_UNSET(broker->memory, &response->head, struct batch_slice,
                                           answer.slice_count);
    if (answer.slice_count > 0) {
        memcpy(response->slices, answer.slices, (size_t)answer.slice_count * sizeof *answer.slices);
    }
    memory_give(broker->memory, answer.slices,
                (size_t)answer.slice_capacity * sizeof *answer.slices);
    end_wait(session);
    broker_respond(broker, connection, &response->head, fetch_response_size_bytes(response));
    if (session->id == 0) fetch_session_release(session);
}

int64_t fetch_response_size_bytes(const struct fetch_response *response)
{
    return RESPONSE_BYTES + response->bytes + (int64_t)response->partition_count * PARTITION_BYTES +
           (int64_t)response->slice_count * SLICE_BYTES;
}

/* ---- rounds ------------------------------------------------------------------------------ */

/* Begin of the last round that began at or before `now`. */
static sim_time round_begin(const struct fetch_session *session, sim_time now)
{
    sim_time since = now - session->first_at;
    return session->first_at + since / session->round_ns * session->round_ns;
}

/* Back to an ordinary wait: the round under way ends when it would have, or, between two rounds,
 * the next one begins when it would have. */
static void leave_idle(struct fetch_session *session)
{
    struct sim *sim = session->broker->sim;
    sim_time now = sim_now(sim);
    sim_time begin = round_begin(session, now);
    session->idle = false;
    session->between = now - begin > session->wait_ns;
    if (session->between) begin += session->round_ns;
    session->first_at = begin;
    session->sent_at = begin - session->before_ns;
    sim_timer_set(sim, &session->timer, session->between ? begin : begin + session->wait_ns);
}

/* Nothing to tell yet: wait. */
static void park(struct fetch_session *session)
{
    struct broker *broker = session->broker;
    const struct scenario_cluster *cluster = &broker->cluster->scenario->cluster;
    sim_time now = sim_now(broker->sim);
    session->wait_ns = MILLISECONDS(session->max_wait_ms);
    session->first_at = now;
    session->sent_at = -1;
    session->idle = session->may_idle && session->available == 0 && session->wait_ns > 0 &&
                    broker->cluster->plain_fetches == 0;
    if (!session->idle) {
        sim_timer_set(broker->sim, &session->timer, now + session->wait_ns);
        return;
    }
    sim_time latency_ns = distribution_mean(&cluster->latency_ns);
    session->before_ns =
        latency_ns + process_cpu_ns(broker->sim, broker->process,
                                    distribution_mean(&cluster->request_service_ns));
    session->round_ns = session->wait_ns + latency_ns + session->before_ns;
}

/* After a wait: what is needed has not been looked at for long. */
static void respond_late(struct fetch_session *session)
{
    fetch_session_prefetch(session);
    respond(session);
}

/* The parked fetch has something to tell. */
void fetch_answer(struct broker *broker, struct fetch_session *session)
{
    session->is_ready = false;
    if (session->parked == NULL || !session->in_use) return;
    (void)broker;
    if (session->idle && session->available != INT64_MAX) leave_idle(session);
    if (session->between && session->available != INT64_MAX) return;
    if (session->available >= session->min_bytes) respond_late(session);
}

void fetch_expired(struct broker *broker, uint32_t slot)
{
    struct fetch_session *session = broker->sessions[slot];
    if (session->parked == NULL) return;
    if (session->between) {
        session->between = false;
        if (session->available >= session->min_bytes) {
            respond_late(session);
        } else {
            sim_timer_set(broker->sim, &session->timer, session->first_at + session->wait_ns);
        }
        return;
    }
    respond_late(session);
}

static struct fetch_session *parked_on(const struct cluster *cluster, int32_t id,
                                       connection_id connection)
{
    struct broker *broker = cluster->brokers[id];
    const struct broker_connection *c = broker_connection_find(broker, connection);
    return c == NULL ? NULL : c->parked_fetch;
}

void broker_fetch_settle(struct cluster *cluster, int32_t broker, connection_id connection)
{
    struct fetch_session *session = parked_on(cluster, broker, connection);
    if (session != NULL && session->parked != NULL) {
        if (session->idle) leave_idle(session);
        return;
    }
    /* The fetch is still on its way to us: it will be an ordinary one. */
    struct broker_connection *c = broker_connection_find(cluster->brokers[broker], connection);
    if (c != NULL) c->settled_early = true;
}

sim_time broker_fetch_sent_at(const struct cluster *cluster, int32_t broker,
                              connection_id connection)
{
    const struct fetch_session *session = parked_on(cluster, broker, connection);
    if (session == NULL || session->parked == NULL) return -1;
    if (!session->idle) return session->sent_at;
    return round_begin(session, sim_now(cluster->sim) + session->before_ns) - session->before_ns;
}

void fetch_hold_plain(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->session_count; i++) {
        struct fetch_session *session = broker->sessions[i];
        if (session->parked != NULL && session->idle) leave_idle(session);
    }
}

void cluster_hold_plain_fetches(struct cluster *cluster, int32_t change)
{
    cluster->plain_fetches += change;
    CHECK(cluster->plain_fetches >= 0);
    if (change <= 0) return;
    for (int32_t b = 0; b < cluster->broker_count; b++)
        fetch_hold_plain(cluster->brokers[b]);
}

/* ---- the request ------------------------------------------------------------------------- */

/* Bytes that can be returned now; INT64_MAX if there is an error to tell, or a wait cannot help. */
static int64_t count_available(struct fetch_session *session)
{
    int64_t available = 0;
    fetch_session_prefetch(session);
    for (int32_t i = 0; i < session->entry_count; i++) {
        struct fetch_entry *entry = session->entries[i];
        if (fetch_entry_attach(entry) != KAFKA_NONE) return INT64_MAX;
        if (entry->visible > entry->position) available += entry->visible - entry->position;
    }
    return available;
}

void fetch_handle(struct broker *broker, struct broker_connection *connection,
                  const struct fetch_request *request)
{
    enum kafka_error error = KAFKA_NONE;
    struct fetch_session *session = fetch_session_for(broker, request, &error);
    if (session == NULL) {
        struct fetch_response *response =
            MESSAGE_NEW(broker->memory, API_FETCH, struct fetch_response);
        response->error = error;
        broker_respond(broker, connection, &response->head, RESPONSE_BYTES);
        return;
    }
    session->parked = connection;
    connection->parked_fetch = session;
    session->may_idle = session->may_idle && !connection->settled_early;
    connection->settled_early = false;
    session->idle = false;
    session->between = false;
    session->available = count_available(session);
    if (session->available >= session->min_bytes || session->max_wait_ms == 0 ||
        session->entry_count == 0) {
        respond(session);
    } else {
        park(session);
    }
}

void fetch_connection_gone(struct broker *broker, struct broker_connection *connection)
{
    for (uint32_t i = 0; i < broker->session_count; i++) {
        struct fetch_session *session = broker->sessions[i];
        if (session->parked != connection) continue;
        end_wait(session);
        if (session->id == 0) fetch_session_release(session);
    }
}

void fetch_reset(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->session_count; i++) {
        broker->sessions[i]->is_ready = false;
        fetch_session_release(broker->sessions[i]);
    }
}
