#include "model/partition_log.h"

#include "model/scale.h"
#include "sim/check.h"

#include <string.h>

/* ---- appending and copying --------------------------------------------------------------- */

void partition_log_init(struct partition_log *log, const struct partition_log_options *options)
{
    *log = (struct partition_log){.options = options};
}

void replica_log_init(struct replica_log *replica, struct partition_log *log)
{
    *replica = (struct replica_log){.log = log};
}

static bool segment_is_full(const struct partition_log *log, int64_t end_position, int64_t bytes,
                            sim_time at)
{
    if (log->segment_count == 0) return true;
    const struct log_segment *active = &log->segments[log->segment_count - 1];
    if (end_position == active->position) return false;
    return end_position + bytes - active->position > log->options->segment_bytes ||
           (log->options->segment_ms >= 0 &&
            at - active->first_at > MILLISECONDS(log->options->segment_ms));
}

static void roll_segment(struct partition_log *log, int64_t offset, int64_t position, sim_time at)
{
    if (log->segment_count == log->segment_capacity) {
        uint32_t grown = log->segment_capacity == 0 ? 2 : log->segment_capacity * 2;
        log->segments = memory_resize(log->options->memory, log->segments,
                                      log->segment_capacity * sizeof *log->segments,
                                      grown * sizeof *log->segments);
        log->segment_capacity = grown;
    }
    log->segments[log->segment_count++] = (struct log_segment){offset, position, at, at};
}

/* The main list grows by one batch. */
static void main_push(struct partition_log *log, const struct log_batch *batch, sim_time now)
{
    struct log_batch *item =
        log_batches_push(log->options->memory, &log->main, log->options->batches_max);
    *item = *batch;
    item->flags &= ~(uint32_t)LOG_SEGMENT_START;
    if (segment_is_full(log, batch->position, batch->bytes, now)) {
        roll_segment(log, batch->base_offset, batch->position, now);
        item->flags |= LOG_SEGMENT_START;
    }
    struct log_segment *active = &log->segments[log->segment_count - 1];
    if (batch->last_at > active->max_at) active->max_at = batch->last_at;
}

static struct log_branch *branch_new(struct replica_log *replica)
{
    struct log_branch *branch = memory_take(replica->log->options->memory, sizeof *branch);
    branch->from_offset = replica->end_offset;
    branch->from_position = replica->end_position;
    replica->branch = branch;
    return branch;
}

static void branch_free(struct replica_log *replica)
{
    if (replica->branch == NULL) return;
    log_batches_free(replica->log->options->memory, &replica->branch->batches,
                     &replica->log->options->payloads);
    memory_give(replica->log->options->memory, replica->branch, sizeof *replica->branch);
    replica->branch = NULL;
}

int64_t replica_log_append(struct replica_log *replica, const struct log_append *append,
                           sim_time now)
{
    struct partition_log *log = replica->log;
    CHECK(append->count > 0);
    const struct log_batch batch = {
        .base_offset = replica->end_offset,
        .position = replica->end_position,
        .bytes = append->bytes,
        .first_at = append->first_at,
        .last_at = append->last_at,
        .payload = append->payload,
        .count = append->count,
        .leader_epoch = append->leader_epoch,
        .producer = append->producer,
        .flags = append->flags,
    };
    if (log->owner == replica) {
        main_push(log, &batch, now);
    } else {
        struct log_branch *branch = replica->branch;
        if (branch == NULL) branch = branch_new(replica);
        *log_batches_push(log->options->memory, &branch->batches, UINT32_MAX) = batch;
    }
    replica->end_offset += append->count;
    replica->end_position += append->bytes;
    return batch.base_offset;
}

/* Appends a copy of [from, to) of `source` to a branch list. */
static void copy_batches(struct partition_log *log, struct log_batches *list,
                         const struct replica_log *source, int64_t from, int64_t to)
{
    const struct log_payloads *payloads = &log->options->payloads;
    for (const struct log_batch *batch = replica_log_find(source, from);
         batch != NULL && batch->base_offset < to; batch = replica_log_next(source, batch)) {
        struct log_batch slice = log_batch_slice(batch, from, to);
        if (slice.payload != NULL) {
            slice.payload = payloads->hold(payloads->context, slice.payload);
        }
        *log_batches_push(log->options->memory, list, UINT32_MAX) = slice;
    }
}

