#include "model/record_keys.h"

#include "model/key_weights.h"
#include "sim/check.h"
#include "sim/wide.h"

#include <string.h>

#define NAMED (UINT64_C(1) << 62) /* a key that is not one of key-0, key-1, … */

/* The keys as they were for a while. */
struct key_table {
    int32_t sections; /* one for each partition, or a single one for all */
    uint32_t *begin;  /* the section's keys are [begin[s], begin[s + 1]) */
    uint64_t *ids;
    uint64_t *sums; /* of the section's weights up to this key */
    /* Where to look: of n keys of weight w, the first one whose sum is above j * w / n. */
    uint32_t *guide;
    int64_t *from; /* by partition: the first record that has its key from here */
};

struct record_keys {
    struct memory *memory;
    struct names *names;
    const struct scenario_producer *settings;
    struct rng_key key;
    struct rng_key tombstone_key;
    int32_t partitions; /* the most there were */
    int64_t *taken;     /* records so far, by partition */
    struct key_table *tables;
    int32_t table_count;
};

struct record_keys *record_keys_new(struct sim *sim, name_id producer,
                                    const struct scenario_producer *settings)
{
    struct record_keys *keys = memory_keep(sim_memory(sim), sizeof(*keys));
    keys->memory = sim_memory(sim);
    keys->names = sim_names(sim);
    keys->settings = settings;
    keys->key = sim_rng_key(sim, producer, RNG_RECORD_KEY);
    keys->tombstone_key = sim_rng_key(sim, producer, RNG_TOMBSTONE);
    return keys;
}

/* ---- tables ---- */

/* key-7 is 7, whether it is an ordinary key or somebody's hot one. */
static uint64_t id_of(const struct record_keys *keys, const char *key)
{
    uint64_t number = 0;
    size_t length = strlen(key);
    bool numbered =
        length > 4 && length < 16 && memcmp(key, "key-", 4) == 0 && (key[4] != '0' || length == 5);
    for (size_t i = 4; numbered && i < length; i++) {
        numbered = key[i] >= '0' && key[i] <= '9';
        number = number * 10 + (uint64_t)(key[i] - '0');
    }
    return numbered ? number : NAMED | names_intern(keys->names, key);
}

struct filling {
    const struct record_keys *keys;
    struct key_table *table;
    uint32_t *next; /* by section: where its next key goes */
};

static int32_t section_of_key(const struct key_table *table, const char *key)
{
    return table->sections == 1 ? 0 : key_partition(key, table->sections);
}

static void count_key(void *self, const char *key, uint64_t weight)
{
    struct filling *filling = self;
    (void)weight;
    filling->table->begin[section_of_key(filling->table, key) + 1]++;
}

static void place_key(void *self, const char *key, uint64_t weight)
{
    struct filling *filling = self;
    struct key_table *table = filling->table;
    int32_t section = section_of_key(table, key);
    uint32_t at = filling->next[section]++;
    table->ids[at] = id_of(filling->keys, key);
    table->sums[at] = weight + (at > table->begin[section] ? table->sums[at - 1] : 0);
}

static uint64_t section_weight(const struct key_table *table, int32_t section)
{
    uint32_t end = table->begin[section + 1];
    return end == table->begin[section] ? 0 : table->sums[end - 1];
}

static void fill_guide(struct key_table *table, uint32_t begin, uint32_t end)
{
    uint32_t at = begin;
    for (uint32_t i = begin; i < end; i++) {
        uint64_t sum = (uint64_t)((uint128)table->sums[end - 1] * (i - begin) / (end - begin));
        while (table->sums[at] <= sum)
            at++;
        table->guide[i] = at;
    }
}

