/* model/coordinator/group_log.c: making, copying and comparing records; batches. */
#include "model/coordinator/group_log.h"

#include "sim/check.h"

#include <string.h>

#define RECORDS_INITIAL 4

/* A value is built in one block: the struct, then its arrays, then bytes. The size is counted
 * first; `pack` then hands out the parts in order, each aligned for any of them. */
struct packer {
    char *block;
    size_t used;
    size_t size;
};

static size_t padded(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

static struct packer packer_begin(struct memory *memory, size_t size)
{
    CHECK(size <= UINT32_MAX);
    return (struct packer){.block = memory_take(memory, size), .size = size};
}

static void *pack(struct packer *packer, size_t size)
{
    void *part = packer->block + packer->used;
    packer->used += padded(size);
    CHECK(packer->used <= packer->size);
    return part;
}

static void *pack_copy(struct packer *packer, const void *from, size_t size)
{
    void *part = pack(packer, size);
    if (size > 0) memcpy(part, from, size);
    return part;
}

static struct bytes pack_bytes(struct packer *packer, struct bytes bytes)
{
    return (struct bytes){.data = pack_copy(packer, bytes.data, bytes.length),
                          .length = bytes.length};
}

static void finish(struct group_record *record, const struct packer *packer)
{
    CHECK(packer->used == packer->size);
    record->value = packer->block;
    record->value_size = (uint32_t)packer->size;
}

struct group_record group_record_offset(struct memory *memory, name_id group,
                                        struct topic_partition partition,
                                        const struct offset_value *value)
{
    struct group_record record = {.type = RECORD_OFFSET_COMMIT,
                                  .group = group,
                                  .partition = partition};
    if (value == NULL) return record;
    struct packer packer = packer_begin(memory, padded(sizeof(*value)));
    pack_copy(&packer, value, sizeof(*value));
    finish(&record, &packer);
    return record;
}

struct group_record group_record_classic(struct memory *memory, name_id group,
                                         const struct classic_group_value *value)
{
    struct group_record record = {.type = RECORD_GROUP_METADATA, .group = group};
    if (value == NULL) return record;
    size_t members_size = sizeof(*value->members) * (size_t)value->member_count;
    size_t size = padded(sizeof(*value)) + padded(members_size);
    for (int32_t i = 0; i < value->member_count; i++) {
        size += padded(value->members[i].subscription.length) +
                padded(value->members[i].assignment.length);
    }
    struct packer packer = packer_begin(memory, size);
    struct classic_group_value *copy = pack_copy(&packer, value, sizeof(*value));
    copy->members = pack_copy(&packer, value->members, members_size);
    for (int32_t i = 0; i < value->member_count; i++) {
        struct classic_member_value *member = &copy->members[i];
        member->subscription = pack_bytes(&packer, member->subscription);
        member->assignment = pack_bytes(&packer, member->assignment);
    }
    finish(&record, &packer);
    return record;
}

struct group_record group_record_epoch(struct memory *memory, enum group_record_type type,
                                       name_id group, const struct epoch_value *value)
{
    CHECK(type == RECORD_CONSUMER_GROUP_EPOCH || type == RECORD_CONSUMER_ASSIGNMENT_EPOCH);
    struct group_record record = {.type = type, .group = group};
    if (value == NULL) return record;
    struct packer packer = packer_begin(memory, padded(sizeof(*value)));
    pack_copy(&packer, value, sizeof(*value));
    finish(&record, &packer);
    return record;
}

struct group_record group_record_topics(struct memory *memory, name_id group,
                                        const struct topics_value *value)
{
    struct group_record record = {.type = RECORD_CONSUMER_TOPICS, .group = group};
    if (value == NULL) return record;
    size_t size = sizeof(*value) + sizeof(value->topics[0]) * (size_t)value->count;
    struct packer packer = packer_begin(memory, padded(size));
    pack_copy(&packer, value, size);
    finish(&record, &packer);
    return record;
}

struct group_record group_record_consumer_member(struct memory *memory, name_id group,
                                                 name_id member,
                                                 const struct consumer_member_value *value)
{
    struct group_record record = {.type = RECORD_CONSUMER_MEMBER, .group = group, .member = member};
    if (value == NULL) return record;
    size_t topics_size = sizeof(*value->topics) * (size_t)value->topic_count;
    size_t protocols_size = sizeof(*value->protocols) * (size_t)value->protocol_count;
    size_t size = padded(sizeof(*value)) + padded(topics_size) + padded(protocols_size);
    for (int32_t i = 0; i < value->protocol_count; i++) {
        size += padded(value->protocols[i].metadata.length);
    }
    struct packer packer = packer_begin(memory, size);
    struct consumer_member_value *copy = pack_copy(&packer, value, sizeof(*value));
    copy->topics = pack_copy(&packer, value->topics, topics_size);
    copy->protocols = pack_copy(&packer, value->protocols, protocols_size);
    for (int32_t i = 0; i < value->protocol_count; i++) {
        copy->protocols[i].metadata = pack_bytes(&packer, copy->protocols[i].metadata);
    }
    finish(&record, &packer);
    return record;
}

struct group_record group_record_target(struct memory *memory, name_id group, name_id member,
                                        const struct topic_partition *partitions, int32_t count)
{
    struct group_record record = group_record_target_tombstone(group, member);
    size_t partitions_size = sizeof(*partitions) * (size_t)count;
    size_t size = sizeof(struct target_value) + partitions_size;
    struct packer packer = packer_begin(memory, padded(size));
    struct target_value *copy = pack(&packer, size);
    copy->count = count;
    if (count > 0) memcpy(copy->partitions, partitions, partitions_size);
    finish(&record, &packer);
    return record;
}

struct group_record group_record_target_tombstone(name_id group, name_id member)
{
    return (struct group_record){.type = RECORD_CONSUMER_TARGET, .group = group, .member = member};
}

struct group_record group_record_current(struct memory *memory, name_id group, name_id member,
                                         const struct current_assignment_value *value)
{
    struct group_record record = {.type = RECORD_CONSUMER_CURRENT_ASSIGNMENT,
                                  .group = group,
                                  .member = member};
    if (value == NULL) return record;
    size_t assigned_size = sizeof(*value->assigned) * (size_t)value->assigned_count;
    size_t revoking_size = sizeof(*value->revoking) * (size_t)value->revoking_count;
    struct packer packer = packer_begin(memory, padded(sizeof(*value)) + padded(assigned_size) +
                                                    padded(revoking_size));
    struct current_assignment_value *copy = pack_copy(&packer, value, sizeof(*value));
    copy->assigned = pack_copy(&packer, value->assigned, assigned_size);
    copy->revoking = pack_copy(&packer, value->revoking, revoking_size);
    finish(&record, &packer);
    return record;
}

struct group_record group_record_copy(struct memory *memory, const struct group_record *record)
{
    if (record->value == NULL) return *record;
    struct group_record copy = {0};
    switch (record->type) {
    case RECORD_ERASED: break;
    case RECORD_OFFSET_COMMIT:
        copy = group_record_offset(memory, record->group, record->partition, record->offset);
        break;
    case RECORD_GROUP_METADATA:
        copy = group_record_classic(memory, record->group, record->classic);
        break;
    case RECORD_CONSUMER_GROUP_EPOCH:
    case RECORD_CONSUMER_ASSIGNMENT_EPOCH:
        copy = group_record_epoch(memory, record->type, record->group, record->epoch);
        break;
    case RECORD_CONSUMER_TOPICS:
        copy = group_record_topics(memory, record->group, record->topics);
        break;
    case RECORD_CONSUMER_MEMBER:
        copy = group_record_consumer_member(memory, record->group, record->member,
                                            record->consumer_member);
        break;
    case RECORD_CONSUMER_TARGET:
        copy = group_record_target(memory, record->group, record->member,
                                   record->target->partitions, record->target->count);
        break;
    case RECORD_CONSUMER_CURRENT_ASSIGNMENT:
        copy = group_record_current(memory, record->group, record->member, record->current);
        break;
    }
    copy.size_bytes = record->size_bytes;
    return copy;
}

void group_record_free(struct memory *memory, struct group_record *record)
{
    memory_give(memory, record->value, record->value_size);
    record->value = NULL;
    record->value_size = 0;
}

bool group_record_same_key(const struct group_record *a, const struct group_record *b)
{
    return a->type == b->type && a->group == b->group && a->member == b->member &&
           a->partition.topic == b->partition.topic &&
           a->partition.partition == b->partition.partition;
}

uint64_t group_record_key_hash(const struct group_record *record)
{
    const uint64_t parts[] = {(uint64_t)record->type, record->group, record->member,
                              record->partition.topic, (uint32_t)record->partition.partition};
    uint64_t hash = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        hash = (hash ^ parts[i]) * UINT64_C(11400714819323198485);
        hash ^= hash >> 29;
    }
    return hash;
}

