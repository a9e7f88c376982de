/* tools/timeline_rules.h: which targets and parameters each kind of timeline entry takes. */
#ifndef TOOLS_TIMELINE_RULES_H
#define TOOLS_TIMELINE_RULES_H

#include "tools/selector_yaml.h"

/* A set. NEEDS_: the entry is wrong without it. */
enum timeline_parameter {
    TAKES_FOR = 1 << 0,     /* for: how long */
    NEEDS_FOR = 1 << 1,     /* the same, required */
    TAKES_BY = 1 << 2,      /* by: extra latency */
    TAKES_LOSS = 1 << 3,    /* loss: share of messages */
    NEEDS_FACTOR = 1 << 4,  /* factor: 3 */
    NEEDS_COUNT = 1 << 5,   /* to: 20 */
    TAKES_RECORDS = 1 << 6, /* records: in a row */
    NEEDS_KEY = 1 << 7,     /* key and share */
    TAKES_OFFSET = 1 << 8,  /* offset: 1000, earliest or next */
    NEEDS_OFFSET = 1 << 9,  /* to: earliest, latest or an offset */
    TAKES_UNCLEAN = 1 << 10,
    TAKES_HOST = 1 << 11,
    NEEDS_OTHER = 1 << 12, /* to: the other side */
    TAKES_ONE_WAY = 1 << 13,
    NEEDS_PLACE = 1 << 14,      /* in: on_assigned, on_revoked or assignor */
    TAKES_PARTITIONS = 1 << 15, /* partitions: how many */
    NEEDS_TOPIC = 1 << 16,      /* topic: orders */
    TAKES_CONFIG = 1 << 17,     /* config: {group.max.size: 2} */
};

#define ACCEPT_PROCESSES (ACCEPT_MEMBERS | ACCEPT_BROKERS | ACCEPT_PRODUCER)

struct timeline_rule {
    unsigned targets; /* enum selector_class */
    unsigned parameters;
    const char *key;
    const char *help;
};
extern const struct timeline_rule timeline_rules[TIMELINE_KIND_COUNT];

/* By enum throw_place. */
extern const char *const timeline_places[THROW_PLACE_COUNT];

/* What `when` can wait for: Kafka's names of group states, of both protocols. */
#define TIMELINE_STATE_COUNT 7
extern const char *const timeline_states[TIMELINE_STATE_COUNT];

#endif
