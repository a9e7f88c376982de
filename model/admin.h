/* model/admin.h: the operator's tools, kafka-consumer-groups.sh.
 *
 * A process of its own that asks for the group's coordinator and sends it what the tool would:
 * --reset-offsets --execute commits offsets without generation (accepted only while the group is
 * empty), --delete deletes the group, --delete-offsets --topic deletes what it has committed on one
 * topic (refused with GROUP_SUBSCRIBED_TO_TOPIC while a member subscribes to it). Answers
 * NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE and COORDINATOR_LOAD_IN_PROGRESS are tried again, as
 * the admin client does. The outcome is told by the coordinator's own records (COMMITTED,
 * COMMIT_REJECTED, GROUP_RESPONSE). */
#ifndef MODEL_ADMIN_H
#define MODEL_ADMIN_H

#include "model/scenario.h"

struct admin;
struct world;

struct admin *admin_new(struct world *world);

/* `offset` may be OFFSET_TO_LATEST or OFFSET_TO_EARLIEST; it is clamped to what each partition of
 * the group's topics holds, as the tool does. */
void admin_reset_offsets(struct admin *admin, int32_t group, int64_t offset);
void admin_delete_group(struct admin *admin, int32_t group);
/* Of all partitions that the topic has. */
void admin_delete_offsets(struct admin *admin, int32_t group, int32_t topic);

#endif
