/* tests/conformance/assign_case.h: one recorded assignment as input for our assignors. */
#ifndef TESTS_CONFORMANCE_ASSIGN_CASE_H
#define TESTS_CONFORMANCE_ASSIGN_CASE_H

#include "model/assignor/assignor.h"
#include "tests/conformance/conformance.h"

struct assign_case {
    struct memory *memory; /* holds everything here; assign_case_close frees it */
    struct names *names;
    const struct assignor *assignor;
    struct assign_input input;
};

/* False when the record is no usable case; the report says why. Close it in any case. */
bool assign_case_open(struct assign_case *c, const json_t *record,
                      struct conformance_report *report);
void assign_case_close(struct assign_case *c);

/* Index of a topic or member by its name in the record, or -1. */
int32_t assign_case_topic(const struct assign_case *c, const char *name);
int32_t assign_case_member(const struct assign_case *c, const char *id);

#endif
