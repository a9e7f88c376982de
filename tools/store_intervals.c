#include "tools/store_intervals.h"

#include "model/trace_kinds.h"
#include "tools/store.h"
#include "tools/text.h"

#include <stdlib.h>

/* A partition that a consumer holds. Open intervals are as many as partitions times groups, give
 * or take zombies; a hash table finds them. */
struct holding {
    bool taken;
    name_id group;
    name_id member;
    uint32_t partition;
    int64_t generation;
    sim_time begin_at;
};

struct group_progress {
    name_id group;
    bool was_stable;
    bool is_open; /* a rebalance is going on */
    sim_time begin_at;
    int64_t generation;
    const char *cause; /* static text; NULL = not told yet */
};

struct store_intervals {
    struct store *store;
    struct holding *holdings; /* open addressing, shape [capacity], a power of two */
    size_t capacity;
    size_t count;
    struct group_progress *groups; /* shape [group_count] */
    size_t group_count;
};

#define ENUM_TEXT(member) #member,
static const char *const cause_names[] = {TRACE_ENUM_REBALANCE_CAUSE(ENUM_TEXT)};
static const char *const end_names[] = {TRACE_ENUM_OWNERSHIP_END(ENUM_TEXT)};
#undef ENUM_TEXT

struct store_intervals *store_intervals_new(struct store *store)
{
    struct store_intervals *intervals = tool_allocate(sizeof *intervals);
    intervals->store = store;
    intervals->capacity = 64;
    intervals->holdings = tool_allocate(intervals->capacity * sizeof *intervals->holdings);
    return intervals;
}

void store_intervals_free(struct store_intervals *intervals)
{
    free(intervals->holdings);
    free(intervals->groups);
    free(intervals);
}

static size_t slot_of(const struct store_intervals *intervals, const struct holding *holding)
{
    uint64_t hash = ((uint64_t)holding->group << 32 | holding->partition) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 29) ^ holding->member) * 0xbf58476d1ce4e5b9u;
    return (size_t)(hash >> 20) & (intervals->capacity - 1);
}

static bool is_same(const struct holding *a, const struct holding *b)
{
    return a->group == b->group && a->member == b->member && a->partition == b->partition;
}

/* The holding's slot, or the free one where it belongs. */
static size_t find_slot(const struct store_intervals *intervals, const struct holding *holding)
{
    size_t slot = slot_of(intervals, holding);
    while (intervals->holdings[slot].taken && !is_same(&intervals->holdings[slot], holding)) {
        slot = (slot + 1) & (intervals->capacity - 1);
    }
    return slot;
}

static void insert_holding(struct store_intervals *intervals, const struct holding *holding)
{
    if (intervals->count * 2 >= intervals->capacity) {
        struct holding *old = intervals->holdings;
        size_t old_capacity = intervals->capacity;
        intervals->capacity *= 2;
        intervals->holdings = tool_allocate(intervals->capacity * sizeof *intervals->holdings);
        for (size_t i = 0; i < old_capacity; i++) {
            if (old[i].taken) intervals->holdings[find_slot(intervals, &old[i])] = old[i];
        }
        free(old);
    }
    size_t slot = find_slot(intervals, holding);
    if (!intervals->holdings[slot].taken) intervals->count++;
    intervals->holdings[slot] = *holding;
}

static void remove_slot(struct store_intervals *intervals, size_t slot)
{
    intervals->holdings[slot].taken = false;
    intervals->count--;
    /* Those behind the hole may belong before it. */
    for (size_t next = (slot + 1) & (intervals->capacity - 1); intervals->holdings[next].taken;
         next = (next + 1) & (intervals->capacity - 1)) {
        struct holding moved = intervals->holdings[next];
        intervals->holdings[next].taken = false;
        intervals->holdings[find_slot(intervals, &moved)] = moved;
    }
}

