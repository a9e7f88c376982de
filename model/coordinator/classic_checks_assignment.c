/* model/coordinator/classic_checks_assignment.c: I1 and I4 of classic groups. */
#include "model/coordinator/classic_checks_internal.h"

#include "model/consumer_protocol.h"

#include "sim/check.h"

#include <stdlib.h>

struct claims {
    struct topic_partition *items;
    uint32_t count;
    uint32_t capacity;
};

static int by_partition(const void *a, const void *b)
{
    const struct topic_partition *x = a, *y = b;
    if (x->topic != y->topic) return x->topic < y->topic ? -1 : 1;
    return (x->partition > y->partition) - (x->partition < y->partition);
}

static void add_claims(struct memory *memory, struct claims *claims,
                       const struct assignment *assignment)
{
    for (int32_t i = 0; i < assignment->partition_count; i++) {
        if (claims->count == claims->capacity) {
            uint32_t capacity = claims->capacity * 2 + 16;
            claims->items =
                memory_resize(memory, claims->items, sizeof(*claims->items) * claims->capacity,
                              sizeof(*claims->items) * capacity);
            claims->capacity = capacity;
        }
        claims->items[claims->count++] = assignment->partitions[i];
    }
}

static bool subscribes(const struct subscription *subscription, name_id topic)
{
    for (int32_t i = 0; i < subscription->topic_count; i++) {
        if (subscription->topics[i] == topic) return true;
    }
    return false;
}

static bool is_within(const struct assignment *assignment, const struct subscription *subscription)
{
    for (int32_t i = 0; i < assignment->partition_count; i++) {
        if (!subscribes(subscription, assignment->partitions[i].topic)) return false;
    }
    return true;
}

/* A static member may come back with another subscription and keep its assignment for now: that is
 * Kafka's (ClassicGroup keeps the generation), so only dynamic members are held to I4. */
static void check_member(struct classic_checks *checks, const struct coordinator *coordinator,
                         const struct classic_group *classic, const struct classic_member *member,
                         struct claims *claims)
{
    struct assignment assignment;
    if (!assignment_decode(checks->memory, coordinator->names, member->assignment, &assignment)) {
        return;
    }
    add_claims(checks->memory, claims, &assignment);
    struct subscription subscription;
    if (member->instance == NAME_NONE &&
        subscription_decode(checks->memory, coordinator->names,
                            classic_metadata(member, classic->protocol_name), &subscription)) {
        if (!is_within(&assignment, &subscription)) {
            classic_violate(checks, CLASSIC_I4, classic->group->id,
                            "assigned a topic it does not subscribe to");
        }
        subscription_free(checks->memory, &subscription);
    }
    assignment_free(checks->memory, &assignment);
}

void checks_assignments(struct classic_checks *checks, const struct coordinator *coordinator,
                        const struct classic_group *classic)
{
    if (classic->state != GROUP_STABLE || !classic_uses_consumer_protocol(coordinator, classic))
        return;
    struct claims claims = {0};
    for (int32_t i = 0; i < classic->member_count; i++) {
        check_member(checks, coordinator, classic, classic->members[i], &claims);
    }
    if (claims.count > 1) qsort(claims.items, claims.count, sizeof(*claims.items), by_partition);
    for (uint32_t i = 1; i < claims.count; i++) {
        if (by_partition(&claims.items[i - 1], &claims.items[i]) != 0) continue;
        classic_violate(checks, CLASSIC_I1, classic->group->id,
                        "a partition is assigned to two members");
        break;
    }
    memory_give(checks->memory, claims.items, sizeof(*claims.items) * claims.capacity);
}
