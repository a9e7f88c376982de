/* tools/schema_hooks_kafka.c: Kafka's settings whose values are a little language of their own. */
#include "tools/schema_hooks.h"

#include "sim/check.h"
#include "sim/time.h"

#include <jansson.h>
#include <string.h>

/* A name and the class that Kafka's documentation uses for it. */
struct assignor_name {
    const char *name;
    const char *class;
};
#define CLIENT_PACKAGE "org.apache.kafka.clients.consumer."
#define SERVER_PACKAGE "org.apache.kafka.coordinator.group.assignor."
static const struct assignor_name client_assignors[] = {
    {"range", CLIENT_PACKAGE "RangeAssignor"},
    {"roundrobin", CLIENT_PACKAGE "RoundRobinAssignor"},
    {"sticky", CLIENT_PACKAGE "StickyAssignor"},
    {"cooperative-sticky", CLIENT_PACKAGE "CooperativeStickyAssignor"},
};
static const struct assignor_name server_assignors[] = {
    {"uniform", SERVER_PACKAGE "UniformAssignor"},
    {"range", SERVER_PACKAGE "RangeAssignor"},
};

static const char *find_assignor(const struct assignor_name *table, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, word) == 0 || strcmp(table[i].class, word) == 0)
            return table[i].name;
    }
    return NULL;
}

/* Fills names[CONFIG_STRATEGIES_MAX] from a list of names or classes. */
static void read_assignors(struct reader *reader, const char *label, const struct node *node,
                           const struct assignor_name *table, size_t table_count,
                           const char **names, int32_t *name_count)
{
    const struct node **items;
    size_t count;
    if (!reader_scalars(reader, label, node, true, &items, &count)) return;
    *name_count = 0;
    if (count == 0 || count > CONFIG_STRATEGIES_MAX) {
        diagnostic_error(reader->diagnostics, node->at, "%s: expected 1 to %d assignors", label,
                         CONFIG_STRATEGIES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = find_assignor(table, table_count, items[i]->text);
        if (name == NULL) {
            const char *known[CONFIG_STRATEGIES_MAX];
            for (size_t k = 0; k < table_count; k++)
                known[k] = table[k].name;
            diagnostic_error(reader->diagnostics, items[i]->at, "%s: no assignor is called %s",
                             label, items[i]->text);
            reader_suggest(reader, items[i]->text, known, table_count);
            continue;
        }
        for (int32_t before = 0; before < *name_count; before++) {
            if (names[before] == name)
                diagnostic_error(reader->diagnostics, items[i]->at, "%s: %s stands here twice",
                                 label, name);
        }
        names[(*name_count)++] = name;
    }
}

static void write_assignors(struct writer *writer, const char *const *names, int32_t count)
{
    text_append(writer->out, " [");
    for (int32_t i = 0; i < count; i++)
        text_format(writer->out, "%s%s", i == 0 ? "" : ", ", names[i]);
    text_append(writer->out, "]");
}

static json_t *assignors_json(const struct assignor_name *table, size_t count)
{
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(names, json_string(table[i].name));
        json_array_append_new(names, json_string(table[i].class));
    }
    json_t *list = json_pack("{s:s, s:{s:O}, s:i, s:i}", "type", "array", "items", "enum", names,
                             "minItems", 1, "maxItems", CONFIG_STRATEGIES_MAX);
    /* One name, or several between commas as in a properties file. */
    json_decref(names);
    return json_pack("{s:[o, {s:s}]}", "anyOf", list, "type", "string");
}

static void read_client_assignors(struct reader *reader, const struct schema_field *field,
                                  const struct node *node, void *base)
{
    struct consumer_config *config = base;
    read_assignors(reader, field->key, node, client_assignors, ARRAY_LEN(client_assignors),
                   config->partition_assignment_strategy,
                   &config->partition_assignment_strategy_count);
}

static void write_client_assignors(struct writer *writer, const struct schema_field *field,
                                   const void *base)
{
    (void)field;
    const struct consumer_config *config = base;
    write_assignors(writer, config->partition_assignment_strategy,
                    config->partition_assignment_strategy_count);
}

static json_t *client_assignors_json(const struct schema_field *field)
{
    (void)field;
    return assignors_json(client_assignors, ARRAY_LEN(client_assignors));
}

const struct schema_hooks hooks_client_assignors = {
    .read = read_client_assignors,
    .write = write_client_assignors,
    .json = client_assignors_json,
    .grammar = "a list of range, roundrobin, sticky, cooperative-sticky",
};

