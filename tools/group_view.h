/* tools/group_view.h: a group as its coordinator would have described it at an instant.
 *
 * Rebuilt from the stored records up to then: what DescribeGroups (or ConsumerGroupDescribe),
 * OffsetFetch and ListOffsets would have answered. Bulk kinds may be kept for the first part of the
 * run only (tools/store.h); beyond it, offsets come from the last sample, and `offsets_at` says
 * of which instant they are. */
#ifndef TOOLS_GROUP_VIEW_H
#define TOOLS_GROUP_VIEW_H

#include "model/trace_kinds.h"
#include "tools/store_reader.h"

struct view_member {
    name_id member_id;
    const char *id;          /* the text of member_id */
    const char *instance;    /* "" = dynamic */
    const char *client_id;   /* "" = unknown */
    const char *client_host; /* "" = unknown */
    const char *member;      /* the scenario's name */
    int64_t epoch;           /* KIP-848: of its assignment; -1 = none yet */
    int32_t partition_count; /* of its assignment, as far as it is shown */
};

struct view_partition {
    const struct store_partition *partition;
    int64_t committed; /* -1 = none */
    int64_t log_end;   /* -1 = not known */
    int64_t leader_epoch;
    int64_t committed_epoch; /* the leader epoch of the commit */
    int32_t owner;           /* index in members, -1 = nobody */
};

struct view_target {
    const struct store_partition *partition;
    int32_t member; /* index in members */
};

struct group_view {
    const char *group;
    bool exists;
    enum group_trace_state state;
    int64_t generation;          /* or group epoch */
    int64_t coordinator;         /* broker id, -1 = none */
    const char *strategy;        /* protocol or assignor, "" = none chosen */
    bool is_consumer_protocol;   /* KIP-848 */
    bool shows_assignments;      /* a classic group only while Stable */
    struct view_member *members; /* by partition count descending, then member id */
    int32_t member_count;
    struct view_partition *partitions; /* those with a commit or an owner; by topic and number */
    int32_t partition_count;
    struct view_target *targets; /* KIP-848: whom the target assignment gives what; same order */
    int32_t target_count;
    sim_time offsets_at; /* the instant of the offsets: `at`, or an earlier sample */
};

/* NULL when the store is damaged, with the reason in `error` (to be freed by free()). */
struct group_view *group_view_at(const struct store_reader *reader, name_id group, sim_time at,
                                 char **error);
void group_view_free(struct group_view *view);

#endif
