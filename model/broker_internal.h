/* model/broker_internal.h: the insides of a broker, shared by the broker_*.c files.
 *
 * One event's journey: a message arrives (broker.c), waits until its connection and an io thread
 * are free, is handled by its API's file, and is answered at once or parked. What handling sets off
 * (a high watermark moved, a follower's fetch has news, a parked produce is complete) is collected
 * in lists and worked off by broker_finish at the end of the event, so handlers never call each
 * other in the middle of a change. */
#ifndef MODEL_BROKER_INTERNAL_H
#define MODEL_BROKER_INTERNAL_H

#include "model/broker.h"
#include "model/cluster_internal.h"
#include "model/controller.h"
#include "model/messages_cluster.h"
#include "model/messages_group.h"
#include "model/pointer_list.h"

struct fetch_entry;
struct fetch_session;
struct group_shard;
struct transaction_shard;
struct produce_wait;

/* ---- replicas ---------------------------------------------------------------------------- */

/* What a leader knows of one other replica. */
struct follower_progress {
    int64_t end_offset;
    int64_t end_position;
    sim_time caught_up_at; /* last instant at which it had everything */
    int32_t broker;        /* where the replica is */
    bool active;           /* in the follower's fetch session */
};

/* A request touches thousands of replicas, each in memory of its own, so what an append, a copy or
 * an acknowledgement reads comes first, by cache lines: a follower's is the first one, a leader's
 * the first two, those of `followers` and little of the rest. */
struct replica {
    struct replica_log log;
    int64_t high_watermark;
    int64_t high_watermark_position;
    /* as this broker knows */
    int32_t leader; /* broker id; -1 = none */
    int32_t leader_epoch;
    int16_t number; /* among the partition's replicas */
    int16_t replica_count;
    bool is_leader; /* it has taken over, at leader_epoch */
    bool altering;  /* an AlterPartition is under way */

    struct partition *partition;
    struct broker *broker;
    uint64_t isr;
    /* leader only */
    uint64_t queued;            /* followers (by broker) in whose session's news it is */
    uint64_t joining;           /* ISR members asked for and not confirmed (KIP-497) */
    struct produce_wait *waits; /* acks=all batches, in offset order */
    struct produce_wait *waits_last;
    struct fetch_entry *watchers; /* fetch sessions that read it here */

    sim_time high_watermark_at;                  /* when it last moved */
    struct group_shard *group_shard;             /* a partition of __consumer_offsets */
    struct transaction_shard *transaction_shard; /* of __transaction_state */
    int64_t epoch_start;
    struct producer_states
        *producers;      /* while the log has a branch: as of when it left the main one */
    uint64_t wanted_isr; /* while altering */
    int32_t partition_epoch;
    uint32_t cleaned_count;     /* batches left by the last cleaning of an internal log */
    int64_t first_dirty_offset; /* cleaned below it (cleaner-offset-checkpoint) */

    struct follower_progress followers[]; /* shape [replica_count]; own entry unused */
};

_Static_assert(sizeof(struct replica) == 192, "followers begin on a cache line");

static inline size_t replica_size(int32_t replica_count)
{
    return whole_lines(sizeof(struct replica) +
                       (size_t)replica_count * sizeof(struct follower_progress));
}

/* Another replica of the same partition: they lie one after the other (cluster.c). */
static inline struct replica *replica_sibling(struct replica *replica, int32_t number)
{
    ptrdiff_t size = (ptrdiff_t)replica_size(replica->replica_count);
    void *place = (char *)replica + (number - replica->number) * size;
    return place;
}

static inline struct replica_log *replica_log_of(struct replica *replica)
{
    return &replica->log;
}

/* A replica that is about to be followed, or led: see above. */
static inline void prefetch_follower(const struct replica *replica)
{
    prefetch_lines(replica, 1);
}
static inline void prefetch_leader(const struct replica *replica)
{
    if (replica == NULL) return;
    prefetch_lines(replica, 2);
    prefetch_lines(replica->followers, 2);
}

/* ---- connections ------------------------------------------------------------------------- */

