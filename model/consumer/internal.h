/* model/consumer/internal.h: what the parts of a consumer share. Not for anybody else.
 *
 * Thread A, the application, is one state machine: what it does is `activity`; what it waits for
 * inside a client call is in poll, commit_sync or closing. Thread H, the heartbeat thread of the
 * classic protocol, is an entity beside it. Blocking calls take a continuation (`then`): what the
 * thread does when the call returns. */
#ifndef MODEL_CONSUMER_INTERNAL_H
#define MODEL_CONSUMER_INTERNAL_H

#include "model/client/backoff.h"
#include "model/client/client_metadata.h"
#include "model/client/network_client.h"
#include "model/consumer/application.h"
#include "model/consumer/consumer.h"
#include "model/consumer/consumer_member.h"
#include "model/consumer/partition_set.h"
#include "model/messages_data.h"
#include "model/messages_group.h"

#define APPLICATION_POLL_NS MILLISECONDS(100) /* poll(Duration.ofMillis(100)) */
#define GROUP_REQUEST_BYTES 128               /* a small request on the wire, about */

enum activity {
    ACTIVITY_DOWN,
    ACTIVITY_STARTING, /* the process runs, the first poll() is still to come */
    ACTIVITY_POLL,     /* inside poll() */
    ACTIVITY_CALLBACK, /* inside a rebalance listener */
    ACTIVITY_WORK,     /* with the records of a poll() */
    ACTIVITY_CLOSE,    /* inside close() */
};

/* ---- subscription.c: owned partitions and their positions (SubscriptionState) ---- */

/*   INITIALIZING ──committed offset──▶ FETCHING ◀──validated──▶ AWAIT_VALIDATION
 *        └──none──▶ AWAIT_RESET ──ListOffsets──▶ FETCHING ──out of range──▶ AWAIT_RESET      */
enum position_state {
    POSITION_INITIALIZING,
    POSITION_FETCHING,
    POSITION_AWAIT_RESET,
    POSITION_AWAIT_VALIDATION,
    POSITION_STATE_COUNT
};

struct owned_partition {
    partition_id id;
    name_id topic;
    enum position_state state;
    int64_t position;       /* next offset poll() returns; -1 = none yet */
    int32_t position_epoch; /* leader epoch of the record before it; -1 = unknown */
    int32_t leader;         /* as the metadata last said; -1 = none */
    int32_t leader_epoch;
    int32_t topic_id;
    enum auto_offset_reset reset; /* AWAIT_RESET */
    enum position_cause reset_cause;
    bool reset_to_end;   /* AWAIT_RESET by duration found no record that young */
    sim_time retry_at;   /* AWAIT_RESET, AWAIT_VALIDATION: not before */
    uint64_t validation; /* the latest request that asked about its position */
    bool is_paused;
    bool is_pending_revocation;
    bool is_pending_callback; /* KIP-848: not fetched before onPartitionsAssigned has returned */
    bool is_announced;        /* the application knows that it owns it */
    bool is_buffered;         /* a completed fetch of it waits, or is partly returned */
    int32_t session_node;     /* broker whose fetch session lists it; -1 = none */
    int64_t session_offset;   /* as the session has it */
    int32_t session_epoch;
    int32_t session_topic_id;
    uint64_t ownership; /* tells one time of owning it from the next */
};

struct owned_partitions {
    struct owned_partition **owned; /* ascending by id */
    partition_id *ids;              /* the same, where a search finds them side by side */
    int32_t count;
    int32_t capacity;
    int32_t in_state[POSITION_STATE_COUNT];
    int32_t leaderless; /* of them, without a known leader */
    uint64_t ownerships;
    uint64_t validations;      /* requests that asked about positions */
    uint64_t metadata_version; /* leaders are as of this */
};

struct owned_partition *owned_find(const struct consumer *consumer, partition_id id);
/* Emits OWNED; ids ascending, not owned yet. */
void subscription_add(struct consumer *consumer, const partition_id *ids, int32_t count);
/* The application is told that it owns them. The consumer protocol's background thread may have
 * installed them long before, while the application was busy. */
void subscription_announce(struct consumer *consumer, const partition_id *ids, int32_t count);
/* Emits DISOWNED; ids ascending. */
void subscription_remove(struct consumer *consumer, const partition_id *ids, int32_t count,
                         enum ownership_end end);
void subscription_clear(struct consumer *consumer, enum ownership_end end);
/* Ids of all owned partitions, shape [subscription.count]; give back with the same count. */
partition_id *subscription_ids(const struct consumer *consumer);
void position_set_state(struct consumer *consumer, struct owned_partition *owned,
                        enum position_state state);