void replica_log_follow(struct replica_log *replica, const struct replica_log *leader,
                        int64_t to_offset)
{
    struct partition_log *log = replica->log;
    CHECK(to_offset <= leader->end_offset);
    if (to_offset <= replica->end_offset) return;
    int64_t to_position = to_offset == leader->end_offset ? leader->end_position
                                                          : replica_log_position(leader, to_offset);
    bool leader_is_main = leader->branch == NULL || to_offset <= leader->branch->from_offset;
    if (replica->branch != NULL || !leader_is_main) {
        struct log_branch *branch = replica->branch;
        if (branch == NULL) {
            /* What both have on the main list stays there. */
            if (replica->end_offset < leader->branch->from_offset) {
                replica->end_offset = leader->branch->from_offset;
                replica->end_position = leader->branch->from_position;
            }
            branch = branch_new(replica);
        }
        copy_batches(log, &branch->batches, leader, replica->end_offset, to_offset);
    }
    replica->end_offset = to_offset;
    replica->end_position = to_position;
}

/* ---- divergence -------------------------------------------------------------------------- */

/* The leader epoch at `offset`, where batches may be missing, and how far it goes at least. */
static int32_t epoch_at(const struct replica_log *replica, int64_t offset, int64_t *to)
{
    const struct log_branch *branch = replica->branch;
    if (branch != NULL && offset >= branch->from_offset) {
        const struct log_batch *batch = replica_log_find(replica, offset);
        *to = batch->base_offset + batch->count;
        return batch->leader_epoch;
    }
    const struct partition_log *log = replica->log;
    *to = branch != NULL ? branch->from_offset : replica->end_offset;
    int32_t epoch = -1;
    for (uint32_t i = 0; i < log->epoch_count && epoch < 0; i++) {
        bool is_last = i + 1 == log->epoch_count;
        if (!is_last && log->epochs[i + 1].start_offset <= offset) continue;
        epoch = log->epochs[i].epoch;
        if (!is_last && log->epochs[i + 1].start_offset < *to)
            *to = log->epochs[i + 1].start_offset;
    }
    return epoch;
}

int64_t replica_log_divergence(const struct replica_log *replica, const struct replica_log *other)
{
    int64_t end = replica->end_offset < other->end_offset ? replica->end_offset : other->end_offset;
    int64_t from = end;
    if (replica->branch != NULL) from = replica->branch->from_offset;
    if (other->branch != NULL && other->branch->from_offset < from) {
        from = other->branch->from_offset;
    }
    if (from >= end) return end;
    /* Two branches, or a branch and the main list: the same batch has the same offset and epoch. */
    for (int64_t offset = from; offset < end;) {
        int64_t a_end = end;
        int64_t b_end = end;
        if (epoch_at(replica, offset, &a_end) != epoch_at(other, offset, &b_end)) return offset;
        offset = a_end < b_end ? a_end : b_end;
    }
    return end;
}

void replica_log_truncate(struct replica_log *replica, int64_t offset)
{
    CHECK(replica->log->owner != replica);
    if (offset >= replica->end_offset) return;
    replica->end_position = replica_log_position(replica, offset);
    replica->end_offset = offset;
    if (replica->branch == NULL) return;
    if (offset <= replica->branch->from_offset) {
        branch_free(replica);
    } else {
        log_batches_truncate(&replica->branch->batches, &replica->log->options->payloads, offset);
    }
}

void replica_log_rejoin(struct replica_log *replica)
{
    const struct replica_log *owner = replica->log->owner;
    if (replica->branch == NULL || replica == owner) return;
    if (replica_log_divergence(replica, owner) < replica->end_offset) return;
    branch_free(replica);
    replica->end_position = replica_log_position(owner, replica->end_offset);
}

/* Moves everybody's difference from `owner`'s log at `from` on into branches. */
static void branch_off(struct replica_log *replica, int64_t from, int64_t from_position)
{
    if (replica->end_offset <= from) return; /* still on the common part */
    if (replica->branch != NULL && replica->branch->from_offset <= from) return;
    struct log_branch *branch = memory_take(replica->log->options->memory, sizeof *branch);
    branch->from_offset = from;
    branch->from_position = from_position;
    copy_batches(replica->log, &branch->batches, replica, from, replica->end_offset);
    branch_free(replica);
    replica->branch = branch;
}

static void main_truncate(struct partition_log *log, int64_t offset)
{
    log_batches_truncate(&log->main, &log->options->payloads, offset);
    while (log->epoch_count > 0 && log->epochs[log->epoch_count - 1].start_offset >= offset) {
        log->epoch_count--;
    }
    while (log->segment_count > 1 && log->segments[log->segment_count - 1].base_offset >= offset) {
        log->segment_count--;
    }
}

void partition_log_begin_epoch(struct partition_log *log, int32_t epoch)
{
    int64_t start = log->owner->end_offset;
    if (log->epoch_count > 0 && log->epochs[log->epoch_count - 1].start_offset == start) {
        log->epoch_count--; /* the epoch before it wrote nothing */
    }
    if (log->epoch_count == log->epoch_capacity) {
        uint32_t grown = log->epoch_capacity == 0 ? 2 : log->epoch_capacity * 2;
        log->epochs =
            memory_resize(log->options->memory, log->epochs,
                          log->epoch_capacity * sizeof *log->epochs, grown * sizeof *log->epochs);
        log->epoch_capacity = grown;
    }
    log->epochs[log->epoch_count++] = (struct log_epoch){epoch, start};
}

