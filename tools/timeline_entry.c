#include "tools/timeline_entry.h"

#include "sim/check.h"
#include "tools/timeline_config.h"
#include "tools/timeline_rules.h"

#include <string.h>

#define PARTITIONS_MAX 100000 /* of a topic */

void timeline_entry_know(struct entry_reader *entry, const char *key)
{
    CHECK(entry->known_count < ARRAY_LEN(entry->known));
    entry->known[entry->known_count++] = key;
}

const struct node *timeline_entry_written(struct entry_reader *entry, const char *key)
{
    timeline_entry_know(entry, key);
    return reader_written(entry->map, key);
}

static void missing(struct entry_reader *entry, const char *key, const char *example)
{
    diagnostic_error(entry->reader->diagnostics, entry->map->at, "%s: %s is missing",
                     timeline_rules[entry->event.kind].key, key);
    diagnostic_hint(entry->reader->diagnostics, "for example %s", example);
    entry->good = false;
}

void timeline_entry_duration(struct entry_reader *entry, const char *key, int64_t *value)
{
    const struct node *node = timeline_entry_written(entry, key);
    if (node == NULL) return;
    if (!reader_quantity(entry->reader, key, node, QUANTITY_DURATION, 0, DAYS(3660), value))
        entry->good = false;
}

void timeline_entry_count(struct entry_reader *entry, const char *key, int64_t minimum,
                          int32_t *value)
{
    const struct node *node = timeline_entry_written(entry, key);
    int64_t read;
    if (node == NULL) return;
    if (reader_quantity(entry->reader, key, node, QUANTITY_COUNT, minimum, 100000000, &read)) {
        *value = (int32_t)read;
    } else {
        entry->good = false;
    }
}

static void read_flag(struct entry_reader *entry, const char *key, bool *value)
{
    const struct node *node = timeline_entry_written(entry, key);
    if (node != NULL && !reader_flag(entry->reader, key, node, value)) entry->good = false;
}

void timeline_entry_random(struct entry_reader *entry, const char *key, struct distribution *value)
{
    const struct node *node = timeline_entry_written(entry, key);
    if (node == NULL) return;
    const struct schema_field field = {.key = key,
                                       .type = SCHEMA_DISTRIBUTION,
                                       .quantity = QUANTITY_DURATION,
                                       .maximum = DAYS(3660)};
    if (!reader_distribution(entry->reader, &field, node, value)) entry->good = false;
}

static void read_offset(struct entry_reader *entry, const char *key)
{
    const struct node *node = timeline_entry_written(entry, key);
    static const struct schema_word words[] = {{"latest", OFFSET_TO_LATEST, NULL},
                                               {"next", OFFSET_TO_LATEST, NULL},
                                               {"earliest", OFFSET_TO_EARLIEST, NULL}};
    const struct schema_field field = {.key = key,
                                       .type = SCHEMA_QUANTITY,
                                       .quantity = QUANTITY_COUNT,
                                       .width = sizeof(int64_t),
                                       .minimum = 0,
                                       .maximum = INT64_MAX,
                                       WORDS(words)};
    if (node == NULL) return;
    int64_t offset = INT64_MIN;
    reader_field(entry->reader, &field, node, &offset);
    if (offset == INT64_MIN) {
        entry->good = false;
    } else {
        entry->event.offset = offset;
    }
}

static void read_hot_key(struct entry_reader *entry)
{
    const struct node *key = timeline_entry_written(entry, "key");
    const struct node *share = timeline_entry_written(entry, "share");
    int64_t share_ppm = 0;
    if (key == NULL) missing(entry, "key", "key: user-17");
    if (share == NULL) missing(entry, "share", "share: 60%");
    if (key != NULL && !reader_text(entry->reader, "key", key, &entry->event.key))
        entry->good = false;
    if (share != NULL &&
        !reader_quantity(entry->reader, "share", share, QUANTITY_SHARE, 1, 1000000, &share_ppm))
        entry->good = false;
    entry->event.share_ppm = (int32_t)share_ppm;
}

static void read_other(struct entry_reader *entry)
{
    const struct node *node = timeline_entry_written(entry, "to");
    if (node == NULL) {
        missing(entry, "to", "to: broker 1, or to: brokers");
    } else if (!selector_read(entry->reader, "to", node, ACCEPT_PROCESSES, entry->limits,
                              &entry->event.other)) {
        entry->good = false;
    }
}

static void read_factor(struct entry_reader *entry)
{
    const struct node *node = timeline_entry_written(entry, "factor");
    int64_t factor = 1000;
    if (node == NULL) {
        missing(entry, "factor", "factor: 3");
    } else if (!reader_quantity(entry->reader, "factor", node, QUANTITY_DECIMAL, 1, 1000000,
                                &factor)) {
        entry->good = false;
    }
    entry->event.factor_milli = (int32_t)factor;
}

