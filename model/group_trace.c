#include "model/group_trace_internal.h"

#include "model/group_members.h"
#include "model/trace_kinds.h"

#include <string.h>

/* Who was last assigned a partition of a group. */
struct assigned_partition {
    partition_id partition;
    name_id member_id;
    bool seen; /* in the assignment being compared */
};
struct group_memory {
    name_id group;
    struct assigned_partition *items; /* ascending partitions */
    int32_t count;
    int32_t capacity;
};

struct group_trace {
    struct sim *sim;
    struct names *names;
    struct memory *memory;
    const struct cluster *cluster;
    name_id *client_of; /* by member id: the scenario's name of the member */
    uint32_t client_of_count;
    struct group_memory *groups;
    int32_t group_count;
    int32_t group_capacity;
};

struct group_trace *group_trace_new(struct sim *sim, const struct cluster *cluster)
{
    struct group_trace *trace = memory_keep(sim_memory(sim), sizeof *trace);
    *trace = (struct group_trace){.sim = sim,
                                  .names = sim_names(sim),
                                  .memory = sim_memory(sim),
                                  .cluster = cluster};
    return trace;
}

/* ---- names ------------------------------------------------------------------------------- */

static void remember_client(struct group_trace *trace, name_id member_id, name_id client)
{
    if (member_id >= trace->client_of_count) {
        uint32_t grown = names_count(trace->names) * 2;
        trace->client_of = memory_resize(trace->memory, trace->client_of,
                                         trace->client_of_count * sizeof *trace->client_of,
                                         grown * sizeof *trace->client_of);
        trace->client_of_count = grown;
    }
    trace->client_of[member_id] = client;
}

name_id group_trace_client(const struct group_trace *trace, name_id member_id)
{
    return member_id < trace->client_of_count ? trace->client_of[member_id] : NAME_NONE;
}

struct sim *group_trace_sim(const struct group_trace *trace)
{
    return trace->sim;
}

/* ---- assignments ------------------------------------------------------------------------- */

static struct group_memory *memory_of(struct group_trace *trace, name_id group)
{
    for (int32_t i = 0; i < trace->group_count; i++) {
        if (trace->groups[i].group == group) return &trace->groups[i];
    }
    if (trace->group_count == trace->group_capacity) {
        int32_t grown = trace->group_capacity == 0 ? 8 : trace->group_capacity * 2;
        trace->groups = memory_resize(trace->memory, trace->groups,
                                      (size_t)trace->group_capacity * sizeof *trace->groups,
                                      (size_t)grown * sizeof *trace->groups);
        trace->group_capacity = grown;
    }
    struct group_memory *memory = &trace->groups[trace->group_count++];
    *memory = (struct group_memory){.group = group};
    return memory;
}

