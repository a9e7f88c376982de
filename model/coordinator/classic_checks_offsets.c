/* model/coordinator/classic_checks_offsets.c: I11 and I17, of groups of either kind. */
#include "model/coordinator/classic_checks_internal.h"

#include "model/coordinator/transactions.h"

#include "sim/check.h"

static struct asked_offset *find_asked(struct classic_checks *checks, name_id group,
                                       struct topic_partition partition)
{
    for (uint32_t i = 0; i < checks->asked_count; i++) {
        struct asked_offset *asked = &checks->asked[i];
        if (asked->group == group && asked->partition.topic == partition.topic &&
            asked->partition.partition == partition.partition)
            return asked;
    }
    return NULL;
}

static void note_entries(struct classic_checks *checks, name_id group,
                         const struct offset_entry *entries, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct asked_offset *asked = find_asked(checks, group, entries[i].partition);
        if (asked == NULL) {
            if (checks->asked_count == checks->asked_capacity) {
                uint32_t capacity = checks->asked_capacity * 2 + 16;
                checks->asked = memory_resize(checks->memory, checks->asked,
                                              sizeof(*asked) * checks->asked_capacity,
                                              sizeof(*asked) * capacity);
                checks->asked_capacity = capacity;
            }
            asked = &checks->asked[checks->asked_count++];
            *asked = (struct asked_offset){.group = group,
                                           .partition = entries[i].partition,
                                           .highest = INT64_MIN};
        }
        if (entries[i].offset > asked->highest) asked->highest = entries[i].offset;
    }
}

void classic_checks_loaded(struct classic_checks *checks, const struct coordinator *coordinator)
{
    for (uint32_t g = 0; g < coordinator_group_count(coordinator); g++) {
        const struct group *group = coordinator_group_at(coordinator, g);
        for (uint32_t i = 0; i < group->offsets.count; i++) {
            const struct offset_slot *slot = group->offsets.slots[i];
            struct offset_entry entry = {.partition = slot->partition, .offset = INT64_MIN};
            if (slot->value.present) entry.offset = slot->value.offset;
            /* What an open transaction has asked for is not to be seen. */
            if (slot->pending_count > 0) entry.offset = INT64_MAX;
            note_entries(checks, group->id, &entry, 1);
        }
    }
}

void checks_note_asked(struct classic_checks *checks, const struct message *request)
{
    if (request == NULL) return;
    if (request->api == API_OFFSET_COMMIT) {
        const struct offset_commit_request *commit = (const struct offset_commit_request *)request;
        note_entries(checks, commit->group, commit->offsets, commit->offset_count);
    } else if (request->api == API_TXN_OFFSET_COMMIT) {
        const struct txn_offset_commit_request *commit =
            (const struct txn_offset_commit_request *)request;
        note_entries(checks, commit->group, commit->offsets, commit->offset_count);
    }
}

void checks_offsets(struct classic_checks *checks, const struct group *group)
{
    for (uint32_t i = 0; i < group->offsets.count; i++) {
        const struct offset_slot *slot = group->offsets.slots[i];
        if (!slot->value.present) continue;
        const struct asked_offset *asked = find_asked(checks, group->id, slot->partition);
        if (asked != NULL && slot->value.offset <= asked->highest) continue;
        classic_violate(checks, CLASSIC_I17, group->id,
                        "an offset is committed beyond what anybody asked for");
        return;
    }
}

/* --- I11 ------------------------------------------------------------------------------------- */

static bool same_offset(const struct stored_offset *a, const struct stored_offset *b)
{
    if (a->present != b->present) return false;
    return !a->present ||
           (a->offset == b->offset && a->leader_epoch == b->leader_epoch &&
            a->metadata == b->metadata && a->commit_timestamp_ms == b->commit_timestamp_ms &&
            a->expire_timestamp_ms == b->expire_timestamp_ms);
}

static bool same_offsets(const struct group *live, const struct group *rebuilt)
{
    for (uint32_t i = 0; i < live->offsets.count; i++) {
        const struct offset_slot *slot = live->offsets.slots[i];
        const struct offset_slot *other =
            rebuilt == NULL ? NULL : group_offsets_find(&rebuilt->offsets, slot->partition);
        const struct stored_offset none = {0};
        if (!same_offset(&slot->value, other == NULL ? &none : &other->value)) return false;
        if (slot->pending_count != (other == NULL ? 0 : other->pending_count)) return false;
    }
    return true;
}

static bool same_members(const struct classic_group *live, const struct classic_group *rebuilt)
{
    if (live->member_count != rebuilt->member_count) return false;
    for (int32_t i = 0; i < live->member_count; i++) {
        const struct classic_member *a = live->members[i], *b = rebuilt->members[i];
        if (a->id != b->id || a->instance != b->instance || a->client_id != b->client_id ||
            a->session_timeout_ms != b->session_timeout_ms ||
            a->rebalance_timeout_ms != b->rebalance_timeout_ms ||
            checks_digest_bytes(a->assignment) != checks_digest_bytes(b->assignment) ||
            checks_digest_bytes(classic_metadata(a, live->protocol_name)) !=
                checks_digest_bytes(classic_metadata(b, rebuilt->protocol_name)))
            return false;
    }
    return true;
}

/* Only Stable and Empty are in the log; in between the log has the generation before. */
static bool same_group(const struct group *live, const struct group *rebuilt)
{
    if (live->type != GROUP_CLASSIC) return true;
    const struct classic_group *classic = live->classic;
    bool is_bare = classic->protocol_type == NAME_NONE && live->offsets.present_count == 0;
    bool is_settled = classic->state == GROUP_STABLE || classic->state == GROUP_EMPTY;
    if (rebuilt == NULL || rebuilt->type != GROUP_CLASSIC) return is_bare || !is_settled;
    if (!is_settled) return true;
    const struct classic_group *other = rebuilt->classic;
    /* The record of a Stable group has the time of its CompletingRebalance; a simple group that
     * comes with its offsets has none. */
    bool is_same_time = classic->state == GROUP_STABLE || classic->protocol_type == NAME_NONE ||
                        classic->state_timestamp_ms == other->state_timestamp_ms;
    return classic->state == other->state && classic->generation == other->generation &&
           classic->protocol_type == other->protocol_type &&
           classic->protocol_name == other->protocol_name && classic->leader == other->leader &&
           is_same_time && same_members(classic, other);
}

void classic_checks_rebuilt(struct classic_checks *checks, const struct coordinator *live,
                            const struct coordinator *rebuilt)
{
    for (uint32_t i = 0; i < coordinator_group_count(live); i++) {
        const struct group *group = coordinator_group_at(live, i);
        const struct group *other = coordinator_find_group(rebuilt, group->id);
        if (!same_group(group, other)) {
            classic_violate(checks, CLASSIC_I11, group->id, "the log gives another group");
        }
        if (!same_offsets(group, other)) {
            classic_violate(checks, CLASSIC_I11, group->id, "the log gives other offsets");
        }
    }
}
