/* A9 and A10: who held what whenever the group was at rest, and whether it had to change.
 *
 * Two rests are compared, not the generations between them: what a cooperative rebalance holds back
 * for a round has not moved yet. All members of a group subscribe alike, so the best is known
 * without a search (assignor/measure_best.h): low = partitions / members each, one more for some of
 * them, and everybody keeps what it had up to its quota. A member is a membership, by Kafka's id of
 * it: one that was expelled and came back has nothing to keep. */
#include "model/ledger_internal.h"

#include "sim/check.h"

/* One member while assignments are counted. */
struct rest_member {
    name_id id;
    name_id name;
    int64_t held;
    int64_t had;
    int64_t load;
};

struct rest_count {
    struct ledger *ledger;
    struct rest_member *members;
    uint32_t count;
    uint32_t capacity;
    int64_t partitions;
    int64_t kept;
    int64_t moved;
    bool held_back; /* somebody had a partition that now nobody has */
};

static struct rest_member *member_of(struct rest_count *count, name_id id, name_id name)
{
    struct ledger *ledger = count->ledger;
    uint32_t index = name_table_get(&ledger->rest_by_id, id);
    if (index != 0) return &count->members[index - 1];
    if (count->count == count->capacity) {
        uint32_t capacity = count->capacity == 0 ? 16 : count->capacity * 2;
        count->members =
            memory_resize(ledger->memory, count->members, count->capacity * sizeof(*count->members),
                          capacity * sizeof(*count->members));
        count->capacity = capacity;
    }
    count->members[count->count++] = (struct rest_member){.id = id, .name = name};
    name_table_set(ledger, &ledger->rest_by_id, id, count->count);
    return &count->members[count->count - 1];
}

static void count_done(struct rest_count *count)
{
    for (uint32_t i = 0; i < count->count; i++)
        name_table_set(count->ledger, &count->ledger->rest_by_id, count->members[i].id, 0);
    memory_give(count->ledger->memory, count->members, count->capacity * sizeof(*count->members));
}

static void count_claim(struct rest_count *count, const struct ledger_claim *claim)
{
    bool had_one = claim->rest_id != NAME_NONE;
    bool has_one = claim->assigned_id != NAME_NONE;
    count->held_back |= had_one && !has_one;
    if (!has_one) return;
    count->partitions++;
    member_of(count, claim->assigned_id, claim->assigned)->held++;
    if (!had_one) return;
    member_of(count, claim->rest_id, NAME_NONE)->had++;
    count->kept += claim->rest_id == claim->assigned_id;
    count->moved += claim->rest_id != claim->assigned_id;
}

static bool is_present(const struct ledger *ledger, const struct rest_member *member)
{
    if (member->held > 0) return true;
    uint32_t index = name_table_get(&ledger->member_by_name, member->name);
    if (index == 0) return false;
    return ledger->members[index - 1].in_group && ledger->members[index - 1].id == member->id;
}

static void note_moves(struct ledger_group_state *group, const struct rest_count *count)
{
    int64_t low = count->partitions / group->settled_members;
    int64_t surplus = count->partitions % group->settled_members;
    int64_t best = 0;
    int64_t could_use_more = 0;
    for (uint32_t i = 0; i < count->count; i++) {
        const struct rest_member *member = &count->members[i];
        if (!is_present(count->ledger, member)) continue;
        best += member->had < low ? member->had : low;
        could_use_more += member->had > low;
    }
    best += could_use_more < surplus ? could_use_more : surplus;
    group->anomalies.moves += count->moved;
    if (best <= count->kept) return;
    group->anomalies.moved_needlessly += best - count->kept;
    const struct finding finding = {
        .kind = FINDING_UNNECESSARY_MOVE,
        .cause = FINDING_CAUSE_REBALANCE,
        .partition = FINDING_NO_PARTITION,
        .records = best - count->kept,
    };
    ledger_add_finding(count->ledger, group, &finding);
}

static void note_balance(struct ledger_group_state *group, const struct rest_count *count)
{
    const struct rest_member *most = NULL;
    const struct rest_member *least = NULL;
    int64_t holders = 0;
    for (uint32_t i = 0; i < count->count; i++) {
        const struct rest_member *member = &count->members[i];
        if (member->held == 0) continue;
        holders++;
        if (most == NULL || member->held > most->held) most = member;
        if (least == NULL || member->held < least->held) least = member;
    }
    CHECK(most != NULL && least != NULL);
    int64_t fewest = group->settled_members > holders ? 0 : least->held;
    int64_t imbalance = most->held - fewest;
    if (imbalance > group->anomalies.imbalance) group->anomalies.imbalance = imbalance;
    if (imbalance < 2) return; /* one is what remains of a division */
    const struct finding finding = {
        .kind = FINDING_IMBALANCE,
        .cause = FINDING_CAUSE_REBALANCE,
        .partition = FINDING_NO_PARTITION,
        .records = imbalance,
        .member = most->name,
        .culprit = fewest == 0 ? NAME_NONE : least->name,
    };
    ledger_add_finding(count->ledger, group, &finding);
}

void ledger_begin_rest(struct ledger *ledger)
{
    struct ledger_group_state *group = ledger->settling;
    ledger->settling = NULL;
    struct rest_count count = {.ledger = ledger};
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++)
            count_claim(&count, &group->claims[t][p]);
    }
    if (!count.held_back && count.partitions > 0 && group->settled_members > 0) {
        note_moves(group, &count);
        note_balance(group, &count);
        group->rest_since = sim_now(ledger->sim);
    }
    count_done(&count);
    if (group->rest_since == SIM_TIME_NEVER) return;
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            struct ledger_claim *claim = &group->claims[t][p];
            claim->rest_id = claim->assigned_id;
            claim->rest_end = ledger->topics[t].logs[p].end;
        }
    }
}

/* The load of the longest rest counts: a short one says little. */
void ledger_end_rest(struct ledger *ledger, struct ledger_group_state *group)
{
    if (group->rest_since == SIM_TIME_NEVER) return;
    sim_time length = sim_now(ledger->sim) - group->rest_since;
    group->rest_since = SIM_TIME_NEVER;
    if (length <= group->anomalies.rest_ns) return;
    struct rest_count count = {.ledger = ledger};
    for (int32_t t = 0; t < ledger->scenario->topic_count; t++) {
        if (group->claims[t] == NULL) continue;
        for (int32_t p = 0; p < ledger->topics[t].partition_count; p++) {
            const struct ledger_claim *claim = &group->claims[t][p];
            if (claim->rest_id == NAME_NONE) continue;
            member_of(&count, claim->rest_id, NAME_NONE)->load +=
                ledger->topics[t].logs[p].end - claim->rest_end;
        }
    }
    struct ledger_anomalies *anomalies = &group->anomalies;
    anomalies->rest_ns = length;
    anomalies->load_most = 0;
    anomalies->load_least = group->settled_members > count.count ? 0 : INT64_MAX;
    for (uint32_t i = 0; i < count.count; i++) {
        int64_t load = count.members[i].load;
        if (load > anomalies->load_most) anomalies->load_most = load;
        if (load < anomalies->load_least) anomalies->load_least = load;
    }
    count_done(&count);
}
