/* RoundRobinAssignor: partitions dealt to a circle of members, skipping those who do not subscribe.
 *
 * The position in the circle carries over from topic to topic, so groups with unequal subscriptions
 * can end up lopsided. Racks and previous ownership are ignored. */
#include "model/assignor/order.h"
#include "model/assignor/strategies.h"

/* The first subscriber of the topic at or after this position of the circle, as an index into the
 * topic's subscribers. position[m] is a member's place in the circle. */
static int32_t first_at_or_after(const int32_t *subscriber, int32_t count, const int32_t *position,
                                 int32_t cursor)
{
    int32_t low = 0;
    int32_t high = count;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (position[subscriber[middle]] < cursor) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == count ? 0 : low;
}

enum assign_result roundrobin_assign(const struct assign_input *input, struct memory *memory,
                                     struct assign_output *output)
{
    struct scratch scratch = scratch_new(memory);
    const int32_t *circle = order_members_static_first(input, &scratch);
    const int32_t *topics = order_topics_by_name(input, &scratch);
    const struct subscribers subscribers = order_subscribers(input, circle, &scratch);
    int32_t *position = SCRATCH_ARRAY(&scratch, int32_t, input->member_count);
    for (int32_t i = 0; i < input->member_count; i++)
        position[circle[i]] = i;

    int32_t cursor = 0;
    for (int32_t i = 0; i < input->topic_count; i++) {
        const int32_t topic = topics[i];
        const int32_t count = subscribers_count(&subscribers, topic);
        const int32_t *subscriber = subscribers.member + subscribers.first[topic];
        const int32_t partitions = order_partition_count(input, topic);
        if (count == 0 || partitions == 0) continue;
        int32_t next = first_at_or_after(subscriber, count, position, cursor);
        int32_t *owner = output->owner + output->first_slot[topic];
        for (int32_t p = 0; p < partitions; p++) {
            owner[p] = subscriber[next];
            next = next + 1 == count ? 0 : next + 1;
        }
        cursor = position[owner[partitions - 1]] + 1;
    }
    scratch_release(&scratch);
    return ASSIGN_DONE;
}
