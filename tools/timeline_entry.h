/* tools/timeline_entry.h: one entry of the timeline, and the parameters of its kind. */
#ifndef TOOLS_TIMELINE_ENTRY_H
#define TOOLS_TIMELINE_ENTRY_H

#include "tools/selector_yaml.h"

/* One entry, or one sibling of a chaos block. */
struct entry_reader {
    struct reader *reader;
    const struct node *map;
    const struct selector_limits *limits;
    struct scenario_event event;
    bool good;
    bool kind_known;
    const char *known[40]; /* keys that may stand in this entry */
    size_t known_count;
};

/* This key may stand in the entry. */
void timeline_entry_know(struct entry_reader *entry, const char *key);
/* Likewise; its value, or NULL. */
const struct node *timeline_entry_written(struct entry_reader *entry, const char *key);
/* Likewise; the value is left alone where the key is not written. Errors make the entry not good.
 */
void timeline_entry_duration(struct entry_reader *entry, const char *key, int64_t *value);
void timeline_entry_count(struct entry_reader *entry, const char *key, int64_t minimum,
                          int32_t *value);
void timeline_entry_random(struct entry_reader *entry, const char *key, struct distribution *value);
/* All that the entry's kind takes or needs (tools/timeline_rules.h). */
void timeline_entry_parameters(struct entry_reader *entry);

#endif
