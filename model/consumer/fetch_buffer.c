#include "model/consumer/internal.h"
#include "model/consumer/reactions.h"
#include "sim/check.h"

/* Fetched records that poll() has not returned yet (FetchBuffer, CompletedFetch, FetchCollector).
 */

static size_t size_of(const struct completed_fetch *fetch)
{
    return sizeof *fetch + sizeof(struct batch_slice) * (size_t)fetch->slice_count;
}

static void push(struct fetcher *fetcher, struct completed_fetch *fetch)
{
    fetch->next = NULL;
    if (fetcher->last == NULL) {
        fetcher->first = fetch;
    } else {
        fetcher->last->next = fetch;
    }
    fetcher->last = fetch;
}

static struct completed_fetch *pop(struct fetcher *fetcher)
{
    struct completed_fetch *fetch = fetcher->first;
    fetcher->first = fetch->next;
    if (fetcher->first == NULL) fetcher->last = NULL;
    return fetch;
}

/* The partition it belongs to, if it is still owned as it was when it was fetched. */
static struct owned_partition *owner_of(const struct consumer *consumer,
                                        const struct completed_fetch *fetch)
{
    struct owned_partition *owned = owned_find(consumer, fetch->partition);
    return owned != NULL && owned->ownership == fetch->ownership ? owned : NULL;
}

static void release(struct consumer *consumer, struct completed_fetch *fetch)
{
    consumer->fetcher.buffered_bytes -= fetch->bytes;
    memory_give(consumer->memory, fetch, size_of(fetch));
}

/* Nothing of it is wanted any more, or nothing is left. */
static void drain(struct consumer *consumer, struct completed_fetch *fetch)
{
    struct owned_partition *owned = owner_of(consumer, fetch);
    if (owned != NULL) {
        owned->is_buffered = false;
        if (owned->leader >= 0) fetcher_mark_dirty(consumer, owned->leader);
    }
    release(consumer, fetch);
}

void fetch_buffer_add(struct consumer *consumer, const struct fetch_response *response,
                      const struct fetched_partition *fetched, struct owned_partition *owned)
{
    if (owned->is_buffered) return; /* asked for before it was taken out of the session */
    if (fetched->slice_count == 0 && fetched->error == KAFKA_NONE) return; /* only offsets moved */
    size_t slices_size = sizeof(struct batch_slice) * (size_t)fetched->slice_count;
    struct completed_fetch *fetch =
        memory_take(consumer->memory, sizeof(struct completed_fetch) + slices_size);
    *fetch = (struct completed_fetch){
        .partition = fetched->partition,
        .topic_id = fetched->topic_id,
        .ownership = owned->ownership,
        .error = fetched->error,
        .fetch_offset = owned->session_offset,
        .next_offset = owned->session_offset,
        .slice_count = fetched->slice_count,
    };
    for (int32_t i = 0; i < fetched->slice_count; i++) {
        fetch->slices[i] = response->slices[fetched->first_slice + i];
        fetch->bytes += fetch->slices[i].bytes;
    }
    struct fetcher *fetcher = &consumer->fetcher;
    fetcher->buffered_bytes += fetch->bytes;
    push(fetcher, fetch);
    owned->is_buffered = true;
    if (owned->leader >= 0) fetcher_mark_dirty(consumer, owned->leader);
    int64_t limit = consumer->options.group->process.memory_limit_bytes;
    if (limit > 0 && fetcher->buffered_bytes + consumer->application.records_bytes > limit) {
        consumer_note(consumer, CLIENT_OUT_OF_MEMORY,
                      fetcher->buffered_bytes + consumer->application.records_bytes, KAFKA_NONE,
                      NULL);
        sim_post(consumer->sim, sim_now(consumer->sim), PHASE_TIMER, consumer->thread,
                 consumer->thread, EVENT_OUT_OF_MEMORY, 0, NULL);
    }
}

/* ---- errors of a partition ---- */

enum verdict { VERDICT_READ, VERDICT_DROP, VERDICT_THROW };

static enum verdict out_of_range(struct consumer *consumer, struct owned_partition *owned)
{
    if (consumer->config->auto_offset_reset == RESET_NONE) return VERDICT_THROW;
    position_await_reset(consumer, owned, POSITION_OUT_OF_RANGE);
    return VERDICT_DROP;
}

/* What is made of a fetch when its turn has come (FetchCollector.initialize). */
static enum verdict judge(struct consumer *consumer, const struct completed_fetch *fetch)
{
    struct owned_partition *owned = owner_of(consumer, fetch);
    if (owned == NULL || owned->state != POSITION_FETCHING) return VERDICT_DROP;
    uint32_t reaction = reaction_to(&fetch_reactions, fetch->error);
    bool is_stale = owned->position != fetch->fetch_offset;
    if (reaction & REACT_SUCCEED) return is_stale ? VERDICT_DROP : VERDICT_READ;
    if (reaction & REACT_REFRESH_METADATA) client_metadata_request_update(consumer->metadata);
    if (reaction & REACT_RESET_POSITION) {
        return is_stale ? VERDICT_DROP : out_of_range(consumer, owned);
    }
    return reaction & REACT_THROW ? VERDICT_THROW : VERDICT_DROP;
}

/* ---- returning records ---- */

