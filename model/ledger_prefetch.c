/* What the ledger keeps of a partition lies far from what it keeps of the next one, and is looked
 * at once in a while: nearly every look would wait for memory. Who asks next is known, though. */
#include "model/ledger_internal.h"

#define FAR_STEPS  8
#define NEAR_STEPS 4 /* what was asked for at FAR_STEPS has come */

static void go_on(struct ledger_walk *walk, partition_id partition)
{
    walk->step = (int32_t)(partition - walk->last);
    walk->last = partition;
}

/* Number of the partition so many steps on; -1 when the walk leaves the topic. */
static int32_t ahead(const struct ledger_walk *walk, const struct ledger_topic *topic,
                     int32_t steps)
{
    int64_t number = PARTITION_NUMBER(walk->last) + (int64_t)walk->step * steps;
    return number >= 0 && number < topic->partition_count ? (int32_t)number : -1;
}

static const void *last_span(const struct ledger_log *log)
{
    const struct arrival_index *arrivals = &log->arrivals;
    return arrivals->end == 0 ? NULL : &arrivals->spans[arrivals->end - 1];
}

void ledger_prefetch_append(struct ledger *ledger, partition_id partition)
{
    struct ledger_walk *walk = &ledger->appends;
    int32_t t = PARTITION_TOPIC(partition);
    const struct ledger_topic *topic = &ledger->topics[t];
    go_on(walk, partition);
    int32_t near = ahead(walk, topic, NEAR_STEPS);
    if (near >= 0) prefetch_lines(last_span(&topic->logs[near]), 2);
    int32_t far = ahead(walk, topic, FAR_STEPS);
    if (far < 0) return;
    prefetch_line(&topic->logs[far]);
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        const struct ledger_claim *claims = ledger->groups[g].claims[t];
        if (claims != NULL) prefetch_line(&claims[far]);
    }
}

void ledger_prefetch_acknowledgement(struct ledger *ledger, partition_id partition)
{
    struct ledger_walk *walk = &ledger->acknowledgements;
    const struct ledger_topic *topic = &ledger->topics[PARTITION_TOPIC(partition)];
    go_on(walk, partition);
    int32_t far = ahead(walk, topic, FAR_STEPS);
    if (far >= 0) prefetch_lines(&topic->logs[far], sizeof(struct ledger_log) / CACHE_LINE);
}

void ledger_prefetch_oldest(const struct ledger_topic *topic, int32_t partition)
{
    if (partition + FAR_STEPS >= topic->partition_count) return;
    const struct arrival_index *arrivals = &topic->logs[partition + FAR_STEPS].arrivals;
    prefetch_line(arrivals->spans + arrivals->begin);
}

void ledger_prefetch_processing(struct ledger *ledger, struct ledger_group_state *group,
                                partition_id partition)
{
    struct ledger_claim *claim = ledger_claim_of(ledger, group, partition);
    if (claim == NULL) return;
    prefetch_lines(claim, 2);
    if (ledger->delivered_claim != NULL) prefetch_line(ledger->delivered_claim->owners);
    ledger->delivered_claim = claim;
    /* The log first; its arrivals when the next delivery is told, or not at all. */
    const struct ledger_log *before = ledger->delivered;
    ledger->delivered = ledger_log_of(ledger, partition);
    prefetch_line(ledger->delivered);
    if (before == NULL || before->arrivals.end == 0) return;
    const struct arrival_index *arrivals = &before->arrivals;
    prefetch_line(last_span(before));
    /* What is delivered now came a little earlier. */
    if (arrivals->end > 2) prefetch_line(&arrivals->spans[arrivals->end - 3]);
}
