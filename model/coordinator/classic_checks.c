/* model/coordinator/classic_checks.c: views, the leader's word, and the state itself. */
#include "model/coordinator/classic_checks_internal.h"

#include "sim/check.h"

#include <string.h>

const char *classic_invariant_name(enum classic_invariant invariant)
{
    static const char *const names[CLASSIC_INVARIANT_COUNT] = {
#define X(id) [CLASSIC_##id] = #id,
        CLASSIC_INVARIANTS(X)
#undef X
    };
    CHECK((unsigned)invariant < CLASSIC_INVARIANT_COUNT);
    return names[invariant];
}

struct classic_checks *classic_checks_new(struct memory *memory, struct names *names,
                                          classic_violation *violation, void *self)
{
    struct classic_checks *checks = memory_take(memory, sizeof(*checks));
    *checks = (struct classic_checks){.memory = memory,
                                      .names = names,
                                      .violation = violation,
                                      .self = self};
    return checks;
}

void classic_violate(struct classic_checks *checks, enum classic_invariant invariant, name_id group,
                     const char *what)
{
    checks->violation(checks->self, invariant, group, what);
}

static void forget_views(struct classic_checks *checks)
{
    for (uint32_t i = 0; i < checks->before_count; i++) {
        struct group_view *view = &checks->before[i];
        memory_give(checks->memory, view->members,
                    sizeof(*view->members) * (size_t)view->member_count);
    }
    checks->before_count = 0;
}

static void forget_word(struct classic_checks *checks, struct leader_word *word)
{
    memory_give(checks->memory, word->entries, sizeof(*word->entries) * (size_t)word->count);
    *word = checks->words[--checks->word_count];
}

void classic_checks_free(struct classic_checks *checks)
{
    struct memory *memory = checks->memory;
    forget_views(checks);
    while (checks->word_count > 0)
        forget_word(checks, &checks->words[0]);
    memory_give(memory, checks->before, sizeof(*checks->before) * checks->before_capacity);
    memory_give(memory, checks->words, sizeof(*checks->words) * checks->word_capacity);
    memory_give(memory, checks->asked, sizeof(*checks->asked) * checks->asked_capacity);
    memory_give(memory, checks, sizeof(*checks));
}

/* --- digests --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * UINT64_C(11400714819323198485);
    return digest ^ digest >> 32;
}

uint64_t checks_digest_bytes(struct bytes bytes)
{
    uint64_t digest = mix(1, bytes.length);
    for (uint32_t i = 0; i < bytes.length; i++)
        digest = mix(digest, bytes.data[i]);
    return digest;
}

static uint64_t digest_member(uint64_t digest, const struct classic_member *member)
{
    const uint64_t words[] = {
        member->id,
        member->instance,
        (uint64_t)member->session_timeout_ms,
        (uint64_t)member->rebalance_timeout_ms,
        member->join != NULL,
        member->sync != NULL,
        member->is_new,
        member->pending_sync,
        (uint64_t)member->session.at,
        checks_digest_bytes(member->assignment),
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        digest = mix(digest, words[i]);
    for (int32_t i = 0; i < member->protocol_count; i++) {
        digest = mix(digest, member->protocols[i].name);
        digest = mix(digest, checks_digest_bytes(member->protocols[i].metadata));
    }
    return digest;
}

static uint64_t digest_offsets(uint64_t digest, const struct group_offsets *offsets)
{
    for (uint32_t i = 0; i < offsets->count; i++) {
        const struct offset_slot *slot = offsets->slots[i];
        if (!slot->value.present && slot->pending_count == 0) continue;
        digest = mix(digest, slot->partition.topic);
        digest = mix(digest, (uint64_t)slot->partition.partition);
        digest = mix(digest, (uint64_t)slot->value.offset);
        digest = mix(digest, (uint64_t)slot->value.record_offset);
        digest = mix(digest, (uint64_t)slot->pending_count);
    }
    return digest;
}

uint64_t checks_digest_group(const struct group *group)
{
    uint64_t digest = mix(0, (uint64_t)group->type);
    if (group->type == GROUP_CLASSIC) {
        const struct classic_group *classic = group->classic;
        digest = mix(digest, (uint64_t)classic->state);
        digest = mix(digest, (uint64_t)classic->generation);
        digest = mix(digest, classic->leader);
        digest = mix(digest, (uint64_t)classic->join_timer.at);
        digest = mix(digest, (uint64_t)classic->sync_timer.at);
        for (int32_t i = 0; i < classic->member_count; i++) {
            digest = digest_member(digest, classic->members[i]);
        }
        for (int32_t i = 0; i < classic->pending_count; i++) {
            digest = mix(digest, classic->pending[i]->id);
        }
    }
    return digest_offsets(digest, &group->offsets);
}

/* --- views ----------------------------------------------------------------------------------- */

