#include "model/assignor/numbering.h"

#include "sim/check.h"

#define SIZE_AT_FIRST 64

struct numbering_entry {
    name_id name; /* NAME_NONE is free */
    int32_t number;
};

/* Where the name is or would be put. */
static struct numbering_entry *entry_of(const struct numbering *numbering, name_id name)
{
    uint32_t slot = (name * 2654435769U) & numbering->mask;
    while (numbering->entry[slot].name != NAME_NONE && numbering->entry[slot].name != name) {
        slot = (slot + 1) & numbering->mask;
    }
    return &numbering->entry[slot];
}

static struct numbering of_size(struct memory *memory, uint32_t size)
{
    return (struct numbering){.memory = memory,
                              .entry = memory_take(memory, sizeof(struct numbering_entry) * size),
                              .mask = size - 1};
}

struct numbering numbering_new(struct memory *memory)
{
    return of_size(memory, SIZE_AT_FIRST);
}

void numbering_free(struct numbering *numbering)
{
    memory_give(numbering->memory, numbering->entry,
                sizeof(struct numbering_entry) * ((size_t)numbering->mask + 1));
    *numbering = (struct numbering){0};
}

static void grow(struct numbering *numbering)
{
    CHECK(numbering->mask < UINT32_MAX / 4);
    struct numbering larger = of_size(numbering->memory, 2 * (numbering->mask + 1));
    for (uint32_t i = 0; i <= numbering->mask; i++) {
        const struct numbering_entry entry = numbering->entry[i];
        if (entry.name != NAME_NONE) *entry_of(&larger, entry.name) = entry;
    }
    larger.count = numbering->count;
    numbering_free(numbering);
    *numbering = larger;
}

int32_t numbering_add(struct numbering *numbering, name_id name)
{
    CHECK(name != NAME_NONE);
    struct numbering_entry *entry = entry_of(numbering, name);
    if (entry->name == name) return entry->number;
    if (2 * (uint32_t)numbering->count > numbering->mask) {
        grow(numbering);
        entry = entry_of(numbering, name);
    }
    *entry = (struct numbering_entry){.name = name, .number = numbering->count};
    return numbering->count++;
}

int32_t numbering_find(const struct numbering *numbering, name_id name)
{
    const struct numbering_entry *entry = entry_of(numbering, name);
    return name != NAME_NONE && entry->name == name ? entry->number : -1;
}
