/* What is legal under the configuration, and worth knowing: A3, A4, A6 to A8, A12 and A13 of
 * checkers.md. The rest: ledger_causes.c (A1, A2, A5), ledger_rest.c (A9, A10). */
#include "model/ledger_internal.h"

#include "model/kafka_types.h"

#include <string.h>

void ledger_add_finding(struct ledger *ledger, struct ledger_group_state *group,
                        const struct finding *finding)
{
    group->totals.records[finding->kind][finding->cause] += finding->records;
    struct finding whole = *finding;
    whole.group = (int32_t)(group - ledger->groups);
    whole.at = whole.last_at = sim_now(ledger->sim);
    findings_add(&ledger->findings, ledger->memory, &whole);
}

/* ---- A3, A4, A13: the order of processing -------------------------------------------------- */

/* The consumer's entry, moved to the front; a new one begins at `from`. */
static struct ledger_poll *poll_of(struct ledger *ledger, struct ledger_claim *claim,
                                   name_id member, int64_t from)
{
    uint32_t at = 0;
    while (at < claim->poll_count && claim->polls[at].member != member)
        at++;
    struct ledger_poll found = {member, from, LEDGER_POLL_NEW};
    if (at < claim->poll_count) {
        found = claim->polls[at];
    } else {
        if (claim->poll_count == claim->poll_capacity) {
            uint32_t capacity = claim->poll_capacity == 0 ? 2 : claim->poll_capacity * 2;
            claim->polls = memory_resize(ledger->memory, claim->polls,
                                         claim->poll_capacity * sizeof(*claim->polls),
                                         capacity * sizeof(*claim->polls));
            claim->poll_capacity = capacity;
        }
        claim->poll_count++;
    }
    memmove(claim->polls + 1, claim->polls, at * sizeof(*claim->polls));
    claim->polls[0] = found;
    return &claim->polls[0];
}

void ledger_begin_polls(struct ledger *ledger, struct ledger_claim *claim, name_id member,
                        int64_t position)
{
    struct ledger_poll *poll = poll_of(ledger, claim, member, position);
    if (poll->unreadable == LEDGER_POLL_NEW) poll->end = position;
}

void ledger_note_polled(struct ledger *ledger, struct ledger_claim *claim, name_id member,
                        int64_t end)
{
    *poll_of(ledger, claim, member, end) = (struct ledger_poll){.member = member, .end = end};
}

void ledger_forget_polls(struct ledger_claim *claim, name_id member)
{
    for (uint32_t i = 0; i < claim->poll_count; i++) {
        if (claim->polls[i].member != member) continue;
        memmove(claim->polls + i, claim->polls + i + 1,
                (claim->poll_count - i - 1) * sizeof(*claim->polls));
        claim->poll_count--;
        return;
    }
}

/* Worker threads finish in any order: that is A13, and says nothing of polls. */
static void note_polls(struct ledger *ledger, struct ledger_group_state *group,
                       struct ledger_claim *claim, const struct ledger_log *log,
                       const struct trace_record *record)
{
    name_id member = (name_id)record->field[1];
    int64_t from = record->field[3];
    struct ledger_poll *poll = poll_of(ledger, claim, member, from);
    int64_t expected = poll->end;
    int64_t unreadable = poll->unreadable;
    *poll = (struct ledger_poll){.member = member, .end = from + record->field[4]};
    if (from == expected || unreadable == LEDGER_POLL_NEW) return;
    struct finding finding = {
        .kind = from > expected ? FINDING_POLL_SKIP : FINDING_POLL_REWIND,
        .cause = claim->redo_cause,
        .partition = (partition_id)record->field[2],
        .from = from > expected ? expected : from,
        .to = from > expected ? from : expected,
        .member = member,
        .culprit = claim->last_worker,
    };
    finding.records =
        finding.to - finding.from - interval_set_covered(&log->markers, finding.from, finding.to);
    if (group->scenario->config.isolation_level == READ_COMMITTED)
        finding.records -= interval_set_covered(&log->aborted, finding.from, finding.to);
    finding.records -= interval_set_covered(&log->compacted, finding.from, finding.to);
    if (from > expected) finding.records -= unreadable;
    if (finding.records == 0) return; /* nothing that it could have been given lies between */
    if (from > expected) {
        group->anomalies.poll_skips++;
    } else {
        group->anomalies.poll_rewinds++;
    }
    ledger_add_finding(ledger, group, &finding);
}

