#include "tools/assign_yaml.h"

#include "tools/yaml_tree.h"

#include "sim/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const top_keys[] = {"topics", "members"};
static const char *const topic_keys[] = {"partitions", "weight", "racks", "id"};
static const char *const member_keys[] = {"id",   "topics",     "instance",
                                          "rack", "generation", "owned"};

static bool is_kind(struct assign_group *group, const struct node *node, enum node_kind kind,
                    const char *label, const char *expected)
{
    if (node->kind == kind) return true;
    diagnostic_error(group->diagnostics, node->at, "%s: expected %s, found %s", label, expected,
                     yaml_describe(node));
    return false;
}

static void check_keys(struct assign_group *group, const struct node *map, const char *label,
                       const char *const *keys, size_t count)
{
    for (size_t i = 0; i < map->count; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++)
            known |= strcmp(map->entries[i].key, keys[k]) == 0;
        if (known) continue;
        diagnostic_error(group->diagnostics, map->entries[i].key_at, "%s: unknown key %s", label,
                         map->entries[i].key);
        const char *nearest = nearest_name(map->entries[i].key, keys, count);
        if (nearest != NULL) diagnostic_hint(group->diagnostics, "did you mean %s?", nearest);
    }
}

/* A whole number of at most 18 digits, nothing else. */
static bool parse_number(const char *text, int64_t *value)
{
    char *end;
    const char *digits = *text == '-' ? text + 1 : text;
    const size_t length = strlen(digits);
    if (length == 0 || length > 18 || strspn(digits, "0123456789") != length) return false;
    *value = strtoll(text, &end, 10);
    return true;
}

static bool read_number(struct assign_group *group, const struct node *node, const char *label,
                        const char *what, int64_t least, int64_t most, int64_t *value)
{
    if (node->kind != NODE_SCALAR || !parse_number(node->text, value)) {
        diagnostic_error(group->diagnostics, node->at, "%s: expected %s, found %s", label, what,
                         node->kind == NODE_SCALAR && node->text[0] != '\0' ? node->text
                                                                            : yaml_describe(node));
    } else if (*value < least || *value > most) {
        diagnostic_error(group->diagnostics, node->at, "%s: %s cannot be %" PRId64, label, what,
                         *value);
    } else {
        return true;
    }
    diagnostic_hint(group->diagnostics, "a whole number from %" PRId64 " to %" PRId64, least, most);
    return false;
}

static const char *read_text(struct assign_group *group, const struct node *node, const char *label,
                             const char *what)
{
    if (!is_kind(group, node, NODE_SCALAR, label, what)) return NULL;
    if (node->text[0] != '\0') return node->text;
    diagnostic_error(group->diagnostics, node->at, "%s: expected %s, found nothing", label, what);
    return NULL;
}

/* racks: one list of replica racks per partition; null = a broker without a rack. */
static void read_racks(struct assign_group *group, const struct node *node, const char *label,
                       struct group_topic *topic)
{
    if (!is_kind(group, node, NODE_LIST, label, "a list of racks per partition")) return;
    if (node->count != (size_t)topic->partition_count) {
        diagnostic_error(group->diagnostics, node->at,
                         "%s: expected one list for each of the %" PRId32 " partitions, found %zu",
                         label, topic->partition_count, node->count);
        return;
    }
    size_t slots = 1;
    for (size_t p = 0; p < node->count; p++) {
        if (node->items[p]->kind == NODE_LIST && node->items[p]->count > slots) {
            slots = node->items[p]->count;
        }
    }
    name_id *racks = memory_keep(group->memory, sizeof(name_id) * slots * node->count);
    for (size_t p = 0; p < node->count; p++) {
        const struct node *replicas = node->items[p];
        if (!is_kind(group, replicas, NODE_LIST, label, "a list of racks")) return;
        for (size_t i = 0; i < replicas->count; i++) {
            const struct node *rack = replicas->items[i];
            if (!is_kind(group, rack, NODE_SCALAR, label, "the name of a rack")) return;
            const bool none =
                rack->plain && (strcmp(rack->text, "null") == 0 || strcmp(rack->text, "~") == 0);
            if (!none && rack->text[0] != '\0') {
                racks[p * slots + i] = names_intern(group->names, rack->text);
            }
        }
    }
    topic->racks = racks;
    topic->rack_slots = (int32_t)slots;
}

