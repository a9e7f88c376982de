/* tools/yaml_tree.c: a YAML text as a tree that remembers where everything stood. */
#include "tools/yaml_tree.h"

#include "sim/check.h"
#include "tools/text.h"

#include <yaml.h>

#include <stdlib.h>
#include <string.h>

#define ANCHORS_MAX 1000

struct anchor {
    const char *name;
    struct position at;
    struct node *node;
    bool open; /* still being read: an alias to it would be a cycle */
};

struct builder {
    struct memory *memory;
    struct diagnostics *diagnostics;
    yaml_parser_t parser;
    int32_t source;
    const char *text;
    size_t length;
    int32_t first_column;
    struct anchor *anchors;
    size_t anchor_count;
    bool stopped; /* an error after which nothing more can be read */
};

static struct position position_of(const struct builder *builder, yaml_mark_t start,
                                   yaml_mark_t end)
{
    struct position at = {.source = builder->source,
                          .line = (int32_t)start.line + 1,
                          .column = (int32_t)start.column + 1};
    if (start.line == 0) at.column += builder->first_column - 1;
    if (end.line == start.line && end.column > start.column)
        at.width = (int32_t)(end.column - start.column);
    return at;
}

static struct node *new_node(struct builder *builder, enum node_kind kind, struct position at)
{
    struct node *node = memory_keep(builder->memory, sizeof *node);
    *node = (struct node){.kind = kind, .at = at, .size = 1};
    return node;
}

static const char *keep_text(struct memory *memory, const char *text, size_t length)
{
    char *copy = memory_keep(memory, length + 1);
    memcpy(copy, text, length);
    return copy;
}

/* libyaml's words for the mistakes people make, in ours. */
static const struct {
    const char *problem;
    const char *said;
    const char *hint;
} problems[] = {
    {"mapping values are not allowed in this context", "a ':' where no key can stand",
     "is the line indented like its neighbours, or a text with ': ' not in quotes?"},
    {"could not find expected ':'", "a key without ':'", "write `key: value`"},
    {"did not find expected key", "neither a key nor the end of the map",
     "is the line indented like its neighbours?"},
    {"did not find expected '-' indicator", "neither '- ' nor the end of the list",
     "is the line indented like its neighbours?"},
    {"did not find expected ',' or '}'", "a '{' without its '}'", "expected ',' or '}' here"},
    {"did not find expected ',' or ']'", "a '[' without its ']'", "expected ',' or ']' here"},
    {"did not find expected <document start>", "something after the end of the document", NULL},
    {"found unexpected end of stream", "a quoted text that does not end", NULL},
    {"block sequence entries are not allowed in this context", "a '- ' where no list can stand",
     "put the list on lines of its own below the key"},
    {"found undefined tag handle", "tags (!x) have no meaning here", NULL},
};

/* The byte at a mark, which counts characters; 0 past the end. */
static char byte_at(const struct builder *builder, yaml_mark_t mark)
{
    size_t line = 0;
    size_t column = 0;
    for (size_t i = 0; i < builder->length; i++) {
        char byte = builder->text[i];
        if (((unsigned char)byte & 0xc0) == 0x80) continue;
        if (line == mark.line && column == mark.column) return byte;
        column++;
        if (byte == '\n') {
            line++;
            column = 0;
        }
    }
    return 0;
}

/* libyaml is on a line of its own when the text ends; people look behind the last thing written. */
static yaml_mark_t last_mark(const struct builder *builder, yaml_mark_t mark)
{
    if (byte_at(builder, mark) != 0) return mark;
    size_t length = builder->length;
    while (length > 0 && strchr(" \t\r\n", builder->text[length - 1]) != NULL)
        length--;
    mark.line = 0;
    mark.column = 0;
    for (size_t i = 0; i < length; i++) {
        if (((unsigned char)builder->text[i] & 0xc0) == 0x80) continue;
        mark.column++;
        if (builder->text[i] != '\n') continue;
        mark.line++;
        mark.column = 0;
    }
    return mark;
}

