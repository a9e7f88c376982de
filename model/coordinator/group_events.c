/* model/coordinator/group_events.c: the words for what a coordinator reports. */
#include "model/coordinator/group_events.h"

#include "sim/check.h"

const char *group_state_name(enum group_state state)
{
    static const char *const names[GROUP_STATE_COUNT] = {
#define X(name, text) [GROUP_##name] = text,
        GROUP_STATES(X)
#undef X
    };
    CHECK((unsigned)state < GROUP_STATE_COUNT);
    return names[state];
}

const char *rebalance_reason_text(enum rebalance_reason reason)
{
    static const char *const texts[REBALANCE_REASON_COUNT] = {
#define X(name, text) [REBALANCE_##name] = text,
        REBALANCE_REASONS(X)
#undef X
    };
    CHECK((unsigned)reason < REBALANCE_REASON_COUNT);
    return texts[reason];
}

const char *member_removal_name(enum member_removal removal)
{
    static const char *const names[MEMBER_REMOVAL_COUNT] = {
        [REMOVED_LEFT] = "left",
        [REMOVED_BY_ADMIN] = "removed by an administrator",
        [REMOVED_SESSION_EXPIRED] = "session expired",
        [REMOVED_JOIN_EXPIRED] = "did not rejoin in time",
        [REMOVED_SYNC_EXPIRED] = "did not sync in time",
        [REMOVED_REBALANCE_EXPIRED] = "did not revoke in time",
        [REMOVED_GROUP_FULL] = "group is full",
        [REMOVED_REPLACED] = "replaced by a new process",
        [REMOVED_TEMPORARILY] = "left for a while",
    };
    CHECK((unsigned)removal < MEMBER_REMOVAL_COUNT);
    return names[removal];
}
