#include "model/consumer/internal.h"
#include "sim/check.h"

/* The application's loop body: process what poll() returned, write to the sink, commit, in the
 * order the scenario says; then poll() again. */

/* Committing before anything took effect is what makes at-most-once delivery. The effect is the
 * sink's where there is one, else the processing itself. */
static const enum batch_stage commit_last[STAGE_COUNT] = {STAGE_PROCESS, STAGE_OUTPUT, STAGE_SINK,
                                                          STAGE_COMMIT};
static const enum batch_stage commit_before_sink[STAGE_COUNT] = {STAGE_PROCESS, STAGE_COMMIT,
                                                                 STAGE_OUTPUT, STAGE_SINK};
static const enum batch_stage commit_first[STAGE_COUNT] = {STAGE_COMMIT, STAGE_PROCESS,
                                                           STAGE_OUTPUT, STAGE_SINK};

static const enum batch_stage *order_of(const struct consumer *consumer)
{
    if (consumer->options.group->commit.order == COMMIT_AFTER_SINK) return commit_last;
    bool has_effect = consumer->application.has_sink || output_has_topic(consumer);
    return has_effect ? commit_before_sink : commit_first;
}

static void run(struct consumer *consumer);

static void next_stage(struct consumer *consumer)
{
    consumer->application.stage++;
    run(consumer);
}

/* ---- processing ---- */

static bool has_records(const struct application *application)
{
    return application->work.is_busy || application->next_range < application->batch.count;
}

static void process(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    if (application->work.is_busy) {
        work_continue(consumer, &application->work);
    } else {
        work_begin(consumer, &application->work,
                   &application->batch.ranges[application->next_range++]);
    }
}

void application_add_range(struct consumer *consumer, struct batch *batch,
                           const struct work_range *range)
{
    if (batch->count == batch->capacity) {
        int32_t capacity = batch->capacity == 0 ? 16 : 2 * batch->capacity;
        batch->ranges = memory_resize(consumer->memory, batch->ranges,
                                      sizeof *batch->ranges * (size_t)batch->capacity,
                                      sizeof *batch->ranges * (size_t)capacity);
        batch->capacity = capacity;
    }
    batch->ranges[batch->count++] = *range;
}

void application_step_done(struct consumer *consumer, struct work *work,
                           const struct work_range *done, bool is_processed)
{
    struct application *application = &consumer->application;
    application->records_bytes -= done->bytes;
    if (work != &application->work) {
        pool_step_done(consumer, work, done, is_processed);
        return;
    }
    if (is_processed) {
        application_add_range(consumer, &application->done, done);
    } else {
        application->given_up = *done;
    }
    if (application->commits_per_record || !has_records(application)) {
        next_stage(consumer);
    } else {
        process(consumer);
    }
}

/* ---- the sink ---- */

static void call_sink(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    application->waits_for_sink = sink_is_down(consumer->options.sink);
    if (application->waits_for_sink) return;
    const struct work_range *first = &application->done.ranges[0];
    struct rng_key key = work_key(consumer, first->partition, WORK_KEY_SINK);
    sim_time length = distribution_draw(&consumer->options.group->process.sink_ns, &key,
                                        (uint64_t)first->base_offset);
    sim_timer_set(consumer->sim, &application->sink_timer, sim_now(consumer->sim) + length);
}

static void sink_answered(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    if (sink_is_down(consumer->options.sink)) {
        application->waits_for_sink = true; /* it went down while we waited */
        return;
    }
    if (output_is_transactional(consumer)) { /* nobody sees it before the commit */
        next_stage(consumer);
        return;
    }
    bool keeps_offsets = consumer->options.group->commit.mode == COMMIT_EXTERNAL;
    for (int32_t i = 0; i < application->done.count; i++) {
        const struct work_range *range = &application->done.ranges[i];
        TRACE(consumer->sim, TRACE_SINK, consumer->group, consumer->member,
              work_range_traced(range), range->base_offset, range->count, consumer->incarnation);
        if (!keeps_offsets) continue;
        sink_store_offset(consumer->options.sink, range->partition,
                          range->base_offset + range->count);
    }
    next_stage(consumer);
}

