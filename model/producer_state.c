#include "model/producer_state.h"

#include <string.h>

int32_t sequence_after(int32_t sequence, int32_t count)
{
    return (int32_t)(((int64_t)sequence + count) & INT32_MAX);
}

void producer_states_init(struct producer_states *states, struct memory *memory)
{
    *states = (struct producer_states){.memory = memory};
}

struct producer_states *producer_states_copy(const struct producer_states *states)
{
    struct producer_states *copy = memory_take(states->memory, sizeof *copy);
    *copy = *states;
    copy->entries = memory_take(states->memory, states->capacity * sizeof *states->entries);
    copy->closed = memory_take(states->memory, states->closed_capacity * sizeof *states->closed);
    if (states->count > 0) {
        memcpy(copy->entries, states->entries, states->count * sizeof *states->entries);
    }
    if (states->closed_count > 0) {
        memcpy(copy->closed, states->closed, states->closed_count * sizeof *states->closed);
    }
    return copy;
}

static void free_contents(const struct producer_states *states)
{
    memory_give(states->memory, states->entries, states->capacity * sizeof *states->entries);
    memory_give(states->memory, states->closed, states->closed_capacity * sizeof *states->closed);
}

void producer_states_free(struct producer_states *states)
{
    if (states == NULL) return;
    free_contents(states);
    memory_give(states->memory, states, sizeof *states);
}

void producer_states_replace(struct producer_states *states, struct producer_states *copy)
{
    free_contents(states);
    *states = *copy;
    memory_give(states->memory, copy, sizeof *copy);
}

static struct producer_entry *find(const struct producer_states *states, int64_t producer_id)
{
    for (uint32_t i = 0; i < states->count; i++) {
        if (states->entries[i].producer_id == producer_id) return &states->entries[i];
    }
    return NULL;
}

static struct producer_entry *find_or_add(struct producer_states *states, int64_t producer_id,
                                          int16_t epoch)
{
    struct producer_entry *entry = find(states, producer_id);
    if (entry == NULL) entry = find(states, -1); /* an expired one's place */
    if (entry == NULL) {
        if (states->count == states->capacity) {
            uint32_t grown = states->capacity == 0 ? 1 : states->capacity * 2;
            states->entries = memory_resize(states->memory, states->entries,
                                            states->capacity * sizeof *states->entries,
                                            grown * sizeof *states->entries);
            states->capacity = grown;
        }
        entry = &states->entries[states->count++];
        *entry = (struct producer_entry){.producer_id = -1};
    }
    if (entry->producer_id != producer_id) {
        *entry = (struct producer_entry){.producer_id = producer_id,
                                         .open_offset = -1,
                                         .epoch = epoch,
                                         .coordinator_epoch = -1};
    }
    return entry;
}

/* The newest batch but `age`. */
static const struct producer_batch *batch_before(const struct producer_entry *entry, int32_t age)
{
    return &entry->batches[(entry->newest - age + PRODUCER_BATCHES) % PRODUCER_BATCHES];
}

static int64_t batch_end(const struct producer_batch *batch)
{
    int64_t count = ((int64_t)batch->last_sequence - batch->first_sequence) & INT32_MAX;
    return batch->base_offset + count + 1;
}

enum kafka_error producer_states_check(const struct producer_states *states,
                                       const struct sequenced_batch *batch,
                                       int64_t *duplicate_offset)
{
    *duplicate_offset = -1;
    const struct producer_entry *entry = find(states, batch->producer_id);
    if (entry == NULL) return KAFKA_NONE; /* no state: any sequence is accepted */
    if (batch->producer_epoch < entry->epoch) return KAFKA_INVALID_PRODUCER_EPOCH;
    if (batch->producer_epoch > entry->epoch) {
        return batch->base_sequence == 0 ? KAFKA_NONE : KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
    }
    if (entry->batch_count == 0) return KAFKA_NONE;
    /* The one that is expected cannot be among the latest ones, whose sequences precede it. */
    int32_t newest = batch_before(entry, 0)->last_sequence;
    if (batch->base_sequence == sequence_after(newest, 1)) return KAFKA_NONE;
    int32_t last = sequence_after(batch->base_sequence, batch->count - 1);
    for (int32_t i = 0; i < entry->batch_count; i++) {
        const struct producer_batch *known = batch_before(entry, i);
        if (known->first_sequence != batch->base_sequence) continue;
        if (known->last_sequence != last) continue;
        *duplicate_offset = known->base_offset;
        return KAFKA_NONE;
    }
    return KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER;
}

bool producer_states_is_open(const struct producer_states *states,
                             const struct sequenced_batch *batch)
{
    const struct producer_entry *entry = find(states, batch->producer_id);
    return entry != NULL && entry->open_offset >= 0 && entry->epoch == batch->producer_epoch;
}

