/* model/coordinator/id_map.c: linear probing, removal by shifting back. */
#include "model/coordinator/id_map.h"

#include "sim/check.h"

#define CAPACITY_INITIAL 16

static uint32_t home(const struct id_map *map, name_id key)
{
    /* Fibonacci hashing: interned ids are consecutive. */
    return (uint32_t)(((uint64_t)key * UINT64_C(11400714819323198485)) >> 32) & (map->capacity - 1);
}

static uint32_t find(const struct id_map *map, name_id key)
{
    uint32_t slot = home(map, key);
    while (map->slots[slot].key != NAME_NONE && map->slots[slot].key != key) {
        slot = (slot + 1) & (map->capacity - 1);
    }
    return slot;
}

void id_map_init(struct id_map *map, struct memory *memory)
{
    *map = (struct id_map){.memory = memory};
}

void id_map_release(struct id_map *map)
{
    memory_give(map->memory, map->slots, sizeof(*map->slots) * map->capacity);
    *map = (struct id_map){.memory = map->memory};
}

void *id_map_get(const struct id_map *map, name_id key)
{
    if (map->count == 0 || key == NAME_NONE) return NULL;
    return map->slots[find(map, key)].value;
}

static void grow(struct id_map *map)
{
    struct id_map larger = {.memory = map->memory};
    larger.capacity = map->capacity == 0 ? CAPACITY_INITIAL : map->capacity * 2;
    larger.slots = memory_take(map->memory, sizeof(*map->slots) * larger.capacity);
    larger.count = map->count;
    for (uint32_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].key == NAME_NONE) continue;
        larger.slots[find(&larger, map->slots[i].key)] = map->slots[i];
    }
    memory_give(map->memory, map->slots, sizeof(*map->slots) * map->capacity);
    *map = larger;
}

void id_map_put(struct id_map *map, name_id key, void *value)
{
    CHECK(key != NAME_NONE && value != NULL);
    if ((map->count + 1) * 4 > map->capacity * 3) grow(map);
    struct id_map_slot *slot = &map->slots[find(map, key)];
    if (slot->key == NAME_NONE) map->count++;
    slot->key = key;
    slot->value = value;
}

void id_map_remove(struct id_map *map, name_id key)
{
    if (map->count == 0 || key == NAME_NONE) return;
    uint32_t hole = find(map, key);
    if (map->slots[hole].key == NAME_NONE) return;
    map->count--;
    uint32_t mask = map->capacity - 1;
    for (uint32_t next = (hole + 1) & mask; map->slots[next].key != NAME_NONE;
         next = (next + 1) & mask) {
        /* Whoever probed past the hole to get here moves into it. */
        uint32_t distance_home = (next - home(map, map->slots[next].key)) & mask;
        uint32_t distance_hole = (next - hole) & mask;
        if (distance_home >= distance_hole) {
            map->slots[hole] = map->slots[next];
            hole = next;
        }
    }
    map->slots[hole] = (struct id_map_slot){0};
}
