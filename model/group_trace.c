#include "model/group_trace_internal.h"

#include "model/group_holders.h"
#include "model/group_members.h"
#include "model/told_offsets.h"
#include "model/trace_kinds.h"

#include <string.h>

struct group_memory {
    name_id group;
    int32_t shard; /* partition of __consumer_offsets */
    struct group_holders assigned;
    struct group_holders target; /* consumer protocol */
    struct told_offsets told;
    name_id *members; /* member ids, in the order they came */
    int32_t member_count;
    int32_t member_capacity;
    bool is_over_capacity; /* found to be too large when it was loaded */
};

/* Whose word counts for the groups of a shard: the coordinator that took it over last. One that was
 * cut off goes on in its own world, and nothing of it becomes durable. */
struct shard_memory {
    int32_t broker; /* -1 = nobody yet */
    int32_t leader_epoch;
    bool is_loading; /* reading the log is not doing it again */
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
    struct shard_memory *shards;
    int32_t shard_count;
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

static struct group_memory *memory_of(struct group_trace *trace, name_id group, int32_t shard)
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
    const struct group_holders nobody = {.trace = trace, .cluster = trace->cluster, .group = group};
    *memory =
        (struct group_memory){.group = group, .shard = shard, .assigned = nobody, .target = nobody};
    memory->assigned.kind = TRACE_ASSIGNED;
    memory->target.kind = TRACE_TARGET;
    return memory;
}

static void assignment_changed(struct group_trace *trace, struct group_memory *group,
                               const struct coordinator *coordinator, const struct group_note *note)
{
    struct group_holders *assigned = &group->assigned;
    if (note->kind == NOTE_ASSIGNMENT_STORED) {
        if (group_members_visit_classic(trace->memory, trace->names, coordinator, note->group,
                                        group_holders_give, assigned)) {
            group_holders_take_rest(assigned, NAME_NONE, note->generation);
        }
    } else if (group_members_visit_consumer(coordinator, note->group, note->member,
                                            group_holders_give, assigned)) {
        group_holders_take_rest(assigned, note->member, note->generation);
    }
}

static void target_changed(struct group_memory *group, const struct coordinator *coordinator,
                           const struct group_note *note)
{
    if (group_members_visit_target(coordinator, note->group, note->member, group_holders_give,
                                   &group->target)) {
        group_holders_take_rest(&group->target, note->member, note->generation);
    }
}

/* ---- members ----------------------------------------------------------------------------- */

/* -1 = not there. */
static int32_t member_index(const struct group_memory *group, name_id member)
{
    for (int32_t i = 0; i < group->member_count; i++) {
        if (group->members[i] == member) return i;
    }
    return -1;
}

/* False when it was there already. */
static bool remember_member(struct group_trace *trace, struct group_memory *group, name_id member)
{
    if (member_index(group, member) >= 0) return false;
    if (group->member_count == group->member_capacity) {
        int32_t grown = group->member_capacity == 0 ? 8 : group->member_capacity * 2;
        group->members = memory_resize(trace->memory, group->members,
                                       (size_t)group->member_capacity * sizeof *group->members,
                                       (size_t)grown * sizeof *group->members);
        group->member_capacity = grown;
    }
    group->members[group->member_count++] = member;
    return true;
}

static void forget_member(struct group_memory *group, name_id member)
{
    int32_t index = member_index(group, member);
    if (index < 0) return;
    group->member_count--;
    memmove(group->members + index, group->members + index + 1,
            (size_t)(group->member_count - index) * sizeof *group->members);
}

