#include "tools/group_view.h"

#include "model/group_partition.h"
#include "tools/text.h"

#include <stdlib.h>
#include <string.h>

/* While records are replayed a partition's owner is a member id, for members come and go. */
struct replayed_partition {
    struct view_partition view;
    name_id owner_id;
    name_id target_id;
};

struct replay {
    const struct store_reader *reader;
    name_id group;
    int32_t offsets_partition;
    struct group_view *view;
    struct replayed_partition *partitions; /* shape [partition_count], as in the store */
    size_t partition_count;
};

static struct view_member *find_member(struct group_view *view, name_id member_id)
{
    for (int32_t i = 0; i < view->member_count; i++) {
        if (view->members[i].member_id == member_id) return &view->members[i];
    }
    return NULL;
}

static struct replayed_partition *find_partition(struct replay *replay, int64_t id)
{
    const struct store_partition *partition = store_find_partition(replay->reader, id);
    if (partition == NULL) return NULL;
    size_t count;
    return &replay->partitions[partition - store_partitions(replay->reader, &count)];
}

static void remove_member(struct replay *replay, name_id member_id)
{
    struct view_member *member = find_member(replay->view, member_id);
    if (member == NULL) return;
    *member = replay->view->members[--replay->view->member_count];
    for (size_t i = 0; i < replay->partition_count; i++) {
        struct replayed_partition *partition = &replay->partitions[i];
        if (partition->owner_id == member_id) partition->owner_id = NAME_NONE;
        if (partition->target_id == member_id) partition->target_id = NAME_NONE;
    }
}

static void on_member_added(struct replay *replay, const int64_t *field)
{
    struct group_view *view = replay->view;
    name_id member_id = (name_id)field[2];
    name_id replaced = (name_id)field[4];
    /* KIP-345: the new incarnation of a static member takes over the old one's assignment. */
    for (size_t i = 0; replaced != NAME_NONE && i < replay->partition_count; i++) {
        struct replayed_partition *partition = &replay->partitions[i];
        if (partition->owner_id == replaced) partition->owner_id = member_id;
        if (partition->target_id == replaced) partition->target_id = member_id;
    }
    /* A replacement comes from the same client, whether the record says so or not. */
    struct view_member *member = find_member(view, replaced);
    const char *client_id = member != NULL ? member->client_id : "";
    const char *client_host = member != NULL ? member->client_host : "";
    if (replaced != NAME_NONE && replaced != member_id) remove_member(replay, replaced);
    member = find_member(view, member_id);
    if (member == NULL) {
        view->members =
            tool_resize(view->members, (size_t)(view->member_count + 1) * sizeof *view->members);
        member = &view->members[view->member_count++];
    }
    *member = (struct view_member){
        .member_id = member_id,
        .id = store_name(replay->reader, member_id),
        .instance = store_name(replay->reader, field[3]),
        .client_id = field[5] != NAME_NONE ? store_name(replay->reader, field[5]) : client_id,
        .client_host = field[6] != NAME_NONE ? store_name(replay->reader, field[6]) : client_host,
        .member = store_name(replay->reader, field[1]),
        .epoch = -1,
    };
}

/* The new holder in place of `held`, or nobody in place of this member. */
static name_id holder_after(name_id held, name_id member_id, bool owned)
{
    if (owned) return member_id;
    return held == member_id ? NAME_NONE : held;
}

static void on_assigned(struct replay *replay, const int64_t *field)
{
    name_id member_id = (name_id)field[2];
    struct replayed_partition *partition = find_partition(replay, field[3]);
    if (partition == NULL) return;
    struct view_member *member = find_member(replay->view, member_id);
    if (member != NULL) member->epoch = field[4];
    partition->owner_id = holder_after(partition->owner_id, member_id, field[5] != 0);
}

static void on_target(struct replay *replay, const int64_t *field)
{
    struct replayed_partition *partition = find_partition(replay, field[3]);
    if (partition == NULL) return;
    partition->target_id = holder_after(partition->target_id, (name_id)field[2], field[5] != 0);
}