struct broker_connection {
    connection_id id;
    entity_id peer;
    struct broker_connection *hash_next;
    struct message *request;  /* being served or parked; NULL = the channel is not muted */
    struct message **waiting; /* what arrived meanwhile */
    uint32_t waiting_first;
    uint32_t waiting_count;
    uint32_t waiting_capacity;
    struct fetch_session *parked_fetch;
    bool settled_early; /* broker_fetch_settle came before the fetch it is about */
    bool is_readable;   /* in the broker's list */
    bool is_served;     /* an io thread has the request */
    bool is_closing;    /* the client has closed it; what was read of it is still served … */
    bool send_failed;   /* … until an answer could not be sent */
    struct broker_link *link; /* this broker opened it; NULL = a client did */
};

/* A connection this broker opens, to another broker or the controller: requests one after another,
 * reconnected after a back-off. */
struct broker_link {
    struct broker *broker;
    entity_id peer;
    connection_id connection;
    enum { LINK_DOWN, LINK_CONNECTING, LINK_READY } state;
    struct message *request; /* to be sent; owned until sent */
    int64_t request_size_bytes;
    sim_time timeout_ns;    /* of the request; 0 = none */
    bool awaiting;          /* sent, not answered */
    struct sim_timer timer; /* back-off, connection set-up or request timeout */
    /* A response (the handler owns it), or NULL: the connection was lost and what was to be sent is
     * forgotten. */
    void (*on_response)(struct broker_link *link, struct message *response);
    /* Connected, or the back-off is over: if there is something to say, send it (which connects).
     */
    void (*on_ready)(struct broker_link *link);
    void *owner;
};

/* ---- replication ------------------------------------------------------------------------- */

/* At the leader: the fetch session of one follower broker. */
struct replica_session {
    struct broker *broker;
    int32_t follower;               /* broker id */
    struct pointer_list news;       /* replicas with records the follower was not given */
    struct replica_fetched *errors; /* to be told with the next response */
    int32_t error_count;
    int32_t error_capacity;
    struct broker_connection *parked; /* its fetch waits */
    uint32_t number;                  /* of the session; older requests are void */
    sim_time fetched_at;              /* when its last fetch came */
    bool is_ready;                    /* in the broker's list */
};

/* At the follower: what it fetches from one leader broker. */
struct replica_fetcher {
    struct broker *broker;
    int32_t leader; /* broker id */
    struct broker_link link;
    bool full;               /* the next request opens a new session */
    uint32_t session;        /* its number */
    struct pointer_list add; /* replicas to put into the session */
    struct pointer_list forget;
    struct message *applying; /* a response that waits for the disk */
    struct message *applied;  /* one that the next request acknowledges */
    struct sim_timer retry;   /* replica.fetch.backoff.ms after an error */
    struct pointer_list failed;
    int32_t following; /* replicas that have this leader */
    bool is_ready;     /* in the broker's list: something to send */
};

/* ---- the broker -------------------------------------------------------------------------- */

enum broker_event {
    BROKER_EXECUTE = 1,   /* number: connection; its service time is over */
    BROKER_LINK_TIMER,    /* number: link index */
    BROKER_REPLICA_APPLY, /* number: leader; the disk has written */
    BROKER_REPLICA_RETRY, /* number: leader */
    BROKER_REPLICA_LAG,   /* ISR check */
    BROKER_JOIN_RETRY,
    BROKER_HEARTBEAT_DUE, /* to the controller */
    BROKER_RETENTION,
    BROKER_FETCH_EXPIRED,   /* number: session index */
    BROKER_PRODUCE_EXPIRED, /* number: request index */
    BROKER_SHARD_TIMER,     /* number: offsets partition */
    BROKER_SHARD_LOADED,
    BROKER_TRANSACTION_TIMER,
    BROKER_TRANSACTIONS_LOADED, /* number: partition of __transaction_state */
    BROKER_CLEANER,
};

/* What this broker knows of any partition, hosted here or not. */
struct partition_view {
    struct replica *replica; /* the broker's own; NULL = it has none */
    int32_t leader;
    int32_t leader_epoch;
    uint64_t last_entry; /* of the metadata log, while several are applied together */
};

struct broker {
    struct cluster *cluster;
    struct sim *sim;
    struct memory *memory;
    int32_t id;
    name_id name;
    entity_id entity;
    process_id process;
    uint32_t incarnation;
    bool running;
    bool shutting_down;
    bool starts_again;                        /* as soon as it has shut down */
    sim_time died_at;                         /* when it last crashed */
    const struct broker_config *group_config; /* of the group coordinator, read when it starts */

