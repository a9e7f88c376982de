/* model/assignor/racks.h: who is near what (KIP-881).
 *
 * Racks are numbered 0, 1, … in the order they are met; the numbers decide nothing. */
#ifndef MODEL_ASSIGNOR_RACKS_H
#define MODEL_ASSIGNOR_RACKS_H

#include "model/assignor/order.h"

#define RACK_NONE (-1)

struct racks {
    int32_t count;      /* 0 when no member has a rack: then nothing else is filled */
    int32_t *of_member; /* shape [member_count], RACK_NONE = no rack */
    /* The distinct racks of the replicas of partition p of topic t start at
     * rack[first[t] + p * slots[t]]; there are at most slots[t], and unused ones are RACK_NONE and
     * come last. */
    int32_t *rack;
    int32_t *first;
    int32_t *slots;
    int32_t *mark; /* scratch of racks_matter, shape [count] */
    int32_t mark_count;
};

struct racks racks_new(const struct assign_input *input, struct scratch *scratch);

/* Whether matching racks can help these members with these topics: members and replicas have a rack
 * in common, and not every partition has replicas in all racks that have any. */
bool racks_matter(struct racks *racks, const struct assign_input *input, const int32_t *topics,
                  int32_t topic_count, const int32_t *members, int32_t member_count);

static inline const int32_t *racks_of(const struct racks *racks, int32_t topic, int32_t partition)
{
    return racks->rack + racks->first[topic] + (int64_t)partition * racks->slots[topic];
}

/* Whether a replica of the partition is in this rack. */
static inline bool racks_contain(const struct racks *racks, int32_t topic, int32_t partition,
                                 int32_t rack)
{
    const int32_t *of_partition = racks_of(racks, topic, partition);
    for (int32_t i = 0; i < racks->slots[topic] && of_partition[i] != RACK_NONE; i++) {
        if (of_partition[i] == rack) return true;
    }
    return false;
}

#endif
