/* model/coordinator/partition_set.h: sets of topic partitions, small and sorted.
 *
 * What a member is assigned, must give up, should get or says it owns. A partition is one number,
 * its topic in the upper half, so that sets are sorted arrays and every operation is one merge.
 * Topics are interned topic ids (coordinator_topic.id), not names: a topic that was deleted and
 * created again is another topic. The order of a set is that of the interned numbers, which nobody
 * outside may see: what leaves the coordinator is ordered by name.
 *
 * A partition_set owns exactly `count` items; an empty set owns nothing. A partition_list is a
 * growable scratch array that is cleared and filled again. */
#ifndef MODEL_COORDINATOR_PARTITION_SET_H
#define MODEL_COORDINATOR_PARTITION_SET_H

#include "model/kafka_types.h"
#include "sim/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t partition_key;

static inline partition_key partition_key_of(name_id topic, int32_t partition)
{
    return (uint64_t)topic << 32 | (uint32_t)partition;
}
static inline name_id partition_key_topic(partition_key key)
{
    return (name_id)(key >> 32);
}
static inline int32_t partition_key_partition(partition_key key)
{
    return (int32_t)(uint32_t)key;
}

struct partition_set {
    partition_key *items; /* ascending, no doubles; shape [count] */
    uint32_t count;
};

static inline struct partition_set partition_set_none(void)
{
    return (struct partition_set){0};
}

struct partition_list {
    struct memory *memory;
    partition_key *items;
    uint32_t count;
    uint32_t capacity;
};

void partition_list_init(struct partition_list *list, struct memory *memory);
void partition_list_release(struct partition_list *list);
/* Makes room for `count` items in all; what is there stays. */
void partition_list_reserve(struct partition_list *list, uint32_t count);
void partition_list_add(struct partition_list *list, partition_key key);
/* Adds partitions whose topics are ids, and sorts. */
void partition_list_add_all(struct partition_list *list, const struct topic_partition *partitions,
                            int32_t count);
/* Sorts and drops doubles: after this the list can be viewed as a set. */
void partition_list_sort(struct partition_list *list);
/* The list's items as a set that owns nothing; good until the list changes. */
struct partition_set partition_list_view(const struct partition_list *list);

/* A set of its own with the same items. */
struct partition_set partition_set_copy(struct memory *memory, struct partition_set set);
void partition_set_release(struct memory *memory, struct partition_set *set);
/* `set` becomes a copy of `with`; what it owned goes back. `with` must not be part of `set`. */
void partition_set_replace(struct memory *memory, struct partition_set *set,
                           struct partition_set with);

bool partition_set_equal(struct partition_set a, struct partition_set b);
bool partition_set_contains(struct partition_set set, partition_key key);
bool partition_set_intersects(struct partition_set a, struct partition_set b);
bool partition_set_is_subset(struct partition_set part, struct partition_set whole);
bool partition_set_is_sorted(struct partition_set set);

/* out = a and b, out = a without b, out = a or b. `out` is cleared first and comes out sorted. */
void partition_set_common(struct partition_list *out, struct partition_set a,
                          struct partition_set b);
void partition_set_without(struct partition_list *out, struct partition_set a,
                           struct partition_set b);
void partition_set_union(struct partition_list *out, struct partition_set a,
                         struct partition_set b);

#endif
