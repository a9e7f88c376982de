#include "model/consumer_protocol.h"

#include "model/java_string.h"
#include "sim/check.h"

#include <string.h>

/* Writing: bytes grow at the end of one block. */
struct writer {
    struct memory *memory;
    uint8_t *data;
    size_t length;
    size_t capacity;
};

static void write_bytes(struct writer *writer, const void *data, size_t length)
{
    if (writer->length + length > writer->capacity) {
        const size_t capacity = 2 * writer->capacity + length + 64;
        writer->data = memory_resize(writer->memory, writer->data, writer->capacity, capacity);
        writer->capacity = capacity;
    }
    if (length > 0) memcpy(writer->data + writer->length, data, length);
    writer->length += length;
}

static void write_int16(struct writer *writer, int16_t value)
{
    const uint16_t bits = (uint16_t)value;
    const uint8_t bytes[] = {(uint8_t)(bits >> 8), (uint8_t)bits};
    write_bytes(writer, bytes, sizeof(bytes));
}

static void write_int32(struct writer *writer, int32_t value)
{
    const uint32_t bits = (uint32_t)value;
    const uint8_t bytes[] = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                             (uint8_t)bits};
    write_bytes(writer, bytes, sizeof(bytes));
}

static void write_name(struct writer *writer, const struct names *names, name_id name)
{
    const size_t length = names_length(names, name);
    CHECK(length <= INT16_MAX);
    write_int16(writer, (int16_t)length);
    write_bytes(writer, names_text(names, name), length);
}

static void write_nullable_bytes(struct writer *writer, struct bytes bytes, bool is_null)
{
    CHECK(bytes.length <= INT32_MAX);
    if (bytes.length == 0 && is_null) {
        write_int32(writer, -1);
        return;
    }
    write_int32(writer, (int32_t)bytes.length);
    write_bytes(writer, bytes.data, bytes.length);
}

/* The block is cut to its length, so that whoever gives it back needs to know nothing else. */
static struct bytes written(struct writer *writer)
{
    CHECK(writer->length <= UINT32_MAX);
    writer->data = memory_resize(writer->memory, writer->data, writer->capacity, writer->length);
    return (struct bytes){.data = writer->data, .length = (uint32_t)writer->length};
}

/* Sorting: merge sort of partitions by topic name and number. */
static int compare_partitions(const struct names *names, const struct topic_partition *a,
                              const struct topic_partition *b)
{
    if (a->topic != b->topic) {
        return java_string_compare(names_text(names, a->topic), names_text(names, b->topic));
    }
    return (a->partition > b->partition) - (a->partition < b->partition);
}

static void sort_partitions(struct memory *memory, const struct names *names,
                            struct topic_partition *items, size_t count)
{
    if (count < 2) return;
    const size_t half = count / 2;
    sort_partitions(memory, names, items, half);
    sort_partitions(memory, names, items + half, count - half);
    if (compare_partitions(names, &items[half - 1], &items[half]) <= 0) return;
    struct topic_partition *left = memory_take(memory, half * sizeof(*left));
    memcpy(left, items, half * sizeof(*left));
    size_t l = 0;
    size_t r = half;
    for (size_t i = 0; l < half; i++) {
        const bool take_right = r < count && compare_partitions(names, &items[r], &left[l]) < 0;
        items[i] = take_right ? items[r++] : left[l++];
    }
    memory_give(memory, left, half * sizeof(*left));
}

/* Partitions grouped by topic: runs of one topic become one entry. */
static void write_runs(struct writer *writer, const struct names *names,
                       const struct topic_partition *partitions, int32_t count)
{
    int32_t topics = 0;
    for (int32_t i = 0; i < count; i++) {
        if (i == 0 || partitions[i].topic != partitions[i - 1].topic) topics++;
    }
    write_int32(writer, topics);
    for (int32_t i = 0; i < count;) {
        int32_t end = i;
        while (end < count && partitions[end].topic == partitions[i].topic)
            end++;
        write_name(writer, names, partitions[i].topic);
        write_int32(writer, end - i);
        for (; i < end; i++)
            write_int32(writer, partitions[i].partition);
    }
}

