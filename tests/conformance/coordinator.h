/* tests/conformance/coordinator.h: recorded scenarios of the group coordinator. */
#ifndef TESTS_CONFORMANCE_COORDINATOR_H
#define TESTS_CONFORMANCE_COORDINATOR_H

#include "tests/conformance/conformance.h"
#include "tests/harness/coordinator_host.h"

bool coordinator_applies(const json_t *record);
enum conformance_outcome coordinator_check(const json_t *record, struct conformance_report *report);

/* Rebuilds the shard from its log and compares. False and a reason in the report if it differs. */
bool coordinator_rebuild_check(struct coordinator_host *host, long step,
                               struct conformance_report *report);

#endif
