/* tests/conformance/hashes.h: cases about hashes and partitioners (ASSIGNORS.md, section 10). */
#ifndef TESTS_CONFORMANCE_HASHES_H
#define TESTS_CONFORMANCE_HASHES_H

#include "tests/conformance/conformance.h"

bool murmur2_applies(const json_t *record);
enum conformance_outcome murmur2_check(const json_t *record, struct conformance_report *report);

bool group_partition_applies(const json_t *record);
enum conformance_outcome group_partition_check(const json_t *record,
                                               struct conformance_report *report);

bool adaptive_partitioner_applies(const json_t *record);
enum conformance_outcome adaptive_partitioner_check(const json_t *record,
                                                    struct conformance_report *report);

bool round_robin_partitioner_applies(const json_t *record);
enum conformance_outcome round_robin_partitioner_check(const json_t *record,
                                                       struct conformance_report *report);

#endif