/* weight: one number for every partition, or a list with one each. */
static void read_weight(struct assign_group *group, const struct node *node, const char *label,
                        struct group_topic *topic)
{
    const size_t count = (size_t)topic->partition_count;
    if (node->kind == NODE_LIST && node->count != count) {
        diagnostic_error(group->diagnostics, node->at,
                         "%s: expected one number for each of the %zu partitions, found %zu", label,
                         count, node->count);
        return;
    }
    topic->weight = memory_keep(group->memory, sizeof(int64_t) * (count + 1));
    for (size_t p = 0; p < count; p++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[p] : node;
        const bool good = read_number(group, item, label, "a weight", 0, INT64_C(1000000000000),
                                      &topic->weight[p]);
        if (!good && node->kind != NODE_LIST) return;
    }
}

/* A topic id in Kafka's base64 form is what describe-topics prints, but only the order of ids
 * matters here: the hexadecimal form is enough. */
static void read_id(struct assign_group *group, const struct node *node, const char *label,
                    struct group_topic *topic)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t halves[2] = {0, 0};
    int digits = 0;
    const char *text = node->kind == NODE_SCALAR ? node->text : "";
    for (; *text != '\0' && digits <= 32; text++) {
        if (*text == '-') continue;
        const char *digit = strchr(hex, *text | 0x20);
        if (digit == NULL || digits == 32) break;
        halves[digits / 16] = halves[digits / 16] * 16 + (uint64_t)(digit - hex);
        digits++;
    }
    if (*text != '\0' || digits != 32) {
        diagnostic_error(group->diagnostics, node->at, "%s: expected a topic id", label);
        diagnostic_hint(group->diagnostics, "such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301");
        return;
    }
    topic->id_high = (int64_t)halves[0];
    topic->id_low = (int64_t)halves[1];
}

static void read_topic(struct assign_group *group, const struct entry *entry)
{
    char label[300];
    const struct node *node = entry->value;
    const struct entry *count_entry = yaml_find(node, "partitions");
    const struct node *count_node =
        node->kind == NODE_MAP && count_entry != NULL ? count_entry->value : node;
    int64_t count = 1;
    snprintf(label, sizeof(label), "topics.%.200s", entry->key);
    if (node->kind == NODE_MAP) {
        check_keys(group, node, label, topic_keys, ARRAY_LEN(topic_keys));
        if (count_entry == NULL) {
            diagnostic_error(group->diagnostics, entry->key_at, "%s: partitions is missing", label);
            diagnostic_hint(group->diagnostics, "partitions: 12");
            count_node = NULL;
        }
    }
    if (count_node != NULL && !read_number(group, count_node, label, "a number of partitions", 1,
                                           ASSIGN_PARTITIONS_MAX, &count)) {
        count = ASSIGN_PARTITIONS_MAX; /* claims on it are not to blame */
    }
    struct group_topic *topic =
        assign_group_add_topic(group, entry->key, (int32_t)count, entry->key_at);
    if (topic == NULL) return;
    const struct {
        const char *key;
        void (*read)(struct assign_group *, const struct node *, const char *,
                     struct group_topic *);
    } parts[] = {{"racks", read_racks}, {"weight", read_weight}, {"id", read_id}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct entry *part = yaml_find(node, parts[i].key);
        if (part == NULL || diagnostics_errors(group->diagnostics) > 0) continue;
        snprintf(label, sizeof(label), "topics.%.200s.%s", entry->key, parts[i].key);
        parts[i].read(group, part->value, label, topic);
    }
}

/* "7" or "0-5". */
static void read_partitions(struct assign_group *group, const struct node *node, const char *label,
                            struct group_member *member, int32_t topic)
{
    int64_t first;
    int64_t last;
    char low[20] = "";
    if (!is_kind(group, node, NODE_SCALAR, label, "partitions")) return;
    const char *dash = node->text[0] == '\0' ? NULL : strchr(node->text + 1, '-');
    const size_t length = dash == NULL ? strlen(node->text) : (size_t)(dash - node->text);
    if (length < sizeof(low)) memcpy(low, node->text, length);
    if (!parse_number(low, &first) || !parse_number(dash == NULL ? low : dash + 1, &last) ||
        first > last) {
        diagnostic_error(group->diagnostics, node->at, "%s: expected partitions, found %s", label,
                         node->text[0] == '\0' ? yaml_describe(node) : node->text);
        diagnostic_hint(group->diagnostics, "such as 3, 0-5 or [0, 2, 4-7]");
        return;
    }
    if (first < 0 || last > ASSIGN_PARTITIONS_MAX) {
        diagnostic_error(group->diagnostics, node->at,
                         "%s: a partition is a number from 0 to %d, not %s", label,
                         ASSIGN_PARTITIONS_MAX, node->text);
        return;
    }
    for (int64_t p = first; p <= last; p++) {
        const struct assign_partition partition = {.topic = topic, .partition = (int32_t)p};
        assign_group_claim(group, member, partition, node->at);
    }
}

