/* tools/log_broker.c: the words of brokers, and of what happens to the cluster. */
#include "tools/log_internal.h"

#include "model/coordinator/group_events.h"

#include <inttypes.h>
#include <string.h>

#define ENUM_TEXT(member) #member,
static const char *const state_names[] = {TRACE_ENUM_GROUP_STATE(ENUM_TEXT)};
#undef ENUM_TEXT

static void coordinator_prefix(struct log_words *words, const struct log_group *group)
{
    if (group->broker >= 0) {
        text_format(&words->source, "broker %" PRId64, group->broker);
    } else {
        text_append(&words->source, "broker");
    }
    text_format(&words->text,
                "[GroupCoordinator id=%" PRId64 " topic=__consumer_offsets partition=%d] ",
                group->broker, group->offsets_partition);
    if (group->is_consumer_protocol) text_format(&words->text, "[GroupId %s] ", group->name);
}

/* What the client gave as its reason: "not provided" when the record holds only the coordinator's
 * own name for it. */
static const char *client_reason(const struct log_words *words, const struct trace_record *record)
{
    const char *given = store_name(words->reader, record->field[5]);
    for (int reason = 0; reason < REBALANCE_REASON_COUNT; reason++) {
        if (strcmp(given, rebalance_reason_text((enum rebalance_reason)reason)) == 0) {
            return "not provided";
        }
    }
    return given;
}

/* The coordinator's closed set of reasons. */
static void append_reason(struct log_words *words, const struct trace_record *record)
{
    const char *member = store_name(words->reader, record->field[3]);
    const char *reason = client_reason(words, record);
    struct text *text = &words->text;
    switch ((enum rebalance_cause)record->field[1]) {
    case CAUSE_MEMBER_JOINED:
        text_format(text, "Adding new member %s; client reason: %s", member, reason);
        return;
    case CAUSE_MEMBER_REJOINED:
        text_format(text, "Updating metadata for member %s; client reason: %s", member, reason);
        return;
    case CAUSE_MEMBER_LEFT:
    case CAUSE_POLL_EXPIRED:
        text_format(text, "explicit `LeaveGroup` request for (%s) members.", member);
        return;
    case CAUSE_SESSION_EXPIRED:
        text_format(text, "removing member %s on heartbeat expiration", member);
        return;
    case CAUSE_SYNC_EXPIRED:
        text_format(text, "Removing %s on pending sync request expiration", member);
        return;
    case CAUSE_REBALANCE_EXPIRED:
        text_format(text, "removing member %s that did not rejoin in time", member);
        return;
    case CAUSE_METADATA_CHANGED:
        text_append(text, "the metadata of the subscribed topics changed");
        return;
    case CAUSE_LEADER_REJOINED:
        text_format(text, "Leader %s re-joining group; client reason: %s", member, reason);
        return;
    case CAUSE_SUBSCRIPTION_CHANGED:
        text_format(text, "member %s updated its subscribed topics", member);
        return;
    case CAUSE_STATIC_MEMBER_CHANGED:
        text_format(text, "Updating metadata for static member %s; client reason: %s", member,
                    reason);
        return;
    case CAUSE_ASSIGNMENT_FAILED:
        text_format(text, "Error when storing group assignment during SyncGroup (member: %s)",
                    member);
        return;
    case CAUSE_GROUP_OVER_CAPACITY:
        text_append(text, "Freshly-loaded group is over capacity");
        return;
    case CAUSE_COORDINATOR_LOADED: text_append(text, "the coordinator moved"); return;
    case CAUSE_DOWNGRADED: text_append(text, "Downgrade group from consumer to classic"); return;
    case CAUSE_OTHER: text_append(text, reason); return;
    }
}

static bool rebalance_words(struct log_words *words, const struct log_group *group,
                            const struct trace_record *record)
{
    int64_t generation = record->field[4];
    coordinator_prefix(words, group);
    if (group->is_consumer_protocol) {
        text_format(&words->text, "Bumped group epoch to %" PRId64 " (", generation);
        append_reason(words, record);
        text_append(&words->text, ").");
        return true;
    }
    /* Kafka changes the state before it logs, so this is always PreparingRebalance. */
    text_format(&words->text,
                "Preparing to rebalance group %s in state PreparingRebalance with old generation "
                "%" PRId64 " (reason: ",
                group->name, generation);
    append_reason(words, record);
    text_append(&words->text, ").");
    return true;
}

