/* model/coordinator/transactions.c: pending offsets of open transactions, and their end.
 *
 * Like Kafka, a group keeps a producer in its list of open transactions until that producer's
 * marker finds an offset of the group among the pending ones. If a tombstone took the last of them
 * away, the producer stays in the list for good and the group is never expired
 * (OffsetMetadataManager.replayEndTransactionMarker looks only at groups with pending offsets). */
#include "model/coordinator/transactions.h"

#include "model/coordinator/journal.h"
#include "model/coordinator/offset_rules.h"
#include "model/coordinator/write_path.h"

#include "sim/check.h"

#include <string.h>

#define SMALL_INITIAL 4

static struct open_transaction *find_transaction(const struct coordinator *coordinator,
                                                 int64_t producer_id)
{
    for (uint32_t i = 0; i < coordinator->transaction_count; i++) {
        if (coordinator->transactions[i].producer_id == producer_id) {
            return &coordinator->transactions[i];
        }
    }
    return NULL;
}

static struct open_transaction *make_transaction(struct coordinator *coordinator,
                                                 int64_t producer_id)
{
    struct open_transaction *transaction = find_transaction(coordinator, producer_id);
    if (transaction != NULL) return transaction;
    if (coordinator->transaction_count == coordinator->transaction_capacity) {
        uint32_t capacity = coordinator->transaction_capacity == 0
                                ? SMALL_INITIAL
                                : coordinator->transaction_capacity * 2;
        coordinator->transactions =
            memory_resize(coordinator->memory, coordinator->transactions,
                          sizeof(*transaction) * coordinator->transaction_capacity,
                          sizeof(*transaction) * capacity);
        coordinator->transaction_capacity = capacity;
    }
    transaction = &coordinator->transactions[coordinator->transaction_count++];
    *transaction = (struct open_transaction){.producer_id = producer_id};
    return transaction;
}

static void drop_transaction(struct coordinator *coordinator, struct open_transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->count; i++)
        transaction->offsets[i].slot->pending_count--;
    memory_give(coordinator->memory, transaction->offsets,
                sizeof(*transaction->offsets) * transaction->capacity);
    uint32_t place = (uint32_t)(transaction - coordinator->transactions);
    coordinator->transaction_count--;
    memmove(transaction, transaction + 1,
            sizeof(*transaction) * (coordinator->transaction_count - place));
}

static void add_pending(struct coordinator *coordinator, struct open_transaction *transaction,
                        const struct pending_offset *pending)
{
    if (transaction->count == transaction->capacity) {
        uint32_t capacity = transaction->capacity == 0 ? SMALL_INITIAL : transaction->capacity * 2;
        transaction->offsets =
            memory_resize(coordinator->memory, transaction->offsets,
                          sizeof(*pending) * transaction->capacity, sizeof(*pending) * capacity);
        transaction->capacity = capacity;
    }
    transaction->offsets[transaction->count++] = *pending;
    pending->slot->pending_count++;
}

static void *copy_of(struct memory *memory, const void *from, size_t size)
{
    if (size == 0) return NULL;
    void *copy = memory_take(memory, size);
    memcpy(copy, from, size);
    return copy;
}

static void remember(struct coordinator *coordinator, struct group *group, int64_t producer_id,
                     int64_t offset)
{
    struct journal_entry *entry = journal_add(coordinator, JOURNAL_TRANSACTION, group, offset);
    if (entry == NULL) return;
    struct transaction_undo *undo = &entry->transaction;
    const struct open_transaction *transaction = find_transaction(coordinator, producer_id);
    undo->producer_id = producer_id;
    undo->existed = transaction != NULL;
    if (transaction != NULL) {
        undo->count = transaction->count;
        undo->offsets = copy_of(coordinator->memory, transaction->offsets,
                                sizeof(*transaction->offsets) * transaction->count);
    }
    undo->group_producer_count = group->offsets.open_producer_count;
    undo->group_producers =
        copy_of(coordinator->memory, group->offsets.open_producers,
                sizeof(*undo->group_producers) * group->offsets.open_producer_count);
}

void transaction_undo_release(struct coordinator *coordinator, struct transaction_undo *undo)
{
    memory_give(coordinator->memory, undo->offsets, sizeof(*undo->offsets) * undo->count);
    memory_give(coordinator->memory, undo->group_producers,
                sizeof(*undo->group_producers) * undo->group_producer_count);
}

void transactions_undo(struct coordinator *coordinator, struct group *group,
                       struct transaction_undo *undo)
{
    struct open_transaction *transaction = find_transaction(coordinator, undo->producer_id);
    if (transaction != NULL) drop_transaction(coordinator, transaction);
    if (undo->existed) {
        transaction = make_transaction(coordinator, undo->producer_id);
        for (uint32_t i = 0; i < undo->count; i++) {
            add_pending(coordinator, transaction, &undo->offsets[i]);
        }
    }
    /* The list has held that many before, so it has room for them. */
    CHECK(undo->group_producer_count <= group->offsets.open_producer_capacity);
    if (undo->group_producer_count > 0) {
        memcpy(group->offsets.open_producers, undo->group_producers,
               sizeof(*undo->group_producers) * undo->group_producer_count);
    }
    group->offsets.open_producer_count = undo->group_producer_count;
}

