/* model/coordinator/group_record_compare.c: equality of records, and their size in Kafka's log. */
#include "model/coordinator/group_log.h"

#include "sim/check.h"

#include <string.h>

/* Length, attributes, deltas of time and offset, lengths of key and value, no headers: varints of
 * one or two bytes each (DefaultRecord). */
#define RECORD_OVERHEAD_BYTES 8u

static bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static bool partitions_equal(const struct topic_partition *a, int32_t a_count,
                             const struct topic_partition *b, int32_t b_count)
{
    if (a_count != b_count) return false;
    for (int32_t i = 0; i < a_count; i++) {
        if (a[i].topic != b[i].topic || a[i].partition != b[i].partition) return false;
    }
    return true;
}

static bool offsets_equal(const struct offset_value *a, const struct offset_value *b)
{
    return a->offset == b->offset && a->leader_epoch == b->leader_epoch &&
           a->metadata == b->metadata && a->commit_timestamp_ms == b->commit_timestamp_ms &&
           a->expire_timestamp_ms == b->expire_timestamp_ms;
}

static bool classic_equal(const struct classic_group_value *a, const struct classic_group_value *b)
{
    if (a->protocol_type != b->protocol_type || a->protocol_name != b->protocol_name ||
        a->leader != b->leader || a->generation != b->generation ||
        a->state_timestamp_ms != b->state_timestamp_ms || a->member_count != b->member_count)
        return false;
    for (int32_t i = 0; i < a->member_count; i++) {
        const struct classic_member_value *x = &a->members[i], *y = &b->members[i];
        if (x->id != y->id || x->instance != y->instance || x->client_id != y->client_id ||
            x->client_host != y->client_host ||
            x->rebalance_timeout_ms != y->rebalance_timeout_ms ||
            x->session_timeout_ms != y->session_timeout_ms ||
            !bytes_equal(x->subscription, y->subscription) ||
            !bytes_equal(x->assignment, y->assignment))
            return false;
    }
    return true;
}

static bool topics_equal(const struct topics_value *a, const struct topics_value *b)
{
    if (a->count != b->count) return false;
    for (int32_t i = 0; i < a->count; i++) {
        if (a->topics[i].topic != b->topics[i].topic ||
            a->topics[i].partitions != b->topics[i].partitions)
            return false;
    }
    return true;
}

static bool members_equal(const struct consumer_member_value *a,
                          const struct consumer_member_value *b)
{
    if (a->instance != b->instance || a->rack != b->rack || a->client_id != b->client_id ||
        a->client_host != b->client_host || a->assignor != b->assignor ||
        a->rebalance_timeout_ms != b->rebalance_timeout_ms || a->topic_count != b->topic_count ||
        a->is_classic != b->is_classic || a->session_timeout_ms != b->session_timeout_ms ||
        a->protocol_count != b->protocol_count)
        return false;
    for (int32_t i = 0; i < a->topic_count; i++) {
        if (a->topics[i] != b->topics[i]) return false;
    }
    for (int32_t i = 0; i < a->protocol_count; i++) {
        if (a->protocols[i].name != b->protocols[i].name ||
            !bytes_equal(a->protocols[i].metadata, b->protocols[i].metadata))
            return false;
    }
    return true;
}

static bool current_equal(const struct current_assignment_value *a,
                          const struct current_assignment_value *b)
{
    return a->epoch == b->epoch && a->previous_epoch == b->previous_epoch && a->state == b->state &&
           partitions_equal(a->assigned, a->assigned_count, b->assigned, b->assigned_count) &&
           partitions_equal(a->revoking, a->revoking_count, b->revoking, b->revoking_count);
}

