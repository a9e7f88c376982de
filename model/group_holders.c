#include "model/group_holders.h"

#include "model/group_trace_internal.h"

#include <string.h>

static struct group_holder *holder_of(struct group_holders *holders, partition_id partition)
{
    int32_t low = 0;
    for (int32_t high = holders->count; low < high;) {
        int32_t middle = low + (high - low) / 2;
        if (holders->items[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < holders->count && holders->items[low].partition == partition) {
        return &holders->items[low];
    }
    if (holders->count == holders->capacity) {
        int32_t grown = holders->capacity == 0 ? 8 : holders->capacity * 2;
        holders->items = memory_resize(sim_memory(group_trace_sim(holders->trace)), holders->items,
                                       (size_t)holders->capacity * sizeof *holders->items,
                                       (size_t)grown * sizeof *holders->items);
        holders->capacity = grown;
    }
    memmove(holders->items + low + 1, holders->items + low,
            (size_t)(holders->count - low) * sizeof *holders->items);
    holders->count++;
    holders->items[low] = (struct group_holder){.partition = partition};
    return &holders->items[low];
}

static void tell(const struct group_holders *holders, const struct group_holder *holder,
                 int32_t generation, bool owned)
{
    TRACE(group_trace_sim(holders->trace), holders->kind, holders->group,
          group_trace_client(holders->trace, holder->member_id), holder->member_id,
          holder->partition, generation, owned);
}

void group_holders_give(void *self, name_id member_id, struct topic_partition partition,
                        int32_t generation)
{
    struct group_holders *holders = self;
    int32_t topic = cluster_topic_find(holders->cluster, partition.topic);
    if (topic < 0) return;
    struct group_holder *holder = holder_of(holders, PARTITION_ID(topic, partition.partition));
    holder->seen = true;
    if (holder->member_id == member_id) return;
    if (holder->member_id != NAME_NONE) tell(holders, holder, generation, false);
    holder->member_id = member_id;
    tell(holders, holder, generation, true);
}

void group_holders_take_rest(struct group_holders *holders, name_id member_id, int32_t generation)
{
    for (int32_t i = 0; i < holders->count; i++) {
        struct group_holder *holder = &holders->items[i];
        bool seen = holder->seen;
        holder->seen = false;
        if (seen || holder->member_id == NAME_NONE) continue;
        if (member_id != NAME_NONE && holder->member_id != member_id) continue;
        tell(holders, holder, generation, false);
        holder->member_id = NAME_NONE;
    }
}

void group_holders_rename(struct group_holders *holders, name_id old_id, name_id new_id)
{
    for (int32_t i = 0; i < holders->count; i++) {
        if (holders->items[i].member_id == old_id) holders->items[i].member_id = new_id;
    }
}
