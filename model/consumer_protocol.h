/* model/consumer_protocol.h: the bytes that members of a classic group exchange.
 *
 * The coordinator passes them on unread (but for offset expiry, which looks at the topics): the
 * layouts of ConsumerProtocolSubscription.json v0-3, ConsumerProtocolAssignment.json, and the user
 * data of StickyAssignor and CooperativeStickyAssignor. Big-endian, strings with a two-byte length,
 * arrays and byte strings with a four-byte one.
 *
 * Decoding is safe on any bytes: false, and nothing to free, when they are not what they should be.
 * A version above the known one is read as the newest known (ConsumerProtocol). */
#ifndef MODEL_CONSUMER_PROTOCOL_H
#define MODEL_CONSUMER_PROTOCOL_H

#include "model/kafka_types.h"
#include "sim/memory.h"

#define SUBSCRIPTION_VERSION_NEWEST 3
#define ASSIGNMENT_VERSION_NEWEST   3

/* Nullable bytes: NULL data and length 0 is Kafka's null or its empty string, which no reader here
 * tells apart; `user_data_is_null` says which it was. */
struct subscription {
    int16_t version; /* as read; encoding takes its own */
    name_id *topics;
    int32_t topic_count;
    struct bytes user_data; /* points into the decoded bytes */
    bool user_data_is_null;
    struct topic_partition *owned; /* version 1 and later */
    int32_t owned_count;
    int32_t generation; /* version 2 and later; -1 = unknown */
    name_id rack;       /* version 3 and later; NAME_NONE = none */
};

struct assignment {
    int16_t version;
    struct topic_partition *partitions; /* in the order of the bytes */
    int32_t partition_count;
    struct bytes user_data; /* points into the decoded bytes */
    bool user_data_is_null;
};

/* Of `sticky`; that of `cooperative-sticky` has only the generation. */
struct sticky_user_data {
    struct topic_partition *owned; /* in the order of the bytes */
    int32_t owned_count;
    int32_t generation; /* -1 = unknown, also in the oldest layout, which has none */
};

/* Encoded bytes are taken from `memory`; give them back with consumer_protocol_give. Topics are
 * written in ascending order and partitions ascending within their topic, whatever order they come
 * in; fields that `version` does not have are left out. */
struct bytes subscription_encode(struct memory *memory, const struct names *names,
                                 const struct subscription *subscription, int16_t version);
struct bytes assignment_encode(struct memory *memory, const struct names *names,
                               const struct assignment *assignment, int16_t version);
/* Topics in order of first appearance and partitions as listed: the order of a Java hash map that a
 * real member would write is not rebuilt, and readers must not care. */
struct bytes sticky_user_data_encode(struct memory *memory, const struct names *names,
                                     const struct sticky_user_data *user_data);
struct bytes cooperative_sticky_user_data_encode(struct memory *memory, int32_t generation);
void consumer_protocol_give(struct memory *memory, struct bytes encoded);

/* Decoded arrays are taken from `memory`; give them back with the *_free of the same name. Unknown
 * topics are interned. */
bool subscription_decode(struct memory *memory, struct names *names, struct bytes bytes,
                         struct subscription *subscription);
void subscription_free(struct memory *memory, struct subscription *subscription);
bool assignment_decode(struct memory *memory, struct names *names, struct bytes bytes,
                       struct assignment *assignment);
void assignment_free(struct memory *memory, struct assignment *assignment);
bool sticky_user_data_decode(struct memory *memory, struct names *names, struct bytes bytes,
                             struct sticky_user_data *user_data);
void sticky_user_data_free(struct memory *memory, struct sticky_user_data *user_data);
bool cooperative_sticky_user_data_decode(struct bytes bytes, int32_t *generation);

#endif
