/* model/coordinator/write_path.c: CoordinatorRuntime's batching, waiting and completing.
 *
 * Records go into an open batch. It is handed out as APPEND when the linger time is over, the next
 * records do not fit, or a transaction needs a batch of its own. Operations move along:
 *
 *   batch_operations ──flush──▶ flushed[i].operations ──appended──▶ deferred ──high watermark──▶
 * done
 *
 * Kafka's test "has the linger time passed" on append has its subtraction reversed, so with a
 * linger above zero only the linger timer flushes (maybeFlushCurrentBatch); zero flushes at once.
 */
#include "model/coordinator/write_path.h"

#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/journal.h"

#include "sim/check.h"

#include <string.h>

#define CAPACITY_INITIAL 16

/* --- effects --------------------------------------------------------------------------------- */

void coordinator_push_effect(struct coordinator *coordinator,
                             const struct coordinator_effect *effect)
{
    uint32_t capacity = coordinator->effect_capacity;
    if (coordinator->effect_count == capacity) {
        uint32_t larger = capacity == 0 ? CAPACITY_INITIAL : capacity * 2;
        struct coordinator_effect *effects =
            memory_take(coordinator->memory, sizeof(*effects) * larger);
        for (uint32_t i = 0; i < capacity; i++) {
            effects[i] = coordinator->effects[(coordinator->effect_first + i) & (capacity - 1)];
        }
        memory_give(coordinator->memory, coordinator->effects, sizeof(*effects) * capacity);
        coordinator->effects = effects;
        coordinator->effect_first = 0;
        coordinator->effect_capacity = larger;
        capacity = larger;
    }
    uint32_t last = (coordinator->effect_first + coordinator->effect_count++) & (capacity - 1);
    coordinator->effects[last] = *effect;
}

bool coordinator_take_effect(struct coordinator *coordinator, struct coordinator_effect *effect)
{
    if (coordinator->effect_count == 0) return false;
    *effect = coordinator->effects[coordinator->effect_first];
    coordinator->effect_first =
        (coordinator->effect_first + 1) & (coordinator->effect_capacity - 1);
    coordinator->effect_count--;
    return true;
}

const struct message *coordinator_answer_to(const struct coordinator *coordinator, uint64_t token)
{
    for (uint32_t i = 0; i < coordinator->effect_count; i++) {
        const struct coordinator_effect *effect =
            &coordinator
                 ->effects[(coordinator->effect_first + i) & (coordinator->effect_capacity - 1)];
        if (effect->kind == COORDINATOR_REPLY && effect->token == token) return effect->response;
    }
    return NULL;
}

/* An append before them failed, or the shard is unloaded: nobody may write these any more. */
static void retract_appends(struct coordinator *coordinator)
{
    uint32_t count = coordinator->effect_count;
    for (uint32_t i = 0; i < count; i++) {
        struct coordinator_effect effect;
        coordinator_take_effect(coordinator, &effect);
        if (effect.kind == COORDINATOR_APPEND) {
            group_log_batch_release(effect.batch);
        } else {
            coordinator_push_effect(coordinator, &effect);
        }
    }
}

/* --- lists of waiting operations ------------------------------------------------------------- */

static void list_add(struct operation_list *list, struct operation *operation)
{
    operation->next = NULL;
    if (list->last == NULL) {
        list->first = operation;
    } else {
        list->last->next = operation;
    }
    list->last = operation;
}

static struct operation *list_take(struct operation_list *list)
{
    struct operation *operation = list->first;
    if (operation == NULL) return NULL;
    list->first = operation->next;
    if (list->first == NULL) list->last = NULL;
    return operation;
}

static void complete_and_free(struct operation *operation, enum kafka_error error, sim_time now)
{
    struct memory *memory = operation->coordinator->memory;
    operation_complete(operation, error, now);
    operation_release(operation);
    memory_give(memory, operation, sizeof(*operation));
}

static void fail_list(struct operation_list *list, enum kafka_error error, sim_time now)
{
    struct operation_list failing = *list;
    *list = (struct operation_list){0};
    struct operation *operation;
    while ((operation = list_take(&failing)) != NULL)
        complete_and_free(operation, error, now);
}

static void on_operation_timeout(struct coordinator *coordinator, struct coordinator_timer *timer,
                                 sim_time now)
{
    coordinator->now = now;
    /* It stays in its list until its offset is reached; what it wrote may yet be committed. */
    operation_complete(timer->owner, KAFKA_REQUEST_TIMED_OUT, now);
}

/* Nobody would notice when it completes. */
static bool waits_for_nothing(const struct operation *operation)
{
    return operation->response == NULL && operation->done == NULL && operation->parked == NULL;
}

static void wait_in(struct coordinator *coordinator, struct operation_list *list,
                    struct operation *operation)
{
    if (waits_for_nothing(operation)) {
        operation_release(operation);
        return;
    }
    struct operation *kept = memory_take(coordinator->memory, sizeof(*kept));
    *kept = *operation;
    kept->request = NULL;
    coordinator_timer_init(&kept->timeout, on_operation_timeout, kept);
    coordinator_arm(coordinator, &kept->timeout, coordinator->config->offsets_commit_timeout_ms);
    list_add(list, kept);
}

