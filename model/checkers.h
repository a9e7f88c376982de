/* model/checkers.h: what must never happen in a world, watched while it runs.
 *
 * An observer that knows the ledger. It looks at each record before the ledger books it, and
 * compares it with the ledger's state so far. A violation is a bug in Cohort, never a result: the
 * run ends with exit code 3. These here span coordinator, brokers and clients and read the trace.
 * Those marked + also look into the coordinators at each of their steps, for either protocol, when
 * checkers_watch_groups was called, as tests do (coordinator/classic_checks.h, consumer_checks.h);
 * I3, I7, I10 and I12 do nothing else.
 *
 *   I1+  no two members hold one partition in the coordinator's active assignment
 *   I2   no two members process one partition at overlapping times while both are its owner
 *        (poll-thread applications)
 *   I3+  every partition is in one target; a Stable classic group has what its leader assigned
 *   I4+  nobody is assigned a topic the group does not subscribe to
 *   I5+  the generation or epoch of a group never decreases while its coordinator stays
 *   I6+  no commit of a stale generation becomes durable
 *   I7+  Stable is stable
 *   I8+  a partition is given only when its former owner, in its own view (classic) or by its own
 *        word (KIP-848), has let it go, or is no longer a member
 *   I9   nobody processes what it does not own in its own view (poll-thread applications)
 *   I10+ one member per group.instance.id
 *   I11+ a position taken from the committed offset is one that was committed
 *   I12+ an assignment does not depend on the order of the members, the leader's (classic) as the
 *        coordinator's (KIP-848)
 *   I13  the offsets of a log are never used twice without a truncation in between
 *   I15  what acks=all acknowledged is not taken back by a clean election
 *   I16  no read_committed consumer processes a record of a transaction that was aborted
 *   I17+ a committed offset lies within the log and is one that was asked for
 *   I18  a commit of an at-least-once application covers only processed records
 *   L1   after `quiet`, every group with members comes to rest
 *   L3   after `quiet`, every partition with a backlog makes progress
 *   V1   a record is processed again only after its reader's position was set back to it, and no
 *        further back than to the last committed offset, unless there was none or it was of no use
 *   V2   a consumer's polls leave nothing out but what a position that was set lies behind
 *   B    the ledger balances at the end */
#ifndef MODEL_CHECKERS_H
#define MODEL_CHECKERS_H

#include "model/ledger.h"

#define VIOLATIONS_KEPT 64

/* clang-format off */
#define CHECKER_LIST(X)                                                                            \
    X(I1) X(I2) X(I3) X(I4) X(I5) X(I6) X(I7) X(I8) X(I9) X(I10) X(I11) X(I12) X(I13) X(I15)       \
    X(I16) X(I17) X(I18) X(L1) X(L3) X(V1) X(V2) X(B)
/* clang-format on */

enum checker {
#define X(id) CHECKER_##id,
    CHECKER_LIST(X)
#undef X
        CHECKER_COUNT
};

struct violation {
    enum checker checker;
    sim_time at;
    uint64_t record; /* number of the trace record that showed it */
    name_id group;   /* NAME_NONE where none is concerned */
    name_id text;    /* one sentence */
};

struct checkers;

/* Makes the ledger too, because records must reach the checkers before the ledger books them. */
struct checkers *checkers_new(struct sim *sim, const struct scenario *scenario);
struct ledger *checkers_ledger(struct checkers *checkers);

/* Looks at every step of the world's group coordinators, too: slower. Before the world runs. */
struct world;
void checkers_watch_groups(struct checkers *checkers, struct world *world);

/* The checks that can only be made at the end; also finishes the ledger. */
void checkers_finish(struct checkers *checkers);

const char *checker_name(enum checker checker);
int64_t checkers_violation_count(const struct checkers *checkers);
/* The first VIOLATIONS_KEPT of them. */
const struct violation *checkers_violation(const struct checkers *checkers, int64_t index);

#endif