static void report_problem(struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    builder->stopped = true;
    yaml_mark_t mark = last_mark(builder, parser->problem_mark);
    struct position at = position_of(builder, mark, mark);
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;
    if (strcmp(problem, "found character that cannot start any token") == 0) {
        if (byte_at(builder, parser->problem_mark) == '\t') {
            diagnostic_error(builder->diagnostics, at, "a tab; YAML is indented with spaces only");
            return;
        }
        diagnostic_error(builder->diagnostics, at, "this character cannot start a value");
        diagnostic_hint(builder->diagnostics, "put the text in quotes");
        return;
    }
    const char *said = problem;
    const char *hint = NULL;
    for (size_t i = 0; i < ARRAY_LEN(problems); i++) {
        if (strcmp(problem, problems[i].problem) != 0) continue;
        said = problems[i].said;
        hint = problems[i].hint;
    }
    diagnostic_error(builder->diagnostics, at, "not YAML: %s", said);
    if (hint != NULL) diagnostic_hint(builder->diagnostics, "%s", hint);
    if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line)
        diagnostic_note(builder->diagnostics,
                        position_of(builder, parser->context_mark, parser->context_mark), "%s",
                        parser->context);
}

static bool next_event(struct builder *builder, yaml_event_t *event)
{
    if (builder->stopped) return false;
    if (yaml_parser_parse(&builder->parser, event)) return true;
    report_problem(builder);
    return false;
}

/* Stops the reading: what follows cannot be trusted or would take forever. */
static struct node *stop(struct builder *builder, struct position at, const char *why)
{
    if (!builder->stopped) diagnostic_error(builder->diagnostics, at, "%s", why);
    builder->stopped = true;
    return NULL;
}

static struct anchor *open_anchor(struct builder *builder, const yaml_char_t *name,
                                  struct position at, struct node *node)
{
    if (name == NULL) return NULL;
    if (builder->anchor_count == ANCHORS_MAX) {
        stop(builder, at, "more than 1000 anchors");
        return NULL;
    }
    const char *text = (const char *)name;
    struct anchor *anchor = &builder->anchors[builder->anchor_count++];
    *anchor = (struct anchor){.name = keep_text(builder->memory, text, strlen(text)),
                              .at = at,
                              .node = node,
                              .open = true};
    return anchor;
}

static struct node *resolve_alias(struct builder *builder, const char *name, struct position at)
{
    /* The latest anchor of a name is the one meant. */
    for (size_t i = builder->anchor_count; i-- > 0;) {
        const struct anchor *anchor = &builder->anchors[i];
        if (strcmp(anchor->name, name) != 0) continue;
        if (!anchor->open) return anchor->node;
        diagnostic_error(builder->diagnostics, at, "alias *%s stands inside its own anchor", name);
        diagnostic_note(builder->diagnostics, anchor->at, "the anchor &%s starts here", name);
        builder->stopped = true;
        return NULL;
    }
    const char *names[ANCHORS_MAX];
    for (size_t i = 0; i < builder->anchor_count; i++)
        names[i] = builder->anchors[i].name;
    diagnostic_error(builder->diagnostics, at, "alias *%s has no anchor &%s before it", name, name);
    const char *nearest = nearest_name(name, names, builder->anchor_count);
    if (nearest != NULL) diagnostic_hint(builder->diagnostics, "did you mean *%s?", nearest);
    return yaml_new_scalar(builder->memory, at, "");
}

static void check_tag(struct builder *builder, const yaml_char_t *tag, struct position at)
{
    if (tag == NULL || strcmp((const char *)tag, "!") == 0) return;
    diagnostic_error(builder->diagnostics, at, "tags (!x, !!x) have no meaning here");
    diagnostic_hint(builder->diagnostics, "a text is written in quotes, a number without");
}

static bool grow(struct builder *builder, struct node *parent, size_t size)
{
    parent->size += size;
    if (parent->size <= YAML_NODES_MAX) return true;
    stop(builder, parent->at, "more than 100000 values in one file, its aliases expanded");
    return false;
}

static struct node *build(struct builder *builder, const yaml_event_t *event, int depth);

static bool starts_node(yaml_event_type_t type)
{
    return type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
           type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
}

static struct node *build_next(struct builder *builder, int depth, yaml_event_type_t *end)
{
    yaml_event_t event;
    if (!next_event(builder, &event)) return NULL;
    struct node *node = NULL;
    *end = event.type;
    if (starts_node(event.type)) node = build(builder, &event, depth);
    yaml_event_delete(&event);
    return node;
}

