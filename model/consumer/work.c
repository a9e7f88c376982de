#include "model/consumer/internal.h"
#include "sim/check.h"

/* Processing records: how long it takes, what fails, and how much of it was finished when the
 * process dies. The time a record takes belongs to the record (topic, partition, offset), whoever
 * processes it. */

static const struct scenario_process *settings(const struct consumer *consumer)
{
    return &consumer->options.group->process;
}

struct rng_key work_key(const struct consumer *consumer, partition_id partition,
                        enum work_key_kind kind)
{
    uint64_t topic = consumer->application.topic_hashes[PARTITION_TOPIC(partition)];
    uint64_t entity =
        rng_index(topic, (uint64_t)PARTITION_NUMBER(partition) * WORK_KEY_COUNT + kind);
    return rng_key(sim_seed(consumer->sim), entity, kind == WORK_KEY_SINK ? RNG_SINK : RNG_SERVICE);
}

/* ---- the clock of a step ---- */

static void start_clock(struct consumer *consumer, struct work *work)
{
    work->started_at = sim_now(consumer->sim);
    work->frozen_ns = process_frozen_ns(consumer->sim, consumer->options.process);
    sim_timer_set(consumer->sim, &work->timer,
                  work->started_at + work->length_ns - work->elapsed_ns);
}

static sim_time elapsed_ns(const struct consumer *consumer, const struct work *work)
{
    if (work->started_at == SIM_TIME_NEVER) return work->elapsed_ns;
    sim_time frozen = process_frozen_ns(consumer->sim, consumer->options.process) - work->frozen_ns;
    return work->elapsed_ns + sim_now(consumer->sim) - work->started_at - frozen;
}

static void stop_clock(struct consumer *consumer, struct work *work)
{
    work->elapsed_ns = elapsed_ns(consumer, work);
    work->started_at = SIM_TIME_NEVER;
    sim_timer_cancel(consumer->sim, &work->timer);
}

/* ---- steps ---- */

static sim_time step_length(struct consumer *consumer, const struct work *work)
{
    struct application *application = &consumer->application;
    const struct scenario_process *process = settings(consumer);
    struct rng_key key = work_key(consumer, work->range.partition, WORK_KEY_RECORD);
    uint64_t offset = (uint64_t)work->range.base_offset;
    sim_time length =
        distribution_draw_sum(&process->per_record_ns, &key, offset, (uint64_t)work->step_count);
    if (!application->per_batch_is_paid) {
        application->per_batch_is_paid = true;
        key = work_key(consumer, work->range.partition, WORK_KEY_BATCH);
        length += distribution_draw(&process->per_batch_ns, &key, offset);
    }
    return process_cpu_ns(consumer->sim, consumer->options.process, length);
}

static void begin_step(struct consumer *consumer, struct work *work)
{
    const struct work_range *range = &work->range;
    int64_t poison = sink_find_poison(consumer->options.sink, range->partition, range->base_offset,
                                      range->base_offset + range->count);
    work->is_poison = poison == range->base_offset;
    work->step_count = range->count;
    if (work->is_poison || consumer->application.commits_per_record) {
        work->step_count = 1;
    } else if (poison > range->base_offset) {
        work->step_count = (int32_t)(poison - range->base_offset);
    }
    work->begun_at = sim_now(consumer->sim);
    work->length_ns = step_length(consumer, work);
    work->elapsed_ns = 0;
    work->started_at = SIM_TIME_NEVER;
    if (consumer->application.stalls == 0) start_clock(consumer, work);
}

static void emit_processed(struct consumer *consumer, const struct work *work, int32_t count)
{
    TRACE(consumer->sim, TRACE_PROCESSED, consumer->group, consumer->member,
          work_range_traced(&work->range), work->range.base_offset, count, work->begun_at,
          work->range.generation, consumer->incarnation);
}

/* Takes `count` records off the front. */
static struct work_range cut(struct work_range *range, int32_t count)
{
    struct work_range front = *range;
    front.count = count;
    front.bytes = range->bytes * count / range->count;
    range->base_offset += count;
    range->count -= count;
    range->bytes -= front.bytes;
    return front;
}

static void finish_step(struct consumer *consumer, struct work *work, bool is_processed)
{
    if (is_processed) emit_processed(consumer, work, work->step_count);
    struct work_range done = cut(&work->range, work->step_count);
    work->step_count = 0;
    work->attempts = 0;
    if (work->range.count == 0) work->is_busy = false;
    application_step_done(consumer, work, &done, is_processed);
}

