#include "tools/assign_group.h"

#include "model/assignor/measure.h"
#include "sim/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void assign_group_start(struct assign_group *group, struct diagnostics *diagnostics)
{
    *group = (struct assign_group){.memory = memory_new(), .diagnostics = diagnostics};
    group->names = names_new(group->memory);
}

void assign_group_free(struct assign_group *group)
{
    memory_free_all(group->memory);
    *group = (struct assign_group){0};
}

/* Room for one more item of an array that doubles. */
static void *grow(struct memory *memory, void *items, int32_t count, int32_t *capacity, size_t size)
{
    if (count < *capacity) return items;
    const int32_t larger = 2 * *capacity + 8;
    items = memory_resize(memory, items, size * (size_t)*capacity, size * (size_t)larger);
    *capacity = larger;
    return items;
}

int32_t assign_group_find_topic(const struct assign_group *group, const char *name)
{
    for (int32_t t = 0; t < group->topic_count; t++) {
        if (strcmp(group->topics[t].name, name) == 0) return t;
    }
    return -1;
}

int32_t assign_group_need_topic(struct assign_group *group, const char *name, struct position at,
                                const char *label)
{
    const int32_t index = assign_group_find_topic(group, name);
    if (index >= 0) return index;
    diagnostic_error(group->diagnostics, at, "%s: unknown topic %s", label, name);
    const char **names =
        memory_take(group->memory, sizeof(*names) * ((size_t)group->topic_count + 1));
    for (int32_t t = 0; t < group->topic_count; t++)
        names[t] = group->topics[t].name;
    const char *nearest = nearest_name(name, names, (size_t)group->topic_count);
    if (nearest != NULL) {
        diagnostic_hint(group->diagnostics, "did you mean %s?", nearest);
    } else {
        diagnostic_hint(group->diagnostics, "every topic must be listed under topics:");
    }
    memory_give(group->memory, names, sizeof(*names) * ((size_t)group->topic_count + 1));
    return -1;
}

struct group_topic *assign_group_add_topic(struct assign_group *group, const char *name,
                                           int32_t partition_count, struct position at)
{
    const int32_t other = assign_group_find_topic(group, name);
    if (other >= 0) {
        diagnostic_error(group->diagnostics, at, "topic %s is given twice", name);
        diagnostic_note(group->diagnostics, group->topics[other].at, "first here");
        return NULL;
    }
    group->topics = grow(group->memory, group->topics, group->topic_count, &group->topic_capacity,
                         sizeof(*group->topics));
    struct group_topic *topic = &group->topics[group->topic_count++];
    *topic = (struct group_topic){.name = name,
                                  .partition_count = partition_count,
                                  .at = at,
                                  .id_low = group->topic_count};
    return topic;
}

struct group_member *assign_group_add_member(struct assign_group *group, const char *id,
                                             struct position at)
{
    for (int32_t m = 0; m < group->member_count; m++) {
        if (strcmp(group->members[m].id, id) != 0) continue;
        diagnostic_error(group->diagnostics, at, "member %s is there twice", id);
        diagnostic_note(group->diagnostics, group->members[m].at, "first here");
        return NULL;
    }
    if (group->member_count == ASSIGN_MEMBERS_MAX) {
        diagnostic_error(group->diagnostics, at, "more than %d members", ASSIGN_MEMBERS_MAX);
        return NULL;
    }
    group->members = grow(group->memory, group->members, group->member_count,
                          &group->member_capacity, sizeof(*group->members));
    struct group_member *member = &group->members[group->member_count++];
    *member = (struct group_member){.id = id, .at = at, .generation = -1};
    return member;
}

void assign_group_subscribe(struct assign_group *group, struct group_member *member, int32_t topic)
{
    for (int32_t i = 0; i < member->topic_count; i++) {
        if (member->topics[i] == topic) return;
    }
    member->topics = grow(group->memory, member->topics, member->topic_count,
                          &member->topic_capacity, sizeof(*member->topics));
    member->topics[member->topic_count++] = topic;
}

void assign_group_claim(struct assign_group *group, struct group_member *member,
                        struct assign_partition partition, struct position at)
{
    member->claims = grow(group->memory, member->claims, member->claim_count,
                          &member->claim_capacity, sizeof(*member->claims));
    member->claims[member->claim_count++] = (struct claim){.partition = partition, .at = at};
}

