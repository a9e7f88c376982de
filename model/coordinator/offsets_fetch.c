/* model/coordinator/offsets_fetch.c: OffsetFetch.
 *
 * With require_stable (the Java consumer always sets it) the fetch sees everything applied, waits
 * for earlier writes, and a partition with an open transaction is UNSTABLE_OFFSET_COMMIT; without,
 * it reads what the high watermark has passed, at once. */
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/offset_rules.h"

#include "sim/check.h"

static void fill(struct offset_entry *entry, struct topic_partition partition,
                 const struct offset_slot *slot, bool group_exists, bool require_stable)
{
    *entry = (struct offset_entry){.partition = partition,
                                   .offset = -1,
                                   .leader_epoch = -1,
                                   .metadata = NAME_EMPTY};
    if (slot == NULL) return;
    if (require_stable && slot->pending_count > 0) {
        /* Also if the sweep has deleted the group meanwhile: the transaction is still open. */
        entry->error = KAFKA_UNSTABLE_OFFSET_COMMIT;
        return;
    }
    const struct stored_offset *stored = require_stable ? &slot->value : &slot->committed;
    if (!stored->present || !group_exists) return;
    entry->offset = stored->offset;
    entry->leader_epoch = stored->leader_epoch;
    entry->metadata = stored->metadata;
}

static void fetch_some(struct coordinator *coordinator, struct offset_fetch_response *response,
                       const struct group *group, bool group_exists,
                       const struct offset_fetch_request *request)
{
    response->offset_count = request->partition_count;
    response->offsets = MESSAGE_ARRAY(coordinator->memory, &response->head, struct offset_entry,
                                      request->partition_count);
    for (int32_t i = 0; i < request->partition_count; i++) {
        struct topic_partition partition = request->partitions[i];
        const struct offset_slot *slot =
            group == NULL ? NULL : group_offsets_find(&group->offsets, partition);
        fill(&response->offsets[i], partition, slot, group_exists, request->require_stable);
    }
}

static void fetch_all(struct coordinator *coordinator, struct offset_fetch_response *response,
                      const struct group *group, bool require_stable)
{
    response->offsets = MESSAGE_ARRAY(coordinator->memory, &response->head, struct offset_entry,
                                      group->offsets.count);
    for (uint32_t i = 0; i < group->offsets.count; i++) {
        const struct offset_slot *slot = group->offsets.slots[i];
        if (!(require_stable ? &slot->value : &slot->committed)->present) continue;
        fill(&response->offsets[response->offset_count++], slot->partition, slot, true,
             require_stable);
    }
}

void offsets_on_fetch(struct operation *operation, const struct offset_fetch_request *request)
{
    struct coordinator *coordinator = operation->coordinator;
    const struct group *group = coordinator_find_group(coordinator, request->group);
    enum group_type type = GROUP_ABSENT;
    if (group != NULL) type = request->require_stable ? group->type : group->committed_type;
    if (type != GROUP_ABSENT && group->type == GROUP_CONSUMER) {
        enum kafka_error error =
            consumer_validate_offset_fetch(coordinator, group, request->member,
                                           request->member_epoch, request->require_stable);
        if (error != KAFKA_NONE) {
            operation_refuse(operation, error);
            return;
        }
    }
    struct offset_fetch_response *response =
        OPERATION_RESPOND(operation, struct offset_fetch_response);
    if (request->partition_count >= 0) {
        fetch_some(coordinator, response, group, type != GROUP_ABSENT, request);
    } else if (type != GROUP_ABSENT) {
        fetch_all(coordinator, response, group, request->require_stable);
    }
    if (request->require_stable) return;
    coordinator_reply(coordinator, operation->token, operation->response);
    operation->response = NULL;
}
