#include "sim/names.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#define FORMATTED_MAX 1023

struct name {
    const char *text;
    uint32_t length;
};

struct names {
    struct names_hashes hashes; /* the count is of all names */
    struct memory *memory;
    struct name *name; /* shape [capacity], by name_id, as the hashes */
    uint32_t capacity;
    name_id *slot; /* open addressing by hash, shape [slot_mask + 1]; NAME_NONE is free */
    uint32_t slot_mask;
};

/* Where this text is or would be put. */
static uint32_t find_slot(const struct names *names, const char *text, size_t length, uint64_t hash)
{
    uint32_t slot = (uint32_t)hash & names->slot_mask;
    for (;; slot = (slot + 1) & names->slot_mask) {
        name_id id = names->slot[slot];
        if (id == NAME_NONE) return slot;
        const struct name *name = &names->name[id];
        if (names->hashes.hash[id] == hash && name->length == length &&
            memcmp(name->text, text, length) == 0) {
            return slot;
        }
    }
}

static void grow(struct names *names)
{
    struct memory *memory = names->memory;
    uint32_t old_slots = names->slot_mask + 1;
    uint32_t slots = old_slots * 2;
    CHECK(slots > old_slots);
    memory_give(memory, names->slot, old_slots * sizeof *names->slot);
    names->slot = memory_take(memory, slots * sizeof *names->slot);
    names->slot_mask = slots - 1;
    for (name_id id = NAME_EMPTY; id < names->hashes.count; id++) {
        const struct name *name = &names->name[id];
        names->slot[find_slot(names, name->text, name->length, names->hashes.hash[id])] = id;
    }
    names->name = memory_resize(memory, names->name, names->capacity * sizeof *names->name,
                                2 * names->capacity * sizeof *names->name);
    names->hashes.hash =
        memory_resize(memory, names->hashes.hash, names->capacity * sizeof *names->hashes.hash,
                      2 * names->capacity * sizeof *names->hashes.hash);
    names->capacity *= 2;
}

struct names *names_new(struct memory *memory)
{
    struct names *names = memory_keep(memory, sizeof *names);
    names->memory = memory;
    names->capacity = 128;
    names->name = memory_take(memory, names->capacity * sizeof *names->name);
    names->hashes.hash = memory_take(memory, names->capacity * sizeof *names->hashes.hash);
    names->slot_mask = 2 * names->capacity - 1;
    names->slot = memory_take(memory, 2 * names->capacity * sizeof *names->slot);
    names->name[NAME_NONE].text = "";
    names->hashes.count = 1;
    name_id empty = names_intern_bytes(names, "", 0);
    CHECK(empty == NAME_EMPTY);
    return names;
}

name_id names_intern_bytes(struct names *names, const char *text, size_t length)
{
    CHECK(length < UINT32_MAX);
    uint64_t hash = XXH64(text, length, 0);
    uint32_t slot = find_slot(names, text, length, hash);
    if (names->slot[slot] != NAME_NONE) return names->slot[slot];
    if (names->hashes.count == names->capacity) {
        grow(names);
        slot = find_slot(names, text, length, hash);
    }
    char *copy = memory_keep(names->memory, length + 1);
    memcpy(copy, text, length);
    name_id id = names->hashes.count++;
    names->name[id] = (struct name){.text = copy, .length = (uint32_t)length};
    names->hashes.hash[id] = hash;
    names->slot[slot] = id;
    return id;
}

name_id names_intern(struct names *names, const char *text)
{
    return names_intern_bytes(names, text, strlen(text));
}

name_id names_format(struct names *names, const char *format, ...)
{
    char text[FORMATTED_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && length <= FORMATTED_MAX);
    return names_intern_bytes(names, text, (size_t)length);
}

name_id names_find(const struct names *names, const char *text)
{
    size_t length = strlen(text);
    return names->slot[find_slot(names, text, length, XXH64(text, length, 0))];
}

static const struct name *get(const struct names *names, name_id id)
{
    CHECK(id < names->hashes.count);
    return &names->name[id];
}

const char *names_text(const struct names *names, name_id name)
{
    return get(names, name)->text;
}

size_t names_length(const struct names *names, name_id name)
{
    return get(names, name)->length;
}

int names_compare(const struct names *names, name_id a, name_id b)
{
    if (a == b) return 0;
    if (a == NAME_NONE || b == NAME_NONE) return a == NAME_NONE ? -1 : 1;
    const struct name *left = get(names, a);
    const struct name *right = get(names, b);
    size_t shorter = left->length < right->length ? left->length : right->length;
    int order = memcmp(left->text, right->text, shorter);
    if (order != 0) return order < 0 ? -1 : 1;
    return left->length < right->length ? -1 : 1;
}

uint32_t names_count(const struct names *names)
{
    return names->hashes.count;
}
