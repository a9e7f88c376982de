/* model/checkers_internal.h: what the parts of the checkers share. Not for anybody else. */
#ifndef MODEL_CHECKERS_INTERNAL_H
#define MODEL_CHECKERS_INTERNAL_H

#include "model/checkers.h"
#include "model/ledger_internal.h"

/* How many of a partition's latest committed offsets a fetch under way may still show: one whose
 * answer waited in a frozen process shows an old one. */
#define COMMITS_REMEMBERED 64
#define STALE_REMEMBERED   8

/* How one consumer reads one partition: what it works on next, by its own work and by the positions
 * that were set. */
struct reading {
    name_id member;
    bool is_owner;          /* in its own view */
    uint32_t commits_known; /* of the claim's, when it last began to own it or did some work */
    int64_t next;           /* of groups with workers: to be given next; -1 = no position */
};

/* Records that poll() gave to an application with workers, and that nobody has processed yet. */
struct handed_over {
    name_id member;
    int64_t incarnation;
    int64_t from;
    int64_t to;
};

/* What the checkers remember of one group's partition, beside the ledger's claim. First what every
 * record processed touches. */
struct watched_claim {
    struct reading reading; /* the latest */
    name_id worker;         /* last member that processed it as its owner … */
    uint32_t commit_count;  /* ever, of what is in `commits` */
    sim_time worked_until;
    struct reading *others; /* shape [other_count] */
    uint32_t other_count;
    uint32_t other_capacity;
    struct handed_over *handed_over; /* shape [handed_count] */
    uint32_t handed_count;
    uint32_t handed_capacity;
    int64_t stored; /* offset in the sink's own transactions; 0 = none */
    int64_t next_at_quiet;
    /* The latest committed offsets, a ring; -1 = it was removed. */
    int64_t commits[COMMITS_REMEMBERED];
};

struct stale_commit {
    name_id member_id;
    int64_t generation;
};

struct watched_group {
    struct watched_claim **claims; /* as the ledger's */
    int32_t *claim_counts;
    int64_t generation;
    int64_t coordinator; /* broker whose word the generation is */
    /* The latest commits that came to it with a generation that was over, newest last. One that
     * came in time may become durable long after: its write may wait for replicas (D3). */
    struct stale_commit stale[STALE_REMEMBERED];
    uint32_t stale_count;
    bool has_pools; /* members hand records to a pool of threads */
    bool at_rest;
    bool gives_up; /* without a fault, its applications leave it: see checkers_on_client */
    int64_t members;
};

struct checkers {
    struct sim *sim;
    struct memory *memory;
    const struct scenario *scenario;
    struct ledger *ledger;
    struct watched_group *groups;
    /* Partitions of which an unclean election took records back that consumers may have seen. */
    partition_id *rewritten; /* shape [rewritten_count] */
    uint32_t rewritten_count;
    sim_time quiet_at; /* SIM_TIME_NEVER = no such entry */
    int64_t violation_count;
    struct violation violations[VIOLATIONS_KEPT];
};

void checkers_violate(struct checkers *checkers, enum checker checker,
                      const struct trace_record *record, name_id group, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
const char *checkers_text(const struct checkers *checkers, int64_t name);
const char *checkers_topic(const struct checkers *checkers, int64_t partition);
/* For partitions that the group has a claim on in the ledger. */
struct watched_claim *checkers_claim_of(struct checkers *checkers, int32_t group,
                                        int64_t partition);

/* checkers_groups.c: I1, I4, I5, I8 */
void checkers_on_assigned(struct checkers *checkers, int32_t group,
                          const struct trace_record *record);
void checkers_on_group_state(struct checkers *checkers, int32_t group,
                             const struct trace_record *record);
/* checkers_commits.c: I6, I17, I18 */
void checkers_on_group_message(struct checkers *checkers, const struct trace_record *record);
void checkers_on_committed(struct checkers *checkers, int32_t group,
                           const struct trace_record *record);
void checkers_on_offset_removed(struct checkers *checkers, int32_t group,
                                const struct trace_record *record);
/* checkers_reading.c: I2, I9, I11, V1, V2 */
void checkers_on_ownership(struct checkers *checkers, int32_t group,
                           const struct trace_record *record);
void checkers_on_position(struct checkers *checkers, int32_t group,
                          const struct trace_record *record);
void checkers_on_delivered(struct checkers *checkers, int32_t group,
                           const struct trace_record *record);
void checkers_on_processed(struct checkers *checkers, int32_t group,
                           const struct trace_record *record);
void checkers_on_given_up(struct checkers *checkers, int32_t group,
                          const struct trace_record *record);
void checkers_on_sink(struct checkers *checkers, int32_t group, const struct trace_record *record);
/* checkers_logs.c: I13, I15, I16 */
void checkers_on_log(struct checkers *checkers, const struct trace_record *record);
void checkers_on_unreadable(struct checkers *checkers, const struct trace_record *record);
/* Its offsets have been used for other records. */
bool checkers_is_rewritten(const struct checkers *checkers, int64_t partition);
/* checkers_rest.c: L1, L3 */
void checkers_note_quiet(struct checkers *checkers, const struct trace_record *record);
void checkers_on_client(struct checkers *checkers, int32_t group,
                        const struct trace_record *record);
void checkers_judge_rest(struct checkers *checkers, int32_t group);

#endif
