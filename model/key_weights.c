#include "model/key_weights.h"

#include "model/partitioner.h"
#include "sim/wide.h"

#include <stdio.h>
#include <string.h>

#define PPM 1000000

static uint64_t scaled(uint64_t value, uint64_t numerator, uint64_t denominator)
{
    return (uint64_t)((uint128)value * numerator / denominator);
}

static int32_t partition_of(const char *text, int32_t partitions)
{
    return partition_for_key((const uint8_t *)text, strlen(text), partitions);
}

static void add_hot_key(uint64_t *weights, int32_t partitions, const struct hot_key *hot)
{
    int32_t salt = hot->salt < 1 ? 1 : hot->salt;
    uint64_t share = scaled(KEY_WEIGHT_TOTAL, (uint64_t)hot->share_ppm, PPM);
    for (int32_t i = 0; i < salt; i++) {
        char text[300];
        if (salt == 1) {
            snprintf(text, sizeof(text), "%s", hot->key);
        } else {
            snprintf(text, sizeof(text), "%s-%d", hot->key, (int)i);
        }
        weights[partition_of(text, partitions)] += share / (uint64_t)salt;
    }
}

void key_weights(uint64_t *weights, int32_t partitions, const struct scenario_keys *keys,
                 const struct hot_key *extra, struct memory *memory)
{
    memset(weights, 0, (size_t)partitions * sizeof(*weights));
    size_t count = (size_t)keys->count;
    uint64_t *key_weight = memory_take(memory, count * sizeof(*key_weight));
    zipf_weights(key_weight, count, (uint32_t)keys->zipf_exponent_milli);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += key_weight[i];

    int64_t hot_ppm = extra == NULL ? 0 : extra->share_ppm;
    for (int32_t i = 0; i < keys->hot_count; i++)
        hot_ppm += keys->hot[i].share_ppm;
    uint64_t rest = hot_ppm >= PPM ? 0 : scaled(KEY_WEIGHT_TOTAL, (uint64_t)(PPM - hot_ppm), PPM);
    /* Beside hot keys only: the other records have no key and go everywhere alike. */
    for (int32_t p = 0; count == 0 && p < partitions; p++)
        weights[p] = rest / (uint64_t)partitions;
    for (size_t i = 0; i < count; i++) {
        char text[32];
        int length = snprintf(text, sizeof(text), "key-%zu", i);
        int32_t partition = partition_for_key((const uint8_t *)text, (size_t)length, partitions);
        weights[partition] += scaled(rest, key_weight[i], sum);
    }
    memory_give(memory, key_weight, count * sizeof(*key_weight));
    for (int32_t i = 0; i < keys->hot_count; i++)
        add_hot_key(weights, partitions, &keys->hot[i]);
    if (extra != NULL && extra->share_ppm > 0) add_hot_key(weights, partitions, extra);
}