static void check_instances(const struct assign_group *group)
{
    for (int32_t m = 0; m < group->member_count; m++) {
        const struct group_member *member = &group->members[m];
        for (int32_t other = 0; member->instance != NULL && other < m; other++) {
            const struct group_member *first = &group->members[other];
            if (first->instance == NULL || strcmp(first->instance, member->instance) != 0) {
                continue;
            }
            diagnostic_error(group->diagnostics, member->instance_at,
                             "members.%s.instance: %s is the instance of member %s already",
                             member->id, member->instance, first->id);
            diagnostic_note(group->diagnostics, first->instance_at, "first here");
        }
    }
}

/* Who claimed a slot first under some generation: claims of one slot are chained. */
struct owner {
    int32_t member;
    const struct claim *claim;
    int32_t next; /* index into the owners, -1 = none */
};

static void check_claim(const struct assign_group *group, struct owner *owners, int32_t *first,
                        int32_t *count, int32_t m, const struct claim *claim, int32_t slot)
{
    const struct group_member *member = &group->members[m];
    const char *topic = group->topics[claim->partition.topic].name;
    for (int32_t i = first[slot]; i >= 0; i = owners[i].next) {
        const struct group_member *other = &group->members[owners[i].member];
        if (owners[i].member == m) {
            diagnostic_error(group->diagnostics, claim->at,
                             "members.%s.owned: %s-%" PRId32 " is listed twice", member->id, topic,
                             claim->partition.partition);
        } else if (other->generation == member->generation) {
            diagnostic_error(group->diagnostics, claim->at,
                             "members.%s.owned: %s-%" PRId32
                             " is owned by member %s in the same generation %" PRId32,
                             member->id, topic, claim->partition.partition, other->id,
                             member->generation);
        } else {
            continue;
        }
        diagnostic_note(group->diagnostics, owners[i].claim->at, "first here");
        return;
    }
    owners[*count] = (struct owner){.member = m, .claim = claim, .next = first[slot]};
    first[slot] = (*count)++;
}

static bool same_place(struct position a, struct position b)
{
    return a.source == b.source && a.line == b.line && a.column == b.column;
}

static void check_claims(struct assign_group *group)
{
    int32_t slots = 0;
    int32_t claims = 0;
    int32_t *base = memory_keep(group->memory, sizeof(int32_t) * ((size_t)group->topic_count + 1));
    for (int32_t t = 0; t < group->topic_count; t++) {
        base[t] = slots;
        slots += group->topics[t].partition_count;
    }
    for (int32_t m = 0; m < group->member_count; m++)
        claims += group->members[m].claim_count;
    int32_t *first = memory_keep(group->memory, sizeof(int32_t) * ((size_t)slots + 1));
    memset(first, 0xff, sizeof(int32_t) * (size_t)slots);
    struct owner *owners = memory_keep(group->memory, sizeof(*owners) * ((size_t)claims + 1));
    int32_t count = 0;
    for (int32_t m = 0; m < group->member_count; m++) {
        const struct group_member *member = &group->members[m];
        for (int32_t i = 0; i < member->claim_count; i++) {
            const struct claim *claim = &member->claims[i];
            const struct group_topic *topic = &group->topics[claim->partition.topic];
            if (claim->partition.partition >= topic->partition_count) {
                /* One error for "0-9", not one for each that is too much. */
                if (i > 0 && same_place(claim->at, claim[-1].at) &&
                    claim[-1].partition.partition >= topic->partition_count) {
                    continue;
                }
                diagnostic_error(group->diagnostics, claim->at,
                                 "members.%s.owned: topic %s has no partition %" PRId32, member->id,
                                 topic->name, claim->partition.partition);
                diagnostic_hint(group->diagnostics, "its partitions are 0 to %" PRId32,
                                topic->partition_count - 1);
                continue;
            }
            check_claim(group, owners, first, &count, m, claim,
                        base[claim->partition.topic] + claim->partition.partition);
        }
    }
}

static name_id name_of(const struct assign_group *group, const char *text)
{
    return text == NULL ? NAME_NONE : names_intern(group->names, text);
}