static struct assigned_partition *slot_of(struct group_trace *trace, struct group_memory *group,
                                          partition_id partition)
{
    int32_t low = 0;
    for (int32_t high = group->count; low < high;) {
        int32_t middle = low + (high - low) / 2;
        if (group->items[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < group->count && group->items[low].partition == partition) return &group->items[low];
    if (group->count == group->capacity) {
        int32_t grown = group->capacity == 0 ? 8 : group->capacity * 2;
        group->items = memory_resize(trace->memory, group->items,
                                     (size_t)group->capacity * sizeof *group->items,
                                     (size_t)grown * sizeof *group->items);
        group->capacity = grown;
    }
    memmove(group->items + low + 1, group->items + low,
            (size_t)(group->count - low) * sizeof *group->items);
    group->count++;
    group->items[low] = (struct assigned_partition){.partition = partition};
    return &group->items[low];
}

static void emit_assigned(struct group_trace *trace, name_id group, name_id member_id,
                          partition_id partition, int32_t generation, bool owned)
{
    TRACE(trace->sim, TRACE_ASSIGNED, group, group_trace_client(trace, member_id), member_id,
          partition, generation, owned);
}

static void assign(struct group_trace *trace, struct group_memory *group, name_id topic,
                   int32_t partition, name_id member_id, int32_t generation)
{
    int32_t index = cluster_topic_find(trace->cluster, topic);
    if (index < 0) return;
    partition_id id = PARTITION_ID(index, partition);
    struct assigned_partition *slot = slot_of(trace, group, id);
    slot->seen = true;
    if (slot->member_id == member_id) return;
    if (slot->member_id != NAME_NONE) {
        emit_assigned(trace, group->group, slot->member_id, id, generation, false);
    }
    slot->member_id = member_id;
    emit_assigned(trace, group->group, member_id, id, generation, true);
}

/* What the member (NAME_NONE = anybody) held and was not seen in the new assignment is taken. */
static void take_unseen(struct group_trace *trace, struct group_memory *group, name_id member_id,
                        int32_t generation)
{
    for (int32_t i = 0; i < group->count; i++) {
        struct assigned_partition *slot = &group->items[i];
        bool seen = slot->seen;
        slot->seen = false;
        if (seen || slot->member_id == NAME_NONE) continue;
        if (member_id != NAME_NONE && slot->member_id != member_id) continue;
        emit_assigned(trace, group->group, slot->member_id, slot->partition, generation, false);
        slot->member_id = NAME_NONE;
    }
}

struct visit {
    struct group_trace *trace;
    name_id group;
};

static void on_partition(void *self, name_id member, struct topic_partition partition,
                         int32_t generation)
{
    const struct visit *visit = self;
    assign(visit->trace, memory_of(visit->trace, visit->group), partition.topic,
           partition.partition, member, generation);
}

static void assignment_changed(struct group_trace *trace, const struct coordinator *coordinator,
                               const struct group_note *note)
{
    struct visit visit = {trace, note->group};
    name_id whose = NAME_NONE;
    bool changed = false;
    if (note->kind == NOTE_ASSIGNMENT_STORED) {
        changed = group_members_visit_classic(trace->memory, trace->names, coordinator, note->group,
                                              on_partition, &visit);
    } else {
        whose = note->member;
        changed = group_members_visit_consumer(coordinator, note->group, note->member, on_partition,
                                               &visit);
    }
    if (changed) take_unseen(trace, memory_of(trace, note->group), whose, note->generation);
}

/* A static member came back under a new id and keeps what it had. */
static void rename_member(struct group_trace *trace, const struct group_note *note)
{
    struct group_memory *group = memory_of(trace, note->group);
    for (int32_t i = 0; i < group->count; i++) {
        if (group->items[i].member_id == note->other) group->items[i].member_id = note->member;
    }
}

/* ---- notes ------------------------------------------------------------------------------- */

static enum group_trace_state state_of(enum group_state state)
{
    static const enum group_trace_state states[GROUP_STATE_COUNT] = {
        [GROUP_EMPTY] = GROUP_TRACE_Empty,
        [GROUP_PREPARING_REBALANCE] = GROUP_TRACE_PreparingRebalance,
        [GROUP_COMPLETING_REBALANCE] = GROUP_TRACE_CompletingRebalance,
        [GROUP_STABLE] = GROUP_TRACE_Stable,
        [GROUP_DEAD] = GROUP_TRACE_Dead,
        [GROUP_ASSIGNING] = GROUP_TRACE_Assigning,
        [GROUP_RECONCILING] = GROUP_TRACE_Reconciling,
    };
    return states[state];
}

static enum rebalance_cause cause_of_rebalance(const struct group_trace *trace,
                                               const struct group_note *note)
{
    static const enum rebalance_cause causes[REBALANCE_REASON_COUNT] = {
        [REBALANCE_NONE] = CAUSE_OTHER,
        [REBALANCE_NEW_MEMBER] = CAUSE_MEMBER_JOINED,
        [REBALANCE_MEMBER_REJOINED] = CAUSE_MEMBER_REJOINED,
        [REBALANCE_MEMBER_JOINING] = CAUSE_MEMBER_JOINED,
        [REBALANCE_LEADER_REJOINED] = CAUSE_LEADER_REJOINED,
        [REBALANCE_MEMBER_LEFT] = CAUSE_MEMBER_LEFT,
        [REBALANCE_HEARTBEAT_EXPIRED] = CAUSE_SESSION_EXPIRED,
        [REBALANCE_STATIC_MEMBER_CHANGED] = CAUSE_STATIC_MEMBER_CHANGED,
        [REBALANCE_STATIC_PROTOCOL_CHANGED] = CAUSE_STATIC_MEMBER_CHANGED,
        [REBALANCE_SYNC_EXPIRED] = CAUSE_SYNC_EXPIRED,
        [REBALANCE_ASSIGNMENT_NOT_STORED] = CAUSE_ASSIGNMENT_FAILED,
        [REBALANCE_OVER_CAPACITY] = CAUSE_GROUP_OVER_CAPACITY,
        [REBALANCE_DOWNGRADE] = CAUSE_DOWNGRADED,
        [REBALANCE_SUBSCRIPTION_CHANGED] = CAUSE_SUBSCRIPTION_CHANGED,
        [REBALANCE_TOPICS_CHANGED] = CAUSE_METADATA_CHANGED,
        [REBALANCE_REBALANCE_EXPIRED] = CAUSE_REBALANCE_EXPIRED,
    };
    if (note->reason == REBALANCE_MEMBER_LEFT &&
        strstr(names_text(trace->names, note->text), "poll timeout") != NULL) {
        return CAUSE_POLL_EXPIRED; /* the client says so when it leaves (KIP-800) */
    }
    return causes[note->reason];
}

static enum rebalance_cause cause_of_removal(enum member_removal removal)
{
    static const enum rebalance_cause causes[MEMBER_REMOVAL_COUNT] = {
        [REMOVED_LEFT] = CAUSE_MEMBER_LEFT,
        [REMOVED_BY_ADMIN] = CAUSE_MEMBER_LEFT,
        [REMOVED_SESSION_EXPIRED] = CAUSE_SESSION_EXPIRED,
        [REMOVED_JOIN_EXPIRED] = CAUSE_REBALANCE_EXPIRED,
        [REMOVED_SYNC_EXPIRED] = CAUSE_SYNC_EXPIRED,
        [REMOVED_REBALANCE_EXPIRED] = CAUSE_REBALANCE_EXPIRED,
        [REMOVED_GROUP_FULL] = CAUSE_GROUP_OVER_CAPACITY,
        [REMOVED_REPLACED] = CAUSE_STATIC_MEMBER_CHANGED,
        [REMOVED_TEMPORARILY] = CAUSE_STATIC_MEMBER_CHANGED,
    };
    return causes[removal];
}

static void member_removed(struct group_trace *trace, const struct group_note *note)
{
    TRACE(trace->sim, TRACE_MEMBER_REMOVED, note->group, group_trace_client(trace, note->member),
          note->member, cause_of_removal(note->removal));
    if (note->removal == REMOVED_REPLACED) return;
    take_unseen(trace, memory_of(trace, note->group), note->member, note->generation);
}

static void committed(struct group_trace *trace, const struct group_note *note)
{
    int32_t topic = cluster_topic_find(trace->cluster, note->partition.topic);
    if (topic < 0) return;
    partition_id partition = PARTITION_ID(topic, note->partition.partition);
    name_id member = group_trace_client(trace, note->member);
    if (note->kind == NOTE_COMMIT_DURABLE) {
        TRACE(trace->sim, TRACE_COMMITTED, note->group, partition, note->offset, member,
              note->member, note->generation, note->detail);
    } else if (note->error != KAFKA_NONE) {
        TRACE(trace->sim, TRACE_COMMIT_REJECTED, note->group, partition, note->offset, member,
              note->member, note->generation, note->error);
    }
}

static void offset_removed(struct group_trace *trace, const struct group_note *note)
{
    int32_t topic = cluster_topic_find(trace->cluster, note->partition.topic);
    if (topic < 0) return;
    TRACE(trace->sim, TRACE_OFFSET_REMOVED, note->group,
          PARTITION_ID(topic, note->partition.partition), note->previous_offset);
}

void group_trace_note(struct group_trace *trace, int32_t broker,
                      const struct coordinator *coordinator, const struct group_note *note)
{
    struct sim *sim = trace->sim;
    if (note->client_id != NAME_NONE && note->member != NAME_NONE) {
        remember_client(trace, note->member, note->client_id);
    }
    switch (note->kind) {
    case NOTE_GROUP_STATE:
        TRACE(sim, TRACE_GROUP_STATE, note->group, state_of(note->old_state), state_of(note->state),
              note->generation, group_members_count(coordinator, note->group), broker);
        return;
    case NOTE_REBALANCE:
        TRACE(sim, TRACE_REBALANCE, note->group, cause_of_rebalance(trace, note),
              group_trace_client(trace, note->member), note->member, note->generation,
              note->text != NAME_NONE
                  ? note->text
                  : names_intern(trace->names, rebalance_reason_text(note->reason)));
        return;
    case NOTE_JOIN_COMPLETED:
        TRACE(sim, TRACE_REBALANCED, note->group, note->generation, note->count,
              group_trace_client(trace, note->member), note->other);
        return;
    case NOTE_TARGET_COMPUTED:
        TRACE(sim, TRACE_REBALANCED, note->group, note->generation, note->count, NAME_NONE,
              note->other);
        return;
    case NOTE_MEMBER_ADDED:
        TRACE(sim, TRACE_MEMBER_ADDED, note->group, group_trace_client(trace, note->member),
              note->member, note->instance, NAME_NONE, note->client_id, note->client_host);
        return;
    case NOTE_MEMBER_REPLACED:
        if (group_trace_client(trace, note->member) == NAME_NONE) {
            remember_client(trace, note->member, group_trace_client(trace, note->other));
        }
        rename_member(trace, note);
        TRACE(sim, TRACE_MEMBER_ADDED, note->group, group_trace_client(trace, note->member),
              note->member, note->instance, note->other, note->client_id, note->client_host);
        return;
    case NOTE_MEMBER_REMOVED: member_removed(trace, note); return;
    case NOTE_ASSIGNMENT_STORED:
    case NOTE_MEMBER_ASSIGNED: assignment_changed(trace, coordinator, note); return;
    case NOTE_COMMIT:
    case NOTE_COMMIT_DURABLE: committed(trace, note); return;
    case NOTE_OFFSET_REMOVED: offset_removed(trace, note); return;
    case NOTE_GROUP_CREATED:
    case NOTE_GROUP_DELETED:
    case NOTE_GROUP_CONVERTED:
    case NOTE_MEMBER_ID_ISSUED:
    case NOTE_ASSIGNMENT_RECEIVED:
    case NOTE_MEMBER_FENCED:
    case NOTE_TRANSACTION_ENDED:
    case NOTE_SHARD_LOADING:
    case NOTE_SHARD_LOADED:
    case NOTE_SHARD_UNLOADED:
    case NOTE_WRITE_FAILED:
    case GROUP_NOTE_KIND_COUNT: return;
    }
}
