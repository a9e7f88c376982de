#include "model/log_batches.h"

#include "model/scale.h"

#include <string.h>

struct log_batch *log_batches_last(const struct log_batches *list)
{
    return list->count == 0 ? NULL : &list->items[list->first + list->count - 1];
}

/* Alike enough to become one: neighbours in offset, same fate, nothing to tell them apart. */
static bool can_merge(const struct log_batch *a, const struct log_batch *b)
{
    return a->payload == NULL && b->payload == NULL && a->leader_epoch == b->leader_epoch &&
           a->base_offset + a->count == b->base_offset && (b->flags & LOG_SEGMENT_START) == 0 &&
           (a->flags & ~(uint32_t)LOG_SEGMENT_START) == b->flags && b->flags != LOG_CONTROL &&
           (b->flags & LOG_TRANSACTIONAL) == 0 && a->count < INT32_MAX / 2 &&
           b->count < INT32_MAX / 2;
}

/* Merges pairs in the older half. Repeated as the list fills, this leaves the ranges the coarser
 * the older they are. */
static void merge_old(struct log_batches *list)
{
    struct log_batch *items = list->items + list->first;
    uint32_t half = list->count / 2;
    uint32_t out = 0;
    for (uint32_t in = 0; in < half;) {
        struct log_batch merged = items[in++];
        if (in < half && can_merge(&merged, &items[in])) {
            merged.count += items[in].count;
            merged.bytes += items[in].bytes;
            merged.last_at = items[in].last_at;
            in++;
        }
        items[out++] = merged;
    }
    memmove(items + out, items + half, (list->count - half) * sizeof *items);
    list->count -= half - out;
}

static void batches_make_room(struct memory *memory, struct log_batches *list, uint32_t soft_limit)
{
    if (list->first + list->count < list->capacity) return;
    if (list->first > list->capacity / 4) {
        memmove(list->items, list->items + list->first, list->count * sizeof *list->items);
        list->first = 0;
        return;
    }
    if (list->count >= soft_limit) {
        merge_old(list);
        if (list->first + list->count < list->capacity - list->capacity / 8) return;
    }
    uint32_t grown = list->capacity == 0 ? 8 : list->capacity * 2;
    list->items = memory_resize(memory, list->items, list->capacity * sizeof *list->items,
                                grown * sizeof *list->items);
    list->capacity = grown;
}

struct log_batch *log_batches_push(struct memory *memory, struct log_batches *list,
                                   uint32_t soft_limit)
{
    batches_make_room(memory, list, soft_limit);
    return &list->items[list->first + list->count++];
}

uint32_t log_batches_search(const struct log_batches *list, int64_t offset)
{
    const struct log_batch *items = list->items + list->first;
    uint32_t count = list->count;
    /* Readers are mostly near the end. */
    if (count > 0 && offset >= items[count - 1].base_offset + items[count - 1].count) return count;
    for (uint32_t back = 1; back <= 8 && back <= count; back++) {
        const struct log_batch *item = &items[count - back];
        if (offset < item->base_offset) continue;
        return offset < item->base_offset + item->count ? count - back : count - back + 1;
    }
    uint32_t low = 0;
    for (uint32_t high = count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (items[middle].base_offset + items[middle].count <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void log_batches_release(const struct log_payloads *payloads, struct log_batch *batch)
{
    if (batch->payload != NULL) payloads->release(payloads->context, batch->payload);
    batch->payload = NULL;
}

void log_batches_truncate(struct log_batches *list, const struct log_payloads *payloads,
                          int64_t offset)
{
    while (list->count > 0) {
        struct log_batch *last = log_batches_last(list);
        if (last->base_offset + last->count <= offset) return;
        if (last->base_offset < offset) {
            *last = log_batch_slice(last, last->base_offset, offset);
            return;
        }
        log_batches_release(payloads, last);
        list->count--;
    }
}

void log_batches_trim(struct log_batches *list, const struct log_payloads *payloads, int64_t offset)
{
    while (list->count > 0 && list->items[list->first].base_offset < offset) {
        log_batches_release(payloads, &list->items[list->first]);
        list->first++;
        list->count--;
    }
}

void log_batches_free(struct memory *memory, struct log_batches *list,
                      const struct log_payloads *payloads)
{
    for (uint32_t i = 0; i < list->count; i++) {
        log_batches_release(payloads, &list->items[list->first + i]);
    }
    memory_give(memory, list->items, list->capacity * sizeof *list->items);
    *list = (struct log_batches){0};
}

/* ---- batches ----------------------------------------------------------------------------- */

sim_time log_batch_record_at(const struct log_batch *batch, int64_t index)
{
    if (batch->count <= 1) return batch->first_at;
    return batch->first_at + scale_int64(batch->last_at - batch->first_at, index, batch->count - 1);
}

int64_t log_batch_bytes_before(const struct log_batch *batch, int64_t index)
{
    return scale_int64(batch->bytes, index, batch->count);
}

struct log_batch log_batch_slice(const struct log_batch *batch, int64_t from, int64_t to)
{
    struct log_batch slice = *batch;
    int64_t begin = from > batch->base_offset ? from - batch->base_offset : 0;
    int64_t end = to - batch->base_offset < batch->count ? to - batch->base_offset : batch->count;
    if (begin == 0 && end == batch->count) return slice;
    int64_t skipped = log_batch_bytes_before(batch, begin);
    slice.base_offset += begin;
    slice.count = (int32_t)(end - begin);
    slice.position += skipped;
    slice.bytes = log_batch_bytes_before(batch, end) - skipped;
    slice.first_at = log_batch_record_at(batch, begin);
    slice.last_at = log_batch_record_at(batch, end - 1);
    return slice;
}
