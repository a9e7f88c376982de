/* model/consumer/member_states.h: the states of a KIP-848 member, as its client sees itself.
 *
 *   UNSUBSCRIBED ─poll()─▶ JOINING ─assignment─▶ RECONCILING ─listeners done─▶ ACKNOWLEDGING
 *                             ▲                    ▲     │                        │ heartbeat
 *                             │                    │     └──── new target ◀───────┤
 *                             │                    └─────────── STABLE ◀──────────┘
 *       FENCED ─released──────┤   (any member state) ─fenced──▶ FENCED
 *       STALE ──poll()────────┘   (any member state) ─poll timer─▶ LEAVING ─▶ STALE
 *   close(): PREPARE_LEAVING ─released─▶ LEAVING ─▶ UNSUBSCRIBED. FATAL: an error nobody survives.
 */
#ifndef MODEL_CONSUMER_MEMBER_STATES_H
#define MODEL_CONSUMER_MEMBER_STATES_H

#include <stdbool.h>

#define CONSUMER_MEMBER_STATES(X)                                                                  \
    X(UNSUBSCRIBED)                                                                                \
    X(JOINING)                                                                                     \
    X(RECONCILING)                                                                                 \
    X(ACKNOWLEDGING)                                                                               \
    X(STABLE)                                                                                      \
    X(PREPARE_LEAVING)                                                                             \
    X(LEAVING)                                                                                     \
    X(FENCED)                                                                                      \
    X(STALE)                                                                                       \
    X(FATAL)
enum consumer_member_state {
#define X(name) CONSUMER_##name,
    CONSUMER_MEMBER_STATES(X)
#undef X
        CONSUMER_MEMBER_STATE_COUNT
};

/* May a member in state `from` go to state `to`? */
bool consumer_member_may_become(enum consumer_member_state from, enum consumer_member_state to);

#endif
