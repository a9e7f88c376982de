/* A consumer group held against itself, and against another one. */
#include "model/coordinator/consumer_group.h"

#include <string.h>

static bool counts_equal(const struct name_counts *a, const struct name_counts *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->items[i].name != b->items[i].name) return false;
        if (a->items[i].count != b->items[i].count) return false;
    }
    return true;
}

static bool member_is_consistent(const struct consumer_group *group,
                                 const struct consumer_member *member)
{
    if (id_map_get(&group->by_id, member->id) != member) return false;
    if (!member->has_target && member->target.count > 0) return false;
    if (!partition_set_is_sorted(member->target)) return false;
    if (!member->is_member) return member->has_target;
    if (!partition_set_is_sorted(member->assigned)) return false;
    if (!partition_set_is_sorted(member->revoking)) return false;
    if (partition_set_intersects(member->assigned, member->revoking)) return false;
    return member->instance == NAME_NONE ||
           consumer_group_static(group, member->instance) == member;
}

static bool holds_at(const struct partition_epochs *epochs, struct partition_set set, int32_t epoch)
{
    for (uint32_t i = 0; i < set.count; i++) {
        if (partition_epochs_get(epochs, set.items[i]) != epoch) return false;
    }
    return true;
}

/* What is derived, counted anew. */
struct recount {
    struct name_counts subscribed;
    struct name_counts assignors;
    struct name_counts protocols;
    uint32_t members, classic, settled, targets, held;
};

static void recount_member(struct recount *recount, const struct consumer_group *group,
                           const struct consumer_member *member)
{
    recount->targets += member->has_target;
    if (!member->is_member) return;
    recount->members++;
    recount->classic += member->is_classic;
    recount->settled +=
        member->state == CONSUMER_MEMBER_STABLE && member->epoch == group->assignment_epoch;
    recount->held += member->assigned.count + member->revoking.count;
    for (int32_t i = 0; i < member->topic_count; i++)
        name_counts_add(&recount->subscribed, member->topics[i], 1);
    name_counts_add(&recount->assignors, member->assignor, 1);
    for (int32_t i = 0; i < member->protocol_count; i++)
        name_counts_add(&recount->protocols, member->protocols[i].name, 1);
}

static bool recount_agrees(const struct recount *recount, const struct consumer_group *group)
{
    return recount->members == group->member_count && recount->classic == group->classic_count &&
           recount->settled == group->settled_count && recount->targets == group->target_count &&
           recount->held == group->partition_epochs.held &&
           counts_equal(&recount->subscribed, &group->subscribed) &&
           counts_equal(&recount->assignors, &group->assignors) &&
           counts_equal(&recount->protocols, &group->protocols);
}

bool consumer_group_is_consistent(const struct consumer_group *group)
{
    struct recount recount = {0};
    name_counts_init(&recount.subscribed, group->memory, group->names);
    name_counts_init(&recount.assignors, group->memory, group->names);
    name_counts_init(&recount.protocols, group->memory, group->names);
    bool good = true;
    for (uint32_t i = 0; i < group->entry_count && good; i++) {
        const struct consumer_member *member = group->members[i];
        if (i > 0 && names_compare(group->names, group->members[i - 1]->id, member->id) >= 0) {
            good = false;
        }
        good = good && member_is_consistent(group, member) &&
               holds_at(&group->partition_epochs, member->assigned, member->epoch) &&
               holds_at(&group->partition_epochs, member->revoking, member->epoch);
        recount_member(&recount, group, member);
    }
    good = good && recount_agrees(&recount, group);
    name_counts_release(&recount.subscribed);
    name_counts_release(&recount.assignors);
    name_counts_release(&recount.protocols);
    return good;
}

static bool names_equal(const name_id *a, int32_t a_count, const name_id *b, int32_t b_count)
{
    return a_count == b_count &&
           (a_count == 0 || memcmp(a, b, sizeof(name_id) * (size_t)a_count) == 0);
}

static bool protocols_equal(const struct consumer_member *a, const struct consumer_member *b)
{
    if (a->protocol_count != b->protocol_count) return false;
    for (int32_t i = 0; i < a->protocol_count; i++) {
        struct bytes left = a->protocols[i].metadata;
        struct bytes right = b->protocols[i].metadata;
        if (a->protocols[i].name != b->protocols[i].name) return false;
        if (left.length != right.length) return false;
        if (left.length > 0 && memcmp(left.data, right.data, left.length) != 0) return false;
    }
    return true;
}

bool consumer_member_same_record(const struct consumer_member *a, const struct consumer_member *b)
{
    return a->instance == b->instance && a->rack == b->rack && a->client_id == b->client_id &&
           a->client_host == b->client_host && a->assignor == b->assignor &&
           a->rebalance_timeout_ms == b->rebalance_timeout_ms && a->is_classic == b->is_classic &&
           a->session_timeout_ms == b->session_timeout_ms &&
           names_equal(a->topics, a->topic_count, b->topics, b->topic_count) &&
           protocols_equal(a, b);
}

static bool members_equal(const struct consumer_member *a, const struct consumer_member *b)
{
    return a->id == b->id && a->is_member == b->is_member && a->has_target == b->has_target &&
           partition_set_equal(a->target, b->target) && a->epoch == b->epoch &&
           a->previous_epoch == b->previous_epoch && a->state == b->state &&
           partition_set_equal(a->assigned, b->assigned) &&
           partition_set_equal(a->revoking, b->revoking) && consumer_member_same_record(a, b);
}

bool consumer_group_equal(const struct consumer_group *a, const struct consumer_group *b)
{
    if (a->id != b->id || a->epoch != b->epoch || a->assignment_epoch != b->assignment_epoch ||
        a->entry_count != b->entry_count || a->topic_count != b->topic_count) {
        return false;
    }
    for (int32_t i = 0; i < a->topic_count; i++) {
        const struct consumer_topic *left = &a->topics[i];
        const struct consumer_topic *right = &b->topics[i];
        if (left->name != right->name || left->id != right->id ||
            left->partitions != right->partitions) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->entry_count; i++) {
        if (!members_equal(a->members[i], b->members[i])) return false;
    }
    return true;
}
