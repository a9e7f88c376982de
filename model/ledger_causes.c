/* Why: how an ownership ended, and what that makes of the work done under it. */
#include "model/ledger_internal.h"

#include "sim/check.h"
#include "sim/wide.h"

/* How the coordinator's reason for removing a member reads as the cause of what follows. */
static enum finding_cause removal_cause(const struct ledger_member *member)
{
    if (member->fenced) return FINDING_CAUSE_FENCED;
    if (member->poll_expired) return FINDING_CAUSE_POLL_EXPIRED;
    if (member->removal == CAUSE_POLL_EXPIRED) return FINDING_CAUSE_POLL_EXPIRED;
    if (member->removal == CAUSE_REBALANCE_EXPIRED) return FINDING_CAUSE_REBALANCE_EXPIRED;
    bool expelled =
        member->removal == CAUSE_SESSION_EXPIRED || member->removal == CAUSE_SYNC_EXPIRED;
    return expelled ? FINDING_CAUSE_SESSION_EXPIRED : FINDING_CAUSE_REBALANCE;
}

/* The cause of what the last worker left behind when somebody else goes on from the committed
 * offset. */
static enum finding_cause hand_over_cause(const struct ledger *ledger,
                                          const struct ledger_group_state *group,
                                          const struct ledger_claim *claim)
{
    uint32_t index = name_table_get(&ledger->member_by_name, claim->last_worker);
    if (index == 0) return FINDING_CAUSE_UNKNOWN;
    const struct ledger_member *member = &ledger->members[index - 1];
    if (!group->managed) return FINDING_CAUSE_NOT_COORDINATED;
    if (!claim->last_ended) return removal_cause(member); /* it works on as a zombie */
    switch (claim->last_end) {
    case OWNERSHIP_DIED: return FINDING_CAUSE_CRASH;
    case OWNERSHIP_CLOSED:
        return member->commit_failed ? FINDING_CAUSE_COMMIT_FAILED : FINDING_CAUSE_CLOSED;
    case OWNERSHIP_REVOKED:
        return member->commit_failed ? FINDING_CAUSE_COMMIT_FAILED : FINDING_CAUSE_REBALANCE;
    case OWNERSHIP_LOST: break;
    }
    return removal_cause(member);
}

void ledger_note_position(struct ledger *ledger, struct ledger_group_state *group,
                          struct ledger_claim *claim, const struct trace_record *record)
{
    enum finding_cause cause;
    switch ((enum position_cause)record->field[4]) {
    case POSITION_RESET_EARLIEST:
    case POSITION_RESET_LATEST:
    case POSITION_RESET_BY_DURATION:
    case POSITION_OUT_OF_RANGE: cause = FINDING_CAUSE_OFFSET_RESET; break;
    case POSITION_TRUNCATED: cause = FINDING_CAUSE_TRUNCATION; break;
    case POSITION_COMMITTED:
    case POSITION_EXTERNAL:
        cause = claim->committed_by_hand                ? FINDING_CAUSE_ADMIN
                : claim->best_commit > record->field[3] ? FINDING_CAUSE_OLD_COMMIT
                                                        : hand_over_cause(ledger, group, claim);
        break;
    case POSITION_SEEK:
    default: cause = FINDING_CAUSE_UNKNOWN; break;
    }
    if (claim->is_stale) cause = FINDING_CAUSE_TOPIC_RECREATED;
    claim->redo_cause = cause;
    claim->redo_culprit = claim->last_worker;
}

void ledger_report(struct ledger *ledger, struct ledger_group_state *group,
                   const struct finding *finding)
{
    if (finding->records > 0) ledger_add_finding(ledger, group, finding);
}

