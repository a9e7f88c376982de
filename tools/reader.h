/* tools/reader.h: from a YAML tree to structs, as the schema says. */
#ifndef TOOLS_READER_H
#define TOOLS_READER_H

#include "tools/schema.h"
#include "tools/yaml_tree.h"

struct reader {
    struct memory *memory; /* what the scenario points to lives here */
    struct diagnostics *diagnostics;
    struct scenario *scenario; /* filled so far: keys are read in the order of the table */
    const char *directory;     /* files named in a scenario are looked for here */
    bool of_one_member;        /* an override is being read: it may have an id of its own */
};

/* Fills `base` from the node: keys in any order, defaults for the rest. Everything wrong is
 * reported. A node of NULL means that nothing was written: all defaults. `label` names the object
 * in messages. */
void reader_object(struct reader *reader, const struct schema_object *object,
                   const struct node *node, const char *label, void *base);
void reader_field(struct reader *reader, const struct schema_field *field, const struct node *node,
                  void *base);

/* For hooks. Each reports and returns false when the node is not what is asked for. */
bool reader_is(struct reader *reader, const char *label, const struct node *node,
               enum node_kind kind, const char *expected);
bool reader_quantity(struct reader *reader, const char *label, const struct node *node,
                     enum quantity quantity, int64_t minimum, int64_t maximum, int64_t *value);
bool reader_flag(struct reader *reader, const char *label, const struct node *node, bool *value);
/* Text in the scenario's memory. */
bool reader_text(struct reader *reader, const char *label, const struct node *node,
                 const char **value);
/* A list of scalars, or one scalar; with `commas` a scalar may hold several ("a, b"). The nodes
 * live in the reader's memory. */
bool reader_scalars(struct reader *reader, const char *label, const struct node *node, bool commas,
                    const struct node ***items, size_t *count);
/* Label, quantity, bounds and suggested unit are the field's. */
bool reader_distribution(struct reader *reader, const struct schema_field *field,
                         const struct node *node, struct distribution *value);

/* The value of the key if it was written, else NULL. */
const struct node *reader_written(const struct node *map, const char *key);
/* Where a key of a map was written; the map itself when it was not. */
struct position reader_place(const struct node *map, const char *key);
/* Where a file named in the scenario is: beside the scenario, unless the name is absolute. */
void reader_path(const struct reader *reader, const char *name, struct text *path);
const char *reader_keep(struct reader *reader, const char *text);

/* "did you mean x?" below the error reported last, when a name is near. */
void reader_suggest(struct reader *reader, const char *word, const char *const *names,
                    size_t count);

#endif
