#include "model/partitioner.h"

#include "sim/check.h"

#include <stdbool.h>

int32_t murmur2(const uint8_t *data, size_t length)
{
    const uint32_t seed = 0x9747b28c;
    const uint32_t multiplier = 0x5bd1e995;
    uint32_t hash = seed ^ (uint32_t)length;
    size_t i = 0;
    for (; i + 4 <= length; i += 4) {
        uint32_t word = (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 |
                        (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
        word *= multiplier;
        word ^= word >> 24;
        word *= multiplier;
        hash *= multiplier;
        hash ^= word;
    }
    const size_t rest = length - i;
    if (rest >= 3) hash ^= (uint32_t)data[i + 2] << 16;
    if (rest >= 2) hash ^= (uint32_t)data[i + 1] << 8;
    if (rest >= 1) {
        hash ^= data[i];
        hash *= multiplier;
    }
    hash ^= hash >> 13;
    hash *= multiplier;
    hash ^= hash >> 15;
    return (int32_t)hash;
}

int32_t partition_for_key(const uint8_t *key, size_t length, int32_t partition_count)
{
    CHECK(partition_count > 0);
    return (murmur2(key, length) & 0x7fffffff) % partition_count;
}

static int32_t partition_uniform(const struct partition_choice *choice, int32_t random)
{
    if (choice->available_count > 0) return choice->available[random % choice->available_count];
    return random % choice->partition_count;
}

/* Whether the load says anything: some queue is longer than another, or a partition is left out. */
static bool load_matters(const struct partition_choice *choice)
{
    if (choice->queue_sizes == NULL || choice->queue_count < 1) return false;
    if (choice->partition_count < 2) return false;
    if (choice->queue_count < choice->partition_count) return true;
    for (int32_t i = 1; i < choice->queue_count; i++) {
        if (choice->queue_sizes[i] != choice->queue_sizes[0]) return true;
    }
    return false;
}

int32_t partition_adaptive(const struct partition_choice *choice, uint32_t random)
{
    CHECK(choice->partition_count > 0);
    const int32_t number = (int32_t)(random & 0x7fffffff);
    if (!load_matters(choice)) return partition_uniform(choice, number);

    int32_t longest = 0;
    int64_t weights = 0;
    for (int32_t i = 0; i < choice->queue_count; i++) {
        if (choice->queue_sizes[i] > longest) longest = choice->queue_sizes[i];
    }
    for (int32_t i = 0; i < choice->queue_count; i++) {
        weights += longest + 1 - choice->queue_sizes[i];
    }
    int64_t left = number % weights;
    int32_t chosen = 0;
    while (left >= longest + 1 - choice->queue_sizes[chosen]) {
        left -= longest + 1 - choice->queue_sizes[chosen];
        chosen++;
    }
    return choice->queue_partitions[chosen];
}

int32_t partition_round_robin(int32_t partition_count, const int32_t *available,
                              int32_t available_count, uint32_t counter)
{
    CHECK(partition_count > 0);
    const uint32_t number = counter & 0x7fffffff;
    if (available_count > 0) return available[number % (uint32_t)available_count];
    return (int32_t)(number % (uint32_t)partition_count);
}