/* --- the open batch -------------------------------------------------------------------------- */

static void on_linger(struct coordinator *coordinator, struct coordinator_timer *timer,
                      sim_time now)
{
    (void)timer;
    coordinator->now = now;
    write_path_flush(coordinator);
}

void write_path_init(struct coordinator *coordinator)
{
    coordinator_timer_init(&coordinator->linger_timer, on_linger, NULL);
}

static void open_batch(struct coordinator *coordinator, const struct operation *operation)
{
    if (coordinator->batch != NULL) return;
    coordinator->batch = group_log_batch_new(coordinator->memory);
    coordinator->batch->producer_id = operation->producer_id;
    coordinator->batch->producer_epoch = operation->producer_epoch;
    coordinator->batch->timestamp_ms = coordinator_clock_ms(coordinator);
    int32_t linger_ms = coordinator->config->group_coordinator_append_linger_ms;
    if (linger_ms > 0) coordinator_arm(coordinator, &coordinator->linger_timer, linger_ms);
}

static struct flushed_batch *flushed_add(struct coordinator *coordinator)
{
    if (coordinator->flushed_count == coordinator->flushed_capacity) {
        uint32_t capacity = coordinator->flushed_capacity == 0 ? CAPACITY_INITIAL
                                                               : coordinator->flushed_capacity * 2;
        coordinator->flushed =
            memory_resize(coordinator->memory, coordinator->flushed,
                          sizeof(*coordinator->flushed) * coordinator->flushed_capacity,
                          sizeof(*coordinator->flushed) * capacity);
        coordinator->flushed_capacity = capacity;
    }
    return &coordinator->flushed[coordinator->flushed_count++];
}

static void hand_out(struct coordinator *coordinator, struct group_log_batch *batch,
                     struct operation_list operations)
{
    int64_t count = group_log_batch_offsets(batch);
    *flushed_add(coordinator) = (struct flushed_batch){
        .base_offset = coordinator->next_offset - count,
        .end_offset = coordinator->next_offset,
        .operations = operations,
    };
    coordinator_push_effect(coordinator, &(struct coordinator_effect){.kind = COORDINATOR_APPEND,
                                                                      .batch = batch});
}

void write_path_flush(struct coordinator *coordinator)
{
    if (coordinator->batch == NULL) return;
    coordinator_disarm(coordinator, &coordinator->linger_timer);
    struct group_log_batch *batch = coordinator->batch;
    struct operation_list operations = coordinator->batch_operations;
    coordinator->batch = NULL;
    coordinator->batch_operations = (struct operation_list){0};
    hand_out(coordinator, batch, operations);
}

static void append_record(struct coordinator *coordinator, struct operation *operation,
                          struct group_record *record)
{
    if (!operation->already_applied) {
        coordinator_apply(coordinator, record, coordinator->next_offset, operation->producer_id);
    }
    group_log_batch_add(coordinator->batch, record);
    coordinator->next_offset++;
}

static bool fits(const struct coordinator *coordinator, uint32_t size_bytes)
{
    return (uint64_t)coordinator->batch->size_bytes + size_bytes <=
           (uint64_t)coordinator->config->message_max_bytes;
}

static uint64_t records_size_bytes(const struct operation *operation)
{
    uint64_t size_bytes = 0;
    for (uint32_t i = 0; i < operation->record_count; i++) {
        size_bytes += operation->records[i].size_bytes;
    }
    return size_bytes;
}

static void append_records(struct coordinator *coordinator, struct operation *operation)
{
    bool transactional = operation->producer_id >= 0;
    if (transactional) write_path_flush(coordinator);
    if (!operation->not_atomic) {
        uint64_t size_bytes = records_size_bytes(operation);
        if (size_bytes + GROUP_LOG_BATCH_OVERHEAD_BYTES >
            (uint64_t)coordinator->config->message_max_bytes) {
            operation_complete(operation, KAFKA_MESSAGE_TOO_LARGE, coordinator->now);
            operation_release(operation);
            return;
        }
        if (coordinator->batch != NULL && !fits(coordinator, (uint32_t)size_bytes)) {
            write_path_flush(coordinator);
        }
    }
    open_batch(coordinator, operation);
    if (operation->done != NULL) {
        operation->batch = group_log_batch_hold(coordinator->batch);
        operation->first_record = coordinator->batch->record_count;
    }
    coordinator->applying = operation;
    for (uint32_t i = 0; i < operation->record_count; i++) {
        if (operation->not_atomic && coordinator->batch->record_count > 0 &&
            !fits(coordinator, operation->records[i].size_bytes)) {
            write_path_flush(coordinator);
            open_batch(coordinator, operation);
        }
        append_record(coordinator, operation, &operation->records[i]);
    }
    coordinator->applying = NULL;
    consumer_on_applied(coordinator, &operation->records[operation->record_count - 1]);
    operation->record_count = 0; /* the batch owns their values now */
    wait_in(coordinator, &coordinator->batch_operations, operation);
    if (transactional || coordinator->config->group_coordinator_append_linger_ms == 0) {
        write_path_flush(coordinator);
    }
}

