#include "model/coordinator/consumer_checks.h"

#include "model/coordinator/consumer_checks_target.h"
#include "model/coordinator/consumer_replay.h"
#include "model/coordinator/consumer_topics.h"

#include <stdlib.h>

struct consumer_checks {
    struct memory *memory;
    struct names *names;
    consumer_violation *violation;
    void *self;
    struct consumer_group **before; /* shape [before_count] */
    uint32_t before_count;
    uint32_t before_capacity;
};

/* One group over one step. */
struct step {
    struct consumer_checks *checks;
    const struct coordinator *coordinator;
    const struct consumer_group *before; /* NULL: there was none */
    const struct consumer_group *after;
    const struct consumer_group_heartbeat_request *heartbeat; /* of this group; else NULL */
    const struct join_group_request *join;                    /* of this group; else NULL */
};

const char *consumer_invariant_name(enum consumer_invariant invariant)
{
    static const char *const names[CONSUMER_INVARIANT_COUNT] = {
#define X(id) [CONSUMER_##id] = #id,
        CONSUMER_INVARIANTS(X)
#undef X
    };
    return names[invariant];
}

struct consumer_checks *consumer_checks_new(struct memory *memory, struct names *names,
                                            consumer_violation *violation, void *self)
{
    struct consumer_checks *checks = memory_take(memory, sizeof *checks);
    *checks = (struct consumer_checks){.memory = memory,
                                       .names = names,
                                       .violation = violation,
                                       .self = self};
    return checks;
}

static void forget(struct consumer_checks *checks)
{
    for (uint32_t i = 0; i < checks->before_count; i++)
        consumer_group_free(checks->before[i]);
    checks->before_count = 0;
}

void consumer_checks_free(struct consumer_checks *checks)
{
    forget(checks);
    memory_give(checks->memory, checks->before, sizeof(void *) * checks->before_capacity);
    memory_give(checks->memory, checks, sizeof *checks);
}

void consumer_checks_before(struct consumer_checks *checks, const struct coordinator *coordinator)
{
    forget(checks);
    uint32_t count = coordinator_group_count(coordinator);
    if (count > checks->before_capacity) {
        checks->before =
            memory_resize(checks->memory, checks->before, sizeof(void *) * checks->before_capacity,
                          sizeof(void *) * count);
        checks->before_capacity = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct group *group = coordinator_group_at(coordinator, i);
        if (group->type != GROUP_CONSUMER) continue;
        checks->before[checks->before_count++] = consumer_group_copy(group->consumer);
    }
}

static void violated(const struct step *step, enum consumer_invariant invariant, const char *what)
{
    step->checks->violation(step->checks->self, invariant, step->after->id, what);
}

static int by_key(const void *a, const void *b)
{
    partition_key left = *(const partition_key *)a;
    partition_key right = *(const partition_key *)b;
    return (left > right) - (left < right);
}

/* All members' partitions in one sorted list, doubles kept. */
static struct partition_list gather(const struct consumer_group *group, bool targets)
{
    struct partition_list all;
    partition_list_init(&all, group->memory);
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct consumer_member *member = group->members[i];
        const struct partition_set first = targets ? member->target : member->assigned;
        for (uint32_t k = 0; k < first.count; k++)
            partition_list_add(&all, first.items[k]);
        for (uint32_t k = 0; !targets && k < member->revoking.count; k++)
            partition_list_add(&all, member->revoking.items[k]);
    }
    if (all.count > 1) qsort(all.items, all.count, sizeof *all.items, by_key);
    return all;
}

static void check_one_holder(const struct step *step)
{
    struct partition_list held = gather(step->after, false);
    if (!partition_set_is_sorted(partition_list_view(&held))) {
        violated(step, CONSUMER_I1, "two members hold one partition");
    }
    partition_list_release(&held);
}

static void check_targets_complete(const struct step *step)
{
    const struct consumer_group *group = step->after;
    if (group->member_count == 0 || group->epoch != group->assignment_epoch) return;
    struct partition_list all = gather(group, true);
    struct partition_set targets = partition_list_view(&all);
    uint32_t expected = 0;
    bool complete = partition_set_is_sorted(targets);
    for (int32_t t = 0; t < group->topic_count; t++) {
        for (int32_t p = 0; p < group->topics[t].partitions; p++) {
            expected++;
            partition_key key = partition_key_of(group->topics[t].id, p);
            complete = complete && partition_set_contains(targets, key);
        }
    }
    if (!complete || expected != targets.count) {
        violated(step, CONSUMER_I3, "the targets do not give out every partition exactly once");
    }
    partition_list_release(&all);
}

static bool subscribes(const struct step *step, const struct consumer_member *member, name_id id)
{
    name_id name = consumer_topic_name(step->coordinator, id);
    /* Of a topic that was deleted before this coordinator took over nobody knows the name. */
    if (coordinator_find_topic(step->coordinator, name) == NULL) return true;
    for (int32_t i = 0; i < member->topic_count; i++) {
        if (member->topics[i] == name) return true;
    }
    return false;
}

