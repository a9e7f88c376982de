/* How far behind: lag in records and the age of the next record. */
#include "model/ledger_internal.h"

int64_t ledger_next_readable(const struct ledger_log *log, const struct ledger_group_state *group,
                             int64_t offset)
{
    bool reads_committed = group->scenario->config.isolation_level == READ_COMMITTED;
    struct interval readable;
    for (;;) {
        int64_t before = offset;
        if (!interval_set_first_gap(&log->markers, offset, INT64_MAX, &readable)) return offset;
        offset = readable.from;
        if (!reads_committed) return offset;
        if (!interval_set_first_gap(&log->aborted, offset, INT64_MAX, &readable)) return offset;
        offset = readable.from;
        if (offset == before) return offset;
    }
}

sim_time ledger_age(const struct ledger_log *log, const struct ledger_claim *claim, sim_time now)
{
    int64_t next = claim->next > log->start ? claim->next : log->start;
    struct interval kept;
    if (log->compacted.count > 0 &&
        interval_set_first_gap(&log->compacted, next, INT64_MAX, &kept)) {
        next = kept.from;
    }
    if (next >= log->end || log->is_deleted) return 0;
    const struct arrival_span *span = arrival_index_find(&log->arrivals, next);
    if (span == NULL) return 0;
    sim_time born_at = arrival_span_at(span, next);
    return born_at < now ? now - born_at : 0;
}

void ledger_refresh_lag(struct ledger_group_state *group, struct ledger_claim *claim,
                        const struct ledger_log *log)
{
    /* Records that retention deleted are no work any more, though an exporter still counts them. */
    int64_t next = claim->next > log->start ? claim->next : log->start;
    int64_t lag = log->end > next && !log->is_deleted ? log->end - next : 0;
    group->lag += lag - claim->lag;
    claim->lag = lag;
    if (group->lag > group->figures.lag_records_max) group->figures.lag_records_max = group->lag;
}

static bool is_owner(const struct ledger_claim *claim, name_id member)
{
    for (uint32_t i = 0; i < claim->owner_count; i++) {
        if (claim->owners[i].member == member) return true;
    }
    return false;
}

/* Up to where nobody will ask what cannot be read. Polls of an owner, or of a zombie, go on over
 * markers that the group's commit may have passed long ago. */
static int64_t passed_by_owners(const struct ledger_claim *claim, int64_t settled)
{
    for (uint32_t i = 0; i < claim->poll_count; i++) {
        const struct ledger_poll *poll = &claim->polls[i];
        if (poll->end < settled && is_owner(claim, poll->member)) settled = poll->end;
    }
    return settled;
}

/* The others may own the partition again, and are then asked what they had left out. */
static void note_dropped(const struct ledger_log *log, const struct ledger_group_state *group,
                         struct ledger_claim *claim, int64_t settled)
{
    bool reads_committed = group->scenario->config.isolation_level == READ_COMMITTED;
    for (uint32_t i = 0; i < claim->poll_count; i++) {
        struct ledger_poll *poll = &claim->polls[i];
        if (poll->end >= settled || poll->unreadable == LEDGER_POLL_NEW) continue;
        poll->unreadable += interval_set_covered(&log->markers, poll->end, settled);
        if (reads_committed)
            poll->unreadable += interval_set_covered(&log->aborted, poll->end, settled);
    }
}

static void drop_unreadable(struct ledger *ledger, int32_t t, int32_t p, int64_t settled)
{
    struct ledger_log *log = &ledger->topics[t].logs[p];
    if (log->markers.count == 0 && log->aborted.count == 0) return;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        const struct ledger_claim *claims = ledger->groups[g].claims[t];
        if (claims != NULL) settled = passed_by_owners(&claims[p], settled);
    }
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_claim *claims = ledger->groups[g].claims[t];
        if (claims != NULL) note_dropped(log, &ledger->groups[g], &claims[p], settled);
    }
    interval_set_remove(&log->markers, ledger->memory, 0, settled);
    interval_set_remove(&log->aborted, ledger->memory, 0, settled);
}

/* Arrival times and what cannot be read, behind every group's next and committed offset will not be
 * asked for again. */
void ledger_drop_settled_arrivals(struct ledger *ledger)
{
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        struct ledger_topic *topic = &ledger->topics[t];
        for (int32_t p = 0; p < topic->partition_count; p++) {
            struct ledger_log *log = &topic->logs[p];
            ledger_prefetch_oldest(topic, p);
            if (log->is_deleted) continue; /* to be buried with all it has */
            int64_t settled = log->end;
            for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
                struct ledger_claim *claims = ledger->groups[g].claims[t];
                if (claims == NULL) continue;
                const struct ledger_claim *claim = &claims[p];
                int64_t restart = claim->committed < 0 ? 0 : claim->committed;
                if (restart < settled) settled = restart;
                if (claim->next < settled) settled = claim->next;
            }
            if (settled < log->start) settled = log->start;
            arrival_index_drop_before(&log->arrivals, settled);
            drop_unreadable(ledger, t, p, settled);
            if (log->compacted.count > 0)
                interval_set_remove(&log->compacted, ledger->memory, 0, log->start);
        }
    }
}
