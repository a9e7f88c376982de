/* Records that an election takes back: their offsets are used again, and who has them already may
 * still process them. */
#include "model/ledger_internal.h"

/* Acknowledged and in [from, to), but never processed. */
static int64_t unread(const struct ledger_log *log, const struct ledger_claim *claim, int64_t from,
                      int64_t to)
{
    int64_t sum = 0;
    struct interval gap;
    for (int64_t at = from; interval_set_first_gap(&claim->processed, at, to, &gap); at = gap.to)
        sum += interval_set_covered(&log->acknowledged, gap.from, gap.to);
    return sum;
}

/* Of [from, to): what was neither processed nor acknowledged. Its producer sends it again, so that
 * it is not to be counted as produced. */
static int64_t unheard_of(const struct ledger_log *log, const struct ledger_claim *claim,
                          int64_t from, int64_t to)
{
    int64_t sum = 0;
    struct interval gap;
    for (int64_t at = from; interval_set_first_gap(&claim->processed, at, to, &gap); at = gap.to)
        sum += gap.to - gap.from - interval_set_covered(&log->acknowledged, gap.from, gap.to);
    return sum;
}

struct ledger_gone *ledger_gone_of(struct ledger *ledger, struct ledger_claim *claim)
{
    if (claim->gone == NULL) claim->gone = memory_keep(ledger->memory, sizeof(*claim->gone));
    return claim->gone;
}

/* Somebody may have them already, and process them yet. */
static void keep_gone(struct ledger *ledger, const struct ledger_log *log,
                      struct ledger_claim *claim, int64_t new_end)
{
    struct ledger_gone *gone = ledger_gone_of(ledger, claim);
    gone->lost += unread(log, claim, new_end, log->end);
    gone->at = sim_now(ledger->sim);
    gone->from = new_end;
    struct interval gap;
    for (int64_t at = new_end; interval_set_first_gap(&claim->processed, at, log->end, &gap);
         at = gap.to) {
        struct interval unheard;
        interval_set_add(&gone->acknowledged, ledger->memory, gap.from, gap.to);
        for (int64_t from = gap.from;
             interval_set_first_gap(&log->acknowledged, from, gap.to, &unheard);
             from = unheard.to) {
            interval_set_remove(&gone->acknowledged, ledger->memory, unheard.from, unheard.to);
            interval_set_add(&gone->unheard, ledger->memory, unheard.from, unheard.to);
        }
    }
}

/* An election may take back what the new leader lacks; those offsets will be used again. */
void ledger_on_elected(struct ledger *ledger, struct ledger_log *log,
                       const struct trace_record *record)
{
    int64_t new_end = record->field[3];
    if (record->field[1] < 0 || new_end < 0 || new_end >= log->end) return;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, record->field[0])) continue;
        struct ledger_claim *claim = ledger_traced_claim(ledger, group, record->field[0]);
        keep_gone(ledger, log, claim, new_end);
        group->figures.produced -= unheard_of(log, claim, new_end, log->end);
        group->figures.taken_back += interval_set_covered(&log->acknowledged, new_end, log->end);
        if (claim->highest > new_end) claim->highest = new_end;
        claim->step_count = 0;
        claim->steps_highest = 0;
        group->forgotten +=
            interval_set_remove(&claim->processed, ledger->memory, new_end, log->end);
        interval_set_remove(&claim->effective, ledger->memory, new_end, log->end);
        interval_set_remove(&claim->skipped, ledger->memory, new_end, log->end);
        interval_set_remove(&claim->given_up, ledger->memory, new_end, log->end);
        interval_set_remove(&claim->in_hand, ledger->memory, new_end, log->end);
        if (claim->compacted != NULL)
            interval_set_remove(claim->compacted, ledger->memory, new_end, log->end);
    }
    interval_set_remove(&log->acknowledged, ledger->memory, new_end, log->end);
    interval_set_remove(&log->safe, ledger->memory, new_end, log->end);
    interval_set_remove(&log->markers, ledger->memory, new_end, log->end);
    interval_set_remove(&log->aborted, ledger->memory, new_end, log->end);
    interval_set_remove(&log->compacted, ledger->memory, new_end, log->end);
    ledger_copies_on_truncated(log, new_end);
    arrival_index_truncate(&log->arrivals, new_end);
    ledger->truncated += log->end - new_end;
    log->end = new_end;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, record->field[0])) continue;
        ledger_refresh_lag(group, ledger_traced_claim(ledger, group, record->field[0]), log);
    }
}

/* ---- what is processed all the same ------------------------------------------------------ */

/* A record does not say which log it is of. One that was begun before the election is of the old
 * one, and so is what lies behind the end. */
int64_t ledger_end_of_present(const struct ledger_log *log, const struct ledger_claim *claim,
                              const struct trace_record *record)
{
    int64_t to = record->field[3] + record->field[4];
    if (claim->gone == NULL) return to;
    int64_t end = record->field[5] < claim->gone->at ? claim->gone->from : log->end;
    if (end < record->field[3]) return record->field[3];
    return end < to ? end : to;
}

static int64_t take(struct ledger *ledger, struct interval_set *set, int64_t from, int64_t to)
{
    int64_t count = interval_set_covered(set, from, to);
    interval_set_remove(set, ledger->memory, from, to);
    return count;
}

int64_t ledger_process_gone(struct ledger *ledger, struct ledger_group_state *group,
                            struct ledger_claim *claim, int64_t from, int64_t to)
{
    if (from >= to) return 0;
    int64_t lost = take(ledger, &claim->gone->acknowledged, from, to);
    int64_t unheard = take(ledger, &claim->gone->unheard, from, to);
    claim->gone->lost -= lost;
    group->figures.produced += unheard;
    group->forgotten += lost + unheard;
    return lost + unheard;
}