static bool subscribes_all(const struct step *step, const struct consumer_member *member,
                           struct partition_set set)
{
    for (uint32_t i = 0; i < set.count; i++) {
        if (i > 0 && partition_key_topic(set.items[i]) == partition_key_topic(set.items[i - 1])) {
            continue;
        }
        if (!subscribes(step, member, partition_key_topic(set.items[i]))) return false;
    }
    return true;
}

/* The member's former self: under its id, or for a static member under its instance. */
static const struct consumer_member *former_self(const struct step *step,
                                                 const struct consumer_member *member)
{
    if (step->before == NULL) return NULL;
    const struct consumer_member *former = consumer_group_member(step->before, member->id);
    if (former == NULL && member->instance != NAME_NONE) {
        former = consumer_group_static(step->before, member->instance);
    }
    return former;
}

static bool held_by_another(const struct consumer_group *group, const struct consumer_member *self,
                            partition_key key)
{
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct consumer_member *member = group->members[i];
        if (member == self) continue;
        if (partition_set_contains(member->assigned, key)) return true;
        if (partition_set_contains(member->revoking, key)) return true;
    }
    return false;
}

/* Does the step's request say that this member owns the partition no longer? */
static bool has_let_go(const struct step *step, const struct consumer_member *member,
                       partition_key key)
{
    if (step->join != NULL) return true; /* the bytes inside are the member's to judge */
    const struct consumer_group_heartbeat_request *request = step->heartbeat;
    if (request == NULL || request->owned_count < 0) return false;
    if (request->member_epoch == CONSUMER_EPOCH_STATIC_LEAVE) return true;
    if (request->member != member->id && request->member_epoch != 0) return false;
    for (int32_t i = 0; i < request->owned_count; i++) {
        name_id id = consumer_topic_id(step->coordinator, request->owned[i].topic);
        if (partition_key_of(id, request->owned[i].partition) == key) return false;
    }
    return true;
}

static void check_given(const struct step *step, const struct consumer_member *member,
                        const struct consumer_member *former)
{
    struct partition_list fresh;
    partition_list_init(&fresh, step->after->memory);
    partition_set_without(&fresh, member->assigned,
                          former == NULL ? partition_set_none() : former->assigned);
    struct partition_set given = partition_list_view(&fresh);
    if (!subscribes_all(step, member, given)) {
        violated(step, CONSUMER_I4, "a member was given a topic it does not subscribe to");
    }
    for (uint32_t i = 0; step->before != NULL && i < given.count; i++) {
        if (!held_by_another(step->before, former, given.items[i])) continue;
        violated(step, CONSUMER_I8, "a partition was given while another member held it");
        break;
    }
    partition_list_release(&fresh);
}

static void check_let_go(const struct step *step, const struct consumer_member *member,
                         const struct consumer_member *former)
{
    if (former->id != member->id || member->epoch == CONSUMER_EPOCH_STATIC_LEAVE) return;
    for (uint32_t i = 0; i < former->revoking.count; i++) {
        partition_key key = former->revoking.items[i];
        if (partition_set_contains(member->revoking, key)) continue;
        if (has_let_go(step, member, key)) continue;
        violated(step, CONSUMER_I8, "a partition counts as given up though nobody said so");
        return;
    }
    for (uint32_t i = 0; i < former->assigned.count; i++) {
        partition_key key = former->assigned.items[i];
        if (partition_set_contains(member->assigned, key)) continue;
        if (partition_set_contains(member->revoking, key)) continue;
        if (has_let_go(step, member, key)) continue;
        violated(step, CONSUMER_I8, "a partition was taken without asking for it back");
        return;
    }
}

static void check_members(const struct step *step)
{
    const struct consumer_group *group = step->after;
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct consumer_member *member = group->members[i];
        const struct consumer_member *former = former_self(step, member);
        check_given(step, member, former);
        if (former != NULL) check_let_go(step, member, former);
        if (former != NULL && former->id == member->id && member->epoch < former->epoch &&
            member->epoch > 0) {
            violated(step, CONSUMER_I5, "a member's epoch went down");
        }
        if (group->epoch == group->assignment_epoch &&
            !subscribes_all(step, member, member->target)) {
            violated(step, CONSUMER_I4, "a member's target has a topic it does not subscribe to");
        }
        for (uint32_t k = i + 1; member->instance != NAME_NONE && k < group->entry_count; k++) {
            if (group->members[k]->instance != member->instance) continue;
            violated(step, CONSUMER_I10, "two members have one group.instance.id");
        }
    }
}

static void check_group_epochs(const struct step *step)
{
    const struct consumer_group *group = step->after;
    if (group->assignment_epoch > group->epoch) {
        violated(step, CONSUMER_I5, "the assignment epoch is ahead of the group epoch");
    } else if (step->before != NULL && (group->epoch < step->before->epoch ||
                                        group->assignment_epoch < step->before->assignment_epoch)) {
        violated(step, CONSUMER_I5, "the group's epoch went down");
    }
}