    uint64_t version; /* of the metadata it has applied */
    uint64_t alive;
    struct partition_view **views; /* by topic, then partition */
    int32_t *view_counts;          /* partitions known, by topic; 0 = no such topic */
    int32_t *view_topic_ids;       /* whose partitions these are, by topic */

    sim_time io_free_at[BROKER_IO_THREADS];
    struct rng_key service_key;
    struct rng_key disk_key;
    uint64_t appends; /* counts disk draws */
    sim_time disk_stalled_until;

    struct broker_connection **buckets; /* hash of connections */
    uint32_t bucket_count;
    uint32_t connection_count;

    struct pointer_list replicas;             /* all hosted here */
    struct replica_session *replica_sessions; /* by follower broker */
    struct replica_fetcher *fetchers;         /* by leader broker */
    struct broker_link controller_link;
    bool registered;
    bool heartbeat_due; /* to be sent when the link is free */
    bool has_learned;   /* metadata since the start of the process */
    struct sim_timer heartbeat;
    struct sim_timer lag_check;
    struct sim_timer join_retry;
    struct sim_timer retention;
    struct sim_timer cleaner;
    struct pointer_list altering; /* replicas whose ISR is to be altered */

    struct fetch_session **sessions; /* slots; session id = slot + 1 */
    uint32_t session_count;          /* slots made */
    uint32_t session_capacity;
    uint64_t *free_sessions;  /* bit per slot */
    uint32_t cached_sessions; /* in use, with an id */
    sim_time unused_since;    /* no cached session that waits for its client was used before this */
    struct produce_pending **pending; /* slots of parked produce requests */
    uint32_t pending_count;
    uint32_t pending_capacity;
    uint32_t pending_free; /* a free slot, or UINT32_MAX */

    struct group_host *groups;             /* broker_groups.c */
    struct transaction_host *transactions; /* broker_transactions.c */

    /* work collected during an event */
    struct pointer_list ready_connections;
    struct pointer_list ready_sessions; /* replica sessions with news and a parked fetch */
    struct pointer_list ready_fetchers;
    struct pointer_list ready_fetches;
    struct pointer_list ready_produces;
    struct pointer_list ready_shards;
    struct pointer_list ready_transactions;
    bool markers_waiting;
};

/* broker.c */
entity_id broker_entity(const struct broker *broker);
void broker_start(struct broker *broker);
/* The end of a controlled shutdown: the process is to exit now. */
void broker_stopped(struct broker *broker);
/* The partition's replica of this number, in its place, is this broker's. */
void broker_add_replica(struct broker *broker, struct partition *partition, int32_t number);
struct broker_connection *broker_connection_find(struct broker *broker, connection_id id);
struct broker_connection *broker_connection_add(struct broker *broker, connection_id id,
                                                entity_id peer);
/* Closes it from this side; the client learns of it. */
void broker_disconnect(struct broker *broker, struct broker_connection *connection);
void broker_connection_remove(struct broker *broker, struct broker_connection *connection);
/* Answers the request that the connection is busy with (response NULL: nobody is to be answered)
 * and lets it read on. */
void broker_respond(struct broker *broker, struct broker_connection *connection,
                    struct message *response, int64_t size_bytes);
void broker_finish(struct broker *broker);
/* Deletes what retention lets go of this log. */
void broker_retain(struct replica *replica, const struct topic *topic);
/* How long an append that begins now keeps its thread waiting. */
sim_time broker_disk_ns(struct broker *broker);

/* broker_link.c */
void broker_link_init(struct broker_link *link, struct broker *broker, entity_id peer,
                      uint64_t number);
void broker_link_open(struct broker_link *link);
void broker_link_close(struct broker_link *link);
/* Sends when it can; replaces a request not sent yet. One at a time: not while awaiting. */
void broker_link_send(struct broker_link *link, struct message *request, int64_t size_bytes,
                      sim_time timeout_ns);
void broker_link_on_event(struct broker_link *link, const struct sim_event *event);
void broker_link_on_timer(struct broker_link *link);
/* The link whose timer has this number. */
struct broker_link *broker_link_numbered(struct broker *broker, uint64_t number);
#define LINK_NUMBER_CONTROLLER    0u
#define LINK_NUMBER_FETCHER(peer) (1u + 2u * (uint32_t)(peer))
#define LINK_NUMBER_MARKERS(peer) (2u + 2u * (uint32_t)(peer))

