/* model/coordinator/transactions.h: offsets committed in transactions that are still open.
 *
 * A transactional commit is kept per producer until its marker: COMMIT moves each entry to the
 * group's offsets, unless a later record is there already; ABORT drops them. A tombstone of a
 * partition removes it from every open transaction too (OffsetMetadataManager). */
#ifndef MODEL_COORDINATOR_TRANSACTIONS_H
#define MODEL_COORDINATOR_TRANSACTIONS_H

#include "model/coordinator/shard.h"

struct pending_offset {
    struct group *group;
    struct offset_slot *slot;
    struct stored_offset value;
    struct offset_author author;
};

struct open_transaction {
    int64_t producer_id;
    struct pending_offset *offsets;
    uint32_t count;
    uint32_t capacity;
};

/* How one producer's transaction and one group's list of producers looked before a change. */
struct transaction_undo {
    int64_t producer_id;
    bool existed;
    struct pending_offset *offsets; /* shape [count], a copy */
    uint32_t count;
    int64_t *group_producers; /* shape [group_producer_count], a copy */
    uint32_t group_producer_count;
};

void transactions_put(struct coordinator *coordinator, struct group *group,
                      struct offset_slot *slot, int64_t producer_id,
                      const struct stored_offset *value, const struct offset_author *author,
                      int64_t offset);
/* A tombstone at `offset`. */
void transactions_forget_partition(struct coordinator *coordinator, struct group *group,
                                   struct offset_slot *slot, int64_t offset);
void transactions_end(struct coordinator *coordinator, int64_t producer_id, bool commit,
                      int64_t offset);
bool transactions_any_open(const struct group *group);
void transactions_undo(struct coordinator *coordinator, struct group *group,
                       struct transaction_undo *undo);
void transaction_undo_release(struct coordinator *coordinator, struct transaction_undo *undo);
void transactions_clear(struct coordinator *coordinator);
/* The pending offset of a partition in one transaction, or NULL; for checkers and tests. */
const struct pending_offset *transactions_find(const struct coordinator *coordinator,
                                               int64_t producer_id, const struct group *group,
                                               struct topic_partition partition);

/* WriteTxnMarkers. Submits the operation itself: a marker is a batch of its own. */
void transactions_on_marker(struct operation *operation, const struct txn_marker_request *request);

#endif
