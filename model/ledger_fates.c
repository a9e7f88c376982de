/* What became of the records that were never processed. */
#include "model/ledger_internal.h"

static int64_t nearer(int64_t boundary, int64_t from, int64_t to)
{
    return boundary > from && boundary < to ? boundary : to;
}

/* Of a range that begins in (from, to); `to` when there is none. */
static int64_t begin_of_next(const struct interval_set *set, int64_t from, int64_t to)
{
    return nearer(interval_set_next(set, from), from, to);
}

/* ---- compaction: one record may go while another, later one of its key stays ---- */

static void list_push(struct memory *memory, struct range_list *list, int64_t from, int64_t to)
{
    if (list->count == list->capacity) {
        uint32_t grown = list->capacity == 0 ? 64 : list->capacity * 2;
        list->ranges = memory_resize(memory, list->ranges, list->capacity * sizeof(*list->ranges),
                                     grown * sizeof(*list->ranges));
        list->capacity = grown;
    }
    list->ranges[list->count++] = (struct interval){from, to};
}

static void note_gone(struct ledger *ledger, struct ledger_claim *claim,
                      const struct interval *ranges, uint32_t count)
{
    if (count == 0) return;
    if (claim->compacted == NULL)
        claim->compacted = memory_keep(ledger->memory, sizeof(*claim->compacted));
    interval_set_add_all(claim->compacted, ledger->memory, ranges, count);
}

void ledger_on_compacted(struct ledger *ledger, const struct trace_record *record)
{
    list_push(ledger->memory, &ledger->removed, record->field[1],
              record->field[1] + record->field[2]);
}

/* What lies before the group is gone for it: it will be given a later value of the key, or none.
 * What it has passed is its own affair. */
static void take_from_group(struct ledger *ledger, const struct ledger_log *log,
                            struct ledger_claim *claim)
{
    struct range_list *gone = &ledger->gone;
    int64_t passed = claim->next > claim->committed ? claim->next : claim->committed;
    gone->count = 0;
    for (uint32_t i = 0; i < ledger->removed.count; i++) {
        const struct interval range = ledger->removed.ranges[i];
        struct ledger_piece piece = {.to = range.from > passed ? range.from : passed};
        if (range.to <= passed) continue;
        while (ledger_next_piece(log, claim, piece.to, &piece) && piece.from < range.to) {
            if (piece.fate != FATE_WAITING) continue;
            list_push(ledger->memory, gone, piece.from, piece.to < range.to ? piece.to : range.to);
        }
    }
    note_gone(ledger, claim, gone->ranges, gone->count);
}

/* A cleaning takes many single records out of the middle, so all are added at once. */
void ledger_on_cleaned(struct ledger *ledger, struct ledger_log *log,
                       const struct trace_record *record)
{
    interval_set_add_all(&log->compacted, ledger->memory, ledger->removed.ranges,
                         ledger->removed.count);
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_claim *claim =
            ledger_traced_claim(ledger, &ledger->groups[g], record->field[0]);
        if (claim != NULL) take_from_group(ledger, log, claim);
    }
    ledger->removed.count = 0;
}

void ledger_come_back(struct ledger *ledger, struct ledger_claim *claim,
                      const struct ledger_log *log, int64_t from)
{
    const struct interval *ranges = interval_set_ranges(&log->compacted);
    uint32_t first = interval_set_ending_after(&log->compacted, from);
    if (first == log->compacted.count) return;
    const struct interval cut = {ranges[first].from > from ? ranges[first].from : from,
                                 ranges[first].to};
    note_gone(ledger, claim, &cut, 1);
    note_gone(ledger, claim, ranges + first + 1, log->compacted.count - first - 1);
}

void ledger_note_in_hand(struct ledger *ledger, struct ledger_group_state *group,
                         const struct trace_record *record)
{
    struct ledger_claim *claim = ledger_traced_claim(ledger, group, record->field[2]);
    if (claim == NULL) return;
    if (claim->in_hand_of != (name_id)record->field[1]) {
        claim->in_hand.count = 0;
        claim->in_hand_of = (name_id)record->field[1];
    }
    int64_t from = record->field[3];
    interval_set_add(&claim->in_hand, ledger->memory, from, from + record->field[4]);
    ledger_note_polled(ledger, claim, (name_id)record->field[1], from + record->field[4]);
}

void ledger_drop_in_hand(struct ledger_claim *claim, name_id member)
{
    if (claim->in_hand_of == member) claim->in_hand.count = 0;
}

