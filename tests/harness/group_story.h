/* tests/harness/group_story.h: what a coordinator did, as time-stamped lines that a test compares.
 *
 *   [3.000 s] Empty -> PreparingRebalance: Adding new member (m001)
 *   [6.000 s] generation 1 has 3 members, led by m001 with range */
#ifndef TESTS_HARNESS_GROUP_STORY_H
#define TESTS_HARNESS_GROUP_STORY_H

#include "model/coordinator/coordinator.h"

#define GROUP_STORY_SIZE 4096

struct group_story {
    const struct names *names;
    char text[GROUP_STORY_SIZE];
    size_t length;
};

void group_story_begin(struct group_story *story, struct coordinator *coordinator,
                       const struct names *names);
/* Compares with what has happened since the last call, and says where they part. */
void group_story_expect(struct group_story *story, const char *expected);

#endif
