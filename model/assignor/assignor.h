/* model/assignor/assignor.h: who gets which partition.
 *
 * Six pure functions: the same input gives the same answer, without clock, randomness or state
 * between calls. The answer is Apache Kafka's wherever Kafka's is a function of its input; where
 * Kafka's hangs on the iteration order of a Java hash map, it is the one that ascending iteration
 * gives; where Kafka's is wrong (partitions for members that do not subscribe, an unsafe hand-over,
 * an exception), it is a valid one: assignor/DIFFERENCES.md lists those.
 *
 * The shape rules two owners out: an assignment is one owner slot per partition. */
#ifndef MODEL_ASSIGNOR_ASSIGNOR_H
#define MODEL_ASSIGNOR_ASSIGNOR_H

#include "sim/memory.h"
#include "sim/names.h"

#include <stdbool.h>
#include <stdint.h>

#define ASSIGN_NOBODY             (-1)
#define ASSIGN_GENERATION_UNKNOWN (-1)

struct assign_topic {
    name_id name;
    int32_t partition_count; /* -1 = the topic does not exist, or is not known (yet) */
    int64_t id_high;         /* topic id, big-endian halves; only the server side looks at it */
    int64_t id_low;
    /* Racks of the replicas of each partition, shape [partition_count][rack_slots]; unused slots
     * and replicas on brokers without a rack are NAME_NONE. NULL = no replica has a rack. */
    const name_id *racks;
    int32_t rack_slots;
};

/* A partition as members name it: index of the topic in the input, and number. The number may lie
 * outside the topic (it was created anew with fewer partitions): such claims are dropped. */
struct assign_partition {
    int32_t topic;
    int32_t partition;
};

struct assign_member {
    name_id id;
    name_id instance;      /* group.instance.id; NAME_NONE or NAME_EMPTY = dynamic */
    name_id rack;          /* client.rack; NAME_NONE or NAME_EMPTY = none */
    const int32_t *topics; /* subscription: indexes into the input's topics, in any order */
    int32_t topic_count;

    /* Client side: what the subscription message says the member owns, and under which generation
     * (version 2 and later; ASSIGN_GENERATION_UNKNOWN if it does not say).
     * Server side: the member's previous target; no partition is in two targets. */
    const struct assign_partition *owned;
    int32_t owned_count;
    int32_t generation;

    /* Client side: the user data of sticky (owned and generation) and cooperative-sticky
     * (generation). No user data is the same as nothing owned and an unknown generation. */
    const struct assign_partition *user_data_owned;
    int32_t user_data_owned_count;
    int32_t user_data_generation;
};

/* Whether all members subscribe to the same names. The coordinator of a consumer group knows it
 * from names, also those of topics that do not exist; it leaves these out of the members' topics.
 */
enum assign_subscriptions {
    ASSIGN_SUBSCRIPTIONS_UNKNOWN, /* the assignor looks at the members' topics itself */
    ASSIGN_SUBSCRIPTIONS_EQUAL,
    ASSIGN_SUBSCRIPTIONS_UNEQUAL,
};

struct assign_input {
    const struct names *names;         /* for the order of ids and topic names */
    const struct assign_topic *topics; /* in any order, no name twice; nobody need subscribe */
    int32_t topic_count;
    const struct assign_member *members; /* in any order, no id twice, no instance twice */
    int32_t member_count;
    enum assign_subscriptions subscriptions; /* server side only */
};

struct assign_output {
    /* Partition p of topic t has slot first_slot[t] + p. Shape [topic_count + 1]; a topic that does
     * not exist has no slots. */
    int32_t *first_slot;
    int32_t slot_count;
    /* Index of the member that gets the partition now, or ASSIGN_NOBODY. Shape [slot_count]. */
    int32_t *owner;
    /* cooperative-sticky: the member for whom the partition is held back in this rebalance, because
     * another must give it up first; ASSIGN_NOBODY else. Such a slot has no owner, and owner
     * together with withheld_for is the balanced target. Shape [slot_count]. */
    int32_t *withheld_for;
    int32_t topic_count;
};

enum assign_result {
    ASSIGN_DONE,
    /* Server side: a member subscribes to a topic that does not exist (Kafka's
     * PartitionAssignorException); the output is empty. */
    ASSIGN_UNKNOWN_TOPIC,
};

/* Fills an output made by assign_output_new for this input. Scratch memory is taken from `memory`
 * and given back before the return. */
typedef enum assign_result assign_fn(const struct assign_input *input, struct memory *memory,
                                     struct assign_output *output);

enum assignor_side {
    ASSIGNOR_CLIENT, /* the group leader runs it (classic protocol) */
    ASSIGNOR_SERVER, /* the group coordinator runs it (consumer protocol, KIP-848) */
};

struct assignor {
    const char *name; /* as in partition.assignment.strategy or group.remote.assignor */
    enum assignor_side side;
    bool supports_cooperative; /* KIP-429: members may keep what they have while they rejoin */
    bool needs_previous;       /* the answer depends on what members own */
    assign_fn *assign;
};

/* The six, in the order of documentation: range, roundrobin, sticky, cooperative-sticky; then
 * uniform and range of the server side. */
extern const struct assignor assignors[];
extern const int32_t assignor_count;

/* NULL when there is none of this name on this side. */
const struct assignor *assignor_find(const char *name, enum assignor_side side);

/* All slots ASSIGN_NOBODY. Give it back with assign_output_free. */
struct assign_output assign_output_new(struct memory *memory, const struct assign_input *input);
void assign_output_free(struct memory *memory, struct assign_output *output);

/* The slot of a partition, or -1 when the topic has no such partition. */
static inline int32_t assign_slot(const struct assign_output *output,
                                  struct assign_partition partition)
{
    if (partition.topic < 0 || partition.topic >= output->topic_count) return -1;
    const int32_t first = output->first_slot[partition.topic];
    if (partition.partition < 0) return -1;
    if (partition.partition >= output->first_slot[partition.topic + 1] - first) return -1;
    return first + partition.partition;
}

#endif
