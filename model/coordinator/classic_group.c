/* model/coordinator/classic_group.c: the group and who is in it. */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

#include <string.h>

#define MEMBERS_INITIAL 8

/* ClassicGroupState.validPreviousStates; DEAD is an object that is gone. */
static const bool may_follow[GROUP_STATE_COUNT][GROUP_STATE_COUNT] = {
    [GROUP_EMPTY] = {[GROUP_PREPARING_REBALANCE] = true},
    [GROUP_PREPARING_REBALANCE] =
        {[GROUP_EMPTY] = true, [GROUP_COMPLETING_REBALANCE] = true, [GROUP_STABLE] = true},
    [GROUP_COMPLETING_REBALANCE] = {[GROUP_PREPARING_REBALANCE] = true},
    [GROUP_STABLE] = {[GROUP_COMPLETING_REBALANCE] = true},
};

struct classic_group *classic_group_new(struct coordinator *coordinator, struct group *group)
{
    struct memory *memory = coordinator->memory;
    struct classic_group *classic = memory_take(memory, sizeof(*classic));
    *classic = (struct classic_group){
        .group = group,
        .state = GROUP_EMPTY,
        .previous_state = GROUP_DEAD,
        .state_timestamp_ms = coordinator_clock_ms(coordinator),
        .initial_delay_ms = -1,
    };
    id_map_init(&classic->members_by_id, memory);
    id_map_init(&classic->members_by_instance, memory);
    id_map_init(&classic->pending_by_id, memory);
    coordinator_timer_init(&classic->join_timer, classic_on_join_timer, classic);
    coordinator_timer_init(&classic->sync_timer, classic_on_sync_timer, classic);
    return classic;
}

/* An operation under way that brought the request may still answer it; else nobody will. */
static void drop_parked(struct coordinator *coordinator, struct parked_request **parked)
{
    if (*parked == NULL) return;
    if ((*parked)->references > 1) {
        parked_release(coordinator, parked);
    } else {
        parked_abandon(coordinator, parked);
    }
}

static void free_member(struct coordinator *coordinator, struct classic_member *member)
{
    struct memory *memory = coordinator->memory;
    coordinator_disarm(coordinator, &member->session);
    drop_parked(coordinator, &member->join);
    drop_parked(coordinator, &member->sync);
    memory_give(memory, member->protocols, member->protocols_size);
    memory_give(memory, member->assignment_block, member->assignment.length);
    memory_give(memory, member, sizeof(*member));
}

static void free_pending(struct coordinator *coordinator, struct pending_member *pending)
{
    coordinator_disarm(coordinator, &pending->session);
    memory_give(coordinator->memory, pending, sizeof(*pending));
}

void classic_group_free(struct coordinator *coordinator, struct classic_group *classic)
{
    if (classic == NULL) return;
    struct memory *memory = coordinator->memory;
    coordinator_disarm(coordinator, &classic->join_timer);
    coordinator_disarm(coordinator, &classic->sync_timer);
    for (int32_t i = 0; i < classic->member_count; i++) {
        free_member(coordinator, classic->members[i]);
    }
    for (int32_t i = 0; i < classic->pending_count; i++) {
        free_pending(coordinator, classic->pending[i]);
    }
    memory_give(memory, classic->members,
                sizeof(*classic->members) * (size_t)classic->member_capacity);
    memory_give(memory, classic->pending,
                sizeof(*classic->pending) * (size_t)classic->pending_capacity);
    memory_give(memory, classic->support,
                sizeof(*classic->support) * (size_t)classic->support_capacity);
    memory_give(memory, classic->ghost_syncs,
                sizeof(*classic->ghost_syncs) * (size_t)classic->ghost_sync_capacity);
    memory_give(memory, classic->topics,
                sizeof(*classic->topics) * (size_t)classic->topic_capacity);
    id_map_release(&classic->members_by_id);
    id_map_release(&classic->members_by_instance);
    id_map_release(&classic->pending_by_id);
    memory_give(memory, classic, sizeof(*classic));
}

