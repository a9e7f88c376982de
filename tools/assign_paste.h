/* tools/assign_paste.h: a group for `cohort assign`, out of the printed text of
 * `kafka-consumer-groups.sh --describe --members --verbose`.
 *
 * All forms of that table: with GROUP or without, with GROUP-INSTANCE-ID or without; ASSIGNMENT as
 * `orders(0,1), payments(2)` up to 3.9, CURRENT-ASSIGNMENT as `orders:0,1;payments:2` since 4.0.
 *
 * The text does not say who subscribes to what, nor how many partitions there are. Unless told
 * otherwise we take it that all members subscribe to all topics named, and that a topic ends with
 * the highest partition somebody owns. */
#ifndef TOOLS_ASSIGN_PASTE_H
#define TOOLS_ASSIGN_PASTE_H

#include "tools/assign_group.h"

/* Whether the text looks like it: a line with the words CONSUMER-ID and #PARTITIONS. */
bool assign_paste_applies(const char *text);

/* Topics already in the group keep their number of partitions. */
void assign_paste_read(struct assign_group *group, int32_t source, const char *text, size_t length);

#endif
