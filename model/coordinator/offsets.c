/* model/coordinator/offsets.c: the store of committed offsets and its records. */
#include "model/coordinator/offsets.h"

#include "model/coordinator/classic_group.h"
#include "model/coordinator/journal.h"

#include "sim/check.h"

#include <string.h>

#define SLOTS_INITIAL 8

static uint32_t home_of(const struct group_offsets *offsets, struct topic_partition partition)
{
    uint64_t key = (uint64_t)partition.topic << 32 | (uint32_t)partition.partition;
    key *= UINT64_C(11400714819323198485);
    return (uint32_t)(key >> 32) & (offsets->table_capacity - 1);
}

static struct offset_slot **find_entry(const struct group_offsets *offsets,
                                       struct topic_partition partition)
{
    uint32_t place = home_of(offsets, partition);
    for (;;) {
        struct offset_slot *slot = offsets->table[place];
        if (slot == NULL || (slot->partition.topic == partition.topic &&
                             slot->partition.partition == partition.partition))
            return &offsets->table[place];
        place = (place + 1) & (offsets->table_capacity - 1);
    }
}

struct offset_slot *group_offsets_find(const struct group_offsets *offsets,
                                       struct topic_partition partition)
{
    return offsets->count == 0 ? NULL : *find_entry(offsets, partition);
}

static void grow_table(struct group_offsets *offsets, struct memory *memory)
{
    uint32_t old_capacity = offsets->table_capacity;
    memory_give(memory, offsets->table, sizeof(*offsets->table) * old_capacity);
    offsets->table_capacity = old_capacity == 0 ? SLOTS_INITIAL * 2 : old_capacity * 2;
    offsets->table = memory_take(memory, sizeof(*offsets->table) * offsets->table_capacity);
    for (uint32_t i = 0; i < offsets->count; i++) {
        *find_entry(offsets, offsets->slots[i]->partition) = offsets->slots[i];
    }
}

static int partition_order(const struct names *names, struct topic_partition a,
                           struct topic_partition b)
{
    if (a.topic != b.topic) return names_compare(names, a.topic, b.topic);
    return (a.partition > b.partition) - (a.partition < b.partition);
}

static uint32_t place_in_order(const struct group_offsets *offsets, const struct names *names,
                               struct topic_partition partition)
{
    uint32_t low = 0, high = offsets->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (partition_order(names, offsets->slots[middle]->partition, partition) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct offset_slot *group_offsets_slot(struct group_offsets *offsets, struct memory *memory,
                                       const struct names *names, struct topic_partition partition)
{
    struct offset_slot *slot = group_offsets_find(offsets, partition);
    if (slot != NULL) return slot;
    slot = memory_take(memory, sizeof(*slot));
    *slot = (struct offset_slot){.partition = partition};
    if (offsets->count == offsets->capacity) {
        uint32_t capacity = offsets->capacity == 0 ? SLOTS_INITIAL : offsets->capacity * 2;
        offsets->slots = memory_resize(memory, offsets->slots, sizeof(slot) * offsets->capacity,
                                       sizeof(slot) * capacity);
        offsets->capacity = capacity;
    }
    if ((offsets->count + 1) * 2 > offsets->table_capacity) grow_table(offsets, memory);
    uint32_t place = place_in_order(offsets, names, partition);
    memmove(&offsets->slots[place + 1], &offsets->slots[place],
            sizeof(slot) * (offsets->count - place));
    offsets->slots[place] = slot;
    offsets->count++;
    *find_entry(offsets, partition) = slot;
    return slot;
}

void offsets_set(struct group_offsets *offsets, struct offset_slot *slot,
                 const struct stored_offset *value)
{
    offsets->present_count -= slot->value.present;
    offsets->present_count += value->present;
    slot->value = *value;
}

void group_offsets_release(struct group_offsets *offsets, struct memory *memory)
{
    for (uint32_t i = 0; i < offsets->count; i++) {
        memory_give(memory, offsets->slots[i], sizeof(*offsets->slots[i]));
    }
    memory_give(memory, offsets->slots, sizeof(*offsets->slots) * offsets->capacity);
    memory_give(memory, offsets->table, sizeof(*offsets->table) * offsets->table_capacity);
    memory_give(memory, offsets->open_producers,
                sizeof(*offsets->open_producers) * offsets->open_producer_capacity);
    *offsets = (struct group_offsets){0};
}

void offsets_store(struct coordinator *coordinator, struct group *group, struct offset_slot *slot,
                   const struct stored_offset *value, const struct offset_author *author,
                   int64_t offset)
{
    struct journal_entry *entry = journal_add(coordinator, JOURNAL_OFFSET, group, offset);
    if (entry != NULL) {
        entry->stored.slot = slot;
        entry->stored.before = slot->value;
        entry->stored.after = *value;
        entry->stored.member = author->member;
        entry->stored.generation = author->generation;
        entry->stored.transactional = author->transactional;
    } else {
        slot->committed = *value;
    }
    offsets_set(&group->offsets, slot, value);
}

static void apply_tombstone(struct coordinator *coordinator, struct group *group,
                            struct offset_slot *slot, int64_t offset)
{
    if (slot->value.present) {
        offsets_store(coordinator, group, slot, &(struct stored_offset){0},
                      &(struct offset_author){0}, offset);
    }
    transactions_forget_partition(coordinator, group, slot, offset);
}

void offsets_apply(struct coordinator *coordinator, const struct group_record *record,
                   int64_t offset, int64_t producer_id)
{
    struct group *group = coordinator_group(coordinator, record->group);
    if (record->value == NULL) {
        struct offset_slot *slot = group_offsets_find(&group->offsets, record->partition);
        if (slot != NULL) apply_tombstone(coordinator, group, slot, offset);
        return;
    }
    if (group->type == GROUP_ABSENT) {
        /* A simple group: offsets and nothing else. */
        group_become_classic(coordinator, group, classic_group_new(coordinator, group));
    }
    struct offset_slot *slot = group_offsets_slot(&group->offsets, coordinator->memory,
                                                  coordinator->names, record->partition);
    struct stored_offset value = {
        .present = true,
        .offset = record->offset->offset,
        .leader_epoch = record->offset->leader_epoch,
        .metadata = record->offset->metadata,
        .commit_timestamp_ms = record->offset->commit_timestamp_ms,
        .expire_timestamp_ms = record->offset->expire_timestamp_ms,
        .record_offset = offset,
    };
    struct offset_author author = {.transactional = producer_id >= 0};
    if (coordinator->applying != NULL) {
        author.member = coordinator->applying->committing_member;
        author.generation = coordinator->applying->committing_generation;
    }
    coordinator_note(coordinator,
                     (struct group_note){.kind = NOTE_COMMIT,
                                         .group = group->id,
                                         .member = author.member,
                                         .generation = author.generation,
                                         .partition = slot->partition,
                                         .offset = value.offset,
                                         .previous_offset =
                                             slot->value.present ? slot->value.offset : -1,
                                         .detail = author.transactional});
    if (producer_id < 0) {
        offsets_store(coordinator, group, slot, &value, &author, offset);
    } else {
        transactions_put(coordinator, group, slot, producer_id, &value, &author, offset);
    }
}

void offsets_add_tombstones(struct operation *operation, struct group *group)
{
    struct coordinator *coordinator = operation->coordinator;
    for (uint32_t i = 0; i < group->offsets.count; i++) {
        const struct offset_slot *slot = group->offsets.slots[i];
        if (!slot->value.present && slot->pending_count == 0) continue;
        operation_add(operation,
                      group_record_offset(coordinator->memory, group->id, slot->partition, NULL));
    }
}
