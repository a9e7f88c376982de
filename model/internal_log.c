#include "model/broker_internal.h"

#include "model/batch_keys.h"
#include "model/coordinator/group_log_cleaner.h"
#include "model/transaction_log.h"

#include <string.h>

/* Reading the log of a shard after an election: 50 MB/s, fetched and replayed by one thread. */
#define LOAD_NS_PER_BYTE 20

/* The logs of __consumer_offsets and __transaction_state carry their records as payloads, so that a
 * new coordinator can read them. They are compacted here by key: a record that has a later one of
 * the same key goes, and a batch without records goes with them. (Record by record, as Kafka's
 * cleaner does: were a superseded record kept for the sake of its batch, a replay would see an
 * assignment whose revocation is gone, and count two holders of one partition.) Kafka's cleaner
 * leaves the active segment alone; what a load costs is counted as Kafka would have it
 * (internal_log_load_ns). */

static void release_group_batch(void *context, void *payload)
{
    (void)context;
    group_log_batch_release(payload);
}

static void *hold_group_batch(void *context, void *payload)
{
    (void)context;
    return group_log_batch_hold(payload);
}

static void release_transaction(void *context, void *payload)
{
    transaction_record_release(context, payload);
}

static void *hold_transaction(void *context, void *payload)
{
    (void)context;
    return transaction_record_hold(payload);
}

struct log_payloads broker_log_payloads(struct cluster *cluster, const struct topic *topic)
{
    if (topic->index == cluster->offsets_topic) {
        return (struct log_payloads){release_group_batch, hold_group_batch, NULL};
    }
    if (topic->index == cluster->transaction_topic) {
        return (struct log_payloads){release_transaction, hold_transaction, cluster->memory};
    }
    if (topic->compact) return batch_keys_payloads(cluster->memory);
    return (struct log_payloads){NULL, NULL, NULL};
}

/* ---- compaction -------------------------------------------------------------------------- */

struct cleaning {
    bool *keep;
    uint32_t at;
};

static bool keep_batch(void *self, const struct log_batch *batch)
{
    struct cleaning *cleaning = self;
    (void)batch;
    return cleaning->keep[cleaning->at++];
}

static void clean_group_log(struct memory *memory, struct replica *replica, int64_t end_offset)
{
    struct partition_log *log = &replica->partition->log;
    const struct log_batches *list = &log->main;
    uint32_t count = 0;
    while (count < list->count) {
        const struct log_batch *batch = &list->items[list->first + count];
        if (batch->base_offset + batch->count > end_offset) break;
        count++;
    }
    struct group_log_batch **batches =
        (struct group_log_batch **)memory_take(memory, (count + 1) * sizeof *batches);
    for (uint32_t i = 0; i < count; i++)
        batches[i] = list->items[list->first + i].payload;
    bool *keep = memory_take(memory, count + 1);
    const struct group_log_cleaning how = {
        .now = sim_now(replica->broker->sim),
        .delete_retention_ns =
            MILLISECONDS(replica->broker->cluster->config->log_cleaner_delete_retention_ms),
    };
    group_log_clean(memory, &how, batches, count, keep);
    struct cleaning cleaning = {.keep = keep};
    partition_log_compact(log, end_offset, keep_batch, &cleaning);
    memory_give(memory, batches, (count + 1) * sizeof *batches);
    memory_give(memory, keep, count + 1);
}

struct last_record {
    const struct log_batches *list;
    int64_t end_offset;
};

static bool is_last_of_id(void *self, const struct log_batch *batch)
{
    const struct last_record *last = self;
    for (const struct log_batch *later = batch + 1; later <= log_batches_last(last->list);
         later++) {
        /* An election may take it back: it succeeds nobody yet. */
        if (later->base_offset + later->count > last->end_offset) break;
        if (transaction_record_same_id(batch->payload, later->payload)) return false;
    }
    return true;
}

/* Below the offset that every replica has and consumers could see: nobody's log changes there. */
static int64_t clean_end(const struct replica *replica)
{
    const struct partition *partition = replica->partition;
    int64_t end = replica->high_watermark;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        const struct replica_log *log = &partition->replicas[i]->log;
        int64_t shared = log->branch != NULL ? log->branch->from_offset : log->end_offset;
        if (shared < end) end = shared;
    }
    return end;
}

void internal_log_clean(struct replica *replica)
{
    const struct cluster *cluster = replica->broker->cluster;
    if (replica->partition->log.owner != &replica->log) return;
    if (replica->partition->topic == cluster->offsets_topic) {
        clean_group_log(cluster->memory, replica, clean_end(replica));
    } else {
        /* Few records (one per transaction id and state), so each looks for its successor. It is
         * decided before any is moved: partition_log_compact only shifts items behind the cursor.
         */
        struct last_record last = {&replica->partition->log.main, clean_end(replica)};
        partition_log_compact(&replica->partition->log, last.end_offset, is_last_of_id, &last);
    }
}

void internal_log_appended(struct replica *replica)
{
    const struct log_batches *list = &replica->partition->log.main;
    if (list->count < 512 || list->count < 2 * replica->cleaned_count) return;
    internal_log_clean(replica);
    replica->cleaned_count = list->count;
}

/* ---- loading ----------------------------------------------------------------------------- */

/* Bytes that Kafka would read: what the cleaner leaves of the old segments, and all of the active
 * one, which it does not touch. */
static int64_t load_bytes(const struct replica *replica)
{
    const struct partition_log *log = &replica->partition->log;
    if (log->segment_count == 0) return 0;
    int64_t active = log->segments[log->segment_count - 1].position;
    int64_t bytes = replica->log.end_position - active;
    for (uint32_t i = 0; i < log->main.count; i++) {
        const struct log_batch *batch = &log->main.items[log->main.first + i];
        if (batch->position >= active) break;
        bytes += batch->bytes;
    }
    return bytes;
}

sim_time internal_log_load_ns(const struct replica *replica)
{
    return load_bytes(replica) * LOAD_NS_PER_BYTE;
}