static void on_group_state(struct group_view *view, const int64_t *field)
{
    view->exists = true;
    view->state = (enum group_trace_state)field[2];
    view->generation = field[3];
    view->coordinator = field[5];
    if (view->state == GROUP_TRACE_Assigning || view->state == GROUP_TRACE_Reconciling) {
        view->is_consumer_protocol = true;
    }
    if (view->state == GROUP_TRACE_PreparingRebalance) view->is_consumer_protocol = false;
}

static void on_commit(struct replay *replay, int64_t id, int64_t offset)
{
    struct replayed_partition *partition = find_partition(replay, id);
    if (partition == NULL) return;
    partition->view.committed = offset;
    partition->view.committed_epoch = partition->view.leader_epoch;
    /* A group that only commits (assign()) exists too, without members: Kafka calls it Empty. */
    if (!replay->view->exists) {
        replay->view->exists = true;
        replay->view->state = GROUP_TRACE_Empty;
    }
}

/* Records of the cluster, which concern every group. False: not one of them. */
static bool take_cluster_record(struct replay *replay, const struct trace_record *record)
{
    const int64_t *field = record->field;
    struct replayed_partition *partition = NULL;
    if (record->kind == TRACE_HIGH_WATERMARK) {
        partition = find_partition(replay, field[0]);
        if (partition != NULL) partition->view.log_end = field[1];
    } else if (record->kind == TRACE_LEADER_ELECTED) {
        partition = find_partition(replay, field[0]);
        if (partition != NULL) partition->view.leader_epoch = field[2];
    } else if (record->kind == TRACE_COORDINATOR) {
        if (field[0] == replay->offsets_partition && field[2] != 0) {
            replay->view->coordinator = field[1];
        }
    } else {
        return false;
    }
    return true;
}

static bool take_record(void *self, const struct trace_record *record)
{
    struct replay *replay = self;
    const int64_t *field = record->field;
    if (take_cluster_record(replay, record) || (name_id)field[0] != replay->group) return true;
    if (record->kind == TRACE_GROUP_STATE) {
        on_group_state(replay->view, field);
    } else if (record->kind == TRACE_REBALANCED) {
        replay->view->generation = field[1];
        replay->view->strategy = store_name(replay->reader, field[4]);
    } else if (record->kind == TRACE_MEMBER_ADDED) {
        on_member_added(replay, field);
    } else if (record->kind == TRACE_MEMBER_REMOVED) {
        remove_member(replay, (name_id)field[2]);
    } else if (record->kind == TRACE_ASSIGNED) {
        on_assigned(replay, field);
    } else if (record->kind == TRACE_TARGET) {
        on_target(replay, field);
    } else if (record->kind == TRACE_COMMITTED) {
        on_commit(replay, field[1], field[2]);
    } else if (record->kind == TRACE_OFFSET_REMOVED) {
        on_commit(replay, field[1], -1);
    }
    return true;
}

/* Offsets of the last sample at or before `at`, when the records no longer have them. */
static void take_sample(struct replay *replay, sim_time at)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select at_ns, partition_id, log_end_offset, committed_offset from series"
                      " where group_id=?1 and step="
                      "(select max(step) from series where group_id=?1 and at_ns<=?2)";
    if (sqlite3_prepare_v2(store_database(replay->reader), sql, -1, &statement, NULL) !=
        SQLITE_OK) {
        return;
    }
    sqlite3_bind_int64(statement, 1, replay->group);
    sqlite3_bind_int64(statement, 2, at);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        struct replayed_partition *partition =
            find_partition(replay, sqlite3_column_int64(statement, 1));
        if (partition == NULL) continue;
        replay->view->offsets_at = sqlite3_column_int64(statement, 0);
        partition->view.log_end = sqlite3_column_int64(statement, 2);
        partition->view.committed = sqlite3_column_int64(statement, 3);
    }
    sqlite3_finalize(statement);
}

static int by_partitions_then_id(const void *left, const void *right)
{
    const struct view_member *a = left;
    const struct view_member *b = right;
    if (a->partition_count != b->partition_count) {
        return a->partition_count > b->partition_count ? -1 : 1;
    }
    return strcmp(a->id, b->id);
}