static void fill_client(struct assign_group *group)
{
    struct assign_topic *topics =
        memory_keep(group->memory, sizeof(*topics) * ((size_t)group->topic_count + 1));
    struct assign_member *members =
        memory_keep(group->memory, sizeof(*members) * ((size_t)group->member_count + 1));
    for (int32_t t = 0; t < group->topic_count; t++) {
        const struct group_topic *from = &group->topics[t];
        topics[t] = (struct assign_topic){.name = name_of(group, from->name),
                                          .partition_count = from->partition_count,
                                          .id_high = from->id_high,
                                          .id_low = from->id_low,
                                          .racks = from->racks,
                                          .rack_slots = from->rack_slots};
    }
    for (int32_t m = 0; m < group->member_count; m++) {
        const struct group_member *from = &group->members[m];
        struct assign_partition *owned =
            memory_keep(group->memory, sizeof(*owned) * ((size_t)from->claim_count + 1));
        for (int32_t i = 0; i < from->claim_count; i++)
            owned[i] = from->claims[i].partition;
        members[m] = (struct assign_member){.id = name_of(group, from->id),
                                            .instance = name_of(group, from->instance),
                                            .rack = name_of(group, from->rack),
                                            .topics = from->topics,
                                            .topic_count = from->topic_count,
                                            .owned = owned,
                                            .owned_count = from->claim_count,
                                            .generation = from->generation,
                                            .user_data_owned = owned,
                                            .user_data_owned_count = from->claim_count,
                                            .user_data_generation = from->generation};
    }
    group->client = (struct assign_input){.names = group->names,
                                          .topics = topics,
                                          .topic_count = group->topic_count,
                                          .members = members,
                                          .member_count = group->member_count};
}

/* The previous target of a member on the server side: what it owns that nobody else claims under a
 * newer generation. */
static void fill_server(struct assign_group *group)
{
    struct assign_member *members =
        memory_keep(group->memory, sizeof(*members) * ((size_t)group->member_count + 1));
    struct assign_output shape = assign_output_new(group->memory, &group->client);
    int32_t *previous =
        memory_keep(group->memory, sizeof(int32_t) * ((size_t)shape.slot_count + 1));
    measure_previous_owners(&group->client, &shape, MEASURE_OWNED, previous, group->memory);
    for (int32_t m = 0; m < group->member_count; m++) {
        members[m] = group->client.members[m];
        struct assign_partition *target =
            memory_keep(group->memory, sizeof(*target) * ((size_t)members[m].owned_count + 1));
        int32_t count = 0;
        for (int32_t i = 0; i < members[m].owned_count; i++) {
            const struct assign_partition partition = members[m].owned[i];
            if (previous[assign_slot(&shape, partition)] == m) target[count++] = partition;
        }
        members[m].owned = target;
        members[m].owned_count = count;
    }
    group->server = group->client;
    group->server.members = members;
    assign_output_free(group->memory, &shape);
}

static void fill_weights(struct assign_group *group)
{
    int32_t slots = 0;
    bool any = false;
    for (int32_t t = 0; t < group->topic_count; t++) {
        slots += group->topics[t].partition_count;
        any = any || group->topics[t].weight != NULL;
    }
    if (!any) return;
    group->weight = memory_keep(group->memory, sizeof(int64_t) * ((size_t)slots + 1));
    int32_t slot = 0;
    for (int32_t t = 0; t < group->topic_count; t++) {
        for (int32_t p = 0; p < group->topics[t].partition_count; p++) {
            group->weight[slot++] =
                group->topics[t].weight == NULL ? 1 : group->topics[t].weight[p];
        }
    }
}

static bool is_too_large(const struct assign_group *group)
{
    int32_t total = 0;
    for (int32_t t = 0; t < group->topic_count; t++) {
        total += group->topics[t].partition_count;
        if (total <= ASSIGN_TOTAL_MAX) continue;
        if (diagnostics_errors(group->diagnostics) > 0) return true; /* counts may be made up */
        diagnostic_error(group->diagnostics, group->topics[t].at,
                         "more than %d partitions in all topics together", ASSIGN_TOTAL_MAX);
        return true;
    }
    return false;
}

bool assign_group_finish(struct assign_group *group)
{
    if (is_too_large(group)) return false;
    for (int32_t m = 0; m < group->member_count; m++) {
        struct group_member *member = &group->members[m];
        if (member->generation < 0 && member->claim_count > 0) member->generation = 1;
    }
    check_instances(group);
    check_claims(group);
    if (diagnostics_errors(group->diagnostics) > 0) return false;
    fill_client(group);
    fill_server(group);
    fill_weights(group);
    return true;
}
