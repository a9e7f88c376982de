#include "model/coordinator/consumer_convert.h"

#include "model/consumer_protocol.h"
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_replay.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_subscribe.h"
#include "model/coordinator/consumer_timers.h"
#include "model/coordinator/consumer_topics.h"

static bool upgrades(const struct coordinator *coordinator)
{
    return coordinator->config->group_consumer_migration_policy == MIGRATION_UPGRADE ||
           coordinator->config->group_consumer_migration_policy == MIGRATION_BIDIRECTIONAL;
}

static bool downgrades(const struct coordinator *coordinator)
{
    return coordinator->config->group_consumer_migration_policy == MIGRATION_DOWNGRADE ||
           coordinator->config->group_consumer_migration_policy == MIGRATION_BIDIRECTIONAL;
}

bool consumer_may_downgrade_without(const struct coordinator *coordinator,
                                    const struct consumer_group *state,
                                    const struct consumer_member *leaving)
{
    return consumer_group_all_classic_except(state, leaving) && state->member_count > 1 &&
           downgrades(coordinator) &&
           (int64_t)state->member_count - 1 <= coordinator->config->group_max_size;
}

bool consumer_may_downgrade_replacing(const struct coordinator *coordinator,
                                      const struct consumer_group *state,
                                      const struct consumer_member *replaced)
{
    return consumer_group_all_classic_except(state, replaced) && downgrades(coordinator) &&
           (int64_t)state->member_count <= coordinator->config->group_max_size;
}

struct bytes consumer_encode_assignment(const struct coordinator *coordinator,
                                        struct partition_set set, struct bytes subscription)
{
    struct memory *memory = coordinator->memory;
    size_t size = sizeof(struct topic_partition) * ((size_t)set.count + 1);
    struct assignment assignment = {.partitions = memory_take(memory, size),
                                    .user_data_is_null = true};
    for (uint32_t i = 0; i < set.count; i++) {
        name_id id = partition_key_topic(set.items[i]);
        name_id name = consumer_topic_name(coordinator, id);
        if (coordinator_find_topic(coordinator, name) == NULL) continue;
        if (consumer_topic_id(coordinator, name) != id) continue; /* another topic by now */
        assignment.partitions[assignment.partition_count++] =
            (struct topic_partition){.topic = name,
                                     .partition = partition_key_partition(set.items[i])};
    }
    int version = subscription.length < 2 ? 0 : subscription.data[0] << 8 | subscription.data[1];
    if (version > ASSIGNMENT_VERSION_NEWEST) version = ASSIGNMENT_VERSION_NEWEST;
    struct bytes encoded =
        assignment_encode(memory, coordinator->names, &assignment, (int16_t)version);
    memory_give(memory, assignment.partitions, size);
    return encoded;
}

/* --- classic to consumer --------------------------------------------------------------------- */

/* A classic member as the consumer group will have it; what it borrows is in here. */
struct upgraded {
    struct consumer_member member;
    struct subscription subscription;
    struct assignment assignment;
    struct partition_list assigned;
    bool subscription_read;
    bool assignment_read;
};

static void upgraded_release(struct memory *memory, struct upgraded *upgraded,
                             const struct classic_member *from)
{
    memory_give(memory, upgraded->member.topics,
                sizeof(name_id) * (size_t)upgraded->subscription.topic_count);
    memory_give(memory, upgraded->member.protocols,
                sizeof *upgraded->member.protocols * (size_t)from->protocol_count);
    if (upgraded->subscription_read) subscription_free(memory, &upgraded->subscription);
    if (upgraded->assignment_read) assignment_free(memory, &upgraded->assignment);
    partition_list_release(&upgraded->assigned);
}

static void take_assignment(const struct coordinator *coordinator, struct upgraded *upgraded)
{
    for (int32_t i = 0; i < upgraded->assignment.partition_count; i++) {
        struct topic_partition partition = upgraded->assignment.partitions[i];
        if (coordinator_find_topic(coordinator, partition.topic) == NULL) continue;
        name_id id = consumer_topic_id(coordinator, partition.topic);
        partition_list_add(&upgraded->assigned, partition_key_of(id, partition.partition));
    }
    partition_list_sort(&upgraded->assigned);
    upgraded->member.assigned = partition_list_view(&upgraded->assigned);
    upgraded->member.target = upgraded->member.assigned;
}

