/* model/assignor/sticky_improve.h: moving partitions from loaded to less loaded members
 * (AbstractStickyAssignor.GeneralAssignmentBuilder.performReassignments). */
#ifndef MODEL_ASSIGNOR_STICKY_IMPROVE_H
#define MODEL_ASSIGNOR_STICKY_IMPROVE_H

#include "model/assignor/load_heap.h"
#include "model/assignor/sticky.h"

struct improvement {
    struct sticky *sticky;
    int32_t *load;       /* by member */
    const int32_t *rank; /* by member: place in id order */
    const int32_t
        *older_owner;      /* by slot: who had it under an older generation, or ASSIGN_NOBODY */
    const int32_t *topics; /* those with two subscribers and more, in order */
    int32_t topic_count;

    /* Moves so far: where a moved slot came from originally (ASSIGN_NOBODY = it has not moved, or
     * came back). By member, the slots of the topic at hand that moved there: a list through
     * next_moved and previous_moved. */
    int32_t *origin;
    int32_t *first_moved;
    int32_t *next_moved;
    int32_t *previous_moved;
    int32_t *topic_stamp; /* by member: last topic it was seen to subscribe to, plus one */
    struct load_heap heap;

    bool endless; /* Kafka's passes would never end: a case was met again */
    int32_t *remembered_owner;
    int32_t *remembered_origin;
};

struct improvement improvement_new(struct sticky *sticky, int32_t *load, const int32_t *rank,
                                   const int32_t *older_owner, const int32_t *topics,
                                   int32_t topic_count);

/* Passes over all slots of the topics, or over those marked in `only` (by slot, NULL = all), until
 * a pass moves nothing. Returns whether anything moved. */
bool improve(struct improvement *improvement, const bool *only);

#endif
