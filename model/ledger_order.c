/* In which order records were processed (A13), against the order of their partition and the order
 * in which they came into being. */
#include "model/ledger_internal.h"

#include "sim/wide.h"

#include <string.h>

#define STEPS_KEPT 64 /* more workers than this never hold records of one partition at once */

/* ---- workers: steps that overlap ---- */

/* The n-th of `count` records is done at begin + length * n / count. */
static sim_time first_done_at(const struct ledger_step *step)
{
    return step->begin_at + (step->end_at - step->begin_at) / (step->to - step->from);
}

static int64_t done_after(const struct ledger_step *step, sim_time at)
{
    int64_t count = step->to - step->from;
    if (at < step->begin_at) return count;
    if (at >= step->end_at) return 0;
    return count -
           (int64_t)((int128)(at - step->begin_at) * count / (step->end_at - step->begin_at));
}

static struct ledger_step *take_step(struct ledger *ledger, struct ledger_claim *claim)
{
    if (claim->steps == NULL)
        claim->steps = memory_take(ledger->memory, STEPS_KEPT * sizeof(*claim->steps));
    struct ledger_step *step = &claim->steps[claim->step_count % STEPS_KEPT];
    if (claim->step_count++ >= STEPS_KEPT && step->to > claim->steps_highest)
        claim->steps_highest = step->to;
    return step;
}

/* Each pair of steps is looked at once, when the second one ends: records of the lower one that
 * were done after the higher one's first are out of order. */
static int64_t note_step(struct ledger *ledger, struct ledger_claim *claim,
                         struct ledger_step present)
{
    int64_t reordered = 0;
    uint32_t kept = claim->step_count < STEPS_KEPT ? claim->step_count : STEPS_KEPT;
    for (uint32_t i = 0; i < kept; i++) {
        struct ledger_step *other = &claim->steps[i];
        if (other->to - 1 > present.from) { /* it has later records */
            sim_time at = first_done_at(other);
            if (at < present.overtaken_at) present.overtaken_at = at;
        } else {
            sim_time at = first_done_at(&present);
            if (at >= other->overtaken_at) continue;
            reordered += done_after(other, at) - done_after(other, other->overtaken_at);
            other->overtaken_at = at;
        }
    }
    if (claim->steps_highest - 1 > present.from) present.overtaken_at = 0;
    reordered += done_after(&present, present.overtaken_at);
    *take_step(ledger, claim) = present;
    return reordered;
}

int64_t ledger_count_overlaps(struct ledger *ledger, struct ledger_claim *claim,
                              const struct trace_record *record)
{
    int64_t from = record->field[3];
    return note_step(ledger, claim,
                     (struct ledger_step){from, from + record->field[4], record->field[5],
                                          record->at, SIM_TIME_NEVER});
}

/* ---- added partitions: keys move, and leave older records behind ---- */

static bool has_keys(const struct ledger *ledger, int32_t topic)
{
    for (int32_t i = 0; i < ledger->scenario->producer_count; i++) {
        const struct scenario_producer *producer = &ledger->scenario->producers[i];
        if (scenario_producer_is_keyed(producer) &&
            strcmp(producer->topic, ledger->scenario->topics[topic].name) == 0)
            return true;
    }
    return false;
}

static bool waits_since(struct ledger *ledger, struct ledger_group_state *group, partition_id id,
                        sim_time since)
{
    const struct ledger_claim *claim = ledger_claim_of(ledger, group, id);
    const struct ledger_log *log = ledger_log_of(ledger, id);
    sim_time now = sim_now(ledger->sim);
    sim_time age = ledger_age(log, claim, now);
    return age > 0 && now - age < since;
}

/* A key's partition is its hash modulo their number: where that was multiplied, all keys of an
 * added partition come from one; otherwise from any. */
static bool is_overtaking(struct ledger *ledger, struct ledger_group_state *group, partition_id id)
{
    int32_t topic = PARTITION_TOPIC(id);
    int32_t before = ledger->scenario->topics[topic].partitions;
    if (PARTITION_NUMBER(id) < before || !has_keys(ledger, topic)) return false;
    sim_time since = ledger_log_of(ledger, id)->since;
    if (ledger->topics[topic].partition_count % before == 0) {
        partition_id origin = PARTITION_ID(topic, PARTITION_NUMBER(id) % before);
        return waits_since(ledger, group, origin, since);
    }
    for (int32_t p = 0; p < before; p++) {
        if (waits_since(ledger, group, PARTITION_ID(topic, p), since)) return true;
    }
    return false;
}

void ledger_note_moved_keys(struct ledger *ledger, struct ledger_group_state *group,
                            const struct trace_record *record)
{
    partition_id id = (partition_id)record->field[2];
    if (PARTITION_NUMBER(id) < ledger->scenario->topics[PARTITION_TOPIC(id)].partitions) return;
    if (!is_overtaking(ledger, group, id)) return;
    group->anomalies.overtaken += record->field[4];
    ledger_add_finding(ledger, group,
                       &(struct finding){.kind = FINDING_OVERTAKEN,
                                         .cause = FINDING_CAUSE_PARTITIONS_ADDED,
                                         .partition = id,
                                         .from = record->field[3],
                                         .to = record->field[3] + record->field[4],
                                         .records = record->field[4],
                                         .member = (name_id)record->field[1],
                                         .culprit = NAME_NONE});
}

void ledger_note_births(struct ledger_group_state *group, const struct arrival_span *span,
                        int64_t from, int64_t to)
{
    if (arrival_span_at(span, from) < group->newest) {
        int64_t end = span->base_offset + arrival_span_count_before(span, group->newest);
        group->anomalies.out_of_order += (end < to ? end : to) - from;
    }
    sim_time last_at = arrival_span_at(span, to - 1);
    if (last_at > group->newest) group->newest = last_at;
}
