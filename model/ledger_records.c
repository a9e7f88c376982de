/* What each record means to the books. */
#include "model/ledger_internal.h"

#include "sim/check.h"

bool ledger_is_covered(const struct ledger_group_state *group, int64_t partition)
{
    return group->claims[PARTITION_TOPIC((partition_id)partition)] != NULL;
}

static void on_appended(struct ledger *ledger, struct ledger_log *log,
                        const struct trace_record *record)
{
    ledger_prefetch_append(ledger, (partition_id)record->field[0]);
    int64_t base_offset = record->field[3];
    int64_t count = record->field[4];
    if (base_offset < log->end) return; /* never happens; checker I13 tells of it */
    arrival_index_append(&log->arrivals, ledger->memory, base_offset, count, record->field[6],
                         record->field[7]);
    if (log->end == 0) log->since = record->field[6];
    log->end = base_offset + count;
    struct ledger_producer_state *producer = ledger_producer_of(ledger, record->field[8]);
    if (producer != NULL) {
        producer->figures.appended += count;
        if (producer->is_followed) ledger_copies_on_append(ledger, log, producer, record);
    }
    ledger->appended += count;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, record->field[0])) continue;
        group->figures.produced += count;
        ledger_refresh_lag(group, ledger_traced_claim(ledger, group, record->field[0]), log);
    }
}

/* Offsets that hold nothing for a consumer are accounted for as soon as they are known, as if they
 * had been processed: a marker for every group, aborted records for those that read committed. */
static void on_unreadable(struct ledger *ledger, struct ledger_log *log,
                          const struct trace_record *record)
{
    bool is_marker = record->field[3] == UNREADABLE_MARKER;
    int64_t from = record->field[1];
    int64_t count = record->field[2];
    if (is_marker) {
        log->end = from + count;
        ledger->appended += count;
    } else {
        interval_set_remove(&log->acknowledged, ledger->memory, from, from + count);
    }
    interval_set_add(is_marker ? &log->markers : &log->aborted, ledger->memory, from, from + count);
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        bool reads_committed = group->scenario->config.isolation_level == READ_COMMITTED;
        if (!ledger_is_covered(group, record->field[0]) || !(is_marker || reads_committed))
            continue;
        struct ledger_claim *claim = ledger_traced_claim(ledger, group, record->field[0]);
        int64_t fresh = interval_set_add(&claim->processed, ledger->memory, from, from + count);
        group->unreadable += fresh;
        if (!is_marker) group->figures.produced -= fresh;
        claim->next = ledger_next_readable(log, group, claim->next);
        ledger_refresh_lag(group, claim, log);
    }
}

static void on_log_start(struct ledger *ledger, struct ledger_log *log,
                         const struct trace_record *record)
{
    if (record->field[1] <= log->start) return;
    log->start = record->field[1];
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, record->field[0])) continue;
        ledger_refresh_lag(group, ledger_traced_claim(ledger, group, record->field[0]), log);
    }
}

/* The deposed leader will take the records back when it hears of its successor. */
void ledger_lose(struct ledger *ledger, int64_t partition, int64_t count)
{
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        if (!ledger_is_covered(group, partition)) continue;
        ledger_gone_of(ledger, ledger_traced_claim(ledger, group, partition))->lost += count;
        group->figures.produced += count;
        group->figures.taken_back += count;
    }
}

static void on_produce_done(struct ledger *ledger, struct ledger_log *log,
                            const struct trace_record *record)
{
    ledger_prefetch_acknowledgement(ledger, (partition_id)record->field[1]);
    struct ledger_producer_state *producer = ledger_producer_of(ledger, record->field[0]);
    int64_t count = record->field[3];
    bool is_good = record->field[4] == 0;
    if (producer != NULL && is_good) producer->figures.acknowledged += count;
    if (producer != NULL && producer->asks_for_none) {
        if (is_good) ledger_sent_blindly(ledger, record);
        return;
    }
    if (ledger_copies_on_done(log, record)) {
        ledger_lose(ledger, record->field[1], count);
        return;
    }
    if (!is_good || record->field[2] < 0) return;
    int64_t from = record->field[2];
    int64_t to = from + count;
    interval_set_add(&log->acknowledged, ledger->memory, from, to);
    if (producer != NULL && producer->asks_for_all)
        interval_set_add(&log->safe, ledger->memory, from, to);
}