void ledger_report_processed(struct ledger *ledger, struct ledger_group_state *group,
                             struct ledger_claim *claim, const struct trace_record *record,
                             int64_t repeated, int64_t zombie)
{
    if (!zombie && repeated == 0) return;
    name_id name = (name_id)record->field[1];
    uint32_t index = name_table_get(&ledger->member_by_name, name);
    struct finding finding = {
        .partition = (partition_id)record->field[2],
        .from = record->field[3],
        .to = record->field[3] + record->field[4],
        .member = name,
    };
    if (zombie > 0) {
        /* An owner that has not heard of its own removal: its work, and what is done again of it,
         * have the removal as their cause. */
        claim->zombie_cause =
            index == 0 ? FINDING_CAUSE_UNKNOWN : removal_cause(&ledger->members[index - 1]);
        claim->zombie = name;
        finding.kind = FINDING_ZOMBIE;
        finding.cause = claim->zombie_cause;
        finding.culprit = name;
        finding.from = finding.to - zombie;
        finding.records = zombie;
        ledger_report(ledger, group, &finding);
        finding.from = record->field[3];
    }
    if (repeated == 0) return;
    finding.kind = FINDING_DUPLICATE;
    finding.records = repeated;
    if (zombie > 0) {
        finding.cause = claim->zombie_cause;
        finding.culprit = name;
    } else if (claim->redo_cause == FINDING_CAUSE_UNKNOWN && claim->zombie != NAME_NONE) {
        finding.cause = claim->zombie_cause;
        finding.culprit = claim->zombie;
    } else {
        finding.cause = claim->redo_cause;
        finding.culprit = claim->redo_culprit;
    }
    ledger_report(ledger, group, &finding);
}

/* A member from which a partition was taken back, but given to nobody yet, still has to hand it
 * over (cooperative rebalancing, KIP-848): what it finishes until then is no zombie's work. */
int64_t ledger_zombie_work(struct ledger *ledger, struct ledger_group_state *group,
                           const struct ledger_claim *claim, const struct trace_record *record)
{
    name_id name = (name_id)record->field[1];
    if (!group->managed || claim->assigned == name) return 0;
    const struct ledger_member *member = ledger_member_of(ledger, group, name);
    if (member->in_group && claim->assigned == NAME_NONE) return 0;
    sim_time since = member->in_group ? claim->assigned_at : member->removed_at;
    int64_t count = record->field[4];
    sim_time begin_at = record->field[5];
    if (since <= begin_at) return count;
    if (since >= record->at) return 0;
    return count - (int64_t)((int128)(since - begin_at) * count / (record->at - begin_at));
}

enum finding_cause ledger_repeat_cause(struct ledger *ledger, struct ledger_group_state *group,
                                       const struct ledger_claim *claim,
                                       const struct trace_record *record)
{
    if (ledger_zombie_work(ledger, group, claim, record) > 0)
        return removal_cause(ledger_member_of(ledger, group, (name_id)record->field[1]));
    bool after_zombie = claim->redo_cause == FINDING_CAUSE_UNKNOWN && claim->zombie != NAME_NONE;
    return after_zombie ? claim->zombie_cause : claim->redo_cause;
}

static bool is_expulsion(enum rebalance_cause cause)
{
    return cause == CAUSE_SESSION_EXPIRED || cause == CAUSE_POLL_EXPIRED ||
           cause == CAUSE_SYNC_EXPIRED || cause == CAUSE_REBALANCE_EXPIRED ||
           cause == CAUSE_GROUP_OVER_CAPACITY;
}

void ledger_note_member(struct ledger_member *member, const struct trace_record *record)
{
    switch (record->kind) {
    case TRACE_MEMBER_REMOVED:
        member->removal = (enum rebalance_cause)record->field[3];
        if (member->id != NAME_NONE && member->id != (name_id)record->field[2]) break;
        member->in_group = false;
        member->removed_at = record->at;
        member->expelled = !member->dead && (member->poll_expired || is_expulsion(member->removal));
        break;
    case TRACE_MEMBER_ADDED:
        /* Names are numbered as they come up: an older id is a ghost of this member, which a new
         * coordinator found in its log once more. */
        if ((name_id)record->field[2] < member->id) break;
        if (member->in_group && member->id != (name_id)record->field[2] &&
            (name_id)record->field[4] == NAME_NONE)
            member->abandoned = member->id;
        member->in_group = true;
        member->is_static = record->field[3] != NAME_NONE;
        member->id = (name_id)record->field[2];
        member->poll_expired = false;
        member->fenced = false;
        break;
    case TRACE_COMMIT_DONE: member->commit_failed = record->field[5] != 0; break;
    case TRACE_CLIENT:
        if (record->field[2] == CLIENT_POLL_TIMEOUT) member->poll_expired = true;
        if (record->field[2] == CLIENT_FENCED) member->fenced = true;
        if (record->field[2] == CLIENT_JOINING) member->joining = true;
        if (record->field[2] == CLIENT_JOINED) {
            member->joining = false;
            member->joined_generation = record->field[3];
        }
        if (record->field[2] == CLIENT_SYNCED) member->expelled = false;
        break;
    }
}
