/* model/ledger_internal.h: what the parts of the ledger share. Not for anybody else. */
#ifndef MODEL_LEDGER_INTERNAL_H
#define MODEL_LEDGER_INTERNAL_H

#include "model/arrival_index.h"
#include "model/findings.h"
#include "model/interval_set.h"
#include "model/ledger.h"
#include "model/trace_kinds.h"
#include "sim/prefetch.h"

/* A batch that a leader appended, as long as its producer may send it again. */
struct ledger_sent {
    int64_t base_offset;
    int64_t count;
    sim_time first_at; /* with these two and the producer, a batch is told from all others */
    sim_time last_at;
    name_id producer;
    bool failed;   /* the producer has given up */
    bool diverged; /* only a deposed leader has it */
    bool is_blind; /* sent with acks=0 … */
    bool settled;  /* … its fate is known, but its producer has not taken it for sent yet */
};

/* A partition's log, as its leaders wrote it. */
struct ledger_log {
    int64_t start;
    int64_t end;
    struct arrival_index arrivals;
    uint32_t sent_count;
    uint32_t sent_capacity;
    struct ledger_sent *sent; /* of producers that can write twice */
    bool is_deleted;          /* with its topic: what was not read never will be */

    struct interval_set acknowledged; /* a producer was told that these were written */
    struct interval_set safe;         /* … with acks=all */
    struct interval_set markers;      /* control records: no consumer is ever given them */
    struct interval_set aborted;      /* records of aborted transactions */
    struct interval_set compacted;    /* removed by the cleaner */
    sim_time since;                   /* when its first record came into being */
};

_Static_assert(sizeof(struct ledger_log) == 3 * CACHE_LINE, "a log is whole cache lines");

/* A step of processing, kept while others may overlap it. */
struct ledger_step {
    int64_t from;
    int64_t to;
    sim_time begin_at;
    sim_time end_at;
    sim_time overtaken_at; /* when a later record was first done; SIM_TIME_NEVER */
};

/* One consumer that believes it owns a partition. */
struct ledger_owner {
    name_id member;
    int64_t incarnation;
};

/* How far one consumer has got in a partition, by its own polls. */
struct ledger_poll {
    name_id member;
    int64_t end;
    /* Behind `end`, of what the log's sets no longer hold. LEDGER_POLL_NEW: it has polled nothing
     * yet, and will begin at `end`. */
    int64_t unreadable;
};
#define LEDGER_POLL_NEW INT64_C(-1)

/* What elections took back before the group had processed it. */
struct ledger_gone {
    int64_t lost; /* acknowledged, truncated away, unread */
    sim_time at;  /* the last of them */
    int64_t from; /* its log end */
    struct interval_set acknowledged;
    struct interval_set unheard; /* of: no producer was told that these were written */
};

/* One group's work on one partition. First what every record processed or appended touches. */
struct ledger_claim {
    int64_t next;
    int64_t lag;     /* as counted in the group's sum */
    int64_t highest; /* end of the highest range processed; with workers, of those forgotten */
    struct interval_set processed; /* and what it can never be given: see on_unreadable */
    name_id assigned;
    name_id last_worker;
    bool last_ended; /* false: the last worker still believes to own it */
    /* The owners' positions, or what they committed, are those they had in a deleted topic of that
     * name. */
    bool is_stale;
    bool commit_is_stale;
    bool is_untouched; /* nobody has had a position in this log: all they know is of the other */
    bool ever_owned;
    bool committed_by_hand; /* the committed offset is an operator's */

    struct ledger_owner *owners;
    struct ledger_poll *polls; /* the latest worker first */
    uint32_t owner_count;
    uint32_t owner_capacity;
    uint32_t poll_count;
    uint32_t poll_capacity;
    struct ledger_step *steps; /* groups with workers: the last ones, a ring */
    int64_t steps_highest;     /* end of the highest one forgotten */
    uint32_t step_count;       /* ever */
    int64_t committed;         /* -1 = none */
    int64_t best_commit;       /* the highest since a position was set; -1 = none */
    name_id assigned_id;       /* Kafka's member id */
    sim_time assigned_at;
    enum finding_cause skip_cause; /* of what is in `skipped` */
    name_id in_hand_of;            /* see `in_hand` */
    /* Removed by the cleaner while it lay before the group, or before the group came back to it;
     * what somebody holds may still be processed. NULL = nothing. */
    struct interval_set *compacted;
    struct interval_set skipped;   /* passed over by a reset, noted when it happened */
    struct interval_set given_up;  /* passed over by the application */
    struct interval_set in_hand;   /* groups with workers: given to the one who was given records
                                      last, while its process lives */
    struct interval_set effective; /* transactional groups: of committed transactions */
    struct ledger_gone *gone;      /* NULL = no election has taken anything back */
    /* What causes repeats: how the last owner's work ended, and who works on regardless. */
    enum ownership_end last_end;
    enum finding_cause redo_cause;
    name_id redo_culprit;
    enum finding_cause zombie_cause;
    name_id zombie;
    /* When the group was last at rest. */
    name_id rest_id;
    int64_t rest_end; /* of the log */
    bool able;        /* some owner can process */
    sim_time stopped_since;
};

