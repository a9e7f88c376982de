/* model/coordinator/classic_checks_internal.h: what the files of the classic checks share. */
#ifndef MODEL_COORDINATOR_CLASSIC_CHECKS_INTERNAL_H
#define MODEL_COORDINATOR_CLASSIC_CHECKS_INTERNAL_H

#include "model/coordinator/classic_checks.h"

/* A group as it was before the step. */
struct group_view {
    name_id id;
    bool is_classic;
    enum group_state state;
    int32_t generation;
    name_id leader;
    uint64_t digest; /* of everything, deadlines included */
    struct member_view {
        name_id id;
        name_id instance;
    } * members;
    int32_t member_count;
};

/* What the leader of a generation assigned. */
struct leader_word {
    name_id group;
    int32_t generation;
    struct word_entry {
        name_id member;
        name_id instance;
        uint64_t digest; /* of the assignment */
    } * entries;
    int32_t count;
};

/* The offsets that were ever asked for, per group and partition: the highest. */
struct asked_offset {
    name_id group;
    struct topic_partition partition;
    int64_t highest;
};

struct classic_checks {
    struct memory *memory;
    struct names *names;
    classic_violation *violation;
    void *self;
    struct group_view *before;
    uint32_t before_count;
    uint32_t before_capacity;
    struct leader_word *words;
    uint32_t word_count;
    uint32_t word_capacity;
    struct asked_offset *asked;
    uint32_t asked_count;
    uint32_t asked_capacity;
};

void classic_violate(struct classic_checks *checks, enum classic_invariant invariant, name_id group,
                     const char *what);
uint64_t checks_digest_bytes(struct bytes bytes);
uint64_t checks_digest_group(const struct group *group);

/* classic_checks_offsets.c */
void checks_note_asked(struct classic_checks *checks, const struct message *request);
void checks_offsets(struct classic_checks *checks, const struct group *group);

/* classic_checks_assignment.c: I1, I4. */
void checks_assignments(struct classic_checks *checks, const struct coordinator *coordinator,
                        const struct classic_group *classic);

/* classic_checks_requests.c: I6. `before` NULL: the group did not exist. */
void checks_request(struct classic_checks *checks, const struct coordinator *coordinator,
                    const struct message *request, const struct message *response);
const struct group_view *checks_view(const struct classic_checks *checks, name_id group);

#endif
