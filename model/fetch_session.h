/* model/fetch_session.h: what a broker remembers of a consumer's fetches (KIP-227), and the fetch
 * that waits.
 *
 * A session lists the partitions its consumer reads here, each with its next offset. Every entry is
 * linked to the replica it reads ("watchers"), so that an append costs one step per reader and
 * nobody polls. A fetch without a session has one of its own for as long as it lasts. */
#ifndef MODEL_FETCH_SESSION_H
#define MODEL_FETCH_SESSION_H

#include "model/broker_internal.h"

#define FETCH_SESSIONS_MAX 1000 /* max.incremental.fetch.session.cache.slots */

/* First what is read whenever records become visible. */
struct fetch_entry {
    struct fetch_session *session;
    struct fetch_entry *next_watcher;
    int64_t visible;         /* position up to which this reader may read, as last counted */
    int64_t position;        /* of `offset` in the log, in bytes */
    int64_t offset;          /* next to be read */
    struct replica *replica; /* NULL = not led here */
    partition_id partition;
    int32_t topic_id;
    bool is_named; /* the broker knew the name to the topic id */
    int32_t max_bytes;
    int32_t current_leader_epoch;
    int64_t served_offset; /* end of what the last response gave, and its place */
    int64_t served_position;
    int64_t told_high_watermark; /* KIP-227: an entry is in the response when something changed */
    int64_t told_log_start;
    struct fetch_entry *previous_watcher;
    const struct partition_log *log; /* of `replica`, when it was last looked at */
    char unused[8];                  /* up to whole cache lines */
};

/* First what is read whenever records become visible. */
struct fetch_session {
    struct broker *broker;
    /* the fetch under way */
    struct broker_connection *parked;
    int64_t available; /* bytes it could return now */
    int32_t min_bytes;
    enum isolation_level isolation;
    bool in_use;
    bool is_ready; /* in the broker's list */
    bool may_idle;
    bool idle;    /* the expiry is left out; idle rounds: see broker.h */
    bool between; /* the timer stands for the begin of the next round */
    int32_t max_wait_ms;
    int32_t max_bytes;
    int32_t start; /* the entry to read first, so that none starves when limits bite */
    struct fetch_entry **entries; /* ascending partition ids */
    int32_t entry_count;
    int32_t entry_capacity;
    uint32_t slot;       /* in the broker's table */
    int32_t id;          /* 0 = a fetch without session */
    int32_t epoch;       /* expected next */
    uint32_t generation; /* makes ids differ when a slot is used again */
    sim_time used_at;
    sim_time first_at; /* when the first idle round began to wait */
    sim_time round_ns; /* from one round's begin to the next */
    sim_time wait_ns;
    sim_time before_ns; /* from the client's sending to the begin of the wait */
    sim_time sent_at;   /* of the round under way when it was settled; -1 = not idle since */
    struct sim_timer timer;
};

/* The session a request belongs to, with its changes applied; NULL with *error when it is unknown
 * or out of step. */
struct fetch_session *fetch_session_for(struct broker *broker, const struct fetch_request *request,
                                        enum kafka_error *error);
/* Links the entry to the replica that serves it now, and sets its positions. */
enum kafka_error fetch_entry_attach(struct fetch_entry *entry);
void fetch_entry_detach(struct fetch_entry *entry);
/* Sessions take turns, and what one needs is cold when its turn comes: asked for in steps, each for
 * all entries, so that the waits overlap. The first for whoever looks at all entries, the second
 * for who reads the logs. */
void fetch_session_prefetch(const struct fetch_session *session);
void fetch_session_prefetch_logs(const struct fetch_session *session);
/* How far this session may read the replica. */
int64_t fetch_visible_offset(const struct fetch_session *session, const struct replica *replica);
void fetch_session_release(struct fetch_session *session);

#endif
