/* What coordinators say of their groups: I1, I4, I5, I8. */
#include "model/checkers_internal.h"

/* I8. Whom the coordinator no longer counts, and who has been told so by its own clock, works on as
 * a zombie. A static member that missed the join phase stays a member and owns on, unasked.
 *
 * Classic groups only. In the consumer protocol what counts is what members have told the
 * coordinator (consumer_checks.h): while onPartitionsAssigned runs, heartbeats still list what was
 * owned before it (ConsumerHeartbeatRequestManager sends the reconciled assignment), so the
 * coordinator may give away again what the member begins to own when the listener returns. */
static void check_freed(struct checkers *checkers, const struct ledger_group_state *group,
                        const struct ledger_claim *claim, const struct trace_record *record)
{
    const struct ledger *ledger = checkers->ledger;
    if (group->scenario->config.group_protocol == GROUP_PROTOCOL_CONSUMER) return;
    for (uint32_t i = 0; i < claim->owner_count; i++) {
        name_id owner = claim->owners[i].member;
        uint32_t index = name_table_get(&ledger->member_by_name, owner);
        if (owner == (name_id)record->field[1] || index == 0) continue;
        const struct ledger_member *member = &ledger->members[index - 1];
        if (!member->in_group || member->poll_expired || member->fenced) continue;
        if (member->restoring) continue;
        if (member->is_static && member->joined_generation != record->field[4]) continue;
        checkers_violate(checkers, CHECKER_I8, record, (name_id)record->field[0],
                         "%s-%d was assigned to %s before %s had let it go",
                         checkers_topic(checkers, record->field[3]),
                         PARTITION_NUMBER((partition_id)record->field[3]),
                         checkers_text(checkers, record->field[2]), checkers_text(checkers, owner));
        return;
    }
}

void checkers_on_assigned(struct checkers *checkers, int32_t group,
                          const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    int64_t partition = record->field[3];
    if (record->field[5] == 0) return;
    const struct ledger_claim *claim = ledger_claim_of(checkers->ledger, state, partition);
    if (claim == NULL) {
        checkers_violate(checkers, CHECKER_I4, record, (name_id)record->field[0],
                         "%s was assigned %s-%d, which its group does not subscribe to",
                         checkers_text(checkers, record->field[1]),
                         checkers_topic(checkers, partition),
                         PARTITION_NUMBER((partition_id)partition));
        return;
    }
    if (claim->assigned_id != NAME_NONE && claim->assigned_id != (name_id)record->field[2]) {
        checkers_violate(checkers, CHECKER_I1, record, (name_id)record->field[0],
                         "%s-%d was assigned to %s while %s still held it",
                         checkers_topic(checkers, partition),
                         PARTITION_NUMBER((partition_id)partition),
                         checkers_text(checkers, record->field[2]),
                         checkers_text(checkers, claim->assigned_id));
        return;
    }
    check_freed(checkers, state, claim, record);
}

void checkers_on_group_state(struct checkers *checkers, int32_t group,
                             const struct trace_record *record)
{
    struct watched_group *watched = &checkers->groups[group];
    int64_t to = record->field[2];
    watched->at_rest =
        to == GROUP_TRACE_Stable || to == GROUP_TRACE_Empty || to == GROUP_TRACE_Dead;
    watched->members = record->field[4];
    /* A coordinator that took over may count from an earlier generation (classic-coordinator.md
     * section 10), and a group that was deleted begins anew. */
    bool handed_over = to == GROUP_TRACE_Dead || record->field[1] == GROUP_TRACE_Dead ||
                       record->field[5] != watched->coordinator;
    if (!handed_over && record->field[3] < watched->generation) {
        checkers_violate(checkers, CHECKER_I5, record, (name_id)record->field[0],
                         "the generation went from %lld to %lld", (long long)watched->generation,
                         (long long)record->field[3]);
    }
    watched->generation = record->field[3];
    watched->coordinator = record->field[5];
}
