/* model/findings.h: what went wrong, where, and why.
 *
 * The ledger attributes every record it counts as repeated, skipped, lost or worked on by a zombie
 * to a cause, by looking at how the ownership before ended and at what became of its commits
 * (../shared/spec/delivery-anomalies.md; the anomalies A1 to A14 of checkers.md). Ranges that go
 * on where the last one ended, for the same reason, are one finding. Kinds that are no ranges of
 * offsets (cascade, unnecessary move, imbalance) have partition FINDING_NO_PARTITION. */
#ifndef MODEL_FINDINGS_H
#define MODEL_FINDINGS_H

#include "model/trace_kinds.h"
#include "sim/memory.h"
#include "sim/time.h"

/* Of each kind: so many, the four that are about records' fate; so many, the others. */
#define FINDINGS_KEPT        4096
#define FINDINGS_KEPT_OTHERS 1024
#define FINDING_NO_PARTITION UINT32_MAX

#define FINDING_KINDS(X)                                                                           \
    X(DUPLICATE, "duplicate", "records processed again")                                           \
    X(SKIPPED, "skipped", "records passed over, never processed")                                  \
    X(LOST, "lost", "records gone before anybody processed them")                                  \
    X(ZOMBIE, "zombie", "records processed by a consumer that no longer owned the partition")      \
    X(POLL_SKIP, "poll skip", "a consumer's polls left records out that others had taken")         \
    X(POLL_REWIND, "poll rewind", "a consumer's polls went back in a partition")                   \
    X(REJECTED_COMMIT, "rejected commit", "the coordinator refused the commit of these records")   \
    X(COMMIT_REWIND, "commit rewind", "the committed offset went down")                            \
    X(OFFSET_RESET, "offset reset", "a position jumped for want of a valid committed offset")      \
    X(UNNECESSARY_MOVE, "unnecessary move", "partitions moved that a balanced assignment keeps")   \
    X(IMBALANCE, "imbalance", "a group at rest whose members hold unequal numbers of partitions")  \
    X(CASCADE, "cascade", "a rebalance that the one before brought about")                         \
    X(REORDERED, "reordered", "records processed after later ones of their partition")             \
    X(WAITING, "waiting", "records that nobody had processed when the run ended")                  \
    X(COPY, "copy", "records that a producer wrote to the log a second time")                      \
    X(OVERTAKEN, "ahead of its key",                                                               \
      "records of an added partition, older ones of their keys waiting")                           \
    X(COMPACTED, "compacted away", "records that compaction removed before the group came to them")

#define FINDING_CAUSES(X)                                                                          \
    X(UNKNOWN, "unknown", "no cause was seen")                                                     \
    X(CRASH, "crash", "the owner died with work not committed")                                    \
    X(SESSION_EXPIRED, "session expired", "the owner was silent too long and was expelled")        \
    X(POLL_EXPIRED, "poll interval exceeded", "the owner did not call poll() in time and left")    \
    X(FENCED, "fenced", "another process took over its group.instance.id")                         \
    X(REBALANCE_EXPIRED, "rebalance deadline",                                                     \
      "a rebalance ended before the owner came back to it")                                        \
    X(REBALANCE, "rebalance", "the partition was revoked with work not committed")                 \
    X(COMMIT_FAILED, "failed commit", "the owner's last commit before the hand-over failed")       \
    X(CLOSED, "closed without commit", "the owner closed with work not committed")                 \
    X(OFFSET_RESET, "offset reset", "there was no valid committed offset (auto.offset.reset)")     \
    X(ADMIN, "offsets changed by hand", "an operator set the committed offset")                    \
    X(TRUNCATION, "truncated log", "an election took records back")                                \
    X(RETENTION, "retention", "retention deleted them first")                                      \
    X(COMMIT_AHEAD, "committed before processed", "the commit covered work that was never done")   \
    X(GIVEN_UP, "given up", "the application could not process them and passed over them")         \
    X(NOT_COORDINATED, "no coordination", "several readers without a group")                       \
    X(SEEK, "seek", "the application set the position itself")                                     \
    X(REVOKED_FIRST, "revoked first",                                                              \
      "a member rejoined to free what it had to give up (KIP-429)")                                \
    X(CAME_BACK, "expelled member came back",                                                      \
      "a member joined anew that a rebalance had expelled")                                        \
    X(JOIN_UNREAD, "join not finished", "a member was expelled while its own join was under way")  \
    X(JOIN_FAILED, "join failed", "a member's join failed half-way, and it joined again")          \
    X(NOT_SYNCED, "did not sync", "a member of the join phase never asked for its assignment")     \
    X(NOT_STORED, "assignment not stored", "the assignment could not be written to the log")       \
    X(RUN_ENDED, "the run ended", "nobody had come to them yet")                                   \
    X(WORKERS, "parallel workers", "several threads had records of one partition")                 \
    X(PRODUCER_RETRY, "producer retry", "what was sent again was in the log, unrecognised")        \
    X(PRODUCER_RESEND, "sent again", "the application sent again what had timed out")              \
    X(OLD_COMMIT, "old commit", "a commit sent earlier, or again, arrived after newer ones")       \
    X(PARTITIONS_ADDED, "partitions added", "keys moved to partitions that were added")            \
    X(ACKS_0, "acks=0", "sent without asking for an answer, and never written")                    \
    X(PRODUCER_KILLED, "producer killed", "in the memory of a producer whose process died")        \
    X(TOPIC_DELETED, "topic deleted", "the topic was deleted, and with it what was not read")      \
    X(TOPIC_RECREATED, "topic recreated", "the position was one in a deleted topic of that name")  \
    X(COMPACTION, "compaction", "their keys had later records, or they were old tombstones")

enum finding_kind {
#define X(name, text, help) FINDING_##name,
    FINDING_KINDS(X)
#undef X
        FINDING_KIND_COUNT
};
enum finding_cause {
#define X(name, text, help) FINDING_CAUSE_##name,
    FINDING_CAUSES(X)
#undef X
        FINDING_CAUSE_COUNT
};

const char *finding_kind_name(enum finding_kind kind);
const char *finding_cause_name(enum finding_cause cause);
const char *finding_cause_help(enum finding_cause cause);

struct finding {
    enum finding_kind kind;
    enum finding_cause cause;
    sim_time at;      /* when the first of them was seen */
    sim_time last_at; /* … and the last */
    int32_t group;
    partition_id partition;
    int64_t from; /* offsets [from, to); of duplicates: of what was processed again */
    int64_t to;
    int64_t records;
    name_id member;     /* who processed them (again), NAME_NONE where nobody did */
    name_id culprit;    /* whose hand-over, crash or zombie work brought it about */
    const char *detail; /* static text instead of the cause's name; NULL = none */
};

/* Sums over a group, complete even where the list of findings was cut. */
struct finding_totals {
    int64_t records[FINDING_KIND_COUNT][FINDING_CAUSE_COUNT];
};

struct findings {
    struct finding *list; /* shape [count] */
    uint32_t count;
    uint32_t capacity;
    uint32_t kept[FINDING_KIND_COUNT];
    int64_t dropped; /* findings beyond the list */
};

void findings_add(struct findings *findings, struct memory *memory, const struct finding *finding);

#endif
