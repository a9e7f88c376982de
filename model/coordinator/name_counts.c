#include "model/coordinator/name_counts.h"

#include "sim/check.h"

#include <string.h>

void name_counts_init(struct name_counts *counts, struct memory *memory, const struct names *names)
{
    *counts = (struct name_counts){.memory = memory, .names = names};
}

void name_counts_release(struct name_counts *counts)
{
    memory_give(counts->memory, counts->items, sizeof *counts->items * counts->capacity);
    name_counts_init(counts, counts->memory, counts->names);
}

static void reserve(struct name_counts *counts, uint32_t count)
{
    if (count <= counts->capacity) return;
    uint32_t capacity = counts->capacity == 0 ? 2 : counts->capacity;
    while (capacity < count)
        capacity *= 2;
    counts->items =
        memory_resize(counts->memory, counts->items, sizeof *counts->items * counts->capacity,
                      sizeof *counts->items * capacity);
    counts->capacity = capacity;
}

void name_counts_copy(struct name_counts *counts, const struct name_counts *from)
{
    reserve(counts, from->count);
    if (from->count > 0) memcpy(counts->items, from->items, sizeof *from->items * from->count);
    counts->count = from->count;
}

/* Where the name is, or would have to be put in. */
static uint32_t place_of(const struct name_counts *counts, name_id name)
{
    uint32_t low = 0;
    uint32_t high = counts->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (counts->items[middle].name == name) return middle;
        if (names_compare(counts->names, counts->items[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t name_counts_get(const struct name_counts *counts, name_id name)
{
    uint32_t place = place_of(counts, name);
    if (place == counts->count || counts->items[place].name != name) return 0;
    return counts->items[place].count;
}

void name_counts_add(struct name_counts *counts, name_id name, int32_t change)
{
    if (name == NAME_NONE) return;
    uint32_t place = place_of(counts, name);
    if (place == counts->count || counts->items[place].name != name) {
        reserve(counts, counts->count + 1);
        memmove(&counts->items[place + 1], &counts->items[place],
                sizeof *counts->items * (counts->count - place));
        counts->items[place] = (struct name_count){.name = name};
        counts->count++;
    }
    counts->items[place].count += change;
    CHECK(counts->items[place].count >= 0);
    if (counts->items[place].count > 0) return;
    memmove(&counts->items[place], &counts->items[place + 1],
            sizeof *counts->items * (counts->count - place - 1));
    counts->count--;
}

name_id name_counts_most(const struct name_counts *counts)
{
    const struct name_count *most = NULL;
    for (uint32_t i = 0; i < counts->count; i++) {
        if (most == NULL || counts->items[i].count > most->count) most = &counts->items[i];
    }
    return most == NULL ? NAME_NONE : most->name;
}
