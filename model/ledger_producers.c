/* The producers' side: what they were asked to send, and what became of it.
 *
 * With acks=0 nobody is told of a loss, so every batch is followed from when its producer takes it
 * for sent until a broker writes or refuses it, or it is lost with a connection. The two can come
 * in either order at one instant; whatever comes first waits for the other. A producer knows its
 * topic by name only: what it has under way is kept with the topic that has the name now. */
#include "model/ledger_internal.h"

void ledger_init_producers(struct ledger *ledger)
{
    const struct scenario *scenario = ledger->scenario;
    ledger->producers = memory_keep(ledger->memory, sizeof(*ledger->producers) *
                                                        ((size_t)scenario->producer_count + 1));
    for (int32_t i = 0; i < scenario->producer_count; i++) {
        const struct scenario_producer *producer = &scenario->producers[i];
        bool asks_for_none = producer->config.acks == 0;
        /* What was written without asking for an answer is never written again. */
        bool can_write_twice =
            !asks_for_none && (!producer->config.enable_idempotence || producer->resend);
        name_id name = names_intern(sim_names(ledger->sim), producer->name);
        name_table_set(ledger, &ledger->producer_by_name, name, (uint32_t)i + 1);
        ledger->producers[i] = (struct ledger_producer_state){
            .name = name,
            .is_followed = can_write_twice || asks_for_none,
            .can_write_twice = can_write_twice,
            .asks_for_none = asks_for_none,
            .asks_for_all = producer->config.acks == -1,
            .resends = producer->resend,
        };
    }
}

void ledger_producer(const struct ledger *ledger, int32_t producer, struct ledger_producer *out)
{
    const struct ledger_producer_state *state = &ledger->producers[producer];
    *out = state->figures;
    out->pending =
        out->arrived - out->acknowledged - out->failed - out->unsent - out->unheard - out->down;
    if (state->asks_for_none)
        out->travelling = out->acknowledged - out->appended - out->diverged - out->dropped;
}

void ledger_on_arrival(struct ledger *ledger, const struct trace_record *record)
{
    struct ledger_producer_state *producer = ledger_producer_of(ledger, record->field[0]);
    if (producer != NULL) producer->figures.arrived += record->field[2];
}

/* ---- acks=0 ------------------------------------------------------------------------------ */

/* One half of a batch's story is known: ends its entry if the other half is, too. */
static void follow(struct ledger *ledger, int64_t partition, const struct ledger_sent *half)
{
    struct ledger_log *log = ledger_log_of(ledger, partition);
    struct ledger_sent *other = ledger_sent_find(log, half);
    if (other != NULL && other->settled != half->settled) {
        ledger_sent_drop(log, other);
    } else {
        ledger_sent_keep(ledger, log, half);
    }
}

void ledger_sent_blindly(struct ledger *ledger, const struct trace_record *record)
{
    follow(ledger, record->field[1],
           &(struct ledger_sent){.producer = (name_id)record->field[0],
                                 .count = record->field[3],
                                 .first_at = record->field[6],
                                 .last_at = record->field[7],
                                 .is_blind = true});
}

static void settle(struct ledger *ledger, const struct trace_record *record)
{
    follow(ledger, record->field[0],
           &(struct ledger_sent){.producer = (name_id)record->field[8],
                                 .count = record->field[4],
                                 .first_at = record->field[6],
                                 .last_at = record->field[7],
                                 .is_blind = true,
                                 .settled = true});
}

void ledger_written_blindly(struct ledger *ledger, struct ledger_log *log,
                            const struct trace_record *record)
{
    int64_t from = record->field[3];
    int64_t to = from + record->field[4];
    settle(ledger, record);
    /* The producer takes it for written, and will not send it again should it be truncated. */
    interval_set_add(&log->acknowledged, ledger->memory, from, to);
}

void ledger_diverged_blindly(struct ledger *ledger, struct ledger_producer_state *producer,
                             const struct trace_record *record)
{
    settle(ledger, record);
    producer->figures.diverged += record->field[4];
    ledger_lose(ledger, record->field[0], record->field[4]);
}

/* ---- what producers cannot vouch for ----------------------------------------------------- */

/* Records that no log has ever had: lost to every group that reads their topic. */
static void lose_before_the_log(struct ledger *ledger, const struct trace_record *record,
                                enum finding_cause cause)
{
    int64_t partition = record->field[1];
    const struct ledger_log *log = ledger_log_of(ledger, partition);
    int32_t topic = PARTITION_TOPIC((partition_id)partition);
    if (topic >= ledger->scenario->topic_count) return;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, partition)) continue;
        group->figures.produced += record->field[2];
        /* Those that blocked for want of memory had no partition yet. */
        struct finding finding = {
            .kind = FINDING_LOST,
            .cause = cause,
            .partition = log == NULL ? FINDING_NO_PARTITION : (partition_id)partition,
            .from = log == NULL ? 0 : log->end,
            .to = log == NULL ? 0 : log->end,
            .records = record->field[2],
            .culprit = (name_id)record->field[0],
        };
        ledger_report(ledger, group, &finding);
    }
}

static void on_dropped(struct ledger *ledger, struct ledger_producer_state *producer,
                       const struct trace_record *record)
{
    if (ledger_log_of(ledger, record->field[1]) == NULL) return;
    producer->figures.dropped += record->field[2];
    follow(ledger, record->field[1],
           &(struct ledger_sent){.producer = producer->name,
                                 .count = record->field[2],
                                 .first_at = record->field[7],
                                 .last_at = record->field[8],
                                 .is_blind = true,
                                 .settled = true});
    lose_before_the_log(ledger, record, FINDING_CAUSE_ACKS_0);
}

void ledger_on_send_failed(struct ledger *ledger, const struct trace_record *record)
{
    struct ledger_producer_state *producer = ledger_producer_of(ledger, record->field[0]);
    if (producer == NULL) return;
    struct ledger_producer *figures = &producer->figures;
    int64_t count = record->field[2];
    switch ((enum send_failure)record->field[3]) {
    case SEND_FAILED:
        *(producer->resends ? &figures->resent : &figures->failed) += count;
        ledger_count_error(figures->failed_by_error, record->field[4], count);
        return;
    case SEND_DROPPED: on_dropped(ledger, producer, record); return;
    case SEND_UNSENT:
        figures->unsent += count;
        lose_before_the_log(ledger, record, FINDING_CAUSE_PRODUCER_KILLED);
        return;
    case SEND_UNHEARD: figures->unheard += count; return;
    case SEND_DOWN: figures->down += count; return;
    }
}

/* ---- the books --------------------------------------------------------------------------- */

/* By the batches that are followed, not by subtraction. */
static int64_t count_travelling(const struct ledger *ledger, name_id producer)
{
    int64_t sum = 0;
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            const struct ledger_log *log = &ledger->topics[t].logs[p];
            for (uint32_t i = 0; i < log->sent_count; i++) {
                const struct ledger_sent *sent = &log->sent[i];
                if (sent->producer == producer) sum += sent->settled ? -sent->count : sent->count;
            }
        }
    }
    return sum;
}

bool ledger_producers_balance(const struct ledger *ledger)
{
    for (int32_t i = 0; i < ledger->scenario->producer_count; i++) {
        struct ledger_producer figures;
        ledger_producer(ledger, i, &figures);
        if (figures.pending < 0) return false;
        const struct ledger_producer_state *state = &ledger->producers[i];
        if (state->asks_for_none && figures.travelling != count_travelling(ledger, state->name))
            return false;
    }
    return true;
}