static bool state_words(struct log_words *words, const struct log_group *before,
                        const struct trace_record *record)
{
    struct log_group group = *before;
    enum group_trace_state to = (enum group_trace_state)record->field[2];
    int64_t generation = record->field[3];
    group.broker = record->field[5];
    if (to == GROUP_TRACE_Empty && record->field[1] != GROUP_TRACE_Empty) {
        coordinator_prefix(words, &group);
        text_format(&words->text, "Group %s with generation %" PRId64 " is now empty.", group.name,
                    generation);
        return true;
    }
    if (to == GROUP_TRACE_Stable && record->field[1] == GROUP_TRACE_CompletingRebalance) {
        coordinator_prefix(words, &group);
        text_format(&words->text,
                    "Assignment received from leader %s for group %s for generation %" PRId64
                    ". The group has %" PRId64 " members, %" PRId64 " of which are static.",
                    group.leader, group.name, generation, record->field[4], group.static_members);
        return true;
    }
    if (to == GROUP_TRACE_Stable && group.is_consumer_protocol) {
        coordinator_prefix(words, &group);
        text_format(&words->text, "All %" PRId64 " members reached epoch %" PRId64 ".",
                    record->field[4], generation);
        return true;
    }
    return false;
}

static bool added_words(struct log_words *words, const struct log_group *group,
                        const struct trace_record *record)
{
    const char *member_id = store_name(words->reader, record->field[2]);
    const char *instance = store_name(words->reader, record->field[3]);
    const char *replaced = store_name(words->reader, record->field[4]);
    coordinator_prefix(words, group);
    if (group->is_consumer_protocol) {
        text_format(&words->text, "Member %s joins the consumer group using the consumer protocol.",
                    member_id);
    } else if (*replaced != '\0') {
        text_format(&words->text,
                    "Static member with groupInstanceId=%s and unknown member id joins group %s in "
                    "%s state. Replacing previously mapped member %s with this groupInstanceId.",
                    instance, group->name, state_names[group->state], replaced);
    } else if (*instance != '\0') {
        text_format(&words->text,
                    "Static member %s with unknown member id joins group %s in %s state. Created a "
                    "new member id %s for this member.",
                    instance, group->name, state_names[group->state], member_id);
    } else {
        text_format(&words->text,
                    "Pending dynamic member with id %s joins group %s in %s state. Adding to the "
                    "group now.",
                    member_id, group->name, state_names[group->state]);
    }
    return true;
}

static bool removed_words(struct log_words *words, const struct log_group *group,
                          const struct trace_record *record)
{
    const char *member_id = store_name(words->reader, record->field[2]);
    enum rebalance_cause cause = (enum rebalance_cause)record->field[3];
    bool by_itself = cause == CAUSE_MEMBER_LEFT || cause == CAUSE_POLL_EXPIRED;
    coordinator_prefix(words, group);
    if (cause == CAUSE_COORDINATOR_LOADED) { /* Kafka has no line for this */
        text_format(&words->text, "(Member %s of group %s is not in the log that was loaded.)",
                    member_id, store_name(words->reader, record->field[0]));
        return true;
    }
    if (group->is_consumer_protocol) {
        if (by_itself) {
            text_format(&words->text, "Member %s left the consumer group.", member_id);
        } else if (cause == CAUSE_SESSION_EXPIRED) {
            text_format(&words->text,
                        "Member %s fenced from the group because the member session expired.",
                        member_id);
        } else {
            text_format(&words->text,
                        "Member %s fenced from the group because it failed to transition to the "
                        "new epoch in time.",
                        member_id);
        }
    } else if (by_itself) {
        text_format(&words->text,
                    "[Group %s] Member %s has left group through explicit `LeaveGroup` request; "
                    "client reason: %s",
                    group->name, member_id,
                    cause == CAUSE_POLL_EXPIRED ? "consumer poll timeout has expired."
                                                : "the consumer is being closed");
    } else if (cause == CAUSE_REBALANCE_EXPIRED || cause == CAUSE_SYNC_EXPIRED) {
        text_format(&words->text, "Group %s removed dynamic members who haven't joined: [%s].",
                    group->name, member_id);
    } else {
        text_format(&words->text, "Member %s in group %s has failed, removing it from the group.",
                    member_id, group->name);
    }
    return true;
}

