/* model/coordinator/classic_checks.h: what must never happen in a classic group, nor to offsets.
 *
 * Held against the state before and after each step of a shard (one request, or the timers of one
 * instant). O(members) per step: for tests. The sister of consumer_checks.h.
 *
 *   I1   a partition is in the stored assignment of one member at most
 *   I3   every member of a Stable group has what the generation's leader assigned to it, no less
 *   I4   nobody is assigned a topic it does not subscribe to
 *   I5   the generation of a group never decreases while its coordinator stays
 *   I6   a request of a stale generation or of nobody is refused, and a refused one changes nothing
 *   I7   Stable is stable: a protocol that all support, a leader among them, nobody new, no parked
 *        SyncGroup
 *   I10  one member per group.instance.id
 *   I11  a rebuilt coordinator has the same state; no acknowledged commit disappears
 *   I17  a committed offset is one that was asked for
 *
 * I1 and I4 read assignments and subscriptions where they can be read (consumer_protocol.h);
 * leaders of tests that assign opaque bytes are left alone. Two are not the coordinator's in this
 * protocol: I8 (freed before given) is held against what the consumers own, in model/checkers.c;
 * I12 (no assignment hangs on the order of members) against the leader's work, leader_is_orderless.
 * Worlds look at every step by group_watch.h. Source: ../shared/spec/checkers.md. */
#ifndef MODEL_COORDINATOR_CLASSIC_CHECKS_H
#define MODEL_COORDINATOR_CLASSIC_CHECKS_H

#include "model/coordinator/classic_group.h"

#define CLASSIC_INVARIANTS(X) X(I1) X(I3) X(I4) X(I5) X(I6) X(I7) X(I10) X(I11) X(I17)

enum classic_invariant {
#define X(id) CLASSIC_##id,
    CLASSIC_INVARIANTS(X)
#undef X
        CLASSIC_INVARIANT_COUNT
};
/* "I10" */
const char *classic_invariant_name(enum classic_invariant invariant);

/* Told once per invariant, group and step. `what` says it in words. */
typedef void classic_violation(void *self, enum classic_invariant invariant, name_id group,
                               const char *what);

struct classic_checks;

struct classic_checks *classic_checks_new(struct memory *memory, struct names *names,
                                          classic_violation *violation, void *self);
void classic_checks_free(struct classic_checks *checks);

/* Remembers the groups as they are. */
void classic_checks_before(struct classic_checks *checks, const struct coordinator *coordinator);
/* `request`: the step's, NULL for timers. `response`: if it was answered within the step. */
void classic_checks_after(struct classic_checks *checks, const struct coordinator *coordinator,
                          const struct message *request, const struct message *response);
/* Another coordinator has taken over: generations may be used again (I5), and a leader's word that
 * was not written is forgotten (I3). */
void classic_checks_failed_over(struct classic_checks *checks);
/* … and what it has read is committed, whoever asked for it. */
void classic_checks_loaded(struct classic_checks *checks, const struct coordinator *coordinator);
/* I11: `rebuilt` has read the log that `live` wrote, all of it. */
void classic_checks_rebuilt(struct classic_checks *checks, const struct coordinator *live,
                            const struct coordinator *rebuilt);

#endif
