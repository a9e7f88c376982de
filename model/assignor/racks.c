#include "model/assignor/racks.h"

#include "model/assignor/numbering.h"
#include "sim/check.h"

static int32_t number_of(struct numbering *numbering, name_id rack)
{
    if (rack == NAME_NONE || rack == NAME_EMPTY) return RACK_NONE;
    return numbering_add(numbering, rack);
}

static void fill_topic(struct racks *racks, const struct assign_topic *topic, int32_t index,
                       struct numbering *numbering)
{
    const int32_t slots = racks->slots[index];
    int32_t *rack = racks->rack + racks->first[index];
    const name_id *name = topic->racks;
    for (int32_t p = 0; slots > 0 && p < topic->partition_count; p++) {
        int32_t used = 0;
        for (int32_t i = 0; i < slots; i++) {
            const int32_t number = number_of(numbering, name[i]);
            int32_t j = number == RACK_NONE ? used : 0;
            while (j < used && rack[j] != number)
                j++;
            if (number != RACK_NONE && j == used) rack[used++] = number;
        }
        for (; used < slots; used++)
            rack[used] = RACK_NONE;
        rack += slots;
        name += slots;
    }
}

struct racks racks_new(const struct assign_input *input, struct scratch *scratch)
{
    struct racks racks = {0};
    bool any = false;
    for (int32_t m = 0; m < input->member_count; m++) {
        any = any || (input->members[m].rack != NAME_NONE && input->members[m].rack != NAME_EMPTY);
    }
    if (!any) return racks;

    struct numbering numbering = numbering_new(scratch->memory);
    racks.of_member = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    for (int32_t m = 0; m < input->member_count; m++) {
        racks.of_member[m] = number_of(&numbering, input->members[m].rack);
    }
    racks.first = SCRATCH_ARRAY(scratch, int32_t, input->topic_count);
    racks.slots = SCRATCH_ARRAY(scratch, int32_t, input->topic_count);
    int32_t total = 0;
    for (int32_t t = 0; t < input->topic_count; t++) {
        const struct assign_topic *topic = &input->topics[t];
        racks.first[t] = total;
        racks.slots[t] = topic->racks == NULL ? 0 : topic->rack_slots;
        const int64_t size = (int64_t)order_partition_count(input, t) * racks.slots[t];
        CHECK(size <= INT32_MAX - total);
        total += (int32_t)size;
    }
    racks.rack = SCRATCH_ARRAY(scratch, int32_t, total);
    for (int32_t t = 0; t < input->topic_count; t++) {
        fill_topic(&racks, &input->topics[t], t, &numbering);
    }
    racks.count = numbering.count;
    racks.mark = SCRATCH_ARRAY(scratch, int32_t, racks.count);
    numbering_free(&numbering);
    return racks;
}

/* How many racks a partition's replicas are in; marks each of them with `mark`, and counts into
 * *fresh those that were not marked so before. */
static int32_t mark_partition(struct racks *racks, int32_t topic, int32_t partition, int32_t mark,
                              int32_t *fresh)
{
    const int32_t *rack = racks_of(racks, topic, partition);
    int32_t count = 0;
    for (; count < racks->slots[topic] && rack[count] != RACK_NONE; count++) {
        if (racks->mark[rack[count]] == mark) continue;
        racks->mark[rack[count]] = mark;
        (*fresh)++;
    }
    return count;
}

bool racks_matter(struct racks *racks, const struct assign_input *input, const int32_t *topics,
                  int32_t topic_count, const int32_t *members, int32_t member_count)
{
    if (racks->count == 0) return false;
    const int32_t mark = ++racks->mark_count;
    int32_t all = 0;
    int32_t fewest = INT32_MAX; /* racks of the partition that is in fewest */
    for (int32_t i = 0; i < topic_count; i++) {
        for (int32_t p = 0; p < order_partition_count(input, topics[i]); p++) {
            const int32_t count = mark_partition(racks, topics[i], p, mark, &all);
            if (count < fewest) fewest = count;
        }
    }
    bool common = false;
    for (int32_t i = 0; !common && i < member_count; i++) {
        const int32_t rack = racks->of_member[members[i]];
        common = rack != RACK_NONE && racks->mark[rack] == mark;
    }
    return common && fewest < all;
}
