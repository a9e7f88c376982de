/* tools/scenario_set.c: --set PATH=VALUE, applied to the tree before it is read. */
#include "tools/scenario_set.h"

#include "sim/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct setting {
    struct reader *reader;
    const char *option; /* whole, the source of messages */
    int32_t source;
    const char *at; /* what is left of the path */
    const char *equals;
    struct node *value;
};

/* One step down: the part of the path that names it. */
struct step {
    const char *key; /* kept */
    size_t length;
    struct position position;
};

static struct position position_of(const struct setting *setting, const char *at, size_t length)
{
    struct position position = {.source = setting->source, .line = 1, .column = 1};
    for (const char *c = setting->option; c < at; c++) {
        if (((unsigned char)*c & 0xc0) != 0x80) position.column++;
    }
    position.width = (int32_t)length;
    return position;
}

static struct step make_step(const struct setting *setting, size_t length)
{
    char *key = memory_keep(setting->reader->memory, length + 1);
    memcpy(key, setting->at, length);
    return (struct step){key, length, position_of(setting, setting->at, length)};
}

/* The length of `name` if the path goes on with it, else 0. */
static size_t fits(const struct setting *setting, const char *name)
{
    size_t length = strlen(name);
    size_t left = (size_t)(setting->equals - setting->at);
    if (length > left || strncmp(setting->at, name, length) != 0) return 0;
    return length == left || setting->at[length] == '.' ? length : 0;
}

static size_t to_next_dot(const struct setting *setting)
{
    size_t left = (size_t)(setting->equals - setting->at);
    const char *dot = memchr(setting->at, '.', left);
    return dot == NULL ? left : (size_t)(dot - setting->at);
}

/* The longest key of the map that fits; names have no schema. */
static size_t longest_written(const struct setting *setting, const struct node *map)
{
    size_t longest = 0;
    for (size_t i = 0; map != NULL && map->kind == NODE_MAP && i < map->count; i++) {
        size_t length = fits(setting, map->entries[i].key);
        if (length > longest) longest = length;
    }
    return longest;
}

static const struct schema_field *longest_field(const struct setting *setting,
                                                const struct schema_object *object)
{
    const struct schema_field *longest = NULL;
    for (size_t i = 0; i < object->field_count; i++) {
        size_t length = fits(setting, object->fields[i].key);
        if (length > 0 && (longest == NULL || length > strlen(longest->key)))
            longest = &object->fields[i];
    }
    return longest;
}

static struct node *set(struct setting *setting, const struct node *node,
                        const struct schema_field *field, const struct schema_object *object);

/* Replaces or adds one key with what is set below it. */
static struct node *descend(struct setting *setting, const struct node *node, struct step step,
                            const struct schema_field *field, const struct schema_object *object)
{
    struct memory *memory = setting->reader->memory;
    struct node *copy =
        node == NULL ? yaml_new_map(memory, step.position) : yaml_copy(memory, node);
    const struct node *below = reader_written(node, step.key);
    setting->at += step.length;
    if (setting->at < setting->equals) setting->at++; /* the dot */
    struct node *value = set(setting, below, field, object);
    if (value == NULL) return NULL;
    yaml_set(memory, copy, step.key, step.position, value);
    return copy;
}

static struct node *set_in_object(struct setting *setting, const struct node *node,
                                  const struct schema_object *object)
{
    const struct schema_field *field = longest_field(setting, object);
    if (field != NULL)
        return descend(setting, node, make_step(setting, strlen(field->key)), field, NULL);
    /* Kafka's names have dots of their own: the whole rest is what was meant. */
    size_t length =
        object->unused != NULL ? (size_t)(setting->equals - setting->at) : to_next_dot(setting);
    struct step step = make_step(setting, length);
    diagnostic_error(setting->reader->diagnostics, step.position, "unknown key %s in %s", step.key,
                     object->name);
    const char **names = tool_allocate((object->field_count + 1) * sizeof *names);
    for (size_t i = 0; i < object->field_count; i++)
        names[i] = object->fields[i].key;
    reader_suggest(setting->reader, step.key, names, object->field_count);
    free(names);
    return NULL;
}