static void read_server_assignors(struct reader *reader, const struct schema_field *field,
                                  const struct node *node, void *base)
{
    struct broker_config *config = base;
    read_assignors(reader, field->key, node, server_assignors, ARRAY_LEN(server_assignors),
                   config->group_consumer_assignors, &config->group_consumer_assignor_count);
}

static void write_server_assignors(struct writer *writer, const struct schema_field *field,
                                   const void *base)
{
    (void)field;
    const struct broker_config *config = base;
    write_assignors(writer, config->group_consumer_assignors,
                    config->group_consumer_assignor_count);
}

static json_t *server_assignors_json(const struct schema_field *field)
{
    (void)field;
    return assignors_json(server_assignors, ARRAY_LEN(server_assignors));
}

const struct schema_hooks hooks_server_assignors = {
    .read = read_server_assignors,
    .write = write_server_assignors,
    .json = server_assignors_json,
    .grammar = "a list of uniform, range",
};

/* KIP-1106: by_duration:PT1H30M, an ISO 8601 duration; 1h30m is taken too. */
#define BY_DURATION "by_duration:"

static bool read_iso_duration(struct reader *reader, const char *label, const struct node *node,
                              const char *text, int64_t *duration_ns)
{
    struct text spelt = {0};
    bool in_time = false;
    bool is_iso = text[0] == 'P';
    for (const char *at = is_iso ? text + 1 : text; *at != '\0'; at++) {
        if (is_iso && *at == 'T') {
            in_time = true;
        } else if (is_iso && strchr("WDHMS", *at) != NULL && (in_time || *at != 'M')) {
            text_format(&spelt, "%c", *at | 0x20);
        } else {
            text_append_bytes(&spelt, at, 1);
        }
    }
    struct value_place place = {reader->diagnostics, node->at, label};
    bool good = value_parse(&place, QUANTITY_DURATION, text_data(&spelt), 0, NULL, duration_ns);
    text_free(&spelt);
    return good;
}

static void read_offset_reset(struct reader *reader, const struct schema_field *field,
                              const struct node *node, void *base)
{
    struct consumer_config *config = base;
    static const struct {
        const char *word;
        enum auto_offset_reset reset;
    } words[] = {{"latest", RESET_LATEST}, {"earliest", RESET_EARLIEST}, {"none", RESET_NONE}};
    if (!reader_is(reader, field->key, node, NODE_SCALAR, field->hooks->grammar)) return;
    config->auto_offset_reset_duration_ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(node->text, words[i].word) != 0) continue;
        config->auto_offset_reset = words[i].reset;
        return;
    }
    if (strncmp(node->text, BY_DURATION, strlen(BY_DURATION)) == 0) {
        int64_t duration_ns;
        if (!read_iso_duration(reader, field->key, node, node->text + strlen(BY_DURATION),
                               &duration_ns))
            return;
        config->auto_offset_reset = RESET_BY_DURATION;
        config->auto_offset_reset_duration_ms = duration_ns / MILLISECONDS(1);
        return;
    }
    static const char *const names[] = {"latest", "earliest", "none", "by_duration:PT1H"};
    diagnostic_error(reader->diagnostics, node->at, "%s: no policy is called %s", field->key,
                     node->text);
    reader_suggest(reader, node->text, names, ARRAY_LEN(names));
}

static void write_offset_reset(struct writer *writer, const struct schema_field *field,
                               const void *base)
{
    (void)field;
    const struct consumer_config *config = base;
    switch (config->auto_offset_reset) {
    case RESET_LATEST: text_append(writer->out, " latest"); break;
    case RESET_EARLIEST: text_append(writer->out, " earliest"); break;
    case RESET_NONE: text_append(writer->out, " none"); break;
    case RESET_BY_DURATION:
        text_append(writer->out, " " BY_DURATION);
        writer_quantity(writer, QUANTITY_DURATION,
                        config->auto_offset_reset_duration_ms * MILLISECONDS(1));
        break;
    }
}

static json_t *offset_reset_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:s, s:s}", "type", "string", "pattern",
                     "^(latest|earliest|none|by_duration:.+)$");
}

const struct schema_hooks hooks_offset_reset = {
    .read = read_offset_reset,
    .write = write_offset_reset,
    .json = offset_reset_json,
    .grammar = "latest, earliest, none or by_duration:PT1H",
};

/* One string per process in Kafka; here it says whether each member has one. A properties file
 * has a placeholder for the pod's name, which comes to the same. */
