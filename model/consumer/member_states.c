#include "model/consumer/member_states.h"

#include <stdint.h>

#define FROM(state) (1u << CONSUMER_##state)

/* The states from which each may be entered; itself always. */
static const uint32_t predecessors[CONSUMER_MEMBER_STATE_COUNT] = {
    [CONSUMER_UNSUBSCRIBED] = FROM(PREPARE_LEAVING) | FROM(LEAVING) | FROM(FENCED),
    [CONSUMER_JOINING] = FROM(FENCED) | FROM(UNSUBSCRIBED) | FROM(STALE),
    [CONSUMER_RECONCILING] = FROM(STABLE) | FROM(JOINING) | FROM(ACKNOWLEDGING),
    [CONSUMER_ACKNOWLEDGING] = FROM(RECONCILING),
    [CONSUMER_STABLE] = FROM(JOINING) | FROM(ACKNOWLEDGING) | FROM(RECONCILING),
    [CONSUMER_PREPARE_LEAVING] =
        FROM(JOINING) | FROM(STABLE) | FROM(RECONCILING) | FROM(ACKNOWLEDGING) | FROM(UNSUBSCRIBED),
    [CONSUMER_LEAVING] = FROM(PREPARE_LEAVING),
    [CONSUMER_FENCED] = FROM(JOINING) | FROM(STABLE) | FROM(RECONCILING) | FROM(ACKNOWLEDGING) |
                        FROM(PREPARE_LEAVING) | FROM(LEAVING),
    [CONSUMER_STALE] = FROM(LEAVING),
    [CONSUMER_FATAL] = FROM(JOINING) | FROM(STABLE) | FROM(RECONCILING) | FROM(ACKNOWLEDGING) |
                       FROM(PREPARE_LEAVING) | FROM(LEAVING) | FROM(UNSUBSCRIBED),
};

bool consumer_member_may_become(enum consumer_member_state from, enum consumer_member_state to)
{
    return from == to || (predecessors[to] & (1u << from)) != 0;
}
