#include "model/broker_internal.h"

#include "sim/check.h"

#include <string.h>

/* Replication between two brokers. The follower keeps one fetch at the leader; the leader parks it
 * until one of the partitions has news, and its response gives everything the follower lacks. The
 * next fetch says that all of it has been appended. Kafka lists every partition's fetch offset in
 * the session's requests when it changed; here that follows from the response given before. */

#define RESPONSE_MAX_BYTES  (INT64_C(10) << 20) /* replica.fetch.response.max.bytes */
#define PARTITION_MAX_BYTES (INT64_C(1) << 20)  /* replica.fetch.max.bytes */
#define FETCH_BACKOFF_NS    SECONDS(1)          /* replica.fetch.backoff.ms */
#define SOCKET_TIMEOUT_NS   SECONDS(30)         /* replica.socket.timeout.ms */
#define REQUEST_SIZE_BYTES  100
#define ENTRY_SIZE_BYTES    40

/* ---- the leader's side ------------------------------------------------------------------- */

static void add_error(struct replica_session *session, const struct replica_fetched *entry)
{
    if (session->error_count == session->error_capacity) {
        int32_t grown = session->error_capacity == 0 ? 16 : session->error_capacity * 2;
        session->errors = memory_resize(session->broker->memory, session->errors,
                                        (size_t)session->error_capacity * sizeof *session->errors,
                                        (size_t)grown * sizeof *session->errors);
        session->error_capacity = grown;
    }
    session->errors[session->error_count++] = *entry;
}

static int32_t number_of(const struct partition *partition, int32_t broker)
{
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (partition->brokers[i] == broker) return i;
    }
    return -1;
}

static int32_t follower_number(const struct replica *replica, int32_t broker)
{
    for (int32_t i = 0; i < replica->replica_count; i++) {
        if (replica->followers[i].broker == broker) return i;
    }
    return -1;
}

static void prefetch_acknowledgement(const struct replica_fetched *given, int32_t count, int32_t i)
{
    if (i + PREFETCH_PARTITION < count) {
        const struct replica_fetched *next = &given[i + PREFETCH_PARTITION];
        prefetch_leader(next->leader);
        prefetch_follower(next->follower);
    }
    if (i + PREFETCH_REPLICA >= count) return;
    const struct replica *leader = given[i + PREFETCH_REPLICA].leader;
    if (leader == NULL) return;
    prefetch_partition(leader->partition);
    prefetch_lines(leader->watchers, 2);
    prefetch_line(leader->waits);
    const struct replica *sooner = given[i + PREFETCH_READER].leader;
    if (sooner != NULL && sooner->watchers != NULL) fetch_prefetch_reader(sooner->watchers);
}

/* What the last response gave has been appended. */
static void acknowledge(const struct replica_session *session,
                        const struct replica_fetch_request *request)
{
    for (int32_t i = 0; i < request->applied_count; i++) {
        const struct replica_fetched *given = &request->applied[i];
        prefetch_acknowledgement(request->applied, request->applied_count, i);
        if (given->error != KAFKA_NONE) continue;
        struct replica *replica = given->leader;
        if (!replica->is_leader || replica->leader_epoch != given->leader_epoch) continue;
        const struct replica *follower = given->follower;
        if (!replica->followers[follower->number].active) continue;
        int64_t position = given->end_offset == follower->log.end_offset
                               ? follower->log.end_position
                               : replica_log_position(&replica->log, given->end_offset);
        replica_progress(replica, follower->number, given->end_offset, position,
                         given->complete ? session->fetched_at : 0);
    }
}

