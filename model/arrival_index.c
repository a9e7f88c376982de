#include "model/arrival_index.h"

#include "sim/wide.h"

#include <stdbool.h>
#include <string.h>

int64_t arrival_span_count_before(const struct arrival_span *span, sim_time at)
{
    if (at <= span->first_at) return 0;
    if (at > span->last_at) return span->count;
    /* The first index i with span_ns * i / (count - 1) >= passed, both sides being whole. */
    int64_t passed = at - span->first_at;
    int64_t span_ns = span->last_at - span->first_at;
    int128 scaled = (int128)passed * (span->count - 1);
    if ((int64_t)scaled == scaled) return ((int64_t)scaled - 1) / span_ns + 1;
    return (int64_t)((scaled - 1) / span_ns) + 1;
}

/* Joins `next` to `span`, which it follows. */
static void join(struct arrival_span *span, const struct arrival_span *next)
{
    span->count = next->base_offset + next->count - span->base_offset;
    span->last_at = next->last_at;
}

/* True when one span says the same about every record as the two do. */
static bool joins_exactly(const struct arrival_span *span, const struct arrival_span *next)
{
    if (span->base_offset + span->count != next->base_offset) return false;
    sim_time gap = next->first_at - span->last_at;
    if (span->last_at - span->first_at != gap * (span->count - 1)) return false;
    return next->last_at - next->first_at == gap * (next->count - 1);
}

static void halve(struct arrival_index *index)
{
    uint32_t to = index->begin;
    for (uint32_t from = index->begin; from < index->end; from += 2) {
        struct arrival_span merged = index->spans[from];
        if (from + 1 < index->end) join(&merged, &index->spans[from + 1]);
        index->spans[to++] = merged;
    }
    index->end = to;
}

static void make_room(struct arrival_index *index, struct memory *memory)
{
    if (index->end - index->begin >= ARRIVAL_INDEX_MAX) halve(index);
    if (index->end < index->capacity) return;
    if (index->begin > index->capacity / 2) {
        memmove(index->spans, index->spans + index->begin,
                (index->end - index->begin) * sizeof(*index->spans));
        index->end -= index->begin;
        index->begin = 0;
        return;
    }
    uint32_t capacity = index->capacity == 0 ? 8 : index->capacity * 2;
    index->spans = memory_resize(memory, index->spans, index->capacity * sizeof(*index->spans),
                                 capacity * sizeof(*index->spans));
    index->capacity = capacity;
}

void arrival_index_append(struct arrival_index *index, struct memory *memory, int64_t base_offset,
                          int64_t count, sim_time first_at, sim_time last_at)
{
    CHECK(count > 0 && first_at <= last_at);
    struct arrival_span span = {base_offset, count, first_at, last_at};
    if (index->end > index->begin) {
        struct arrival_span *last = &index->spans[index->end - 1];
        CHECK(base_offset >= last->base_offset + last->count);
        if (joins_exactly(last, &span)) {
            join(last, &span);
            return;
        }
    }
    make_room(index, memory);
    index->spans[index->end++] = span;
}

void arrival_index_truncate(struct arrival_index *index, int64_t offset)
{
    while (index->end > index->begin && index->spans[index->end - 1].base_offset >= offset)
        index->end--;
    if (index->end == index->begin) return;
    struct arrival_span *last = &index->spans[index->end - 1];
    if (last->base_offset + last->count <= offset) return;
    last->last_at = arrival_span_at(last, offset - 1);
    last->count = offset - last->base_offset;
}

void arrival_index_drop_before(struct arrival_index *index, int64_t offset)
{
    while (index->end > index->begin) {
        const struct arrival_span *first = &index->spans[index->begin];
        if (first->base_offset + first->count > offset) break;
        index->begin++;
    }
    if (index->begin == index->end) index->begin = index->end = 0;
}

const struct arrival_span *arrival_index_find(const struct arrival_index *index, int64_t offset)
{
    /* Readers are mostly near the end: steps back from there, each twice as long, then halves. */
    uint32_t low = index->begin;
    uint32_t high = index->end;
    for (uint32_t back = 2; back < high - low; back *= 2) {
        if (index->spans[high - back].base_offset <= offset) {
            low = high - back;
            break;
        }
        high -= back;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct arrival_span *span = &index->spans[middle];
        if (span->base_offset + span->count <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == index->end || index->spans[low].base_offset > offset) return NULL;
    return &index->spans[low];
}

const struct arrival_span *arrival_index_find_after(const struct arrival_index *index,
                                                    const struct arrival_span *before,
                                                    int64_t offset)
{
    if (before == NULL || before == &index->spans[index->end - 1]) {
        return arrival_index_find(index, offset);
    }
    const struct arrival_span *next = before + 1;
    bool holds = next->base_offset <= offset && offset < next->base_offset + next->count;
    return holds ? next : arrival_index_find(index, offset);
}