void ledger_on_log_record(struct ledger *ledger, const struct trace_record *record)
{
    int64_t partition = record->field[record->kind == TRACE_PRODUCE_DONE ? 1 : 0];
    struct ledger_log *log = ledger_traced_log(ledger, partition);
    if (log == NULL) return;
    switch (record->kind) {
    case TRACE_BATCH_APPENDED:
        if (record->field[9] == 0) on_appended(ledger, log, record);
        break;
    case TRACE_BATCH_DIVERGED: ledger_copies_on_diverged(ledger, log, record); break;
    case TRACE_LEADER_ELECTED: ledger_on_elected(ledger, log, record); break;
    case TRACE_LOG_START: on_log_start(ledger, log, record); break;
    case TRACE_UNREADABLE: on_unreadable(ledger, log, record); break;
    case TRACE_COMPACTED: ledger_on_compacted(ledger, record); break;
    case TRACE_CLEANED: ledger_on_cleaned(ledger, log, record); break;
    case TRACE_PRODUCE_DONE: on_produce_done(ledger, log, record); break;
    }
}

/* Adds the latencies of [from, to), which ran evenly from `begin_at` to `end_at` as part of a range
 * [base, base + count). */
static void add_latency(struct ledger_group_state *group, const struct ledger_log *log,
                        const struct trace_record *record, int64_t from, int64_t to)
{
    int64_t base = record->field[3];
    int64_t count = record->field[4];
    sim_time begin_at = record->field[5];
    sim_time each_ns = (record->at - begin_at) / count;
    const struct arrival_span *span = NULL;
    while (from < to) {
        span = arrival_index_find_after(&log->arrivals, span, from);
        if (span == NULL) return;
        int64_t span_end = span->base_offset + span->count;
        int64_t end = span_end < to ? span_end : to;
        ledger_note_births(group, span, from, end);
        /* Record i of the range is done at begin + work * (i + 1) / count. */
        sim_time first_done = begin_at + each_ns * (from - base + 1);
        sim_time last_done = end == base + count ? record->at : begin_at + each_ns * (end - base);
        sim_time first_ns = first_done - arrival_span_at(span, from);
        sim_time last_ns = last_done - arrival_span_at(span, end - 1);
        /* Clocks of producers can be ahead of ours; nothing is processed before it exists. */
        latency_histogram_add_range(group->latency, first_ns < 0 ? 0 : first_ns,
                                    last_ns < 0 ? 0 : last_ns, end - from);
        from = end;
    }
}

/* A consumer goes on at the position it had in a deleted topic of that name, because the new log is
 * long enough: nothing tells it what it leaves out. */
static void read_on_stale(struct ledger *ledger, struct ledger_claim *claim, int64_t from)
{
    claim->is_stale = false;
    claim->is_untouched = false;
    if (from == 0) return;
    claim->skip_cause = FINDING_CAUSE_TOPIC_RECREATED;
    interval_set_add(&claim->skipped, ledger->memory, 0, from);
}

