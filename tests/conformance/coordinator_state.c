/* The state of a group as section 6 of COORDINATOR.md records it. */
#include "tests/conformance/coordinator_answers.h"

#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/consumer_topics.h"

#include <stdio.h>

static json_t *offsets_json(const struct coordinator *coordinator, const struct group *group)
{
    const struct names *names = coordinator->names;
    json_t *topics = json_object();
    for (uint32_t i = 0; i < group->offsets.count; i++) {
        const struct offset_slot *slot = group->offsets.slots[i];
        const struct stored_offset *stored = &slot->value;
        if (!stored->present) continue;
        const char *topic = names_text(names, slot->partition.topic);
        json_t *partitions = json_object_get(topics, topic);
        if (partitions == NULL) {
            partitions = json_object();
            json_object_set_new(topics, topic, partitions);
        }
        char number[16];
        snprintf(number, sizeof(number), "%d", (int)slot->partition.partition);
        json_object_set_new(partitions, number,
                            json_pack("{s:I, s:i, s:o, s:I, s:o}", "offset",
                                      (json_int_t)stored->offset, "leader_epoch",
                                      (int)stored->leader_epoch, "metadata",
                                      name_json(names, stored->metadata), "commit_ms",
                                      (json_int_t)stored->commit_timestamp_ms, "expire_ms",
                                      stored->expire_timestamp_ms < 0
                                          ? json_null()
                                          : json_integer(stored->expire_timestamp_ms)));
    }
    return topics;
}

static json_t *classic_member_json(const struct names *names, const struct classic_member *member)
{
    json_t *protocols = json_array();
    for (int32_t i = 0; i < member->protocol_count; i++) {
        json_array_append_new(protocols, name_json(names, member->protocols[i].name));
    }
    return json_pack("{s:o, s:i, s:i, s:o, s:b, s:b, s:o}", "instance",
                     name_json(names, member->instance), "session_timeout_ms",
                     (int)member->session_timeout_ms, "rebalance_timeout_ms",
                     (int)member->rebalance_timeout_ms, "protocols", protocols, "awaiting_join",
                     (int)(member->join != NULL), "awaiting_sync", (int)(member->sync != NULL),
                     "assignment", assignment_json(member->assignment));
}

static json_t *classic_json(const struct coordinator *coordinator, const struct group *group)
{
    const struct names *names = coordinator->names;
    const struct classic_group *classic = group->classic;
    json_t *members = json_object(), *pending_join = json_array(), *pending_sync = json_array();
    for (int32_t i = 0; i < classic->member_count; i++) {
        const struct classic_member *member = classic->members[i];
        json_object_set_new(members, names_text(names, member->id),
                            classic_member_json(names, member));
        if (member->pending_sync) json_array_append_new(pending_sync, name_json(names, member->id));
    }
    for (int32_t i = 0; i < classic->ghost_sync_count; i++) {
        json_array_append_new(pending_sync, name_json(names, classic->ghost_syncs[i]));
    }
    for (int32_t i = 0; i < classic->pending_count; i++) {
        json_array_append_new(pending_join, name_json(names, classic->pending[i]->id));
    }
    return json_pack("{s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", "classic",
                     "state", group_state_name(classic->state), "generation",
                     (int)classic->generation, "protocol_type",
                     name_json(names, classic->protocol_type), "protocol_name",
                     name_json(names, classic->protocol_name), "leader",
                     name_json(names, classic->leader), "members", members, "pending_join",
                     pending_join, "pending_sync", pending_sync, "offsets",
                     offsets_json(coordinator, group));
}

static json_t *set_json(const struct coordinator *coordinator, struct partition_set set)
{
    json_t *topics = json_object();
    for (uint32_t i = 0; i < set.count; i++) {
        name_id topic = consumer_topic_name(coordinator, partition_key_topic(set.items[i]));
        const char *text = names_text(coordinator->names, topic);
        json_t *list = json_object_get(topics, text);
        if (list == NULL) {
            list = json_array();
            json_object_set_new(topics, text, list);
        }
        json_array_append_new(list, json_integer(partition_key_partition(set.items[i])));
    }
    return topics;
}

static json_t *consumer_member_json(const struct coordinator *coordinator,
                                    const struct consumer_member *member)
{
    const struct names *names = coordinator->names;
    json_t *topics = json_array();
    for (int32_t i = 0; i < member->topic_count; i++) {
        json_array_append_new(topics, name_json(names, member->topics[i]));
    }
    return json_pack("{s:o, s:i, s:i, s:s, s:o, s:o, s:i, s:o, s:o, s:o}", "instance",
                     name_json(names, member->instance), "epoch", (int)member->epoch,
                     "previous_epoch", (int)member->previous_epoch, "state",
                     consumer_member_state_name(member->state), "topics", topics, "assignor",
                     name_json(names, member->assignor), "rebalance_timeout_ms",
                     (int)member->rebalance_timeout_ms, "assigned",
                     set_json(coordinator, member->assigned), "revoking",
                     set_json(coordinator, member->revoking), "target",
                     set_json(coordinator, member->target));
}

static json_t *consumer_json(const struct coordinator *coordinator, const struct group *group)
{
    const struct consumer_group *consumer = group->consumer;
    json_t *members = json_object();
    for (uint32_t i = 0; i < consumer->entry_count; i++) {
        json_object_set_new(members, names_text(coordinator->names, consumer->members[i]->id),
                            consumer_member_json(coordinator, consumer->members[i]));
    }
    bool homogeneous =
        consumer_subscription_is_homogeneous(&consumer->subscribed, consumer->member_count);
    name_id assignor =
        consumer_group_assignor(consumer, coordinator->config->group_consumer_assignors[0]);
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:s, s:o, s:o}", "type", "consumer", "state",
                     group_state_name(consumer_group_state(consumer)), "group_epoch",
                     (int)consumer->epoch, "assignment_epoch", (int)consumer->assignment_epoch,
                     "assignor", name_json(coordinator->names, assignor), "subscription_type",
                     homogeneous ? "HOMOGENEOUS" : "HETEROGENEOUS", "members", members, "offsets",
                     offsets_json(coordinator, group));
}

json_t *coordinator_group_json(const struct coordinator *coordinator, name_id id)
{
    const struct group *group = coordinator_find_group(coordinator, id);
    if (group == NULL || group->type == GROUP_ABSENT) return json_null();
    return group->type == GROUP_CLASSIC ? classic_json(coordinator, group)
                                        : consumer_json(coordinator, group);
}