/* broker_replica.c: the leader's side */
/* Appends to the leader's log; followers and readers are told at broker_finish. */
int64_t replica_append(struct replica *replica, const struct log_append *append);
/* Recomputes the high watermark; emits, wakes who waits. */
void replica_advance(struct replica *replica);
/* The producers of this replica's log. */
struct producer_states *replica_producers(struct replica *replica);
/* A follower whose log is not the main one has appended what this leader has. */
void replica_copy_producers(struct replica *replica, struct replica *leader);
/* As a follower: the logs part at this offset. */
void replica_truncate(struct replica *replica, int64_t offset);
/* Back on the main log if nothing differs any more. */
void replica_rejoin(struct replica *replica);
int64_t replica_last_stable(const struct replica *replica);
/* A follower reached this end, by its fetch of now. It had everything at `caught_up_at` (0 = when
 * is not known), and has it now if this is the log end. */
void replica_progress(struct replica *replica, int32_t number, int64_t end_offset,
                      int64_t end_position, sim_time caught_up_at);
/* Followers that could not join the ISR when they had caught up are looked at again. */
void replica_retry_joins(struct broker *broker);
void replica_check_joins(struct broker *broker);
void replica_become(struct replica *replica, const struct metadata_entry *entry);
/* Its topic is gone: it neither leads nor follows any more, and whoever waits is told. The caller
 * takes it from the broker's list. */
void replica_delete(struct replica *replica);
int32_t replica_min_isr(const struct replica *replica);

/* broker_replication.c */
void replication_init(struct broker *broker);
void replication_reset(struct broker *broker);
void replication_on_fetch(struct broker *broker, struct broker_connection *connection,
                          const struct replica_fetch_request *request);
void replication_connection_gone(struct broker *broker, struct broker_connection *connection);
void replication_session_flush(struct replica_session *session);
void replication_fetcher_flush(struct replica_fetcher *fetcher);
void replication_apply(struct replica_fetcher *fetcher);
void replication_retry(struct replica_fetcher *fetcher);
void replication_follow(struct replica *replica, int32_t leader);
void replication_unfollow(struct replica *replica, int32_t leader);
/* A deleted replica leaves every list of what is to be asked. */
void replication_forget(struct replica *replica);
void replication_check_lag(struct broker *broker);
void replication_alter_isr(struct replica *replica, uint64_t isr);

/* broker_produce.c */
void produce_handle(struct broker *broker, struct broker_connection *connection,
                    const struct produce_request *request);
void produce_on_high_watermark(struct replica *replica);
void produce_fail_waits(struct replica *replica, enum kafka_error error);
void produce_complete(struct broker *broker, struct produce_pending *pending);
/* WriteTxnMarkers; connection NULL = of this broker's own coordinator. The request stays the
 * caller's, or the connection's. */
void produce_write_markers(struct broker *broker, struct broker_connection *connection,
                           const struct message *request);
/* A group coordinator has written the marker it was given under this token. */
void produce_marker_written(struct broker *broker, uint64_t token, enum kafka_error error);
#define MARKER_TOKEN (UINT64_C(1) << 63)
void produce_expired(struct broker *broker, uint32_t slot);
void produce_connection_gone(struct broker *broker, struct broker_connection *connection);
void produce_reset(struct broker *broker);

/* broker_fetch.c, fetch_session.c */
void fetch_handle(struct broker *broker, struct broker_connection *connection,
                  const struct fetch_request *request);
void fetch_on_visible(struct replica *replica);
/* The session of an entry that has been prefetched. */
void fetch_prefetch_reader(const struct fetch_entry *entry);
void fetch_on_role_change(struct replica *replica);
/* Positions in the log, which readers remember, are to be looked up again. */
void fetch_forget_positions(struct replica *replica);
void fetch_answer(struct broker *broker, struct fetch_session *session);
void fetch_expired(struct broker *broker, uint32_t slot);
void fetch_connection_gone(struct broker *broker, struct broker_connection *connection);
void fetch_hold_plain(struct broker *broker);
void fetch_reset(struct broker *broker);

/* broker_metadata.c */
void metadata_handle(struct broker *broker, struct broker_connection *connection,
                     const struct metadata_request *request);
void list_offsets_handle(struct broker *broker, struct broker_connection *connection,
                         const struct list_offsets_request *request);
void epoch_handle(struct broker *broker, struct broker_connection *connection,
                  const struct offset_for_leader_epoch_request *request);
