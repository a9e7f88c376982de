/* model/arrival_index.h: when the record at an offset came into being.
 *
 * Batches of one partition's log, in offset order; inside a batch arrivals are evenly spaced from
 * its first record's time to its last one's. What lies before every reader can be dropped. A
 * batch that goes on exactly where the last one ended, at the same spacing, is merged with it
 * without loss; beyond ARRIVAL_INDEX_MAX batches, neighbours are merged with the times in between
 * interpolated. */
#ifndef MODEL_ARRIVAL_INDEX_H
#define MODEL_ARRIVAL_INDEX_H

#include "model/scale.h"
#include "sim/check.h"
#include "sim/memory.h"
#include "sim/time.h"

#include <stdint.h>

#define ARRIVAL_INDEX_MAX 65536u

struct arrival_span {
    int64_t base_offset;
    int64_t count;
    sim_time first_at;
    sim_time last_at;
};

/* A zeroed struct is the empty index. */
struct arrival_index {
    struct arrival_span *spans; /* ring-free: [begin, end) of capacity */
    uint32_t begin;
    uint32_t end;
    uint32_t capacity;
};

void arrival_index_append(struct arrival_index *index, struct memory *memory, int64_t base_offset,
                          int64_t count, sim_time first_at, sim_time last_at);
/* Forgets everything from `offset` on (a truncated log). */
void arrival_index_truncate(struct arrival_index *index, int64_t offset);
/* Forgets whole spans before `offset`. */
void arrival_index_drop_before(struct arrival_index *index, int64_t offset);

/* The span that holds `offset`; NULL when it was dropped or never appended. */
const struct arrival_span *arrival_index_find(const struct arrival_index *index, int64_t offset);
/* The same, for one who goes on from `before`, the span found last (NULL = none). */
const struct arrival_span *arrival_index_find_after(const struct arrival_index *index,
                                                    const struct arrival_span *before,
                                                    int64_t offset);
static inline sim_time arrival_span_at(const struct arrival_span *span, int64_t offset)
{
    int64_t index = offset - span->base_offset;
    CHECK(index >= 0 && index < span->count);
    if (index == 0) return span->first_at;
    if (index == span->count - 1) return span->last_at;
    return span->first_at + scale_int64(span->last_at - span->first_at, index, span->count - 1);
}
/* How many of the span's records came into being before this instant. */
int64_t arrival_span_count_before(const struct arrival_span *span, sim_time at);

#endif