/* Members in the order of the tool's rows, owners as indexes into them. */
static void settle(struct replay *replay)
{
    struct group_view *view = replay->view;
    view->shows_assignments = view->is_consumer_protocol || view->state == GROUP_TRACE_Stable;
    if (!view->shows_assignments || view->member_count == 0) view->strategy = "";
    for (size_t i = 0; i < replay->partition_count; i++) {
        struct replayed_partition *partition = &replay->partitions[i];
        if (!view->shows_assignments) partition->owner_id = NAME_NONE;
        struct view_member *owner = find_member(view, partition->owner_id);
        if (owner == NULL) {
            partition->owner_id = NAME_NONE; /* it left, or shows nothing now */
        } else {
            owner->partition_count++;
        }
    }
    /* A consumer group is Stable when every member has reached the group's epoch, whether that
     * changed its partitions or not. */
    for (int32_t i = 0; i < view->member_count && view->state == GROUP_TRACE_Stable; i++) {
        view->members[i].epoch = view->generation;
    }
    if (view->member_count > 0) {
        qsort(view->members, (size_t)view->member_count, sizeof *view->members,
              by_partitions_then_id);
    }
    view->partitions = tool_allocate((replay->partition_count + 1) * sizeof *view->partitions);
    view->targets = tool_allocate((replay->partition_count + 1) * sizeof *view->targets);
    for (size_t i = 0; i < replay->partition_count; i++) {
        struct replayed_partition *partition = &replay->partitions[i];
        const struct view_member *target = find_member(view, partition->target_id);
        if (target != NULL) {
            view->targets[view->target_count++] =
                (struct view_target){partition->view.partition, (int32_t)(target - view->members)};
        }
        if (partition->owner_id == NAME_NONE && partition->view.committed < 0) continue;
        const struct view_member *owner = find_member(view, partition->owner_id);
        partition->view.owner = owner != NULL ? (int32_t)(owner - view->members) : -1;
        view->partitions[view->partition_count++] = partition->view;
    }
}

struct group_view *group_view_at(const struct store_reader *reader, name_id group, sim_time at,
                                 char **error)
{
    struct group_view *view = tool_allocate(sizeof *view);
    view->group = store_name(reader, group);
    view->coordinator = -1;
    view->strategy = "";
    view->offsets_at = at;
    struct replay replay = {.reader = reader, .group = group, .view = view};
    replay.offsets_partition = group_partition(view->group, OFFSETS_TOPIC_PARTITIONS);
    const struct store_partition *partitions = store_partitions(reader, &replay.partition_count);
    replay.partitions = tool_allocate((replay.partition_count + 1) * sizeof *replay.partitions);
    for (size_t i = 0; i < replay.partition_count; i++) {
        replay.partitions[i].view = (struct view_partition){.partition = &partitions[i],
                                                            .committed = -1,
                                                            .log_end = -1,
                                                            .owner = -1};
    }
    static const uint16_t kinds[] = {
        TRACE_GROUP_STATE, TRACE_REBALANCED,     TRACE_MEMBER_ADDED,   TRACE_MEMBER_REMOVED,
        TRACE_ASSIGNED,    TRACE_COMMITTED,      TRACE_OFFSET_REMOVED, TRACE_HIGH_WATERMARK,
        TRACE_COORDINATOR, TRACE_LEADER_ELECTED, TRACE_TARGET,
    };
    if (!store_visit(reader, kinds, sizeof kinds / sizeof kinds[0], 0, at, take_record, &replay,
                     error)) {
        free(replay.partitions);
        group_view_free(view);
        return NULL;
    }
    if (at >= store_kept_until(reader, TRACE_HIGH_WATERMARK) ||
        at >= store_kept_until(reader, TRACE_COMMITTED)) {
        take_sample(&replay, at);
    }
    settle(&replay);
    free(replay.partitions);
    return view;
}

void group_view_free(struct group_view *view)
{
    free(view->members);
    free(view->partitions);
    free(view->targets);
    free(view);
}
