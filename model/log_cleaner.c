#include "model/log_cleaner.h"

#include "model/batch_keys.h"
#include "sim/check.h"
#include "sim/wide.h"

#define MILLI 1000

/* ---- what can be cleaned ----------------------------------------------------------------- */

static int64_t segment_size(const struct partition_log *log, uint32_t index)
{
    int64_t end = index + 1 < log->segment_count ? log->segments[index + 1].position
                                                 : log->owner->end_position;
    return end - log->segments[index].position;
}

/* Index of the segment that holds the offset, or of the first one. */
static uint32_t segment_of(const struct partition_log *log, int64_t offset)
{
    uint32_t index = 0;
    while (index + 1 < log->segment_count && log->segments[index + 1].base_offset <= offset)
        index++;
    return index;
}

/* LogSegment.getFirstBatchTimestamp */
static sim_time first_batch_at(const struct partition_log *log, uint32_t segment)
{
    uint32_t index = log_batches_search(&log->main, log->segments[segment].base_offset);
    return index < log->main.count ? log->main.items[log->main.first + index].last_at
                                   : SIM_TIME_NEVER;
}

/* LogCleanerManager.cleanableOffsets and .calculateCleanableBytes */
struct log_dirt log_cleaner_look(const struct partition_log *log,
                                 const struct log_compaction *settings, int64_t first_dirty,
                                 int64_t limit, sim_time now)
{
    struct log_dirt dirt = {.first_dirty = first_dirty};
    if (first_dirty < log->start_offset) dirt.first_dirty = log->start_offset;
    dirt.end = dirt.first_dirty;
    if (log->segment_count == 0) return dirt;
    uint32_t active = log->segment_count - 1;
    if (limit > log->segments[active].base_offset) limit = log->segments[active].base_offset;
    uint32_t first = segment_of(log, dirt.first_dirty);
    for (uint32_t i = first; i < active && settings->min_lag_ns > 0; i++) {
        if (log->segments[i].max_at <= now - settings->min_lag_ns) continue;
        if (limit > log->segments[i].base_offset) limit = log->segments[i].base_offset;
        break;
    }
    /* Whole segments: the one that holds the limit is not touched. */
    uint32_t end = segment_of(log, limit > dirt.first_dirty ? limit : dirt.first_dirty);
    dirt.end = log->segments[end].base_offset;
    for (uint32_t i = 0; i < active; i++) {
        int64_t size = segment_size(log, i);
        if (log->segments[i].base_offset < dirt.first_dirty) dirt.clean_bytes += size;
        if (i >= first && i < end) dirt.dirty_bytes += size;
        if (i < first || settings->max_lag_ms == INT64_MAX) continue;
        if (first_batch_at(log, i) < now - MILLISECONDS(settings->max_lag_ms))
            dirt.is_overdue = true;
    }
    return dirt;
}

/* LogCleanerManager.grabFilthiestCompactedLog */
bool log_cleaner_is_due(const struct log_dirt *dirt, const struct log_compaction *settings)
{
    if (dirt->dirty_bytes == 0) return false;
    int128 total = (int128)dirt->clean_bytes + dirt->dirty_bytes;
    return dirt->is_overdue ||
           (int128)dirt->dirty_bytes * MILLI > total * settings->min_dirty_milli;
}

/* ---- the latest offset of each key ------------------------------------------------------- */

/* Open addressing; only looked up. */
struct offset_map {
    struct memory *memory;
    struct offset_entry_of_key {
        uint64_t key;
        int64_t offset; /* + 1; 0 = free */
    } * entries;
    uint32_t count;
    uint32_t capacity; /* a power of two */
};

static struct offset_entry_of_key *place_of(const struct offset_map *map, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t at = (uint32_t)(hash >> 32) & (map->capacity - 1);
    while (map->entries[at].offset != 0 && map->entries[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return &map->entries[at];
}

static void map_grow(struct offset_map *map)
{
    const struct offset_map old = *map;
    map->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
    map->entries = memory_take(map->memory, map->capacity * sizeof(*map->entries));
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].offset != 0) *place_of(map, old.entries[i].key) = old.entries[i];
    }
    memory_give(map->memory, old.entries, old.capacity * sizeof(*old.entries));
}

static void map_put(struct offset_map *map, uint64_t key, int64_t offset)
{
    if (map->count * 2 >= map->capacity) map_grow(map);
    struct offset_entry_of_key *entry = place_of(map, key);
    if (entry->offset == 0) map->count++;
    entry->key = key;
    entry->offset = offset + 1;
}

