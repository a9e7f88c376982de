/* tools/timeline_rules.c: which targets and parameters each kind of timeline entry takes. */
#include "tools/timeline_rules.h"

#define TARGETS_ROLLING_RESTART ACCEPT_GROUP, 0
#define TARGETS_STOP            ACCEPT_MEMBERS | ACCEPT_BROKERS, TAKES_FOR
#define TARGETS_START           ACCEPT_PROCESSES, 0
#define TARGETS_RESTART         ACCEPT_MEMBERS | ACCEPT_BROKERS, TAKES_CONFIG
#define TARGETS_CRASH           ACCEPT_PROCESSES, TAKES_FOR | TAKES_HOST
#define TARGETS_PAUSE           ACCEPT_PROCESSES, NEEDS_FOR
#define TARGETS_STALL           ACCEPT_MEMBERS, NEEDS_FOR
#define TARGETS_CUT             ACCEPT_PROCESSES, NEEDS_OTHER | NEEDS_FOR | TAKES_ONE_WAY
#define TARGETS_DELAY                                                                              \
    ACCEPT_PROCESSES, NEEDS_OTHER | NEEDS_FOR | TAKES_BY | TAKES_LOSS | TAKES_ONE_WAY
#define TARGETS_RESET_CONNECTIONS ACCEPT_PROCESSES, NEEDS_OTHER
#define TARGETS_SLOW              ACCEPT_PROCESSES, NEEDS_FACTOR | NEEDS_FOR
#define TARGETS_ELECT             ACCEPT_PARTITION | ACCEPT_TOPIC, TAKES_UNCLEAN
#define TARGETS_SINK_OUTAGE       ACCEPT_GROUP, NEEDS_FOR
#define TARGETS_POISON            ACCEPT_PARTITION, TAKES_OFFSET | TAKES_RECORDS
#define TARGETS_HOT_KEY           ACCEPT_PRODUCER, NEEDS_KEY | TAKES_FOR
#define TARGETS_BURST             ACCEPT_PRODUCER, NEEDS_FACTOR | NEEDS_FOR
#define TARGETS_ADD_PARTITIONS    ACCEPT_TOPIC, NEEDS_COUNT
#define TARGETS_DELETE_TOPIC      ACCEPT_TOPIC, 0
#define TARGETS_CREATE_TOPIC      ACCEPT_TOPIC, TAKES_PARTITIONS
#define TARGETS_DISK_STALL        ACCEPT_BROKERS, NEEDS_FOR | TAKES_BY
#define TARGETS_SCALE             ACCEPT_GROUP, NEEDS_COUNT
#define TARGETS_RESET_OFFSETS     ACCEPT_GROUP, NEEDS_OFFSET
#define TARGETS_DELETE_GROUP      ACCEPT_GROUP, 0
#define TARGETS_DELETE_OFFSETS    ACCEPT_GROUP, NEEDS_TOPIC
#define TARGETS_THROW             ACCEPT_MEMBERS, NEEDS_FOR | NEEDS_PLACE
#define TARGETS_QUIET             0, 0

const struct timeline_rule timeline_rules[TIMELINE_KIND_COUNT] = {
#define X(name, key, help) [TIMELINE_##name] = {TARGETS_##name, key, help},
    TIMELINE_KINDS(X)
#undef X
};

const char *const timeline_places[THROW_PLACE_COUNT] = {
    [THROW_ON_ASSIGNED] = "on_assigned",
    [THROW_ON_REVOKED] = "on_revoked",
    [THROW_IN_ASSIGNOR] = "assignor",
};

const char *const timeline_states[TIMELINE_STATE_COUNT] = {
    "Empty", "PreparingRebalance", "CompletingRebalance", "Stable",
    "Dead",  "Assigning",          "Reconciling"};
