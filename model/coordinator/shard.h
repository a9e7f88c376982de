/* model/coordinator/shard.h: the inside of a coordinator, for the files of model/coordinator.
 *
 * Each request or firing timer is an *operation*: a handler looks at the state, adds records, gives
 * a response, and returns. operation_finish then does what CoordinatorRuntime does: applies the
 * records, appends them to the open batch, and completes the operation when they are committed.
 *
 *   handler ──records, response──▶ apply ──▶ open batch ──linger──▶ APPEND ──appended──▶ deferred
 *                │ no records: behind the open batch or the last write │                     │
 *                └── nothing outstanding: complete at once             └─failed: rolled back └─high
 *                                                                        and refused      watermark
 *
 * State that the log restores changes only by applying records (coordinator_apply), with two
 * exceptions that Kafka has too: the object of a classic group is changed directly and written
 * afterwards, and so is the existence of a group. What was applied and is not committed yet can be
 * taken back: see journal below. */
#ifndef MODEL_COORDINATOR_SHARD_H
#define MODEL_COORDINATOR_SHARD_H

#include "model/coordinator/coordinator.h"
#include "model/coordinator/group.h"
#include "model/coordinator/id_map.h"
#include "model/coordinator/timers.h"

struct operation;
/* Called when the operation's records are committed (KAFKA_NONE) or will not be, before its
 * response leaves. `error` is the log's own: see coordinator_write_error. Kafka's append future. */
typedef void operation_done(struct coordinator *coordinator, struct operation *operation,
                            enum kafka_error error, sim_time now);

struct operation {
    struct coordinator *coordinator;
    const struct message *request; /* only while the handler runs; NULL for timers */
    uint64_t token;
    sim_time now;

    /* What the handler leaves. */
    struct group_record *records;
    uint32_t record_count;
    uint32_t record_capacity;
    struct message *response; /* leaves when the operation is complete; NULL = none */
    bool already_applied;     /* the records write down what has been done: do not apply them */
    bool not_atomic;          /* the records may be spread over several batches */
    operation_done *done;
    void *context; /* for `done`; a block of the shard's memory, freed with the operation */
    uint32_t context_size;
    struct parked_request *parked; /* if the operation fails, this is answered with the error */
    int64_t producer_id;           /* -1 = not transactional */
    int16_t producer_epoch;
    name_id committing_member; /* who commits offsets, for the notes */
    int32_t committing_generation;

    /* The runtime's. */
    bool completed;
    int64_t waits_for_offset;
    struct coordinator_timer timeout;
    struct operation *next;
    struct group_log_batch *batch; /* with `done`: the one that holds the records, held */
    uint32_t first_record;         /* in it */
};

/* A JoinGroup or SyncGroup that waits in its member. The operation that brought it shares it, so
 * that whoever is first, the member's answer or the operation's failure, answers it, and nobody
 * answers twice. */
struct parked_request {
    uint64_t token;
    enum kafka_api api;
    uint32_t references;
    bool answered;
};
struct parked_request *operation_park(struct operation *operation);
/* Answers (unless that has been done) and lets go; `*parked` becomes NULL. */
void parked_answer(struct coordinator *coordinator, struct parked_request **parked,
                   struct message *response);
/* Lets go of a request that nobody will answer. */
void parked_abandon(struct coordinator *coordinator, struct parked_request **parked);
/* Lets go without a word: whoever else holds it may still answer. */
void parked_release(struct coordinator *coordinator, struct parked_request **parked);

/* Takes over the record's value. */
void operation_add(struct operation *operation, struct group_record record);
/* The request is refused at once; records are dropped, nothing waits. (A Java exception out of a
 * handler: unlike an error inside a response it does not queue behind earlier writes.) */
void operation_refuse(struct operation *operation, enum kafka_error error);
/* A zeroed response in the form of the request's API, set as the operation's. */
void *operation_respond(struct operation *operation, size_t size);
#define OPERATION_RESPOND(operation, type) ((type *)operation_respond((operation), sizeof(type)))

/* For timers: an operation without a request. Begin, add records, finish. */
void operation_begin_timer(struct operation *operation, struct coordinator *coordinator,
                           sim_time now);
void operation_finish(struct operation *operation);

/* Answers a request outside its operation (parked joins and syncs). */
void coordinator_reply(struct coordinator *coordinator, uint64_t token, struct message *response);

/* What a client is told about a failed write (GroupMetadataManager,
 * CoordinatorOperationExceptionHelper): timeouts and missing replicas are
 * COORDINATOR_NOT_AVAILABLE, a lost leadership NOT_COORDINATOR, too large UNKNOWN_SERVER_ERROR. */
enum kafka_error coordinator_write_error(enum kafka_error error);