/* False when the bytes that members exchanged are not those of consumers: also while a member has
 * no assignment yet. */
static bool upgrade_member(const struct coordinator *coordinator,
                           const struct classic_group *classic, const struct classic_member *from,
                           struct upgraded *upgraded)
{
    struct memory *memory = coordinator->memory;
    *upgraded = (struct upgraded){0};
    partition_list_init(&upgraded->assigned, memory);
    upgraded->assignment_read =
        assignment_decode(memory, coordinator->names, from->assignment, &upgraded->assignment);
    if (!upgraded->assignment_read) return false;
    upgraded->subscription_read =
        subscription_decode(memory, coordinator->names,
                            classic_metadata(from, classic->protocol_name),
                            &upgraded->subscription);
    if (!upgraded->subscription_read) return false;

    struct consumer_member *member = &upgraded->member;
    name_id rack = upgraded->subscription.rack;
    *member = (struct consumer_member){
        .id = from->id,
        .is_member = true,
        .instance = from->instance,
        .rack = rack == NAME_EMPTY ? NAME_NONE : rack,
        .client_id = from->client_id,
        .client_host = from->client_host,
        .rebalance_timeout_ms = from->rebalance_timeout_ms,
        .is_classic = true,
        .session_timeout_ms = from->session_timeout_ms,
        .epoch = classic->generation,
        .previous_epoch = classic->generation,
        .state = CONSUMER_MEMBER_STABLE,
        .has_target = true,
    };
    int32_t topic_count = upgraded->subscription.topic_count;
    if (topic_count > 0)
        member->topics = memory_take(memory, sizeof(name_id) * (size_t)topic_count);
    member->topic_count = consumer_sort_topics(coordinator->names, upgraded->subscription.topics,
                                               topic_count, member->topics);
    member->protocol_count = from->protocol_count;
    member->protocols =
        memory_take(memory, sizeof *member->protocols * (size_t)from->protocol_count);
    for (int32_t i = 0; i < from->protocol_count; i++) {
        member->protocols[i] =
            (struct classic_protocol_value){.name = from->protocols[i].name,
                                            .metadata = from->protocols[i].metadata};
    }
    take_assignment(coordinator, upgraded);
    return true;
}

/* Whoever waits is told that there is another rebalance, so that it joins that one. */
static void send_away(struct coordinator *coordinator, struct classic_group *classic)
{
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct classic_member *member = classic->members[i];
        if (member->join != NULL) {
            classic_answer_join(coordinator, classic, member,
                                classic_join_response(coordinator, classic, member->id,
                                                      KAFKA_REBALANCE_IN_PROGRESS));
        }
        if (member->sync != NULL) {
            classic_answer_sync(coordinator, member,
                                classic_sync_response(coordinator, classic, member,
                                                      KAFKA_REBALANCE_IN_PROGRESS));
        }
    }
}

static void add_and_replay(struct operation *operation, struct consumer_group *made,
                           struct group_record record)
{
    consumer_group_replay(made, &record);
    operation_add(operation, record);
}

/* ConsumerGroup.createConsumerGroupRecords: members, epoch, targets, assignment epoch, current
 * assignments. */
static void write_upgrade(struct operation *operation, struct consumer_group *made,
                          const struct upgraded *members, int32_t count, int32_t generation)
{
    struct memory *memory = operation->coordinator->memory;
    for (int32_t i = 0; i < count; i++) {
        add_and_replay(operation, made,
                       consumer_record_of_member(memory, made->id, &members[i].member));
    }
    add_and_replay(operation, made, consumer_record_of_epoch(memory, made->id, generation));
    for (int32_t i = 0; i < count; i++) {
        add_and_replay(operation, made,
                       consumer_record_of_target(memory, made->id, members[i].member.id,
                                                 members[i].member.target));
    }
    add_and_replay(operation, made,
                   consumer_record_of_assignment_epoch(memory, made->id, generation));
    for (int32_t i = 0; i < count; i++) {
        const struct consumer_member *member = &members[i].member;
        const struct consumer_current current = {
            .state = member->state,
            .epoch = member->epoch,
            .previous_epoch = member->previous_epoch,
            .assigned = member->assigned,
        };
        add_and_replay(operation, made,
                       consumer_record_of_current(memory, made->id, member->id, &current));
    }
}

