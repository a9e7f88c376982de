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

int32_t key_partition(const char *key, int32_t partitions)
{
    return partition_for_key((const uint8_t *)key, strlen(key), partitions);
}

static void visit_hot_key(const struct key_visitor *visitor, const struct hot_key *hot)
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
        visitor->visit(visitor->self, text, share / (uint64_t)salt);
    }
}

/* What is left for ordinary keys. */
static uint64_t rest_of(const struct scenario_keys *keys, const struct hot_key *extra)
{
    int64_t hot_ppm = extra == NULL ? 0 : extra->share_ppm;
    for (int32_t i = 0; i < keys->hot_count; i++)
        hot_ppm += keys->hot[i].share_ppm;
    return hot_ppm >= PPM ? 0 : scaled(KEY_WEIGHT_TOTAL, (uint64_t)(PPM - hot_ppm), PPM);
}

void key_weights_visit(const struct scenario_keys *keys, const struct hot_key *extra,
                       struct memory *memory, const struct key_visitor *visitor)
{
    size_t count = (size_t)keys->count;
    uint64_t *key_weight = memory_take(memory, count * sizeof(*key_weight));
    zipf_weights(key_weight, count, (uint32_t)keys->zipf_exponent_milli);
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += key_weight[i];
    uint64_t rest = rest_of(keys, extra);
    for (size_t i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "key-%zu", i);
        visitor->visit(visitor->self, text, scaled(rest, key_weight[i], sum));
    }
    memory_give(memory, key_weight, count * sizeof(*key_weight));
    for (int32_t i = 0; i < keys->hot_count; i++)
        visit_hot_key(visitor, &keys->hot[i]);
    if (extra != NULL && extra->share_ppm > 0) visit_hot_key(visitor, extra);
}

struct partition_sums {
    uint64_t *weights;
    int32_t partitions;
};

static void add_to_partition(void *self, const char *key, uint64_t weight)
{
    const struct partition_sums *sums = self;
    sums->weights[key_partition(key, sums->partitions)] += weight;
}

void key_weights(uint64_t *weights, int32_t partitions, const struct scenario_keys *keys,
                 const struct hot_key *extra, struct memory *memory)
{
    memset(weights, 0, (size_t)partitions * sizeof(*weights));
    /* Beside hot keys only: the other records have no key and go everywhere alike. */
    for (int32_t p = 0; keys->count == 0 && p < partitions; p++)
        weights[p] = rest_of(keys, extra) / (uint64_t)partitions;
    struct partition_sums sums = {weights, partitions};
    key_weights_visit(keys, extra, memory, &(struct key_visitor){add_to_partition, &sums});
}