bool group_record_equal(const struct group_record *a, const struct group_record *b)
{
    if (!group_record_same_key(a, b)) return false;
    if (a->value == NULL || b->value == NULL) return a->value == b->value;
    switch (a->type) {
    case RECORD_ERASED: return true;
    case RECORD_OFFSET_COMMIT: return offsets_equal(a->offset, b->offset);
    case RECORD_GROUP_METADATA: return classic_equal(a->classic, b->classic);
    case RECORD_CONSUMER_GROUP_EPOCH:
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH: return a->epoch->epoch == b->epoch->epoch;
    case RECORD_CONSUMER_TOPICS: return topics_equal(a->topics, b->topics);
    case RECORD_CONSUMER_MEMBER: return members_equal(a->consumer_member, b->consumer_member);
    case RECORD_CONSUMER_TARGET:
        return partitions_equal(a->target->partitions, a->target->count, b->target->partitions,
                                b->target->count);
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT: return current_equal(a->current, b->current);
    }
    CHECK(false);
    return false;
}

/* Strings: two bytes of length in the older schemas, one (compact) in the consumer ones. */
static size_t string_size(const struct names *names, name_id name)
{
    return 2 + names_length(names, name);
}

static size_t compact_size(const struct names *names, name_id name)
{
    return 1 + names_length(names, name);
}

/* Topic ids are 16 bytes; partitions are listed below their topic. */
static size_t partitions_size(const struct topic_partition *partitions, int32_t count)
{
    size_t size = 1;
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || partitions[i].topic != partitions[i - 1].topic) size += 16 + 1 + 1;
        size += 4;
    }
    return size;
}

static size_t classic_size(const struct names *names, const struct classic_group_value *value)
{
    size_t size = 2 + string_size(names, value->protocol_type) + 4 +
                  string_size(names, value->protocol_name) + string_size(names, value->leader) + 8 +
                  4;
    for (int32_t i = 0; i < value->member_count; i++) {
        const struct classic_member_value *member = &value->members[i];
        size += string_size(names, member->id) + string_size(names, member->instance) +
                string_size(names, member->client_id) + string_size(names, member->client_host) +
                8 + 4 + member->subscription.length + 4 + member->assignment.length;
    }
    return size;
}

static size_t consumer_member_size(const struct names *names,
                                   const struct consumer_member_value *value)
{
    size_t size = 2 + compact_size(names, value->instance) + compact_size(names, value->rack) +
                  compact_size(names, value->client_id) + compact_size(names, value->client_host) +
                  1 + 1 + 4 + compact_size(names, value->assignor) + 1;
    for (int32_t i = 0; i < value->topic_count; i++) {
        size += compact_size(names, value->topics[i]);
    }
    for (int32_t i = 0; i < value->protocol_count; i++) {
        size +=
            compact_size(names, value->protocols[i].name) + 2 + value->protocols[i].metadata.length;
    }
    return size;
}

static size_t value_size(const struct names *names, const struct group_record *record)
{
    if (record->value == NULL) return 0;
    switch (record->type) {
    case RECORD_ERASED: return 0;
    case RECORD_OFFSET_COMMIT: return 2 + 8 + 4 + string_size(names, record->offset->metadata) + 8;
    case RECORD_GROUP_METADATA: return classic_size(names, record->classic);
    case RECORD_CONSUMER_GROUP_EPOCH:
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH: return 2 + 4 + 1;
    case RECORD_CONSUMER_TOPICS: {
        size_t size = 2 + 1 + 1;
        for (int32_t i = 0; i < record->topics->count; i++) {
            size += 16 + compact_size(names, record->topics->topics[i].topic) + 4 + 2;
        }
        return size;
    }
    case RECORD_CONSUMER_MEMBER: return consumer_member_size(names, record->consumer_member);
    case RECORD_CONSUMER_TARGET:
        return 3 + partitions_size(record->target->partitions, record->target->count);
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT:
        return 2 + 4 + 4 + 1 + 1 +
               partitions_size(record->current->assigned, record->current->assigned_count) +
               partitions_size(record->current->revoking, record->current->revoking_count);
    }
    CHECK(false);
    return 0;
}

void group_record_measure(const struct names *names, struct group_record *record)
{
    size_t key_size = 2 + string_size(names, record->group);
    if (record->type == RECORD_OFFSET_COMMIT) {
        key_size += string_size(names, record->partition.topic) + 4;
    }
    if (record->member != NAME_NONE) key_size += string_size(names, record->member);
    record->size_bytes = (uint32_t)(RECORD_OVERHEAD_BYTES + key_size + value_size(names, record));
}