static void view_group(struct classic_checks *checks, struct group_view *view,
                       const struct group *group)
{
    *view = (struct group_view){.id = group->id, .digest = checks_digest_group(group)};
    if (group->type != GROUP_CLASSIC) return;
    const struct classic_group *classic = group->classic;
    view->is_classic = true;
    view->state = classic->state;
    view->generation = classic->generation;
    view->leader = classic->leader;
    view->member_count = classic->member_count;
    view->members =
        memory_take(checks->memory, sizeof(*view->members) * (size_t)classic->member_count);
    for (int32_t i = 0; i < classic->member_count; i++) {
        view->members[i] = (struct member_view){.id = classic->members[i]->id,
                                                .instance = classic->members[i]->instance};
    }
}

void classic_checks_before(struct classic_checks *checks, const struct coordinator *coordinator)
{
    forget_views(checks);
    uint32_t count = coordinator_group_count(coordinator);
    if (count > checks->before_capacity) {
        checks->before = memory_resize(checks->memory, checks->before,
                                       sizeof(*checks->before) * checks->before_capacity,
                                       sizeof(*checks->before) * count * 2);
        checks->before_capacity = count * 2;
    }
    for (uint32_t i = 0; i < count; i++) {
        view_group(checks, &checks->before[i], coordinator_group_at(coordinator, i));
    }
    checks->before_count = count;
}

const struct group_view *checks_view(const struct classic_checks *checks, name_id group)
{
    for (uint32_t i = 0; i < checks->before_count; i++) {
        if (checks->before[i].id == group) return &checks->before[i];
    }
    return NULL;
}

void classic_checks_failed_over(struct classic_checks *checks)
{
    forget_views(checks);
    while (checks->word_count > 0)
        forget_word(checks, &checks->words[0]);
}

/* --- I3: the leader's word ------------------------------------------------------------------- */

static struct leader_word *find_word(const struct classic_checks *checks, name_id group)
{
    for (uint32_t i = 0; i < checks->word_count; i++) {
        if (checks->words[i].group == group) return &checks->words[i];
    }
    return NULL;
}

static uint64_t assigned_by(const struct sync_group_request *request, name_id member)
{
    uint64_t digest = checks_digest_bytes((struct bytes){0});
    for (int32_t i = 0; i < request->assignment_count; i++) {
        if (request->assignments[i].member != member) continue;
        digest = checks_digest_bytes(request->assignments[i].assignment);
    }
    return digest;
}

/* The first word of a generation counts: a repeated SyncGroup of the leader comes too late. */
static void hear_leader(struct classic_checks *checks, const struct message *message,
                        const struct message *response)
{
    if (message == NULL || message->api != API_SYNC_GROUP) return;
    if (response != NULL && ((const struct sync_group_response *)response)->error != KAFKA_NONE)
        return;
    const struct sync_group_request *request = (const struct sync_group_request *)message;
    const struct group_view *view = checks_view(checks, request->group);
    if (view == NULL || !view->is_classic || view->state != GROUP_COMPLETING_REBALANCE ||
        view->generation != request->generation || view->leader != request->member)
        return;
    struct leader_word *word = find_word(checks, request->group);
    if (word != NULL && word->generation == request->generation) return;
    if (word != NULL) forget_word(checks, word);
    if (checks->word_count == checks->word_capacity) {
        uint32_t capacity = checks->word_capacity * 2 + 4;
        checks->words = memory_resize(checks->memory, checks->words,
                                      sizeof(*checks->words) * checks->word_capacity,
                                      sizeof(*checks->words) * capacity);
        checks->word_capacity = capacity;
    }
    word = &checks->words[checks->word_count++];
    *word = (struct leader_word){.group = request->group,
                                 .generation = request->generation,
                                 .count = view->member_count};
    word->entries =
        memory_take(checks->memory, sizeof(*word->entries) * (size_t)view->member_count);
    for (int32_t i = 0; i < view->member_count; i++) {
        word->entries[i] = (struct word_entry){
            .member = view->members[i].id,
            .instance = view->members[i].instance,
            .digest = assigned_by(request, view->members[i].id),
        };
    }
}

