/* model/coordinator/classic_group_record.c: a classic group to the log and back.
 *
 * The log knows only generations that reached SyncGroup, or Empty: what happens in between is soft
 * state. A group read from the log is Stable with its members on the one protocol that was chosen,
 * or Empty. */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

struct group_record classic_group_record(struct coordinator *coordinator,
                                         const struct classic_group *classic, bool received)
{
    struct memory *memory = coordinator->memory;
    size_t size = sizeof(struct classic_member_value) * (size_t)classic->member_count;
    struct classic_member_value *members = memory_take(memory, size);
    for (int32_t i = 0; i < classic->member_count; i++) {
        const struct classic_member *member = classic->members[i];
        members[i] = (struct classic_member_value){
            .id = member->id,
            .instance = member->instance,
            .client_id = member->client_id,
            .client_host = member->client_host,
            .rebalance_timeout_ms = member->rebalance_timeout_ms,
            .session_timeout_ms = member->session_timeout_ms,
            .subscription = classic_metadata(member, classic->protocol_name),
            .assignment = received ? member->received_assignment : member->assignment,
        };
    }
    struct group_record record =
        group_record_classic(memory, classic->group->id,
                             &(struct classic_group_value){
                                 .protocol_type = classic->protocol_type,
                                 .protocol_name = classic->protocol_name,
                                 .leader = classic->leader,
                                 .generation = classic->generation,
                                 .state_timestamp_ms = classic->state_timestamp_ms,
                                 .member_count = classic->member_count,
                                 .members = members,
                             });
    memory_give(memory, members, size);
    return record;
}

struct group_record classic_empty_record(struct coordinator *coordinator,
                                         const struct classic_group *classic)
{
    /* GroupCoordinatorRecordHelpers.newEmptyGroupMetadataRecord: protocol type "", no members. */
    return group_record_classic(coordinator->memory, classic->group->id,
                                &(struct classic_group_value){.protocol_type = NAME_EMPTY,
                                                              .generation = 0,
                                                              .state_timestamp_ms =
                                                                  classic->state_timestamp_ms});
}

static void restore_member(struct coordinator *coordinator, struct classic_group *classic,
                           const struct classic_group_value *value,
                           const struct classic_member_value *stored)
{
    struct group_protocol protocol = {.name = value->protocol_name,
                                      .metadata = stored->subscription};
    struct classic_member *member =
        classic_add_member(coordinator, classic,
                           &(struct member_details){
                               .id = stored->id,
                               .instance = stored->instance,
                               .client_id = stored->client_id,
                               .client_host = stored->client_host,
                               .rebalance_timeout_ms = stored->rebalance_timeout_ms,
                               .session_timeout_ms = stored->session_timeout_ms,
                               .protocol_type = value->protocol_type,
                               .protocols = &protocol,
                               .protocol_count = 1,
                           });
    classic_set_assignment(coordinator, member, stored->assignment);
}

void classic_group_apply(struct coordinator *coordinator, const struct group_record *record)
{
    struct group *group = coordinator_group(coordinator, record->group);
    if (record->value == NULL) {
        group_become_absent(coordinator, group);
        return;
    }
    const struct classic_group_value *value = record->classic;
    struct classic_group *classic = classic_group_new(coordinator, group);
    classic->protocol_type = value->protocol_type == NAME_EMPTY ? NAME_NONE : value->protocol_type;
    classic->protocol_name = value->protocol_name;
    classic->leader = value->leader;
    classic->generation = value->generation;
    classic->state = value->member_count > 0 ? GROUP_STABLE : GROUP_EMPTY;
    classic->state_timestamp_ms = value->state_timestamp_ms;
    for (int32_t i = 0; i < value->member_count; i++) {
        restore_member(coordinator, classic, value, &value->members[i]);
    }
    classic_compute_topics(coordinator, classic);
    group_become_classic(coordinator, group, classic);
}
