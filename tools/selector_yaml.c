/* tools/selector_yaml.c: whom an entry of the timeline is about, in scenario files. */
#include "tools/selector_yaml.h"

#include "sim/check.h"
#include "tools/schema_hooks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct reader *reader;
    const struct scenario *scenario;
    const char *label;
    const struct node *node;
    unsigned accepted;
    const struct selector_limits *limits;
};

int32_t scenario_find_group(const struct scenario *scenario, const char *name)
{
    for (int32_t i = 0; i < scenario->group_count; i++) {
        if (strcmp(scenario->groups[i].name, name) == 0) return i;
    }
    return -1;
}

static int32_t find_topic(const struct scenario *scenario, const char *name)
{
    const struct scenario_topic *topic = scenario_find_topic(scenario, name);
    return topic == NULL ? -1 : (int32_t)(topic - scenario->topics);
}

static int32_t find_producer(const struct scenario *scenario, const char *name)
{
    for (int32_t i = 0; i < scenario->producer_count; i++) {
        if (strcmp(scenario->producers[i].name, name) == 0) return i;
    }
    return -1;
}

/* A whole number without sign or leading zero, up to the end of the text. */
static bool parse_number(const char *text, int32_t *number)
{
    int64_t value = 0;
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 9 || text[length] != '\0' || (text[0] == '0' && length > 1))
        return false;
    for (size_t i = 0; i < length; i++)
        value = value * 10 + (text[i] - '0');
    *number = (int32_t)value;
    return true;
}

/* "payments-3" is "payments" and 3. The name is a copy that the caller frees; NULL when the text
 * has no such end. */
static char *split_number(const char *text, int32_t *number)
{
    const char *dash = strrchr(text, '-');
    if (dash == NULL || dash == text || !parse_number(dash + 1, number)) return NULL;
    char *name = tool_copy(text);
    name[dash - text] = '\0';
    return name;
}

static bool refuse(const struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(const struct reading *reading, const char *format, ...)
{
    struct text said = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&said, format, arguments);
    va_end(arguments);
    diagnostic_error(reading->reader->diagnostics, reading->node->at, "%s: %s", reading->label,
                     text_data(&said));
    text_free(&said);
    return false;
}

/* The accepted kinds in words, for messages. */
static void append_accepted(struct text *text, unsigned accepted)
{
    static const struct {
        unsigned class;
        const char *words;
    } all[] = {
        {ACCEPT_MEMBERS, "a member such as G-1 or any 2 of G"},
        {ACCEPT_GROUP, "a group"},
        {ACCEPT_BROKERS, "a broker such as broker 1, any broker or coordinator of G"},
        {ACCEPT_TOPIC, "a topic"},
        {ACCEPT_PARTITION, "a partition such as T-0"},
        {ACCEPT_PRODUCER, "a producer"},
    };
    bool is_first = true;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if ((accepted & all[i].class) == 0) continue;
        text_format(text, "%s%s", is_first ? "" : ", or ", all[i].words);
        is_first = false;
    }
}

static bool refuse_kind(const struct reading *reading)
{
    refuse(reading, "%s is nothing this can act on", reading->node->text);
    struct text expected = {0};
    append_accepted(&expected, reading->accepted);
    diagnostic_hint(reading->reader->diagnostics, "expected %s", text_data(&expected));
    text_free(&expected);
    return false;
}

static const char *keep_joined(const struct reading *reading, const char *name, int32_t number)
{
    struct text joined = {0};
    text_format(&joined, "%s-%" PRId32, name, number);
    const char *kept = reader_keep(reading->reader, text_data(&joined));
    text_free(&joined);
    return kept;
}

