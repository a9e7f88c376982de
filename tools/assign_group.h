/* tools/assign_group.h: a group as people describe it, checked, for the assignors.
 *
 * Filled by a reader (assign_yaml.h, assign_paste.h), which says where each thing was written, so
 * that a mistake found when all is read still points to its place. */
#ifndef TOOLS_ASSIGN_GROUP_H
#define TOOLS_ASSIGN_GROUP_H

#include "model/assignor/assignor.h"
#include "tools/diagnostic.h"

#define ASSIGN_PARTITIONS_MAX 100000  /* per topic */
#define ASSIGN_TOTAL_MAX      2000000 /* partitions of all topics */
#define ASSIGN_MEMBERS_MAX    10000

struct claim {
    struct assign_partition partition;
    struct position at;
};

struct group_topic {
    const char *name;
    int32_t partition_count; /* -1 = not said yet */
    struct position at;
    int64_t id_high;
    int64_t id_low;
    name_id *racks; /* shape [partition_count][rack_slots]; NULL = none */
    int32_t rack_slots;
    int64_t *weight; /* shape [partition_count]; NULL = 1 each */
};

struct group_member {
    const char *id;
    struct position at;
    const char *instance; /* NULL = dynamic */
    struct position instance_at;
    const char *rack;
    int32_t generation; /* -1 = not said */
    int32_t *topics;    /* indexes, shape [topic_count] of topic_capacity */
    int32_t topic_count;
    int32_t topic_capacity;
    struct claim *claims;
    int32_t claim_count;
    int32_t claim_capacity;
};

struct assign_group {
    struct memory *memory; /* holds everything; assign_group_free releases it */
    struct names *names;
    struct diagnostics *diagnostics;
    struct group_topic *topics;
    int32_t topic_count;
    int32_t topic_capacity;
    struct group_member *members;
    int32_t member_count;
    int32_t member_capacity;
    const char *assumption; /* what the input did not say and we took for granted; NULL = nothing */

    /* Filled by assign_group_finish. The server side sees each partition only with its newest
     * owner, as targets are. */
    struct assign_input client;
    struct assign_input server;
    int64_t *weight; /* by slot; NULL = every partition counts the same */
    /* What the best assignment could do, the same for every strategy; found by the first. */
    bool best_is_known;
    int64_t best_sum_of_squares;
    int32_t best_kept;
};

void assign_group_start(struct assign_group *group, struct diagnostics *diagnostics);
void assign_group_free(struct assign_group *group);

/* Index by name, or -1. */
int32_t assign_group_find_topic(const struct assign_group *group, const char *name);
/* Like it, but reports an unknown topic with the nearest name. */
int32_t assign_group_need_topic(struct assign_group *group, const char *name, struct position at,
                                const char *label);
/* NULL when it was reported: the name is taken, or there are too many. */
struct group_topic *assign_group_add_topic(struct assign_group *group, const char *name,
                                           int32_t partition_count, struct position at);
struct group_member *assign_group_add_member(struct assign_group *group, const char *id,
                                             struct position at);
/* A topic given twice counts once. */
void assign_group_subscribe(struct assign_group *group, struct group_member *member, int32_t topic);
void assign_group_claim(struct assign_group *group, struct group_member *member,
                        struct assign_partition partition, struct position at);

/* Checks what can be checked only now (partitions beyond the topic's count, partitions owned twice
 * in one generation, instances used twice, nobody there) and fills the inputs. False when there are
 * errors. */
bool assign_group_finish(struct assign_group *group);

#endif
