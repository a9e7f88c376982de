#include "model/assignor/level_walk.h"

void level_walk_start(struct level_walk *walk)
{
    const int32_t last = walk->count - 1;
    walk->low_level = walk->load[walk->member[0]] - 1;
    walk->low_end = 0;
    walk->low_next = 0;
    walk->high_level = walk->load[walk->member[last]] + 1;
    walk->high_start = walk->count;
    walk->high_end = walk->count;
    walk->high_next = last;
}

int32_t level_walk_receiver(struct level_walk *walk)
{
    if (walk->low_next >= walk->low_end) {
        walk->low_level++;
        while (walk->low_end < walk->count &&
               walk->load[walk->member[walk->low_end]] == walk->low_level) {
            walk->low_end++;
        }
        walk->low_next = 0;
    }
    return walk->member[walk->low_next++];
}

int32_t level_walk_giver(struct level_walk *walk)
{
    if (walk->high_next < walk->high_start) {
        if (walk->high_end <= walk->high_start && walk->high_start > 0) {
            walk->high_level = walk->load[walk->member[walk->high_start - 1]];
        } else {
            walk->high_level--;
        }
        while (walk->high_start > 0 &&
               walk->load[walk->member[walk->high_start - 1]] == walk->high_level) {
            walk->high_start--;
        }
        walk->high_next = walk->high_end - 1;
    }
    if (walk->high_next < 0) return -1;
    return walk->member[walk->high_next--];
}

void level_walk_exclude_giver(struct level_walk *walk)
{
    const int32_t excluded = walk->member[walk->high_next + 1];
    walk->member[walk->high_next + 1] = walk->member[walk->high_end - 1];
    walk->member[walk->high_end - 1] = excluded;
    walk->high_end--;
}