static void read_share(struct entry_reader *entry, const char *key)
{
    const struct node *node = timeline_entry_written(entry, key);
    int64_t ppm = 0;
    if (node != NULL &&
        !reader_quantity(entry->reader, key, node, QUANTITY_SHARE, 0, 1000000, &ppm))
        entry->good = false;
    entry->event.loss_ppm = (int32_t)ppm;
}

static void read_place(struct entry_reader *entry)
{
    const struct node *node = timeline_entry_written(entry, "in");
    if (node == NULL) {
        missing(entry, "in", "in: on_assigned, on_revoked or assignor");
        return;
    }
    const char *text = node->kind == NODE_SCALAR ? node->text : yaml_describe(node);
    for (int place = 0; place < THROW_PLACE_COUNT; place++) {
        if (node->kind != NODE_SCALAR || strcmp(text, timeline_places[place]) != 0) continue;
        entry->event.place = (enum throw_place)place;
        return;
    }
    diagnostic_error(entry->reader->diagnostics, node->at, "in: nothing that throws is called %s",
                     text);
    reader_suggest(entry->reader, text, timeline_places, THROW_PLACE_COUNT);
    entry->good = false;
}

static void read_partitions(struct entry_reader *entry)
{
    const struct node *node = timeline_entry_written(entry, "partitions");
    int64_t partitions = 0;
    if (node != NULL && !reader_quantity(entry->reader, "partitions", node, QUANTITY_COUNT, 1,
                                         PARTITIONS_MAX, &partitions))
        entry->good = false;
    entry->event.count = (int32_t)partitions;
}

static bool is_a_broker(const struct selector *selector)
{
    return selector->kind == SELECT_BROKER || selector->kind == SELECT_ANY_BROKER ||
           selector->kind == SELECT_BROKERS || selector->kind == SELECT_COORDINATOR ||
           selector->kind == SELECT_LEADER;
}

static void read_config(struct entry_reader *entry)
{
    const struct node *node = timeline_entry_written(entry, "config");
    if (node == NULL) return;
    if (!timeline_config_read(entry->reader, node, &entry->event.config)) entry->good = false;
    if (!entry->good || is_a_broker(&entry->event.target)) return;
    diagnostic_error(entry->reader->diagnostics, node->at,
                     "config: only brokers are restarted with other settings");
    entry->good = false;
}

static void read_topic(struct entry_reader *entry)
{
    const struct node *node = timeline_entry_written(entry, "topic");
    if (node == NULL) {
        missing(entry, "topic", "topic: orders");
    } else if (!selector_read(entry->reader, "topic", node, ACCEPT_TOPIC, entry->limits,
                              &entry->event.other)) {
        entry->good = false;
    }
}

void timeline_entry_parameters(struct entry_reader *entry)
{
    unsigned takes = timeline_rules[entry->event.kind].parameters;
    if ((takes & (TAKES_FOR | NEEDS_FOR)) != 0) {
        timeline_entry_random(entry, "for", &entry->event.for_ns);
        if ((takes & NEEDS_FOR) != 0 && reader_written(entry->map, "for") == NULL)
            missing(entry, "for", "for: 30s");
    }
    if ((takes & NEEDS_OTHER) != 0) read_other(entry);
    if ((takes & TAKES_BY) != 0) timeline_entry_random(entry, "by", &entry->event.extra_latency_ns);
    if ((takes & TAKES_LOSS) != 0) {
        read_share(entry, "loss");
        if (reader_written(entry->map, "by") == NULL && reader_written(entry->map, "loss") == NULL)
            missing(entry, "by or loss", "by: 250ms, or loss: 1/200");
    }
    if ((takes & NEEDS_FACTOR) != 0) read_factor(entry);
    if ((takes & NEEDS_COUNT) != 0) {
        timeline_entry_count(entry, "to", 0, &entry->event.count);
        if (reader_written(entry->map, "to") == NULL) missing(entry, "to", "to: 20");
    }
    if ((takes & TAKES_RECORDS) != 0) {
        entry->event.count = 1;
        timeline_entry_count(entry, "records", 1, &entry->event.count);
    }
    if ((takes & TAKES_PARTITIONS) != 0) read_partitions(entry);
    if ((takes & NEEDS_TOPIC) != 0) read_topic(entry);
    if ((takes & TAKES_CONFIG) != 0) read_config(entry);
    if ((takes & NEEDS_KEY) != 0) read_hot_key(entry);
    if ((takes & TAKES_OFFSET) != 0) {
        entry->event.offset = OFFSET_TO_LATEST;
        read_offset(entry, "offset");
    }
    if ((takes & NEEDS_OFFSET) != 0) {
        read_offset(entry, "to");
        if (reader_written(entry->map, "to") == NULL) missing(entry, "to", "to: earliest");
    }
    if ((takes & TAKES_UNCLEAN) != 0) read_flag(entry, "unclean", &entry->event.unclean);
    if ((takes & TAKES_HOST) != 0) read_flag(entry, "host", &entry->event.host);
    if ((takes & NEEDS_PLACE) != 0) read_place(entry);
    if ((takes & TAKES_ONE_WAY) != 0) read_flag(entry, "one_way", &entry->event.one_way);
}
