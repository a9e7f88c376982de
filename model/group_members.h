/* model/group_members.h: who has what in a group, as its coordinator knows it; for onlookers. */
#ifndef MODEL_GROUP_MEMBERS_H
#define MODEL_GROUP_MEMBERS_H

#include "model/coordinator/coordinator.h"

int32_t group_members_count(const struct coordinator *coordinator, name_id group);

typedef void group_partition_visitor(void *self, name_id member, struct topic_partition partition,
                                     int32_t generation);
/* Every partition of a classic group's present assignment. False if it is no classic group. */
bool group_members_visit_classic(struct memory *memory, struct names *names,
                                 const struct coordinator *coordinator, name_id group,
                                 group_partition_visitor *visitor, void *self);
/* Every partition assigned now to one member of a consumer group. False if there is no such. */
bool group_members_visit_consumer(const struct coordinator *coordinator, name_id group,
                                  name_id member, group_partition_visitor *visitor, void *self);
/* The same of its target assignment, as of the group's epoch. */
bool group_members_visit_target(const struct coordinator *coordinator, name_id group,
                                name_id member, group_partition_visitor *visitor, void *self);

/* A member as others know it. */
typedef void group_member_visitor(void *self, name_id member, name_id instance, name_id client_id,
                                  name_id client_host);
void group_members_visit(const struct coordinator *coordinator, name_id group,
                         group_member_visitor *visitor, void *self);
/* False when the group has no members' protocol (it is gone, or only stands for offsets). */
bool group_members_state(const struct coordinator *coordinator, name_id group,
                         enum group_state *state, int32_t *generation);
/* Every offset of the group as applied, whether the high watermark has passed it or not. */
typedef void group_offset_visitor(void *self, struct topic_partition partition, int64_t offset);
void group_members_visit_offsets(const struct coordinator *coordinator, name_id group,
                                 group_offset_visitor *visitor, void *self);
/* Every id the shard has seen. */
uint32_t group_members_group_count(const struct coordinator *coordinator);
name_id group_members_group_at(const struct coordinator *coordinator, uint32_t index);

#endif