static void build_list(struct builder *builder, struct node *list, int depth)
{
    size_t capacity = 0;
    for (;;) {
        yaml_event_type_t type = YAML_NO_EVENT;
        struct node *item = build_next(builder, depth, &type);
        if (item == NULL || !grow(builder, list, item->size)) return;
        if (list->count == capacity) {
            size_t larger = capacity == 0 ? 4 : capacity * 2;
            struct node **items = memory_keep(builder->memory, larger * sizeof(struct node *));
            if (list->count > 0) memcpy(items, list->items, list->count * sizeof(struct node *));
            list->items = items;
            capacity = larger;
        }
        list->items[list->count++] = item;
    }
}

static int by_key_then_place(const void *left, const void *right)
{
    const struct entry *a = *(const struct entry *const *)left;
    const struct entry *b = *(const struct entry *const *)right;
    int order = strcmp(a->key, b->key);
    if (order != 0) return order;
    return a < b ? -1 : 1; /* both in one array: the order written */
}

static void report_duplicates(struct builder *builder, const struct node *map)
{
    if (map->count < 2) return;
    const struct entry **sorted = tool_allocate(map->count * sizeof *sorted);
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->entries[i];
    qsort(sorted, map->count, sizeof *sorted, by_key_then_place);
    for (size_t i = 1; i < map->count; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0) continue;
        diagnostic_error(builder->diagnostics, sorted[i]->key_at, "key %s stands here twice",
                         sorted[i]->key);
        diagnostic_note(builder->diagnostics, sorted[i - 1]->key_at, "the first is here");
    }
    free(sorted);
}

static const char *build_key(struct builder *builder, const yaml_event_t *event, struct position at)
{
    if (event->type != YAML_SCALAR_EVENT) {
        stop(builder, at, "a key must be a plain text");
        return NULL;
    }
    const char *key = (const char *)event->data.scalar.value;
    if (strcmp(key, "<<") == 0) {
        diagnostic_error(builder->diagnostics, at,
                         "merge keys (<<) are YAML 1.1 and not known here");
        diagnostic_hint(builder->diagnostics, "an alias can stand for a whole value: key: *name");
    }
    if (strlen(key) != event->data.scalar.length) {
        stop(builder, at, "a NUL character inside a key");
        return NULL;
    }
    return keep_text(builder->memory, key, event->data.scalar.length);
}

static void build_map(struct builder *builder, struct node *map, int depth)
{
    size_t capacity = 0;
    for (;;) {
        yaml_event_t event;
        if (!next_event(builder, &event)) return;
        struct position at = position_of(builder, event.start_mark, event.end_mark);
        bool ended = event.type == YAML_MAPPING_END_EVENT;
        const char *key = ended ? NULL : build_key(builder, &event, at);
        yaml_event_delete(&event);
        if (key == NULL) break;
        yaml_event_type_t type = YAML_NO_EVENT;
        struct node *value = build_next(builder, depth, &type);
        if (value == NULL || !grow(builder, map, value->size)) break;
        if (map->count == capacity) {
            size_t larger = capacity == 0 ? 4 : capacity * 2;
            struct entry *entries = memory_keep(builder->memory, larger * sizeof *entries);
            if (map->count > 0) memcpy(entries, map->entries, map->count * sizeof *entries);
            map->entries = entries;
            capacity = larger;
        }
        map->entries[map->count++] = (struct entry){.key = key, .key_at = at, .value = value};
    }
    report_duplicates(builder, map);
}

static struct node *build_collection(struct builder *builder, const yaml_event_t *event,
                                     struct position at, int depth)
{
    if (depth == YAML_DEPTH_MAX) return stop(builder, at, "nested more than 32 levels deep");
    bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    at.width = 0;
    struct node *node = new_node(builder, is_list ? NODE_LIST : NODE_MAP, at);
    check_tag(builder, is_list ? event->data.sequence_start.tag : event->data.mapping_start.tag,
              at);
    struct anchor *anchor =
        open_anchor(builder,
                    is_list ? event->data.sequence_start.anchor : event->data.mapping_start.anchor,
                    at, node);
    if (is_list) {
        build_list(builder, node, depth + 1);
    } else {
        build_map(builder, node, depth + 1);
    }
    if (anchor != NULL) anchor->open = false;
    return builder->stopped ? NULL : node;
}