static void write_sorted(struct writer *writer, const struct names *names,
                         const struct topic_partition *partitions, int32_t count)
{
    const size_t size = sizeof(*partitions) * (size_t)count;
    struct topic_partition *sorted = memory_take(writer->memory, size);
    if (count > 0) memcpy(sorted, partitions, size);
    sort_partitions(writer->memory, names, sorted, (size_t)count);
    write_runs(writer, names, sorted, count);
    memory_give(writer->memory, sorted, size);
}

struct bytes subscription_encode(struct memory *memory, const struct names *names,
                                 const struct subscription *subscription, int16_t version)
{
    CHECK(version >= 0 && version <= SUBSCRIPTION_VERSION_NEWEST);
    struct writer writer = {.memory = memory};
    const int32_t count = subscription->topic_count;
    const size_t size = sizeof(struct topic_partition) * (size_t)count;
    struct topic_partition *topics = memory_take(memory, size);
    for (int32_t i = 0; i < count; i++)
        topics[i].topic = subscription->topics[i];
    sort_partitions(memory, names, topics, (size_t)count);
    write_int16(&writer, version);
    write_int32(&writer, count);
    for (int32_t i = 0; i < count; i++)
        write_name(&writer, names, topics[i].topic);
    memory_give(memory, topics, size);
    write_nullable_bytes(&writer, subscription->user_data, subscription->user_data_is_null);
    if (version >= 1) {
        write_sorted(&writer, names, subscription->owned, subscription->owned_count);
    }
    if (version >= 2) write_int32(&writer, subscription->generation);
    if (version >= 3) {
        if (subscription->rack == NAME_NONE) {
            write_int16(&writer, -1);
        } else {
            write_name(&writer, names, subscription->rack);
        }
    }
    return written(&writer);
}

struct bytes assignment_encode(struct memory *memory, const struct names *names,
                               const struct assignment *assignment, int16_t version)
{
    CHECK(version >= 0 && version <= ASSIGNMENT_VERSION_NEWEST);
    struct writer writer = {.memory = memory};
    write_int16(&writer, version);
    write_sorted(&writer, names, assignment->partitions, assignment->partition_count);
    write_nullable_bytes(&writer, assignment->user_data, assignment->user_data_is_null);
    return written(&writer);
}

struct bytes sticky_user_data_encode(struct memory *memory, const struct names *names,
                                     const struct sticky_user_data *user_data)
{
    /* Brings the partitions of each topic together, topics in order of first appearance. */
    const int32_t count = user_data->owned_count;
    const size_t size = sizeof(struct topic_partition) * (size_t)count;
    struct topic_partition *grouped = memory_take(memory, size);
    bool *taken = memory_take(memory, (size_t)count);
    int32_t used = 0;
    for (int32_t i = 0; i < count; i++) {
        for (int32_t j = i; !taken[i] && j < count; j++) {
            if (user_data->owned[j].topic != user_data->owned[i].topic) continue;
            grouped[used++] = user_data->owned[j];
            if (j > i) taken[j] = true;
        }
    }
    struct writer writer = {.memory = memory};
    write_runs(&writer, names, grouped, count);
    write_int32(&writer, user_data->generation);
    memory_give(memory, taken, (size_t)count);
    memory_give(memory, grouped, size);
    return written(&writer);
}

struct bytes cooperative_sticky_user_data_encode(struct memory *memory, int32_t generation)
{
    struct writer writer = {.memory = memory};
    write_int32(&writer, generation);
    return written(&writer);
}