void replica_log_take_over(struct replica_log *replica, struct replica_log *const *all,
                           int32_t count)
{
    struct partition_log *log = replica->log;
    if (log->owner == replica) return;
    struct log_branch *branch = replica->branch;
    int64_t from = branch != NULL ? branch->from_offset : replica->end_offset;
    int64_t from_position = branch != NULL ? branch->from_position : replica->end_position;
    for (int32_t i = 0; i < count; i++) {
        if (all[i] != replica) branch_off(all[i], from, from_position);
    }
    main_truncate(log, from);
    log->owner = replica;
    if (branch == NULL) return;
    replica->branch = NULL;
    for (uint32_t i = 0; i < branch->batches.count; i++) {
        const struct log_batch *batch = &branch->batches.items[branch->batches.first + i];
        if (log->epoch_count == 0 ||
            log->epochs[log->epoch_count - 1].epoch < batch->leader_epoch) {
            replica->end_offset = batch->base_offset;
            partition_log_begin_epoch(log, batch->leader_epoch);
        }
        main_push(log, batch, batch->last_at);
        replica->end_offset = batch->base_offset + batch->count;
    }
    memory_give(log->options->memory, branch->batches.items,
                branch->batches.capacity * sizeof *branch->batches.items);
    memory_give(log->options->memory, branch, sizeof *branch);
}

struct log_epoch replica_log_epoch_end(const struct replica_log *replica, int32_t epoch)
{
    const struct partition_log *log = replica->log;
    struct log_epoch found = {-1, -1};
    int64_t shared_end =
        replica->branch != NULL ? replica->branch->from_offset : replica->end_offset;
    for (uint32_t i = 0; i < log->epoch_count; i++) {
        if (log->epochs[i].start_offset >= shared_end && replica != log->owner) break;
        if (log->epochs[i].epoch > epoch) {
            if (found.epoch >= 0) found.start_offset = log->epochs[i].start_offset;
            return found;
        }
        found = (struct log_epoch){log->epochs[i].epoch, replica->end_offset};
    }
    if (replica->branch == NULL) return found;
    for (uint32_t i = 0; i < replica->branch->batches.count; i++) {
        const struct log_batch *batch =
            &replica->branch->batches.items[replica->branch->batches.first + i];
        if (batch->leader_epoch > epoch) {
            if (found.epoch >= 0) found.start_offset = batch->base_offset;
            return found;
        }
        found = (struct log_epoch){batch->leader_epoch, replica->end_offset};
    }
    return found;
}

/* ---- reading ----------------------------------------------------------------------------- */

const struct log_batch *replica_log_find(const struct replica_log *replica, int64_t offset)
{
    if (offset >= replica->end_offset) return NULL;
    if (replica->branch != NULL && offset >= replica->branch->from_offset) {
        const struct log_batches *list = &replica->branch->batches;
        uint32_t index = log_batches_search(list, offset);
        return index < list->count ? &list->items[list->first + index] : NULL;
    }
    const struct log_batches *list = &replica->log->main;
    uint32_t index = log_batches_search(list, offset);
    if (index < list->count) return &list->items[list->first + index];
    return NULL;
}

const struct log_batch *replica_log_next(const struct replica_log *replica,
                                         const struct log_batch *batch)
{
    const struct log_batches *main = &replica->log->main;
    const struct log_branch *branch = replica->branch;
    if (branch != NULL && batch->base_offset >= branch->from_offset) {
        return batch == log_batches_last(&branch->batches) ? NULL : batch + 1;
    }
    const struct log_batch *next = batch == log_batches_last(main) ? NULL : batch + 1;
    if (branch != NULL && (next == NULL || next->base_offset >= branch->from_offset)) {
        return branch->batches.count == 0 ? NULL : &branch->batches.items[branch->batches.first];
    }
    return next != NULL && next->base_offset < replica->end_offset ? next : NULL;
}

int64_t replica_log_position(const struct replica_log *replica, int64_t offset)
{
    if (offset >= replica->end_offset) return replica->end_position;
    const struct log_batch *batch = replica_log_find(replica, offset);
    if (batch == NULL) return replica->end_position;
    if (offset <= batch->base_offset) return batch->position;
    return batch->position + log_batch_bytes_before(batch, offset - batch->base_offset);
}