void ledger_note_order(struct ledger *ledger, struct ledger_group_state *group,
                       struct ledger_claim *claim, const struct ledger_log *log,
                       const struct trace_record *record)
{
    int64_t from = record->field[3];
    int64_t to = from + record->field[4];
    if (!group->has_workers) {
        bool goes_on = claim->poll_count > 0 && claim->polls[0].end == from &&
                       claim->polls[0].member == (name_id)record->field[1];
        if (goes_on) {
            claim->polls[0].end = to;
            claim->polls[0].unreadable = 0;
        } else {
            note_polls(ledger, group, claim, log, record);
        }
    }
    int64_t overlapping = 0;
    if (group->has_workers) {
        overlapping = ledger_count_overlaps(ledger, claim, record);
        if (overlapping == 0) return;
    } else if (from >= claim->highest) {
        return;
    }
    struct finding finding = {
        .kind = FINDING_REORDERED,
        .cause = ledger_repeat_cause(ledger, group, claim, record),
        .partition = (partition_id)record->field[2],
        .from = from,
        .to = to < claim->highest ? to : claim->highest,
        .member = (name_id)record->field[1],
        .culprit = claim->last_worker,
    };
    finding.records = finding.to - from;
    if (overlapping > 0) {
        finding.to = to;
        finding.records = overlapping; /* of these and of ranges reported before */
        finding.cause = FINDING_CAUSE_WORKERS;
    }
    group->anomalies.reordered++;
    group->anomalies.reordered_records += finding.records;
    ledger_add_finding(ledger, group, &finding);
}

/* ---- A6, A7, A8: commits and positions ------------------------------------------------------ */

void ledger_count_error(struct ledger_error_count *counts, int64_t error, int64_t count)
{
    for (int i = 0; i < LEDGER_ERRORS_KEPT; i++) {
        struct ledger_error_count *entry = &counts[i];
        if (entry->count > 0 && entry->error != error) continue;
        entry->error = error;
        entry->count += count;
        return;
    }
}

void ledger_note_rejected_commit(struct ledger *ledger, struct ledger_group_state *group,
                                 const struct trace_record *record)
{
    group->anomalies.rejected_commits++;
    ledger_count_error(group->anomalies.rejected_by_error, record->field[6], 1);
    const struct ledger_claim *claim = ledger_claim_of(ledger, group, record->field[1]);
    if (claim == NULL) return;
    /* What would be done again if this was the last that was heard of the member. */
    int64_t offset = record->field[2];
    int64_t committed = claim->committed < 0 ? 0 : claim->committed;
    struct finding finding = {
        .kind = FINDING_REJECTED_COMMIT,
        .cause = FINDING_CAUSE_COMMIT_FAILED,
        .partition = (partition_id)record->field[1],
        .from = committed < offset ? committed : offset,
        .to = offset,
        .member = (name_id)record->field[3],
        .detail = kafka_error_name((int32_t)record->field[6]),
    };
    finding.records = finding.to - finding.from;
    ledger_add_finding(ledger, group, &finding);
}

void ledger_note_commit_rewind(struct ledger *ledger, struct ledger_group_state *group,
                               const struct ledger_claim *claim, const struct trace_record *record)
{
    bool by_hand = ledger_is_by_hand(group, record);
    /* Nobody has set a position back since: it is no new work that is committed. */
    bool is_old = record->field[2] < claim->best_commit;
    struct finding finding = {
        .kind = FINDING_COMMIT_REWIND,
        .cause = by_hand  ? FINDING_CAUSE_ADMIN
                 : is_old ? FINDING_CAUSE_OLD_COMMIT
                          : claim->redo_cause,
        .partition = (partition_id)record->field[1],
        .from = record->field[2],
        .to = claim->committed,
        .records = claim->committed - record->field[2],
        .member = (name_id)record->field[3],
        .culprit = claim->redo_culprit,
    };
    group->anomalies.commit_rewinds++;
    ledger_add_finding(ledger, group, &finding);
}

void ledger_note_reset(struct ledger *ledger, struct ledger_group_state *group,
                       const struct ledger_claim *claim, const struct trace_record *record)
{
    enum position_cause cause = (enum position_cause)record->field[4];
    if (cause == POSITION_COMMITTED || cause == POSITION_EXTERNAL) return;
    static const enum finding_cause causes[] = {
        [POSITION_RESET_EARLIEST] = FINDING_CAUSE_OFFSET_RESET,
        [POSITION_RESET_LATEST] = FINDING_CAUSE_OFFSET_RESET,
        [POSITION_RESET_BY_DURATION] = FINDING_CAUSE_OFFSET_RESET,
        [POSITION_OUT_OF_RANGE] = FINDING_CAUSE_RETENTION,
        [POSITION_TRUNCATED] = FINDING_CAUSE_TRUNCATION,
        [POSITION_SEEK] = FINDING_CAUSE_SEEK,
    };
    int64_t offset = record->field[3];
    struct finding finding = {
        .kind = FINDING_OFFSET_RESET,
        .cause = claim->is_stale ? FINDING_CAUSE_TOPIC_RECREATED : causes[cause],
        .partition = (partition_id)record->field[2],
        .from = offset < claim->next ? offset : claim->next,
        .to = offset < claim->next ? claim->next : offset,
        .member = (name_id)record->field[1],
        .culprit = claim->last_worker,
    };
    finding.records = finding.to - finding.from;
    group->anomalies.offset_resets++;
    /* The start of a group at the beginning of its topics is a reset too, but no jump. */
    if (finding.records > 0) ledger_add_finding(ledger, group, &finding);
}

