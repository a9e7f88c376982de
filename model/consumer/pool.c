#include "model/consumer/internal.h"
#include "sim/check.h"

/* A pool of workers, as an ExecutorService: the thread that polls hands records over and polls
 * again; whoever is free takes the oldest range. So what is committed by position is not what was
 * processed, ranges of one partition can overtake each other, and what waits in the queue is
 * bounded by nothing but process.queue_limit. */

static const struct scenario_process *settings(const struct consumer *consumer)
{
    return &consumer->options.group->process;
}

struct work *work_of(struct consumer *consumer, uint64_t number)
{
    struct application *application = &consumer->application;
    return number == 0 ? &application->work : &application->pool.workers[number - 1].work;
}

/* ---- the queue ---- */

static void push(struct consumer *consumer, const struct work_range *range)
{
    struct pool *pool = &consumer->application.pool;
    if (pool->queued == pool->capacity) {
        int32_t capacity = pool->capacity == 0 ? 64 : 2 * pool->capacity;
        struct work_range *queue = memory_take(consumer->memory, sizeof *queue * (size_t)capacity);
        for (int32_t i = 0; i < pool->queued; i++) {
            queue[i] = pool->queue[(pool->first + i) % pool->capacity];
        }
        memory_give(consumer->memory, pool->queue, sizeof *queue * (size_t)pool->capacity);
        pool->queue = queue;
        pool->capacity = capacity;
        pool->first = 0;
    }
    pool->queue[(pool->first + pool->queued++) % pool->capacity] = *range;
    pool->queued_records += range->count;
}

static struct work_range *queued_range(const struct pool *pool, int32_t index)
{
    return &pool->queue[(pool->first + index) % pool->capacity];
}

static struct work_range take(struct pool *pool, int32_t index)
{
    struct work_range range = *queued_range(pool, index);
    for (int32_t i = index; i > 0; i--)
        *queued_range(pool, i) = *queued_range(pool, i - 1);
    pool->first = (pool->first + 1) % pool->capacity;
    pool->queued--;
    pool->queued_records -= range.count;
    return range;
}

static bool is_at_work_on(const struct pool *pool, partition_id partition)
{
    for (int32_t i = 0; i < pool->size; i++) {
        const struct worker *worker = &pool->workers[i];
        if (worker->is_taken && worker->partition == partition) return true;
    }
    return false;
}

/* The oldest range that a worker may begin; the number of queued ones when there is none. */
static int32_t next_range(const struct consumer *consumer)
{
    const struct pool *pool = &consumer->application.pool;
    if (!settings(consumer)->ordered) return 0;
    int32_t index = 0;
    while (index < pool->queued && is_at_work_on(pool, queued_range(pool, index)->partition))
        index++;
    return index;
}

/* pause() and resume() of everything assigned: back-pressure without leaving poll(). */
static void set_paused(struct consumer *consumer, bool paused)
{
    consumer->application.pool.is_pausing = paused;
    for (int32_t i = 0; i < consumer->subscription.count; i++) {
        struct owned_partition *owned = consumer->subscription.owned[i];
        owned->is_paused = paused;
        if (owned->leader >= 0) fetcher_mark_dirty(consumer, owned->leader);
    }
}

static void dispatch(struct consumer *consumer)
{
    struct pool *pool = &consumer->application.pool;
    for (int32_t i = 0; i < pool->size && pool->queued > 0; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->is_taken) continue;
        int32_t next = next_range(consumer);
        if (next == pool->queued) break;
        struct work_range range = take(pool, next);
        worker->is_taken = true;
        worker->partition = range.partition;
        work_begin(consumer, &worker->work, &range);
    }
    int64_t limit = settings(consumer)->queue_limit;
    if (!pool->is_pausing || pool->queued_records > limit / 2) return;
    set_paused(consumer, false);
    consumer_wake_application(consumer);
}

/* Keeps the highest end of a partition's ranges; what begins before it was read anew. */
static void note_end(struct consumer *consumer, struct offsets *ends,
                     const struct work_range *range, bool anew)
{
    int64_t end = range->base_offset + range->count;
    for (int32_t i = 0; i < ends->count; i++) {
        struct commit_entry *entry = &ends->entries[i];
        if (entry->partition != range->partition) continue;
        if (entry->offset < end || anew) entry->offset = end;
        return;
    }
    offsets_add(consumer, ends, range->partition, end, -1);
}

void pool_submit(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    for (int32_t i = 0; i < application->batch.count; i++) {
        push(consumer, &application->batch.ranges[i]);
        note_end(consumer, &application->pool.taken, &application->batch.ranges[i], true);
    }
    int64_t limit = settings(consumer)->queue_limit;
    if (limit > 0 && application->pool.queued_records > limit) set_paused(consumer, true);
    dispatch(consumer);
}

/* ---- a range done ---- */

static void release(struct consumer *consumer, struct worker *worker)
{
    struct pool *pool = &consumer->application.pool;
    worker->is_taken = false;
    dispatch(consumer);
    if (pool->drained == NULL || !pool_is_idle(consumer)) return;
    continuation *then = pool->drained;
    pool->drained = NULL;
    then(consumer);
}

static void call_sink(struct consumer *consumer, struct worker *worker)
{
    worker->waits_for_sink = sink_is_down(consumer->options.sink);
    if (worker->waits_for_sink) return;
    struct rng_key key = work_key(consumer, worker->done.partition, WORK_KEY_SINK);
    sim_time length =
        distribution_draw(&settings(consumer)->sink_ns, &key, (uint64_t)worker->done.base_offset);
    sim_timer_set(consumer->sim, &worker->sink_timer, sim_now(consumer->sim) + length);
}