void write_path_submit(struct coordinator *coordinator, struct operation *operation)
{
    CHECK(coordinator->state == COORDINATOR_ACTIVE);
    if (operation->record_count > 0) {
        append_records(coordinator, operation);
    } else if (coordinator->batch != NULL) {
        wait_in(coordinator, &coordinator->batch_operations, operation);
    } else if (coordinator->flushed_count > 0) {
        wait_in(coordinator, &coordinator->flushed[coordinator->flushed_count - 1].operations,
                operation);
    } else if (coordinator->last_committed_offset < coordinator->last_written_offset) {
        operation->waits_for_offset = coordinator->last_written_offset;
        wait_in(coordinator, &coordinator->deferred, operation);
    } else {
        operation_complete(operation, KAFKA_NONE, coordinator->now);
        operation_release(operation);
    }
}

void write_path_append_marker(struct coordinator *coordinator, struct operation *operation,
                              struct group_log_batch *marker)
{
    struct operation_list operations = {0};
    wait_in(coordinator, &operations, operation);
    coordinator->next_offset++;
    hand_out(coordinator, marker, operations);
}

/* --- what the log says ----------------------------------------------------------------------- */

static void complete_committed(struct coordinator *coordinator)
{
    while (coordinator->deferred.first != NULL &&
           coordinator->deferred.first->waits_for_offset <= coordinator->last_committed_offset) {
        complete_and_free(list_take(&coordinator->deferred), KAFKA_NONE, coordinator->now);
    }
}

/* The oldest flushed batch could not be written: the state goes back to before it. What was built
 * on it cannot stay either. */
static void fail_writes(struct coordinator *coordinator, enum kafka_error error)
{
    int64_t base_offset = coordinator->last_written_offset;
    coordinator_disarm(coordinator, &coordinator->linger_timer);
    retract_appends(coordinator);
    journal_roll_back(coordinator, base_offset);
    coordinator->next_offset = base_offset;

    uint32_t flushed_count = coordinator->flushed_count;
    struct flushed_batch *flushed = coordinator->flushed;
    uint32_t flushed_capacity = coordinator->flushed_capacity;
    struct operation_list in_batch = coordinator->batch_operations;
    group_log_batch_release(coordinator->batch);
    coordinator->batch = NULL;
    coordinator->batch_operations = (struct operation_list){0};
    coordinator->flushed = NULL;
    coordinator->flushed_count = 0;
    coordinator->flushed_capacity = 0;

    int32_t failed = 0;
    for (uint32_t i = 0; i < flushed_count; i++) {
        for (struct operation *o = flushed[i].operations.first; o != NULL; o = o->next)
            failed++;
    }
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_WRITE_FAILED,
                                                      .error = error,
                                                      .count = failed});
    for (uint32_t i = 0; i < flushed_count; i++) {
        fail_list(&flushed[i].operations, error, coordinator->now);
    }
    fail_list(&in_batch, error, coordinator->now);
    memory_give(coordinator->memory, flushed, sizeof(*flushed) * flushed_capacity);
}

void coordinator_appended(struct coordinator *coordinator, int64_t log_end_offset,
                          enum kafka_error error, sim_time now)
{
    if (coordinator->state != COORDINATOR_ACTIVE || coordinator->flushed_count == 0) return;
    coordinator->now = now;
    if (error != KAFKA_NONE) {
        fail_writes(coordinator, error);
        return;
    }
    struct flushed_batch flushed = coordinator->flushed[0];
    coordinator->flushed_count--;
    memmove(coordinator->flushed, coordinator->flushed + 1,
            sizeof(flushed) * coordinator->flushed_count);
    CHECK(log_end_offset == flushed.end_offset);
    coordinator->last_written_offset = log_end_offset;
    struct operation *operation;
    while ((operation = list_take(&flushed.operations)) != NULL) {
        operation->waits_for_offset = log_end_offset;
        list_add(&coordinator->deferred, operation);
    }
    complete_committed(coordinator);
}

void coordinator_on_high_watermark(struct coordinator *coordinator, int64_t high_watermark,
                                   sim_time now)
{
    if (coordinator->state != COORDINATOR_ACTIVE ||
        high_watermark <= coordinator->last_committed_offset)
        return;
    coordinator->now = now;
    coordinator->last_committed_offset = high_watermark;
    journal_commit(coordinator, high_watermark);
    complete_committed(coordinator);
}

void write_path_fail_all(struct coordinator *coordinator, enum kafka_error error)
{
    /* Those that only wait for the high watermark first, then what was never written. */
    fail_list(&coordinator->deferred, error, coordinator->now);
    fail_writes(coordinator, error);
}