static bool group_words(struct log_words *words, const struct trace_record *record,
                        enum log_level *level)
{
    const struct log_group *group = log_find_group(words, (name_id)record->field[0]);
    if (group == NULL) return false;
    if (record->kind == TRACE_REBALANCE) return rebalance_words(words, group, record);
    if (record->kind == TRACE_GROUP_STATE) return state_words(words, group, record);
    if (record->kind == TRACE_MEMBER_ADDED) return added_words(words, group, record);
    if (record->kind == TRACE_MEMBER_REMOVED) return removed_words(words, group, record);
    if (record->kind == TRACE_REBALANCED && group->is_consumer_protocol) {
        coordinator_prefix(words, group);
        text_format(&words->text,
                    "Computed a new target assignment for epoch %" PRId64 " with '%s' assignor.",
                    record->field[1], store_name(words->reader, record->field[4]));
        return true;
    }
    if (record->kind == TRACE_REBALANCED) {
        coordinator_prefix(words, group);
        text_format(&words->text,
                    "Stabilized group %s generation %" PRId64 " with %" PRId64 " members.",
                    group->name, record->field[1], record->field[2]);
        return true;
    }
    /* TRACE_OFFSET_REMOVED */
    coordinator_prefix(words, group);
    text_format(&words->text, "Removed the committed offset %" PRId64 " of group %s for ",
                record->field[2], group->name);
    log_partition_name(words, record->field[1], &words->text);
    text_append(&words->text, ".");
    *level = LOG_WARN;
    return true;
}

static bool coordinator_words(struct log_words *words, const struct trace_record *record)
{
    const int64_t *field = record->field;
    text_format(&words->source, "broker %" PRId64, field[1]);
    text_format(&words->text,
                "[GroupCoordinator id=%" PRId64 " topic=__consumer_offsets partition=%" PRId64 "] ",
                field[1], field[0]);
    if (field[2] != 0) {
        text_format(&words->text,
                    "Finished loading offsets and group metadata from __consumer_offsets-%" PRId64
                    " in %" PRId64 " milliseconds; %" PRId64 " groups.",
                    field[0], field[4] / MILLISECONDS(1), field[3]);
    } else {
        text_format(&words->text,
                    "Unloaded offsets and group metadata of __consumer_offsets-%" PRId64 ".",
                    field[0]);
    }
    return true;
}

static bool cluster_words(struct log_words *words, const struct trace_record *record,
                          enum log_level *level)
{
    const int64_t *field = record->field;
    struct text *text = &words->text;
    if (record->kind == TRACE_LEADER_ELECTED) {
        text_append(&words->source, "controller");
        log_partition_name(words, field[0], text);
        if (field[1] < 0) {
            text_append(text, " has no leader");
            *level = LOG_ERROR;
        } else {
            text_format(text,
                        ": broker %" PRId64 " is leader, leader epoch %" PRId64
                        ", log end offset %" PRId64 "%s",
                        field[1], field[2], field[3], field[4] != 0 ? " (unclean)" : "");
            if (field[4] != 0) *level = LOG_WARN;
        }
    } else if (record->kind == TRACE_ISR) {
        text_append(&words->source, "controller");
        log_partition_name(words, field[0], text);
        text_format(text, ": broker %" PRId64 " %s the in-sync replicas, now %" PRId64, field[2],
                    field[3] != 0 ? "joined" : "left", field[1]);
        if (field[3] == 0) *level = LOG_WARN;
    } else if (record->kind == TRACE_CLEANED) {
        text_format(&words->source, "broker %" PRId64, field[6]);
        log_partition_name(words, field[0], text);
        text_format(text,
                    ": the log cleaner removed %" PRId64 " of %" PRId64
                    " records below offset %" PRId64 " (dirty section = [%" PRId64 ", %" PRId64
                    "])",
                    field[4], field[3], field[2], field[1], field[2]);
    } else {
        text_format(&words->source, "broker %" PRId64, field[2]);
        log_partition_name(words, field[0], text);
        text_format(text, ": log start offset is %" PRId64 ", older records were deleted",
                    field[1]);
    }
    return true;
}

