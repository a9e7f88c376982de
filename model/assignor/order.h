/* model/assignor/order.h: in which order members and topics come, and who subscribes to what.
 *
 * Orders are arrays of indexes into the input: the assignors accept members and topics in any order
 * and never look at the order given. Sorting what is already sorted costs one pass. */
#ifndef MODEL_ASSIGNOR_ORDER_H
#define MODEL_ASSIGNOR_ORDER_H

#include "model/assignor/assignor.h"
#include "model/assignor/scratch.h"

/* Members by id, in Java's string order. Shape [member_count]. */
int32_t *order_members_by_id(const struct assign_input *input, struct scratch *scratch);
/* Static members by instance id, then dynamic ones by member id (AbstractPartitionAssignor.
 * MemberInfo). Shape [member_count]. */
int32_t *order_members_static_first(const struct assign_input *input, struct scratch *scratch);
/* Topics by name. Shape [topic_count]. */
int32_t *order_topics_by_name(const struct assign_input *input, struct scratch *scratch);
/* Topics by id: two signed halves, the upper first (Uuid.compareTo). Shape [topic_count]. */
int32_t *order_topics_by_id(const struct assign_input *input, struct scratch *scratch);

/* For every topic its subscribers, in a given member order; a topic listed twice by one member
 * counts once. */
struct subscribers {
    int32_t *first; /* subscribers of topic t: member[first[t]] up to before member[first[t + 1]] */
    int32_t *member; /* indexes into the input */
};

struct subscribers order_subscribers(const struct assign_input *input, const int32_t *member_order,
                                     struct scratch *scratch);
static inline int32_t subscribers_count(const struct subscribers *subscribers, int32_t topic)
{
    return subscribers->first[topic + 1] - subscribers->first[topic];
}

/* Number of partitions of a topic, 0 if it does not exist. */
static inline int32_t order_partition_count(const struct assign_input *input, int32_t topic)
{
    const int32_t count = input->topics[topic].partition_count;
    return count < 0 ? 0 : count;
}

/* A stable merge sort of indexes; `before` is true when a must come before b. Buffer memory is
 * taken and given back. */
typedef bool order_before_fn(const void *context, int32_t a, int32_t b);
void order_sort(int32_t *items, int32_t count, order_before_fn *before, const void *context,
                struct memory *memory);

#endif
