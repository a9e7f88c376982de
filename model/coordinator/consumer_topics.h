/* model/coordinator/consumer_topics.h: topics by name and by id.
 *
 * Messages carry names, the state carries ids. A topic that is gone is remembered, because members
 * hold its partitions until their next reconciliation. */
#ifndef MODEL_COORDINATOR_CONSUMER_TOPICS_H
#define MODEL_COORDINATOR_CONSUMER_TOPICS_H

#include "model/coordinator/consumer_group.h"
#include "model/coordinator/shard.h"

/* The id of the topic, or of the last one of this name; the name itself for one never seen. */
name_id consumer_topic_id(const struct coordinator *coordinator, name_id name);
/* The name of the topic with this id, existing or not; the id itself for one never seen. */
name_id consumer_topic_name(const struct coordinator *coordinator, name_id id);
/* For shards about to be freed. */
void consumer_topics_release(struct coordinator *coordinator);

/* Partitions of a message into a sorted list of ids. */
void consumer_partitions_read(const struct coordinator *coordinator, struct partition_list *out,
                              const struct topic_partition *partitions, int32_t count);
/* A set as a message has it: by topic name, then partition. The array belongs to the message. */
struct topic_partition *consumer_partitions_write(const struct coordinator *coordinator,
                                                  struct message *message,
                                                  struct partition_set set);

/* The subscription metadata for these names: the topics among them that exist, ascending. The array
 * is taken from the shard's memory, shape [subscribed->count]. */
struct consumer_topic *consumer_topics_look_up(const struct coordinator *coordinator,
                                               const struct name_counts *subscribed,
                                               int32_t *count);
bool consumer_topics_equal(const struct consumer_topic *a, int32_t a_count,
                           const struct consumer_topic *b, int32_t b_count);

#endif
