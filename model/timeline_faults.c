/* What each kind of entry does to the world, and how it is undone. */
#include "model/admin.h"
#include "model/consumer/consumer.h"
#include "model/timeline_internal.h"
#include "sim/check.h"

static struct deployment *deployment_of(struct world *world, const struct target *target)
{
    return world->deployments[target->group];
}

static void freeze(struct world *world, const struct target *target)
{
    process_id process = timeline_target_process(world, target);
    if (process == PROCESS_NONE || process_state(world->sim, process) == PROCESS_DEAD) return;
    process_freeze(world->sim, process);
    world_emit_process(world->sim, process);
}

static void thaw(struct world *world, const struct target *target)
{
    process_id process = timeline_target_process(world, target);
    if (process == PROCESS_NONE || process_state(world->sim, process) != PROCESS_FROZEN) return;
    process_thaw(world->sim, process);
    world_emit_process(world->sim, process);
}

static void crash(struct world *world, const struct fault *fault, const struct target *target)
{
    if (target->kind == TARGET_MEMBER) {
        deployment_crash(deployment_of(world, target), target->member, fault->event->host);
        bool down = !deployment_is_alive(deployment_of(world, target), target->member);
        if (fault->for_ns > 0 && down)
            deployment_hold_down(deployment_of(world, target), target->member);
    } else if (target->kind == TARGET_BROKER) {
        broker_crash(world->cluster, target->broker, fault->event->host);
    } else if (target->kind == TARGET_PRODUCER) {
        workload_kill(world->workloads[target->producer], fault->event->host);
    }
}

static void start(struct world *world, const struct target *target)
{
    if (target->kind == TARGET_MEMBER) {
        deployment_start(deployment_of(world, target), target->member);
    } else if (target->kind == TARGET_BROKER) {
        broker_restart(world->cluster, target->broker);
    } else if (target->kind == TARGET_PRODUCER) {
        workload_restart(world->workloads[target->producer]);
    }
}

static void stop(struct world *world, const struct target *target)
{
    if (target->kind == TARGET_MEMBER) {
        deployment_stop(deployment_of(world, target), target->member);
    } else if (target->kind == TARGET_BROKER) {
        broker_shutdown(world->cluster, target->broker);
    }
}

static void elect(struct world *world, const struct fault *fault, const struct target *target)
{
    if (target->kind == TARGET_PARTITION) {
        controller_elect(world->cluster, PARTITION_ID(target->topic, target->partition),
                         fault->event->unclean);
        return;
    }
    if (target->kind != TARGET_TOPIC) return;
    int32_t count = cluster_partition_count(world->cluster, target->topic);
    for (int32_t p = 0; p < count; p++)
        controller_elect(world->cluster, PARTITION_ID(target->topic, p), fault->event->unclean);
}

static void poison(struct world *world, const struct fault *fault, const struct target *target)
{
    if (target->kind != TARGET_PARTITION) return;
    partition_id partition = PARTITION_ID(target->topic, target->partition);
    struct partition_offsets offsets = cluster_offsets(world->cluster, partition);
    int64_t offset = fault->event->offset;
    if (offset == OFFSET_TO_LATEST) offset = offsets.log_end;
    if (offset == OFFSET_TO_EARLIEST) offset = offsets.log_start;
    int32_t count = fault->event->count < 1 ? 1 : fault->event->count;
    /* A record that cannot be processed cannot be processed by any group. */
    for (int32_t g = 0; g < world->scenario->group_count; g++)
        sink_add_poison(deployment_sink(world->deployments[g]), partition, offset, count);
}

static void add_rule(struct world *world, struct fault *fault, process_id from, process_id to)
{
    const struct scenario_event *event = fault->event;
    struct network_fault rule = {.cut = event->kind == TIMELINE_CUT};
    if (event->kind == TIMELINE_DELAY) {
        rule.extra_latency_ns = &event->extra_latency_ns;
        rule.loss_ppm = (uint32_t)event->loss_ppm;
    }
    size_t count = (size_t)fault->network_count;
    fault->network = memory_resize(world->memory, fault->network, count * sizeof(*fault->network),
                                   (count + 1) * sizeof(*fault->network));
    fault->network[fault->network_count++] = network_fault_add(world->network, from, to, &rule);
}

typedef void link_action(struct world *world, struct fault *fault, process_id from, process_id to);

