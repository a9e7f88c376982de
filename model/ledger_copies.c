/* What producers write more than once, or to a leader that had been deposed.
 *
 * Followed are the batches of producers that can do it: without idempotence, or with an application
 * that sends again what had failed. A batch stays in the list of its partition from its append
 * until its producer is told of it; that is rarely more than max.in.flight. */
#include "model/ledger_internal.h"

/* Batches that failed and are never sent again stay; the oldest make room. */
#define SENT_MAX 4096

struct ledger_sent *ledger_sent_find(struct ledger_log *log, const struct ledger_sent *batch)
{
    for (uint32_t i = 0; i < log->sent_count; i++) {
        struct ledger_sent *sent = &log->sent[i];
        if (sent->producer == batch->producer && sent->first_at == batch->first_at &&
            sent->last_at == batch->last_at && sent->count == batch->count)
            return sent;
    }
    return NULL;
}

void ledger_sent_drop(struct ledger_log *log, struct ledger_sent *sent)
{
    uint32_t at = (uint32_t)(sent - log->sent);
    for (uint32_t i = at + 1; i < log->sent_count; i++)
        log->sent[i - 1] = log->sent[i];
    log->sent_count--;
}

/* Those with acks=0 are all needed: their sum is a figure. */
static void make_room(struct ledger_log *log)
{
    if (log->sent_count < SENT_MAX) return;
    uint32_t oldest = 0;
    while (oldest < log->sent_count && log->sent[oldest].is_blind)
        oldest++;
    if (oldest < log->sent_count) ledger_sent_drop(log, &log->sent[oldest]);
}

void ledger_sent_keep(struct ledger *ledger, struct ledger_log *log, const struct ledger_sent *sent)
{
    make_room(log);
    if (log->sent_count == log->sent_capacity) {
        uint32_t capacity = log->sent_capacity == 0 ? 8 : log->sent_capacity * 2;
        log->sent =
            memory_resize(ledger->memory, log->sent, log->sent_capacity * sizeof(*log->sent),
                          capacity * sizeof(*log->sent));
        log->sent_capacity = capacity;
    }
    log->sent[log->sent_count++] = *sent;
}

static void report_copy(struct ledger *ledger, const struct ledger_sent *first,
                        const struct trace_record *record)
{
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, record->field[0])) continue;
        group->figures.copies += first->count;
        ledger_report(ledger, group,
                      &(struct finding){
                          .kind = FINDING_COPY,
                          .cause = first->failed ? FINDING_CAUSE_PRODUCER_RESEND
                                                 : FINDING_CAUSE_PRODUCER_RETRY,
                          .partition = (partition_id)record->field[0],
                          .from = record->field[3],
                          .to = record->field[3] + first->count,
                          .records = first->count,
                          .member = NAME_NONE,
                          .culprit = first->producer,
                      });
    }
}

/* A batch as brokers report it. */
static struct ledger_sent written(const struct trace_record *record)
{
    return (struct ledger_sent){.base_offset = record->field[3],
                                .count = record->field[4],
                                .first_at = record->field[6],
                                .last_at = record->field[7],
                                .producer = (name_id)record->field[8]};
}

void ledger_copies_on_append(struct ledger *ledger, struct ledger_log *log,
                             const struct ledger_producer_state *producer,
                             const struct trace_record *record)
{
    if (producer->asks_for_none) {
        ledger_written_blindly(ledger, log, record);
        return;
    }
    const struct ledger_sent batch = written(record);
    struct ledger_sent *first = ledger_sent_find(log, &batch);
    if (first != NULL && !first->diverged) {
        report_copy(ledger, first, record);
        return;
    }
    /* Refused at last by the deposed leader, and sent anew? */
    if (first != NULL) ledger_sent_drop(log, first);
    ledger_sent_keep(ledger, log, &batch);
}

void ledger_copies_on_diverged(struct ledger *ledger, struct ledger_log *log,
                               const struct trace_record *record)
{
    struct ledger_producer_state *producer = ledger_producer_of(ledger, record->field[8]);
    if (producer == NULL) return;
    if (producer->asks_for_none) ledger_diverged_blindly(ledger, producer, record);
    if (!producer->can_write_twice) return;
    struct ledger_sent batch = written(record);
    batch.diverged = true;
    if (ledger_sent_find(log, &batch) == NULL) ledger_sent_keep(ledger, log, &batch);
}

bool ledger_copies_on_done(struct ledger_log *log, const struct trace_record *record)
{
    if (log->sent_count == 0) return false;
    const struct ledger_sent batch = {.count = record->field[3],
                                      .first_at = record->field[6],
                                      .last_at = record->field[7],
                                      .producer = (name_id)record->field[0]};
    struct ledger_sent *sent = ledger_sent_find(log, &batch);
    if (sent == NULL) return false;
    if (record->field[4] != 0) {
        sent->failed = true;
        return false;
    }
    bool diverged = sent->diverged;
    ledger_sent_drop(log, sent);
    return diverged;
}

void ledger_copies_on_truncated(struct ledger_log *log, int64_t end)
{
    for (uint32_t i = log->sent_count; i > 0; i--) {
        struct ledger_sent *sent = &log->sent[i - 1];
        bool was_written = !sent->diverged && !sent->is_blind;
        if (was_written && sent->base_offset >= end) ledger_sent_drop(log, sent);
    }
}