static enum kafka_error upgrade(struct operation *operation, struct consumer_target_group *found)
{
    struct coordinator *coordinator = operation->coordinator;
    struct memory *memory = coordinator->memory;
    struct classic_group *classic = found->group->classic;
    send_away(coordinator, classic);
    size_t size = sizeof(struct upgraded) * (size_t)classic->member_count;
    struct upgraded *members = memory_take(memory, size);
    bool readable = true;
    int32_t count = 0;
    while (readable && count < classic->member_count) {
        readable = upgrade_member(coordinator, classic, classic->members[count], &members[count]);
        count++;
    }
    if (readable) {
        operation_add(operation, group_record_classic(memory, found->group->id, NULL));
        write_upgrade(operation, found->state, members, count, classic->generation);
        for (int32_t i = 0; i < count; i++) {
            consumer_arm_session(coordinator, found->group, members[i].member.id,
                                 members[i].member.session_timeout_ms);
        }
    }
    for (int32_t i = 0; i < count; i++)
        upgraded_release(memory, &members[i], classic->members[i]);
    memory_give(memory, members, size);
    return readable ? KAFKA_NONE : KAFKA_GROUP_ID_NOT_FOUND;
}

static bool may_upgrade(const struct coordinator *coordinator, const struct classic_group *classic)
{
    return upgrades(coordinator) && classic_uses_consumer_protocol(coordinator, classic) &&
           classic->member_count <= coordinator->config->group_consumer_max_size;
}

enum kafka_error consumer_find_target_group(struct operation *operation,
                                            struct consumer_target_group *found, name_id id,
                                            bool joining)
{
    struct coordinator *coordinator = operation->coordinator;
    struct group *group = coordinator_find_group(coordinator, id);
    if (group != NULL && group->type == GROUP_CONSUMER) {
        *found = (struct consumer_target_group){.group = group, .state = group->consumer};
        return KAFKA_NONE;
    }
    if (!joining) return KAFKA_GROUP_ID_NOT_FOUND;
    if (group == NULL) group = coordinator_group(coordinator, id);
    struct consumer_group *made = consumer_group_new(coordinator->memory, coordinator->names, id);
    *found = (struct consumer_target_group){.group = group, .state = made, .made = made};
    if (group->type == GROUP_ABSENT) return KAFKA_NONE;
    if (group->classic->state == GROUP_EMPTY) {
        operation_add(operation, group_record_classic(coordinator->memory, id, NULL));
        return KAFKA_NONE;
    }
    if (!may_upgrade(coordinator, group->classic)) return KAFKA_GROUP_ID_NOT_FOUND;
    return upgrade(operation, found);
}

void consumer_target_group_release(struct operation *operation, struct consumer_target_group *found)
{
    (void)operation;
    consumer_group_free(found->made); /* replaying the records makes the group's own */
    *found = (struct consumer_target_group){0};
}

/* --- consumer to classic --------------------------------------------------------------------- */

static struct classic_member *add_classic(struct coordinator *coordinator,
                                          struct classic_group *classic,
                                          const struct consumer_member *member)
{
    struct memory *memory = coordinator->memory;
    size_t size = sizeof(struct group_protocol) * (size_t)member->protocol_count;
    struct group_protocol *protocols = memory_take(memory, size);
    for (int32_t i = 0; i < member->protocol_count; i++) {
        protocols[i] = (struct group_protocol){.name = member->protocols[i].name,
                                               .metadata = member->protocols[i].metadata};
    }
    const struct member_details details = {
        .id = member->id,
        .instance = member->instance,
        .client_id = member->client_id,
        .client_host = member->client_host,
        .rebalance_timeout_ms = member->rebalance_timeout_ms,
        .session_timeout_ms = member->session_timeout_ms,
        .protocol_type = classic->protocol_type,
        .protocols = protocols,
        .protocol_count = member->protocol_count,
    };
    struct classic_member *added = classic_add_member(coordinator, classic, &details);
    memory_give(memory, protocols, size);
    return added;
}

/* Tombstones of everything. By now the log has the joining member in the place of the leaving one
 * (createGroupTombstoneRecordsWithReplacedMember). */
