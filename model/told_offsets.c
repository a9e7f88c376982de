#include "model/told_offsets.h"

#include <string.h>

struct told_offset {
    partition_id partition;
    bool is_present; /* in the roll call */
    int64_t offset;
};

static struct told_offset *item_of(struct told_offsets *told, struct memory *memory,
                                   partition_id partition)
{
    int32_t low = 0;
    for (int32_t high = told->count; low < high;) {
        int32_t middle = low + (high - low) / 2;
        if (told->items[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct told_offset *item = &told->items[low];
    if (low < told->count && item->partition == partition) return item;
    if (told->count == told->capacity) {
        int32_t grown = told->capacity == 0 ? 8 : told->capacity * 2;
        told->items =
            memory_resize(memory, told->items, (size_t)told->capacity * sizeof *told->items,
                          (size_t)grown * sizeof *told->items);
        told->capacity = grown;
    }
    item = &told->items[low];
    memmove(item + 1, item, (size_t)(told->count - low) * sizeof *item);
    told->count++;
    *item = (struct told_offset){.partition = partition, .offset = -1};
    return item;
}

bool told_offsets_set(struct told_offsets *told, struct memory *memory, partition_id partition,
                      int64_t offset)
{
    struct told_offset *item = item_of(told, memory, partition);
    item->is_present = true;
    if (item->offset == offset) return false;
    item->offset = offset;
    return true;
}

void told_offsets_begin_roll_call(struct told_offsets *told)
{
    told->checked = 0;
    for (int32_t i = 0; i < told->count; i++)
        told->items[i].is_present = false;
}

bool told_offsets_next_absent(struct told_offsets *told, partition_id *partition, int64_t *offset)
{
    while (told->checked < told->count) {
        struct told_offset *item = &told->items[told->checked++];
        if (item->is_present || item->offset < 0) continue;
        *partition = item->partition;
        *offset = item->offset;
        item->offset = -1;
        return true;
    }
    return false;
}