/* A partition enters the session at an offset: check the epochs, then find where the logs part. */
static void enter(struct replica_session *session, const struct replica_fetch_partition *asked)
{
    struct broker *broker = session->broker;
    struct replica *replica = NULL;
    const struct partition *partition = cluster_partition(broker->cluster, asked->partition);
    /* Of a topic that has been deleted: the follower will hear of it. */
    if (partition == NULL || partition->topic_id != asked->topic_id) return;
    int32_t number = number_of(partition, session->follower);
    struct replica_fetched entry = {
        .leader = cluster_replica(broker->cluster, partition, broker->id),
        .follower = partition->replicas[number],
        .error =
            (int16_t)broker_leader_replica(broker, asked->partition, asked->leader_epoch, &replica),
        .leader_epoch = asked->leader_epoch,
    };
    if (replica != NULL && replica->partition != partition)
        entry.error = KAFKA_INCONSISTENT_TOPIC_ID; /* a recreated topic that we have not heard of */
    if (entry.error != KAFKA_NONE) {
        add_error(session, &entry);
        return;
    }
    const struct replica *follower = partition->replicas[number];
    int64_t common = replica_log_divergence(&follower->log, &replica->log);
    if (common > asked->fetch_offset) common = asked->fetch_offset;
    entry.end_offset = common;
    entry.high_watermark = replica->high_watermark;
    entry.truncate = common < asked->fetch_offset;
    if (entry.truncate) add_error(session, &entry);
    replica_progress(replica, number, common, replica_log_position(&replica->log, common), 0);
}

static void leave(struct broker *broker, int32_t follower, partition_id id)
{
    const struct partition *partition = cluster_partition(broker->cluster, id);
    if (partition == NULL) return;
    struct replica *replica = cluster_replica(broker->cluster, partition, broker->id);
    if (replica == NULL) return;
    int32_t number = number_of(partition, follower);
    if (number >= 0) replica->followers[number].active = false;
}

static void leave_all(struct broker *broker, int32_t follower)
{
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        int32_t number = number_of(replica->partition, follower);
        if (number >= 0) replica->followers[number].active = false;
    }
}

void replication_on_fetch(struct broker *broker, struct broker_connection *connection,
                          const struct replica_fetch_request *request)
{
    struct replica_session *session = &broker->replica_sessions[request->broker];
    if (request->session < session->number) return; /* its connection is being closed */
    CHECK(request->full || request->session == session->number);
    if (request->full) {
        session->number = request->session;
        leave_all(broker, request->broker);
        session->error_count = 0;
    }
    for (int32_t i = 0; i < request->forgotten_count; i++) {
        leave(broker, request->broker, request->forgotten[i]);
    }
    acknowledge(session, request);
    for (int32_t i = 0; i < request->partition_count; i++) {
        enter(session, &request->partitions[i]);
    }
    session->fetched_at = sim_now(broker->sim);
    session->parked = connection;
    if ((session->news.count > 0 || session->error_count > 0) && !session->is_ready) {
        session->is_ready = true;
        pointer_list_push(broker->memory, &broker->ready_sessions, session);
    }
}

/* Adds what the follower lacks of one partition to the response, as far as the limits allow; true
 * if some is left. */
static bool give(const struct replica_session *session, struct replica *replica,
                 struct replica_fetch_response *response, int64_t *budget)
{
    int32_t number = follower_number(replica, session->follower);
    const struct follower_progress *f = &replica->followers[number];
    if (!replica->is_leader || !f->active || f->end_offset >= replica->log.end_offset) return false;
    if (*budget <= 0) return true;
    int64_t end = replica->log.end_offset;
    int64_t bytes = replica->log.end_position - f->end_position;
    int64_t limit = *budget < PARTITION_MAX_BYTES ? *budget : PARTITION_MAX_BYTES;
    if (bytes > limit) {
        end = replica_log_advance(&replica->log, f->end_offset, limit);
        bytes = replica_log_position(&replica->log, end) - f->end_position;
    }
    *budget -= bytes;
    response->partitions[response->partition_count++] = (struct replica_fetched){
        .leader = replica,
        .follower = replica_sibling(replica, number),
        .leader_epoch = replica->leader_epoch,
        .end_offset = end,
        .high_watermark = replica->high_watermark,
        .complete = end == replica->log.end_offset,
    };
    return end < replica->log.end_offset;
}

