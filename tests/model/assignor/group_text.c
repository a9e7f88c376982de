#include "tests/model/assignor/group_text.h"

#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST_TOPICS  32
#define MOST_MEMBERS 64
#define MOST_OWNED   256
#define MOST_TEXT    8192

struct parser {
    struct group_text *group;
    struct assign_topic *topics;
    struct assign_member *members;
};

static int32_t topic_of(struct parser *parser, const char *name)
{
    const name_id id = names_intern(parser->group->names, name);
    for (int32_t t = 0; t < parser->group->input.topic_count; t++) {
        if (parser->topics[t].name == id) return t;
    }
    CHECK(parser->group->input.topic_count < MOST_TOPICS);
    const int32_t index = parser->group->input.topic_count++;
    parser->topics[index] =
        (struct assign_topic){.name = id, .partition_count = -1, .id_low = index + 1};
    return index;
}

static void parse_racks(struct parser *parser, struct assign_topic *topic, char **place)
{
    enum { SLOTS = 4 };
    name_id *racks = memory_keep(parser->group->memory,
                                 sizeof(name_id) * SLOTS * (size_t)topic->partition_count);
    for (int32_t p = 0; p < topic->partition_count; p++) {
        char *replicas = strtok_r(NULL, " ", place);
        CHECK(replicas != NULL);
        char *inner = NULL;
        int slot = 0;
        for (char *rack = strtok_r(replicas, ",", &inner); rack != NULL;
             rack = strtok_r(NULL, ",", &inner)) {
            CHECK(slot < SLOTS);
            racks[p * SLOTS + slot++] =
                strcmp(rack, "-") == 0 ? NAME_NONE : names_intern(parser->group->names, rack);
        }
    }
    topic->racks = racks;
    topic->rack_slots = SLOTS;
}

static void parse_id(struct assign_topic *topic, const char *hex)
{
    char half[17] = "";
    CHECK(strlen(hex) == 32);
    memcpy(half, hex, 16);
    topic->id_high = (int64_t)strtoull(half, NULL, 16);
    topic->id_low = (int64_t)strtoull(hex + 16, NULL, 16);
}

static void parse_topic(struct parser *parser, char *line)
{
    char *place = NULL;
    const char *name = strtok_r(line, " ", &place);
    const int32_t index = topic_of(parser, name);
    struct assign_topic *topic = &parser->topics[index];
    const char *count = strtok_r(NULL, " ", &place);
    if (count == NULL) return;
    topic->partition_count = (int32_t)strtol(count, NULL, 10);
    for (const char *word = strtok_r(NULL, " ", &place); word != NULL;
         word = strtok_r(NULL, " ", &place)) {
        if (strcmp(word, "racks") == 0) {
            parse_racks(parser, topic, &place);
        } else {
            CHECK(strcmp(word, "id") == 0);
            parse_id(topic, strtok_r(NULL, " ", &place));
        }
    }
}

static void parse_owned(struct parser *parser, struct assign_member *member, char **place)
{
    struct assign_partition *owned =
        memory_keep(parser->group->memory, sizeof(*owned) * MOST_OWNED);
    int32_t count = 0;
    for (char *word = strtok_r(NULL, " ", place); word != NULL; word = strtok_r(NULL, " ", place)) {
        char *colon = strchr(word, ':');
        CHECK(colon != NULL);
        *colon = '\0';
        const int32_t topic = topic_of(parser, word);
        char *inner = NULL;
        for (const char *number = strtok_r(colon + 1, ",", &inner); number != NULL;
             number = strtok_r(NULL, ",", &inner)) {
            CHECK(count < MOST_OWNED);
            owned[count++] =
                (struct assign_partition){.topic = topic,
                                          .partition = (int32_t)strtol(number, NULL, 10)};
        }
    }
    member->owned = owned;
    member->owned_count = count;
    member->user_data_owned = owned;
    member->user_data_owned_count = count;
}

static void parse_member_part(struct parser *parser, struct assign_member *member, char *part)
{
    char *place = NULL;
    const char *word = strtok_r(part, " ", &place);
    if (strcmp(word, "owns") == 0) {
        parse_owned(parser, member, &place);
        return;
    }
    const char *value = strtok_r(NULL, " ", &place);
    CHECK(value != NULL);
    const int32_t number = (int32_t)strtol(value, NULL, 10);
    struct names *names = parser->group->names;
    if (strcmp(word, "instance") == 0) {
        member->instance = names_intern(names, value);
    } else if (strcmp(word, "rack") == 0) {
        member->rack = names_intern(names, value);
    } else if (strcmp(word, "generation") == 0) {
        member->generation = number;
        member->user_data_generation = number;
    } else if (strcmp(word, "field") == 0) {
        member->generation = number;
    } else {
        CHECK(strcmp(word, "data") == 0);
        member->user_data_generation = number;
    }
}

