/* model/assignor/level_walk.h: giving to the poor and taking from the rich, level by level.
 *
 * UniformHeterogeneousAssignmentBuilder's range balancer: the members of one topic are sorted by
 * (load, number) once. A window grows from the low end: all that have reached the current level. It
 * is walked round and round, the level rising by one each time, so that partitions are dealt to the
 * least loaded. A mirror image at the high end says who gives next. Loads are the current ones and
 * change with every move; the order of the list does not. */
#ifndef MODEL_ASSIGNOR_LEVEL_WALK_H
#define MODEL_ASSIGNOR_LEVEL_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct level_walk {
    int32_t *member; /* by (load, number); exclusion reorders the high end. Shape [count] */
    int32_t count;
    const int32_t *load; /* by member, the caller's */

    int32_t low_level; /* receivers: member[0] up to before member[low_end] */
    int32_t low_end;
    int32_t low_next;
    int32_t high_level; /* givers: member[high_start] up to before member[high_end] */
    int32_t high_start;
    int32_t high_end;
    int32_t high_next;
};

/* Starts over the list in walk->member, which is sorted; count > 0. */
void level_walk_start(struct level_walk *walk);
/* Who gets the next partition. */
int32_t level_walk_receiver(struct level_walk *walk);
/* Who gives the next one; -1 when all are excluded. */
int32_t level_walk_giver(struct level_walk *walk);
/* The giver just named has nothing to give. */
void level_walk_exclude_giver(struct level_walk *walk);
static inline bool level_walk_is_level(const struct level_walk *walk)
{
    return walk->high_level - walk->low_level <= 1;
}

#endif