struct group_log_batch *group_log_batch_new(struct memory *memory)
{
    struct group_log_batch *batch = memory_take(memory, sizeof(*batch));
    *batch = (struct group_log_batch){
        .references = 1,
        .memory = memory,
        .producer_id = -1,
        .producer_epoch = -1,
        .size_bytes = GROUP_LOG_BATCH_OVERHEAD_BYTES,
    };
    return batch;
}

void group_log_batch_add(struct group_log_batch *batch, const struct group_record *record)
{
    if (batch->record_count == batch->record_capacity) {
        uint32_t capacity =
            batch->record_capacity == 0 ? RECORDS_INITIAL : batch->record_capacity * 2;
        batch->records = memory_resize(batch->memory, batch->records,
                                       sizeof(*batch->records) * batch->record_capacity,
                                       sizeof(*batch->records) * capacity);
        batch->record_capacity = capacity;
    }
    batch->records[batch->record_count++] = *record;
    batch->size_bytes += record->size_bytes;
}

void group_log_batch_erase(struct group_log_batch *batch, uint32_t index)
{
    struct group_record *record = &batch->records[index];
    batch->size_bytes -= record->size_bytes;
    group_record_free(batch->memory, record);
    *record = (struct group_record){.type = RECORD_ERASED};
}

struct group_log_batch *group_log_batch_hold(struct group_log_batch *batch)
{
    batch->references++;
    return batch;
}

void group_log_batch_release(struct group_log_batch *batch)
{
    if (batch == NULL) return;
    CHECK(batch->references > 0);
    if (--batch->references > 0) return;
    for (uint32_t i = 0; i < batch->record_count; i++) {
        group_record_free(batch->memory, &batch->records[i]);
    }
    memory_give(batch->memory, batch->records, sizeof(*batch->records) * batch->record_capacity);
    memory_give(batch->memory, batch, sizeof(*batch));
}