/* Everything that this place accepts and that looks a bit like the word. */
static bool refuse_name(const struct reading *reading, const char *word)
{
    const struct scenario *scenario = reading->scenario;
    struct text quoted = {0};
    value_quote(&quoted, word);
    refuse(reading, "there is no %s here", text_data(&quoted));
    text_free(&quoted);

    size_t most = 2 * (size_t)(scenario->group_count + scenario->topic_count) +
                  (size_t)scenario->producer_count + 2;
    const char **names = tool_allocate(most * sizeof *names);
    size_t count = 0;
    int32_t number = -1;
    char *stem = split_number(word, &number);
    for (int32_t i = 0; i < scenario->group_count; i++) {
        const char *name = scenario->groups[i].name;
        if ((reading->accepted & (ACCEPT_MEMBERS | ACCEPT_GROUP)) != 0) names[count++] = name;
        if ((reading->accepted & ACCEPT_MEMBERS) != 0 && stem != NULL)
            names[count++] = keep_joined(reading, name, number);
    }
    for (int32_t i = 0; i < scenario->topic_count; i++) {
        const char *name = scenario->topics[i].name;
        if ((reading->accepted & ACCEPT_TOPIC) != 0) names[count++] = name;
        if ((reading->accepted & ACCEPT_PARTITION) != 0)
            names[count++] = keep_joined(reading, name, number < 0 ? 0 : number);
    }
    for (int32_t i = 0; i < scenario->producer_count; i++) {
        if ((reading->accepted & ACCEPT_PRODUCER) != 0)
            names[count++] = scenario->producers[i].name;
    }
    if ((reading->accepted & ACCEPT_BROKERS) != 0) names[count++] = "broker 0";
    reader_suggest(reading->reader, word, names, count);
    free(stem);
    free(names);
    return false;
}

static bool take_group(const struct reading *reading, const char *name, struct selector *selector)
{
    selector->group = scenario_find_group(reading->scenario, name);
    if (selector->group >= 0) return true;
    const struct reading groups_only = {.reader = reading->reader,
                                        .scenario = reading->scenario,
                                        .label = reading->label,
                                        .node = reading->node,
                                        .accepted = ACCEPT_GROUP};
    return refuse_name(&groups_only, name);
}

static bool check_member(const struct reading *reading, const struct selector *selector)
{
    int32_t most = reading->limits->members[selector->group];
    if (selector->member >= 1 && selector->member <= most) return true;
    const char *name = reading->scenario->groups[selector->group].name;
    refuse(reading, "%s has no member %" PRId32, name, selector->member);
    if (most == 0) return false;
    diagnostic_hint(reading->reader->diagnostics, "its members are %s-1 to %s-%" PRId32, name, name,
                    most);
    return false;
}

static bool take_partition(const struct reading *reading, const char *text,
                           struct selector *selector)
{
    char *name = split_number(text, &selector->partition);
    selector->topic = name == NULL ? -1 : find_topic(reading->scenario, name);
    free(name);
    if (selector->topic < 0) {
        const struct reading partitions_only = {.reader = reading->reader,
                                                .scenario = reading->scenario,
                                                .label = reading->label,
                                                .node = reading->node,
                                                .accepted = ACCEPT_PARTITION};
        return refuse_name(&partitions_only, text);
    }
    int32_t most = reading->limits->partitions[selector->topic];
    if (selector->partition < most) return true;
    const char *topic = reading->scenario->topics[selector->topic].name;
    refuse(reading, "%s has no partition %" PRId32, topic, selector->partition);
    diagnostic_hint(reading->reader->diagnostics, "its partitions are 0 to %" PRId32, most - 1);
    return false;
}

/* "any broker", "any 2 of G", "any of G" */
static bool take_any(const struct reading *reading, const char *rest, struct selector *selector)
{
    if (strcmp(rest, "broker") == 0) {
        selector->kind = SELECT_ANY_BROKER;
        return (reading->accepted & ACCEPT_BROKERS) != 0 || refuse_kind(reading);
    }
    selector->kind = SELECT_ANY_MEMBERS;
    selector->count = 1;
    char count[12] = "";
    size_t digits = strspn(rest, "0123456789");
    if (digits > 0) {
        if (digits >= sizeof count) return refuse(reading, "so many members there are not");
        memcpy(count, rest, digits);
        rest += digits + strspn(rest + digits, " ");
        if (!parse_number(count, &selector->count) || selector->count < 1)
            return refuse(reading, "expected any 2 of GROUP, found any %s", count);
    }
    if (strncmp(rest, "of ", 3) != 0)
        return refuse(reading, "expected any 2 of GROUP or any broker");
    if ((reading->accepted & ACCEPT_MEMBERS) == 0) return refuse_kind(reading);
    if (!take_group(reading, rest + 3, selector)) return false;
    int32_t most = reading->limits->members[selector->group];
    if (selector->count <= most) return true;
    return refuse(reading, "any %" PRId32 " of %s, which has %" PRId32 " members", selector->count,
                  rest + 3, most);
}