int64_t replica_log_advance(const struct replica_log *replica, int64_t offset, int64_t bytes)
{
    int64_t limit = replica_log_position(replica, offset) + bytes;
    const struct log_batch *first = replica_log_find(replica, offset);
    for (const struct log_batch *batch = first; batch != NULL;
         batch = replica_log_next(replica, batch)) {
        if (batch->position + batch->bytes <= limit) continue;
        int64_t fits = scale_int64(limit - batch->position, batch->count, batch->bytes);
        int64_t to = batch->base_offset + (fits > 0 ? fits : 0);
        int64_t begin = offset > batch->base_offset ? offset : batch->base_offset;
        return batch == first && to <= begin ? begin + 1 : to;
    }
    return replica->end_offset;
}

int64_t replica_log_offset_at(const struct replica_log *replica, sim_time at)
{
    /* Create times need not rise along the log, so this is a search for the first that is not
     * older, as the time index gives it. */
    for (const struct log_batch *batch = replica_log_find(replica, replica->log->start_offset);
         batch != NULL; batch = replica_log_next(replica, batch)) {
        if (batch->last_at < at || (batch->flags & (LOG_CONTROL | LOG_EMPTY)) != 0) continue;
        if (batch->first_at >= at || batch->count == 1) return batch->base_offset;
        int64_t index =
            scale_int64(at - batch->first_at, batch->count - 1, batch->last_at - batch->first_at);
        return batch->base_offset + index + (log_batch_record_at(batch, index) < at);
    }
    return replica->end_offset;
}

/* ---- deletion ---------------------------------------------------------------------------- */

/* Offset and position behind segment `index`. */
static int64_t segment_end(const struct partition_log *log, uint32_t index, int64_t *position)
{
    if (index + 1 < log->segment_count) {
        *position = log->segments[index + 1].position;
        return log->segments[index + 1].base_offset;
    }
    *position = log->owner->end_position;
    return log->owner->end_offset;
}

bool partition_log_retain(struct partition_log *log, const struct log_retention *retention,
                          sim_time now)
{
    uint32_t gone = 0;
    int64_t start = log->start_offset;
    int64_t start_position = log->start_position;
    for (; gone < log->segment_count; gone++) {
        int64_t position = 0;
        int64_t end = segment_end(log, gone, &position);
        if (end == log->segments[gone].base_offset || end > retention->high_watermark) break;
        bool too_old = retention->retention_ms >= 0 &&
                       now - log->segments[gone].max_at > MILLISECONDS(retention->retention_ms);
        bool too_large = retention->retention_bytes >= 0 &&
                         log->owner->end_position - position >= retention->retention_bytes;
        if (!too_old && !too_large) break;
        start = end;
        start_position = position;
    }
    if (gone == 0) return false;
    log->start_offset = start;
    log->start_position = start_position;
    memmove(log->segments, log->segments + gone,
            (log->segment_count - gone) * sizeof *log->segments);
    log->segment_count -= gone;
    log_batches_trim(&log->main, &log->options->payloads, start);
    return true;
}

void partition_log_compact(struct partition_log *log, int64_t end_offset,
                           bool (*keep)(void *self, const struct log_batch *batch), void *self)
{
    struct log_batch *items = log->main.items + log->main.first;
    uint32_t out = 0;
    for (uint32_t in = 0; in < log->main.count; in++) {
        bool below = items[in].base_offset + items[in].count <= end_offset;
        if (below && !keep(self, &items[in])) {
            log_batches_release(&log->options->payloads, &items[in]);
        } else {
            items[out++] = items[in];
        }
    }
    log->main.count = out;
}

void partition_log_decide(struct partition_log *log, int32_t producer, int64_t from, int64_t to,
                          bool aborted,
                          void (*taken_back)(void *self, int64_t offset, int64_t count), void *self)
{
    uint32_t index = log_batches_search(&log->main, from);
    for (; index < log->main.count; index++) {
        struct log_batch *batch = &log->main.items[log->main.first + index];
        if (batch->base_offset >= to) return;
        if ((batch->flags & LOG_TRANSACTIONAL) == 0 || batch->producer != producer) continue;
        batch->flags &= ~(uint32_t)LOG_TRANSACTIONAL;
        batch->producer = -1;
        if (!aborted) continue;
        batch->flags |= LOG_ABORTED;
        taken_back(self, batch->base_offset, batch->count);
    }
}

bool partition_log_is_consistent(const struct partition_log *log)
{
    int64_t offset = log->start_offset;
    for (uint32_t i = 0; i < log->main.count; i++) {
        const struct log_batch *batch = &log->main.items[log->main.first + i];
        if (batch->count <= 0 || batch->base_offset < offset || batch->bytes < 0) return false;
        offset = batch->base_offset + batch->count;
    }
    if (log->owner != NULL && offset > log->owner->end_offset) return false;
    return log->owner == NULL || log->owner->branch == NULL;
}
