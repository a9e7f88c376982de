#include "model/consumer/internal.h"
#include "model/producer.h"
#include "sim/check.h"

/* What the application writes with a producer of its own: a record for each record it read, dead
 * letters, and the transactions of consume-process-produce, which carry the consumer's offsets
 * (KIP-447). Without an output topic a transaction carries nothing but offsets, and is fenced,
 * committed and aborted like any other. */

/* Whose records an outcome is about: an output record's, or (number + 1) a work's dead letter. */
enum { TAG_OUTPUT = 0 };

bool output_is_transactional(const struct consumer *consumer)
{
    return consumer->options.group->commit.mode == COMMIT_TRANSACTIONAL;
}

bool output_has_topic(const struct consumer *consumer)
{
    return consumer->application.output.topic != NAME_NONE;
}

/* The producer calls from inside its handlers; A looks at it afterwards. */
static void look_later(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    if (output->is_posted || output->stage == OUTPUT_IDLE) return;
    output->is_posted = true;
    sim_post(consumer->sim, sim_now(consumer->sim), PHASE_TIMER, consumer->thread, consumer->thread,
             EVENT_OUTPUT, 0, NULL);
}

static void on_progress(void *self)
{
    look_later(self);
}

/* The callback of send() got an exception. A transaction aborts as a whole. An application that
 * does not flush logs it, and the record is gone; one that flushes sends it once more, which is how
 * a record whose acknowledgement was lost comes to be there twice. */
static void output_failed(struct consumer *consumer, const struct producer_outcome *outcome)
{
    struct output *output = &consumer->application.output;
    consumer_note(consumer, CLIENT_OUTPUT_FAILED, outcome->count, outcome->error, NULL);
    if (output->stage != OUTPUT_WRITING) return;
    application_add_range(consumer, &output->failed,
                          &(struct work_range){.partition = outcome->partition,
                                               .count = outcome->count,
                                               .bytes = outcome->count * output->record_bytes});
}

static void on_done(void *self, const struct producer_outcome *outcome)
{
    struct consumer *consumer = self;
    if (outcome->tag == TAG_OUTPUT) {
        if (outcome->error != KAFKA_NONE) output_failed(consumer, outcome);
        look_later(consumer);
        return;
    }
    struct work *work = work_of(consumer, outcome->tag - 1);
    if (!work->waits_for_dead_letter) return;
    work->waits_for_dead_letter = false;
    /* A dead letter that could not be written is tried again, from the processing on. */
    sim_timer_set(consumer->sim, outcome->error == KAFKA_NONE ? &work->timer : &work->retry,
                  sim_now(consumer->sim));
    work->is_dead_letter = outcome->error == KAFKA_NONE;
}

void output_dead_letter(struct consumer *consumer, struct work *work)
{
    struct output *output = &consumer->application.output;
    const char *topic = consumer->options.group->process.dead_letter_topic;
    consumer_note(consumer, CLIENT_DEAD_LETTER, work->range.base_offset, KAFKA_NONE, topic);
    work->waits_for_dead_letter = true;
    sim_time now = sim_now(consumer->sim);
    producer_send_sticky(output->producer, names_intern(consumer->names, topic),
                         &(struct producer_records){
                             .count = 1,
                             .bytes = work->range.bytes / work->range.count,
                             .first_at = now,
                             .last_at = now,
                             .tag = work->number + 1,
                         });
}

/* ---- records ---- */

/* An output record has the key of the record it was made from; where both topics have as many
 * partitions it therefore stays in the partition of that number. */
static void send_output(struct consumer *consumer, const struct work_range *range, int64_t bytes)
{
    struct output *output = &consumer->application.output;
    int32_t partitions = producer_partition_count(output->producer, output->topic);
    int32_t topic = cluster_topic_find(consumer->options.cluster, output->topic);
    sim_time now = sim_now(consumer->sim);
    producer_send(output->producer,
                  PARTITION_ID(topic, PARTITION_NUMBER(range->partition) % partitions),
                  &(struct producer_records){.count = range->count,
                                             .bytes = bytes,
                                             .first_at = now,
                                             .last_at = now,
                                             .tag = TAG_OUTPUT});
}

static void send_done(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    const struct batch *done = &consumer->application.done;
    int64_t record_bytes = consumer->options.group->output.record_bytes;
    for (int32_t i = 0; i < done->count; i++) {
        const struct work_range *range = &done->ranges[i];
        output->record_bytes = record_bytes > 0 ? record_bytes : range->bytes / range->count;
        send_output(consumer, range, output->record_bytes * range->count);
    }
    output->is_sent = true;
}

