/* tools/timeline_yaml.c: the timeline of a scenario file. */
#include "tools/timeline_yaml.h"

#include "sim/check.h"
#include "tools/schema_hooks.h"
#include "tools/timeline_entry.h"
#include "tools/timeline_rules.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 10000

static void report_unknown_keys(struct entry_reader *entry)
{
    for (size_t i = 0; i < entry->map->count; i++) {
        const struct entry *key = &entry->map->entries[i];
        bool known = false;
        for (size_t k = 0; k < entry->known_count; k++)
            known = known || strcmp(key->key, entry->known[k]) == 0;
        if (known) continue;
        diagnostic_error(entry->reader->diagnostics, key->key_at, "unknown key %s in %s", key->key,
                         timeline_rules[entry->event.kind].key);
        reader_suggest(entry->reader, key->key, entry->known, entry->known_count);
        entry->good = false;
    }
}

/* The one key that names a kind. NULL and an error when there is none, or more than one. */
static const struct entry *find_kind(struct entry_reader *entry)
{
    const struct entry *found = NULL;
    for (size_t i = 0; i < entry->map->count; i++) {
        const struct entry *key = &entry->map->entries[i];
        for (int32_t kind = 0; kind < TIMELINE_KIND_COUNT; kind++) {
            if (strcmp(key->key, timeline_rules[kind].key) != 0) continue;
            if (found != NULL) {
                diagnostic_error(entry->reader->diagnostics, key->key_at,
                                 "an entry does one thing: %s or %s", found->key, key->key);
                return NULL;
            }
            found = key;
            entry->event.kind = (enum timeline_kind)kind;
        }
    }
    if (found != NULL) return found;
    diagnostic_error(entry->reader->diagnostics, entry->map->at,
                     "this entry says when, but not what");
    const char *names[TIMELINE_KIND_COUNT];
    for (int32_t kind = 0; kind < TIMELINE_KIND_COUNT; kind++)
        names[kind] = timeline_rules[kind].key;
    /* Most likely it was misspelt. */
    for (size_t i = 0; i < entry->map->count; i++) {
        const char *nearest = nearest_name(entry->map->entries[i].key, names, TIMELINE_KIND_COUNT);
        bool is_when = strlen(entry->map->entries[i].key) < 4;
        if (nearest == NULL || is_when) continue;
        diagnostic_hint(entry->reader->diagnostics, "did you mean %s?", nearest);
        return NULL;
    }
    reader_suggest(entry->reader, "", names, TIMELINE_KIND_COUNT);
    return NULL;
}

/* Kind, target and parameters. */
static void read_action(struct entry_reader *entry)
{
    const struct entry *kind = find_kind(entry);
    if (kind == NULL) {
        entry->good = false;
        return;
    }
    timeline_entry_know(entry, kind->key);
    entry->kind_known = true;
    entry->event.position = (struct scenario_position){kind->key_at.line, kind->key_at.column};
    /* A resolved scenario keeps the line of the file it came from: faults are traced with it. */
    timeline_entry_count(entry, "line", 0, &entry->event.position.line);
    if (entry->event.kind == TIMELINE_QUIET) {
        bool on = true;
        bool is_nothing = kind->value->kind == NODE_SCALAR && kind->value->text[0] == '\0';
        if (!is_nothing && !reader_flag(entry->reader, kind->key, kind->value, &on))
            entry->good = false;
    } else if (!selector_read(entry->reader, kind->key, kind->value,
                              timeline_rules[entry->event.kind].targets, entry->limits,
                              &entry->event.target)) {
        entry->good = false;
    }
    timeline_entry_parameters(entry);
}

static void read_when(struct entry_reader *entry, const struct node *when)
{
    static const char *const keys[] = {"group", "state", "skip"};
    struct reader *reader = entry->reader;
    entry->event.trigger = TRIGGER_WHEN;
    entry->event.times = 1;
    if (!reader_is(reader, "when", when, NODE_MAP, "a map of group and state")) {
        entry->good = false;
        return;
    }
    const struct node *group = reader_written(when, "group");
    const struct node *state = reader_written(when, "state");
    const struct node *skip = reader_written(when, "skip");
    struct selector selector;
    if (group == NULL || state == NULL) {
        diagnostic_error(reader->diagnostics, when->at, "when: %s is missing",
                         group == NULL ? "group" : "state");
        entry->good = false;
        return;
    }
    if (selector_read(reader, "group", group, ACCEPT_GROUP, entry->limits, &selector)) {
        entry->event.when_group = selector.group;
    } else {
        entry->good = false;
    }
    for (size_t i = 0; i < TIMELINE_STATE_COUNT; i++) {
        if (state->kind == NODE_SCALAR && strcmp(state->text, timeline_states[i]) == 0)
            entry->event.when_state = timeline_states[i];
    }
    if (entry->event.when_state == NULL) {
        const char *text = state->kind == NODE_SCALAR ? state->text : yaml_describe(state);
        diagnostic_error(reader->diagnostics, state->at, "state: no group state is called %s",
                         text);
        reader_suggest(reader, text, timeline_states, TIMELINE_STATE_COUNT);
        entry->good = false;
    }
    int64_t skipped = 0;
    if (skip != NULL &&
        !reader_quantity(reader, "skip", skip, QUANTITY_COUNT, 0, 1000000000, &skipped))
        entry->good = false;
    entry->event.skip = (int32_t)skipped;
    for (size_t i = 0; i < when->count; i++) {
        const struct entry *key = &when->entries[i];
        bool known = false;
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            known = known || strcmp(key->key, keys[k]) == 0;
        if (known) continue;
        diagnostic_error(reader->diagnostics, key->key_at, "unknown key %s in when", key->key);
        reader_suggest(reader, key->key, keys, ARRAY_LEN(keys));
        entry->good = false;
    }
}

