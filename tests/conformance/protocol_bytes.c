#include "tests/conformance/protocol_bytes.h"

#include "model/consumer_protocol.h"
#include "tests/conformance/values.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

struct check {
    const json_t *record;
    struct memory *memory;
    struct names *names;
    struct bytes recorded;
    struct conformance_report *report;
};

static bool same_bytes(const struct check *check, const char *what, struct bytes ours)
{
    if (ours.length == check->recorded.length &&
        memcmp(ours.data, check->recorded.data, ours.length) == 0) {
        return true;
    }
    char *text = hex_encode(ours.data, ours.length);
    conformance_say(check->report, "%s: here %s", what, text);
    free(text);
    return false;
}

static bool refused(const struct check *check)
{
    conformance_say(check->report, "the recorded bytes are refused");
    return false;
}

static struct bytes hex_field(const struct check *check, const char *key, bool *is_null)
{
    const char *hex = json_string_value(json_object_get(check->record, key));
    *is_null = hex == NULL;
    if (hex == NULL) return (struct bytes){0};
    size_t length = 0;
    uint8_t *data = hex_decode(hex, &length);
    if (data == NULL) return (struct bytes){0};
    uint8_t *kept = memory_keep(check->memory, length + 1);
    memcpy(kept, data, length);
    free(data);
    return (struct bytes){.data = kept, .length = (uint32_t)length};
}

static void append(const struct check *check, const char *topic, const json_t *numbers,
                   struct topic_partition *partitions, int32_t *count)
{
    for (size_t i = 0; i < json_array_size(numbers); i++) {
        partitions[(*count)++] =
            (struct topic_partition){.topic = names_intern(check->names, topic),
                                     .partition =
                                         (int32_t)json_integer_value(json_array_get(numbers, i))};
    }
}

/* {"topic": [numbers]}, or [["topic", [numbers]], …] where the order is that of the bytes. */
static struct topic_partition *partitions_field(const struct check *check, const char *key,
                                                int32_t *count)
{
    json_t *field = json_object_get(check->record, key);
    struct topic_partition *partitions =
        memory_keep(check->memory, sizeof(*partitions) * (check->recorded.length / 4 + 1));
    const char *topic;
    json_t *numbers;
    *count = 0;
    json_object_foreach(field, topic, numbers) append(check, topic, numbers, partitions, count);
    for (size_t i = 0; i < json_array_size(field); i++) {
        const json_t *entry = json_array_get(field, i);
        append(check, json_string_value(json_array_get(entry, 0)), json_array_get(entry, 1),
               partitions, count);
    }
    return partitions;
}

static bool check_subscription(const struct check *check)
{
    int32_t version = 0;
    struct subscription said = {.generation = -1};
    const json_t *topics = json_object_get(check->record, "topics");
    const char *rack = json_string_value(json_object_get(check->record, "rack"));
    get_int32(check->record, "version", &version);
    get_int32(check->record, "generation", &said.generation);
    said.topic_count = (int32_t)json_array_size(topics);
    said.topics = memory_keep(check->memory, sizeof(name_id) * (json_array_size(topics) + 1));
    for (size_t i = 0; i < json_array_size(topics); i++) {
        said.topics[i] = names_intern(check->names, json_string_value(json_array_get(topics, i)));
    }
    said.user_data = hex_field(check, "user_data", &said.user_data_is_null);
    said.owned = partitions_field(check, "owned", &said.owned_count);
    said.rack = rack == NULL ? NAME_NONE : names_intern(check->names, rack);
    bool same =
        same_bytes(check, "encoded",
                   subscription_encode(check->memory, check->names, &said, (int16_t)version));

    struct subscription read;
    if (!subscription_decode(check->memory, check->names, check->recorded, &read)) {
        return refused(check);
    }
    same &= same_bytes(check, "decoded and encoded",
                       subscription_encode(check->memory, check->names, &read, read.version));
    subscription_free(check->memory, &read);
    return same;
}