static void on_processed(struct ledger *ledger, struct ledger_group_state *group,
                         const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_traced_claim(ledger, group, record->field[2]);
    struct ledger_log *log = ledger_traced_log(ledger, record->field[2]);
    if (claim == NULL || log == NULL) return;
    int64_t from = record->field[3];
    int64_t count = record->field[4];
    int64_t to = from + count;
    if (claim->is_stale) read_on_stale(ledger, claim, from);
    ledger_note_order(ledger, group, claim, log, record);
    struct interval gap;
    int64_t present = ledger_end_of_present(log, claim, record);
    for (int64_t at = from; interval_set_first_gap(&claim->processed, at, present, &gap);
         at = gap.to)
        add_latency(group, log, record, gap.from, gap.to);
    int64_t fresh = ledger_process_gone(ledger, group, claim, present, to);
    if (present > from) fresh += interval_set_add(&claim->processed, ledger->memory, from, present);
    group->first_processed += fresh;
    group->figures.processed += count;
    group->figures.duplicates += count - fresh;
    /* What transactions write, the sink's own too, takes effect when they are committed: see
     * on_sink. */
    if (group->scenario->commit.mode != COMMIT_TRANSACTIONAL &&
        group->scenario->commit.mode != COMMIT_EXTERNAL &&
        !group->scenario->process.sink_idempotent) {
        group->figures.effective_duplicates += count - fresh;
    }
    const struct ledger_claim *held = ledger_claim_of(ledger, group, record->field[2]);
    int64_t zombie = ledger_zombie_work(ledger, group, held, record);
    ledger_report_processed(ledger, group, claim, record, count - fresh, zombie);
    if (present > claim->highest) claim->highest = present;
    if (held == claim) ledger_note_moved_keys(ledger, group, record);
    if (zombie > 0) {
        group->figures.zombie += zombie;
        return;
    }
    claim->last_worker = (name_id)record->field[1];
    claim->last_ended = false;
    sim_time age = ledger_age(log, claim, record->at);
    if (age > group->figures.lag_ns_max) group->figures.lag_ns_max = age;
    if (present > claim->next) claim->next = ledger_next_readable(log, group, present);
    ledger_refresh_lag(group, claim, log);
}

static void on_given_up(struct ledger *ledger, struct ledger_group_state *group,
                        const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_traced_claim(ledger, group, record->field[2]);
    const struct ledger_log *log = ledger_traced_log(ledger, record->field[2]);
    if (claim == NULL || log == NULL) return;
    int64_t to = record->field[3] + record->field[4];
    interval_set_add(&claim->given_up, ledger->memory, record->field[3], to);
    if (to > claim->next) claim->next = ledger_next_readable(log, group, to);
    ledger_refresh_lag(group, claim, log);
}

static void on_sink(struct ledger *ledger, struct ledger_group_state *group,
                    const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_traced_claim(ledger, group, record->field[2]);
    enum commit_mode mode = group->scenario->commit.mode;
    if (claim == NULL || (mode != COMMIT_TRANSACTIONAL && mode != COMMIT_EXTERNAL)) return;
    int64_t from = record->field[3];
    int64_t count = record->field[4];
    int64_t fresh = interval_set_add(&claim->effective, ledger->memory, from, from + count);
    if (!group->scenario->process.sink_idempotent)
        group->figures.effective_duplicates += count - fresh;
}

static void on_position(struct ledger *ledger, struct ledger_group_state *group,
                        const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_claim_of(ledger, group, record->field[2]);
    struct ledger_log *log = ledger_log_of(ledger, record->field[2]);
    if (claim == NULL || log == NULL) return;
    int64_t offset = record->field[3];
    bool is_committed = record->field[4] == POSITION_COMMITTED;
    bool is_external = record->field[4] == POSITION_EXTERNAL;
    claim->is_stale |= is_committed && claim->commit_is_stale;
    claim->is_stale |= is_external && claim->is_untouched;
    if (claim->is_stale && offset > log->end) return; /* the log will say that this is not in it */
    bool was_set = !is_committed || claim->committed_by_hand || claim->is_stale;
    int64_t from = claim->next > log->start ? claim->next : log->start;
    if (was_set && offset > from) {
        claim->skip_cause = claim->is_stale            ? FINDING_CAUSE_TOPIC_RECREATED
                            : claim->committed_by_hand ? FINDING_CAUSE_ADMIN
                                                       : FINDING_CAUSE_OFFSET_RESET;
        struct interval gap;
        for (int64_t at = from; interval_set_first_gap(&claim->processed, at, offset, &gap);
             at = gap.to)
            interval_set_add(&claim->skipped, ledger->memory, gap.from, gap.to);
    }
    ledger_note_reset(ledger, group, claim, record);
    ledger_note_position(ledger, group, claim, record);
    ledger_come_back(ledger, claim, log, offset);
    ledger_begin_polls(ledger, claim, (name_id)record->field[1], offset);
    claim->best_commit = -1;
    claim->is_stale = false;
    claim->is_untouched = false;
    claim->next = ledger_next_readable(log, group, offset);
    ledger_refresh_lag(group, claim, log);
}

