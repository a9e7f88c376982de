/* model/coordinator/consumer_reconcile.h: one step of a member towards its target (KIP-848).
 *
 *                                    nothing to give up,
 *              something to give up  all it should get is free
 *     STABLE ───────────────────────▶ UNREVOKED_PARTITIONS ──┐
 *        ▲ ▲                               │ gave it up      │ still owns some of it: stays
 *        │ └───────── all free ────────────┤ ◀───────────────┘
 *        │                                 │ somebody else still holds some of its target
 *        └─── all free ── UNRELEASED_PARTITIONS ◀──┘   (takes what is free meanwhile)
 *
 * A member gets nothing new while it still has something to give up, and no partition before its
 * holder let go of it. Its epoch follows the target's as soon as it has nothing left to give up.
 * A pure function: the caller writes what comes out to the log, and the replay of that record
 * changes the member. Source: Kafka's CurrentAssignmentBuilder; KIP-848, "Member Reconciliation".
 */
#ifndef MODEL_COORDINATOR_CONSUMER_RECONCILE_H
#define MODEL_COORDINATOR_CONSUMER_RECONCILE_H

#include "model/coordinator/partition_epochs.h"
#include "model/coordinator/partition_set.h"

/* Values and names as in Kafka's MemberState; the value is what the log stores. */
#define CONSUMER_MEMBER_STATES(X)                                                                  \
    X(STABLE, 0)                                                                                   \
    X(UNREVOKED_PARTITIONS, 1)                                                                     \
    X(UNRELEASED_PARTITIONS, 2)                                                                    \
    X(UNKNOWN, 127) /* written by a newer coordinator than this one */

enum consumer_member_state {
#define X(name, value) CONSUMER_MEMBER_##name = (value),
    CONSUMER_MEMBER_STATES(X)
#undef X
};

/* "UNREVOKED_PARTITIONS" */
const char *consumer_member_state_name(enum consumer_member_state state);
/* UNKNOWN for a value that is not in the list. */
enum consumer_member_state consumer_member_state_of(int32_t value);

struct reconcile_input {
    enum consumer_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct partition_set assigned;
    struct partition_set revoking; /* pending revocation */
    int32_t target_epoch;
    struct partition_set target;
    bool owned_given; /* the heartbeat says what the member owns */
    struct partition_set owned;
    const struct partition_epochs *epochs; /* who holds what */
};

enum reconcile_outcome {
    RECONCILE_UNCHANGED, /* nothing to write; the output repeats the input */
    RECONCILE_CHANGED,
    RECONCILE_FENCED, /* state UNKNOWN and the member still owns something, or does not say */
};

/* Lists are scratch of the caller; initialised by reconcile_output_init, reused between calls. */
struct reconcile_output {
    enum consumer_member_state state;
    int32_t epoch;
    int32_t previous_epoch;
    struct partition_list assigned;
    struct partition_list revoking;
    struct partition_list wanted; /* private */
    struct partition_list merged; /* private */
};

void reconcile_output_init(struct reconcile_output *output, struct memory *memory);
void reconcile_output_release(struct reconcile_output *output);

enum reconcile_outcome consumer_reconcile(const struct reconcile_input *input,
                                          struct reconcile_output *output);

#endif