static void check_stable(const struct step *step)
{
    const struct consumer_group *group = step->after;
    if (consumer_group_state(group) != GROUP_STABLE) return;
    for (uint32_t i = 0; i < group->entry_count; i++) {
        const struct consumer_member *member = group->members[i];
        if (member->epoch == group->epoch && member->revoking.count == 0 &&
            member->state == CONSUMER_MEMBER_STABLE &&
            partition_set_equal(member->assigned, member->target)) {
            continue;
        }
        violated(step, CONSUMER_I7, "Stable, but a member is not where it should be");
        return;
    }
}

/* Kafka's rule for epochs, looked up in the state of before. */
static bool is_stale(const struct step *step)
{
    const struct consumer_group_heartbeat_request *request = step->heartbeat;
    if (request == NULL || request->member_epoch == 0 || step->before == NULL) return false;
    const struct consumer_member *member = consumer_group_member(step->before, request->member);
    if (member == NULL) return true;
    if (request->instance != NAME_NONE &&
        consumer_group_static(step->before, request->instance) != member) {
        return true;
    }
    if (request->member_epoch < 0) return false; /* leaving needs no epoch */
    if (request->member_epoch == member->epoch) return false;
    if (request->member_epoch != member->previous_epoch || request->owned_count < 0) return true;
    for (int32_t i = 0; i < request->owned_count; i++) {
        name_id id = consumer_topic_id(step->coordinator, request->owned[i].topic);
        partition_key key = partition_key_of(id, request->owned[i].partition);
        if (!partition_set_contains(member->assigned, key)) return true;
    }
    return request->member_epoch > member->epoch;
}

static void check_fencing(const struct step *step)
{
    if (is_stale(step) && !consumer_group_equal(step->before, step->after)) {
        violated(step, CONSUMER_I6, "a heartbeat under a wrong epoch changed the group");
    }
}

static void check_commit(const struct step *step, const struct offset_commit_request *request,
                         const struct offset_commit_response *response)
{
    if (step->before == NULL || (request->generation < 0 && step->before->member_count == 0))
        return;
    const struct consumer_member *member = consumer_group_member(step->before, request->member);
    if (member != NULL && member->epoch == request->generation) return;
    for (int32_t i = 0; i < response->offset_count; i++) {
        if (response->offsets[i].error != KAFKA_NONE) continue;
        violated(step, CONSUMER_I6, "a commit under a wrong epoch was accepted");
        return;
    }
}

static void check_group(const struct step *step)
{
    check_one_holder(step);
    check_targets_complete(step);
    check_members(step);
    check_group_epochs(step);
    check_stable(step);
    check_fencing(step);
    if (!consumer_target_is_orderless(step->coordinator, step->before, step->after)) {
        violated(step, CONSUMER_I12, "the target hangs on the order of the members");
    }
}

static const struct consumer_group *group_before(const struct consumer_checks *checks, name_id id)
{
    for (uint32_t i = 0; i < checks->before_count; i++) {
        if (checks->before[i]->id == id) return checks->before[i];
    }
    return NULL;
}

void consumer_checks_after(struct consumer_checks *checks, const struct coordinator *coordinator,
                           const struct message *request, const struct message *response)
{
    for (uint32_t i = 0; i < coordinator_group_count(coordinator); i++) {
        const struct group *group = coordinator_group_at(coordinator, i);
        if (group->type != GROUP_CONSUMER) continue;
        struct step step = {.checks = checks,
                            .coordinator = coordinator,
                            .before = group_before(checks, group->id),
                            .after = group->consumer};
        if (request != NULL && request->api == API_CONSUMER_GROUP_HEARTBEAT) {
            step.heartbeat = (const struct consumer_group_heartbeat_request *)request;
            if (step.heartbeat->group != group->id) step.heartbeat = NULL;
        } else if (request != NULL && request->api == API_JOIN_GROUP) {
            step.join = (const struct join_group_request *)request;
            if (step.join->group != group->id) step.join = NULL;
        } else if (request != NULL && request->api == API_OFFSET_COMMIT && response != NULL) {
            const struct offset_commit_request *commit =
                (const struct offset_commit_request *)request;
            if (commit->group == group->id) {
                check_commit(&step, commit, (const struct offset_commit_response *)response);
            }
        }
        check_group(&step);
    }
}

void consumer_checks_rebuilt(struct consumer_checks *checks, const struct coordinator *live,
                             const struct coordinator *rebuilt)
{
    for (uint32_t i = 0; i < coordinator_group_count(live); i++) {
        const struct group *group = coordinator_group_at(live, i);
        const struct group *other = coordinator_find_group(rebuilt, group->id);
        bool is_consumer = group->type == GROUP_CONSUMER;
        bool was_consumer = other != NULL && other->type == GROUP_CONSUMER;
        if (is_consumer == was_consumer &&
            (!is_consumer || consumer_group_equal(group->consumer, other->consumer))) {
            continue;
        }
        checks->violation(checks->self, CONSUMER_I11, group->id,
                          "the log does not give back the group");
    }
}
