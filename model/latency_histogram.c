#include "model/latency_histogram.h"

#include "model/scale.h"
#include "sim/check.h"
#include "sim/wide.h"

/* One unit is 1,024 ns; durations below 128 units share the linear buckets at the bottom. */
#define SUB_BITS     7
#define SUB_COUNT    (1 << SUB_BITS)
#define UNIT_BITS    10
#define DOUBLINGS    (63 - UNIT_BITS - SUB_BITS)
#define BUCKET_COUNT ((DOUBLINGS + 1) * SUB_COUNT)

/* What add_in_steps can do exactly. */
#define STEPS_COUNT   (1 << 16)
#define STEPS_SPAN_NS (INT64_C(1) << 31)

struct latency_histogram {
    int64_t total;
    int128 sum_ns;
    sim_time max;
    int64_t buckets[BUCKET_COUNT];
};

struct latency_histogram *latency_histogram_new(struct memory *memory)
{
    return memory_keep(memory, sizeof(struct latency_histogram));
}

/* Which doubling a duration is in: by how many bits its units are shortened to find its bucket. */
static uint32_t doubling_of(sim_time duration_ns)
{
    uint64_t units = (uint64_t)duration_ns >> UNIT_BITS;
    return units < SUB_COUNT ? 0 : 63u - SUB_BITS - (uint32_t)__builtin_clzll(units);
}

/* Bucket of a duration: linear up to 128 units of 1,024 ns, then 128 buckets per doubling. */
static uint32_t bucket_of(sim_time duration_ns)
{
    uint32_t shift = doubling_of(duration_ns);
    return shift * SUB_COUNT + (uint32_t)((uint64_t)duration_ns >> (UNIT_BITS + shift));
}

/* The first duration beyond the bucket. */
static sim_time bucket_end(uint32_t bucket)
{
    if (bucket < SUB_COUNT) return (sim_time)(bucket + 1) << UNIT_BITS;
    uint32_t shift = bucket / SUB_COUNT - 1;
    uint64_t units = (uint64_t)(bucket % SUB_COUNT + SUB_COUNT + 1) << shift;
    return (sim_time)(units << UNIT_BITS);
}

void latency_histogram_add(struct latency_histogram *histogram, sim_time duration_ns,
                           int64_t weight)
{
    if (weight == 0) return;
    CHECK(duration_ns >= 0 && weight > 0);
    histogram->buckets[bucket_of(duration_ns)] += weight;
    histogram->total += weight;
    histogram->sum_ns += (int128)duration_ns * weight;
    if (duration_ns > histogram->max) histogram->max = duration_ns;
}

/* Each of low + (high - low) * i / (count - 1), i below count, finds its bucket; those of one
 * doubling by the same shift. The steps are in 2^-32 ns and rounded up: after fewer than 2^16 of
 * them what was added is less than the least distance to the next whole number. */
static void add_in_steps(struct latency_histogram *histogram, sim_time low, sim_time high,
                         int64_t count)
{
    const uint64_t step = ((uint64_t)(high - low) << 32) / (uint64_t)(count - 1) + 1;
    uint64_t passed = 0;
    for (int64_t counted = 0; counted < count;) {
        uint64_t value = (uint64_t)low + (passed >> 32);
        uint32_t shift = doubling_of((sim_time)value);
        uint64_t end = (uint64_t)(2 * SUB_COUNT) << (UNIT_BITS + shift);
        int64_t *buckets = histogram->buckets + (size_t)shift * SUB_COUNT;
        for (; counted < count && value < end; counted++) {
            buckets[value >> (UNIT_BITS + shift)]++;
            passed += step;
            value = (uint64_t)low + (passed >> 32);
        }
    }
}

static void add_each(struct latency_histogram *histogram, sim_time low, sim_time high,
                     int64_t count)
{
    if (count < STEPS_COUNT && high - low < STEPS_SPAN_NS) {
        add_in_steps(histogram, low, high, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        sim_time value = low + scale_int64(high - low, i, count - 1);
        histogram->buckets[bucket_of(value)]++;
    }
}

void latency_histogram_add_range(struct latency_histogram *histogram, sim_time first_ns,
                                 sim_time last_ns, int64_t count)
{
    sim_time low = first_ns < last_ns ? first_ns : last_ns;
    sim_time high = first_ns < last_ns ? last_ns : first_ns;
    if (count <= 2 || bucket_of(low) == bucket_of(high)) {
        /* One bucket holds all, or there are only the two ends. */
        int64_t at_high = count / 2 == 0 ? 1 : count / 2;
        latency_histogram_add(histogram, high, at_high);
        latency_histogram_add(histogram, low, count - at_high);
        return;
    }
    int64_t counted = 0;
    if (count <= (int64_t)(bucket_of(high) - bucket_of(low)) * 4) {
        add_each(histogram, low, high, count);
        counted = count;
    }
    /* Many: count those below each bucket's end. */
    for (uint32_t bucket = bucket_of(low); counted < count; bucket++) {
        sim_time end = bucket_end(bucket);
        int64_t below = count;
        if (end <= high) {
            int128 scaled = (int128)(end - low) * (count - 1);
            below = (int64_t)((scaled + (high - low) - 1) / (high - low));
        }
        histogram->buckets[bucket] += below - counted;
        counted = below;
    }
    histogram->total += count;
    histogram->sum_ns += ((int128)low + high) * count / 2;
    if (high > histogram->max) histogram->max = high;
}

int64_t latency_histogram_count(const struct latency_histogram *histogram)
{
    return histogram->total;
}

sim_time latency_histogram_quantile(const struct latency_histogram *histogram, int32_t permille)
{
    CHECK(permille >= 0 && permille <= 1000);
    if (histogram->total == 0) return 0;
    int64_t wanted = (int64_t)(((int128)histogram->total * permille + 999) / 1000);
    if (wanted == 0) wanted = 1;
    int64_t seen = 0;
    for (uint32_t bucket = 0; bucket < BUCKET_COUNT; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen < wanted) continue;
        sim_time end = bucket_end(bucket);
        return end < histogram->max ? end : histogram->max;
    }
    return histogram->max;
}

sim_time latency_histogram_mean(const struct latency_histogram *histogram)
{
    return histogram->total == 0 ? 0 : (sim_time)(histogram->sum_ns / histogram->total);
}

sim_time latency_histogram_max(const struct latency_histogram *histogram)
{
    return histogram->max;
}