static bool take_broker(const struct reading *reading, const char *rest, struct selector *selector)
{
    selector->kind = SELECT_BROKER;
    if ((reading->accepted & ACCEPT_BROKERS) == 0) return refuse_kind(reading);
    if (!parse_number(rest, &selector->broker)) return refuse(reading, "expected broker NUMBER");
    int32_t count = reading->scenario->cluster.brokers;
    if (selector->broker < count) return true;
    refuse(reading, "there is no broker %" PRId32, selector->broker);
    diagnostic_hint(reading->reader->diagnostics, "the brokers are 0 to %" PRId32, count - 1);
    return false;
}

/* A name alone: whatever of it the place accepts, members before partitions. */
static bool take_name(const struct reading *reading, const char *name, struct selector *selector)
{
    unsigned accepted = reading->accepted;
    const struct scenario *scenario = reading->scenario;
    if ((accepted & (ACCEPT_MEMBERS | ACCEPT_GROUP)) != 0) {
        selector->group = scenario_find_group(scenario, name);
        selector->kind = SELECT_GROUP;
        if (selector->group >= 0) return true;
    }
    if ((accepted & ACCEPT_PRODUCER) != 0) {
        selector->producer = find_producer(scenario, name);
        selector->kind = SELECT_PRODUCER;
        if (selector->producer >= 0) return true;
    }
    if ((accepted & ACCEPT_TOPIC) != 0) {
        selector->topic = find_topic(scenario, name);
        selector->kind = SELECT_TOPIC;
        if (selector->topic >= 0) return true;
    }
    if ((accepted & ACCEPT_MEMBERS) != 0) {
        char *stem = split_number(name, &selector->member);
        selector->group = stem == NULL ? -1 : scenario_find_group(scenario, stem);
        selector->kind = SELECT_MEMBER;
        free(stem);
        if (selector->group >= 0) return check_member(reading, selector);
    }
    if ((accepted & ACCEPT_PARTITION) != 0) {
        char *stem = split_number(name, &selector->partition);
        selector->topic = stem == NULL ? -1 : find_topic(scenario, stem);
        selector->kind = SELECT_PARTITION;
        free(stem);
        if (selector->topic >= 0) return take_partition(reading, name, selector);
    }
    return refuse_name(reading, name);
}

static bool starts_with(const char *text, const char *word, const char **rest)
{
    size_t length = strlen(word);
    if (strncmp(text, word, length) != 0) return false;
    *rest = text + length + strspn(text + length, " ");
    return true;
}