/* ReplicationControlManager. */
static bool topic_words(struct log_words *words, const struct trace_record *record,
                        enum log_level *level)
{
    const char *topic = store_name(words->reader, record->field[0]);
    int32_t id = PARTITION_TOPIC_ID(record->field[1]);
    text_append(&words->source, "controller");
    if (record->field[3] != 0) {
        text_format(&words->text,
                    "Created topic %s with topic ID %" PRId32 " and %" PRId64 " partitions.", topic,
                    id, record->field[2]);
    } else {
        text_format(&words->text, "Removed topic %s with ID %" PRId32 ".", topic, id);
        *level = LOG_WARN;
    }
    return true;
}

#define ENUM_TEXT(member) #member,
static const char *const process_state_names[] = {TRACE_ENUM_PROCESS_STATE(ENUM_TEXT)};
#undef ENUM_TEXT

static bool fault_words(struct log_words *words, const struct trace_record *record,
                        enum log_level *level)
{
    const int64_t *field = record->field;
    const char *target = store_name(words->reader, field[2]);
    const char *other = store_name(words->reader, field[3]);
    text_append(&words->source, "timeline");
    text_append(&words->text, store_name(words->reader, field[1]));
    if (*target != '\0') text_format(&words->text, " %s", target);
    if (*other != '\0') text_format(&words->text, " and %s", other);
    text_append(&words->text, field[0] == FAULT_END ? " ends" : "");
    if (field[4] > 0) text_format(&words->text, " (line %" PRId64 ")", field[4]);
    *level = LOG_WARN;
    return true;
}

/* Members are named GROUP-NUMBER. NAME_NONE: no group's. */
static name_id group_of_process(const struct log_words *words, const char *process)
{
    for (size_t i = 0; i < words->group_count; i++) {
        size_t length = strlen(words->groups[i].name);
        if (strncmp(process, words->groups[i].name, length) != 0 || process[length] != '-')
            continue;
        const char *number = process + length + 1;
        if (*number != '\0' && number[strspn(number, "0123456789")] == '\0') {
            return words->groups[i].group;
        }
    }
    return NAME_NONE;
}

static bool process_words(struct log_words *words, const struct trace_record *record,
                          enum log_level *level, name_id *group)
{
    const int64_t *field = record->field;
    text_append(&words->source, store_name(words->reader, field[0]));
    *group = group_of_process(words, store_name(words->reader, field[0]));
    text_format(&words->text, "process is %s (incarnation %" PRId64 ")",
                process_state_names[field[1]], field[2]);
    if (field[1] != PROCESS_TRACE_RUNNING) *level = LOG_WARN;
    return true;
}

bool log_broker_words(struct log_words *words, const struct trace_record *record,
                      enum log_level *level, name_id *group)
{
    switch (record->kind) {
    case TRACE_REBALANCE:
    case TRACE_REBALANCED:
    case TRACE_GROUP_STATE:
    case TRACE_MEMBER_ADDED:
    case TRACE_MEMBER_REMOVED:
    case TRACE_OFFSET_REMOVED:
        *group = (name_id)record->field[0];
        return group_words(words, record, level);
    case TRACE_COORDINATOR: return coordinator_words(words, record);
    case TRACE_LEADER_ELECTED:
    case TRACE_ISR:
    case TRACE_CLEANED:
    case TRACE_LOG_START: return cluster_words(words, record, level);
    case TRACE_TOPIC: return topic_words(words, record, level);
    case TRACE_FAULT: return fault_words(words, record, level);
    case TRACE_PROCESS: return process_words(words, record, level, group);
    default: return false; /* not a broker's */
    }
}
