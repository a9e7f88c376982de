/* model/timeline_internal.h: what the parts of the timeline share. */
#ifndef MODEL_TIMELINE_INTERNAL_H
#define MODEL_TIMELINE_INTERNAL_H

#include "model/timeline.h"
#include "model/world_internal.h"

#define FAULT_TARGETS_MAX 256

/* One thing a fault acts on, after selectors were resolved. */
enum target_kind {
    TARGET_MEMBER,
    TARGET_GROUP,
    TARGET_BROKER,
    TARGET_PRODUCER,
    TARGET_TOPIC,
    TARGET_PARTITION,
};
struct target {
    enum target_kind kind;
    int32_t group; /* TARGET_MEMBER, TARGET_GROUP */
    int32_t member;
    int32_t broker;
    int32_t producer;
    int32_t topic;
    int32_t partition;
};
struct target_list {
    struct target *targets; /* taken from the world's memory */
    int32_t count;
};

/* One strike of an entry. */
struct fault {
    struct fault *next; /* in effect, or free */
    const struct scenario_event *event;
    struct rng_key target_key;
    uint64_t number; /* n-th strike of this entry, from 0 */
    struct target_list targets;
    struct target_list others;
    network_fault_id *network; /* rules to take back at the end */
    int32_t network_count;
    bool holds_plain_fetches;
    sim_time for_ns; /* 0 = at once, or for good */
    uint64_t id;     /* finds it again when its time is over */
};

/* timeline_targets.c */
struct target_list timeline_resolve(struct world *world, const struct selector *selector,
                                    const struct rng_key *key, uint64_t number,
                                    enum timeline_kind kind);
name_id timeline_target_name(struct world *world, const struct target *target);
process_id timeline_target_process(struct world *world, const struct target *target);

/* timeline_faults.c */
void timeline_begin(struct world *world, struct fault *fault);
void timeline_end(struct world *world, struct fault *fault);

#endif
