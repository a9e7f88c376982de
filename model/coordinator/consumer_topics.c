#include "model/coordinator/consumer_topics.h"

#include "model/coordinator/consumer_requests.h"

#include <string.h>

struct remembered_topic {
    name_id name;
    name_id id;
    struct remembered_topic *next;
};

static const struct remembered_topic *remembered(const struct id_map *map, name_id key)
{
    return id_map_get(map, key);
}

/* Nothing needs to be remembered of a topic whose name is its id. */
static void remember(struct coordinator *coordinator, name_id name, name_id id)
{
    const struct remembered_topic *known = remembered(&coordinator->topic_ids, name);
    if (known != NULL ? known->id == id : name == id) return;
    if (coordinator->topic_ids.memory == NULL) {
        id_map_init(&coordinator->topic_ids, coordinator->memory);
        id_map_init(&coordinator->topic_names, coordinator->memory);
    }
    struct remembered_topic *topic = memory_take(coordinator->memory, sizeof *topic);
    *topic =
        (struct remembered_topic){.name = name, .id = id, .next = coordinator->remembered_topics};
    coordinator->remembered_topics = topic;
    id_map_put(&coordinator->topic_ids, name, topic);
    id_map_put(&coordinator->topic_names, id, topic);
}

static name_id id_of(const struct coordinator_topic *topic)
{
    return topic->id == NAME_NONE ? topic->name : topic->id;
}

name_id consumer_topic_id(const struct coordinator *coordinator, name_id name)
{
    const struct coordinator_topic *topic = coordinator_find_topic(coordinator, name);
    if (topic != NULL) return id_of(topic);
    const struct remembered_topic *known = remembered(&coordinator->topic_ids, name);
    return known == NULL ? name : known->id;
}

name_id consumer_topic_name(const struct coordinator *coordinator, name_id id)
{
    const struct remembered_topic *known = remembered(&coordinator->topic_names, id);
    return known == NULL ? id : known->name;
}

void consumer_topics_release(struct coordinator *coordinator)
{
    while (coordinator->remembered_topics != NULL) {
        struct remembered_topic *topic = coordinator->remembered_topics;
        coordinator->remembered_topics = topic->next;
        memory_give(coordinator->memory, topic, sizeof *topic);
    }
    if (coordinator->topic_ids.memory == NULL) return;
    id_map_release(&coordinator->topic_ids);
    id_map_release(&coordinator->topic_names);
}

void consumer_on_topic_changed(struct coordinator *coordinator, name_id name)
{
    const struct coordinator_topic *topic = coordinator_find_topic(coordinator, name);
    if (topic != NULL) remember(coordinator, name, id_of(topic));
    for (uint32_t i = 0; i < coordinator_group_count(coordinator); i++) {
        struct group *group = coordinator_group_at(coordinator, i);
        if (group->type != GROUP_CONSUMER) continue;
        if (!consumer_group_subscribes(group->consumer, name)) continue;
        group->consumer->refresh_at = 0;
        group->consumer->refresh_epoch = 0;
    }
}

void consumer_partitions_read(const struct coordinator *coordinator, struct partition_list *out,
                              const struct topic_partition *partitions, int32_t count)
{
    name_id name = NAME_NONE;
    name_id id = NAME_NONE;
    for (int32_t i = 0; i < count; i++) {
        if (partitions[i].topic != name) {
            name = partitions[i].topic;
            id = consumer_topic_id(coordinator, name);
        }
        partition_list_add(out, partition_key_of(id, partitions[i].partition));
    }
    partition_list_sort(out);
}

/* Items of one topic within a set. */
struct run {
    name_id name;
    uint32_t first;
    uint32_t count;
};

/* Sorted by name: a set is grouped by topic, but in the order of interned ids. */
static uint32_t runs_by_name(const struct coordinator *coordinator, struct partition_set set,
                             struct run *runs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < set.count;) {
        struct run run = {.name =
                              consumer_topic_name(coordinator, partition_key_topic(set.items[i])),
                          .first = i};
        name_id id = partition_key_topic(set.items[i]);
        while (i < set.count && partition_key_topic(set.items[i]) == id)
            i++;
        run.count = i - run.first;
        uint32_t place = count++;
        while (place > 0 && names_compare(coordinator->names, runs[place - 1].name, run.name) > 0) {
            runs[place] = runs[place - 1];
            place--;
        }
        runs[place] = run;
    }
    return count;
}

struct topic_partition *consumer_partitions_write(const struct coordinator *coordinator,
                                                  struct message *message, struct partition_set set)
{
    if (set.count == 0) return NULL;
    struct memory *memory = coordinator->memory;
    struct topic_partition *out = MESSAGE_ARRAY(memory, message, struct topic_partition, set.count);
    uint32_t topics = 1;
    for (uint32_t i = 1; i < set.count; i++)
        topics += partition_key_topic(set.items[i]) != partition_key_topic(set.items[i - 1]);
    struct run *runs = memory_take(memory, sizeof *runs * topics);
    uint32_t next = 0;
    uint32_t run_count = runs_by_name(coordinator, set, runs);
    for (uint32_t r = 0; r < run_count; r++) {
        for (uint32_t i = 0; i < runs[r].count; i++) {
            partition_key key = set.items[runs[r].first + i];
            out[next++] = (struct topic_partition){.topic = runs[r].name,
                                                   .partition = partition_key_partition(key)};
        }
    }
    memory_give(memory, runs, sizeof *runs * topics);
    return out;
}

struct consumer_topic *consumer_topics_look_up(const struct coordinator *coordinator,
                                               const struct name_counts *subscribed, int32_t *count)
{
    *count = 0;
    if (subscribed->count == 0) return NULL;
    struct consumer_topic *topics =
        memory_take(coordinator->memory, sizeof *topics * subscribed->count);
    for (uint32_t i = 0; i < subscribed->count; i++) {
        const struct coordinator_topic *topic =
            coordinator_find_topic(coordinator, subscribed->items[i].name);
        if (topic == NULL) continue;
        topics[(*count)++] = (struct consumer_topic){.name = topic->name,
                                                     .id = id_of(topic),
                                                     .partitions = topic->partitions};
    }
    return topics;
}

bool consumer_topics_equal(const struct consumer_topic *a, int32_t a_count,
                           const struct consumer_topic *b, int32_t b_count)
{
    if (a_count != b_count) return false;
    for (int32_t i = 0; i < a_count; i++) {
        if (a[i].name != b[i].name || a[i].id != b[i].id || a[i].partitions != b[i].partitions) {
            return false;
        }
    }
    return true;
}