/* Sets the position and, with an epoch and a leader, asks for its validation. Emits POSITION. */
void position_set(struct consumer *consumer, struct owned_partition *owned, int64_t offset,
                  int32_t epoch, enum position_cause cause);
void position_await_reset(struct consumer *consumer, struct owned_partition *owned,
                          enum position_cause cause);
/* Takes new leaders over from the metadata, if there is a newer version. */
void subscription_update_leaders(struct consumer *consumer);

/* ---- fetcher.c, fetch_buffer.c ---- */

struct completed_fetch {
    struct completed_fetch *next;
    partition_id partition;
    int32_t topic_id; /* whose records these are */
    uint64_t ownership;
    enum kafka_error error;
    int64_t fetch_offset;
    int64_t next_offset; /* of the first record not returned yet */
    int64_t bytes;       /* not returned yet */
    bool is_initialized; /* looked at when its turn came */
    bool is_drained;     /* the end was reached by trying to read on */
    int32_t slice;       /* being returned */
    int32_t slice_count;
    struct batch_slice slices[];
};

struct broker_fetch {
    bool in_flight;
    bool may_idle; /* the one in flight; until it is settled */
    bool is_dirty; /* what to ask for has changed since the last request */
    int32_t session_id;
    int32_t session_epoch;
    int32_t wanted;          /* partitions that the last request asked for */
    partition_id *forgotten; /* in the session, no longer owned */
    int32_t forgotten_count;
    int32_t forgotten_capacity;
};

struct fetcher {
    struct broker_fetch *brokers; /* shape [broker_count] */
    int32_t broker_count;
    struct completed_fetch *in_line; /* partly returned */
    struct completed_fetch *first;
    struct completed_fetch *last;
    int64_t buffered_bytes;
    sim_time retry_at; /* a broker to fetch from is in reconnect back-off until then */
};

/* `idle` when the thread goes on to wait inside poll(). */
void fetcher_send(struct consumer *consumer, bool idle);
/* The thread leaves poll(), or wants something else: fetches no longer idle (model/broker.h). */
void fetcher_settle(struct consumer *consumer);
void fetcher_mark_dirty(struct consumer *consumer, int32_t broker);
/* Moves up to max.poll.records into the batch. True if poll() has something to return, if only
 * positions that moved. May throw. */
bool fetcher_collect(struct consumer *consumer);
void fetcher_forget(struct consumer *consumer, const struct owned_partition *owned);
void fetcher_reset(struct consumer *consumer);

void fetch_buffer_add(struct consumer *consumer, const struct fetch_response *response,
                      const struct fetched_partition *fetched, struct owned_partition *owned);
void fetch_buffer_clear(struct consumer *consumer);

/* ---- positions.c: where to begin ---- */

struct committed_lookup { /* OffsetFetch for INITIALIZING partitions */
    bool in_flight;
    uint64_t number;     /* an answer to an older one is dropped */
    uint64_t ownerships; /* the assignment it is about */
    uint32_t attempts;
    sim_time retry_at;
    enum kafka_error thrown; /* with a text: by the next poll() */
    const char *thrown_text;
};

enum phase {
    PHASE_STEP_DONE,
    PHASE_STEP_STOPPED, /* the rest of the phase is left out this time */
    PHASE_STEP_BLOCKED, /* waits for something, at most for the rest of the poll() timeout */
    PHASE_STEP_LEFT,    /* the thread is elsewhere now: a listener, close(), dead */
};

/* updateFetchPositions. */
enum phase positions_update(struct consumer *consumer);
/* When it has something to do by the clock. */
sim_time positions_retry_at(const struct consumer *consumer);
void positions_reset(struct consumer *consumer);

/* ---- coordinator_lookup.c ---- */

struct coordinator_lookup {
    int32_t node; /* -1 = unknown */
    bool in_flight;
    uint64_t number;
    uint32_t attempts;
    sim_time retry_at;
};

bool coordinator_is_known(const struct consumer *consumer);
/* Asks for it unless it is known, asked for or backed off from. */
void coordinator_find(struct consumer *consumer);
void coordinator_mark_unknown(struct consumer *consumer, enum kafka_error error);
/* A channel was lost. */
void coordinator_on_disconnect(struct consumer *consumer, int32_t channel);
void coordinator_reset(struct consumer *consumer);
/* Sends to the coordinator, which must be known. */
void coordinator_send(struct consumer *consumer, struct message *message, int64_t timeout_ms,
                      request_handler *handler, uint64_t tag);

