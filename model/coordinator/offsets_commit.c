/* model/coordinator/offsets_commit.c: OffsetCommit and TxnOffsetCommit.
 *
 * Nobody checks that the partition is assigned to the member, that the group subscribes to the
 * topic or that the offset is in the log. Source: OffsetMetadataManager.validateOffsetCommit and
 * ClassicGroup.validateOffsetCommit; KIP-447 for transactions. */
#include "model/coordinator/answer_tables.h"
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/offset_rules.h"

#include "sim/check.h"

#define VERSION_GROUP_ID_NOT_FOUND 9

const struct commit_rule commit_rules[GROUP_STATE_COUNT] = {
    [GROUP_EMPTY] = {KAFKA_NONE, false},
    [GROUP_PREPARING_REBALANCE] = {KAFKA_NONE, true},
    [GROUP_COMPLETING_REBALANCE] = {KAFKA_REBALANCE_IN_PROGRESS, false},
    [GROUP_STABLE] = {KAFKA_NONE, true},
    [GROUP_DEAD] = {KAFKA_COORDINATOR_NOT_AVAILABLE, false},
    [GROUP_ASSIGNING] = {KAFKA_NONE, false},
    [GROUP_RECONCILING] = {KAFKA_NONE, false},
};

/* What the two requests have in common. */
struct commit {
    name_id group;
    name_id member;
    name_id instance;
    int32_t generation;
    int16_t version;
    bool transactional;
    int64_t retention_time_ms;
    const struct offset_entry *offsets;
    int32_t count;
};

static enum kafka_error validate_classic(const struct classic_group *classic,
                                         const struct commit *commit,
                                         struct classic_member **member)
{
    *member = NULL;
    /* Administrators and consumers without group management, while nobody is in the group. */
    if (commit->generation < 0 && classic->state == GROUP_EMPTY) return KAFKA_NONE;

    bool names_member = commit->member != NAME_EMPTY && commit->member != NAME_NONE;
    if (commit->generation >= 0 || names_member || commit->instance != NAME_NONE) {
        enum kafka_error error = KAFKA_NONE;
        *member = classic_validate_member(classic, commit->member, commit->instance, &error);
        if (error != KAFKA_NONE) return error;
        if (commit->generation != classic->generation) return KAFKA_ILLEGAL_GENERATION;
    } else if (!commit->transactional) {
        return KAFKA_UNKNOWN_MEMBER_ID;
    }
    /* A transaction may commit in any state (and if it names no member, whoever it is). */
    return commit->transactional ? KAFKA_NONE : commit_rules[classic->state].error;
}

static enum kafka_error validate(struct coordinator *coordinator, const struct commit *commit)
{
    struct group *group = coordinator_find_group(coordinator, commit->group);
    if (group == NULL || group->type == GROUP_ABSENT) {
        if (commit->generation >= 0) {
            return !commit->transactional && commit->version >= VERSION_GROUP_ID_NOT_FOUND
                       ? KAFKA_GROUP_ID_NOT_FOUND
                       : KAFKA_ILLEGAL_GENERATION;
        }
        group = coordinator_group(coordinator, commit->group);
        group_become_classic(coordinator, group, classic_group_new(coordinator, group));
    }
    if (group->type == GROUP_CONSUMER) {
        enum kafka_error error =
            consumer_validate_offset_commit(group, commit->member, commit->generation,
                                            commit->transactional, commit->version);
        bool is_stale = commit->transactional && error == KAFKA_STALE_MEMBER_EPOCH;
        return is_stale ? KAFKA_ILLEGAL_GENERATION : error;
    }
    struct classic_member *member = NULL;
    enum kafka_error error = validate_classic(group->classic, commit, &member);
    bool counts = !commit->transactional && commit_rules[group->classic->state].counts;
    if (error == KAFKA_NONE && counts && member != NULL) {
        classic_restart_session(coordinator, member);
    }
    return error;
}

static void note_refusal(struct coordinator *coordinator, const struct commit *commit,
                         struct topic_partition partition, int64_t offset, enum kafka_error error)
{
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_COMMIT,
                                                      .group = commit->group,
                                                      .member = commit->member,
                                                      .instance = commit->instance,
                                                      .generation = commit->generation,
                                                      .partition = partition,
                                                      .offset = offset,
                                                      .previous_offset = -1,
                                                      .error = error,
                                                      .detail = commit->transactional});
}

static void commit_offsets(struct operation *operation, const struct commit *commit)
{
    struct coordinator *coordinator = operation->coordinator;
    enum kafka_error error = validate(coordinator, commit);
    if (error != KAFKA_NONE) {
        for (int32_t i = 0; i < commit->count; i++) {
            note_refusal(coordinator, commit, commit->offsets[i].partition,
                         commit->offsets[i].offset, error);
        }
        operation_refuse(operation, error);
        return;
    }
    struct offset_commit_response *response =
        OPERATION_RESPOND(operation, struct offset_commit_response);
    response->offset_count = commit->count;
    response->offsets =
        MESSAGE_ARRAY(coordinator->memory, &response->head, struct offset_entry, commit->count);
    operation->committing_member = commit->member;
    operation->committing_generation = commit->generation;
    int64_t now_ms = coordinator_clock_ms(coordinator);
    for (int32_t i = 0; i < commit->count; i++) {
        const struct offset_entry *entry = &commit->offsets[i];
        response->offsets[i].partition = entry->partition;
        /* The limit is compared with the length in characters. */
        if (names_length(coordinator->names, entry->metadata) >
            (size_t)coordinator->config->offset_metadata_max_bytes) {
            response->offsets[i].error = KAFKA_OFFSET_METADATA_TOO_LARGE;
            note_refusal(coordinator, commit, entry->partition, entry->offset,
                         KAFKA_OFFSET_METADATA_TOO_LARGE);
            continue;
        }
        struct offset_value value = {
            .offset = entry->offset,
            .leader_epoch = entry->leader_epoch,
            .metadata = entry->metadata == NAME_NONE ? NAME_EMPTY : entry->metadata,
            .commit_timestamp_ms = now_ms,
            .expire_timestamp_ms =
                commit->retention_time_ms < 0 ? -1 : now_ms + commit->retention_time_ms,
        };
        operation_add(operation, group_record_offset(coordinator->memory, commit->group,
                                                     entry->partition, &value));
    }
}

void offsets_on_commit(struct operation *operation, const struct offset_commit_request *request)
{
    commit_offsets(operation, &(struct commit){.group = request->group,
                                               .member = request->member,
                                               .instance = request->instance,
                                               .generation = request->generation,
                                               .version = request->version,
                                               .retention_time_ms = request->retention_time_ms,
                                               .offsets = request->offsets,
                                               .count = request->offset_count});
}

void offsets_on_txn_commit(struct operation *operation,
                           const struct txn_offset_commit_request *request)
{
    operation->producer_id = request->producer_id;
    operation->producer_epoch = request->producer_epoch;
    commit_offsets(operation, &(struct commit){.group = request->group,
                                               .member = request->member,
                                               .instance = request->instance,
                                               .generation = request->generation,
                                               .transactional = true,
                                               .retention_time_ms = -1,
                                               .offsets = request->offsets,
                                               .count = request->offset_count});
}