static void parse_member(struct parser *parser, char *line)
{
    CHECK(parser->group->input.member_count < MOST_MEMBERS);
    struct assign_member *member = &parser->members[parser->group->input.member_count++];
    char *colon = strchr(line, ':');
    CHECK(colon != NULL);
    *colon = '\0';
    *member = (struct assign_member){.id = names_intern(parser->group->names, line),
                                     .generation = ASSIGN_GENERATION_UNKNOWN,
                                     .user_data_generation = ASSIGN_GENERATION_UNKNOWN};
    char *parts = strchr(colon + 1, '|');
    if (parts != NULL) *parts++ = '\0';
    int32_t *topics = memory_keep(parser->group->memory, sizeof(int32_t) * MOST_TOPICS);
    char *place = NULL;
    for (const char *topic = strtok_r(colon + 1, " ", &place); topic != NULL;
         topic = strtok_r(NULL, " ", &place)) {
        topics[member->topic_count++] = topic_of(parser, topic);
    }
    member->topics = topics;
    if (parts == NULL) return;
    for (char *part = strtok_r(parts, "|", &place); part != NULL;
         part = strtok_r(NULL, "|", &place)) {
        parse_member_part(parser, member, part);
    }
}

struct group_text group_text_parse(const char *text)
{
    struct group_text group = {.memory = memory_new()};
    group.names = names_new(group.memory);
    struct parser parser = {.group = &group};
    parser.topics = memory_keep(group.memory, sizeof(*parser.topics) * MOST_TOPICS);
    parser.members = memory_keep(group.memory, sizeof(*parser.members) * MOST_MEMBERS);
    char *copy = memory_keep(group.memory, strlen(text) + 1);
    strcpy(copy, text);
    char *place = NULL;
    for (char *line = strtok_r(copy, "\n", &place); line != NULL;
         line = strtok_r(NULL, "\n", &place)) {
        if (strncmp(line, "topic ", 6) == 0) {
            parse_topic(&parser, line + 6);
        } else {
            CHECK(strncmp(line, "member ", 7) == 0);
            parse_member(&parser, line + 7);
        }
    }
    group.input.names = group.names;
    group.input.topics = parser.topics;
    group.input.members = parser.members;
    return group;
}

void group_text_free(struct group_text *group)
{
    memory_free_all(group->memory);
    *group = (struct group_text){0};
}

struct text {
    char *text;
    size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length =
        vsnprintf(text->text + text->length, MOST_TEXT - text->length, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && text->length + (size_t)length < MOST_TEXT);
    text->length += (size_t)length;
}

/* Indexes of the topics by name. */
static void sort_topics(const struct assign_input *input, int32_t *order)
{
    for (int32_t i = 0; i < input->topic_count; i++) {
        int32_t j = i;
        while (j > 0 && names_compare(input->names, input->topics[order[j - 1]].name,
                                      input->topics[i].name) > 0) {
            order[j] = order[j - 1];
            j--;
        }
        order[j] = i;
    }
}

const char *group_text_of(const struct group_text *group, const struct assign_output *output)
{
    const struct assign_input *input = &group->input;
    struct text text = {.text = memory_keep(group->memory, MOST_TEXT)};
    int32_t order[MOST_TOPICS];
    sort_topics(input, order);
    for (int32_t m = 0; m < input->member_count; m++) {
        add(&text, "%s:", names_text(input->names, input->members[m].id));
        for (int32_t i = 0; i < input->topic_count; i++) {
            const int32_t t = order[i];
            bool first = true;
            for (int32_t s = output->first_slot[t]; s < output->first_slot[t + 1]; s++) {
                if (output->owner[s] != m) continue;
                const int32_t partition = s - output->first_slot[t];
                if (first) {
                    add(&text, " %s:%d", names_text(input->names, input->topics[t].name),
                        partition);
                } else {
                    add(&text, ",%d", partition);
                }
                first = false;
            }
        }
        add(&text, "\n");
    }
    for (int32_t i = 0; i < input->topic_count; i++) {
        const int32_t t = order[i];
        for (int32_t s = output->first_slot[t]; s < output->first_slot[t + 1]; s++) {
            const int32_t member = output->withheld_for[s];
            if (member == ASSIGN_NOBODY) continue;
            add(&text, "withheld: %s:%d for %s\n", names_text(input->names, input->topics[t].name),
                s - output->first_slot[t], names_text(input->names, input->members[member].id));
        }
    }
    return text.text;
}

const struct assignor *group_text_assignor(const char *name)
{
    const bool server = strncmp(name, "server ", 7) == 0;
    const struct assignor *assignor =
        assignor_find(server ? name + 7 : name, server ? ASSIGNOR_SERVER : ASSIGNOR_CLIENT);
    if (assignor == NULL) assignor = assignor_find(name, ASSIGNOR_SERVER);
    CHECK(assignor != NULL);
    return assignor;
}

void group_text_expect(const char *assignor, const char *text, const char *expected)
{
    struct group_text group = group_text_parse(text);
    struct assign_output output = assign_output_new(group.memory, &group.input);
    const enum assign_result result =
        group_text_assignor(assignor)->assign(&group.input, group.memory, &output);
    const char *actual = result == ASSIGN_UNKNOWN_TOPIC ? "refused: unknown topic\n"
                                                        : group_text_of(&group, &output);
    assert_string_equal(actual, expected);
    group_text_free(&group);
}
