/* tools/schema_hooks.h: keys whose values are a little language of their own. */
#ifndef TOOLS_SCHEMA_HOOKS_H
#define TOOLS_SCHEMA_HOOKS_H

#include "tools/reader.h"
#include "tools/writer.h"

/* schema_hooks_kafka.c: Kafka's settings */
extern const struct schema_hooks hooks_offset_reset;     /* consumer_config.auto_offset_reset */
extern const struct schema_hooks hooks_client_assignors; /* …partition_assignment_strategy */
extern const struct schema_hooks hooks_instance_id;      /* …static_membership */
extern const struct schema_hooks hooks_server_assignors; /* broker_config.… */
extern const struct schema_hooks hooks_migration_policy; /* broker_config.… */
extern const struct schema_hooks hooks_cleanup_policy;   /* scenario_topic.compact, … */

/* schema_hooks_lists.c: names and lists */
extern const struct schema_hooks hooks_seed;           /* scenario.seed */
extern const struct schema_hooks hooks_racks;          /* scenario_cluster.racks */
extern const struct schema_hooks hooks_group_topics;   /* scenario_group.topics */
extern const struct schema_hooks hooks_topic;          /* const char *: a topic of the scenario */
extern const struct schema_hooks hooks_optional_topic; /* the same, or none */
extern const struct schema_hooks hooks_hot_keys;       /* scenario_keys.hot */
extern const struct schema_hooks hooks_weights;        /* scenario_producer.partition_weights */

extern const struct schema_hooks hooks_rate;     /* rate_yaml.c: scenario_producer.rate */
extern const struct schema_hooks hooks_timeline; /* timeline_yaml.c: scenario.timeline */
extern const struct schema_hooks hooks_expect;   /* expect_yaml.c: scenario.expects */

/* The topic with this name, or NULL. */
const struct scenario_topic *scenario_find_topic(const struct scenario *scenario, const char *name);
/* Reports an unknown topic with the nearest name. */
const struct scenario_topic *reader_topic(struct reader *reader, const char *label,
                                          const struct node *node);

#endif
