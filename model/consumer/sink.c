#include "model/consumer/sink.h"

#include "sim/check.h"

struct listener {
    struct listener *next;
    void (*recovered)(void *context);
    void *context;
};

struct poison {
    struct poison *next;
    partition_id partition;
    int64_t begin;
    int64_t end;
};

struct stored_offset {
    partition_id partition;
    int64_t offset;
};

struct sink {
    struct memory *memory;
    int32_t outages;
    struct listener *first_listener;
    struct listener *last_listener;
    struct poison *poison;
    struct stored_offset *stored; /* ascending by partition */
    int32_t stored_count;
    int32_t stored_capacity;
};

struct sink *sink_new(struct memory *memory)
{
    struct sink *sink = memory_keep(memory, sizeof *sink);
    sink->memory = memory;
    return sink;
}

void sink_begin_outage(struct sink *sink)
{
    sink->outages++;
}

void sink_end_outage(struct sink *sink)
{
    CHECK(sink->outages > 0);
    sink->outages--;
    if (sink->outages > 0) return;
    for (struct listener *l = sink->first_listener; l != NULL; l = l->next) {
        l->recovered(l->context);
    }
}

bool sink_is_down(const struct sink *sink)
{
    return sink->outages > 0;
}

void sink_on_recovery(struct sink *sink, void (*recovered)(void *context), void *context)
{
    struct listener *listener = memory_keep(sink->memory, sizeof *listener);
    *listener = (struct listener){.recovered = recovered, .context = context};
    if (sink->last_listener == NULL) {
        sink->first_listener = listener;
    } else {
        sink->last_listener->next = listener;
    }
    sink->last_listener = listener;
}

void sink_add_poison(struct sink *sink, partition_id partition, int64_t offset, int32_t count)
{
    struct poison *poison = memory_keep(sink->memory, sizeof *poison);
    *poison = (struct poison){sink->poison, partition, offset, offset + count};
    sink->poison = poison;
}

int64_t sink_find_poison(const struct sink *sink, partition_id partition, int64_t begin,
                         int64_t end)
{
    int64_t first = -1;
    for (const struct poison *p = sink->poison; p != NULL; p = p->next) {
        if (p->partition != partition || p->begin >= end || p->end <= begin) continue;
        int64_t hit = p->begin > begin ? p->begin : begin;
        if (first < 0 || hit < first) first = hit;
    }
    return first;
}

/* Where the partition stands, or would have to stand. */
static int32_t stored_place(const struct sink *sink, partition_id partition)
{
    int32_t low = 0;
    int32_t high = sink->stored_count;
    while (low < high) {
        int32_t middle = (low + high) / 2;
        if (sink->stored[middle].partition < partition) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_stored_at(const struct sink *sink, int32_t place, partition_id partition)
{
    return place < sink->stored_count && sink->stored[place].partition == partition;
}

void sink_store_offset(struct sink *sink, partition_id partition, int64_t offset)
{
    int32_t place = stored_place(sink, partition);
    if (!is_stored_at(sink, place, partition)) {
        if (sink->stored_count == sink->stored_capacity) {
            int32_t capacity = sink->stored_capacity == 0 ? 16 : 2 * sink->stored_capacity;
            sink->stored = memory_resize(sink->memory, sink->stored,
                                         (size_t)sink->stored_capacity * sizeof *sink->stored,
                                         (size_t)capacity * sizeof *sink->stored);
            sink->stored_capacity = capacity;
        }
        for (int32_t i = sink->stored_count; i > place; i--)
            sink->stored[i] = sink->stored[i - 1];
        sink->stored_count++;
        sink->stored[place].partition = partition;
    }
    sink->stored[place].offset = offset;
}

int64_t sink_stored_offset(const struct sink *sink, partition_id partition)
{
    int32_t place = stored_place(sink, partition);
    return is_stored_at(sink, place, partition) ? sink->stored[place].offset : -1;
}