static uint64_t key_at(const struct batch_keys *keys, int64_t offset)
{
    return record_keys_key(keys->keys, keys->partition, offset + keys->shift);
}

/* Cleaner.buildOffsetMap */
static void map_dirty_part(struct offset_map *map, const struct partition_log *log,
                           const struct log_dirt *dirt)
{
    const struct log_batches *list = &log->main;
    for (uint32_t i = log_batches_search(list, dirt->first_dirty); i < list->count; i++) {
        const struct log_batch *batch = &list->items[list->first + i];
        if (batch->base_offset >= dirt->end) return;
        if ((batch->flags & LOG_EMPTY) != 0) continue;
        int64_t to = batch->base_offset + batch->count;
        int64_t from = batch->base_offset;
        for (int64_t o = from > dirt->first_dirty ? from : dirt->first_dirty; o < to; o++)
            map_put(map, key_at(batch->payload, o), o);
    }
}

/* ---- cleaning ---------------------------------------------------------------------------- */

struct cleaner {
    struct partition_log *log;
    struct log_cleaning *cleaning;
    struct offset_map map;
    sim_time now;
    struct log_batches kept;
    int64_t removed_from; /* a run that may go on */
    int64_t removed_to;
};

static struct log_batch *keep(struct cleaner *cleaner, const struct log_batch *batch)
{
    struct memory *memory = cleaner->log->options->memory;
    struct batch_keys *keys = batch->payload;
    struct log_batch *kept = log_batches_push(memory, &cleaner->kept, UINT32_MAX);
    *kept = *batch;
    keys->holders++;
    return kept;
}

static void tell_removed(struct cleaner *cleaner)
{
    int64_t count = cleaner->removed_to - cleaner->removed_from;
    if (count > 0)
        cleaner->cleaning->removed(cleaner->cleaning->self, cleaner->removed_from, count);
}

static void remove_records(struct cleaner *cleaner, int64_t from, int64_t to)
{
    if (from == to) return;
    cleaner->cleaning->records_removed += to - from;
    if (cleaner->removed_to != from) {
        tell_removed(cleaner);
        cleaner->removed_from = from;
    }
    cleaner->removed_to = to;
}

/* Cleaner.shouldRetainRecord */
static bool is_retained(const struct cleaner *cleaner, const struct batch_keys *keys,
                        int64_t offset, bool *has_tombstone)
{
    const struct offset_entry_of_key *entry = place_of(&cleaner->map, key_at(keys, offset));
    if (entry->offset != 0 && entry->offset - 1 > offset) return false;
    if (!record_keys_is_tombstone(keys->keys, keys->partition, offset + keys->shift)) return true;
    if (keys->delete_horizon <= cleaner->now) return false;
    *has_tombstone = true;
    return true;
}

/* One run of records: what is left of it. Returns the end of the last record kept, or -1. */
static int64_t clean_run(struct cleaner *cleaner, const struct log_batch *run, bool *has_tombstone)
{
    const struct batch_keys *keys = run->payload;
    int64_t kept_to = -1;
    int64_t end = run->base_offset + run->count;
    int64_t from = run->base_offset;
    bool retained = is_retained(cleaner, keys, from, has_tombstone);
    for (int64_t at = from + 1; from < end; at++) {
        bool next = at < end && is_retained(cleaner, keys, at, has_tombstone);
        if (at < end && next == retained) continue;
        if (retained) {
            const struct log_batch slice = log_batch_slice(run, from, at);
            keep(cleaner, &slice);
            kept_to = at;
        } else {
            remove_records(cleaner, from, at);
        }
        retained = next;
        from = at;
    }
    cleaner->cleaning->records += run->count;
    return kept_to;
}

/* A batch without records stays if its sequence number is the last of its producer, or if it is
 * the last one of the round (Cleaner.cleanInto, RETAIN_EMPTY). */
static bool stays_empty(const struct cleaner *cleaner, int64_t end)
{
    return end == cleaner->cleaning->dirt.end ||
           producer_states_ends_at(cleaner->cleaning->producers, end);
}