/* ---- a record that cannot be processed ---- */

static void try_again(struct consumer *consumer, struct work *work)
{
    consumer_note(consumer, CLIENT_RETRY, work->attempts, KAFKA_NONE, NULL);
    sim_timer_set(consumer->sim, &work->retry,
                  sim_now(consumer->sim) + settings(consumer)->retry_backoff_ns);
}

static void fail(struct consumer *consumer, struct work *work)
{
    work->attempts++;
    bool has_retries = work->attempts <= settings(consumer)->retries;
    switch (settings(consumer)->retry) {
    case RETRY_FOREVER: try_again(consumer, work); return;
    case RETRY_BOUNDED:
        if (has_retries) {
            try_again(consumer, work);
        } else {
            TRACE(consumer->sim, TRACE_GIVEN_UP, consumer->group, consumer->member,
                  work_range_traced(&work->range), work->range.base_offset, work->step_count,
                  consumer->incarnation);
            finish_step(consumer, work, false); /* logged and passed over */
        }
        return;
    case RETRY_DEAD_LETTER:
        if (has_retries) {
            try_again(consumer, work);
        } else {
            output_dead_letter(consumer, work);
        }
        return;
    case RETRY_CRASH: consumer_end(consumer, CONSUMER_EXIT_POISON); return;
    }
}

void work_on_timer(struct consumer *consumer, struct work *work, bool is_retry)
{
    if (is_retry) {
        begin_step(consumer, work);
    } else if (work->is_dead_letter) {
        work->is_dead_letter = false;
        finish_step(consumer, work, true); /* dealt with: somebody will look at it there */
    } else if (work->is_poison) {
        fail(consumer, work);
    } else {
        finish_step(consumer, work, true);
    }
}

void work_begin(struct consumer *consumer, struct work *work, const struct work_range *range)
{
    CHECK(!work->is_busy && range->count > 0);
    work->is_busy = true;
    work->range = *range;
    work->attempts = 0;
    begin_step(consumer, work);
}

void work_continue(struct consumer *consumer, struct work *work)
{
    CHECK(work->is_busy && work->range.count > 0);
    begin_step(consumer, work);
}

/* ---- stalls and death ---- */

void work_stall(struct consumer *consumer, struct work *work)
{
    if (work->step_count > 0 && sim_timer_is_set(&work->timer)) stop_clock(consumer, work);
}

void work_unstall(struct consumer *consumer, struct work *work)
{
    if (work->step_count > 0 && work->started_at == SIM_TIME_NEVER) start_clock(consumer, work);
}

/* Records that were finished after so much of the step. Where the step's length was one draw, its
 * records share it alike. */
static int32_t finished(const struct consumer *consumer, const struct work *work, sim_time elapsed)
{
    if (work->is_poison) return 0;
    if (elapsed >= work->length_ns) return work->step_count;
    const struct scenario_process *process = settings(consumer);
    if (distribution_sum_is_closed(&process->per_record_ns)) {
        return (int32_t)((int64_t)work->step_count * (elapsed / 1000) /
                         (work->length_ns / 1000 + 1));
    }
    struct rng_key key = work_key(consumer, work->range.partition, WORK_KEY_RECORD);
    sim_time sum = 0;
    for (int32_t i = 0; i < work->step_count; i++) {
        sum += distribution_draw(&process->per_record_ns, &key,
                                 (uint64_t)(work->range.base_offset + i));
        if (process_cpu_ns(consumer->sim, consumer->options.process, sum) > elapsed) return i;
    }
    return work->step_count;
}

void work_die(struct consumer *consumer, struct work *work)
{
    if (work->step_count == 0 || work->waits_for_dead_letter) return;
    if (sim_timer_is_set(&work->retry)) return;
    int32_t count = finished(consumer, work, elapsed_ns(consumer, work));
    if (count > 0) emit_processed(consumer, work, count);
    work->step_count = 0;
}

void work_reset(struct consumer *consumer, struct work *work)
{
    sim_timer_cancel(consumer->sim, &work->timer);
    sim_timer_cancel(consumer->sim, &work->retry);
    work->is_busy = false;
    work->waits_for_dead_letter = false;
    work->is_dead_letter = false;
    work->step_count = 0;
}

void work_init(struct consumer *consumer, struct work *work, uint64_t number)
{
    work->number = number;
    sim_timer_init_running_time(&work->timer, consumer->thread, EVENT_WORK_DONE, number);
    sim_timer_init(&work->retry, consumer->thread, EVENT_WORK_RETRY, number);
}
