#include "tests/conformance/assign_case.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    struct assign_case *c;
    struct conformance_report *report;
    struct assign_topic *topics;
    int32_t topic_capacity;
    int32_t *topic_index; /* by name_id: index plus one */
    int32_t name_capacity;
    bool failed;
};

static void fail(struct loading *loading, const char *what)
{
    if (!loading->failed) conformance_say(loading->report, "not usable: %s", what);
    loading->failed = true;
}

static void *keep(struct loading *loading, size_t size, size_t count)
{
    return memory_keep(loading->c->memory, size * (count + 1));
}

static name_id name_of(struct loading *loading, const json_t *text)
{
    if (text == NULL || json_is_null(text)) return NAME_NONE;
    if (!json_is_string(text)) {
        fail(loading, "a name is not a string");
        return NAME_NONE;
    }
    return names_intern_bytes(loading->c->names, json_string_value(text), json_string_length(text));
}

/* The index of a topic; unknown ones are added as topics that do not exist. */
static int32_t topic_of(struct loading *loading, const char *text)
{
    struct assign_case *c = loading->c;
    const name_id name = names_intern(c->names, text);
    if ((int32_t)name >= loading->name_capacity) {
        const int32_t capacity = 2 * (int32_t)name + 64;
        loading->topic_index = memory_resize(c->memory, loading->topic_index,
                                             sizeof(int32_t) * (size_t)loading->name_capacity,
                                             sizeof(int32_t) * (size_t)capacity);
        loading->name_capacity = capacity;
    }
    if (loading->topic_index[name] > 0) return loading->topic_index[name] - 1;
    if (c->input.topic_count == loading->topic_capacity) {
        const int32_t capacity = 2 * loading->topic_capacity + 16;
        loading->topics = memory_resize(c->memory, loading->topics,
                                        sizeof(*loading->topics) * (size_t)loading->topic_capacity,
                                        sizeof(*loading->topics) * (size_t)capacity);
        loading->topic_capacity = capacity;
    }
    const int32_t index = c->input.topic_count++;
    loading->topics[index] = (struct assign_topic){.name = name, .partition_count = -1};
    loading->topic_index[name] = index + 1;
    return index;
}

static void load_racks(struct loading *loading, const json_t *racks, struct assign_topic *topic)
{
    const size_t partitions = json_array_size(racks);
    if (partitions != (size_t)topic->partition_count) {
        fail(loading, "racks do not fit the number of partitions");
        return;
    }
    size_t slots = 0;
    for (size_t p = 0; p < partitions; p++) {
        const size_t replicas = json_array_size(json_array_get(racks, p));
        if (replicas > slots) slots = replicas;
    }
    name_id *names = keep(loading, sizeof(name_id), partitions * slots);
    for (size_t p = 0; p < partitions; p++) {
        const json_t *replicas = json_array_get(racks, p);
        for (size_t i = 0; i < json_array_size(replicas); i++) {
            names[p * slots + i] = name_of(loading, json_array_get(replicas, i));
        }
    }
    topic->racks = names;
    topic->rack_slots = (int32_t)slots;
}

/* "00000000-0000-4000-8000-000000000003": 32 hex digits, hyphens anywhere. */
static bool parse_uuid(const char *text, int64_t *high, int64_t *low)
{
    uint64_t halves[2] = {0, 0};
    int digits = 0;
    for (; *text != '\0'; text++) {
        if (*text == '-') continue;
        const char *hex = "0123456789abcdef";
        const char *digit = strchr(hex, *text);
        if (digit == NULL || digits == 32) return false;
        halves[digits / 16] = halves[digits / 16] * 16 + (uint64_t)(digit - hex);
        digits++;
    }
    *high = (int64_t)halves[0];
    *low = (int64_t)halves[1];
    return digits == 32;
}

static void load_topic(struct loading *loading, const char *name, const json_t *fields)
{
    const int32_t index = topic_of(loading, name);
    struct assign_topic *topic = &loading->topics[index];
    const json_t *partitions = json_object_get(fields, "partitions");
    const json_t *racks = json_object_get(fields, "racks");
    const char *id = json_string_value(json_object_get(fields, "id"));
    if (partitions != NULL) topic->partition_count = (int32_t)json_integer_value(partitions);
    if (racks != NULL) load_racks(loading, racks, topic);
    if (id != NULL && !parse_uuid(id, &topic->id_high, &topic->id_low)) {
        fail(loading, "a topic id is no uuid");
    }
}