/* A static member that came back under another id inherits. If that could not be written in time it
 * gets its former id back, whatever the group does meanwhile, and an assignment made for the other
 * id in between is lost on it: it stays empty (updateStaticMemberThenRebalanceOrCompleteJoin
 * reverts without looking at the state). */
static bool is_as_said(const struct leader_word *word, const struct classic_member *member)
{
    uint64_t digest = checks_digest_bytes(member->assignment);
    for (int32_t i = 0; i < word->count; i++) {
        if (word->entries[i].member == member->id) return word->entries[i].digest == digest;
    }
    for (int32_t i = 0; i < word->count && member->instance != NAME_NONE; i++) {
        if (word->entries[i].instance != member->instance) continue;
        return word->entries[i].digest == digest || member->assignment.length == 0;
    }
    return false;
}

static void check_leaders_word(struct classic_checks *checks, const struct classic_group *classic)
{
    const struct leader_word *word = find_word(checks, classic->group->id);
    if (classic->state != GROUP_STABLE || word == NULL || word->generation != classic->generation)
        return;
    for (int32_t i = 0; i < classic->member_count; i++) {
        if (is_as_said(word, classic->members[i])) continue;
        classic_violate(checks, CLASSIC_I3, classic->group->id,
                        "a member has not got what the leader assigned to it");
        return;
    }
}

/* --- the state ------------------------------------------------------------------------------- */

static bool all_support(const struct classic_group *classic, name_id protocol)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        bool found = false;
        for (int32_t p = 0; p < classic->members[i]->protocol_count; p++) {
            found |= classic->members[i]->protocols[p].name == protocol;
        }
        if (!found) return false;
    }
    return true;
}

static void check_stable(struct classic_checks *checks, const struct classic_group *classic)
{
    if (classic->state != GROUP_STABLE) return;
    name_id group = classic->group->id;
    bool leader_found = false, somebody_new = false, somebody_syncs = false;
    for (int32_t i = 0; i < classic->member_count; i++) {
        leader_found |= classic->members[i]->id == classic->leader;
        somebody_new |= classic->members[i]->is_new;
        somebody_syncs |= classic->members[i]->sync != NULL;
    }
    if (!leader_found) classic_violate(checks, CLASSIC_I7, group, "Stable without a leader");
    if (somebody_new) classic_violate(checks, CLASSIC_I7, group, "Stable with a new member");
    if (somebody_syncs) classic_violate(checks, CLASSIC_I7, group, "Stable with a parked sync");
    if (!all_support(classic, classic->protocol_name)) {
        classic_violate(checks, CLASSIC_I7, group, "Stable on a protocol that not all support");
    }
}

static void check_instances(struct classic_checks *checks, const struct classic_group *classic)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        name_id instance = classic->members[i]->instance;
        for (int32_t j = i + 1; instance != NAME_NONE && j < classic->member_count; j++) {
            if (classic->members[j]->instance != instance) continue;
            classic_violate(checks, CLASSIC_I10, classic->group->id,
                            "two members with one group.instance.id");
            return;
        }
    }
}

void classic_checks_after(struct classic_checks *checks, const struct coordinator *coordinator,
                          const struct message *request, const struct message *response)
{
    if (coordinator_state(coordinator) != COORDINATOR_ACTIVE) return;
    hear_leader(checks, request, response);
    checks_note_asked(checks, request);
    checks_request(checks, coordinator, request, response);
    for (uint32_t i = 0; i < coordinator_group_count(coordinator); i++) {
        const struct group *group = coordinator_group_at(coordinator, i);
        checks_offsets(checks, group);
        if (group->type != GROUP_CLASSIC) {
            /* Its next life starts at generation 0. */
            struct leader_word *word = find_word(checks, group->id);
            if (word != NULL) forget_word(checks, word);
            continue;
        }
        const struct group_view *view = checks_view(checks, group->id);
        if (view != NULL && view->is_classic && group->classic->generation < view->generation) {
            classic_violate(checks, CLASSIC_I5, group->id, "the generation decreased");
        }
        check_leaders_word(checks, group->classic);
        check_stable(checks, group->classic);
        check_instances(checks, group->classic);
        checks_assignments(checks, coordinator, group->classic);
    }
}
