/* tools/selector_yaml.h: whom an entry of the timeline is about, in scenario files.
 *
 *     payments-3   payments   any 2 of payments   group leader of payments
 *     broker 1     brokers    any broker          coordinator of payments    leader of orders-0
 *     topic orders            partition orders-0  producer checkout
 *
 * The words topic, partition, producer, group and member may be left out where nothing else of
 * that name can be meant. */
#ifndef TOOLS_SELECTOR_YAML_H
#define TOOLS_SELECTOR_YAML_H

#include "tools/reader.h"
#include "tools/writer.h"

/* What an entry accepts; a set. */
enum selector_class {
    ACCEPT_MEMBERS = 1 << 0, /* a member, all or any of a group, its leader */
    ACCEPT_GROUP = 1 << 1,
    ACCEPT_BROKERS = 1 << 2,
    ACCEPT_TOPIC = 1 << 3,
    ACCEPT_PARTITION = 1 << 4,
    ACCEPT_PRODUCER = 1 << 5,
};

/* How far groups and topics grow during the run, so that later members can be named. */
struct selector_limits {
    int32_t *members;    /* shape [group_count] */
    int32_t *partitions; /* shape [topic_count] */
};

/* False when an error was reported. */
bool selector_read(struct reader *reader, const char *label, const struct node *node,
                   unsigned accepted, const struct selector_limits *limits,
                   struct selector *selector);
void selector_write(struct writer *writer, const struct selector *selector);

/* Index of the group of this name, or -1. */
int32_t scenario_find_group(const struct scenario *scenario, const char *name);

#endif