static void read_until(struct entry_reader *entry)
{
    static const struct schema_word words[] = {{"never", SIM_TIME_NEVER, NULL}};
    const struct schema_field field = {.key = "until",
                                       .type = SCHEMA_QUANTITY,
                                       .quantity = QUANTITY_DURATION,
                                       .width = sizeof(int64_t),
                                       .minimum = 0,
                                       .maximum = DAYS(3660),
                                       WORDS(words)};
    const struct node *node = timeline_entry_written(entry, "until");
    if (node == NULL) return;
    int64_t until = -1;
    reader_field(entry->reader, &field, node, &until);
    if (until < 0) entry->good = false;
    entry->event.until = until;
}

/* at, every, until, times, when: what makes an entry strike. */
static void read_trigger(struct entry_reader *entry, bool is_chaos)
{
    const struct node *when = is_chaos ? NULL : timeline_entry_written(entry, "when");
    const struct node *every = timeline_entry_written(entry, "every");
    entry->event.trigger = is_chaos ? TRIGGER_CHAOS : every != NULL ? TRIGGER_EVERY : TRIGGER_AT;
    entry->event.until = SIM_TIME_NEVER;
    timeline_entry_duration(entry, "at", &entry->event.at);
    if (when != NULL) read_when(entry, when);
    if (every != NULL && when != NULL) {
        diagnostic_error(entry->reader->diagnostics, reader_place(entry->map, "every"),
                         "every and when exclude each other");
        entry->good = false;
    }
    if (every != NULL) {
        timeline_entry_random(entry, "every", &entry->event.every_ns);
        read_until(entry);
    }
    if (is_chaos && every == NULL) {
        diagnostic_error(entry->reader->diagnostics, entry->map->at, "chaos: every is missing");
        diagnostic_hint(entry->reader->diagnostics, "for example every: {exponential: {mean: 3m}}");
        entry->good = false;
    }
    if (is_chaos) {
        timeline_entry_duration(entry, "stable_for", &entry->event.stable_for_ns);
    } else if (every != NULL || when != NULL) {
        timeline_entry_count(entry, "times", 0, &entry->event.times);
    } else if (reader_written(entry->map, "at") == NULL) {
        diagnostic_error(entry->reader->diagnostics, entry->map->at,
                         "this entry says what, but not when");
        diagnostic_hint(entry->reader->diagnostics, "add at: 60s, every: 10m or when: {…}");
        entry->good = false;
    }
}

struct timeline_reader {
    struct reader *reader;
    struct selector_limits limits;
    struct scenario_event *events;
    int32_t count;
    int32_t chaos_count;
    bool full;
};

static void keep_event(struct timeline_reader *timeline, const struct entry_reader *entry)
{
    if (!entry->good || timeline->full) return;
    if (timeline->count == ENTRIES_MAX) {
        diagnostic_error(timeline->reader->diagnostics, entry->map->at,
                         "timeline: more than %d entries", ENTRIES_MAX);
        timeline->full = true;
        return;
    }
    timeline->events[timeline->count++] = entry->event;
}

/* Siblings share everything that says when. */
static void read_chaos(struct timeline_reader *timeline, const struct node *map,
                       const struct node *list)
{
    struct entry_reader block = {.reader = timeline->reader,
                                 .map = map,
                                 .limits = &timeline->limits,
                                 .good = true};
    timeline_entry_know(&block, "chaos");
    read_trigger(&block, true);
    if (!reader_is(timeline->reader, "chaos", list, NODE_LIST, "a list of faults")) return;
    if (list->count == 0)
        diagnostic_error(timeline->reader->diagnostics, list->at, "chaos: the list is empty");
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *key = &map->entries[i];
        bool known = false;
        for (size_t k = 0; k < block.known_count; k++)
            known = known || strcmp(key->key, block.known[k]) == 0;
        if (known) continue;
        diagnostic_error(timeline->reader->diagnostics, key->key_at, "unknown key %s in chaos",
                         key->key);
        reader_suggest(timeline->reader, key->key, block.known, block.known_count);
    }
    int32_t number = timeline->chaos_count++;
    for (size_t i = 0; i < list->count; i++) {
        struct entry_reader sibling = block;
        sibling.map = list->items[i];
        sibling.known_count = 0;
        if (!reader_is(timeline->reader, "chaos", sibling.map, NODE_MAP,
                       "a fault such as {crash: …}"))
            continue;
        sibling.event.chaos = number;
        sibling.event.weight = 1;
        timeline_entry_count(&sibling, "weight", 1, &sibling.event.weight);
        read_action(&sibling);
        if (sibling.kind_known) report_unknown_keys(&sibling);
        keep_event(timeline, &sibling);
    }
}

