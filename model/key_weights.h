/* model/key_weights.h: how the keys of a producer share a topic's partitions.
 *
 * Key i of N is "key-i" and weighs 1/(i+1)^s; a hot key takes its share off the top, spread over
 * "NAME-0" … when salted. Each key's partition is murmur2's. The result is one integer weight per
 * partition, which sums to KEY_WEIGHT_TOTAL up to rounding down. */
#ifndef MODEL_KEY_WEIGHTS_H
#define MODEL_KEY_WEIGHTS_H

#include "model/scenario.h"
#include "sim/memory.h"

#define KEY_WEIGHT_TOTAL (UINT64_C(1) << 40)

/* Fills weights, shape [partitions]. `extra` is one more hot key (a fault), or NULL. */
void key_weights(uint64_t *weights, int32_t partitions, const struct scenario_keys *keys,
                 const struct hot_key *extra, struct memory *memory);

/* Each key with its weight, in the same order every time; a key may come more than once (an
 * ordinary one that is hot too). The text is valid during the call. */
struct key_visitor {
    void (*visit)(void *self, const char *key, uint64_t weight);
    void *self;
};
void key_weights_visit(const struct scenario_keys *keys, const struct hot_key *extra,
                       struct memory *memory, const struct key_visitor *visitor);
int32_t key_partition(const char *key, int32_t partitions);

#endif