static void add_producer(struct coordinator *coordinator, struct group_offsets *offsets,
                         int64_t producer_id)
{
    uint32_t place = 0;
    while (place < offsets->open_producer_count && offsets->open_producers[place] < producer_id)
        place++;
    if (place < offsets->open_producer_count && offsets->open_producers[place] == producer_id)
        return;
    if (offsets->open_producer_count == offsets->open_producer_capacity) {
        uint32_t capacity = offsets->open_producer_capacity == 0
                                ? SMALL_INITIAL
                                : offsets->open_producer_capacity * 2;
        offsets->open_producers =
            memory_resize(coordinator->memory, offsets->open_producers,
                          sizeof(producer_id) * offsets->open_producer_capacity,
                          sizeof(producer_id) * capacity);
        offsets->open_producer_capacity = capacity;
    }
    memmove(&offsets->open_producers[place + 1], &offsets->open_producers[place],
            sizeof(producer_id) * (offsets->open_producer_count - place));
    offsets->open_producers[place] = producer_id;
    offsets->open_producer_count++;
}

static void remove_producer(struct group_offsets *offsets, int64_t producer_id)
{
    for (uint32_t i = 0; i < offsets->open_producer_count; i++) {
        if (offsets->open_producers[i] != producer_id) continue;
        offsets->open_producer_count--;
        memmove(&offsets->open_producers[i], &offsets->open_producers[i + 1],
                sizeof(producer_id) * (offsets->open_producer_count - i));
        return;
    }
}

bool transactions_any_open(const struct group *group)
{
    return group->offsets.open_producer_count > 0;
}

void transactions_put(struct coordinator *coordinator, struct group *group,
                      struct offset_slot *slot, int64_t producer_id,
                      const struct stored_offset *value, const struct offset_author *author,
                      int64_t offset)
{
    remember(coordinator, group, producer_id, offset);
    struct open_transaction *transaction = make_transaction(coordinator, producer_id);
    struct pending_offset pending = {.group = group,
                                     .slot = slot,
                                     .value = *value,
                                     .author = *author};
    add_producer(coordinator, &group->offsets, producer_id);
    for (uint32_t i = 0; i < transaction->count; i++) {
        if (transaction->offsets[i].slot != slot) continue;
        transaction->offsets[i] = pending;
        return;
    }
    add_pending(coordinator, transaction, &pending);
}

void transactions_forget_partition(struct coordinator *coordinator, struct group *group,
                                   struct offset_slot *slot, int64_t offset)
{
    for (uint32_t t = 0; t < coordinator->transaction_count && slot->pending_count > 0; t++) {
        struct open_transaction *transaction = &coordinator->transactions[t];
        for (uint32_t i = 0; i < transaction->count; i++) {
            if (transaction->offsets[i].slot != slot) continue;
            remember(coordinator, group, transaction->producer_id, offset);
            slot->pending_count--;
            transaction->count--;
            memmove(&transaction->offsets[i], &transaction->offsets[i + 1],
                    sizeof(transaction->offsets[i]) * (transaction->count - i));
            break;
        }
    }
}

static bool is_first_of_group(const struct open_transaction *transaction, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++) {
        if (transaction->offsets[i].group == transaction->offsets[index].group) return false;
    }
    return true;
}

void transactions_end(struct coordinator *coordinator, int64_t producer_id, bool commit,
                      int64_t offset)
{
    struct open_transaction *transaction = find_transaction(coordinator, producer_id);
    if (transaction == NULL) return;
    for (uint32_t i = 0; i < transaction->count; i++) {
        if (!is_first_of_group(transaction, i)) continue;
        remember(coordinator, transaction->offsets[i].group, producer_id, offset);
    }
    for (uint32_t i = 0; i < transaction->count; i++) {
        const struct pending_offset *pending = &transaction->offsets[i];
        remove_producer(&pending->group->offsets, producer_id);
        /* The most recent record wins, be it plain or transactional. */
        if (!commit || (pending->slot->value.present &&
                        pending->slot->value.record_offset >= pending->value.record_offset))
            continue;
        offsets_store(coordinator, pending->group, pending->slot, &pending->value, &pending->author,
                      offset);
    }
    drop_transaction(coordinator, transaction);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_TRANSACTION_ENDED,
                                                      .offset = producer_id,
                                                      .detail = commit});
}

void transactions_clear(struct coordinator *coordinator)
{
    while (coordinator->transaction_count > 0) {
        drop_transaction(coordinator,
                         &coordinator->transactions[coordinator->transaction_count - 1]);
    }
}

const struct pending_offset *transactions_find(const struct coordinator *coordinator,
                                               int64_t producer_id, const struct group *group,
                                               struct topic_partition partition)
{
    const struct open_transaction *transaction = find_transaction(coordinator, producer_id);
    const struct offset_slot *slot = group_offsets_find(&group->offsets, partition);
    if (transaction == NULL || slot == NULL) return NULL;
    for (uint32_t i = 0; i < transaction->count; i++) {
        if (transaction->offsets[i].slot == slot) return &transaction->offsets[i];
    }
    return NULL;
}

void transactions_on_marker(struct operation *operation, const struct txn_marker_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    /* What came before must be in the log before. */
    write_path_flush(coordinator);
    int64_t offset = coordinator->next_offset;
    transactions_end(coordinator, request->producer_id, request->commit, offset);
    struct group_log_batch *marker = group_log_batch_new(coordinator->memory);
    marker->producer_id = request->producer_id;
    marker->producer_epoch = request->producer_epoch;
    marker->marker = request->commit ? MARKER_COMMIT : MARKER_ABORT;
    marker->coordinator_epoch = request->coordinator_epoch;
    marker->timestamp_ms = coordinator_clock_ms(coordinator);
    OPERATION_RESPOND(operation, struct txn_marker_response)->error = KAFKA_NONE;
    write_path_append_marker(coordinator, operation, marker);
}
