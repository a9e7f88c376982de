/* What producers write more than once, or to a leader that had been deposed.
 *
 * Followed are the batches of producers that can do it: without idempotence, or with an application
 * that sends again what had failed. A batch stays in the list of its partition from its append
 * until its producer is told of it; that is rarely more than max.in.flight. */
#include "model/ledger_internal.h"

/* Batches that failed and are never sent again stay; the oldest make room. */
#define SENT_MAX 4096

static bool can_write_twice(const struct ledger *ledger, name_id name)
{
    uint32_t number = name_table_get(&ledger->producer_by_name, name);
    if (number == 0) return false;
    const struct scenario_producer *producer = &ledger->scenario->producers[number - 1];
    return !producer->config.enable_idempotence || producer->resend;
}

static struct ledger_sent *find(struct ledger_log *log, name_id producer, int64_t count,
                                sim_time first_at, sim_time last_at)
{
    for (uint32_t i = 0; i < log->sent_count; i++) {
        struct ledger_sent *sent = &log->sent[i];
        if (sent->producer == producer && sent->first_at == first_at && sent->last_at == last_at &&
            sent->count == count)
            return sent;
    }
    return NULL;
}

static void drop(struct ledger_log *log, struct ledger_sent *sent)
{
    uint32_t at = (uint32_t)(sent - log->sent);
    for (uint32_t i = at + 1; i < log->sent_count; i++)
        log->sent[i - 1] = log->sent[i];
    log->sent_count--;
}

static void keep(struct ledger *ledger, struct ledger_log *log, const struct ledger_sent *sent)
{
    if (log->sent_count == SENT_MAX) drop(log, &log->sent[0]);
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

void ledger_copies_on_append(struct ledger *ledger, struct ledger_log *log,
                             const struct trace_record *record)
{
    name_id producer = (name_id)record->field[8];
    if (!can_write_twice(ledger, producer)) return;
    struct ledger_sent *first =
        find(log, producer, record->field[4], record->field[6], record->field[7]);
    if (first != NULL && !first->diverged) {
        report_copy(ledger, first, record);
        return;
    }
    if (first != NULL) drop(log, first); /* refused at last by the deposed leader, and sent anew */
    keep(ledger, log,
         &(struct ledger_sent){.base_offset = record->field[3],
                               .count = record->field[4],
                               .first_at = record->field[6],
                               .last_at = record->field[7],
                               .producer = producer});
}

void ledger_copies_on_diverged(struct ledger *ledger, struct ledger_log *log,
                               const struct trace_record *record)
{
    name_id producer = (name_id)record->field[8];
    if (!can_write_twice(ledger, producer)) return;
    if (find(log, producer, record->field[4], record->field[6], record->field[7]) != NULL) return;
    keep(ledger, log,
         &(struct ledger_sent){.base_offset = record->field[3],
                               .count = record->field[4],
                               .first_at = record->field[6],
                               .last_at = record->field[7],
                               .producer = producer,
                               .diverged = true});
}

bool ledger_copies_on_done(struct ledger_log *log, const struct trace_record *record)
{
    if (log->sent_count == 0) return false;
    struct ledger_sent *sent =
        find(log, (name_id)record->field[0], record->field[3], record->field[6], record->field[7]);
    if (sent == NULL) return false;
    if (record->field[4] != 0) {
        sent->failed = true;
        return false;
    }
    bool diverged = sent->diverged;
    drop(log, sent);
    return diverged;
}

void ledger_copies_on_truncated(struct ledger_log *log, int64_t end)
{
    for (uint32_t i = log->sent_count; i > 0; i--) {
        struct ledger_sent *sent = &log->sent[i - 1];
        if (!sent->diverged && sent->base_offset >= end) drop(log, sent);
    }
}
