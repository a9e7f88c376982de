/* tests/conformance/assignors.h: recorded assignments (ASSIGNORS.md, sections 1 to 9). */
#ifndef TESTS_CONFORMANCE_ASSIGNORS_H
#define TESTS_CONFORMANCE_ASSIGNORS_H

#include "tests/conformance/conformance.h"

bool assignor_applies(const json_t *record);
/* Our answer must be the recorded one (the canonical one where Kafka's follows a hash order). Where
 * Kafka's is a defect, ours must be valid and safe. */
enum conformance_outcome assignor_check(const json_t *record, struct conformance_report *report);

#endif