/* ---- committer.c, commit_sync.c ---- */

enum commit_outcome {
    COMMIT_DONE_WELL,
    COMMIT_RETRIABLE,   /* RetriableCommitFailedException, or a retry of commitSync */
    COMMIT_REBALANCING, /* RebalanceInProgressException: poll() and try again */
    COMMIT_REFUSED,     /* CommitFailedException */
    COMMIT_TIMED_OUT,   /* commitSync: the outcome is unknown */
    COMMIT_FATAL,       /* anything else: thrown */
};

struct commit {
    struct commit *next;
    uint64_t number;
    enum commit_call call;
    struct offsets offsets;
    sim_time started_at;
    uint64_t generation_tag; /* of the generation it was sent under */
    enum commit_outcome outcome;
    enum kafka_error error;
    void (*done)(struct consumer *consumer, const struct commit *commit);
    void (*then)(struct consumer *consumer, const struct commit *commit); /* of commit_async */
};

struct committer {
    uint64_t commits;
    struct commit *waiting; /* async ones, until the coordinator is found */
    struct commit *waiting_last;
    struct commit *in_flight;
    sim_time auto_commit_at;
    enum kafka_error fenced; /* by an async commit; thrown by the next poll() */
    struct commit *again;    /* failed, waiting to be sent again; oldest first */
};

/* One attempt. `done` is called in every case, perhaps before this returns. */
void commit_send(struct consumer *consumer, enum commit_call call, struct offsets *offsets,
                 void (*done)(struct consumer *consumer, const struct commit *commit));
/* commitAsync() of an application whose callback sends what failed again, after async_retry. */
void commit_async_stubborn(struct consumer *consumer, struct offsets *offsets);
void commit_again(struct consumer *consumer);
/* commitAsync(positions): like commit_send, but waits for an unknown coordinator to be found. */
void commit_async(struct consumer *consumer, enum commit_call call, struct offsets *offsets,
                  void (*done)(struct consumer *consumer, const struct commit *commit));
/* Step 6 of the coordinator phase. */
void commit_auto_if_due(struct consumer *consumer);
void committer_on_lookup(struct consumer *consumer, bool found);
void committer_reset(struct consumer *consumer);

struct commit_sync {
    bool is_active;
    enum commit_call call;
    struct offsets offsets;
    sim_time deadline_at;
    sim_time retry_at;
    uint32_t attempts;
    bool in_flight;
    bool is_answered;
    uint64_t abandoned; /* attempts up to this number belong to calls that timed out */
    enum commit_outcome outcome;
    enum kafka_error error;
    continuation *then; /* looks at outcome */
};

/* commitSync; A goes on with `then`. An empty set of offsets is committed at once. */
void commit_sync(struct consumer *consumer, enum commit_call call, struct offsets *offsets,
                 int64_t timeout_ms, continuation *then);
void commit_sync_step(struct consumer *consumer);

/* ---- listener.c ---- */

enum listener_call { LISTENER_REVOKED, LISTENER_LOST, LISTENER_ASSIGNED };
struct listener {
    enum listener_call call;
    int32_t count;
    struct sim_timer restore; /* running time */
    continuation *then;
    int32_t throwing[THROW_PLACE_COUNT]; /* faults of the timeline */
    bool has_thrown;                     /* to be thrown from poll() when the state has changed */
    bool is_pausing;                     /* the application has caught it and waits */
};
/* Runs a rebalance listener on A. True if it has returned already; else A is in it, and goes on
 * with `then` afterwards. For REVOKED and LOST the partitions are still owned while it runs, for
 * ASSIGNED they already are. */
bool listener_call(struct consumer *consumer, enum listener_call call, const partition_id *ids,
                   int32_t count, continuation *then);
void listener_restored(struct consumer *consumer);
/* What the listener threw comes out of poll(), if it threw: LEFT. Else `otherwise`. */
enum phase listener_rethrow(struct consumer *consumer, enum phase otherwise);
/* An exception of the application's own code comes out of poll(). */
enum phase listener_fail_poll(struct consumer *consumer, const char *text);
/* Commit mode external: positions come from the sink. */
void listener_seek_external(struct consumer *consumer, const partition_id *ids, int32_t count);

/* ---- classic_member.c, join.c, rebalance.c, heartbeat_thread.c ---- */

enum member_state {
    MEMBER_UNJOINED,
    MEMBER_PREPARING_REBALANCE,
    MEMBER_COMPLETING_REBALANCE,
    MEMBER_STABLE,
};

struct generation {
    int32_t id; /* -1 = none */
    name_id member_id;
    name_id protocol;
};

