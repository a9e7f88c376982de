#include "model/consumer/internal.h"

/* subscribe(Pattern): which topics match is known from Metadata of all topics, so each member
 * learns of a new one when its metadata is refreshed
 * (ConsumerCoordinator.updatePatternSubscription). */

#define CHANGED "the subscription has changed"

bool pattern_is_used(const struct consumer *consumer)
{
    return consumer->options.group->topic_pattern != NULL;
}

void pattern_reset(struct consumer *consumer)
{
    if (pattern_is_used(consumer)) consumer->topic_count = 0;
    consumer->pattern_version = 0;
    consumer->pattern_asks = false;
}

/* The matching topics that there are, in the scenario's order. True if they are not the same as
 * before. */
static bool subscribe(struct consumer *consumer)
{
    int32_t before = consumer->topic_count;
    int32_t count = 0;
    bool changed = false;
    for (int32_t i = 0; i < client_metadata_topic_count(consumer->metadata); i++) {
        const struct client_topic *topic = client_metadata_topic_at(consumer->metadata, i);
        if (topic->error != KAFKA_NONE) continue;
        changed |= count >= before || consumer->topics[count] != topic->name;
        consumer->topics[count++] = topic->name;
    }
    consumer->topic_count = count;
    return changed || count != before;
}

void pattern_update(struct consumer *consumer)
{
    uint64_t version = client_metadata_version(consumer->metadata);
    if (!pattern_is_used(consumer) || consumer->pattern_version == version) return;
    consumer->pattern_version = version;
    if (!subscribe(consumer)) return;
    if (consumer_is_848(consumer)) {
        consumer->consumer_member.sent_all = false; /* the next heartbeat tells */
    } else if (classic_has_generation(consumer)) {
        classic_request_rejoin(consumer, CHANGED);
    }
}

/* Kafka has every member look at the topics once more before it joins, so that one new topic does
 * not make as many rebalances as there are members (ConsumerCoordinator.poll). */
bool pattern_is_fresh(struct consumer *consumer)
{
    if (!pattern_is_used(consumer)) return true;
    if (!consumer->pattern_asks) {
        consumer->pattern_asks = true;
        client_metadata_request_update(consumer->metadata);
    }
    if (!client_metadata_is_fresh(consumer->metadata)) return false;
    pattern_update(consumer);
    return true;
}