static void add_range(struct consumer *consumer, const struct owned_partition *owned,
                      int32_t topic_id, int64_t base_offset, int32_t count, int64_t bytes)
{
    struct batch *batch = &consumer->application.batch;
    struct work_range *last = batch->count > 0 ? &batch->ranges[batch->count - 1] : NULL;
    if (last != NULL && last->partition == owned->id && last->topic_id == topic_id &&
        last->base_offset + last->count == base_offset) {
        last->count += count;
        last->bytes += bytes;
        return;
    }
    if (batch->count == batch->capacity) {
        int32_t capacity = batch->capacity == 0 ? 16 : 2 * batch->capacity;
        batch->ranges = memory_resize(consumer->memory, batch->ranges,
                                      sizeof *batch->ranges * (size_t)batch->capacity,
                                      sizeof *batch->ranges * (size_t)capacity);
        batch->capacity = capacity;
    }
    batch->ranges[batch->count++] = (struct work_range){
        .partition = owned->id,
        .topic_id = topic_id,
        .base_offset = base_offset,
        .count = count,
        .bytes = bytes,
        .ownership = owned->ownership,
        .generation = consumer->classic.generation.id,
    };
}

/* Records and markers up to `remaining` records; the position follows. True if it moved. */
static bool take(struct consumer *consumer, struct owned_partition *owned,
                 struct completed_fetch *fetch, int32_t *remaining)
{
    bool reads_committed = consumer->config->isolation_level == READ_COMMITTED;
    int64_t before = fetch->next_offset;
    while (*remaining > 0) {
        if (fetch->slice == fetch->slice_count) {
            fetch->is_drained = true;
            break;
        }
        const struct batch_slice *slice = &fetch->slices[fetch->slice];
        int64_t end = slice->base_offset + slice->count;
        int64_t begin =
            fetch->next_offset > slice->base_offset ? fetch->next_offset : slice->base_offset;
        bool is_skipped = slice->control || (slice->aborted && reads_committed) || begin >= end;
        if (!is_skipped) {
            int64_t left = end - begin;
            int32_t count = left < *remaining ? (int32_t)left : *remaining;
            int64_t bytes = slice->bytes * count / slice->count;
            add_range(consumer, owned, fetch->topic_id, begin, count, bytes);
            consumer->fetcher.buffered_bytes -= bytes;
            fetch->bytes -= bytes;
            *remaining -= count;
            end = begin + count;
        }
        if (end > fetch->next_offset) fetch->next_offset = end;
        owned->position_epoch = slice->leader_epoch;
        if (end >= slice->base_offset + slice->count) fetch->slice++;
    }
    owned->position = fetch->next_offset;
    return fetch->next_offset > before;
}

/* The fetch to read from, its turn just come; NULL when there is none or it threw. */
static struct completed_fetch *next_in_line(struct consumer *consumer, bool *threw)
{
    struct fetcher *fetcher = &consumer->fetcher;
    while (fetcher->first != NULL) {
        struct completed_fetch *fetch = fetcher->first;
        enum verdict verdict = fetch->is_initialized ? VERDICT_READ : judge(consumer, fetch);
        if (verdict == VERDICT_THROW) {
            /* What was collected before it is returned first; the error comes with the next poll.
             */
            if (consumer->application.batch.count > 0) return NULL;
            enum kafka_error error = fetch->error;
            drain(consumer, pop(fetcher));
            *threw = true;
            consumer_throw(consumer, error, "fetching failed");
            return NULL;
        }
        fetch = pop(fetcher);
        if (verdict == VERDICT_READ) {
            fetch->is_initialized = true;
            return fetch;
        }
        drain(consumer, fetch);
    }
    return NULL;
}

/* Reads from the fetch in line, unless the partition is paused or something else became of it. */
static bool read_in_line(struct consumer *consumer, int32_t *remaining, struct fetcher *paused)
{
    struct fetcher *fetcher = &consumer->fetcher;
    struct completed_fetch *fetch = fetcher->in_line;
    struct owned_partition *owned = owner_of(consumer, fetch);
    if (owned != NULL && owned->is_paused) {
        push(paused, fetch);
        fetcher->in_line = NULL;
        return false;
    }
    bool is_wanted = owned != NULL && owned->state == POSITION_FETCHING &&
                     !owned->is_pending_revocation && owned->position == fetch->next_offset;
    if (!is_wanted) {
        fetcher->in_line = NULL;
        drain(consumer, fetch);
        return false;
    }
    return take(consumer, owned, fetch, remaining);
}

static void emit_delivered(struct consumer *consumer)
{
    const struct batch *batch = &consumer->application.batch;
    for (int32_t i = 0; i < batch->count; i++) {
        const struct work_range *range = &batch->ranges[i];
        TRACE(consumer->sim, TRACE_DELIVERED, consumer->group, consumer->member,
              work_range_traced(range), range->base_offset, range->count, range->generation,
              consumer->incarnation);
    }
}

bool fetcher_collect(struct consumer *consumer)
{
    struct fetcher *fetcher = &consumer->fetcher;
    if (fetcher->in_line == NULL && fetcher->first == NULL) return false;
    int32_t remaining = consumer->config->max_poll_records;
    bool has_advanced = false;
    bool threw = false;
    struct fetcher paused = {0}; /* set aside in order, and put back behind the others */
    consumer->application.batch.count = 0;
    while (remaining > 0) {
        if (fetcher->in_line == NULL || fetcher->in_line->is_drained) {
            if (fetcher->in_line != NULL) drain(consumer, fetcher->in_line);
            fetcher->in_line = next_in_line(consumer, &threw);
            if (threw) return false;
            if (fetcher->in_line == NULL) break;
        } else if (read_in_line(consumer, &remaining, &paused)) {
            has_advanced = true;
        }
    }
    while (paused.first != NULL)
        push(fetcher, pop(&paused));
    emit_delivered(consumer);
    return has_advanced;
}

void fetch_buffer_clear(struct consumer *consumer)
{
    struct fetcher *fetcher = &consumer->fetcher;
    if (fetcher->in_line != NULL) release(consumer, fetcher->in_line);
    fetcher->in_line = NULL;
    while (fetcher->first != NULL)
        release(consumer, pop(fetcher));
    CHECK(fetcher->buffered_bytes == 0);
}