/* Groups. Look-up gives NULL for an id never seen; a struct group may still be GROUP_ABSENT. */
struct group *coordinator_find_group(const struct coordinator *coordinator, name_id id);
struct group *coordinator_group(struct coordinator *coordinator, name_id id); /* makes it */
uint32_t coordinator_group_count(const struct coordinator *coordinator);
/* In ascending order of id. */
struct group *coordinator_group_at(const struct coordinator *coordinator, uint32_t index);
/* Change what an id stands for; the former object is kept until the change is committed, and comes
 * back if its write fails. `classic` / `consumer` belong to the group from here on. */
void group_become_classic(struct coordinator *coordinator, struct group *group,
                          struct classic_group *classic);
void group_become_consumer(struct coordinator *coordinator, struct group *group,
                           struct consumer_group *consumer);
void group_become_absent(struct coordinator *coordinator, struct group *group);

/* A new member id by the host's rule. `prefix` is the instance or client id. */
name_id coordinator_make_member_id(struct coordinator *coordinator, struct group *group,
                                   name_id prefix);

/* Applies one record to the state, in the live shard and while loading. `offset` is the record's
 * place in the log. For the consumer protocol's types it calls
 *
 *     struct group_record consumer_group_current_record(coordinator, record)
 *         the record that would bring back what `record` is about to change: same key, present
 *         value or tombstone
 *     void consumer_group_apply(coordinator, record)
 *
 * and keeps the former until the latter is committed; a failed write applies the kept ones in
 * reverse order. */
void coordinator_apply(struct coordinator *coordinator, const struct group_record *record,
                       int64_t offset, int64_t producer_id);

/* Notes for observers; `at` is filled in. Cheap when nobody watches. */
void coordinator_note(struct coordinator *coordinator, struct group_note note);

/* Partitions of a topic, 0 when it does not exist. */
const struct coordinator_topic *coordinator_find_topic(const struct coordinator *coordinator,
                                                       name_id topic);

/* A batch that was handed out as an APPEND effect and not yet answered. */
struct operation_list {
    struct operation *first;
    struct operation *last;
};
struct flushed_batch {
    int64_t base_offset;
    int64_t end_offset;
    struct operation_list operations;
};

struct journal_entry;    /* journal.h */
struct open_transaction; /* transactions.h */
struct observer {
    group_observer *observe;
    void *self;
};

struct coordinator {
    struct memory *memory;
    struct names *names;
    const struct coordinator_config *config;
    struct coordinator_options options;
    enum coordinator_state state;
    int32_t leader_epoch;
    sim_time now; /* of the call being carried out */
    int64_t records_loaded;

    struct id_map groups_by_id;
    struct group **groups; /* ascending ids */
    uint32_t group_count;
    uint32_t group_capacity;

    struct coordinator_topic *topics; /* as given */
    int32_t topic_count;
    struct id_map topics_by_name;
    /* Topics whose id is not their name, also gone ones, by either (consumer_topics.h). */
    struct id_map topic_ids, topic_names;
    struct remembered_topic *remembered_topics; /* list of all of them */

    struct timers timers;
    struct coordinator_timer expiration_timer;

    struct observer *observers;
    uint32_t observer_count;

    /* Write path (operation.c, write_path.c). */
    struct group_log_batch *batch; /* open; NULL = none */
    struct operation_list batch_operations;
    struct operation_list deferred; /* by the offset they wait for */
    struct coordinator_timer linger_timer;
    struct flushed_batch *flushed; /* oldest first; shape [flushed_count] */
    uint32_t flushed_count;
    uint32_t flushed_capacity;
    const struct operation *applying; /* whose records are being applied */
    int64_t next_offset;              /* of the next record */
    int64_t last_written_offset;      /* log end offset as appended */
    int64_t last_committed_offset;    /* high watermark */

    struct coordinator_effect *effects; /* ring */
    uint32_t effect_first;
    uint32_t effect_count;
    uint32_t effect_capacity;

    struct journal_entry *journal; /* ring, oldest first */
    uint32_t journal_first;
    uint32_t journal_count;
    uint32_t journal_capacity;
    bool rolling_back; /* what is taken back leaves no new entries */

    struct open_transaction *transactions; /* by first appearance */
    uint32_t transaction_count;
    uint32_t transaction_capacity;
};

static inline const char *coordinator_text(const struct coordinator *coordinator, name_id name)
{
    return names_text(coordinator->names, name);
}
/* Milliseconds of the broker's clock, as stamps in records have them. */
static inline int64_t coordinator_clock_ms(const struct coordinator *coordinator)
{
    return coordinator->now / MILLISECONDS(1);
}
static inline void coordinator_arm(struct coordinator *coordinator, struct coordinator_timer *timer,
                                   int64_t delay_ms)
{
    timers_arm(&coordinator->timers, timer, coordinator->now + MILLISECONDS(delay_ms));
}
static inline void coordinator_disarm(struct coordinator *coordinator,
                                      struct coordinator_timer *timer)
{
    timers_cancel(&coordinator->timers, timer);
}

#endif