void ledger_end_rebalance(struct ledger *ledger, struct ledger_group_state *group)
{
    struct ledger_group *figures = &group->figures;
    sim_time length = sim_now(ledger->sim) - group->unstable_since;
    group->unstable_since = SIM_TIME_NEVER;
    figures->rebalance_ns_total += length;
    if (length > figures->rebalance_ns_max) figures->rebalance_ns_max = length;
    if (figures->rebalance_count == group->rebalance_capacity) {
        uint32_t capacity = group->rebalance_capacity == 0 ? 16 : group->rebalance_capacity * 2;
        group->rebalance_ns = memory_resize(ledger->memory, group->rebalance_ns,
                                            group->rebalance_capacity * sizeof(sim_time),
                                            capacity * sizeof(sim_time));
        group->rebalance_capacity = capacity;
        figures->rebalance_ns = group->rebalance_ns;
    }
    group->rebalance_ns[figures->rebalance_count++] = length;
}

static void on_group_state(struct ledger *ledger, struct ledger_group_state *group,
                           const struct trace_record *record)
{
    int64_t to = record->field[2];
    ledger_end_rest(ledger, group);
    /* From Dead: a coordinator took the group over; it may have ended a rebalance by that, and its
     * assignment is known already. */
    if (to == GROUP_TRACE_Stable && record->field[1] != GROUP_TRACE_Dead) {
        ledger->settling = group; /* the assignment follows */
        group->settled_members = record->field[4];
    }
    if (to == GROUP_TRACE_Dead) return;
    if (group->forming_since == SIM_TIME_NEVER) group->forming_since = record->at;
    if (to == GROUP_TRACE_Stable && group->anomalies.forming_ns < 0)
        group->anomalies.forming_ns = record->at - group->forming_since;
    bool settled = to == GROUP_TRACE_Stable || to == GROUP_TRACE_Empty;
    if (!settled) {
        if (group->was_stable && group->unstable_since == SIM_TIME_NEVER)
            group->unstable_since = record->at;
        return;
    }
    if (to == GROUP_TRACE_Stable) group->was_stable = true;
    if (group->unstable_since == SIM_TIME_NEVER) return;
    ledger_end_rebalance(ledger, group);
}

static void on_member_removed(struct ledger *ledger, struct ledger_group_state *group,
                              name_id member_id)
{
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            struct ledger_claim *claim = &group->claims[t][p];
            if (claim->assigned_id == member_id) claim->assigned = claim->assigned_id = NAME_NONE;
        }
    }
}

/* A static member came back under a new id and keeps what the old one had. */
static void on_member_replaced(struct ledger *ledger, struct ledger_group_state *group,
                               const struct trace_record *record)
{
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            struct ledger_claim *claim = &group->claims[t][p];
            if (claim->rest_id == (name_id)record->field[4])
                claim->rest_id = (name_id)record->field[2];
            if (claim->assigned_id != (name_id)record->field[4]) continue;
            claim->assigned_id = (name_id)record->field[2];
            if (claim->assigned == (name_id)record->field[1]) continue;
            /* Another process with its group.instance.id, which it will hear of later. */
            ledger_member_of(ledger, group, claim->assigned)->fenced = true;
            claim->assigned = (name_id)record->field[1];
            claim->assigned_at = record->at;
        }
    }
}

/* A coordinator that dies between the join phase and the assignment takes the generation along. */
static void on_rebalanced(struct ledger_group_state *group, const struct trace_record *record)
{
    if (record->field[1] <= group->generation) group->anomalies.generations_reused++;
    if (record->field[1] > group->generation) group->generation = record->field[1];
}

static void on_assigned(struct ledger *ledger, struct ledger_group_state *group,
                        const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_claim_of(ledger, group, record->field[3]);
    if (claim == NULL) return;
    group->managed = true;
    if (record->field[5] != 0) {
        if (claim->assigned != (name_id)record->field[1]) claim->assigned_at = record->at;
        claim->assigned = (name_id)record->field[1];
        claim->assigned_id = (name_id)record->field[2];
    } else if (claim->assigned_id == (name_id)record->field[2]) {
        claim->assigned = claim->assigned_id = NAME_NONE;
    }
}

