/* Who owns what, who is able to process, and for how long nobody was. */
#include "model/ledger_internal.h"

#include "sim/check.h"

static const struct ledger_member *find_member(const struct ledger *ledger, name_id name)
{
    uint32_t index = name_table_get(&ledger->member_by_name, name);
    return index == 0 ? NULL : &ledger->members[index - 1];
}

struct ledger_member *ledger_member_of(struct ledger *ledger, struct ledger_group_state *group,
                                       name_id name)
{
    uint32_t index = name_table_get(&ledger->member_by_name, name);
    if (index != 0) return &ledger->members[index - 1];
    if (ledger->member_count == ledger->member_capacity) {
        uint32_t capacity = ledger->member_capacity == 0 ? 16 : ledger->member_capacity * 2;
        ledger->members = memory_resize(ledger->memory, ledger->members,
                                        ledger->member_capacity * sizeof(*ledger->members),
                                        capacity * sizeof(*ledger->members));
        ledger->member_capacity = capacity;
    }
    struct ledger_member *member = &ledger->members[ledger->member_count++];
    *member = (struct ledger_member){.group = (int32_t)(group - ledger->groups)};
    name_table_set(ledger, &ledger->member_by_name, name, ledger->member_count);
    return member;
}

static bool can_process(const struct ledger *ledger, const struct ledger_claim *claim)
{
    for (uint32_t i = 0; i < claim->owner_count; i++) {
        const struct ledger_member *member = find_member(ledger, claim->owners[i].member);
        if (member == NULL || (!member->halted && !member->restoring)) return true;
    }
    return false;
}

/* Nothing counts as stopped before the partition's first owner. */
void ledger_refresh_able(struct ledger *ledger, struct ledger_group_state *group,
                         struct ledger_claim *claim)
{
    sim_time now = sim_now(ledger->sim);
    bool able = can_process(ledger, claim);
    if (!claim->ever_owned) {
        if (claim->owner_count == 0) return;
        claim->ever_owned = true;
        claim->able = true;
    }
    if (able == claim->able) return;
    if (able) {
        group->figures.stopped_partition_ns += now - claim->stopped_since;
    } else {
        claim->stopped_since = now;
    }
    claim->able = able;
}

void ledger_end_stopped(struct ledger *ledger, struct ledger_group_state *group,
                        struct ledger_claim *claim)
{
    if (claim->ever_owned && !claim->able)
        group->figures.stopped_partition_ns += sim_now(ledger->sim) - claim->stopped_since;
    claim->ever_owned = false;
}

static void add_owner(struct ledger *ledger, struct ledger_claim *claim, name_id member,
                      int64_t incarnation)
{
    if (claim->owner_count == claim->owner_capacity) {
        uint32_t capacity = claim->owner_capacity == 0 ? 2 : claim->owner_capacity * 2;
        claim->owners = memory_resize(ledger->memory, claim->owners,
                                      claim->owner_capacity * sizeof(*claim->owners),
                                      capacity * sizeof(*claim->owners));
        claim->owner_capacity = capacity;
    }
    claim->owners[claim->owner_count++] = (struct ledger_owner){member, incarnation};
}

/* A consumer that died is taken off when its process dies, so its last words may find nobody. */
static void drop_owner(struct ledger_claim *claim, name_id member, enum ownership_end end)
{
    for (uint32_t i = 0; i < claim->owner_count; i++) {
        if (claim->owners[i].member != member) continue;
        for (uint32_t j = i + 1; j < claim->owner_count; j++)
            claim->owners[j - 1] = claim->owners[j];
        claim->owner_count--;
        if (end == OWNERSHIP_DIED || end == OWNERSHIP_CLOSED) ledger_forget_polls(claim, member);
        if (claim->last_worker == member) {
            claim->last_end = end;
            claim->last_ended = true;
        }
        return;
    }
}

void ledger_on_ownership_record(struct ledger *ledger, struct ledger_group_state *group,
                                const struct trace_record *record)
{
    name_id member = (name_id)record->field[1];
    struct ledger_claim *claim = ledger_claim_of(ledger, group, record->field[2]);
    if (claim == NULL) return;
    ledger_member_of(ledger, group, member);
    if (record->kind == TRACE_DISOWNED) {
        drop_owner(claim, member, (enum ownership_end)record->field[4]);
    } else {
        drop_owner(claim, member, OWNERSHIP_LOST); /* owning anew what it owned */
    }
    if (record->kind == TRACE_OWNED) add_owner(ledger, claim, member, record->field[4]);
    ledger_refresh_able(ledger, group, claim);
}

/* A member's ability changed: look at everything it holds. */
static void refresh_member(struct ledger *ledger, struct ledger_group_state *group, name_id member,
                           bool dead)
{
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            struct ledger_claim *claim = &group->claims[t][p];
            if (dead) ledger_drop_in_hand(claim, member);
            if (claim->owner_count == 0) continue;
            if (dead) drop_owner(claim, member, OWNERSHIP_DIED);
            ledger_refresh_able(ledger, group, claim);
        }
    }
}

void ledger_on_process(struct ledger *ledger, const struct trace_record *record)
{
    name_id name = (name_id)record->field[0];
    uint32_t index = name_table_get(&ledger->member_by_name, name);
    if (index == 0) return; /* a broker, or a member that never owned anything */
    struct ledger_member *member = &ledger->members[index - 1];
    member->halted = record->field[1] != PROCESS_TRACE_RUNNING;
    bool dead = record->field[1] == PROCESS_TRACE_DEAD;
    member->dead = dead;
    if (dead) {
        member->restoring = member->expelled = member->joining = false;
        member->id = member->abandoned = NAME_NONE;
    }
    refresh_member(ledger, &ledger->groups[member->group], name, dead);
}

void ledger_set_restoring(struct ledger *ledger, struct ledger_group_state *group, name_id member,
                          bool restoring)
{
    ledger_member_of(ledger, group, member)->restoring = restoring;
    refresh_member(ledger, group, member, false);
}

void ledger_close_stopped(struct ledger *ledger, struct ledger_group_state *group)
{
    sim_time now = sim_now(ledger->sim);
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            struct ledger_claim *claim = &group->claims[t][p];
            if (!claim->ever_owned || claim->able) continue;
            group->figures.stopped_partition_ns += now - claim->stopped_since;
            claim->stopped_since = now;
        }
    }
}
