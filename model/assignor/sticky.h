/* model/assignor/sticky.h: what sticky and cooperative-sticky share (AbstractStickyAssignor).
 *
 * First the claims are settled: who holds what. Then one of two algorithms: sticky_equal when all
 * members subscribe to the same topics, sticky_unequal else. They differ in more than speed.
 *
 * Members and topics are indexes into the input; `members` and `topics` give the ascending order in
 * which everything is walked. Slots are those of the output. */
#ifndef MODEL_ASSIGNOR_STICKY_H
#define MODEL_ASSIGNOR_STICKY_H

#include "model/assignor/order.h"
#include "model/assignor/racks.h"

/* What a member says it had, from whichever part of its message the assignor looks at. */
struct sticky_claims {
    const struct assign_partition *owned;
    int32_t owned_count;
    int32_t generation; /* effective; ASSIGN_GENERATION_UNKNOWN = -1 is below all others */
};

struct sticky {
    const struct assign_input *input;
    struct assign_output *output;
    struct scratch *scratch;
    /* Members by id. Those without subscription that come before all others are left out when all
     * others subscribe to the same topics: so `member_count` may be less than the input's. */
    const int32_t *members;
    int32_t member_count;
    const int32_t *topics; /* by name */
    struct subscribers subscribers;
    struct sticky_claims *claims; /* by member */
    struct racks racks;
    bool racks_in_use;

    /* By slot. */
    int32_t *topic_of;
    int32_t *holder;   /* the member whose claim prevailed, or ASSIGN_NOBODY */
    bool *contested;   /* claimed twice in one generation */
    int32_t *released; /* equal subscriptions: the member that had to let go, or ASSIGN_NOBODY */
    bool *handed_out;  /* equal subscriptions: not kept, but given in this assignment */
};

/* Whether a topic exists and somebody subscribes to it; all else is left out of account. */
static inline bool sticky_knows(const struct sticky *sticky, int32_t topic)
{
    return sticky->input->topics[topic].partition_count > 0 &&
           subscribers_count(&sticky->subscribers, topic) > 0;
}

/* A member with a rack mismatches a partition without replica in it, if racks are in use. */
static inline bool sticky_mismatches(const struct sticky *sticky, int32_t member, int32_t slot)
{
    if (!sticky->racks_in_use) return false;
    const int32_t rack = sticky->racks.of_member[member];
    if (rack == RACK_NONE) return false;
    const int32_t topic = sticky->topic_of[slot];
    const int32_t partition = slot - sticky->output->first_slot[topic];
    return !racks_contain(&sticky->racks, topic, partition, rack);
}

/* Fill output->owner from the holders. */
void sticky_assign_equal(struct sticky *sticky);
void sticky_assign_unequal(struct sticky *sticky);

#endif
