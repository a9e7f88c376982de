/* model/coordinator/offsets_expire.c: the sweep that expires offsets and empty groups (KIP-211).
 *
 *   group                                    expires               counted from
 *   no protocol type (simple)                all                   the commit
 *   Empty                                    all                   when it became Empty
 *   "consumer", Stable, subscription read    topics nobody reads   the commit
 *   consumer group (KIP-848)                 topics nobody reads   the commit
 *   otherwise                                none
 *
 * After it a group that is Empty, has no offsets and no open transaction is deleted. */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/offset_rules.h"
#include "model/coordinator/transactions.h"

#include "sim/check.h"

enum expiry_base { EXPIRES_NEVER, FROM_COMMIT, FROM_STATE_CHANGE };

static enum expiry_base expiry_base_of(const struct coordinator *coordinator,
                                       const struct group *group)
{
    if (group->type == GROUP_CONSUMER) return FROM_COMMIT;
    const struct classic_group *classic = group->classic;
    if (classic->protocol_type == NAME_NONE) return FROM_COMMIT;
    if (classic->state == GROUP_EMPTY) {
        return classic->state_timestamp_ms >= 0 ? FROM_STATE_CHANGE : FROM_COMMIT;
    }
    bool is_readable = classic_uses_consumer_protocol(coordinator, classic) &&
                       classic->topics_known && classic->state == GROUP_STABLE;
    return is_readable ? FROM_COMMIT : EXPIRES_NEVER;
}

static bool is_subscribed(const struct coordinator *coordinator, const struct group *group,
                          name_id topic)
{
    return group->type == GROUP_CONSUMER
               ? consumer_is_subscribed(group, topic)
               : classic_is_subscribed(coordinator, group->classic, topic);
}

static bool is_expired(const struct coordinator *coordinator, const struct group *group,
                       const struct stored_offset *stored, enum expiry_base base)
{
    int64_t now_ms = coordinator_clock_ms(coordinator);
    if (stored->expire_timestamp_ms >= 0) return now_ms >= stored->expire_timestamp_ms;
    int64_t since_ms = base == FROM_STATE_CHANGE ? group->classic->state_timestamp_ms
                                                 : stored->commit_timestamp_ms;
    return now_ms - since_ms >= coordinator->config->offsets_retention_ms;
}

/* True when nothing is left that would keep the group. */
static bool expire_offsets(struct operation *operation, const struct group *group)
{
    struct coordinator *coordinator = operation->coordinator;
    if (group->offsets.present_count == 0) {
        /* Kafka does not look at open transactions here (cleanupExpiredOffsets). */
        return true;
    }
    enum expiry_base base = expiry_base_of(coordinator, group);
    if (base == EXPIRES_NEVER) return false;
    bool all_expired = true;
    for (uint32_t i = 0; i < group->offsets.count; i++) {
        const struct offset_slot *slot = group->offsets.slots[i];
        if (!slot->value.present) continue;
        if (is_subscribed(coordinator, group, slot->partition.topic) || slot->pending_count > 0 ||
            !is_expired(coordinator, group, &slot->value, base)) {
            all_expired = false;
            continue;
        }
        operation_add(operation,
                      group_record_offset(coordinator->memory, group->id, slot->partition, NULL));
    }
    return all_expired && !transactions_any_open(group);
}

static void delete_if_empty(struct operation *operation, const struct group *group)
{
    if (group->type == GROUP_CONSUMER) {
        if (consumer_state(group) == GROUP_EMPTY) consumer_add_tombstones(operation, group);
    } else if (group->classic->state == GROUP_EMPTY) {
        operation_add(operation,
                      group_record_classic(operation->coordinator->memory, group->id, NULL));
    }
}

static void on_sweep(struct coordinator *coordinator, struct coordinator_timer *timer, sim_time now)
{
    struct operation operation;
    operation_begin_timer(&operation, coordinator, now);
    operation.not_atomic = true;
    for (uint32_t i = 0; i < coordinator->group_count; i++) {
        const struct group *group = coordinator->groups[i];
        if (group->type == GROUP_ABSENT) continue;
        if (expire_offsets(&operation, group)) delete_if_empty(&operation, group);
    }
    coordinator_arm(coordinator, timer, coordinator->config->offsets_retention_check_interval_ms);
    operation_finish(&operation);
}

void offsets_start_expiration(struct coordinator *coordinator)
{
    coordinator_timer_init(&coordinator->expiration_timer, on_sweep, NULL);
    coordinator_arm(coordinator, &coordinator->expiration_timer,
                    coordinator->config->offsets_retention_check_interval_ms);
}