static bool check_assignment(const struct check *check)
{
    int32_t version = 0;
    struct assignment said = {0};
    get_int32(check->record, "version", &version);
    said.user_data = hex_field(check, "user_data", &said.user_data_is_null);
    said.partitions = partitions_field(check, "assigned", &said.partition_count);
    bool same = same_bytes(check, "encoded",
                           assignment_encode(check->memory, check->names, &said, (int16_t)version));
    struct assignment read;
    if (!assignment_decode(check->memory, check->names, check->recorded, &read)) {
        return refused(check);
    }
    same &= same_bytes(check, "decoded and encoded",
                       assignment_encode(check->memory, check->names, &read, read.version));
    assignment_free(check->memory, &read);
    return same;
}

static bool check_sticky(const struct check *check)
{
    struct sticky_user_data said = {.generation = -1};
    const bool has_generation = get_int32(check->record, "generation", &said.generation);
    said.owned = partitions_field(check, "owned_in_order", &said.owned_count);
    struct sticky_user_data read;
    if (!sticky_user_data_decode(check->memory, check->names, check->recorded, &read)) {
        return refused(check);
    }
    bool same = read.generation == said.generation && read.owned_count == said.owned_count;
    for (int32_t i = 0; same && i < read.owned_count; i++) {
        same = read.owned[i].topic == said.owned[i].topic &&
               read.owned[i].partition == said.owned[i].partition;
    }
    if (!same) conformance_say(check->report, "decoded otherwise than recorded");
    if (has_generation) {
        same &= same_bytes(check, "encoded",
                           sticky_user_data_encode(check->memory, check->names, &read));
    }
    sticky_user_data_free(check->memory, &read);
    return same;
}

static bool check_cooperative_sticky(const struct check *check)
{
    int32_t said = -1;
    int32_t read;
    get_int32(check->record, "generation", &said);
    if (!cooperative_sticky_user_data_decode(check->recorded, &read)) return refused(check);
    if (said != read) conformance_say(check->report, "generation: Kafka %d, here %d", said, read);
    return said == read &&
           same_bytes(check, "encoded", cooperative_sticky_user_data_encode(check->memory, said));
}

static const struct {
    const char *name;
    bool (*check)(const struct check *check);
} byte_kinds[] = {
    {"subscription", check_subscription},
    {"assignment", check_assignment},
    {"sticky-user-data", check_sticky},
    {"cooperative-sticky-user-data", check_cooperative_sticky},
};

/* Decoders must survive every piece of a message; what they say about it does not matter here. */
static void decode_pieces(const struct check *check)
{
    for (uint32_t length = 0; length < check->recorded.length; length++) {
        const struct bytes piece = {.data = check->recorded.data, .length = length};
        struct subscription subscription;
        struct assignment assignment;
        struct sticky_user_data user_data;
        if (subscription_decode(check->memory, check->names, piece, &subscription)) {
            subscription_free(check->memory, &subscription);
        }
        if (assignment_decode(check->memory, check->names, piece, &assignment)) {
            assignment_free(check->memory, &assignment);
        }
        if (sticky_user_data_decode(check->memory, check->names, piece, &user_data)) {
            sticky_user_data_free(check->memory, &user_data);
        }
    }
}

bool protocol_bytes_applies(const json_t *record)
{
    return json_object_get(record, "bytes") != NULL;
}

enum conformance_outcome protocol_bytes_check(const json_t *record,
                                              struct conformance_report *report)
{
    const char *kind = json_string_value(json_object_get(record, "kind"));
    struct check check = {.record = record, .memory = memory_new(), .report = report};
    check.names = names_new(check.memory);
    bool no_bytes;
    check.recorded = hex_field(&check, "bytes", &no_bytes);
    enum conformance_outcome outcome = CASE_UNUSABLE;
    for (size_t i = 0; kind != NULL && i < ARRAY_LEN(byte_kinds); i++) {
        if (strcmp(byte_kinds[i].name, kind) != 0) continue;
        outcome = byte_kinds[i].check(&check) ? CASE_PASSED : CASE_FAILED;
        decode_pieces(&check);
    }
    if (outcome == CASE_UNUSABLE) conformance_say(report, "unknown kind of bytes");
    memory_free_all(check.memory);
    return outcome;
}
