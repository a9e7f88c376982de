#include "model/fetch_session.h"

#include "sim/check.h"

#include <string.h>

#define EVICTION_NS    SECONDS(120) /* min.incremental.fetch.session.eviction.ms */
#define RECENT_BATCHES 5u           /* what a reader that keeps up is given, about */

/* ---- watching ---------------------------------------------------------------------------- */

int64_t fetch_visible_offset(const struct fetch_session *session, const struct replica *replica)
{
    return session->isolation == READ_COMMITTED ? replica_last_stable(replica)
                                                : replica->high_watermark;
}

static int64_t visible_position(const struct fetch_session *session, const struct replica *replica)
{
    int64_t offset = fetch_visible_offset(session, replica);
    if (offset == replica->high_watermark) return replica->high_watermark_position;
    return replica_log_position(&replica->log, offset);
}

void fetch_entry_detach(struct fetch_entry *entry)
{
    if (entry->replica == NULL) return;
    if (entry->previous_watcher != NULL) {
        entry->previous_watcher->next_watcher = entry->next_watcher;
    } else {
        entry->replica->watchers = entry->next_watcher;
    }
    if (entry->next_watcher != NULL) {
        entry->next_watcher->previous_watcher = entry->previous_watcher;
    }
    entry->replica = NULL;
    entry->next_watcher = NULL;
    entry->previous_watcher = NULL;
}

/* Fetches name topics by their ids. KafkaApis.handleFetchRequest finds the name, which the session
 * keeps, then the partition; ReplicaManager.readFromLog compares the id with the log's. */
static enum kafka_error find_replica(struct fetch_entry *entry, struct replica **replica)
{
    struct broker *broker = entry->session->broker;
    enum kafka_error error =
        broker_leader_replica(broker, entry->partition, entry->current_leader_epoch, replica);
    int32_t topic = PARTITION_TOPIC(entry->partition);
    bool is_there = broker->view_counts[topic] > 0;
    bool is_same = is_there && broker->view_topic_ids[topic] == entry->topic_id;
    entry->is_named |= is_same;
    if (is_same) return error;
    *replica = NULL;
    if (!entry->is_named) return KAFKA_UNKNOWN_TOPIC_ID;
    return is_there ? KAFKA_INCONSISTENT_TOPIC_ID : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
}

enum kafka_error fetch_entry_attach(struct fetch_entry *entry)
{
    struct replica *replica = NULL;
    enum kafka_error error = find_replica(entry, &replica);
    if (replica != entry->replica) {
        fetch_entry_detach(entry);
        if (replica != NULL) {
            entry->replica = replica;
            entry->log = &replica->partition->log;
            entry->next_watcher = replica->watchers;
            if (replica->watchers != NULL) replica->watchers->previous_watcher = entry;
            replica->watchers = entry;
            entry->position = -1;
        }
    }
    if (error != KAFKA_NONE) return error;
    if (entry->offset < replica->partition->log.start_offset ||
        entry->offset > replica->log.end_offset) {
        return KAFKA_OFFSET_OUT_OF_RANGE;
    }
    if (entry->position < 0) entry->position = replica_log_position(&replica->log, entry->offset);
    entry->visible = visible_position(entry->session, replica);
    return KAFKA_NONE;
}

void fetch_prefetch_reader(const struct fetch_entry *entry)
{
    prefetch_line(entry->session);
}

void fetch_on_visible(struct replica *replica)
{
    struct broker *broker = replica->broker;
    for (struct fetch_entry *entry = replica->watchers; entry != NULL;
         entry = entry->next_watcher) {
        struct fetch_session *session = entry->session;
        if (session->parked == NULL) continue;
        int64_t visible = visible_position(session, replica);
        if (visible <= entry->visible) continue;
        int64_t unread = entry->visible > entry->position ? entry->visible : entry->position;
        entry->visible = visible;
        if (visible > unread) session->available += visible - unread;
        if (session->is_ready || session->available == 0) continue;
        session->is_ready = true;
        pointer_list_push(broker->memory, &broker->ready_fetches, session);
    }
}

void fetch_on_role_change(struct replica *replica)
{
    struct broker *broker = replica->broker;
    while (replica->watchers != NULL) {
        struct fetch_entry *entry = replica->watchers;
        struct fetch_session *session = entry->session;
        fetch_entry_detach(entry);
        if (session->parked == NULL || session->is_ready) continue;
        session->is_ready = true;
        session->available = INT64_MAX; /* an error to tell: no minimum applies */
        pointer_list_push(broker->memory, &broker->ready_fetches, session);
    }
}

void fetch_forget_positions(struct replica *replica)
{
    for (struct fetch_entry *entry = replica->watchers; entry != NULL;
         entry = entry->next_watcher) {
        entry->position = -1;
        entry->served_offset = -1;
    }
}

