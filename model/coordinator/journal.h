/* model/coordinator/journal.h: what was applied and is not committed yet.
 *
 * Kafka keeps the coordinator's hard state in timeline structures with a snapshot per written
 * offset. Here each change leaves an entry behind: when the high watermark passes it the change
 * becomes visible to reads of the committed state, when its write fails it is taken back, newest
 * first. Nothing is kept while a shard loads: what was read from the log counts as committed.
 * (Kafka shows reads only what lies below the high watermark even then; no client asks for that, as
 * the Java consumer fetches stable offsets, which wait.) */
#ifndef MODEL_COORDINATOR_JOURNAL_H
#define MODEL_COORDINATOR_JOURNAL_H

#include "model/coordinator/shard.h"
#include "model/coordinator/transactions.h"

enum journal_kind {
    JOURNAL_OFFSET,      /* a slot got a value or lost it */
    JOURNAL_GROUP,       /* an id came to stand for something else */
    JOURNAL_RECORD,      /* a record of the consumer protocol */
    JOURNAL_TRANSACTION, /* the open transactions changed */
};

struct journal_entry {
    int64_t offset; /* of the record that caused it */
    enum journal_kind kind;
    struct group *group;
    union {
        struct {
            struct offset_slot *slot;
            struct stored_offset before;
            struct stored_offset after;
            name_id member;
            int32_t generation;
            bool transactional;
        } stored;
        struct {
            enum group_type type;
            struct classic_group *classic;
            struct consumer_group *consumer;
        } former;
        struct group_record inverse;
        struct transaction_undo transaction;
    };
};

/* A zeroed entry at the end; NULL while loading. Its offset is filled in. */
struct journal_entry *journal_add(struct coordinator *coordinator, enum journal_kind kind,
                                  struct group *group, int64_t offset);
/* Everything below `offset` is committed. */
void journal_commit(struct coordinator *coordinator, int64_t offset);
/* Takes back everything from `offset` on. */
void journal_roll_back(struct coordinator *coordinator, int64_t offset);
/* Forgets everything; for unloading. */
void journal_clear(struct coordinator *coordinator);

#endif