int32_t producer_states_append(struct producer_states *states, const struct sequenced_batch *batch,
                               int64_t base_offset, sim_time now)
{
    struct producer_entry *entry = find_or_add(states, batch->producer_id, batch->producer_epoch);
    if (batch->producer_epoch > entry->epoch) {
        entry->epoch = batch->producer_epoch;
        entry->batch_count = 0;
    }
    if (batch->base_sequence >= 0) {
        entry->newest = entry->newest + 1 == PRODUCER_BATCHES ? 0 : entry->newest + 1;
        entry->batches[entry->newest] =
            (struct producer_batch){batch->base_sequence,
                                    sequence_after(batch->base_sequence, batch->count - 1),
                                    base_offset};
        if (entry->batch_count < PRODUCER_BATCHES) entry->batch_count++;
    }
    entry->last_at = now;
    if (batch->transactional_id != NAME_NONE && entry->open_offset < 0) {
        entry->open_offset = base_offset;
        entry->transactional_id = batch->transactional_id;
        states->open_count++;
    }
    return (int32_t)(entry - states->entries);
}

enum kafka_error producer_states_check_marker(const struct producer_states *states,
                                              int64_t producer_id, int16_t producer_epoch,
                                              int32_t coordinator_epoch)
{
    const struct producer_entry *entry = find(states, producer_id);
    if (entry == NULL) return KAFKA_NONE;
    if (producer_epoch < entry->epoch) return KAFKA_INVALID_PRODUCER_EPOCH;
    if (coordinator_epoch < entry->coordinator_epoch) return KAFKA_TRANSACTION_COORDINATOR_FENCED;
    return KAFKA_NONE;
}

struct ended_transaction producer_states_end(struct producer_states *states, int64_t producer_id,
                                             int16_t producer_epoch, int32_t coordinator_epoch,
                                             int64_t marker_offset, sim_time now)
{
    struct producer_entry *entry = find_or_add(states, producer_id, producer_epoch);
    struct ended_transaction ended = {(int32_t)(entry - states->entries), entry->open_offset};
    if (producer_epoch > entry->epoch) {
        entry->epoch = producer_epoch;
        entry->batch_count = 0;
    }
    entry->coordinator_epoch = coordinator_epoch;
    entry->last_at = now;
    if (entry->open_offset < 0) return ended;
    entry->open_offset = -1;
    states->open_count--;
    if (states->closed_count == states->closed_capacity) {
        uint32_t grown = states->closed_capacity == 0 ? 2 : states->closed_capacity * 2;
        states->closed = memory_resize(states->memory, states->closed,
                                       states->closed_capacity * sizeof *states->closed,
                                       grown * sizeof *states->closed);
        states->closed_capacity = grown;
    }
    states->closed[states->closed_count++] =
        (struct closed_transaction){ended.first_offset, marker_offset};
    return ended;
}

int64_t producer_states_last_stable(struct producer_states *states, int64_t high_watermark)
{
    int64_t stable = high_watermark;
    uint32_t out = 0;
    for (uint32_t i = 0; i < states->closed_count; i++) {
        if (states->closed[i].marker_offset < high_watermark) continue;
        if (states->closed[i].first_offset < stable) stable = states->closed[i].first_offset;
        states->closed[out++] = states->closed[i];
    }
    states->closed_count = out;
    if (states->open_count == 0) return stable;
    for (uint32_t i = 0; i < states->count; i++) {
        int64_t open = states->entries[i].open_offset;
        if (open >= 0 && open < stable) stable = open;
    }
    return stable;
}

bool producer_states_ends_at(const struct producer_states *states, int64_t end_offset)
{
    for (uint32_t i = 0; i < states->count; i++) {
        const struct producer_entry *entry = &states->entries[i];
        if (entry->producer_id < 0 || entry->batch_count == 0) continue;
        if (batch_end(batch_before(entry, 0)) == end_offset) return true;
    }
    return false;
}

void producer_states_truncate(struct producer_states *states, int64_t offset)
{
    for (uint32_t i = 0; i < states->count; i++) {
        struct producer_entry *entry = &states->entries[i];
        while (entry->batch_count > 0 && batch_end(batch_before(entry, 0)) > offset) {
            entry->batch_count--;
            entry->newest = entry->newest == 0 ? PRODUCER_BATCHES - 1 : entry->newest - 1;
        }
        if (entry->open_offset >= offset) {
            entry->open_offset = -1;
            states->open_count--;
        }
    }
    uint32_t out = 0;
    for (uint32_t i = 0; i < states->closed_count; i++) {
        if (states->closed[i].marker_offset < offset) states->closed[out++] = states->closed[i];
    }
    states->closed_count = out;
}

void producer_states_expire(struct producer_states *states, sim_time before)
{
    for (uint32_t i = 0; i < states->count; i++) {
        struct producer_entry *entry = &states->entries[i];
        if (entry->open_offset >= 0 || entry->last_at >= before) continue;
        *entry = (struct producer_entry){.producer_id = -1, .open_offset = -1};
    }
}