/* A second side that is not named is everybody else. */
static void act_on_everybody_else(struct world *world, struct fault *fault, process_id from,
                                  link_action *act)
{
    for (int32_t b = 0; b < cluster_broker_count(world->cluster); b++) {
        process_id process = cluster_broker_process(world->cluster, b);
        if (process != from) act(world, fault, from, process);
    }
    act(world, fault, from, cluster_controller_process(world->cluster));
    for (int32_t i = 0; i < world->scenario->producer_count; i++) {
        process_id process = workload_process(world->workloads[i]);
        if (process != from) act(world, fault, from, process);
    }
    for (int32_t g = 0; g < world->scenario->group_count; g++) {
        const struct deployment *deployment = world->deployments[g];
        for (int32_t member = 1; member <= deployment_size(deployment); member++) {
            process_id process = deployment_process(deployment, member);
            if (process != from) act(world, fault, from, process);
        }
    }
}

static void act_on_links(struct world *world, struct fault *fault, link_action *act)
{
    for (int32_t i = 0; i < fault->targets.count; i++) {
        process_id from = timeline_target_process(world, &fault->targets.targets[i]);
        if (from == PROCESS_NONE) continue;
        if (fault->others.count == 0) act_on_everybody_else(world, fault, from, act);
        for (int32_t j = 0; j < fault->others.count; j++) {
            process_id to = timeline_target_process(world, &fault->others.targets[j]);
            if (to != PROCESS_NONE && to != from) act(world, fault, from, to);
        }
    }
}

static void disturb_link(struct world *world, struct fault *fault, process_id from, process_id to)
{
    add_rule(world, fault, from, to);
    if (!fault->event->one_way) add_rule(world, fault, to, from);
}

static void reset_link(struct world *world, struct fault *fault, process_id from, process_id to)
{
    (void)fault;
    network_reset(world->network, from, to);
}

static void begin_target(struct world *world, struct fault *fault, const struct target *target)
{
    const struct scenario_event *event = fault->event;
    struct workload *workload =
        target->kind == TARGET_PRODUCER ? world->workloads[target->producer] : NULL;
    struct consumer *consumer =
        target->kind == TARGET_MEMBER
            ? deployment_consumer(deployment_of(world, target), target->member)
            : NULL;
    process_id process = timeline_target_process(world, target);
    switch (event->kind) {
    case TIMELINE_ROLLING_RESTART: deployment_rolling_restart(deployment_of(world, target)); break;
    case TIMELINE_STOP: stop(world, target); break;
    case TIMELINE_START: start(world, target); break;
    case TIMELINE_RESTART:
        if (consumer != NULL) deployment_restart(deployment_of(world, target), target->member);
        if (target->kind != TARGET_BROKER) break;
        if (event->config != NULL) broker_set_config(world->cluster, target->broker, event->config);
        broker_shutdown(world->cluster, target->broker);
        break;
    case TIMELINE_CRASH: crash(world, fault, target); break;
    case TIMELINE_PAUSE: freeze(world, target); break;
    case TIMELINE_STALL:
        if (consumer != NULL) consumer_stall(consumer);
        break;
    case TIMELINE_THROW:
        if (consumer != NULL) consumer_begin_throwing(consumer, event->place);
        break;
    case TIMELINE_SLOW:
        if (process != PROCESS_NONE)
            process_set_slowdown_milli(world->sim, process, (uint32_t)event->factor_milli);
        break;
    case TIMELINE_ELECT: elect(world, fault, target); break;
    case TIMELINE_SINK_OUTAGE:
        sink_begin_outage(deployment_sink(deployment_of(world, target)));
        break;
    case TIMELINE_POISON: poison(world, fault, target); break;
    case TIMELINE_HOT_KEY:
        if (workload != NULL) workload_set_hot_key(workload, event->key, event->share_ppm, 1);
        break;
    case TIMELINE_BURST:
        if (workload != NULL) workload_set_rate_factor(workload, event->factor_milli);
        break;
    case TIMELINE_ADD_PARTITIONS:
        cluster_add_partitions(world->cluster, target->topic, event->count);
        break;
    case TIMELINE_DELETE_TOPIC: cluster_delete_topic(world->cluster, target->topic); break;
    case TIMELINE_CREATE_TOPIC:
        cluster_create_topic(world->cluster, target->topic,
                             event->count > 0 ? event->count
                                              : world->scenario->topics[target->topic].partitions);
        break;
    case TIMELINE_DISK_STALL:
        if (target->kind == TARGET_BROKER)
            broker_disk_stall(world->cluster, target->broker, sim_now(world->sim) + fault->for_ns);
        break;
    case TIMELINE_SCALE: deployment_scale(deployment_of(world, target), event->count); break;
    case TIMELINE_RESET_OFFSETS:
        admin_reset_offsets(world->admin, target->group, event->offset);
        break;
    case TIMELINE_DELETE_GROUP: admin_delete_group(world->admin, target->group); break;
    case TIMELINE_DELETE_OFFSETS:
        admin_delete_offsets(world->admin, target->group, event->other.topic);
        break;
    case TIMELINE_CUT:
    case TIMELINE_DELAY:
    case TIMELINE_RESET_CONNECTIONS:
    case TIMELINE_QUIET:
    case TIMELINE_KIND_COUNT: break;
    }
}