void consumer_protocol_give(struct memory *memory, struct bytes encoded)
{
    union {
        const uint8_t *borrowed;
        void *owned;
    } block = {.borrowed = encoded.data};
    memory_give(memory, block.owned, encoded.length);
}

/* Reading: `failed` once anything was not there; every read then gives zeros. */
struct reader {
    const uint8_t *data;
    size_t left;
    bool failed;
};

static const uint8_t *read_bytes(struct reader *reader, size_t length)
{
    static const uint8_t zeros[4];
    if (reader->failed || length > reader->left) {
        reader->failed = true;
        return length <= sizeof(zeros) ? zeros : NULL;
    }
    const uint8_t *data = reader->data;
    reader->data += length;
    reader->left -= length;
    return data;
}

static int16_t read_int16(struct reader *reader)
{
    const uint8_t *data = read_bytes(reader, 2);
    return (int16_t)(uint16_t)(data[0] << 8 | data[1]);
}

static int32_t read_int32(struct reader *reader)
{
    const uint8_t *data = read_bytes(reader, 4);
    return (int32_t)((uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 |
                     (uint32_t)data[3]);
}

/* The number of items of an array; each takes `smallest` bytes at least, so that a made-up number
 * cannot make us take more memory than the message is large. */
static int32_t read_count(struct reader *reader, size_t smallest)
{
    const int32_t count = read_int32(reader);
    if (count < 0 || (size_t)count > reader->left / smallest) {
        reader->failed = true;
        return 0;
    }
    return count;
}

static name_id read_name(struct reader *reader, struct names *names, bool nullable)
{
    const int16_t length = read_int16(reader);
    if (length < 0) {
        if (!nullable || length != -1) reader->failed = true;
        return NAME_NONE;
    }
    const uint8_t *text = read_bytes(reader, (size_t)length);
    if (reader->failed) return NAME_NONE;
    /* A name with a zero byte inside is none that Kafka would let anybody create. */
    if (length > 0 && memchr(text, 0, (size_t)length) != NULL) {
        reader->failed = true;
        return NAME_NONE;
    }
    return names_intern_bytes(names, (const char *)text, (size_t)length);
}

static struct bytes read_nullable_bytes(struct reader *reader, bool *is_null)
{
    const int32_t length = read_int32(reader);
    *is_null = length < 0;
    if (length < -1) reader->failed = true;
    if (length <= 0) return (struct bytes){0};
    const uint8_t *data = read_bytes(reader, (size_t)length);
    if (reader->failed) return (struct bytes){0};
    return (struct bytes){.data = data, .length = (uint32_t)length};
}

/* Topics with their partitions, flattened. */
static struct topic_partition *read_partitions(struct reader *reader, struct memory *memory,
                                               struct names *names, int32_t *count)
{
    /* Four bytes per partition: so many there can be at most. */
    const size_t most = reader->left / 4;
    struct topic_partition *partitions = NULL;
    int32_t capacity = 0;
    *count = 0;
    const int32_t topics = read_count(reader, 6);
    for (int32_t t = 0; t < topics && !reader->failed; t++) {
        const name_id topic = read_name(reader, names, false);
        const int32_t numbers = read_count(reader, 4);
        if (numbers > capacity - *count) {
            const int32_t grown = 2 * capacity + numbers + 8;
            partitions = memory_resize(memory, partitions, sizeof(*partitions) * (size_t)capacity,
                                       sizeof(*partitions) * (size_t)grown);
            capacity = grown;
        }
        for (int32_t i = 0; i < numbers; i++) {
            partitions[(*count)++] =
                (struct topic_partition){.topic = topic, .partition = read_int32(reader)};
        }
    }
    CHECK((size_t)*count <= most);
    if (reader->failed) {
        memory_give(memory, partitions, sizeof(*partitions) * (size_t)capacity);
        *count = 0;
        return NULL;
    }
    return memory_resize(memory, partitions, sizeof(*partitions) * (size_t)capacity,
                         sizeof(*partitions) * (size_t)*count);
}

static void give_partitions(struct memory *memory, struct topic_partition *partitions,
                            int32_t count)
{
    memory_give(memory, partitions, sizeof(*partitions) * (size_t)count);
}

/* Reads the version; newer ones than we know are read as the newest we know. */
static int16_t read_version(struct reader *reader, int16_t newest)
{
    const int16_t version = read_int16(reader);
    if (version < 0) reader->failed = true;
    return version > newest ? newest : version;
}

bool subscription_decode(struct memory *memory, struct names *names, struct bytes bytes,
                         struct subscription *subscription)
{
    struct reader reader = {.data = bytes.data, .left = bytes.length};
    struct subscription read = {.generation = -1};
    read.version = read_version(&reader, SUBSCRIPTION_VERSION_NEWEST);
    read.topic_count = read_count(&reader, 2);
    read.topics = memory_take(memory, sizeof(name_id) * (size_t)read.topic_count);
    for (int32_t i = 0; i < read.topic_count && !reader.failed; i++) {
        read.topics[i] = read_name(&reader, names, false);
    }
    read.user_data = read_nullable_bytes(&reader, &read.user_data_is_null);
    if (read.version >= 1) {
        read.owned = read_partitions(&reader, memory, names, &read.owned_count);
    }
    if (read.version >= 2) read.generation = read_int32(&reader);
    if (read.version >= 3) read.rack = read_name(&reader, names, true);
    if (reader.failed) {
        subscription_free(memory, &read);
        *subscription = (struct subscription){.generation = -1};
        return false;
    }
    *subscription = read;
    return true;
}

void subscription_free(struct memory *memory, struct subscription *subscription)
{
    memory_give(memory, subscription->topics, sizeof(name_id) * (size_t)subscription->topic_count);
    give_partitions(memory, subscription->owned, subscription->owned_count);
    *subscription = (struct subscription){.generation = -1};
}

bool assignment_decode(struct memory *memory, struct names *names, struct bytes bytes,
                       struct assignment *assignment)
{
    struct reader reader = {.data = bytes.data, .left = bytes.length};
    struct assignment read = {.version = read_version(&reader, ASSIGNMENT_VERSION_NEWEST)};
    read.partitions = read_partitions(&reader, memory, names, &read.partition_count);
    read.user_data = read_nullable_bytes(&reader, &read.user_data_is_null);
    if (reader.failed) {
        assignment_free(memory, &read);
        *assignment = (struct assignment){0};
        return false;
    }
    *assignment = read;
    return true;
}

void assignment_free(struct memory *memory, struct assignment *assignment)
{
    give_partitions(memory, assignment->partitions, assignment->partition_count);
    *assignment = (struct assignment){0};
}

bool sticky_user_data_decode(struct memory *memory, struct names *names, struct bytes bytes,
                             struct sticky_user_data *user_data)
{
    struct reader reader = {.data = bytes.data, .left = bytes.length};
    struct sticky_user_data read = {.generation = -1};
    read.owned = read_partitions(&reader, memory, names, &read.owned_count);
    /* The oldest layout ends here (StickyAssignor's version 0 schema). */
    if (!reader.failed && reader.left >= 4) read.generation = read_int32(&reader);
    if (reader.failed) {
        *user_data = (struct sticky_user_data){.generation = -1};
        return false;
    }
    *user_data = read;
    return true;
}

void sticky_user_data_free(struct memory *memory, struct sticky_user_data *user_data)
{
    give_partitions(memory, user_data->owned, user_data->owned_count);
    *user_data = (struct sticky_user_data){.generation = -1};
}

bool cooperative_sticky_user_data_decode(struct bytes bytes, int32_t *generation)
{
    struct reader reader = {.data = bytes.data, .left = bytes.length};
    *generation = read_int32(&reader);
    if (reader.failed) *generation = -1;
    return !reader.failed;
}