enum join_result {
    JOIN_IDLE,    /* no join under way */
    JOIN_PENDING, /* JoinGroup or SyncGroup sent */
    JOIN_SUCCEEDED,
    JOIN_FAILED_RETRY_NOW,
    JOIN_FAILED_RETRY_LATER,
    JOIN_FAILED_FATAL,
};

struct classic_member {
    enum member_state state;
    struct generation generation;
    /* What groupMetadata() returns: of the last join that completed (consumer protocol: of the last
     * epoch), and still so when that membership is over. It is what fences a zombie's offsets. */
    struct generation group_metadata;
    bool is_cooperative; /* the protocol all configured assignors support */
    bool rejoin_is_needed;
    bool needs_join_prepare;
    name_id rejoin_reason;
    enum join_result join;
    enum kafka_error join_error;
    uint8_t *assignment; /* JOIN_SUCCEEDED: from SyncGroup */
    uint32_t assignment_length;
    sim_time join_retry_at; /* JOIN_FAILED_RETRY_LATER was seen: not before */
    /* onJoinPrepare */
    bool prepare_is_started;
    bool is_losing; /* the membership is gone: onPartitionsLost */
    sim_time prepare_ends_at;
    bool prepare_commit_in_flight;
    bool prepare_commit_is_done;
    enum commit_outcome prepare_commit_outcome;
    sim_time prepare_retry_at;
    /* leader */
    bool is_leader;
    struct join_group_response *leading; /* kept until the metadata is fresh */
    bool leading_waits;                  /* for a metadata response after this version */
    uint64_t leading_version;
    uint64_t snapshot; /* digest of partition counts used for the assignment */
    uint64_t watched_version;
    bool snapshot_is_set;
    /* what the sticky assignors remember (onAssignment) */
    partition_id *remembered;
    int32_t remembered_count;
    int32_t remembered_generation;
    bool assignor_has_thrown;
    bool completes_again; /* the assignment is applied, but its listener threw */
    /* onJoinComplete, while its listeners run */
    partition_id *assigned;
    int32_t assigned_count;
    partition_id *added;
    int32_t added_count;
    partition_id *revoked;
    int32_t revoked_count;
    /* heartbeat thread */
    entity_id thread;
    struct sim_timer tick;
    bool is_enabled;
    enum kafka_error failed; /* thrown by the next poll() */
    sim_time last_run_at;
    sim_time heartbeat_at;
    sim_time session_ends_at;
    sim_time poll_timer_from;
    uint32_t heartbeat_failures;
    uint64_t heartbeats;
    bool leave_in_flight;
};

void classic_member_init(struct consumer *consumer);
void classic_member_reset(struct consumer *consumer);
/* Step 5 of the coordinator phase. */
enum phase classic_join_if_needed(struct consumer *consumer);
bool classic_rejoin_is_needed(const struct consumer *consumer);
sim_time classic_retry_at(const struct consumer *consumer);
void classic_request_rejoin(struct consumer *consumer, const char *reason);
/* Resets the generation, and the member id too unless `keep_id`; the member has left. */
void classic_forget_generation(struct consumer *consumer, bool keep_id);
void classic_send_leave(struct consumer *consumer, const char *reason);
bool classic_has_generation(const struct consumer *consumer);
/* Tells this generation from others: what a request was sent under. */
uint64_t classic_generation_tag(const struct consumer *consumer);
/* Partition counts of the topics may have changed: the leader rejoins. */
void classic_check_snapshot(struct consumer *consumer);

/* pattern.c: subscriptions by pattern; for others it does nothing. */
bool pattern_is_used(const struct consumer *consumer);
/* Takes matching topics over from the metadata, if there is a newer version. */
void pattern_update(struct consumer *consumer);
/* The topics were asked for anew since the last join, and the answer is there. */
bool pattern_is_fresh(struct consumer *consumer);
void pattern_reset(struct consumer *consumer);

/* join.c */
void join_send(struct consumer *consumer);
/* The leader's metadata may be fresh now. */
void join_lead_if_possible(struct consumer *consumer);
void join_forget_assignment(struct consumer *consumer);
uint64_t leader_snapshot(const struct consumer *consumer);

/* rebalance.c: STOPPED = not finished. */
enum phase rebalance_prepare(struct consumer *consumer);
enum phase rebalance_complete(struct consumer *consumer);
void rebalance_forget(struct consumer *consumer);

