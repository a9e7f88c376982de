#include "model/coordinator/partition_epochs.h"

#include "sim/check.h"

#include <string.h>

struct partition_epochs_topic {
    uint32_t topic;
    int32_t size;    /* partitions there is room for */
    int32_t held;    /* of which not free; a topic with none is dropped */
    int32_t *epochs; /* by partition, shape [size] */
};

void partition_epochs_init(struct partition_epochs *epochs, struct memory *memory)
{
    *epochs = (struct partition_epochs){.memory = memory};
}

static void topic_release(struct partition_epochs *epochs, struct partition_epochs_topic *topic)
{
    memory_give(epochs->memory, topic->epochs, sizeof(int32_t) * (size_t)topic->size);
}

void partition_epochs_release(struct partition_epochs *epochs)
{
    for (uint32_t i = 0; i < epochs->count; i++)
        topic_release(epochs, &epochs->topics[i]);
    memory_give(epochs->memory, epochs->topics, sizeof *epochs->topics * epochs->capacity);
    partition_epochs_init(epochs, epochs->memory);
}

/* Where the topic is, or would have to be put in. */
static uint32_t topic_place(const struct partition_epochs *epochs, uint32_t topic)
{
    uint32_t low = 0;
    uint32_t high = epochs->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (epochs->topics[middle].topic < topic) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t partition_epochs_get(const struct partition_epochs *epochs, partition_key key)
{
    uint32_t topic = partition_key_topic(key);
    int32_t partition = partition_key_partition(key);
    uint32_t place = topic_place(epochs, topic);
    if (place == epochs->count || epochs->topics[place].topic != topic) return PARTITION_FREE;
    const struct partition_epochs_topic *found = &epochs->topics[place];
    return partition < found->size ? found->epochs[partition] : PARTITION_FREE;
}

static uint32_t topic_insert(struct partition_epochs *epochs, uint32_t place, uint32_t topic)
{
    if (epochs->count == epochs->capacity) {
        uint32_t capacity = epochs->capacity == 0 ? 2 : epochs->capacity * 2;
        epochs->topics =
            memory_resize(epochs->memory, epochs->topics, sizeof *epochs->topics * epochs->capacity,
                          sizeof *epochs->topics * capacity);
        epochs->capacity = capacity;
    }
    memmove(&epochs->topics[place + 1], &epochs->topics[place],
            sizeof *epochs->topics * (epochs->count - place));
    epochs->topics[place] = (struct partition_epochs_topic){.topic = topic};
    epochs->count++;
    return place;
}

static void topic_grow(struct partition_epochs *epochs, struct partition_epochs_topic *topic,
                       int32_t partition)
{
    if (partition < topic->size) return;
    int32_t size = topic->size == 0 ? 4 : topic->size;
    while (size <= partition)
        size *= 2;
    topic->epochs =
        memory_resize(epochs->memory, topic->epochs, sizeof(int32_t) * (size_t)topic->size,
                      sizeof(int32_t) * (size_t)size);
    for (int32_t i = topic->size; i < size; i++)
        topic->epochs[i] = PARTITION_FREE;
    topic->size = size;
}

/* End of the run of items that share the topic of items[start]. */
static uint32_t run_end(struct partition_set set, uint32_t start)
{
    uint32_t topic = partition_key_topic(set.items[start]);
    uint32_t end = start + 1;
    while (end < set.count && partition_key_topic(set.items[end]) == topic)
        end++;
    return end;
}

void partition_epochs_add(struct partition_epochs *epochs, struct partition_set set, int32_t epoch)
{
    CHECK(epoch != PARTITION_FREE || set.count == 0);
    for (uint32_t start = 0; start < set.count;) {
        uint32_t end = run_end(set, start);
        uint32_t number = partition_key_topic(set.items[start]);
        uint32_t place = topic_place(epochs, number);
        if (place == epochs->count || epochs->topics[place].topic != number) {
            topic_insert(epochs, place, number);
        }
        struct partition_epochs_topic *topic = &epochs->topics[place];
        topic_grow(epochs, topic, partition_key_partition(set.items[end - 1]));
        for (uint32_t i = start; i < end; i++) {
            int32_t *slot = &topic->epochs[partition_key_partition(set.items[i])];
            CHECK(*slot == PARTITION_FREE); /* a second holder */
            *slot = epoch;
        }
        topic->held += (int32_t)(end - start);
        epochs->held += end - start;
        start = end;
    }
}

void partition_epochs_remove(struct partition_epochs *epochs, struct partition_set set,
                             int32_t epoch)
{
    for (uint32_t start = 0; start < set.count;) {
        uint32_t end = run_end(set, start);
        uint32_t number = partition_key_topic(set.items[start]);
        uint32_t place = topic_place(epochs, number);
        CHECK(place < epochs->count && epochs->topics[place].topic == number);
        struct partition_epochs_topic *topic = &epochs->topics[place];
        for (uint32_t i = start; i < end; i++) {
            int32_t partition = partition_key_partition(set.items[i]);
            CHECK(partition < topic->size && topic->epochs[partition] == epoch);
            topic->epochs[partition] = PARTITION_FREE;
        }
        topic->held -= (int32_t)(end - start);
        epochs->held -= end - start;
        if (topic->held == 0) {
            topic_release(epochs, topic);
            memmove(topic, topic + 1, sizeof *topic * (epochs->count - place - 1));
            epochs->count--;
        }
        start = end;
    }
}