static bool take(struct reading *reading, const char *text, struct selector *selector)
{
    static const struct {
        const char *word;
        enum selector_kind kind;
        unsigned class;
    } of_group[] = {
        {"coordinator of ", SELECT_COORDINATOR, ACCEPT_BROKERS},
        {"group leader of ", SELECT_GROUP_LEADER, ACCEPT_MEMBERS},
    };
    static const struct {
        const char *word;
        unsigned class;
    } prefixes[] = {
        {"group ", ACCEPT_GROUP | ACCEPT_MEMBERS},
        {"member ", ACCEPT_MEMBERS},
        {"topic ", ACCEPT_TOPIC},
        {"partition ", ACCEPT_PARTITION},
        {"producer ", ACCEPT_PRODUCER},
    };
    const char *rest;
    for (size_t i = 0; i < ARRAY_LEN(of_group); i++) {
        if (!starts_with(text, of_group[i].word, &rest)) continue;
        selector->kind = of_group[i].kind;
        if ((reading->accepted & of_group[i].class) == 0) return refuse_kind(reading);
        return take_group(reading, rest, selector);
    }
    if (starts_with(text, "leader of ", &rest)) {
        selector->kind = SELECT_LEADER;
        if ((reading->accepted & ACCEPT_BROKERS) == 0) return refuse_kind(reading);
        return take_partition(reading, rest, selector);
    }
    if (starts_with(text, "any ", &rest)) return take_any(reading, rest, selector);
    if (starts_with(text, "broker ", &rest)) return take_broker(reading, rest, selector);
    if (strcmp(text, "brokers") == 0 && (reading->accepted & ACCEPT_BROKERS) != 0) {
        selector->kind = SELECT_BROKERS;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (!starts_with(text, prefixes[i].word, &rest)) continue;
        if ((reading->accepted & prefixes[i].class) == 0) return refuse_kind(reading);
        reading->accepted &= prefixes[i].class;
        return take_name(reading, rest, selector);
    }
    return take_name(reading, text, selector);
}

bool selector_read(struct reader *reader, const char *label, const struct node *node,
                   unsigned accepted, const struct selector_limits *limits,
                   struct selector *selector)
{
    struct reading reading = {reader, reader->scenario, label, node, accepted, limits};
    struct selector read = {.kind = SELECT_NOBODY};
    if (!reader_is(reader, label, node, NODE_SCALAR, "a target")) return false;
    if (!take(&reading, node->text, &read)) return false;
    /* What was tried on the way leaves nothing behind: equal targets are equal structs. */
    *selector = (struct selector){.kind = read.kind};
    switch (read.kind) {
    case SELECT_MEMBER:
        selector->member = read.member;
        selector->group = read.group;
        break;
    case SELECT_ANY_MEMBERS:
        selector->count = read.count;
        selector->group = read.group;
        break;
    case SELECT_GROUP:
    case SELECT_COORDINATOR:
    case SELECT_GROUP_LEADER: selector->group = read.group; break;
    case SELECT_BROKER: selector->broker = read.broker; break;
    case SELECT_LEADER:
    case SELECT_PARTITION:
        selector->topic = read.topic;
        selector->partition = read.partition;
        break;
    case SELECT_TOPIC: selector->topic = read.topic; break;
    case SELECT_PRODUCER: selector->producer = read.producer; break;
    case SELECT_NOBODY:
    case SELECT_ANY_BROKER:
    case SELECT_BROKERS: break;
    }
    return true;
}

void selector_write(struct writer *writer, const struct selector *selector)
{
    const struct scenario *scenario = writer->scenario;
    const char *group = scenario->group_count == 0 ? "" : scenario->groups[selector->group].name;
    const char *topic = scenario->topic_count == 0 ? "" : scenario->topics[selector->topic].name;
    struct text *out = writer->out;
    switch (selector->kind) {
    case SELECT_NOBODY: break;
    case SELECT_MEMBER: text_format(out, "member %s-%" PRId32, group, selector->member); break;
    case SELECT_GROUP: text_format(out, "group %s", group); break;
    case SELECT_ANY_MEMBERS:
        text_format(out, "any %" PRId32 " of %s", selector->count, group);
        break;
    case SELECT_BROKER: text_format(out, "broker %" PRId32, selector->broker); break;
    case SELECT_ANY_BROKER: text_append(out, "any broker"); break;
    case SELECT_BROKERS: text_append(out, "brokers"); break;
    case SELECT_COORDINATOR: text_format(out, "coordinator of %s", group); break;
    case SELECT_LEADER:
        text_format(out, "leader of %s-%" PRId32, topic, selector->partition);
        break;
    case SELECT_GROUP_LEADER: text_format(out, "group leader of %s", group); break;
    case SELECT_TOPIC: text_format(out, "topic %s", topic); break;
    case SELECT_PRODUCER:
        text_format(out, "producer %s", scenario->producers[selector->producer].name);
        break;
    case SELECT_PARTITION:
        text_format(out, "partition %s-%" PRId32, topic, selector->partition);
        break;
    }
}
