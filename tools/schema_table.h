/* tools/schema_table.h: rows of the schema's tables, for the files that hold them. */
#ifndef TOOLS_SCHEMA_TABLE_H
#define TOOLS_SCHEMA_TABLE_H

#include "sim/time.h"
#include "tools/schema.h"

#define TABLE(table) .fields = (table), .field_count = ARRAY_LEN(table)
#define EMBEDDED(name, structure, member, table, text)                                             \
    {                                                                                              \
        .key = (name), .type = SCHEMA_OBJECT, FIELD(structure, member), .preset = "{}",            \
        .object = &(table), .help = (text)                                                         \
    }
#define DURATION(name, structure, member, default_, low, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_QUANTITY, .quantity = QUANTITY_DURATION,                     \
        FIELD(structure, member), .preset = (default_), .minimum = (low), .maximum = DAYS(3660),   \
        .help = (text)                                                                             \
    }
#define RANDOM(name, structure, member, quantity_, default_, unit, high, text)                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_DISTRIBUTION, .quantity = (quantity_),                       \
        FIELD(structure, member), .preset = (default_), .suggest = (unit), .maximum = (high),      \
        .help = (text)                                                                             \
    }
#define COUNT(name, structure, member, default_, low, high, text)                                  \
    {                                                                                              \
        .key = (name), .type = SCHEMA_QUANTITY, .quantity = QUANTITY_COUNT,                        \
        FIELD(structure, member), .preset = (default_), .minimum = (low), .maximum = (high),       \
        .help = (text)                                                                             \
    }
#define FLAG(name, structure, member, default_, text)                                              \
    {                                                                                              \
        .key = (name), .type = SCHEMA_FLAG, FIELD(structure, member), .preset = (default_),        \
        .help = (text)                                                                             \
    }
#define CHOICE(name, structure, member, default_, table, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_ENUM, FIELD(structure, member), .preset = (default_),        \
        WORDS(table), .help = (text)                                                               \
    }
#define CUSTOM(name, structure, member, default_, table, text)                                     \
    {                                                                                              \
        .key = (name), .type = SCHEMA_CUSTOM, FIELD(structure, member), .preset = (default_),      \
        .hooks = &(table), .help = (text)                                                          \
    }

/* schema_group.c */
extern const struct schema_object schema_group;
/* schema_scenario.c: the scenario's topic if it has one; NULL = it has several, or none. */
const struct scenario_topic *schema_only_topic(const struct scenario *scenario);

#endif