/* heartbeat_thread.c */
void heartbeat_thread_enable(struct consumer *consumer);
void heartbeat_thread_disable(struct consumer *consumer);
void heartbeat_thread_handle(struct sim *sim, void *self, const struct sim_event *event);
/* Bytes or a timeout wait and A is not in the client. */
void heartbeat_thread_on_readable(struct consumer *consumer);
/* A begins a coordinator phase: the poll timer starts anew, a due heartbeat leaves. */
void heartbeat_thread_on_poll(struct consumer *consumer);
/* A leaves poll(): from here the poll timer counts. */
void heartbeat_thread_on_poll_left(struct consumer *consumer, sim_time last_phase_at);
void heartbeat_thread_session_alive(struct consumer *consumer);

/* ---- poll.c, close.c ---- */

struct poll {
    sim_time called_at;   /* of the poll() under way, as far as it matters */
    sim_time phase_at;    /* the last coordinator phase began */
    bool is_resumed;      /* coming back from a listener into the same coordinator phase */
    bool is_blocked;      /* inside the coordinator phase */
    bool has_polled_once; /* since the process started */
    bool is_assigned;     /* assign() was called */
};

void poll_begin(struct consumer *consumer);
/* Goes on after a listener that poll() called. */
void poll_resume(struct consumer *consumer);
void poll_wake(struct consumer *consumer);
/* A goes from poll() into code of the application, or into close(). */
void poll_leave(struct consumer *consumer, enum activity activity);

enum close_stage { CLOSE_NONE, CLOSE_WANTED, CLOSE_COMMIT, CLOSE_REVOKE, CLOSE_LEAVE };
struct closing {
    enum close_stage stage;
    enum consumer_exit exit;
    sim_time deadline_at;
};
void close_begin(struct consumer *consumer);
void close_step(struct consumer *consumer);

/* ---- consumer.c ---- */

struct consumer {
    struct consumer_options options;
    const struct consumer_config *config;
    struct sim *sim;
    struct memory *memory;
    struct names *names;
    name_id group;
    name_id member;
    name_id instance; /* NAME_NONE = dynamic */
    name_id client_id;
    name_id *topics; /* subscribed, in the scenario's order */
    int32_t topic_count;
    uint64_t pattern_version; /* of the metadata that the subscription is as of */
    bool pattern_asks;        /* it is being refreshed before the member joins */
    entity_id thread;         /* A */
    enum activity activity;
    struct sim_timer wake; /* A, blocked inside a client call */
    struct network_client *network;
    struct client_metadata *metadata;
    bool auto_commits; /* enable.auto.commit, and the application does not commit itself */
    struct backoff retry_backoff;
    uint64_t backoff_draws;
    uint32_t incarnation;
    struct poll poll;
    struct closing closing;
    struct owned_partitions subscription;
    struct fetcher fetcher;
    struct committed_lookup committed;
    struct coordinator_lookup coordinator;
    struct committer committer;
    struct commit_sync commit_sync;
    struct listener listener;
    struct application application;
    struct classic_member classic; /* its generation is also the identity of a KIP-848 member */
    struct consumer_member consumer_member;
};

enum { /* events of A */
       EVENT_WAKE = 1,
       EVENT_STARTED,
       EVENT_WORK_DONE,
       EVENT_WORK_RETRY,
       EVENT_SINK_DONE,
       EVENT_RESTORED,
       EVENT_OUT_OF_MEMORY,
       EVENT_POLL_AGAIN,
       EVENT_OUTPUT,
       EVENT_COMMIT_AGAIN,
};

/* Emits CLIENT. */
void consumer_note(struct consumer *consumer, enum client_event event, int64_t number,
                   enum kafka_error error, const char *text);
/* A's call into the client begins or ends: bytes move meanwhile. */
void consumer_enter_client(struct consumer *consumer);
void consumer_leave_client(struct consumer *consumer);
void consumer_wake_at(struct consumer *consumer, sim_time at);
/* An exception that nobody catches: the application closes the consumer and exits. */
void consumer_throw(struct consumer *consumer, enum kafka_error error, const char *text);
/* Ends the process now. */
void consumer_end(struct consumer *consumer, enum consumer_exit exit);
/* Uses a group: subscribe(), not assign(). */
bool consumer_subscribes(const struct consumer *consumer);
/* subscribe() with group.protocol=consumer, or =classic. */
bool consumer_is_848(const struct consumer *consumer);
bool consumer_is_classic(const struct consumer *consumer);
/* A, blocked inside a client call, looks again at what it waits for. */
void consumer_wake_application(struct consumer *consumer);
sim_time consumer_backoff(struct consumer *consumer, enum backoff_subject subject,
                          uint32_t attempt);

#endif