void find_coordinator_handle(struct broker *broker, struct broker_connection *connection,
                             const struct find_coordinator_request *request);
/* NULL when the broker does not know of the partition. */
static inline const struct partition_view *broker_view_place(const struct broker *broker,
                                                             partition_id partition)
{
    int32_t topic = PARTITION_TOPIC(partition);
    int32_t number = PARTITION_NUMBER(partition);
    if (topic >= broker->cluster->topic_count || number >= broker->view_counts[topic]) return NULL;
    return &broker->views[topic][number];
}
static inline struct partition_view broker_view(const struct broker *broker, partition_id partition)
{
    const struct partition_view *view = broker_view_place(broker, partition);
    return view != NULL ? *view : (struct partition_view){.leader = -1, .leader_epoch = -1};
}
/* Entries of the metadata log up to `to_version`. */
void broker_apply_metadata(struct broker *broker, uint64_t to_version);
/* The state of this instant, as a starting broker gets it by catching up with the log. */
void broker_learn_everything(struct broker *broker);
/* Why this broker does not serve the partition, or the replica that does. `epoch` -1 = not given.
 */
enum kafka_error broker_leader_replica(struct broker *broker, partition_id partition, int32_t epoch,
                                       struct replica **replica);

/* broker_membership.c: registration, heartbeats, AlterPartition */
void membership_init(struct broker *broker);
void membership_start(struct broker *broker);
void membership_heartbeat(struct broker *broker);
void membership_flush(struct broker *broker);

/* broker_transactions.c */
void transactions_init(struct broker *broker);
void transactions_reset(struct broker *broker);
void transactions_handle(struct broker *broker, struct broker_connection *connection,
                         const struct message *request);
/* Whether a transactional write to this partition may be taken: KIP-890. */
enum kafka_error broker_verify_transaction(struct broker *broker, name_id id, int64_t producer_id,
                                           int16_t epoch, partition_id partition);
void transactions_on_role_change(struct replica *replica);
void transactions_on_high_watermark(struct replica *replica);
void transactions_run_shard(struct broker *broker, struct transaction_shard *shard);
#define TRANSACTION_TIMER_SWEEP 0u
#define TRANSACTION_TIMER_RETRY 1u
void transactions_timer(struct broker *broker, uint64_t number);
void transactions_log_read(struct broker *broker, uint64_t partition);
/* Sends the markers that wait. */
void transactions_flush(struct broker *broker);
/* This broker wrote its own markers. */
void transactions_markers_done(struct broker *broker, struct message *response);
struct broker_link *transactions_link(struct broker *broker, int32_t peer);

/* broker_groups.c */
/* Hands a marker to the shard; the answer comes to produce_marker_written. */
enum kafka_error groups_write_marker(struct replica *replica, const struct txn_marker_entry *marker,
                                     uint64_t token);
void groups_init(struct broker *broker);
void groups_reset(struct broker *broker);
void groups_handle(struct broker *broker, struct broker_connection *connection,
                   const struct message *request);
void groups_on_role_change(struct replica *replica);
void groups_on_high_watermark(struct replica *replica);
void groups_run_shard(struct broker *broker, struct group_shard *shard);
void groups_timer(struct broker *broker, uint64_t partition);
void groups_loaded(struct broker *broker, uint64_t partition);
void groups_on_topics(struct broker *broker);
/* broker_commits.c */
/* A commit without the partitions that this broker does not know; NULL when it knows all of them,
 * or it is no commit. */
struct message *commit_known_part(const struct broker *broker, const struct message *request);
int32_t commit_offset_count(const struct message *request);
/* The answer to the known part (NULL: nothing was known), and for the others that they are unknown;
 * takes `response` over. */
struct message *commit_whole_response(const struct broker *broker, const struct message *request,
                                      struct message *response);
/* broker_cleaner.c: compaction of the other topics */
void cleaner_start(struct broker *broker);
void cleaner_run(struct broker *broker);
/* internal_log.c: payloads, and compaction of the internal topics */
struct log_payloads broker_log_payloads(struct cluster *cluster, const struct topic *topic);
void internal_log_clean(struct replica *replica);
/* How long a new coordinator takes to read its log. */
sim_time internal_log_load_ns(const struct replica *replica);
/* Cleans when the log has grown to twice what cleaning left. */
void internal_log_appended(struct replica *replica);

#endif