static void read_owned(struct assign_group *group, const struct node *node, const char *label,
                       struct group_member *member)
{
    if (!is_kind(group, node, NODE_MAP, label, "a map of topics with their partitions")) return;
    for (size_t i = 0; i < node->count; i++) {
        const struct entry *entry = &node->entries[i];
        const int32_t topic = assign_group_need_topic(group, entry->key, entry->key_at, label);
        if (topic < 0) continue;
        const struct node *list = entry->value;
        if (list->kind != NODE_LIST) {
            read_partitions(group, list, label, member, topic);
            continue;
        }
        for (size_t k = 0; k < list->count; k++) {
            read_partitions(group, list->items[k], label, member, topic);
        }
    }
}

static void read_topics(struct assign_group *group, const struct node *node, const char *label,
                        struct group_member *member)
{
    const size_t count = node->kind == NODE_LIST ? node->count : 1;
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node->kind == NODE_LIST ? node->items[i] : node;
        const char *name = read_text(group, item, label, "a topic");
        if (name == NULL) continue;
        const int32_t topic = assign_group_need_topic(group, name, item->at, label);
        if (topic >= 0) assign_group_subscribe(group, member, topic);
    }
}

static void read_member(struct assign_group *group, const char *id, struct position at,
                        const struct node *node)
{
    char prefix[260];
    char label[300];
    snprintf(prefix, sizeof(prefix), "members.%.200s", id);
    if (!is_kind(group, node, NODE_MAP, prefix, "a map with topics and owned")) return;
    check_keys(group, node, prefix, member_keys, ARRAY_LEN(member_keys));
    struct group_member *member = assign_group_add_member(group, id, at);
    if (member == NULL) return;
    for (size_t i = 0; i < node->count; i++) {
        const struct entry *entry = &node->entries[i];
        int64_t number;
        snprintf(label, sizeof(label), "%s.%.30s", prefix, entry->key);
        if (strcmp(entry->key, "topics") == 0) {
            read_topics(group, entry->value, label, member);
        } else if (strcmp(entry->key, "owned") == 0) {
            read_owned(group, entry->value, label, member);
        } else if (strcmp(entry->key, "instance") == 0) {
            member->instance = read_text(group, entry->value, label, "a group.instance.id");
            member->instance_at = entry->value->at;
        } else if (strcmp(entry->key, "rack") == 0) {
            member->rack = read_text(group, entry->value, label, "the name of a rack");
        } else if (strcmp(entry->key, "generation") == 0 &&
                   read_number(group, entry->value, label, "a generation", 0, INT32_MAX - 1,
                               &number)) {
            member->generation = (int32_t)number;
        }
    }
    if (yaml_find(node, "topics") == NULL) {
        diagnostic_error(group->diagnostics, at, "%s: topics is missing", prefix);
        diagnostic_hint(group->diagnostics, "what the member subscribes to: topics: [orders]");
    }
}

static void read_members(struct assign_group *group, const struct node *node)
{
    if (node->kind == NODE_MAP) {
        for (size_t i = 0; i < node->count; i++) {
            const struct entry *entry = &node->entries[i];
            read_member(group, entry->key, entry->key_at, entry->value);
        }
        return;
    }
    if (!is_kind(group, node, NODE_LIST, "members", "a map, or a list of maps with an id each")) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i];
        const struct entry *id = yaml_find(item, "id");
        if (id == NULL) {
            diagnostic_error(group->diagnostics, item->at, "members: expected a map with an id");
            continue;
        }
        const char *text = read_text(group, id->value, "members", "an id");
        if (text != NULL) read_member(group, text, id->value->at, item);
    }
}

void assign_yaml_read(struct assign_group *group, int32_t source, const char *text, size_t length)
{
    const struct node *root =
        yaml_parse(group->memory, group->diagnostics, source, text, length, 1);
    if (root == NULL || !is_kind(group, root, NODE_MAP, "group", "a map with topics and members")) {
        return;
    }
    check_keys(group, root, "group", top_keys, ARRAY_LEN(top_keys));
    const struct entry *topics = yaml_find(root, "topics");
    const struct entry *members = yaml_find(root, "members");
    if (topics == NULL) {
        diagnostic_error(group->diagnostics, root->at, "topics is missing");
        diagnostic_hint(group->diagnostics, "topics: {orders: 12}");
    } else if (is_kind(group, topics->value, NODE_MAP, "topics", "a map of topics")) {
        for (size_t i = 0; i < topics->value->count; i++) {
            read_topic(group, &topics->value->entries[i]);
        }
    }
    if (members == NULL) {
        diagnostic_error(group->diagnostics, root->at, "members is missing");
        diagnostic_hint(group->diagnostics, "members: {c1: {topics: [orders]}}");
    } else if (topics != NULL) {
        read_members(group, members->value);
    }
}