/* A static member came back under a new id and keeps what it had. */
static void rename_member(struct group_trace *trace, struct group_memory *group,
                          const struct group_note *note)
{
    forget_member(group, note->other);
    remember_member(trace, group, note->member);
    group_holders_rename(&group->assigned, note->other, note->member);
    group_holders_rename(&group->target, note->other, note->member);
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

static void member_added(struct group_trace *trace, struct group_memory *group,
                         const struct group_note *note)
{
    if (!remember_member(trace, group, note->member)) return; /* known under the other protocol */
    TRACE(trace->sim, TRACE_MEMBER_ADDED, note->group, group_trace_client(trace, note->member),
          note->member, note->instance, NAME_NONE, note->client_id, note->client_host);
}

static void member_replaced(struct group_trace *trace, struct group_memory *group,
                            const struct group_note *note)
{
    if (group_trace_client(trace, note->member) == NAME_NONE) {
        remember_client(trace, note->member, group_trace_client(trace, note->other));
    }
    rename_member(trace, group, note);
    TRACE(trace->sim, TRACE_MEMBER_ADDED, note->group, group_trace_client(trace, note->member),
          note->member, note->instance, note->other, note->client_id, note->client_host);
}

static void member_removed(struct group_trace *trace, struct group_memory *group,
                           const struct group_note *note)
{
    /* A static member of the consumer protocol that says it will be back stays one, and keeps its
     * partitions, until its session ends (KIP-848). */
    if (note->removal == REMOVED_TEMPORARILY || member_index(group, note->member) < 0) return;
    forget_member(group, note->member);
    TRACE(trace->sim, TRACE_MEMBER_REMOVED, note->group, group_trace_client(trace, note->member),
          note->member, cause_of_removal(note->removal));
    group_holders_take_rest(&group->assigned, note->member, note->generation);
    group_holders_take_rest(&group->target, note->member, note->generation);
}

static void committed(struct group_trace *trace, const struct coordinator *coordinator,
                      const struct group_note *note)
{
    int32_t topic = cluster_topic_find(trace->cluster, note->partition.topic);
    if (topic < 0) return;
    partition_id partition = PARTITION_ID(topic, note->partition.partition);
    name_id member = group_trace_client(trace, note->member);
    if (note->kind == NOTE_COMMIT_DURABLE) {
        struct group_memory *group =
            memory_of(trace, note->group, coordinator_partition(coordinator));
        told_offsets_set(&group->told, trace->memory, partition, note->offset);
        TRACE(trace->sim, TRACE_COMMITTED, note->group, partition, note->offset, member,
              note->member, note->generation, note->detail);
    } else if (note->error != KAFKA_NONE) {
        TRACE(trace->sim, TRACE_COMMIT_REJECTED, note->group, partition, note->offset, member,
              note->member, note->generation, note->error);
    }
}

static void offset_removed(struct group_trace *trace, const struct coordinator *coordinator,
                           const struct group_note *note)
{
    int32_t topic = cluster_topic_find(trace->cluster, note->partition.topic);
    if (topic < 0) return;
    partition_id partition = PARTITION_ID(topic, note->partition.partition);
    struct group_memory *group = memory_of(trace, note->group, coordinator_partition(coordinator));
    told_offsets_set(&group->told, trace->memory, partition, -1);
    TRACE(trace->sim, TRACE_OFFSET_REMOVED, note->group, partition, note->previous_offset);
}

/* ---- whose word counts ------------------------------------------------------------------- */

static struct shard_memory *shard_of(struct group_trace *trace, int32_t partition)
{
    if (partition >= trace->shard_count) {
        int32_t count = partition + 1;
        trace->shards = memory_resize(trace->memory, trace->shards,
                                      (size_t)trace->shard_count * sizeof *trace->shards,
                                      (size_t)count * sizeof *trace->shards);
        for (int32_t i = trace->shard_count; i < count; i++)
            trace->shards[i] = (struct shard_memory){.broker = -1, .leader_epoch = -1};
        trace->shard_count = count;
    }
    return &trace->shards[partition];
}

struct roll_call {
    struct group_trace *trace;
    struct group_memory *group;
    const struct coordinator *coordinator;
    bool *present; /* shape [member_count before it] */
    int32_t known; /* that count */
    int32_t generation;
};

static void is_present(void *self, name_id member, name_id instance, name_id client_id,
                       name_id client_host)
{
    (void)instance;
    (void)client_id;
    (void)client_host;
    const struct roll_call *call = self;
    int32_t index = member_index(call->group, member);
    if (index >= 0) call->present[index] = true;
}

static void answers(void *self, name_id member, name_id instance, name_id client_id,
                    name_id client_host)
{
    const struct roll_call *call = self;
    struct group_trace *trace = call->trace;
    if (group_trace_client(trace, member) == NAME_NONE) remember_client(trace, member, client_id);
    if (remember_member(trace, call->group, member)) {
        TRACE(trace->sim, TRACE_MEMBER_ADDED, call->group->group, group_trace_client(trace, member),
              member, instance, NAME_NONE, client_id, client_host);
    }
    group_members_visit_consumer(call->coordinator, call->group->group, member, group_holders_give,
                                 &call->group->assigned);
    group_members_visit_target(call->coordinator, call->group->group, member, group_holders_give,
                               &call->group->target);
}

static void drop_the_absent(const struct roll_call *call, int32_t generation)
{
    struct group_trace *trace = call->trace;
    struct group_memory *group = call->group;
    for (int32_t i = call->known - 1; i >= 0; i--) {
        if (call->present[i]) continue;
        name_id member = group->members[i];
        forget_member(group, member);
        TRACE(trace->sim, TRACE_MEMBER_REMOVED, group->group, group_trace_client(trace, member),
              member, CAUSE_COORDINATOR_LOADED);
        group_holders_take_rest(&group->assigned, member, generation);
        group_holders_take_rest(&group->target, member, generation);
    }
}

/* A commit that its coordinator never saw replicated, and did not answer, may be in the log of the
 * next one: it counts from here on. Who made it the log does not say. */
static void tell_if_new(void *self, struct topic_partition partition, int64_t offset)
{
    const struct roll_call *call = self;
    struct group_trace *trace = call->trace;
    int32_t topic = cluster_topic_find(trace->cluster, partition.topic);
    if (topic < 0) return;
    partition_id id = PARTITION_ID(topic, partition.partition);
    if (!told_offsets_set(&call->group->told, trace->memory, id, offset)) return;
    TRACE(trace->sim, TRACE_COMMITTED, call->group->group, id, offset, NAME_NONE, NAME_NONE,
          call->generation, false);
}

/* A tombstone of which nobody knew that it is durable counts likewise. */
static void compare_offsets(struct roll_call *call)
{
    struct group_memory *group = call->group;
    told_offsets_begin_roll_call(&group->told);
    group_members_visit_offsets(call->coordinator, group->group, tell_if_new, call);
    partition_id partition;
    int64_t offset;
    while (told_offsets_next_absent(&group->told, &partition, &offset))
        TRACE(call->trace->sim, TRACE_OFFSET_REMOVED, group->group, partition, offset);
}

/* What a coordinator made of its log, or went back to, against what was last told of the group. */
static void compare_group(struct group_trace *trace, int32_t broker,
                          const struct coordinator *coordinator, struct group_memory *group,
                          bool is_loaded)
{
    enum group_state state = GROUP_DEAD;
    int32_t generation = 0;
    bool exists = group_members_state(coordinator, group->group, &state, &generation);
    struct roll_call call = {.trace = trace,
                             .group = group,
                             .coordinator = coordinator,
                             .generation = generation};
    if (is_loaded) compare_offsets(&call);
    if (!exists && group->member_count == 0) return;
    size_t size = (size_t)group->member_count * sizeof(bool);
    call.present = memory_take(trace->memory, size + 1);
    call.known = group->member_count;
    memset(call.present, 0, size + 1);
    group_members_visit(coordinator, group->group, is_present, &call);
    drop_the_absent(&call, generation);
    memory_give(trace->memory, call.present, size + 1);
    group_members_visit(coordinator, group->group, answers, &call);
    group_members_visit_classic(trace->memory, trace->names, coordinator, group->group,
                                group_holders_give, &group->assigned);
    group_holders_take_rest(&group->assigned, NAME_NONE, generation);
    group_holders_take_rest(&group->target, NAME_NONE, generation);
    TRACE(trace->sim, TRACE_GROUP_STATE, group->group, GROUP_TRACE_Dead, state_of(state),
          generation, group_members_count(coordinator, group->group), broker);
    if (!group->is_over_capacity) return;
    group->is_over_capacity = false;
    TRACE(trace->sim, TRACE_REBALANCE, group->group, CAUSE_GROUP_OVER_CAPACITY, NAME_NONE,
          NAME_NONE, generation,
          names_intern(trace->names, rebalance_reason_text(REBALANCE_OVER_CAPACITY)));
}

static void compare_shard(struct group_trace *trace, int32_t broker,
                          const struct coordinator *coordinator, bool is_loaded)
{
    int32_t shard = coordinator_partition(coordinator);
    for (uint32_t i = 0; i < group_members_group_count(coordinator); i++)
        memory_of(trace, group_members_group_at(coordinator, i), shard);
    for (int32_t i = 0; i < trace->group_count; i++) {
        if (trace->groups[i].shard != shard) continue;
        compare_group(trace, broker, coordinator, &trace->groups[i], is_loaded);
    }
}

static void on_shard_note(struct group_trace *trace, int32_t broker,
                          const struct coordinator *coordinator, const struct group_note *note)
{
    struct shard_memory *shard = shard_of(trace, coordinator_partition(coordinator));
    if (note->kind == NOTE_SHARD_LOADING && note->generation >= shard->leader_epoch)
        *shard = (struct shard_memory){broker, note->generation, true};
    if (shard->broker != broker) return;
    if (note->kind == NOTE_SHARD_LOADED) {
        shard->is_loading = false;
        compare_shard(trace, broker, coordinator, true);
    }
    if (note->kind == NOTE_WRITE_FAILED && note->error != KAFKA_NOT_COORDINATOR)
        compare_shard(trace, broker, coordinator, false);
}

/* ---- notes ------------------------------------------------------------------------------- */

/* Of the groups of a coordinator whose word counts. */
static void tell(struct group_trace *trace, int32_t broker, const struct coordinator *coordinator,
                 const struct group_note *note)
{
    struct sim *sim = trace->sim;
    struct group_memory *group = memory_of(trace, note->group, coordinator_partition(coordinator));
    switch ((int)note->kind) {
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
    case NOTE_MEMBER_ADDED: member_added(trace, group, note); return;
    case NOTE_MEMBER_REPLACED: member_replaced(trace, group, note); return;
    case NOTE_MEMBER_REMOVED: member_removed(trace, group, note); return;
    case NOTE_MEMBER_TARGET: target_changed(group, coordinator, note); return;
    case NOTE_GROUP_DELETED: /* one that has members becomes one of the other protocol */
        if (group->member_count > 0) return;
        TRACE(sim, TRACE_GROUP_STATE, note->group, GROUP_TRACE_Empty, GROUP_TRACE_Dead, 0, 0,
              broker);
        return;
    case NOTE_GROUP_CONVERTED: /* a classic group has no target */
        group_holders_take_rest(&group->target, NAME_NONE, note->generation);
        return;
    default: assignment_changed(trace, group, coordinator, note); return;
    }
}

void group_trace_note(struct group_trace *trace, int32_t broker,
                      const struct coordinator *coordinator, const struct group_note *note)
{
    /* Kafka keeps the first client's id in a static member that another process has taken over. */
    bool is_replaced = note->kind == NOTE_MEMBER_REPLACED;
    name_id client = is_replaced ? note->caller : note->client_id;
    bool is_news = is_replaced || group_trace_client(trace, note->member) == NAME_NONE;
    if (client != NAME_NONE && note->member != NAME_NONE && is_news) {
        remember_client(trace, note->member, client);
    }
    const struct shard_memory *shard = shard_of(trace, coordinator_partition(coordinator));
    switch (note->kind) {
    case NOTE_GROUP_STATE:
    case NOTE_REBALANCE:
    case NOTE_JOIN_COMPLETED:
    case NOTE_TARGET_COMPUTED:
    case NOTE_MEMBER_ADDED:
    case NOTE_MEMBER_REPLACED:
    case NOTE_MEMBER_REMOVED:
    case NOTE_ASSIGNMENT_STORED:
    case NOTE_MEMBER_ASSIGNED:
    case NOTE_MEMBER_TARGET:
    case NOTE_GROUP_CONVERTED:
    case NOTE_GROUP_DELETED:
        if (shard->broker != broker) return;
        if (!shard->is_loading) {
            tell(trace, broker, coordinator, note);
        } else if (note->kind == NOTE_REBALANCE && note->reason == REBALANCE_OVER_CAPACITY) {
            memory_of(trace, note->group, coordinator_partition(coordinator))->is_over_capacity =
                true;
        }
        return;
    case NOTE_COMMIT:
    case NOTE_COMMIT_DURABLE: committed(trace, coordinator, note); return;
    case NOTE_OFFSET_REMOVED: offset_removed(trace, coordinator, note); return;
    case NOTE_SHARD_LOADING:
    case NOTE_SHARD_LOADED:
    case NOTE_WRITE_FAILED: on_shard_note(trace, broker, coordinator, note); return;
    case NOTE_GROUP_CREATED:
    case NOTE_MEMBER_ID_ISSUED:
    case NOTE_ASSIGNMENT_RECEIVED:
    case NOTE_MEMBER_FENCED:
    case NOTE_TRANSACTION_ENDED:
    case NOTE_SHARD_UNLOADED:
    case GROUP_NOTE_KIND_COUNT: return;
    }
}