static void read_instance_id(struct reader *reader, const struct schema_field *field,
                             const struct node *node, void *base)
{
    struct consumer_config *config = base;
    if (!reader_is(reader, field->key, node, NODE_SCALAR, field->hooks->grammar)) return;
    bool is_placeholder = strchr(node->text, '$') != NULL || strchr(node->text, '{') != NULL;
    config->group_instance_id = NULL;
    if (strcmp(node->text, "none") == 0) {
        config->static_membership = false;
    } else if (strcmp(node->text, "member") == 0 || is_placeholder) {
        config->static_membership = true;
    } else if (reader->of_one_member) {
        config->static_membership = true;
        config->group_instance_id = reader_keep(reader, node->text);
    } else {
        diagnostic_error(reader->diagnostics, node->at, "%s: expected %s, found %s", field->key,
                         field->hooks->grammar, node->text);
        diagnostic_hint(reader->diagnostics,
                        "one id for all members would fence all but one; `member` gives each its "
                        "own name");
    }
}

static void write_instance_id(struct writer *writer, const struct schema_field *field,
                              const void *base)
{
    (void)field;
    const struct consumer_config *config = base;
    text_append(writer->out, " ");
    if (config->group_instance_id != NULL) {
        writer_text(writer, config->group_instance_id);
    } else {
        text_append(writer->out, config->static_membership ? "member" : "none");
    }
}

static json_t *instance_id_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:s, s:s}", "type", "string", "pattern", "^.+$");
}

const struct schema_hooks hooks_instance_id = {
    .read = read_instance_id,
    .write = write_instance_id,
    .json = instance_id_json,
    .grammar = "none, member, or a placeholder such as ${POD_NAME}",
};

static const char *const migration_policies[] = {"bidirectional", "upgrade", "downgrade",
                                                 "disabled"};

static void read_migration_policy(struct reader *reader, const struct schema_field *field,
                                  const struct node *node, void *base)
{
    struct broker_config *config = base;
    if (!reader_is(reader, field->key, node, NODE_SCALAR, field->hooks->grammar)) return;
    for (size_t i = 0; i < ARRAY_LEN(migration_policies); i++) {
        if (strcmp(node->text, migration_policies[i]) != 0) continue;
        config->group_consumer_migration_policy = migration_policies[i];
        return;
    }
    diagnostic_error(reader->diagnostics, node->at, "%s: no policy is called %s", field->key,
                     node->text);
    reader_suggest(reader, node->text, migration_policies, ARRAY_LEN(migration_policies));
}

static void write_migration_policy(struct writer *writer, const struct schema_field *field,
                                   const void *base)
{
    (void)field;
    const struct broker_config *config = base;
    text_format(writer->out, " %s", config->group_consumer_migration_policy);
}

static json_t *migration_policy_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:[s, s, s, s]}", "enum", migration_policies[0], migration_policies[1],
                     migration_policies[2], migration_policies[3]);
}

const struct schema_hooks hooks_migration_policy = {
    .read = read_migration_policy,
    .write = write_migration_policy,
    .json = migration_policy_json,
    .grammar = "bidirectional, upgrade, downgrade or disabled",
};

static const char *const cleanup_policies[] = {"compact", "delete"};

static void read_cleanup_policy(struct reader *reader, const struct schema_field *field,
                                const struct node *node, void *base)
{
    struct scenario_topic *topic = base;
    const struct node **policies;
    size_t count;
    bool deletes = false;
    if (!reader_scalars(reader, field->key, node, true, &policies, &count)) return;
    topic->compact = false;
    for (size_t i = 0; i < count; i++) {
        bool is_compact = strcmp(policies[i]->text, "compact") == 0;
        if (!is_compact && strcmp(policies[i]->text, "delete") != 0) {
            diagnostic_error(reader->diagnostics, policies[i]->at, "%s: expected %s, found %s",
                             field->key, field->hooks->grammar, policies[i]->text);
            reader_suggest(reader, policies[i]->text, cleanup_policies,
                           ARRAY_LEN(cleanup_policies));
            return;
        }
        topic->compact |= is_compact;
        deletes |= !is_compact;
    }
    topic->compact_and_delete = topic->compact && deletes;
}

static void write_cleanup_policy(struct writer *writer, const struct schema_field *field,
                                 const void *base)
{
    (void)field;
    const struct scenario_topic *topic = base;
    text_append(writer->out, topic->compact_and_delete ? " [compact, delete]"
                             : topic->compact          ? " compact"
                                                       : " delete");
}

static json_t *cleanup_policy_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:[{s:[s, s, s, s]}, {s:s, s:{s:[s, s]}}]}", "anyOf", "enum", "delete",
                     "compact", "compact,delete", "delete,compact", "type", "array", "items",
                     "enum", "delete", "compact");
}

const struct schema_hooks hooks_cleanup_policy = {
    .read = read_cleanup_policy,
    .write = write_cleanup_policy,
    .json = cleanup_policy_json,
    .grammar = "delete, compact or both",
};