void classic_group_suspend(struct coordinator *coordinator, struct classic_group *classic)
{
    coordinator_disarm(coordinator, &classic->join_timer);
    coordinator_disarm(coordinator, &classic->sync_timer);
    for (int32_t i = 0; i < classic->member_count; i++) {
        coordinator_disarm(coordinator, &classic->members[i]->session);
    }
    for (int32_t i = 0; i < classic->pending_count; i++) {
        coordinator_disarm(coordinator, &classic->pending[i]->session);
    }
}

void classic_group_resume(struct coordinator *coordinator, struct classic_group *classic)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        classic_restart_session(coordinator, classic->members[i]);
    }
    for (int32_t i = 0; i < classic->pending_count; i++) {
        coordinator_arm(coordinator, &classic->pending[i]->session,
                        classic->pending[i]->session_timeout_ms);
    }
}

static bool members_are_consistent(const struct classic_group *classic)
{
    int32_t awaiting_join = 0, pending_sync = 0;
    uint32_t statics = 0;
    bool leader_found = classic->leader == NAME_NONE;
    for (int32_t i = 0; i < classic->member_count; i++) {
        const struct classic_member *member = classic->members[i];
        awaiting_join += member->join != NULL;
        pending_sync += member->pending_sync;
        statics += member->instance != NAME_NONE;
        leader_found |= member->id == classic->leader;
        if (member->group != classic->group) return false;
    }
    return awaiting_join == classic->awaiting_join_count &&
           pending_sync + classic->ghost_sync_count == classic->pending_sync_count &&
           statics == classic->members_by_instance.count && leader_found;
}

bool classic_group_is_consistent(const struct classic_group *classic)
{
    if (classic->members_by_id.count != (uint32_t)classic->member_count) return false;
    if (classic->pending_by_id.count != (uint32_t)classic->pending_count) return false;
    if (classic->awaiting_join_count > classic->member_count) return false;
    switch (classic->state) {
    case GROUP_EMPTY:
        if (classic->member_count > 0 || classic->protocol_name != NAME_NONE) return false;
        break;
    case GROUP_PREPARING_REBALANCE: break;
    case GROUP_COMPLETING_REBALANCE:
    case GROUP_STABLE:
        if (classic->member_count == 0 || classic->protocol_name == NAME_NONE) return false;
        break;
    case GROUP_DEAD:
    case GROUP_ASSIGNING:
    case GROUP_RECONCILING:
    case GROUP_STATE_COUNT: return false;
    }
    return true;
}

bool classic_group_is_consistent_in_depth(const struct classic_group *classic)
{
    return classic_group_is_consistent(classic) && members_are_consistent(classic);
}

void classic_set_state(struct coordinator *coordinator, struct classic_group *classic,
                       enum group_state state)
{
    CHECK(may_follow[state][classic->state]);
    classic->previous_state = classic->state;
    classic->state = state;
    classic->state_timestamp_ms = coordinator_clock_ms(coordinator);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_GROUP_STATE,
                                                      .group = classic->group->id,
                                                      .old_state = classic->previous_state,
                                                      .state = state,
                                                      .generation = classic->generation,
                                                      .count = classic->member_count});
}

struct classic_member *classic_find_member(const struct classic_group *classic, name_id id)
{
    return id_map_get(&classic->members_by_id, id);
}

struct classic_member *classic_find_static(const struct classic_group *classic, name_id instance)
{
    return id_map_get(&classic->members_by_instance, instance);
}

bool classic_is_pending(const struct classic_group *classic, name_id id)
{
    return id_map_get(&classic->pending_by_id, id) != NULL;
}

struct classic_member *classic_validate_member(const struct classic_group *classic, name_id id,
                                               name_id instance, enum kafka_error *error)
{
    *error = KAFKA_UNKNOWN_MEMBER_ID;
    if (instance != NAME_NONE) {
        const struct classic_member *holder = classic_find_static(classic, instance);
        if (holder == NULL) return NULL;
        if (holder->id != id) {
            *error = KAFKA_FENCED_INSTANCE_ID;
            return NULL;
        }
    }
    struct classic_member *member = classic_find_member(classic, id);
    if (member != NULL) *error = KAFKA_NONE;
    return member;
}

