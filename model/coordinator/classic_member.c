/* model/coordinator/classic_member.c: what members bring along (protocols, metadata, assignment),
 * the vote, and requests that wait in them. */
#include "model/coordinator/classic_group.h"

#include "model/java_string.h"

#include "sim/check.h"

#include <string.h>

#define SMALL_INITIAL 4

static struct protocol_support *find_support(const struct classic_group *classic, name_id name)
{
    for (int32_t i = 0; i < classic->support_count; i++) {
        if (classic->support[i].name == name) return &classic->support[i];
    }
    return NULL;
}

static void count_support(struct coordinator *coordinator, struct classic_group *classic,
                          const struct classic_member *member, int32_t difference)
{
    for (int32_t i = 0; i < member->protocol_count; i++) {
        struct protocol_support *support = find_support(classic, member->protocols[i].name);
        if (support == NULL) {
            if (classic->support_count == classic->support_capacity) {
                int32_t capacity =
                    classic->support_capacity == 0 ? SMALL_INITIAL : classic->support_capacity * 2;
                classic->support =
                    memory_resize(coordinator->memory, classic->support,
                                  sizeof(*support) * (size_t)classic->support_capacity,
                                  sizeof(*support) * (size_t)capacity);
                classic->support_capacity = capacity;
            }
            support = &classic->support[classic->support_count++];
            *support = (struct protocol_support){.name = member->protocols[i].name};
        }
        support->members += difference;
        CHECK(support->members >= 0);
    }
}

void classic_set_protocols(struct coordinator *coordinator, struct classic_group *classic,
                           struct classic_member *member, const struct group_protocol *protocols,
                           int32_t count)
{
    struct memory *memory = coordinator->memory;
    count_support(coordinator, classic, member, -1);

    size_t list_size = sizeof(*protocols) * (size_t)count;
    size_t size = list_size;
    for (int32_t i = 0; i < count; i++)
        size += protocols[i].metadata.length;
    struct group_protocol *copy = NULL;
    if (size > 0) {
        copy = memory_take(memory, size);
        memcpy(copy, protocols, list_size);
        uint8_t *bytes = (uint8_t *)copy + list_size;
        for (int32_t i = 0; i < count; i++) {
            uint32_t length = protocols[i].metadata.length;
            if (length > 0) memcpy(bytes, protocols[i].metadata.data, length);
            copy[i].metadata.data = bytes;
            bytes += length;
        }
    }
    memory_give(memory, member->protocols, member->protocols_size);
    member->protocols = copy;
    member->protocol_count = count;
    member->protocols_size = (uint32_t)size;
    count_support(coordinator, classic, member, +1);
}

void classic_set_assignment(struct coordinator *coordinator, struct classic_member *member,
                            struct bytes assignment)
{
    uint8_t *copy = NULL;
    if (assignment.length > 0) {
        copy = memory_take(coordinator->memory, assignment.length);
        memcpy(copy, assignment.data, assignment.length);
    }
    memory_give(coordinator->memory, member->assignment_block, member->assignment.length);
    member->assignment_block = copy;
    member->assignment = (struct bytes){.data = copy, .length = assignment.length};
}

void classic_park_join(struct coordinator *coordinator, struct classic_group *classic,
                       struct classic_member *member, struct parked_request *parked)
{
    if (member->join == NULL) classic->awaiting_join_count++;
    parked_abandon(coordinator, &member->join);
    member->join = parked;
}

void classic_park_sync(struct coordinator *coordinator, struct classic_member *member,
                       struct parked_request *parked)
{
    parked_abandon(coordinator, &member->sync);
    member->sync = parked;
}

bool classic_answer_join(struct coordinator *coordinator, struct classic_group *classic,
                         struct classic_member *member, struct join_group_response *response)
{
    if (member->join == NULL) {
        message_free(coordinator->memory, &response->head);
        return false;
    }
    classic->awaiting_join_count--;
    parked_answer(coordinator, &member->join, &response->head);
    return true;
}

bool classic_answer_sync(struct coordinator *coordinator, struct classic_member *member,
                         struct sync_group_response *response)
{
    if (member->sync == NULL) {
        message_free(coordinator->memory, &response->head);
        return false;
    }
    parked_answer(coordinator, &member->sync, &response->head);
    return true;
}

bool classic_supports(const struct classic_group *classic, name_id protocol_type,
                      const struct group_protocol *protocols, int32_t count)
{
    bool type_given = protocol_type != NAME_NONE && protocol_type != NAME_EMPTY;
    if (classic->state == GROUP_EMPTY) return type_given && count > 0;
    if (!type_given || classic->protocol_type != protocol_type) return false;
    for (int32_t i = 0; i < count; i++) {
        const struct protocol_support *support = find_support(classic, protocols[i].name);
        /* With no member left (all gone in a rebalance) every protocol is supported by all. */
        if ((support == NULL ? 0 : support->members) == classic->member_count) return true;
    }
    return false;
}

bool classic_same_metadata(const struct classic_member *member,
                           const struct group_protocol *protocols, int32_t count)
{
    if (member->protocol_count != count) return false;
    for (int32_t i = 0; i < count; i++) {
        struct bytes old = member->protocols[i].metadata, new = protocols[i].metadata;
        if (member->protocols[i].name != protocols[i].name || old.length != new.length ||
            (old.length > 0 && memcmp(old.data, new.data, old.length) != 0))
            return false;
    }
    return true;
}

struct bytes classic_metadata(const struct classic_member *member, name_id protocol)
{
    for (int32_t i = 0; i < member->protocol_count; i++) {
        if (member->protocols[i].name == protocol) return member->protocols[i].metadata;
    }
    return (struct bytes){0};
}

/* A tie goes to the name that Java's HashMap walks over first: buckets in order of the spread hash,
 * so range is before cooperative-sticky. 16 buckets hold up to 12 protocols. Two names in one
 * bucket would stand in the order of their first vote; ours is alphabetical. */
#define HASH_MAP_BUCKETS 16

static uint32_t bucket_of(const struct names *names, name_id name)
{
    uint32_t hash = (uint32_t)java_string_hash(names_text(names, name), names_length(names, name));
    return (hash ^ (hash >> 16)) & (HASH_MAP_BUCKETS - 1);
}

static bool is_walked_before(const struct names *names, name_id a, name_id b)
{
    uint32_t bucket_a = bucket_of(names, a), bucket_b = bucket_of(names, b);
    return bucket_a != bucket_b ? bucket_a < bucket_b : names_compare(names, a, b) < 0;
}

name_id classic_vote(const struct coordinator *coordinator, const struct classic_group *classic)
{
    CHECK(classic->member_count > 0);
    int32_t *votes =
        memory_take(coordinator->memory, sizeof(*votes) * (size_t)(classic->support_count + 1));
    for (int32_t i = 0; i < classic->member_count; i++) {
        const struct classic_member *member = classic->members[i];
        for (int32_t p = 0; p < member->protocol_count; p++) {
            struct protocol_support *support = find_support(classic, member->protocols[p].name);
            if (support->members != classic->member_count) continue;
            votes[support - classic->support]++;
            break;
        }
    }
    int32_t best = -1;
    for (int32_t i = 0; i < classic->support_count; i++) {
        if (votes[i] == 0) continue;
        if (best < 0 || votes[i] > votes[best] ||
            (votes[i] == votes[best] &&
             is_walked_before(coordinator->names, classic->support[i].name,
                              classic->support[best].name)))
            best = i;
    }
    memory_give(coordinator->memory, votes, sizeof(*votes) * (size_t)(classic->support_count + 1));
    CHECK(best >= 0);
    return classic->support[best].name;
}