void pool_sink_answered(struct consumer *consumer, uint64_t number)
{
    struct worker *worker = &consumer->application.pool.workers[number - 1];
    const struct work_range *done = &worker->done;
    if (sink_is_down(consumer->options.sink)) {
        worker->waits_for_sink = true;
        return;
    }
    TRACE(consumer->sim, TRACE_SINK, consumer->group, consumer->member, work_range_traced(done),
          done->base_offset, done->count, consumer->incarnation);
    if (consumer->options.group->commit.mode == COMMIT_EXTERNAL) {
        sink_store_offset(consumer->options.sink, done->partition, done->base_offset + done->count);
    }
    if (worker->work.is_busy) {
        work_continue(consumer, &worker->work);
    } else {
        release(consumer, worker);
    }
}

void pool_sink_recovered(struct consumer *consumer)
{
    struct pool *pool = &consumer->application.pool;
    for (int32_t i = 0; i < pool->size; i++) {
        if (pool->workers[i].waits_for_sink) call_sink(consumer, &pool->workers[i]);
    }
}

void pool_step_done(struct consumer *consumer, struct work *work, const struct work_range *done,
                    bool is_processed)
{
    struct worker *worker = &consumer->application.pool.workers[work->number - 1];
    note_end(consumer, &consumer->application.pool.finished, done, false);
    if (is_processed && consumer->application.has_sink) {
        worker->done = *done;
        call_sink(consumer, worker);
    } else if (work->is_busy) {
        work_continue(consumer, work);
    } else {
        release(consumer, worker);
    }
}

/* ---- what to commit ---- */

/* The first record handed over that is not done. */
static int64_t first_unfinished(const struct pool *pool, const struct commit_entry *taken)
{
    int64_t first = taken->offset;
    for (int32_t i = 0; i < pool->queued; i++) {
        const struct work_range *range = queued_range(pool, i);
        if (range->partition == taken->partition && range->base_offset < first)
            first = range->base_offset;
    }
    for (int32_t i = 0; i < pool->size; i++) {
        const struct worker *worker = &pool->workers[i];
        if (!worker->is_taken || worker->partition != taken->partition) continue;
        bool at_sink = worker->waits_for_sink || sim_timer_is_set(&worker->sink_timer);
        int64_t at = at_sink ? worker->done.base_offset : worker->work.range.base_offset;
        if (at < first) first = at;
    }
    return first;
}

void pool_offsets(struct consumer *consumer, struct offsets *offsets)
{
    struct pool *pool = &consumer->application.pool;
    bool contiguous = consumer->options.group->commit.offsets == COMMIT_CONTIGUOUS;
    struct offsets *ends = contiguous ? &pool->taken : &pool->finished;
    for (int32_t i = 0; i < ends->count; i++) {
        const struct commit_entry *entry = &ends->entries[i];
        if (owned_find(consumer, entry->partition) == NULL) continue;
        int64_t offset = contiguous ? first_unfinished(pool, entry) : entry->offset;
        offsets_add(consumer, offsets, entry->partition, offset, entry->epoch);
    }
    if (!contiguous) pool->finished.count = 0;
}

/* ---- waiting for all of it ---- */

bool pool_is_idle(const struct consumer *consumer)
{
    const struct pool *pool = &consumer->application.pool;
    if (pool->queued > 0) return false;
    for (int32_t i = 0; i < pool->size; i++) {
        if (pool->workers[i].is_taken) return false;
    }
    return true;
}

void pool_drain(struct consumer *consumer, continuation *then)
{
    consumer->application.pool.drained = then;
}

/* ---- life ---- */

void pool_stall(struct consumer *consumer, bool stalled)
{
    struct pool *pool = &consumer->application.pool;
    for (int32_t i = 0; i < pool->size; i++) {
        if (stalled) {
            work_stall(consumer, &pool->workers[i].work);
        } else {
            work_unstall(consumer, &pool->workers[i].work);
        }
    }
}

void pool_die(struct consumer *consumer)
{
    struct pool *pool = &consumer->application.pool;
    for (int32_t i = 0; i < pool->size; i++)
        work_die(consumer, &pool->workers[i].work);
}

void pool_reset(struct consumer *consumer)
{
    struct pool *pool = &consumer->application.pool;
    for (int32_t i = 0; i < pool->size; i++) {
        struct worker *worker = &pool->workers[i];
        work_reset(consumer, &worker->work);
        sim_timer_cancel(consumer->sim, &worker->sink_timer);
        worker->is_taken = false;
        worker->waits_for_sink = false;
    }
    pool->first = 0;
    pool->queued = 0;
    pool->queued_records = 0;
    pool->is_pausing = false;
    pool->drained = NULL;
    pool->finished.count = 0;
    pool->taken.count = 0;
}

void pool_init(struct consumer *consumer)
{
    struct pool *pool = &consumer->application.pool;
    if (output_is_transactional(consumer)) return; /* one transaction at a time */
    pool->size = settings(consumer)->workers;
    pool->workers = memory_keep(consumer->memory, sizeof(struct worker) * ((size_t)pool->size + 1));
    for (int32_t i = 0; i < pool->size; i++) {
        work_init(consumer, &pool->workers[i].work, (uint64_t)i + 1);
        sim_timer_init(&pool->workers[i].sink_timer, consumer->thread, EVENT_SINK_DONE,
                       (uint64_t)i + 1);
    }
}
