#include "model/coordinator/group_log_cleaner.h"

/* The keys that have been seen later in the log: a hash set of records. */
struct key_set {
    const struct group_record **slots;
    uint32_t capacity; /* power of two */
};

static const struct group_record **key_set_place(const struct key_set *set,
                                                 const struct group_record *record)
{
    uint32_t at = (uint32_t)group_record_key_hash(record) & (set->capacity - 1);
    while (set->slots[at] != NULL && !group_record_same_key(set->slots[at], record))
        at = (at + 1) & (set->capacity - 1);
    return &set->slots[at];
}

static struct key_set key_set_new(struct memory *memory, uint32_t records)
{
    struct key_set set = {.capacity = 64};
    while (set.capacity < records * 2)
        set.capacity *= 2;
    set.slots = (const struct group_record **)memory_take(memory, set.capacity * sizeof(void *));
    return set;
}

static void key_set_free(struct memory *memory, struct key_set *set)
{
    memory_give(memory, set->slots, set->capacity * sizeof(void *));
}

/* What is known of a producer's transaction at some place of the log. */
struct producer_fate {
    int64_t producer_id;
    enum group_log_marker marker; /* walking backwards: the next one */
    bool has_batches;             /* walking forwards: kept since the last one */
};
struct fates {
    struct memory *memory;
    struct producer_fate *items;
    uint32_t count;
    uint32_t capacity;
};

static struct producer_fate *fate_of(struct fates *fates, int64_t producer_id)
{
    for (uint32_t i = 0; i < fates->count; i++) {
        if (fates->items[i].producer_id == producer_id) return &fates->items[i];
    }
    if (fates->count == fates->capacity) {
        uint32_t grown = fates->capacity == 0 ? 16 : fates->capacity * 2;
        fates->items =
            memory_resize(fates->memory, fates->items, fates->capacity * sizeof *fates->items,
                          grown * sizeof *fates->items);
        fates->capacity = grown;
    }
    fates->items[fates->count] = (struct producer_fate){producer_id, MARKER_NONE, false};
    return &fates->items[fates->count++];
}

/* Backwards through the log: the last record of each key, and those of keys that had a tombstone.
 */
struct later_keys {
    const struct group_log_cleaning *cleaning;
    struct key_set all;
    struct key_set buried;
};

/* Whoever reads the log has had the time to learn of them. */
static bool lets_tombstones_go(const struct later_keys *later, struct group_log_batch *batch)
{
    const struct group_log_cleaning *cleaning = later->cleaning;
    if (batch->delete_horizon == 0)
        batch->delete_horizon = cleaning->now + cleaning->delete_retention_ns;
    return cleaning->now >= batch->delete_horizon;
}

/* Takes the superseded records out of a batch; false when none is left. */
static bool erase_superseded(const struct later_keys *later, struct group_log_batch *batch)
{
    bool any_left = false;
    bool is_over = lets_tombstones_go(later, batch);
    for (uint32_t r = batch->record_count; r-- > 0;) {
        const struct group_record *record = &batch->records[r];
        if (record->type == RECORD_ERASED) continue;
        const struct group_record **last = key_set_place(&later->all, record);
        bool is_last = *last == NULL;
        if (is_last) *last = record;
        if (record->value == NULL) *key_set_place(&later->buried, record) = *last;
        bool stays = is_last && !(is_over && record->value == NULL);
        if (!stays) group_log_batch_erase(batch, r);
        any_left |= stays;
    }
    return any_left;
}

/* A tombstone takes what is pending too, and may go itself for the sake of a later value. */
static bool erase_buried(const struct later_keys *later, struct group_log_batch *batch)
{
    bool any_left = false;
    for (uint32_t r = 0; r < batch->record_count; r++) {
        if (batch->records[r].type == RECORD_ERASED) continue;
        if (*key_set_place(&later->buried, &batch->records[r]) == NULL) {
            any_left = true;
        } else {
            group_log_batch_erase(batch, r);
        }
    }
    return any_left;
}

/* What has a key not seen later stays. */
static void choose_batches(struct fates *fates, const struct later_keys *later,
                           struct group_log_batch *const *batches, uint32_t count, bool *keep)
{
    for (uint32_t i = count; i-- > 0;) {
        struct producer_fate *fate =
            batches[i]->producer_id >= 0 ? fate_of(fates, batches[i]->producer_id) : NULL;
        keep[i] = true;
        if (batches[i]->marker != MARKER_NONE) {
            if (fate != NULL) fate->marker = batches[i]->marker;
        } else if (fate == NULL || fate->marker == MARKER_COMMIT) {
            keep[i] = erase_superseded(later, batches[i]);
        } else if (fate->marker == MARKER_ABORT) {
            keep[i] = false;
        } else {
            keep[i] = erase_buried(later, batches[i]);
        }
    }
}

/* Forwards: a marker without a kept batch before it says nothing any more. */
static void choose_markers(struct fates *fates, struct group_log_batch *const *batches,
                           uint32_t count, bool *keep)
{
    for (uint32_t i = 0; i < count; i++) {
        if (batches[i]->producer_id < 0) continue;
        struct producer_fate *fate = fate_of(fates, batches[i]->producer_id);
        if (batches[i]->marker == MARKER_NONE) {
            fate->has_batches |= keep[i];
        } else {
            keep[i] = fate->has_batches;
            fate->has_batches = false;
        }
    }
}

void group_log_clean(struct memory *memory, const struct group_log_cleaning *cleaning,
                     struct group_log_batch *const *batches, uint32_t count, bool *keep)
{
    uint32_t records = 0;
    for (uint32_t i = 0; i < count; i++)
        records += batches[i]->record_count;
    struct later_keys later = {cleaning, key_set_new(memory, records),
                               key_set_new(memory, records)};
    struct fates fates = {.memory = memory};
    choose_batches(&fates, &later, batches, count, keep);
    choose_markers(&fates, batches, count, keep);
    memory_give(memory, fates.items, fates.capacity * sizeof *fates.items);
    key_set_free(memory, &later.all);
    key_set_free(memory, &later.buried);
}