static void send_failed_again(struct consumer *consumer)
{
    struct batch *failed = &consumer->application.output.failed;
    int32_t count = failed->count;
    failed->count = 0;
    for (int32_t i = 0; i < count; i++) {
        struct work_range range = failed->ranges[i];
        send_output(consumer, &range, range.bytes);
    }
}

static void write_step(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    if (!output->is_sent) {
        /* send() waits for the topic's metadata. */
        if (producer_partition_count(output->producer, output->topic) == 0) return;
        send_done(consumer);
        if (consumer->options.group->output.flush) producer_flush(output->producer);
    }
    bool waits = consumer->options.group->output.flush && !output_is_transactional(consumer);
    if (waits && !producer_is_flushed(output->producer)) return;
    if (output->failed.count > 0) {
        send_failed_again(consumer);
        producer_flush(output->producer);
        return;
    }
    output->stage = OUTPUT_IDLE;
    continuation *then = output->then;
    then(consumer);
}

void output_write(struct consumer *consumer, continuation *then)
{
    struct output *output = &consumer->application.output;
    output->then = then;
    output->stage = OUTPUT_WRITING;
    output->is_sent = false;
    write_step(consumer);
}

/* ---- transactions ---- */

static void begin(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    output->stage = OUTPUT_IDLE;
    producer_begin_transaction(output->producer);
    continuation *then = output->then;
    then(consumer);
}

void output_open(struct consumer *consumer)
{
    if (output_is_transactional(consumer)) {
        producer_init_transactions(consumer->application.output.producer);
    }
}

void output_begin(struct consumer *consumer, continuation *then)
{
    struct output *output = &consumer->application.output;
    output->then = then;
    output->stage = OUTPUT_STARTING;
    enum producer_transaction state = producer_transaction_state(output->producer);
    if (state == TRANSACTION_READY) {
        begin(consumer);
    } else {
        look_later(consumer); /* it failed since, or is still initializing */
    }
}

static void send_offsets(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    const struct batch *batch = &consumer->application.batch;
    size_t size = sizeof(struct offset_entry) * (size_t)batch->count;
    struct offset_entry *entries = memory_take(consumer->memory, size);
    int32_t count = 0;
    for (int32_t i = 0; i < batch->count; i++) {
        const struct work_range *range = &batch->ranges[i];
        /* Ranges of one partition follow each other; the last one counts. */
        bool is_same = i > 0 && batch->ranges[i - 1].partition == range->partition;
        if (is_same) count--;
        entries[count++] = (struct offset_entry){
            .partition = {cluster_topic_name(consumer->options.cluster,
                                             PARTITION_TOPIC(range->partition)),
                          PARTITION_NUMBER(range->partition)},
            .offset = range->base_offset + range->count,
            .leader_epoch = -1,
        };
    }
    bool subscribes = consumer_subscribes(consumer);
    const struct generation *metadata = &consumer->classic.group_metadata;
    struct producer_group group = {
        .group = consumer->group,
        .member = subscribes ? metadata->member_id : NAME_EMPTY,
        .instance = subscribes ? consumer->instance : NAME_NONE,
        .generation = subscribes ? metadata->id : -1,
    };
    output->commit_number = ++consumer->committer.commits;
    output->started_at = sim_now(consumer->sim);
    output->offset_count = count;
    TRACE(consumer->sim, TRACE_COMMIT_SENT, consumer->group, consumer->member,
          COMMIT_CALL_TRANSACTION, count, (int64_t)output->commit_number, group.generation);
    producer_send_offsets(output->producer, &group, entries, count);
    memory_give(consumer->memory, entries, size);
}

void output_commit(struct consumer *consumer, continuation *then)
{
    struct output *output = &consumer->application.output;
    output->then = then;
    output->stage = OUTPUT_SENDING_OFFSETS;
    if (producer_transaction_state(output->producer) == TRANSACTION_IN_TRANSACTION) {
        send_offsets(consumer);
    } else {
        output->commit_number = 0;
        look_later(consumer); /* it has failed already */
    }
}

