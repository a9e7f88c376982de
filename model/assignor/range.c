/* RangeAssignor: consecutive partitions of each topic, topic by topic.
 *
 * With racks (KIP-881) a matching pass comes first: topics with the same subscribers and the same
 * number of partitions are matched together, so that co-partitioned topics stay aligned; a topic of
 * its own is matched alone. What is left is then dealt as without racks. */
#include "model/assignor/range.h"

#include "model/assignor/order.h"
#include "model/assignor/racks.h"
#include "model/assignor/range_racks.h"
#include "model/assignor/strategies.h"

void range_deal(const int32_t *subscriber, int32_t subscriber_count, int32_t *owner,
                int32_t partition_count)
{
    if (subscriber_count == 0) return;
    const int32_t base = partition_count / subscriber_count;
    const int32_t extra = partition_count % subscriber_count;
    int32_t p = 0;
    for (int32_t i = 0; i < subscriber_count && p < partition_count; i++) {
        const int32_t end = p + base + (i < extra ? 1 : 0);
        while (p < end)
            owner[p++] = subscriber[i];
    }
}

enum assign_result range_assign(const struct assign_input *input, struct memory *memory,
                                struct assign_output *output)
{
    struct scratch scratch = scratch_new(memory);
    const int32_t *members = order_members_static_first(input, &scratch);
    const struct subscribers subscribers = order_subscribers(input, members, &scratch);
    struct racks racks = racks_new(input, &scratch);
    if (!range_assign_by_rack(input, &subscribers, &racks, &scratch, output)) {
        for (int32_t t = 0; t < input->topic_count; t++) {
            range_deal(subscribers.member + subscribers.first[t],
                       subscribers_count(&subscribers, t), output->owner + output->first_slot[t],
                       order_partition_count(input, t));
        }
    }
    scratch_release(&scratch);
    return ASSIGN_DONE;
}
