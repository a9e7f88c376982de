/* tests/model/assignor/group_text.h: groups and assignments as text, so that tests read like the
 * rules they test.
 *
 *     topic t1 4                     four partitions
 *     topic t2 2 racks x,y x         racks of the replicas, partition by partition
 *     topic gone                     known by name only
 *     topic u 3 id 80…0 (32 hex)     topic id; without it ids ascend in order of appearance
 *     member a: t1 t2                subscribes
 *     member b: t1 | instance i1 | rack x | generation 5 | owns t1:0,1 t2:0
 *     member c: t1 | generation 5 | owns t1:0 | field 3 | data 4
 *
 * What a member owns stands in the message and in the user data alike; `generation` goes into both,
 * `field` and `data` then change one of them. Assignments are written one member a line, in the
 * order of the input, topics by name:
 *
 *     a: t1:0,2 t2:1
 *     b:
 *     withheld: t1:1 for b
 */
#ifndef TESTS_MODEL_ASSIGNOR_GROUP_TEXT_H
#define TESTS_MODEL_ASSIGNOR_GROUP_TEXT_H

#include "model/assignor/assignor.h"

struct group_text {
    struct memory *memory;
    struct names *names;
    struct assign_input input;
};

struct group_text group_text_parse(const char *text);
void group_text_free(struct group_text *group);
/* In memory of the group. */
const char *group_text_of(const struct group_text *group, const struct assign_output *output);

/* Runs an assignor ("range", "server range", …) on the group and compares; says what differs. */
void group_text_expect(const char *assignor, const char *group, const char *expected);

/* "server range" is the broker's. */
const struct assignor *group_text_assignor(const char *name);

#endif
