/* Commits: I6, I17, I18. */
#include "model/checkers_internal.h"

#include "model/kafka_types.h"
#include "model/message.h"

#include <string.h>

/* Applications that commit only what they have processed, by their construction. Not so those that
 * give a record up after some tries, and not the consumer protocol with auto-commit: before it
 * reconciles, the background thread commits the positions, whatever the application thread is still
 * busy with (MembershipManagerImpl). */
static bool is_at_least_once(const struct ledger_group_state *state)
{
    const struct scenario_group *group = state->scenario;
    if (group->config.group_protocol == GROUP_PROTOCOL_CONSUMER &&
        group->commit.mode == COMMIT_AUTO)
        return false;
    if (state->has_workers || group->commit.order != COMMIT_AFTER_SINK) return false;
    if (group->process.retry == RETRY_BOUNDED) return false;
    return group->commit.mode != COMMIT_NONE && group->commit.mode != COMMIT_EXTERNAL;
}

static void forget_stale(struct watched_group *watched, const struct trace_record *record)
{
    for (uint32_t i = 0; i < watched->stale_count; i++) {
        if (watched->stale[i].member_id != (name_id)record->field[3] ||
            watched->stale[i].generation != record->field[4])
            continue;
        watched->stale_count--;
        memmove(watched->stale + i, watched->stale + i + 1,
                (watched->stale_count - i) * sizeof(watched->stale[0]));
        return;
    }
}

/* A commit comes to its coordinator, or is answered: one that is refused is of no concern. */
void checkers_on_group_message(struct checkers *checkers, const struct trace_record *record)
{
    if (record->field[0] != API_OFFSET_COMMIT) return;
    uint32_t index = name_table_get(&checkers->ledger->group_by_name, record->field[1]);
    if (index == 0) return;
    struct watched_group *watched = &checkers->groups[index - 1];
    if (record->kind == TRACE_GROUP_RESPONSE) {
        if (record->field[6] != KAFKA_NONE) forget_stale(watched, record);
        return;
    }
    if (record->field[5] != watched->coordinator || record->field[4] >= watched->generation) return;
    if (watched->stale_count == STALE_REMEMBERED) {
        memmove(watched->stale, watched->stale + 1,
                (STALE_REMEMBERED - 1) * sizeof(watched->stale[0]));
        watched->stale_count--;
    }
    watched->stale[watched->stale_count++] =
        (struct stale_commit){(name_id)record->field[3], record->field[4]};
}

static bool was_stale(const struct watched_group *watched, int64_t member_id, int64_t generation)
{
    for (uint32_t i = 0; i < watched->stale_count; i++) {
        if (watched->stale[i].member_id == (name_id)member_id &&
            watched->stale[i].generation == generation)
            return true;
    }
    return false;
}

/* This is the committed offset from now on; -1 = there is none. */
static void note_commit(struct watched_claim *watched, int64_t offset)
{
    watched->commits[watched->commit_count++ % COMMITS_REMEMBERED] = offset;
}

void checkers_on_offset_removed(struct checkers *checkers, int32_t group,
                                const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    if (ledger_claim_of(checkers->ledger, state, record->field[1]) == NULL) return;
    note_commit(checkers_claim_of(checkers, group, record->field[1]), -1);
}

void checkers_on_committed(struct checkers *checkers, int32_t group,
                           const struct trace_record *record)
{
    struct ledger *ledger = checkers->ledger;
    struct ledger_group_state *state = &ledger->groups[group];
    int64_t partition = record->field[1];
    int64_t offset = record->field[2];
    int64_t generation = record->field[5];
    const struct ledger_claim *claim = ledger_claim_of(ledger, state, partition);
    const struct ledger_log *log = ledger_log_of(ledger, partition);
    if (claim == NULL || log == NULL) return;
    struct watched_claim *watched = checkers_claim_of(checkers, group, partition);
    note_commit(watched, offset);
    int64_t current = checkers->groups[group].generation;
    /* Members of a consumer group may be at older epochs than the group while it reconciles; that a
     * commit has its own member's epoch is checked in the coordinator. */
    bool classic = state->scenario->config.group_protocol == GROUP_PROTOCOL_CLASSIC;
    if (classic && generation >= 0 && record->field[6] == 0 && generation < current &&
        was_stale(&checkers->groups[group], record->field[4], generation)) {
        checkers_violate(checkers, CHECKER_I6, record, (name_id)record->field[0],
                         "a commit of generation %lld was accepted in generation %lld",
                         (long long)generation, (long long)current);
    }
    /* Offsets that an unclean election gave away may come back with other records. */
    if (checkers_is_rewritten(checkers, partition)) return;
    if (offset > log->end) {
        checkers_violate(checkers, CHECKER_I17, record, (name_id)record->field[0],
                         "offset %lld of %s-%d was committed, but the log ends at %lld",
                         (long long)offset, checkers_topic(checkers, partition),
                         PARTITION_NUMBER((partition_id)partition), (long long)log->end);
    }
    if (generation < 0 || !is_at_least_once(state)) return;
    struct interval gap;
    int64_t from = log->start;
    while (interval_set_first_gap(&claim->processed, from, offset, &gap)) {
        int64_t unexplained = gap.to - gap.from -
                              interval_set_covered(&claim->skipped, gap.from, gap.to) -
                              interval_set_covered(&claim->given_up, gap.from, gap.to) -
                              interval_set_covered(&log->compacted, gap.from, gap.to);
        if (unexplained > 0) {
            checkers_violate(
                checkers, CHECKER_I18, record, (name_id)record->field[0],
                "%s committed %lld on %s-%d, but %lld records from %lld on were not processed",
                checkers_text(checkers, record->field[3]), (long long)offset,
                checkers_topic(checkers, partition), PARTITION_NUMBER((partition_id)partition),
                (long long)unexplained, (long long)gap.from);
            return;
        }
        from = gap.to;
    }
}
