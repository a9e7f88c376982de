/* The broker's RangeAssignor (KIP-848): consecutive partitions of each topic, racks ignored. */
#include "model/assignor/order.h"
#include "model/assignor/range.h"
#include "model/assignor/strategies.h"

enum assign_result server_range_assign(const struct assign_input *input, struct memory *memory,
                                       struct assign_output *output)
{
    struct scratch scratch = scratch_new(memory);
    const int32_t *members = order_members_static_first(input, &scratch);
    const struct subscribers subscribers = order_subscribers(input, members, &scratch);
    enum assign_result result = ASSIGN_DONE;
    for (int32_t t = 0; t < input->topic_count; t++) {
        const bool exists = input->topics[t].partition_count >= 0;
        if (!exists && subscribers_count(&subscribers, t) > 0) result = ASSIGN_UNKNOWN_TOPIC;
    }
    for (int32_t t = 0; result == ASSIGN_DONE && t < input->topic_count; t++) {
        range_deal(subscribers.member + subscribers.first[t], subscribers_count(&subscribers, t),
                   output->owner + output->first_slot[t], order_partition_count(input, t));
    }
    scratch_release(&scratch);
    return result;
}
