/* model/coordinator/id_map.h: from a name to a pointer; look-up only, no iteration.
 *
 * Open addressing with linear probing over interned names. What must be walked in order is kept in
 * an array beside the map. */
#ifndef MODEL_COORDINATOR_ID_MAP_H
#define MODEL_COORDINATOR_ID_MAP_H

#include "sim/memory.h"
#include "sim/names.h"

struct id_map {
    struct memory *memory;
    struct id_map_slot {
        name_id key; /* NAME_NONE = free */
        void *value;
    } * slots;
    uint32_t count;
    uint32_t capacity; /* power of two, or 0 */
};

void id_map_init(struct id_map *map, struct memory *memory);
void id_map_release(struct id_map *map);
/* NULL when absent. */
void *id_map_get(const struct id_map *map, name_id key);
/* Replaces what was there. `value` is not NULL, `key` not NAME_NONE. */
void id_map_put(struct id_map *map, name_id key, void *value);
void id_map_remove(struct id_map *map, name_id key);

#endif