static void sink_recovered(void *context)
{
    struct consumer *consumer = context;
    if (consumer->application.waits_for_sink) call_sink(consumer);
    pool_sink_recovered(consumer);
}

/* ---- commits ---- */

static void committed(struct consumer *consumer)
{
    const struct commit_sync *sync = &consumer->commit_sync;
    if (sync->outcome == COMMIT_FATAL) {
        consumer_throw(consumer, sync->error, "commitSync failed");
        return;
    }
    /* A refused commit is logged; the next poll() will tell what became of the membership. */
    next_stage(consumer);
}

static void next_offsets(struct consumer *consumer, struct offsets *offsets)
{
    struct application *application = &consumer->application;
    if (application->pool.size > 0) {
        pool_offsets(consumer, offsets);
        return;
    }
    const struct work_range *range = NULL;
    int64_t offset = 0;
    if (application->done.count > 0) {
        range = &application->done.ranges[application->done.count - 1];
        offset = range->base_offset + range->count;
    } else if (application->given_up.count > 0) {
        range = &application->given_up;
        offset = range->base_offset + range->count;
    } else if (application->work.is_busy) {
        range = &application->work.range; /* the commit comes first */
        offset = range->base_offset + 1;
    } else if (application->next_range < application->batch.count) {
        range = &application->batch.ranges[application->next_range];
        offset = range->base_offset + 1;
    }
    if (range != NULL) offsets_add(consumer, offsets, range->partition, offset, -1);
}

void application_offsets(struct consumer *consumer, struct offsets *offsets)
{
    bool by_workers = consumer->application.pool.size > 0 &&
                      consumer->options.group->commit.offsets != COMMIT_POSITIONS;
    if (by_workers) {
        pool_offsets(consumer, offsets);
    } else {
        offsets_of_positions(consumer, offsets);
    }
}

static bool is_commit_due(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    sim_time now = sim_now(consumer->sim);
    sim_time interval = consumer->options.group->commit.interval_ns;
    if (now - application->last_commit_at < interval) return false;
    application->last_commit_at = now;
    return true;
}

/* True when A waits for it. */
static bool commit(struct consumer *consumer)
{
    struct offsets offsets = {0};
    int64_t timeout_ms = consumer->config->default_api_timeout_ms;
    switch (consumer->options.group->commit.mode) {
    case COMMIT_SYNC:
        if (!is_commit_due(consumer)) return false;
        application_offsets(consumer, &offsets);
        commit_sync(consumer, COMMIT_CALL_SYNC, &offsets, timeout_ms, committed);
        return true;
    case COMMIT_PER_RECORD:
        next_offsets(consumer, &offsets);
        commit_sync(consumer, COMMIT_CALL_SYNC, &offsets, timeout_ms, committed);
        return true;
    case COMMIT_ASYNC:
        if (!is_commit_due(consumer)) return false;
        application_offsets(consumer, &offsets);
        commit_async_stubborn(consumer, &offsets);
        return false;
    case COMMIT_TRANSACTIONAL: output_commit(consumer, next_stage); return true;
    case COMMIT_AUTO:
    case COMMIT_ON_REVOKE:
    case COMMIT_NONE:
    case COMMIT_EXTERNAL: break;
    }
    return false;
}

/* ---- stages ---- */

/* True when A waits for the stage to end. */
static bool begin_stage(struct consumer *consumer, enum batch_stage stage)
{
    struct application *application = &consumer->application;
    switch (stage) {
    case STAGE_PROCESS:
        if (application->pool.size > 0) {
            pool_submit(consumer);
            application->next_range = application->batch.count;
            return false;
        }
        process(consumer);
        return true;
    case STAGE_OUTPUT:
        if (!output_has_topic(consumer) || application->done.count == 0) return false;
        output_write(consumer, next_stage);
        return true;
    case STAGE_SINK:
        if (!application->has_sink || application->done.count == 0) return false;
        call_sink(consumer);
        return true;
    case STAGE_COMMIT: return commit(consumer);
    case STAGE_COUNT: break;
    }
    return false;
}