static struct node *build(struct builder *builder, const yaml_event_t *event, int depth)
{
    struct position at = position_of(builder, event->start_mark, event->end_mark);
    if (event->type == YAML_ALIAS_EVENT)
        return resolve_alias(builder, (const char *)event->data.alias.anchor, at);
    if (event->type != YAML_SCALAR_EVENT) return build_collection(builder, event, at, depth);

    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return stop(builder, at, "a NUL character inside a text");
    check_tag(builder, event->data.scalar.tag, at);
    struct node *node = new_node(builder, NODE_SCALAR, at);
    node->text = keep_text(builder->memory, text, event->data.scalar.length);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct anchor *anchor = open_anchor(builder, event->data.scalar.anchor, at, node);
    if (anchor != NULL) anchor->open = false;
    return builder->stopped ? NULL : node;
}

/* stream start, document start, the value, document end, stream end. */
static struct node *build_document(struct builder *builder)
{
    struct node *root = NULL;
    bool ended = false;
    while (!ended) {
        yaml_event_t event;
        if (!next_event(builder, &event)) return NULL;
        struct position at = position_of(builder, event.start_mark, event.end_mark);
        if (event.type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            at.width = 0;
            diagnostic_error(builder->diagnostics, at, "a second document");
            diagnostic_hint(builder->diagnostics, "one scenario per file: split it at the '---'");
            ended = true;
        } else if (starts_node(event.type)) {
            root = build(builder, &event, 0);
            ended = builder->stopped;
        } else if (event.type == YAML_STREAM_END_EVENT) {
            ended = true;
        }
        yaml_event_delete(&event);
    }
    return builder->stopped ? NULL : root;
}

struct node *yaml_parse(struct memory *memory, struct diagnostics *diagnostics, int32_t source,
                        const char *text, size_t length, int32_t first_column)
{
    struct builder builder = {.memory = memory,
                              .diagnostics = diagnostics,
                              .source = source,
                              .text = text,
                              .length = length,
                              .first_column = first_column,
                              .anchors = tool_allocate(ANCHORS_MAX * sizeof(struct anchor))};
    int initialized = yaml_parser_initialize(&builder.parser);
    CHECK(initialized == 1);
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, length);
    struct node *root = build_document(&builder);
    yaml_parser_delete(&builder.parser);
    free(builder.anchors);
    return root;
}

struct entry *yaml_find(const struct node *node, const char *key)
{
    if (node == NULL || node->kind != NODE_MAP) return NULL;
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->entries[i].key, key) == 0) return &node->entries[i];
    }
    return NULL;
}

struct node *yaml_copy(struct memory *memory, const struct node *node)
{
    struct node *copy = memory_keep(memory, sizeof *copy);
    *copy = *node;
    if (node->kind == NODE_LIST && node->count > 0) {
        copy->items = memory_keep(memory, node->count * sizeof(struct node *));
        memcpy(copy->items, node->items, node->count * sizeof(struct node *));
    }
    if (node->kind == NODE_MAP && node->count > 0) {
        copy->entries = memory_keep(memory, node->count * sizeof *copy->entries);
        memcpy(copy->entries, node->entries, node->count * sizeof *copy->entries);
    }
    return copy;
}

void yaml_set(struct memory *memory, struct node *map, const char *key, struct position key_at,
              struct node *value)
{
    CHECK(map->kind == NODE_MAP);
    struct entry *entry = yaml_find(map, key);
    if (entry == NULL) {
        struct entry *entries = memory_keep(memory, (map->count + 1) * sizeof *entries);
        if (map->count > 0) memcpy(entries, map->entries, map->count * sizeof *entries);
        map->entries = entries;
        entry = &entries[map->count++];
        entry->key = key;
    }
    entry->key_at = key_at;
    entry->value = value;
}

struct node *yaml_new_scalar(struct memory *memory, struct position at, const char *text)
{
    struct node *node = memory_keep(memory, sizeof *node);
    *node = (struct node){.kind = NODE_SCALAR,
                          .at = at,
                          .text = keep_text(memory, text, strlen(text)),
                          .plain = true,
                          .size = 1};
    return node;
}

struct node *yaml_new_map(struct memory *memory, struct position at)
{
    struct node *node = memory_keep(memory, sizeof *node);
    *node = (struct node){.kind = NODE_MAP, .at = at, .size = 1};
    return node;
}

const char *yaml_describe(const struct node *node)
{
    switch (node->kind) {
    case NODE_LIST: return "a list";
    case NODE_MAP: return "a map";
    case NODE_SCALAR: break;
    }
    return node->plain && node->text[0] == '\0' ? "nothing" : "text";
}
