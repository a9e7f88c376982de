#include "model/coordinator/partition_set.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

void partition_list_init(struct partition_list *list, struct memory *memory)
{
    *list = (struct partition_list){.memory = memory};
}

void partition_list_release(struct partition_list *list)
{
    memory_give(list->memory, list->items, sizeof(partition_key) * list->capacity);
    partition_list_init(list, list->memory);
}

void partition_list_reserve(struct partition_list *list, uint32_t count)
{
    if (count <= list->capacity) return;
    uint32_t capacity = list->capacity == 0 ? 16 : list->capacity;
    while (capacity < count)
        capacity *= 2;
    list->items = memory_resize(list->memory, list->items, sizeof(partition_key) * list->capacity,
                                sizeof(partition_key) * capacity);
    list->capacity = capacity;
}

void partition_list_add(struct partition_list *list, partition_key key)
{
    if (list->count == list->capacity) partition_list_reserve(list, list->count + 1);
    list->items[list->count++] = key;
}

static int by_topic_then_partition(const void *a, const void *b)
{
    partition_key left = *(const partition_key *)a;
    partition_key right = *(const partition_key *)b;
    return (left > right) - (left < right);
}

void partition_list_sort(struct partition_list *list)
{
    if (partition_set_is_sorted(partition_list_view(list))) return; /* as clients send them */
    qsort(list->items, list->count, sizeof *list->items, by_topic_then_partition);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        if (kept == 0 || list->items[kept - 1] != list->items[i]) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
}

void partition_list_add_all(struct partition_list *list, const struct topic_partition *partitions,
                            int32_t count)
{
    partition_list_reserve(list, list->count + (uint32_t)count);
    for (int32_t i = 0; i < count; i++) {
        list->items[list->count++] = partition_key_of(partitions[i].topic, partitions[i].partition);
    }
    partition_list_sort(list);
}

struct partition_set partition_list_view(const struct partition_list *list)
{
    return (struct partition_set){.items = list->items, .count = list->count};
}

struct partition_set partition_set_copy(struct memory *memory, struct partition_set set)
{
    if (set.count == 0) return (struct partition_set){0};
    size_t size = sizeof(partition_key) * set.count;
    struct partition_set copy = {.items = memory_take(memory, size), .count = set.count};
    memcpy(copy.items, set.items, size);
    return copy;
}

void partition_set_release(struct memory *memory, struct partition_set *set)
{
    memory_give(memory, set->items, sizeof(partition_key) * set->count);
    *set = (struct partition_set){0};
}

void partition_set_replace(struct memory *memory, struct partition_set *set,
                           struct partition_set with)
{
    if (set->count == with.count && set->count > 0) {
        memmove(set->items, with.items, sizeof(partition_key) * with.count);
        return;
    }
    struct partition_set copy = partition_set_copy(memory, with);
    partition_set_release(memory, set);
    *set = copy;
}

bool partition_set_equal(struct partition_set a, struct partition_set b)
{
    if (a.count != b.count) return false;
    return a.count == 0 || memcmp(a.items, b.items, sizeof(partition_key) * a.count) == 0;
}

bool partition_set_contains(struct partition_set set, partition_key key)
{
    uint32_t low = 0;
    uint32_t high = set.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set.items[middle] < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set.count && set.items[low] == key;
}

bool partition_set_intersects(struct partition_set a, struct partition_set b)
{
    for (uint32_t i = 0, j = 0; i < a.count && j < b.count;) {
        if (a.items[i] == b.items[j]) return true;
        if (a.items[i] < b.items[j]) {
            i++;
        } else {
            j++;
        }
    }
    return false;
}

bool partition_set_is_subset(struct partition_set part, struct partition_set whole)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < part.count; i++) {
        while (j < whole.count && whole.items[j] < part.items[i])
            j++;
        if (j == whole.count || whole.items[j] != part.items[i]) return false;
    }
    return true;
}

bool partition_set_is_sorted(struct partition_set set)
{
    for (uint32_t i = 1; i < set.count; i++) {
        if (set.items[i - 1] >= set.items[i]) return false;
    }
    return true;
}

void partition_set_common(struct partition_list *out, struct partition_set a,
                          struct partition_set b)
{
    out->count = 0;
    partition_list_reserve(out, a.count < b.count ? a.count : b.count);
    for (uint32_t i = 0, j = 0; i < a.count && j < b.count;) {
        if (a.items[i] < b.items[j]) {
            i++;
        } else if (a.items[i] > b.items[j]) {
            j++;
        } else {
            out->items[out->count++] = a.items[i];
            i++;
            j++;
        }
    }
}

void partition_set_without(struct partition_list *out, struct partition_set a,
                           struct partition_set b)
{
    out->count = 0;
    partition_list_reserve(out, a.count);
    uint32_t j = 0;
    for (uint32_t i = 0; i < a.count; i++) {
        while (j < b.count && b.items[j] < a.items[i])
            j++;
        if (j < b.count && b.items[j] == a.items[i]) continue;
        out->items[out->count++] = a.items[i];
    }
}

void partition_set_union(struct partition_list *out, struct partition_set a, struct partition_set b)
{
    out->count = 0;
    partition_list_reserve(out, a.count + b.count);
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a.count || j < b.count) {
        partition_key next;
        if (j == b.count || (i < a.count && a.items[i] <= b.items[j])) {
            next = a.items[i];
            if (j < b.count && b.items[j] == next) j++;
            i++;
        } else {
            next = b.items[j++];
        }
        out->items[out->count++] = next;
    }
    CHECK(partition_set_is_sorted(partition_list_view(out)));
}