static void add_member_tombstones(struct operation *operation, const struct consumer_group *state,
                                  enum group_record_type type,
                                  const struct consumer_member *leaving,
                                  const struct consumer_member *joining)
{
    for (uint32_t i = 0; i < state->entry_count; i++) {
        const struct consumer_member *member = state->members[i];
        if (!member->is_member) continue;
        name_id id = member == leaving && joining != NULL ? joining->id : member->id;
        operation_add(operation, consumer_record_tombstone(operation->coordinator->memory, type,
                                                           state->id, id));
    }
}

static void add_downgrade_tombstones(struct operation *operation,
                                     const struct consumer_group *state,
                                     const struct consumer_member *leaving,
                                     const struct consumer_member *joining)
{
    struct memory *memory = operation->coordinator->memory;
    add_member_tombstones(operation, state, RECORD_CONSUMER_CURRENT_ASSIGNMENT, leaving, joining);
    add_member_tombstones(operation, state, RECORD_CONSUMER_TARGET, leaving, joining);
    operation_add(operation, consumer_record_tombstone(memory, RECORD_CONSUMER_ASSIGNMENT_EPOCH,
                                                       state->id, NAME_NONE));
    add_member_tombstones(operation, state, RECORD_CONSUMER_MEMBER, leaving, joining);
    operation_add(operation,
                  consumer_record_tombstone(memory, RECORD_CONSUMER_TOPICS, state->id, NAME_NONE));
    operation_add(operation, consumer_record_tombstone(memory, RECORD_CONSUMER_GROUP_EPOCH,
                                                       state->id, NAME_NONE));
}

/* ClassicGroup.fromConsumerGroup: Stable, each member with its target as assignment.
 *
 * Generation and targets are those of before the operation: when a static member is replaced while
 * a new target was due, the one that its JoinGroup has just computed is not used. Partitions of
 * members that left shortly before then stay with nobody until somebody causes a rebalance, and if
 * the epoch was bumped the newcomer is told a generation that the classic group does not have (its
 * SyncGroup is answered ILLEGAL_GENERATION and it rejoins). So in Kafka at commit 1eb7644
 * (GroupMetadataManager.classicGroupJoinToConsumerGroup, step 4), and so here. */
static struct classic_group *make_classic(struct coordinator *coordinator, struct group *group,
                                          const struct consumer_member *leaving,
                                          const struct consumer_member *joining)
{
    const struct consumer_group *state = group->consumer;
    struct classic_group *classic = classic_group_new(coordinator, group);
    classic->state = GROUP_STABLE;
    classic->generation = state->epoch;
    classic->protocol_type = names_intern(coordinator->names, "consumer");
    for (uint32_t i = 0; i < state->entry_count; i++) {
        const struct consumer_member *member = state->members[i];
        if (member->is_member && member != leaving) add_classic(coordinator, classic, member);
    }
    if (joining != NULL) add_classic(coordinator, classic, joining);
    classic->protocol_name = classic_vote(coordinator, classic);
    classic_compute_topics(coordinator, classic);
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct classic_member *member = classic->members[i];
        const struct consumer_member *source = joining != NULL && member->id == joining->id
                                                   ? leaving
                                                   : consumer_group_member(state, member->id);
        struct bytes encoded =
            consumer_encode_assignment(coordinator, source->target,
                                       classic_metadata(member, classic->protocol_name));
        classic_set_assignment(coordinator, member, encoded);
        consumer_protocol_give(coordinator->memory, encoded);
    }
    return classic;
}

void consumer_downgrade(struct operation *operation, struct group *group,
                        const struct consumer_member *leaving,
                        const struct consumer_member *joining)
{
    struct coordinator *coordinator = operation->coordinator;
    struct classic_group *classic = make_classic(coordinator, group, leaving, joining);
    add_downgrade_tombstones(operation, group->consumer, leaving, joining);
    operation_add(operation, classic_group_record(coordinator, classic, false));
    operation->already_applied = true;
    group_become_classic(coordinator, group, classic);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_GROUP_CONVERTED,
                                                      .group = group->id,
                                                      .generation = classic->generation,
                                                      .detail = GROUP_CLASSIC});
    for (int32_t i = 0; i < classic->member_count; i++)
        classic_restart_session(coordinator, classic->members[i]);
    if (joining != NULL) return;
    classic_prepare_rebalance(operation, classic,
                              &(struct rebalance_cause){.reason = REBALANCE_DOWNGRADE});
}
