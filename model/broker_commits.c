#include "model/broker_internal.h"

#include "model/messages_group.h"

/* What a broker looks at in a commit before the group coordinator is asked: partitions that it does
 * not know are answered UNKNOWN_TOPIC_OR_PARTITION, and the others are committed without them
 * (KafkaApis.handleOffsetCommitRequest, handleTxnOffsetCommitRequest). */

/* NULL and 0 for requests that commit nothing. */
static const struct offset_entry *offsets_of(const struct message *request, int32_t *count)
{
    const void *body = request;
    if (request->api == API_TXN_OFFSET_COMMIT) {
        const struct txn_offset_commit_request *transactional = body;
        *count = transactional->offset_count;
        return transactional->offsets;
    }
    *count = 0;
    if (request->api != API_OFFSET_COMMIT) return NULL;
    const struct offset_commit_request *commit = body;
    *count = commit->offset_count;
    return commit->offsets;
}

/* Partitions that the broker knows of the topic; 0 = there is no such topic. */
static int32_t partitions_of(const struct broker *broker, name_id topic)
{
    int32_t index = cluster_topic_find(broker->cluster, topic);
    return index < 0 ? 0 : broker->view_counts[index];
}

/* Copies those that are known; returns how many. */
static int32_t keep_known(const struct broker *broker, const struct offset_entry *entries,
                          int32_t count, struct offset_entry *known)
{
    int32_t kept = 0;
    name_id topic = NAME_NONE;
    int32_t partitions = 0;
    for (int32_t i = 0; i < count; i++) {
        if (entries[i].partition.topic != topic) {
            topic = entries[i].partition.topic;
            partitions = partitions_of(broker, topic);
        }
        if (entries[i].partition.partition >= partitions) continue;
        if (known != NULL) known[kept] = entries[i];
        kept++;
    }
    return kept;
}

struct message *commit_known_part(const struct broker *broker, const struct message *request)
{
    int32_t count = 0;
    const struct offset_entry *entries = offsets_of(request, &count);
    if (count == 0 || keep_known(broker, entries, count, NULL) == count) return NULL;
    const void *body = request;
    struct memory *memory = broker->memory;
    if (request->api == API_TXN_OFFSET_COMMIT) {
        struct txn_offset_commit_request *part =
            MESSAGE_NEW(memory, API_TXN_OFFSET_COMMIT, struct txn_offset_commit_request);
        struct message head = part->head;
        *part = *(const struct txn_offset_commit_request *)body;
        part->head = head;
        part->offsets = MESSAGE_ARRAY(memory, &part->head, struct offset_entry, count);
        part->offset_count = keep_known(broker, entries, count, part->offsets);
        return &part->head;
    }
    struct offset_commit_request *part =
        MESSAGE_NEW(memory, API_OFFSET_COMMIT, struct offset_commit_request);
    struct message head = part->head;
    *part = *(const struct offset_commit_request *)body;
    part->head = head;
    part->offsets = MESSAGE_ARRAY(memory, &part->head, struct offset_entry, count);
    part->offset_count = keep_known(broker, entries, count, part->offsets);
    return &part->head;
}

int32_t commit_offset_count(const struct message *request)
{
    int32_t count = 0;
    offsets_of(request, &count);
    return count;
}

struct message *commit_whole_response(const struct broker *broker, const struct message *request,
                                      struct message *response)
{
    int32_t count = 0;
    const struct offset_entry *entries = offsets_of(request, &count);
    const struct offset_commit_response *part = (const void *)response;
    int32_t answered = part == NULL ? 0 : part->offset_count;
    if (answered == count) return response;
    struct offset_commit_response *whole =
        MESSAGE_NEW(broker->memory, request->api, struct offset_commit_response);
    whole->offset_count = count;
    whole->offsets = MESSAGE_ARRAY(broker->memory, &whole->head, struct offset_entry, count);
    for (int32_t i = 0, next = 0; i < count; i++) {
        bool is_answered =
            next < answered && part->offsets[next].partition.topic == entries[i].partition.topic &&
            part->offsets[next].partition.partition == entries[i].partition.partition;
        whole->offsets[i].partition = entries[i].partition;
        whole->offsets[i].error =
            is_answered ? part->offsets[next++].error : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    message_free(broker->memory, response);
    return &whole->head;
}