static void fill_table(struct record_keys *keys, struct key_table *table,
                       const struct hot_key *extra)
{
    struct memory *memory = keys->memory;
    size_t sections = (size_t)table->sections;
    struct filling filling = {.keys = keys, .table = table};
    table->begin = memory_keep(memory, (sections + 1) * sizeof(*table->begin));
    key_weights_visit(&keys->settings->keys, extra, memory,
                      &(struct key_visitor){count_key, &filling});
    for (size_t s = 0; s < sections; s++)
        table->begin[s + 1] += table->begin[s];
    uint32_t count = table->begin[sections];
    table->ids = memory_keep(memory, count * sizeof(*table->ids));
    table->sums = memory_keep(memory, count * sizeof(*table->sums));
    filling.next = memory_take(memory, sections * sizeof(*filling.next));
    memcpy(filling.next, table->begin, sections * sizeof(*filling.next));
    key_weights_visit(&keys->settings->keys, extra, memory,
                      &(struct key_visitor){place_key, &filling});
    memory_give(memory, filling.next, sections * sizeof(*filling.next));
    table->guide = memory_keep(memory, count * sizeof(*table->guide));
    for (size_t s = 0; s < sections; s++) {
        if (section_weight(table, (int32_t)s) > 0)
            fill_guide(table, table->begin[s], table->begin[s + 1]);
    }
}

void record_keys_change(struct record_keys *keys, int32_t partitions, const struct hot_key *extra)
{
    struct memory *memory = keys->memory;
    if (partitions > keys->partitions) {
        size_t old = (size_t)keys->partitions;
        keys->taken = memory_resize(memory, keys->taken, old * sizeof(*keys->taken),
                                    (size_t)partitions * sizeof(*keys->taken));
        keys->partitions = partitions;
    }
    size_t count = (size_t)keys->table_count;
    keys->tables = memory_resize(memory, keys->tables, count * sizeof(*keys->tables),
                                 (count + 1) * sizeof(*keys->tables));
    struct key_table *table = &keys->tables[keys->table_count++];
    *table = (struct key_table){
        .sections = keys->settings->partition_weights != NULL ? 1 : partitions,
    };
    /* Those beyond were a deleted topic's: nothing new comes for them. */
    table->from = memory_keep(memory, (size_t)keys->partitions * sizeof(*table->from));
    for (int32_t p = 0; p < keys->partitions; p++)
        table->from[p] = p < partitions ? keys->taken[p] : INT64_MAX;
    fill_table(keys, table, extra);
}

/* ---- records ---- */

int64_t record_keys_take(struct record_keys *keys, int32_t partition, int64_t count)
{
    CHECK(partition >= 0 && partition < keys->partitions);
    int64_t first = keys->taken[partition];
    keys->taken[partition] += count;
    return first;
}

static const struct key_table *table_of(const struct record_keys *keys, int32_t partition,
                                        int64_t number)
{
    const struct key_table *table = &keys->tables[keys->table_count - 1];
    while (table > keys->tables && number < table->from[partition])
        table--;
    return table;
}

uint64_t record_keys_key(const struct record_keys *keys, int32_t partition, int64_t number)
{
    const struct key_table *table = table_of(keys, partition, number);
    int32_t section = table->sections == 1 ? 0 : partition;
    uint32_t begin = table->begin[section];
    uint32_t end = table->begin[section + 1];
    /* A record that waited for its topic, which was created anew with fewer partitions, goes where
     * it may have no business (producer.c): any key will do. */
    uint32_t count = table->begin[table->sections];
    uint64_t weight = section_weight(table, section);
    if (weight == 0) return table->ids[(uint64_t)number % count];
    uint64_t index = rng_index((uint64_t)partition, (uint64_t)number);
    uint64_t drawn = rng_below(&keys->key, index, weight);
    uint32_t place = begin + (uint32_t)((uint128)drawn * (end - begin) / weight);
    uint32_t low = table->guide[place];
    uint32_t high = place + 1 < end ? table->guide[place + 1] : end - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->sums[middle] <= drawn) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return table->ids[low];
}

bool record_keys_is_tombstone(const struct record_keys *keys, int32_t partition, int64_t number)
{
    int32_t share_ppm = keys->settings->keys.tombstone_ppm;
    if (share_ppm == 0) return false;
    uint64_t index = rng_index((uint64_t)partition, (uint64_t)number);
    return rng_chance_ppm(&keys->tombstone_key, index, (uint32_t)share_ppm);
}