/* First index whose id is not below `id`. */
static int32_t place_of(const struct coordinator *coordinator, const struct classic_group *classic,
                        name_id id)
{
    int32_t low = 0, high = classic->member_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (names_compare(coordinator->names, classic->members[middle]->id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void insert_member(struct coordinator *coordinator, struct classic_group *classic,
                          struct classic_member *member)
{
    if (classic->member_count == classic->member_capacity) {
        int32_t capacity =
            classic->member_capacity == 0 ? MEMBERS_INITIAL : classic->member_capacity * 2;
        classic->members = memory_resize(coordinator->memory, classic->members,
                                         sizeof(member) * (size_t)classic->member_capacity,
                                         sizeof(member) * (size_t)capacity);
        classic->member_capacity = capacity;
    }
    int32_t place = place_of(coordinator, classic, member->id);
    memmove(&classic->members[place + 1], &classic->members[place],
            sizeof(member) * (size_t)(classic->member_count - place));
    classic->members[place] = member;
    classic->member_count++;
    id_map_put(&classic->members_by_id, member->id, member);
    if (member->instance != NAME_NONE) {
        id_map_put(&classic->members_by_instance, member->instance, member);
    }
}

static void withdraw_member(struct coordinator *coordinator, struct classic_group *classic,
                            struct classic_member *member)
{
    int32_t place = place_of(coordinator, classic, member->id);
    CHECK(classic->members[place] == member);
    classic->member_count--;
    memmove(&classic->members[place], &classic->members[place + 1],
            sizeof(member) * (size_t)(classic->member_count - place));
    id_map_remove(&classic->members_by_id, member->id);
    if (member->instance != NAME_NONE) {
        id_map_remove(&classic->members_by_instance, member->instance);
    }
}

struct classic_member *classic_add_member(struct coordinator *coordinator,
                                          struct classic_group *classic,
                                          const struct member_details *details)
{
    CHECK(classic_find_member(classic, details->id) == NULL);
    if (classic->member_count == 0) {
        /* ClassicGroup.add: the protocol type is that of the first member. */
        classic->protocol_type = details->protocol_type;
    }
    struct classic_member *member = memory_take(coordinator->memory, sizeof(*member));
    *member = (struct classic_member){
        .group = classic->group,
        .id = details->id,
        .instance = details->instance,
        .client_id = details->client_id,
        .client_host = details->client_host,
        .rebalance_timeout_ms = details->rebalance_timeout_ms,
        .session_timeout_ms = details->session_timeout_ms,
    };
    coordinator_timer_init(&member->session, classic_on_session_timer, member);
    insert_member(coordinator, classic, member);
    classic_set_protocols(coordinator, classic, member, details->protocols,
                          details->protocol_count);
    if (classic->leader == NAME_NONE) classic->leader = member->id;
    classic_remove_pending(coordinator, classic, member->id);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_ADDED,
                                                      .group = classic->group->id,
                                                      .member = member->id,
                                                      .instance = member->instance,
                                                      .client_id = member->client_id,
                                                      .client_host = member->client_host,
                                                      .generation = classic->generation});
    return member;
}

void classic_remove_member(struct coordinator *coordinator, struct classic_group *classic,
                           struct classic_member *member)
{
    withdraw_member(coordinator, classic, member);
    classic_set_protocols(coordinator, classic, member, NULL, 0);
    classic_set_pending_sync(classic, member, false);
    if (member->join != NULL) classic->awaiting_join_count--;
    if (classic->leader == member->id) {
        classic->leader = classic->member_count > 0 ? classic->members[0]->id : NAME_NONE;
    }
    parked_abandon(coordinator, &member->join);
    parked_abandon(coordinator, &member->sync);
    free_member(coordinator, member);
}

static void leave_ghost(struct coordinator *coordinator, struct classic_group *classic,
                        struct classic_member *member)
{
    if (classic->ghost_sync_count == classic->ghost_sync_capacity) {
        int32_t capacity =
            classic->ghost_sync_capacity == 0 ? MEMBERS_INITIAL : classic->ghost_sync_capacity * 2;
        classic->ghost_syncs =
            memory_resize(coordinator->memory, classic->ghost_syncs,
                          sizeof(*classic->ghost_syncs) * (size_t)classic->ghost_sync_capacity,
                          sizeof(*classic->ghost_syncs) * (size_t)capacity);
        classic->ghost_sync_capacity = capacity;
    }
    classic->ghost_syncs[classic->ghost_sync_count++] = member->id;
    member->pending_sync = false; /* the count stays: it is the ghost's now */
}

void classic_rename_member(struct coordinator *coordinator, struct classic_group *classic,
                           struct classic_member *member, name_id new_id, name_id caller)
{
    name_id old_id = member->id;
    classic_answer_join(coordinator, classic, member,
                        classic_join_response(coordinator, classic, old_id,
                                              KAFKA_FENCED_INSTANCE_ID));
    classic_answer_sync(coordinator, member,
                        classic_sync_response(coordinator, classic, NULL,
                                              KAFKA_FENCED_INSTANCE_ID));
    if (member->pending_sync) leave_ghost(coordinator, classic, member);
    withdraw_member(coordinator, classic, member);
    coordinator_disarm(coordinator, &member->session);
    member->id = new_id;
    insert_member(coordinator, classic, member);
    if (classic->leader == old_id) classic->leader = new_id;
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_MEMBER_REPLACED,
                                                      .group = classic->group->id,
                                                      .member = new_id,
                                                      .other = old_id,
                                                      .instance = member->instance,
                                                      .client_id = member->client_id,
                                                      .client_host = member->client_host,
                                                      .caller = caller,
                                                      .generation = classic->generation});
}

