/* Whom an entry of the timeline is about. */
#include "model/timeline_internal.h"

#include "model/consumer/consumer.h"

static void add(struct world *world, struct target_list *list, struct target target)
{
    list->targets =
        memory_resize(world->memory, list->targets, (size_t)list->count * sizeof(*list->targets),
                      (size_t)(list->count + 1) * sizeof(*list->targets));
    list->targets[list->count++] = target;
}

/* Candidates are ranked by a draw of their own, so that one more or less of them does not change
 * the order of the others. */
struct candidate {
    uint64_t rank;
    int32_t number;
};

static void keep_lowest(struct candidate *kept, int32_t *kept_count, int32_t wanted,
                        struct candidate candidate)
{
    int32_t at = *kept_count < wanted ? (*kept_count)++ : wanted;
    if (at == wanted) {
        if (kept[wanted - 1].rank <= candidate.rank) return;
        at = wanted - 1;
    }
    while (at > 0 && kept[at - 1].rank > candidate.rank) {
        kept[at] = kept[at - 1];
        at--;
    }
    kept[at] = candidate;
}

/* `start` looks for members that are down; everything else for ones that are alive. */
static bool is_candidate(const struct deployment *deployment, int32_t member,
                         enum timeline_kind kind)
{
    return deployment_is_alive(deployment, member) == (kind != TIMELINE_START);
}

static void add_any_members(struct world *world, struct target_list *list,
                            const struct selector *selector, const struct rng_key *key,
                            uint64_t number, enum timeline_kind kind)
{
    const struct deployment *deployment = world->deployments[selector->group];
    int32_t wanted = selector->count < 1 ? 1 : selector->count;
    if (wanted > FAULT_TARGETS_MAX) wanted = FAULT_TARGETS_MAX;
    struct candidate kept[FAULT_TARGETS_MAX];
    int32_t kept_count = 0;
    for (int32_t member = 1; member <= deployment_size(deployment); member++) {
        if (!is_candidate(deployment, member, kind)) continue;
        uint64_t rank = rng_u64(key, rng_index(number, (uint64_t)member));
        keep_lowest(kept, &kept_count, wanted, (struct candidate){rank, member});
    }
    for (int32_t i = 0; i < kept_count; i++) {
        add(world, list,
            (struct target){.kind = TARGET_MEMBER,
                            .group = selector->group,
                            .member = kept[i].number});
    }
}

static void add_any_broker(struct world *world, struct target_list *list, const struct rng_key *key,
                           uint64_t number)
{
    struct candidate kept = {0, -1};
    int32_t kept_count = 0;
    for (int32_t broker = 0; broker < cluster_broker_count(world->cluster); broker++) {
        process_id process = cluster_broker_process(world->cluster, broker);
        if (process_state(world->sim, process) == PROCESS_DEAD) continue;
        uint64_t rank = rng_u64(key, rng_index(number, (uint64_t)broker + 1));
        keep_lowest(&kept, &kept_count, 1, (struct candidate){rank, broker});
    }
    if (kept_count > 0)
        add(world, list, (struct target){.kind = TARGET_BROKER, .broker = kept.number});
}

/* Operations on a whole group need it once; faults of processes strike each of its members. */
static bool is_about_the_group(enum timeline_kind kind)
{
    return kind == TIMELINE_ROLLING_RESTART || kind == TIMELINE_SCALE ||
           kind == TIMELINE_SINK_OUTAGE || kind == TIMELINE_RESET_OFFSETS ||
           kind == TIMELINE_DELETE_GROUP;
}

static void add_group(struct world *world, struct target_list *list, int32_t group,
                      enum timeline_kind kind)
{
    if (is_about_the_group(kind)) {
        add(world, list, (struct target){.kind = TARGET_GROUP, .group = group});
        return;
    }
    for (int32_t member = 1; member <= deployment_size(world->deployments[group]); member++)
        add(world, list, (struct target){.kind = TARGET_MEMBER, .group = group, .member = member});
}