static void end(struct consumer *consumer, enum kafka_error error)
{
    struct output *output = &consumer->application.output;
    output->stage = OUTPUT_IDLE;
    if (output->commit_number > 0) {
        TRACE(consumer->sim, TRACE_COMMIT_DONE, consumer->group, consumer->member,
              COMMIT_CALL_TRANSACTION, output->offset_count, (int64_t)output->commit_number, error,
              sim_now(consumer->sim) - output->started_at);
    }
    continuation *then = output->then;
    then(consumer);
}

/* What was written in it becomes visible. */
static void take_effect(struct consumer *consumer)
{
    const struct batch *done = &consumer->application.done;
    for (int32_t i = 0; i < done->count; i++) {
        const struct work_range *range = &done->ranges[i];
        TRACE(consumer->sim, TRACE_SINK, consumer->group, consumer->member,
              work_range_traced(range), range->base_offset, range->count, consumer->incarnation);
    }
}

/* The usual loop of a transactional application: abort, go back to the committed offsets, poll. */
static void abort_transaction(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    output->error = producer_transaction_error(output->producer);
    output->stage = OUTPUT_ABORTING;
    producer_abort_transaction(output->producer);
}

static void aborted(struct consumer *consumer)
{
    struct application *application = &consumer->application;
    for (int32_t i = 0; i < application->batch.count; i++) {
        const struct work_range *range = &application->batch.ranges[i];
        struct owned_partition *owned = owned_find(consumer, range->partition);
        if (owned == NULL || owned->ownership != range->ownership) continue;
        if (owned->state != POSITION_INITIALIZING) {
            position_set_state(consumer, owned, POSITION_INITIALIZING);
        }
    }
    consumer->subscription.ownerships++; /* committed offsets are asked for anew */
    end(consumer, consumer->application.output.error);
}

void output_step(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    output->is_posted = false;
    enum producer_transaction state = producer_transaction_state(output->producer);
    if (output->stage == OUTPUT_IDLE) return;
    if (!output_is_transactional(consumer)) {
        write_step(consumer);
        return;
    }
    if (state == TRANSACTION_FATAL_ERROR) {
        enum kafka_error error = producer_transaction_error(output->producer);
        output->stage = OUTPUT_IDLE;
        consumer_throw(consumer, error, "the transactional producer was fenced");
        return;
    }
    if (state == TRANSACTION_ABORTABLE_ERROR && output->stage != OUTPUT_ABORTING) {
        abort_transaction(consumer);
        return;
    }
    if (output->stage == OUTPUT_STARTING && state == TRANSACTION_READY) {
        begin(consumer);
    } else if (output->stage == OUTPUT_WRITING) {
        write_step(consumer);
    } else if (output->stage == OUTPUT_SENDING_OFFSETS && state == TRANSACTION_IN_TRANSACTION) {
        output->stage = OUTPUT_COMMITTING;
        producer_commit_transaction(output->producer);
    } else if (output->stage == OUTPUT_COMMITTING && state == TRANSACTION_READY) {
        take_effect(consumer);
        end(consumer, KAFKA_NONE);
    } else if (output->stage == OUTPUT_ABORTING && state == TRANSACTION_READY) {
        aborted(consumer);
    }
}

/* ---- life ---- */

void output_reset(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    if (output->producer == NULL) return;
    producer_reset(output->producer);
    *output = (struct output){.producer = output->producer,
                              .config = output->config,
                              .topic = output->topic,
                              .failed = {output->failed.ranges, 0, output->failed.capacity}};
}

void output_init(struct consumer *consumer)
{
    struct output *output = &consumer->application.output;
    const struct scenario_group *group = consumer->options.group;
    bool writes = output_is_transactional(consumer) || group->output.topic != NULL ||
                  group->process.retry == RETRY_DEAD_LETTER;
    if (!writes) return;
    output->topic = group->output.topic == NULL
                        ? NAME_NONE
                        : names_intern(consumer->names, group->output.topic);
    struct producer_config *config = memory_keep(consumer->memory, sizeof *config);
    *config = group->output.config;
    config->transactional_id =
        output_is_transactional(consumer) ? names_text(consumer->names, consumer->member) : NULL;
    output->config = config;
    output->producer = producer_new(&(struct producer_options){
        .sim = consumer->sim,
        .network = consumer->options.network,
        .cluster = consumer->options.cluster,
        .process = consumer->options.process,
        .name = names_format(consumer->names, "%s/producer",
                             names_text(consumer->names, consumer->member)),
        .config = config,
        .on_done = on_done,
        .on_progress = on_progress,
        .self = consumer,
    });
}