void classic_add_pending(struct coordinator *coordinator, struct classic_group *classic, name_id id,
                         int32_t session_timeout_ms)
{
    struct pending_member *pending = memory_take(coordinator->memory, sizeof(*pending));
    *pending = (struct pending_member){.group = classic->group,
                                       .id = id,
                                       .session_timeout_ms = session_timeout_ms};
    coordinator_timer_init(&pending->session, classic_on_pending_timer, pending);
    coordinator_arm(coordinator, &pending->session, session_timeout_ms);
    if (classic->pending_count == classic->pending_capacity) {
        int32_t capacity =
            classic->pending_capacity == 0 ? MEMBERS_INITIAL : classic->pending_capacity * 2;
        classic->pending = memory_resize(coordinator->memory, classic->pending,
                                         sizeof(pending) * (size_t)classic->pending_capacity,
                                         sizeof(pending) * (size_t)capacity);
        classic->pending_capacity = capacity;
    }
    classic->pending[classic->pending_count++] = pending;
    id_map_put(&classic->pending_by_id, id, pending);
}

void classic_remove_pending(struct coordinator *coordinator, struct classic_group *classic,
                            name_id id)
{
    struct pending_member *pending = id_map_get(&classic->pending_by_id, id);
    if (pending == NULL) return;
    id_map_remove(&classic->pending_by_id, id);
    int32_t place = 0;
    while (classic->pending[place] != pending)
        place++;
    classic->pending_count--;
    memmove(&classic->pending[place], &classic->pending[place + 1],
            sizeof(pending) * (size_t)(classic->pending_count - place));
    free_pending(coordinator, pending);
}

bool classic_all_joined(const struct classic_group *classic)
{
    return classic->member_count == classic->awaiting_join_count && classic->pending_count == 0;
}

int32_t classic_rebalance_timeout_ms(const struct classic_group *classic)
{
    int32_t longest = 0;
    for (int32_t i = 0; i < classic->member_count; i++) {
        if (classic->members[i]->rebalance_timeout_ms > longest) {
            longest = classic->members[i]->rebalance_timeout_ms;
        }
    }
    return longest;
}

void classic_set_pending_sync(struct classic_group *classic, struct classic_member *member,
                              bool pending)
{
    classic->pending_sync_count += pending - member->pending_sync;
    member->pending_sync = pending;
}

void classic_clear_pending_syncs(struct classic_group *classic)
{
    if (classic->pending_sync_count == 0) return;
    for (int32_t i = 0; i < classic->member_count; i++)
        classic->members[i]->pending_sync = false;
    classic->ghost_sync_count = 0;
    classic->pending_sync_count = 0;
}