static void close_holding(struct store_intervals *intervals, const struct holding *holding,
                          sim_time at, const char *how)
{
    const struct store_interval interval = {
        .what = "ownership",
        .group = holding->group,
        .partition = holding->partition,
        .member = holding->member,
        .begin_at = holding->begin_at,
        .end_at = at,
        .generation = holding->generation,
        .detail = how,
    };
    store_add_interval(intervals->store, &interval);
}

static void close_rebalance(struct store_intervals *intervals, struct group_progress *group,
                            sim_time at)
{
    const struct store_interval interval = {
        .what = group->was_stable ? "rebalance" : "forming",
        .group = group->group,
        .partition = STORE_PARTITION_UNKNOWN,
        .begin_at = group->begin_at,
        .end_at = at,
        .generation = group->generation,
        .detail = group->cause,
    };
    store_add_interval(intervals->store, &interval);
    group->is_open = false;
    group->cause = NULL;
}

static struct group_progress *find_group(struct store_intervals *intervals, name_id name)
{
    for (size_t i = 0; i < intervals->group_count; i++) {
        if (intervals->groups[i].group == name) return &intervals->groups[i];
    }
    intervals->groups =
        tool_resize(intervals->groups, (intervals->group_count + 1) * sizeof *intervals->groups);
    struct group_progress *group = &intervals->groups[intervals->group_count++];
    *group = (struct group_progress){.group = name};
    return group;
}

static void on_group_state(struct store_intervals *intervals, const struct trace_record *record)
{
    struct group_progress *group = find_group(intervals, (name_id)record->field[0]);
    enum group_trace_state to = (enum group_trace_state)record->field[2];
    bool settled = to == GROUP_TRACE_Stable || to == GROUP_TRACE_Dead;
    bool waits_for_members = to == GROUP_TRACE_Empty && !group->was_stable;
    if (!settled && !waits_for_members && !group->is_open) {
        group->is_open = true;
        group->begin_at = record->at;
    }
    group->generation = record->field[3];
    if (settled && group->is_open) close_rebalance(intervals, group, record->at);
    if (to == GROUP_TRACE_Stable) group->was_stable = true;
}

void store_intervals_observe(struct store_intervals *intervals, const struct trace_record *record)
{
    if (record->kind == TRACE_GROUP_STATE) {
        on_group_state(intervals, record);
    } else if (record->kind == TRACE_REBALANCE) {
        /* Told before or after the change of state; the first cause names the rebalance. */
        struct group_progress *group = find_group(intervals, (name_id)record->field[0]);
        if (group->cause == NULL) group->cause = cause_names[record->field[1]];
    } else if (record->kind == TRACE_OWNED || record->kind == TRACE_DISOWNED) {
        const struct holding holding = {
            .taken = true,
            .group = (name_id)record->field[0],
            .member = (name_id)record->field[1],
            .partition = (uint32_t)record->field[2],
            .generation = record->field[3],
            .begin_at = record->at,
        };
        size_t slot = find_slot(intervals, &holding);
        bool is_held = intervals->holdings[slot].taken;
        if (record->kind == TRACE_OWNED && !is_held) {
            insert_holding(intervals, &holding);
        } else if (record->kind == TRACE_DISOWNED && is_held) {
            struct holding held = intervals->holdings[slot];
            remove_slot(intervals, slot);
            close_holding(intervals, &held, record->at, end_names[record->field[4]]);
        }
    }
}

void store_intervals_finish(struct store_intervals *intervals, sim_time at)
{
    for (size_t i = 0; i < intervals->capacity; i++) {
        if (!intervals->holdings[i].taken) continue;
        close_holding(intervals, &intervals->holdings[i], at, "OPEN");
        intervals->holdings[i].taken = false;
    }
    intervals->count = 0;
    for (size_t i = 0; i < intervals->group_count; i++) {
        if (intervals->groups[i].is_open) close_rebalance(intervals, &intervals->groups[i], at);
    }
}
