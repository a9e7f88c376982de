#include "model/assignor/measure_best.h"

#include "model/assignor/measure_flow.h"

/* Everybody who subscribes to anything subscribes to the same: low = N / M partitions each, N mod M
 * members one more. Each keeps what it had up to its quota, and the larger quotas go to those that
 * had more than low. */
static bool best_of_equal(const struct assign_input *input, const struct subscribers *subscribers,
                          const int32_t *had, int64_t *sum_of_squares, int32_t *kept)
{
    int32_t members = 0;
    int32_t partitions = 0;
    for (int32_t m = 0; m < input->member_count; m++) {
        if (input->members[m].topic_count > 0) members++;
    }
    for (int32_t t = 0; t < input->topic_count; t++) {
        if (order_partition_count(input, t) == 0 || subscribers_count(subscribers, t) == 0)
            continue;
        if (subscribers_count(subscribers, t) != members) return false;
        partitions += input->topics[t].partition_count;
    }
    *sum_of_squares = 0;
    *kept = 0;
    if (members == 0) return true;
    const int64_t low = partitions / members;
    const int32_t surplus = partitions % members;
    int32_t could_use_more = 0;
    for (int32_t m = 0; m < input->member_count; m++) {
        *kept += had[m] < low ? had[m] : (int32_t)low;
        if (had[m] > low) could_use_more++;
    }
    *kept += could_use_more < surplus ? could_use_more : surplus;
    *sum_of_squares = low * low * (members - surplus) + (low + 1) * (low + 1) * surplus;
    return true;
}

void measure_best(const struct assign_input *input, const struct subscribers *subscribers,
                  const int32_t *previous, struct scratch *scratch, int64_t *sum_of_squares,
                  int32_t *kept)
{
    int32_t *had = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    int32_t slots = 0;
    for (int32_t t = 0; t < input->topic_count; t++) {
        for (int32_t p = 0; p < order_partition_count(input, t); p++, slots++) {
            if (previous[slots] != ASSIGN_NOBODY) had[previous[slots]]++;
        }
    }
    if (best_of_equal(input, subscribers, had, sum_of_squares, kept)) return;
    const int64_t work = (int64_t)subscribers->first[input->topic_count] * slots;
    if (work > MEASURE_BEST_LIMIT) {
        *sum_of_squares = -1;
        *kept = -1;
        return;
    }
    measure_flow(input, subscribers, previous, scratch, sum_of_squares, kept);
}