_Static_assert(offsetof(struct ledger_claim, owners) == CACHE_LINE &&
                   sizeof(struct ledger_claim) % CACHE_LINE == 0,
               "what is processed touches the first two cache lines of a claim");

/* A consumer process of a group. */
struct ledger_member {
    int32_t group;
    bool halted; /* frozen or dead */
    bool dead;
    bool restoring;
    bool poll_expired;            /* in its present membership */
    bool fenced;                  /* likewise */
    bool commit_failed;           /* the last commit it heard of */
    enum rebalance_cause removal; /* why the coordinator last removed it */
    name_id id;                   /* Kafka's, of its latest membership, NAME_NONE after death */
    name_id abandoned;            /* an id that it gave up for another while it lived */
    bool in_group;                /* that membership goes on */
    sim_time removed_at;          /* … or ended then */
    bool is_static;
    int64_t joined_generation; /* the last of whose join phase it has heard the end */
    bool expelled;             /* removed against its will, and has not been assigned since */
    bool joining;              /* its JoinGroup is not answered, as far as it knows */
};

struct ledger_topic {
    struct ledger_log *logs; /* shape [partition_count] */
    int32_t partition_count;
    int32_t topic_id; /* see PARTITION_IN */
};

/* A deleted topic whose name is another topic's now. Consumers may still have records of it, and
 * brokers that had not heard of its deletion may have written to it for a moment. */
struct ledger_burial {
    int32_t topic; /* index in the scenario */
    struct ledger_topic kept;
    struct ledger_claim **claims; /* by group; NULL = not subscribed */
};

struct ledger_group_state {
    const struct scenario_group *scenario;
    bool has_workers; /* some member hands records to a pool of threads */
    struct ledger_group figures;
    struct latency_histogram *latency;
    struct finding_totals totals;
    sim_time *rebalance_ns;
    uint32_t rebalance_capacity;
    struct ledger_anomalies anomalies;
    struct ledger_claim **claims; /* shape [topic_count of the scenario], NULL = not subscribed;
                                     each with the topic's partitions */
    int64_t lag;
    int64_t first_processed; /* sum of what was processed for the first time */
    int64_t unreadable;      /* in `processed`, though it never was */
    int64_t forgotten;       /* processed or unreadable, then truncated away by brokers */
    bool managed;            /* a coordinator hands out its partitions */
    bool was_stable;
    sim_time newest;         /* when the youngest record processed so far came into being */
    sim_time unstable_since; /* SIM_TIME_NEVER = not in a rebalance */
    sim_time forming_since;  /* SIM_TIME_NEVER = nobody has joined yet */
    int64_t generation;      /* the highest a join phase ended with */
    int64_t settled_members; /* as the coordinator counts them */
    sim_time rest_since;     /* SIM_TIME_NEVER = not at rest */
};

/* Small numbers by name: a table indexed by the name itself. 0 = not in it. */
struct name_table {
    uint32_t *values;
    uint32_t capacity;
};

/* One of the scenario's producers. */
struct ledger_producer_state {
    struct ledger_producer figures; /* pending and travelling are not kept up */
    name_id name;
    bool is_followed;     /* one of these two: */
    bool can_write_twice; /* without idempotence, or its application sends again what failed */
    bool asks_for_none;   /* acks=0 */
    bool asks_for_all;    /* acks=all */
    bool resends;
};

/* Requests go through thousands of partitions in even steps: what comes next is foreseen. */
struct ledger_walk {
    partition_id last;
    int32_t step;
};

/* Ascending and apart. */
struct range_list {
    struct interval *ranges;
    uint32_t count;
    uint32_t capacity;
};

