#include "tests/conformance/conformance.h"

#include "sim/check.h"
#include "tests/conformance/assignors.h"
#include "tests/conformance/coordinator.h"
#include "tests/conformance/hashes.h"
#include "tests/conformance/protocol_bytes.h"

static const struct conformance_kind kinds[] = {
    {"assignment", assignor_applies, assignor_check},
    {"murmur2", murmur2_applies, murmur2_check},
    {"group-partition", group_partition_applies, group_partition_check},
    {"adaptive-partitioner", adaptive_partitioner_applies, adaptive_partitioner_check},
    {"roundrobin-partitioner", round_robin_partitioner_applies, round_robin_partitioner_check},
    {"protocol-bytes", protocol_bytes_applies, protocol_bytes_check},
    {"coordinator", coordinator_applies, coordinator_check},
};

const struct conformance_kind *conformance_kind_of(const json_t *record)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].applies(record)) return &kinds[i];
    }
    return NULL;
}
