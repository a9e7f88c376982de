/* model/coordinator/offset_rules.h: the offset APIs of both kinds of groups, one file each. */
#ifndef MODEL_COORDINATOR_OFFSET_RULES_H
#define MODEL_COORDINATOR_OFFSET_RULES_H

#include "model/coordinator/shard.h"

/* offsets_commit.c */
void offsets_on_commit(struct operation *operation, const struct offset_commit_request *request);
void offsets_on_txn_commit(struct operation *operation,
                           const struct txn_offset_commit_request *request);

/* offsets_fetch.c */
void offsets_on_fetch(struct operation *operation, const struct offset_fetch_request *request);

/* offsets_delete.c */
void offsets_on_delete(struct operation *operation, const struct offset_delete_request *request);
void offsets_on_delete_groups(struct operation *operation,
                              const struct delete_groups_request *request);
/* The partitions a deleted topic had, in all groups. Kafka goes by the list of deleted partitions,
 * so an offset committed for one that never existed stays
 * (OffsetMetadataManager.onPartitionsDeleted). */
void offsets_on_topic_deleted(struct coordinator *coordinator, name_id topic,
                              int32_t partition_count);

/* offsets_expire.c: the sweep (KIP-211). */
void offsets_start_expiration(struct coordinator *coordinator);

#endif
