#include "model/consumer/internal.h"
#include "sim/check.h"

#include <string.h>

/* Where the partition stands among the owned ones, or would have to stand. */
static int32_t place_of(const struct owned_partitions *subscription, partition_id id)
{
    int32_t low = 0;
    int32_t high = subscription->count;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (subscription->ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct owned_partition *owned_find(const struct consumer *consumer, partition_id id)
{
    const struct owned_partitions *subscription = &consumer->subscription;
    int32_t place = place_of(subscription, id);
    if (place == subscription->count || subscription->ids[place] != id) return NULL;
    return subscription->owned[place];
}

partition_id *subscription_ids(const struct consumer *consumer)
{
    const struct owned_partitions *subscription = &consumer->subscription;
    if (subscription->count == 0) return NULL;
    partition_id *ids = memory_take(consumer->memory, sizeof *ids * (size_t)subscription->count);
    for (int32_t i = 0; i < subscription->count; i++)
        ids[i] = subscription->owned[i]->id;
    return ids;
}

/* ---- owning ---- */

static void reserve(struct consumer *consumer, int32_t count)
{
    struct owned_partitions *subscription = &consumer->subscription;
    if (count <= subscription->capacity) return;
    int32_t capacity = subscription->capacity == 0 ? 8 : subscription->capacity;
    while (capacity < count)
        capacity *= 2;
    subscription->owned =
        memory_resize(consumer->memory, subscription->owned,
                      (size_t)subscription->capacity * sizeof(struct owned_partition *),
                      (size_t)capacity * sizeof(struct owned_partition *));
    subscription->ids = memory_resize(consumer->memory, subscription->ids,
                                      (size_t)subscription->capacity * sizeof(partition_id),
                                      (size_t)capacity * sizeof(partition_id));
    subscription->capacity = capacity;
}

void subscription_add(struct consumer *consumer, const partition_id *ids, int32_t count)
{
    struct owned_partitions *subscription = &consumer->subscription;
    reserve(consumer, subscription->count + count);
    for (int32_t i = 0; i < count; i++) {
        struct owned_partition *owned = memory_take(consumer->memory, sizeof *owned);
        struct metadata_partition known = client_metadata_partition(consumer->metadata, ids[i]);
        *owned = (struct owned_partition){
            .id = ids[i],
            .topic = cluster_topic_name(consumer->options.cluster, PARTITION_TOPIC(ids[i])),
            .state = POSITION_INITIALIZING,
            .position = -1,
            .position_epoch = -1,
            .leader = known.leader,
            .leader_epoch = known.leader_epoch,
            .topic_id = client_metadata_topic_id(consumer->metadata, ids[i]),
            .session_node = -1,
            .ownership = ++subscription->ownerships,
        };
        int32_t place = place_of(subscription, ids[i]);
        CHECK(place == subscription->count || subscription->ids[place] != ids[i]);
        memmove(&subscription->owned[place + 1], &subscription->owned[place],
                (size_t)(subscription->count - place) * sizeof(struct owned_partition *));
        memmove(&subscription->ids[place + 1], &subscription->ids[place],
                (size_t)(subscription->count - place) * sizeof(partition_id));
        subscription->owned[place] = owned;
        subscription->ids[place] = ids[i];
        subscription->count++;
        subscription->in_state[POSITION_INITIALIZING]++;
        if (known.leader < 0) subscription->leaderless++;
    }
}

void subscription_announce(struct consumer *consumer, const partition_id *ids, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        struct owned_partition *owned = owned_find(consumer, ids[i]);
        if (owned == NULL || owned->is_announced) continue;
        owned->is_announced = true;
        TRACE(consumer->sim, TRACE_OWNED, consumer->group, consumer->member, ids[i],
              consumer->classic.generation.id, consumer->incarnation);
    }
}

static void disown(struct consumer *consumer, struct owned_partition *owned, enum ownership_end end)
{
    consumer->subscription.in_state[owned->state]--;
    if (owned->leader < 0) consumer->subscription.leaderless--;
    fetcher_forget(consumer, owned);
    if (owned->is_announced) {
        TRACE(consumer->sim, TRACE_DISOWNED, consumer->group, consumer->member, owned->id,
              consumer->classic.generation.id, end, consumer->incarnation);
    }
    memory_give(consumer->memory, owned, sizeof *owned);
}

void subscription_remove(struct consumer *consumer, const partition_id *ids, int32_t count,
                         enum ownership_end end)
{
    struct owned_partitions *subscription = &consumer->subscription;
    int32_t kept = 0;
    int32_t next = 0;
    for (int32_t i = 0; i < subscription->count; i++) {
        struct owned_partition *owned = subscription->owned[i];
        while (next < count && ids[next] < owned->id)
            next++;
        if (next < count && ids[next] == owned->id) {
            disown(consumer, owned, end);
        } else {
            subscription->ids[kept] = owned->id;
            subscription->owned[kept++] = owned;
        }
    }
    subscription->count = kept;
}

void subscription_clear(struct consumer *consumer, enum ownership_end end)
{
    struct owned_partitions *subscription = &consumer->subscription;
    for (int32_t i = 0; i < subscription->count; i++) {
        disown(consumer, subscription->owned[i], end);
    }
    subscription->count = 0;
}

/* ---- positions ---- */

void position_set_state(struct consumer *consumer, struct owned_partition *owned,
                        enum position_state state)
{
    consumer->subscription.in_state[owned->state]--;
    owned->state = state;
    consumer->subscription.in_state[state]++;
    if (owned->leader >= 0) fetcher_mark_dirty(consumer, owned->leader);
}

void position_set(struct consumer *consumer, struct owned_partition *owned, int64_t offset,
                  int32_t epoch, enum position_cause cause)
{
    TRACE(consumer->sim, TRACE_POSITION, consumer->group, consumer->member, owned->id, offset,
          cause, owned->position);
    owned->position = offset;
    owned->position_epoch = epoch;
    owned->retry_at = 0;
    /* Only a position that carries an epoch can be checked against the leader's log, and each one
     * that does is (SubscriptionState.seekUnvalidated). */
    bool validates = epoch >= 0 && owned->leader_epoch >= 0;
    position_set_state(consumer, owned, validates ? POSITION_AWAIT_VALIDATION : POSITION_FETCHING);
}

void position_await_reset(struct consumer *consumer, struct owned_partition *owned,
                          enum position_cause cause)
{
    owned->reset = consumer->config->auto_offset_reset;
    owned->reset_cause = cause;
    owned->reset_to_end = false;
    owned->retry_at = 0;
    position_set_state(consumer, owned, POSITION_AWAIT_RESET);
}

void subscription_update_leaders(struct consumer *consumer)
{
    struct owned_partitions *subscription = &consumer->subscription;
    uint64_t version = client_metadata_version(consumer->metadata);
    if (subscription->metadata_version == version) return;
    subscription->metadata_version = version;
    for (int32_t i = 0; i < subscription->count; i++) {
        struct owned_partition *owned = subscription->owned[i];
        struct metadata_partition known = client_metadata_partition(consumer->metadata, owned->id);
        /* Without a leader the last one is asked on, and will say that it leads no more. */
        if (known.leader < 0) continue;
        int32_t topic_id = client_metadata_topic_id(consumer->metadata, owned->id);
        if (topic_id != owned->topic_id) {
            /* Positions go by name: this one stays, though it says nothing of the new log. */
            owned->topic_id = topic_id;
            fetcher_mark_dirty(consumer, known.leader);
        }
        if (known.leader == owned->leader && known.leader_epoch == owned->leader_epoch) continue;
        if (owned->leader >= 0) {
            fetcher_mark_dirty(consumer, owned->leader);
        } else {
            subscription->leaderless--;
        }
        owned->leader = known.leader;
        owned->leader_epoch = known.leader_epoch;
        fetcher_mark_dirty(consumer, owned->leader);
        if (owned->state == POSITION_FETCHING && owned->position_epoch >= 0) {
            owned->retry_at = 0;
            position_set_state(consumer, owned, POSITION_AWAIT_VALIDATION);
        }
    }
}
