/* model/coordinator/classic_topics.c: what a classic group subscribes to, for offset expiry only.
 *
 * The coordinator reads the members' metadata as ConsumerProtocolSubscription version 0, which
 * every later version begins with, when the join phase ends (ClassicGroup.computeSubscribedTopics).
 */
#include "model/coordinator/classic_group.h"

#include "sim/check.h"

#include <string.h>

#define TOPICS_INITIAL 4

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

static bool read_big_endian(struct reader *reader, uint32_t width, int32_t *value)
{
    if ((size_t)(reader->end - reader->at) < width) return false;
    uint32_t bits = 0;
    for (uint32_t i = 0; i < width; i++)
        bits = bits << 8 | *reader->at++;
    *value = width == 2 ? (int16_t)bits : (int32_t)bits;
    return true;
}

static void add_topic(struct coordinator *coordinator, struct classic_group *classic, name_id topic)
{
    int32_t low = 0, high = classic->topic_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        int order = names_compare(coordinator->names, classic->topics[middle], topic);
        if (order == 0) return;
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (classic->topic_count == classic->topic_capacity) {
        int32_t capacity =
            classic->topic_capacity == 0 ? TOPICS_INITIAL : classic->topic_capacity * 2;
        classic->topics = memory_resize(coordinator->memory, classic->topics,
                                        sizeof(topic) * (size_t)classic->topic_capacity,
                                        sizeof(topic) * (size_t)capacity);
        classic->topic_capacity = capacity;
    }
    memmove(&classic->topics[low + 1], &classic->topics[low],
            sizeof(topic) * (size_t)(classic->topic_count - low));
    classic->topics[low] = topic;
    classic->topic_count++;
}

static bool add_topics_of(struct coordinator *coordinator, struct classic_group *classic,
                          struct bytes metadata)
{
    if (metadata.length == 0) return false;
    struct reader reader = {.at = metadata.data, .end = metadata.data + metadata.length};
    int32_t version = 0, count = 0;
    if (!read_big_endian(&reader, 2, &version) || version < 0) return false;
    if (!read_big_endian(&reader, 4, &count) || count < 0) return false;
    for (int32_t i = 0; i < count; i++) {
        int32_t length = 0;
        if (!read_big_endian(&reader, 2, &length) || length < 0) return false;
        if (reader.end - reader.at < length) return false;
        add_topic(coordinator, classic,
                  names_intern_bytes(coordinator->names, (const char *)reader.at, (size_t)length));
        reader.at += length;
    }
    int32_t user_data_length = 0;
    return read_big_endian(&reader, 4, &user_data_length) &&
           (user_data_length <= 0 || reader.end - reader.at >= user_data_length);
}

bool classic_uses_consumer_protocol(const struct coordinator *coordinator,
                                    const struct classic_group *classic)
{
    return classic->protocol_type != NAME_NONE &&
           strcmp(coordinator_text(coordinator, classic->protocol_type), "consumer") == 0;
}

void classic_compute_topics(struct coordinator *coordinator, struct classic_group *classic)
{
    classic->topic_count = 0;
    classic->topics_known = false;
    if (!classic_uses_consumer_protocol(coordinator, classic)) return;
    if (classic->member_count > 0 && classic->protocol_name == NAME_NONE) return;
    for (int32_t i = 0; i < classic->member_count; i++) {
        struct bytes metadata = classic_metadata(classic->members[i], classic->protocol_name);
        if (!add_topics_of(coordinator, classic, metadata)) {
            classic->topic_count = 0;
            return;
        }
    }
    classic->topics_known = true;
}

bool classic_is_subscribed(const struct coordinator *coordinator,
                           const struct classic_group *classic, name_id topic)
{
    /* A subscription that could not be read might be to anything. */
    if (!classic->topics_known) return classic_uses_consumer_protocol(coordinator, classic);
    for (int32_t i = 0; i < classic->topic_count; i++) {
        if (classic->topics[i] == topic) return true;
    }
    return false;
}
