/* model/coordinator/journal.c: see journal.h. */
#include "model/coordinator/journal.h"

#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"

#include "sim/check.h"

#define CAPACITY_INITIAL 64

static struct journal_entry *entry_at(const struct coordinator *coordinator, uint32_t index)
{
    return &coordinator->journal[(coordinator->journal_first + index) &
                                 (coordinator->journal_capacity - 1)];
}

struct journal_entry *journal_add(struct coordinator *coordinator, enum journal_kind kind,
                                  struct group *group, int64_t offset)
{
    if (coordinator->state != COORDINATOR_ACTIVE || coordinator->rolling_back) return NULL;
    uint32_t capacity = coordinator->journal_capacity;
    if (coordinator->journal_count == capacity) {
        uint32_t larger = capacity == 0 ? CAPACITY_INITIAL : capacity * 2;
        struct journal_entry *journal = memory_take(coordinator->memory, sizeof(*journal) * larger);
        for (uint32_t i = 0; i < capacity; i++)
            journal[i] = *entry_at(coordinator, i);
        memory_give(coordinator->memory, coordinator->journal, sizeof(*journal) * capacity);
        coordinator->journal = journal;
        coordinator->journal_first = 0;
        coordinator->journal_capacity = larger;
    }
    struct journal_entry *entry = entry_at(coordinator, coordinator->journal_count++);
    *entry = (struct journal_entry){.offset = offset, .kind = kind, .group = group};
    return entry;
}

static void forget_former_group(struct coordinator *coordinator, struct journal_entry *entry)
{
    classic_group_free(coordinator, entry->former.classic);
    if (entry->former.consumer != NULL) consumer_group_free(entry->former.consumer);
}

static void commit_offset(struct coordinator *coordinator, const struct journal_entry *entry)
{
    struct offset_slot *slot = entry->stored.slot;
    int64_t previous_offset = slot->committed.present ? slot->committed.offset : -1;
    slot->committed = entry->stored.after;
    bool is_removal = !slot->committed.present;
    if (is_removal && previous_offset < 0) return;
    coordinator_note(coordinator,
                     (struct group_note){
                         .kind = is_removal ? NOTE_OFFSET_REMOVED : NOTE_COMMIT_DURABLE,
                         .group = entry->group->id,
                         .member = entry->stored.member,
                         .generation = entry->stored.generation,
                         .partition = slot->partition,
                         .offset = slot->committed.offset,
                         .previous_offset = previous_offset,
                         .detail = entry->stored.transactional,
                     });
}

static void commit_entry(struct coordinator *coordinator, struct journal_entry *entry)
{
    switch (entry->kind) {
    case JOURNAL_OFFSET: commit_offset(coordinator, entry); break;
    case JOURNAL_GROUP:
        forget_former_group(coordinator, entry);
        /* Later entries of the same group may be waiting; the last one decides. */
        entry->group->committed_type = entry->group->type;
        break;
    case JOURNAL_RECORD: group_record_free(coordinator->memory, &entry->inverse); break;
    case JOURNAL_TRANSACTION: transaction_undo_release(coordinator, &entry->transaction); break;
    }
}

static void undo_entry(struct coordinator *coordinator, struct journal_entry *entry)
{
    struct group *group = entry->group;
    switch (entry->kind) {
    case JOURNAL_OFFSET:
        offsets_set(&group->offsets, entry->stored.slot, &entry->stored.before);
        break;
    case JOURNAL_GROUP:
        classic_group_free(coordinator, group->classic);
        if (group->consumer != NULL) consumer_group_free(group->consumer);
        group->type = entry->former.type;
        group->classic = entry->former.classic;
        group->consumer = entry->former.consumer;
        if (group->classic != NULL) classic_group_resume(coordinator, group->classic);
        break;
    case JOURNAL_RECORD:
        consumer_group_apply(coordinator, &entry->inverse);
        group_record_free(coordinator->memory, &entry->inverse);
        break;
    case JOURNAL_TRANSACTION:
        transactions_undo(coordinator, group, &entry->transaction);
        transaction_undo_release(coordinator, &entry->transaction);
        break;
    }
}

void journal_commit(struct coordinator *coordinator, int64_t offset)
{
    while (coordinator->journal_count > 0) {
        struct journal_entry *entry = entry_at(coordinator, 0);
        if (entry->offset >= offset) break;
        commit_entry(coordinator, entry);
        coordinator->journal_first =
            (coordinator->journal_first + 1) & (coordinator->journal_capacity - 1);
        coordinator->journal_count--;
    }
}

void journal_roll_back(struct coordinator *coordinator, int64_t offset)
{
    coordinator->rolling_back = true;
    while (coordinator->journal_count > 0) {
        struct journal_entry *entry = entry_at(coordinator, coordinator->journal_count - 1);
        if (entry->offset < offset) break;
        undo_entry(coordinator, entry);
        coordinator->journal_count--;
    }
    coordinator->rolling_back = false;
}

void journal_clear(struct coordinator *coordinator)
{
    for (uint32_t i = 0; i < coordinator->journal_count; i++) {
        struct journal_entry *entry = entry_at(coordinator, i);
        switch (entry->kind) {
        case JOURNAL_OFFSET: break;
        case JOURNAL_GROUP: forget_former_group(coordinator, entry); break;
        case JOURNAL_RECORD: group_record_free(coordinator->memory, &entry->inverse); break;
        case JOURNAL_TRANSACTION: transaction_undo_release(coordinator, &entry->transaction); break;
        }
    }
    coordinator->journal_count = 0;
    coordinator->journal_first = 0;
}