void replication_session_flush(struct replica_session *session)
{
    struct broker *broker = session->broker;
    session->is_ready = false;
    if (session->parked == NULL) return;
    int64_t budget = RESPONSE_MAX_BYTES;
    uint32_t left = 0;
    struct replica_fetch_response *response =
        MESSAGE_NEW(broker->memory, API_REPLICA_FETCH, struct replica_fetch_response);
    response->partitions =
        MESSAGE_ARRAY_UNSET(broker->memory, &response->head, struct replica_fetched,
                            session->error_count + (int32_t)session->news.count);
    for (int32_t i = 0; i < session->error_count; i++)
        response->partitions[response->partition_count++] = session->errors[i];
    session->error_count = 0;
    for (uint32_t i = 0; i < session->news.count; i++) {
        struct replica *replica = session->news.items[i];
        if (i + PREFETCH_COPY < session->news.count) {
            prefetch_leader(session->news.items[i + PREFETCH_COPY]);
        }
        if (give(session, replica, response, &budget)) {
            session->news.items[left++] = replica;
        } else {
            replica->queued &= ~BROKER_BIT(session->follower);
        }
    }
    session->news.count = left;
    if (response->partition_count == 0) { /* the news was old: it waits on */
        message_free(broker->memory, &response->head);
        return;
    }
    struct broker_connection *connection = session->parked;
    session->parked = NULL;
    broker_respond(broker, connection, &response->head,
                   RESPONSE_MAX_BYTES - budget +
                       (int64_t)response->partition_count * ENTRY_SIZE_BYTES);
}

void replication_connection_gone(struct broker *broker, struct broker_connection *connection)
{
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        struct replica_session *session = &broker->replica_sessions[b];
        if (session->parked == connection) session->parked = NULL;
    }
}

/* ---- the follower's side ----------------------------------------------------------------- */

static void fetcher_ready(struct replica_fetcher *fetcher)
{
    if (fetcher->is_ready) return;
    fetcher->is_ready = true;
    pointer_list_push(fetcher->broker->memory, &fetcher->broker->ready_fetchers, fetcher);
}

static bool list_remove(struct pointer_list *list, const void *item)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i] != item) continue;
        memmove(list->items + i, list->items + i + 1, (list->count - i - 1) * sizeof *list->items);
        list->count--;
        return true;
    }
    return false;
}

void replication_follow(struct replica *replica, int32_t leader)
{
    struct replica_fetcher *fetcher = &replica->broker->fetchers[leader];
    fetcher->following++;
    pointer_list_push(replica->broker->memory, &fetcher->add, replica);
    fetcher_ready(fetcher);
}

void replication_unfollow(struct replica *replica, int32_t leader)
{
    struct replica_fetcher *fetcher = &replica->broker->fetchers[leader];
    fetcher->following--;
    list_remove(&fetcher->failed, replica);
    if (!list_remove(&fetcher->add, replica)) {
        pointer_list_push(replica->broker->memory, &fetcher->forget, replica);
    }
    if (fetcher->following > 0) return;
    /* Nothing is fetched from there any more; a new session will begin when that changes. */
    broker_link_close(&fetcher->link);
    fetcher->full = true;
    fetcher->forget.count = 0;
}

void replication_forget(struct replica *replica)
{
    struct broker *broker = replica->broker;
    list_remove(&broker->altering, replica);
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        list_remove(&broker->fetchers[b].add, replica);
        list_remove(&broker->fetchers[b].forget, replica);
        list_remove(&broker->fetchers[b].failed, replica);
    }
}

static struct replica_fetch_request *build_request(struct replica_fetcher *fetcher)
{
    struct broker *broker = fetcher->broker;
    struct replica_fetch_request *request =
        MESSAGE_NEW(broker->memory, API_REPLICA_FETCH, struct replica_fetch_request);
    request->broker = broker->id;
    if (fetcher->full) fetcher->session++;
    request->session = fetcher->session;
    request->full = fetcher->full;
    uint32_t count = fetcher->full ? broker->replicas.count : fetcher->add.count;
    void **from = fetcher->full ? broker->replicas.items : fetcher->add.items;
    request->partitions =
        MESSAGE_ARRAY(broker->memory, &request->head, struct replica_fetch_partition, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct replica *replica = from[i];
        if (replica->leader != fetcher->leader || replica->is_leader) continue;
        request->partitions[request->partition_count++] =
            (struct replica_fetch_partition){replica->partition->id, replica->partition->topic_id,
                                             replica->leader_epoch, replica->log.end_offset};
    }
    if (!fetcher->full) {
        request->forgotten =
            MESSAGE_ARRAY(broker->memory, &request->head, partition_id, fetcher->forget.count);
        for (uint32_t i = 0; i < fetcher->forget.count; i++) {
            const struct replica *replica = fetcher->forget.items[i];
            request->forgotten[request->forgotten_count++] = replica->partition->id;
        }
    }
    if (fetcher->applied != NULL) {
        /* It goes back as it came: thousands of entries need not be written again. */
        void *body = fetcher->applied;
        const struct replica_fetch_response *response = body;
        if (!fetcher->full) {
            request->applied = response->partitions;
            request->applied_count = response->partition_count;
            message_take_over(&request->head, fetcher->applied);
        }
        message_free(broker->memory, fetcher->applied);
        fetcher->applied = NULL;
    }
    fetcher->add.count = 0;
    fetcher->forget.count = 0;
    fetcher->full = false;
    return request;
}

