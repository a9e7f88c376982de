/* tools/assign_yaml.h: a group for `cohort assign`, written in YAML or JSON.
 *
 *     topics:
 *       orders: 12
 *       payments: {partitions: 4, weight: 900, racks: [[a, b], [b, c], [c, a], [a, b]]}
 *     members:
 *       c1: {topics: [orders, payments], owned: {orders: 0-5, payments: [0, 2]}, generation: 7}
 *       c2: {topics: [orders], instance: pod-2, rack: a}
 *
 * `members` may also be a list of such maps with an `id` each. */
#ifndef TOOLS_ASSIGN_YAML_H
#define TOOLS_ASSIGN_YAML_H

#include "tools/assign_group.h"

/* Everything wrong is reported. */
void assign_yaml_read(struct assign_group *group, int32_t source, const char *text, size_t length);

#endif