static void run(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    const enum batch_stage *order = order_of(consumer);
    for (;;) {
        while (application->stage < STAGE_COUNT) {
            if (begin_stage(consumer, order[application->stage])) return;
            application->stage++;
        }
        application->done.count = 0;
        application->given_up.count = 0;
        if (!has_records(application)) break;
        application->stage = 0; /* the next record, where each is committed by itself */
    }
    if (application->pool.size == 0) {
        poll_begin(consumer);
        return;
    }
    /* Handing over took no time; an event of its own keeps poll() from calling itself. */
    sim_post(consumer->sim, sim_now(consumer->sim), PHASE_TIMER, consumer->thread, consumer->thread,
             EVENT_POLL_AGAIN, 0, NULL);
}

void application_take(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    application->next_range = 0;
    application->stage = 0;
    application->per_batch_is_paid = false;
    application->done.count = 0;
    application->given_up.count = 0;
    for (int32_t i = 0; i < application->batch.count; i++) {
        application->records_bytes += application->batch.ranges[i].bytes;
    }
    if (output_is_transactional(consumer)) {
        output_begin(consumer, run);
    } else {
        run(consumer);
    }
}

void application_on_timer(struct consumer *consumer, const struct sim_event *event)
{
    struct work *work = work_of(consumer, event->number);
    switch (event->kind) {
    case EVENT_WORK_DONE: work_on_timer(consumer, work, false); break;
    case EVENT_WORK_RETRY: work_on_timer(consumer, work, true); break;
    case EVENT_SINK_DONE:
        if (event->number == 0) {
            sink_answered(consumer);
        } else {
            pool_sink_answered(consumer, event->number);
        }
        break;
    case EVENT_POLL_AGAIN: poll_begin(consumer); break;
    case EVENT_OUTPUT: output_step(consumer); break;
    default: CHECK(false); /* an event nobody knows */
    }
}

/* ---- faults and life ---- */

void consumer_stall(struct consumer *consumer)
{
    if (consumer->application.stalls++ > 0) return;
    work_stall(consumer, &consumer->application.work);
    pool_stall(consumer, true);
}

void consumer_unstall(struct consumer *consumer)
{
    CHECK(consumer->application.stalls > 0);
    if (--consumer->application.stalls > 0) return;
    work_unstall(consumer, &consumer->application.work);
    pool_stall(consumer, false);
}

void application_die(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    work_die(consumer, &application->work);
    pool_die(consumer);
}

void application_reset(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    work_reset(consumer, &application->work);
    pool_reset(consumer);
    output_reset(consumer);
    sim_timer_cancel(consumer->sim, &application->sink_timer);
    application->waits_for_sink = false;
    application->batch.count = 0;
    application->done.count = 0;
    application->records_bytes = 0;
    application->last_commit_at = 0;
}

void application_init(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    const struct scenario_group *group = consumer->options.group;
    int32_t topics = cluster_topic_count(consumer->options.cluster);
    application->topic_hashes = memory_keep(consumer->memory, sizeof(uint64_t) * (size_t)topics);
    for (int32_t i = 0; i < topics; i++) {
        application->topic_hashes[i] =
            names_hash(consumer->names, cluster_topic_name(consumer->options.cluster, i));
    }
    const struct distribution *sink = &group->process.sink_ns;
    bool is_instant = sink->kind == DISTRIBUTION_CONSTANT && sink->a == 0;
    application->has_sink = !is_instant || group->commit.mode == COMMIT_EXTERNAL;
    application->commits_per_record = group->commit.mode == COMMIT_PER_RECORD;
    work_init(consumer, &application->work, 0);
    pool_init(consumer);
    output_init(consumer);
    sim_timer_init(&application->sink_timer, consumer->thread, EVENT_SINK_DONE, 0);
    sink_on_recovery(consumer->options.sink, sink_recovered, consumer);
}