/* Sends the next fetch if none is under way. A partition that joins while one is parked waits for
 * its return, as in Kafka; but where Kafka's comes back after replica.fetch.wait.max.ms at the
 * latest, an idle one here would not, so the follower gives it up and opens a new session. */
void replication_fetcher_flush(struct replica_fetcher *fetcher)
{
    fetcher->is_ready = false;
    if (fetcher->following == 0 || fetcher->applying != NULL) return;
    if (fetcher->link.awaiting) {
        if (fetcher->add.count == 0) return;
        broker_link_close(&fetcher->link);
        fetcher->full = true;
    }
    /* One that waits for the connection is replaced, and what it would have said with it. */
    if (fetcher->link.request != NULL) fetcher->full = true;
    struct replica_fetch_request *request = build_request(fetcher);
    int64_t size = REQUEST_SIZE_BYTES + (int64_t)request->partition_count * ENTRY_SIZE_BYTES;
    broker_link_send(&fetcher->link, &request->head, size, 0);
}

static void apply_entry(struct replica_fetcher *fetcher, const struct replica_fetched *entry)
{
    struct broker *broker = fetcher->broker;
    struct replica *replica = entry->follower;
    if (replica->leader != fetcher->leader || replica->leader_epoch != entry->leader_epoch ||
        replica->is_leader) {
        return;
    }
    if (entry->error != KAFKA_NONE) {
        pointer_list_push(broker->memory, &fetcher->failed, replica);
        return;
    }
    if (entry->truncate) {
        replica_truncate(replica, entry->end_offset);
    } else {
        struct replica *leader = entry->leader;
        if (entry->end_offset > leader->log.end_offset) return; /* cut off since */
        if (replica->log.branch != NULL) replica_rejoin(replica);
        replica_log_follow(&replica->log, &leader->log, entry->end_offset);
        replica_copy_producers(replica, leader);
    }
    int64_t limit = replica->log.end_offset;
    replica->high_watermark = entry->high_watermark < limit ? entry->high_watermark : limit;
}

void replication_apply(struct replica_fetcher *fetcher)
{
    struct broker *broker = fetcher->broker;
    struct message *message = fetcher->applying;
    if (message == NULL) return;
    fetcher->applying = NULL;
    const void *body = message;
    const struct replica_fetch_response *response = body;
    for (int32_t i = 0; i < response->partition_count; i++) {
        if (i + PREFETCH_COPY < response->partition_count) {
            prefetch_follower(response->partitions[i + PREFETCH_COPY].leader);
            prefetch_follower(response->partitions[i + PREFETCH_COPY].follower);
        }
        apply_entry(fetcher, &response->partitions[i]);
    }
    CHECK(fetcher->applied == NULL);
    fetcher->applied = message;
    if (fetcher->failed.count > 0 && !sim_timer_is_set(&fetcher->retry)) {
        sim_timer_set(broker->sim, &fetcher->retry, sim_now(broker->sim) + FETCH_BACKOFF_NS);
    }
    fetcher_ready(fetcher);
}

void replication_retry(struct replica_fetcher *fetcher)
{
    for (uint32_t i = 0; i < fetcher->failed.count; i++) {
        pointer_list_push(fetcher->broker->memory, &fetcher->add, fetcher->failed.items[i]);
    }
    fetcher->failed.count = 0;
    fetcher_ready(fetcher);
}