struct ledger {
    struct sim *sim;
    struct memory *memory;
    const struct scenario *scenario;
    struct ledger_topic *topics;
    struct ledger_burial *burials;
    int32_t burial_count;
    struct ledger_group_state *groups;
    struct ledger_member *members;
    uint32_t member_count;
    uint32_t member_capacity;
    struct name_table group_by_name;
    struct name_table member_by_name;
    struct name_table rest_by_id;       /* of ledger_rest.c; empty between calls */
    struct name_table producer_by_name; /* the scenario's, counted from 1 */
    struct ledger_producer_state *producers;
    struct findings findings;
    struct ledger_group_state *settling; /* just Stable, its assignment follows; NULL = none */
    int64_t truncated;                   /* records appended and taken back by an election */
    int64_t appended;
    struct ledger_walk appends;
    struct ledger_walk acknowledgements;
    /* Whose arrivals, and whose owners, will be asked for; NULL = nobody's. */
    struct ledger_log *delivered;
    struct ledger_claim *delivered_claim;
    bool finished;
    struct range_list removed; /* by the cleaning under way */
    struct range_list gone;    /* of ledger_fates.c; empty between calls */
};

void name_table_set(struct ledger *ledger, struct name_table *table, name_id name, uint32_t value);
static inline uint32_t name_table_get(const struct name_table *table, int64_t name)
{
    return (uint64_t)name < table->capacity ? table->values[name] : 0;
}

void ledger_grow_topic(struct ledger *ledger, int32_t topic, int32_t partition_count);
/* NULL for topics that are not the scenario's (internal ones), and for records that were given up
 * before they had a partition. Grows with the topic. */
static inline struct ledger_log *ledger_log_of(struct ledger *ledger, int64_t partition)
{
    int32_t t = PARTITION_TOPIC((partition_id)partition);
    int32_t p = PARTITION_NUMBER((partition_id)partition);
    if (t >= ledger->scenario->topic_count) return NULL;
    if (p >= ledger->topics[t].partition_count) {
        if (p == PARTITION_NUMBER_UNKNOWN) return NULL;
        ledger_grow_topic(ledger, t, p + 1);
    }
    return &ledger->topics[t].logs[p];
}
/* NULL when the group does not subscribe to the topic. */
static inline struct ledger_claim *
ledger_claim_of(struct ledger *ledger, struct ledger_group_state *group, int64_t partition)
{
    if (ledger_log_of(ledger, partition) == NULL) return NULL;
    struct ledger_claim *claims = group->claims[PARTITION_TOPIC((partition_id)partition)];
    return claims == NULL ? NULL : &claims[PARTITION_NUMBER((partition_id)partition)];
}

/* ledger_topics.c: topics that are deleted, and created again. Everything a run has seen: the
 * topics of the scenario, as they are now, then the buried ones. */
int32_t ledger_shelf_count(const struct ledger *ledger);
const struct ledger_topic *ledger_shelf(const struct ledger *ledger, int32_t shelf);
partition_id ledger_shelf_partition(const struct ledger *ledger, int32_t shelf, int32_t partition);
/* NULL when the group does not subscribe to it. */
struct ledger_claim *ledger_shelf_claims(const struct ledger *ledger, int32_t shelf, int32_t group);
/* The log that a record about logs or their records means (NULL: none that there ever was), and a
 * group's work on it. */
struct ledger_log *ledger_traced_log(struct ledger *ledger, int64_t partition);
struct ledger_claim *ledger_traced_claim(struct ledger *ledger, struct ledger_group_state *group,
                                         int64_t partition);
void ledger_on_topic(struct ledger *ledger, const struct trace_record *record);

/* ledger_truncation.c */
/* The claim's; made if there is none. */
struct ledger_gone *ledger_gone_of(struct ledger *ledger, struct ledger_claim *claim);
void ledger_on_elected(struct ledger *ledger, struct ledger_log *log,
                       const struct trace_record *record);
/* Of the records just processed, those up to this offset are in the log as it is now. */
int64_t ledger_end_of_present(const struct ledger_log *log, const struct ledger_claim *claim,
                              const struct trace_record *record);
/* The others had been taken back: books them, and returns how many were processed for the first
 * time. */
int64_t ledger_process_gone(struct ledger *ledger, struct ledger_group_state *group,
                            struct ledger_claim *claim, int64_t from, int64_t to);

/* ledger_fates.c: what became of the records that were never processed. */
enum ledger_fate {
    FATE_COMPACTED,      /* removed by the cleaner before the group came to them */
    FATE_LOST,           /* deleted by retention before anybody read them */
    FATE_GIVEN_UP,       /* the application could not process them */
    FATE_RESET_OVER,     /* a reset set the position beyond them */
    FATE_COMMITTED_OVER, /* next or the committed offset is beyond them */
    FATE_DELETED,        /* with their topic */
    FATE_WAITING,
};
struct ledger_piece {
    int64_t from;
    int64_t to;
    enum ledger_fate fate;
};
/* The first unprocessed piece at or after `at` that shares one fate; false when there is none. */
bool ledger_next_piece(const struct ledger_log *log, const struct ledger_claim *claim, int64_t at,
                       struct ledger_piece *piece);