/* The member that computes the group's assignment, if anybody does at this instant. */
static void add_group_leader(struct world *world, struct target_list *list, int32_t group)
{
    const struct deployment *deployment = world->deployments[group];
    for (int32_t member = 1; member <= deployment_size(deployment); member++) {
        if (!consumer_is_group_leader(deployment_consumer(deployment, member))) continue;
        add(world, list, (struct target){.kind = TARGET_MEMBER, .group = group, .member = member});
        return;
    }
}

static void add_broker(struct world *world, struct target_list *list, int32_t broker)
{
    if (broker >= 0) add(world, list, (struct target){.kind = TARGET_BROKER, .broker = broker});
}

struct target_list timeline_resolve(struct world *world, const struct selector *selector,
                                    const struct rng_key *key, uint64_t number,
                                    enum timeline_kind kind)
{
    struct target_list list = {NULL, 0};
    struct target target = {
        .group = selector->group,
        .member = selector->member,
        .broker = selector->broker,
        .producer = selector->producer,
        .topic = selector->topic,
        .partition = selector->partition,
    };
    switch (selector->kind) {
    case SELECT_NOBODY: break;
    case SELECT_MEMBER:
        target.kind = TARGET_MEMBER;
        add(world, &list, target);
        break;
    case SELECT_GROUP: add_group(world, &list, selector->group, kind); break;
    case SELECT_ANY_MEMBERS: add_any_members(world, &list, selector, key, number, kind); break;
    case SELECT_BROKER: add_broker(world, &list, selector->broker); break;
    case SELECT_ANY_BROKER: add_any_broker(world, &list, key, number); break;
    case SELECT_BROKERS:
        for (int32_t broker = 0; broker < cluster_broker_count(world->cluster); broker++)
            add_broker(world, &list, broker);
        break;
    case SELECT_COORDINATOR: {
        name_id group =
            names_intern(sim_names(world->sim), world->scenario->groups[selector->group].name);
        add_broker(world, &list, cluster_coordinator(world->cluster, group));
        break;
    }
    case SELECT_LEADER:
        add_broker(world, &list,
                   cluster_leader(world->cluster,
                                  PARTITION_ID(selector->topic, selector->partition)));
        break;
    case SELECT_GROUP_LEADER: add_group_leader(world, &list, selector->group); break;
    case SELECT_TOPIC:
        target.kind = TARGET_TOPIC;
        add(world, &list, target);
        break;
    case SELECT_PRODUCER:
        target.kind = TARGET_PRODUCER;
        add(world, &list, target);
        break;
    case SELECT_PARTITION:
        target.kind = TARGET_PARTITION;
        add(world, &list, target);
        break;
    }
    return list;
}

name_id timeline_target_name(struct world *world, const struct target *target)
{
    struct names *names = sim_names(world->sim);
    const struct scenario *scenario = world->scenario;
    switch (target->kind) {
    case TARGET_MEMBER:
        return deployment_member_name(world->deployments[target->group], target->member);
    case TARGET_GROUP: return names_intern(names, scenario->groups[target->group].name);
    case TARGET_BROKER:
        return process_name(world->sim, cluster_broker_process(world->cluster, target->broker));
    case TARGET_PRODUCER: return names_intern(names, scenario->producers[target->producer].name);
    case TARGET_TOPIC: return names_intern(names, scenario->topics[target->topic].name);
    case TARGET_PARTITION:
        return world_partition_name(world, PARTITION_ID(target->topic, target->partition));
    }
    return NAME_NONE;
}

process_id timeline_target_process(struct world *world, const struct target *target)
{
    switch (target->kind) {
    case TARGET_MEMBER:
        return deployment_process(world->deployments[target->group], target->member);
    case TARGET_BROKER: return cluster_broker_process(world->cluster, target->broker);
    case TARGET_PRODUCER: return workload_process(world->workloads[target->producer]);
    case TARGET_GROUP:
    case TARGET_TOPIC:
    case TARGET_PARTITION: break;
    }
    return PROCESS_NONE;
}