/* kafka-consumer-groups.sh commits without a member of its own, as consumers do that use assign().
 */
bool ledger_is_by_hand(const struct ledger_group_state *group, const struct trace_record *record)
{
    return record->field[5] < 0 && record->field[3] == NAME_NONE && !group->scenario->assign_all;
}

static void on_committed(struct ledger *ledger, struct ledger_group_state *group,
                         const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_claim_of(ledger, group, record->field[1]);
    if (claim == NULL) return;
    if (record->field[2] < claim->committed)
        ledger_note_commit_rewind(ledger, group, claim, record);
    claim->committed = record->field[2];
    if (claim->committed > claim->best_commit) claim->best_commit = claim->committed;
    claim->committed_by_hand = ledger_is_by_hand(group, record);
    claim->commit_is_stale = claim->is_stale || (claim->is_untouched && !claim->committed_by_hand);
}

static void on_commit_done(struct ledger_group_state *group, const struct trace_record *record)
{
    if (record->field[5] != 0) group->figures.commits_failed++;
    if (record->field[6] > group->figures.commit_latency_ns_max)
        group->figures.commit_latency_ns_max = record->field[6];
}

void ledger_on_group_record(struct ledger *ledger, struct ledger_group_state *group,
                            const struct trace_record *record)
{
    struct ledger_claim *claim;
    switch (record->kind) {
    case TRACE_PROCESSED: on_processed(ledger, group, record); break;
    case TRACE_GIVEN_UP: on_given_up(ledger, group, record); break;
    case TRACE_SINK: on_sink(ledger, group, record); break;
    case TRACE_DELIVERED:
        if (group->has_workers) ledger_note_in_hand(ledger, group, record);
        ledger_prefetch_processing(ledger, group, (partition_id)record->field[2]);
        break;
    case TRACE_POSITION: on_position(ledger, group, record); break;
    case TRACE_GROUP_STATE: on_group_state(ledger, group, record); break;
    case TRACE_REBALANCE: ledger_note_rebalance(ledger, group, record); break;
    case TRACE_REBALANCED: on_rebalanced(group, record); break;
    case TRACE_ASSIGNED: on_assigned(ledger, group, record); break;
    case TRACE_MEMBER_ADDED:
        if (record->field[4] == NAME_NONE) {
            group->figures.members++;
        } else {
            on_member_replaced(ledger, group, record);
        }
        ledger_note_member(ledger_member_of(ledger, group, (name_id)record->field[1]), record);
        break;
    case TRACE_MEMBER_REMOVED:
        group->figures.members--;
        if (record->field[3] == CAUSE_SESSION_EXPIRED) group->figures.session_timeouts++;
        ledger_note_member(ledger_member_of(ledger, group, (name_id)record->field[1]), record);
        on_member_removed(ledger, group, (name_id)record->field[2]);
        break;
    case TRACE_COMMITTED: on_committed(ledger, group, record); break;
    case TRACE_COMMIT_REJECTED: ledger_note_rejected_commit(ledger, group, record); break;
    case TRACE_OFFSET_REMOVED:
        claim = ledger_claim_of(ledger, group, record->field[1]);
        if (claim == NULL) break;
        claim->committed = -1;
        claim->commit_is_stale = false;
        break;
    case TRACE_COMMIT_SENT: group->figures.commits_attempted++; break;
    case TRACE_COMMIT_DONE:
        ledger_note_member(ledger_member_of(ledger, group, (name_id)record->field[1]), record);
        on_commit_done(group, record);
        break;
    case TRACE_OWNED:
    case TRACE_DISOWNED: ledger_on_ownership_record(ledger, group, record); break;
    case TRACE_CLIENT:
        if (record->field[2] == CLIENT_POLL_TIMEOUT) group->figures.poll_timeouts++;
        ledger_note_exception(group, record);
        ledger_note_member(ledger_member_of(ledger, group, (name_id)record->field[1]), record);
        if (record->field[2] == CLIENT_RESTORE_BEGIN || record->field[2] == CLIENT_RESTORE_END) {
            ledger_set_restoring(ledger, group, (name_id)record->field[1],
                                 record->field[2] == CLIENT_RESTORE_BEGIN);
        }
        break;
    }
}