/* The cleaner removed records, and has been through a log. */
void ledger_on_compacted(struct ledger *ledger, const struct trace_record *record);
void ledger_on_cleaned(struct ledger *ledger, struct ledger_log *log,
                       const struct trace_record *record);
/* Of what is gone, the group comes to [from, …) once more. */
void ledger_come_back(struct ledger *ledger, struct ledger_claim *claim,
                      const struct ledger_log *log, int64_t from);
/* Records that a pool of workers holds wait for it, even if their offsets are committed. */
void ledger_note_in_hand(struct ledger *ledger, struct ledger_group_state *group,
                         const struct trace_record *record);
void ledger_drop_in_hand(struct ledger_claim *claim, name_id member);
/* Adds them to the group's figures, anomalies and findings. */
void ledger_settle_claim(struct ledger *ledger, struct ledger_group_state *group,
                         partition_id partition, const struct ledger_log *log,
                         const struct ledger_claim *claim);

/* ledger_prefetch.c: memory that the next records will need. */
void ledger_prefetch_append(struct ledger *ledger, partition_id partition);
void ledger_prefetch_acknowledgement(struct ledger *ledger, partition_id partition);
/* All partitions are gone through, and the oldest arrivals of each looked at. */
void ledger_prefetch_oldest(const struct ledger_topic *topic, int32_t partition);
/* Records of this partition were delivered: their processing comes next. */
void ledger_prefetch_processing(struct ledger *ledger, struct ledger_group_state *group,
                                partition_id partition);
/* ledger_lag.c */
/* The first offset from `offset` on that the group can be given. */
int64_t ledger_next_readable(const struct ledger_log *log, const struct ledger_group_state *group,
                             int64_t offset);
sim_time ledger_age(const struct ledger_log *log, const struct ledger_claim *claim, sim_time now);
void ledger_refresh_lag(struct ledger_group_state *group, struct ledger_claim *claim,
                        const struct ledger_log *log);
void ledger_drop_settled_arrivals(struct ledger *ledger);

/* ledger_records.c: one function per kind of record it follows. */
/* A deposed leader took records that their producer believes written. */
void ledger_lose(struct ledger *ledger, int64_t partition, int64_t count);
void ledger_end_rebalance(struct ledger *ledger, struct ledger_group_state *group);
void ledger_on_log_record(struct ledger *ledger, const struct trace_record *record);
void ledger_on_group_record(struct ledger *ledger, struct ledger_group_state *group,
                            const struct trace_record *record);
/* A commit that an operator made. */
bool ledger_is_by_hand(const struct ledger_group_state *group, const struct trace_record *record);
bool ledger_is_covered(const struct ledger_group_state *group, int64_t partition);
/* ledger_causes.c */
void ledger_note_position(struct ledger *ledger, struct ledger_group_state *group,
                          struct ledger_claim *claim, const struct trace_record *record);
/* Why these records, or some of them, are worked on again. */
enum finding_cause ledger_repeat_cause(struct ledger *ledger, struct ledger_group_state *group,
                                       const struct ledger_claim *claim,
                                       const struct trace_record *record);
/* Of the records just processed, those at the end that a zombie did. */
int64_t ledger_zombie_work(struct ledger *ledger, struct ledger_group_state *group,
                           const struct ledger_claim *claim, const struct trace_record *record);
void ledger_note_member(struct ledger_member *member, const struct trace_record *record);
void ledger_report(struct ledger *ledger, struct ledger_group_state *group,
                   const struct finding *finding);
/* `repeated` of the records just processed had been processed before. */
void ledger_report_processed(struct ledger *ledger, struct ledger_group_state *group,
                             struct ledger_claim *claim, const struct trace_record *record,
                             int64_t repeated, int64_t zombie);
/* ledger_anomalies.c: what is legal, and worth knowing. */
void ledger_add_finding(struct ledger *ledger, struct ledger_group_state *group,
                        const struct finding *finding);
/* Before the records are booked. */
void ledger_note_order(struct ledger *ledger, struct ledger_group_state *group,
                       struct ledger_claim *claim, const struct ledger_log *log,
                       const struct trace_record *record);
/* A consumer's position was set: what it polls begins there, unless it went on from earlier polls.
 */
void ledger_begin_polls(struct ledger *ledger, struct ledger_claim *claim, name_id member,
                        int64_t position);
