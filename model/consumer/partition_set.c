#include "model/consumer/partition_set.h"

#include "model/consumer/internal.h"

int partition_by_id(const void *a, const void *b)
{
    partition_id x = *(const partition_id *)a;
    partition_id y = *(const partition_id *)b;
    return (x > y) - (x < y);
}

/* Writes what is in `a` and not in `b` to `to`, unless it is NULL; how many that are. */
static int32_t subtract(const partition_id *a, int32_t a_count, const partition_id *b,
                        int32_t b_count, partition_id *to)
{
    int32_t found = 0;
    int32_t next = 0;
    for (int32_t i = 0; i < a_count; i++) {
        while (next < b_count && b[next] < a[i])
            next++;
        if (next < b_count && b[next] == a[i]) continue;
        if (to != NULL) to[found] = a[i];
        found++;
    }
    return found;
}

partition_id *partition_set_minus(struct consumer *consumer, const partition_id *a, int32_t a_count,
                                  const partition_id *b, int32_t b_count, int32_t *count)
{
    *count = subtract(a, a_count, b, b_count, NULL);
    if (*count == 0) return NULL;
    partition_id *ids = memory_take(consumer->memory, sizeof *ids * (size_t)*count);
    subtract(a, a_count, b, b_count, ids);
    return ids;
}

void partition_set_give(struct consumer *consumer, partition_id **ids, int32_t *count)
{
    memory_give(consumer->memory, *ids, sizeof **ids * (size_t)*count);
    *ids = NULL;
    *count = 0;
}