/* E10 to E12 of the catalogue: what ends or disturbs a consumer is an exception out of poll(). */
void ledger_note_exception(struct ledger_group_state *group, const struct trace_record *record)
{
    if (record->field[2] == CLIENT_EXCEPTION) group->anomalies.exceptions_caught++;
    if (record->field[2] != CLIENT_FATAL) return;
    group->anomalies.fatal_errors++;
    ledger_count_error(group->anomalies.fatal_by_error, record->field[6], 1);
}

/* ---- A12: one rebalance brings about the next ------------------------------------------------ */

/* The effect of an earlier rebalance that made this one, or FINDING_CAUSE_UNKNOWN: it came from
 * outside. Causes are told by what happened to the member, not by how soon one followed the other.
 */
static enum finding_cause link_of(struct ledger *ledger, const struct ledger_member *member,
                                  const struct trace_record *record)
{
    const char *reason;
    switch ((enum rebalance_cause)record->field[1]) {
    case CAUSE_SYNC_EXPIRED:
    case CAUSE_REBALANCE_EXPIRED: return FINDING_CAUSE_NOT_SYNCED;
    case CAUSE_ASSIGNMENT_FAILED: return FINDING_CAUSE_NOT_STORED;
    case CAUSE_MEMBER_REJOINED:
    case CAUSE_LEADER_REJOINED:
        /* The client gives its reason when it joins (KIP-800). */
        reason = names_text(sim_names(ledger->sim), (name_id)record->field[5]);
        if (strstr(reason, "need to revoke partitions") != NULL) return FINDING_CAUSE_REVOKED_FIRST;
        if (strstr(reason, "rebalance failed due to") != NULL) return FINDING_CAUSE_JOIN_FAILED;
        return member->expelled ? FINDING_CAUSE_CAME_BACK : FINDING_CAUSE_UNKNOWN;
    case CAUSE_MEMBER_JOINED:
    case CAUSE_STATIC_MEMBER_CHANGED:
        return member->expelled ? FINDING_CAUSE_CAME_BACK : FINDING_CAUSE_UNKNOWN;
    case CAUSE_SESSION_EXPIRED:
        /* Alive, and silent because its heartbeat thread waits for the answer to its JoinGroup; or
         * a membership that its own client gave up for another. */
        if (member->halted) return FINDING_CAUSE_UNKNOWN;
        return member->joining || member->abandoned == (name_id)record->field[3]
                   ? FINDING_CAUSE_JOIN_UNREAD
                   : FINDING_CAUSE_UNKNOWN;
    case CAUSE_MEMBER_LEFT:
    case CAUSE_POLL_EXPIRED:
    case CAUSE_METADATA_CHANGED:
    case CAUSE_SUBSCRIPTION_CHANGED:
    case CAUSE_GROUP_OVER_CAPACITY:
    case CAUSE_COORDINATOR_LOADED:
    case CAUSE_DOWNGRADED:
    case CAUSE_OTHER: break;
    }
    return FINDING_CAUSE_UNKNOWN;
}

void ledger_note_rebalance(struct ledger *ledger, struct ledger_group_state *group,
                           const struct trace_record *record)
{
    enum rebalance_cause cause = (enum rebalance_cause)record->field[1];
    if (!group->was_stable) return;
    group->figures.rebalances++;
    group->anomalies.rebalances_by_cause[cause]++;
    if (record->field[2] == NAME_NONE) return; /* nobody's doing: topics changed */
    enum finding_cause link =
        link_of(ledger, ledger_member_of(ledger, group, (name_id)record->field[2]), record);
    if (link == FINDING_CAUSE_UNKNOWN) return;
    group->anomalies.cascaded_rebalances++;
    const struct finding finding = {
        .kind = FINDING_CASCADE,
        .cause = link,
        .partition = FINDING_NO_PARTITION,
        .records = 1,
        .member = (name_id)record->field[2],
    };
    ledger_add_finding(ledger, group, &finding);
}
