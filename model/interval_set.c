#include "model/interval_set.h"

#include "sim/check.h"

#include <string.h>

#define FIRST_CAPACITY 4u

static struct interval *ranges_of(struct interval_set *set)
{
    return set->capacity == 0 ? &set->one : set->many;
}

uint32_t interval_set_ending_after(const struct interval_set *set, int64_t offset)
{
    /* Nearly every question is about the last range. */
    const struct interval *ranges = interval_set_ranges(set);
    if (set->count == 0 || ranges[set->count - 1].to <= offset) return set->count;
    uint32_t low = 0;
    uint32_t high = set->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ranges[middle].to <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Replaces ranges [at, at + old_count) by `new_count` ranges that the caller then fills. */
static struct interval *splice(struct interval_set *set, struct memory *memory, uint32_t at,
                               uint32_t old_count, uint32_t new_count)
{
    uint32_t count = set->count - old_count + new_count;
    if (set->capacity == 0 && count > 1) {
        const struct interval one = set->one;
        set->many = memory_take(memory, FIRST_CAPACITY * sizeof *set->many);
        set->many[0] = one;
        set->capacity = FIRST_CAPACITY;
    } else if (set->capacity > 0 && count > set->capacity) {
        set->many = memory_resize(memory, set->many, set->capacity * sizeof *set->many,
                                  2 * set->capacity * sizeof *set->many);
        set->capacity *= 2;
    }
    struct interval *ranges = ranges_of(set);
    memmove(ranges + at + new_count, ranges + at + old_count,
            (set->count - at - old_count) * sizeof *ranges);
    set->count = count;
    return ranges + at;
}

int64_t interval_set_add(struct interval_set *set, struct memory *memory, int64_t from, int64_t to)
{
    if (from >= to) return 0;
    /* The usual case: the range goes on where the last one ended. */
    struct interval *ranges = ranges_of(set);
    if (set->count > 0 && ranges[set->count - 1].to == from) {
        ranges[set->count - 1].to = to;
        return to - from;
    }
    uint32_t first = interval_set_ending_after(set, from - 1); /* touching ranges are merged */
    uint32_t last = first;
    struct interval merged = {from, to};
    int64_t before = 0;
    while (last < set->count && ranges[last].from <= to) {
        const struct interval *range = &ranges[last++];
        before += range->to - range->from;
        if (range->from < merged.from) merged.from = range->from;
        if (range->to > merged.to) merged.to = range->to;
    }
    *splice(set, memory, first, last - first, 1) = merged;
    return merged.to - merged.from - before;
}

void interval_set_add_all(struct interval_set *set, struct memory *memory,
                          const struct interval *ranges, uint32_t count)
{
    if (count == 0) return;
    const struct interval_set old = *set;
    const struct interval *mine = interval_set_ranges(&old);
    struct interval_set merged = {.capacity = old.count + count};
    if (merged.capacity < FIRST_CAPACITY) merged.capacity = FIRST_CAPACITY;
    merged.many = memory_take(memory, merged.capacity * sizeof *merged.many);
    struct interval *last = NULL;
    for (uint32_t a = 0, b = 0; a < old.count || b < count;) {
        bool is_mine = b == count || (a < old.count && mine[a].from <= ranges[b].from);
        const struct interval next = is_mine ? mine[a++] : ranges[b++];
        if (last == NULL || last->to < next.from) {
            last = &merged.many[merged.count++];
            *last = next;
        } else if (next.to > last->to) {
            last->to = next.to;
        }
    }
    if (old.capacity > 0) memory_give(memory, old.many, old.capacity * sizeof *old.many);
    *set = merged;
}

int64_t interval_set_remove(struct interval_set *set, struct memory *memory, int64_t from,
                            int64_t to)
{
    if (from >= to) return 0;
    uint32_t first = interval_set_ending_after(set, from);
    uint32_t last = first;
    struct interval kept[2];
    uint32_t kept_count = 0;
    int64_t removed = 0;
    const struct interval *ranges = interval_set_ranges(set);
    while (last < set->count && ranges[last].from < to) {
        const struct interval range = ranges[last++];
        int64_t cut_from = range.from > from ? range.from : from;
        int64_t cut_to = range.to < to ? range.to : to;
        removed += cut_to - cut_from;
        if (range.from < from) kept[kept_count++] = (struct interval){range.from, from};
        if (range.to > to) kept[kept_count++] = (struct interval){to, range.to};
    }
    if (last == first) return 0;
    struct interval *place = splice(set, memory, first, last - first, kept_count);
    for (uint32_t i = 0; i < kept_count; i++)
        place[i] = kept[i];
    return removed;
}

int64_t interval_set_covered(const struct interval_set *set, int64_t from, int64_t to)
{
    int64_t covered = 0;
    for (uint32_t i = interval_set_ending_after(set, from); i < set->count; i++) {
        const struct interval *range = &interval_set_ranges(set)[i];
        if (range->from >= to) break;
        covered += (range->to < to ? range->to : to) - (range->from > from ? range->from : from);
    }
    return covered;
}

bool interval_set_contains(const struct interval_set *set, int64_t offset)
{
    uint32_t i = interval_set_ending_after(set, offset);
    return i < set->count && interval_set_ranges(set)[i].from <= offset;
}

bool interval_set_first_gap(const struct interval_set *set, int64_t from, int64_t to,
                            struct interval *gap)
{
    const struct interval *ranges = interval_set_ranges(set);
    uint32_t i = interval_set_ending_after(set, from);
    if (i < set->count && ranges[i].from <= from) from = ranges[i++].to;
    if (from >= to) return false;
    gap->from = from;
    gap->to = i < set->count && ranges[i].from < to ? ranges[i].from : to;
    return true;
}

int64_t interval_set_next(const struct interval_set *set, int64_t offset)
{
    const struct interval *ranges = interval_set_ranges(set);
    uint32_t i = interval_set_ending_after(set, offset);
    if (i < set->count && ranges[i].from <= offset) i++;
    return i < set->count ? ranges[i].from : INT64_MAX;
}

bool interval_set_is_consistent(const struct interval_set *set)
{
    const struct interval *ranges = interval_set_ranges(set);
    for (uint32_t i = 0; i < set->count; i++) {
        if (ranges[i].from >= ranges[i].to) return false;
        if (i > 0 && ranges[i - 1].to >= ranges[i].from) return false;
    }
    return set->count <= (set->capacity == 0 ? 1 : set->capacity);
}