static void read_entry(struct timeline_reader *timeline, const struct node *map)
{
    struct entry_reader entry = {.reader = timeline->reader,
                                 .map = map,
                                 .limits = &timeline->limits,
                                 .event = {.chaos = -1},
                                 .good = true};
    if (!reader_is(timeline->reader, "timeline", map, NODE_MAP, "an entry such as {at: 60s, …}"))
        return;
    const struct node *chaos = reader_written(map, "chaos");
    if (chaos != NULL) {
        read_chaos(timeline, map, chaos);
        return;
    }
    read_trigger(&entry, false);
    read_action(&entry);
    /* Where the kind is not understood, nobody knows which keys belong to it. */
    if (entry.kind_known) report_unknown_keys(&entry);
    keep_event(timeline, &entry);
}

static int32_t plain_number(const struct node *node)
{
    if (node == NULL || node->kind != NODE_SCALAR) return 0;
    size_t length = strspn(node->text, "0123456789");
    if (length == 0 || length > 6 || node->text[length] != '\0') return 0;
    return (int32_t)strtol(node->text, NULL, 10);
}

/* How far `scale`, `add_partitions` and `create_topic` take groups and topics. */
static void find_limits(struct timeline_reader *timeline, const struct node *list)
{
    const struct scenario *scenario = timeline->reader->scenario;
    struct memory *memory = timeline->reader->memory;
    size_t groups = (size_t)scenario->group_count;
    size_t topics = (size_t)scenario->topic_count;
    timeline->limits.members = memory_keep(memory, (groups + 1) * sizeof(int32_t));
    timeline->limits.partitions = memory_keep(memory, (topics + 1) * sizeof(int32_t));
    for (size_t i = 0; i < groups; i++)
        timeline->limits.members[i] = scenario->groups[i].members;
    for (size_t i = 0; i < topics; i++)
        timeline->limits.partitions[i] = scenario->topics[i].partitions;
    for (size_t i = 0; i < list->count; i++) {
        int32_t to = plain_number(reader_written(list->items[i], "to"));
        const struct node *scale = reader_written(list->items[i], "scale");
        const struct node *grow = reader_written(list->items[i], "add_partitions");
        const struct node *create = reader_written(list->items[i], "create_topic");
        if (create != NULL) {
            grow = create;
            to = plain_number(reader_written(list->items[i], "partitions"));
        }
        if (scale != NULL && scale->kind == NODE_SCALAR) {
            const char *name =
                strncmp(scale->text, "group ", 6) == 0 ? scale->text + 6 : scale->text;
            int32_t group = scenario_find_group(scenario, name);
            if (group >= 0 && to > timeline->limits.members[group])
                timeline->limits.members[group] = to;
        }
        if (grow != NULL && grow->kind == NODE_SCALAR) {
            const char *name = strncmp(grow->text, "topic ", 6) == 0 ? grow->text + 6 : grow->text;
            const struct scenario_topic *topic = scenario_find_topic(scenario, name);
            if (topic != NULL && to > timeline->limits.partitions[topic - scenario->topics])
                timeline->limits.partitions[topic - scenario->topics] = to;
        }
    }
}

static void read_timeline(struct reader *reader, const struct schema_field *field,
                          const struct node *node, void *base)
{
    struct scenario *scenario = base;
    struct timeline_reader timeline = {.reader = reader};
    if (!reader_is(reader, field->key, node, NODE_LIST, field->hooks->grammar)) return;
    find_limits(&timeline, node);
    size_t most = 1;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *chaos = reader_written(node->items[i], "chaos");
        most += chaos == NULL ? 1 : chaos->count;
    }
    if (most > ENTRIES_MAX) most = ENTRIES_MAX;
    timeline.events = memory_keep(reader->memory, most * sizeof *timeline.events);
    for (size_t i = 0; i < node->count; i++)
        read_entry(&timeline, node->items[i]);
    scenario->timeline = timeline.events;
    scenario->event_count = timeline.count;
}

const struct schema_hooks hooks_timeline = {
    .read = read_timeline,
    .write = timeline_write,
    .json = timeline_json,
    .grammar = "a list of entries such as {at: 60s, rolling_restart: GROUP}",
};
