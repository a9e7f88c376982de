/* tests/model/assignor/reference_sticky.h: the sticky rules for unequal subscriptions, word by
 * word.
 *
 * Written from the rules (ASSIGNORS.md, 8.3 and 8.5) without any thought of speed: every question
 * is answered by looking at everybody and everything, above all whether the group is balanced,
 * before each single move. What model/assignor does cleverly must give the same. */
#ifndef TESTS_MODEL_ASSIGNOR_REFERENCE_STICKY_H
#define TESTS_MODEL_ASSIGNOR_REFERENCE_STICKY_H

#include "model/assignor/assignor.h"

/* More than any group needs for which the rules come to an end at all; some go on for ever. */
#define REFERENCE_PASSES 300

/* Fills owner (shape as the output's) with the balanced target. `user_data` says where claims are
 * taken from: true for sticky, false for cooperative-sticky. Returns how many passes it took:
 * REFERENCE_PASSES if it was given up. */
int reference_sticky(const struct assign_input *input, bool user_data,
                     const struct assign_output *shape, int32_t *owner);

#endif