/* Groups with workers: it has polled up to here. */
void ledger_note_polled(struct ledger *ledger, struct ledger_claim *claim, name_id member,
                        int64_t end);
void ledger_forget_polls(struct ledger_claim *claim, name_id member);
void ledger_count_error(struct ledger_error_count *counts, int64_t error, int64_t count);
void ledger_note_rejected_commit(struct ledger *ledger, struct ledger_group_state *group,
                                 const struct trace_record *record);
void ledger_note_commit_rewind(struct ledger *ledger, struct ledger_group_state *group,
                               const struct ledger_claim *claim, const struct trace_record *record);
void ledger_note_reset(struct ledger *ledger, struct ledger_group_state *group,
                       const struct ledger_claim *claim, const struct trace_record *record);
void ledger_note_exception(struct ledger_group_state *group, const struct trace_record *record);
void ledger_note_rebalance(struct ledger *ledger, struct ledger_group_state *group,
                           const struct trace_record *record);

/* ledger_rest.c: assignments of a group at rest (A9, A10). */
void ledger_begin_rest(struct ledger *ledger); /* of the group that is settling */
void ledger_end_rest(struct ledger *ledger, struct ledger_group_state *group);

/* ledger_order.c */
/* Of records that workers process at the same time, how many came after a later one. */
int64_t ledger_count_overlaps(struct ledger *ledger, struct ledger_claim *claim,
                              const struct trace_record *record);
void ledger_note_moved_keys(struct ledger *ledger, struct ledger_group_state *group,
                            const struct trace_record *record);
/* Records [from, to) of one span were processed for the first time. */
void ledger_note_births(struct ledger_group_state *group, const struct arrival_span *span,
                        int64_t from, int64_t to);
/* ledger_producers.c */
void ledger_init_producers(struct ledger *ledger);
/* NULL: not one of the scenario's. */
static inline struct ledger_producer_state *ledger_producer_of(struct ledger *ledger, int64_t name)
{
    uint32_t number = name_table_get(&ledger->producer_by_name, name);
    return number == 0 ? NULL : &ledger->producers[number - 1];
}
void ledger_on_arrival(struct ledger *ledger, const struct trace_record *record);
void ledger_on_send_failed(struct ledger *ledger, const struct trace_record *record);
/* acks=0: a batch was taken for sent, or written, or given to a deposed leader. */
void ledger_sent_blindly(struct ledger *ledger, const struct trace_record *record);
void ledger_written_blindly(struct ledger *ledger, struct ledger_log *log,
                            const struct trace_record *record);
void ledger_diverged_blindly(struct ledger *ledger, struct ledger_producer_state *producer,
                             const struct trace_record *record);
bool ledger_producers_balance(const struct ledger *ledger);

/* ledger_copies.c: what producers wrote more than once, or to a leader that was none. */
/* Of a producer that is followed. */
void ledger_copies_on_append(struct ledger *ledger, struct ledger_log *log,
                             const struct ledger_producer_state *producer,
                             const struct trace_record *record);
void ledger_copies_on_diverged(struct ledger *ledger, struct ledger_log *log,
                               const struct trace_record *record);
/* A producer learned the fate of a batch. True: it believes a leader that had been deposed. */
bool ledger_copies_on_done(struct ledger_log *log, const struct trace_record *record);
void ledger_copies_on_truncated(struct ledger_log *log, int64_t end);
/* The entry of the same batch; NULL = none. */
struct ledger_sent *ledger_sent_find(struct ledger_log *log, const struct ledger_sent *batch);
void ledger_sent_drop(struct ledger_log *log, struct ledger_sent *sent);
void ledger_sent_keep(struct ledger *ledger, struct ledger_log *log,
                      const struct ledger_sent *sent);
/* ledger_ownership.c */
/* Brings `able` up to date and accounts for the time until now. */
void ledger_refresh_able(struct ledger *ledger, struct ledger_group_state *group,
                         struct ledger_claim *claim);
/* The time until now counts, and no more until somebody owns the partition again. */
void ledger_end_stopped(struct ledger *ledger, struct ledger_group_state *group,
                        struct ledger_claim *claim);
struct ledger_member *ledger_member_of(struct ledger *ledger, struct ledger_group_state *group,
                                       name_id name);
void ledger_on_ownership_record(struct ledger *ledger, struct ledger_group_state *group,
                                const struct trace_record *record);
void ledger_on_process(struct ledger *ledger, const struct trace_record *record);
void ledger_set_restoring(struct ledger *ledger, struct ledger_group_state *group, name_id member,
                          bool restoring);
void ledger_close_stopped(struct ledger *ledger, struct ledger_group_state *group);

#endif