static void on_response(struct broker_link *link, struct message *response)
{
    struct replica_fetcher *fetcher = link->owner;
    struct broker *broker = fetcher->broker;
    if (response == NULL) {
        fetcher->full = true;
        return; /* on_ready comes after the back-off */
    }
    if (response->api != API_REPLICA_FETCH || fetcher->applying != NULL) {
        message_free(broker->memory, response);
        return;
    }
    fetcher->applying = response;
    sim_time disk_ns = broker_disk_ns(broker);
    if (disk_ns == 0) {
        replication_apply(fetcher);
    } else {
        sim_post(broker->sim, sim_now(broker->sim) + disk_ns, PHASE_INTERNAL, broker->entity,
                 broker->entity, BROKER_REPLICA_APPLY, (uint64_t)fetcher->leader, NULL);
    }
}

static void on_ready(struct broker_link *link)
{
    fetcher_ready(link->owner);
}

/* ---- the ISR ----------------------------------------------------------------------------- */

void replication_alter_isr(struct replica *replica, uint64_t isr)
{
    if (replica->altering) return;
    replica->altering = true;
    replica->wanted_isr = isr;
    replica->joining = isr & ~replica->isr;
    pointer_list_push(replica->broker->memory, &replica->broker->altering, replica);
}

/* Every half of replica.lag.time.max.ms: members that have not had everything for longer than it
 * are asked out (Partition.maybeShrinkIsr). */
void replication_check_lag(struct broker *broker)
{
    sim_time now = sim_now(broker->sim);
    sim_time lag_ns = MILLISECONDS(broker->cluster->config->replica_lag_time_max_ms);
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        if (!replica->is_leader) continue;
        /* Somebody may no longer be about to join. */
        if (replica->high_watermark < replica->log.end_offset) replica_advance(replica);
        if (replica->altering) continue;
        uint64_t isr = replica->isr;
        const struct partition *partition = replica->partition;
        for (int32_t n = 0; n < partition->replica_count; n++) {
            const struct follower_progress *f = &replica->followers[n];
            if (n == replica->number || f->end_offset == replica->log.end_offset) continue;
            if (now - f->caught_up_at > lag_ns) isr &= ~BROKER_BIT(partition->brokers[n]);
        }
        if (isr != replica->isr) replication_alter_isr(replica, isr);
    }
}

/* ---- life -------------------------------------------------------------------------------- */

void replication_init(struct broker *broker)
{
    size_t count = (size_t)broker->cluster->broker_count;
    if (broker->replica_sessions == NULL) {
        broker->replica_sessions =
            memory_keep(broker->memory, count * sizeof *broker->replica_sessions);
        broker->fetchers = memory_keep(broker->memory, count * sizeof *broker->fetchers);
    }
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        struct replica_session *session = &broker->replica_sessions[b];
        session->broker = broker;
        session->follower = b;
        struct replica_fetcher *fetcher = &broker->fetchers[b];
        fetcher->broker = broker;
        fetcher->leader = b;
        fetcher->full = true;
        broker_link_init(&fetcher->link, broker, broker->cluster->entities[b],
                         LINK_NUMBER_FETCHER(b));
        fetcher->link.owner = fetcher;
        fetcher->link.on_response = on_response;
        fetcher->link.on_ready = on_ready;
        sim_timer_init(&fetcher->retry, broker->entity, BROKER_REPLICA_RETRY, (uint64_t)b);
    }
}

void replication_reset(struct broker *broker)
{
    for (int32_t b = 0; b < broker->cluster->broker_count; b++) {
        struct replica_session *session = &broker->replica_sessions[b];
        session->news.count = 0;
        session->error_count = 0;
        session->parked = NULL;
        session->is_ready = false;
        struct replica_fetcher *fetcher = &broker->fetchers[b];
        message_free(broker->memory, fetcher->applying);
        fetcher->applying = NULL;
        message_free(broker->memory, fetcher->applied);
        fetcher->applied = NULL;
        message_free(broker->memory, fetcher->link.request);
        fetcher->link.request = NULL;
        fetcher->add.count = 0;
        fetcher->forget.count = 0;
        fetcher->failed.count = 0;
        fetcher->following = 0;
        fetcher->is_ready = false;
    }
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        replica->queued = 0;
    }
}