/* The runs [begin, end) of one batch. */
static void clean_batch(struct cleaner *cleaner, uint32_t begin, uint32_t end)
{
    const struct log_batches *list = &cleaner->log->main;
    const struct log_batch *first = &list->items[list->first + begin];
    struct batch_keys *keys = first->payload;
    bool has_tombstone = false;
    int64_t kept_to = -1;
    for (uint32_t i = begin; i < end; i++) {
        const struct log_batch *run = &list->items[list->first + i];
        if ((run->flags & LOG_EMPTY) != 0) continue;
        int64_t to = clean_run(cleaner, run, &has_tombstone);
        if (to >= 0) kept_to = to;
    }
    /* The first cleaning that lets a tombstone stay says how long (MemoryRecords.filterTo). */
    if (has_tombstone && keys->delete_horizon == SIM_TIME_NEVER)
        keys->delete_horizon = cleaner->now + cleaner->cleaning->settings->delete_retention_ns;
    const struct log_batch *last = &list->items[list->first + end - 1];
    int64_t batch_end = last->base_offset + last->count;
    if (kept_to == batch_end || (kept_to < 0 && !stays_empty(cleaner, batch_end))) return;
    struct log_batch rest = *last;
    rest.base_offset = kept_to < 0 ? first->base_offset : kept_to;
    rest.count = (int32_t)(batch_end - rest.base_offset);
    rest.bytes = 0;
    rest.flags |= LOG_EMPTY;
    keep(cleaner, &rest);
}

/* Cleaned segments are joined as long as they fit into one (Cleaner.groupSegmentsBySize; its limits
 * on the size of an index are never reached first). They keep the youngest time of what is left;
 * one without records that of its file. */
static void join_segments(struct cleaner *cleaner, uint32_t cleaned)
{
    struct partition_log *log = cleaner->log;
    int64_t limit = cleaner->cleaning->settings->segment_bytes;
    uint32_t out = 0;
    for (uint32_t in = 0; in < cleaned; out++) {
        struct log_segment joined = log->segments[in];
        int64_t size = segment_size(log, in);
        for (in++; in < cleaned && size + segment_size(log, in) <= limit; in++) {
            int64_t end =
                in + 1 < cleaned ? log->segments[in + 1].base_offset : cleaner->cleaning->dirt.end;
            if (end - 1 - joined.base_offset > INT32_MAX) break;
            size += segment_size(log, in);
            if (log->segments[in].max_at > joined.max_at) joined.max_at = log->segments[in].max_at;
        }
        log->segments[out] = joined;
    }
    for (uint32_t in = cleaned; in < log->segment_count; in++)
        log->segments[out++] = log->segments[in];
    log->segment_count = out;
}

/* Places what was kept before `end_position`, and the segments with it. */
static void place_kept(struct cleaner *cleaner, int64_t end_position)
{
    struct partition_log *log = cleaner->log;
    struct log_batches *kept = &cleaner->kept;
    uint32_t segment = segment_of(log, cleaner->cleaning->dirt.end);
    uint32_t at = kept->count;
    int64_t position = end_position;
    while (segment-- > 0) {
        sim_time max_at = INT64_MIN;
        for (; at > 0 &&
               kept->items[kept->first + at - 1].base_offset >= log->segments[segment].base_offset;
             at--) {
            struct log_batch *batch = &kept->items[kept->first + at - 1];
            position -= batch->bytes;
            batch->position = position;
            if ((batch->flags & LOG_EMPTY) == 0 && batch->last_at > max_at) max_at = batch->last_at;
        }
        log->segments[segment].position = position;
        if (max_at != INT64_MIN) log->segments[segment].max_at = max_at;
    }
    cleaner->cleaning->bytes_removed = position - log->start_position;
    log->start_position = position;
}

void log_clean(struct partition_log *log, struct log_cleaning *cleaning, sim_time now)
{
    struct memory *memory = log->options->memory;
    struct cleaner cleaner = {.log = log,
                              .cleaning = cleaning,
                              .map = {.memory = memory},
                              .now = now};
    const struct log_batches *list = &log->main;
    map_grow(&cleaner.map);
    map_dirty_part(&cleaner.map, log, &cleaning->dirt);
    uint32_t in = 0;
    while (in < list->count && list->items[list->first + in].base_offset < cleaning->dirt.end) {
        uint32_t begin = in++;
        const void *batch = list->items[list->first + begin].payload;
        while (in < list->count && list->items[list->first + in].payload == batch)
            in++;
        clean_batch(&cleaner, begin, in);
    }
    tell_removed(&cleaner);
    uint32_t active = segment_of(log, cleaning->dirt.end);
    CHECK(log->segments[active].base_offset == cleaning->dirt.end);
    join_segments(&cleaner, active);
    place_kept(&cleaner, log->segments[segment_of(log, cleaning->dirt.end)].position);
    for (; in < list->count; in++)
        keep(&cleaner, &list->items[list->first + in]);
    log_batches_free(memory, &log->main, &log->options->payloads);
    log->main = cleaner.kept;
    memory_give(memory, cleaner.map.entries, cleaner.map.capacity * sizeof(*cleaner.map.entries));
}
