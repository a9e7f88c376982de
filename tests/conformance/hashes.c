#include "tests/conformance/hashes.h"

#include "model/group_partition.h"
#include "model/java_string.h"
#include "model/partitioner.h"
#include "tests/conformance/values.h"

#include <stdlib.h>
#include <string.h>

/* Compares one number; says so when it differs. */
static bool same(struct conformance_report *report, const char *what, long long expected,
                 long long actual)
{
    if (expected == actual) return true;
    conformance_say(report, "%s: Kafka %lld, here %lld", what, expected, actual);
    return false;
}

static enum conformance_outcome outcome(bool passed)
{
    return passed ? CASE_PASSED : CASE_FAILED;
}

static enum conformance_outcome missing(struct conformance_report *report, const char *fields)
{
    conformance_say(report, "a case of this kind needs %s", fields);
    return CASE_UNUSABLE;
}

bool murmur2_applies(const json_t *record)
{
    return json_object_get(record, "murmur2") != NULL;
}

enum conformance_outcome murmur2_check(const json_t *record, struct conformance_report *report)
{
    const char *hex = json_string_value(json_object_get(record, "key"));
    size_t length = 0;
    uint8_t *key = hex == NULL ? NULL : hex_decode(hex, &length);
    int32_t hash;
    int32_t positive;
    int32_t partitions;
    int32_t partition;
    if (key == NULL || !get_int32(record, "murmur2", &hash) ||
        !get_int32(record, "positive", &positive) ||
        !get_int32(record, "partitions", &partitions) || partitions <= 0 ||
        !get_int32(record, "partition", &partition)) {
        free(key);
        return missing(report, "key (hex), murmur2, positive, partitions, partition");
    }
    const int32_t our_hash = murmur2(key, length);
    bool passed = same(report, "murmur2", hash, our_hash);
    passed &= same(report, "positive", positive, our_hash & 0x7fffffff);
    passed &= same(report, "partition", partition, partition_for_key(key, length, partitions));
    free(key);
    return outcome(passed);
}

bool group_partition_applies(const json_t *record)
{
    return json_object_get(record, "group") != NULL && json_object_get(record, "hash") != NULL;
}

enum conformance_outcome group_partition_check(const json_t *record,
                                               struct conformance_report *report)
{
    const json_t *group = json_object_get(record, "group");
    int32_t hash;
    int32_t partitions;
    int32_t partition;
    if (!json_is_string(group) || !get_int32(record, "hash", &hash) ||
        !get_int32(record, "partitions", &partitions) || partitions <= 0 ||
        !get_int32(record, "partition", &partition)) {
        return missing(report, "group, hash, partitions, partition");
    }
    const char *text = json_string_value(group);
    bool passed = same(report, "hash", hash, java_string_hash(text, json_string_length(group)));
    passed &= same(report, "partition", partition, group_partition(text, partitions));
    return outcome(passed);
}

bool adaptive_partitioner_applies(const json_t *record)
{
    return json_object_get(record, "queue_partitions") != NULL;
}

enum conformance_outcome adaptive_partitioner_check(const json_t *record,
                                                    struct conformance_report *report)
{
    struct partition_choice choice = {0};
    int32_t partition;
    int32_t sizes_count = 0;
    const json_t *random = json_object_get(record, "random");
    int32_t *available = int32_array(json_object_get(record, "available"), &choice.available_count);
    int32_t *sizes = int32_array(json_object_get(record, "queue_sizes"), &sizes_count);
    int32_t *queues = int32_array(json_object_get(record, "queue_partitions"), &choice.queue_count);
    enum conformance_outcome result;
    if (available == NULL || (sizes != NULL && sizes_count != choice.queue_count) ||
        (sizes != NULL && queues == NULL) || !json_is_integer(random) ||
        !get_int32(record, "partitions", &choice.partition_count) || choice.partition_count <= 0 ||
        !get_int32(record, "partition", &partition)) {
        result = missing(report, "partitions, available, queue_sizes, queue_partitions, random");
    } else {
        choice.available = available;
        choice.queue_sizes = sizes;
        choice.queue_partitions = queues;
        const uint32_t number = (uint32_t)json_integer_value(random);
        result = outcome(same(report, "partition", partition, partition_adaptive(&choice, number)));
    }
    free(available);
    free(sizes);
    free(queues);
    return result;
}

bool round_robin_partitioner_applies(const json_t *record)
{
    return json_object_get(record, "sequence") != NULL;
}

enum conformance_outcome round_robin_partitioner_check(const json_t *record,
                                                       struct conformance_report *report)
{
    int32_t partitions;
    int32_t available_count = 0;
    int32_t length = 0;
    int32_t *available = int32_array(json_object_get(record, "available"), &available_count);
    int32_t *sequence = int32_array(json_object_get(record, "sequence"), &length);
    bool passed = true;
    const bool usable = available != NULL && sequence != NULL &&
                        get_int32(record, "partitions", &partitions) && partitions > 0;
    for (int32_t i = 0; usable && i < length; i++) {
        const int32_t ours =
            partition_round_robin(partitions, available, available_count, (uint32_t)i);
        if (ours == sequence[i]) continue;
        conformance_say(report, "call %d: Kafka %d, here %d", i, sequence[i], ours);
        passed = false;
    }
    free(available);
    free(sequence);
    return usable ? outcome(passed) : missing(report, "partitions, available, sequence");
}