/* Long polls that were left out come back before anything can disturb them. */
static bool can_disturb_fetches(enum timeline_kind kind)
{
    return kind == TIMELINE_PAUSE || kind == TIMELINE_CUT || kind == TIMELINE_DELAY ||
           kind == TIMELINE_SLOW || kind == TIMELINE_DISK_STALL;
}

void timeline_begin(struct world *world, struct fault *fault)
{
    if (can_disturb_fetches(fault->event->kind)) {
        cluster_hold_plain_fetches(world->cluster, 1);
        fault->holds_plain_fetches = true;
    }
    if (fault->event->kind == TIMELINE_CUT || fault->event->kind == TIMELINE_DELAY) {
        act_on_links(world, fault, disturb_link);
        return;
    }
    if (fault->event->kind == TIMELINE_RESET_CONNECTIONS) {
        act_on_links(world, fault, reset_link);
        return;
    }
    for (int32_t i = 0; i < fault->targets.count; i++)
        begin_target(world, fault, &fault->targets.targets[i]);
}

static void end_target(struct world *world, struct fault *fault, const struct target *target)
{
    process_id process = timeline_target_process(world, target);
    switch (fault->event->kind) {
    case TIMELINE_CRASH: start(world, target); break;
    case TIMELINE_STOP: start(world, target); break;
    case TIMELINE_RESTART:
        if (target->kind == TARGET_BROKER) broker_restart(world->cluster, target->broker);
        break;
    case TIMELINE_PAUSE: thaw(world, target); break;
    case TIMELINE_STALL:
        if (target->kind == TARGET_MEMBER)
            consumer_unstall(deployment_consumer(deployment_of(world, target), target->member));
        break;
    case TIMELINE_THROW:
        if (target->kind == TARGET_MEMBER)
            consumer_end_throwing(deployment_consumer(deployment_of(world, target), target->member),
                                  fault->event->place);
        break;
    case TIMELINE_SLOW:
        if (process != PROCESS_NONE) process_set_slowdown_milli(world->sim, process, 1000);
        break;
    case TIMELINE_SINK_OUTAGE:
        sink_end_outage(deployment_sink(deployment_of(world, target)));
        break;
    case TIMELINE_HOT_KEY:
        if (target->kind == TARGET_PRODUCER)
            workload_set_hot_key(world->workloads[target->producer], fault->event->key, 0, 1);
        break;
    case TIMELINE_BURST:
        if (target->kind == TARGET_PRODUCER)
            workload_set_rate_factor(world->workloads[target->producer], 1000);
        break;
    case TIMELINE_ROLLING_RESTART:
    case TIMELINE_START:
    case TIMELINE_ELECT:
    case TIMELINE_POISON:
    case TIMELINE_ADD_PARTITIONS:
    case TIMELINE_DELETE_TOPIC:
    case TIMELINE_CREATE_TOPIC:
    case TIMELINE_DISK_STALL:
    case TIMELINE_SCALE:
    case TIMELINE_RESET_OFFSETS:
    case TIMELINE_DELETE_GROUP:
    case TIMELINE_DELETE_OFFSETS:
    case TIMELINE_CUT:
    case TIMELINE_DELAY:
    case TIMELINE_RESET_CONNECTIONS:
    case TIMELINE_QUIET:
    case TIMELINE_KIND_COUNT: break;
    }
}

/* A fault without a length is over as soon as it has struck: what it did stays. */
void timeline_end(struct world *world, struct fault *fault)
{
    for (int32_t i = 0; i < fault->network_count; i++)
        network_fault_remove(world->network, fault->network[i]);
    if (fault->for_ns > 0 || fault->event->kind == TIMELINE_RESTART) {
        for (int32_t i = 0; i < fault->targets.count; i++)
            end_target(world, fault, &fault->targets.targets[i]);
    }
    if (fault->holds_plain_fetches) cluster_hold_plain_fetches(world->cluster, -1);
}