void fetch_session_prefetch(const struct fetch_session *session)
{
    struct fetch_entry *const *entries = session->entries;
    prefetch_lines(session->parked, 2);
    for (int32_t i = 0; i < session->entry_count; i++)
        prefetch_lines(entries[i], 2);
    for (int32_t i = 0; i < session->entry_count; i++) {
        prefetch_line(broker_view_place(session->broker, entries[i]->partition));
        prefetch_lines(entries[i]->replica, 2);
        prefetch_lines(entries[i]->log, 2);
    }
}

void fetch_session_prefetch_logs(const struct fetch_session *session)
{
    prefetch_line(session->parked->request);
    for (int32_t i = 0; i < session->entry_count; i++) {
        const struct fetch_entry *entry = session->entries[i];
        if (entry->replica == NULL) continue;
        const struct log_batches *main = &entry->log->main;
        uint32_t recent = main->count < RECENT_BATCHES ? main->count : RECENT_BATCHES;
        prefetch_lines(&main->items[main->first + main->count - recent], recent);
    }
}

/* ---- entries ----------------------------------------------------------------------------- */

/* Index of the partition, or where it belongs. */
static int32_t entry_index(const struct fetch_session *session, partition_id partition)
{
    int32_t low = 0;
    for (int32_t high = session->entry_count; low < high;) {
        int32_t middle = low + (high - low) / 2;
        if (session->entries[middle]->partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct fetch_entry *add_entry(struct fetch_session *session, int32_t index)
{
    struct memory *memory = session->broker->memory;
    if (session->entry_count == session->entry_capacity) {
        int32_t grown = session->entry_capacity == 0 ? 4 : session->entry_capacity * 2;
        session->entries =
            (struct fetch_entry **)memory_resize(memory, session->entries,
                                                 (size_t)session->entry_capacity * sizeof(void *),
                                                 (size_t)grown * sizeof(void *));
        session->entry_capacity = grown;
    }
    memmove(session->entries + index + 1, session->entries + index,
            (size_t)(session->entry_count - index) * sizeof(void *));
    struct fetch_entry *entry = memory_take(memory, sizeof *entry);
    entry->session = session;
    session->entries[index] = entry;
    session->entry_count++;
    return entry;
}

static void remove_entry(struct fetch_session *session, int32_t index)
{
    struct fetch_entry *entry = session->entries[index];
    fetch_entry_detach(entry);
    memory_give(session->broker->memory, entry, sizeof *entry);
    session->entry_count--;
    memmove(session->entries + index, session->entries + index + 1,
            (size_t)(session->entry_count - index) * sizeof(void *));
}

static void apply_changes(struct fetch_session *session, const struct fetch_request *request)
{
    for (int32_t i = 0; i < request->forgotten_count; i++) {
        int32_t index = entry_index(session, request->forgotten[i]);
        if (index < session->entry_count &&
            session->entries[index]->partition == request->forgotten[i]) {
            remove_entry(session, index);
        }
    }
    for (int32_t i = 0; i < request->partition_count; i++) {
        const struct fetch_partition *asked = &request->partitions[i];
        int32_t index = entry_index(session, asked->partition);
        struct fetch_entry *entry = NULL;
        bool is_listed =
            index < session->entry_count && session->entries[index]->partition == asked->partition;
        /* Another topic of that name: Kafka's client forgets the old one and adds the new. */
        if (is_listed && session->entries[index]->topic_id != asked->topic_id) {
            remove_entry(session, index);
            is_listed = false;
        }
        if (is_listed) {
            entry = session->entries[index];
        } else {
            entry = add_entry(session, index);
            entry->partition = asked->partition;
            entry->topic_id = asked->topic_id;
            entry->offset = -1;
            entry->told_high_watermark = -1;
            entry->told_log_start = -1;
        }
        if (entry->offset != asked->fetch_offset) {
            bool goes_on = entry->served_offset == asked->fetch_offset && entry->offset >= 0;
            entry->position = goes_on ? entry->served_position : -1;
        }
        entry->offset = asked->fetch_offset;
        entry->max_bytes = asked->max_bytes;
        entry->current_leader_epoch = asked->current_leader_epoch;
    }
    session->max_wait_ms = request->max_wait_ms;
    session->min_bytes = request->min_bytes;
    session->max_bytes = request->max_bytes;
    session->isolation = request->isolation;
    session->may_idle = request->may_idle;
}

/* ---- sessions ---------------------------------------------------------------------------- */

void fetch_session_release(struct fetch_session *session)
{
    while (session->entry_count > 0)
        remove_entry(session, session->entry_count - 1);
    sim_timer_cancel(session->broker->sim, &session->timer);
    if (session->in_use && session->id != 0) session->broker->cached_sessions--;
    session->broker->free_sessions[session->slot / 64] |= UINT64_C(1) << session->slot % 64;
    session->in_use = false;
    session->parked = NULL;
    session->idle = false;
    session->start = 0;
    session->epoch = 0;
    session->available = 0;
    session->sent_at = -1;
}

static struct fetch_session *new_slot(struct broker *broker)
{
    uint32_t slot = broker->session_count;
    if (slot == broker->session_capacity) {
        uint32_t grown = slot == 0 ? 64 : slot * 2;
        broker->free_sessions =
            memory_resize(broker->memory, broker->free_sessions, slot / 8, grown / 8);
        broker->sessions =
            (struct fetch_session **)memory_resize(broker->memory, broker->sessions,
                                                   slot * sizeof(void *), grown * sizeof(void *));
        broker->session_capacity = grown;
    }
    struct fetch_session *session = memory_keep(broker->memory, sizeof *session);
    session->broker = broker;
    session->slot = slot;
    session->sent_at = -1;
    sim_timer_init(&session->timer, broker->entity, BROKER_FETCH_EXPIRED, slot);
    broker->sessions[broker->session_count++] = session;
    return session;
}

/* The first slot that is free; NULL when there is none. */
static struct fetch_session *free_slot(const struct broker *broker)
{
    for (uint32_t word = 0; word * 64 < broker->session_count; word++) {
        for (uint64_t bits = broker->free_sessions[word]; bits != 0; bits &= bits - 1) {
            struct fetch_session *session =
                broker->sessions[word * 64 + (uint32_t)__builtin_ctzll(bits)];
            if (!session->is_ready) return session;
        }
    }
    return NULL;
}

/* The cached session that has waited longest for its client's next fetch, if that is long enough
 * to evict it; else NULL. */
static struct fetch_session *evictable(struct broker *broker)
{
    sim_time now = sim_now(broker->sim);
    if (now - broker->unused_since <= EVICTION_NS) return NULL;
    struct fetch_session *oldest = NULL;
    for (uint32_t i = 0; i < broker->session_count; i++) {
        struct fetch_session *session = broker->sessions[i];
        if (!session->in_use || session->id == 0 || session->parked != NULL) continue;
        if (oldest == NULL || session->used_at < oldest->used_at) oldest = session;
    }
    broker->unused_since = oldest == NULL ? now : oldest->used_at;
    return now - broker->unused_since > EVICTION_NS ? oldest : NULL;
}

/* A slot for a session, or for a fetch without one. Sessions that nobody used for a while make room
 * when the cache is full; in a full cache a client goes on without (FetchSessionCache). */
static struct fetch_session *open_session(struct broker *broker, bool wanted)
{
    struct fetch_session *session = free_slot(broker);
    if (wanted && broker->cached_sessions >= FETCH_SESSIONS_MAX) {
        struct fetch_session *oldest = evictable(broker);
        wanted = oldest != NULL;
        if (oldest != NULL) fetch_session_release(oldest);
        if (session == NULL) session = oldest;
    }
    if (session == NULL) session = new_slot(broker);
    broker->free_sessions[session->slot / 64] &= ~(UINT64_C(1) << session->slot % 64);
    session->in_use = true;
    session->generation++;
    session->id = 0;
    if (!wanted) return session;
    session->id = (int32_t)((session->slot + 1) | (session->generation & 0x7ff) << 20);
    broker->cached_sessions++;
    return session;
}

static struct fetch_session *find_session(const struct broker *broker, int32_t id)
{
    uint32_t slot = ((uint32_t)id & 0xfffff) - 1;
    if (slot >= broker->session_count) return NULL;
    struct fetch_session *session = broker->sessions[slot];
    return session->in_use && session->id == id ? session : NULL;
}

struct fetch_session *fetch_session_for(struct broker *broker, const struct fetch_request *request,
                                        enum kafka_error *error)
{
    struct fetch_session *session = NULL;
    *error = KAFKA_NONE;
    if (request->session_epoch == FETCH_EPOCH_INITIAL ||
        request->session_epoch == FETCH_EPOCH_NO_SESSION) {
        /* A full request closes the session it names. */
        struct fetch_session *old = find_session(broker, request->session_id);
        if (old != NULL && old->parked == NULL && !old->is_ready) fetch_session_release(old);
        session = open_session(broker, request->session_epoch == FETCH_EPOCH_INITIAL);
    } else {
        session = find_session(broker, request->session_id);
        if (session == NULL) {
            *error = KAFKA_FETCH_SESSION_ID_NOT_FOUND;
            return NULL;
        }
        if (session->epoch != request->session_epoch || session->parked != NULL) {
            *error = KAFKA_INVALID_FETCH_SESSION_EPOCH;
            return NULL;
        }
    }
    session->used_at = sim_now(broker->sim);
    session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
    apply_changes(session, request);
    return session;
}
