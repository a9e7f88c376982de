/* model/assignor/by_rack.h: a list of members that can be searched by rack.
 *
 * Members join at the end and leave anywhere. "The first member near this partition, from here on"
 * is answered without walking past the others, so that a group with few members in a rack does not
 * cost members times partitions. */
#ifndef MODEL_ASSIGNOR_BY_RACK_H
#define MODEL_ASSIGNOR_BY_RACK_H

#include "model/assignor/racks.h"
#include "model/assignor/sticky.h"

struct by_rack;

/* Empty; room for every member once. */
struct by_rack *by_rack_new(const struct racks *racks, struct scratch *scratch,
                            int32_t member_count);
void by_rack_add(struct by_rack *list, int32_t member);
/* The place of the first member at or after the cursor, round the end if need be, whose rack is
 * among the partition's; -1 if there is none. Places are those in which members joined. */
int32_t by_rack_find(struct by_rack *list, int32_t topic, int32_t partition, int32_t cursor);
int32_t by_rack_member(const struct by_rack *list, int32_t place);
void by_rack_remove(struct by_rack *list, int32_t place);
void by_rack_clear(struct by_rack *list);
/* Writes who is left, in order; returns how many. */
int32_t by_rack_rest(const struct by_rack *list, int32_t *members);

/* Sorts slots stably by the number of members in one of the partition's racks, fewest first. */
void by_rack_sort_rarest_first(const struct sticky *sticky, int32_t *slots, int32_t count);

#endif
