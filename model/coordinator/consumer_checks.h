/* model/coordinator/consumer_checks.h: what must never happen in a consumer group.
 *
 * Held against the state before and after each step of a shard (one request, or the timers of one
 * instant), and counted from the members alone: what the coordinator derives (who holds what, what
 * state the group is in) is what is being checked. O(groups) per step: for tests.
 *
 *   I1   no two members hold one partition, assigned or still to be given up
 *   I3   every partition of a subscribed topic is in exactly one target, once targets are made
 *   I4   no member is newly given, or meant to get, a topic it does not subscribe to
 *   I5   epochs go up; a member's goes down only to those of leaving and joining
 *   I6   a request under a stale epoch or of nobody changes nothing, and commits nothing
 *   I7   Stable is stable: everybody at the group epoch with its target, nothing to be given up
 *   I8   a partition is given only when nobody held it, and let go only when the member said so
 *   I10  one member per group.instance.id
 *   I11  a rebuilt coordinator has the same state
 *   I12  a target does not depend on the order of the members
 *
 * I17 (a committed offset is one that was asked for) is in classic_checks.h for groups of either
 * kind. Worlds look at every step by group_watch.h.
 *
 * Source: ../shared/spec/checkers.md, after the TLA+ model of KIP-848. */
#ifndef MODEL_COORDINATOR_CONSUMER_CHECKS_H
#define MODEL_COORDINATOR_CONSUMER_CHECKS_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

#define CONSUMER_INVARIANTS(X) X(I1) X(I3) X(I4) X(I5) X(I6) X(I7) X(I8) X(I10) X(I11) X(I12)

enum consumer_invariant {
#define X(id) CONSUMER_##id,
    CONSUMER_INVARIANTS(X)
#undef X
        CONSUMER_INVARIANT_COUNT
};
/* "I10" */
const char *consumer_invariant_name(enum consumer_invariant invariant);

/* Told once per invariant, group and step. `what` says it in words. */
typedef void consumer_violation(void *self, enum consumer_invariant invariant, name_id group,
                                const char *what);

struct consumer_checks;

struct consumer_checks *consumer_checks_new(struct memory *memory, struct names *names,
                                            consumer_violation *violation, void *self);
void consumer_checks_free(struct consumer_checks *checks);

/* Remembers the groups as they are. */
void consumer_checks_before(struct consumer_checks *checks, const struct coordinator *coordinator);
/* `request`: the step's, NULL for timers. `response`: if it was answered within the step. */
void consumer_checks_after(struct consumer_checks *checks, const struct coordinator *coordinator,
                           const struct message *request, const struct message *response);
/* I11: `rebuilt` has read the log that `live` wrote. */
void consumer_checks_rebuilt(struct consumer_checks *checks, const struct coordinator *live,
                             const struct coordinator *rebuilt);

#endif