/* Topics, producers and groups: only what is there can be changed. */
static struct node *set_in_map(struct setting *setting, const struct node *node,
                               const struct schema_field *field)
{
    size_t length = longest_written(setting, node);
    if (length > 0) return descend(setting, node, make_step(setting, length), NULL, field->object);
    struct step step = make_step(setting, to_next_dot(setting));
    diagnostic_error(setting->reader->diagnostics, step.position, "%s has no %s", field->key,
                     step.key);
    size_t count = node == NULL || node->kind != NODE_MAP ? 0 : node->count;
    const char **names = tool_allocate((count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = node->entries[i].key;
    reader_suggest(setting->reader, step.key, names, count);
    free(names);
    return NULL;
}

static struct node *set_in_list(struct setting *setting, const struct node *node)
{
    struct step step = make_step(setting, to_next_dot(setting));
    size_t digits = strspn(step.key, "0123456789");
    size_t index = digits == 0 || digits > 6 ? node->count : strtoul(step.key, NULL, 10);
    if (digits != step.length || index >= node->count) {
        diagnostic_error(setting->reader->diagnostics, step.position,
                         "expected a position from 0 to %zu, found %s",
                         node->count == 0 ? 0 : node->count - 1, step.key);
        return NULL;
    }
    setting->at += step.length;
    if (setting->at < setting->equals) setting->at++;
    struct node *value = set(setting, node->items[index], NULL, NULL);
    if (value == NULL) return NULL;
    struct node *copy = yaml_copy(setting->reader->memory, node);
    copy->items[index] = value;
    return copy;
}

/* Without schema (inside a distribution, an entry of the timeline): keys up to the next dot. */
static struct node *set_in_anything(struct setting *setting, const struct node *node)
{
    if (node != NULL && node->kind == NODE_LIST) return set_in_list(setting, node);
    if (node != NULL && node->kind == NODE_SCALAR) node = NULL; /* 2ms.uniform.low: replaced */
    size_t length = longest_written(setting, node);
    if (length == 0) length = to_next_dot(setting);
    return descend(setting, node, make_step(setting, length), NULL, NULL);
}

/* The new node in place of `node`, or NULL after an error. */
static struct node *set(struct setting *setting, const struct node *node,
                        const struct schema_field *field, const struct schema_object *object)
{
    if (setting->at >= setting->equals) return setting->value;
    if (field != NULL && field->type == SCHEMA_OBJECT) object = field->object;
    if (object != NULL) {
        if (node != NULL && node->kind != NODE_MAP) node = NULL;
        return set_in_object(setting, node, object);
    }
    if (field != NULL && field->type == SCHEMA_MAP) return set_in_map(setting, node, field);
    bool is_leaf =
        field != NULL && field->type != SCHEMA_CUSTOM && field->type != SCHEMA_DISTRIBUTION;
    if (is_leaf) {
        diagnostic_error(setting->reader->diagnostics,
                         position_of(setting, setting->at, to_next_dot(setting)),
                         "%s has nothing below it", field->key);
        return NULL;
    }
    return set_in_anything(setting, node);
}

struct node *scenario_set(struct reader *reader, struct node *root, const char *option)
{
    struct setting setting = {.reader = reader,
                              .option = option,
                              .at = option,
                              .equals = strchr(option, '=')};
    setting.source = diagnostics_add_source(reader->diagnostics, "--set", option, strlen(option));
    if (setting.equals == NULL || setting.equals == option) {
        diagnostic_error(reader->diagnostics, position_of(&setting, option, strlen(option)),
                         "expected PATH=VALUE");
        diagnostic_hint(reader->diagnostics, "for example --set groups.payments.members=20");
        return root;
    }
    const char *value = setting.equals + 1;
    struct position value_at = position_of(&setting, value, 1);
    setting.value = yaml_parse(reader->memory, reader->diagnostics, setting.source, value,
                               strlen(value), value_at.column);
    if (setting.value == NULL) {
        if (value[strspn(value, " ")] == '\0')
            diagnostic_error(reader->diagnostics, value_at, "the value is missing");
        return root;
    }
    struct node *changed = set(&setting, root, NULL, &schema_scenario);
    return changed == NULL ? root : changed;
}
