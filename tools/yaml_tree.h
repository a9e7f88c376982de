/* tools/yaml_tree.h: a YAML text as a tree that remembers where everything stood.
 *
 * Built on libyaml's events. What YAML leaves open is closed here: one document, text keys, no key
 * twice, no tags, no cycles, at most YAML_DEPTH_MAX levels and YAML_NODES_MAX values with all
 * aliases expanded ("billion laughs"). Scalars stay text; what a plain `yes` or `010` means is
 * decided by whoever reads them (tools/value.h, YAML 1.2 core schema). Nodes live in the memory
 * given; aliases share the node they name, so a tree is read-only but for yaml_set. */
#ifndef TOOLS_YAML_TREE_H
#define TOOLS_YAML_TREE_H

#include "sim/memory.h"
#include "tools/diagnostic.h"

#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 100000

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct position at;
    const char *text;      /* NODE_SCALAR; terminated, and without NUL inside */
    bool plain;            /* NODE_SCALAR: written without quotes */
    struct node **items;   /* NODE_LIST, shape [count] */
    struct entry *entries; /* NODE_MAP, shape [count], in the order written */
    size_t count;
    size_t size; /* values in it, itself included, aliases expanded */
};

struct entry {
    const char *key;
    struct position key_at;
    struct node *value;
};

/* NULL when nothing could be read; what was wrong is in the diagnostics. A tree may come back even
 * though errors were reported (a key given twice): more mistakes can then be found in it.
 * `first_column` is where the text starts in its line, for option values. */
struct node *yaml_parse(struct memory *memory, struct diagnostics *diagnostics, int32_t source,
                        const char *text, size_t length, int32_t first_column);

/* NULL when the node is no map or has no such key. */
struct entry *yaml_find(const struct node *node, const char *key);
/* A copy of this one level, which may be changed without changing what aliases share. */
struct node *yaml_copy(struct memory *memory, const struct node *node);
/* Sets or adds a key of a map that belongs to the caller alone. */
void yaml_set(struct memory *memory, struct node *map, const char *key, struct position key_at,
              struct node *value);
struct node *yaml_new_scalar(struct memory *memory, struct position at, const char *text);
struct node *yaml_new_map(struct memory *memory, struct position at);
/* "text", "a list", "a map", "nothing", for messages. */
const char *yaml_describe(const struct node *node);

#endif
