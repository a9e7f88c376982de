#include "model/partition_load.h"

#include "sim/check.h"

#include <string.h>

void partition_load_init(struct partition_load *load, struct memory *memory)
{
    *load = (struct partition_load){.memory = memory};
}

static void add_to_sums(struct partition_load *load, int32_t place, int32_t change)
{
    for (int32_t i = place + 1; i <= load->available_count; i += i & -i)
        load->sums[i] += change;
}

static void count_length(struct partition_load *load, int32_t length)
{
    if (length >= load->length_capacity) {
        int32_t grown = load->length_capacity == 0 ? 8 : load->length_capacity;
        while (grown <= length)
            grown *= 2;
        load->having = memory_resize(load->memory, load->having,
                                     (size_t)load->length_capacity * sizeof *load->having,
                                     (size_t)grown * sizeof *load->having);
        for (int32_t i = load->length_capacity; i < grown; i++)
            load->having[i] = 0;
        load->length_capacity = grown;
    }
    load->having[length]++;
    if (length > load->longest) load->longest = length;
}

static void free_arrays(struct partition_load *load)
{
    size_t count = (size_t)load->partition_count;
    if (count == 0) return;
    memory_give(load->memory, load->available, count * sizeof *load->available);
    memory_give(load->memory, load->place_of, count * sizeof *load->place_of);
    memory_give(load->memory, load->sums, (count + 1) * sizeof *load->sums);
}

void partition_load_set(struct partition_load *load, int32_t partition_count,
                        const bool *has_leader, const int32_t *queue_lengths)
{
    if (partition_count != load->partition_count) {
        size_t count = (size_t)partition_count;
        free_arrays(load);
        load->partition_count = partition_count;
        load->available = memory_take(load->memory, count * sizeof *load->available);
        load->place_of = memory_take(load->memory, count * sizeof *load->place_of);
        load->sums = memory_take(load->memory, (count + 1) * sizeof *load->sums);
    }
    memset(load->sums, 0, ((size_t)partition_count + 1) * sizeof *load->sums);
    for (int32_t i = 0; i < load->length_capacity; i++)
        load->having[i] = 0;
    load->longest = 0;
    load->available_count = 0;
    for (int32_t p = 0; p < partition_count; p++) {
        load->place_of[p] = has_leader[p] ? load->available_count : -1;
        if (!has_leader[p]) continue;
        load->available[load->available_count++] = p;
        count_length(load, queue_lengths[p]);
        load->sums[load->available_count] = queue_lengths[p];
    }
    for (int32_t i = 1; i <= load->available_count; i++) {
        int32_t above = i + (i & -i);
        if (above <= load->available_count) load->sums[above] += load->sums[i];
    }
}

void partition_load_change(struct partition_load *load, int32_t partition, int32_t from, int32_t to)
{
    if (partition >= load->partition_count || load->place_of[partition] < 0) return;
    CHECK(from < load->length_capacity && load->having[from] > 0);
    load->having[from]--;
    count_length(load, to);
    while (load->having[load->longest] == 0)
        load->longest--;
    add_to_sums(load, load->place_of[partition], to - from);
}

/* Whether the load says anything: some queue is longer than another. (Where a partition has no
 * leader and all queues are equal, Kafka weighs all the same, which is no different.) */
static bool load_matters(const struct partition_load *load)
{
    return load->available_count > 0 && load->having[load->longest] < load->available_count;
}

/* Each weighs by how much shorter its queue is than the longest, and one more: the first place
 * whose sum of weights, its own included, is above `target`. */
static int32_t place_at(const struct partition_load *load, int64_t target)
{
    int64_t each = load->longest + 1;
    int32_t step = 1;
    while (step * 2 <= load->available_count)
        step *= 2;
    int32_t before = 0; /* that many places are passed over */
    for (; step > 0; step /= 2) {
        if (before + step > load->available_count) continue;
        int64_t weight = each * step - load->sums[before + step];
        if (weight > target) continue;
        before += step;
        target -= weight;
    }
    return before;
}

static int64_t all_weights(const struct partition_load *load)
{
    int64_t lengths = 0;
    for (int32_t i = load->available_count; i > 0; i -= i & -i)
        lengths += load->sums[i];
    return (int64_t)(load->longest + 1) * load->available_count - lengths;
}

int32_t partition_load_choose(const struct partition_load *load, uint32_t random, bool adaptive)
{
    CHECK(load->partition_count > 0);
    const int32_t number = (int32_t)(random & 0x7fffffff); /* Utils.toPositive */
    if (load->available_count == 0) return number % load->partition_count;
    if (!adaptive || !load_matters(load)) return load->available[number % load->available_count];
    return load->available[place_at(load, number % all_weights(load))];
}
