/* model/group_holders.h: who was last told to have each partition of a group, so that a new
 * assignment is told as what it changes. */
#ifndef MODEL_GROUP_HOLDERS_H
#define MODEL_GROUP_HOLDERS_H

#include "model/cluster.h"
#include "model/group_trace.h"

struct group_holder {
    partition_id partition;
    name_id member_id;
    bool seen; /* in the assignment being told */
};

struct group_holders {
    struct group_trace *trace;
    const struct cluster *cluster;
    uint16_t kind; /* of the records: TRACE_ASSIGNED, or another with its fields */
    name_id group;
    struct group_holder *items; /* ascending partitions */
    int32_t count;
    int32_t capacity;
};

/* The member has the partition in the new assignment. A group_partition_visitor; `self` is a struct
 * group_holders. */
void group_holders_give(void *self, name_id member_id, struct topic_partition partition,
                        int32_t generation);
/* The end of the new assignment: what the member (NAME_NONE = anybody) had and was not given anew
 * is taken. */
void group_holders_take_rest(struct group_holders *holders, name_id member_id, int32_t generation);
/* The member goes by another id from now on. */
void group_holders_rename(struct group_holders *holders, name_id old_id, name_id new_id);

#endif