bool ledger_next_piece(const struct ledger_log *log, const struct ledger_claim *claim, int64_t at,
                       struct ledger_piece *piece)
{
    const struct interval_set *compacted = claim->compacted;
    struct interval gap;
    struct interval after;
    if (!interval_set_first_gap(&claim->processed, at, log->end, &gap)) return false;
    piece->from = gap.from;
    if (compacted != NULL && interval_set_contains(compacted, gap.from)) {
        piece->fate = FATE_COMPACTED;
        piece->to =
            interval_set_first_gap(compacted, gap.from, gap.to, &after) ? after.from : gap.to;
        return true;
    }
    if (compacted != NULL) gap.to = begin_of_next(compacted, gap.from, gap.to);
    const struct interval_set *passed_over = NULL;
    if (interval_set_contains(&claim->given_up, gap.from)) {
        passed_over = &claim->given_up;
        piece->fate = FATE_GIVEN_UP;
    } else if (interval_set_contains(&claim->skipped, gap.from)) {
        passed_over = &claim->skipped;
        piece->fate = FATE_RESET_OVER;
    }
    if (passed_over != NULL) {
        bool ends = interval_set_first_gap(passed_over, gap.from, gap.to, &after);
        piece->to = begin_of_next(&claim->given_up, gap.from, ends ? after.from : gap.to);
        return true;
    }
    /* Workers finish in any order, and what a dead one left behind is done anew unless it was
     * committed. */
    bool has_workers = claim->in_hand_of != NAME_NONE;
    int64_t passed =
        !has_workers && claim->next > claim->committed ? claim->next : claim->committed;
    const enum ledger_fate left = log->is_deleted ? FATE_DELETED : FATE_WAITING;
    piece->fate = gap.from < log->start ? FATE_LOST
                  : gap.from < passed   ? FATE_COMMITTED_OVER
                                        : left;
    piece->to = nearer(log->start, gap.from, gap.to);
    piece->to = nearer(passed, gap.from, piece->to);
    piece->to = begin_of_next(&claim->skipped, gap.from, piece->to);
    piece->to = begin_of_next(&claim->given_up, gap.from, piece->to);
    if (piece->fate != FATE_COMMITTED_OVER) return true;
    struct interval free_range;
    if (!interval_set_contains(&claim->in_hand, gap.from)) {
        piece->to = begin_of_next(&claim->in_hand, gap.from, piece->to);
        return true;
    }
    piece->fate = left;
    if (interval_set_first_gap(&claim->in_hand, gap.from, piece->to, &free_range))
        piece->to = free_range.from;
    return true;
}

void ledger_settle_claim(struct ledger *ledger, struct ledger_group_state *group,
                         partition_id partition, const struct ledger_log *log,
                         const struct ledger_claim *claim)
{
    static const struct {
        enum finding_kind kind;
        enum finding_cause cause;
    } findings[] = {
        [FATE_LOST] = {FINDING_LOST, FINDING_CAUSE_RETENTION},
        [FATE_GIVEN_UP] = {FINDING_SKIPPED, FINDING_CAUSE_GIVEN_UP},
        [FATE_RESET_OVER] = {FINDING_SKIPPED, FINDING_CAUSE_OFFSET_RESET},
        [FATE_COMMITTED_OVER] = {FINDING_SKIPPED, FINDING_CAUSE_COMMIT_AHEAD},
        [FATE_DELETED] = {FINDING_LOST, FINDING_CAUSE_TOPIC_DELETED},
        [FATE_WAITING] = {FINDING_WAITING, FINDING_CAUSE_RUN_ENDED},
    };
    /* Many small pieces, and one thing to tell. */
    struct finding gone = {.kind = FINDING_COMPACTED,
                           .cause = FINDING_CAUSE_COMPACTION,
                           .partition = partition,
                           .from = -1,
                           .culprit = NAME_NONE,
                           .detail = "their keys had later records"};
    struct ledger_piece piece;
    for (int64_t at = 0; ledger_next_piece(log, claim, at, &piece); at = piece.to) {
        int64_t records = piece.to - piece.from;
        if (piece.fate == FATE_COMPACTED) {
            if (gone.from < 0) gone.from = piece.from;
            gone.to = piece.to;
            gone.records += records;
            continue;
        }
        if (piece.fate == FATE_WAITING) group->anomalies.waiting += records;
        struct finding finding = {
            .kind = findings[piece.fate].kind,
            .cause = findings[piece.fate].cause,
            .partition = partition,
            .from = piece.from,
            .to = piece.to,
            .records = records,
            .culprit = claim->last_worker,
        };
        if (piece.fate == FATE_RESET_OVER) finding.cause = claim->skip_cause;
        if (piece.fate == FATE_WAITING) finding.culprit = NAME_NONE;
        ledger_report(ledger, group, &finding);
    }
    ledger_report(ledger, group, &gone);
    struct finding truncated = {
        .kind = FINDING_LOST,
        .cause = FINDING_CAUSE_TRUNCATION,
        .partition = partition,
        .from = log->end,
        .to = log->end,
        .records = claim->gone == NULL ? 0 : claim->gone->lost,
    };
    ledger_report(ledger, group, &truncated);
}
