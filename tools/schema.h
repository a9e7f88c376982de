/* tools/schema.h: the one table of every key a scenario may have.
 *
 * A field says what a key is called, where its value lands, what it may be, what it is when nobody
 * says, and why. The loader (tools/reader.h), the writer of resolved scenarios (tools/writer.h),
 * the error hints, `cohort schema` and the reference page all read these tables and nothing else.
 *
 *     scenario ─┬─ cluster ──── network, config (broker settings)
 *               ├─ topics ───── NAME: config (topic settings)
 *               ├─ producers ── NAME: keys, config (producer settings)
 *               ├─ groups ───── NAME: process, commit, deployment, config (consumer settings),
 *               │                     overrides
 *               ├─ timeline ─── entries, tools/timeline.h
 *               └─ expect ───── lines, tools/expect.h                                          */
#ifndef TOOLS_SCHEMA_H
#define TOOLS_SCHEMA_H

#include "model/scenario.h"
#include "tools/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;
struct node;
struct reader;
struct writer;
struct schema_field;

enum schema_type {
    SCHEMA_FLAG,         /* bool */
    SCHEMA_TEXT,         /* const char *; an optional one is NULL when written `none` */
    SCHEMA_ENUM,         /* an enum, by `words` */
    SCHEMA_QUANTITY,     /* int32_t, uint32_t, int64_t or uint64_t, by `width` */
    SCHEMA_DISTRIBUTION, /* struct distribution of that quantity */
    SCHEMA_OBJECT,       /* a struct inside the struct, by `object` */
    SCHEMA_MAP,          /* structs by name: pointer at `offset`, int32_t count at `count_offset` */
    SCHEMA_CUSTOM,       /* `hooks` */
};

/* A word that stands for a value: the members of an enum, or `forever` for a quantity. */
struct schema_word {
    const char *word;
    int64_t value;
    const char *help;
};

struct schema_hooks {
    /* Fills its part of the struct at `base`, or reports what is wrong. */
    void (*read)(struct reader *reader, const struct schema_field *field, const struct node *node,
                 void *base);
    /* Appends the value as YAML behind `key:`, either a blank and the value or indented lines. */
    void (*write)(struct writer *writer, const struct schema_field *field, const void *base);
    struct json_t *(*json)(const struct schema_field *field); /* its JSON Schema */
    const char *grammar;                                      /* for the page */
};

struct schema_object;

struct schema_field {
    const char *key;
    enum schema_type type;
    enum quantity quantity;
    size_t offset;
    size_t width;  /* of the field, for quantities */
    int64_t scale; /* quantity per stored unit: 1,000,000 stores a duration as ms; 0 = 1 */
    int64_t bare;  /* quantity per number without a unit (Kafka's *.ms); 0 = a unit is needed */
    const char *suggest; /* the unit offered when it is missing; NULL = the quantity's own */
    const char *preset;  /* the default, as YAML; NULL = the key is required */
    int64_t minimum;     /* stored unit, both included */
    int64_t maximum;
    bool optional; /* TEXT: may be `none` */
    /* Another spelling of this key: read, never written, without a default of its own. */
    const char *stands_for;
    const struct schema_word *words;
    size_t word_count;
    const struct schema_object *object; /* OBJECT, MAP */
    bool keeps;          /* OBJECT: what is not written stays as the outer object prepared it */
    size_t element_size; /* MAP; the name is the element's first field */
    size_t count_offset; /* MAP */
    const struct schema_hooks *hooks; /* CUSTOM */
    const char *source;               /* where the default comes from: a KIP, Kafka's class */
    const char *help;                 /* one sentence, no full stop */
};

struct schema_object {
    const char *name; /* in the page and as JSON Schema definition */
    const char *help;
    const struct schema_field *fields;
    size_t field_count;
    /* Kafka's settings: `file:` may name a properties file, quoted numbers are numbers, and names
     * that Kafka knows but Cohort has no use for are warnings. */
    const char *const *unused; /* shape [unused_count]; NULL = not Kafka's settings. "ssl.*" */
    size_t unused_count;
    /* Before the keys are read: values that come from elsewhere in the scenario. */
    void (*prepare)(struct reader *reader, const struct node *node, void *base);
    /* After all keys: what hangs on several of them. */
    void (*finish)(struct reader *reader, const struct node *node, void *base);
};

/* A default that `prepare` has already put in place; the page shows the words. */
#define PRESET_PREPARED "(inherited)"

extern const struct schema_object schema_scenario;
extern const struct schema_object schema_consumer_config;
extern const struct schema_object schema_producer_config;
extern const struct schema_object schema_broker_config;
extern const struct schema_object schema_topic_config;

const struct schema_field *schema_find(const struct schema_object *object, const char *key);

/* What a value must look like: "a duration such as 45s", "one of a, b". Appended to `text`. */
void schema_expectation(struct text *text, const struct schema_field *field);

/* For the tables. */
#define FIELD(structure, member)                                                                   \
    .offset = offsetof(struct structure, member), .width = sizeof(((struct structure *)0)->member)
#define WORDS(table) .words = (table), .word_count = sizeof(table) / sizeof((table)[0])

#endif