static const struct assign_partition *load_owned(struct loading *loading, const json_t *owned,
                                                 int32_t *count)
{
    const char *name;
    const json_t *list;
    size_t total = 0;
    json_object_foreach((json_t *)(uintptr_t)owned, name, list) total += json_array_size(list);
    struct assign_partition *partitions = keep(loading, sizeof(*partitions), total);
    *count = 0;
    json_object_foreach((json_t *)(uintptr_t)owned, name, list)
    {
        const int32_t topic = topic_of(loading, name);
        for (size_t i = 0; i < json_array_size(list); i++) {
            partitions[(*count)++] =
                (struct assign_partition){.topic = topic,
                                          .partition =
                                              (int32_t)json_integer_value(json_array_get(list, i))};
        }
    }
    return partitions;
}

static int32_t generation_of(const json_t *object)
{
    const json_t *generation = json_object_get(object, "generation");
    return json_is_integer(generation) ? (int32_t)json_integer_value(generation)
                                       : ASSIGN_GENERATION_UNKNOWN;
}

static void load_member(struct loading *loading, const json_t *fields, struct assign_member *member)
{
    const bool server = loading->c->assignor->side == ASSIGNOR_SERVER;
    const json_t *topics = json_object_get(fields, "topics");
    const json_t *user_data = json_object_get(fields, "user_data");
    if (!json_is_string(json_object_get(fields, "id"))) fail(loading, "a member without id");
    member->id = name_of(loading, json_object_get(fields, "id"));
    member->instance = name_of(loading, json_object_get(fields, "instance"));
    member->rack = name_of(loading, json_object_get(fields, "rack"));
    int32_t *indexes = keep(loading, sizeof(int32_t), json_array_size(topics));
    for (size_t i = 0; i < json_array_size(topics); i++) {
        const char *topic = json_string_value(json_array_get(topics, i));
        if (topic == NULL) {
            fail(loading, "a subscription that is no list of names");
            return;
        }
        indexes[i] = topic_of(loading, topic);
    }
    member->topics = indexes;
    member->topic_count = (int32_t)json_array_size(topics);
    member->generation = generation_of(fields);
    member->owned = load_owned(loading, json_object_get(fields, server ? "assigned" : "owned"),
                               &member->owned_count);
    member->user_data_generation = generation_of(user_data);
    member->user_data_owned =
        load_owned(loading, json_object_get(user_data, "owned"), &member->user_data_owned_count);
}

static const struct assignor *assignor_of(const char *name)
{
    if (name == NULL) return NULL;
    if (strcmp(name, "server-range") == 0) return assignor_find("range", ASSIGNOR_SERVER);
    const struct assignor *assignor = assignor_find(name, ASSIGNOR_CLIENT);
    return assignor != NULL ? assignor : assignor_find(name, ASSIGNOR_SERVER);
}

bool assign_case_open(struct assign_case *c, const json_t *record,
                      struct conformance_report *report)
{
    *c = (struct assign_case){.memory = memory_new()};
    c->names = names_new(c->memory);
    struct loading loading = {.c = c, .report = report};
    const json_t *input = json_object_get(record, "input");
    const json_t *topics = json_object_get(input, "topics");
    const json_t *members = json_object_get(input, "members");
    c->assignor = assignor_of(json_string_value(json_object_get(record, "assignor")));
    if (c->assignor == NULL) fail(&loading, "unknown assignor");
    if (!json_is_object(topics) || !json_is_array(members)) {
        fail(&loading, "input.topics and input.members are needed");
    }
    if (loading.failed) return false;

    const char *name;
    const json_t *fields;
    json_object_foreach((json_t *)(uintptr_t)topics, name, fields)
        load_topic(&loading, name, fields);
    const size_t count = json_array_size(members);
    struct assign_member *list = keep(&loading, sizeof(*list), count);
    for (size_t i = 0; i < count; i++)
        load_member(&loading, json_array_get(members, i), &list[i]);
    c->input.names = c->names;
    c->input.topics = loading.topics;
    c->input.members = list;
    c->input.member_count = (int32_t)count;
    return !loading.failed;
}

void assign_case_close(struct assign_case *c)
{
    memory_free_all(c->memory);
    c->memory = NULL;
}

int32_t assign_case_topic(const struct assign_case *c, const char *name)
{
    const name_id id = names_find(c->names, name);
    for (int32_t t = 0; id != NAME_NONE && t < c->input.topic_count; t++) {
        if (c->input.topics[t].name == id) return t;
    }
    return -1;
}

int32_t assign_case_member(const struct assign_case *c, const char *id)
{
    const name_id name = names_find(c->names, id);
    for (int32_t m = 0; name != NAME_NONE && m < c->input.member_count; m++) {
        if (c->input.members[m].id == name) return m;
    }
    return -1;
}
