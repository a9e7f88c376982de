/* model/pointer_list.h: a growing array of pointers, for work that is collected and then done. */
#ifndef MODEL_POINTER_LIST_H
#define MODEL_POINTER_LIST_H

#include "sim/memory.h"

#include <stdint.h>

struct pointer_list {
    void **items;
    uint32_t count;
    uint32_t capacity;
};

static inline void pointer_list_push(struct memory *memory, struct pointer_list *list, void *item)
{
    if (list->count == list->capacity) {
        uint32_t grown = list->capacity == 0 ? 8 : list->capacity * 2;
        list->items =
            (void **)memory_resize(memory, list->items, list->capacity * sizeof *list->items,
                                   grown * sizeof *list->items);
        list->capacity = grown;
    }
    list->items[list->count++] = item;
}

#endif
